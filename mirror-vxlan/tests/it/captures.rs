//! Real VXLAN traffic, found through `MIRROR_CAPTURES`.
//!
//! The captures are other projects' test files and are not part of this repository, so a test
//! prints that it was skipped where their folder is absent. The outer headers are peeled by
//! etherparse and the files read by pcap-parser: neither shares code with what is tested.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use etherparse::{LaxSlicedPacket, TransportSlice};
use mirror_vxlan::Vni;
use mirror_vxlan::wire::{UDP_PORT, parse, parse_strict};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// The only capture here that VPC Traffic Mirroring made.
pub(crate) const AWS: &str = "suricata-verify__tests_vxlan-decoder-03_vxlan.pcap";

/// The other captures: the name, the number of VXLAN datagrams to port 4789, and their VNI.
const OTHERS: [(&str, usize, u32); 13] = [
    ("arkime__tests_pcap_vxlan.pcap", 10, 123),
    ("suricata-verify__tests_arp_detect-arp-04-vxlan_vxlan-arp.pcap", 2, 100),
    ("suricata-verify__tests_vxlan-decoder-01_input.pcap", 1, 37),
    ("suricata-verify__tests_vxlan-decoder-02_vxlan.pcap", 10, 100),
    ("tcpdump__tests_gso-ipv4-vxlan-ipv4.pcap", 1, 5001),
    ("tcpdump__tests_gso-ipv6-vxlan-ipv4.pcap", 1, 5001),
    ("tcpdump__tests_gso-ipv6-vxlan-ipv6.pcap", 1, 5001),
    ("tcpdump__tests_vxlan.pcap", 10, 100),
    ("tcpdump__tests_vxlan_port_8472.pcap", 0, 0),
    ("zeek__testing_btest_Traces_tunnels_vxlan-encapsulated-http.pcap", 12, 1),
    ("zeek__testing_btest_Traces_tunnels_vxlan-encapsulated-igmp-v2.pcap", 3, 4242),
    ("zeek__testing_btest_Traces_tunnels_vxlan-inner-tcp-bad-checksum.pcap", 1, 42),
    ("zeek__testing_btest_Traces_tunnels_vxlan.pcap", 10, 123),
];

/// The parts of a UDP packet that these tests need.
struct Udp {
    source_port: u16,
    destination_port: u16,
    checksum: u16,
    payload: Vec<u8>,
}

#[test]
fn the_capture_of_aws_has_one_session_and_no_reserved_bit() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let packets = udp_packets(&folder.join(AWS));
    let vni = Vni::try_from(5_569_041).unwrap();
    for udp in &packets {
        assert_eq!((udp.destination_port, udp.checksum), (UDP_PORT, 0));
        assert_eq!(udp.payload[0], 0x08, "the flags");
        let datagram = parse(&udp.payload).unwrap();
        assert_eq!(datagram.header.vni, vni);
        assert!(datagram.header.reserved.is_zero());
        assert_eq!(parse_strict(&udp.payload), Ok(datagram));
    }
    let bytes: usize = packets.iter().map(|udp| parse(&udp.payload).unwrap().frame.len()).sum();
    let ports: BTreeSet<u16> = packets.iter().map(|udp| udp.source_port).collect();
    assert_eq!((packets.len(), bytes, ports.len()), (100, 21_048, 13));
    assert!(ports.iter().all(|port| (65_408..=65_525).contains(port)), "{ports:?}");
}

#[test]
fn other_captures_hold_the_datagrams_and_vnis_they_are_known_for() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    for (name, count, vni) in OTHERS {
        let vnis: Vec<Vni> = udp_packets(&folder.join(name))
            .iter()
            .filter(|udp| udp.destination_port == UDP_PORT)
            .map(|udp| parse_strict(&udp.payload).unwrap().header.vni)
            .collect();
        assert_eq!(vnis, vec![Vni::try_from(vni).unwrap(); count], "{name}");
    }
}

#[test]
fn the_gpe_capture_is_accepted_told_apart_and_refused_when_strict() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let packets = udp_packets(&folder.join("tcpdump__tests_nsh-over-vxlan-gpe.pcap"));
    let [udp] = &packets[..] else { panic!("{} packets", packets.len()) };
    assert_eq!(udp.destination_port, 4790);
    let header = parse(&udp.payload).unwrap().header;
    assert_eq!(header.vni, Vni::MAX);
    assert_eq!(header.reserved.gpe_next_protocol(), Some(4));
    assert!(parse_strict(&udp.payload).is_err());
}

#[test]
fn every_payload_of_every_capture_that_parses_is_emitted_as_it_was() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let mut parsed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            continue;
        }
        for Udp { payload, .. } in udp_packets(&path) {
            let Ok(datagram) = parse(&payload) else { continue };
            let mut buffer = vec![0; payload.len()];
            assert_eq!(datagram.emit(&mut buffer).unwrap(), payload, "{}", path.display());
            parsed += 1;
        }
    }
    assert!(parsed > 0, "no capture holds VXLAN");
}

/// Returns the folder of the captures, if there is one.
pub(crate) fn captures() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder =
        std::env::var_os("MIRROR_CAPTURES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Returns the payloads of the datagrams to the VXLAN port.
pub(crate) fn vxlan_payloads(path: &Path) -> Vec<Vec<u8>> {
    let to_vxlan = |udp: Udp| (udp.destination_port == UDP_PORT).then_some(udp.payload);
    udp_packets(path).into_iter().filter_map(to_vxlan).collect()
}

/// Returns the UDP packets of an Ethernet capture; anything else in it is passed over.
#[track_caller]
fn udp_packets(path: &Path) -> Vec<Udp> {
    let packets = ethernet_packets(path);
    packets
        .iter()
        .filter_map(|packet| match LaxSlicedPacket::from_ethernet(packet).ok()?.transport? {
            TransportSlice::Udp(udp) => Some(Udp {
                source_port: udp.source_port(),
                destination_port: udp.destination_port(),
                checksum: udp.checksum(),
                payload: udp.payload().to_vec(),
            }),
            _ => None,
        })
        .collect()
}

#[track_caller]
pub(crate) fn ethernet_packets(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = create_reader(bytes.len(), &bytes[..])
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut packets = Vec::new();
    loop {
        let (length, block) = match reader.next() {
            Ok(next) => next,
            Err(PcapError::Eof) => return packets,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                continue;
            }
            Err(error) => panic!("{}: {error}", path.display()),
        };
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                assert_eq!(header.network, Linktype::ETHERNET, "{}", path.display());
            }
            PcapBlockOwned::Legacy(packet) => packets.push(packet.data.to_vec()),
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                assert_eq!(interface.linktype, Linktype::ETHERNET, "{}", path.display());
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                packets.push(packet.packet_data().to_vec());
            }
            PcapBlockOwned::NG(_) => {}
        }
        reader.consume(length);
    }
}
