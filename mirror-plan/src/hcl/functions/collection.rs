//! Functions of lists and objects.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Wrong, list_at, object_at, text_at};
use crate::value::{Unknown, Value};

pub(super) fn concat(arguments: &[Value]) -> Result<Value, Wrong> {
    let mut all = Vec::new();
    for index in 0..arguments.len() {
        all.extend_from_slice(list_at(arguments, index)?);
    }
    Ok(Value::List(all))
}

pub(super) fn merge(arguments: &[Value]) -> Result<Value, Wrong> {
    let mut all = BTreeMap::new();
    for (index, argument) in arguments.iter().enumerate() {
        if *argument != Value::Null {
            all.extend(object_at(arguments, index)?.clone());
        }
    }
    Ok(Value::Object(all))
}

pub(super) fn lookup(arguments: &[Value]) -> Result<Value, Wrong> {
    // An unknown default makes no difference to a member that is there.
    if let Some(unknown) = unknown(&arguments[..2]) {
        return Ok(unknown);
    }
    let members = object_at(arguments, 0)?;
    let name = text_at(arguments, 1)?;
    members
        .get(&name)
        .or_else(|| arguments.get(2))
        .cloned()
        .ok_or_else(|| Wrong::at(1, format!("there is no member `{name}`, and no default")))
}

pub(super) fn length(arguments: &[Value]) -> Result<Value, Wrong> {
    let length = match &arguments[0] {
        Value::List(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.graphemes(true).count(),
        other => return Err(Wrong::expected(0, "a list, an object or a string", other)),
    };
    let length = u32::try_from(length).map_err(|_| Wrong::at(0, "it is too long"))?;
    Ok(Value::integer(length))
}

pub(super) fn contains(arguments: &[Value]) -> Result<Value, Wrong> {
    let (list, wanted) = (&arguments[0], &arguments[1]);
    if let Some(unknown) = unknown(std::slice::from_ref(list)) {
        return Ok(unknown);
    }
    let items = list_at(arguments, 0)?;
    if *wanted == Value::Null {
        return Err(Wrong::expected(1, "a value to look for", wanted));
    }
    // What is known to be in the list is in it, whatever the other elements turn out to be.
    let is_in = wanted.is_known() && items.contains(wanted);
    if is_in || wanted.is_known() && list.is_known() {
        return Ok(Value::Bool(is_in));
    }
    Ok(Value::Unknown(Unknown::computed([list, wanted])))
}

/// What is computed from arguments of which one is unknown as a whole.
fn unknown(arguments: &[Value]) -> Option<Value> {
    let any = arguments.iter().any(|argument| matches!(argument, Value::Unknown(_)));
    any.then(|| Value::Unknown(Unknown::computed(arguments)))
}

pub(super) fn keys(arguments: &[Value]) -> Result<Value, Wrong> {
    let names = object_at(arguments, 0)?.keys().cloned();
    Ok(Value::List(names.map(Value::String).collect()))
}

pub(super) fn values(arguments: &[Value]) -> Result<Value, Wrong> {
    Ok(Value::List(object_at(arguments, 0)?.values().cloned().collect()))
}
