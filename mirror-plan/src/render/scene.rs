//! Scenes: the resources in a picture, from a stack or from a plan.
//!
//! A plan has ids where a stack has references. They are turned back into references, so that a
//! stack is drawn the same way before and after it is applied.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::graph::Mark;
use crate::address::{Address, Kind};
use crate::attribute::{ObjectType, Problems, Type};
use crate::id::ObjectId;
use crate::plan::{Action, Change, Plan};
use crate::reach::Network;
use crate::resource::{Resource, object_type};
use crate::stack::{FanOut, SourceNames, Stack};
use crate::value::Value;

/// Resources, with what happens to them.
pub(super) struct Scene<'s> {
    resources: BTreeMap<&'s Address, Cow<'s, Resource>>,
    marks: BTreeMap<&'s Address, Mark>,
    /// The sessions over sources of a stack, which have not been counted yet.
    fan_outs: BTreeMap<&'s Address, &'s FanOut>,
    /// The sources of a plan's sessions, by block.
    sources: BTreeMap<&'s Address, &'s SourceNames>,
    plan: Option<&'s Plan>,
}

impl<'s> Scene<'s> {
    /// The resources that a stack declares; nothing happens to them.
    pub(super) fn of_stack(stack: &'s Stack) -> Self {
        let declared = stack.resources.iter();
        let resources =
            declared.map(|(address, declared)| (address, Cow::Borrowed(&declared.resource)));
        let fan_outs = stack.fan_outs.iter().map(|(address, fan_out)| (address, &fan_out.of));
        Self {
            resources: resources.collect(),
            marks: BTreeMap::new(),
            fan_outs: fan_outs.collect(),
            sources: BTreeMap::new(),
            plan: None,
        }
    }

    /// The resources that will exist, and those that exist and are deleted.
    pub(super) fn of_plan(plan: &'s Plan) -> Self {
        let current = || plan.changes.iter().filter(|change| change.deposed.is_none());
        let owners = owners(plan);
        let resources = current()
            .filter_map(|change| Some((&change.address, Cow::Owned(resource(change, &owners)?))));
        let marks =
            current().filter_map(|change| Some((&change.address, Mark::of(change.action)?)));
        let sources = plan.fan_outs.iter().map(|(block, each)| (block, &each.sources));
        Self {
            resources: resources.collect(),
            marks: marks.collect(),
            fan_outs: BTreeMap::new(),
            sources: sources.collect(),
            plan: Some(plan),
        }
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = (&Address, &Resource)> {
        self.resources.iter().map(|(address, resource)| (*address, &**resource))
    }

    /// The sessions over sources, of a stack that is not planned yet.
    pub(super) fn fan_outs(&self) -> impl Iterator<Item = (&Address, &FanOut)> {
        self.fan_outs.iter().map(|(address, fan_out)| (*address, *fan_out))
    }

    /// The sources that a session of a plan comes from.
    pub(super) fn sources_of(&self, session: &Address) -> Option<&SourceNames> {
        let block = Address::new(session.kind, session.name.clone());
        self.sources.get(&block).copied().filter(|_| session.key.is_some())
    }

    pub(super) fn resource(&self, address: &Address) -> Option<&Resource> {
        self.resources.get(address).map(|resource| &**resource)
    }

    /// The network that its packets cross. Objects that are to be deleted no longer carry anything.
    pub(super) fn network(&self) -> Network<'_> {
        let stays =
            self.resources().filter(|(address, _)| self.mark(address) != Some(Mark::Delete));
        let network = Network::declared(stays, self.fan_outs());
        match self.plan {
            Some(plan) => network.with_acls(stay(plan), &plan.network_acls),
            None => network,
        }
    }

    pub(super) fn mark(&self, address: &Address) -> Option<Mark> {
        self.marks.get(address).copied()
    }
}

/// The ids of existing objects that keep them: a replaced object gets a new one.
fn stay(plan: &Plan) -> impl Iterator<Item = (&Address, &ObjectId)> {
    let current = plan.changes.iter().filter(|change| change.deposed.is_none());
    let stays = current.filter(|change| !matches!(change.action, Action::Replace(_)));
    let own = stays.filter_map(|change| Some((&change.address, change.id.as_ref()?)));
    own.chain(&plan.existing)
}

/// The objects by their ids.
type Owners<'p> = BTreeMap<&'p str, &'p Address>;

fn owners(plan: &Plan) -> Owners<'_> {
    let used = plan.existing.iter().map(|(address, id)| (id.as_str(), address));
    let owned = plan.changes.iter().flat_map(|change| {
        let id = change.id.as_ref().map(|id| id.as_str());
        let interface = match (change.kind(), &change.before) {
            (Kind::Instance, Some(Value::Object(members))) => members.get("network_interface"),
            _ => None,
        };
        let interface = match interface {
            Some(Value::String(id)) => Some(id.as_str()),
            _ => None,
        };
        id.into_iter().chain(interface).map(|id| (id, &change.address))
    });
    used.chain(owned).collect()
}

/// The resource as it will be, or as it is if it is deleted.
fn resource(change: &Change, owners: &Owners<'_>) -> Option<Resource> {
    let value = change.after.as_ref().or(change.before.as_ref())?;
    let Value::Object(value) = restored(value, object_type(change.kind()), owners) else {
        return None;
    };
    // A value that AWS has not picked yet, or that nobody has, is not drawn.
    let is_own = |value: &Value| match value {
        Value::Unknown(unknown) => unknown.origins.iter().all(|o| o.address == change.address),
        _ => false,
    };
    let value = value.into_iter().map(|(name, value)| {
        let value = if is_own(&value) { Value::Null } else { value };
        (name, value)
    });
    Resource::read(change.kind(), &Value::Object(value.collect()), &mut Problems::default())
}

/// The attributes of an object, without those that only AWS reports, and with references in place
/// of ids.
fn restored(value: &Value, object: &ObjectType, owners: &Owners<'_>) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let members = members.iter().filter_map(|(name, value)| {
        let attribute = object.attribute(name)?;
        Some((name.clone(), restored_as(value, &attribute.holds, owners)))
    });
    Value::Object(members.collect())
}

fn restored_as(value: &Value, holds: &Type, owners: &Owners<'_>) -> Value {
    match (value, holds) {
        (Value::String(id), Type::Reference(kind)) => match owners.get(id.as_str()) {
            Some(address) if address.kind == *kind => Value::Resource((*address).clone()),
            _ => value.clone(),
        },
        (Value::List(items), Type::Set(of)) => {
            Value::List(items.iter().map(|item| restored_as(item, of, owners)).collect())
        }
        (value, Type::Object(object)) => restored(value, object, owners),
        (value, _) => value.clone(),
    }
}
