//! Strangers: what does not belong to a stack but is in its way on objects that it uses, and what it looks up in
//! vain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Observed;
use crate::address::Kind;
use crate::attribute::{Ref, Referable as _};
use crate::id::{NetworkInterface, NetworkInterfaceId};
use crate::plan::sources::sessions_of_sources;
use crate::resource::access::{ArnType, Named, Which};
use crate::resource::mirror_session::MirrorSessionId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::subnet::SubnetId;
use crate::resource::vpc::VpcId;
use crate::resource::{
    Creation, GatewayLoadBalancerEndpoint, LoadBalancer, MirrorTarget, Resource, Vpc,
};
use crate::scalar::{Cidr, SessionNumber};
use crate::stack::Stack;
use crate::value::Value;

/// A session that does not belong to the stack, on an interface that the stack mirrors.
///
/// A packet goes to one session only: the first, in order of their numbers, whose filter accepts
/// it.
/// Source: AWS Traffic Mirroring guide, "Traffic mirror sessions".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// The interface.
    pub source: NetworkInterfaceId,
    /// Its number: of all sessions on an interface, the one with the lowest number comes first.
    pub number: SessionNumber,
    /// The session.
    pub id: MirrorSessionId,
    /// The stack that it belongs to, if any.
    pub stack: Option<String>,
    /// Its tag `Name`.
    pub name: Option<String>,
}

/// A mirror target that does not belong to the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StrangeTarget {
    /// The ARN of its load balancer, or the id of its interface.
    pub destination: String,
    /// The target.
    pub id: MirrorTargetId,
    /// The stack that it belongs to, if any.
    pub stack: Option<String>,
}

/// A subnet that does not belong to the stack, in a VPC in which the stack creates one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StrangeSubnet {
    /// The VPC.
    pub vpc: VpcId,
    /// Its range.
    pub cidr: Cidr,
    /// The subnet.
    pub id: SubnetId,
}

/// What others have that can be in a stack's way, and what the stack needs but does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Sessions on interfaces that the stack mirrors or uses as targets.
    pub sessions: Vec<Stranger>,
    /// Mirror targets.
    pub targets: Vec<StrangeTarget>,
    /// The existing names that the stack wants to give to load balancers.
    pub load_balancers: BTreeSet<String>,
    /// The existing names that the stack wants to give to target groups.
    pub target_groups: BTreeSet<String>,
    /// The subnets in VPCs in which the stack creates one.
    pub subnets: Vec<StrangeSubnet>,
    /// For each mirror target that is an interface: the interfaces that others mirror to it.
    pub sources: BTreeMap<MirrorTargetId, BTreeSet<NetworkInterfaceId>>,
    /// How many objects others have in the account and Region, of the kinds that were counted; see
    /// [`Shared::counts`].
    pub counts: BTreeMap<Kind, usize>,
    /// What the stack names but does not exist, among what is looked up.
    pub absent: BTreeSet<Named>,
}

/// What a stack uses in the cloud where others may have objects, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The existing interfaces that it mirrors or uses as targets. Empty for a stack without sessions, whose policy
    /// does not allow reading the sessions of others.
    pub interfaces: BTreeSet<NetworkInterfaceId>,
    /// The existing load balancers, interfaces and endpoints of its targets.
    pub destinations: BTreeSet<String>,
    /// The names, given or chosen, of load balancers and target groups that it has not created yet.
    pub names: BTreeSet<String>,
    /// What it names that belongs to others and that its existing objects do not name already: images, key pairs,
    /// networks, gateways, security groups, interfaces and mirror filters.
    pub named: BTreeSet<Named>,
    /// The existing VPCs in which it creates a subnet.
    pub networks: BTreeSet<VpcId>,
    /// The existing mirror targets of its sessions that are interfaces.
    pub targets: BTreeSet<MirrorTargetId>,
    /// How many objects of each kind it creates.
    pub makes: BTreeMap<Kind, usize>,
}

/// How many mirror sessions, targets or filters a stack must create before all those of the account are read just to
/// count them: they fill ten pages at most, which is little compared with that many calls.
const MANY: usize = 100;

/// The most interfaces of others that are looked up: as many as one call accepts.
const INTERFACES: usize = 200;

impl Shared {
    /// Returns what `stack` uses; its references to existing objects are already ids.
    #[must_use]
    pub fn of(stack: &Stack, observed: &Observed) -> Self {
        let mut shared = Self::default();
        let mut mirrors = false;
        for (address, declared) in &stack.resources {
            let found = observed.current(address);
            let is_new = found.is_none();
            if is_new {
                *shared.makes.entry(address.kind).or_default() += 1;
            }
            let there = found.map(|found| looked_for(&found.resource)).unwrap_or_default();
            shared.named.extend(&looked_for(&declared.resource) - &there);
            match &declared.resource {
                Resource::MirrorSession(session) => {
                    mirrors = true;
                    shared.interfaces.extend(observed.interface(&session.source));
                    shared.targets.extend(observed.interface_target(&session.target));
                }
                Resource::Subnet(subnet) if is_new => {
                    shared.networks.extend(observed.vpc(&subnet.vpc));
                }
                Resource::MirrorTarget(target) => {
                    let interface = target.network_interface.as_ref();
                    let interface = interface.and_then(|to| observed.interface(to));
                    let balancer = target.load_balancer.as_ref();
                    let balancer = balancer.and_then(|to| observed.load_balancer(to));
                    shared.destinations.extend(interface.iter().map(ToString::to_string));
                    let endpoint = target.gateway_load_balancer_endpoint.as_ref();
                    let endpoint = endpoint.and_then(|to| observed.endpoint(to));
                    shared.destinations.extend(balancer);
                    shared.destinations.extend(endpoint);
                    shared.interfaces.extend(interface);
                }
                Resource::LoadBalancer(_)
                | Resource::GatewayLoadBalancer(_)
                | Resource::TargetGroup(_)
                    if is_new =>
                {
                    let creation = Creation { address, stack: stack.name.as_str(), generation: 1 };
                    let chosen = declared.resource.clone().chosen(&creation);
                    shared.names.extend(chosen.name().map(str::to_owned));
                }
                Resource::Vpc(_)
                | Resource::Instance(_)
                | Resource::LaunchTemplate(_)
                | Resource::Subnet(_)
                | Resource::LoadBalancer(_)
                | Resource::GatewayLoadBalancer(_)
                | Resource::TargetGroup(_)
                | Resource::InternetGateway(_)
                | Resource::RouteTable(_)
                | Resource::VpcPeering(_)
                | Resource::TransitGatewayAttachment(_)
                | Resource::SecurityGroup(_)
                | Resource::AutoscalingGroup(_)
                | Resource::EndpointService(_)
                | Resource::GatewayLoadBalancerEndpoint(_)
                | Resource::MirrorFilter(_)
                | Resource::ResourceShare(_) => {}
            }
        }
        shared.interfaces.retain(|_| mirrors);
        shared.leave_out_what_was_seen(observed);
        let over_sources = sessions_of_sources(stack, observed);
        let new = over_sources.iter().filter(|session| observed.current(session).is_none());
        *shared.makes.entry(Kind::MirrorSession).or_default() += new.count();
        shared
    }

    /// Leaves out what was just seen, since it certainly exists, and interfaces if there are too many: looking them
    /// up would take a call for every two hundred.
    fn leave_out_what_was_seen(&mut self, observed: &Observed) {
        let seen = observed.existing.values().chain(observed.owned.values().flatten());
        let seen: BTreeSet<&str> = seen.map(|found| found.id.as_str()).collect();
        self.named.retain(|named| !matches!(&named.which, Which::One(id) if seen.contains(&**id)));
        let is_interface = |named: &Named| named.of == ArnType::NetworkInterface;
        if self.named.iter().filter(|named| is_interface(named)).count() > INTERFACES {
            self.named.retain(|named| !is_interface(named));
        }
    }

    /// Whether the objects of a kind that others have in the account and Region are counted: for kinds of which AWS
    /// allows few, if the stack creates one; for kinds of which AWS allows thousands, if the stack creates one and
    /// they are read in any case, or if it creates many.
    #[must_use]
    pub fn counts(&self, kind: Kind) -> bool {
        let made = self.makes.get(&kind).copied().unwrap_or_default();
        match kind {
            Kind::Vpc | Kind::InternetGateway => made > 0,
            Kind::MirrorSession => made >= MANY || made > 0 && !self.interfaces.is_empty(),
            Kind::MirrorTarget => made >= MANY || made > 0 && !self.destinations.is_empty(),
            Kind::MirrorFilter => made >= MANY,
            Kind::Subnet
            | Kind::RouteTable
            | Kind::VpcPeering
            | Kind::SecurityGroup
            | Kind::Instance
            | Kind::LaunchTemplate
            | Kind::TargetGroup
            | Kind::AutoscalingGroup
            | Kind::TransitGatewayAttachment
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::ResourceShare => false,
        }
    }
}

/// A sort of thing that is looked up if a stack names one that belongs to others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    of: ArnType,
    /// What it is called.
    pub(crate) word: &'static str,
    /// The call that looks it up.
    pub(crate) call: &'static str,
}

/// Every such sort. Load balancers and targets are missing, since AWS does not list all that can be used: other
/// accounts share some.
const SORTS: [Sort; 11] = {
    const fn sort(of: ArnType, word: &'static str, call: &'static str) -> Sort {
        Sort { of, word, call }
    }
    [
        sort(ArnType::Image, "image", "DescribeImages"),
        sort(ArnType::KeyPair, "key pair", "DescribeKeyPairs"),
        sort(ArnType::Vpc, "VPC", "DescribeVpcs"),
        sort(ArnType::Subnet, "subnet", "DescribeSubnets"),
        sort(ArnType::InternetGateway, "internet gateway", "DescribeInternetGateways"),
        sort(
            ArnType::VpcPeeringConnection,
            "VPC peering connection",
            "DescribeVpcPeeringConnections",
        ),
        sort(ArnType::TransitGateway, "transit gateway", "DescribeTransitGateways"),
        sort(ArnType::VpcEndpoint, "endpoint", "DescribeVpcEndpoints"),
        sort(ArnType::SecurityGroup, "security group", "DescribeSecurityGroups"),
        sort(ArnType::NetworkInterface, "network interface", "DescribeNetworkInterfaces"),
        sort(ArnType::TrafficMirrorFilter, "mirror filter", "DescribeTrafficMirrorFilters"),
    ]
};

impl Sort {
    /// Returns the sort of a type, if things of this type are looked up.
    pub(crate) fn of(of: ArnType) -> Option<Self> {
        SORTS.into_iter().find(|sort| sort.of == of)
    }
}

/// Returns what a resource names that belongs to others and is looked up before the resource is
/// created.
pub(crate) fn looked_for(resource: &Resource) -> BTreeSet<Named> {
    let named = resource.named().into_iter().chain(resource.leads_to());
    named.filter(|named| Sort::of(named.of).is_some() && named.which != Which::Any).collect()
}

impl Observed {
    /// The id of the interface that a reference leads to, if it exists.
    #[must_use]
    pub fn interface(&self, to: &Ref<NetworkInterface>) -> Option<NetworkInterfaceId> {
        match to {
            Ref::Id(id) => Some(id.clone()),
            Ref::To(address) => {
                let computed = &self.current(address)?.computed;
                computed.get(NetworkInterface::ATTRIBUTE)?.as_ref()?.parse().ok()
            }
        }
    }

    /// The id of the VPC that a reference leads to, if it exists.
    #[must_use]
    pub fn vpc(&self, to: &Ref<Vpc>) -> Option<VpcId> {
        match to {
            Ref::Id(id) => Some(id.clone()),
            Ref::To(address) => self.current(address)?.id.of().ok(),
        }
    }

    /// The id of the mirror target that a reference leads to, if it exists and is an interface.
    #[must_use]
    pub fn interface_target(&self, to: &Ref<MirrorTarget>) -> Option<MirrorTargetId> {
        let found = match to {
            Ref::Id(id) => self.existing.values().find(|found| found.id == id.erase())?,
            Ref::To(address) => self.current(address)?,
        };
        match &found.resource {
            Resource::MirrorTarget(MirrorTarget { network_interface: Some(_), .. }) => {
                found.id.of().ok()
            }
            _ => None,
        }
    }

    /// The ARN of the load balancer that a reference leads to, if it exists.
    #[must_use]
    pub fn load_balancer(&self, to: &Ref<LoadBalancer>) -> Option<String> {
        match to {
            Ref::Id(arn) => Some(arn.to_string()),
            Ref::To(address) => Some(self.current(address)?.id.to_string()),
        }
    }

    /// The id of the endpoint that a reference leads to, if it exists.
    #[must_use]
    pub fn endpoint(&self, to: &Ref<GatewayLoadBalancerEndpoint>) -> Option<String> {
        match to {
            Ref::Id(id) => Some(id.to_string()),
            Ref::To(address) => Some(self.current(address)?.id.to_string()),
        }
    }
}

/// `session tms-... "name" of stack x mirrors eni-... too, with number 3`.
impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, number, id, stack, name } = self;
        write!(f, "session {id}")?;
        if let Some(name) = name {
            write!(f, " {}", Value::String(name.clone()))?;
        }
        if let Some(stack) = stack {
            write!(f, " of stack {}", Value::String(stack.clone()))?;
        }
        write!(f, " mirrors {source} too, with number {number}")
    }
}
