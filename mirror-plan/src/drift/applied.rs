//! What an apply left: a hash of each attribute of each object.
//!
//! It holds hashes so that nothing in it has to be kept secret or could be mistaken for the state: it
//! shows whether an attribute is still what it was, and no more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Harmless, Noise, member};
use crate::address::Address;
use crate::attribute::Presence;
use crate::event::{Outcome, Report};
use crate::hash::hash;
use crate::id::ObjectId;
use crate::plan::{Action, Change, Experience, Plan};
use crate::render::report;
use crate::resource::{computed, object_type};
use crate::value::Value;

/// How many hexadecimal digits of a hash are kept: nobody gains anything from a collision.
const DIGITS: usize = 16;

/// What the last apply of a stack left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The version of this format, [`Applied::FORMAT`].
    pub format: u32,
    /// When the apply ended.
    pub at: Timestamp,
    #[serde(with = "crate::observed::by_address")]
    objects: BTreeMap<Address, Left>,
    /// The objects of others that it used.
    #[serde(with = "crate::observed::by_address")]
    pub(super) existing: BTreeMap<Address, ObjectId>,
    /// How long calls have taken, in this apply and those before it.
    #[serde(default)]
    pub took: Experience,
}

/// What was left of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    id: ObjectId,
    /// The hash of each attribute, without those whose value was not known.
    attributes: BTreeMap<String, String>,
}

impl Applied {
    /// The version of the format that this library writes and reads.
    pub const FORMAT: u32 = 1;

    /// What is left after `plan` was applied with this `report`, given what was left `earlier`.
    ///
    /// Resources that were not reached stay as they were; nothing is known about those that failed.
    #[must_use]
    pub fn after(earlier: Option<Self>, plan: &Plan, report: &Report, at: Timestamp) -> Self {
        let (mut objects, mut existing, mut took) = earlier
            .map(|earlier| (earlier.objects, earlier.existing, earlier.took))
            .unwrap_or_default();
        took.learn(&report.took);
        let outcomes = report.outcomes.iter().filter(|done| done.deposed.is_none());
        let outcomes: BTreeMap<&Address, &Outcome> =
            outcomes.map(|done| (&done.address, &done.outcome)).collect();
        for change in plan.changes.iter().filter(|change| change.deposed.is_none()) {
            match left(change, outcomes.get(&change.address).copied(), report) {
                Ended::With(left) => {
                    objects.insert(change.address.clone(), left);
                }
                Ended::Without => {
                    objects.remove(&change.address);
                }
                Ended::AsBefore => {}
            }
        }
        if !plan.targeted {
            // AWS removes a session together with its interface, and then nothing is planned for it.
            let planned: BTreeSet<&Address> = plan.changes.iter().map(|c| &c.address).collect();
            objects.retain(|address, _| planned.contains(address));
        }
        existing.extend(plan.existing.clone());
        Self { format: Self::FORMAT, at, objects, existing, took }
    }

    /// Whether an object was left for this resource.
    pub(super) fn has(&self, address: &Address) -> bool {
        self.objects.contains_key(address)
    }

    /// Whether an attribute that differs from the stack is not as it was left.
    pub(super) fn is_changed_outside(&self, change: &Change, attribute: &str) -> bool {
        let now = member(change.before.as_ref(), attribute);
        match self.left(change, attribute) {
            // Its value was left to AWS, so it is the stack file that has one now.
            None => false,
            Some(left) if left == hashed(&Value::Null) => {
                member(change.after.as_ref(), attribute) == &Value::Null
            }
            Some(left) => left != hashed(now),
        }
    }

    /// The attributes that are not as they were left, and about which nothing is done.
    pub(super) fn harmless(&self, change: &Change) -> Vec<Noise> {
        let Some(Value::Object(now)) = &change.before else { return Vec::new() };
        let nothing = hashed(&Value::Null);
        let differs = |name: &str| change.differences.iter().any(|d| d.attribute == name);
        let moved = now.iter().filter(|(name, now)| {
            let left = self.left(change, name);
            !differs(name) && left.is_some_and(|left| left != nothing && left != hashed(now))
        });
        let is_computed = |name: &str| {
            let configured = object_type(change.kind()).attribute(name).is_some();
            !configured && computed(change.kind()).iter().any(|computed| computed.name == name)
        };
        moved
            .map(|(name, _)| Noise {
                address: change.address.clone(),
                attribute: name.clone(),
                why: if is_computed(name) { Harmless::ToldByAws } else { Harmless::AsTheStackSays },
            })
            .collect()
    }

    /// The hash of an attribute as it was left.
    fn left(&self, change: &Change, attribute: &str) -> Option<&str> {
        let left = self.objects.get(change.moved_from.as_ref().unwrap_or(&change.address))?;
        left.attributes.get(attribute).map(String::as_str)
    }
}

/// How a change ended, as far as it matters for what is left.
enum Ended {
    With(Left),
    Without,
    AsBefore,
}

fn left(change: &Change, outcome: Option<&Outcome>, report: &Report) -> Ended {
    let id = match (change.action, outcome) {
        (Action::NoOp, _) => change.id.clone(),
        (_, Some(Outcome::Applied { id })) => id.clone(),
        (_, Some(Outcome::Failed(_))) => None,
        (_, Some(Outcome::Skipped { .. } | Outcome::NotStarted) | None) => return Ended::AsBefore,
    };
    match (id, &change.after) {
        (Some(id), Some(Value::Object(after))) => {
            let known = after.iter().filter_map(|(name, value)| {
                let value = report::filled(value, report);
                is_told(change, name, &value).then(|| (name.clone(), hashed(&value)))
            });
            Ended::With(Left { id, attributes: known.collect() })
        }
        _ => Ended::Without,
    }
}

/// Whether the value of an attribute is known after the apply: not if AWS picked it, or a part of it.
fn is_told(change: &Change, name: &str, value: &Value) -> bool {
    let is_made = matches!(change.action, Action::Create | Action::Replace(_));
    let attribute = object_type(change.kind()).attribute(name);
    let is_chosen =
        attribute.is_none_or(|attribute| matches!(attribute.presence, Presence::Chosen));
    let is_left_open = match value {
        Value::Null => is_chosen,
        Value::Object(members) => members.values().any(|member| *member == Value::Null),
        _ => false,
    };
    value.is_known() && !(is_made && is_left_open)
}

/// The hash of a value, regardless of the order of elements.
fn hashed(value: &Value) -> String {
    let whole = hash(&sorted(value));
    let digits = whole.rsplit(':').next().unwrap_or_default();
    digits.chars().take(DIGITS).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(hash);
            Value::List(items)
        }
        Value::Object(members) => {
            // For a reader of attributes an absent member is null.
            let members = members.iter().filter(|(_, member)| **member != Value::Null);
            Value::Object(members.map(|(name, member)| (name.clone(), sorted(member))).collect())
        }
        other => other.clone(),
    }
}
