//! Packets that a filter seems to mirror, but does not.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{View, attribute};
use crate::address::Address;
use crate::attribute::listed;
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::packet::{Mirrored, Shadowed, shadowed};
use crate::resource::MirrorFilter;
use crate::resource::mirror_filter::Rule;
use crate::scalar::{Direction, PortRange, RuleAction, RuleNumber};

/// The port of DNS.
const DNS: u16 = 53;

/// A filter that a session uses.
#[derive(Clone, Copy)]
struct Used<'v> {
    address: &'v Address,
    filter: &'v MirrorFilter,
    mirrored: &'v Mirrored,
    /// The first session that uses it.
    session: &'v Address,
}

fn used<'v>(view: &'v View<'_>) -> Vec<Used<'v>> {
    let mut used = BTreeMap::new();
    for (session, declared) in &view.sessions {
        if let Some((address, filter)) = view.filter(&declared.filter)
            && let Some(mirrored) = view.mirrored.get(address)
        {
            used.entry(address).or_insert(Used { address, filter, mirrored, session });
        }
    }
    used.into_values().collect()
}

/// MP1008.
pub(super) fn mirrors_nothing(view: &View<'_>) -> Vec<Diagnostic> {
    used(view).into_iter().filter_map(|used| nothing_or_half(view, used)).collect()
}

fn nothing_or_half(view: &View<'_>, used: Used<'_>) -> Option<Diagnostic> {
    let Used { address, filter, mirrored, session } = used;
    let at = view.at(address, &attribute("rules"));
    if mirrored.is_empty() {
        let title = format!("`{address}` mirrors nothing, and `{session}` uses it");
        let why = if filter.rules.0.is_empty() {
            "a filter without rules mirrors no packet"
        } else {
            "no rule accepts a packet that is not rejected earlier"
        };
        let found = Diagnostic::error(code::FILTER_MIRRORS_NOTHING, title).of(address).at(at, "");
        return Some(
            found
                .note(why)
                .help("accept something: `rules = [{ number = 100, action = \"accept\" }]`"),
        );
    }
    let is_idle = |way: &Direction| mirrored.packets.towards(*way).is_empty();
    let idle = [Direction::Ingress, Direction::Egress].into_iter().find(is_idle);
    // Mirroring only Amazon's DNS may be the intention.
    let idle = idle.filter(|_| !mirrored.packets.is_empty())?;
    let title = format!("`{address}` mirrors no {idle} packets");
    Some(
        Diagnostic::warning(code::FILTER_MIRRORS_NOTHING, title)
            .of(address)
            .at(at, "")
            .note("half of every conversation is missing at the receiver")
            .help("leave `direction` out of a rule to match both directions"),
    )
}

/// MP1009: one finding for a rule, whether it is for one direction or for both.
pub(super) fn rule_without_effect(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for Used { address, filter, .. } in used(view) {
        let mut by_number: BTreeMap<RuleNumber, Vec<Shadowed<'_>>> = BTreeMap::new();
        for idle in shadowed(&filter.rules) {
            by_number.entry(idle.rule.number).or_default().push(idle);
        }
        for (number, idle) in by_number {
            let same: Vec<&Rule> =
                filter.rules.0.iter().filter(|rule| rule.number == number).collect();
            // If one number stands for two different rules, each direction gets its own finding.
            if idle.len() == same.len() && same.iter().all(|r| r.action == same[0].action) {
                found.push(without_effect(view, (address, filter), &idle));
            } else {
                found.extend(
                    idle.iter().map(|one| {
                        without_effect(view, (address, filter), std::slice::from_ref(one))
                    }),
                );
            }
        }
    }
    found
}

/// The finding about the rules with one number, all of which have no effect.
fn without_effect(
    view: &View<'_>,
    (address, filter): (&Address, &MirrorFilter),
    idle: &[Shadowed<'_>],
) -> Diagnostic {
    let rule = idle[0].rule;
    let (number, action) = (rule.number, rule.action);
    let what = match idle {
        [_] => format!("any {} packet", rule.direction),
        _ => "any packet".to_owned(),
    };
    let by: BTreeSet<RuleNumber> =
        idle.iter().flat_map(|idle| &idle.by).map(|other| other.number).collect();
    let earlier: Vec<String> = by.iter().map(ToString::to_string).collect();
    let earlier = listed(earlier.iter().map(String::as_str));
    let place = declaration(view, address, rule);
    let found = Diagnostic::warning(
        code::RULE_WITHOUT_EFFECT,
        format!("rule {number} of `{address}` has no effect on {what}"),
    )
    .of(address)
    .at(place.clone().or_else(|| view.at(address, &attribute("rules"))), "")
    .note(format!("every packet that it matches is decided by rule {earlier} before it"));
    let contradicts = idle.iter().flat_map(|idle| &idle.by).any(|other| other.action != action);
    if !contradicts {
        return found.help("leave it out");
    }
    let help = format!("put the {action} rule before {earlier}");
    match (place, by.first().and_then(|first| free_before(filter, *first))) {
        (Some(span), Some(free)) => found.help_patch(help, span, free.to_string()),
        _ => found.help(help),
    }
}

/// Where the number of a rule is written.
fn declaration(view: &View<'_>, address: &Address, rule: &Rule) -> Option<Span> {
    let rules = attribute("rules");
    let number = |index| view.written(address, &rules.index(index).member("number"));
    let written = (0..).map_while(|index| Some((index, number(index)?)));
    let mut matching = written.filter(|(index, span)| {
        let direction = view.written(address, &rules.index(*index).member("direction"));
        let is_its = direction.is_none_or(|it| it.text().contains(rule.direction.word()));
        span.text() == rule.number.to_string() && is_its
    });
    matching.next().map(|(_, span)| span)
}

/// The highest rule number below `first` that is not in use.
fn free_before(filter: &MirrorFilter, first: RuleNumber) -> Option<RuleNumber> {
    let is_free = |number: &RuleNumber| filter.rules.0.iter().all(|rule| rule.number != *number);
    let lower = (RuleNumber::MIN.get()..first.get()).rev();
    lower.filter_map(RuleNumber::new).find(is_free)
}

/// MP1024.
pub(super) fn dns_not_mirrored(view: &View<'_>) -> Vec<Diagnostic> {
    let only_dns = |range: Option<PortRange>| range.and_then(PortRange::single) == Some(DNS);
    let found = used(view).into_iter().filter_map(|Used { address, filter, .. }| {
        let rule = filter.rules.0.iter().find(|rule| {
            let named = only_dns(rule.source_port) || only_dns(rule.destination_port);
            rule.action == RuleAction::Accept && named
        })?;
        let title = format!("rule {} of `{address}` accepts DNS, but not Amazon's", rule.number);
        (!filter.amazon_dns).then(|| {
            let at = view.at(address, &attribute("rules"));
            let found = Diagnostic::warning(code::DNS_NOT_MIRRORED, title)
                .of(address)
                .at(at, "")
                .note("no rule mirrors traffic with the DNS server of the VPC");
            let help = "set `amazon_dns = true` in the filter";
            let absent = view.written(address, &attribute("amazon_dns")).is_none();
            let edit = absent.then(|| view.with_attribute(address, "amazon_dns = true"));
            found.help_edit(help, edit.flatten())
        })
    });
    found.collect()
}
