//! The outer UDP header.

use crate::decap::ip::{self, Packet};
use crate::decap::part::Part;
use crate::decap::{Checksum, PacketError};
use crate::reason::DropReason;
use crate::wire::Layer;

/// Bytes of the header.
const HEADER_LEN: usize = 8;

/// A UDP datagram to a port that is received.
pub(super) struct Datagram<'a> {
    /// The source port.
    pub(super) source: u16,
    /// The destination port.
    pub(super) destination: u16,
    /// What the datagram carries.
    pub(super) payload: Part<'a>,
}

/// Removes the UDP header; `received` tells which ports are received.
#[inline]
pub(super) fn strip<'a>(
    packet: &Packet<'a>,
    checksum: Checksum,
    received: impl Fn(u16) -> bool,
) -> Result<Datagram<'a>, PacketError> {
    let layer = Layer::UdpHeader;
    let here = packet.datagram;
    let (header, rest) = here.split::<HEADER_LEN>(layer)?;
    let word = |n| u16::from_be_bytes([header[n], header[n + 1]]);
    let [source, destination, length, sum] = [word(0), word(2), word(4), word(6)];
    if !received(destination) {
        return Err(here.refused(DropReason::WrongPort, layer));
    }
    let length = usize::from(length);
    if length < HEADER_LEN || length > here.bytes.len() + here.missing {
        return Err(here.refused(DropReason::UdpLength, layer));
    }
    if checksum == Checksum::Verify
        && sum != 0
        && !is_intact(packet.header.addresses(), here, length)
    {
        return Err(here.refused(DropReason::UdpChecksum, layer));
    }
    Ok(Datagram { source, destination, payload: rest.limit(length - HEADER_LEN) })
}

/// Returns whether the checksum is right, or cannot be verified because the datagram was cut.
fn is_intact(addresses: &[u8], here: Part<'_>, length: usize) -> bool {
    let Some(datagram) = here.bytes.get(..length) else { return true };
    // The lengths are at most 64 KiB: the sum of all words fits 32 bits with room to spare.
    let pseudo = u64::from(ip::UDP) + length as u64 + words(addresses);
    let mut sum = pseudo + words(datagram);
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum == 0xffff
}

/// The sum of all 16-bit words; an odd byte at the end is the upper half of one.
fn words(bytes: &[u8]) -> u64 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let sum: u64 = pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum();
    sum + odd.first().map_or(0, |byte| u64::from(*byte) << 8)
}
