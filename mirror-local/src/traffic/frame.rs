//! Frames built from their parts: Ethernet, IPv4 and its payload, with correct lengths and
//! checksums.

use std::net::Ipv4Addr;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

/// What an IPv4 packet carries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Segment {
    Tcp { ports: [u16; 2], flags: u8 },
    Udp { ports: [u16; 2] },
    Echo { kind: u8, identifier: u16 },
    Gre,
}

/// The frame of an IPv4 packet from one address to another, with this many bytes of data.
pub(super) fn internet(ends: [Ipv4Addr; 2], segment: Segment, data: usize) -> Vec<u8> {
    let (protocol, mut body) = match segment {
        Segment::Tcp { ports, flags } => {
            let mut header = [ports[0].to_be_bytes(), ports[1].to_be_bytes()].concat();
            header.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
            (TCP, header)
        }
        Segment::Udp { ports } => {
            let length = u16::try_from(8 + data).unwrap_or(u16::MAX);
            let words = [ports[0], ports[1], length, 0];
            (UDP, words.map(u16::to_be_bytes).concat())
        }
        Segment::Echo { kind, identifier } => {
            let [high, low] = identifier.to_be_bytes();
            (ICMP, vec![kind, 0, 0, 0, high, low, 0, 1])
        }
        Segment::Gre => (GRE, vec![0, 0, 0x08, 0x00]),
    };
    body.extend((0..data).map(|at| at.to_le_bytes()[0]));
    let sum_at = match protocol {
        TCP => Some(16),
        UDP => Some(6),
        ICMP => Some(2),
        _ => None,
    };
    if let Some(at) = sum_at {
        let sum = checksum(&body, pseudo_header(ends, protocol, body.len()));
        // In UDP, zero means that there is no checksum: RFC 768.
        let sum = if protocol == UDP && sum == 0 { 0xffff } else { sum };
        body[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    let mut frame = ethernet(ends, [0x08, 0x00]);
    let total = u16::try_from(20 + body.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut header = vec![0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, protocol, 0, 0];
    header.extend(ends.iter().flat_map(|end| end.octets()));
    let sum = checksum(&header, 0);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    frame.extend(header);
    frame.extend(body);
    frame
}

/// The ARP frame in which one address asks for the hardware address of another. RFC 826.
pub(super) fn arp(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet([from, to], [0x08, 0x06]);
    frame.extend([0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend(hardware(from));
    frame.extend(from.octets());
    frame.extend([0; 6]);
    frame.extend(to.octets());
    frame
}

fn ethernet([from, to]: [Ipv4Addr; 2], ether_type: [u8; 2]) -> Vec<u8> {
    [&hardware(to)[..], &hardware(from), &ether_type].concat()
}

/// A hardware address that is assigned to nobody, a different one for each address.
fn hardware(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0, a, b, c, d]
}

/// What the checksums of TCP and UDP begin with; that of ICMP begins with nothing. RFC 9293,
/// section 3.1.
fn pseudo_header(ends: [Ipv4Addr; 2], protocol: u8, length: usize) -> u32 {
    if protocol == ICMP {
        return 0;
    }
    let halves = ends.into_iter().map(|end| end.to_bits()).flat_map(|it| [it >> 16, it & 0xffff]);
    let length = u32::try_from(length).unwrap_or_default();
    halves.sum::<u32>() + u32::from(protocol) + length
}

/// The checksum of bytes. Source: RFC 1071.
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut sum = start + words.iter().map(|it| u32::from(u16::from_be_bytes(*it))).sum::<u32>();
    sum += rest.first().map_or(0, |byte| u32::from(*byte) << 8);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [_, _, high, low] = sum.to_be_bytes();
    !u16::from_be_bytes([high, low])
}
