//! The text of a file being read, and the places in it that diagnostics point at.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Block;

use crate::diagnostic::{Diagnostic, Source, Span};
use crate::value::{Path, Segment};

/// A source that is being read.
#[derive(Clone, Debug)]
pub(super) struct Text(Arc<Source>);

impl Text {
    pub(super) fn new(source: Source) -> Self {
        Self(Arc::new(source))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The place of a piece of syntax.
    pub(super) fn span(&self, node: &impl hcl_edit::Span) -> Span {
        self.bytes(node.span().unwrap_or_default())
    }

    /// The place between two offsets, widened to whole characters.
    pub(super) fn bytes(&self, bytes: Range<usize>) -> Span {
        let text = &self.0.text;
        let start = text.floor_char_boundary(bytes.start.min(text.len()));
        let end = text.ceil_char_boundary(bytes.end.min(text.len())).max(start);
        Span { source: Arc::clone(&self.0), bytes: start..end }
    }

    /// Everything, for diagnostics without a better place.
    pub(super) fn whole(&self) -> Span {
        self.bytes(0..self.as_str().len())
    }

    /// Returns the diagnostic with every text but this one reduced to line ends and stars.
    pub(super) fn hide_others(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let labels = diagnostic.labels.iter_mut().map(|label| &mut label.span);
        for span in labels.filter(|span| !Arc::ptr_eq(&span.source, &self.0)) {
            let hidden = |c: char| match c {
                '\n' | '\r' => c.to_string(),
                c => "*".repeat(c.len_utf8()),
            };
            let text = span.source.text.chars().map(hidden).collect();
            span.source = Arc::new(Source { name: span.source.name.clone(), text });
        }
        diagnostic
    }

    /// The head of a block: `vpc "lab"`.
    pub(super) fn head(&self, block: &Block) -> Span {
        let start = self.span(&block.ident).bytes;
        let end = block.labels.last().map_or(start.end, |label| self.span(label).bytes.end);
        self.bytes(start.start..end)
    }
}

/// Where the values that expressions write out are, by path.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) values: BTreeMap<Path, Span>,
}

impl Written {
    /// Adds what `expression`, which is at `path`, writes out.
    ///
    /// What is computed rather than written out ends the walk: its elements get the place of the
    /// whole.
    pub(super) fn add(&mut self, text: &Text, expression: &Expression, path: &Path) {
        self.values.insert(path.clone(), text.span(expression));
        match expression {
            Expression::Parenthesis(inner) => self.add(text, inner.inner(), path),
            Expression::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(text, item, &path.index(index));
                }
            }
            Expression::Object(members) => {
                for (key, member) in members {
                    if let Some(name) = written_name(key) {
                        self.add(text, member.expr(), &path.member(name));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns what an expression writes at `path`, or the nearest it writes around it; and the name of
/// the last member, if that is written.
///
/// Every element of a loop is placed where the loop writes it.
pub(super) fn written_at<'e>(
    expression: &'e Expression,
    path: &[Segment],
) -> (&'e Expression, Option<&'e ObjectKey>) {
    let Some((segment, rest)) = path.split_first() else { return (expression, None) };
    match (expression, segment) {
        (Expression::Parenthesis(inner), _) => written_at(inner.inner(), path),
        (Expression::Array(items), Segment::Index(index)) => match items.get(*index) {
            Some(item) => written_at(item, rest),
            None => (expression, None),
        },
        (Expression::ForExpr(loop_), Segment::Index(_)) if loop_.key_expr.is_none() => {
            written_at(&loop_.value_expr, rest)
        }
        (Expression::Object(members), Segment::Member(name)) => {
            let found = members.iter().find(|(key, _)| written_name(key) == Some(name));
            match found {
                Some((key, member)) if rest.is_empty() => (member.expr(), Some(key)),
                Some((_, member)) => written_at(member.expr(), rest),
                None => (expression, None),
            }
        }
        _ => (expression, None),
    }
}

/// The name of a member, if it is not computed.
fn written_name(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str()),
        ObjectKey::Expression(expression) => expression.as_str(),
    }
}
