//! Differences: which attributes of an object are not as they should be.

use serde::{Deserialize, Serialize};

use crate::attribute::{OnChange, Type};
use crate::resource::{Resource, object_type};
use crate::value::Value;

/// An attribute that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its name.
    pub attribute: String,
    /// Whether it takes a new object to change it.
    pub forces_replacement: bool,
}

/// The attributes in which `after` differs from `before`, in the order of the schema.
pub(super) fn differences(
    before: &Resource,
    after: &Resource,
    replaces_also: &[&str],
) -> Vec<Difference> {
    if before == after {
        return Vec::new(); // most resources have not changed
    }
    let object = object_type(after.kind());
    let (before, after) = (before.attributes(), after.attributes());
    object
        .attributes
        .iter()
        .filter(|attribute| before.get(attribute.name) != after.get(attribute.name))
        .map(|attribute| Difference {
            attribute: attribute.name.to_owned(),
            forces_replacement: attribute.on_change == OnChange::Replace
                || replaces_also.contains(&attribute.name),
        })
        .collect()
}

/// What happens to one element of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PartChange<'v> {
    /// It stays as it is.
    Kept(&'v Value),
    /// It is new.
    Added(&'v Value),
    /// It is removed.
    Removed(&'v Value),
    /// Its key stays, but something else in it changes.
    Changed {
        /// As it is.
        before: &'v Value,
        /// As it will be.
        after: &'v Value,
    },
}

/// Matches the elements of two sets: by the attributes that tell them apart if there are any, otherwise
/// by equality.
///
/// Removed elements are placed where they were, added ones where they will be.
#[must_use]
pub fn part_changes<'v>(before: &'v [Value], after: &'v [Value], of: &Type) -> Vec<PartChange<'v>> {
    let same = |a: &Value, b: &Value| key(a, of) == key(b, of);
    let mut changes: Vec<PartChange<'v>> = Vec::new();
    let mut added = after.iter().filter(|new| !before.iter().any(|old| same(old, new))).peekable();
    for old in before {
        // Both are sorted, so a new element is put before the first element that is greater.
        while let Some(new) = added.next_if(|new| {
            key(new, of).partial_cmp(&key(old, of)).is_some_and(std::cmp::Ordering::is_lt)
        }) {
            changes.push(PartChange::Added(new));
        }
        changes.push(match after.iter().find(|new| same(old, new)) {
            None => PartChange::Removed(old),
            Some(new) if new == old => PartChange::Kept(old),
            Some(new) => PartChange::Changed { before: old, after: new },
        });
    }
    changes.extend(added.map(PartChange::Added));
    changes
}

/// What tells an element from the others.
fn key<'v>(value: &'v Value, of: &Type) -> Vec<Option<&'v Value>> {
    match (value, of) {
        (Value::Object(members), Type::Object(object)) if !object.key.is_empty() => {
            object.key.iter().map(|name| members.get(*name)).collect()
        }
        (value, _) => vec![Some(value)],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::resource::mirror_filter;

    /// A set of rules by number, each with something that may differ.
    fn rules() -> impl Strategy<Value = Vec<Value>> {
        proptest::collection::btree_map(0..6_i64, 0..3_i64, 0..6).prop_map(|rules| {
            let rule = |(number, port): (i64, i64)| {
                Value::Object(BTreeMap::from([
                    ("direction".to_owned(), Value::String("ingress".to_owned())),
                    ("number".to_owned(), Value::integer(number)),
                    ("port".to_owned(), Value::integer(port)),
                ]))
            };
            rules.into_iter().map(rule).collect()
        })
    }

    proptest! {
        #[test]
        fn the_changes_of_a_set_lead_from_what_is_to_what_will_be(
            before in rules(),
            after in rules(),
        ) {
            let of = <mirror_filter::RuleDeclaration as crate::attribute::AttributeType>::TYPE;
            let (mut was, mut becomes) = (Vec::new(), Vec::new());
            for change in part_changes(&before, &after, &of) {
                match change {
                    PartChange::Kept(part) => {
                        was.push(part.clone());
                        becomes.push(part.clone());
                    }
                    PartChange::Added(part) => becomes.push(part.clone()),
                    PartChange::Removed(part) => was.push(part.clone()),
                    PartChange::Changed { before, after } => {
                        prop_assert_ne!(before, after);
                        was.push(before.clone());
                        becomes.push(after.clone());
                    }
                }
            }
            prop_assert_eq!(was, before);
            prop_assert_eq!(becomes, after);
        }
    }
}
