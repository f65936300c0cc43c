//! The outer IP header, of either version.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decap::PacketError;
use crate::decap::link::{IPV4, IPV6};
use crate::decap::part::Part;
use crate::reason::DropReason;
use crate::wire::Layer;

/// The protocol number of UDP.
pub(crate) const UDP: u8 = 17;

/// IPv6 extension headers, by their protocol numbers.
pub(crate) const HOP_BY_HOP: u8 = 0;
pub(crate) const ROUTING: u8 = 43;
pub(crate) const FRAGMENT: u8 = 44;
pub(crate) const AUTHENTICATION: u8 = 51;
pub(crate) const DESTINATION: u8 = 60;
const ENCRYPTION: u8 = 50;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// The most extension headers that are skipped; RFC 8200 allows each once or twice, four in all.
pub(crate) const EXTENSIONS_MAX: usize = 8;

/// An outer IP packet that carries UDP.
pub(super) struct Packet<'a> {
    /// Its fixed header.
    pub(super) header: Header<'a>,
    /// The UDP datagram.
    pub(super) datagram: Part<'a>,
}

/// The fixed header of an IP packet.
#[derive(Clone, Copy)]
pub(super) enum Header<'a> {
    V4(&'a [u8; 20]),
    V6(&'a [u8; 40]),
}

impl<'a> Header<'a> {
    /// The source address.
    #[inline]
    pub(super) fn source(self) -> IpAddr {
        match self {
            Self::V4(header) => {
                IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15]))
            }
            Self::V6(header) => {
                let mut source = [0; 16];
                source.copy_from_slice(&header[8..24]);
                IpAddr::V6(Ipv6Addr::from(source))
            }
        }
    }

    /// The source address followed by the destination address.
    pub(super) fn addresses(self) -> &'a [u8] {
        match self {
            Self::V4(header) => &header[12..],
            Self::V6(header) => &header[8..],
        }
    }
}

/// Removes the IP header from a packet with the given EtherType.
#[inline]
pub(super) fn strip(ether_type: u16, packet: Part<'_>) -> Result<Packet<'_>, PacketError> {
    match ether_type {
        IPV4 => v4(packet),
        IPV6 => v6(packet),
        _ => Err(packet.refused(DropReason::OuterNotIp, Layer::NetworkPacket)),
    }
}

#[inline]
fn v4(packet: Part<'_>) -> Result<Packet<'_>, PacketError> {
    let layer = Layer::Ipv4Header;
    let (header, _) = packet.split::<20>(layer)?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // A total length of zero means a packet over 64 KiB that was never on a wire.
    if header[0] >> 4 != 4 || header_len < 20 || total_len < header_len {
        return Err(packet.refused(DropReason::OuterIpHeader, layer));
    }
    if header[9] != UDP {
        return Err(packet.refused(DropReason::OuterNotUdp, layer));
    }
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(packet.refused(DropReason::OuterFragment, layer));
    }
    let datagram = packet.limit(total_len).skip(layer, header_len)?;
    Ok(Packet { header: Header::V4(header), datagram })
}

fn v6(packet: Part<'_>) -> Result<Packet<'_>, PacketError> {
    let layer = Layer::Ipv6Header;
    let (header, rest) = packet.split::<40>(layer)?;
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    // A payload length of zero means a jumbogram, or a packet that was never on a wire.
    if header[0] >> 4 != 6 || payload_len == 0 {
        return Err(packet.refused(DropReason::OuterIpHeader, layer));
    }
    let datagram = match header[6] {
        UDP => rest.limit(payload_len),
        next => extensions(next, rest.limit(payload_len))?,
    };
    Ok(Packet { header: Header::V6(header), datagram })
}

/// Skips extension headers up to UDP.
#[cold]
fn extensions(mut next: u8, mut rest: Part<'_>) -> Result<Part<'_>, PacketError> {
    let layer = Layer::Ipv6Extension;
    for _ in 0..EXTENSIONS_MAX {
        match next {
            UDP => return Ok(rest),
            HOP_BY_HOP | ROUTING | DESTINATION => {
                let (header, _) = rest.split::<8>(layer)?;
                next = header[0];
                rest = rest.skip(layer, 8 * (usize::from(header[1]) + 1))?;
            }
            FRAGMENT => return Err(rest.refused(DropReason::OuterFragment, layer)),
            AUTHENTICATION | ENCRYPTION | MOBILITY | HOST_IDENTITY | SHIM6 => break,
            _ => return Err(rest.refused(DropReason::OuterNotUdp, layer)),
        }
    }
    match next {
        UDP => Ok(rest),
        _ => Err(rest.refused(DropReason::OuterExtension, layer)),
    }
}
