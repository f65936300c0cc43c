//! Pictures of a stack or a plan: boxes, arrows and frames, and the two languages they are written in.
//!
//! [`Diagram::packet_path`] follows a mirrored packet, [`Diagram::references`] and
//! [`Diagram::apply_order`] follow the work. Boxes that are many of a kind are folded into one.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::graph::ResourceGraph;
use crate::plan::{Phase, Plan};
use crate::stack::Stack;

mod dot;
mod mermaid;
mod packet_path;
#[cfg(test)]
mod tests;

pub use dot::Dot;
pub use mermaid::Mermaid;

/// From how many boxes of one block on only their number is shown: nobody reads forty equal boxes.
const MANY: usize = 9;

/// Boxes, arrows and frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: BTreeSet<Edge>,
    /// The titles of the frames.
    pub groups: Vec<&'static str>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What is written in it, the name first.
    pub lines: Vec<String>,
    /// The frame it stands in, by its position.
    pub group: Option<usize>,
    /// What it is one of.
    pub sort: Sort,
}

/// What a box is one of, from narrow to wide: what it is folded with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sort {
    /// The kind of thing: `mirror_session`.
    pub kind: String,
    /// The block that it comes from: `mirror_session.detect`.
    pub block: String,
}

/// An arrow between two boxes, by their positions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it starts.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What is written along it; may be empty.
    pub label: String,
}

impl Diagram {
    /// The way of a mirrored packet: source, session, filter, target, load balancer, receivers.
    #[must_use]
    pub fn packet_path(stack: &Stack) -> Self {
        packet_path::packet_path(stack).without_crowds()
    }

    /// What refers to what. An arrow leads to what is needed.
    #[must_use]
    pub fn references(stack: &Stack) -> Self {
        let graph = ResourceGraph::of(stack);
        let mut drawing = Drawing::default();
        for address in graph.addresses() {
            drawing.node(address, Node::of(address));
        }
        for (from, to) in graph.references() {
            let (from, to) = (drawing.node(from, Node::of(from)), drawing.node(to, Node::of(to)));
            drawing.arrow(from, to, "");
        }
        drawing.diagram.without_crowds()
    }

    /// What a plan does, in order. An arrow leads to what comes after.
    #[must_use]
    pub fn apply_order(plan: &Plan) -> Self {
        let mut drawing = Drawing::default();
        let nodes: Vec<usize> = plan
            .steps
            .iter()
            .map(|step| {
                let verb = match step.phase {
                    Phase::Create => "create",
                    Phase::Update => "update",
                    Phase::Delete => "destroy",
                };
                let key = (&step.address, step.phase, step.generation);
                let Node { lines, group, sort } = Node::of(&step.address);
                let lines = [verb.to_owned()].into_iter().chain(lines).collect();
                let Sort { kind, block } = sort;
                let sort =
                    Sort { kind: format!("{verb} {kind}"), block: format!("{verb} {block}") };
                drawing.node(key, Node { lines, group, sort })
            })
            .collect();
        for (to, step) in nodes.iter().zip(&plan.steps) {
            for from in step.needs.iter().filter_map(|need| nodes.get(*need)) {
                drawing.diagram.arrow(*from, *to, "");
            }
        }
        drawing.diagram.without_crowds()
    }

    /// With blocks of many boxes folded into one box each.
    fn without_crowds(self) -> Self {
        let mut sizes: BTreeMap<(Option<usize>, &str), usize> = BTreeMap::new();
        for node in &self.nodes {
            *sizes.entry((node.group, &node.sort.block)).or_default() += 1;
        }
        let crowds: BTreeSet<String> = sizes
            .into_iter()
            .filter(|(_, size)| *size >= MANY)
            .map(|((_, block), _)| block.to_owned())
            .collect();
        self.folded(|sort| crowds.contains(&sort.block).then_some(&sort.block))
    }

    /// With all boxes of one block folded into one.
    fn by_block(&self) -> Self {
        self.folded(|sort| Some(&sort.block))
    }

    /// With all boxes of one kind folded into one.
    fn by_kind(&self) -> Self {
        self.folded(|sort| Some(&sort.kind))
    }

    /// With all boxes of a frame folded for which `sort` is the same.
    fn folded(&self, sort: impl Fn(&Sort) -> Option<&String>) -> Self {
        let mut folds: BTreeMap<(Option<usize>, &String), Vec<usize>> = BTreeMap::new();
        for (position, node) in self.nodes.iter().enumerate() {
            if let Some(name) = sort(&node.sort) {
                folds.entry((node.group, name)).or_default().push(position);
            }
        }
        let mut nodes = Vec::new();
        let mut moved: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            if moved[position].is_some() {
                continue;
            }
            let fold = sort(&node.sort).and_then(|name| folds.get(&(node.group, name)));
            let members = match fold {
                Some(members) => members.as_slice(),
                None => &[position],
            };
            for member in members {
                moved[*member] = Some(nodes.len());
            }
            nodes.push(match (members, sort(&node.sort)) {
                ([_, _, ..], Some(name)) => {
                    let lines = vec![name.clone(), format!("{} of them", members.len())];
                    Node { lines, ..node.clone() }
                }
                _ => node.clone(),
            });
        }
        let mut folded = Self { nodes, edges: BTreeSet::new(), groups: self.groups.clone() };
        for Edge { from, to, label } in &self.edges {
            if let (Some(from), Some(to)) = (moved[*from], moved[*to]) {
                folded.arrow(from, to, label);
            }
        }
        folded
    }

    /// The frames that have boxes in them, by their positions.
    fn filled_groups(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let filled = |group: usize| self.nodes.iter().any(|node| node.group == Some(group));
        self.groups.iter().copied().enumerate().filter(move |(position, _)| filled(*position))
    }

    /// Adds an arrow. One from a box to itself says nothing.
    fn arrow(&mut self, from: usize, to: usize, label: &str) {
        if from != to {
            self.edges.insert(Edge { from, to, label: label.to_owned() });
        }
    }
}

impl Node {
    /// A box for a resource, in no frame.
    fn of(address: &Address) -> Self {
        Self { lines: vec![address.to_string()], group: None, sort: Sort::of(address) }
    }
}

impl Sort {
    fn of(address: &Address) -> Self {
        let kind = address.kind.to_string();
        Self { block: format!("{kind}.{}", address.name), kind }
    }
}

/// A diagram in the making, which knows what it has a box for.
#[derive(Debug)]
struct Drawing<K> {
    diagram: Diagram,
    nodes: BTreeMap<K, usize>,
}

impl<K: Ord> Default for Drawing<K> {
    fn default() -> Self {
        Self { diagram: Diagram::default(), nodes: BTreeMap::new() }
    }
}

impl<K: Ord> Drawing<K> {
    /// The box for `key`, which is `node` if there is none yet.
    fn node(&mut self, key: K, node: Node) -> usize {
        let nodes = &mut self.diagram.nodes;
        *self.nodes.entry(key).or_insert_with(|| {
            nodes.push(node);
            nodes.len() - 1
        })
    }

    fn arrow(&mut self, from: usize, to: usize, label: &str) {
        self.diagram.arrow(from, to, label);
    }
}
