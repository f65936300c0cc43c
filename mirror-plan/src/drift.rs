//! Drift: what was changed outside of mirror since the last apply.
//!
//! A plan shows what differs between the stack file and the cloud, but not which of the two has
//! changed. [`Applied`] records what an apply left, as a hash of each attribute, so that the two can be
//! told apart. It is a hint beside the journal and decides nothing; without it the stack file stands
//! for what was applied, and an edit of it shows as drift.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::address::Address;
use crate::id::ObjectId;
use crate::plan::{Action, Change, Plan, Reason};
use crate::value::Value;

mod applied;
#[cfg(test)]
mod tests;

pub use applied::Applied;

/// What was changed outside of mirror, by owner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    /// The time of the last known apply; `None` if the stack file stands for it.
    pub since: Option<Timestamp>,
    /// Changes to what is ours that the next apply undoes.
    pub undone: Vec<Undone>,
    /// What belongs to others and is left as it is.
    pub others: Vec<String>,
    /// Changes to what is ours that are of no consequence: nothing is done about them.
    pub noise: Vec<Noise>,
    /// The sessions of interfaces that have appeared since or no longer match: this is not drift, but
    /// planned.
    pub moved: Vec<Address>,
    /// The resources that were changed in the stack file since: this is not drift, but planned all the
    /// same.
    pub edited: Vec<Address>,
}

/// A change that the next apply undoes.
#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    /// The object was deleted, and is recreated.
    Gone(Address),
    /// Attributes were changed. The change leads from what is there now to what the apply makes of it,
    /// for these attributes only.
    Changed(Box<Change>),
}

/// A change about which nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The resource.
    pub address: Address,
    /// Its attribute.
    pub attribute: String,
    /// Why nothing is done.
    pub why: Harmless,
}

/// Why nothing is done about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harmless {
    /// Only AWS determines the attribute, such as a public address.
    ToldByAws,
    /// The stack file now has the same value, or leaves the attribute to AWS.
    AsTheStackSays,
}

impl Undone {
    /// The resource.
    #[must_use]
    pub const fn address(&self) -> &Address {
        match self {
            Self::Gone(address) => address,
            Self::Changed(change) => &change.address,
        }
    }
}

impl Drift {
    /// The drift in a plan. `applied` is what the last apply left, if that is known; `others` is what
    /// was seen that belongs to others.
    #[must_use]
    pub fn of(plan: &Plan, applied: Option<&Applied>, others: Vec<String>) -> Self {
        let since = applied.map(|applied| applied.at);
        let mut drift = Self { since, others, ..Self::default() };
        for change in plan.changes.iter().filter(|change| change.deposed.is_none()) {
            drift.take(change, applied, plan);
        }
        let existing = applied.map(|applied| &applied.existing);
        drift.others.extend(existing.into_iter().flat_map(|then| others_moved(then, plan)));
        drift
    }

    /// Whether nothing of ours has drifted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.undone.is_empty()
    }

    fn take(&mut self, change: &Change, applied: Option<&Applied>, plan: &Plan) {
        let address = &change.address;
        let comes_and_goes = plan.fan_out_of(address).is_some();
        let is_new =
            |applied: Option<&Applied>| applied.is_none_or(|applied| !applied.has(address));
        match change.action {
            Action::Create if comes_and_goes && is_new(applied) => self.moved.push(address.clone()),
            Action::Delete if comes_and_goes => self.moved.push(address.clone()),
            // The stack file has renamed it, or no longer has it.
            Action::Move => self.edited.push(address.clone()),
            Action::Delete => self.edited.push(address.clone()),
            Action::Create if change.reasons.contains(&Reason::Absent) => {
                if applied.is_none_or(|applied| applied.has(address)) {
                    self.undone.push(Undone::Gone(address.clone()));
                } else {
                    self.edited.push(address.clone());
                }
            }
            Action::Create | Action::NoOp | Action::Update | Action::Replace(_) => {
                self.take_attributes(change, applied);
            }
        }
    }

    fn take_attributes(&mut self, change: &Change, applied: Option<&Applied>) {
        // What follows from the replacement of another resource is nobody's change.
        let own = change
            .differences
            .iter()
            .filter(|difference| member(change.after.as_ref(), &difference.attribute).is_known());
        let (drifted, edited): (Vec<_>, Vec<_>) = own.cloned().partition(|difference| {
            applied.is_none_or(|left| left.is_changed_outside(change, &difference.attribute))
        });
        if !drifted.is_empty() {
            let is_drift = |name: &str| drifted.iter().any(|d| d.attribute == name);
            let mut only = Change { action: Action::Update, ..change.clone() };
            only.after = restricted(change, is_drift);
            only.differences.clone_from(&drifted);
            self.undone.push(Undone::Changed(Box::new(only)));
        } else if !edited.is_empty() {
            self.edited.push(change.address.clone());
        }
        let same = applied.into_iter().flat_map(|applied| applied.harmless(change));
        self.noise.extend(same);
    }
}

/// The attributes as they are, except for those that `becomes` selects.
fn restricted(change: &Change, becomes: impl Fn(&str) -> bool) -> Option<Value> {
    match (&change.before, &change.after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let mut members = before.clone();
            let after = after.iter().filter(|(name, _)| becomes(name));
            members.extend(after.map(|(name, value)| (name.clone(), value.clone())));
            Some(Value::Object(members))
        }
        (_, after) => after.clone(),
    }
}

/// The attribute of an object; null if it has none.
fn member<'v>(object: Option<&'v Value>, name: &str) -> &'v Value {
    match object {
        Some(Value::Object(members)) => members.get(name).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}

/// The objects of others whose id is no longer what it was.
fn others_moved(then: &BTreeMap<Address, ObjectId>, plan: &Plan) -> Vec<String> {
    let pairs = then.iter().filter_map(|(address, id)| {
        let now = plan.existing.get(address)?;
        (now != id).then(|| format!("{address} is {now} now, and was {id}"))
    });
    pairs.collect()
}
