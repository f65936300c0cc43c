//! References: which attribute of which resource a value stands for, in the provider's words.
//!
//! If a reference leads to an existing object, a plan holds the object's id. The plan also knows whose id that is.

use std::collections::{BTreeSet, HashMap};

use super::node::Node;
use super::table;
use crate::address::{Address, Key};
use crate::resource::computed;
use crate::value::Value;

/// The name for the ARN of a resource of EC2, which has no such attribute here.
pub(super) const ARN: &str = "arn";

/// The provider's name for an attribute of a resource.
pub(super) fn name_of(address: &Address, attribute: &str) -> Option<&'static str> {
    let whole = &table::of(address.kind).whole;
    let arn = || whole.arn().filter(|_| attribute == ARN);
    whole.name_of(attribute).or_else(arn)
}

/// The ids in a plan, and which attribute of which resource each one is. The map is never iterated, so its order
/// affects nothing.
#[derive(Debug, Default)]
pub(super) struct Ids<'p>(HashMap<&'p str, (&'p Address, &'static str)>);

/// An attribute of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference<'p> {
    pub(super) address: &'p Address,
    /// Its name in the provider's words; empty for the whole resource.
    pub(super) attribute: &'static str,
}

impl<'p> Ids<'p> {
    /// The ids of resources with these attributes.
    pub(super) fn of(resources: impl IntoIterator<Item = (&'p Address, &'p Value)>) -> Self {
        let mut ids = HashMap::new();
        for (address, value) in resources {
            let Value::Object(members) = value else { continue };
            let names = computed(address.kind).iter().map(|computed| computed.name);
            for name in
                names.filter(|name| matches!(*name, "id" | "network_interface" | "service_name"))
            {
                if let Some(Value::String(id)) = members.get(name) {
                    ids.insert(id.as_str(), (address, name));
                }
            }
        }
        Self(ids)
    }

    /// The resource and the attribute that have this value.
    pub(super) fn attribute(&self, id: &str) -> Option<(&'p Address, &'static str)> {
        self.0.get(id).copied().or_else(|| {
            // The ARN of a resource of EC2 ends with its id.
            let (arn, id) = id.rsplit_once('/')?;
            let (address, _) = self.0.get(id).filter(|_| arn.starts_with("arn:"))?;
            table::of(address.kind).whole.arn()?;
            Some((*address, ARN))
        })
    }

    /// The resource that has this id.
    pub(super) fn owner(&self, id: &str) -> Option<&'p Address> {
        self.0.get(id).map(|(address, _)| *address)
    }

    /// Adds what a value refers to.
    pub(super) fn collect<'v>(&'v self, value: &'v Value, found: &mut BTreeSet<Reference<'v>>) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => {
                let known = self.attribute(text);
                found.extend(known.and_then(|(address, attribute)| {
                    let attribute = name_of(address, attribute)?;
                    Some(Reference { address, attribute })
                }));
            }
            Value::List(items) => items.iter().for_each(|item| self.collect(item, found)),
            Value::Object(members) => {
                members.values().for_each(|member| self.collect(member, found));
            }
            Value::Resource(address) => {
                found.insert(Reference { address, attribute: "" });
            }
            Value::Secret(secret) => {
                secret.reveal().into_iter().for_each(|value| self.collect(value, found));
            }
            Value::Unknown(unknown) => found.extend(unknown.origins.iter().map(|origin| {
                let attribute = name_of(&origin.address, &origin.attribute).unwrap_or_default();
                Reference { address: &origin.address, attribute }
            })),
        }
    }

    /// Adds what a resource refers to.
    pub(super) fn collect_in<'n>(
        &'n self,
        node: &'n Node<'_>,
        found: &mut BTreeSet<Reference<'n>>,
    ) {
        match node {
            Node::Of(value) => self.collect(value, found),
            Node::Later(_) => {}
            Node::Block(members) => {
                members.iter().for_each(|(_, member)| self.collect_in(member, found));
            }
            Node::List(items) => items.iter().for_each(|item| self.collect_in(item, found)),
        }
    }
}

impl Reference<'_> {
    /// The block that declares the resource: `aws_subnet.source`.
    pub(super) fn block(&self) -> String {
        block(self.address)
    }

    /// The resource: `aws_subnet.source[0]`.
    pub(super) fn resource(&self) -> String {
        resource(self.address)
    }

    /// The attribute, the resource and the block, the narrowest first, without duplicates.
    pub(super) fn steps(&self) -> Vec<String> {
        let resource = self.resource();
        let mut steps = Vec::new();
        if !self.attribute.is_empty() {
            steps.push(format!("{resource}.{}", self.attribute));
        }
        steps.push(resource);
        if self.address.key.is_some() {
            steps.push(self.block());
        }
        steps
    }
}

/// The block that declares a resource, in the provider's words.
fn block(address: &Address) -> String {
    format!("{}.{}", table::of(address.kind).whole.name, address.name)
}

/// A resource, in the provider's words.
pub(super) fn resource(address: &Address) -> String {
    let key = address.key.as_ref().map(Key::to_string).unwrap_or_default();
    format!("{}{key}", block(address))
}
