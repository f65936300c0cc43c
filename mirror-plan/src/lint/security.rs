//! Security groups that shut out mirrored packets or health checks.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use super::view::{Of, Receiver, VXLAN, View, attribute};
use crate::address::Address;
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Code, Diagnostic, Patch, Span};
use crate::resource::security_group::{Peer, Rules};
use crate::resource::{Instance, LoadBalancer, SecurityGroup, Subnet, TargetGroup};
use crate::scalar::{Direction, ElbProtocol, HealthPort, Protocol};

/// Where packets come from, or go to.
struct Side<'s> {
    ranges: Vec<Ipv4Net>,
    groups: Vec<&'s Ref<SecurityGroup>>,
    /// Whether it can be in no default group: a load balancer is in the groups that it names or in none.
    is_outside: bool,
}

/// What a packet is, to a security group.
#[derive(Clone, Copy)]
struct Flow {
    direction: Direction,
    protocol: Protocol,
    port: u16,
}

/// Whether packets get through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Some rule may admit them, or what the rules are is not known.
    May,
    /// No rule does.
    Never,
}

impl<'s> Side<'s> {
    fn instance(view: &View<'s>, instance: &'s Instance) -> Option<Self> {
        let (_, subnet) = view.subnet(&instance.subnet)?;
        let own = instance.private_ip.map(|address| Ipv4Net::from(address.0));
        let ranges = vec![own.unwrap_or_else(|| subnet.cidr.net())];
        let groups = instance.security_groups.iter().collect();
        Some(Self { ranges, groups, is_outside: false })
    }

    /// The nodes of a load balancer; `None` where one of its subnets is not known.
    fn load_balancer(view: &View<'s>, balancer: &'s LoadBalancer) -> Option<Self> {
        let subnets = balancer.subnets.iter().map(|to| view.subnet(to));
        let subnets: Option<Vec<Of<'_, Subnet>>> = subnets.collect();
        let ranges = subnets?.iter().map(|(_, subnet)| subnet.cidr.net()).collect();
        let groups = balancer.security_groups.iter().collect();
        Some(Self { ranges, groups, is_outside: true })
    }
}

/// Whether security groups let a flow through; a group that is not the stack's may.
fn verdict(
    view: &View<'_>,
    groups: &[Ref<SecurityGroup>],
    flow: Flow,
    other: &Side<'_>,
) -> Verdict {
    let declared: Option<Vec<Of<'_, SecurityGroup>>> =
        groups.iter().map(|group| view.security_group(group)).collect();
    match declared {
        Some(groups) if !groups.is_empty() => {
            let rules = groups.iter().map(|(_, group)| match flow.direction {
                Direction::Ingress => &group.ingress,
                Direction::Egress => &group.egress,
            });
            let admitted = rules.into_iter().any(|rules| may_admit(rules, flow, other));
            if admitted { Verdict::May } else { Verdict::Never }
        }
        _ => Verdict::May,
    }
}

/// Whether an instance takes a flow. One for which no group is named is in the default group of its VPC,
/// which as AWS makes it admits only its own members.
///
/// Source: VPC user guide, "Default security groups".
fn takes(view: &View<'_>, instance: &Instance, flow: Flow, other: &Side<'_>) -> Verdict {
    let groups = &instance.security_groups;
    let subnet = view.subnet(&instance.subnet);
    let is_new = subnet.is_some_and(|(_, subnet)| view.own_vpc(&subnet.vpc).is_some());
    match (groups.is_empty(), is_new) {
        (true, true) if !other.groups.is_empty() || other.is_outside => Verdict::Never,
        (true, _) => Verdict::May,
        (false, _) => verdict(view, groups, flow, other),
    }
}

fn may_admit(rules: &Rules, flow: Flow, other: &Side<'_>) -> bool {
    rules.0.iter().any(|rule| {
        let protocol = rule.protocol == Protocol::All || rule.protocol == flow.protocol;
        let port = rule.port.is_none_or(|port| (port.from()..=port.to()).contains(&flow.port));
        let peer = match &rule.peer {
            Peer::Range(range) => other.ranges.iter().any(|net| {
                let (range, net) = (range.net(), IpNet::V4(*net));
                range.contains(&net) || net.contains(&range)
            }),
            Peer::Group(group) => {
                // A side without groups of its own is in the default group of its VPC.
                let default = other.groups.is_empty() && matches!(group, Ref::Id(_));
                default || other.groups.contains(&group)
            }
        };
        protocol && port && peer
    })
}

/// The port on which a group's receivers take mirrored packets; of a group that takes none, as it must become.
const fn vxlan_port(group: &TargetGroup) -> u16 {
    match group.protocol {
        ElbProtocol::Udp | ElbProtocol::TcpUdp => group.port.get(),
        ElbProtocol::Tcp | ElbProtocol::Tls => VXLAN,
    }
}

/// The port of a group's health check.
fn health_port(group: &TargetGroup) -> u16 {
    match group.health_check.port {
        HealthPort::Traffic => group.port.get(),
        HealthPort::Port(port) => port.get(),
    }
}

/// The edit that adds a rule to the ingress rules of a group.
fn with_rule(view: &View<'_>, group: &Address, rule: &str) -> Option<Patch> {
    match view.written(group, &attribute("ingress")) {
        None => view.with_attribute(group, &format!("ingress = [{rule}]")),
        Some(list) => list.text().starts_with('[').then(|| {
            let inside = list.bytes.start + 1;
            let span = Span { bytes: inside..inside, ..list };
            Patch { span, text: format!("\n    {rule},") }
        }),
    }
}

/// The finding that `receiver` admits no such flow, with the rule that would.
fn shut_out(
    view: &View<'_>,
    code: Code,
    (receiver, instance): Of<'_, Instance>,
    (title, rule): (String, String),
) -> Diagnostic {
    let found = Diagnostic::error(code, title)
        .note("what a security group does not admit is lost without an error");
    let group = instance.security_groups.first().and_then(|group| view.security_group(group));
    match group {
        Some((group, _)) => found
            .of(group)
            .at(view.at(group, &attribute("ingress")), "")
            .at(view.at(receiver, &attribute("security_groups")), "")
            .help_edit(format!("admit it in `{group}`: `{rule}`"), with_rule(view, group, &rule)),
        None => found
            .of(receiver)
            .at(view.at(receiver, &attribute("security_groups")), "")
            .note(
                "without a security group it is in the default one, which admits only its members",
            )
            .help(format!("give it a security group with `{rule}` in `ingress`")),
    }
}

/// MP1006.
pub(super) fn receiver_shut_out(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target_address, target) in &view.targets {
        let balancer = target.load_balancer.as_ref().and_then(|to| view.load_balancer(to));
        let receivers: Vec<(Of<'_, Instance>, u16)> = match balancer {
            Some((_, balancer)) => {
                let receivers = view.receivers(balancer).into_iter();
                receivers
                    .map(|Receiver { group, instance }| (instance, vxlan_port(group.1)))
                    .collect()
            }
            None => view.receivers_of(target).into_iter().map(|to| (to, VXLAN)).collect(),
        };
        let mut seen = BTreeSet::new();
        for (receiver, port) in receivers {
            if !seen.insert((&receiver.1.security_groups, port)) {
                continue;
            }
            let flow = Flow { direction: Direction::Ingress, protocol: Protocol::UDP, port };
            let sources = view.sources.get(*target_address).into_iter().flatten();
            let never = sources.filter_map(|(source, instance)| {
                let mut side = Side::instance(view, instance)?;
                side.groups.extend(balancer.iter().flat_map(|(_, b)| &b.security_groups));
                (takes(view, receiver.1, flow, &side) == Verdict::Never).then_some((
                    *source,
                    *instance,
                    side.ranges,
                ))
            });
            let Some((source, instance, ranges)) = never.into_iter().next() else { continue };
            let from = peer_text(instance, &ranges);
            let title =
                format!("`{}` admits no mirrored packet (udp {port}) from `{source}`", receiver.0);
            let rule = format!("{{ protocol = \"udp\", port = {port}, cidrs = [{from}] }}");
            found.push(shut_out(view, code::RECEIVER_SHUT_OUT, receiver, (title, rule)));
        }
    }
    found
}

/// The source as an expression of the stack file.
fn peer_text(instance: &Instance, ranges: &[Ipv4Net]) -> String {
    match &instance.subnet {
        Ref::To(subnet) if instance.private_ip.is_none() => format!("{subnet}.cidr"),
        Ref::To(_) | Ref::Id(_) => {
            ranges.iter().map(|net| format!("\"{net}\"")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// MP1005.
pub(super) fn health_check_shut_out(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, (address, balancer)) in view.balanced() {
        let Some(nodes) = Side::load_balancer(view, balancer) else { continue };
        let mut seen = BTreeSet::new();
        for Receiver { group: (_, group), instance: receiver } in view.receivers(balancer) {
            let port = health_port(group);
            let flow = Flow { direction: Direction::Ingress, protocol: Protocol::TCP, port };
            let never = takes(view, receiver.1, flow, &nodes) == Verdict::Never;
            if never && seen.insert((&receiver.1.security_groups, port)) {
                let title =
                    format!("`{}` admits no health check (tcp {port}) of `{address}`", receiver.0);
                let from: Vec<String> = balancer
                    .subnets
                    .iter()
                    .filter_map(Ref::origin)
                    .map(|it| format!("{}.cidr", it.address))
                    .collect();
                let rule = format!(
                    "{{ protocol = \"tcp\", port = {port}, cidrs = [{}] }}",
                    from.join(", ")
                );
                found.push(shut_out(view, code::HEALTH_CHECK_SHUT_OUT, receiver, (title, rule)));
            }
        }
    }
    found
}

/// MP1007.
pub(super) fn load_balancer_shut(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, (address, balancer)) in view.balanced() {
        let groups = &balancer.security_groups;
        let shut =
            |flow: Flow, side: &Side<'_>| verdict(view, groups, flow, side) == Verdict::Never;
        let mut say = |what: String, attribute_name: &str| {
            found.push(shut_balancer(view, (address, balancer), &what, attribute_name));
        };
        let arrives = Flow { direction: Direction::Ingress, protocol: Protocol::UDP, port: VXLAN };
        let sources = view.sources.get(target).into_iter().flatten();
        let out = sources.filter(|(_, source)| {
            Side::instance(view, source).is_some_and(|side| shut(arrives, &side))
        });
        if let Some((source, _)) = out.into_iter().next() {
            say(format!("let no mirrored packet (udp {VXLAN}) in from `{source}`"), "ingress");
        }
        let leaves = |protocol, port| Flow { direction: Direction::Egress, protocol, port };
        for Receiver { group: (_, group), instance: (receiver, instance) } in
            view.receivers(balancer)
        {
            let Some(side) = Side::instance(view, instance) else { continue };
            let port = vxlan_port(group);
            if shut(leaves(Protocol::UDP, port), &side) {
                say(format!("let no mirrored packet (udp {port}) out to `{receiver}`"), "egress");
                break;
            }
            let port = health_port(group);
            if shut(leaves(Protocol::TCP, port), &side) {
                say(format!("let no health check (tcp {port}) out to `{receiver}`"), "egress");
                break;
            }
        }
    }
    found
}

fn shut_balancer(
    view: &View<'_>,
    (address, balancer): Of<'_, LoadBalancer>,
    what: &str,
    rules: &str,
) -> Diagnostic {
    let group = balancer.security_groups.first().and_then(|group| view.security_group(group));
    let group: Option<&Address> = group.map(|(group, _)| group);
    Diagnostic::error(
        code::LOAD_BALANCER_SHUT,
        format!("the security groups of `{address}` {what}"),
    )
    .of(address)
    .at(view.at(address, &attribute("security_groups")), "")
    .at(group.and_then(|group| view.at(group, &attribute(rules))), "no rule here does")
    .help(format!("add it to `{rules}`; a load balancer without any group lets all through"))
}
