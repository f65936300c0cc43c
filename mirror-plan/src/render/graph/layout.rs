//! Where boxes, arrows and frames are placed: in columns from left to right, each column ordered so that few arrows
//! cross.
//!
//! Everything is computed in whole numbers and in a fixed order, so that equal diagrams have byte-identical
//! pictures. It is meant for the hundred or so boxes that a person can look at.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr as _;

use super::{Diagram, Edge, Node};

mod columns;

use columns::Columns;

/// The height of a line of text. All lengths here are in pixels.
pub(super) const LINE: i32 = 17;
/// The space between the border of a box and its text.
pub(super) const PADDING: i32 = 10;
/// The space between the edge of the picture and its content, and between a frame and its content.
const MARGIN: i32 = 16;
/// The height of the title of a frame.
pub(super) const TITLE: i32 = 26;
/// The space between the boxes of a column.
const GAP: i32 = 18;
/// The least space between two columns, for the arrows.
const AISLE: i32 = 56;
/// The width of ten characters of the font at its size: monospaced fonts differ by little.
const TEN_CHARACTERS: i32 = 73;
/// The same for the smaller font of the text along arrows.
const TEN_SMALL_CHARACTERS: i32 = 67;
/// How many characters of a line are shown.
const LINE_MAX: usize = 48;
/// The height that an arrow takes where it passes between boxes.
const BEND: i32 = 8;
/// How often boxes are moved towards the boxes that they have arrows to and from.
const PULLS: usize = 8;

/// The place of everything.
#[derive(Debug)]
pub(super) struct Layout {
    /// The boxes, in the order of the nodes.
    pub(super) boxes: Vec<Rect>,
    /// The arrows, in the order of the edges.
    pub(super) arrows: Vec<Arrow>,
    /// The frames that have boxes in them.
    pub(super) frames: Vec<(&'static str, Rect)>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A rectangle, from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// The way of an arrow.
#[derive(Debug)]
pub(super) struct Arrow {
    /// Pairs of points: a curve leads from the first of a pair to the second, and a straight line
    /// from there to the next pair.
    pub(super) curves: Vec<((i32, i32), (i32, i32))>,
    /// The middle of the text along it.
    pub(super) label: (i32, i32),
}

impl Rect {
    const fn right(self) -> i32 {
        self.x + self.width
    }

    const fn bottom(self) -> i32 {
        self.y + self.height
    }

    const fn middle(self) -> i32 {
        self.y + self.height / 2
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// A box, by its position.
    Box(usize),
    /// An arrow that passes through the column, by its position.
    Bend(usize),
}

impl Layout {
    pub(super) fn of(diagram: &Diagram) -> Self {
        let edges: Vec<&Edge> = diagram.edges.iter().collect();
        let columns = Columns::of(diagram, &edges);
        let sizes: Vec<(i32, i32)> = diagram.nodes.iter().map(size).collect();
        let left = lefts(diagram, &columns, &sizes, &edges);
        let title = if diagram.filled_groups().count() > 0 { TITLE + GAP / 2 } else { 0 };
        let places = Places::of(&columns, &left, &sizes, MARGIN + title);
        let frames = frames(diagram, &places);
        let rects = || places.boxes.iter().chain(frames.iter().map(|(_, rect)| rect));
        Self {
            width: rects().map(|rect| rect.right()).max().unwrap_or_default() + MARGIN,
            height: rects().map(|rect| rect.bottom()).max().unwrap_or_default() + MARGIN,
            arrows: (0..edges.len())
                .map(|edge| places.arrow(edge, edges[edge], &columns))
                .collect(),
            boxes: places.boxes.clone(),
            frames,
        }
    }
}

/// The width and height of a box.
fn size(node: &Node) -> (i32, i32) {
    let lines = node.text().map(shown);
    let widest = lines.map(|line| width(&line, TEN_CHARACTERS)).max().unwrap_or_default();
    let lines = i32::try_from(node.text().count()).unwrap_or(i32::MAX / LINE - PADDING);
    (widest + 2 * PADDING, lines * LINE + PADDING)
}

/// The part of a line that is shown.
pub(super) fn shown(line: &str) -> String {
    match line.char_indices().nth(LINE_MAX - 1) {
        Some((end, _)) if line.chars().nth(LINE_MAX).is_some() => {
            format!("{}\u{2026}", &line[..end])
        }
        _ => line.to_owned(),
    }
}

/// How wide a text is if ten characters are `ten` wide.
fn width(text: &str, ten: i32) -> i32 {
    let characters = i32::try_from(text.width()).unwrap_or(i32::MAX / ten);
    (characters * ten + 9) / 10
}

/// The left ends of the columns, and the right ones.
fn lefts(
    diagram: &Diagram,
    columns: &Columns,
    sizes: &[(i32, i32)],
    edges: &[&Edge],
) -> Vec<(i32, i32)> {
    let boxes =
        |column: usize| (0..sizes.len()).filter(move |node| columns.of_box(*node) == column);
    let framed = |column: usize| boxes(column).any(|node| diagram.nodes[node].group.is_some());
    let group = |column: usize| boxes(column).filter_map(|node| diagram.nodes[node].group).max();
    let mut x = if framed(0) { 2 * MARGIN } else { MARGIN };
    let mut ends = Vec::new();
    for column in 0..columns.slots.len() {
        let widest = boxes(column).map(|node| sizes[node].0).max().unwrap_or_default();
        ends.push((x, x + widest));
        let labels = edges.iter().filter(|edge| columns.of_box(edge.from) == column);
        let labels = labels.map(|edge| width(&edge.label, TEN_SMALL_CHARACTERS)).max();
        let frame = if group(column) == group(column + 1) { 0 } else { MARGIN };
        x += widest + AISLE.max(labels.unwrap_or_default() + AISLE / 2) + frame;
    }
    ends
}

/// Where slots are placed.
struct Places {
    boxes: Vec<Rect>,
    /// Where an arrow passes through a column: from where to where, and at which height.
    bends: BTreeMap<(usize, usize), (i32, i32, i32)>,
}

impl Places {
    fn of(columns: &Columns, ends: &[(i32, i32)], sizes: &[(i32, i32)], top: i32) -> Self {
        let height = |slot: &Slot| match slot {
            Slot::Box(node) => sizes[*node].1,
            Slot::Bend(_) => BEND,
        };
        let middles = middles(columns, &height);
        let upper = columns.slots.iter().zip(&middles);
        let upper = upper.flat_map(|(slots, middles)| slots.iter().zip(middles));
        let upper = upper.map(|(slot, middle)| middle - height(slot) / 2).min();
        let down = top - upper.unwrap_or_default();
        let mut places = Self { boxes: vec![Rect::default(); sizes.len()], bends: BTreeMap::new() };
        for (column, slots) in columns.slots.iter().enumerate() {
            let (left, right) = ends[column];
            for (slot, middle) in slots.iter().zip(&middles[column]) {
                let middle = middle + down;
                match *slot {
                    Slot::Box(node) => {
                        let (width, height) = sizes[node];
                        let x = left + (right - left - width) / 2;
                        places.boxes[node] = Rect { x, y: middle - height / 2, width, height };
                    }
                    Slot::Bend(edge) => {
                        places.bends.insert((edge, column), (left, right, middle));
                    }
                }
            }
        }
        places
    }

    /// The way of an arrow: from the right of a box, through its bends, to the left of another.
    fn arrow(&self, position: usize, edge: &Edge, columns: &Columns) -> Arrow {
        let (from, to) = (self.boxes[edge.from], self.boxes[edge.to]);
        let mut at = (from.right(), from.middle());
        let mut curves = Vec::new();
        for column in columns.of_box(edge.from) + 1..columns.of_box(edge.to) {
            if let Some((left, right, middle)) = self.bends.get(&(position, column)) {
                curves.push((at, (*left, *middle)));
                at = (*right, *middle);
            }
        }
        curves.push((at, (to.x, to.middle())));
        let ((x, y), (next_x, next_y)) = curves[0];
        Arrow { label: (i32::midpoint(x, next_x), i32::midpoint(y, next_y)), curves }
    }
}

/// The heights of the slots of each column: as near as possible to what they have arrows to and from.
fn middles(columns: &Columns, height: &impl Fn(&Slot) -> i32) -> Vec<Vec<i32>> {
    let stacked = |slots: &Vec<Slot>| {
        let whole: i32 = slots.iter().map(|slot| height(slot) + GAP).sum();
        apart(slots, &vec![-whole; slots.len()], height).0
    };
    let mut middles: Vec<Vec<i32>> = columns.slots.iter().map(stacked).collect();
    for pull in 0..PULLS {
        for (column, beside) in columns.pairs(pull) {
            let wished: Vec<i32> = columns.slots[column]
                .iter()
                .enumerate()
                .map(|(at, slot)| {
                    let linked = columns.linked(slot, beside);
                    let count = i32::try_from(linked.len()).unwrap_or(i32::MAX);
                    match linked.iter().map(|other| middles[beside][*other]).sum::<i32>() {
                        _ if count == 0 => middles[column][at],
                        sum => sum / count,
                    }
                })
                .collect();
            let (down, up) = apart(&columns.slots[column], &wished, height);
            let between = down.into_iter().zip(up);
            middles[column] = between.map(|(a, b)| i32::midpoint(a, b)).collect();
        }
    }
    middles
}

/// The wished heights, moved down until no two slots overlap; and the same, moved up.
fn apart(slots: &[Slot], wished: &[i32], height: &impl Fn(&Slot) -> i32) -> (Vec<i32>, Vec<i32>) {
    let least = |at: usize| i32::midpoint(height(&slots[at]), height(&slots[at + 1])) + GAP;
    let (mut down, mut up) = (wished.to_vec(), wished.to_vec());
    for at in 0..slots.len().saturating_sub(1) {
        down[at + 1] = down[at + 1].max(down[at] + least(at));
    }
    for at in (0..slots.len().saturating_sub(1)).rev() {
        up[at] = up[at].min(up[at + 1] - least(at));
    }
    (down, up)
}

/// The frames, all of the same height.
fn frames(diagram: &Diagram, places: &Places) -> Vec<(&'static str, Rect)> {
    let bottom = places.boxes.iter().map(|rect| rect.bottom()).max().unwrap_or_default();
    let groups = diagram.filled_groups();
    groups
        .filter_map(|(group, title)| {
            let own = diagram.nodes.iter().zip(&places.boxes);
            let own = own.filter(|(node, _)| node.group == Some(group)).map(|(_, rect)| rect);
            let x = own.clone().map(|rect| rect.x).min()? - MARGIN;
            let right = own.map(|rect| rect.right()).max()? + MARGIN;
            let titled = width(title, TEN_CHARACTERS) + 2 * PADDING;
            let width = titled.max(right - x);
            Some((title, Rect { x, y: MARGIN, width, height: bottom }))
        })
        .collect()
}
