//! The attributes of a change, one per line.

use std::collections::BTreeSet;

use super::text::{self, NONE};
use crate::attribute::{ObjectType, Presence, Type};
use crate::plan::{Action, Change, PartChange, part_changes};
use crate::resource::object_type;
use crate::value::{Unknown, Value};

/// The text for a value that is picked when the object is created.
const CHOSEN: &str = "(chosen by AWS)";

/// The lines of a change, without their indent.
pub(super) struct Lines(pub(super) Vec<String>);

/// A value before or after.
#[derive(Clone, Copy, PartialEq)]
enum Side<'v> {
    Nothing,
    Is(&'v Value),
    /// AWS picks one when the object is created.
    Chosen,
}

/// Where a value is.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: &'p str,
    holds: Option<&'p Type>,
}

/// Whether there was an object before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// There was none: only what will be is written.
    Whole,
    /// There was one: what was and what will be are written.
    Difference,
}

impl Lines {
    pub(super) fn of(change: &Change) -> Self {
        let form = if change.action == Action::Create { Form::Whole } else { Form::Difference };
        let mut lines = Self(Vec::new());
        let object = object_type(change.kind());
        let mut attributes: Vec<_> = object.attributes.iter().collect();
        attributes.sort_by_key(|attribute| attribute.name);
        for attribute in attributes {
            let before = Side::of(member(change.before.as_ref(), attribute.name));
            let after = match Side::of(member(change.after.as_ref(), attribute.name)) {
                Side::Nothing if is_chosen(change, attribute.presence) => Side::Chosen,
                Side::Is(Value::Unknown(unknown)) if is_own(unknown, change, attribute.name) => {
                    Side::Chosen
                }
                side => side,
            };
            let from = lines.0.len();
            let place = Place { path: attribute.name, holds: Some(&attribute.holds) };
            lines.between(place, (before, after), form);
            let forces = change.differences.iter().any(|difference| {
                difference.attribute == attribute.name && difference.forces_replacement
            });
            if forces && let Some(first) = lines.0.get_mut(from) {
                first.push_str(" (takes a new object)");
            }
        }
        lines
    }

    fn between(&mut self, place: Place<'_>, (before, after): (Side<'_>, Side<'_>), form: Form) {
        if before == after {
            return;
        }
        match place.holds {
            Some(Type::Set(of)) if before.is_list() && after.is_list() => {
                self.elements(place.path, (before.items(), after.items()), (of, form));
            }
            // A reference may be a map with one for each zone.
            Some(Type::Object(_) | Type::Map | Type::Reference(_))
                if before.is_object() && after.is_object() =>
            {
                self.members(place, (before, after), form);
            }
            _ => self.value(place.path, (before, after), form),
        }
    }

    /// A value that has no parts.
    fn value(&mut self, path: &str, (before, after): (Side<'_>, Side<'_>), form: Form) {
        let texts = (before.long_text(), after.long_text());
        let line = match (form, texts) {
            (Form::Whole, (_, Some(text))) => {
                self.0.push(format!("{path} = text"));
                return self.0.extend(text::whole(&text));
            }
            (Form::Difference, (was, now))
                if (was.is_some() || now.is_some()) && before.is_text() && after.is_text() =>
            {
                let side = |text: Option<String>, side: Side<'_>| {
                    text.or_else(|| side.text()).unwrap_or_default()
                };
                self.0.push(format!("{path} = text, changed"));
                return self.0.extend(text::changed(&side(was, before), &side(now, after)));
            }
            (Form::Whole, _) => format!("{path} = {}", after.inline()),
            (Form::Difference, _) => format!("{path} = {} -> {}", before.inline(), after.inline()),
        };
        self.0.push(line);
    }

    fn elements(
        &mut self,
        path: &str,
        (before, after): (&[Value], &[Value]),
        (of, form): (&Type, Form),
    ) {
        let (comes, goes) = match form {
            Form::Whole => ("has", "has no more"),
            Form::Difference => ("gains", "loses"),
        };
        for change in part_changes(before, after, of) {
            let (old, new) = match change {
                PartChange::Kept(_) => continue,
                PartChange::Added(new) => (Side::Nothing, Side::Is(new)),
                PartChange::Removed(old) => (Side::Is(old), Side::Nothing),
                PartChange::Changed { before, after } => (Side::Is(before), Side::Is(after)),
            };
            match (old, new, of) {
                (_, Side::Is(one), Type::Object(object))
                | (Side::Is(one), _, Type::Object(object))
                    if !object.key.is_empty() =>
                {
                    let path = format!("{path}[{}]", key(one, object));
                    self.members(Place { path: &path, holds: Some(of) }, (old, new), form);
                }
                (Side::Nothing, new, _) => self.0.push(format!("{path} {comes} {}", new.inline())),
                (old, _, _) => self.0.push(format!("{path} {goes} {}", old.inline())),
            }
        }
    }

    fn members(&mut self, place: Place<'_>, (before, after): (Side<'_>, Side<'_>), form: Form) {
        let object = match place.holds {
            Some(Type::Object(object)) => Some(*object),
            _ => None,
        };
        let names: BTreeSet<&String> = [before, after].into_iter().flat_map(Side::names).collect();
        let from = self.0.len();
        // What distinguishes it from others is in its path already; if there is nothing else, it is
        // written all the same.
        let (keys, others): (Vec<&String>, Vec<&String>) = names
            .into_iter()
            .partition(|name| object.is_some_and(|object| object.key.contains(&name.as_str())));
        for name in others.into_iter().chain(keys.iter().copied()) {
            if keys.contains(&name) && self.0.len() > from {
                break;
            }
            let path = match object {
                Some(_) => format!("{}.{name}", place.path),
                None => format!("{}[{}]", place.path, text::quoted(name)),
            };
            let holds = object.and_then(|object| object.attribute(name)).map(|a| &a.holds);
            let sides = (before.member(name), after.member(name));
            self.between(Place { path: &path, holds }, sides, form);
        }
    }
}

impl<'v> Side<'v> {
    /// A value that may be absent. To a reader of attributes an empty list is none.
    fn of(value: Option<&'v Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Nothing,
            Some(Value::List(items)) if items.is_empty() => Self::Nothing,
            Some(Value::Object(members)) if members.is_empty() => Self::Nothing,
            Some(value) => Self::Is(value),
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Self::Nothing | Self::Is(Value::List(_)))
    }

    fn is_object(self) -> bool {
        matches!(self, Self::Nothing | Self::Is(Value::Object(_)))
    }

    fn is_text(self) -> bool {
        self.text().is_some()
    }

    fn items(self) -> &'v [Value] {
        match self {
            Self::Is(Value::List(items)) => items,
            Self::Nothing | Self::Chosen | Self::Is(_) => &[],
        }
    }

    fn names(self) -> impl Iterator<Item = &'v String> {
        let members = match self {
            Self::Is(Value::Object(members)) => Some(members),
            Self::Nothing | Self::Chosen | Self::Is(_) => None,
        };
        members.into_iter().flat_map(|members| members.keys())
    }

    fn member(self, name: &str) -> Self {
        match self {
            Self::Is(object @ Value::Object(_)) => Self::of(member(Some(object), name)),
            Self::Nothing | Self::Chosen | Self::Is(_) => Self::Nothing,
        }
    }

    /// The text of the value, with `${...}` for what is not known.
    fn text(self) -> Option<String> {
        match self {
            Self::Is(value) => text::template(value),
            Self::Nothing | Self::Chosen => None,
        }
    }

    /// The same, if it has several lines.
    fn long_text(self) -> Option<String> {
        self.text().filter(|text| text.contains('\n'))
    }

    fn inline(self) -> String {
        match self {
            Self::Nothing => NONE.to_owned(),
            Self::Is(value) => text::inline(value),
            Self::Chosen => CHOSEN.to_owned(),
        }
    }
}

fn member<'v>(object: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    match object {
        Some(Value::Object(members)) => members.get(name),
        _ => None,
    }
}

/// Whether AWS or this tool picks the value when the object is created.
fn is_chosen(change: &Change, presence: Presence) -> bool {
    matches!(change.action, Action::Create | Action::Replace(_))
        && matches!(presence, Presence::Chosen)
}

/// Whether a value waits for nothing but itself.
fn is_own(unknown: &Unknown, change: &Change, attribute: &str) -> bool {
    let mut origins = unknown.origins.iter();
    origins.all(|origin| origin.address == change.address && origin.attribute == attribute)
}

/// What distinguishes a part from the others: `ingress 100`.
fn key(part: &Value, object: &ObjectType) -> String {
    let names = object.key.iter().filter_map(|name| member(Some(part), name));
    names.map(text::word).collect::<Vec<_>>().join(" ")
}
