//! What the local AWS wraps, the receiver unwraps again, as the planner's trace foretold.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use mirror_local::data_plane::{Encapsulation, MirrorTarget, SOURCE_PORTS};
use mirror_plan::packet::trace::{
    Destination, Filter, Headers, Interface, Listening, Mirroring, Named, Session, Target, Tracer,
};
use mirror_plan::scalar::{PacketLength, SessionNumber};
use mirror_vxlan::Vni;
use mirror_vxlan::capture::read::CaptureReader;
use mirror_vxlan::decap::{Decapsulator, Link, Strictness};
use mirror_vxlan::input::Received;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes of IPv4, UDP and VXLAN.
const WRAPPING: usize = 36;

fn encapsulation() -> impl Strategy<Value = Encapsulation> {
    let target = prop_oneof![
        (1500..9002_u16).prop_map(|mtu| MirrorTarget::NetworkInterface { mtu }),
        Just(MirrorTarget::LoadBalancer),
        Just(MirrorTarget::GatewayLoadBalancerEndpoint),
    ];
    let length = proptest::option::of(1..=8500_u16);
    (any::<[u8; 4]>(), any::<[u8; 4]>(), 1..1_u32 << 24, length, target).prop_map(
        |(source, destination, vni, packet_length, target)| Encapsulation {
            source: source.into(),
            destination: destination.into(),
            vni,
            packet_length,
            target,
        },
    )
}

/// The versions of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V4,
    V6,
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V4), Just(Version::V6)]
}

/// A frame that holds a packet of this version of IP, with a protocol, two ends and a body.
fn frame(version: Version, protocol: u8, ends: [(u128, u16); 2], body: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let segment = 4 + body.len();
    if version == Version::V6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(u16::try_from(segment).unwrap().to_be_bytes());
        frame.extend([protocol, 64]);
        ends.iter().for_each(|(address, _)| frame.extend(address.to_be_bytes()));
    } else {
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend(u16::try_from(20 + segment).unwrap().to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        ends.iter().for_each(|(address, _)| frame.extend(&address.to_be_bytes()[12..]));
    }
    ends.iter().for_each(|(_, port)| frame.extend(port.to_be_bytes()));
    frame.extend(body);
    frame
}

fn ends() -> impl Strategy<Value = [(u128, u16); 2]> {
    any::<[(u128, u16); 2]>()
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let protocol = proptest::sample::select(vec![1, 6, 17, 47, 58]);
    let internet = (version(), protocol, ends(), 0..9000_usize, any::<u8>()).prop_map(
        |(version, protocol, ends, length, byte)| {
            frame(version, protocol, ends, &vec![byte; length])
        },
    );
    prop_oneof![4 => internet, 1 => vec(any::<u8>(), 1..2000)]
}

fn wrapped(
    encapsulation: &Encapsulation,
    frame: &[u8],
) -> (Vec<u8>, mirror_local::data_plane::Wrapped) {
    let mut packet = vec![9; 3]; // What is already in the buffer does not matter.
    let wrapped = encapsulation.wrap(frame, &mut packet);
    (packet, wrapped)
}

/// How much of a frame is sent, according to the trace of a session like this one.
fn foretold(encapsulation: &Encapsulation, version: Version, length: usize) -> usize {
    let name = Named::Id("somewhere".to_owned());
    let (destination, mtu) = match encapsulation.target {
        MirrorTarget::NetworkInterface { mtu } => {
            (Destination::NetworkInterface(name.clone()), mtu)
        }
        MirrorTarget::LoadBalancer => {
            (Destination::LoadBalancer { name: name.clone(), listening: Listening::Yes }, 9001)
        }
        MirrorTarget::GatewayLoadBalancerEndpoint => {
            (Destination::GatewayLoadBalancerEndpoint("vpce-0".to_owned()), 9001)
        }
    };
    let filter = Filter {
        address: "mirror_filter.f".parse().unwrap(),
        rules: Vec::new(),
        amazon_dns: false,
    };
    let session = Session {
        address: "mirror_session.s".parse().unwrap(),
        number: SessionNumber::MIN,
        vni: None,
        packet_length: encapsulation.packet_length.and_then(PacketLength::new),
        filter,
        target: Target { name, destination },
    };
    let interface = Interface {
        name: "eni-1".to_owned(),
        id: None,
        addresses: Vec::new(),
        subnet: None,
        resolvers: Vec::new(),
        instance_type: None,
        sessions: vec![session],
    };
    let tracer = Tracer::new(&Mirroring { interfaces: vec![interface] }, mtu);
    let address: IpAddr = match version {
        Version::V4 => Ipv4Addr::LOCALHOST.into(),
        Version::V6 => Ipv6Addr::LOCALHOST.into(),
    };
    let headers = Headers { protocol: 6, source: address, destination: address, ports: None };
    tracer.cut(0, 0, &headers, u32::try_from(length).unwrap()).length as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_receiver_takes_every_frame_out_as_it_was_put_in(
        encapsulation in encapsulation(),
        frame in frames(),
    ) {
        let (packet, wrapped) = wrapped(&encapsulation, &frame);
        let strict = Decapsulator { strictness: Strictness::Strict, ..Decapsulator::default() };
        let out = strict.explain(Link::Ip, &packet).unwrap();
        prop_assert_eq!(out.frame, &frame[..wrapped.frame_len]);
        prop_assert_eq!(out.session.vni, Vni::try_from(encapsulation.vni).unwrap());
        prop_assert_eq!(out.session.source, IpAddr::V4(encapsulation.source));
        prop_assert_eq!(out.source_port, wrapped.source_port);
        prop_assert!(SOURCE_PORTS.contains(&wrapped.source_port));
        prop_assert_eq!(packet.len(), WRAPPING + wrapped.frame_len);
    }

    #[test]
    fn the_outer_headers_are_those_of_aws(encapsulation in encapsulation(), frame in frames()) {
        let (packet, _) = wrapped(&encapsulation, &frame);
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        // Version and length, no type of service; no identification, no flag; TTL 255, UDP.
        prop_assert_eq!((word(0), word(4), word(6), word(8)), (0x4500, 0, 0, 0xff11));
        let sum = (0..10).map(|at| u32::from(word(2 * at))).sum::<u32>();
        prop_assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "the header sums up");
        prop_assert_eq!(&packet[16..20], &encapsulation.destination.octets());
        prop_assert_eq!((word(22), word(26)), (4789, 0));
        prop_assert_eq!(usize::from(word(2)), packet.len());
        prop_assert_eq!(usize::from(word(24)), packet.len() - 20);
    }

    #[test]
    fn both_directions_of_a_conversation_have_one_source_port(
        encapsulation in encapsulation(),
        version in version(),
        protocol in proptest::sample::select(vec![6_u8, 17, 47]),
        [one, other] in ends(),
        body in vec(any::<u8>(), 20),
    ) {
        let port = |ends| wrapped(&encapsulation, &frame(version, protocol, ends, &body)).1.source_port;
        prop_assert_eq!(port([one, other]), port([other, one]));
    }

    #[test]
    fn as_much_of_a_frame_goes_as_the_trace_foretells(
        encapsulation in encapsulation(),
        version in version(),
        ends in ends(),
        length in 0..9200_usize,
    ) {
        let frame = frame(version, 6, ends, &vec![0; length]);
        let sent = wrapped(&encapsulation, &frame).1.frame_len;
        prop_assert_eq!(sent, foretold(&encapsulation, version, frame.len()));
    }
}

#[test]
fn flows_are_spread_over_all_source_ports() {
    let encapsulation = Encapsulation {
        source: Ipv4Addr::new(10, 0, 1, 5),
        destination: Ipv4Addr::new(10, 0, 9, 9),
        vni: 1,
        packet_length: None,
        target: MirrorTarget::LoadBalancer,
    };
    let mut flows = [0_u32; 128];
    for port in 0..12_800_u16 {
        let ends = [(0x0a00_0105, 443), (0x0a00_0909, 40_000 + port)];
        let (_, wrapped) = wrapped(&encapsulation, &frame(Version::V4, 6, ends, &[0; 16]));
        flows[usize::from(wrapped.source_port - SOURCE_PORTS.start())] += 1;
    }
    // A hundred each on average; six standard deviations are 60.
    assert!(flows.iter().all(|flows| (40..160).contains(flows)), "{flows:?}");
}

/// The capture that AWS mirrored: each frame, wrapped again, gives the packet that it came in, except for
/// the source port, whose hash AWS keeps to itself.
#[test]
fn the_frames_of_awss_own_capture_are_wrapped_as_aws_wrapped_them() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder = std::env::var_os("MIRROR_CAPTURES").map_or_else(|| beside.into(), PathBuf::from);
    let path = folder.join("suricata-verify__tests_vxlan-decoder-03_vxlan.pcap");
    if !path.is_file() {
        return println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
    }
    let mut compared = 0;
    let mut reader = CaptureReader::open(&path).unwrap();
    let mut each = |record: mirror_vxlan::capture::read::Record<'_>| {
        let packet = &record.bytes[14..];
        let out = Decapsulator::default().explain(record.link, record.bytes).unwrap();
        let address = |at: usize| <[u8; 4]>::try_from(&packet[at..at + 4]).unwrap().into();
        let encapsulation = Encapsulation {
            source: address(12),
            destination: address(16),
            vni: out.session.vni.into(),
            packet_length: None,
            target: MirrorTarget::NetworkInterface { mtu: 9001 },
        };
        let (again, wrapped) = wrapped(&encapsulation, out.frame);
        assert!(SOURCE_PORTS.contains(&wrapped.source_port));
        assert!(SOURCE_PORTS.contains(&out.source_port));
        assert_eq!(again[..20], packet[..20]);
        assert_eq!(again[22..], packet[22..again.len()]);
        compared += 1;
    };
    while reader.records(&mut each).unwrap() != Received::End {}
    assert_eq!(compared, 100);
}
