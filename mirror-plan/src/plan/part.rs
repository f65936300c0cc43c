//! A part of a stack: the sessions over sources that are to be created or removed, and nothing else.

use std::collections::BTreeSet;

use super::decide::Decision;
use super::{Action, Reason};
use crate::address::{Address, Key};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::NetworkInterfaceId;
use crate::observed::Observed;
use crate::resource::instance::InstanceId;
use crate::stack::Stack;

/// The sessions that are to be created: those that do not exist, on the interfaces of `instances`, or
/// on all if it is empty.
pub(super) fn to_be_made(
    stack: &Stack,
    observed: &Observed,
    instances: &BTreeSet<InstanceId>,
) -> BTreeSet<Address> {
    let hosts = observed.sources.values().flat_map(|sighting| &sighting.interfaces);
    let asked: BTreeSet<&NetworkInterfaceId> = hosts
        .filter(|(_, interface)| {
            interface.instance.as_ref().is_some_and(|host| instances.contains(&host.id))
        })
        .map(|(id, _)| id)
        .collect();
    let is_asked_for = |address: &Address| match &address.key {
        Some(Key::Name(key)) => asked.iter().any(|id| id.as_str() == key),
        Some(Key::Index(_)) | None => false,
    };
    let absent = stack.resources.keys().filter(|address| {
        stack.is_fanned_out(address)
            && observed.current(address).is_none()
            && (instances.is_empty() || is_asked_for(address))
    });
    absent.cloned().collect()
}

/// Whether a decision creates a session over sources, or removes one that is not in the stack.
pub(super) fn comes_or_goes(stack: &Stack, decision: &Decision<'_>) -> bool {
    let is_right = match decision.action {
        Action::Create => true,
        Action::Delete => decision.reasons == [Reason::NotInStack],
        Action::NoOp | Action::Move | Action::Update | Action::Replace(_) => false,
    };
    is_right && stack.is_fanned_out(&decision.address)
}

/// Reports sessions that need something that does not exist yet.
pub(super) fn too_early(decisions: &[Decision<'_>]) -> Diagnostics {
    let missing: BTreeSet<(Address, Address)> = decisions
        .iter()
        .filter_map(|decision| Some((&decision.address, decision.desired.as_ref()?)))
        .flat_map(|(address, desired)| {
            let block = Address::new(address.kind, address.name.clone());
            desired.origins().into_iter().map(move |origin| (block.clone(), origin.address))
        })
        .collect();
    let told = missing.into_iter().map(|(block, needed)| {
        let title = format!("`{block}` needs `{needed}`, which does not exist yet");
        Diagnostic::error(code::TOO_EARLY, title)
            .of(&block)
            .help("apply the whole stack first: `mirror apply`")
    });
    told.collect()
}
