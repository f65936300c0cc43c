//! The length that a frame had before it was cut, by the IP packet in it.

use crate::decap::link::{self, IPV4, IPV6};
use crate::decap::part::Part;

/// Bytes of the fixed header of IPv6, which its payload length does not count.
const IPV6_HEADER_LEN: usize = 40;

/// Returns the length of the frame that the IP packet in it fills, by its length field.
///
/// `None` if there is no IP packet or it was cut before that field. Zero in the field stands for
/// nothing, jumbogram or offload, and gives a length that no frame is shorter than.
#[inline]
pub(super) fn by_ip(frame: &[u8]) -> Option<usize> {
    let (ether_type, packet) = link::ethernet(Part::whole(frame)).ok()?;
    let is_ipv6 = ether_type == IPV6;
    if (ether_type != IPV4) & !is_ipv6 {
        return None;
    }
    // Chosen, not branched to: where frames of both versions come mixed, a processor guesses every
    // second branch wrong.
    let (place, before) = if is_ipv6 { (4, IPV6_HEADER_LEN) } else { (2, 0) };
    let length = packet.bytes.get(place..)?.first_chunk::<2>()?;
    Some(packet.offset + before + usize::from(u16::from_be_bytes(*length)))
}
