//! Entries: what a plan does to each resource of the provider.
//!
//! A change of a plan gives one entry, and one more for each part that the provider has as a
//! resource of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::ser::SerializeMap;

use super::node::Node;
use super::object::{Location, Object, PartOf, element};
use super::reference::{Ids, resource};
use super::table::{self, PartTable, Table, This};
use super::{MANAGED, PROVIDER_NAME};
use crate::address::{Address, Key, Kind, Name};
use crate::attribute::ObjectType;
use crate::id::ObjectId;
use crate::plan::{Action, Change, Plan, Reason};
use crate::resource::{ReplaceOrder, object_type};
use crate::value::Value;

/// What happens to a resource of the provider.
#[derive(Debug)]
pub(super) struct Entry<'p> {
    pub(super) table: &'static Table,
    /// The resource of the stack that it is, or is a part of.
    pub(super) of: &'p Address,
    /// Which part of it.
    pub(super) part: Option<String>,
    pub(super) deposed: Option<u32>,
    /// The previous address of that resource, if it has moved.
    pub(super) was: Option<&'p Address>,
    pub(super) action: Action,
    pub(super) reason: Option<&'static str>,
    /// The attributes that force its replacement.
    pub(super) replaced_for: Vec<&'static str>,
    pub(super) before: Option<Node<'p>>,
    pub(super) after: Option<Node<'p>>,
}

/// The index of a resource in its block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Index {
    Number(u32),
    Text(String),
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Entry<'_> {
    /// Writes the members that identify a resource, as in a state and among changes.
    pub(super) fn serialize_head<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("address", &self.address())?;
        map.serialize_entry("mode", MANAGED)?;
        map.serialize_entry("type", self.table.name)?;
        map.serialize_entry("name", self.name())?;
        if let Some(index) = self.index() {
            map.serialize_entry("index", &index)?;
        }
        map.serialize_entry("provider_name", PROVIDER_NAME)?;
        Ok(())
    }

    /// The label of its block.
    pub(super) fn name(&self) -> &Name {
        &self.of.name
    }

    /// The block: `aws_subnet.source`.
    pub(super) fn block(&self) -> String {
        format!("{}.{}", self.table.name, self.of.name)
    }

    /// Its address: `aws_subnet.source[0]`.
    pub(super) fn address(&self) -> String {
        self.address_in(self.of)
    }

    /// The address that it had, if it has moved.
    pub(super) fn previous_address(&self) -> Option<String> {
        // A part that is new has no previous address.
        self.before.as_ref()?;
        self.was.map(|was| self.address_in(was))
    }

    fn address_in(&self, of: &Address) -> String {
        let block = format!("{}.{}", self.table.name, of.name);
        match (&self.part, &of.key) {
            (None, _) => resource(of),
            (Some(part), None) => format!("{block}[\"{part}\"]"),
            (Some(part), Some(key)) => format!("{block}[\"{} {part}\"]", bare(key)),
        }
    }

    /// Its index in its block.
    pub(super) fn index(&self) -> Option<Index> {
        Some(match (&self.part, &self.of.key) {
            (None, None) => return None,
            (None, Some(Key::Index(index))) => Index::Number(*index),
            (None, Some(Key::Name(name))) => Index::Text(name.clone()),
            (Some(part), None) => Index::Text(part.clone()),
            (Some(part), Some(key)) => Index::Text(format!("{} {part}", bare(key))),
        })
    }

    /// The schema of the attributes that its table reads; `None` for a part that is a reference.
    pub(super) fn schema(&self) -> Option<&'static ObjectType> {
        let schema = object_type(self.of.kind);
        match table::of(self.of.kind).part_of(self.table) {
            Some(part) => element(schema, part.of),
            None => Some(schema),
        }
    }

    /// Whether it is a part of a resource of the stack.
    pub(super) const fn is_part(&self) -> bool {
        self.part.is_some()
    }

    fn order(&self) -> impl Ord {
        (self.table.name, self.of, self.part.as_deref(), self.deposed)
    }
}

/// Entries in Terraform's order, which is that of addresses.
pub(super) fn in_order(mut entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    entries.sort_by(|a, b| a.order().cmp(&b.order()));
    entries
}

/// A key without brackets and quotes.
pub(super) fn bare(key: &Key) -> String {
    match key {
        Key::Index(index) => index.to_string(),
        Key::Name(name) => name.clone(),
    }
}

/// A builder for the entries of a plan.
pub(super) struct Entries<'p> {
    location: Location<'p>,
    pub(super) ids: Ids<'p>,
    /// How the resources that stay in a block are told apart, by block.
    staying: HashMap<(Kind, &'p Name), Option<&'p Key>>,
}

impl<'p> Entries<'p> {
    /// Entries for a plan.
    pub(super) fn of(plan: &'p Plan) -> Self {
        let current = plan.changes.iter().filter(|change| change.deposed.is_none());
        let before = current.filter_map(|change| Some((&change.address, change.before.as_ref()?)));
        let staying = plan.changes.iter().filter(|change| change.after.is_some());
        let staying = staying.map(|change| {
            let Address { kind, name, key } = &change.address;
            ((*kind, name), key.as_ref())
        });
        Self {
            location: Location { account: &plan.account, region: &plan.region },
            ids: Ids::of(before),
            staying: staying.collect(),
        }
    }

    /// Entries for existing resources.
    pub(super) fn there(
        location: Location<'p>,
        resources: impl IntoIterator<Item = (&'p Address, &'p Value)>,
    ) -> Self {
        Self { location, ids: Ids::of(resources), staying: HashMap::new() }
    }

    /// Everything that happens, in Terraform's order.
    pub(super) fn changes(&self, plan: &'p Plan) -> Vec<Entry<'p>> {
        let mut entries = Vec::new();
        for change in &plan.changes {
            self.add(change, &mut entries);
        }
        in_order(entries)
    }

    /// The resources that will exist: each resource of the stack, followed by its parts.
    pub(super) fn staying(&self, plan: &'p Plan) -> Vec<Entry<'p>> {
        let mut entries = Vec::new();
        let staying = plan.changes.iter().filter(|change| change.deposed.is_none());
        for change in staying.filter(|change| change.after.is_some()) {
            self.add(change, &mut entries);
        }
        entries.retain(|entry| entry.after.is_some());
        entries
    }

    fn add(&self, change: &'p Change, entries: &mut Vec<Entry<'p>>) {
        let kind = table::of(change.kind());
        let rows = kind.whole.rows;
        let side = |value: &'p Option<Value>| {
            let value = value.as_ref()?;
            Some((self.object(&change.address, value)?, value))
        };
        let (before, after) = (side(&change.before), side(&change.after));
        let node = |side: Option<(Object<'p>, &'p Value)>| {
            side.map(|(object, value)| object.node(value, rows))
        };
        let whole = Entry {
            table: &kind.whole,
            of: &change.address,
            part: None,
            deposed: change.deposed,
            was: change.moved_from.as_ref(),
            action: change.action,
            reason: self.reason(change),
            replaced_for: replaced_for(change, &kind.whole),
            before: node(before),
            after: node(after),
        };
        // Changes to its parts are changes to resources of their own.
        let same = change.action == Action::Update && whole.before == whole.after;
        let action = if same { Action::NoOp } else { change.action };
        let reason = whole.reason;
        entries.push(Entry { action, ..whole });
        let [before, after] = [before, after].map(|side| side.map(|(object, _)| object));
        for part in kind.parts {
            self.add_parts((change, reason), part, (before, after), entries);
        }
    }

    /// Adds the parts of one sort.
    fn add_parts(
        &self,
        (change, reason): (&'p Change, Option<&'static str>),
        part: &'static PartTable,
        (before, after): (Option<Object<'p>>, Option<Object<'p>>),
        entries: &mut Vec<Entry<'p>>,
    ) {
        let parts = |side: Option<Object<'p>>| {
            side.map(|object| self.parts(object, part, None)).unwrap_or_default()
        };
        let (mut before, mut after) = (parts(before), parts(after));
        let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
        for key in keys {
            let (before, after) = (before.remove(&key), after.remove(&key));
            let (action, replaced_for) = part_action(change.action, part, &before, &after);
            entries.push(Entry {
                table: &part.table,
                of: &change.address,
                part: Some(key),
                deposed: change.deposed,
                was: change.moved_from.as_ref(),
                action,
                reason: part_reason(action, (change.action, reason)),
                replaced_for,
                before,
                after,
            });
        }
    }

    /// The entries of an existing resource.
    pub(super) fn existing(
        &self,
        address: &'p Address,
        value: &'p Value,
        ids: &'p BTreeMap<String, ObjectId>,
    ) -> Vec<Entry<'p>> {
        let Some(object) = self.object(address, value) else { return Vec::new() };
        let kind = table::of(address.kind);
        let entry = |table: &'static Table, part: Option<String>, node: Node<'p>| Entry {
            table,
            of: address,
            part,
            deposed: None,
            was: None,
            action: Action::NoOp,
            reason: None,
            replaced_for: Vec::new(),
            before: Some(node),
            after: None,
        };
        let whole = entry(&kind.whole, None, object.node(value, kind.whole.rows));
        let parts = kind.parts.iter().flat_map(|part| {
            let nodes = self.parts(object, part, Some(ids));
            nodes.into_iter().map(|(key, node)| entry(&part.table, Some(key), node))
        });
        [whole].into_iter().chain(parts).collect()
    }

    fn object(&self, address: &'p Address, value: &'p Value) -> Option<Object<'p>> {
        let Value::Object(members) = value else { return None };
        let id = match members.get("id") {
            Some(Value::String(id)) => Some(id.as_str()),
            _ => None,
        };
        let (location, schema) = (self.location, object_type(address.kind));
        Some(Object { this: This { address, id }, location, members, schema })
    }

    fn parts(
        &self,
        object: Object<'p>,
        table: &'static PartTable,
        ids: Option<&'p BTreeMap<String, ObjectId>>,
    ) -> BTreeMap<String, Node<'p>> {
        let parts = match (object.members.get(table.of), table.only) {
            (Some(Value::List(parts)), _) => parts.as_slice(),
            (None | Some(Value::Null), _) | (Some(_), None) => &[],
            (Some(only), Some(_)) => std::slice::from_ref(only),
        };
        let nodes = parts.iter().map(|part| {
            let key = match table.only {
                Some(key) => key.to_owned(),
                None => self.part_key(object, table, part),
            };
            let written = match (part, table.only) {
                (Value::String(id), None) => id.as_str(),
                _ => key.as_str(),
            };
            let id = ids.and_then(|ids| ids.get(written));
            let part = PartOf { whole: object.members, part, id };
            let node = object.part_node(part, table.of, table.table.rows);
            (key, node)
        });
        nodes.collect()
    }

    /// What distinguishes a part from the others: the address of what it refers to, or its key
    /// attributes.
    fn part_key(&self, object: Object<'p>, table: &PartTable, part: &Value) -> String {
        let of_resource = |address: &Address| match &address.key {
            None => address.name.to_string(),
            Some(key) => format!("{}.{}", address.name, bare(key)),
        };
        match part {
            Value::Object(members) => {
                let key = element(object.schema, table.of).map_or(&[][..], |schema| schema.key);
                let plain = |name: &&str| match members.get(*name) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => String::new(),
                };
                key.iter().map(plain).collect::<Vec<_>>().join(" ")
            }
            Value::String(id) => self.ids.owner(id).map_or_else(|| id.clone(), of_resource),
            Value::Unknown(unknown) => {
                let first = unknown.origins.first();
                first.map(|origin| of_resource(&origin.address)).unwrap_or_default()
            }
            other => other.to_string(),
        }
    }

    /// The reason for a change, in Terraform's words.
    fn reason(&self, change: &Change) -> Option<&'static str> {
        let has = |wanted: fn(&Reason) -> bool| change.reasons.iter().any(wanted);
        match change.action {
            Action::NoOp | Action::Move | Action::Create | Action::Update => None,
            Action::Replace(_) if has(|r| matches!(r, Reason::Requested)) => {
                Some("replace_by_request")
            }
            Action::Replace(_) if has(|r| matches!(r, Reason::Forced { .. })) => {
                Some("replace_because_cannot_update")
            }
            Action::Replace(_) => Some("replace_by_triggers"),
            Action::Delete if !has(|r| matches!(r, Reason::NotInStack)) => None,
            Action::Delete => {
                let Address { kind, name, key } = &change.address;
                Some(match (self.staying.get(&(*kind, name)), key) {
                    (None, _) => "delete_because_no_resource_config",
                    (Some(Some(_)), Some(Key::Index(_))) => "delete_because_count_index",
                    (Some(Some(_)), Some(Key::Name(_))) => "delete_because_each_key",
                    (Some(_), _) => "delete_because_wrong_repetition",
                })
            }
        }
    }
}

/// The attributes that force the replacement of a resource, in the provider's words.
fn replaced_for(change: &Change, table: &Table) -> Vec<&'static str> {
    let forced = change.differences.iter().filter(|difference| difference.forces_replacement);
    match change.action {
        Action::Replace(_) => forced.filter_map(|d| table.name_of(&d.attribute)).collect(),
        Action::NoOp | Action::Move | Action::Create | Action::Update | Action::Delete => {
            Vec::new()
        }
    }
}

/// What happens to a part and, if it is replaced, which attributes force that.
fn part_action(
    whole: Action,
    part: &PartTable,
    before: &Option<Node<'_>>,
    after: &Option<Node<'_>>,
) -> (Action, Vec<&'static str>) {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return (Action::Create, Vec::new()),
        (Some(_), None) => return (Action::Delete, Vec::new()),
    };
    let differs = |name: &&&str| before.get(name) != after.get(name);
    let fixed: Vec<&'static str> = part.fixed.iter().filter(differs).copied().collect();
    match whole {
        Action::Replace(order) => (Action::Replace(order), fixed),
        _ if before == after => (Action::NoOp, Vec::new()),
        _ if fixed.is_empty() => (Action::Update, Vec::new()),
        _ => (Action::Replace(ReplaceOrder::DeleteThenCreate), fixed),
    }
}

/// The reason for the change of a part, given the action on the whole and the reason for that.
fn part_reason(
    action: Action,
    (whole, reason): (Action, Option<&'static str>),
) -> Option<&'static str> {
    match action {
        Action::NoOp | Action::Move | Action::Create | Action::Update => None,
        Action::Replace(_) => Some("replace_because_cannot_update"),
        Action::Delete if whole == Action::Delete => reason,
        Action::Delete => Some("delete_because_each_key"),
    }
}
