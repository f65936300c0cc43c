//! A stack file made from existing objects: their attributes, with references in place of ids.
//!
//! Read back and adopted, it leaves nothing to do. Attributes with their default values are left
//! out.

use std::collections::BTreeMap;
use std::fmt;

use crate::address::{Address, Name};
use crate::attribute::{Attribute, ObjectType, Presence, Type};
use crate::observed::Found;
use crate::resource::{Resource, object_type, tag};
use crate::scalar::Region;
use crate::stack::shown_name;
use crate::value::Value;

/// A stack file to be written.
#[derive(Clone, Copy, Debug)]
pub struct StackText<'a> {
    /// The name of the stack.
    pub stack: &'a Name,
    /// Where its objects are.
    pub region: &'a Region,
    /// The resources that it should own. Their addresses have no keys: each is a block of its own.
    pub resources: &'a BTreeMap<Address, Found>,
}

impl fmt::Display for StackText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, region, resources } = self;
        writeln!(f, "stack \"{stack}\" {{\n  region = \"{region}\"\n}}")?;
        let owners = Owners::of(resources);
        for (address, found) in *resources {
            writeln!(f, "\n{} \"{}\" {{", address.kind, address.name)?;
            write_attributes(f, &attributes(address, found, &owners))?;
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

/// The objects by their ids.
struct Owners<'a>(BTreeMap<&'a str, &'a Address>);

impl<'a> Owners<'a> {
    fn of(resources: &'a BTreeMap<Address, Found>) -> Self {
        let ids = resources.iter().flat_map(|(address, found)| {
            let interface = found.computed.get("network_interface").and_then(Option::as_deref);
            [Some(found.id.as_str()), interface].into_iter().flatten().map(move |id| (id, address))
        });
        Self(ids.collect())
    }
}

/// The attributes that must be written, by name.
fn attributes(
    address: &Address,
    found: &Found,
    owners: &Owners<'_>,
) -> Vec<(&'static str, String)> {
    let mut resource = found.resource.clone();
    let name = resource.tags().get(tag::NAME);
    if name.is_some_and(|name| *name == shown_name(address)) {
        resource.tags_mut().remove(tag::NAME);
    }
    if let Resource::SecurityGroup(group) = &mut resource {
        group.open_to_world = group.ingress.open_to_world();
    }
    // The current number of instances is left to whatever scales the group.
    if let Resource::AutoscalingGroup(group) = &mut resource {
        group.desired = None;
    }
    said(object_type(address.kind), &resource.attributes())
        .map(|(attribute, value)| (attribute.name, lines(value, &attribute.holds, owners)))
        .collect()
}

/// The attributes of an object that differ from their defaults.
fn said<'v>(
    object: &'static ObjectType,
    members: &'v BTreeMap<String, Value>,
) -> impl Iterator<Item = (&'static Attribute, &'v Value)> {
    object.attributes.iter().filter_map(|attribute| {
        let value = members.get(attribute.name).filter(|value| **value != Value::Null)?;
        let by_itself = match attribute.presence {
            Presence::Default(default) => default() == *value,
            Presence::Required | Presence::Optional | Presence::Chosen => false,
        };
        (!by_itself).then_some((attribute, value))
    })
}

/// A value of an attribute: on one line, unless it is a list of objects or has several members.
fn lines(value: &Value, holds: &Type, owners: &Owners<'_>) -> String {
    match (value, holds) {
        (Value::List(items), Type::Set(of @ Type::Object(_))) if !items.is_empty() => {
            let items = items.iter().map(|item| format!("    {},\n", inline(item, of, owners)));
            format!("[\n{}  ]", items.collect::<String>())
        }
        _ => inline(value, holds, owners),
    }
}

fn inline(value: &Value, holds: &Type, owners: &Owners<'_>) -> String {
    match (value, holds) {
        (Value::String(id), Type::Reference(_)) => match owners.0.get(id.as_str()) {
            Some(address) => address.to_string(),
            None => quoted(id),
        },
        (Value::String(text), _) => quoted(text),
        (Value::Secret(secret), _) => quoted(secret.reveal_text().unwrap_or_default()),
        (Value::List(items), holds) => {
            let of = match holds {
                Type::Set(of) => of,
                other => other,
            };
            let items: Vec<String> = items.iter().map(|item| inline(item, of, owners)).collect();
            format!("[{}]", items.join(", "))
        }
        (Value::Object(members), Type::Object(object)) => {
            let members = said(object, members).map(|(attribute, value)| {
                format!("{} = {}", attribute.name, inline(value, &attribute.holds, owners))
            });
            braced(members.collect())
        }
        (Value::Object(members), _) => {
            let members = members.iter();
            let member = |(key, value): (&String, &Value)| {
                format!("{} = {}", key_text(key), inline(value, holds, owners))
            };
            braced(members.map(member).collect())
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Resource(_)
            | Value::Unknown(_),
            _,
        ) => value.to_string(),
    }
}

fn braced(members: Vec<String>) -> String {
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
}

/// The key of a map, without quotes if it is a word.
pub(super) fn key_text(key: &str) -> String {
    match key.parse::<Name>() {
        Ok(_) => key.to_owned(),
        Err(_) => quoted(key),
    }
}

/// A text in quotes, in which nothing is a template.
pub(super) fn quoted(text: &str) -> String {
    let text = Value::String(text.to_owned()).to_string();
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Writes attributes; the equals signs of adjacent ones are aligned.
fn write_attributes(
    f: &mut fmt::Formatter<'_>,
    attributes: &[(&'static str, String)],
) -> fmt::Result {
    let is_alone = |(_, text): &(&str, String)| text.contains('\n');
    for group in attributes.chunk_by(|one, next| !is_alone(one) && !is_alone(next)) {
        let width = group.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, text) in group {
            writeln!(f, "  {name:width$} = {text}")?;
        }
    }
    Ok(())
}
