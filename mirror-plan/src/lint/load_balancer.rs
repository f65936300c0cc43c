//! Load balancers that do not accept mirrored packets, or do not pass them on.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Of, VXLAN, View, attribute};
use crate::address::Address;
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Patch, Span};
use crate::reach::{Mention, Outcome};
use crate::resource::load_balancer::Listener;
use crate::resource::{LoadBalancer, Resource, Subnet, TargetGroup};
use crate::scalar::{ElbProtocol, HealthPort, HealthProtocol, Scheme};
use crate::value::Path;

/// Addresses of a subnet that AWS keeps for itself.
///
/// Source: VPC user guide, "Subnet CIDR blocks".
const RESERVED: u64 = 5;
/// The port that a health check is moved to: the one on which a receiver is most likely to answer.
const HTTP: u16 = 80;
/// Free addresses that a load balancer needs in each subnet.
///
/// Source: Network Load Balancer guide, "Availability Zones".
const FREE_MIN: u64 = 8;

/// The path of a listener's attribute.
fn of_listener(index: usize, name: &str) -> Path {
    attribute("listeners").index(index).member(name)
}

/// MP1001.
pub(super) fn no_vxlan_listener(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, balanced) in view.deliveries() {
        let Some((address, balancer)) = view.balancer_of(balanced.name) else { continue };
        if balanced.listener.outcome != Outcome::Stops {
            continue;
        }
        let title =
            format!("`{address}` has no UDP listener on port {VXLAN}, and `{target}` sends to it");
        let mute = Diagnostic::error(code::NO_VXLAN_LISTENER, title)
            .of(address)
            .note("AWS accepts such a target, and every mirrored packet is lost without an error");
        found.push(with_listener_fix(view, address, balancer, mute));
    }
    found
}

/// The listener that should accept mirrored packets but does not yet: the one on their port, or the only one.
fn to_mend(balancer: &LoadBalancer) -> Option<usize> {
    let on_port = balancer.listeners.iter().position(|listener| listener.port.get() == VXLAN);
    let only = (balancer.listeners.len() == 1).then_some(0);
    on_port.or(only)
}

/// Adds the edits that turn an existing listener into the missing one.
fn with_listener_fix(
    view: &View<'_>,
    address: &Address,
    balancer: &LoadBalancer,
    found: Diagnostic,
) -> Diagnostic {
    let Some(index) = to_mend(balancer) else {
        return found.at(view.at(address, &attribute("listeners")), "").help(format!(
            "add `{{ protocol = \"udp\", port = {VXLAN}, target_group = target_group.NAME }}` to `listeners`"
        ));
    };
    let listener = &balancer.listeners[index];
    let path = of_listener(index, "protocol");
    let is_udp = matches!(listener.protocol, ElbProtocol::Udp | ElbProtocol::TcpUdp);
    let protocol = view.written(address, &path).filter(|_| !is_udp);
    let port = view.written(address, &of_listener(index, "port"));
    let port = port.filter(|_| listener.port.get() != VXLAN);
    let place = protocol.clone().or_else(|| port.clone());
    let place = place.or_else(|| view.at(address, &attribute("listeners")));
    let found =
        found.at(place, format!("this one is {} on port {}", listener.protocol, listener.port));
    let found = match protocol {
        Some(span) => found.help_patch("mirrored packets are VXLAN, which is UDP", span, "\"udp\""),
        None => found,
    };
    match port {
        Some(span) => {
            found.help_patch("mirrored packets arrive at this port", span, VXLAN.to_string())
        }
        None => found,
    }
}

/// MP1002.
pub(super) fn listener_protocol(view: &View<'_>) -> Vec<Diagnostic> {
    let mirrored: BTreeSet<&Address> = view.balanced().map(|(_, (balancer, _))| balancer).collect();
    let mut found = Vec::new();
    for (address, balancer) in &view.load_balancers {
        // A listener that should accept mirrored packets must become UDP, and so must its group.
        let takes_none = !balancer.listeners.iter().any(Listener::takes_mirrored);
        let to_be_mended = mirrored.contains(*address) && takes_none;
        for (index, listener) in balancer.listeners.iter().enumerate() {
            let Some(group) = view.target_group(&listener.target_group) else { continue };
            let becomes_udp = to_be_mended && to_mend(balancer) == Some(index);
            let meant = if becomes_udp { ElbProtocol::Udp } else { listener.protocol };
            if !meant.forwards_to(group.1.protocol) {
                let listener = (*address, of_listener(index, "protocol"));
                found.push(apart(view, listener, group, meant));
            }
        }
    }
    found.extend(behind_gateways(view));
    found
}

/// The same for Gateway Load Balancers, whose listener does not state a protocol.
fn behind_gateways(view: &View<'_>) -> Vec<Diagnostic> {
    let found = view.resources().filter_map(|(address, resource)| {
        let Resource::GatewayLoadBalancer(balancer) = resource else { return None };
        let group = view.target_group(balancer.target_group.as_ref()?)?;
        let listener = (address, attribute("target_group"));
        let fits = group.1.protocol == ElbProtocol::Geneve;
        (!fits).then(|| apart(view, listener, group, ElbProtocol::Geneve))
    });
    found.collect()
}

/// The finding that a group does not fit the protocol that a listener has, or should have.
fn apart(
    view: &View<'_>,
    (address, path): (&Address, Path),
    (group, declared): Of<'_, TargetGroup>,
    meant: ElbProtocol,
) -> Diagnostic {
    let is = declared.protocol;
    let title = format!("`{address}` forwards {meant} to `{group}`, which is {is}");
    let found = Diagnostic::error(code::LISTENER_PROTOCOL, title)
        .of(group)
        .at(view.at(group, &attribute("protocol")), format!("{is} here"))
        .at(view.at(address, &path), "");
    let help = format!("a group behind this listener needs protocol `{meant}`");
    let found = match view.written(group, &attribute("protocol")) {
        Some(span) => found.help_patch(help, span, format!("\"{meant}\"")),
        None => found.help(help),
    };
    let port = view.written(group, &attribute("port"));
    match port.filter(|_| meant == ElbProtocol::Udp && declared.port.get() != VXLAN) {
        Some(span) => {
            found.help_patch("receivers of VXLAN listen on this port", span, VXLAN.to_string())
        }
        None => found,
    }
}

/// The groups behind the load balancers that are mirror targets.
fn groups<'s>(view: &View<'s>) -> BTreeMap<&'s Address, &'s TargetGroup> {
    view.balanced().flat_map(|(_, (_, balancer))| view.groups(balancer)).collect()
}

/// MP1004.
pub(super) fn health_check_on_vxlan_port(view: &View<'_>) -> Vec<Diagnostic> {
    let found = groups(view).into_iter().filter_map(|(address, group)| {
        let port = match group.health_check.port {
            HealthPort::Traffic => group.port,
            HealthPort::Port(port) => port,
        };
        let is_vxlan = port == group.port && group.health_check.protocol == HealthProtocol::Tcp;
        let title = format!("`{address}` checks health over TCP on port {port}, where VXLAN arrives");
        is_vxlan.then(|| {
            Diagnostic::warning(code::HEALTH_CHECK_ON_VXLAN_PORT, title)
                .of(address)
                .at(view.at(address, &attribute("health_check")), "")
                .note(
                    "VXLAN is UDP: unless something answers TCP there too, every receiver counts as unhealthy",
                )
                .help_edit(
                    "check a TCP port that the receivers answer on, and admit it in their security groups",
                    other_health_port(view, address),
                )
        })
    });
    found.collect()
}

/// The edit that moves a health check to another port.
fn other_health_port(view: &View<'_>, address: &Address) -> Option<Patch> {
    let check = attribute("health_check");
    let port = HTTP;
    match (view.written(address, &check), view.written(address, &check.member("port"))) {
        (None, _) => {
            let attribute = format!("health_check = {{ protocol = \"tcp\", port = {port} }}");
            view.with_attribute(address, &attribute)
        }
        (Some(_), Some(span)) => Some(Patch { span, text: port.to_string() }),
        (Some(object), None) => object.text().starts_with('{').then(|| {
            let inside = object.bytes.start + 1;
            let span = Span { bytes: inside..inside, ..object };
            let comma = if group_is_empty(&span) { "" } else { "," };
            Patch { span, text: format!(" port = {port}{comma}") }
        }),
    }
}

/// Whether an object in the stack file is empty: its closing brace follows the opening one.
fn group_is_empty(begin: &Span) -> bool {
    begin.source.text[begin.bytes.end..].trim_start().starts_with('}')
}

/// MP1035.
pub(super) fn no_receiver(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, balanced) in view.deliveries() {
        for part in balanced.parts.iter().filter(|part| part.targets == Some(0)) {
            let Mention::Of(group) = part.name else { continue };
            let title = format!("`{group}` has no targets, and `{target}` sends to it");
            found.push(
                Diagnostic::warning(code::NO_RECEIVER, title)
                    .of(group)
                    .at(view.at(group, &attribute("targets")), "")
                    .note("a load balancer without targets drops what it gets, without an error")
                    .help("name the receivers: `targets = [instance.NAME]`")
                    .help(format!("or have a group of them register: `target_groups = [{group}]` in an `autoscaling_group` with a `min` of 1 or more")),
            );
        }
    }
    found
}

/// MP1028.
pub(super) fn refused(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = too_few_addresses(view);
    found
        .extend(view.load_balancers.iter().filter_map(|balancer| without_gateway(view, *balancer)));
    found
}

/// The finding that a load balancer faces the internet, to which its VPC has no gateway.
fn without_gateway(
    view: &View<'_>,
    (address, balancer): Of<'_, LoadBalancer>,
) -> Option<Diagnostic> {
    if balancer.scheme == Scheme::Internal {
        return None;
    }
    let subnets = balancer.subnets.iter().filter_map(|to| Some(&view.subnet(to)?.1.vpc));
    // A VPC that the stack did not make may have one.
    let (to, (vpc, _)) = subnets.filter_map(|to| Some((to, view.own_vpc(to)?))).next()?;
    let has_gateway = view.resources().any(|(_, resource)| {
        matches!(resource, Resource::InternetGateway(gateway) if gateway.vpc.as_ref() == Some(to))
    });
    if has_gateway {
        return None;
    }
    let title = format!("`{address}` is internet-facing, and `{vpc}` has no internet gateway");
    let found = Diagnostic::error(code::LOAD_BALANCER_REFUSED, title)
        .of(address)
        .at(view.at(address, &attribute("scheme")), "")
        .note("mirrored packets do not come from the internet: an internal load balancer gets them too");
    Some(match view.written(address, &attribute("scheme")) {
        Some(span) => found.help_patch("make it internal", span, "\"internal\""),
        None => found.help("make it internal"),
    })
}

fn too_few_addresses(view: &View<'_>) -> Vec<Diagnostic> {
    let mut instances: BTreeMap<&Ref<Subnet>, u64> = BTreeMap::new();
    for (_, instance) in &view.instances {
        *instances.entry(&instance.subnet).or_default() += 1;
    }
    for (_, resource) in view.resources() {
        if let Resource::AutoscalingGroup(group) = resource {
            // AWS spreads the instances evenly over the zones.
            let each = u64::from(group.max.get()).div_ceil(group.subnets.len().max(1) as u64);
            for subnet in &group.subnets {
                *instances.entry(subnet).or_default() += each;
            }
        }
    }
    let mut found = Vec::new();
    for (address, balancer) in &view.load_balancers {
        for (index, to) in balancer.subnets.iter().enumerate() {
            let Some((subnet_address, subnet)) = view.subnet(to) else { continue };
            let used = RESERVED + instances.get(to).copied().unwrap_or(0);
            let free = (1_u64 << (32 - subnet.cidr.net().prefix_len())).saturating_sub(used);
            if free < FREE_MIN {
                let title = format!(
                    "`{address}` needs {FREE_MIN} free addresses, and `{subnet_address}` has {free}"
                );
                found.push(
                    Diagnostic::error(code::LOAD_BALANCER_REFUSED, title)
                        .of(address)
                        .at(view.at(address, &attribute("subnets").index(index)), "")
                        .at(view.at(subnet_address, &attribute("cidr")), "")
                        .help(
                            "make the subnet larger: /27 fits one load balancer and 16 instances",
                        ),
                );
            }
        }
    }
    found
}
