//! The link layer: what stands before an IP packet.

use crate::decap::part::Part;
use crate::decap::{Link, PacketError};
use crate::reason::DropReason;
use crate::wire::Layer;

/// The EtherType of IPv4.
pub(crate) const IPV4: u16 = 0x0800;

/// The EtherType of IPv6.
pub(crate) const IPV6: u16 = 0x86dd;

/// The most VLAN tags that are skipped; networks stack two or three, and the limit bounds the work.
const TAGS_MAX: usize = 16;

/// Removes the link header and any VLAN tags, and returns the EtherType of what follows.
///
/// For a link without a type field, that is the EtherType of the IP version.
#[inline]
pub(crate) fn strip(link: Link, packet: Part<'_>) -> Result<(u16, Part<'_>), PacketError> {
    match link {
        Link::Ethernet => ethernet(packet),
        Link::Ip => Ok((version_type(packet)?, packet)),
        Link::LinuxCooked => {
            let (header, rest) = packet.split::<16>(Layer::LinkHeader)?;
            untag(u16::from_be_bytes([header[14], header[15]]), rest)
        }
        Link::LinuxCooked2 => {
            let (header, rest) = packet.split::<20>(Layer::LinkHeader)?;
            untag(u16::from_be_bytes([header[0], header[1]]), rest)
        }
        Link::Loopback => {
            let (family, rest) = packet.split::<4>(Layer::LinkHeader)?;
            let ether_type = family_type(*family)
                .ok_or_else(|| packet.refused(DropReason::OuterNotIp, Layer::LinkHeader))?;
            Ok((ether_type, rest))
        }
        Link::Other => Err(packet.refused(DropReason::OuterNotIp, Layer::LinkHeader)),
    }
}

/// Removes the header of an Ethernet frame with its VLAN tags, and returns the EtherType behind them.
#[inline(always)]
pub(crate) fn ethernet(frame: Part<'_>) -> Result<(u16, Part<'_>), PacketError> {
    let (header, rest) = frame.split::<14>(Layer::LinkHeader)?;
    untag(u16::from_be_bytes([header[12], header[13]]), rest)
}

/// Skips VLAN tags. A tag beyond the limit stays, so that the type returned is that of a tag.
#[inline(always)]
fn untag(ether_type: u16, rest: Part<'_>) -> Result<(u16, Part<'_>), PacketError> {
    // The common case comes first.
    if matches!(ether_type, IPV4 | IPV6) || !is_tag(ether_type) {
        return Ok((ether_type, rest));
    }
    let length = tags_len(rest.bytes);
    let behind = rest.skip(Layer::VlanTag, length)?;
    let ether_type = u16::from_be_bytes([rest.bytes[length - 2], rest.bytes[length - 1]]);
    Ok((ether_type, behind))
}

/// The length in bytes of the tags that `bytes` starts with; there is at least one.
///
/// It is a separate function that returns a number, so that the path of packets without a tag stays
/// in registers, which saves a third of their time.
#[cold]
fn tags_len(bytes: &[u8]) -> usize {
    let (tags, _) = bytes.as_chunks::<4>();
    let followed = |tag: &&[u8; 4]| is_tag(u16::from_be_bytes([tag[2], tag[3]]));
    4 * (1 + tags.iter().take(TAGS_MAX - 1).take_while(followed).count())
}

/// Returns whether an EtherType is that of a VLAN tag: 802.1Q, 802.1ad, or its predecessor.
const fn is_tag(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8 | 0x9100)
}

/// The EtherType that the version of an IP packet stands for.
fn version_type(packet: Part<'_>) -> Result<u16, PacketError> {
    match packet.split::<1>(Layer::NetworkPacket)?.0[0] >> 4 {
        4 => Ok(IPV4),
        6 => Ok(IPV6),
        _ => Err(packet.refused(DropReason::OuterNotIp, Layer::NetworkPacket)),
    }
}

/// The EtherType that an address family stands for.
///
/// The number is in the byte order of the capturing machine, so its one nonzero byte is the first or
/// the last; and every system has its own number for IPv6.
const fn family_type(family: [u8; 4]) -> Option<u16> {
    match family {
        [2, 0, 0, 0] | [0, 0, 0, 2] => Some(IPV4),
        // Linux and Windows, NetBSD and OpenBSD, FreeBSD, macOS.
        [10 | 23 | 24 | 28 | 30, 0, 0, 0] | [0, 0, 0, 10 | 23 | 24 | 28 | 30] => Some(IPV6),
        _ => None,
    }
}
