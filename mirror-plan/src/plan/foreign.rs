//! Mirror targets that belong to other accounts.
//!
//! The account that shares a target with this one receives what is mirrored to it: a tap whose other end is
//! elsewhere. So a stack has to state whose such a target is, and the plan shows where the packets go.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::{MirrorTarget, Resource};
use crate::scalar::AccountId;
use crate::stack::{Existing, Place, Stack};
use crate::value::Value;

/// The mirror targets of other accounts to which a stack sends, if it may send to all of them. References of
/// `stack` to existing objects must be ids already.
///
/// # Errors
/// For each target whose owner is not the one that the stack names, or that is named by its id alone, and for each
/// target of another account that the stack would share.
pub(super) fn allowed(
    stack: &Stack,
    observed: &Observed,
) -> Result<BTreeMap<MirrorTargetId, AccountId>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    for (address, existing) in &stack.existing {
        if let Some(found) = observed.existing.get(address) {
            let foreign = owner_of(found.id.as_str(), &observed.foreign_targets);
            let owner = foreign.unwrap_or(&observed.account);
            diagnostics.extend(not_said(address, existing, (owner, &observed.account)));
        }
    }
    let mut sent_to = BTreeMap::new();
    for (sender, target) in senders(stack) {
        let Ref::Id(target) = target else { continue };
        let Some(owner) = observed.foreign_targets.get(target) else { continue };
        let is_used = observed.existing.values().any(|found| found.id.as_str() == target.as_str());
        // Of many sessions to one target, only the first is reported.
        if sent_to.insert(target.clone(), owner.clone()).is_none() && !is_used {
            diagnostics.push(only_an_id(sender, target, owner));
        }
    }
    for (address, declared) in &stack.resources {
        let Resource::ResourceShare(share) = &declared.resource else { continue };
        for target in &share.mirror_targets {
            let Ref::Id(target) = target else { continue };
            let Some(owner) = observed.foreign_targets.get(target) else { continue };
            diagnostics.push(not_to_share((address, declared.place.as_ref()), target, owner));
        }
    }
    diagnostics.unless_errors(sent_to).map(|(sent_to, _)| sent_to)
}

/// Where something is declared.
type Declared<'s> = (&'s Address, Option<&'s Place>);

/// Which senders send to which target. Sessions over sources may have a target for a zone in which there is no
/// source yet.
fn senders(stack: &Stack) -> impl Iterator<Item = (Declared<'_>, &Ref<MirrorTarget>)> {
    let sessions = stack.resources.iter().filter_map(|(address, declared)| {
        let Resource::MirrorSession(session) = &declared.resource else { return None };
        Some(((address, declared.place.as_ref()), &session.target))
    });
    let over_sources = stack.fan_outs.iter().flat_map(|(address, fan_out)| {
        let sender = (address, fan_out.place.as_ref());
        fan_out.of.target.all().map(move |(_, target)| (sender, target))
    });
    sessions.chain(over_sources)
}

/// Reports a share of a target that the account of the stack does not own.
///
/// Source: AWS RAM API reference, `CreateResourceShare`: `OperationNotPermittedException`.
fn not_to_share(
    (address, place): Declared<'_>,
    target: &MirrorTargetId,
    owner: &AccountId,
) -> Diagnostic {
    let title = format!("`{address}` shares {target}, which belongs to account {owner}");
    let head = place.map(|place| place.head.clone());
    Diagnostic::error(code::FOREIGN_TARGET, title)
        .of(address)
        .at(head, "declared here")
        .help("only its owner can share it with those that are to use it")
}

/// Reports an existing object that belongs to another account than the stack states.
fn not_said(
    address: &Address,
    existing: &Existing,
    (owner, here): (&AccountId, &AccountId),
) -> Option<Diagnostic> {
    let Existing { selector, place } = existing;
    let said = selector.owner.as_ref();
    if said.unwrap_or(here) == owner {
        return None;
    }
    let title = match said {
        Some(said) => format!("`{address}` belongs to account {owner}, not to {said}"),
        None => format!("`{address}` belongs to account {owner}, but the stack does not say so"),
    };
    let help = if owner == here {
        "leave `owner` out: it belongs to this account".to_owned()
    } else {
        format!("if that is intended, set `owner = \"{owner}\"`")
    };
    let head = place.as_ref().map(|place| place.head.clone());
    let diagnostic = Diagnostic::error(code::FOREIGN_TARGET, title)
        .of(address)
        .at(head, "declared here")
        .help(help);
    let leaves = format!("packets mirrored to it leave account {here}");
    Some(if owner == here { diagnostic } else { diagnostic.note(leaves) })
}

/// Reports a session that sends to a target of another account and refers to it only by its id.
fn only_an_id(
    (address, place): Declared<'_>,
    target: &MirrorTargetId,
    owner: &AccountId,
) -> Diagnostic {
    let title = format!(
        "`{address}` sends to {target}, which belongs to account {owner}, but the stack does not say so"
    );
    let head = place.map(|place| place.head.clone());
    Diagnostic::error(code::FOREIGN_TARGET, title).of(address).at(head, "declared here").help(format!(
        "if that is intended, declare `existing \"mirror_target\" \"NAME\" {{ id = \"{target}\", owner = \
         \"{owner}\" }}`, and send to `mirror_target.NAME`"
    ))
}

impl Plan {
    /// The other account that packets go to, if they leave this one, given the attributes of a session.
    #[must_use]
    pub fn leaves_for(&self, session: &Value) -> Option<&AccountId> {
        let Value::Object(session) = session else { return None };
        self.owner_of_target(session.get("target")?)
    }

    /// The other account that owns a mirror target, by the target's id; `None` for one of this account.
    pub(crate) fn owner_of_target(&self, target: &Value) -> Option<&AccountId> {
        let Value::String(target) = target else { return None };
        owner_of(target, &self.foreign_targets)
    }
}

fn owner_of<'a>(
    id: &str,
    foreign: &'a BTreeMap<MirrorTargetId, AccountId>,
) -> Option<&'a AccountId> {
    foreign.iter().find_map(|(target, owner)| (target.as_str() == id).then_some(owner))
}
