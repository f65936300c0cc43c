//! The identity of a packet: a number that its copies from both ends of a conversation share.

use super::mix::{SPREAD, halves, mix};
use crate::decap::link::{self, IPV4, IPV6};
use crate::decap::part::Part;

/// Returns a number that two copies of one IP packet share; `None` without a whole IP header.
///
/// It leaves out what a router changes on the way (hardware addresses, VLAN tags, the TTL or hop
/// limit, and the checksum of the IPv4 header) and padding behind the packet. Copies that were cut at
/// different lengths have different numbers. A retransmission over IPv6 has the same number as the
/// first packet, so search for copies only within a time that is shorter than a sender waits.
///
/// `key` should be a random number of the run. Without knowing it, nobody can craft a packet that is
/// mistaken for another.
pub fn identity(frame: &[u8], key: u64) -> Option<u64> {
    let (ether_type, packet) = link::ethernet(Part::whole(frame)).ok()?;
    let hasher = Hasher::new(key);
    match ether_type {
        IPV4 => v4(packet.bytes, hasher),
        IPV6 => v6(packet.bytes, hasher),
        _ => None,
    }
}

fn v4(packet: &[u8], hasher: Hasher) -> Option<u64> {
    let (header, body) = packet.split_first_chunk::<20>()?;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let mut header = *header;
    header[8] = 0;
    header[10..12].fill(0);
    Some(hasher.add(&header).add(unpadded(body, total_len.checked_sub(20))).finish())
}

fn v6(packet: &[u8], hasher: Hasher) -> Option<u64> {
    let (header, body) = packet.split_first_chunk::<40>()?;
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let mut header = *header;
    header[7] = 0;
    // Zero means a jumbogram, and does not state a length.
    let body_len = Some(payload_len).filter(|length| *length > 0);
    Some(hasher.add(&header).add(unpadded(body, body_len)).finish())
}

/// The bytes behind the header, cut to `length` if the header states one.
fn unpadded(body: &[u8], length: Option<usize>) -> &[u8] {
    length.and_then(|length| body.get(..length)).unwrap_or(body)
}

/// A keyed hash over runs of bytes.
#[derive(Clone, Copy)]
struct Hasher {
    keys: [u64; 2],
    state: u64,
}

impl Hasher {
    fn new(key: u64) -> Self {
        let keys = [mix(key ^ SPREAD[0], SPREAD[1]), mix(key ^ SPREAD[2], SPREAD[3])];
        Self { keys, state: keys[0] ^ SPREAD[2] }
    }

    /// Adds a run of bytes; the boundary between two runs is part of the hash.
    fn add(mut self, bytes: &[u8]) -> Self {
        let (chunks, rest) = bytes.as_chunks::<16>();
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        for chunk in chunks {
            self.absorb(chunk);
        }
        self.absorb(&last);
        self.state ^= bytes.len() as u64;
        self
    }

    #[inline]
    fn absorb(&mut self, chunk: &[u8; 16]) {
        let [upper, lower] = halves(u128::from_le_bytes(*chunk));
        self.state = mix(lower ^ self.keys[0], upper ^ self.state);
    }

    const fn finish(self) -> u64 {
        mix(self.state ^ self.keys[1], SPREAD[3] ^ self.keys[0])
    }
}
