//! Sessions over sources, as plans show them: what they have in common once, and a line for each.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot;
use crate::address::Address;
use crate::plan::{Action, Change, EachOf, Plan};
use crate::scalar::Reviewed;
use crate::value::Value;

/// The attributes that every session has, one per line.
pub(super) fn attributes(plan: &Plan, block: &Address, each: &EachOf) -> Vec<String> {
    let made = Change {
        address: block.clone(),
        deposed: None,
        moved_from: None,
        action: Action::Create,
        reasons: Vec::new(),
        id: None,
        before: None,
        after: Some(each.attributes.clone()),
        differences: Vec::new(),
        capture: None,
    };
    leave(plan, &each.attributes).into_iter().chain(snapshot::lines(&made)).collect()
}

/// Lines stating that packets of sessions leave the account, all of them or those from some zones.
fn leave(plan: &Plan, attributes: &Value) -> Vec<String> {
    let Some(by_zone) = targets_by_zone(attributes) else {
        return leaves(plan, Some(attributes)).into_iter().collect();
    };
    let leaving = by_zone.iter().filter_map(|(zone, target)| {
        let owner = plan.owner_of_target(target)?;
        Some(format!("packets from {zone} leave for account {owner}"))
    });
    leaving.collect()
}

/// The targets of sessions over sources, if each zone has its own.
fn targets_by_zone(attributes: &Value) -> Option<&BTreeMap<String, Value>> {
    let Value::Object(members) = attributes else { return None };
    match members.get("target")? {
        Value::Object(by_zone) => Some(by_zone),
        _ => None,
    }
}

/// A line stating that the packets of a session leave the account, according to its attributes.
pub(super) fn leaves(plan: &Plan, session: Option<&Value>) -> Option<String> {
    let owner = plan.leaves_for(session?)?;
    Some(format!("packets leave for account {owner}"))
}

/// The block that a change belongs to. An object left over by an earlier replacement belongs to none.
pub(super) fn block_of<'p>(plan: &'p Plan, change: &Change) -> Option<(&'p Address, &'p EachOf)> {
    let address = &change.address;
    let block = Address::new(address.kind, address.name.clone());
    let found = plan.fan_outs.get_key_value(&block);
    found.filter(|_| address.key.is_some() && change.deposed.is_none())
}

/// What is particular to one session of a block. If it is created: its numbers, and its target if the sessions do
/// not share one; if it is changed: its differences; if it is deleted: its id.
pub(super) fn particulars(change: &Change, each: &EachOf) -> String {
    match change.action {
        Action::NoOp | Action::Move => String::new(),
        Action::Create => own(change, each),
        Action::Update | Action::Replace(_) => snapshot::lines(change).join(", "),
        Action::Delete => {
            change.id.as_ref().map(|id| format!("{id}, no longer selected")).unwrap_or_default()
        }
    }
}

/// What a session that is created has to itself.
fn own(change: &Change, each: &EachOf) -> String {
    let Some(Value::Object(members)) = &change.after else { return String::new() };
    let numbers = ["number", "vni"].into_iter().filter_map(|name| match members.get(name)? {
        number @ Value::Number(_) => Some(format!("{name} {number}")),
        _ => None,
    });
    let target = members.get("target").filter(|_| targets_by_zone(&each.attributes).is_some());
    let target = target.map(|target| format!("target {}", snapshot::inline(target)));
    numbers.chain(target).collect::<Vec<_>>().join(", ")
}

/// Whether a reviewed plan only shows of a change what is the same for all sessions of its block.
pub(super) fn is_folded(plan: &Plan, change: &Change) -> bool {
    block_of(plan, change).is_some_and(|(_, each)| each.review == Reviewed::Count)
}

/// What is done to the existing sessions of a block that stay, each different set of lines once.
///
/// Numbers from a range are not shown: which sessions have which numbers is what a count leaves open.
pub(super) fn updates(plan: &Plan, block: &Address, each: &EachOf) -> BTreeSet<Vec<String>> {
    let ranges: Vec<String> = match &each.attributes {
        Value::Object(members) => ["number", "vni"]
            .into_iter()
            .filter(|name| matches!(members.get(*name), Some(Value::String(_))))
            .map(|name| format!("{name} = "))
            .collect(),
        _ => Vec::new(),
    };
    let changes = plan.changes.iter().filter(|change| {
        let stays = matches!(change.action, Action::Update | Action::Replace(_));
        stays && block_of(plan, change).is_some_and(|(of, _)| of == block)
    });
    let lines = changes.map(|change| {
        let mut lines = snapshot::lines(change);
        lines.retain(|line| !ranges.iter().any(|range| line.starts_with(range.as_str())));
        lines
    });
    lines.filter(|lines| !lines.is_empty()).collect()
}
