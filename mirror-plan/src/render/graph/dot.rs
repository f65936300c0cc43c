//! The language of Graphviz.

use std::fmt;

use super::{Diagram, Edge, Node, Stroke};

/// A diagram in DOT, for `dot -Tsvg`.
#[derive(Clone, Copy, Debug)]
pub struct Dot<'d>(pub &'d Diagram);

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagram { nodes, edges, groups: _ } = self.0;
        writeln!(f, "digraph {{")?;
        writeln!(f, "  rankdir=LR")?;
        writeln!(f, "  node [shape=box, style=rounded, fontname=\"sans-serif\"]")?;
        writeln!(f, "  edge [fontname=\"sans-serif\", fontsize=10]")?;
        write_nodes(f, nodes, None, "  ")?;
        for (position, title) in self.0.filled_groups() {
            writeln!(f, "  subgraph cluster_{position} {{")?;
            writeln!(f, "    label={}", Quoted(title))?;
            write_nodes(f, nodes, Some(position), "    ")?;
            writeln!(f, "  }}")?;
        }
        edges.iter().try_for_each(|edge| write_edge(f, edge))?;
        writeln!(f, "}}")
    }
}

fn write_edge(f: &mut fmt::Formatter<'_>, edge: &Edge) -> fmt::Result {
    let Edge { from, to, label, stroke } = edge;
    write!(f, "  n{from} -> n{to}")?;
    let label = (!label.is_empty()).then(|| format!("label={}", Quoted(label)));
    let stroke = match stroke {
        Stroke::Solid => None,
        Stroke::Dashed => Some("style=dashed"),
        Stroke::Dotted => Some("style=dotted, arrowhead=tee"),
    };
    let attributes: Vec<String> = label.into_iter().chain(stroke.map(str::to_owned)).collect();
    if !attributes.is_empty() {
        write!(f, " [{}]", attributes.join(", "))?;
    }
    writeln!(f)
}

fn write_nodes(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    group: Option<usize>,
    indent: &str,
) -> fmt::Result {
    for (position, node) in nodes.iter().enumerate().filter(|(_, node)| node.group == group) {
        let text = node.text().collect::<Vec<_>>().join("\n");
        write!(f, "{indent}n{position} [label={}", Quoted(&text))?;
        if let Some(mark) = node.mark {
            let (fill, stroke) = (mark.fill(), mark.stroke());
            write!(f, ", style=\"rounded,filled\", fillcolor=\"{fill}\", color=\"{stroke}\"")?;
        }
        writeln!(f, "]")?;
    }
    Ok(())
}

/// A text in quotes, with characters that have a meaning inside them escaped.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c if c.is_control() => f.write_str(" ")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}
