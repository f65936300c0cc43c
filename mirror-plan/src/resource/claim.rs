//! Claims: what AWS allows only one object to have at a time, such as the addresses of a subnet or the name of a load
//! balancer.

use std::collections::BTreeSet;
use std::fmt;

use super::{MirrorTarget, Resource};
use crate::address::Address;
use crate::attribute::{Ref, Referable};
use crate::scalar::{IpAddress, SessionNumber, TransitGatewayId};

/// What one object has and no other can have at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claim<'r> {
    /// Addresses of a VPC; subnets whose ranges do not overlap can each have some.
    ///
    /// Source: EC2 API reference, "Error codes": `InvalidSubnet.Conflict`.
    Subnet { vpc: Thing<'r> },
    /// An address of a subnet.
    ///
    /// Source: EC2 API reference, "Error codes": `InvalidIPAddress.InUse`.
    PrivateAddress { subnet: Thing<'r>, address: IpAddress },
    /// Being the internet gateway of a VPC.
    ///
    /// Source: VPC user guide, "Internet gateways": one can be attached to a VPC.
    Gateway { vpc: Thing<'r> },
    /// Connecting two VPCs.
    ///
    /// Source: VPC peering guide, "VPC peering limitations": one connection at a time between two VPCs.
    Peering([Thing<'r>; 2]),
    /// Being associated with a subnet.
    ///
    /// Source: VPC user guide, "Route tables": a subnet is associated with one at a time.
    Association { subnet: Thing<'r> },
    /// Attaching a VPC to a transit gateway.
    ///
    /// Source: EC2 API reference, "Error codes": `DuplicateTransitGatewayAttachment`.
    Attachment { transit_gateway: &'r TransitGatewayId, vpc: Thing<'r> },
    /// Forwarding to a target group.
    ///
    /// Source: Network Load Balancer guide, "Target groups": each can be used with one load balancer.
    Forwarding { target_group: Thing<'r> },
    /// Offering a Gateway Load Balancer.
    Service { gateway_load_balancer: Thing<'r> },
    /// Being the mirror target that leads to a load balancer, an interface or an endpoint.
    ///
    /// Source: EC2 API reference, "Error codes": `NlbInUseByTrafficMirrorTargetException`.
    Destination { to: Thing<'r> },
    /// The use of an interface: several sessions can mirror it, or a mirror target leads to it.
    ///
    /// Source: EC2 API reference, "Error codes": `InterfaceInUseByTrafficMirrorSession` and
    /// `InterfaceInUseByTrafficMirrorTarget`.
    Interface { id: Thing<'r> },
    /// A position in the order of an interface's sessions.
    ///
    /// Source: EC2 API reference, `CreateTrafficMirrorSession`: `SessionNumber`.
    Number { source: Thing<'r>, number: SessionNumber },
    /// A name, among everything of its sort.
    Name { of: Namespace<'r>, name: &'r str },
}

/// The scope in which a name is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Namespace<'r> {
    /// Load balancers of every type.
    LoadBalancer,
    TargetGroup,
    LaunchTemplate,
    AutoscalingGroup,
    /// Those of one VPC.
    SecurityGroup {
        vpc: Thing<'r>,
    },
}

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing<'r> {
    /// Something that a stack makes or uses.
    Of(&'r Address),
    /// Something that exists, by its id.
    Id(&'r str),
}

impl<'r> Thing<'r> {
    fn behind<T: Referable>(to: &'r Ref<T>) -> Self {
        match to {
            Ref::To(address) => Self::Of(address),
            Ref::Id(id) => Self::Id(id.as_str()),
        }
    }
}

impl fmt::Display for Thing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(address) => write!(f, "`{address}`"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

impl Resource {
    /// Returns what it claims.
    pub(crate) fn claims(&self) -> BTreeSet<Claim<'_>> {
        match self {
            Self::Subnet(it) => [Claim::Subnet { vpc: Thing::behind(&it.vpc) }].into(),
            Self::Instance(it) => {
                let subnet = Thing::behind(&it.subnet);
                let address = it.private_ip;
                address
                    .map(|address| Claim::PrivateAddress { subnet, address })
                    .into_iter()
                    .collect()
            }
            Self::InternetGateway(it) => {
                let vpc = it.vpc.iter().map(Thing::behind);
                vpc.map(|vpc| Claim::Gateway { vpc }).collect()
            }
            Self::RouteTable(it) => {
                let subnets = it.subnets.iter().map(Thing::behind);
                subnets.map(|subnet| Claim::Association { subnet }).collect()
            }
            Self::VpcPeering(it) => {
                let [one, other] = [&it.requester, &it.accepter].map(Thing::behind);
                [Claim::Peering([one.min(other), one.max(other)])].into()
            }
            Self::TransitGatewayAttachment(it) => {
                let (transit_gateway, vpc) = (&it.transit_gateway, Thing::behind(&it.vpc));
                [Claim::Attachment { transit_gateway, vpc }].into()
            }
            Self::SecurityGroup(it) => {
                let of = Namespace::SecurityGroup { vpc: Thing::behind(&it.vpc) };
                of.claim(self).into_iter().collect()
            }
            Self::LaunchTemplate(_) => Namespace::LaunchTemplate.claim(self).into_iter().collect(),
            Self::AutoscalingGroup(_) => {
                Namespace::AutoscalingGroup.claim(self).into_iter().collect()
            }
            Self::TargetGroup(_) => Namespace::TargetGroup.claim(self).into_iter().collect(),
            Self::LoadBalancer(it) => {
                let groups = it.listeners.iter().map(|listener| &listener.target_group);
                let groups = groups.map(Thing::behind);
                let forwarding = groups.map(|target_group| Claim::Forwarding { target_group });
                forwarding.chain(Namespace::LoadBalancer.claim(self)).collect()
            }
            Self::GatewayLoadBalancer(it) => {
                let group = it.target_group.iter().map(Thing::behind);
                let forwarding = group.map(|target_group| Claim::Forwarding { target_group });
                forwarding.chain(Namespace::LoadBalancer.claim(self)).collect()
            }
            Self::EndpointService(it) => {
                let balancers = it.gateway_load_balancers.iter().map(Thing::behind);
                let service = |gateway_load_balancer| Claim::Service { gateway_load_balancer };
                balancers.map(service).collect()
            }
            Self::MirrorTarget(it) => {
                let destination = destination(it).map(|to| Claim::Destination { to });
                let interface = it.network_interface.as_ref().map(Thing::behind);
                let interface = interface.map(|id| Claim::Interface { id });
                destination.into_iter().chain(interface).collect()
            }
            Self::MirrorSession(it) => {
                let source = Thing::behind(&it.source);
                [Claim::Number { source, number: it.number }, Claim::Interface { id: source }]
                    .into()
            }
            Self::Vpc(_)
            | Self::GatewayLoadBalancerEndpoint(_)
            | Self::MirrorFilter(_)
            | Self::ResourceShare(_) => BTreeSet::new(),
        }
    }
}

/// Where a mirror target leads.
fn destination(target: &MirrorTarget) -> Option<Thing<'_>> {
    let MirrorTarget {
        load_balancer,
        network_interface,
        gateway_load_balancer_endpoint,
        description: _,
        tags: _,
    } = target;
    let to = load_balancer.as_ref().map(Thing::behind);
    let to = to.or_else(|| network_interface.as_ref().map(Thing::behind));
    to.or_else(|| gateway_load_balancer_endpoint.as_ref().map(Thing::behind))
}

impl<'r> Namespace<'r> {
    fn claim(self, resource: &'r Resource) -> Option<Claim<'r>> {
        resource.name().map(|name| Claim::Name { of: self, name })
    }
}

/// Shows what AWS allows.
impl fmt::Display for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subnet { vpc } => write!(f, "no two subnets of {vpc} whose addresses overlap"),
            Self::PrivateAddress { subnet, address } => {
                write!(f, "one instance with {address} in {subnet}")
            }
            Self::Gateway { vpc } => write!(f, "one internet gateway for {vpc}"),
            Self::Peering([one, other]) => {
                write!(f, "one peering connection between {one} and {other}")
            }
            Self::Association { subnet } => write!(f, "one route table for {subnet}"),
            Self::Attachment { transit_gateway, vpc } => {
                write!(f, "one attachment of {vpc} to {transit_gateway}")
            }
            Self::Forwarding { target_group } => write!(f, "one load balancer for {target_group}"),
            Self::Service { gateway_load_balancer } => {
                write!(f, "one endpoint service for {gateway_load_balancer}")
            }
            Self::Destination { to } => write!(f, "one mirror target for {to}"),
            Self::Interface { id } => write!(f, "{id} as a source or as a target, not as both"),
            Self::Number { source, number } => {
                write!(f, "one session with number {number} on {source}")
            }
            Self::Name { of, name } => {
                let what = match of {
                    Namespace::LoadBalancer => "load balancer",
                    Namespace::TargetGroup => "target group",
                    Namespace::LaunchTemplate => "launch template",
                    Namespace::AutoscalingGroup => "Auto Scaling group",
                    Namespace::SecurityGroup { vpc } => {
                        return write!(f, "one security group of {vpc} named `{name}`");
                    }
                };
                write!(f, "one {what} named `{name}`")
            }
        }
    }
}
