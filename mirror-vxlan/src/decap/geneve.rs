//! The GENEVE header of RFC 8926, in which a Gateway Load Balancer wraps the packets it forwards.

use crate::decap::link::{self, IPV4, IPV6};
use crate::decap::part::Part;
use crate::decap::{PacketError, Strictness};
use crate::reason::DropReason;
use crate::wire::Layer;

/// The protocol number of Ethernet, "transparent Ethernet bridging"; the others are EtherTypes.
const ETHERNET: u16 = 0x6558;

/// The C flag: an option that a receiver must understand to process the packet.
const CRITICAL: u8 = 0x40;

/// Removes the header and its options, and the Ethernet header behind them if there is one.
///
/// Returns the EtherType of the packet that follows.
///
/// Options are skipped unread: those of a Gateway Load Balancer name its endpoint and flow, and
/// the mirrored frame does not need them.
#[cold]
pub(super) fn strip(
    payload: Part<'_>,
    strictness: Strictness,
) -> Result<(u16, Part<'_>), PacketError> {
    let layer = Layer::GeneveHeader;
    let (header, options) =
        payload.split::<8>(layer).map_err(|_| payload.short(reason(payload), layer, 8))?;
    let [first, flags, protocol_high, protocol_low, ..] = *header;
    if first >> 6 != 0 {
        return Err(payload.refused(DropReason::GeneveHeader, layer));
    }
    if strictness == Strictness::Strict && flags & CRITICAL != 0 {
        return Err(payload.refused(DropReason::GeneveCritical, layer));
    }
    let protocol = u16::from_be_bytes([protocol_high, protocol_low]);
    if !matches!(protocol, ETHERNET | IPV4 | IPV6) {
        return Err(payload.refused(DropReason::GeneveProtocol, layer));
    }
    let options_len = usize::from(first & 0x3f) * 4;
    let inside = options
        .skip(Layer::GeneveOptions, options_len)
        .map_err(|_| options.short(reason(options), Layer::GeneveOptions, options_len))?;
    if protocol == ETHERNET { link::ethernet(inside) } else { Ok((protocol, inside)) }
}

/// Distinguishes a header that ends too early from one that the capture cut.
const fn reason(part: Part<'_>) -> DropReason {
    if part.missing == 0 { DropReason::GeneveHeader } else { DropReason::OuterTruncated }
}
