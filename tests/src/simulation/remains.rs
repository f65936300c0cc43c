//! What remains of a run that is killed: the cloud, the journal's file, and the time.
//!
//! One run shows all moments at which it could have been killed. At each of them what would outlive
//! its process is copied, and the run goes on; the next run is then tried on the copies. A process
//! that is killed can leave nothing else behind, so that this is a kill at every await point:
//!
//! - Between two calls the cloud does not change, and the journal only grows by records, each of
//!   which is tried whole and torn. (A torn record is what a power cut leaves; a killed process leaves
//!   whole ones.)
//! - While a run waits nothing changes but the time, and that passes on the copies before the next
//!   run begins.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use mirror_local::{ACCOUNT, Cloud, Moment, Stage};
use mirror_plan::stack::Stack;

use super::time::Time;

/// When a run was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// A call that changes something has reached AWS, and nothing has happened yet.
    Sent,
    /// The same call has reached AWS again, for it had been refused before.
    Again,
    /// A call has changed something, and its answer has not left yet.
    Done,
    /// A call that only reads has reached AWS.
    Reading,
    /// A record has been written to the journal, and nothing was called since.
    Written,
    /// Half a record has.
    Torn,
}

impl Spot {
    /// Whether it is at a call that changes something. At one that is sent again all is as when it was
    /// sent first, but for the time and for what other calls have changed.
    #[must_use]
    pub fn is_at_a_change(self) -> bool {
        match self {
            Self::Sent | Self::Done => true,
            Self::Again | Self::Reading | Self::Written | Self::Torn => false,
        }
    }
}

/// What remains.
#[derive(Clone, Debug)]
pub struct Remains {
    /// When the run was killed.
    pub spot: Spot,
    /// What was called then, or next.
    pub action: String,
    pub(super) cloud: Cloud,
    pub(super) at: Timestamp,
    pub(super) journal: Vec<u8>,
}

impl Remains {
    /// What the journal's file says.
    #[must_use]
    pub fn journal(&self) -> &[u8] {
        &self.journal
    }

    /// A copy whose cloud goes its own way, with another journal.
    #[must_use]
    pub fn with_journal(&self, journal: Vec<u8>) -> Self {
        Self { cloud: self.cloud.fork(), journal, ..self.clone() }
    }
}

/// Where the journal of a stack is kept.
pub(super) fn journal_of(stack: &Stack, folder: &Path) -> PathBuf {
    folder.join(format!("{}.{ACCOUNT}.{}.journal", stack.name, crate::REGION))
}

/// Looks at a run while it goes on.
pub(super) struct Watch<F> {
    pub(super) journal: PathBuf,
    pub(super) time: Time,
    pub(super) state: Mutex<State<F>>,
}

/// What has been seen of a run.
pub(super) struct State<F> {
    /// What the journal said last.
    before: Vec<u8>,
    /// The calls that were sent, as an action and its parameters.
    sent: BTreeSet<(String, String)>,
    /// Who is told of what remains.
    tell: F,
}

impl<F> State<F> {
    /// Before a run whose journal says this already.
    pub(super) fn new(journal: Vec<u8>, tell: F) -> Self {
        Self { before: journal, sent: BTreeSet::new(), tell }
    }
}

impl<F: FnMut(Spot, &dyn Fn() -> Remains)> Watch<F> {
    /// Tells of all moments since the last call up to this one.
    pub(super) fn see(&self, moment: &Moment<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { before, sent, tell } = &mut *state;
        let journal = std::fs::read(&self.journal).unwrap_or_default();
        let remains = |spot, journal: &[u8]| Remains {
            spot,
            action: moment.request.action.clone(),
            cloud: moment.fork(),
            at: self.time.now(),
            journal: journal.to_vec(),
        };
        for (spot, length) in written(before, &journal) {
            tell(spot, &|| remains(spot, &journal[..length]));
        }
        let call = || (moment.request.action.clone(), moment.request.body.clone());
        let spot = match (moment.stage, moment.mutates()) {
            (Stage::Come, true) if sent.insert(call()) => Spot::Sent,
            (Stage::Come, true) => Spot::Again,
            (Stage::Come, false) => Spot::Reading,
            (Stage::Done, _) => Spot::Done,
        };
        tell(spot, &|| remains(spot, &journal));
        *before = journal;
    }
}

/// The lengths that a journal had on its way from one state to the next.
fn written(before: &[u8], now: &[u8]) -> Vec<(Spot, usize)> {
    // One that has been emptied on the way is told of from its beginning.
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
