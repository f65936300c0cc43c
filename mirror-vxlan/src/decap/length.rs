//! The length that a frame had before it was cut, according to the IP packet in it.

use crate::decap::link::{self, IPV4, IPV6};
use crate::decap::part::Part;

/// Bytes of the fixed header of IPv6, which its payload length does not count.
const IPV6_HEADER_LEN: usize = 40;

/// Returns the length of the frame according to the length field of the IP packet in it.
///
/// `None` if there is no IP packet or it was cut before that field. Zero in the field does not state
/// a length (jumbogram or offload), and gives a length that no frame is shorter than.
#[inline]
pub(super) fn by_ip(frame: &[u8]) -> Option<usize> {
    let (ether_type, packet) = link::ethernet(Part::whole(frame)).ok()?;
    let word = |n: usize| {
        let bytes = packet.bytes.get(n..n + 2)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_be_bytes(*bytes)))
    };
    let packet_len = match ether_type {
        IPV4 => word(2)?,
        IPV6 => IPV6_HEADER_LEN + word(4)?,
        _ => return None,
    };
    Some(packet.offset + packet_len)
}
