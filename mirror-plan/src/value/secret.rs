//! Secrets: values that are used in plain form but shown only as their hash.
//!
//! In text, in JSON, in a saved plan and under `{:?}`, a secret appears only as its hash. The value
//! behind it goes to AWS and nowhere else. Two secrets are equal if their hashes are, so a saved
//! plan can be compared and applied although it contains no secrets.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;
use crate::attribute::{AttributeType, Problems, Type};
use crate::hash::{hash, hash_bytes};
use crate::value::Path;

/// The key that marks a secret in JSON.
pub(super) const SENSITIVE: &str = "$sensitive";

/// How many hexadecimal digits of a hash are shown to people.
const SHOWN: usize = 8;

/// Why a value is hidden; the stronger reason is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It is user data, which may hold anything: shown only to someone who asks for exactly that.
    UserData,
    /// It is derived from what the stack marks as sensitive: shown to nobody.
    Sensitive,
}

/// A value that is shown only as its hash: `(sensitive, sha256:1a2b3c4d...)`.
///
/// The hash of a text is that of its bytes, as `sha256sum` prints it. It reveals whether two
/// secrets are the same, so a short secret can be guessed from it.
#[derive(Clone)]
pub struct Secret {
    /// `sha256:` and 64 hexadecimal digits.
    digest: String,
    /// The value behind it; `None` if it was read back from a form that holds only the hash.
    value: Option<Arc<Value>>,
    cause: Cause,
}

impl Secret {
    /// Hides a value that is [sensitive](Cause::Sensitive).
    #[must_use]
    pub fn new(value: Value) -> Self {
        let digest = match &value {
            Value::String(text) => hash_bytes(text.as_bytes()),
            other => hash(other),
        };
        Self { digest, value: Some(Arc::new(value)), cause: Cause::Sensitive }
    }

    /// Hides a text that is [sensitive](Cause::Sensitive).
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Value::String(text.into()))
    }

    /// Hides [user data](Cause::UserData).
    #[must_use]
    pub fn user_data(text: impl Into<String>) -> Self {
        Self::text(text).because(Cause::UserData)
    }

    /// The same secret, hidden for another reason.
    #[must_use]
    pub(crate) fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// Why it is hidden.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// The hash: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The value behind it; `None` if only the hash is known.
    #[must_use]
    pub fn reveal(&self) -> Option<&Value> {
        self.value.as_deref()
    }

    /// The text behind it; `None` if only the hash is known, or if it is not a text.
    #[must_use]
    pub fn reveal_text(&self) -> Option<&str> {
        match self.reveal()? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// As user data: no other attribute of a resource accepts a secret.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::user_data(text)
    }
}

/// As user data: no other attribute of a resource accepts a secret.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::user_data(text)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = "sha256:".len() + SHOWN;
        write!(f, "(sensitive, {}...)", &self.digest[..shown])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Secret {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digest.cmp(&other.digest)
    }
}

/// As an object with one member: `{"$sensitive": "sha256:..."}`.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(SENSITIVE, &self.digest)])
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Secret(secret) => Ok(secret),
            other => Err(D::Error::custom(format!("expected a hash, found {}", other.type_name()))),
        }
    }
}

/// Parses the hash that stands for a secret in a plan.
impl TryFrom<&str> for Hidden {
    type Error = String;

    fn try_from(digest: &str) -> Result<Self, String> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let digits = digest.strip_prefix("sha256:").map(str::as_bytes).unwrap_or_default();
        if digits.len() != 64 || !digits.iter().all(|b| is_digit(*b)) {
            return Err("a hash is `sha256:` and 64 hexadecimal digits".to_owned());
        }
        Ok(Self(Secret { digest: digest.to_owned(), value: None, cause: Cause::Sensitive }))
    }
}

/// A secret of which only the hash is known.
pub(super) struct Hidden(pub(super) Secret);

/// A text. Numbers and booleans stand for their text, as elsewhere.
impl AttributeType for Secret {
    const TYPE: Type = Type::Secret;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Secret(secret) => match secret.reveal() {
                // A text, or one that was a text when its hash was taken.
                Some(Value::String(_)) | None => Some(secret.clone()),
                Some(inner) => Some(Self::read(inner, at, problems)?.because(secret.cause)),
            },
            Value::String(text) => Some(Self::user_data(text.clone())),
            Value::Number(_) | Value::Bool(_) => Some(Self::user_data(value.to_string())),
            _ => {
                problems.expected(at, "a string", value);
                None
            }
        }
    }

    fn to_value(&self) -> Value {
        Value::Secret(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "correct horse battery staple";

    #[test]
    fn a_secret_is_shown_as_its_hash_in_every_form() {
        let secret = Secret::text(CANARY);
        let value = Value::Object([("password".to_owned(), Value::Secret(secret.clone()))].into());
        let json = serde_json::to_string(&value).unwrap();
        let forms = [
            format!("{secret} {secret:?} {value} {value:?}"),
            json.clone(),
            value.to_json().to_string(),
        ];
        assert!(forms.iter().all(|form| !form.contains(CANARY)), "{forms:?}");
        // The digits are what `printf 'correct horse battery staple' | sha256sum` prints.
        insta::assert_snapshot!(
            format!("{value}\n{json}"),
            @r#"
        { password = (sensitive, sha256:c4bbcb1f...) }
        {"password":{"$sensitive":"sha256:c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a"}}
        "#
        );
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back, value);
        let Value::Object(members) = back else { panic!("{back:?}") };
        assert!(matches!(&members["password"], Value::Secret(hidden) if hidden.reveal().is_none()));
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
        for wrong in ["", "sha256:", "sha256:zz", CANARY] {
            let json = serde_json::json!({ SENSITIVE: wrong });
            assert!(serde_json::from_value::<Value>(json).is_err(), "{wrong}");
        }
    }
}
