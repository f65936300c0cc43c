//! Two texts, compared line by line.
//!
//! `TextDiff` of `similar` would be shorter to use, but it compiles all of its algorithms for each way that it can
//! look at a line: a twenty-fifth of this crate. The algorithm used here gives the differences that people read
//! best.

use similar::algorithms::{Capture, Compact, Replace, patience};
use similar::{Change, DiffOp, group_diff_ops};

/// The lines of two texts, with their line ends, and how one text becomes the other.
#[derive(Debug)]
pub(super) struct Compared<'t> {
    before: Vec<&'t str>,
    after: Vec<&'t str>,
    operations: Vec<DiffOp>,
}

impl<'t> Compared<'t> {
    pub(super) fn new(before: &'t str, after: &'t str) -> Self {
        let before: Vec<&str> = before.split_inclusive('\n').collect();
        let after: Vec<&str> = after.split_inclusive('\n').collect();
        let (old, new) = (0..before.len(), 0..after.len());
        let mut found = Compact::new(Replace::new(Capture::new()), &before, &after);
        let Ok(()) = patience::diff(&mut found, &before, old, &after, new);
        let operations = found.into_inner().into_inner().into_ops();
        Self { before, after, operations }
    }

    /// Every line of both texts.
    pub(super) fn lines(&self) -> impl Iterator<Item = Change<&'t str>> {
        self.lines_of(&self.operations)
    }

    /// The groups of differing lines, each with `around` unchanged lines before and after it.
    pub(super) fn groups(&self, around: usize) -> Vec<Vec<DiffOp>> {
        group_diff_ops(self.operations.clone(), around)
    }

    /// The lines of a group.
    pub(super) fn lines_of<'s>(
        &'s self,
        group: &'s [DiffOp],
    ) -> impl Iterator<Item = Change<&'t str>> + use<'s, 't> {
        group.iter().flat_map(|operation| operation.iter_changes(&self.before, &self.after))
    }
}
