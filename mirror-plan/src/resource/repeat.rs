//! Repeats: what happens to a create call that is sent again.

use crate::address::Kind;

/// How a repeated create call ends if the first one has already taken effect.
///
/// Sources: EC2, ELBv2, Amazon EC2 Auto Scaling and AWS RAM API references, each action's `ClientToken`, errors
/// and remarks about idempotency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// With the same answer, since the call carries the same client token.
    SameAnswer,
    /// With an error, or with the existing object: its name or place is taken.
    Taken,
    /// With a second object.
    Second,
}

impl Repeat {
    /// Returns how repeats of the calls that create objects of `kind` end.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Vpc | Kind::InternetGateway => Self::Second,
            Kind::Subnet
            | Kind::VpcPeering
            | Kind::TransitGatewayAttachment
            | Kind::SecurityGroup
            | Kind::TargetGroup
            | Kind::AutoscalingGroup
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer => Self::Taken,
            Kind::RouteTable
            | Kind::Instance
            | Kind::LaunchTemplate
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::MirrorTarget
            | Kind::MirrorFilter
            | Kind::MirrorSession
            | Kind::ResourceShare => Self::SameAnswer,
        }
    }
}
