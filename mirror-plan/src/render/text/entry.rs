//! What becomes of one value, as a tree that is ready to be laid out.

use std::borrow::Cow;

use super::lines::{self, Line};
use crate::attribute::{ObjectType, Type};
use crate::plan::{PartChange, part_changes};
use crate::value::{KeyText, Value};

/// What happens to a value, a part or a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing.
    Same,
    /// It is added.
    Create,
    /// It changes.
    Update,
    /// It is removed.
    Delete,
}

/// A value before or after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side<'v> {
    /// There is none.
    Nothing,
    /// This one.
    Is(&'v Value),
    /// AWS picks one when the object is created.
    Later,
}

impl<'v> Side<'v> {
    /// A value that may be absent; null is none.
    pub(super) fn of(value: Option<&'v Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Nothing,
            Some(value) => Self::Is(value),
        }
    }

    /// The value on one line.
    fn inline(self) -> String {
        match self {
            Self::Nothing => "null".to_owned(),
            Self::Is(value) => value.to_string(),
            Self::Later => "(known after apply)".to_owned(),
        }
    }
}

/// One `key = value`, or one element of a list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    /// As it is printed; `None` in lists.
    pub(super) key: Option<String>,
    pub(super) body: Body,
    /// What the value becomes, if that is written after it: `-> null`.
    pub(super) becomes: Option<String>,
    pub(super) forces_replacement: bool,
}

/// The value of an [`Entry`].
#[derive(Debug)]
pub(super) enum Body {
    /// On one line.
    Inline(String),
    /// `[` elements `]`.
    List(Parts),
    /// `{` members `}`.
    Object(Parts),
    /// `<<-EOT` lines `EOT`.
    Lines {
        lines: Vec<Line>,
        /// Whether only blanks differ.
        whitespace: bool,
    },
}

/// The entries between brackets.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) shown: Vec<Entry>,
    /// How many unchanged ones are not shown.
    pub(super) hidden: usize,
    /// What they are called.
    pub(super) noun: &'static str,
}

impl Entry {
    /// What becomes of `before`; `None` if there is nothing on either side.
    pub(super) fn between(before: Side<'_>, after: Side<'_>, holds: Option<&Type>) -> Option<Self> {
        match (before, after) {
            (Side::Nothing, Side::Nothing) => None,
            (Side::Nothing, after) => Some(Self::whole(after, Mark::Create, holds)),
            (before, Side::Nothing) => Some(Self {
                becomes: Some("null".to_owned()),
                ..Self::whole(before, Mark::Delete, holds)
            }),
            (before, after) if before == after => Some(Self::whole(before, Mark::Same, holds)),
            (Side::Is(Value::List(old)), Side::Is(Value::List(new))) => match holds {
                Some(Type::Set(of)) => Some(Self::updated(Body::List(elements(old, new, of)))),
                _ => Some(Self::replaced(before, after, holds)),
            },
            (Side::Is(old @ Value::Object(_)), Side::Is(new @ Value::Object(_))) => {
                Some(Self::updated(Body::Object(members(old, new, holds))))
            }
            (Side::Is(Value::String(old)), Side::Is(Value::String(new)))
                if old.contains('\n') || new.contains('\n') =>
            {
                let whitespace = lines::same_but_for_blanks(old, new);
                Some(Self::updated(Body::Lines { lines: lines::changed(old, new), whitespace }))
            }
            (before, after) => Some(Self::replaced(before, after, holds)),
        }
    }

    /// The same under a name.
    pub(super) fn named(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    pub(super) fn is_named(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key)
    }

    /// A value of which every part has the same mark.
    fn whole(value: Side<'_>, mark: Mark, holds: Option<&Type>) -> Self {
        let part = |value, holds| Self::whole(value, mark, holds);
        let body = match value {
            Side::Is(Value::List(items)) if !items.is_empty() => {
                let of = match holds {
                    Some(Type::Set(of)) => Some(*of),
                    _ => None,
                };
                Body::List(Parts::all(items.iter().map(|item| part(Side::Is(item), of)).collect()))
            }
            Side::Is(object @ Value::Object(all)) if !all.is_empty() => {
                let named = member_names(object, object, holds).into_iter();
                let named = named.filter_map(|name| match Side::of(all.get(&*name)) {
                    Side::Is(Value::List(items)) if items.is_empty() => None,
                    Side::Nothing => None,
                    value => {
                        Some(part(value, member_type(holds, &name)).named(&quoted(holds, name)))
                    }
                });
                Body::Object(Parts::all(named.collect()))
            }
            Side::Is(Value::String(text)) if text.contains('\n') => {
                Body::Lines { lines: lines::whole(text), whitespace: false }
            }
            value => Body::Inline(value.inline()),
        };
        Self { mark, key: None, body, becomes: None, forces_replacement: false }
    }

    /// A value that is replaced by another one as a whole.
    fn replaced(before: Side<'_>, after: Side<'_>, holds: Option<&Type>) -> Self {
        Self {
            becomes: Some(after.inline()),
            mark: Mark::Update,
            ..Self::whole(before, Mark::Delete, holds)
        }
    }

    fn updated(body: Body) -> Self {
        Self { mark: Mark::Update, key: None, body, becomes: None, forces_replacement: false }
    }
}

impl Parts {
    fn all(shown: Vec<Entry>) -> Self {
        Self { shown, hidden: 0, noun: "element" }
    }
}

/// What becomes of the elements of a set.
fn elements(before: &[Value], after: &[Value], of: &Type) -> Parts {
    let mut parts = Parts::all(Vec::new());
    for change in part_changes(before, after, of) {
        let entry = match change {
            PartChange::Kept(_) => {
                parts.hidden += 1;
                continue;
            }
            PartChange::Added(new) => Entry::whole(Side::Is(new), Mark::Create, Some(of)),
            PartChange::Removed(old) => Entry::whole(Side::Is(old), Mark::Delete, Some(of)),
            PartChange::Changed { before, after } => {
                let (before, after) = (Side::Is(before), Side::Is(after));
                Entry::between(before, after, Some(of)).expect("two values are not nothing")
            }
        };
        parts.shown.push(entry);
    }
    parts
}

/// What becomes of the members of an object or a map.
fn members(before: &Value, after: &Value, holds: Option<&Type>) -> Parts {
    let keys = object_type(holds).map_or(&[][..], |object| object.key);
    let noun = if object_type(holds).is_some() { "attribute" } else { "element" };
    let mut parts = Parts { shown: Vec::new(), hidden: 0, noun };
    for name in member_names(before, after, holds) {
        let (old, new) = (side(before, &name), side(after, &name));
        let Some(entry) = Entry::between(old, new, member_type(holds, &name)) else {
            continue;
        };
        if entry.mark == Mark::Same && !keys.contains(&&*name) {
            parts.hidden += 1;
        } else {
            parts.shown.push(entry.named(&quoted(holds, name)));
        }
    }
    parts
}

fn side<'v>(object: &'v Value, name: &str) -> Side<'v> {
    match object {
        Value::Object(members) => Side::of(members.get(name)),
        _ => Side::Nothing,
    }
}

/// The names of all members of two objects: in the order of the reference, unknown ones last.
fn member_names<'v>(
    before: &'v Value,
    after: &'v Value,
    holds: Option<&Type>,
) -> Vec<Cow<'v, str>> {
    let declared = object_type(holds).map_or(&[][..], |object| object.attributes);
    let mut names: Vec<Cow<'v, str>> =
        declared.iter().map(|attribute| Cow::Borrowed(attribute.name)).collect();
    let mut others = Vec::new();
    for object in [before, after] {
        if let Value::Object(members) = object {
            others.extend(members.keys().map(|name| Cow::Borrowed(name.as_str())));
        }
    }
    others.retain(|name| !names.contains(name));
    others.sort();
    others.dedup();
    names.append(&mut others);
    names
}

fn object_type(holds: Option<&Type>) -> Option<&'static ObjectType> {
    match holds {
        Some(Type::Object(object)) => Some(*object),
        _ => None,
    }
}

fn member_type(holds: Option<&Type>, name: &str) -> Option<&'static Type> {
    Some(&object_type(holds)?.attribute(name)?.holds)
}

/// A member's name as it is printed, in quotes for the keys of a map, which are the user's texts.
fn quoted(holds: Option<&Type>, name: Cow<'_, str>) -> String {
    match holds {
        Some(Type::Map) => Value::String(name.into_owned()).to_string(),
        _ => KeyText(&name).to_string(),
    }
}
