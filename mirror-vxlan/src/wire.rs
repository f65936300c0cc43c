//! The VXLAN header of RFC 7348: eight bytes between a UDP header and a mirrored frame.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-----------------------------------------------+
//! |R R R R I R R R|                   reserved                    |
//! +---------------+-------------------------------+---------------+
//! |                      VNI                      |   reserved    |
//! +-----------------------------------------------+---------------+
//! ```
//!
//! [`parse`] does what the RFC asks of a receiver: the I flag must be set, and reserved bits are
//! ignored. They are not discarded: the bits stay in [`Header::reserved`], so that a caller can
//! count them. [`parse_strict`] refuses them. Neither function looks into the frame, and no input
//! makes either of them panic.
//!
//! VXLAN-GPE, which belongs on UDP port 4790, uses two of the reserved fields and need not carry
//! Ethernet. [`Reserved::gpe_next_protocol`] detects it.

#![forbid(unsafe_code)]

use core::fmt;

use crate::Vni;

/// The UDP port that AWS mirrors to, which is the one assigned to VXLAN.
pub const UDP_PORT: u16 = 4789;

/// Bytes of the VXLAN header.
pub const HEADER_LEN: usize = 8;

/// The I flag: the VNI field is valid.
const VNI_VALID: u64 = 0x0800_0000_0000_0000;

/// Every bit that RFC 7348 reserves: neither the I flag nor the VNI.
const RESERVED: u64 = 0xf7ff_ffff_0000_00ff;

/// The P flag of VXLAN-GPE: the byte before the VNI names the protocol of the payload.
const GPE_NEXT_PROTOCOL: u64 = 0x0400_0000_0000_0000;

/// Splits a UDP payload into VXLAN header and frame, as RFC 7348 asks of a receiver.
///
/// Reserved bits are accepted and reported in the header.
///
/// # Errors
///
/// The payload is shorter than a header, or its I flag is not set.
pub fn parse(payload: &[u8]) -> Result<Datagram<'_>, ParseError> {
    let Some((&bytes, frame)) = payload.split_first_chunk::<HEADER_LEN>() else {
        return Err(ParseError::Short(LenError {
            layer: Layer::VxlanHeader,
            offset: 0,
            required: HEADER_LEN,
            actual: payload.len(),
        }));
    };
    let word = u64::from_be_bytes(bytes);
    let [flags, _, _, _, vni @ .., _] = bytes;
    if word & VNI_VALID == 0 {
        return Err(ParseError::VniFlagUnset { flags });
    }
    let header = Header { vni: Vni::from_bytes(vni), reserved: Reserved::from_bits(word) };
    Ok(Datagram { header, frame })
}

/// Splits a UDP payload like [`parse`], and refuses a header with any reserved bit set.
///
/// # Errors
///
/// All errors of [`parse`], and a reserved bit that is set; VXLAN-GPE has an error of its own.
pub fn parse_strict(payload: &[u8]) -> Result<Datagram<'_>, StrictError> {
    let datagram = parse(payload)?;
    let reserved = datagram.header.reserved;
    if let Some(next_protocol) = reserved.gpe_next_protocol() {
        return Err(StrictError::Gpe { next_protocol });
    }
    if !reserved.is_zero() {
        return Err(StrictError::ReservedBits { reserved });
    }
    Ok(datagram)
}

/// A VXLAN header and the frame behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Datagram<'a> {
    /// The VXLAN header.
    pub header: Header,
    /// The mirrored Ethernet frame, without frame check sequence, exactly as it came.
    ///
    /// A packet length set on the mirror session can cut it at any byte: it may be empty, or shorter
    /// than the 14 bytes of an Ethernet header, or shorter than the lengths inside it state.
    pub frame: &'a [u8],
}

impl Datagram<'_> {
    /// Writes header and frame to the start of `buffer` and returns the bytes written.
    ///
    /// This is the inverse of [`parse`], including reserved bits.
    ///
    /// # Errors
    ///
    /// The buffer is too short. It is then left unchanged.
    pub fn emit<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], LenError> {
        let Self { header, frame } = self;
        let available = buffer.len();
        let Some(written) = buffer.get_mut(..HEADER_LEN + frame.len()) else {
            return Err(self.does_not_fit(available));
        };
        let (start, rest) = written.split_at_mut(HEADER_LEN);
        start.copy_from_slice(&header.to_bytes());
        rest.copy_from_slice(frame);
        Ok(written)
    }

    /// Returns the error for the first part that does not fit into `available` bytes.
    fn does_not_fit(&self, available: usize) -> LenError {
        match available.checked_sub(HEADER_LEN) {
            None => LenError {
                layer: Layer::VxlanHeader,
                offset: 0,
                required: HEADER_LEN,
                actual: available,
            },
            Some(actual) => LenError {
                layer: Layer::Frame,
                offset: HEADER_LEN,
                required: self.frame.len(),
                actual,
            },
        }
    }
}

/// A VXLAN header whose I flag is set; [`parse`] returns no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The network identifier: for a mirrored frame, its session.
    pub vni: Vni,
    /// The bits that RFC 7348 requires to be zero when sent and ignored when received.
    pub reserved: Reserved,
}

impl Header {
    /// Makes a header as it should be sent, and as AWS sends it: every reserved bit zero.
    pub const fn new(vni: Vni) -> Self {
        Self { vni, reserved: Reserved::ZERO }
    }

    /// Returns the eight bytes as they are on the wire.
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let Self { vni, reserved } = self;
        let mut bytes = (reserved.0 | VNI_VALID).to_be_bytes();
        [bytes[4], bytes[5], bytes[6]] = vni.to_bytes();
        bytes
    }
}

/// The reserved bits of a VXLAN header, at their places in its eight bytes.
///
/// The I flag and the VNI are not among them, so two values are equal if and only if their reserved
/// bits are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reserved(u64);

impl Reserved {
    /// No reserved bits set, as a sender should do.
    pub const ZERO: Self = Self(0);

    /// Takes the reserved bits out of the eight header bytes read as one big-endian number.
    pub const fn from_bits(header: u64) -> Self {
        Self(header & RESERVED)
    }

    /// Returns the bits at their places in the header; all other bits are zero.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns whether no reserved bit is set.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the protocol of the payload, if this is a VXLAN-GPE header that names it.
    ///
    /// This is byte 3 if the P flag is set: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH. On port 4789 these can
    /// also be stray bits of a sender, so [`parse`] never acts on them.
    pub const fn gpe_next_protocol(self) -> Option<u8> {
        if self.0 & GPE_NEXT_PROTOCOL == 0 { None } else { Some(self.0.to_be_bytes()[3]) }
    }
}

impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, .., z] = self.0.to_be_bytes();
        write!(f, "{a:02x} {b:02x} {c:02x} {d:02x} .. .. .. {z:02x}")
    }
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reserved({self})")
    }
}

/// Why a payload is not VXLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The payload ends within the header.
    #[error(transparent)]
    Short(LenError),
    /// The I flag is clear, so the header carries no VNI.
    #[error("the I flag is not set in the VXLAN flags {flags:#04x}")]
    VniFlagUnset {
        /// The flags byte as received.
        flags: u8,
    },
}

/// Why a payload is not VXLAN as RFC 7348 requires it to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// Not VXLAN at all.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A VXLAN-GPE header: the P flag is set.
    #[error("the header is VXLAN-GPE with next protocol {next_protocol}")]
    Gpe {
        /// The payload's protocol, by the numbers of the VXLAN-GPE registry.
        next_protocol: u8,
    },
    /// A reserved bit is set, other than the P flag.
    #[error("reserved bits are set in the VXLAN header: {reserved}")]
    ReservedBits {
        /// All reserved bits.
        reserved: Reserved,
    },
}

/// Missing bytes: how many were needed, how many were there, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {layer} at offset {offset} needs {required} bytes but has {actual}")]
pub struct LenError {
    /// The part that is cut short.
    pub layer: Layer,
    /// Where that part starts in the bytes given.
    pub offset: usize,
    /// The number of bytes that it needs from there on.
    pub required: usize,
    /// The number of bytes that are available from there on.
    pub actual: usize,
}

impl LenError {
    /// Returns the same error with its offset increased by `by` bytes.
    ///
    /// This is for a caller that removed the outer headers itself and reports places in the whole
    /// packet.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self { offset: self.offset.saturating_add(by), ..self }
    }
}

/// A part of a packet that carries a mirrored frame, from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The header of the link that the packet was captured on.
    LinkHeader,
    /// A tag of IEEE 802.1Q or 802.1ad.
    VlanTag,
    /// The payload of the link, before it is known to be an IP packet.
    NetworkPacket,
    /// The header of IPv4, with its options.
    Ipv4Header,
    /// The fixed header of IPv6.
    Ipv6Header,
    /// An extension header of IPv6.
    Ipv6Extension,
    /// The eight bytes of UDP.
    UdpHeader,
    /// The fixed header of GENEVE.
    GeneveHeader,
    /// The options of GENEVE.
    GeneveOptions,
    /// The eight bytes of VXLAN.
    VxlanHeader,
    /// The mirrored frame.
    Frame,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LinkHeader => "link header",
            Self::VlanTag => "VLAN tag",
            Self::NetworkPacket => "network packet",
            Self::Ipv4Header => "IPv4 header",
            Self::Ipv6Header => "IPv6 header",
            Self::Ipv6Extension => "IPv6 extension header",
            Self::UdpHeader => "UDP header",
            Self::GeneveHeader => "GENEVE header",
            Self::GeneveOptions => "GENEVE options",
            Self::VxlanHeader => "VXLAN header",
            Self::Frame => "frame",
        })
    }
}
