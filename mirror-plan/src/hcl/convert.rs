//! Implicit conversions between the primitive types, as in Terraform.

use crate::value::{Number, Value};

/// The text of a string, number or boolean.
pub(super) fn to_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null
        | Value::List(_)
        | Value::Object(_)
        | Value::Resource(_)
        | Value::Secret(_)
        | Value::Unknown(_) => None,
    }
}

/// Returns a number, or the number that a text contains.
pub(super) fn to_number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A whole number that fits.
pub(super) fn to_whole(value: &Value) -> Option<i64> {
    to_number(value)?.to_i64()
}

/// Returns a boolean, or the boolean that the text `true` or `false` stands for.
pub(super) fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(bool) => Some(*bool),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}
