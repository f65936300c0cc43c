//! Finished files that wait for upload, and when they are a reason to accept no more packets.

use crate::count::{FileCounts, UploadCounts};

/// The state of uploads that is remembered from one check to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The bytes that all capture files may take; `None` for no limit.
    pub budget: Option<u64>,
    /// The count of files removed for space, as of the last time when no file waited.
    removed_when_clear: u64,
}

impl Backlog {
    /// Makes the state for captures that may take `budget` bytes.
    pub const fn new(budget: Option<u64>) -> Self {
        Self { budget, removed_when_clear: 0 }
    }

    /// Notes the counts, and returns the ailments that follow from them.
    ///
    /// A store that refuses does no harm while there is room for the files that wait. It is an ailment
    /// when waiting files take three quarters of the budget, or when files were removed before they
    /// were stored; the latter lasts until the store has all the others.
    pub fn ailments(&mut self, counts: &FileCounts) -> Vec<String> {
        let FileCounts { removed, upload } = counts;
        let Some(UploadCounts { waiting, .. }) = upload else { return Vec::new() };
        if waiting.count == 0 {
            self.removed_when_clear = removed.count;
        }
        let mut ailments = Vec::new();
        if self.budget.is_some_and(|budget| waiting.bytes >= budget / 4 * 3) {
            let (files, mebibytes) = (waiting.count, waiting.bytes >> 20);
            ailments.push(format!(
                "the upload is behind: {files} files with {mebibytes} MiB are waiting, three quarters \
                 of the disk budget or more"
            ));
        }
        let removed = removed.count.saturating_sub(self.removed_when_clear);
        if removed > 0 {
            ailments.push(format!(
                "the upload is behind: {removed} files were removed to free space before they were \
                 stored"
            ));
        }
        ailments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Tally;

    fn counts(removed: u64, waiting: u64) -> FileCounts {
        let waiting = Tally { count: waiting, bytes: waiting << 20 };
        let upload = UploadCounts { waiting, ..UploadCounts::default() };
        let removed = Tally { count: removed, bytes: removed << 20 };
        FileCounts { removed, upload: Some(upload) }
    }

    #[test]
    fn what_waits_is_no_harm_until_it_takes_most_of_the_budget() {
        let mut backlog = Backlog::new(Some(100 << 20));
        assert_eq!(backlog.ailments(&counts(0, 74)), [""; 0]);
        let behind = "the upload is behind: 75 files with 75 MiB are waiting, three quarters of the disk \
                      budget or more";
        assert_eq!(backlog.ailments(&counts(0, 75)), [behind]);
        assert_eq!(backlog.ailments(&counts(0, 1)), [""; 0]);
        assert_eq!(Backlog::new(None).ailments(&counts(0, 1000)), [""; 0]);
    }

    #[test]
    fn files_removed_before_they_were_stored_are_told_until_nothing_waits() {
        let mut backlog = Backlog::new(Some(100 << 20));
        assert_eq!(backlog.ailments(&counts(3, 0)), [""; 0]);
        let removed =
            "the upload is behind: 2 files were removed to free space before they were stored";
        assert_eq!(backlog.ailments(&counts(5, 9)), [removed]);
        assert_eq!(backlog.ailments(&counts(5, 1)), [removed]);
        assert_eq!(backlog.ailments(&counts(5, 0)), [""; 0]);
        assert_eq!(backlog.ailments(&counts(5, 9)), [""; 0]);
    }

    #[test]
    fn without_uploads_removing_is_what_a_budget_is_for() {
        let removed = FileCounts { upload: None, ..counts(5, 0) };
        assert_eq!(Backlog::new(Some(1)).ailments(&removed), [""; 0]);
    }
}
