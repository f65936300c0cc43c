//! Networks and names that clash, and paths that are too narrow.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ipnet::IpNet;

use super::Around;
use super::route;
use super::view::{Of, View, attribute};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::resource::mirror_target::Destination;
use crate::resource::route_table::Route;
use crate::resource::{Creation, Resource, RouteTable, Subnet, Vpc, VpcPeering};

/// The longest packet, Ethernet header included, that is not cut on a path with an MTU of 8500 bytes: minus the 54
/// bytes that AWS counts for the encapsulation, plus the 14 that a packet length includes and the MTU does not.
///
/// Source: AWS Traffic Mirroring guide, "Quotas" and "Traffic mirror sessions"; an inference from both.
const CARRIED: u16 = 8500 - 54 + 14;

/// MP1032.
pub(super) fn ranges_clash(view: &View<'_>) -> Vec<Diagnostic> {
    let mut of_vpc: BTreeMap<&Ref<Vpc>, Vec<Of<'_, Subnet>>> = BTreeMap::new();
    for (address, subnet) in &view.subnets {
        of_vpc.entry(&subnet.vpc).or_default().push((address, subnet));
    }
    let mut found: Vec<Diagnostic> =
        view.subnets.iter().filter_map(|subnet| outside(view, *subnet)).collect();
    for subnets in of_vpc.values_mut() {
        // In the order of their addresses, a subnet can only overlap its neighbor or a wider one that contains it.
        subnets.sort_by_key(|(_, subnet)| {
            (subnet.cidr.net().network(), subnet.cidr.net().prefix_len())
        });
        let mut widest: Option<Of<'_, Subnet>> = None;
        for subnet in subnets.iter().copied() {
            match widest {
                Some(before) if before.1.cidr.net().contains(&subnet.1.cidr.net()) => {
                    found.push(over(view, before, subnet));
                }
                _ => widest = Some(subnet),
            }
        }
    }
    found.extend(view.subnets.iter().filter_map(|subnet| over_others(view, *subnet)));
    found.extend(view.resources().filter_map(|(address, resource)| match resource {
        Resource::VpcPeering(peering) => peered(view, (address, peering)),
        _ => None,
    }));
    found.extend(view.route_tables.iter().flat_map(|table| inside(view, *table)));
    found
}

/// One finding for each route that leads out of a VPC although its destination is inside.
fn inside(view: &View<'_>, (address, table): Of<'_, RouteTable>) -> Vec<Diagnostic> {
    let Some((vpc, Vpc { cidr, .. })) = view.vpc(&table.vpc) else { return Vec::new() };
    let routes = table.routes.iter().enumerate().filter(|(_, route)| {
        let Route { destination, internet_gateway, vpc_peering, transit_gateway, target: _ } =
            route;
        let leads_out =
            internet_gateway.is_some() || vpc_peering.is_some() || transit_gateway.is_some();
        leads_out && IpNet::from(cidr.net()).contains(&destination.net())
    });
    let found = routes.map(|(index, route)| {
        let to = route.destination;
        let title = format!("`{address}` routes {to} out of `{vpc}` ({cidr}), which contains it");
        let path = attribute("routes").index(index).member("destination");
        Diagnostic::error(code::RANGES_CLASH, title)
            .of(address)
            .at(view.at(address, &path), "")
            .at(view.at(vpc, &attribute("cidr")), "the range of the VPC")
            .help("remove the route: inside a VPC everything is reachable without one")
    });
    found.collect()
}

/// The finding that connected VPCs have addresses in common: such a connection fails as soon as it is created.
fn peered(view: &View<'_>, (address, peering): Of<'_, VpcPeering>) -> Option<Diagnostic> {
    let (requester, a) = view.vpc(&peering.requester)?;
    let (accepter, b) = view.vpc(&peering.accepter)?;
    if !a.cidr.net().contains(&b.cidr.net()) && !b.cidr.net().contains(&a.cidr.net()) {
        return None;
    }
    let title = format!(
        "`{address}` connects `{requester}` ({}) and `{accepter}` ({}), whose ranges overlap",
        a.cidr, b.cidr
    );
    Some(
        Diagnostic::error(code::RANGES_CLASH, title)
            .of(address)
            .at(view.at(address, &Default::default()), "")
            .at(view.at(requester, &attribute("cidr")), "one range")
            .at(view.at(accepter, &attribute("cidr")), "the other range")
            .help("give one of the VPCs another range"),
    )
}

/// The finding that a subnet to be created overlaps a subnet that belongs to others.
fn over_others(view: &View<'_>, (address, subnet): Of<'_, Subnet>) -> Option<Diagnostic> {
    let Around { observed, strangers } =
        view.around.filter(|it| !it.strangers.subnets.is_empty())?;
    let vpc = observed.vpc(&subnet.vpc).filter(|_| observed.current(address).is_none())?;
    let (net, mut others) = (subnet.cidr.net(), strangers.subnets.iter());
    let other = others.find(|other| {
        let its = other.cidr.net();
        other.vpc == vpc && (its.contains(&net) || net.contains(&its))
    })?;
    let title = format!("`{address}` ({}) overlaps {} ({})", subnet.cidr, other.id, other.cidr);
    Some(
        Diagnostic::error(code::RANGES_CLASH, title)
            .of(address)
            .at(view.at(address, &attribute("cidr")), "")
            .note(format!("that subnet is already in {vpc}, and is not part of the stack"))
            .help("give it a range that is free"),
    )
}

/// The finding that a subnet is not in the range of its VPC. A VPC that the stack did not make may have more
/// ranges, and is not checked.
fn outside(view: &View<'_>, (address, subnet): Of<'_, Subnet>) -> Option<Diagnostic> {
    let (vpc_address, vpc) = view.own_vpc(&subnet.vpc)?;
    if vpc.cidr.net().contains(&subnet.cidr.net()) {
        return None;
    }
    let title = format!("`{address}` ({}) is not in `{vpc_address}` ({})", subnet.cidr, vpc.cidr);
    Some(
        Diagnostic::error(code::RANGES_CLASH, title)
            .of(address)
            .at(view.at(address, &attribute("cidr")), "")
            .at(view.at(vpc_address, &attribute("cidr")), "the range of the VPC")
            .help(format!(
                "carve it out of the range of the VPC: `cidrsubnet({vpc_address}.cidr, 8, 1)`"
            )),
    )
}

fn over(view: &View<'_>, (first, a): Of<'_, Subnet>, (second, b): Of<'_, Subnet>) -> Diagnostic {
    let title = format!("`{second}` ({}) and `{first}` ({}) overlap", b.cidr, a.cidr);
    Diagnostic::error(code::RANGES_CLASH, title)
        .of(second)
        .at(view.at(second, &attribute("cidr")), "")
        .at(view.at(first, &attribute("cidr")), "and here")
        .help("give each subnet a range of its own")
}

/// The kinds of objects whose names are unique.
const BALANCERS: &str = "load balancers";
const GROUPS: &str = "target groups";
const TEMPLATES: &str = "launch templates";
const AUTOSCALING_GROUPS: &str = "Auto Scaling groups";

/// MP1033.
pub(super) fn name_taken(view: &View<'_>) -> Vec<Diagnostic> {
    let mut taken: BTreeMap<(&str, String), &Address> = BTreeMap::new();
    let mut found = Vec::new();
    for (address, resource) in view.resources() {
        let (Some(what), given) = (named(address.kind), resource.name()) else { continue };
        let Some(name) = given.map(str::to_owned).or_else(|| chosen(view, address, resource))
        else {
            continue;
        };
        let help = match given {
            Some(_) => "leave `name` out, and one is chosen",
            None => {
                "give it a `name`: this one is derived from the names of the stack and the block"
            }
        };
        found.extend(
            taken_by_others(view, address, (what, &name)).map(|finding| finding.help(help)),
        );
        match taken.entry((what, name)) {
            Entry::Vacant(free) => {
                free.insert(address);
            }
            Entry::Occupied(first) => {
                let ((_, name), first) = (first.key(), *first.get());
                let title =
                    format!("`{first}` and `{address}` are {what} with the same name, `{name}`");
                found.push(
                    Diagnostic::error(code::NAME_TAKEN, title)
                        .of(address)
                        .at(view.at(address, &attribute("name")), "")
                        .at(view.at(first, &attribute("name")), "taken here")
                        .help(help),
                );
            }
        }
    }
    found
}

/// The objects among which the names of a kind are unique, in an account and Region.
const fn named(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::LoadBalancer | Kind::GatewayLoadBalancer => Some(BALANCERS),
        Kind::TargetGroup => Some(GROUPS),
        Kind::LaunchTemplate => Some(TEMPLATES),
        Kind::AutoscalingGroup => Some(AUTOSCALING_GROUPS),
        Kind::Vpc
        | Kind::Subnet
        | Kind::InternetGateway
        | Kind::VpcPeering
        | Kind::TransitGatewayAttachment
        | Kind::RouteTable
        | Kind::SecurityGroup
        | Kind::Instance
        | Kind::EndpointService
        | Kind::GatewayLoadBalancerEndpoint
        | Kind::MirrorTarget
        | Kind::MirrorFilter
        | Kind::MirrorSession
        | Kind::ResourceShare => None,
    }
}

/// The name that a resource has, or will have, if the stack does not give one.
fn chosen(view: &View<'_>, address: &Address, resource: &Resource) -> Option<String> {
    if let Some(found) = view.around.and_then(|around| around.observed.current(address)) {
        return found.resource.name().map(str::to_owned);
    }
    let creation = Creation { address, stack: view.stack_name(), generation: 1 };
    resource.clone().chosen(&creation).name().map(str::to_owned)
}

/// The finding that somebody else has the name.
fn taken_by_others(
    view: &View<'_>,
    address: &Address,
    (what, name): (&str, &str),
) -> Option<Diagnostic> {
    let Around { observed, strangers } = view.around?;
    let names = match what {
        GROUPS => &strangers.target_groups,
        BALANCERS => &strangers.load_balancers,
        // These were not looked up; the call that creates one reports it.
        _ => return None,
    };
    // An object that the stack has already made is not in its own way.
    let is_taken = observed.current(address).is_none() && names.contains(name);
    is_taken.then(|| {
        let title = format!("the name `{name}` of `{address}` is taken");
        Diagnostic::error(code::NAME_TAKEN, title)
            .of(address)
            .at(view.at(address, &attribute("name")), "")
            .note(format!("another of the {what} in this account has it"))
    })
}

/// MP1021.
pub(super) fn path_too_narrow(view: &View<'_>) -> Vec<Diagnostic> {
    let long = view.sessions.iter().filter_map(|(address, session)| {
        let length = session.packet_length.filter(|length| length.get() > CARRIED)?;
        let (target_address, target) = view.target(&session.target)?;
        let by = match target.destination()? {
            Destination::GatewayLoadBalancerEndpoint(_) => "a Gateway Load Balancer endpoint",
            Destination::LoadBalancer(_) | Destination::NetworkInterface(_) => {
                route::over_transit_gateway(view, address).then_some("a transit gateway")?
            }
        };
        let title =
            format!("`{address}` asks for {length} bytes of each packet, and {by} carries at most {CARRIED}");
        let found = Diagnostic::warning(code::PATH_TOO_NARROW, title)
            .of(address)
            .at(view.at(address, &attribute("packet_length")), "")
            .at(view.at(target_address, &Default::default()), "on the path to this target");
        let help =
            "ask for a length that arrives whole, or leave it out and accept that longer packets are cut short";
        let written = view.written(address, &attribute("packet_length"));
        let literal = written.filter(|span| span.text() == length.to_string());
        Some(match literal {
            Some(span) => found.help_patch(help, span, CARRIED.to_string()),
            None => found.help(help),
        })
    });
    long.collect()
}
