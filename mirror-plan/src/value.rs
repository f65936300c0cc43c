//! Values: what an attribute holds, known or not yet.
//!
//! One dynamic type serves the evaluator of the stack file, the differ, the renderers and JSON. A value
//! that only an apply can determine is a [`Value::Unknown`], which records where it will come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::{Address, Name};

mod number;
mod secret;

pub use number::{Number, NumberError};
pub use secret::{Cause, Secret};

/// A value of the stack file or of an attribute.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
pub enum Value {
    /// Explicitly absent.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// Values in order. An attribute that AWS keeps as a set is kept sorted.
    List(Vec<Self>),
    /// Values by name.
    Object(BTreeMap<String, Self>),
    /// A whole resource, as in `vpc = vpc.lab`.
    Resource(Address),
    /// A value that is shown only as its hash.
    Secret(Secret),
    /// Not known until some resource has been read or created.
    Unknown(Unknown),
}

/// One attribute of one resource: `vpc.lab.id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The resource.
    pub address: Address,
    /// The name of its attribute.
    pub attribute: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.address, self.attribute)
    }
}

/// A value that depends on attributes that are not known yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// The attributes that it waits for: the edges of the graph. Never empty.
    pub origins: BTreeSet<Origin>,
    /// How to build it once they are known; `None` if that takes more than joining text.
    pub template: Option<Template>,
}

impl Unknown {
    /// The value of one attribute.
    #[must_use]
    pub fn attribute(origin: Origin) -> Self {
        Self {
            origins: BTreeSet::from([origin.clone()]),
            template: Some(Template(vec![Part::Attribute(origin)])),
        }
    }

    /// Something computed from unknown values.
    ///
    /// # Panics
    /// If no value in `values` is or contains an unknown one: then the result is known.
    #[must_use]
    pub fn computed<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut origins = BTreeSet::new();
        for value in values {
            value.collect_origins(&mut origins);
        }
        assert!(!origins.is_empty(), "BUG: a value computed from known values is known");
        Self { origins, template: None }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("known after apply: ")?;
        for (position, origin) in self.origins.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{origin}")?;
        }
        Ok(())
    }
}

/// A text with holes for attributes: `ssh ec2-user@${instance.web.public_ip}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub Vec<Part>);

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Literal text.
    Text(String),
    /// A text that is shown only as its hash.
    Secret(Secret),
    /// The value of an attribute, as text.
    Attribute(Origin),
}

impl Template {
    /// The attribute, if the template consists of nothing else.
    #[must_use]
    pub fn as_attribute(&self) -> Option<&Origin> {
        match self.0.as_slice() {
            [Part::Attribute(origin)] => Some(origin),
            _ => None,
        }
    }

    /// The attributes in it.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter().filter_map(|part| match part {
            Part::Attribute(origin) => Some(origin),
            Part::Text(_) | Part::Secret(_) => None,
        })
    }

    /// Whether a part of it is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Secret(_)))
    }

    /// Why it is hidden, if a part of it is a secret: the strongest of the reasons.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        let causes = self.0.iter().filter_map(|part| match part {
            Part::Secret(secret) => Some(secret.cause()),
            Part::Text(_) | Part::Attribute(_) => None,
        });
        causes.max()
    }

    /// The same template, with every text in it turned into a secret.
    #[must_use]
    pub fn hidden(&self, cause: Cause) -> Self {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Part::Secret(Secret::text(text.clone()).because(cause)),
            other => other.clone(),
        });
        Self(parts.collect())
    }

    /// The text, with the attributes filled in by `look_up`.
    ///
    /// The secrets in it are in plain form; [`is_sensitive`](Self::is_sensitive) reports whether there
    /// are any.
    ///
    /// # Errors
    /// The first attribute that is still unknown, or the first secret of which only the hash is known.
    pub fn fill(&self, look_up: impl Fn(&Origin) -> Option<String>) -> Result<String, &Part> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Secret(secret) => text.push_str(secret.reveal_text().ok_or(part)?),
                Part::Attribute(origin) => text.push_str(&look_up(origin).ok_or(part)?),
            }
        }
        Ok(text)
    }
}

impl Value {
    /// An integer.
    #[must_use]
    pub fn integer(number: impl Into<i64>) -> Self {
        Self::Number(number.into().into())
    }

    /// The name of the type, as shown to people: `a number`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Resource(_) => "a resource",
            Self::Secret(_) => "a sensitive value",
            Self::Unknown(_) => "a value known after apply",
        }
    }

    /// Whether nothing in it is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Resource(_) => {
                true
            }
            Self::List(items) => items.iter().all(Self::is_known),
            Self::Object(members) => members.values().all(Self::is_known),
            Self::Secret(secret) => secret.reveal().is_none_or(Self::is_known),
            Self::Unknown(_) => false,
        }
    }

    /// Whether any part of it is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Resource(_) => {
                false
            }
            Self::List(items) => items.iter().any(Self::is_sensitive),
            Self::Object(members) => members.values().any(Self::is_sensitive),
            Self::Secret(_) => true,
            Self::Unknown(unknown) => unknown.template.as_ref().is_some_and(Template::is_sensitive),
        }
    }

    /// The value as a secret. `Null` stays `Null`: the absence of a value is not a secret.
    #[must_use]
    pub fn sensitive(self) -> Self {
        match self {
            Self::Null | Self::Secret(_) => self,
            other => Self::Secret(Secret::new(other.revealed())),
        }
    }

    /// The value with no part marked as a secret, for callers that mark what they derive from it.
    pub(crate) fn revealed(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::revealed).collect()),
            Self::Object(members) => Self::Object(
                members.into_iter().map(|(name, member)| (name, member.revealed())).collect(),
            ),
            Self::Secret(secret) => match secret.reveal() {
                Some(value) => value.clone().revealed(),
                None => Self::Secret(secret),
            },
            Self::Unknown(Unknown { origins, template: Some(template) }) => {
                let parts = template.0.into_iter().map(|part| match part {
                    Part::Secret(secret) => match secret.reveal_text() {
                        Some(text) => Part::Text(text.to_owned()),
                        None => Part::Secret(secret),
                    },
                    other => other,
                });
                Self::Unknown(Unknown { origins, template: Some(joined(parts)) })
            }
            plain => plain,
        }
    }

    /// Adds the attributes that its unknown parts wait for to `origins`.
    pub fn collect_origins(&self, origins: &mut BTreeSet<Origin>) {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Resource(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.collect_origins(origins)),
            Self::Object(members) => {
                members.values().for_each(|member| member.collect_origins(origins));
            }
            Self::Secret(secret) => {
                secret.reveal().into_iter().for_each(|value| value.collect_origins(origins));
            }
            Self::Unknown(unknown) => origins.extend(unknown.origins.iter().cloned()),
        }
    }

    /// The value as JSON; a resource as its address, an unknown value and a secret as `null`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Secret(_) | Self::Unknown(_) => serde_json::Value::Null,
            Self::Bool(bool) => (*bool).into(),
            Self::Number(number) => number.into(),
            Self::String(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
            Self::Resource(address) => address.to_string().into(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(bool) => Self::Bool(bool),
            serde_json::Value::Number(number) => {
                Self::Number((&number).try_into().expect("every double is in range"))
            }
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(members) => Self::Object(
                members.into_iter().map(|(name, value)| (name, Self::from(value))).collect(),
            ),
        }
    }
}

/// The value at `path` in `value`, if there is one.
#[must_use]
pub fn value_at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.0.iter().try_fold(value, |value, segment| match (value, segment) {
        (Value::List(items), Segment::Index(index)) => items.get(*index),
        (Value::Object(members), Segment::Member(name)) => members.get(name),
        _ => None,
    })
}

/// Joins `parts` into a template: adjacent texts become one, and empty texts are left out.
#[must_use]
pub fn joined(parts: impl IntoIterator<Item = Part>) -> Template {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, Part::Text(text)) if text.is_empty() => {}
            (_, part) => joined.push(part),
        }
    }
    Template(joined)
}

/// As JSON. A value that JSON cannot express is an object with one member: `$unknown`, `$resource` or
/// `$sensitive`. A map of the user's with one such member gets a second `$` in front of its key.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(number) => serde_json::Value::from(number).serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => match only_member(members) {
                Some((key, value)) if key.starts_with('$') => {
                    serializer.collect_map([(format!("${key}"), value)])
                }
                _ => serializer.collect_map(members),
            },
            Self::Resource(address) => serializer.collect_map([(RESOURCE, address.to_string())]),
            Self::Secret(secret) => secret.serialize(serializer),
            Self::Unknown(unknown) => serializer.collect_map([(UNKNOWN, unknown)]),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Self::from(serde_json::Value::deserialize(deserializer)?);
        value.revive().map_err(serde::de::Error::custom)?;
        Ok(value)
    }
}

/// The member of an object that has no others.
fn only_member(members: &BTreeMap<String, Value>) -> Option<(&String, &Value)> {
    members.first_key_value().filter(|_| members.len() == 1)
}

const RESOURCE: &str = "$resource";
const UNKNOWN: &str = "$unknown";

impl Value {
    /// Turns the marked objects in its JSON back into the values they stand for.
    fn revive(&mut self) -> Result<(), String> {
        match self {
            Self::List(items) => items.iter_mut().try_for_each(Self::revive),
            Self::Object(members) => match only_member(members) {
                Some((mark, Self::String(text))) if mark == RESOURCE => {
                    let address = text.parse::<Address>().map_err(|error| error.to_string())?;
                    *self = Self::Resource(address);
                    Ok(())
                }
                Some((mark, Self::String(digest))) if mark == secret::SENSITIVE => {
                    *self = Self::Secret(secret::Hidden::try_from(digest.as_str())?.0);
                    Ok(())
                }
                Some((mark, inner @ Self::Object(_))) if mark == UNKNOWN => {
                    let unknown = serde_json::from_value(inner.to_json());
                    *self = Self::Unknown(unknown.map_err(|error| error.to_string())?);
                    Ok(())
                }
                Some((escaped, value)) if escaped.starts_with("$$") => {
                    let (key, mut value) = (escaped[1..].to_owned(), value.clone());
                    value.revive()?;
                    *members = BTreeMap::from([(key, value)]);
                    Ok(())
                }
                _ => members.values_mut().try_for_each(Self::revive),
            },
            _ => Ok(()),
        }
    }
}

/// As the stack file would write it, on one line; an unknown value as `(known after apply: ...)`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write_quoted(f, text),
            Self::Resource(address) => write!(f, "{address}"),
            Self::Secret(secret) => write!(f, "{secret}"),
            Self::Unknown(unknown) => write!(f, "({unknown})"),
            Self::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) if members.is_empty() => f.write_str("{}"),
            Self::Object(members) => {
                f.write_str("{ ")?;
                for (position, (name, value)) in members.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    write!(f, "{comma}{} = {value}", KeyText(name))?;
                }
                f.write_str(" }")
            }
        }
    }
}

/// The key of an object, in quotes unless it is a word: it may be any text, and look like another line.
pub(crate) struct KeyText<'k>(pub(crate) &'k str);

impl fmt::Display for KeyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key) = self;
        if key.parse::<Name>().is_ok() { f.write_str(key) } else { write_quoted(f, key) }
    }
}

/// Writes `text` in quotes, escaping what would break out of them or of the line.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if is_invisible(c) => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Whether the character is invisible to a reader, or makes others appear elsewhere: controls,
/// Unicode's direction marks and zero-width characters. All are below U+10000.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// A place within a value: `rules[2].port`. Empty for the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The n-th element of a list, from 0.
    Index(usize),
    /// A member of an object.
    Member(String),
}

impl Path {
    /// The path to a member of what this one leads to.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.joined(Segment::Member(name.to_owned()))
    }

    /// The path to an element of what this one leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.joined(Segment::Index(index))
    }

    fn joined(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Member(name) if position == 0 => f.write_str(name)?,
                Segment::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_more_than_a_key() {
        let value = |key: &str| Value::Object([(key.to_owned(), Value::Bool(true))].into());
        for (key, shown) in [
            ("a-b_1", "{ a-b_1 = true }"),
            ("10.0.0.0/24", "{ \"10.0.0.0/24\" = true }"),
            ("b c", "{ \"b c\" = true }"),
            ("x\nPlan: 0 to add", "{ \"x\\nPlan: 0 to add\" = true }"),
            ("", "{ \"\" = true }"),
        ] {
            assert_eq!(value(key).to_string(), shown);
        }
    }

    #[test]
    fn a_map_of_the_users_is_not_taken_for_a_mark() {
        for key in ["$resource", "$sensitive", "$unknown", "$", "$$resource", "resource"] {
            let inner =
                Value::Object([(key.to_owned(), Value::String("vpc.lab".to_owned()))].into());
            let value = Value::Object([(key.to_owned(), inner)].into());
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
        }
        let reference = Value::Resource("vpc.lab".parse().unwrap());
        let json = serde_json::to_string(&reference).unwrap();
        assert_eq!(json, r#"{"$resource":"vpc.lab"}"#);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), reference);
    }
}
