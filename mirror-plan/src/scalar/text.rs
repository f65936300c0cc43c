//! Scalars that are written as text and parsed: their error, and the traits that they all have.

use std::str::FromStr;

use crate::attribute::{ProblemSort, Problems};
use crate::value::{Path, Value};

/// A text that is not of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScalarError(pub(super) String);

/// Parses an attribute that is written as text. A number stands for its digits.
pub(super) fn read_text<T: FromStr<Err = ScalarError>>(
    value: &Value,
    form: &str,
    at: &Path,
    problems: &mut Problems,
) -> Option<T> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) => value.to_string(),
        _ => {
            problems.expected(at, &format!("a string: {form}"), value);
            return None;
        }
    };
    text.parse()
        .map_err(|error: ScalarError| problems.add(ProblemSort::Value, at, error.to_string()))
        .ok()
}

/// Implements attributes that are written as text and parsed. The optional expression after `or`
/// gives the number, if any, that is shown in place of the text.
macro_rules! text_attributes {
    ($($type:ty: $form:literal $(or $number:expr)?;)+) => {$(
        impl $crate::attribute::AttributeType for $type {
            const TYPE: $crate::attribute::Type = $crate::attribute::Type::Text($form);

            fn read(
                value: &$crate::value::Value,
                at: &$crate::value::Path,
                problems: &mut $crate::attribute::Problems,
            ) -> Option<Self> {
                $crate::scalar::text::read_text(value, $form, at, problems)
            }

            fn to_value(&self) -> $crate::value::Value {
                $(
                    if let Some(number) = $number(*self) {
                        return $crate::value::Value::integer(number);
                    }
                )?
                $crate::value::Value::String(self.to_string())
            }
        }
    )+};
}

pub(super) use text_attributes;

/// Serializes attributes in the form that the stack file, plans and JSON show them in.
macro_rules! serde_as_attribute {
    ($($type:ty),+ $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::attribute::AttributeType::to_value(self).serialize(serializer)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <$crate::value::Value as serde::Deserialize>::deserialize(deserializer)?;
                let text = match value {
                    $crate::value::Value::String(text) => text,
                    other => other.to_string(),
                };
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(super) use serde_as_attribute;

/// Implements `Display` for newtypes that are shown as the value inside.
macro_rules! shown_as_inner {
    ($($name:ident),+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}
pub(super) use shown_as_inner;
