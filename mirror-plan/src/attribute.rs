//! Attributes: one table per kind, from which everything else about its attributes follows.
//!
//! `object!` declares a resource (or a part of one, such as a rule) once: fields, types, docs,
//! defaults, and what changing each of them takes. The typed struct, the checks of the stack file,
//! the view as [`Value`]s that is compared and shown, `mirror schema` and the reference are all
//! derived from it.

use std::collections::BTreeMap;

use crate::address::Kind;
use crate::value::{Path, Value};

mod object;
mod problem;
mod reference;

pub(crate) use object::object;
pub use problem::{Problem, ProblemSort, Problems};
pub(crate) use problem::{listed, nearest};
pub use reference::{Input, Ref, Referable};

/// One attribute of a kind or of a part.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name in the stack file, in plans and in JSON.
    pub name: &'static str,
    /// What it means; the reference pages print it.
    pub doc: &'static str,
    /// What it may hold.
    pub holds: Type,
    /// What its absence means.
    pub presence: Presence,
    /// What changing it takes.
    pub on_change: OnChange,
}

/// What an attribute may hold.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number in a range, both ends included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A text of the given form, described for people: `IPv4 range`.
    Text(&'static str),
    /// A text that is shown only as its hash.
    Secret,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A resource of this kind, or its id in quotes.
    Reference(Kind),
    /// Any number of these. AWS keeps no order, so order and repetition do not matter.
    Set(&'static Self),
    /// Texts by name.
    Map,
    /// These attributes.
    Object(&'static ObjectType),
}

/// The attributes of a resource or of a part.
#[derive(Clone, Copy, Debug)]
pub struct ObjectType {
    /// The name shown to people: `VPC`, `filter rule`.
    pub title: &'static str,
    /// What it is for; the reference pages print it.
    pub doc: &'static str,
    /// Its attributes, in the order of the reference.
    pub attributes: &'static [Attribute],
    /// The attributes that tell one part from the others in a set; empty if it takes all of them.
    pub key: &'static [&'static str],
}

impl ObjectType {
    /// The attribute with this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// What the absence of an attribute means.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    /// It must be given.
    Required,
    /// There is no value, and an existing one is removed.
    Optional,
    /// AWS or this tool picks one when the object is created; it is kept from then on.
    Chosen,
    /// This value.
    Default(fn() -> Value),
}

/// What changing an attribute takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// A call on the same object.
    Update,
    /// The instance is stopped, changed and started.
    Restart,
    /// A new object: AWS has no call that changes it.
    Replace,
}

/// A Rust type that can be an attribute.
pub trait AttributeType: Sized {
    /// Its type in the schema.
    const TYPE: Type;

    /// Reads it from a value of the stack file or of a plan. Returns `None` after adding the reason
    /// to `problems`.
    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self>;

    /// The value that [`read`](Self::read) reads back as the same attribute.
    fn to_value(&self) -> Value;
}

impl AttributeType for bool {
    const TYPE: Type = Type::Bool;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Bool(bool) => Some(*bool),
            // Terraform converts these two texts, and variables from the environment are texts.
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => {
                problems.expected(at, "true or false", value);
                None
            }
        }
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl AttributeType for String {
    const TYPE: Type = Type::Text("text");

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => {
                problems.expected(at, "a string", value);
                None
            }
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }
}

impl<T: AttributeType> AttributeType for Option<T> {
    const TYPE: Type = T::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            _ => T::read(value, at, problems).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl<T: AttributeType> AttributeType for Vec<T> {
    const TYPE: Type = Type::Set(&T::TYPE);

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let Value::List(items) = value else {
            problems.expected(at, "a list", value);
            return None;
        };
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| T::read(item, &at.index(index), problems))
            .collect();
        read.into_iter().collect()
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }
}

impl AttributeType for BTreeMap<String, String> {
    const TYPE: Type = Type::Map;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let Value::Object(members) = value else {
            problems.expected(at, "an object of strings", value);
            return None;
        };
        let read: Vec<Option<(String, String)>> = members
            .iter()
            .map(|(name, member)| {
                let text = String::read(member, &at.member(name), problems)?;
                Some((name.clone(), text))
            })
            .collect();
        read.into_iter().collect()
    }

    fn to_value(&self) -> Value {
        let members = self.iter().map(|(name, text)| (name.clone(), Value::String(text.clone())));
        Value::Object(members.collect())
    }
}

/// A struct declared by `object!`.
pub trait Object: AttributeType {
    /// Its attributes.
    const OBJECT: ObjectType;
}
