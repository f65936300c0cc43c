//! States: resources and outputs as they are, or as they will be.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::entry::Entry;
use super::node::{Known, Mark, Mask, Node};
use super::reference::{Ids, Reference};
use super::{STATE_FORMAT, TERRAFORM_VERSION};
use crate::value::Value;

/// Resources and outputs at one time.
pub(super) struct Values<'n> {
    pub(super) outputs: Vec<(&'n str, &'n Value)>,
    pub(super) resources: Vec<StateResource<'n>>,
}

/// A resource at one time.
pub(super) struct StateResource<'n> {
    pub(super) entry: &'n Entry<'n>,
    pub(super) node: &'n Node<'n>,
    /// The ids by which it names others, if it exists already.
    pub(super) ids: Option<&'n Ids<'n>>,
}

impl Values<'_> {
    /// Whether there are no resources and no outputs.
    pub(super) fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.resources.is_empty()
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct RootModule<'v, 'n>(&'v [StateResource<'n>]);

        impl Serialize for RootModule<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let resources = (!self.0.is_empty()).then_some(("resources", self.0));
                serializer.collect_map(resources)
            }
        }

        struct Outputs<'v, 'n>(&'v [(&'n str, &'n Value)]);

        impl Serialize for Outputs<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, value)| (name, Output(value))))
            }
        }

        let mut map = serializer.serialize_map(None)?;
        if !self.outputs.is_empty() {
            map.serialize_entry("outputs", &Outputs(&self.outputs))?;
        }
        map.serialize_entry("root_module", &RootModule(&self.resources))?;
        map.end()
    }
}

impl Serialize for StateResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, node, ids } = self;
        let mut map = serializer.serialize_map(None)?;
        entry.serialize_head(&mut map)?;
        map.serialize_entry("schema_version", &entry.table.schema_version)?;
        map.serialize_entry("values", &Known(*node))?;
        map.serialize_entry("sensitive_values", &Mask(Mark::Sensitive, *node))?;
        if let Some(ids) = ids {
            let mut found = BTreeSet::new();
            ids.collect_in(node, &mut found);
            let others = found.iter().filter(|to| entry.is_part() || to.address != entry.of);
            let blocks: BTreeSet<String> = others.map(Reference::block).collect();
            if !blocks.is_empty() {
                map.serialize_entry("depends_on", &blocks)?;
            }
        }
        if let Some(generation) = entry.deposed {
            map.serialize_entry("deposed_key", &deposed_key(generation))?;
        }
        map.end()
    }
}

/// Terraform's keys of deposed objects are eight hexadecimal digits.
pub(super) fn deposed_key(generation: u32) -> String {
    format!("{generation:08x}")
}

/// The value of an output. An output that is not known has no value.
struct Output<'v>(&'v Value);

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sensitive", &self.0.is_sensitive())?;
        if self.0.is_known() {
            map.serialize_entry("type", &TypeOf(self.0))?;
            map.serialize_entry("value", &Known(self.0))?;
        }
        map.end()
    }
}

/// The type of a value, as Terraform writes types.
struct TypeOf<'v>(&'v Value);

impl Serialize for TypeOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(_) => serializer.serialize_str("bool"),
            Value::Number(_) => serializer.serialize_str("number"),
            // A sensitive value is replaced by its hash.
            Value::String(_) | Value::Resource(_) | Value::Secret(_) => {
                serializer.serialize_str("string")
            }
            Value::Null | Value::Unknown(_) => serializer.serialize_str("dynamic"),
            Value::List(items) => {
                let types: Vec<TypeOf<'_>> = items.iter().map(TypeOf).collect();
                ("tuple", types).serialize(serializer)
            }
            Value::Object(members) => {
                let types: std::collections::BTreeMap<&str, TypeOf<'_>> =
                    members.iter().map(|(name, value)| (name.as_str(), TypeOf(value))).collect();
                ("object", types).serialize(serializer)
            }
        }
    }
}

/// A state as a document of its own.
pub(super) struct State<'s, 'n>(pub(super) &'s Values<'n>);

impl Serialize for State<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format_version", STATE_FORMAT)?;
        map.serialize_entry("terraform_version", TERRAFORM_VERSION)?;
        map.serialize_entry("values", self.0)?;
        map.end()
    }
}
