//! Type constraints of variables, and the conversions to them, as in Terraform.

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::{Expression, ObjectKey};

use super::convert::{to_bool, to_number, to_text};
use super::text::Text;
use crate::attribute::listed;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::value::{Path, Value};

/// What type a variable has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constraint {
    Any,
    Bool,
    List(Box<Self>),
    Map(Box<Self>),
    Number,
    Object(BTreeMap<String, Member>),
    String,
}

/// One member of an `object({ ... })`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    holds: Constraint,
    /// The value if it is left out; without a default, it must be given.
    default: Option<Value>,
}

/// Why a value is not of a type, and where in the value.
#[derive(Debug, PartialEq)]
pub(super) struct Mismatch {
    pub(super) path: Path,
    pub(super) title: String,
}

impl Constraint {
    /// Reads `list(string)` and the like.
    pub(super) fn read(text: &Text, expression: &Expression) -> Result<Self, Diagnostics> {
        match expression {
            Expression::Variable(name) => match name.as_str() {
                "any" => Ok(Self::Any),
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                _ => Err(no_type(text, expression)),
            },
            Expression::FuncCall(call) if call.name.namespace.is_empty() => {
                let (1, Some(inner)) = (call.args.len(), call.args.get(0)) else {
                    return Err(no_type(text, expression));
                };
                match call.name.name.as_str() {
                    "list" => Ok(Self::List(Box::new(Self::read(text, inner)?))),
                    "map" => Ok(Self::Map(Box::new(Self::read(text, inner)?))),
                    "object" => Self::read_object(text, inner),
                    _ => Err(no_type(text, expression)),
                }
            }
            _ => Err(no_type(text, expression)),
        }
    }

    fn read_object(text: &Text, expression: &Expression) -> Result<Self, Diagnostics> {
        let Expression::Object(members) = expression else {
            return Err(no_type(text, expression));
        };
        let (mut types, mut mistakes) = (BTreeMap::new(), Diagnostics::new());
        for (key, member) in members {
            let name = match key {
                ObjectKey::Ident(name) => name.as_str(),
                ObjectKey::Expression(Expression::String(name)) => name.as_str(),
                ObjectKey::Expression(other) => {
                    mistakes.extend(no_type(text, other));
                    continue;
                }
            };
            match Member::read(text, member.expr()) {
                Ok(member) => {
                    types.insert(name.to_owned(), member);
                }
                Err(found) => mistakes.extend(found),
            }
        }
        if mistakes.is_empty() { Ok(Self::Object(types)) } else { Err(mistakes) }
    }

    /// Converts the value to this type.
    pub(super) fn convert(&self, value: Value, at: &Path) -> Result<Value, Mismatch> {
        if value == Value::Null {
            return Ok(value);
        }
        let mismatch = |value: &Value| Mismatch {
            path: at.clone(),
            title: format!("expected {self}, found {}", value.type_name()),
        };
        match (self, value) {
            (Self::Any, value) => Ok(value),
            (Self::Bool, value) => to_bool(&value).map(Value::Bool).ok_or_else(|| mismatch(&value)),
            (Self::Number, value) => {
                to_number(&value).map(Value::Number).ok_or_else(|| mismatch(&value))
            }
            (Self::String, value) => {
                to_text(&value).map(Value::String).ok_or_else(|| mismatch(&value))
            }
            (Self::List(holds), Value::List(items)) => {
                let items = items.into_iter().enumerate();
                let items = items.map(|(index, item)| holds.convert(item, &at.index(index)));
                items.collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Map(holds), Value::Object(members)) => {
                let members = members.into_iter().map(|(name, member)| {
                    let member = holds.convert(member, &at.member(&name))?;
                    Ok((name, member))
                });
                members.collect::<Result<_, _>>().map(Value::Object)
            }
            (Self::Object(types), Value::Object(mut members)) => {
                let members = types.iter().map(|(name, member)| {
                    let at = at.member(name);
                    Ok((name.clone(), member.convert(members.remove(name), &at)?))
                });
                members.collect::<Result<_, _>>().map(Value::Object)
            }
            (Self::List(_) | Self::Map(_) | Self::Object(_), value) => Err(mismatch(&value)),
        }
    }
}

impl Member {
    /// Reads a type, or `optional(type)`, or `optional(type, default)`.
    fn read(text: &Text, expression: &Expression) -> Result<Self, Diagnostics> {
        let optional = match expression {
            Expression::FuncCall(call) if call.name.name.as_str() == "optional" => call,
            _ => return Ok(Self { holds: Constraint::read(text, expression)?, default: None }),
        };
        let holds = match optional.args.get(0) {
            Some(holds) if optional.args.len() <= 2 => Constraint::read(text, holds)?,
            _ => return Err(no_type(text, expression)),
        };
        let default = match optional.args.get(1) {
            None => Value::Null,
            Some(written) => {
                let default = super::constant(text, written)?;
                holds.convert(default, &Path::default()).map_err(|mismatch| {
                    Diagnostic::error(code::WRONG_TYPE, mismatch.title)
                        .at(text.span(written), "the default of the member")
                })?
            }
        };
        Ok(Self { holds, default: Some(default) })
    }

    fn convert(&self, given: Option<Value>, at: &Path) -> Result<Value, Mismatch> {
        match (given, &self.default) {
            (Some(Value::Null) | None, Some(default)) => Ok(default.clone()),
            (Some(value), _) => self.holds.convert(value, at),
            (None, None) => {
                let title = format!("`{at}` is missing");
                Err(Mismatch { path: at.clone(), title })
            }
        }
    }
}

/// As the stack file writes it.
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::List(holds) => write!(f, "list({holds})"),
            Self::Map(holds) => write!(f, "map({holds})"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::Object(members) => {
                f.write_str("object({")?;
                for (position, (name, member)) in members.iter().enumerate() {
                    let comma = if position == 0 { " " } else { ", " };
                    write!(f, "{comma}{name} = {}", member.holds)?;
                }
                f.write_str(" })")
            }
        }
    }
}

fn no_type(text: &Text, expression: &Expression) -> Diagnostics {
    let types = ["string", "number", "bool", "list(T)", "map(T)", "object({ ... })", "any"];
    Diagnostic::error(code::WRONG_TYPE, "this is not a type")
        .at(text.span(expression), "")
        .help(format!("the types are {}", listed(types)))
        .into()
}
