//! Stacks that would create what was observed, so that a rehearsal can start from it.

use std::collections::BTreeMap;

use super::stand_in::{self, StandIn, There};
use super::{Found, Interface, Observed};
use crate::address::{Address, Kind, Name};
use crate::attribute::Problems;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resource::Resource;
use crate::scalar::Ami;
use crate::stack::{Declared, Stack};
use crate::value::{Secret, Value};

/// Stands in for user data of which only the hash is known.
const UNKNOWN_USER_DATA: &str = "#!/bin/sh\n# not known to the rehearsal\n";

impl Observed {
    /// Returns the objects that the stack owns, one for each address: the current one.
    #[must_use]
    pub fn current_objects(&self) -> BTreeMap<&Address, &Found> {
        let addresses = self.owned.keys();
        addresses.filter_map(|address| Some((address, self.current(address)?))).collect()
    }
}

impl Observed {
    /// Returns what would have been observed if everything belonged to one account, as in
    /// [`Stack::in_one_account`].
    #[must_use]
    pub fn in_one_account(mut self) -> Self {
        self.accounts.clear();
        let owned = self.owned.values_mut().flatten();
        owned.for_each(|found| found.resource.forget_other_accounts());
        self
    }
}

/// What was observed and is to be recreated.
#[derive(Clone, Debug, Default)]
pub struct Seen<'o> {
    /// The objects, each with the address that it gets.
    pub objects: BTreeMap<&'o Address, &'o Found>,
    /// Interfaces of others, whose VPCs, subnets and groups have to exist.
    pub interfaces: Vec<&'o Interface>,
    /// The objects that were created before and have the ids that were seen.
    pub before: BTreeMap<&'o Address, &'o Found>,
}

/// A stack that makes what was observed.
#[derive(Clone, Debug)]
pub struct Remade {
    /// The stack.
    pub stack: Stack,
    /// The resources that stand in for objects of which only the ids were seen, with those ids.
    pub stand_ins: BTreeMap<Address, String>,
}

/// Returns the stack `name` that would create what was seen, in an account that holds nothing but what was created
/// before: with the attributes that were seen, and with references among the objects instead of ids. Subnets, groups
/// and VPCs that the objects refer to but nobody has seen get stand-ins, and so do images, which differ between
/// accounts. There are no key pairs, since nobody logs in to a rehearsal.
///
/// User data of which only the hash is known is taken from `stack` if the object has the same hash there; otherwise
/// it gets a stand-in.
///
/// # Errors
/// If an object cannot be declared as it was seen.
pub fn remade(name: Name, seen: &Seen<'_>, stack: &Stack) -> Result<Remade, Diagnostics> {
    let Seen { objects, interfaces, before } = seen;
    let mut names = names(objects);
    let mut stand_ins = BTreeMap::new();
    let mut all = Vec::new();
    let there = There { names: &names, before };
    for StandIn { address, attributes, id } in stand_in::stand_ins(objects, interfaces, &there) {
        if let Some(id) = id {
            names.insert(id.clone(), address.clone());
            stand_ins.insert(address.clone(), id);
        }
        all.push((address, attributes));
    }
    for (address, found) in objects {
        let mut value = found.resource.to_value();
        reveal(&mut value, address, stack);
        all.push(((*address).clone(), value));
    }
    let mut builder = Stack::builder(name);
    let mut wrong = Diagnostics::new();
    for (address, mut value) in all {
        refer(&mut value, &names);
        match Resource::read(address.kind, &value, &mut Problems::default()) {
            Some(mut resource) => {
                let declared = stack.resources.get(&address).map(|declared| &declared.resource);
                replace_ingredients(&mut resource, declared);
                builder.declare(address, Declared { resource, place: None });
            }
            None => wrong.push(
                Diagnostic::error(code::FILE, "what exists cannot be recreated").of(&address),
            ),
        }
    }
    let ((), _) = wrong.unless_errors(())?;
    builder.build().map(|(stack, _warnings)| Remade { stack, stand_ins })
}

/// Returns the same stack without images and key pairs that only one account or Region has.
#[must_use]
pub fn without_ingredients(mut stack: Stack) -> Stack {
    for declared in stack.resources.values_mut() {
        let own = declared.resource.clone();
        replace_ingredients(&mut declared.resource, Some(&own));
    }
    stack
}

/// The public parameter of Systems Manager for Amazon Linux on Graviton.
///
/// Source: Amazon Linux 2023 guide, "Launching with SSM".
const AMAZON_LINUX_ARM: &str =
    "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";

/// Replaces the image of an instance or a launch template with Amazon Linux, unless a public parameter declares it,
/// and removes the key pair.
fn replace_ingredients(resource: &mut Resource, declared: Option<&Resource>) {
    let (instance_type, key_name) = match resource {
        Resource::Instance(it) => (it.instance_type.to_string(), &mut it.key_name),
        Resource::LaunchTemplate(it) => (it.instance_type.to_string(), &mut it.key_name),
        _ => return,
    };
    *key_name = None;
    let Some(image) = resource.image_mut() else { return };
    *image = match declared.and_then(Resource::image).cloned().flatten() {
        Some(Ami::Parameter(name)) => Some(Ami::Parameter(name)),
        Some(Ami::Id(_)) | None if is_arm(&instance_type) => {
            Some(Ami::Parameter(AMAZON_LINUX_ARM.to_owned()))
        }
        Some(Ami::Id(_)) | None => None,
    };
}

/// Whether instances of a type have Graviton processors: a `g` after the generation indicates it, and the first
/// family had a name of its own.
///
/// Source: EC2 user guide, "Amazon EC2 instance type naming conventions".
fn is_arm(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|it: char| !it.is_ascii_digit());
    let options = options.trim_start_matches(|it: char| it.is_ascii_digit());
    family == "a1" || options.starts_with('g')
}

/// Returns the address that each id belongs to. The primary interface of an instance is referred to
/// as the instance.
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

/// Replaces ids with references.
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

/// Fills in the content of secrets of which only the hash is known.
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
            _ => Value::Secret(Secret::user_data(UNKNOWN_USER_DATA)),
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::tests::{applied, stack};

    #[test]
    fn graviton_is_told_by_its_name() {
        for arm in
            ["t4g.micro", "m6gd.16xlarge", "c7gn.large", "im4gn.large", "g5g.xlarge", "a1.large"]
        {
            assert!(is_arm(arm), "{arm}");
        }
        for other in ["t3.micro", "g4dn.xlarge", "m5n.large", "u-6tb1.56xlarge", "c7i-flex.large"] {
            assert!(!is_arm(other), "{other}");
        }
    }

    #[test]
    fn images_and_key_pairs_of_an_account_are_not_made_again() {
        let own = stack(json!({
            "subnet.a": { "vpc": "vpc-00000000000000001", "cidr": "10.0.1.0/24" },
            "instance.a": {
                "instance_type": "t4g.micro", "subnet": "@subnet.a",
                "ami": "ami-0a1b2c3d4e5f67890", "key_name": "operator",
            },
        }));
        let observed = applied(&own);
        let seen = Seen { objects: observed.current_objects(), ..Seen::default() };
        let made = remade(own.name.clone(), &seen, &own).unwrap().stack;
        for stack in [made, without_ingredients(own)] {
            let address: Address = "instance.a".parse().unwrap();
            let Resource::Instance(it) = &stack.resources[&address].resource else {
                panic!("it is an instance");
            };
            let image = Some(Ami::Parameter(AMAZON_LINUX_ARM.to_owned()));
            assert_eq!((&it.key_name, &it.ami), (&None, &image));
        }
    }
}
