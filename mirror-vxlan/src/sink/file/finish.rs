//! The thread that finishes files: cut, synchronized, compressed, renamed, off the sink's thread.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::Sync;
use super::name::PARTIAL;
use super::partial::{Partial, compressed, partial};
use crate::sink::{LossReason, Trouble};

/// Bytes compressed at a time.
const CHUNK: usize = 1024 * 1024;

/// How files are finished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finishing {
    pub(super) sync: Sync,
    /// The zstd level; `None` if files are not compressed.
    pub(super) compression: Option<i32>,
}

/// The sink's end of the thread.
#[derive(Debug)]
pub(super) struct Finisher {
    files: Option<Sender<(Partial, u64)>>,
    /// What became of each file handed over, in order.
    ended: Receiver<Result<(), Unfinished>>,
    /// Files that were handed over but whose result is not known yet.
    pending: usize,
    failures: VecDeque<Unfinished>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A file that could not be finished as it should be.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) trouble: Trouble,
    /// Frames that are lost with it.
    pub(super) frames_lost: u64,
}

impl Finisher {
    /// Starts the thread.
    pub(super) fn start(finishing: Finishing) -> io::Result<Self> {
        let (files, to_finish) = mpsc::channel::<(Partial, u64)>();
        let (ends, ended) = mpsc::channel();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let thread = thread::Builder::new().name("finish-files".into()).spawn(move || {
            for (file, frames) in to_finish {
                ends.send(finish(file, frames, finishing, &closed)).ok(); // unless nobody is left
            }
        })?;
        let (files, thread) = (Some(files), Some(thread));
        Ok(Self { files, ended, pending: 0, failures: VecDeque::new(), closing, thread })
    }

    /// Hands over a file that contains `frames` frames.
    pub(super) fn finish(&mut self, file: Partial, frames: u64) {
        self.pending += 1;
        let files = self.files.as_ref().expect("files are handed over before it is closed");
        files.send((file, frames)).expect("the thread ends when it is closed, and does not panic");
    }

    /// Returns a failure that has not been returned yet.
    pub(super) fn failure(&mut self) -> Option<Unfinished> {
        while let Ok(end) = self.ended.try_recv() {
            self.heard(end);
        }
        self.failures.pop_front()
    }

    /// Waits until another file is finished; returns whether there was one to wait for.
    pub(super) fn wait_for_one(&mut self) -> bool {
        if self.pending == 0 {
            return false;
        }
        let end = self.ended.recv();
        end.map(|end| self.heard(end)).is_ok()
    }

    fn heard(&mut self, end: Result<(), Unfinished>) {
        self.pending -= 1;
        self.failures.extend(end.err());
    }

    /// Waits for the files handed over; to be done soon, it compresses no more of them.
    pub(super) fn close(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.files = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("finishing a file does not panic");
        }
    }
}

impl Drop for Finisher {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

fn finish(
    mut file: Partial,
    frames: u64,
    finishing: Finishing,
    closing: &AtomicBool,
) -> Result<(), Unfinished> {
    let path = file.path.clone();
    let trouble = |attempt: &str, error: &io::Error| Trouble {
        reason: LossReason::Failed,
        message: format!("cannot {attempt} `{}`: {error}", path.display()),
    };
    let kept = |trouble| Unfinished { trouble, frames_lost: 0 };
    let torn = file.mend().map_err(|error| kept(trouble("cut off the torn end of", &error)));
    let synced = match finishing.sync {
        Sync::Never => Ok(()),
        Sync::WhenFinished => {
            file.file.sync_all().map_err(|error| kept(trouble("synchronize", &error)))
        }
    };
    torn?;
    // The file gets its name even if it could not be synchronized: it is the only copy.
    let compressing = finishing.compression.filter(|_| !closing.load(Ordering::Relaxed));
    let squeezed = match compressing {
        None => fs::rename(&file.path, &file.finished),
        Some(level) => match compress(&file, level, finishing.sync, closing) {
            Ok(()) => fs::remove_file(&file.path),
            Err(_) => fs::rename(&file.path, &file.finished),
        },
    };
    squeezed.map_err(|error| Unfinished {
        frames_lost: if error.kind() == io::ErrorKind::NotFound { frames } else { 0 },
        trouble: trouble("finish", &error),
    })?;
    if finishing.sync == Sync::WhenFinished {
        let directory = file.finished.parent().unwrap_or_else(|| Path::new("."));
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| kept(trouble("synchronize the directory of", &error)))?;
    }
    synced
}

/// Writes the compressed file beside the original and renames it, unless the sink closes meanwhile.
fn compress(file: &Partial, level: i32, sync: Sync, closing: &AtomicBool) -> io::Result<()> {
    let finished = compressed(&file.finished);
    let path = partial(&finished);
    debug_assert!(path.to_string_lossy().ends_with(PARTIAL), "others must not take it for whole");
    let output = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    output.lock()?;
    let written = squeeze(&mut File::open(&file.path)?, output, level, closing);
    let renamed = written.and_then(|output| {
        if sync == Sync::WhenFinished {
            output.sync_all()?;
        }
        fs::rename(&path, &finished)
    });
    if renamed.is_err() {
        fs::remove_file(&path).ok(); // it is found and removed at the next start otherwise
    }
    renamed
}

fn squeeze(input: &mut File, output: File, level: i32, closing: &AtomicBool) -> io::Result<File> {
    let mut encoder = zstd::Encoder::new(output, level)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(input.metadata()?.len()))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        if closing.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match input.read(&mut chunk)? {
            0 => return encoder.finish(),
            read => encoder.write_all(&chunk[..read])?,
        }
    }
}
