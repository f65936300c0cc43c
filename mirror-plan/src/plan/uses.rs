//! Uses: which objects of the stack use which others, as observed.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Kind};
use crate::observed::{Found, Observed};
use crate::value::Value;

/// An object of an address; a left-over one has a lower generation than the current one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectKey {
    pub(super) address: Address,
    pub(super) generation: u32,
}

/// How one object uses another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    /// Whether the user can do without it for a while.
    pub(super) can_do_without: bool,
    /// Whether AWS refuses to remove it as long as the user has it.
    pub(super) holds: bool,
}

/// Which objects use which.
#[derive(Debug)]
pub(super) struct Uses {
    /// By used object: which objects use it, and how.
    users: BTreeMap<ObjectKey, BTreeMap<ObjectKey, Use>>,
    current: BTreeMap<Address, ObjectKey>,
}

impl Uses {
    /// The uses in `observed`: an attribute that holds the id of an object uses it.
    pub(super) fn of(observed: &Observed) -> Self {
        let objects: BTreeMap<ObjectKey, &Found> = observed
            .owned
            .iter()
            .flat_map(|(address, all)| {
                all.iter().map(move |found| {
                    (ObjectKey { address: address.clone(), generation: found.generation }, found)
                })
            })
            .collect();
        let names: BTreeMap<&str, &ObjectKey> = objects
            .iter()
            .flat_map(|(key, found)| names_of(found).map(move |name| (name, key)))
            .collect();
        let mut users: BTreeMap<ObjectKey, BTreeMap<ObjectKey, Use>> = BTreeMap::new();
        for (user, found) in &objects {
            for (attribute, value) in &found.resource.attributes() {
                let kind = user.address.kind;
                let can_do_without = can_do_without(kind, attribute);
                each_text(value, &mut |text| {
                    let Some(used) = names.get(text).filter(|used| **used != user) else { return };
                    let holds = holds((kind, attribute), used.address.kind);
                    let entry = users.entry((*used).clone()).or_default();
                    let how = entry.entry(user.clone()).or_insert(Use { can_do_without, holds });
                    how.can_do_without &= can_do_without;
                    how.holds |= holds;
                });
            }
        }
        let current = objects.into_keys().map(|key| (key.address.clone(), key)).collect();
        Self { users, current }
    }

    /// The object that an address stands for now.
    pub(super) fn current(&self, address: &Address) -> Option<&ObjectKey> {
        self.current.get(address)
    }

    /// Which objects use `object`, and how.
    pub(super) fn users(&self, object: &ObjectKey) -> impl Iterator<Item = (&ObjectKey, Use)> {
        self.users.get(object).into_iter().flatten().map(|(user, how)| (user, *how))
    }

    /// The Auto Scaling groups whose instances are in a security group, according to their launch
    /// templates.
    pub(super) fn members_in(&self, security_group: &Address) -> BTreeSet<&Address> {
        let users = |object, kind| {
            let users = self.users(object).map(|(user, _)| user);
            users.filter(move |user: &&ObjectKey| user.address.kind == kind)
        };
        let objects = self.current.get(security_group).into_iter();
        let templates = objects.flat_map(|object| users(object, Kind::LaunchTemplate));
        let groups = templates.flat_map(|template| users(template, Kind::AutoscalingGroup));
        groups.map(|group| &group.address).collect()
    }

    /// Whether the current object of `user` uses the current one of `used`.
    pub(super) fn uses(&self, user: &Address, used: &Address) -> bool {
        let objects = self.current(used).zip(self.current(user));
        objects.is_some_and(|(used, user)| {
            self.users.get(used).is_some_and(|users| users.contains_key(user))
        })
    }
}

/// The ids by which others refer to an object.
fn names_of(found: &Found) -> impl Iterator<Item = &str> {
    let interface = found.computed.get("network_interface").and_then(Option::as_deref);
    [Some(found.id.as_str()), interface].into_iter().flatten()
}

/// Whether an object can do without what an attribute refers to while that is replaced: a route leads
/// nowhere for a while, a target group has one target fewer, a share one mirror target fewer.
fn can_do_without(kind: Kind, attribute: &str) -> bool {
    matches!(
        (kind, attribute),
        (Kind::RouteTable, "routes" | "subnets")
            | (Kind::TargetGroup, "targets")
            | (Kind::SecurityGroup, "ingress" | "egress")
            | (Kind::LoadBalancer, "listeners")
            | (Kind::ResourceShare, "mirror_targets")
    )
}

/// Whether AWS refuses to remove what an attribute refers to as long as it refers to it:
/// `DependencyViolation`, `ResourceInUse` and the like.
fn holds((kind, attribute): (Kind, &str), used: Kind) -> bool {
    // Instances can be removed while they are targets of a group or sources of sessions.
    used != Kind::Instance
        && !matches!(
            (kind, attribute),
            (Kind::RouteTable, "routes" | "subnets")
                | (Kind::TargetGroup, "vpc")
                | (Kind::ResourceShare, _)
        )
}

/// Calls `visit` with every text in `value`.
pub(super) fn each_text(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::List(items) => items.iter().for_each(|item| each_text(item, visit)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, visit)),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Resource(_)
        | Value::Secret(_)
        | Value::Unknown(_) => {}
    }
}
