//! Rules of security groups: in the blocks of their group or, if groups name each other, as resources of their own.
//!
//! The provider reads all rules with the same protocol, ports and description as one block, so they are written as
//! one. Blocks of groups that name each other would be a cycle, which Terraform refuses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::entry::Entry;
use super::super::node::Node;
use super::Writer;
use super::attributes::is_nothing;
use super::document::{Block, Item};
use super::names::{Names, label_of_part};
use crate::address::{Address, Kind};
use crate::value::Value;

/// The attributes that hold rules, which are also the words for their directions.
const DIRECTIONS: [&str; 2] = ["ingress", "egress"];

/// The attributes that rules of one block have in common.
const IN_COMMON: [&str; 4] = ["description", "from_port", "protocol", "to_port"];

const GROUPS: &str = "security_groups";
pub(super) const ITSELF: &str = "self";

/// Merges the rules that the provider reads as one block; other blocks stay as they are.
pub(super) fn merged<'p>(blocks: &[Node<'p>]) -> Vec<Node<'p>> {
    let mut merged: Vec<Node<'p>> = Vec::new();
    for block in blocks {
        let is_same = |other: &&mut Node<'p>| {
            let is_rule = block.get("protocol").is_some();
            is_rule && IN_COMMON.iter().all(|name| other.get(name) == block.get(name))
        };
        match merged.iter_mut().find(is_same) {
            Some(other) => join(other, block),
            None => merged.push(block.clone()),
        }
    }
    merged
}

/// Adds what one block lets through to another.
fn join<'p>(block: &mut Node<'p>, other: &Node<'p>) {
    let Node::Block(members) = block else { return };
    for (name, member) in members {
        let (Node::Of(own), Some(Node::Of(more))) = (&*member, other.get(name)) else { continue };
        let joined = match (&**own, &**more) {
            (Value::List(own), Value::List(more)) => {
                let new = more.iter().filter(|item| !own.contains(item));
                Value::List(own.iter().chain(new).cloned().collect())
            }
            (Value::Bool(own), Value::Bool(more)) => Value::Bool(*own || *more),
            _ => continue,
        };
        *member = Node::Of(Cow::Owned(joined));
    }
}

/// The security groups whose rules lead back to themselves.
pub(super) fn in_circles<'e>(entries: &'e [Entry<'_>], names: &Names<'_>) -> BTreeSet<&'e Address> {
    let groups = entries.iter().filter(|entry| entry.of.kind == Kind::SecurityGroup);
    let named: BTreeMap<&Address, BTreeSet<Address>> =
        groups.map(|entry| (entry.of, named_by(entry, names))).collect();
    let leads_back = |group: &&Address| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Address> = named[*group].iter().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(named.get(next).into_iter().flatten());
            }
        }
        seen.contains(*group)
    };
    named.keys().copied().filter(leads_back).collect()
}

/// The other groups that the rules of a group name.
fn named_by(entry: &Entry<'_>, names: &Names<'_>) -> BTreeSet<Address> {
    let mut named = BTreeSet::new();
    for group in
        DIRECTIONS.iter().flat_map(|name| rules(entry.after.as_ref(), name)).flat_map(groups)
    {
        match &group {
            Value::String(id) => named.extend(names.owner(id).cloned()),
            Value::Unknown(unknown) => {
                named.extend(unknown.origins.iter().map(|origin| origin.address.clone()));
            }
            _ => {}
        }
    }
    named
}

/// The rules of one direction, as blocks.
fn rules<'p>(node: Option<&Node<'p>>, direction: &str) -> Vec<Node<'p>> {
    match node.and_then(|node| node.get(direction)) {
        Some(Node::List(blocks)) => merged(blocks),
        _ => Vec::new(),
    }
}

/// The other groups that a block names.
fn groups(rule: Node<'_>) -> Vec<Value> {
    match rule.get(GROUPS) {
        Some(Node::Of(value)) => match &**value {
            Value::List(groups) => groups.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

impl<'e> Writer<'e> {
    /// The block of a group without its rules, and its rules as resources of their own.
    pub(super) fn group_in_circle(&mut self, entry: &Entry<'e>) -> Vec<Block> {
        let mut group = self.resource(entry);
        group.items.retain(|item| DIRECTIONS.iter().all(|name| !item.is(name)));
        let block = self.names.block(entry.of).expect("all that is exported has a label");
        let mut blocks = vec![
            group
                .comment("It and others name each other in their rules, which Terraform accepts only as resources")
                .comment("of their own."),
        ];
        for direction in DIRECTIONS {
            let before = rules(entry.before.as_ref(), direction);
            for rule in rules(entry.after.as_ref(), direction) {
                let is_there = before.contains(&rule);
                for side in sides(&rule) {
                    let label = self.names.label(entry.of).expect("as above").clone();
                    let part = (entry.of.kind, &label);
                    let label =
                        label_of_part(part, &format!("{direction}_{}", side.word), &mut self.taken);
                    let name = "aws_security_group_rule";
                    let head = [
                        Item::attribute("type", format!("\"{direction}\"")),
                        Item::attribute("security_group_id", format!("{block}.id")),
                    ];
                    let common =
                        IN_COMMON.iter().filter_map(|name| self.rule_item(name, rule.get(name)?));
                    let common: Vec<Item> = common.collect();
                    let side_items =
                        side.members.iter().filter_map(|(name, node)| self.rule_item(name, node));
                    let items: Vec<Item> = side_items.collect();
                    let items = head.into_iter().chain(common).chain(items);
                    blocks.push(Block::new(format!("resource \"{name}\" \"{label}\"")).with(items));
                    let id = self.changes.get(entry.of).and_then(|change| change.id.as_ref());
                    if let Some(id) = id.filter(|_| is_there) {
                        let id = format!("{id}_{direction}_{}", import_text(&rule, &side));
                        self.import(&format!("{name}.{label}"), &id);
                    }
                }
            }
        }
        blocks
    }

    fn rule_item(&mut self, name: &str, node: &Node<'_>) -> Option<Item> {
        if is_nothing(node) {
            return None;
        }
        let Node::Of(value) = node else { return None };
        let text = self.names.expression(value, name).ok()?;
        Some(Item::attribute(name, text))
    }
}

/// One side of a rule that is a resource of its own: ranges, the group itself or another.
struct Side<'p> {
    word: &'static str,
    members: Vec<(&'static str, Node<'p>)>,
}

fn sides<'p>(rule: &Node<'p>) -> Vec<Side<'p>> {
    let ranges = ["cidr_blocks", "ipv6_cidr_blocks"];
    let ranges = ranges.into_iter().filter_map(|name| Some((name, rule.get(name)?.clone())));
    let ranges: Vec<_> = ranges.filter(|(_, node)| !is_nothing(node)).collect();
    let itself = rule.get(ITSELF).filter(|node| **node == Node::Of(Cow::Owned(Value::Bool(true))));
    let others = groups(rule.clone()).into_iter().map(|group| Side {
        word: "group",
        members: vec![("source_security_group_id", Node::Of(Cow::Owned(group)))],
    });
    let ranges = (!ranges.is_empty()).then_some(Side { word: "ranges", members: ranges });
    let itself = itself.map(|node| Side { word: ITSELF, members: vec![(ITSELF, node.clone())] });
    ranges.into_iter().chain(itself).chain(others).collect()
}

/// The part of the import id that stands for a rule: `tcp_80_80_10.0.0.0/8`.
fn import_text(rule: &Node<'_>, side: &Side<'_>) -> String {
    let word = |name: &str| rule.get(name).map(plain).unwrap_or_default();
    let protocol = word("protocol");
    let protocol = if protocol == "-1" { "all".to_owned() } else { protocol };
    let members = side.members.iter().map(|(name, node)| match *name {
        ITSELF => ITSELF.to_owned(),
        _ => plain(node),
    });
    let members = members.collect::<Vec<_>>().join("_");
    format!("{protocol}_{}_{}_{members}", word("from_port"), word("to_port"))
}

fn plain(node: &Node<'_>) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match node {
        Node::Of(value) => match &**value {
            Value::List(items) => items.iter().map(text).collect::<Vec<_>>().join("_"),
            value => text(value),
        },
        Node::Later(_) | Node::Block(_) | Node::List(_) => String::new(),
    }
}
