//! Capture files as an input: pcap and pcapng, compressed or not, from a path or a stream.
//!
//! The format of a file is recognized by its first bytes, never by its name. Both byte orders, times
//! in any resolution, several sections and interfaces, and the obsolete blocks are read. A file is
//! read once from front to back, so it may be a pipe. Nothing is allocated per packet, and no file
//! can make the reader use more than a few megabytes of memory.
//!
//! A damaged file yields every packet before the damage, then an error that gives its position.

#![forbid(unsafe_code)]

mod blocks;
mod clock;
mod error;
mod order;
mod records;
mod window;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::Timestamp;
use crate::decap::Link;
use crate::input::{Content, Input, Packet, Received};

use self::blocks::Blocks;
use self::records::Records;
use self::window::{Extended, Window};
use super::compress::decompressed;
use super::pcap::FILE_HEADER_LEN;
use super::pcapng::block;

pub use self::error::{Damage, Piece, ReadError};

/// The most bytes of a packet, or of a block that has to be seen whole.
///
/// Capture programs cut packets at 256 KiB; a length above four times that is taken for damage.
const PIECE_MAX: usize = 1024 * 1024;

/// A capture file that is being read.
///
/// Its [`Input::receive`] ignores the timeout: it waits only for a pipe, for as long as that takes.
pub struct CaptureReader {
    window: Window,
    format: Format,
    /// Records or blocks read so far.
    number: u64,
}

/// A packet as it is in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was captured; the start of 1970 if the file does not say.
    pub time: Timestamp,
    /// What the first byte belongs to.
    pub link: Link,
    /// The packet, as far as it was captured.
    pub bytes: &'a [u8],
    /// The length of the packet before it was cut, in bytes; never less than that of `bytes`.
    pub original_len: u32,
}

impl<'a> Record<'a> {
    /// A packet that was `length` bytes long, or as long as `bytes` if the file claims less.
    #[inline]
    const fn new(time: Timestamp, link: Link, bytes: &'a [u8], length: u32) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a chunk is at most one megabyte")]
        let captured = bytes.len() as u32;
        let original_len = if length < captured { captured } else { length };
        Self { time, link, bytes, original_len }
    }
}

impl<'a> From<Record<'a>> for Packet<'a> {
    #[inline]
    fn from(record: Record<'a>) -> Self {
        let Record { time, link, bytes, original_len: _ } = record;
        Self { time, content: Content::Packet { link, bytes } }
    }
}

/// What kind of file it is.
#[derive(Debug)]
enum Format {
    Pcap(Records),
    Pcapng(Blocks),
}

impl CaptureReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or read, or it is not a capture file.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::Read { offset: 0, source })?;
        Self::new(file)
    }

    /// Takes a stream and reads the header of the capture file in it.
    ///
    /// The stream is read in large pieces; it does not need a buffer of its own.
    ///
    /// # Errors
    ///
    /// The stream cannot be read, or it is not a capture file.
    pub fn new(stream: impl Read + Send + 'static) -> Result<Self, ReadError> {
        let stream = decompressed(stream);
        let mut window =
            Window::new(stream.map_err(|source| ReadError::Read { offset: 0, source })?);
        let format = Format::recognize(&mut window)?;
        Ok(Self { window, format, number: 0 })
    }

    /// Hands packets to `each` like [`Input::receive`], but with errors that can be told apart.
    ///
    /// # Errors
    ///
    /// Reading the file failed, or the file is damaged. No more packets will follow.
    pub fn read(&mut self, mut each: impl FnMut(Packet<'_>)) -> Result<Received, ReadError> {
        self.records(|record| each(record.into()))
    }

    /// Hands packets to `each` like [`read`](Self::read), with the original length of each.
    ///
    /// # Errors
    ///
    /// Reading the file failed, or the file is damaged. No more packets will follow.
    pub fn records(&mut self, mut each: impl FnMut(Record<'_>)) -> Result<Received, ReadError> {
        loop {
            let bytes = self.window.unused();
            let Taken { packets, pieces, length, stop } = match &mut self.format {
                Format::Pcap(records) => take(records, bytes, &mut each),
                Format::Pcapng(blocks) => take(blocks, bytes, &mut each),
            };
            self.window.consume(length);
            self.number += pieces;
            if packets > 0 {
                return Ok(Received::Packets(packets));
            }
            match stop {
                Ok(Stop::Skip { length }) => self.skip(length)?,
                Ok(Stop::Short { needed }) => match extend(&mut self.window, needed)? {
                    Extended::Bytes => {}
                    Extended::End if self.window.unused().is_empty() => return Ok(Received::End),
                    Extended::End => {
                        let found = self.window.unused().len() as u64;
                        return Err(self.damaged(Damage::CutOff { needed: needed as u64, found }));
                    }
                },
                Err(damage) => return Err(self.damaged(damage)),
            }
        }
    }

    /// Returns how many packets were dropped while a pcapng file was captured, according to the
    /// statistics in the part that was read.
    pub fn dropped(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::Pcapng(blocks) => blocks.dropped(),
        }
    }

    /// Skips a block.
    fn skip(&mut self, length: u64) -> Result<(), ReadError> {
        let offset = self.window.offset();
        let found = self
            .window
            .skip(length)
            .map_err(|source| ReadError::Read { offset: self.window.offset(), source })?;
        if found < length {
            let (piece, number) = (Piece::Block, self.number + 1);
            let damage = Damage::CutOff { needed: length, found };
            return Err(ReadError::Damaged { piece, number, offset, damage });
        }
        self.number += 1;
        Ok(())
    }

    /// Returns the error that the next record or block is damaged.
    const fn damaged(&self, damage: Damage) -> ReadError {
        let piece = match self.format {
            Format::Pcap(_) => Piece::Record,
            Format::Pcapng(_) => Piece::Block,
        };
        ReadError::Damaged { piece, number: self.number + 1, offset: self.window.offset(), damage }
    }
}

impl Input for CaptureReader {
    fn receive(&mut self, _: Duration, each: impl FnMut(Packet<'_>)) -> io::Result<Received> {
        Ok(self.read(each)?)
    }

    fn dropped(&mut self) -> io::Result<u64> {
        Ok(Self::dropped(self))
    }
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { window, format, number } = self;
        f.debug_struct("CaptureReader")
            .field("format", format)
            .field("offset", &window.offset())
            .field("number", number)
            .finish_non_exhaustive()
    }
}

impl Format {
    /// Recognizes the format by the first bytes and consumes the header of a pcap file.
    fn recognize(window: &mut Window) -> Result<Self, ReadError> {
        fill(window, 4)?;
        let start = window.unused();
        let not_a_capture = || ReadError::NotACapture { start: start[..start.len().min(4)].into() };
        let magic = *start.first_chunk().ok_or_else(not_a_capture)?;
        if magic == block::SECTION_HEADER.to_ne_bytes() {
            return Ok(Self::Pcapng(Blocks::new()));
        }
        let recognized = Records::recognize(magic).ok_or_else(not_a_capture)?;
        fill(window, FILE_HEADER_LEN)?;
        let damaged =
            |damage| ReadError::Damaged { piece: Piece::FileHeader, number: 1, offset: 0, damage };
        let bytes = window.unused();
        let header = bytes.first_chunk().ok_or_else(|| {
            let (needed, found) = (FILE_HEADER_LEN as u64, bytes.len() as u64);
            damaged(Damage::CutOff { needed, found })
        })?;
        let records = Records::parse_header(recognized, header).map_err(damaged)?;
        window.consume(FILE_HEADER_LEN);
        Ok(Self::Pcap(records))
    }
}

/// Reads until there are `needed` bytes, or no more.
fn fill(window: &mut Window, needed: usize) -> Result<(), ReadError> {
    while window.unused().len() < needed {
        if extend(window, needed)? == Extended::End {
            break;
        }
    }
    Ok(())
}

/// Reads once.
fn extend(window: &mut Window, needed: usize) -> Result<Extended, ReadError> {
    let offset = window.offset() + window.unused().len() as u64;
    window.extend(needed).map_err(|source| ReadError::Read { offset, source })
}

/// A format: knows where a record or block ends and what is in it.
trait Parse {
    /// Looks at what `bytes` begin with.
    ///
    /// Only a step that consumes a record or block may change `self`.
    fn parse<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Damage>;
}

/// What some bytes begin with.
enum Step<'a> {
    /// A packet, in a record or block of `length` bytes.
    Packet { length: usize, record: Record<'a> },
    /// A block of `length` bytes without a packet.
    Other { length: usize },
    /// No record or block can be consumed.
    Stop(Stop),
}

/// Why no more can be taken from some bytes.
enum Stop {
    /// A record or block that needs at least `needed` bytes.
    Short { needed: usize },
    /// A block of `length` bytes that is to be skipped.
    Skip { length: u64 },
}

/// What was taken from some bytes.
struct Taken {
    /// Packets handed on.
    packets: usize,
    /// Records or blocks.
    pieces: u64,
    /// Their bytes.
    length: usize,
    /// Why there were no more.
    stop: Result<Stop, Damage>,
}

/// Takes what is whole in `bytes`, handing the packets on.
#[inline]
fn take<P: Parse>(format: &mut P, bytes: &[u8], each: &mut impl FnMut(Record<'_>)) -> Taken {
    let (mut packets, mut pieces, mut rest) = (0, 0, bytes);
    let stop = loop {
        let taken = match format.parse(rest) {
            Ok(Step::Packet { length, record }) => {
                each(record);
                packets += 1;
                length
            }
            Ok(Step::Other { length }) => length,
            Ok(Step::Stop(stop)) => break Ok(stop),
            Err(damage) => break Err(damage),
        };
        pieces += 1;
        rest = &rest[taken..];
    };
    Taken { packets, pieces, length: bytes.len() - rest.len(), stop }
}

/// Returns what the link type of the formats' common registry stands for.
const fn link(link_type: u16) -> Link {
    match link_type {
        0 | 108 => Link::Loopback,
        1 => Link::Ethernet,
        // 12 and 14 are what BSD systems have written for raw IP.
        12 | 14 | 101 | 228 | 229 => Link::Ip,
        113 => Link::LinuxCooked,
        276 => Link::LinuxCooked2,
        _ => Link::Other,
    }
}
