//! Mending: a stack file with the edits that its findings propose.

use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Patch, Source, Span};
use std::sync::Arc;

/// A stack file after edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// Its text.
    pub text: String,
    /// How many edits were made.
    pub edits: usize,
}

/// Returns the file named `name` with every edit that the findings in `found` propose; `None` if there is none.
///
/// Only the edits of findings are made. How to mend text that is not HCL, or a name that refers to nothing, is a
/// guess and is left to the user. An edit that overlaps an earlier one waits for the next run.
#[must_use]
pub fn mended(found: &Diagnostics, name: &str) -> Option<Mended> {
    let certain = found.iter().filter(|found| is_certain(found));
    let patches = certain.flat_map(|found| &found.help).filter_map(|help| help.patch.as_ref());
    let mut patches: Vec<&Patch> = patches.filter(|it| it.span.source.name == name).collect();
    patches.sort_by_key(|patch| (patch.span.bytes.start, patch.span.bytes.end));
    patches.dedup();
    let source: Arc<Source> = patches.first()?.span.source.clone();
    let (mut text, mut end, mut edits) = (String::new(), 0, 0);
    for Patch { span: Span { bytes, .. }, text: by } in patches {
        if bytes.start >= end {
            text.push_str(&source.text[end..bytes.start]);
            text.push_str(by);
            end = bytes.end;
            edits += 1;
        }
    }
    text.push_str(&source.text[end..]);
    Some(Mended { text, edits })
}

fn is_certain(found: &Diagnostic) -> bool {
    code::explain(found.code.0).is_some_and(|entry| entry.finding.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(source: &Arc<Source>, bytes: std::ops::Range<usize>) -> Span {
        Span { source: source.clone(), bytes }
    }

    #[test]
    fn edits_are_made_in_order_once_and_never_across_each_other() {
        let source = Arc::new(Source { name: "a".to_owned(), text: "0123456789".to_owned() });
        let edit = |code, bytes, by: &str| {
            Diagnostic::error(code, "").help_patch("", span(&source, bytes), by)
        };
        let found: Diagnostics = [
            edit(code::QUOTA, 6..8, "x"),
            edit(code::QUOTA, 2..3, "yz"),
            edit(code::QUOTA, 2..3, "yz"),
            edit(code::QUOTA, 7..9, "across"),
            edit(code::QUOTA, 4..4, "+"),
            edit(code::SYNTAX, 0..1, "a guess"),
        ]
        .into_iter()
        .collect();
        let text = "01yz3+45x89".to_owned();
        assert_eq!(mended(&found, "a"), Some(Mended { text, edits: 3 }));
        assert_eq!(mended(&found, "b"), None);
        assert_eq!(mended(&Diagnostics::new(), "a"), None);
    }
}
