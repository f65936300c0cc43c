//! The journal: what is recorded before a call that creates something is sent.
//!
//! The cloud is the state: every object carries its address in its tags from the moment it is created. What tags cannot
//! hold is a call in flight: its answer may be lost, the program may be killed, and AWS may need minutes to show what
//! it has created. The journal covers those minutes. It is a file beside the stack, written and flushed to disk before
//! each such call, and empty most of the time. A team's journal is an object in S3, which a run writes only as long as
//! nobody else has written it. If the journal is lost, the tags alone suffice as soon as the result of the last call is
//! visible.
//!
//! [`Journal::open`] takes the journal for one run and keeps other runs of the same stack out; [`Journal::look`] reads
//! it without taking it. Either way [`recover`](super::recover()) then finds out, without asking the user, what became
//! of calls whose outcome is not known.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Name;
use crate::scalar::{AccountId, Region};

#[cfg(feature = "s3")]
mod bucket;
mod error;
mod file;
mod ledger;
pub(super) mod record;

pub use error::{Held, JournalError};
pub use ledger::{Entry, Ledger};
pub use record::{Record, RequestHash};

/// The stack that a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The stack.
    pub stack: Name,
    /// The account that it is in.
    pub account: AccountId,
    /// The Region that it is in.
    pub region: Region,
}

/// Who is running, shown to those who must wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The command: `mirror apply`.
    pub command: String,
    /// The user, as far as that is known.
    pub user: Option<String>,
    /// The machine, as far as that is known.
    pub host: Option<String>,
    /// The process.
    pub process: u32,
    /// Since when it has been running.
    pub since: Timestamp,
}

/// A clock: returns the current time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The journal of one stack, held by one run.
///
/// A journal in a folder is free again when this value is dropped or the program is killed. A journal in a bucket is
/// free after [`release`](Self::release), or when its lease has run out.
pub struct Journal {
    clock: Clock,
    state: Mutex<State>,
    /// The number of the last record that is flushed to the store. Whoever holds the lock flushes for all who wait.
    flushed: tokio::sync::Mutex<u64>,
    store: Store,
}

struct State {
    ledger: Ledger,
    /// The number of records written since the journal was opened.
    written: u64,
}

/// Where records are kept.
enum Store {
    File(file::Kept),
    Memory,
    #[cfg(feature = "s3")]
    Bucket(Box<bucket::Kept>),
}

impl Scope {
    /// Returns the name of the stack's file with this ending.
    fn file(&self, ending: &str) -> String {
        let Self { stack, account, region } = self;
        format!("{stack}.{account}.{region}.{ending}")
    }
}

impl Journal {
    /// Takes the journal of a stack in `folder`, which is created if it does not exist.
    ///
    /// # Errors
    /// If another run holds the journal, or a file cannot be used.
    pub fn open(
        folder: &Path,
        scope: &Scope,
        holder: &Holder,
        clock: Clock,
    ) -> Result<Self, JournalError> {
        let (kept, ledger) = file::open(folder, scope, holder, clock())?;
        Ok(Self::with(Store::File(kept), ledger, clock))
    }

    /// Returns a journal that is lost when the process ends: calls in flight at that moment are known by their tags
    /// only, as soon as AWS shows them.
    #[must_use]
    pub fn in_memory(clock: Clock) -> Self {
        Self::with(Store::Memory, Ledger::default(), clock)
    }

    fn with(store: Store, ledger: Ledger, clock: Clock) -> Self {
        let state = Mutex::new(State { ledger, written: 0 });
        Self { clock, state, flushed: tokio::sync::Mutex::new(0), store }
    }

    /// Returns what the journal of a stack leaves open, without taking it.
    ///
    /// # Errors
    /// If another run holds the journal, so that anything may be in flight, or if a file exists and cannot be read.
    pub fn look(folder: &Path, scope: &Scope, now: Timestamp) -> Result<Ledger, JournalError> {
        file::look(folder, scope, now)
    }

    /// Returns what is open.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Writes a record, and returns once it is stored where it outlives this process.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn append(&self, record: Record) -> Result<(), JournalError> {
        let number = self.write(record)?;
        self.flush(number).await
    }

    /// Writes a record without waiting; returns its number.
    fn write(&self, record: Record) -> Result<u64, JournalError> {
        let mut state = self.lock();
        match &self.store {
            Store::File(kept) => kept.write(&record)?,
            Store::Memory => {}
            #[cfg(feature = "s3")]
            Store::Bucket(_) => {} // all of it is written at once
        }
        state.ledger.take(record);
        state.written += 1;
        Ok(state.written)
    }

    /// Returns once the record with that number is in the store.
    async fn flush(&self, number: u64) -> Result<(), JournalError> {
        let mut flushed = self.flushed.lock().await;
        if *flushed >= number {
            return Ok(()); // with somebody else's
        }
        let all = self.lock().written;
        match &self.store {
            Store::File(kept) => kept.flush().await?,
            Store::Memory => {}
            #[cfg(feature = "s3")]
            Store::Bucket(kept) => kept.write(&self.ledger()).await?,
        }
        *flushed = all;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A holder that panics leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an apply needs in addition.
#[cfg(feature = "aws")]
impl Journal {
    /// Closes the entries that `observed` shows to be settled, and empties the journal when nothing is open.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) async fn settle(
        &self,
        observed: &crate::observed::Observed,
        window: std::time::Duration,
    ) -> Result<(), JournalError> {
        #[cfg(feature = "s3")]
        let before = self.ledger();
        let settled = self.lock().ledger.settle(observed, self.now(), window);
        match &self.store {
            Store::File(kept) if self.ledger().is_settled() => return kept.clear(),
            Store::File(_) | Store::Memory => {}
            #[cfg(feature = "s3")]
            Store::Bucket(_) if self.ledger() == before => return Ok(()),
            #[cfg(feature = "s3")]
            Store::Bucket(_) => return self.write_again().await,
        }
        for (address, generation) in settled {
            self.write(Record::Settled { address, generation })?;
        }
        Ok(())
    }

    /// See [`Ledger::pending`].
    pub(super) fn pending(
        &self,
        is_planned: impl Fn(&crate::address::Address) -> bool,
    ) -> Option<String> {
        self.lock().ledger.pending(is_planned)
    }

    /// See [`Ledger::entry`].
    pub(super) fn entry(
        &self,
        address: &crate::address::Address,
        generation: u32,
    ) -> Option<Entry> {
        self.lock().ledger.entry(address, generation).cloned()
    }

    /// Returns who has taken over the journal, if another run has: this run must not change anything any more.
    #[must_use]
    pub fn lost(&self) -> Option<Held> {
        match &self.store {
            Store::File(_) | Store::Memory => None,
            #[cfg(feature = "s3")]
            Store::Bucket(kept) => kept.lost(),
        }
    }

    /// Returns clients that change nothing any more once another run holds the journal.
    pub(super) fn fence(self: &Arc<Self>, aws: &crate::aws::Aws) -> crate::aws::Aws {
        match &self.store {
            // The operating system never revokes the lock of a file.
            Store::File(_) | Store::Memory => aws.clone(),
            #[cfg(feature = "s3")]
            Store::Bucket(_) => aws.fenced(self.clone()),
        }
    }

    /// Lets the next run have the journal. Without this call it becomes free too, but a journal in a bucket only when
    /// its lease runs out.
    pub async fn release(&self) {
        match &self.store {
            Store::File(_) | Store::Memory => {}
            #[cfg(feature = "s3")]
            Store::Bucket(kept) => kept.release(&self.ledger()).await,
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("ledger", &self.lock().ledger).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::record::Line;
    use super::*;
    use crate::observed::Observed;

    fn scope() -> Scope {
        Scope {
            stack: "lab".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
        }
    }

    fn holder() -> Holder {
        Holder {
            command: "mirror apply".to_owned(),
            user: Some("ada".to_owned()),
            host: Some("build-7".to_owned()),
            process: 4711,
            since: "2026-11-22T10:00:00Z".parse().unwrap(),
        }
    }

    fn open(folder: &Path) -> Result<Journal, JournalError> {
        Journal::open(folder, &scope(), &holder(), Arc::new(|| holder().since))
    }

    fn intent() -> Record {
        Record::Intent {
            address: "vpc.lab".parse().unwrap(),
            generation: 1,
            token: "7c9e".to_owned(),
            request: RequestHash::of(&"10.0.0.0/16"),
            at: holder().since,
        }
    }

    #[tokio::test]
    async fn one_run_has_it_and_the_other_hears_who() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path()).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "another run is at work on this stack: `mirror apply` by ada on build-7, process 4711, \
             since 2026-11-22T10:00:00Z"
        );
        let looked = Journal::look(folder.path(), &scope(), holder().since).unwrap_err();
        assert_eq!(looked.to_string(), error.to_string());
        drop(journal);
        assert!(open(folder.path()).is_ok(), "it is free with the run");
    }

    #[tokio::test]
    async fn what_was_written_is_there_for_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path()).unwrap();
        journal.append(intent()).await.unwrap();
        drop(journal);
        assert_eq!(open(folder.path()).unwrap().ledger(), Ledger::of([intent()]));
        let looked = Journal::look(folder.path(), &scope(), holder().since).unwrap();
        assert_eq!(looked, Ledger::of([intent()]));
    }

    #[tokio::test]
    async fn a_journal_cut_anywhere_goes_on_whole() {
        let line = Line(&intent()).to_string();
        for cut in 0..=line.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(scope().file("journal"));
            std::fs::write(&path, &line.as_bytes()[..cut]).unwrap();
            let journal = open(folder.path()).unwrap();
            journal.append(intent()).await.unwrap();
            drop(journal);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(record::read(&bytes).damaged, None, "cut at {cut}");
            assert_eq!(open(folder.path()).unwrap().ledger(), Ledger::of([intent()]));
        }
        println!("{} cuts", line.len() + 1);
    }

    #[test]
    fn damage_is_waited_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(scope().file("journal"));
        std::fs::write(&path, "not what was written\n").unwrap();
        let mut ledger = Journal::look(folder.path(), &scope(), holder().since).unwrap();
        assert_eq!(
            ledger.pending(|_| true).as_deref(),
            Some("a part of the journal cannot be read")
        );
        let nothing = Observed::nothing(scope().account, scope().region);
        let window = std::time::Duration::from_secs(300);
        let later = Timestamp::now() + window;
        ledger.settle(&nothing, later, window);
        assert!(ledger.is_settled());
    }
}
