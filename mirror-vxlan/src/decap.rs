//! From a packet to the mirrored frame in it: outer headers off, VXLAN off, nothing copied.
//!
//! [`Decapsulator`] accepts packets as they come from a packet socket or a capture file, and payloads
//! as they come from a UDP socket. It performs no I/O, does not allocate and does not panic, whatever
//! the bytes are.
//!
//! ```
//! use mirror_vxlan::decap::{Decapsulator, Link};
//!
//! let packet = [
//!     2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, // Ethernet
//!     0x45, 0, 0, 50, 0, 0, 0, 0, 255, 17, 0, 0, 10, 0, 0, 7, 10, 0, 0, 9, // IPv4
//!     0xff, 0x80, 0x12, 0xb5, 0, 30, 0, 0, // UDP from port 65408 to 4789
//!     0x08, 0, 0, 0, 0x54, 0xfa, 0x11, 0, // VXLAN
//!     2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4, 0x08, 0x06, // the frame
//! ];
//!
//! let decapsulated = Decapsulator::default().packet(Link::Ethernet, &packet)?;
//! assert_eq!(decapsulated.session.vni.to_string(), "5569041");
//! assert_eq!(decapsulated.session.source.to_string(), "10.0.0.7");
//! assert_eq!(decapsulated.frame, &packet[50..]);
//!
//! // A refusal is the counter that it belongs to; `explain` says more to whoever looks for the cause.
//! let error = Decapsulator::default().explain(Link::Ethernet, &packet[..40]).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "outer_truncated: the UDP header at offset 34 needs 8 bytes but has 6",
//! );
//! # Ok::<(), mirror_vxlan::reason::DropReason>(())
//! ```
//!
//! Lengths in headers are trusted as far as there are bytes. Bytes beyond the length of the IP packet
//! or of the UDP datagram are padding and are left out. If there are fewer bytes than a length
//! states, a snap length cut the packet: the frame ends early, and
//! [`original_len`](Decapsulated::original_len) gives its full length. Neither the checksum of an IP
//! header nor anything inside the frame is verified.

#![forbid(unsafe_code)]

mod error;
mod geneve;
pub(crate) mod ip;
mod length;
pub(crate) mod link;
pub(crate) mod part;
mod plain;
mod udp;

use core::net::IpAddr;

pub use self::error::PacketError;
use self::part::Part;
use crate::Vni;
use crate::frame::Session;
use crate::reason::{DropReason, Note, Notes};
use crate::wire::{self, Header, Layer, LenError, ParseError, Reserved};

/// Bytes of an Ethernet header; a shorter frame is noted as a runt.
const ETHERNET_HEADER_LEN: usize = 14;

/// What the first byte of a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Link {
    /// Ethernet, with any number of VLAN tags.
    Ethernet,
    /// IPv4 or IPv6 without a link layer.
    Ip,
    /// The 16-byte header of Linux's `any` device.
    LinuxCooked,
    /// The 20-byte header of Linux's `any` device, version 2.
    LinuxCooked2,
    /// The 4-byte address family of a BSD loopback device, in either byte order.
    Loopback,
    /// Anything else; no frame is taken out of such packets.
    Other,
}

impl Link {
    /// Returns the length of the link header in bytes, without VLAN tags.
    pub const fn header_len(self) -> u32 {
        match self {
            Self::Ethernet => 14,
            Self::LinuxCooked => 16,
            Self::LinuxCooked2 => 20,
            Self::Loopback => 4,
            Self::Ip | Self::Other => 0,
        }
    }
}

/// Whether headers that RFC 7348 forbids senders to send are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// They are accepted and noted, as the RFC asks of a receiver.
    #[default]
    Lenient,
    /// They are refused.
    Strict,
}

/// Whether the outer UDP checksum is verified.
///
/// It applies to packets that still have their outer headers; for a datagram from a socket, the
/// kernel has already verified it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// It is ignored. AWS sends none.
    #[default]
    Ignore,
    /// It is verified if the datagram has one and is complete.
    Verify,
}

/// Takes frames out of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decapsulator {
    /// The UDP port that VXLAN is received on.
    pub vxlan_port: u16,
    /// The UDP port that GENEVE is received on, behind a Gateway Load Balancer.
    ///
    /// GENEVE wraps another IP packet with VXLAN in it; GENEVE within GENEVE is not received.
    pub geneve_port: Option<u16>,
    /// Whether reserved bits, and critical options of GENEVE, are refused.
    pub strictness: Strictness,
    /// Whether the outer UDP checksum is verified.
    pub checksum: Checksum,
}

impl Default for Decapsulator {
    fn default() -> Self {
        Self {
            vxlan_port: wire::UDP_PORT,
            geneve_port: None,
            strictness: Strictness::Lenient,
            checksum: Checksum::Ignore,
        }
    }
}

/// A mirrored frame and the information from its outer headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decapsulated<'a> {
    /// The session that mirrored the frame; behind GENEVE, according to the packet wrapped in it.
    pub session: Session,
    /// The outer UDP source port: a hash of the frame's flow.
    pub source_port: u16,
    /// The bytes of the frame that arrived; at least one.
    pub frame: &'a [u8],
    /// The length of the frame before it was cut; never less than that of `frame`.
    ///
    /// It is the largest of three lengths: of the bytes that arrived, of what the outer UDP datagram
    /// carried before a snap length cut it, and of what the IP packet in the frame fills, which the
    /// packet length of the session may have cut.
    pub original_len: u32,
    /// What was odd about the packet.
    pub notes: Notes,
}

impl Decapsulator {
    /// Takes the frame out of a packet with its outer headers.
    ///
    /// # Errors
    ///
    /// The packet has no frame, for the reason returned. [`Self::explain`] also gives the place.
    #[inline]
    pub fn packet<'a>(&self, link: Link, packet: &'a [u8]) -> Result<Decapsulated<'a>, DropReason> {
        match plain::frame(self, link, packet) {
            Some(decapsulated) => Ok(decapsulated),
            None => self.peel(link, packet).map_err(|error| error.reason()),
        }
    }

    /// Does the same as [`Self::packet`], and reports the place in the packet where it had to stop.
    ///
    /// # Errors
    ///
    /// The packet has no frame, for the reason and at the place returned.
    pub fn explain<'a>(
        &self,
        link: Link,
        packet: &'a [u8],
    ) -> Result<Decapsulated<'a>, PacketError> {
        self.peel(link, packet)
    }

    /// Takes the frame out of a datagram whose outer headers the kernel has removed.
    ///
    /// # Errors
    ///
    /// The datagram has no frame, for the reason returned.
    #[inline]
    pub fn datagram<'a>(
        &self,
        source: IpAddr,
        source_port: u16,
        destination_port: u16,
        payload: &'a [u8],
    ) -> Result<Decapsulated<'a>, DropReason> {
        let payload = Part::whole(payload);
        if destination_port == self.vxlan_port {
            self.frame(|| source, source_port, payload).map_err(|error| error.reason())
        } else if Some(destination_port) == self.geneve_port {
            self.wrapped(payload).map_err(|error| error.reason())
        } else {
            Err(DropReason::WrongPort)
        }
    }

    #[inline(never)]
    fn peel<'a>(&self, link: Link, packet: &'a [u8]) -> Result<Decapsulated<'a>, PacketError> {
        let (ether_type, packet) = link::strip(link, Part::whole(packet))?;
        let packet = ip::strip(ether_type, packet)?;
        let received = |port| port == self.vxlan_port || Some(port) == self.geneve_port;
        let datagram = udp::strip(&packet, self.checksum, received)?;
        if datagram.destination == self.vxlan_port {
            self.frame(|| packet.header.source(), datagram.source, datagram.payload)
        } else {
            self.wrapped(datagram.payload)
        }
    }

    /// Takes the frame out of the packet that GENEVE carries.
    #[cold]
    fn wrapped<'a>(&self, payload: Part<'a>) -> Result<Decapsulated<'a>, PacketError> {
        let (ether_type, packet) = geneve::strip(payload, self.strictness)?;
        let packet = ip::strip(ether_type, packet)?;
        let datagram = udp::strip(&packet, self.checksum, |port| port == self.vxlan_port)?;
        let source = || packet.header.source();
        let mut decapsulated = self.frame(source, datagram.source, datagram.payload)?;
        decapsulated.notes = decapsulated.notes.with(Note::Geneve);
        Ok(decapsulated)
    }

    /// Takes the frame out of VXLAN.
    ///
    /// The source address is computed last, so that it is written only once, to its final place.
    #[inline(always)]
    fn frame<'a>(
        &self,
        source: impl FnOnce() -> IpAddr,
        source_port: u16,
        payload: Part<'a>,
    ) -> Result<Decapsulated<'a>, PacketError> {
        let datagram = wire::parse(payload.bytes).map_err(|error| not_vxlan(payload, error))?;
        let wire::Datagram { header, frame } = datagram;
        if !header.reserved.is_zero() && self.strictness == Strictness::Strict {
            return Err(payload.refused(not_strict(header.reserved), Layer::VxlanHeader));
        }
        if frame.is_empty() {
            let place = Part { bytes: frame, offset: payload.offset + wire::HEADER_LEN, ..payload };
            return Err(place.short(DropReason::FrameEmpty, Layer::Frame, 1));
        }
        let sent = frame.len() + payload.missing;
        let original = length::by_ip(frame).map_or(sent, |length| length.max(sent));
        Ok(Decapsulated {
            session: Session { vni: header.vni, source: source() },
            source_port,
            frame,
            original_len: u32::try_from(original).unwrap_or(u32::MAX),
            notes: notes(header, frame.len(), original),
        })
    }
}

/// Why a payload is not VXLAN.
#[cold]
fn not_vxlan(payload: Part<'_>, error: ParseError) -> PacketError {
    match error {
        ParseError::Short(LenError { layer, required, .. }) if payload.missing > 0 => {
            payload.short(DropReason::OuterTruncated, layer, required)
        }
        ParseError::Short(LenError { layer, required, .. }) => {
            payload.short(DropReason::VxlanHeader, layer, required)
        }
        ParseError::VniFlagUnset { .. } => {
            payload.refused(DropReason::VniFlagUnset, Layer::VxlanHeader)
        }
    }
}

/// Why a header with reserved bits is refused.
const fn not_strict(reserved: Reserved) -> DropReason {
    if reserved.gpe_next_protocol().is_some() { DropReason::Gpe } else { DropReason::ReservedBits }
}

/// What is odd about a frame that came with `header`: mostly nothing.
#[inline]
fn notes(header: Header, length: usize, original: usize) -> Notes {
    let is_plain = header.reserved.is_zero()
        && header.vni != Vni::MIN
        && length >= ETHERNET_HEADER_LEN
        && original <= length;
    if is_plain { Notes::NONE } else { oddities(header, length, original) }
}

#[cold]
fn oddities(header: Header, length: usize, original: usize) -> Notes {
    let mut notes = Notes::NONE;
    if !header.reserved.is_zero() {
        notes = notes.with(Note::ReservedBits);
        if header.reserved.gpe_next_protocol().is_some() {
            notes = notes.with(Note::Gpe);
        }
    }
    if header.vni == Vni::MIN {
        notes = notes.with(Note::VniZero);
    }
    if length < ETHERNET_HEADER_LEN {
        notes = notes.with(Note::FrameRunt);
    }
    if original > length {
        notes = notes.with(Note::FrameTruncated);
    }
    notes
}
