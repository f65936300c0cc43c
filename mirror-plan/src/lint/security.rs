//! Security groups that shut out mirrored packets or health checks.

use std::collections::BTreeSet;

use super::view::{Machine, Of, VXLAN, View, attribute};
use crate::address::Address;
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Code, Diagnostic, Patch, Span};
use crate::reach::{Approach, Balanced, Delivery, Hop, Journey, Mention, Outcome, Receiver};
use crate::resource::{Instance, LoadBalancer, Subnet};

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

/// What is shut out, in words, and the rule that would admit it, if that can be written.
struct Shut {
    code: Code,
    title: String,
    rule: Option<String>,
    /// What the rule is for: `udp 4789`.
    flow: String,
}

/// The finding that a receiver does not admit such a flow.
fn shut_out(view: &View<'_>, machine: Machine<'_>, shut: Shut) -> Diagnostic {
    let Machine { address: receiver, security_groups } = machine;
    let Shut { code, title, rule, flow } = shut;
    let found = Diagnostic::error(code, title)
        .note("packets that a security group does not admit are lost without an error");
    let what = rule.clone().unwrap_or_else(|| format!("{flow} from the ranges of the sources"));
    let group = security_groups.first().and_then(|group| view.security_group(group));
    match group {
        Some((group, _)) => {
            let edit = rule.and_then(|rule| with_rule(view, group, &rule));
            found
                .of(group)
                .at(view.at(group, &attribute("ingress")), "")
                .at(view.at(receiver, &attribute("security_groups")), "")
                .help_edit(format!("admit it in `{group}`: `{what}`"), edit)
        }
        None => found
            .of(receiver)
            .at(view.at(receiver, &attribute("security_groups")), "")
            .note(
                "without a security group it is in the default one, which admits only its members",
            )
            .help(format!("give it a security group with `{what}` in `ingress`")),
    }
}

const fn stops(hop: &Hop) -> bool {
    matches!(hop.outcome, Outcome::Stops)
}

/// MP1006.
pub(super) fn receiver_shut_out(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, _) in &view.targets {
        let receivers = match view.reach.delivery(Mention::Of(target)) {
            Some(Delivery::Balanced(balanced)) => balanced.receivers.as_slice(),
            Some(Delivery::Interface(receiver)) => std::slice::from_ref(receiver),
            Some(Delivery::Unseen(_)) | None => continue,
        };
        let arrivals = view.reach.arrivals(Mention::Of(target));
        let mut seen = BTreeSet::new();
        for (at, receiver) in receivers.iter().enumerate() {
            let Some(machine) = view.machine_of(receiver.name) else { continue };
            if !seen.insert(receiver.gates()) {
                continue;
            }
            let is_shut =
                |(_, approach): &&(_, &Approach)| approach.at_receiver(at).is_some_and(stops);
            if let Some((journey, _)) = arrivals.iter().find(is_shut) {
                let shut = match behind_endpoint(view, Mention::Of(target)) {
                    Some(balancer) => shut_to_nodes(view, receiver, balancer),
                    None => shut_to(view, receiver, journey),
                };
                found.push(shut_out(view, machine, shut));
            }
        }
    }
    found
}

/// The load balancer behind the endpoint that a target sends to, if there is one.
fn behind_endpoint<'s>(view: &View<'s>, target: Mention<'s>) -> Option<Mention<'s>> {
    match view.reach.delivery(target)? {
        Delivery::Balanced(balanced) => balanced.entrance.as_ref().map(|_| balanced.name),
        Delivery::Interface(_) | Delivery::Unseen(_) => None,
    }
}

/// What is shut out behind an endpoint, where all packets come from the nodes.
fn shut_to_nodes<'s>(view: &View<'s>, receiver: &Receiver<'s>, balancer: Mention<'s>) -> Shut {
    let (name, port) = (receiver.name, receiver.port);
    let title = format!("`{name}` admits no mirrored packet (udp {port}) from `{balancer}`");
    let subnets = view.subnets_of(balancer);
    let rule = (!subnets.is_empty()).then(|| {
        format!("{{ protocol = \"udp\", port = {port}, cidrs = [{}] }}", node_ranges(subnets))
    });
    Shut { code: code::RECEIVER_SHUT_OUT, title, rule, flow: format!("udp {port}") }
}

fn shut_to<'s>(view: &View<'s>, receiver: &Receiver<'s>, from: &Journey<'s>) -> Shut {
    let (name, port) = (receiver.name, receiver.port);
    let source = from.source.and_then(|source| view.instance_of(source));
    let title = match (source, from.source) {
        (Some((source, _)), _) => {
            format!("`{name}` admits no mirrored packet (udp {port}) from `{source}`")
        }
        (None, Some(source)) => {
            format!("`{name}` admits no mirrored packet (udp {port}) from {source}")
        }
        (None, None) => {
            format!("`{name}` admits no mirrored packet (udp {port}) of `{}`", from.session)
        }
    };
    let range = source.and_then(|(_, source)| range_text(view, source));
    let rule =
        range.map(|from| format!("{{ protocol = \"udp\", port = {port}, cidrs = [{from}] }}"));
    Shut { code: code::RECEIVER_SHUT_OUT, title, rule, flow: format!("udp {port}") }
}

/// The addresses of a source as an expression of the stack file.
fn range_text(view: &View<'_>, source: &Instance) -> Option<String> {
    Some(match (source.private_ip, &source.subnet) {
        (Some(address), _) => format!("\"{}/32\"", address.0),
        (None, Ref::To(subnet)) => format!("{subnet}.cidr"),
        (None, id @ Ref::Id(_)) => format!("\"{}\"", view.subnet(id)?.1.cidr),
    })
}

/// MP1005.
pub(super) fn health_check_shut_out(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, balanced) in view.deliveries() {
        let (Mention::Of(address), subnets) = (balanced.name, view.subnets_of(balanced.name))
        else {
            continue;
        };
        let mut seen = BTreeSet::new();
        for receiver in &balanced.receivers {
            let Some(health) = receiver.health.as_ref().filter(|it| stops(&it.into)) else {
                continue;
            };
            let Some(machine) = view.machine_of(receiver.name) else { continue };
            let (name, port) = (receiver.name, health.port);
            if seen.insert((receiver.gates(), port)) {
                let title = format!("`{name}` admits no health check (tcp {port}) of `{address}`");
                let rule = Some(format!(
                    "{{ protocol = \"tcp\", port = {port}, cidrs = [{}] }}",
                    node_ranges(subnets)
                ));
                let flow = format!("tcp {port}");
                let shut = Shut { code: code::HEALTH_CHECK_SHUT_OUT, title, rule, flow };
                found.push(shut_out(view, machine, shut));
            }
        }
    }
    found
}

/// The ranges of the nodes of a load balancer as expressions of the stack file.
fn node_ranges(subnets: &[Ref<Subnet>]) -> String {
    let own = subnets.iter().filter_map(Ref::origin);
    own.map(|it| format!("{}.cidr", it.address)).collect::<Vec<_>>().join(", ")
}

/// MP1007.
pub(super) fn load_balancer_shut(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (target, balanced) in view.deliveries() {
        let Some(balancer) = view.balancer_of(balanced.name) else { continue };
        let arrivals = view.reach.arrivals(Mention::Of(target));
        let is_shut = |approach: &Approach| approach.into_balancer.as_ref().is_some_and(stops);
        if let Some((from, _)) = arrivals.into_iter().find(|(_, approach)| is_shut(approach)) {
            let from = match from.source {
                Some(Mention::Of(source)) => format!("from `{source}`"),
                Some(source @ Mention::Id(_)) => format!("from {source}"),
                None => format!("of `{}`", from.session),
            };
            let what = format!("let no mirrored packet (udp {VXLAN}) in {from}");
            found.push(shut_balancer(view, balancer, &what, "ingress"));
        }
        let out = shut_on_the_way_out(balanced);
        found.extend(out.map(|what| shut_balancer(view, balancer, &what, "egress")));
    }
    found
}

/// The first flow that a load balancer does not let out to one of its receivers, in words.
fn shut_on_the_way_out(balanced: &Balanced<'_>) -> Option<String> {
    balanced.receivers.iter().find_map(|receiver| {
        let Receiver { name, port, .. } = receiver;
        if receiver.out.as_ref().is_some_and(stops) {
            return Some(format!("let no mirrored packet (udp {port}) out to `{name}`"));
        }
        let health = receiver.health.as_ref().filter(|health| stops(&health.out))?;
        Some(format!("let no health check (tcp {}) out to `{name}`", health.port))
    })
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
    .at(group.and_then(|group| view.at(group, &attribute(rules))), "no rule here allows it")
    .help(format!(
        "add it to `{rules}`; a load balancer without security groups lets everything through"
    ))
}
