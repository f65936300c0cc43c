//! The space that the files of one sink take, and what happens when it is used up.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::name::{Prefix, Stage};
use crate::count::Tally;

/// How often a directory is scanned until two scans agree.
const MOST_LOOKS: usize = 4;

/// How much space the files of a sink may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of all files, finished and not.
    pub bytes: u64,
    /// What happens when they are used up.
    pub policy: BudgetPolicy,
}

/// What happens when the budget of a sink is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetPolicy {
    /// The oldest finished file is deleted: the latest traffic is kept.
    DeleteOldest,
    /// Frames are refused until someone removes files: the earliest traffic is kept.
    RefuseFrames,
}

/// The count of finished files that a budget has removed; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Removed(Arc<RemovedFiles>);

#[derive(Debug, Default)]
struct RemovedFiles {
    count: AtomicU64,
    bytes: AtomicU64,
}

impl Removed {
    /// Returns how many files were removed since the sink was opened, and their bytes.
    pub fn tally(&self) -> Tally {
        let RemovedFiles { count, bytes } = &*self.0;
        Tally { count: count.load(Ordering::Relaxed), bytes: bytes.load(Ordering::Relaxed) }
    }

    fn add(&self, bytes: u64) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The files of one sink that are on the disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// The finished files, the oldest first.
    pub(crate) finished: VecDeque<StoredFile>,
    /// Bytes of all files, finished and not.
    pub(crate) bytes: u64,
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

impl Inventory {
    /// Scans the directory.
    pub(crate) fn scan(directory: &Path, prefix: &Prefix) -> io::Result<Self> {
        let mut inventory = Self::default();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            let Some(stage) = prefix.stage(&path) else { continue };
            let bytes = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata.len(),
                Ok(_) => continue,
                // It was renamed or deleted since the directory was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            inventory.bytes += bytes;
            if stage == Stage::Finished {
                inventory.finished.push_back(StoredFile { path, bytes });
            }
        }
        inventory.finished.make_contiguous().sort_unstable();
        Ok(inventory)
    }

    /// Scans until two scans agree: a scan may miss a file that is renamed while it runs.
    pub(super) fn settled(directory: &Path, prefix: &Prefix) -> io::Result<Self> {
        let mut seen = Self::scan(directory, prefix)?;
        for _ in 0..MOST_LOOKS {
            let again = Self::scan(directory, prefix)?;
            if again == seen {
                break;
            }
            seen = again;
        }
        Ok(seen)
    }

    /// Deletes the oldest finished file and counts it; returns whether there was one.
    pub(super) fn delete_oldest(&mut self, removed: &Removed) -> io::Result<bool> {
        let Some(StoredFile { path, bytes }) = self.finished.pop_front() else { return Ok(false) };
        match fs::remove_file(path) {
            Ok(()) => removed.add(bytes),
            // Someone removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_counts_our_files_and_deletes_the_oldest_that_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: usize| {
            fs::write(folder.path().join(name), vec![0; bytes]).unwrap();
        };
        write("mirror-20261122T215107Z-0002.pcapng", 20);
        write("mirror-20261122T215107Z-0001.pcapng.zst", 10);
        write("mirror-20261121T000000Z-0009.pcapng.partial", 5);
        write("other-20261122T215107Z-0001.pcapng", 1000);
        write("mirror.txt", 1000);
        let mut inventory = Inventory::scan(folder.path(), &Prefix::default()).unwrap();
        let removed = Removed::default();
        assert_eq!(inventory.bytes, 35);
        assert!(inventory.delete_oldest(&removed).unwrap());
        assert_eq!(inventory.bytes, 25);
        assert!(!folder.path().join("mirror-20261122T215107Z-0001.pcapng.zst").exists());
        assert!(inventory.delete_oldest(&removed).unwrap());
        assert!(!inventory.delete_oldest(&removed).unwrap());
        assert_eq!(removed.tally(), Tally { count: 2, bytes: 30 });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
