//! The blocks of a pcapng file.
//!
//! A section header begins the file. Each session is an interface: its description comes before
//! its first frame, and interfaces are numbered in the order of their descriptions in the file.
//! The [blocks of a batch](Batch::blocks) have the encoding of frames used here. At the end, a
//! statistics block for each interface records what was dropped. Everything is in the machine's byte
//! order, which readers recognize by the section header.
//!
//! ```
//! use mirror_vxlan::capture::pcapng::{Interface, Section, Statistics};
//! use mirror_vxlan::frame::Session;
//! use mirror_vxlan::{Timestamp, Vni};
//!
//! let session = Session { vni: Vni::try_from(100)?, source: [10, 0, 0, 7].into() };
//! let mut file = Vec::new();
//! Section { application: "example", ..Section::default() }.encode(&mut file);
//! Interface { name: None, session, snap_length: 0 }.encode(&mut file);
//! // Here come the blocks of batches.
//! Statistics { received: 3, dropped: 1, delivered: 2, ..Statistics::default() }.encode(&mut file);
//! assert!(file.len().is_multiple_of(4));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

use crate::Timestamp;
use crate::batch::Batch;
use crate::frame::{Frame, Session};

use super::LINKTYPE_ETHERNET;

/// The block types of the specification that are written or read here.
pub(super) mod block {
    pub(in super::super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(in super::super) const INTERFACE_DESCRIPTION: u32 = 1;
    pub(in super::super) const PACKET: u32 = 2;
    pub(in super::super) const SIMPLE_PACKET: u32 = 3;
    pub(in super::super) const INTERFACE_STATISTICS: u32 = 5;
    pub(in super::super) const ENHANCED_PACKET: u32 = 6;
}

/// The number in a section header that shows the byte order.
pub(super) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// The option that ends a list of options.
pub(super) const END_OF_OPTIONS: u16 = 0;

/// The header of a section, with which a file begins.
///
/// Empty texts are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section<'a> {
    /// The program that writes the file, with its version.
    pub application: &'a str,
    /// The operating system that the program runs on.
    pub operating_system: &'a str,
    /// The hardware that the program runs on.
    pub hardware: &'a str,
}

impl Section<'_> {
    /// Appends the block.
    pub fn encode(&self, out: &mut Vec<u8>) {
        const HARDWARE: u16 = 2;
        const OPERATING_SYSTEM: u16 = 3;
        const APPLICATION: u16 = 4;
        /// How long a section will be is not known at its start.
        const LENGTH_UNKNOWN: i64 = -1;
        let Self { application, operating_system, hardware } = self;
        block(out, block::SECTION_HEADER, |out| {
            out.extend_from_slice(&BYTE_ORDER_MAGIC.to_ne_bytes());
            out.extend_from_slice(&1_u16.to_ne_bytes());
            out.extend_from_slice(&0_u16.to_ne_bytes());
            out.extend_from_slice(&LENGTH_UNKNOWN.to_ne_bytes());
            text_option(out, HARDWARE, hardware);
            text_option(out, OPERATING_SYSTEM, operating_system);
            text_option(out, APPLICATION, application);
            option(out, END_OF_OPTIONS, &[]);
        });
    }
}

/// The description of an interface: a session, with times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface<'a> {
    /// The name of the session; `None` names it `vni-` and its number.
    pub name: Option<&'a str>,
    /// The session; its source address becomes the interface's description.
    pub session: Session,
    /// The most bytes of a frame that are kept; zero for no limit.
    pub snap_length: u32,
}

impl Interface<'_> {
    /// Appends the block.
    pub fn encode(&self, out: &mut Vec<u8>) {
        const NAME: u16 = 2;
        const DESCRIPTION: u16 = 3;
        const TIME_RESOLUTION: u16 = 9;
        /// Ten to the power of minus nine seconds.
        const NANOSECONDS: u8 = 9;
        let Self { name, session: Session { vni, source }, snap_length } = self;
        block(out, block::INTERFACE_DESCRIPTION, |out| {
            out.extend_from_slice(&LINKTYPE_ETHERNET.to_ne_bytes());
            out.extend_from_slice(&[0; 2]);
            out.extend_from_slice(&snap_length.to_ne_bytes());
            match name {
                Some(name) => text_option(out, NAME, name),
                None => text_option(out, NAME, &format!("vni-{vni}")),
            }
            text_option(out, DESCRIPTION, &format!("mirrored from {source}"));
            option(out, TIME_RESOLUTION, &[NANOSECONDS]);
            option(out, END_OF_OPTIONS, &[]);
        });
    }
}

/// What became of the packets of an interface, from when to when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The interface: the number of its session.
    pub interface: u32,
    /// When the counting began.
    pub start: Timestamp,
    /// When the counting ended; also the time of the block.
    pub end: Timestamp,
    /// Frames of the session that were received.
    pub received: u64,
    /// Frames of the session that are missing from the file.
    pub dropped: u64,
    /// Frames of the session that are in the file.
    pub delivered: u64,
}

impl Statistics {
    /// Appends the block.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_behind(0, out);
    }

    /// Appends the block, with `os_dropped` packets that were lost before it was known which
    /// interface they belong to; zero is left out.
    pub fn encode_behind(&self, os_dropped: u64, out: &mut Vec<u8>) {
        const START_TIME: u16 = 2;
        const END_TIME: u16 = 3;
        const RECEIVED: u16 = 4;
        const DROPPED: u16 = 5;
        const OS_DROPPED: u16 = 7;
        const DELIVERED: u16 = 8;
        let Self { interface, start, end, received, dropped, delivered } = self;
        block(out, block::INTERFACE_STATISTICS, |out| {
            out.extend_from_slice(&interface.to_ne_bytes());
            out.extend_from_slice(&time(*end));
            option(out, START_TIME, &time(*start));
            option(out, END_TIME, &time(*end));
            option(out, RECEIVED, &received.to_ne_bytes());
            option(out, DROPPED, &dropped.to_ne_bytes());
            if os_dropped > 0 {
                option(out, OS_DROPPED, &os_dropped.to_ne_bytes());
            }
            option(out, DELIVERED, &delivered.to_ne_bytes());
            option(out, END_OF_OPTIONS, &[]);
        });
    }
}

/// Bytes of an enhanced packet block before its frame.
///
/// They are seven words: type, length, interface, time in two halves, captured and original length.
pub(crate) const PACKET_HEAD: u32 = 28;

/// Returns the bytes of an enhanced packet block around `captured` bytes of a frame.
pub(crate) const fn packet_len(captured: u32) -> u32 {
    PACKET_HEAD + captured.next_multiple_of(4) + 4
}

/// Appends a frame of an interface; a longer frame is cut to [`Batch::FRAME_MAX`] bytes.
#[inline]
pub fn push_packet(out: &mut Vec<u8>, interface: u32, frame: &Frame<'_>) {
    let captured = u32::try_from(frame.bytes.len())
        .map_or(Batch::FRAME_MAX, |length| length.min(Batch::FRAME_MAX));
    let length = packet_len(captured);
    let [high, low] = halves(frame.time);
    let kind = block::ENHANCED_PACKET;
    let words = [kind, length, interface, high, low, captured, frame.original_len];
    let mut head = [0; PACKET_HEAD as usize];
    for (place, word) in head.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    let padding = captured.wrapping_neg() % 4;
    out.extend_from_slice(&head);
    out.extend_from_slice(&frame.bytes[..captured as usize]);
    out.extend_from_slice(&[0; 3][..padding as usize]);
    out.extend_from_slice(&length.to_ne_bytes());
}

/// Appends a block: its type, its length, its body, its length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = u32::try_from(out.len() - start + 4)
        .expect("a block holds a few options of at most 64 KiB each")
        .to_ne_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend_from_slice(&length);
}

/// Appends an option with a text unless the text is empty; a text too long for an option is cut.
fn text_option(out: &mut Vec<u8>, code: u16, text: &str) {
    if !text.is_empty() {
        let end = text.floor_char_boundary(u16::MAX.into());
        option(out, code, &text.as_bytes()[..end]);
    }
}

/// Appends an option, padded to four bytes.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("texts are cut, all others are short");
    out.extend_from_slice(&code.to_ne_bytes());
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// A time as its two words, the upper one first in either byte order.
fn time(time: Timestamp) -> [u8; 8] {
    let [[a, b, c, d], [e, f, g, h]] = halves(time).map(u32::to_ne_bytes);
    [a, b, c, d, e, f, g, h]
}

/// The upper and the lower half of a time.
const fn halves(time: Timestamp) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = time.as_nanos().to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}
