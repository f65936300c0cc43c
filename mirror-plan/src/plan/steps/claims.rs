//! Claims: what AWS lets one object have at a time, such as the addresses of a subnet or the name of a load balancer.
//!
//! What claims a thing comes after what has it and goes, or gives it up. Where that would close a circle the plan is
//! refused, since AWS would turn the call away half-way: a block that was given another name is the usual case, and
//! `moved` says that it is one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use petgraph::algo::has_path_connecting;

use super::{Builder, Chain, ChainKey};
use crate::address::Address;
use crate::attribute::{Ref, Referable};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Patch};
use crate::plan::decide::{Decision, Decisions};
use crate::plan::{Action, Phase};
use crate::resource::{MirrorTarget, Resource};
use crate::scalar::{IpAddress, SessionNumber, TransitGatewayId};
use crate::stack::Stack;

/// What one object has and no other can have beside it. What it is about is there already: nobody else has anything
/// of what is yet to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim<'d> {
    /// Addresses of a VPC; subnets whose ranges do not overlap can have some each.
    ///
    /// Source: EC2 API reference, "Error codes": `InvalidSubnet.Conflict`.
    Subnet { vpc: &'d str },
    /// An address of a subnet.
    ///
    /// Source: EC2 API reference, "Error codes": `InvalidIPAddress.InUse`.
    PrivateAddress { subnet: &'d str, address: IpAddress },
    /// Being the internet gateway of a VPC.
    ///
    /// Source: VPC user guide, "Internet gateways": one can be attached to a VPC.
    Gateway { vpc: &'d str },
    /// Connecting two VPCs.
    ///
    /// Source: VPC peering guide, "VPC peering limitations": one connection at a time between two VPCs.
    Peering([&'d str; 2]),
    /// Attaching a VPC to a transit gateway.
    ///
    /// Source: EC2 API reference, "Error codes": `DuplicateTransitGatewayAttachment`.
    Attachment { transit_gateway: &'d TransitGatewayId, vpc: &'d str },
    /// Forwarding to a target group.
    ///
    /// Source: Network Load Balancer guide, "Target groups": each can be used with one load balancer.
    Forwarding { target_group: &'d str },
    /// Offering a Gateway Load Balancer.
    Service { gateway_load_balancer: &'d str },
    /// Being the mirror target that leads to a load balancer, an interface or an endpoint.
    ///
    /// Source: EC2 API reference, "Error codes": `NlbInUseByTrafficMirrorTargetException`.
    Destination { id: &'d str },
    /// A place in the line of the sessions of an interface.
    ///
    /// Source: EC2 API reference, `CreateTrafficMirrorSession`: `SessionNumber`.
    Number { source: &'d str, number: SessionNumber },
    /// A name, among everything of its sort.
    Name { of: Namespace<'d>, name: &'d str },
}

/// Within what a name is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Namespace<'d> {
    /// Load balancers of every type.
    LoadBalancer,
    TargetGroup,
    LaunchTemplate,
    AutoscalingGroup,
    /// Those of one VPC.
    SecurityGroup {
        vpc: &'d str,
    },
}

impl Builder {
    /// Lets what claims a thing wait for what has it.
    pub(super) fn give_way(
        &mut self,
        stack: &Stack,
        decisions: &Decisions<'_>,
    ) -> Result<(), Diagnostics> {
        let mut given_up: BTreeMap<Claim<'_>, Vec<(&Decision<'_>, Chain)>> = BTreeMap::new();
        for decision in &decisions.all {
            let Some((claims, phase)) = gives_up(decision) else { continue };
            let Some(chain) = self.chain_of(decision, phase) else { continue };
            for claim in claims {
                given_up.entry(claim).or_default().push((decision, chain));
            }
        }
        if given_up.is_empty() {
            return Ok(());
        }
        let mut circles: BTreeMap<(&Address, &Address), Diagnostic> = BTreeMap::new();
        for coming in &decisions.all {
            let Some((claims, phase)) = takes(coming) else { continue };
            let Some(comes) = self.chain_of(coming, phase) else { continue };
            for claim in claims {
                for (going, goes) in given_up.get(&claim).into_iter().flatten() {
                    if std::ptr::eq(*going, coming) || !excludes(going, coming) {
                        continue;
                    }
                    if has_path_connecting(&self.graph, comes.first, goes.last, None) {
                        let pair = (&coming.address, &going.address);
                        circles.entry(pair).or_insert_with(|| circle(stack, claim, coming, going));
                    } else {
                        self.edge(goes.last, comes.first);
                    }
                }
            }
        }
        let diagnostics: Diagnostics = circles.into_values().collect();
        diagnostics.unless_errors(()).map(|((), _)| ())
    }

    fn chain_of(&self, decision: &Decision<'_>, phase: Phase) -> Option<Chain> {
        let there = decision.found.map_or(0, |found| found.generation);
        let generation = match phase {
            Phase::Create => there + 1,
            Phase::Update | Phase::Delete => there,
        };
        let address = decision.address.clone();
        self.chains.get(&ChainKey { address, phase, generation }).copied()
    }
}

/// What a decision gives up, and in which phase.
fn gives_up<'d>(decision: &'d Decision<'_>) -> Option<(BTreeSet<Claim<'d>>, Phase)> {
    let Decision { action, observed, desired, .. } = decision;
    match action {
        Action::Delete | Action::Replace(_) => Some((claims_of(observed), Phase::Delete)),
        Action::Update => Some((&claims_of(observed) - &claims_of(desired), Phase::Update)),
        Action::NoOp | Action::Move | Action::Create => None,
    }
}

/// What a decision takes, and in which phase.
fn takes<'d>(decision: &'d Decision<'_>) -> Option<(BTreeSet<Claim<'d>>, Phase)> {
    let Decision { action, observed, desired, .. } = decision;
    match action {
        Action::Create | Action::Replace(_) => Some((claims_of(desired), Phase::Create)),
        Action::Update => Some((&claims_of(desired) - &claims_of(observed), Phase::Update)),
        Action::NoOp | Action::Move | Action::Delete => None,
    }
}

fn claims_of(resource: &Option<Resource>) -> BTreeSet<Claim<'_>> {
    resource.as_ref().map(claims).unwrap_or_default()
}

/// Whether two that claim one thing cannot both have it.
fn excludes(going: &Decision<'_>, coming: &Decision<'_>) -> bool {
    match (&going.observed, &coming.desired) {
        (Some(Resource::Subnet(going)), Some(Resource::Subnet(coming))) => {
            let (going, coming) = (going.cidr.net(), coming.cidr.net());
            going.contains(&coming) || coming.contains(&going)
        }
        _ => true,
    }
}

/// That neither can be first.
fn circle(
    stack: &Stack,
    claim: Claim<'_>,
    coming: &Decision<'_>,
    going: &Decision<'_>,
) -> Diagnostic {
    let (comes, goes) = (&coming.address, &going.address);
    let title = format!("`{comes}` and `{goes}` wait for each other: AWS takes {claim}");
    let place = stack.resources.get(comes).and_then(|declared| declared.place.as_ref());
    let found = Diagnostic::error(code::GIVE_WAY, title)
        .of(comes)
        .at(place.map(|place| place.head.clone()), "")
        .note(format!("`{goes}` gives way only after `{comes}` has come"));
    if going.action == Action::Delete && !going.deposed && comes.kind == goes.kind {
        let moved = format!("\n\nmoved {{\n  from = {goes}\n  to   = {comes}\n}}\n");
        let patch = place.map(|place| Patch { span: place.end_of_file(), text: moved });
        let help = "where it is the same one under another name, say so by a `moved` block";
        found.help_edit(format!("{help} from `{goes}` to `{comes}`"), patch)
    } else if let Claim::Name { .. } = claim {
        found.help(format!("give `{comes}` another `name`"))
    } else {
        found.help("change one of them, apply, and then change the other")
    }
}

/// The id of what is there.
fn id<T: Referable>(to: &Ref<T>) -> Option<&str> {
    match to {
        Ref::To(_) => None,
        Ref::Id(id) => Some(id.as_str()),
    }
}

/// What a resource has of this sort.
fn claims(resource: &Resource) -> BTreeSet<Claim<'_>> {
    let claims: Vec<Option<Claim<'_>>> = match resource {
        Resource::Subnet(it) => vec![id(&it.vpc).map(|vpc| Claim::Subnet { vpc })],
        Resource::Instance(it) => {
            let place = id(&it.subnet).zip(it.private_ip);
            vec![place.map(|(subnet, address)| Claim::PrivateAddress { subnet, address })]
        }
        Resource::InternetGateway(it) => {
            vec![it.vpc.as_ref().and_then(id).map(|vpc| Claim::Gateway { vpc })]
        }
        Resource::VpcPeering(it) => {
            let ends = id(&it.requester).zip(id(&it.accepter));
            vec![ends.map(|(one, other)| Claim::Peering([one.min(other), one.max(other)]))]
        }
        Resource::TransitGatewayAttachment(it) => {
            let transit_gateway = &it.transit_gateway;
            vec![id(&it.vpc).map(|vpc| Claim::Attachment { transit_gateway, vpc })]
        }
        Resource::SecurityGroup(it) => {
            vec![id(&it.vpc).and_then(|vpc| Namespace::SecurityGroup { vpc }.claim(resource))]
        }
        Resource::LaunchTemplate(_) => vec![Namespace::LaunchTemplate.claim(resource)],
        Resource::AutoscalingGroup(_) => vec![Namespace::AutoscalingGroup.claim(resource)],
        Resource::TargetGroup(_) => vec![Namespace::TargetGroup.claim(resource)],
        Resource::LoadBalancer(it) => {
            let groups = it.listeners.iter().map(|listener| id(&listener.target_group));
            let groups = groups.map(|it| it.map(|target_group| Claim::Forwarding { target_group }));
            groups.chain([Namespace::LoadBalancer.claim(resource)]).collect()
        }
        Resource::GatewayLoadBalancer(it) => {
            let group = it.target_group.as_ref().and_then(id);
            let forwarding = group.map(|target_group| Claim::Forwarding { target_group });
            vec![forwarding, Namespace::LoadBalancer.claim(resource)]
        }
        Resource::EndpointService(it) => {
            let balancers = it.gateway_load_balancers.iter().map(id);
            let service = |gateway_load_balancer| Claim::Service { gateway_load_balancer };
            balancers.map(|balancer| balancer.map(service)).collect()
        }
        Resource::MirrorTarget(it) => {
            let MirrorTarget { load_balancer, network_interface, .. } = it;
            let one = load_balancer.as_ref().and_then(id);
            let one = one.or_else(|| network_interface.as_ref().and_then(id));
            let one = one.or_else(|| it.gateway_load_balancer_endpoint.as_ref().and_then(id));
            vec![one.map(|id| Claim::Destination { id })]
        }
        Resource::MirrorSession(it) => {
            let source = id(&it.source);
            vec![source.map(|source| Claim::Number { source, number: it.number })]
        }
        Resource::Vpc(_)
        | Resource::RouteTable(_)
        | Resource::GatewayLoadBalancerEndpoint(_)
        | Resource::MirrorFilter(_)
        | Resource::ResourceShare(_) => Vec::new(),
    };
    claims.into_iter().flatten().collect()
}

impl<'d> Namespace<'d> {
    fn claim(self, resource: &'d Resource) -> Option<Claim<'d>> {
        resource.name().map(|name| Claim::Name { of: self, name })
    }
}

/// What AWS takes of it.
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
            Self::Attachment { transit_gateway, vpc } => {
                write!(f, "one attachment of {vpc} to {transit_gateway}")
            }
            Self::Forwarding { target_group } => write!(f, "one load balancer for {target_group}"),
            Self::Service { gateway_load_balancer } => {
                write!(f, "one endpoint service for {gateway_load_balancer}")
            }
            Self::Destination { id } => write!(f, "one mirror target for {id}"),
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
