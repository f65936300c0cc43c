//! Ways that are missing: to the internet, and from a source to its target.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::view::{Of, View, attribute};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::resource::route_table::Route;
use crate::resource::{Instance, MirrorSession, MirrorTarget, Resource, Subnet, Vpc};

/// MP1017: one finding for a VPC, since one gateway mends it for all.
pub(super) fn no_internet_route(view: &View<'_>) -> Vec<Diagnostic> {
    let mut stranded: BTreeMap<&Address, Vec<Of<'_, Instance>>> = BTreeMap::new();
    for (address, instance) in &view.instances {
        let Some((_, subnet)) = view.subnet(&instance.subnet) else { continue };
        // Of a VPC that the stack did not make, the main route table is not known.
        let Some((vpc, _)) = view.own_vpc(&subnet.vpc) else { continue };
        let public = instance.public.unwrap_or(subnet.public_ip_on_launch);
        let mut routes = routes(view, &instance.subnet);
        if public && !routes.any(|route| leads_out(view, route, &subnet.vpc)) {
            stranded.entry(vpc).or_default().push((address, instance));
        }
    }
    stranded.into_iter().map(|(vpc, instances)| no_way_out(view, vpc, &instances)).collect()
}

fn no_way_out(view: &View<'_>, vpc: &Address, instances: &[Of<'_, Instance>]) -> Diagnostic {
    let (first, _) = instances[0];
    let title = match instances.len() - 1 {
        0 => format!("`{first}` gets a public address, and its subnet has no way to the internet"),
        others => format!(
            "`{first}` and {others} more get public addresses, and their subnets have no way to the internet"
        ),
    };
    let found = Diagnostic::error(code::NO_INTERNET_ROUTE, title)
        .of(first)
        .at(view.at(first, &attribute("public")), "")
        .note(format!(
            "it takes an internet gateway that is attached to `{vpc}`, and a route to it in each subnet"
        ));
    let help = format!("give `{vpc}` a way to the internet");
    match (way_out(view, vpc, instances), view.end_of_file(vpc)) {
        (Some(blocks), Some(end)) => found.help_patch(help, end, blocks),
        _ => found.help(format!(
            "{help}: an `internet_gateway` with `vpc = {vpc}`, and in the `route_table` of each subnet \
             the route `{{ destination = \"0.0.0.0/0\", internet_gateway = internet_gateway.NAME }}`"
        )),
    }
}

/// The blocks that are missing, where they are in nobody's way.
fn way_out(view: &View<'_>, vpc: &Address, instances: &[Of<'_, Instance>]) -> Option<String> {
    const NAME: &str = "internet";
    let subnets: BTreeSet<&Ref<Subnet>> = instances.iter().map(|(_, one)| &one.subnet).collect();
    let mut tables = view.route_tables.iter();
    let has_table = tables.any(|(_, table)| table.subnets.iter().any(|to| subnets.contains(to)));
    let taken = |kind| {
        view.resources().any(|(address, _)| address.kind == kind && address.name.as_str() == NAME)
    };
    if has_table || taken(Kind::InternetGateway) || taken(Kind::RouteTable) {
        return None;
    }
    let own = view.resources().find_map(|(address, resource)| match resource {
        Resource::InternetGateway(gateway) => {
            let here = matches!(&gateway.vpc, Some(Ref::To(of)) if of == vpc);
            here.then(|| address.to_string())
        }
        _ => None,
    });
    let gateway = own.clone().unwrap_or_else(|| format!("internet_gateway.{NAME}"));
    let made = match own {
        Some(_) => String::new(),
        None => format!("\n\ninternet_gateway \"{NAME}\" {{ vpc = {vpc} }}"),
    };
    let subnets: Vec<String> =
        subnets.into_iter().filter_map(Ref::origin).map(|to| to.address.to_string()).collect();
    let subnets = subnets.join(", ");
    Some(format!(
        "{made}\n\nroute_table \"{NAME}\" {{\n  vpc     = {vpc}\n  routes  = [{{ destination = \"0.0.0.0/0\", \
         internet_gateway = {gateway} }}]\n  subnets = [{subnets}]\n}}\n"
    ))
}

/// The routes of a subnet besides the one inside its VPC.
fn routes<'s>(view: &View<'s>, subnet: &'s Ref<Subnet>) -> impl Iterator<Item = &'s Route> {
    let tables = view.route_tables.iter().map(|(_, table)| *table);
    let tables: Vec<_> = tables.filter(|table| table.subnets.contains(subnet)).collect();
    tables.into_iter().flat_map(|table| &table.routes)
}

fn leads_out<'s>(view: &View<'s>, route: &'s Route, vpc: &Ref<Vpc>) -> bool {
    let Route { destination, internet_gateway, vpc_peering: _, target: _ } = route;
    let any = destination.net().prefix_len() == 0 && destination.net().addr().is_ipv4();
    let gateway = match internet_gateway {
        None => false,
        Some(to) => match view.internet_gateway(to) {
            Some((_, gateway)) => gateway.vpc.as_ref() == Some(vpc),
            None => true, // It exists already; what it is attached to is not known.
        },
    };
    any && gateway
}

/// MP1020: one finding for the sessions of a block.
pub(super) fn no_route_to_target(view: &View<'_>) -> Vec<Diagnostic> {
    let mut known: BTreeMap<(&Ref<Subnet>, &Address), Option<&Address>> = BTreeMap::new();
    let mut found = Vec::new();
    for (session_address, session) in &view.sessions {
        let Some((source, instance)) = view.instance(&session.source) else { continue };
        let Some((target_address, target)) = view.target(&session.target) else { continue };
        let way = known.entry((&instance.subnet, target_address));
        let unreached = way.or_insert_with(|| unreached(view, &instance.subnet, target));
        let Some(unreached) = unreached else { continue };
        let title =
            format!("`{source}` has no route to `{target_address}`, which is in another VPC");
        found.push(
            Diagnostic::error(code::NO_ROUTE_TO_TARGET, title)
                .of(session_address)
                .at(view.at(session_address, &attribute("target")), "")
                .note(format!("mirrored packets go to `{unreached}`"))
                .help(
                    "add a route for its range, by a `vpc_peering` or a transit gateway (`target = \"tgw-...\"`)",
                ),
        );
    }
    found
}

/// The subnets in which a target takes packets, as far as they are known.
fn subnets_of<'s>(view: &View<'s>, target: &'s MirrorTarget) -> Vec<Of<'s, Subnet>> {
    let balancer = target.load_balancer.as_ref().and_then(|to| view.load_balancer(to));
    let interface = target.network_interface.as_ref().and_then(|to| view.instance(to));
    let of_balancer = balancer.into_iter().flat_map(|(_, balancer)| &balancer.subnets);
    let of_interface = interface.map(|(_, instance)| &instance.subnet);
    of_balancer.chain(of_interface).filter_map(|to| view.subnet(to)).collect()
}

/// A subnet of the target, in another VPC, to which a subnet has no route.
fn unreached<'s>(
    view: &View<'s>,
    subnet: &'s Ref<Subnet>,
    target: &'s MirrorTarget,
) -> Option<&'s Address> {
    let (_, from) = view.subnet(subnet)?;
    // Of a VPC that the stack did not make, the main route table is not known.
    view.own_vpc(&from.vpc)?;
    let reached = |to: &Subnet| to.vpc == from.vpc || ways(view, subnet, to).next().is_some();
    subnets_of(view, target).into_iter().find(|(_, to)| !reached(to)).map(|(address, _)| address)
}

/// Whether packets of a session go over a transit gateway.
pub(super) fn over_transit_gateway<'s>(
    view: &View<'s>,
    session: &MirrorSession,
    target: &'s MirrorTarget,
) -> bool {
    let Some((_, instance)) = view.instance(&session.source) else { return false };
    let Some((_, from)) = view.subnet(&instance.subnet) else { return false };
    let elsewhere = subnets_of(view, target).into_iter().filter(|(_, to)| to.vpc != from.vpc);
    let mut ways = elsewhere.flat_map(|(_, to)| ways(view, &instance.subnet, to));
    ways.any(|route| starts(route, "tgw-"))
}

/// The routes of a subnet that lead to another one over what can carry mirrored packets; an internet
/// gateway cannot.
fn ways<'s>(
    view: &View<'s>,
    from: &'s Ref<Subnet>,
    to: &Subnet,
) -> impl Iterator<Item = &'s Route> {
    let to = IpNet::V4(to.cidr.net());
    routes(view, from).filter(move |route| {
        let carries = route.internet_gateway.is_none();
        let destination = route.destination.net();
        carries && (destination.contains(&to) || to.contains(&destination))
    })
}

/// Whether a route leads to something whose id begins so.
fn starts(route: &Route, prefix: &str) -> bool {
    route.target.as_ref().is_some_and(|target| target.to_string().starts_with(prefix))
}
