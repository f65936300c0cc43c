//! Availability Zones: those that a load balancer, its receivers, its sources or its endpoints leave out, those
//! with two subnets of one object, and those from which packets cross to a target that is an interface.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Of, View, attribute};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Patch};
use crate::reach::{Balanced, Delivery, Mention};
use crate::resource::{
    EndpointService, GatewayLoadBalancerEndpoint, LoadBalancer, Resource, Subnet,
};
use crate::scalar::AvailabilityZone;
use crate::value::Path;

/// A load balancer with what is behind it.
type Behind<'v, 's> = (Of<'s, LoadBalancer>, &'v Balanced<'s>);

/// MP1018.
pub(super) fn zone_left_out(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, balanced) in view.deliveries() {
        let Some(balancer) = view.balancer_of(balanced.name) else { continue };
        let behind = (balancer, balanced);
        found.extend(without_receiver(view, behind));
        found.extend(without_node(view, behind));
        found.extend(sources_elsewhere(view, target, behind));
    }
    found
}

/// One finding for each zone whose node has no receiver to send to.
fn without_receiver(view: &View<'_>, (balancer, balanced): Behind<'_, '_>) -> Vec<Diagnostic> {
    let nodes = balanced.nodes.iter().enumerate();
    let alone = nodes.filter(|(node, _)| balanced.serves_nobody(*node));
    let zones: BTreeSet<&AvailabilityZone> = alone.filter_map(|(_, node)| node.zone).collect();
    let found = zones.into_iter().map(|zone| {
        let title = format!("`{}` has no receiver in {zone}, and `cross_zone` is off", balancer.0);
        left_out(view, balancer, title).note("its node there has no receiver to send to").help_edit(
            "let its nodes send to every zone, or put a receiver into that zone",
            with_cross_zone(view, balancer.0),
        )
    });
    found.collect()
}

/// One finding for each zone whose receivers get nothing, while others do.
fn without_node<'s>(view: &View<'s>, (balancer, balanced): Behind<'_, 's>) -> Vec<Diagnostic> {
    let mut zones: BTreeMap<&AvailabilityZone, BTreeSet<&Address>> = BTreeMap::new();
    let (left, served): (Vec<_>, Vec<_>) =
        balanced.receivers.iter().partition(|receiver| balanced.is_left_out(receiver));
    // If no receiver gets anything, the findings are about the nodes.
    for receiver in left.into_iter().filter(|_| !served.is_empty()) {
        let Mention::Of(address) = receiver.name else { continue };
        let Some(zone) = view.zone_of(receiver) else { continue };
        zones.entry(zone).or_default().insert(address);
    }
    let found = zones.into_iter().map(|(zone, receivers)| {
        let (first, who) = named(&receivers);
        let title = format!(
            "{who} in {zone}, where `{}` has no subnet, and `cross_zone` is off",
            balancer.0
        );
        left_out(view, balancer, title)
            .at(view.at(first, &subnet_of(first)), format!("in {zone}"))
            .note("without `cross_zone`, nothing is sent to a zone without a node")
            .help_edit(
                "let its nodes send to every zone, or give it a subnet in that zone",
                with_cross_zone(view, balancer.0),
            )
    });
    found.collect()
}

/// The attribute that gives the subnet of a receiver.
fn subnet_of(receiver: &Address) -> Path {
    match receiver.kind {
        Kind::AutoscalingGroup => attribute("subnets"),
        _ => attribute("subnet"),
    }
}

/// The finding that sources depend on another zone, the only one in which the load balancer is.
fn sources_elsewhere<'s>(
    view: &View<'s>,
    target: &'s Address,
    (balancer, balanced): Behind<'_, 's>,
) -> Option<Diagnostic> {
    let zones: Option<BTreeSet<&AvailabilityZone>> =
        balanced.nodes.iter().map(|node| node.zone).collect();
    let zones = zones?;
    let only = zones.first().filter(|_| zones.len() == 1)?;
    let sources = view.sources.get(target)?.iter();
    let elsewhere = sources.filter_map(|(address, source)| {
        let zone = view.zone_of_instance(source).filter(|zone| zone != only)?;
        Some((*address, zone))
    });
    let elsewhere: BTreeMap<&Address, &AvailabilityZone> = elsewhere.collect();
    let (_, zone) = elsewhere.first_key_value()?;
    let (first, who) = named(&elsewhere.keys().copied().collect());
    let title =
        format!("`{}` is in {only} only, and {who} mirrored to it from elsewhere", balancer.0);
    Some(
        left_out(view, balancer, title)
            .at(view.at(first, &attribute("subnet")), format!("in {zone}"))
            .note(
                "no source is mirrored when that zone fails, and traffic between zones is charged",
            )
            .help("give it a subnet and a receiver in a second zone, and `cross_zone = true`"),
    )
}

/// MP1037: one finding for each target.
pub(super) fn target_elsewhere(view: &View<'_>) -> Vec<Diagnostic> {
    let network = view.reach.network();
    let mut senders: BTreeMap<Mention<'_>, BTreeSet<Sender<'_>>> = BTreeMap::new();
    let mut send = |sender, zone, target| {
        senders.entry(network.mention(target)).or_default().insert((sender, zone));
    };
    for (address, session) in &view.sessions {
        if let Some(zone) = view.zone_of_source(&session.source) {
            send(*address, zone, &session.target);
        }
    }
    let seen = view.zones_of_sources();
    for (address, fan_out) in view.fan_outs() {
        for (zone, target) in fan_out.target.all() {
            match zone {
                Some(zone) => send(address, zone, target),
                None => {
                    let zones = seen.get(&address.name).into_iter().flatten();
                    zones.for_each(|zone| send(address, zone, target));
                }
            }
        }
    }
    senders.iter().filter_map(|(target, senders)| crossing(view, *target, senders)).collect()
}

/// A session, or all sessions of a block over sources, and a zone from which it sends.
type Sender<'s> = (&'s Address, &'s AvailabilityZone);

/// The finding that packets cross into the zone of a target that is an interface.
fn crossing<'s>(
    view: &View<'s>,
    target: Mention<'s>,
    senders: &BTreeSet<Sender<'s>>,
) -> Option<Diagnostic> {
    let Delivery::Interface(receiver) = view.reach.delivery(target)? else { return None };
    let here = view.zone_of(receiver)?;
    let elsewhere: BTreeSet<&Sender<'_>> =
        senders.iter().filter(|(_, zone)| *zone != here).collect();
    let (first, zone) = elsewhere.first()?;
    let sessions: BTreeSet<&Address> = elsewhere.iter().map(|(sender, _)| *sender).collect();
    let who = match sessions.len() - 1 {
        0 => format!("`{first}` sends"),
        more => format!("`{first}` and {more} more send"),
    };
    let zones: BTreeSet<&str> = elsewhere.iter().map(|(_, zone)| zone.as_str()).collect();
    let zones = zones.into_iter().collect::<Vec<_>>().join(", ");
    let of_zone = attribute("target").member(zone.as_str());
    let title = format!("`{target}` is an interface in {here}, and {who} to it from {zones}");
    Some(
        Diagnostic::warning(code::TARGET_IN_OTHER_ZONE, title)
            .of(first)
            .at(view.at(first, &of_zone), "")
            .note("traffic between zones is charged, and is lost when either zone fails")
            .help("let each zone send to a target of its own: with `sources`, `target` accepts one for each zone"),
    )
}

/// MP1038.
pub(super) fn zone_twice(view: &View<'_>) -> Vec<Diagnostic> {
    let found = view.resources().flat_map(|(address, resource)| {
        let subnets = match resource {
            Resource::LoadBalancer(balancer) => balancer.subnets.as_slice(),
            Resource::GatewayLoadBalancer(balancer) => balancer.subnets.as_slice(),
            Resource::TransitGatewayAttachment(attachment) => attachment.subnets.as_slice(),
            _ => &[],
        };
        second_subnets(view, address, subnets)
    });
    found.collect()
}

/// One finding for each subnet whose zone already has a subnet before it in the list.
fn second_subnets(view: &View<'_>, address: &Address, subnets: &[Ref<Subnet>]) -> Vec<Diagnostic> {
    let mut zones: BTreeMap<&AvailabilityZone, &Address> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, to) in subnets.iter().enumerate() {
        let Some((second, _)) = view.subnet(to) else { continue };
        let Some(zone) = view.zone_of_subnet(to) else { continue };
        let Some(first) = zones.insert(zone, second).filter(|first| *first != second) else {
            continue;
        };
        let title = format!("`{address}` has two subnets in {zone}, `{first}` and `{second}`");
        found.push(
            Diagnostic::error(code::ZONE_TWICE, title)
                .of(address)
                .at(view.at(address, &attribute("subnets").index(index)), "")
                .at(view.at(second, &attribute("availability_zone")), "")
                .note("AWS allows one subnet in each zone")
                .help("remove one of them, or put it into another zone"),
        );
    }
    found
}

/// MP1036.
pub(super) fn endpoint_zone(view: &View<'_>) -> Vec<Diagnostic> {
    let found = view.resources().filter_map(|(address, resource)| match resource {
        Resource::GatewayLoadBalancerEndpoint(endpoint) => apart(view, (address, endpoint)),
        _ => None,
    });
    found.collect()
}

/// The finding that no load balancer of its service is in the zone of an endpoint.
fn apart(
    view: &View<'_>,
    (address, endpoint): Of<'_, GatewayLoadBalancerEndpoint>,
) -> Option<Diagnostic> {
    let here = view.zone_of_subnet(&endpoint.subnet)?;
    let (service, balancers) = view.endpoint_service(&endpoint.service)?;
    let zones = zones_of(view, balancers)?;
    if zones.contains(here) {
        return None;
    }
    let there = zones.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let title = format!("`{address}` is in {here}, where `{service}` has no load balancer");
    Some(
        Diagnostic::error(code::ENDPOINT_ZONE, title)
            .of(address)
            .at(view.at(address, &attribute("subnet")), format!("in {here}"))
            .at(
                view.at(service, &attribute("gateway_load_balancers")),
                format!("in {there} only"),
            )
            .note("AWS refuses such an endpoint")
            .help("give a load balancer of the service a subnet in that zone, or put the endpoint into one of its zones"),
    )
}

/// The zones of the load balancers of a service, if all are known.
fn zones_of<'s>(
    view: &View<'s>,
    service: &'s EndpointService,
) -> Option<BTreeSet<&'s AvailabilityZone>> {
    let mut zones = BTreeSet::new();
    for balancer in &service.gateway_load_balancers {
        for subnet in &view.gateway_load_balancer(balancer)?.1.subnets {
            zones.insert(view.zone_of_subnet(subnet)?);
        }
    }
    Some(zones)
}

/// The first of some instances, and all of them in words: `` `instance.a` and 2 more are``.
fn named<'s>(instances: &BTreeSet<&'s Address>) -> (&'s Address, String) {
    let first = *instances.first().expect("a group has a member");
    match instances.len() - 1 {
        0 => (first, format!("`{first}` is")),
        more => (first, format!("`{first}` and {more} more are")),
    }
}

fn left_out(view: &View<'_>, (address, _): Of<'_, LoadBalancer>, title: String) -> Diagnostic {
    Diagnostic::warning(code::ZONE_LEFT_OUT, title)
        .of(address)
        .at(view.at(address, &attribute("subnets")), "")
}

/// The edit that turns cross-zone load balancing on.
fn with_cross_zone(view: &View<'_>, address: &Address) -> Option<Patch> {
    match view.written(address, &attribute("cross_zone")) {
        Some(span) => Some(Patch { span, text: "true".to_owned() }),
        None => view.with_attribute(address, "cross_zone = true"),
    }
}
