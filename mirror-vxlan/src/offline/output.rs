//! The output file, which gets its name when it is complete.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use crate::capture::compress::{Compression, Compressor};

use super::{Durability, Place};

/// A file under a temporary name, or something that is written as it is.
pub(super) struct Output {
    writer: Compressor<File>,
    target: Option<Target>,
    durability: Durability,
}

impl Output {
    /// Creates the file, or opens an existing pipe or device.
    pub(super) fn create(
        place: &Place,
        compression: Compression,
        durability: Durability,
    ) -> io::Result<Self> {
        let (file, target) = match place {
            // Not through the buffer of the standard library, which searches for line endings.
            Place::Standard => (File::from(io::stdout().as_fd().try_clone_to_owned()?), None),
            Place::File(path) => match fs::metadata(path) {
                Ok(metadata) if !metadata.is_file() => {
                    (File::options().write(true).open(path)?, None)
                }
                _ => {
                    let target = Target::new(path);
                    (File::create(&target.temporary)?, Some(target))
                }
            },
        };
        Ok(Self { writer: Compressor::new(compression, file)?, target, durability })
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { writer, target, durability } = self;
        let file = writer.finish()?;
        let Some(target) = target else { return Ok(()) };
        match durability {
            Durability::Cached => target.rename(),
            Durability::Synced => {
                file.sync_all()?;
                target.rename()?;
                File::open(target.folder())?.sync_all()
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A file that is to appear only when it is complete.
struct Target {
    path: PathBuf,
    /// Its path until then; it is removed if the file is never completed.
    temporary: PathBuf,
}

impl Target {
    fn new(path: &Path) -> Self {
        // A file behind a symbolic link is replaced where it is.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".partial");
        Self { temporary: path.with_file_name(name), path }
    }

    fn rename(&self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // After the renaming it no longer exists, and there is nobody to report a failure to.
        drop(fs::remove_file(&self.temporary));
    }
}
