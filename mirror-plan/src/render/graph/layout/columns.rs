//! Columns: which column each box is in, and the order within each column.

use super::super::{Diagram, Edge, Node};
use super::Slot;

/// How often the columns are ordered, alternately forwards and backwards.
const SWEEPS: usize = 6;

/// The content of all columns.
pub(super) struct Columns {
    /// The slots of each column, from the top.
    pub(super) slots: Vec<Vec<Slot>>,
    /// The column of each box.
    of_box: Vec<usize>,
    /// The boxes that each arrow leads from and to.
    arrows: Vec<(usize, usize)>,
}

impl Columns {
    pub(super) fn of(diagram: &Diagram, edges: &[&Edge]) -> Self {
        let of_box = behind(diagram, edges);
        let slots = slots(&of_box, edges);
        let arrows = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let mut columns = Self { slots, of_box, arrows };
        for sweep in 0..SWEEPS {
            for (column, beside) in columns.pairs(sweep) {
                columns.order(column, beside);
            }
        }
        columns
    }

    /// The column of a box.
    pub(super) fn of_box(&self, node: usize) -> usize {
        self.of_box[node]
    }

    /// Each column with the one before it, from the left; in odd rounds, with the one after it, from the right.
    pub(super) fn pairs(&self, round: usize) -> Vec<(usize, usize)> {
        let inner = 1..self.slots.len();
        if round.is_multiple_of(2) {
            inner.map(|column| (column, column - 1)).collect()
        } else {
            inner.rev().map(|column| (column - 1, column)).collect()
        }
    }

    /// The positions, in the column `beside`, of what a slot has an arrow to or from.
    pub(super) fn linked(&self, slot: &Slot, beside: usize) -> Vec<usize> {
        let end = |arrow: usize, node: usize| {
            if self.of_box[node] == beside { Slot::Box(node) } else { Slot::Bend(arrow) }
        };
        let ends = self.arrows.iter().enumerate().filter_map(|(arrow, (from, to))| match *slot {
            Slot::Box(node) if node == *from => Some(end(arrow, *to)),
            Slot::Box(node) if node == *to => Some(end(arrow, *from)),
            Slot::Bend(own) if own == arrow => {
                Some(if self.of_box[*from] == beside { Slot::Box(*from) } else { end(arrow, *to) })
            }
            Slot::Box(_) | Slot::Bend(_) => None,
        });
        let place = |end: Slot| self.slots[beside].iter().position(|other| *other == end);
        ends.filter_map(place).collect()
    }

    /// Orders a column by where its neighbors in the column `beside` are.
    fn order(&mut self, column: usize, beside: usize) {
        let weight = |at: usize, slot: &Slot| {
            let places = self.linked(slot, beside);
            // Times a thousand, because a mean is not a whole number. A slot without neighbors stays.
            match places.len() {
                0 => at * 1000,
                count => places.iter().sum::<usize>() * 1000 / count,
            }
        };
        let slots = self.slots[column].iter().enumerate();
        let mut weighed: Vec<(usize, Slot)> =
            slots.map(|(at, slot)| (weight(at, slot), *slot)).collect();
        weighed.sort_by_key(|(weight, _)| *weight);
        self.slots[column] = weighed.into_iter().map(|(_, slot)| slot).collect();
    }
}

/// The column of each box: after all boxes that have an arrow to it, and after all frames before its own.
///
/// A cycle is broken at some point, where an arrow leads backwards.
fn behind(diagram: &Diagram, edges: &[&Edge]) -> Vec<usize> {
    let nodes = &diagram.nodes;
    let mut column = vec![0; nodes.len()];
    for _ in 0..nodes.len() {
        let before = column.clone();
        for Edge { from, to, label: _, stroke: _ } in edges.iter().copied() {
            column[*to] = column[*to].max(column[*from] + 1).min(nodes.len());
        }
        for (group, _) in diagram.filled_groups().skip(1) {
            let earlier = (0..nodes.len()).filter(|n| nodes[*n].group.is_some_and(|g| g < group));
            let first = earlier.map(|node| column[node] + 1).max().unwrap_or_default();
            let own = (0..nodes.len()).filter(|node| nodes[*node].group == Some(group));
            own.for_each(|node| column[node] = column[node].max(first));
        }
        if column == before {
            break;
        }
    }
    close_up(nodes, edges, &mut column);
    column
}

/// Moves boxes that are in no frame towards what they have arrows to.
fn close_up(nodes: &[Node], edges: &[&Edge], column: &mut [usize]) {
    let mut from_the_right: Vec<usize> = (0..nodes.len()).collect();
    from_the_right.sort_by_key(|node| std::cmp::Reverse(column[*node]));
    for node in from_the_right.into_iter().filter(|node| nodes[*node].group.is_none()) {
        let next = edges.iter().filter(|edge| edge.from == node).map(|edge| column[edge.to]);
        if let Some(next) = next.min() {
            column[node] = column[node].max(next.saturating_sub(1));
        }
    }
}

/// The slots of each column, boxes first.
fn slots(column_of: &[usize], edges: &[&Edge]) -> Vec<Vec<Slot>> {
    let count = column_of.iter().max().map_or(0, |last| last + 1);
    let mut columns = vec![Vec::new(); count];
    for (node, column) in column_of.iter().enumerate() {
        columns[*column].push(Slot::Box(node));
    }
    for (position, edge) in edges.iter().enumerate() {
        for column in columns.iter_mut().take(column_of[edge.to]).skip(column_of[edge.from] + 1) {
            column.push(Slot::Bend(position));
        }
    }
    columns
}
