//! What an apply has learned, and what one call adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::Address;
use crate::attribute::Input;
use crate::id::{Id, Identified, ObjectId};
use crate::observed::{ComputedValue, Found};
use crate::resource::Operation;
use crate::value::{Origin, Template, Value};

/// The attributes of resources that are known so far, and which objects were seen.
#[derive(Clone, Debug, Default)]
pub struct Known {
    attributes: BTreeMap<Origin, ComputedValue>,
    seen: Arc<BTreeSet<String>>,
}

impl Known {
    /// Returns a value that knows nothing but the ids of objects that were seen.
    #[must_use]
    pub fn seen(seen: Arc<BTreeSet<String>>) -> Self {
        Self { attributes: BTreeMap::new(), seen }
    }

    /// Returns whether a call names an existing object: one that this run created or that was seen.
    ///
    /// If AWS does not find such an object, AWS is late: Elastic Load Balancing may not see for a while what EC2
    /// already shows.
    #[must_use]
    pub fn is_named_by(&self, operation: &Operation) -> bool {
        let names = || serde_json::to_value(operation).expect("operations have texts for keys");
        !operation.needs().is_empty() || self.mentions_seen(&names())
    }

    fn mentions_seen(&self, value: &serde_json::Value) -> bool {
        use serde_json::Value as Json;
        match value {
            Json::String(text) => self.seen.contains(text),
            Json::Array(items) => items.iter().any(|item| self.mentions_seen(item)),
            Json::Object(members) => members.values().any(|member| self.mentions_seen(member)),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }

    /// Adds one attribute.
    pub fn insert(&mut self, origin: Origin, value: impl Into<ComputedValue>) {
        self.attributes.insert(origin, value.into());
    }

    /// Returns the value of an attribute: `None` if it is not known, `Some(None)` if it has no value.
    #[must_use]
    pub fn get(&self, origin: &Origin) -> Option<Option<&str>> {
        self.attributes.get(origin).map(Option::as_deref)
    }

    /// Adds what was observed: every attribute that has a text.
    pub fn add_found(&mut self, address: &Address, found: &Found) {
        for (attribute, value) in found.resource.attributes() {
            let text = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => continue,
            };
            self.insert(Origin { address: address.clone(), attribute }, text);
        }
        self.add_computed(address, &found.computed);
    }

    /// Adds what a call has created.
    pub fn add_made(&mut self, address: &Address, made: &Made) {
        self.add_computed(address, &made.computed);
    }

    /// Returns the operation as it is sent, with everything filled in that is known.
    ///
    /// The result is the same whether the objects that it refers to were created in this run or found.
    #[must_use]
    pub fn fill(&self, operation: &Operation) -> serde_json::Value {
        let operation = operation.clone().with_secrets(|input| match input {
            Input::Known(secret) => Input::Known(secret),
            // The hash of the whole text, as if all of it had been known from the beginning.
            Input::Later(template) => template
                .fill(|origin| self.get(origin)?.map(str::to_owned))
                .map_or_else(|_| Input::Later(template.clone()), |text| Input::Known(text.into())),
        });
        let operation = serde_json::to_value(operation).expect("operations have texts for keys");
        self.filled(operation)
    }

    fn filled(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value as Json;
        match value {
            Json::Object(members) => {
                let only = if members.len() == 1 { members.iter().next() } else { None };
                if let Some(filled) = only.and_then(|(key, value)| self.filled_in(key, value)) {
                    return filled;
                }
                let members = members.into_iter().map(|(key, value)| (key, self.filled(value)));
                Json::Object(members.collect())
            }
            Json::Array(items) => {
                let mut items: Vec<Json> =
                    items.into_iter().map(|item| self.filled(item)).collect();
                // References are always a set, whose order depends on what was known of them.
                if items.iter().all(|item| item.get("id").is_some()) {
                    items.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
                }
                Json::Array(items)
            }
            plain => plain,
        }
    }

    /// Returns the value of a reference or a template, if this is one and all of it is known.
    fn filled_in(&self, key: &str, value: &serde_json::Value) -> Option<serde_json::Value> {
        match key {
            "to" => {
                let origin: Origin = serde_json::from_value(value.clone()).ok()?;
                Some(serde_json::json!({ "id": self.get(&origin)?? }))
            }
            "later" => {
                let template: Template = serde_json::from_value(value.clone()).ok()?;
                let text = template.fill(|origin| self.get(origin)?.map(str::to_owned)).ok()?;
                Some(serde_json::json!({ "known": text }))
            }
            _ => None,
        }
    }

    fn add_computed(&mut self, address: &Address, computed: &BTreeMap<String, ComputedValue>) {
        for (attribute, value) in computed {
            let origin = Origin { address: address.clone(), attribute: attribute.clone() };
            self.insert(origin, value.clone());
        }
    }
}

/// What a call has created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The object, if the call creates one.
    pub id: Option<ObjectId>,
    /// What AWS has reported about it: the computed attributes, and those that AWS or this tool chose.
    pub computed: BTreeMap<String, ComputedValue>,
    /// The part that the call creates, by its key as in [`Found::parts`].
    pub parts: BTreeMap<String, ObjectId>,
}

impl Made {
    /// Returns a value for a call that creates nothing with an id.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// Returns a value for an object.
    pub(super) fn object<T: Identified>(id: &Id<T>) -> Self {
        Self { id: Some(id.erase()), ..Self::default() }.with("id", Some(id.to_string()))
    }

    /// Returns a value for a part of an object.
    pub(super) fn part<T: Identified>(key: impl ToString, id: &Id<T>) -> Self {
        Self { parts: BTreeMap::from([(key.to_string(), id.erase())]), ..Self::default() }
    }

    /// Adds what a later call about the same object has returned.
    pub fn absorb(&mut self, later: Self) {
        let Self { id, computed, parts } = later;
        self.id = id.or_else(|| self.id.take());
        self.computed.extend(computed);
        self.parts.extend(parts);
    }

    /// Adds an attribute.
    pub(super) fn with(mut self, attribute: &str, value: ComputedValue) -> Self {
        self.computed.insert(attribute.to_owned(), value);
        self
    }
}

/// A token that makes a repeat of a call recognizable: AWS carries out the same call with the same token only once.
///
/// Source: EC2 API developer guide, "Ensuring idempotency": up to 64 ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// The greatest length, in bytes.
    pub const LONGEST: usize = 64;

    /// Returns the token, unless it is empty, too long or contains anything but visible ASCII characters.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = (1..=Self::LONGEST).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_graphic())).then_some(Self(text))
    }

    /// Returns a token that has never been used before, as far as 128 random bits go.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", fastrand::u128(..)))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
