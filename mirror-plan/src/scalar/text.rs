//! What is written as text and parsed: the error, and the traits that all such types have.

/// A text that is none of the kind it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScalarError(pub(super) String);

/// An attribute that is written as text and parsed.
macro_rules! text_attributes {
    ($($type:ty: $form:literal;)+) => {$(
        impl $crate::attribute::AttributeType for $type {
            const TYPE: $crate::attribute::Type = $crate::attribute::Type::Text($form);

            fn read(value: &$crate::value::Value, at: &$crate::value::Path, problems: &mut $crate::attribute::Problems) -> Option<Self> {
                let text = match value {
                    $crate::value::Value::String(text) => text.clone(),
                    $crate::value::Value::Number(_) => value.to_string(),
                    _ => {
                        problems.expected(at, concat!("a string: ", $form), value);
                        return None;
                    }
                };
                text.parse()
                    .map_err(|error: $crate::scalar::ScalarError| problems.add($crate::attribute::ProblemSort::Value, at, error.to_string()))
                    .ok()
            }

            fn to_value(&self) -> $crate::value::Value {
                $crate::value::Value::String(self.to_string())
            }
        }
    )+};
}

pub(super) use text_attributes;

/// Newtypes shown as the thing inside.
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
