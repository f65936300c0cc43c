//! What remains of a run that is killed: the cloud, the journal's file, and the time.
//!
//! One run shows all moments at which it could have been killed. At each of them, what would outlive its process is
//! copied, and the run continues; the next run is then tried on the copies. A killed process can leave nothing else
//! behind, so this amounts to a kill at every await point:
//!
//! - Between two calls the cloud does not change, and the journal only grows by records, each of
//!   which is tried whole and torn. (A torn record is what a power cut leaves; a killed process leaves
//!   whole ones.)
//! - While a run waits, nothing changes but the time, and on the copies that time passes before the next run begins.
//!
//! Many moments therefore leave the same state: a kill at one of them equals a kill at an earlier moment, after
//! which more time has passed. [`Moment::is_new`] marks those that leave something that no earlier moment has left.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use mirror_local::{ACCOUNT, Cloud, Stage};
use mirror_plan::apply::journal::{Ledger, Record};
use mirror_plan::stack::Stack;
use serde_json::Value;

use super::time::Time;

/// When a run was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A call that changes something has reached AWS, and nothing has happened yet.
    Sent,
    /// A call has changed something, and its answer has not been sent yet.
    Done,
    /// A call that only reads has reached AWS.
    Reading,
    /// A record has been written to the journal, and nothing has been called since.
    Written,
    /// Half a record has been written.
    Torn,
}

/// A moment at which a run could have been killed.
pub struct Moment<'m> {
    /// At which point of the run it is.
    pub spot: Spot,
    /// Whether the cloud and the journal, apart from the times in them, differ from those at every moment before it.
    pub is_new: bool,
    /// What would remain.
    pub remains: &'m dyn Fn() -> Remains,
}

impl fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spot, is_new, remains: _ } = self;
        f.debug_struct("Moment").field("spot", spot).field("is_new", is_new).finish_non_exhaustive()
    }
}

/// What remains.
#[derive(Clone, Debug)]
pub struct Remains {
    /// When the run was killed.
    pub spot: Spot,
    /// The action that was called at that moment, or next.
    pub action: String,
    pub(super) cloud: Cloud,
    pub(super) at: Timestamp,
    pub(super) journal: Vec<u8>,
}

impl Remains {
    /// The content of the journal's file.
    #[must_use]
    pub fn journal(&self) -> &[u8] {
        &self.journal
    }

    /// A copy with an independent cloud and another journal.
    #[must_use]
    pub fn with_journal(&self, journal: Vec<u8>) -> Self {
        Self { cloud: self.cloud.fork(), journal, ..self.clone() }
    }
}

/// Where the journal of a stack is kept.
pub(super) fn journal_of(stack: &Stack, folder: &Path) -> PathBuf {
    folder.join(format!("{}.{ACCOUNT}.{}.journal", stack.name, crate::REGION))
}

/// Watches a run while it is in progress.
pub(super) struct Watch<F> {
    pub(super) journal: PathBuf,
    pub(super) time: Time,
    pub(super) state: Mutex<State<F>>,
}

/// What has been seen of a run.
pub(super) struct State<F> {
    /// What the journal contained when it was last read.
    before: Vec<u8>,
    /// What the journal left open at each moment since a call last changed something.
    left: BTreeSet<String>,
    /// The function that moments are reported to.
    tell: F,
}

impl<F> State<F> {
    /// Starts before a run whose journal already has this content.
    pub(super) fn new(journal: Vec<u8>, tell: F) -> Self {
        Self { before: journal, left: BTreeSet::new(), tell }
    }
}

impl<F: FnMut(Moment<'_>)> Watch<F> {
    /// Reports all moments between the last call and this one.
    pub(super) fn see(&self, call: &mirror_local::Moment<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { before, left, tell } = &mut *state;
        let journal = std::fs::read(&self.journal).unwrap_or_default();
        let mut tell_of = |spot, journal: &[u8]| {
            if spot == Spot::Done {
                left.clear(); // the cloud has changed
            }
            let remains = || Remains {
                spot,
                action: call.request.action.clone(),
                cloud: call.fork(),
                at: self.time.now(),
                journal: journal.to_vec(),
            };
            tell(Moment { spot, is_new: left.insert(open(journal)), remains: &remains });
        };
        for (spot, length) in written(before, &journal) {
            tell_of(spot, &journal[..length]);
        }
        let spot = match (call.stage, call.mutates()) {
            (Stage::Come, true) => Spot::Sent,
            (Stage::Come, false) => Spot::Reading,
            (Stage::Done, _) => Spot::Done,
        };
        tell_of(spot, &journal);
        *before = journal;
    }
}

/// What a journal leaves open, without the times.
fn open(journal: &[u8]) -> String {
    let whole = journal.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let records = whole.map(|line| {
        let json = line.get(CHECKSUM..).unwrap_or_default();
        serde_json::from_slice::<Record>(json).expect("nobody has damaged it")
    });
    let mut records =
        serde_json::to_value(Ledger::of(records).records()).expect("records are JSON");
    for record in records.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        record.remove("at");
    }
    records.to_string()
}

/// The length of the checksum before a record and the space after it.
const CHECKSUM: usize = 9;

/// The lengths that a journal had on its way from one state to the next.
fn written(before: &[u8], now: &[u8]) -> Vec<(Spot, usize)> {
    // A journal that was emptied in between is reported from its beginning.
    let old = if now.starts_with(before) { before.len() } else { 0 };
    let mut lengths = Vec::new();
    let mut begin = old;
    for record in now[old..].split_inclusive(|byte| *byte == b'\n') {
        lengths.push((Spot::Torn, begin + record.len() / 2));
        begin += record.len();
        lengths.push((Spot::Written, begin));
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_told_of_record_by_record() {
        let lengths = written(b"one\n", b"one\ntwo\nthree\n");
        assert_eq!(
            lengths,
            [(Spot::Torn, 6), (Spot::Written, 8), (Spot::Torn, 11), (Spot::Written, 14)]
        );
        assert_eq!(written(b"one\ntwo\n", b""), []);
        assert_eq!(written(b"one\n", b"two\n"), [(Spot::Torn, 2), (Spot::Written, 4)]);
    }
}
