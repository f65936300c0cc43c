//! The flow of a frame: the conversation it belongs to, and a hash of it.
//!
//! Sampling, steering and the source port of forwarded VXLAN need to keep both directions of a
//! conversation together, so the [hash](Flow::hash) of a flow equals that of the opposite direction.
//! It is the same on every machine and in every run, so that receivers that sample by it choose the
//! same flows.
//!
//! [`identity`] is another number of a frame: it is the same for the two copies of a packet that was
//! mirrored both where it was sent and where it was received.

#![forbid(unsafe_code)]

mod identity;
mod mix;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::identity::identity;
use self::mix::{SPREAD, halves, mix};
use crate::decap::Link;
use crate::decap::ip::{
    self, AUTHENTICATION, DESTINATION, EXTENSIONS_MAX, FRAGMENT, HOP_BY_HOP, ROUTING,
};
use crate::decap::link::{self, IPV4, IPV6};
use crate::decap::part::Part;

/// Protocols that start with a source and a destination port.
const WITH_PORTS: [u8; 5] = [TCP, ip::UDP, DCCP, SCTP, UDP_LITE];
const TCP: u8 = 6;
const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// The conversation that a frame belongs to, in the direction of the frame.
///
/// VLAN tags are skipped and are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// A whole packet of TCP, UDP, SCTP, DCCP or UDP-Lite.
    Ports {
        /// The number of the protocol.
        protocol: u8,
        /// Who sent it.
        source: (IpAddr, u16),
        /// Whom it was sent to.
        destination: (IpAddr, u16),
    },
    /// A fragment, first or not, or a packet of a protocol without ports, such as ICMP.
    Addresses {
        /// The number of the protocol.
        protocol: u8,
        /// Who sent it.
        source: IpAddr,
        /// Whom it was sent to.
        destination: IpAddr,
    },
    /// A frame without an IP packet, or one that was cut within its IP header.
    Frame {
        /// The EtherType, behind any VLAN tags.
        ether_type: u16,
        /// The hardware address of the sender.
        source: [u8; 6],
        /// The hardware address of the recipient.
        destination: [u8; 6],
    },
    /// A frame that was cut within its Ethernet header or VLAN tags.
    Unknown,
}

impl Flow {
    /// Returns the flow of an Ethernet frame, as far as the frame shows it.
    pub fn of(frame: &[u8]) -> Self {
        let Ok((ether_type, packet)) = link::ethernet(Part::whole(frame)) else {
            return Self::Unknown;
        };
        let internet = match ether_type {
            IPV4 => v4(packet.bytes),
            IPV6 => v6(packet.bytes),
            _ => None,
        };
        internet.unwrap_or_else(|| hardware(ether_type, frame))
    }

    /// Returns the flow of a packet behind any link header, as far as the packet shows it.
    ///
    /// If it contains no IP packet, only Ethernet provides hardware addresses; on other links they
    /// are zero.
    pub fn on(link: Link, packet: &[u8]) -> Self {
        if link == Link::Ethernet {
            return Self::of(packet);
        }
        let Ok((ether_type, packet)) = link::strip(link, Part::whole(packet)) else {
            return Self::Unknown;
        };
        let internet = match ether_type {
            IPV4 => v4(packet.bytes),
            IPV6 => v6(packet.bytes),
            _ => None,
        };
        let elsewhere = Self::Frame { ether_type, source: [0; 6], destination: [0; 6] };
        internet.unwrap_or(elsewhere)
    }

    /// Returns the flow of the opposite direction.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Ports { protocol, source, destination } => {
                Self::Ports { protocol, source: destination, destination: source }
            }
            Self::Addresses { protocol, source, destination } => {
                Self::Addresses { protocol, source: destination, destination: source }
            }
            Self::Frame { ether_type, source, destination } => {
                Self::Frame { ether_type, source: destination, destination: source }
            }
            Self::Unknown => Self::Unknown,
        }
    }

    /// Returns a number that is the same for both directions and spreads flows evenly.
    ///
    /// It is not secret: a sender can choose flows that have the same number.
    pub fn hash(&self) -> u32 {
        let (kind, ends) = match *self {
            Self::Ports { protocol, source, destination } => {
                (u64::from(protocol), [end(source.0, source.1), end(destination.0, destination.1)])
            }
            Self::Addresses { protocol, source, destination } => {
                (0x100 | u64::from(protocol), [end(source, 0), end(destination, 0)])
            }
            Self::Frame { ether_type, source, destination } => {
                (0x1_0000 | u64::from(ether_type), [station(source), station(destination)])
            }
            Self::Unknown => return 0,
        };
        // Sum and exclusive or do not depend on the order; together they distinguish pairs.
        let [one, other] = ends;
        let both = mix(one.wrapping_add(other), one ^ other ^ SPREAD[0]);
        let [a, b, c, d, ..] = mix(both ^ kind, SPREAD[1]).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// Returns the source port for forwarding a frame with this flow hash: 49152 to 65535.
pub const fn source_port(hash: u32) -> u16 {
    let [high, low, ..] = hash.to_be_bytes();
    // The dynamic ports (RFC 6335) are those whose two upper bits are set.
    0xc000 | u16::from_be_bytes([high, low]) >> 2
}

fn v4(packet: &[u8]) -> Option<Flow> {
    let header = packet.first_chunk::<20>()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    let address =
        |n| IpAddr::V4(Ipv4Addr::new(header[n], header[n + 1], header[n + 2], header[n + 3]));
    let transport = if is_fragment { None } else { packet.get(header_len..) };
    Some(internet(header[9], [address(12), address(16)], transport))
}

fn v6(packet: &[u8]) -> Option<Flow> {
    let (header, rest) = packet.split_first_chunk::<40>()?;
    let (addresses, _) = header[8..].as_chunks::<16>();
    let [source, destination] = *addresses else { return None };
    let ends = [source, destination].map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)));
    let (protocol, transport) = upper(header[6], rest);
    Some(internet(protocol, ends, transport))
}

/// Skips the extension headers of IPv6, and returns the protocol behind them and its bytes, unless
/// the packet is a fragment.
fn upper(mut next: u8, mut rest: &[u8]) -> (u8, Option<&[u8]>) {
    for _ in 0..EXTENSIONS_MAX {
        let Some(&[behind, units]) = rest.first_chunk() else { break };
        let length = match next {
            HOP_BY_HOP | ROUTING | DESTINATION => (usize::from(units) + 1) * 8,
            AUTHENTICATION => (usize::from(units) + 2) * 4,
            // Every fragment names the protocol, so all of them give the same flow.
            FRAGMENT => return (behind, None),
            _ => break,
        };
        next = behind;
        rest = rest.get(length..).unwrap_or_default();
    }
    (next, Some(rest))
}

/// The flow of an IP packet, with its ports if it has any.
fn internet(protocol: u8, [source, destination]: [IpAddr; 2], transport: Option<&[u8]>) -> Flow {
    match transport.and_then(<[u8]>::first_chunk::<4>) {
        Some(&[a, b, c, d]) if WITH_PORTS.contains(&protocol) => Flow::Ports {
            protocol,
            source: (source, u16::from_be_bytes([a, b])),
            destination: (destination, u16::from_be_bytes([c, d])),
        },
        _ => Flow::Addresses { protocol, source, destination },
    }
}

/// The flow of a frame without an IP packet; it has a whole Ethernet header.
fn hardware(ether_type: u16, frame: &[u8]) -> Flow {
    let (addresses, _) = frame.as_chunks::<6>();
    match *addresses {
        [destination, source, ..] => Flow::Frame { ether_type, source, destination },
        _ => Flow::Unknown,
    }
}

/// A number for one end of a flow of IP.
fn end(address: IpAddr, port: u16) -> u64 {
    match address {
        IpAddr::V4(address) => mix(u64::from(address.to_bits()) << 16 | u64::from(port), SPREAD[2]),
        IpAddr::V6(address) => {
            let [upper, lower] = halves(address.to_bits());
            mix(mix(upper ^ SPREAD[0], lower ^ SPREAD[1]) ^ u64::from(port), SPREAD[2])
        }
    }
}

/// A number for one end of a flow without IP.
fn station([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    mix(u64::from_be_bytes([0, 0, a, b, c, d, e, f]), SPREAD[2])
}
