//! Documents in Terraform's language, laid out as `terraform fmt` does it.

use std::fmt;

use crate::value::is_invisible;

/// A block with what it holds.
#[derive(Debug)]
pub(super) struct Block {
    /// Its type and labels: `resource "aws_vpc" "lab"`.
    pub(super) head: String,
    /// The comments above it, one per line.
    pub(super) comments: Vec<String>,
    /// Attributes first, then blocks.
    pub(super) items: Vec<Item>,
}

/// What a block holds.
#[derive(Debug)]
pub(super) enum Item {
    /// An attribute and its expression, on one line.
    Attribute(String, String),
    /// An attribute that is a map of expressions.
    Map(&'static str, Vec<(String, String)>),
    /// A block.
    Block(Block),
}

impl Block {
    pub(super) fn new(head: impl Into<String>) -> Self {
        Self { head: head.into(), comments: Vec::new(), items: Vec::new() }
    }

    pub(super) fn with(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.items.extend(items);
        self.items.sort_by_key(|item| match item {
            Item::Attribute(..) => 0,
            Item::Map(..) => 1,
            Item::Block(_) => 2,
        });
        self
    }

    pub(super) fn comment(mut self, line: impl Into<String>) -> Self {
        self.comments.push(line.into());
        self
    }

    fn write(&self, f: &mut impl fmt::Write, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        for comment in &self.comments {
            writeln!(f, "{indent}# {}", in_one_line(comment))?;
        }
        writeln!(f, "{indent}{} {{", self.head)?;
        let lines = |item: &Item| matches!(item, Item::Attribute(..));
        let mut is_first = true;
        for group in self.items.chunk_by(|one, next| lines(one) && lines(next)) {
            if !is_first && matches!(group, [Item::Block(_)]) {
                writeln!(f)?;
            }
            is_first = false;
            write_group(f, group, depth + 1)?;
        }
        writeln!(f, "{indent}}}")
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Writes attributes with aligned equals signs, or one item of another sort.
fn write_group(f: &mut impl fmt::Write, group: &[Item], depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let width = group.iter().map(Item::width).max().unwrap_or_default();
    for item in group {
        match item {
            Item::Attribute(name, text) => writeln!(f, "{indent}{name:width$} = {text}")?,
            Item::Map(name, members) => {
                writeln!(f, "{indent}{name} = {{")?;
                let width = members.iter().map(|(key, _)| key.chars().count()).max();
                let width = width.unwrap_or_default();
                for (key, text) in members {
                    writeln!(f, "{indent}  {key:width$} = {text}")?;
                }
                writeln!(f, "{indent}}}")?;
            }
            Item::Block(block) => block.write(f, depth)?,
        }
    }
    Ok(())
}

impl Item {
    pub(super) fn attribute(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Attribute(name.into(), text.into())
    }

    /// A map: on one line if it has one member.
    pub(super) fn map(name: &'static str, members: Vec<(String, String)>) -> Self {
        match members.as_slice() {
            [(key, text)] => Self::attribute(name, format!("{{ {key} = {text} }}")),
            _ => Self::Map(name, members),
        }
    }

    /// Whether it has this name.
    pub(super) fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Attribute(name, _) => name == wanted,
            Self::Map(name, _) => *name == wanted,
            Self::Block(block) => block.head == wanted,
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Attribute(name, _) => name.len(),
            Self::Map(..) | Self::Block(_) => 0,
        }
    }
}

/// A comment ends at the end of its line, so characters that would end it are escaped.
pub(super) fn in_one_line(text: &str) -> String {
    let shown = |c: char| match c {
        c if is_invisible(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}
