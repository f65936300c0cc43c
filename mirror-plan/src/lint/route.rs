//! Missing routes: to the internet, and from a source to its target.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Of, View, attribute};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::reach::{Approach, Mention, Outcome, Sort};
use crate::resource::route_table::Route;
use crate::resource::{Instance, Resource, Subnet, Vpc};

/// MP1017: one finding for each VPC, since one gateway is enough for all its instances.
pub(super) fn no_internet_route(view: &View<'_>) -> Vec<Diagnostic> {
    let mut stranded: BTreeMap<&Address, Vec<Of<'_, Instance>>> = BTreeMap::new();
    for (address, instance) in &view.instances {
        let Some((_, subnet)) = view.subnet(&instance.subnet) else { continue };
        // The main route table of a VPC that the stack did not make is not known.
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
        0 => {
            format!("`{first}` gets a public address, and its subnet has no route to the internet")
        }
        others => format!(
            "`{first}` and {others} more get public addresses, and their subnets have no route to the internet"
        ),
    };
    let found = Diagnostic::error(code::NO_INTERNET_ROUTE, title)
        .of(first)
        .at(view.at(first, &attribute("public")), "")
        .note(format!(
            "this needs an internet gateway attached to `{vpc}`, and a route to it from each subnet"
        ));
    let help = format!("give `{vpc}` a route to the internet");
    match (way_out(view, vpc, instances), view.end_of_file(vpc)) {
        (Some(blocks), Some(end)) => found.help_patch(help, end, blocks),
        _ => found.help(format!(
            "{help}: an `internet_gateway` with `vpc = {vpc}`, and in the `route_table` of each subnet \
             the route `{{ destination = \"0.0.0.0/0\", internet_gateway = internet_gateway.NAME }}`"
        )),
    }
}

/// The missing blocks, if they do not conflict with existing ones.
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
    let Route { destination, internet_gateway, vpc_peering: _, transit_gateway: _, target: _ } =
        route;
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
    let mut known: BTreeMap<(usize, Mention<'_>), Option<String>> = BTreeMap::new();
    let mut found = Vec::new();
    for journey in view.reach.journeys() {
        let (Some(source), Mention::Of(target)) = (journey.source, journey.target) else {
            continue;
        };
        let way = known.entry((journey.class, journey.target));
        let Some(why) = way.or_insert_with(|| lost(view.reach.approach(journey))) else { continue };
        let session = journey.session;
        found.push(
            Diagnostic::error(
                code::NO_ROUTE_TO_TARGET,
                format!("`{source}` has no route to `{target}`, which is in another VPC"),
            )
            .of(session)
            .at(view.at(session, &attribute("target")), "")
            .note(why.clone())
            .help("add a route for its range, over a `vpc_peering` or a `transit_gateway`"),
        );
    }
    found
}

/// Why packets do not reach a node of the load balancer, or the interface.
fn lost(approach: &Approach) -> Option<String> {
    let mut hops = approach.to_nodes();
    let stop = hops.find(|hop| hop.sort == Sort::Route && hop.outcome == Outcome::Stops)?;
    Some(stop.words.clone())
}

/// Whether packets of a session go over a transit gateway.
pub(super) fn over_transit_gateway(view: &View<'_>, session: &Address) -> bool {
    let Some(journey) = view.reach.journey(session) else { return false };
    let mut hops = view.reach.approach(journey).to_nodes();
    hops.any(|hop| hop.sort == Sort::TransitGateway)
}
