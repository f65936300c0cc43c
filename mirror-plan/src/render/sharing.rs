//! Sharing, as plans show it: what a change means for other accounts, and for their packets.
//!
//! A share can end without its users being asked. Sessions of other accounts to what was shared stay as they are
//! but carry nothing: their owners only notice that packets no longer arrive.
//!
//! Source: AWS Traffic Mirroring guide, "Accept or delete a shared traffic mirror target": an account that loses a
//! share loses access to what is in it, and a session becomes inactive when its target is deleted. The API
//! reference of `DeleteTrafficMirrorTarget` states that AWS refuses to delete a target in use; which of the two
//! applies between accounts is not verified.

use std::collections::BTreeSet;

use crate::address::Kind;
use crate::plan::{Action, Change, Plan};
use crate::scalar::SharePrincipal;
use crate::stack::Account;
use crate::value::Value;

/// What a change of a share, or of a target in one, means for others, one effect per line.
pub(super) fn lines(plan: &Plan, change: &Change) -> Vec<String> {
    match change.kind() {
        Kind::ResourceShare => of_share(change),
        Kind::MirrorTarget if is_shared(plan, change) => of_target(change.action),
        Kind::VpcPeering => of_peering(change),
        _ => Vec::new(),
    }
}

/// The account that an `aws` block leads to, and by what: `444455556666, with the profile "sensors"`.
pub(super) fn reached(account: &Account) -> String {
    match account.id() {
        Some(id) => format!("{id}, with {account}"),
        None => format!("with {account}"),
    }
}

/// Whom a connection is requested from, and who accepts it, if the other side belongs to another account.
///
/// Source: VPC Peering guide, "VPC peering connection lifecycle".
fn of_peering(change: &Change) -> Vec<String> {
    let owner = |attributes| match member(attributes, "accepter_owner") {
        Some(Value::String(owner)) => Some(owner.clone()),
        _ => None,
    };
    let by = match member(&change.after, "accept_as") {
        Some(Value::String(by)) => Some(by),
        _ => None,
    };
    let asked = owner(&change.after).and_then(|owner| match (change.action, by) {
        (Action::Create | Action::Replace(_), Some(by)) => {
            Some(format!("it is requested from account {owner}, and {by} accepts it there"))
        }
        (Action::Create | Action::Replace(_), None) => Some(format!(
            "it is requested from account {owner}, which has seven days to accept: until it does, nothing passes"
        )),
        (Action::Update, Some(by)) => Some(format!("{by} accepts it in account {owner}")),
        (Action::Update | Action::NoOp | Action::Move | Action::Delete, _) => None,
    });
    let ended = owner(&change.before)
        .filter(|_| matches!(change.action, Action::Delete | Action::Replace(_)));
    let ended = ended.map(|owner| {
        format!("account {owner} loses the connection too: its routes over it then lead nowhere")
    });
    ended.into_iter().chain(asked).collect()
}

fn of_share(change: &Change) -> Vec<String> {
    let Change { action, before, after, .. } = change;
    let invites = member(after, "external_principals") == Some(&Value::Bool(true));
    let (were, will_be) = (texts(before, "principals"), texts(after, "principals"));
    // An account that accepted an invitation to the old share is not part of the new one.
    let is_anew = matches!(action, Action::Replace(_));
    let again = were.intersection(&will_be).filter(|it| is_anew && invites && is_account(it));
    let again = again.map(|account| {
        format!(
            "account {account} is invited again, unless it belongs to the same organization: until \
             it accepts, its sessions carry nothing"
        )
    });
    let come = will_be.difference(&were).map(|principal| {
        let first = if invites && is_account(principal) {
            ", which has to accept first unless it belongs to the same organization"
        } else {
            ""
        };
        format!("packets may come from {}{first}", who(principal))
    });
    let go = were.difference(&will_be).map(|principal| {
        format!(
            "packets from {} no longer arrive: its sessions stay, but carry nothing",
            who(principal)
        )
    });
    let left = &texts(before, "mirror_targets") - &texts(after, "mirror_targets");
    let left = left.iter().filter(|_| *action == Action::Update).map(|target| {
        format!(
            "packets from others to {target} no longer arrive: their sessions stay, but carry nothing"
        )
    });
    again.chain(come).chain(go).chain(left).collect()
}

/// Whether a share holds the target that a change is about, and that target exists.
fn is_shared(plan: &Plan, change: &Change) -> bool {
    let mut shares = plan.changes.iter().filter(|share| share.kind() == Kind::ResourceShare);
    change.id.as_ref().is_some_and(|id| {
        shares.any(|share| texts(&share.before, "mirror_targets").contains(id.as_str()))
    })
}

fn of_target(action: Action) -> Vec<String> {
    let sessions = "sessions of other accounts keep it from being deleted, or end with it";
    match action {
        Action::Delete => vec![sessions.to_owned()],
        Action::Replace(_) => vec![format!("{sessions}: their owners have to send to the new one")],
        Action::NoOp | Action::Move | Action::Create | Action::Update => Vec::new(),
    }
}

/// `account 111122223333`, `all of arn:aws:organizations::...`.
fn who(principal: &str) -> String {
    let what = if is_account(principal) { "account" } else { "all of" };
    format!("{what} {principal}")
}

fn is_account(principal: &str) -> bool {
    principal.parse().is_ok_and(|principal: SharePrincipal| principal.is_account())
}

fn member<'v>(attributes: &'v Option<Value>, name: &str) -> Option<&'v Value> {
    match attributes {
        Some(Value::Object(members)) => members.get(name),
        _ => None,
    }
}

/// The texts in a list of a resource, without those that are not known yet.
fn texts<'v>(attributes: &'v Option<Value>, name: &str) -> BTreeSet<&'v str> {
    let items = match member(attributes, name) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let texts = items.iter().filter_map(|item| match item {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
