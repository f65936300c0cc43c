//! The language of Mermaid, which GitHub draws in comments and Markdown files.
//!
//! GitHub refuses to draw a diagram that exceeds its limits, and no page can raise them, so a diagram that exceeds
//! them is folded until it does not.

use std::fmt;

use super::{Diagram, Edge, Mark, Node, Stroke};

/// Mermaid's `maxEdges`.
const EDGES_MAX: usize = 500;
/// Mermaid's `maxTextSize`.
const CHARACTERS_MAX: usize = 50_000;

/// A diagram as a Mermaid flowchart.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid<'d>(pub &'d Diagram);

impl fmt::Display for Mermaid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |diagram: &Diagram| Flowchart(diagram).is_within_limits();
        Flowchart(&self.0.fitting(fits)).fmt(f)
    }
}

/// A diagram without folding.
struct Flowchart<'d>(&'d Diagram);

impl Flowchart<'_> {
    /// Whether GitHub would draw it.
    fn is_within_limits(&self) -> bool {
        let few = self.0.edges.len() <= EDGES_MAX;
        few && self.to_string().chars().count() <= CHARACTERS_MAX
    }
}

impl fmt::Display for Flowchart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagram { nodes, edges, groups: _ } = self.0;
        writeln!(f, "flowchart LR")?;
        write_nodes(f, nodes, None, "  ")?;
        for (position, title) in self.0.filled_groups() {
            writeln!(f, "  subgraph g{position}[{}]", Quoted(title))?;
            write_nodes(f, nodes, Some(position), "    ")?;
            writeln!(f, "  end")?;
        }
        for Edge { from, to, label, stroke } in edges {
            let arrow = match stroke {
                Stroke::Solid => "-->",
                Stroke::Dashed => "-.->",
                Stroke::Dotted => "-.-x",
            };
            write!(f, "  n{from} {arrow}")?;
            if !label.is_empty() {
                write!(f, "|{}|", Quoted(label))?;
            }
            writeln!(f, " n{to}")?;
        }
        Mark::ALL.into_iter().try_for_each(|mark| write_class(f, nodes, mark))
    }
}

fn write_nodes(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    group: Option<usize>,
    indent: &str,
) -> fmt::Result {
    for (position, node) in nodes.iter().enumerate().filter(|(_, node)| node.group == group) {
        let text = node.text().collect::<Vec<_>>().join("\n");
        writeln!(f, "{indent}n{position}[{}]", Quoted(&text))?;
    }
    Ok(())
}

/// Writes which boxes have a mark and what colors it has. The text color is fixed too: on a dark GitHub page, it
/// would otherwise be light on light.
fn write_class(f: &mut fmt::Formatter<'_>, nodes: &[Node], mark: Mark) -> fmt::Result {
    let marked = nodes.iter().enumerate().filter(|(_, node)| node.mark == Some(mark));
    let marked: Vec<String> = marked.map(|(position, _)| format!("n{position}")).collect();
    if marked.is_empty() {
        return Ok(());
    }
    let (class, fill, stroke) = (mark.verb(), mark.fill(), mark.stroke());
    writeln!(f, "  classDef {class} fill:{fill},stroke:{stroke},color:#1f2328")?;
    writeln!(f, "  class {} {class}", marked.join(","))
}

/// A text in quotes. The only escapes that Mermaid has inside them are numbered characters.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("<br/>")?,
                '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' | '|' => {
                    write!(f, "#{};", u32::from(c))?;
                }
                c if c.is_control() => f.write_str(" ")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}
