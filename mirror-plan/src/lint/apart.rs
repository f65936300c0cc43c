//! Objects that AWS accepts only in one VPC, and that are in several.

use super::view::{Of, View, attribute};
use crate::attribute::{Ref, Referable};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::reach::{Mention, Whose};
use crate::resource::security_group::{Peer, Rule};
use crate::resource::{Resource, Vpc};
use crate::value::Path;

/// MP1019.
pub(super) fn in_several_vpcs(view: &View<'_>) -> Vec<Diagnostic> {
    view.resources().flat_map(|resource| apart(view, resource)).collect()
}

/// One finding for each object that a resource names and that is not in the VPC of the resource.
fn apart<'s>(view: &View<'s>, (address, resource): Of<'s, Resource>) -> Vec<Diagnostic> {
    let Some(home) = vpc_of(view, resource) else { return Vec::new() };
    let elsewhere =
        neighbours(view, resource).into_iter().filter(|it| is_other(view, home, it.vpc));
    let elsewhere = elsewhere.filter(|it| {
        // A rule can name a group in a connected VPC.
        !matches!(resource, Resource::SecurityGroup(_)) || !are_connected(view, home, it.vpc)
    });
    let found = elsewhere.map(|Neighbour { name, path, vpc }| {
        let title = format!("`{address}` is in `{home}`, and `{name}` is in `{vpc}`");
        Diagnostic::error(code::IN_OTHER_VPC, title)
            .of(address)
            .at(view.at(address, &path), "")
            .help(format!("name one in `{home}`, or put both into the same VPC"))
    });
    let connections = peerings(view, (address, resource), home);
    found.chain(connections).collect()
}

/// Something that must be in the VPC of the resource that names it.
struct Neighbour<'s> {
    name: Mention<'s>,
    path: Path,
    vpc: Mention<'s>,
}

/// The VPC that a resource is in, if it is known.
fn vpc_of<'s>(view: &View<'s>, resource: &'s Resource) -> Option<Mention<'s>> {
    let mention = |to: &'s Ref<Vpc>| Some(view.reach.network().mention(to));
    match resource {
        Resource::Subnet(it) => mention(&it.vpc),
        Resource::InternetGateway(it) => mention(it.vpc.as_ref()?),
        Resource::RouteTable(it) => mention(&it.vpc),
        Resource::SecurityGroup(it) => mention(&it.vpc),
        Resource::TargetGroup(it) => mention(&it.vpc),
        Resource::TransitGatewayAttachment(it) => mention(&it.vpc),
        Resource::GatewayLoadBalancerEndpoint(it) => mention(&it.vpc),
        Resource::Instance(it) => vpc_behind(view, &it.subnet),
        Resource::LoadBalancer(it) => it.subnets.iter().find_map(|to| vpc_behind(view, to)),
        Resource::GatewayLoadBalancer(it) => it.subnets.iter().find_map(|to| vpc_behind(view, to)),
        Resource::AutoscalingGroup(it) => it.subnets.iter().find_map(|to| vpc_behind(view, to)),
        Resource::Vpc(_)
        | Resource::VpcPeering(_)
        | Resource::LaunchTemplate(_)
        | Resource::EndpointService(_)
        | Resource::MirrorTarget(_)
        | Resource::MirrorFilter(_)
        | Resource::MirrorSession(_)
        | Resource::ResourceShare(_) => None,
    }
}

/// The VPC of what is behind a reference, if it is known.
fn vpc_behind<'s>(view: &View<'s>, to: &Ref<impl Referable>) -> Option<Mention<'s>> {
    let (_, known) = view.reach.network().behind(to)?;
    vpc_of(view, known.it)
}

/// The objects that a resource names and that must be in its VPC, as far as their VPCs are known.
fn neighbours<'s>(view: &View<'s>, resource: &'s Resource) -> Vec<Neighbour<'s>> {
    let named = Named(view);
    match resource {
        Resource::Instance(it) => named.all("security_groups", &it.security_groups),
        Resource::TargetGroup(it) => named.all("targets", &it.targets),
        Resource::TransitGatewayAttachment(it) => named.all("subnets", &it.subnets),
        Resource::GatewayLoadBalancerEndpoint(it) => {
            named.one(attribute("subnet"), &it.subnet).into_iter().collect()
        }
        Resource::RouteTable(it) => {
            let routes = it.routes.iter().enumerate().filter_map(|(index, route)| {
                let path = attribute("routes").index(index).member("internet_gateway");
                named.one(path, route.internet_gateway.as_ref()?)
            });
            named.all("subnets", &it.subnets).into_iter().chain(routes).collect()
        }
        Resource::SecurityGroup(it) => {
            let peers = |name: &'static str, rules: &'s [Rule]| {
                rules.iter().filter_map(move |rule| match &rule.peer {
                    Peer::Group(to) => named.one(attribute(name), to),
                    Peer::Range(_) => None,
                })
            };
            peers("ingress", &it.ingress.0).chain(peers("egress", &it.egress.0)).collect()
        }
        Resource::LoadBalancer(it) => {
            let listeners = it.listeners.iter().enumerate().filter_map(|(index, listener)| {
                let path = attribute("listeners").index(index).member("target_group");
                named.one(path, &listener.target_group)
            });
            let groups = named.all("security_groups", &it.security_groups);
            named.all("subnets", &it.subnets).into_iter().chain(groups).chain(listeners).collect()
        }
        Resource::GatewayLoadBalancer(it) => {
            let group = it.target_group.as_ref();
            let group = group.and_then(|to| named.one(attribute("target_group"), to));
            named.all("subnets", &it.subnets).into_iter().chain(group).collect()
        }
        Resource::AutoscalingGroup(it) => {
            let template = view.launch_template(&it.launch_template);
            let groups = template.iter().flat_map(|(_, template)| &template.security_groups);
            let groups = groups.filter_map(|to| named.one(attribute("launch_template"), to));
            let targets = named.all("target_groups", &it.target_groups);
            named.all("subnets", &it.subnets).into_iter().chain(targets).chain(groups).collect()
        }
        Resource::Vpc(_)
        | Resource::Subnet(_)
        | Resource::InternetGateway(_)
        | Resource::VpcPeering(_)
        | Resource::LaunchTemplate(_)
        | Resource::EndpointService(_)
        | Resource::MirrorTarget(_)
        | Resource::MirrorFilter(_)
        | Resource::MirrorSession(_)
        | Resource::ResourceShare(_) => Vec::new(),
    }
}

/// Finds the VPCs of named objects.
#[derive(Clone, Copy)]
struct Named<'v, 's>(&'v View<'s>);

impl<'s> Named<'_, 's> {
    fn one(self, path: Path, to: &'s Ref<impl Referable>) -> Option<Neighbour<'s>> {
        let vpc = vpc_behind(self.0, to)?;
        Some(Neighbour { name: self.0.reach.network().mention(to), path, vpc })
    }

    fn all(self, name: &str, all: &'s [Ref<impl Referable>]) -> Vec<Neighbour<'s>> {
        let all = all.iter().enumerate();
        all.filter_map(|(index, to)| self.one(attribute(name).index(index), to)).collect()
    }
}

/// A finding for each route over a connection that the VPC is not part of.
fn peerings<'s>(
    view: &View<'s>,
    (address, resource): Of<'s, Resource>,
    home: Mention<'s>,
) -> Vec<Diagnostic> {
    let Resource::RouteTable(table) = resource else { return Vec::new() };
    let network = view.reach.network();
    let routes = table.routes.iter().enumerate();
    let astray = routes.filter_map(|(index, route)| {
        let peering = network.mention(route.vpc_peering.as_ref()?);
        let between = network.vpc_peering(peering)?.it;
        let [one, other] = [&between.requester, &between.accepter].map(|to| network.mention(to));
        if !is_other(view, home, one) || !is_other(view, home, other) {
            return None;
        }
        let title =
            format!("`{address}` is in `{home}`, and `{peering}` connects `{one}` and `{other}`");
        let path = attribute("routes").index(index).member("vpc_peering");
        Some(
            Diagnostic::error(code::IN_OTHER_VPC, title)
                .of(address)
                .at(view.at(address, &path), "")
                .help(format!("use a peering connection of its own VPC, `{home}`")),
        )
    });
    astray.collect()
}

/// Whether these are certainly two VPCs: an object of others cannot be in a VPC that is yet to be
/// created.
fn is_other(view: &View<'_>, one: Mention<'_>, other: Mention<'_>) -> bool {
    let network = view.reach.network();
    match (network.id(one), network.id(other)) {
        (Some(one), Some(other)) => one != other,
        _ if one == other => false,
        _ => view.around.is_some() || [one, other].map(|it| network.whose(it)) == [Whose::Own; 2],
    }
}

/// Whether a connection of the stack, or a transit gateway, leads from one VPC to the other.
fn are_connected<'s>(view: &View<'s>, one: Mention<'s>, other: Mention<'s>) -> bool {
    let network = view.reach.network();
    let mut gateways = Vec::new();
    for (_, resource) in view.resources() {
        match resource {
            Resource::VpcPeering(it) => {
                let sides = [&it.requester, &it.accepter].map(|to| network.mention(to));
                if sides == [one, other] || sides == [other, one] {
                    return true;
                }
            }
            Resource::TransitGatewayAttachment(it) => {
                gateways.push((&it.transit_gateway, network.mention(&it.vpc)));
            }
            _ => {}
        }
    }
    let mut of_one = gateways.iter().filter(|(_, vpc)| *vpc == one);
    of_one.any(|(gateway, _)| gateways.contains(&(*gateway, other)))
}
