//! The space that the files of one sink take, and what happens when it is used up.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::{Prefix, Stage};

/// How much space the files of a sink may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of all files, finished and not.
    pub bytes: u64,
    /// What makes room when they are used up.
    pub policy: BudgetPolicy,
}

/// What happens when the budget of a sink is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetPolicy {
    /// The oldest finished file is deleted: the latest traffic is kept.
    DeleteOldest,
    /// Frames are refused until somebody takes files away: the earliest traffic is kept.
    RefuseFrames,
}

/// The files of one sink that are on the disk.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Those that are finished, the oldest first.
    pub(crate) finished: VecDeque<StoredFile>,
    /// Bytes of all, finished and not.
    pub(crate) bytes: u64,
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

impl Inventory {
    /// Looks into the directory.
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

    /// Deletes the oldest finished file; returns whether there was one.
    pub(super) fn delete_oldest(&mut self) -> io::Result<bool> {
        let Some(StoredFile { path, bytes }) = self.finished.pop_front() else { return Ok(false) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => self.bytes = self.bytes.saturating_sub(bytes),
        }
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
        assert_eq!(inventory.bytes, 35);
        assert!(inventory.delete_oldest().unwrap());
        assert_eq!(inventory.bytes, 25);
        assert!(!folder.path().join("mirror-20261122T215107Z-0001.pcapng.zst").exists());
        assert!(inventory.delete_oldest().unwrap());
        assert!(!inventory.delete_oldest().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
