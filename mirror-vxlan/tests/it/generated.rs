//! Packets made by other code: decapsulation returns the frame that was put into each.

use mirror_vxlan::Vni;
use mirror_vxlan::decap::{Checksum, Decapsulator, Link, Strictness};
use mirror_vxlan::reason::DropReason;
use mirror_vxlan::wire::{self, Datagram, Header};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::traffic::{GENEVE_PORT, Mirrored, imix, wild};

/// Number of packets of each kind; `MIRROR_PACKETS` sets another number.
const PACKETS: usize = 500_000;

/// Returns a receiver of all that the traffic holds. Nothing in the traffic is wrong, so strictness does not
/// matter.
pub(crate) fn receiver() -> Decapsulator {
    Decapsulator {
        geneve_port: Some(GENEVE_PORT),
        strictness: Strictness::Strict,
        checksum: Checksum::Verify,
        ..Decapsulator::default()
    }
}

/// Reads a number from the environment.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    std::env::var_os(variable).map_or(default, |value| {
        let text = value.to_string_lossy().replace('_', "");
        text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}"))
    })
}

#[track_caller]
fn check(mirrored: &Mirrored) {
    let Mirrored { link, packet, .. } = mirrored;
    let actual = receiver().packet(*link, packet);
    assert_eq!(actual, Ok(mirrored.expected()), "{link:?} {packet:02x?}");
}

#[test]
fn busy_traffic_gives_every_frame() {
    imix(1).take(number("MIRROR_PACKETS", PACKETS)).for_each(|mirrored| check(&mirrored));
}

#[test]
fn wild_traffic_gives_every_frame() {
    wild(2).take(number("MIRROR_PACKETS", PACKETS)).for_each(|mirrored| check(&mirrored));
}

#[test]
fn wild_traffic_holds_every_kind() {
    let packets: Vec<Mirrored> = wild(3).take(2_000).collect();
    let links = [Link::Ethernet, Link::Ip, Link::LinuxCooked, Link::LinuxCooked2, Link::Loopback];
    for link in links {
        for is_ipv4 in [false, true] {
            let is_kind =
                |it: &&Mirrored| it.link == link && it.session.source.is_ipv4() == is_ipv4;
            assert!(packets.iter().any(|it| is_kind(&it)), "{link:?} with IPv4: {is_ipv4}");
        }
    }
    assert!(packets.iter().any(|it| it.cut > 0));
}

#[test]
fn a_changed_byte_breaks_the_checksum() {
    let packet = wild(4).find(|it| it.cut == 0 && it.link == Link::Ip && it.packet[0] == 0x45);
    let mut packet = packet.expect("there are many").packet;
    let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    let has_none = packet[26..28] == [0, 0];
    packet[total - 1] ^= 1;
    let outcome = receiver().packet(Link::Ip, &packet).map(|_| ());
    assert_eq!(outcome, if has_none { Ok(()) } else { Err(DropReason::UdpChecksum) });
    let careless = Decapsulator { checksum: Checksum::Ignore, ..receiver() };
    assert!(careless.packet(Link::Ip, &packet).is_ok());
}

#[test]
fn every_prefix_of_a_packet_gives_a_prefix_of_its_frame_or_is_cut_short() {
    for mirrored in wild(5).take(300) {
        let Mirrored { link, packet, frame, session, .. } = &mirrored;
        for end in 0..packet.len() {
            match receiver().packet(*link, &packet[..end]) {
                Ok(decapsulated) => {
                    assert!(frame.starts_with(decapsulated.frame), "{link:?} {end} {packet:02x?}");
                    assert_eq!(decapsulated.session, *session);
                    assert!(decapsulated.original_len <= mirrored.original_len);
                }
                Err(DropReason::OuterTruncated | DropReason::FrameEmpty) => {}
                Err(reason) => panic!("{reason} for {end} bytes of {link:?} {packet:02x?}"),
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_emitted_is_received(vni: [u8; 3], frame in vec(any::<u8>(), 1..200)) {
        let header = Header::new(Vni::from_bytes(vni));
        let mut buffer = [0; 300];
        let payload = Datagram { header, frame: &frame }.emit(&mut buffer).unwrap();
        let source = std::net::Ipv6Addr::LOCALHOST.into();
        let decapsulated = receiver().datagram(source, 50_000, wire::UDP_PORT, payload).unwrap();
        prop_assert_eq!(decapsulated.frame, &frame);
        prop_assert_eq!(decapsulated.session.vni, header.vni);
        prop_assert_eq!(decapsulated.source_port, 50_000);
    }
}
