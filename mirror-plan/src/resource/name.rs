//! Names: what AWS allows only one object of a sort to be called.

use super::Resource;
use crate::scalar::{AutoscalingGroupName, ElbName, LaunchTemplateName};

impl Resource {
    /// Returns the name that no other object of its sort can have, for kinds with such names; `None` until one is
    /// given or chosen.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::LoadBalancer(it) => it.name.as_ref().map(ElbName::as_str),
            Self::GatewayLoadBalancer(it) => it.name.as_ref().map(ElbName::as_str),
            Self::TargetGroup(it) => it.name.as_ref().map(ElbName::as_str),
            Self::LaunchTemplate(it) => it.name.as_ref().map(LaunchTemplateName::as_str),
            Self::AutoscalingGroup(it) => it.name.as_ref().map(AutoscalingGroupName::as_str),
            Self::SecurityGroup(it) => it.name.as_deref(),
            Self::Vpc(_)
            | Self::Subnet(_)
            | Self::InternetGateway(_)
            | Self::VpcPeering(_)
            | Self::TransitGatewayAttachment(_)
            | Self::RouteTable(_)
            | Self::Instance(_)
            | Self::EndpointService(_)
            | Self::GatewayLoadBalancerEndpoint(_)
            | Self::MirrorTarget(_)
            | Self::MirrorFilter(_)
            | Self::MirrorSession(_)
            | Self::ResourceShare(_) => None,
        }
    }
}
