//! Implicit conversions between the primitive types, as in Terraform.

use crate::value::Value;

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
pub(super) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        // Rust also reads `inf` and `nan`, which are not numbers here.
        Value::String(text) if !text.contains(['i', 'I', 'n', 'N']) => {
            text.parse().ok().filter(|number: &f64| is_exact(*number))
        }
        _ => None,
    }
}

/// Whether a number that is written somewhere is the one that is meant: from 2^53 on, some integers are read as their
/// neighbors.
pub(super) fn is_exact(number: f64) -> bool {
    number.is_finite() && (number.fract() != 0.0 || number.abs() < EXACT)
}

const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53

/// A whole number that fits.
pub(super) fn to_whole(value: &Value) -> Option<i64> {
    let number = to_number(value)?;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "an integer within 2^53")]
    Some(number as i64)
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

/// The number, if arithmetic has led to one; never minus zero.
pub(super) fn number(result: f64) -> Option<Value> {
    result.is_finite().then_some(Value::Number(result + 0.0))
}
