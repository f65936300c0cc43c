//! The language of Mermaid, which GitHub draws in comments and Markdown files.
//!
//! GitHub refuses a drawing over its limits and no page can raise them, so a diagram that is over is
//! folded until it is not.

use std::fmt;

use super::{Diagram, Edge, Node};

/// Mermaid's `maxEdges`.
const EDGES_MAX: usize = 500;
/// Mermaid's `maxTextSize`.
const CHARACTERS_MAX: usize = 50_000;

/// A diagram as a Mermaid flowchart.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid<'d>(pub &'d Diagram);

impl fmt::Display for Mermaid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Flowchart(self.0);
        if let Some(text) = whole.within_limits() {
            return f.write_str(&text);
        }
        let by_block = self.0.by_block();
        match Flowchart(&by_block).within_limits() {
            Some(text) => f.write_str(&text),
            // There are few kinds, so this is small whatever the stack.
            None => Flowchart(&self.0.by_kind()).fmt(f),
        }
    }
}

/// A diagram as it is.
struct Flowchart<'d>(&'d Diagram);

impl Flowchart<'_> {
    /// The text, unless GitHub would refuse it.
    fn within_limits(&self) -> Option<String> {
        let few = self.0.edges.len() <= EDGES_MAX;
        let text = few.then(|| self.to_string())?;
        (text.chars().count() <= CHARACTERS_MAX).then_some(text)
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
        for Edge { from, to, label } in edges {
            write!(f, "  n{from} -->")?;
            if !label.is_empty() {
                write!(f, "|{}|", Quoted(label))?;
            }
            writeln!(f, " n{to}")?;
        }
        Ok(())
    }
}

fn write_nodes(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    group: Option<usize>,
    indent: &str,
) -> fmt::Result {
    for (position, node) in nodes.iter().enumerate().filter(|(_, node)| node.group == group) {
        writeln!(f, "{indent}n{position}[{}]", Quoted(&node.lines.join("\n")))?;
    }
    Ok(())
}

/// A text in quotes. Mermaid has no escapes inside them but numbered characters.
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
