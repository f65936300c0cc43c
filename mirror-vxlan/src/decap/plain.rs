//! The fast path of nearly every packet: wrapped as AWS wraps it, whole, and with nothing odd.
//!
//! Such a packet is IPv4 without options, UDP and VXLAN without reserved bits, over Ethernet without
//! tags or from a packet socket that removed the link header. So everything that has to be checked is
//! at fixed places, and one bounds check replaces one for each header. It takes half of the
//! instructions of the slow path.
//!
//! Nothing is refused here: what is not recognized takes the slow path, which handles every packet,
//! including these, and gives the reason for a refusal. A test asserts that both paths agree.

use core::net::{IpAddr, Ipv4Addr};

use crate::decap::ip::UDP;
use crate::decap::link::IPV4;
use crate::decap::{Checksum, Decapsulated, Decapsulator, ETHERNET_HEADER_LEN, Link, length};
use crate::frame::Session;
use crate::reason::Notes;
use crate::{Vni, wire};

/// Bytes of IPv4 without options, UDP and VXLAN.
const HEADERS_LEN: usize = 20 + 8 + wire::HEADER_LEN;

/// Takes the frame out of a plain packet.
#[inline]
pub(super) fn frame<'a>(
    decapsulator: &Decapsulator,
    link: Link,
    packet: &'a [u8],
) -> Option<Decapsulated<'a>> {
    let packet = match link {
        Link::Ip => packet,
        Link::Ethernet => {
            let (header, packet) = packet.split_first_chunk::<ETHERNET_HEADER_LEN>()?;
            if u16::from_be_bytes([header[12], header[13]]) != IPV4 {
                return None;
            }
            packet
        }
        _ => return None,
    };
    let (headers, frame) = packet.split_first_chunk::<HEADERS_LEN>()?;
    let word = |n: usize| u16::from_be_bytes([headers[n], headers[n + 1]]);
    let is_ipv4_with_udp = headers[0] == 0x45 && headers[9] == UDP && word(6) & 0x3fff == 0;
    let is_whole = usize::from(word(2)) == packet.len() && word(24) == word(2) - 20;
    let is_received = word(22) == decapsulator.vxlan_port;
    let needs_no_sum = decapsulator.checksum == Checksum::Ignore || word(26) == 0;
    if !(is_ipv4_with_udp && is_whole && is_received && needs_no_sum) {
        return None;
    }
    let wire::Datagram { header, .. } = wire::parse(&headers[28..]).ok()?;
    let is_odd = !header.reserved.is_zero()
        || header.vni == Vni::MIN
        || frame.len() < ETHERNET_HEADER_LEN
        || length::by_ip(frame).is_some_and(|length| length > frame.len());
    if is_odd {
        return None;
    }
    let source = Ipv4Addr::new(headers[12], headers[13], headers[14], headers[15]);
    Some(Decapsulated {
        session: Session { vni: header.vni, source: IpAddr::V4(source) },
        source_port: word(20),
        frame,
        // At most 64 KiB, since the length field of the IP packet allows no more.
        original_len: u32::try_from(frame.len()).ok()?,
        notes: Notes::NONE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet as AWS sends it: 14 bytes of Ethernet, 36 of headers, a frame of 60 with IPv4 in it.
    fn packet() -> Vec<u8> {
        let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
        packet.extend([0x45, 0, 0, 96, 0, 0, 0, 0, 255, 17, 0, 0, 10, 0, 0, 7, 10, 0, 0, 9]);
        packet.extend([0xff, 0x80, 0x12, 0xb5, 0, 76, 0, 0]);
        packet.extend([0x08, 0, 0, 0, 0, 0, 7, 0]);
        packet.extend([2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4, 0x08, 0x00, 0x45, 0, 0, 46]);
        packet.resize(14 + 96, 0);
        packet
    }

    #[test]
    fn what_aws_sends_takes_the_short_way() {
        let decapsulator = Decapsulator::default();
        let packet = packet();
        let short = frame(&decapsulator, Link::Ethernet, &packet);
        assert_eq!(short, decapsulator.explain(Link::Ethernet, &packet).ok());
        assert_eq!(short, frame(&decapsulator, Link::Ip, &packet[14..]));
        assert_eq!(short.map(|it| it.frame), Some(&packet[50..]));
    }

    #[test]
    fn the_short_way_says_what_the_long_way_says_or_nothing() {
        let verifying = Decapsulator { checksum: Checksum::Verify, ..Decapsulator::default() };
        let mut taken = 0;
        for decapsulator in [Decapsulator::default(), verifying] {
            for at in 0..packet().len() {
                for value in 0..=u8::MAX {
                    let mut packet = packet();
                    packet[at] = value;
                    let long = decapsulator.explain(Link::Ethernet, &packet).ok();
                    let short = frame(&decapsulator, Link::Ethernet, &packet);
                    assert!(
                        short.is_none() || short == long,
                        "{value} at {at}: {short:?}, {long:?}"
                    );
                    taken += usize::from(short.is_some());
                }
            }
            for length in 0..packet().len() {
                assert_eq!(frame(&decapsulator, Link::Ethernet, &packet()[..length]), None);
            }
        }
        // Most bytes are addresses, ports of the sender and the frame, and may be anything.
        assert!(taken > 256 * packet().len(), "{taken}");
    }
}
