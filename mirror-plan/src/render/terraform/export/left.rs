//! The parts of a stack that Terraform has no word for.

use crate::plan::{Change, Plan};
use crate::stack::Stack;
use crate::value::Value;

use super::data_source;

/// The parts of a stack that are not exported, or exported in another form, one per line.
pub(super) fn of_stack(stack: &Stack, plan: &Plan) -> Vec<String> {
    let Stack {
        name: _,
        account: _,
        // Written: each as a provider.
        accounts: _,
        region: _,
        coordination,
        existing,
        moved,
        allow,
        sources,
        fan_outs,
        // Written, or reported where they are written.
        resources: _,
        outputs: _,
        variables,
    } = stack;
    let plain = variables.iter().filter(|(_, value)| !matches!(value, Value::Secret(_)));
    let plain = plain.map(|(name, value)| {
        format!("variable \"{name}\": its value is written where it is used: {}", shown(value))
    });
    let existing = existing.keys().filter(|address| !data_source::finds(address.kind));
    let existing = existing.map(|address| {
        format!("existing {address}: the provider cannot look up such objects, so its id is written where it is used")
    });
    let sources = sources.keys().map(|name| {
        let count = plan.sources.get(name).map_or(0, |mirrored| mirrored.count);
        format!(
            "sources \"{name}\": Terraform does not follow interfaces; these are the {count} selected now"
        )
    });
    let fan_outs = fan_outs.keys().map(|address| {
        let of_it = plan.changes.iter().filter(|change| {
            let Change { address: of, after, .. } = change;
            of.kind == address.kind && of.name == address.name && after.is_some()
        });
        let count = of_it.count();
        format!(
            "{address}: it is a session for each interface, {count} now, with their current numbers"
        )
    });
    let moved = moved.iter().map(|placed| {
        let of = &placed.of;
        format!(
            "moved from {} to {}: the existing object is imported under its new name",
            of.from, of.to
        )
    });
    let allow =
        allow.iter().map(|allowed| format!("allow {allowed}: Terraform has no such findings"));
    let coordination = coordination.iter().map(|place| {
        format!("coordination {place}: for Terraform choose a backend with state locking")
    });
    let going =
        plan.changes.iter().filter(|change| change.after.is_none() || change.deposed.is_some());
    let going = going.filter_map(|change| {
        let id = change.id.as_ref()?;
        Some(format!("{} ({id}): it exists, but the stack does not declare it", change.address))
    });
    let lines = plain.chain(existing).chain(sources).chain(fan_outs).chain(moved).chain(allow);
    lines.chain(coordination).chain(going).collect()
}

/// A value on one line; what is secret in it is not shown.
fn shown(value: &Value) -> String {
    if value.is_sensitive() { "(sensitive)".to_owned() } else { value.to_string() }
}
