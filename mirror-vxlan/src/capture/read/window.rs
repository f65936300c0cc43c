//! A window onto a stream: the bytes that were read but not yet used, and their position.

use std::io::{self, ErrorKind, Read};

/// Bytes requested from the system at a time.
///
/// A larger number means fewer calls, but what is copied out of the window should still be in the
/// processor's second-level cache. Between 32 KiB and 1 MiB, this size and 128 KiB cost the least
/// processor time.
const READ: usize = 256 * 1024;

/// The part of a stream that is in memory.
pub(super) struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Window {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, buffer: vec![0; READ], start: 0, end: 0, offset: 0 }
    }

    /// Returns the bytes that were read but not yet used.
    pub(super) fn unused(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Returns where the unused bytes begin in the stream.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Marks the next `length` bytes as used; they must have been read.
    pub(super) const fn consume(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Makes room for `needed` unused bytes, reads once, and returns whether any bytes came.
    pub(super) fn extend(&mut self, needed: usize) -> io::Result<Extended> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < needed {
            self.buffer.resize(needed, 0);
        }
        let length = read(&mut *self.source, &mut self.buffer[self.end..])?;
        self.end += length;
        Ok(if length == 0 { Extended::End } else { Extended::Bytes })
    }

    /// Skips the next `length` bytes and returns how many of them existed.
    pub(super) fn skip(&mut self, length: u64) -> io::Result<u64> {
        let mut left = length;
        loop {
            let available = self.unused().len();
            let here = usize::try_from(left).map_or(available, |left| left.min(available));
            self.consume(here);
            left -= here as u64;
            if left == 0 || self.extend(0)? == Extended::End {
                return Ok(length - left);
            }
        }
    }
}

/// Whether a stream had more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extended {
    /// It had.
    Bytes,
    /// It has ended.
    End,
}

/// Reads once, and again if a signal interrupted it.
fn read(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
