//! Capture files in a directory, rotated by size and time, within a budget of space.
//!
//! A file is written under a name that ends in `.partial` and gets its final name when it is
//! finished, so that a program that watches the directory sees only whole files. If a writer was
//! killed, the file that it left is cut to its last whole frame and finished when a sink with the
//! same prefix is opened.
//!
//! ```
//! use mirror_vxlan::sink::Unnamed;
//! use mirror_vxlan::sink::file::{FileOptions, Files};
//!
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let files = Files::open(FileOptions::new(directory), Unnamed)?; // a `Sink`
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod content;
mod finish;
mod name;
mod partial;
mod recover;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use budget::{Budget, BudgetPolicy, Removed};
pub use name::{Prefix, PrefixError};

use crate::Timestamp;
use crate::batch::Batch;
use crate::capture::Format;
use crate::clock::passed;
use crate::sink::names::SessionNames;
use crate::sink::{Ahead, Delivery, LossReason, Sink, Trouble};
pub(crate) use budget::Inventory;
#[cfg(feature = "upload")]
pub(crate) use budget::StoredFile;
use content::Content;
use finish::{Finisher, Finishing, Unfinished};
use partial::Partial;

/// Where files are written, and when one is finished and the next begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The directory; it is created if it is missing, but its parent is not.
    pub directory: PathBuf,
    /// What the names of the files begin with.
    pub prefix: Prefix,
    /// The format; only pcapng tells sessions apart.
    pub format: Format,
    /// Bytes after which a file is finished.
    pub bytes_max: u64,
    /// Time after which a file is finished, if there is anything in it.
    pub age_max: Duration,
    /// The space that all files may take; `None` for no limit.
    pub budget: Option<Budget>,
    /// Whether finished files are made to survive a power failure.
    pub sync: Sync,
    /// The zstd level at which finished files are compressed, 1 to 22; `None` for no compression.
    pub compression: Option<i32>,
}

/// Whether a file is on the disk before it counts as finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The kernel writes it at some later time; it survives a crash of the program, not of the machine.
    Never,
    /// The file and its name are; a separate thread, which nothing else waits for, waits for this.
    WhenFinished,
}

impl FileOptions {
    /// The default bytes of a file: a gibibyte, which Wireshark can still open.
    pub const BYTES_MAX: u64 = 1 << 30;

    /// The default time until a file is finished: 15 minutes.
    pub const AGE_MAX: Duration = Duration::from_secs(15 * 60);

    /// Makes options for pcapng files in `directory`, without a budget and uncompressed.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            prefix: Prefix::default(),
            format: Format::Pcapng,
            bytes_max: Self::BYTES_MAX,
            age_max: Self::AGE_MAX,
            budget: None,
            sync: Sync::Never,
            compression: None,
        }
    }
}

/// Why a file sink could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The directory is missing and could not be created.
    #[error(
        "cannot create the directory `{path}` for captures; its parent must exist and be writable"
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The directory could not be read.
    #[error("cannot read the directory `{path}` for captures")]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that an earlier writer left could not be finished.
    #[error(
        "cannot finish `{path}`, which an earlier writer left; move it away to continue without it"
    )]
    Recover {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread that finishes files could not be started.
    #[error("cannot start the thread that finishes files")]
    Thread(#[source] io::Error),
}

/// Writes capture files.
pub struct Files {
    options: FileOptions,
    names: Arc<dyn SessionNames>,
    current: Option<Current>,
    finisher: Finisher,
    inventory: Inventory,
    removed: Removed,
    sequence: u32,
    now: Timestamp,
    ahead: Ahead,
    trouble: Option<Trouble>,
    /// Whether frames are lost without another attempt until the next tick.
    resting: bool,
    /// Frames that were counted as delivered and then lost with their file.
    frames_gone: u64,
}

/// The file that is being written.
struct Current {
    file: Partial,
    content: Content,
    begun: Timestamp,
    frames: u64,
}

impl Files {
    /// Opens the sink: creates the directory if it is missing and finishes files left in it.
    ///
    /// # Errors
    ///
    /// The directory cannot be used.
    pub fn open(
        options: FileOptions,
        names: impl SessionNames + 'static,
    ) -> Result<Self, FileError> {
        let FileOptions { directory, prefix, sync, compression, .. } = &options;
        make_directory(directory)
            .map_err(|source| FileError::Directory { path: directory.clone(), source })?;
        recover::recover(directory, prefix)?;
        let finishing = Finishing { sync: *sync, compression: *compression };
        let finisher = Finisher::start(finishing).map_err(FileError::Thread)?;
        let inventory = Inventory::scan(directory, prefix)
            .map_err(|source| FileError::Unreadable { path: directory.clone(), source })?;
        Ok(Self {
            options,
            names: Arc::new(names),
            current: None,
            finisher,
            inventory,
            removed: Removed::default(),
            sequence: 0,
            now: Timestamp::default(),
            ahead: Ahead::default(),
            trouble: None,
            resting: false,
            frames_gone: 0,
        })
    }

    /// Returns a shared count of the files that the budget has removed.
    pub fn removed(&self) -> Removed {
        self.removed.clone()
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let bytes = batch.blocks().len() as u64;
        let bytes_max = self.options.bytes_max;
        let full =
            |file: &Current| file.frames > 0 && file.file.length.saturating_add(bytes) > bytes_max;
        if self.current.as_ref().is_some_and(full) {
            self.finish_current();
        }
        self.make_room(bytes)?;
        let current = self.current()?;
        let before = current.file.length;
        let appended = current.file.append(&current.content.encode(batch));
        appended.map_err(|error| trouble("write", &current.file.path, &error))?;
        current.content.written(batch);
        current.frames += batch.len();
        let added = current.file.length - before;
        self.inventory.bytes += added;
        Ok(())
    }

    /// Returns the file that is being written, and begins one if there is none.
    fn current(&mut self) -> Result<&mut Current, Trouble> {
        if self.current.is_none() {
            let begun = self.begin()?;
            self.inventory.bytes += begun.file.length;
            self.current = Some(begun);
        }
        Ok(self.current.as_mut().expect("it has just been begun"))
    }

    fn begin(&mut self) -> Result<Current, Trouble> {
        let FileOptions { directory, prefix, format, .. } = &self.options;
        let extension = match format {
            Format::Pcap => "pcap",
            Format::Pcapng => "pcapng",
        };
        let mut content = Content::new(*format, Arc::clone(&self.names), self.now, self.ahead);
        let begun = make_directory(directory).and_then(|()| {
            let mut file =
                Partial::create(directory, prefix, extension, self.now, &mut self.sequence)?;
            match file.append(&[content.header()]) {
                Ok(()) => Ok(file),
                Err(error) => {
                    fs::remove_file(&file.path).ok(); // an empty file is removed at the next start
                    Err(error)
                }
            }
        });
        let file = begun.map_err(|error| trouble("start a file in", directory, &error))?;
        Ok(Current { file, content, begun: self.now, frames: 0 })
    }

    /// Makes sure that `bytes` more bytes are within the budget.
    fn make_room(&mut self, bytes: u64) -> Result<(), Trouble> {
        let FileOptions { directory, prefix, budget, .. } = &self.options;
        let Some(Budget { bytes: limit, policy }) = *budget else { return Ok(()) };
        if self.inventory.bytes + bytes <= limit {
            return Ok(());
        }
        // Someone may have removed files, and some may have been compressed.
        let at = |attempt: &str, error: &io::Error| trouble(attempt, directory, error);
        self.inventory =
            Inventory::settled(directory, prefix).map_err(|error| at("read", &error))?;
        while self.inventory.bytes + bytes > limit {
            let made = match policy {
                BudgetPolicy::RefuseFrames => false,
                BudgetPolicy::DeleteOldest => {
                    let deleted = self.inventory.delete_oldest(&self.removed);
                    deleted.map_err(|error| at("delete from", &error))?
                }
            };
            // A file that is being finished can be deleted once it is finished.
            if !made && policy == BudgetPolicy::DeleteOldest && self.finisher.wait_for_one() {
                self.inventory =
                    Inventory::settled(directory, prefix).map_err(|error| at("read", &error))?;
                continue;
            }
            if !made {
                let path = directory.display();
                let message = format!("the captures in `{path}` have used up their {limit} bytes");
                return Err(Trouble { reason: LossReason::Budget, message });
            }
        }
        Ok(())
    }

    fn finish_current(&mut self) {
        let Some(Current { mut file, mut content, frames, .. }) = self.current.take() else {
            return;
        };
        let before = file.length;
        // Statistics are worth less than frames: without room for them, the file ends without.
        file.append(&[content.trailer(self.now, self.ahead)]).ok();
        self.inventory.bytes += file.length - before;
        if frames == 0 {
            fs::remove_file(&file.path).ok(); // an empty file is removed at the next start
        } else {
            self.finisher.finish(file, frames);
        }
    }

    /// Notices that the file was removed: what is in it, and what would still be written, is lost.
    fn check_place(&mut self) {
        let gone = |current: &mut Current| !current.file.is_in_place();
        if let Some(Current { file, frames, .. }) = self.current.take_if(gone) {
            self.frames_gone += frames;
            let message = format!("`{}` was removed while being written", file.path.display());
            self.trouble = Some(Trouble { reason: LossReason::Failed, message });
        }
    }

    fn collect_failures(&mut self) {
        while let Some(Unfinished { trouble, frames_lost }) = self.finisher.failure() {
            self.frames_gone += frames_lost;
            self.trouble = Some(trouble);
        }
    }

    fn lose(&mut self, batch: &Batch, reason: LossReason) -> Delivery {
        if let Some(current) = &mut self.current {
            current.content.lost(batch);
        }
        Delivery::none(batch, reason)
    }

    /// Checks whether a batch could be written again, so that health recovers without waiting for one.
    fn retry(&mut self) {
        let tried = self.make_room(Batch::CAPACITY as u64).and_then(|()| {
            let Current { file, .. } = self.current()?;
            file.probe(Batch::CAPACITY).map_err(|error| trouble("write", &file.path, &error))
        });
        self.resting = tried.is_err();
        self.trouble = tried.err();
    }
}

impl Sink for Files {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        if let (true, Some(Trouble { reason, .. })) = (self.resting, &self.trouble) {
            return self.lose(batch, *reason);
        }
        match self.write(batch) {
            Ok(()) => {
                self.trouble = None;
                Delivery::whole(batch)
            }
            Err(trouble) => {
                let reason = trouble.reason;
                self.trouble = Some(trouble);
                self.resting = true;
                self.lose(batch, reason)
            }
        }
    }

    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        self.now = now;
        self.ahead = ahead;
        if self.trouble.is_some() {
            self.retry();
        }
        self.collect_failures();
        self.check_place();
        let old = |current: &Current| passed(self.options.age_max, current.begun, now);
        if self.current.as_ref().is_some_and(old) {
            self.finish_current();
        }
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    fn close(mut self: Box<Self>) -> [u64; LossReason::COUNT] {
        self.check_place();
        self.finish_current();
        self.finisher.close();
        self.collect_failures();
        let mut lost = [0; LossReason::COUNT];
        lost[LossReason::Failed.index()] = self.frames_gone;
        lost
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("options", &self.options)
            .field("trouble", &self.trouble)
            .finish_non_exhaustive()
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Returns why files cannot be written, in words and as a reason to count.
fn trouble(attempt: &str, path: &Path, error: &io::Error) -> Trouble {
    let reason = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            LossReason::StorageFull
        }
        _ => LossReason::Failed,
    };
    Trouble { reason, message: format!("cannot {attempt} `{}`: {error}", path.display()) }
}
