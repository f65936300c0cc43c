//! A journal in a file, with a lock beside it that the operating system releases when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::record::{self, Line, Reading, Record};
use super::{Held, Holder, JournalError, Ledger, Scope};

/// How many times a lock is tried, and then its holder is read.
const TRIES: u32 = 20;

/// The pause between two attempts.
const MOMENT: Duration = Duration::from_millis(10);

/// The file of a journal, held by one run.
pub(super) struct Kept {
    path: PathBuf,
    file: Arc<File>,
    /// Locked for as long as this value lives.
    _lock: Lock,
}

/// A locked file.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file would be enough, except for a child process that this one is just starting: until it has become
    /// another program, the child has the file open too.
    fn drop(&mut self) {
        // If this fails, the file is unlocked once all of them have closed it.
        drop(self.0.unlock());
    }
}

/// Takes the journal of a stack in `folder`, which is created if it does not exist.
pub(super) fn open(
    folder: &Path,
    scope: &Scope,
    holder: &Holder,
    now: Timestamp,
) -> Result<(Kept, Ledger), JournalError> {
    let path = folder.join(scope.file("journal"));
    create_folder(folder).map_err(failed(&path, "created"))?;
    let lock = lock(&folder.join(scope.file("lock")), holder)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true);
    let mut file = options.open(&path).map_err(failed(&path, "opened"))?;
    flush_folder(folder).map_err(failed(&path, "opened"))?;
    let ledger = read(&mut file, now).map_err(failed(&path, "read"))?;
    end_last_line(&mut file).map_err(failed(&path, "written"))?;
    Ok((Kept { path, file: Arc::new(file), _lock: lock }, ledger))
}

/// Returns what the journal of a stack leaves open, without taking it.
pub(super) fn look(folder: &Path, scope: &Scope, now: Timestamp) -> Result<Ledger, JournalError> {
    let path = folder.join(scope.file("journal"));
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::default()),
        Err(error) => return Err(failed(&path, "read")(error)),
    };
    if let Ok(lock) = File::open(folder.join(scope.file("lock")))
        && let Err(TryLockError::WouldBlock) = lock.try_lock_shared()
    {
        return Err(JournalError::Held(held(lock)));
    }
    read(&mut file, now).map_err(failed(&path, "read"))
}

impl Kept {
    /// Writes a record without waiting for the disk.
    pub(super) fn write(&self, record: &Record) -> Result<(), JournalError> {
        let line = Line(record).to_string();
        (&*self.file).write_all(line.as_bytes()).map_err(failed(&self.path, "written"))
    }

    /// Returns once everything is on disk.
    pub(super) async fn flush(&self) -> Result<(), JournalError> {
        let file = self.file.clone();
        let flush = tokio::task::spawn_blocking(move || file.sync_data());
        let result = flush.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        result.map_err(failed(&self.path, "written"))
    }

    /// Empties the file.
    #[cfg(feature = "aws")]
    pub(super) fn clear(&self) -> Result<(), JournalError> {
        self.file.set_len(0).map_err(failed(&self.path, "emptied"))
    }
}

/// Creates a folder and those around it, unless they exist.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let outer = match folder.parent() {
        Some(outer) if !outer.as_os_str().is_empty() => outer,
        _ => Path::new("."),
    };
    create_folder(outer)?;
    // Another run may create it at the same time.
    std::fs::create_dir_all(folder)?;
    flush_folder(outer)
}

/// Returns once what a folder lists is on disk: a file that was flushed is lost with its entry in the folder.
fn flush_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file, and keeps its entries in a journal of its own.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |error| JournalError::File { path, what, error }
}

/// Reads who holds a lock from the lock's file.
fn held(mut file: File) -> Held {
    let mut holder = None;
    for _ in 0..TRIES {
        // A run that has just taken the lock needs a moment to write its name.
        std::thread::sleep(MOMENT);
        let mut text = String::new();
        let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
        holder = read.ok().and_then(|_| serde_json::from_str(&text).ok());
        if holder.is_some() {
            break;
        }
    }
    Held { holder, until: None }
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
    // If the time of the last change is not known, it may be right now.
    let changed = file.metadata()?.modified().ok();
    let changed = changed.and_then(|changed| Timestamp::try_from(changed).ok());
    Ok(ledger.with_damage(changed.map_or(now, |changed| changed.min(now))))
}

/// Ends the last line, so that the next record is not taken for a part of it.
///
/// A record that an earlier run was still writing when it ended is cut off; it is not damage.
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
    // A whole record at the end that lacks its line feed is written again with one.
    let kept = record::read(&bytes[..whole]).records.len();
    for record in records.get(kept..).filter(|_| damaged.is_none()).into_iter().flatten() {
        file.write_all(Line(record).to_string().as_bytes())?;
    }
    file.sync_data()
}

/// Takes the lock, and writes the holder into its file.
fn lock(path: &Path, holder: &Holder) -> Result<Lock, JournalError> {
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false) // it says who has it
        .open(path)
        .map_err(failed(path, "locked"))?;
    for tries in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            // A run that only looks has it for a moment.
            Err(TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(MOMENT),
            Err(TryLockError::WouldBlock) => return Err(JournalError::Held(held(file))),
            Err(TryLockError::Error(error)) => return Err(failed(path, "locked")(error)),
        }
    }
    let text = serde_json::to_string(holder).expect("a holder has texts for keys");
    let write = file.set_len(0).and_then(|()| file.write_all(format!("{text}\n").as_bytes()));
    write.map_err(failed(path, "locked"))?;
    Ok(Lock(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            account: "123456789012".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            stack: "lab".parse().unwrap(),
        }
    }

    fn holder() -> Holder {
        Holder {
            command: "mirror apply".to_owned(),
            user: None,
            host: None,
            process: 1,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn who_only_looks_at_a_journal_keeps_nobody_from_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        let (scope, holder) = (scope(), holder());
        drop(open(folder.path(), &scope, &holder, Timestamp::UNIX_EPOCH).unwrap());
        let looking = File::open(folder.path().join(scope.file("lock"))).unwrap();
        looking.try_lock_shared().unwrap();
        let taken = std::thread::spawn(move || {
            open(folder.path(), &scope, &holder, Timestamp::UNIX_EPOCH).map(drop)
        });
        std::thread::sleep(MOMENT);
        looking.unlock().unwrap();
        taken.join().unwrap().unwrap();
    }

    /// A file that is open twice is what a process has between its beginning and its program.
    #[test]
    fn a_journal_that_is_given_back_is_free_though_a_child_has_its_lock_open() {
        let folder = tempfile::tempdir().unwrap();
        let (scope, holder) = (scope(), holder());
        let take = || open(folder.path(), &scope, &holder, Timestamp::UNIX_EPOCH);
        let (kept, _) = take().unwrap();
        let child = kept._lock.0.try_clone().unwrap();
        assert!(take().is_err());
        drop(kept);
        assert!(take().is_ok());
        drop(child);
    }
}
