//! Changes: what happens to resources and outputs.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::entry::Entry;
use super::node::{Known, Mark, Mask, Node};
use super::state::deposed_key;
use crate::plan::{Action, OutputChange};
use crate::resource::ReplaceOrder;
use crate::value::Value;

/// A member of `resource_changes`.
pub(super) struct ResourceChange<'n>(pub(super) &'n Entry<'n>);

impl Serialize for ResourceChange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut map = serializer.serialize_map(None)?;
        entry.serialize_head(&mut map)?;
        if let Some(generation) = entry.deposed {
            map.serialize_entry("deposed", &deposed_key(generation))?;
        }
        if let Some(previous) = entry.previous_address() {
            map.serialize_entry("previous_address", &previous)?;
        }
        map.serialize_entry("change", &Body(entry))?;
        if let Some(reason) = entry.reason {
            map.serialize_entry("action_reason", reason)?;
        }
        map.end()
    }
}

/// Terraform's words for an action.
pub(super) const fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp | Action::Move => &["no-op"],
        Action::Create => &["create"],
        Action::Update => &["update"],
        Action::Delete => &["delete"],
        Action::Replace(ReplaceOrder::CreateThenDelete) => &["create", "delete"],
        Action::Replace(ReplaceOrder::DeleteThenCreate) => &["delete", "create"],
    }
}

struct Body<'n>(&'n Entry<'n>);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entry { action, replaced_for, before, after, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("actions", actions(*action))?;
        map.serialize_entry("before", &before.as_ref().map(Known))?;
        map.serialize_entry("after", &after.as_ref().map(Known))?;
        match after {
            Some(after) => map.serialize_entry("after_unknown", &Mask(Mark::Later, after))?,
            None => map.serialize_entry("after_unknown", &Empty)?,
        }
        map.serialize_entry("before_sensitive", &Sensitive(before.as_ref()))?;
        map.serialize_entry("after_sensitive", &Sensitive(after.as_ref()))?;
        if !replaced_for.is_empty() {
            let paths: Vec<[&str; 1]> = replaced_for.iter().map(|name| [*name]).collect();
            map.serialize_entry("replace_paths", &paths)?;
        }
        map.end()
    }
}

struct Empty;

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

struct Sensitive<'n>(Option<&'n Node<'n>>);

impl Serialize for Sensitive<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(node) => Mask(Mark::Sensitive, node).serialize(serializer),
            None => serializer.serialize_bool(false),
        }
    }
}

/// A member of `output_changes`.
pub(super) struct OutputBody<'n>(pub(super) &'n OutputChange);

impl Serialize for OutputBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let OutputChange { before, after } = self.0;
        let action = match (before, after) {
            (None, None) => Action::NoOp,
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if before == after => Action::NoOp,
            (Some(_), Some(_)) => Action::Update,
        };
        let is_sensitive = |side: &Option<Value>| side.as_ref().is_some_and(Value::is_sensitive);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("actions", actions(action))?;
        map.serialize_entry("before", &before.as_ref().map(Known))?;
        match after {
            // A value of which nothing is known is left out.
            Some(Value::Unknown(_)) => {}
            Some(value) if matches!(value, Value::Secret(_)) && !value.is_known() => {}
            _ => map.serialize_entry("after", &after.as_ref().map(Known))?,
        }
        match after {
            Some(value) => map.serialize_entry("after_unknown", &Mask(Mark::Later, value))?,
            None => map.serialize_entry("after_unknown", &false)?,
        }
        map.serialize_entry("before_sensitive", &is_sensitive(before))?;
        map.serialize_entry("after_sensitive", &is_sensitive(after))?;
        map.end()
    }
}
