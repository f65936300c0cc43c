//! The thread that writes while the next frames are read.
//!
//! Copying bytes into files, or compressing them, takes most of the time; on a second processor it
//! costs none.

use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::output::Output;

/// The number of buffers in circulation: one is filled while the others are written.
const BUFFERS: usize = 3;

/// A handle to the thread that writes.
pub(super) struct Writer<'scope> {
    full: SyncSender<Chunk>,
    empty: Receiver<Vec<u8>>,
    thread: ScopedJoinHandle<'scope, Result<Output, Failure>>,
}

/// Why the output could not be written.
#[derive(Debug)]
pub(super) struct Failure {
    /// The number of frames written before.
    pub(super) frames: u64,
    pub(super) source: io::Error,
}

/// The thread has ended because it could not write; [`Writer::end`] returns why.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterEnded;

/// Some bytes of the file.
struct Chunk {
    bytes: Vec<u8>,
    /// How many frames are in it.
    frames: u64,
}

impl<'scope> Writer<'scope> {
    /// Starts the thread.
    pub(super) fn start(scope: &'scope Scope<'scope, '_>, output: Output) -> Self {
        let (full, chunks) = sync_channel(BUFFERS);
        let (buffers, empty) = sync_channel(BUFFERS);
        for _ in 0..BUFFERS {
            buffers.send(Vec::new()).expect("the other end is here");
        }
        let thread = scope.spawn(move || write(output, &chunks, &buffers));
        Self { full, empty, thread }
    }

    /// Returns an empty buffer as soon as there is one.
    pub(super) fn buffer(&self) -> Result<Vec<u8>, WriterEnded> {
        self.empty.recv().map_err(|_| WriterEnded)
    }

    /// Writes a buffer that has `frames` frames in it.
    pub(super) fn write(&self, bytes: Vec<u8>, frames: u64) {
        // If the thread has ended, the next call of `buffer` or `end` reports it.
        drop(self.full.send(Chunk { bytes, frames }));
    }

    /// Waits until everything is written and returns the output.
    pub(super) fn end(self) -> Result<Output, Failure> {
        drop(self.full);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Writes chunks until there are no more.
fn write(
    mut output: Output,
    chunks: &Receiver<Chunk>,
    buffers: &SyncSender<Vec<u8>>,
) -> Result<Output, Failure> {
    let mut written = 0;
    for Chunk { mut bytes, frames } in chunks {
        output.write_all(&bytes).map_err(|source| Failure { frames: written, source })?;
        written += frames;
        bytes.clear();
        // The receiver of the buffers may have ended.
        drop(buffers.send(bytes));
    }
    Ok(output)
}
