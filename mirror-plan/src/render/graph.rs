//! Pictures of a stack or a plan: boxes, arrows and frames, and the languages that they are written in.
//!
//! [`Diagram::packet_path`] follows a mirrored packet, [`Diagram::references`] and [`Diagram::apply_order`] follow
//! the work. If there are many boxes of one kind, they are folded into one. [`Svg`] places the boxes itself;
//! [`Mermaid`] and [`Dot`] leave that to the program that draws them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::graph::ResourceGraph;
use crate::plan::{Phase, Plan};
use crate::render::scene::Scene;
use crate::stack::Stack;

mod dot;
mod layout;
mod mark;
mod mermaid;
mod packet_path;
mod svg;
#[cfg(test)]
mod tests;

pub use dot::Dot;
pub use mark::Mark;
pub use mermaid::Mermaid;
pub use svg::Svg;

/// How many boxes of one block are shown one by one. If there are more, only their number is shown: nobody reads
/// forty equal boxes.
const EACH_MAX: usize = 12;

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
    /// The lines of text in it, the name first.
    pub lines: Vec<String>,
    /// What happens to it; `None` if nothing happens, or nothing is planned.
    pub mark: Option<Mark>,
    /// The frame that it is in, by its position.
    pub group: Option<usize>,
    /// What sort of thing it stands for.
    pub sort: Sort,
}

/// What sort of thing a box stands for, wide and narrow: boxes of one sort can be folded into one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sort {
    /// The kind of thing: `mirror_session`.
    pub kind: String,
    /// The block that it comes from: `mirror_session.detect`.
    pub block: String,
}

/// The boxes that agree in these are folded into one.
type Fold<'n> = (Option<usize>, Option<Mark>, &'n String);

/// An arrow between two boxes, by their positions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it starts.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// The text along it, which may be empty.
    pub label: String,
    /// Whether packets go along it.
    pub stroke: Stroke,
}

/// How an arrow is drawn. Of several arrows between the same boxes, the first of these strokes counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stroke {
    /// Mirrored packets go along it, or it does not stand for a way of packets.
    #[default]
    Solid,
    /// It is not known whether any packets go along it.
    Dashed,
    /// No packets go along it.
    Dotted,
}

impl Stroke {
    const ALL: [Self; 3] = [Self::Solid, Self::Dashed, Self::Dotted];
}

impl Diagram {
    /// The path of a mirrored packet: source, session, filter, target, load balancer, receivers.
    #[must_use]
    pub fn packet_path(stack: &Stack) -> Self {
        packet_path::packet_path(&Scene::of_stack(stack)).without_crowds()
    }

    /// The same for what exists and what will exist, with what the plan does to it.
    #[must_use]
    pub fn planned_packet_path(plan: &Plan) -> Self {
        packet_path::packet_path(&Scene::of_plan(plan)).without_crowds()
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
        for (address, fan_out) in &stack.fan_outs {
            let from = drawing.node(address, Node::of(address));
            for to in graph.addresses().filter(|to| fan_out.of.refers_to(to)) {
                let to = drawing.node(to, Node::of(to));
                drawing.arrow(from, to, "");
            }
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
                let mark = match step.phase {
                    Phase::Create => Mark::Create,
                    Phase::Update => Mark::Update,
                    Phase::Delete => Mark::Delete,
                };
                let key = (&step.address, step.phase, step.generation);
                drawing.node(key, Node { mark: Some(mark), ..Node::of(&step.address) })
            })
            .collect();
        for (to, step) in nodes.iter().zip(&plan.steps) {
            for from in step.needs.iter().filter_map(|need| nodes.get(*need)) {
                drawing.diagram.arrow(*from, *to, "");
            }
        }
        drawing.diagram.without_crowds()
    }

    /// Folds blocks of many boxes into one box each.
    fn without_crowds(self) -> Self {
        let mut sizes: BTreeMap<Fold<'_>, usize> = BTreeMap::new();
        for node in &self.nodes {
            *sizes.entry((node.group, node.mark, &node.sort.block)).or_default() += 1;
        }
        let is_crowd = |node: &Node| sizes[&(node.group, node.mark, &node.sort.block)] > EACH_MAX;
        self.folded(|node| is_crowd(node).then_some(&node.sort.block))
    }

    /// As much of it as `fits`: the whole, or with all boxes of each block folded into one, or all of each kind,
    /// or, as a last resort, these without their marks. There are few kinds, so that is small whatever the stack.
    fn fitting(&self, fits: impl Fn(&Self) -> bool) -> Cow<'_, Self> {
        if fits(self) {
            return Cow::Borrowed(self);
        }
        let by_block = self.folded(|node| Some(&node.sort.block));
        if fits(&by_block) {
            return Cow::Owned(by_block);
        }
        let by_kind = self.folded(|node| Some(&node.sort.kind)).without_labels();
        Cow::Owned(if fits(&by_kind) {
            by_kind
        } else {
            self.without_marks().folded(|node| Some(&node.sort.kind)).without_labels()
        })
    }

    /// Removes the texts along the arrows, so that there is only one arrow between two boxes.
    fn without_labels(mut self) -> Self {
        for edge in std::mem::take(&mut self.edges) {
            self.add(Edge { label: String::new(), ..edge });
        }
        self
    }

    /// The diagram as if nothing happened.
    fn without_marks(&self) -> Self {
        let mut unmarked = self.clone();
        unmarked.nodes.iter_mut().for_each(|node| node.mark = None);
        unmarked
    }

    /// Folds the boxes of a frame that have the same mark and the same `sort`.
    fn folded(&self, sort: impl Fn(&Node) -> Option<&String>) -> Self {
        let mut folds: BTreeMap<Fold<'_>, Vec<usize>> = BTreeMap::new();
        for (position, node) in self.nodes.iter().enumerate() {
            if let Some(fold) = node.fold(&sort) {
                folds.entry(fold).or_default().push(position);
            }
        }
        let mut nodes = Vec::new();
        let mut moved: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            if moved[position].is_some() {
                continue;
            }
            let members = match node.fold(&sort).and_then(|fold| folds.get(&fold)) {
                Some(members) => members.as_slice(),
                None => &[position],
            };
            for member in members {
                moved[*member] = Some(nodes.len());
            }
            nodes.push(match (members, sort(node)) {
                ([_, _, ..], Some(name)) => {
                    let lines = vec![name.clone(), format!("{} of them", members.len())];
                    Node { lines, ..node.clone() }
                }
                _ => node.clone(),
            });
        }
        let mut folded = Self { nodes, edges: BTreeSet::new(), groups: self.groups.clone() };
        for Edge { from, to, label, stroke } in &self.edges {
            if let (Some(from), Some(to)) = (moved[*from], moved[*to]) {
                folded.add(Edge { from, to, label: label.clone(), stroke: *stroke });
            }
        }
        folded
    }

    /// The frames that have boxes in them, by their positions.
    fn filled_groups(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let filled = |group: usize| self.nodes.iter().any(|node| node.group == Some(group));
        self.groups.iter().copied().enumerate().filter(move |(position, _)| filled(*position))
    }

    /// Adds an arrow. An arrow from a box to itself is left out.
    fn arrow(&mut self, from: usize, to: usize, label: &str) {
        self.add(Edge { from, to, label: label.to_owned(), stroke: Stroke::Solid });
    }

    /// Adds an arrow with the given stroke, or with the stroke of an existing one if that is better.
    fn add(&mut self, edge: Edge) {
        if edge.from == edge.to {
            return;
        }
        let mut best = edge.stroke;
        for stroke in Stroke::ALL {
            if self.edges.remove(&Edge { stroke, ..edge.clone() }) {
                best = best.min(stroke);
            }
        }
        self.edges.insert(Edge { stroke: best, ..edge });
    }
}

impl Node {
    /// A box for a resource, in no frame.
    fn of(address: &Address) -> Self {
        Self { lines: vec![address.to_string()], mark: None, group: None, sort: Sort::of(address) }
    }

    /// What it is folded by, if it is folded.
    fn fold(&self, sort: &impl Fn(&Self) -> Option<&String>) -> Option<Fold<'_>> {
        sort(self).map(|name| (self.group, self.mark, name))
    }

    /// The text in it, below what happens to it: a reader may see no colors.
    fn text(&self) -> impl Iterator<Item = &str> {
        let mark = self.mark.map(Mark::verb);
        mark.into_iter().chain(self.lines.iter().map(String::as_str))
    }
}

impl Sort {
    fn of(address: &Address) -> Self {
        let kind = address.kind.to_string();
        Self { block: format!("{kind}.{}", address.name), kind }
    }
}

/// A diagram under construction, which knows what it has a box for.
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
    /// The box for `key`, or `node` as a new box if there is none yet.
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
