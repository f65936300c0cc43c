//! Retagging: what makes the tags of an object match those of its resource.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Tags, tag};
use crate::address::Address;

/// A change of tags on an object: which to set, which to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retag {
    /// Tags to set, new or with another value.
    pub set: Tags,
    /// Keys to remove.
    pub remove: BTreeSet<String>,
}

impl Retag {
    /// Returns the same with the address of the object.
    #[must_use]
    pub fn with_address(mut self, address: &Address) -> Self {
        self.set.insert(tag::ADDRESS.to_owned(), address.to_string());
        self
    }

    /// Returns the change from `observed` to `desired`; `None` if they are equal.
    #[must_use]
    pub fn between(desired: &Tags, observed: &Tags) -> Option<Self> {
        let set: Tags = desired
            .iter()
            .filter(|(key, value)| observed.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let remove: BTreeSet<String> =
            observed.keys().filter(|key| !desired.contains_key(*key)).cloned().collect();
        (!set.is_empty() || !remove.is_empty()).then_some(Self { set, remove })
    }
}
