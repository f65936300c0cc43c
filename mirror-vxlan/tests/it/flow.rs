//! Flows, their hash, and what two copies of a packet have in common.

use std::collections::BTreeSet;
use std::net::IpAddr;

use etherparse::{IpNumber, PacketBuilder};
use mirror_vxlan::decap::Link;
use mirror_vxlan::flow::{Flow, identity, source_port};

use crate::captures::{AWS, captures, ethernet_packets};
use crate::generated::receiver;
use crate::traffic::imix;

const MAC: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

fn ipv4() -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    PacketBuilder::ethernet2(MAC[0], MAC[1]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
}

/// Returns a UDP packet from port 1000 to 53 with the given TTL.
fn datagram(ttl: u8, payload: &[u8]) -> Vec<u8> {
    let ends = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let builder = PacketBuilder::ethernet2(MAC[0], MAC[1]).ipv4(ends.0, ends.1, ttl);
    let mut frame = Vec::new();
    builder.udp(1000, 53).write(&mut frame, payload).expect("a vector takes it");
    frame
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_frame_tells_as_much_of_its_flow_as_there_is() {
    let [source, destination] = [address("10.0.0.1"), address("10.0.0.2")];
    let frame = datagram(64, b"query");
    let ports =
        Flow::Ports { protocol: 17, source: (source, 1000), destination: (destination, 53) };
    let addresses = Flow::Addresses { protocol: 17, source, destination };
    let hardware = Flow::Frame { ether_type: 0x0800, source: MAC[0], destination: MAC[1] };
    assert_eq!(Flow::of(&frame), ports);
    assert_eq!(Flow::of(&frame[..38]), ports);
    assert_eq!(Flow::of(&frame[..37]), addresses);
    assert_eq!(Flow::of(&frame[..34]), addresses);
    assert_eq!(Flow::of(&frame[..33]), hardware);
    assert_eq!(Flow::of(&frame[..13]), Flow::Unknown);

    let tagged = [&frame[..12], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2], &frame[12..]].concat();
    assert_eq!(Flow::of(&tagged), ports);
    for (place, byte) in [(20, 0x20), (21, 1)] {
        let mut fragment = frame.clone();
        fragment[place] = byte;
        assert_eq!(Flow::of(&fragment), addresses, "byte {place}");
    }
}

#[test]
fn a_flow_is_the_same_behind_each_link() {
    let frame = datagram(64, b"query");
    let behind = |header: &[u8]| [header, &frame[14..]].concat();
    let (mut cooked, mut cooked_2) = ([0; 16], [0; 20]);
    cooked[14] = 0x08;
    cooked_2[0] = 0x08;
    let cases: [(Link, &[u8]); 5] = [
        (Link::Ethernet, &frame[..14]),
        (Link::Ip, &[]),
        (Link::LinuxCooked, &cooked),
        (Link::LinuxCooked2, &cooked_2),
        (Link::Loopback, &[2, 0, 0, 0]),
    ];
    for (link, header) in cases {
        assert_eq!(link.header_len() as usize, header.len(), "{link:?}");
        assert_eq!(Flow::on(link, &behind(header)), Flow::of(&frame), "{link:?}");
        assert_eq!(Flow::on(link, &[]), Flow::Unknown, "{link:?}");
    }
    assert_eq!(Flow::on(Link::Other, &frame), Flow::Unknown);
    cooked[15] = 0x06;
    let arp = Flow::Frame { ether_type: 0x0806, source: [0; 6], destination: [0; 6] };
    assert_eq!(Flow::on(Link::LinuxCooked, &behind(&cooked)), arp);
}

#[test]
fn icmp_has_addresses_and_sctp_has_ports() {
    let [source, destination] = [address("10.0.0.1"), address("10.0.0.2")];
    let mut echo = Vec::new();
    ipv4().icmpv4_echo_request(1, 2).write(&mut echo, &[]).unwrap();
    assert_eq!(Flow::of(&echo), Flow::Addresses { protocol: 1, source, destination });
    let mut sctp = Vec::new();
    ipv4().write(&mut sctp, IpNumber(132), &[0, 80, 1, 0, 0, 0, 0, 0]).unwrap();
    let expected =
        Flow::Ports { protocol: 132, source: (source, 80), destination: (destination, 256) };
    assert_eq!(Flow::of(&sctp), expected);
}

#[test]
fn extension_headers_of_ipv6_are_looked_through() {
    let [source, destination] = [address("2001:db8::1"), address("2001:db8::2")];
    let frame = |next: u8, behind: &[u8]| {
        let mut frame =
            [&MAC[1][..], &MAC[0], &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, 64]].concat();
        for end in [source, destination] {
            let IpAddr::V6(end) = end else { unreachable!() };
            frame.extend(end.octets());
        }
        frame.extend(behind);
        frame
    };
    let ports = Flow::Ports { protocol: 6, source: (source, 22), destination: (destination, 9) };
    let addresses = |protocol| Flow::Addresses { protocol, source, destination };
    let tcp = [0, 22, 0, 9];
    let options = [6, 0, 0, 0, 0, 0, 0, 0];
    let authentication = [6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(Flow::of(&frame(6, &tcp)), ports);
    assert_eq!(Flow::of(&frame(60, &[&options[..], &tcp].concat())), ports);
    assert_eq!(Flow::of(&frame(51, &[&authentication[..], &tcp].concat())), ports);
    assert_eq!(Flow::of(&frame(44, &[&options[..], &tcp].concat())), addresses(6));
    assert_eq!(Flow::of(&frame(0, &[6])), addresses(0));
    assert_eq!(Flow::of(&frame(0, &options[..7])), addresses(6));
}

#[test]
fn both_directions_have_one_hash_and_flows_spread_evenly() {
    let mut hashes = BTreeSet::new();
    let mut flows = BTreeSet::new();
    let (mut low, mut high) = ([0_u32; 64], [0_u32; 64]);
    for mirrored in imix(9).take(20_000) {
        let flow = Flow::of(&mirrored.frame);
        assert_eq!(flow.hash(), flow.opposite().hash());
        if flows.insert(flow.min(flow.opposite())) {
            assert!(hashes.insert(flow.hash()), "a collision among 4096 is one in 500");
            low[(flow.hash() % 64) as usize] += 1;
            high[(flow.hash() >> 26) as usize] += 1;
        }
    }
    assert!(flows.len() > 4000, "{}", flows.len());
    // Chi-square with 63 degrees of freedom exceeds 120 once in 10^5 by chance.
    for counts in [low, high] {
        let mean = flows.len() as f64 / 64.0;
        let chi: f64 = counts.iter().map(|n| (f64::from(*n) - mean).powi(2) / mean).sum();
        assert!(chi < 120.0, "{chi}: {counts:?}");
    }
}

#[test]
fn neighbouring_flows_spread_as_well() {
    let mut counts = [0_u32; 64];
    for port in 0..6400_u16 {
        let mut frame = datagram(64, &[]);
        frame[34..36].copy_from_slice(&port.to_be_bytes());
        counts[(Flow::of(&frame).hash() >> 26) as usize] += 1;
    }
    let chi: f64 = counts.iter().map(|n| (f64::from(*n) - 100.0).powi(2) / 100.0).sum();
    assert!(chi < 120.0, "{chi}: {counts:?}");
}

#[test]
fn source_ports_are_all_dynamic_ones() {
    assert_eq!(source_port(0), 49_152);
    assert_eq!(source_port(u32::MAX), 65_535);
    let ports: BTreeSet<u16> = (0..1 << 14).map(|n| source_port(n << 18)).collect();
    assert_eq!(ports.len(), 1 << 14);
}

#[test]
fn copies_of_a_packet_have_one_identity() {
    let frame = datagram(64, b"the payload of a packet");
    let id = identity(&frame, 1).unwrap();
    let routed = {
        let mut frame = datagram(63, b"the payload of a packet");
        frame[..12].fill(9);
        [&frame[..12], &[0x81, 0, 0, 5], &frame[12..], &[0; 4]].concat()
    };
    assert_eq!(identity(&routed, 1), Some(id));
    assert_ne!(identity(&frame, 2), Some(id), "another key");
    for place in (14..frame.len()).filter(|place| ![22, 24, 25].contains(place)) {
        let mut other = frame.clone();
        other[place] ^= 1;
        assert_ne!(identity(&other, 1), Some(id), "byte {place}");
    }
    assert_ne!(identity(&frame[..frame.len() - 1], 1), Some(id), "cut");
    assert_eq!(identity(&frame[..33], 1), None, "no IP header");
}

#[test]
fn copies_over_ipv6_differ_in_the_hop_limit_alone() {
    let frame = |hops| {
        let builder = PacketBuilder::ethernet2(MAC[0], MAC[1]).ipv6([1; 16], [2; 16], hops);
        let mut frame = Vec::new();
        builder.tcp(1, 2, 3, 4).write(&mut frame, &[7; 40]).unwrap();
        frame
    };
    let id = identity(&frame(64), 1);
    assert_eq!(identity(&[frame(60), vec![0; 6]].concat(), 1), id);
    let mut other = frame(64);
    other[60] ^= 1;
    assert_ne!(identity(&other, 1), id);
}

#[test]
fn the_capture_of_aws_has_13_flows() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let packets = ethernet_packets(&folder.join(AWS));
    let frames: Vec<&[u8]> = packets
        .iter()
        .map(|packet| receiver().packet(Link::Ethernet, packet).unwrap().frame)
        .collect();
    let flows: BTreeSet<Flow> =
        frames.iter().map(|frame| Flow::of(frame)).map(|flow| flow.min(flow.opposite())).collect();
    let hashes: BTreeSet<u32> = frames.iter().map(|frame| Flow::of(frame).hash()).collect();
    let identities: BTreeSet<_> = frames.iter().map(|frame| identity(frame, 1)).collect();
    let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
    assert_eq!((frames.len(), bytes), (100, 21_048));
    assert_eq!((flows.len(), hashes.len()), (13, 13));
    assert_eq!(identities.len(), 100);
}
