//! The journal: what is written down before a call is sent that makes something.
//!
//! The cloud is the state; every object carries its address in its tags from its first moment. What
//! tags cannot hold is the call that is under way: its answer may be lost, the program may be killed,
//! and AWS may need minutes to show what it has made. The journal covers those minutes. It is a file
//! beside the stack, written and flushed to the disk before each such call, and empty at most times.
//! If it is lost, the tags alone suffice as soon as the last call has come to light.
//!
//! [`Journal::open`] takes the journal for one run and keeps other runs of the same stack out;
//! [`Journal::look`] reads it without. Either way [`recover`](super::recover()) finds out, without asking anybody,
//! what became of calls whose end is not known.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Name;
use crate::scalar::{AccountId, Region};

mod ledger;
mod record;

pub use ledger::{Entry, Ledger};
pub use record::{Record, RequestHash};

use record::{Line, Reading};

/// Which stack a journal is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The stack.
    pub stack: Name,
    /// The account that it is in.
    pub account: AccountId,
    /// The Region that it is in.
    pub region: Region,
}

/// Who runs, for those who must wait.
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
    /// Since when.
    pub since: Timestamp,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The journal of one stack, in the hands of one run.
///
/// It is free again when this is dropped, also when the program is killed.
pub struct Journal {
    clock: Clock,
    state: Mutex<State>,
    /// What is flushed to the disk, and by whom next: one at a time flushes for all who wait.
    flushed: tokio::sync::Mutex<u64>,
    /// Locked as long as this lives.
    _lock: Option<File>,
}

struct State {
    ledger: Ledger,
    store: Store,
    /// The records written since the journal was opened.
    written: u64,
}

/// Where records are kept.
#[derive(Clone)]
enum Store {
    File { path: PathBuf, file: Arc<File> },
    Memory,
}

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run has it.
    #[error("another run is at work on this stack: {0}")]
    Held(Held),
    /// A file cannot be used.
    #[error("the journal `{}` cannot be {what}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What could not be done with it.
        what: &'static str,
        /// Why.
        #[source]
        error: io::Error,
    },
}

/// Who holds a journal, as far as that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held(pub Option<Holder>);

impl Held {
    /// Reads it from a lock's file.
    fn read(mut file: File) -> Self {
        let mut text = String::new();
        let read = file.read_to_string(&mut text);
        Self(read.ok().and_then(|_| serde_json::from_str(&text).ok()))
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Holder { command, user, host, process, since }) = &self.0 else {
            return f.write_str("who it is cannot be read");
        };
        write!(f, "`{command}`")?;
        if let Some(user) = user {
            write!(f, " by {user}")?;
        }
        if let Some(host) = host {
            write!(f, " on {host}")?;
        }
        write!(f, ", process {process}, since {since}")
    }
}

impl Scope {
    fn file(&self, folder: &Path, ending: &str) -> PathBuf {
        let Self { stack, account, region } = self;
        folder.join(format!("{stack}.{account}.{region}.{ending}"))
    }
}

impl Journal {
    /// Takes the journal of a stack in `folder`, which is made where it is not there.
    ///
    /// # Errors
    /// If another run has it, or a file cannot be used.
    pub fn open(
        folder: &Path,
        scope: &Scope,
        holder: &Holder,
        clock: Clock,
    ) -> Result<Self, JournalError> {
        let path = scope.file(folder, "journal");
        let failed = |what| {
            let path = path.clone();
            move |error| JournalError::File { path, what, error }
        };
        std::fs::create_dir_all(folder).map_err(failed("made"))?;
        let lock = lock(&scope.file(folder, "lock"), holder)?;
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let mut file = options.open(&path).map_err(failed("opened"))?;
        let ledger = read(&mut file, clock()).map_err(failed("read"))?;
        end_last_line(&mut file).map_err(failed("written"))?;
        let store = Store::File { path, file: Arc::new(file) };
        Ok(Self::with(State { ledger, store, written: 0 }, clock, Some(lock)))
    }

    /// A journal that is forgotten with the process: what is under way when that ends is known by
    /// its tags only, as soon as AWS shows them.
    #[must_use]
    pub fn in_memory(clock: Clock) -> Self {
        let state = State { ledger: Ledger::default(), store: Store::Memory, written: 0 };
        Self::with(state, clock, None)
    }

    fn with(state: State, clock: Clock, lock: Option<File>) -> Self {
        let (state, flushed) = (Mutex::new(state), tokio::sync::Mutex::new(0));
        Self { clock, state, flushed, _lock: lock }
    }

    /// What the journal of a stack leaves open, without taking it.
    ///
    /// # Errors
    /// If another run has the journal, so that everything may be under way; if a file is there and
    /// cannot be read.
    pub fn look(folder: &Path, scope: &Scope, now: Timestamp) -> Result<Ledger, JournalError> {
        let path = scope.file(folder, "journal");
        let failed = |error| JournalError::File { path: path.clone(), what: "read", error };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::default()),
            Err(error) => return Err(failed(error)),
        };
        if let Ok(lock) = File::open(scope.file(folder, "lock"))
            && let Err(TryLockError::WouldBlock) = lock.try_lock_shared()
        {
            return Err(JournalError::Held(Held::read(lock)));
        }
        read(&mut file, now).map_err(failed)
    }

    /// What is open.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Writes a record, and returns when it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn append(&self, record: Record) -> Result<(), JournalError> {
        let number = self.write(record)?;
        let Store::File { path, file } = self.lock().store.clone() else { return Ok(()) };
        let mut flushed = self.flushed.lock().await;
        if *flushed >= number {
            return Ok(()); // with somebody else's
        }
        let all = self.lock().written;
        let flush = tokio::task::spawn_blocking(move || file.sync_data());
        let result = flush.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        result.map_err(|error| JournalError::File { path, what: "written", error })?;
        *flushed = all;
        Ok(())
    }

    /// Writes a record without waiting for the disk; returns its number.
    fn write(&self, record: Record) -> Result<u64, JournalError> {
        let line = Line(&record).to_string();
        let mut state = self.lock();
        if let Store::File { path, file } = &state.store {
            (&**file).write_all(line.as_bytes()).map_err(|error| JournalError::File {
                path: path.clone(),
                what: "written",
                error,
            })?;
        }
        state.ledger.take(record);
        state.written += 1;
        Ok(state.written)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing is half done when a holder of this panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an apply needs besides.
#[cfg(feature = "aws")]
impl Journal {
    /// Closes what `observed` shows to be settled, and empties the file when nothing is open.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn settle(
        &self,
        observed: &crate::observed::Observed,
        window: std::time::Duration,
    ) -> Result<(), JournalError> {
        let settled = self.lock().ledger.settle(observed, self.now(), window);
        if self.lock().ledger.is_settled() {
            return self.clear();
        }
        for (address, generation) in settled {
            self.write(Record::Settled { address, generation })?;
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), JournalError> {
        let state = self.lock();
        let Store::File { path, file } = &state.store else { return Ok(()) };
        file.set_len(0).map_err(|error| {
            let path = path.clone();
            JournalError::File { path, what: "emptied", error }
        })
    }

    /// See [`Ledger::pending`].
    pub(super) fn pending(&self, mode: crate::plan::Mode) -> Option<String> {
        self.lock().ledger.pending(mode)
    }

    /// See [`Ledger::entry`].
    pub(super) fn entry(
        &self,
        address: &crate::address::Address,
        generation: u32,
    ) -> Option<Entry> {
        self.lock().ledger.entry(address, generation).cloned()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("ledger", &self.lock().ledger).finish_non_exhaustive()
    }
}

/// Reads the ledger of a journal's file.
fn read(file: &mut File, now: Timestamp) -> io::Result<Ledger> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let Reading { records, damaged } = record::read(&bytes);
    let ledger = Ledger::of(records);
    if damaged.is_none() {
        return Ok(ledger);
    }
    // Where the time of the last change is not known, it may be this moment.
    let changed = file.metadata()?.modified().ok();
    let changed = changed.and_then(|changed| Timestamp::try_from(changed).ok());
    Ok(ledger.with_damage(changed.map_or(now, |changed| changed.min(now))))
}

/// Ends the last line, so that what is written next is not taken for a part of it.
///
/// What was being written when an earlier run ended is empty space then, and no damage.
fn end_last_line(file: &mut File) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let Reading { records, damaged } = record::read(&bytes);
    if bytes.is_empty() || bytes.ends_with(b"\n") {
        return Ok(());
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    file.set_len(whole as u64)?;
    // A whole record at the end, without its line feed, is written again with it.
    let kept = record::read(&bytes[..whole]).records.len();
    for record in records.get(kept..).filter(|_| damaged.is_none()).into_iter().flatten() {
        file.write_all(Line(record).to_string().as_bytes())?;
    }
    file.sync_data()
}

/// Takes the lock, and says in its file who has it.
fn lock(path: &Path, holder: &Holder) -> Result<File, JournalError> {
    let failed = |what| move |error| JournalError::File { path: path.to_owned(), what, error };
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false) // it says who has it
        .open(path)
        .map_err(failed("locked"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::Held(Held::read(file))),
        Err(TryLockError::Error(error)) => return Err(failed("locked")(error)),
    }
    let text = serde_json::to_string(holder).expect("a holder has texts for keys");
    let write = file.set_len(0).and_then(|()| file.write_all(format!("{text}\n").as_bytes()));
    write.map_err(failed("locked"))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Observed;
    use crate::plan::Mode;

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
            let path = scope().file(folder.path(), "journal");
            std::fs::write(&path, &line.as_bytes()[..cut]).unwrap();
            let journal = open(folder.path()).unwrap();
            journal.append(intent()).await.unwrap();
            drop(journal);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(record::read(&bytes).damaged, None, "cut at {cut}");
            assert_eq!(open(folder.path()).unwrap().ledger(), Ledger::of([intent()]));
        }
    }

    #[test]
    fn damage_is_waited_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = scope().file(folder.path(), "journal");
        std::fs::write(&path, "not what was written\n").unwrap();
        let mut ledger = Journal::look(folder.path(), &scope(), holder().since).unwrap();
        assert_eq!(
            ledger.pending(Mode::Apply).as_deref(),
            Some("a part of the journal cannot be read")
        );
        let nothing = Observed::nothing(scope().account, scope().region);
        let window = std::time::Duration::from_secs(300);
        let later = Timestamp::now() + window;
        ledger.settle(&nothing, later, window);
        assert!(ledger.is_settled());
    }
}
