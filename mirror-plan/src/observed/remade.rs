//! Stacks that would make what was observed, so that a rehearsal can begin with it.

use std::collections::BTreeMap;

use super::{Found, Observed};
use crate::address::{Address, Kind, Name};
use crate::attribute::Problems;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resource::Resource;
use crate::stack::{Declared, Stack};
use crate::value::{Secret, Value};

/// Stands for user data of which only the hash is known.
const UNKNOWN_USER_DATA: &str = "#!/bin/sh\n# not known to the rehearsal\n";

impl Observed {
    /// The objects that the stack owns, each as it stands for its address now.
    #[must_use]
    pub fn current_objects(&self) -> BTreeMap<&Address, &Found> {
        let addresses = self.owned.keys();
        addresses.filter_map(|address| Some((address, self.current(address)?))).collect()
    }
}

/// The stack `name` that would make `objects` in an empty account: with the attributes that were seen, and
/// with references among them in place of ids.
///
/// User data that is not known is that which `stack` has for the object, if it has the same hash; else
/// something stands for it.
///
/// # Errors
/// If an object cannot be declared as it was seen.
pub fn remade(
    name: Name,
    objects: &BTreeMap<&Address, &Found>,
    stack: &Stack,
) -> Result<Stack, Diagnostics> {
    let names = names(objects);
    let mut builder = Stack::builder(name);
    let mut wrong = Diagnostics::new();
    for (address, found) in objects {
        let mut value = found.resource.to_value();
        refer(&mut value, &names);
        reveal(&mut value, address, stack);
        let mut problems = Problems::default();
        match Resource::read(address.kind, &value, &mut problems) {
            Some(resource) => {
                builder.declare((*address).clone(), Declared { resource, place: None });
            }
            None => wrong.push(
                Diagnostic::error(code::FILE, "what is there cannot be made again").of(address),
            ),
        }
    }
    let ((), _) = wrong.unless_errors(())?;
    builder.build().map(|(stack, _warnings)| stack)
}

/// Whose each id is. The primary interface of an instance is referred to as the instance.
fn names(objects: &BTreeMap<&Address, &Found>) -> BTreeMap<String, Address> {
    let mut names = BTreeMap::new();
    for (address, found) in objects {
        names.insert(found.id.to_string(), (*address).clone());
        if address.kind == Kind::Instance
            && let Some(Some(interface)) = found.computed.get("network_interface")
        {
            names.insert(interface.clone(), (*address).clone());
        }
    }
    names
}

/// Puts references in the place of ids.
fn refer(value: &mut Value, names: &BTreeMap<String, Address>) {
    match value {
        Value::String(text) => {
            if let Some(address) = names.get(text) {
                *value = Value::Resource(address.clone());
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| refer(item, names)),
        Value::Object(members) => members.values_mut().for_each(|it| refer(it, names)),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Resource(_)
        | Value::Unknown(_)
        | Value::Secret(_) => {}
    }
}

/// Puts what is behind it into a secret of which only the hash is known.
fn reveal(value: &mut Value, address: &Address, stack: &Stack) {
    let Value::Object(members) = value else { return };
    let declared = stack.resources.get(address).map(|declared| declared.resource.to_value());
    for (name, member) in members {
        let Value::Secret(secret) = member else { continue };
        if secret.reveal().is_some() {
            continue;
        }
        let known = match &declared {
            Some(Value::Object(declared)) => declared.get(name),
            _ => None,
        };
        *member = match known {
            Some(Value::Secret(known)) if known == secret => Value::Secret(known.clone()),
            _ => Value::Secret(Secret::text(UNKNOWN_USER_DATA)),
        };
    }
}
