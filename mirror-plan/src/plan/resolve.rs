//! Resolving: references and templates become values as far as they are known, and sets are put in
//! canonical order, so that desired and observed attributes can be compared.

use std::cmp::Ordering;

use crate::address::Kind;
use crate::attribute::{Attribute, Presence, Problems, Type};
use crate::resource::{Resource, object_type};
use crate::value::{Origin, Part, Secret, Unknown, Value};

/// What is known of the attributes of other resources.
pub(super) trait Known {
    /// The value that the attribute has and will keep; `None` if only an apply can determine it.
    fn look_up(&self, origin: &Origin) -> Option<Value>;
}

/// `resource` in canonical form, with everything filled in that `known` provides.
pub(super) fn resolve(resource: &Resource, known: &impl Known) -> Resource {
    reread(resource.kind(), fill(resource.to_value(), known))
}

/// `resource` in canonical form: sets in order, without repetition.
pub(super) fn canonical(resource: &Resource) -> Resource {
    reread(resource.kind(), resource.to_value())
}

fn reread(kind: Kind, value: Value) -> Resource {
    let value = order(value, &Type::Object(object_type(kind)));
    let mut problems = Problems::default();
    let resource = Resource::read(kind, &value, &mut problems);
    resource.unwrap_or_else(|| {
        panic!("BUG: a resource that was read is not read back: {:?}", problems.into_inner())
    })
}

/// `value` with everything filled in that `known` provides.
pub(super) fn fill(value: Value, known: &impl Known) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Resource(_) => {
            value
        }
        Value::List(items) => {
            Value::List(items.into_iter().map(|item| fill(item, known)).collect())
        }
        Value::Object(mut members) => {
            members.values_mut().for_each(|member| *member = fill(std::mem::take(member), known));
            Value::Object(members)
        }
        Value::Secret(ref secret) => match secret.reveal() {
            Some(inner) if !inner.is_known() => fill(inner.clone(), known).sensitive(),
            _ => value,
        },
        Value::Unknown(unknown) => fill_unknown(unknown, known),
    }
}

fn fill_unknown(unknown: Unknown, known: &impl Known) -> Value {
    let Some(template) = &unknown.template else {
        return Value::Unknown(unknown);
    };
    if let Some(origin) = template.as_attribute() {
        return known.look_up(origin).unwrap_or(Value::Unknown(unknown));
    }
    let parts = template.0.iter().map(|part| match part {
        Part::Text(_) | Part::Secret(_) => part.clone(),
        Part::Attribute(origin) => match known.look_up(origin) {
            None => part.clone(),
            Some(Value::Secret(secret)) => Part::Secret(secret),
            Some(value) => Part::Text(as_text(&value)),
        },
    });
    let template = crate::value::joined(parts);
    match template.fill(|_| None) {
        Ok(text) => match template.cause() {
            Some(cause) => Value::Secret(Secret::text(text).because(cause)),
            None => Value::String(text),
        },
        Err(_) => Value::Unknown(Unknown {
            origins: template.origins().cloned().collect(),
            template: Some(template),
        }),
    }
}

/// A value as a template shows it.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Secret(secret) => secret.reveal_text().unwrap_or_default().to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `value` with the sets in it in canonical order.
fn order(value: Value, as_type: &Type) -> Value {
    match (value, as_type) {
        (Value::List(items), Type::Set(of)) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| order(item, of)).collect();
            items.sort_by(|a, b| compare(a, b, of));
            items.dedup();
            Value::List(items)
        }
        (Value::Object(mut members), Type::Object(object)) => {
            for attribute in object.attributes {
                if let Some(member) = members.get_mut(attribute.name) {
                    *member = order(std::mem::take(member), &attribute.holds);
                }
            }
            Value::Object(members)
        }
        (value, _) => value,
    }
}

/// The order of a set's elements: by the attributes that tell them apart, then by all.
fn compare(a: &Value, b: &Value, of: &Type) -> Ordering {
    let total = |a: &Value, b: &Value| a.partial_cmp(b).expect("no number is NaN");
    let by_key = match (a, b, of) {
        (Value::Object(a), Value::Object(b), Type::Object(object)) => object
            .key
            .iter()
            .map(|name| match (a.get(*name), b.get(*name)) {
                (Some(a), Some(b)) => total(a, b),
                _ => Ordering::Equal,
            })
            .find(|ordering| ordering.is_ne()),
        _ => None,
    };
    by_key.unwrap_or_else(|| total(a, b))
}

/// `desired`, with what it leaves to AWS as it was observed.
pub(super) fn keep_chosen(desired: Resource, observed: &Resource) -> Resource {
    let kind = desired.kind();
    let mut wanted = desired.attributes();
    let is_left_open = |attribute: &&Attribute| {
        matches!(attribute.presence, Presence::Chosen)
            && wanted.get(attribute.name).is_none_or(|value| *value == Value::Null)
    };
    let left_open: Vec<_> = object_type(kind).attributes.iter().filter(is_left_open).collect();
    if left_open.is_empty() {
        return desired;
    }
    let mut before = observed.attributes();
    for attribute in left_open {
        let kept = before.remove(attribute.name).unwrap_or_default();
        wanted.insert(attribute.name.to_owned(), kept);
    }
    reread(kind, Value::Object(wanted))
}
