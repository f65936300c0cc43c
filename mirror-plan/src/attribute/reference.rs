//! References and deferred values: what an attribute may hold besides plain values.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize, Serializer};

use super::{AttributeType, ProblemSort, Problems, Type};
use crate::address::{Address, Kind};
use crate::id::{Id, IdError, Identified};
use crate::value::{Cause, Origin, Path, Template, Unknown, Value};

/// A value that may depend on what apply creates: a description with the name of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input<T> {
    /// Known now.
    Known(T),
    /// Filled in when the attributes in it are known.
    Later(Template),
}

impl<T> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: AttributeType> AttributeType for Input<T> {
    const TYPE: Type = T::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let hides = matches!(T::TYPE, Type::Secret);
        match value {
            Value::Secret(secret) if !value.is_known() && hides => match secret.reveal() {
                Some(Value::Unknown(Unknown { template: Some(template), .. })) => {
                    Some(Self::Later(template.hidden(secret.cause())))
                }
                inner => Self::read(inner.unwrap_or(&Value::Null), at, problems),
            },
            Value::Unknown(Unknown { template: Some(template), .. }) if hides => {
                Some(Self::Later(template.hidden(Cause::UserData)))
            }
            _ if value.is_sensitive() && !hides => {
                problems.sensitive(at);
                None
            }
            Value::Unknown(Unknown { template: Some(template), .. }) => {
                Some(Self::Later(template.clone()))
            }
            Value::Unknown(unknown) => {
                problems.add_with_help(
                    ProblemSort::Unknown,
                    at,
                    format!("this is computed from a value that is {unknown}"),
                    "only plain references and templates (\"${...}\") may wait for apply",
                );
                None
            }
            known => T::read(known, at, problems).map(Self::Known),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Known(value) => value.to_value(),
            Self::Later(template) => Value::Unknown(Unknown {
                origins: template.origins().cloned().collect(),
                template: Some(template.clone()),
            }),
        }
    }
}

/// What a [`Ref`] can point at.
pub trait Referable: Identified {
    /// The kind of resource that provides it.
    const KIND: Kind;
    /// The attribute of that resource that holds the id.
    const ATTRIBUTE: &'static str = "id";
}

/// A reference to a `T`: by address if it is in this stack, by id if it is not.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written", bound = "")]
pub enum Ref<T: Referable> {
    /// A resource of this stack.
    To(Address),
    /// An object that exists already.
    Id(Id<T>),
}

// A derived order would require an order of what is referred to.
impl<T: Referable> Ord for Ref<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::To(a), Self::To(b)) => a.cmp(b),
            (Self::To(_), Self::Id(_)) => Ordering::Less,
            (Self::Id(_), Self::To(_)) => Ordering::Greater,
            (Self::Id(a), Self::Id(b)) => a.as_str().cmp(b.as_str()),
        }
    }
}

impl<T: Referable> PartialOrd for Ref<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Referable> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Referable> Eq for Ref<T> {}

/// A reference as written in a plan: with the attribute, which a reader of the JSON could not know
/// otherwise.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    To(Origin),
    Id(String),
}

impl<T: Referable> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::To(address) => {
                Written::To(Origin { address: address.clone(), attribute: T::ATTRIBUTE.to_owned() })
            }
            Self::Id(id) => Written::Id(id.to_string()),
        };
        written.serialize(serializer)
    }
}

impl<T: Referable> TryFrom<Written> for Ref<T> {
    type Error = IdError;

    fn try_from(written: Written) -> Result<Self, IdError> {
        match written {
            Written::To(Origin { address, attribute: _ }) => Ok(Self::To(address)),
            Written::Id(id) => id.parse().map(Self::Id),
        }
    }
}

impl<T: Referable> Ref<T> {
    /// The attribute that it stands for, if it refers to a resource of this stack.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::To(address) => {
                Some(Origin { address: address.clone(), attribute: T::ATTRIBUTE.to_owned() })
            }
            Self::Id(_) => None,
        }
    }

    fn to_address(address: &Address, at: &Path, problems: &mut Problems) -> Option<Self> {
        if address.kind == T::KIND {
            return Some(Self::To(address.clone()));
        }
        let (wanted, found) = (T::KIND, address.kind.title());
        problems.add(
            ProblemSort::Type,
            at,
            format!("expected a `{wanted}`, found the {found} `{address}`"),
        );
        None
    }
}

impl<T: Referable> AttributeType for Ref<T> {
    const TYPE: Type = Type::Reference(T::KIND);

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Resource(address) => Self::to_address(address, at, problems),
            Value::String(text) => match text.parse() {
                Ok(id) => Some(Self::Id(id)),
                Err(error) => {
                    problems.add(ProblemSort::Value, at, error.to_string());
                    None
                }
            },
            Value::Unknown(Unknown { template: Some(template), .. }) => {
                match template.as_attribute() {
                    Some(origin)
                        if origin.attribute == T::ATTRIBUTE || origin.attribute == "id" =>
                    {
                        Self::to_address(&origin.address, at, problems)
                    }
                    _ => {
                        problems.expected(at, "a reference", value);
                        None
                    }
                }
            }
            _ => {
                let expected = format!("a reference to a `{}` or its id in quotes", T::KIND);
                problems.expected(at, &expected, value);
                None
            }
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Id(id) => Value::String(id.to_string()),
            Self::To(address) => Value::Unknown(Unknown::attribute(Origin {
                address: address.clone(),
                attribute: T::ATTRIBUTE.to_owned(),
            })),
        }
    }
}
