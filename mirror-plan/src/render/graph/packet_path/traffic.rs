//! Traffic: the arrows along which mirrored packets go, and the places where they are stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, MIRROR, RECEIVERS, SOURCES};
use crate::address::Kind;
use crate::reach::{Hop, Leg, Mention, Outcome, Reach, Stretch, Way};
use crate::render::graph::{Drawing, Edge, Mark, Node, Sort, Stroke};
use crate::render::scene::Scene;

/// How many characters of text fit in a line of a box.
const LINE_MAX: usize = 44;
/// The name under which boxes of stops are folded.
const STOPPED: &str = "stopped";

/// Draws differently the arrows along which packets go, those along which none do, and those for which that is not
/// known; and adds a box with its words for each hop that stops packets.
pub(super) fn draw(scene: &Scene<'_>, drawing: &mut Drawing<Key>) {
    let reach = Reach::over(scene.network());
    let mut traffic = Traffic { drawing, best: BTreeMap::new(), stops: BTreeSet::new() };
    let mut seen = BTreeSet::new();
    for way in reach.ways().iter() {
        if seen.insert(way.likeness()) {
            traffic.way(&way);
        }
    }
    let Traffic { best, stops, .. } = traffic;
    restroke(drawing, &best);
    for (from, words) in stops {
        stop(drawing, from, &words);
    }
}

struct Traffic<'d> {
    drawing: &'d Drawing<Key>,
    /// The best stroke of the arrow between two boxes.
    best: BTreeMap<(usize, usize), Stroke>,
    /// The box before each hop that stops packets, and the words of the hop.
    stops: BTreeSet<(usize, String)>,
}

impl Traffic<'_> {
    fn way(&mut self, way: &Way<'_, '_>) {
        let filter = self.drawing.nodes.get(&(MIRROR, way.filter())).copied();
        let target = self.drawing.nodes.get(&(MIRROR, way.target())).copied();
        for leg in way.legs() {
            self.leg([filter, target], &leg);
        }
    }

    /// Follows the packets of a path from box to box, until a box is missing or a hop stops them.
    fn leg(&mut self, [filter, target]: [Option<usize>; 2], leg: &Leg<'_, '_>) {
        let find = |mention: Option<Mention<'_>>| {
            self.drawing.nodes.get(&(RECEIVERS, mention?.to_string())).copied()
        };
        let [balancer, group, receiver] =
            [leg.load_balancer, leg.target_group, leg.receiver].map(find);
        let steps = match leg.load_balancer {
            Some(_) => vec![
                (Stretch::Source, filter, target),
                (Stretch::Target, target, balancer),
                (Stretch::Group, balancer, group),
                (Stretch::Receiver, group, receiver),
            ],
            None => {
                let to = receiver.or_else(|| self.only_arrow(target));
                vec![(Stretch::Source, filter, target), (Stretch::Target, target, to)]
            }
        };
        let mut so_far = Outcome::Passes;
        for (stretch, from, to) in steps {
            let hops = || leg.hops.iter().copied().filter(|hop| hop.stretch == stretch);
            if let Some(hop) = hops().find(|hop: &&Hop| hop.outcome == Outcome::Stops) {
                self.stops.extend(from.map(|from| (from, hop.words.clone())));
                return;
            }
            so_far = hops().map(|hop| hop.outcome).fold(so_far, Outcome::max);
            let (Some(from), Some(to)) = (from, to) else { return };
            let stroke = match so_far {
                Outcome::Passes => Stroke::Solid,
                Outcome::Unknown | Outcome::Stops => Stroke::Dashed,
            };
            let best = self.best.entry((from, to)).or_insert(stroke);
            *best = stroke.min(*best);
        }
    }

    /// Where the first arrow from a mirror target leads, for a target of which nothing is known.
    fn only_arrow(&self, target: Option<usize>) -> Option<usize> {
        let target = target?;
        let mut edges = self.drawing.diagram.edges.iter().filter(|edge| edge.from == target);
        Some(edges.next()?.to)
    }
}

/// Gives the arrows behind a session their strokes. Arrows of objects that are to be deleted stay as drawn.
fn restroke(drawing: &mut Drawing<Key>, best: &BTreeMap<(usize, usize), Stroke>) {
    let diagram = &mut drawing.diagram;
    let nodes = &diagram.nodes;
    let goes = |node: usize| nodes[node].mark == Some(Mark::Delete);
    let is_behind = |node: usize| {
        let session = Kind::MirrorSession.to_string();
        nodes[node].group > Some(SOURCES) && nodes[node].sort.kind != session
    };
    let edges = diagram.edges.iter().map(|edge| {
        let stroke = match best.get(&(edge.from, edge.to)) {
            Some(best) => *best,
            None if goes(edge.from) || goes(edge.to) || !is_behind(edge.from) => edge.stroke,
            None => Stroke::Dotted,
        };
        Edge { stroke, ..edge.clone() }
    });
    diagram.edges = edges.collect();
}

/// Adds a box for a stop behind the last box that the packets reach.
fn stop(drawing: &mut Drawing<Key>, from: usize, words: &str) {
    let group = drawing.diagram.nodes[from].group;
    let sort = Sort { kind: STOPPED.to_owned(), block: STOPPED.to_owned() };
    let node = Node { lines: wrapped(words), mark: Some(Mark::Stopped), group, sort };
    let key = (group.unwrap_or_default(), format!("{STOPPED} {words}"));
    let stop = drawing.node(key, node);
    drawing.arrow(from, stop, "");
}

/// A text, wrapped into lines.
fn wrapped(words: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
