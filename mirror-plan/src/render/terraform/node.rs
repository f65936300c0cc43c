//! Nodes: the attributes of one resource in the provider's words, and the three ways in which a plan
//! writes them: what is known, what is not, and what is sensitive.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::table::Shape;
use crate::value::Value;

/// An attribute, or several.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'p> {
    /// A value, parts of which may not be known.
    Of(Cow<'p, Value>),
    /// A value that is not known.
    Later(Shape),
    /// Attributes by name.
    Block(Vec<(&'static str, Self)>),
    /// Blocks.
    List(Vec<Self>),
}

impl Node<'_> {
    /// The attribute of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Block(members) => {
                members.iter().find(|(other, _)| *other == name).map(|(_, member)| member)
            }
            Self::Of(_) | Self::Later(_) | Self::List(_) => None,
        }
    }

    fn is_later(&self) -> bool {
        match self {
            Self::Of(value) => is_later(value),
            Self::Later(_) => true,
            Self::Block(_) | Self::List(_) => false,
        }
    }

    /// Whether it is a scalar. A mask only contains those scalars that are true.
    fn is_scalar(&self) -> bool {
        match self {
            Self::Of(value) => !matches!(**value, Value::List(_) | Value::Object(_)),
            Self::Later(shape) => *shape == Shape::Scalar,
            Self::Block(_) | Self::List(_) => false,
        }
    }
}

/// Whether a value as a whole is not known.
fn is_later(value: &Value) -> bool {
    match value {
        Value::Unknown(_) => true,
        Value::Secret(_) => !value.is_known(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Object(_)
        | Value::Resource(_) => false,
    }
}

fn is_sensitive(value: &Value) -> bool {
    match value {
        Value::Secret(_) | Value::Unknown(_) => value.is_sensitive(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Object(_)
        | Value::Resource(_) => false,
    }
}

/// What is known: unknown members are left out, and unknown elements of lists are null. A sensitive value is
/// replaced by its hash.
pub(super) struct Known<'n, T>(pub(super) &'n T);

impl Serialize for Known<'_, Node<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Node::Of(value) => Known(&**value).serialize(serializer),
            Node::Later(_) => serializer.serialize_unit(),
            Node::List(items) => serializer.collect_seq(items.iter().map(Known)),
            Node::Block(members) => {
                let known = members.iter().filter(|(_, member)| !member.is_later());
                serializer.collect_map(known.map(|(name, member)| (name, Known(member))))
            }
        }
    }
}

impl Serialize for Known<'_, Value> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if is_later(value) => serializer.serialize_unit(),
            Value::List(items) => serializer.collect_seq(items.iter().map(Known)),
            Value::Object(members) => {
                let known = members.iter().filter(|(_, member)| !is_later(member));
                serializer.collect_map(known.map(|(name, member)| (name, Known(member))))
            }
            Value::Secret(secret) => serializer.serialize_str(secret.digest()),
            Value::Resource(address) => serializer.collect_str(address),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Unknown(_) => self.0.serialize(serializer),
        }
    }
}

/// Which parts of something a mask marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Those that are not known.
    Later,
    /// Those that are sensitive.
    Sensitive,
}

/// True for each marked part. Scalars that are not marked are left out of objects, and are false in lists.
pub(super) struct Mask<'n, T>(pub(super) Mark, pub(super) &'n T);

impl Mark {
    fn of_value(self, value: &Value) -> bool {
        match self {
            Self::Later => is_later(value),
            Self::Sensitive => is_sensitive(value),
        }
    }

    fn of_node(self, node: &Node<'_>) -> bool {
        match (node, self) {
            (Node::Of(value), _) => self.of_value(value),
            (Node::Later(_), Self::Later) => true,
            (Node::Later(_), Self::Sensitive) | (Node::Block(_) | Node::List(_), _) => false,
        }
    }

    /// Whether a mask has a member for it.
    fn shows_value(self, value: &Value) -> bool {
        matches!(value, Value::List(_) | Value::Object(_)) || self.of_value(value)
    }
}

impl Serialize for Mask<'_, Node<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(mark, node) = *self;
        match node {
            Node::Of(value) => Mask(mark, &**value).serialize(serializer),
            Node::Later(Shape::List) if mark == Mark::Sensitive => {
                serializer.serialize_seq(Some(0))?.end()
            }
            Node::Later(_) => serializer.serialize_bool(mark == Mark::Later),
            Node::List(items) => serializer.collect_seq(items.iter().map(|item| Mask(mark, item))),
            Node::Block(members) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, member) in members {
                    if !member.is_scalar() || mark.of_node(member) {
                        map.serialize_entry(name, &Mask(mark, member))?;
                    }
                }
                map.end()
            }
        }
    }
}

impl Serialize for Mask<'_, Value> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(mark, value) = *self;
        match value {
            Value::List(items) => serializer.collect_seq(items.iter().map(|item| Mask(mark, item))),
            Value::Object(members) => {
                let marked = members.iter().filter(|(_, member)| mark.shows_value(member));
                serializer.collect_map(marked.map(|(name, member)| (name, Mask(mark, member))))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Resource(_)
            | Value::Secret(_)
            | Value::Unknown(_) => serializer.serialize_bool(mark.of_value(value)),
        }
    }
}
