//! What can be wrong with a capture file, and where.

use std::fmt;
use std::io;

use super::PIECE_MAX;

/// Why no more packets come out of a capture file.
///
/// All packets before the error were handed on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input could not be read, or not be decompressed.
    #[error("cannot read the capture at offset {offset}")]
    Read {
        /// How many bytes had been read before, after decompression.
        offset: u64,
        /// What failed.
        source: io::Error,
    },
    /// The input is not a capture file.
    #[error(
        "not a capture file: it begins with {start:02x?}; \
         pcap and pcapng are read, also compressed by gzip or zstd"
    )]
    NotACapture {
        /// Its first bytes, at most four, after decompression.
        start: Vec<u8>,
    },
    /// A part of the file is damaged or not supported.
    #[error("{piece} {number} at offset {offset}")]
    Damaged {
        /// The kind of part.
        piece: Piece,
        /// Its number, from one; blocks of every type count.
        number: u64,
        /// Where it begins in the file, after decompression.
        offset: u64,
        /// What is wrong with it.
        #[source]
        damage: Damage,
    },
}

impl ReadError {
    /// Returns whether the file merely ends too early, as it does while it is still being written or
    /// after its writer was killed.
    pub const fn is_cut_off(&self) -> bool {
        matches!(self, Self::Damaged { damage: Damage::CutOff { .. }, .. })
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::Read { source, .. } => source.kind(),
            error if error.is_cut_off() => io::ErrorKind::UnexpectedEof,
            ReadError::NotACapture { .. } | ReadError::Damaged { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// What a capture file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// The header of a pcap file.
    FileHeader,
    /// A packet of a pcap file.
    Record,
    /// A block of a pcapng file.
    Block,
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::FileHeader => "file header",
            Self::Record => "record",
            Self::Block => "block",
        })
    }
}

/// What is wrong with a part of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file ends before the part does.
    #[error("the file ends after {found} of at least {needed} bytes; it was cut off")]
    CutOff {
        /// Bytes that the part needs.
        needed: u64,
        /// Bytes that are left.
        found: u64,
    },
    /// A packet is longer than any that a capture program writes, so it cannot be a packet.
    #[error("it claims {length} bytes, more than the {PIECE_MAX} that a packet can have")]
    TooLong {
        /// The length that it claims.
        length: u32,
    },
    /// A block has a length that no block, or none of its type, can have.
    #[error("type {kind:#x} with a length of {length}, which is not a multiple of 4, or too short")]
    BlockLength {
        /// The type of the block.
        kind: u32,
        /// The length that it claims.
        length: u32,
    },
    /// The length at the end of a block differs from the one at its start.
    #[error("the length is {length} at its start and {trailer} at its end")]
    BlockTrailer {
        /// The length at the start.
        length: u32,
        /// The length at the end.
        trailer: u32,
    },
    /// A packet does not fit into its block.
    #[error("a packet of {captured} bytes in a block with room for {room}")]
    PacketLength {
        /// The number of captured bytes that it claims.
        captured: u32,
        /// The number of bytes that the block has for them.
        room: usize,
    },
    /// A packet belongs to an interface that was not described.
    #[error("a packet of interface {interface}; the section has only {described} so far")]
    UnknownInterface {
        /// The number of the interface, from zero.
        interface: u32,
        /// How many interfaces were described.
        described: usize,
    },
    /// More interfaces are described than are supported.
    #[error(
        "interface {number} of a section; at most {} are supported",
        super::blocks::INTERFACES_MAX
    )]
    TooManyInterfaces {
        /// The number that the interface would have, from zero.
        number: usize,
    },
    /// An interface counts time in units that are not supported.
    #[error("a time resolution of {resolution:#04x}, finer than 64 bits can count")]
    Resolution {
        /// The value of `if_tsresol`.
        resolution: u8,
    },
    /// The byte-order magic of a section is not valid in either byte order.
    #[error("a byte-order magic of {magic:#010x}, expected 0x1a2b3c4d")]
    ByteOrder {
        /// The value in its place.
        magic: u32,
    },
    /// The file has a version that is not supported.
    #[error("version {major}.{minor} is not supported")]
    Version {
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
    },
    /// The link type of a pcap file is not one that mirrored traffic arrives on.
    #[error(
        "link type {link_type} is not supported; Ethernet (1), raw IP (101, 228, 229), \
         Linux cooked (113, 276) and loopback (0, 108) are"
    )]
    LinkType {
        /// The number of the link type in the registry of the format.
        link_type: u16,
    },
}
