//! Functions of texts, and conversions between text and other types.

use super::{Wrong, list_at, text_at};
use crate::hcl::convert::{to_number, to_text};
use crate::hcl::evaluate::template::Pieces;
use crate::value::Value;

/// Joins what is known, and what waits for apply as a template.
pub(super) fn join(arguments: &[Value]) -> Result<Value, Wrong> {
    let separator = text_at(arguments, 0)?;
    let mut pieces = Vec::new();
    for index in 1..arguments.len() {
        for item in list_at(arguments, index)? {
            if !pieces.is_empty() {
                pieces.push(Pieces::text(separator.clone()));
            }
            pieces.push(Pieces::of(item).ok_or_else(|| {
                let found = item.type_name();
                Wrong::at(index, format!("the elements must be strings, but one is {found}"))
            })?);
        }
    }
    Ok(Pieces::joined(pieces).into_value())
}

pub(super) fn split(arguments: &[Value]) -> Result<Value, Wrong> {
    let (separator, text) = (text_at(arguments, 0)?, text_at(arguments, 1)?);
    let pieces: Vec<Value> = if separator.is_empty() {
        text.chars().map(|c| Value::String(c.to_string())).collect()
    } else {
        text.split(&separator).map(|piece| Value::String(piece.to_owned())).collect()
    };
    Ok(Value::List(pieces))
}

pub(super) fn tostring(arguments: &[Value]) -> Result<Value, Wrong> {
    match &arguments[0] {
        Value::Null => Ok(Value::Null),
        value => to_text(value)
            .map(Value::String)
            .ok_or_else(|| Wrong::expected(0, "a string, number or boolean", value)),
    }
}

pub(super) fn tonumber(arguments: &[Value]) -> Result<Value, Wrong> {
    match &arguments[0] {
        Value::Null => Ok(Value::Null),
        value => to_number(value).map(Value::Number).ok_or_else(|| match value {
            Value::String(text) => Wrong::at(0, format!("`{text}` is not a number")),
            other => Wrong::expected(0, "a number, or a string of digits", other),
        }),
    }
}

pub(super) fn jsondecode(arguments: &[Value]) -> Result<Value, Wrong> {
    let text = text_at(arguments, 0)?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Wrong::at(0, format!("this is not JSON: {error}")))?;
    match inexact(&json) {
        Some(number) => {
            Err(Wrong::at(0, format!("{number} is too large: whole numbers must be below 2^64")))
        }
        None => Ok(json.into()),
    }
}

/// From here on, JSON's whole numbers are read as doubles: 2^63.
const FAR: f64 = 9_223_372_036_854_775_808.0;

/// The first number that would be read as another one.
fn inexact(json: &serde_json::Value) -> Option<&serde_json::Number> {
    use serde_json::Value as Json;
    match json {
        Json::Number(number) => {
            let is_far = |double: f64| double.abs() >= FAR;
            (number.is_f64() && number.as_f64().is_none_or(is_far)).then_some(number)
        }
        Json::Array(items) => items.iter().find_map(inexact),
        Json::Object(members) => members.values().find_map(inexact),
        Json::Null | Json::Bool(_) | Json::String(_) => None,
    }
}
