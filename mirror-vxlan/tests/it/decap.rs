//! Each reason to drop a packet and each note, with the smallest packet that causes it.

use std::net::{IpAddr, Ipv4Addr};

use mirror_vxlan::Vni;
use mirror_vxlan::decap::{Checksum, Decapsulated, Decapsulator, Link, Strictness};
use mirror_vxlan::frame::Session;
use mirror_vxlan::reason::{DropReason, Note, Notes};

/// Ethernet, IPv4, UDP from 65408 to 4789, VXLAN with VNI 7, and an empty Ethernet frame.
const PACKET: [u8; 64] = [
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, // Ethernet
    0x45, 0, 0, 50, 0, 0, 0, 0, 255, 17, 0, 0, 10, 0, 0, 7, 10, 0, 0, 9, // IPv4
    0xff, 0x80, 0x12, 0xb5, 0, 30, 0, 0, // UDP
    0x08, 0, 0, 0, 0, 0, 7, 0, // VXLAN
    2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4, 0x88, 0xcc, // the frame
];

/// Returns an IPv6 header for a payload of 30 bytes that starts with the given protocol.
const fn ipv6(next: u8) -> [u8; 40] {
    let mut header = [0; 40];
    header[0] = 0x60;
    header[5] = 30;
    header[6] = next;
    header[23] = 1; // from ::1 to ::2
    header[39] = 2;
    header
}

/// GENEVE around an IPv4 packet, without options.
const GENEVE: [u8; 8] = [0, 0, 0x08, 0x00, 0, 0, 0, 0];

/// Returns the packet with the bytes at these places changed.
fn with(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut packet = PACKET.to_vec();
    for (place, byte) in changes {
        packet[*place] = *byte;
    }
    packet
}

/// Returns the packet, preceded by `before`, in an outer UDP datagram to the GENEVE port.
fn in_geneve(before: &[u8]) -> Vec<u8> {
    let inside = [before, &PACKET[14..]].concat();
    let total = u8::try_from(28 + inside.len()).expect("short");
    let mut packet = with(&[(17, total), (29, 1), (36, 0x17), (37, 0xc1), (39, total - 20)]);
    packet.truncate(42);
    [packet, inside].concat()
}

fn everything() -> Decapsulator {
    Decapsulator {
        geneve_port: Some(6081),
        strictness: Strictness::Strict,
        checksum: Checksum::Verify,
        ..Decapsulator::default()
    }
}

/// A packet, the reason why it is dropped, and the text that states where.
type Case = (Vec<u8>, DropReason, &'static str);

fn outer_cases() -> Vec<Case> {
    use DropReason::{
        OuterExtension, OuterFragment, OuterIpHeader, OuterNotIp, OuterNotUdp, OuterTruncated,
    };
    let v6 = |next, behind: &[u8]| {
        let ethernet = with(&[(12, 0x86), (13, 0xdd)])[..14].to_vec();
        [&ethernet[..], &ipv6(next), behind].concat()
    };
    let refused = "the IPv4 header at offset 14 is refused";
    let tag = [0x81, 0, 0, 1].repeat(20);
    vec![
        (vec![], OuterTruncated, "the link header at offset 0 needs 14 bytes but has 0"),
        (
            with(&[(12, 0x81)])[..16].into(),
            OuterTruncated,
            "the VLAN tag at offset 14 needs 4 bytes but has 2",
        ),
        (
            PACKET[..33].into(),
            OuterTruncated,
            "the IPv4 header at offset 14 needs 20 bytes but has 19",
        ),
        (with(&[(14, 0x4f)])[..34].into(), OuterIpHeader, refused),
        (
            with(&[(14, 0x4c)])[..48].into(),
            OuterTruncated,
            "the IPv4 header at offset 14 needs 48 bytes but has 34",
        ),
        (
            PACKET[..41].into(),
            OuterTruncated,
            "the UDP header at offset 34 needs 8 bytes but has 7",
        ),
        (
            PACKET[..49].into(),
            OuterTruncated,
            "the VXLAN header at offset 42 needs 8 bytes but has 7",
        ),
        (
            v6(17, &[])[..53].into(),
            OuterTruncated,
            "the IPv6 header at offset 14 needs 40 bytes but has 39",
        ),
        (
            v6(0, &[17, 1, 0, 0, 0, 0, 0, 0]),
            OuterTruncated,
            "the IPv6 extension header at offset 54 needs 16 bytes but has 8",
        ),
        (with(&[(13, 0x06)]), OuterNotIp, "the network packet at offset 14 is refused"),
        ([&PACKET[..12], &tag].concat(), OuterNotIp, "the network packet at offset 78 is refused"),
        (with(&[(14, 0x65)]), OuterIpHeader, refused),
        (with(&[(14, 0x44)]), OuterIpHeader, refused),
        (with(&[(17, 0)]), OuterIpHeader, refused),
        (with(&[(17, 19)]), OuterIpHeader, refused),
        (with(&[(12, 0x86), (13, 0xdd)]), OuterIpHeader, "the IPv6 header at offset 14 is refused"),
        (with(&[(20, 0x20)]), OuterFragment, refused),
        (with(&[(21, 1)]), OuterFragment, refused),
        (
            v6(44, &[17, 0, 0, 0, 0, 0, 0, 0]),
            OuterFragment,
            "the IPv6 extension header at offset 54 is refused",
        ),
        (v6(51, &[0; 30]), OuterExtension, "the IPv6 extension header at offset 54 is refused"),
        (
            v6(60, &[60, 0, 0, 0, 0, 0, 0, 0].repeat(9))[..84].into(),
            OuterTruncated,
            "the IPv6 extension header at offset 78 needs 8 bytes but has 6",
        ),
        (with(&[(23, 6)]), OuterNotUdp, refused),
        (v6(6, &[0; 30]), OuterNotUdp, "the IPv6 extension header at offset 54 is refused"),
    ]
}

fn inner_cases() -> Vec<Case> {
    use DropReason::{
        FrameEmpty, GeneveCritical, GeneveHeader, GeneveProtocol, Gpe, ReservedBits, UdpChecksum,
        UdpLength, VniFlagUnset, VxlanHeader, WrongPort,
    };
    let options = [&[1][..], &GENEVE[1..]].concat();
    vec![
        (with(&[(37, 0xb6)]), WrongPort, "the UDP header at offset 34 is refused"),
        (with(&[(39, 7)]), UdpLength, "the UDP header at offset 34 is refused"),
        (with(&[(39, 31)]), UdpLength, "the UDP header at offset 34 is refused"),
        (with(&[(41, 1)]), UdpChecksum, "the UDP header at offset 34 is refused"),
        (
            in_geneve(&[0x40, 0, 0x08, 0, 0, 0, 0, 0]),
            GeneveHeader,
            "the GENEVE header at offset 42 is refused",
        ),
        (
            in_geneve(&options)[..42].into(),
            DropReason::OuterTruncated,
            "the GENEVE header at offset 42 needs 8 bytes but has 0",
        ),
        (
            geneve_of(&[0; 7]),
            GeneveHeader,
            "the GENEVE header at offset 42 needs 8 bytes but has 7",
        ),
        (
            geneve_of(&options),
            GeneveHeader,
            "the GENEVE options at offset 50 needs 4 bytes but has 0",
        ),
        (
            in_geneve(&[0, 0x40, 0x08, 0, 0, 0, 0, 0]),
            GeneveCritical,
            "the GENEVE header at offset 42 is refused",
        ),
        (
            in_geneve(&[0, 0, 0x88, 0x47, 0, 0, 0, 0]),
            GeneveProtocol,
            "the GENEVE header at offset 42 is refused",
        ),
        (with(&[(39, 15)]), VxlanHeader, "the VXLAN header at offset 42 needs 8 bytes but has 7"),
        (with(&[(42, 0)]), VniFlagUnset, "the VXLAN header at offset 42 is refused"),
        (with(&[(49, 1)]), ReservedBits, "the VXLAN header at offset 42 is refused"),
        (with(&[(42, 0x0c)]), Gpe, "the VXLAN header at offset 42 is refused"),
        (with(&[(39, 16)]), FrameEmpty, "the frame at offset 50 needs 1 bytes but has 0"),
        (PACKET[..50].into(), FrameEmpty, "the frame at offset 50 needs 1 bytes but has 0"),
    ]
}

/// Returns a datagram to the GENEVE port with this payload.
fn geneve_of(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("short");
    let mut packet = with(&[(17, 28 + length), (36, 0x17), (37, 0xc1), (39, 8 + length)]);
    packet.truncate(42);
    [&packet, payload].concat()
}

#[test]
fn each_refusal_has_its_reason_and_its_place() {
    let mut seen = [false; DropReason::COUNT];
    for (packet, reason, place) in outer_cases().into_iter().chain(inner_cases()) {
        let error = everything().explain(Link::Ethernet, &packet).unwrap_err();
        assert_eq!(error.to_string(), format!("{reason}: {place}"), "{packet:02x?}");
        assert_eq!(error.reason(), reason);
        assert_eq!(everything().packet(Link::Ethernet, &packet), Err(reason));
        seen[reason.index()] = true;
    }
    // Only the input knows that its buffer was too short.
    seen[DropReason::ReceiveTruncated.index()] = true;
    let missing: Vec<_> = DropReason::ALL.iter().filter(|reason| !seen[reason.index()]).collect();
    assert_eq!(missing, Vec::<&DropReason>::new());
}

#[test]
fn extension_headers_are_skipped_up_to_a_bound() {
    for (count, expected) in [(8, None), (9, Some(DropReason::OuterExtension))] {
        let mut extensions = [60, 0, 1, 4, 0, 0, 0, 0].repeat(count);
        extensions[8 * (count - 1)] = 17;
        let mut header = ipv6(60);
        header[5] = u8::try_from(extensions.len() + 30).unwrap();
        let packet = [&header[..], &extensions, &PACKET[34..]].concat();
        let outcome = Decapsulator::default().packet(Link::Ip, &packet);
        assert_eq!(outcome.err(), expected, "{count}");
    }
}

#[test]
fn each_note_is_made_of_one_thing() {
    let ip = [2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4, 0x08, 0, 0x45, 0, 0, 99];
    let mut runt = with(&[(17, 49), (39, 29)]);
    runt.truncate(63);
    let mut cut = with(&[(17, 54), (39, 34)])[..50].to_vec();
    cut.extend(ip);
    let cases = [
        (PACKET.to_vec(), vec![]),
        (with(&[(49, 1)]), vec![Note::ReservedBits]),
        (with(&[(42, 0x0c)]), vec![Note::ReservedBits, Note::Gpe]),
        (with(&[(48, 0)]), vec![Note::VniZero]),
        (runt, vec![Note::FrameRunt]),
        (cut, vec![Note::FrameTruncated]),
        (PACKET[..63].to_vec(), vec![Note::FrameRunt, Note::FrameTruncated]),
        (in_geneve(&GENEVE), vec![Note::Geneve]),
    ];
    let lenient = Decapsulator { strictness: Strictness::Lenient, ..everything() };
    for (packet, notes) in cases {
        let decapsulated = lenient.packet(Link::Ethernet, &packet).unwrap();
        assert_eq!(decapsulated.notes.iter().collect::<Vec<_>>(), notes, "{packet:02x?}");
    }
}

#[test]
fn each_link_leads_to_the_same_frame() {
    let ip = &PACKET[14..];
    let behind = |header: &[u8]| [header, ip].concat();
    let mut cooked = [0; 16];
    cooked[14] = 0x08;
    let mut cooked_2 = [0; 20];
    cooked_2[0] = 0x08;
    let cases = [
        (Link::Ethernet, PACKET.to_vec()),
        (
            Link::Ethernet,
            behind(&[&PACKET[..12], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x08, 0]].concat()),
        ),
        (
            Link::Ethernet,
            behind(&[&PACKET[..12], &[0x81, 0, 0, 1].repeat(16)[..], &[0x08, 0]].concat()),
        ),
        (Link::Ip, behind(&[])),
        (Link::LinuxCooked, behind(&cooked)),
        (Link::LinuxCooked2, behind(&cooked_2)),
        (Link::Loopback, behind(&[2, 0, 0, 0])),
        (Link::Loopback, behind(&[0, 0, 0, 2])),
    ];
    for (link, packet) in cases {
        let expected = Decapsulated {
            session: Session {
                vni: Vni::from_bytes([0, 0, 7]),
                source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)),
            },
            source_port: 65_408,
            frame: &PACKET[50..],
            original_len: 14,
            notes: Notes::NONE,
        };
        assert_eq!(everything().packet(link, &packet), Ok(expected), "{link:?}");
    }
    let v6 = [&ipv6(17)[..], &PACKET[34..]].concat();
    for family in [10, 23, 24, 28, 30] {
        for bytes in [[family, 0, 0, 0], [0, 0, 0, family]] {
            let packet = [&bytes[..], &v6].concat();
            let decapsulated = Decapsulator::default().packet(Link::Loopback, &packet).unwrap();
            assert_eq!(decapsulated.session.source.to_string(), "::1");
        }
    }
    for family in [[0, 0, 0, 0], [2, 0, 0, 2], [0, 2, 0, 0]] {
        let packet = behind(&family);
        let outcome = everything().packet(Link::Loopback, &packet);
        assert_eq!(outcome, Err(DropReason::OuterNotIp), "{family:?}");
    }
    assert_eq!(everything().packet(Link::Ip, &[0x50]), Err(DropReason::OuterNotIp));
}

#[test]
fn geneve_is_received_only_on_its_port_and_not_in_itself() {
    let closed = Decapsulator { geneve_port: None, ..everything() };
    let packet = in_geneve(&GENEVE);
    assert_eq!(closed.packet(Link::Ethernet, &packet), Err(DropReason::WrongPort));

    let twice = [&packet[..42], &GENEVE, &packet[14..]].concat();
    let length = u8::try_from(twice.len() - 14).unwrap();
    let mut twice = twice;
    [twice[17], twice[39]] = [length, length - 20];
    assert_eq!(everything().packet(Link::Ethernet, &twice), Err(DropReason::WrongPort));

    let source = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let decapsulated = everything().datagram(source, 1, 6081, &packet[42..]).unwrap();
    assert_eq!(decapsulated.session.source.to_string(), "10.0.0.7", "of the packet inside");
    assert_eq!(decapsulated.source_port, 65_408);
}

#[test]
fn a_datagram_of_a_socket_gives_what_its_packet_gives() {
    let packet = everything().packet(Link::Ethernet, &PACKET).unwrap();
    let Session { source, .. } = packet.session;
    assert_eq!(everything().datagram(source, 65_408, 4789, &PACKET[42..]), Ok(packet));
    let wrong = everything().datagram(source, 65_408, 4790, &PACKET[42..]);
    assert_eq!(wrong, Err(DropReason::WrongPort));
}

#[test]
fn the_length_of_a_frame_is_the_largest_that_the_packet_tells() {
    let frame = |ether_type: &[u8], ip: &[u8]| [&PACKET[50..62], ether_type, ip].concat();
    let v6 = [0x60, 0, 0, 0, 1, 0];
    let cases = [
        ("IPv4", frame(&[0x08, 0], &[0x45, 0, 1, 0]), 14 + 256),
        ("IPv4 behind a tag", frame(&[0x81, 0, 0, 1, 0x08, 0], &[0x45, 0, 1, 0]), 18 + 256),
        ("IPv6", frame(&[0x86, 0xdd], &v6), 14 + 40 + 256),
        ("cut before the length", frame(&[0x08, 0], &[0x45, 0, 1]), 17),
        ("a total length of zero", frame(&[0x08, 0], &[0x45, 0, 0, 0]), 18),
        ("padding", frame(&[0x08, 0], &[&[0x45, 0, 0, 20][..], &[0; 42]].concat()), 60),
        ("another protocol", frame(&[0x88, 0xcc], &[0x45, 0, 1, 0]), 18),
    ];
    let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for (what, frame, length) in cases {
        let payload = [&PACKET[42..50], &frame].concat();
        let decapsulated = everything().datagram(source, 1, 4789, &payload).unwrap();
        assert_eq!(decapsulated.original_len, length, "{what}");
    }
}
