//! The file that is being written: whole pieces only, under a name that marks it as unfinished.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::name::{PARTIAL, Prefix, ZSTANDARD};
use crate::Timestamp;

/// The most files begun within a second; with more, no name is available.
const SEQUENCE_MAX: u32 = 1_000_000;

/// A file that is being written.
///
/// It is locked while it is written, so that another process can tell it from a file whose writer
/// died.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// The path that it will have when it is finished.
    pub(super) finished: PathBuf,
    /// Bytes of whole pieces.
    pub(super) length: u64,
    /// Whether a part of a piece follows them.
    torn: bool,
}

impl Partial {
    /// Creates a file that no one else has or will have, with the next free number.
    pub(super) fn create(
        directory: &Path,
        prefix: &Prefix,
        extension: &str,
        begun: Timestamp,
        sequence: &mut u32,
    ) -> io::Result<Self> {
        while *sequence < SEQUENCE_MAX {
            *sequence += 1;
            let name = format!("{}.{extension}", prefix.stem(begun, *sequence));
            let finished = directory.join(&name);
            let path = directory.join(name + PARTIAL);
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            file.lock()?;
            // Our file has the name now, so nobody can finish another file under it.
            if finished.try_exists()? || compressed(&finished).try_exists()? {
                fs::remove_file(&path)?;
                continue;
            }
            return Ok(Self { file, path, finished, length: 0, torn: false });
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "every file number is in use"))
    }

    /// Appends the parts, all or nothing.
    pub(super) fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.mend()?;
        for part in parts {
            if let Err(error) = self.file.write_all(part) {
                self.torn = true;
                // If it cannot be mended now, it will be before the next piece or when it is finished.
                self.mend().ok();
                return Err(error);
            }
        }
        self.length += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        Ok(())
    }

    /// Checks whether `bytes` more bytes could be written now, by writing and removing them.
    pub(super) fn probe(&mut self, bytes: usize) -> io::Result<()> {
        self.mend()?;
        self.torn = true;
        let written = self.file.write_all(&vec![0; bytes]);
        self.mend().and(written)
    }

    /// Returns whether the file is still where it was created; what is written elsewhere is lost.
    pub(super) fn is_in_place(&self) -> bool {
        match (fs::metadata(&self.path), self.file.metadata()) {
            (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => true,
        }
    }

    /// Cuts off what is behind the last whole piece.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            self.torn = false;
        }
        Ok(())
    }
}

/// Returns the path of a file after it was compressed.
pub(super) fn compressed(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ZSTANDARD);
    path.into()
}

/// Returns the path that a file has until it is finished.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(PARTIAL);
    path.into()
}
