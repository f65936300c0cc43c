//! Scalable vector graphics for documents and reports, which need nothing else to be drawn.

use std::fmt;

use super::layout::{Arrow, LINE, Layout, PADDING, Rect, TITLE, shown};
use super::{Diagram, Mark, Node, Stroke};
use crate::render::markup::Escaped;

/// The most boxes that a person can look at.
const NODES_MAX: usize = 120;
/// The most arrows.
const EDGES_MAX: usize = 240;
/// The colors and the font: dark on dark screens, never dark on paper.
const STYLE: &str = include_str!("svg.css");

/// A diagram as an SVG document, which can also be embedded in a page.
#[derive(Clone, Copy, Debug)]
pub struct Svg<'d>(pub &'d Diagram);

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let few = |diagram: &Diagram| {
            diagram.nodes.len() <= NODES_MAX && diagram.edges.len() <= EDGES_MAX
        };
        let diagram = self.0.fitting(few);
        let Layout { boxes, arrows, frames, width, height } = Layout::of(&diagram);
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mirror-diagram\" role=\"img\" \
             viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">"
        )?;
        writeln!(f, "<style>\n{STYLE}</style>")?;
        writeln!(
            f,
            "<defs><marker id=\"mirror-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>"
        )?;
        writeln!(f, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>")?;
        frames.iter().try_for_each(|(title, rect)| write_frame(f, title, *rect))?;
        let edges = diagram.edges.iter().zip(&arrows);
        edges.into_iter().try_for_each(|(edge, arrow)| write_arrow(f, arrow, edge.stroke))?;
        let nodes = diagram.nodes.iter().zip(&boxes);
        nodes.into_iter().try_for_each(|(node, rect)| write_box(f, node, *rect))?;
        let labels = diagram.edges.iter().zip(&arrows).filter(|(edge, _)| !edge.label.is_empty());
        for (edge, Arrow { label: (x, y), curves: _ }) in labels {
            writeln!(
                f,
                "<text class=\"label\" x=\"{x}\" y=\"{}\">{}</text>",
                y + 4,
                Escaped(&edge.label)
            )?;
        }
        writeln!(f, "</svg>")
    }
}

fn write_frame(f: &mut fmt::Formatter<'_>, title: &str, rect: Rect) -> fmt::Result {
    let Rect { x, y, .. } = rect;
    write!(f, "<g class=\"frame\">")?;
    write_rect(f, rect)?;
    let (x, y) = (x + PADDING, y + TITLE - PADDING / 2);
    writeln!(f, "<text x=\"{x}\" y=\"{y}\">{}</text></g>", Escaped(title))
}

fn write_rect(f: &mut fmt::Formatter<'_>, rect: Rect) -> fmt::Result {
    let Rect { x, y, width, height } = rect;
    write!(f, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>")
}

fn write_arrow(f: &mut fmt::Formatter<'_>, arrow: &Arrow, stroke: Stroke) -> fmt::Result {
    let class = match stroke {
        Stroke::Solid => "arrow",
        Stroke::Dashed => "arrow dashed",
        Stroke::Dotted => "arrow dotted",
    };
    write!(f, "<path class=\"{class}\" d=\"")?;
    for (position, ((x, y), (to_x, to_y))) in arrow.curves.iter().enumerate() {
        let half = (to_x - x).abs().max(20) / 2;
        let begin = if position == 0 { 'M' } else { 'L' };
        write!(f, "{begin}{x} {y}C{} {y} {} {to_y} {to_x} {to_y}", x + half, to_x - half)?;
    }
    writeln!(f, "\"/>")
}

fn write_box(f: &mut fmt::Formatter<'_>, node: &Node, rect: Rect) -> fmt::Result {
    let class = node.mark.map_or("same", Mark::verb);
    write!(f, "<g class=\"box {class}\">")?;
    if node.text().any(|line| shown(line) != line) {
        write!(f, "<title>{}</title>", Escaped(&node.lines.join("\n")))?;
    }
    write_rect(f, rect)?;
    let x = rect.x + PADDING;
    let name = usize::from(node.mark.is_some());
    for (position, line) in node.text().enumerate() {
        let row = i32::try_from(position).unwrap_or_default();
        let y = rect.y + PADDING / 2 + LINE * row + LINE - 5;
        let class = match position {
            _ if position < name => " class=\"mark\"",
            _ if position == name => " class=\"name\"",
            _ => "",
        };
        write!(f, "<text{class} x=\"{x}\" y=\"{y}\">{}</text>", Escaped(&shown(line)))?;
    }
    writeln!(f, "</g>")
}
