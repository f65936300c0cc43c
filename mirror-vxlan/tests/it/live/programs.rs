//! The programs that the kernel runs, here run by an interpreter.
//!
//! The tests in namespaces show that the kernel runs them in the same way.

use etherparse::{LaxSlicedPacket, PacketBuilder, TransportSlice};
use mirror_vxlan::input::prefilter::datagrams_to;
use mirror_vxlan::input::steer::{View, among};
use mirror_vxlan::socket::filter::Instruction;
use mirror_vxlan::socket::packet::Protocol;
use proptest::collection::vec;
use proptest::prelude::*;

/// Runs a program on a packet, as the manual of the BSD packet filter specifies.
fn run(program: &[Instruction], packet: &[u8]) -> u32 {
    let load = |code: u16, at: u32| -> Option<u32> {
        let at = at as usize;
        match code & 0x18 {
            0x00 => packet.get(at..at + 4).map(|b| u32::from_be_bytes(b.try_into().unwrap())),
            0x08 => packet.get(at..at + 2).map(|b| u32::from(b[0]) << 8 | u32::from(b[1])),
            0x10 => packet.get(at).map(|b| u32::from(*b)),
            _ => panic!("{code:#x}"),
        }
    };
    let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [None; 16], 0);
    loop {
        let Instruction { code, then_skip, else_skip, operand: k } = program[at];
        at += 1;
        let source = if code & 0x08 == 0 { k } else { x };
        let jump = |holds: bool| usize::from(if holds { then_skip } else { else_skip });
        match code {
            0x06 => return k,
            0x16 => return a,
            0x07 => x = a,
            0x87 => a = x,
            0x01 => x = k,
            0x60 => a = memory[k as usize].expect("read before written"),
            0x61 => x = memory[k as usize].expect("read before written"),
            0x02 => memory[k as usize] = Some(a),
            0x03 => memory[k as usize] = Some(x),
            0xb1 => match packet.get(k as usize) {
                Some(byte) => x = u32::from(byte & 0x0f) * 4,
                None => return 0,
            },
            0x20 | 0x28 | 0x30 | 0x40 | 0x48 | 0x50 => {
                let base = if code & 0xe0 == 0x40 { x } else { 0 };
                match load(code, base.wrapping_add(k)) {
                    Some(value) => a = value,
                    None => return 0,
                }
            }
            0x04 | 0x0c => a = a.wrapping_add(source),
            0x24 | 0x2c => a = a.wrapping_mul(source),
            0x94 | 0x9c => a %= source,
            0x54 | 0x5c => a &= source,
            0xa4 | 0xac => a ^= source,
            0x64 | 0x6c => a <<= source,
            0x74 | 0x7c => a >>= source,
            0x05 => at += k as usize,
            0x15 => at += jump(a == k),
            0x45 => at += jump(a & k != 0),
            _ => panic!("no such instruction: {code:#x}"),
        }
    }
}

fn workers(count: u16) -> std::num::NonZeroU16 {
    count.try_into().unwrap()
}

/// A flow: its addresses, ports, protocol and tags.
#[derive(Clone, Debug)]
struct Flow {
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    version: u8,
    tcp: bool,
    tags: Vec<u16>,
    options: usize,
}

impl Flow {
    fn back(&self) -> Self {
        let mut back = self.clone();
        back.addresses.reverse();
        back.ports.reverse();
        back
    }

    /// The VXLAN header and a frame of the flow.
    fn vxlan(&self) -> Vec<u8> {
        let mut bytes = vec![0x08, 0, 0, 0, 0, 0, 42, 0];
        let mac = |address: [u8; 16]| [2, 0, address[0], address[1], address[2], address[3]];
        bytes.extend(mac(self.addresses[1]));
        bytes.extend(mac(self.addresses[0]));
        for tag in &self.tags {
            bytes.extend(tag.to_be_bytes());
            bytes.extend([0, 7]);
        }
        let mut transport = [self.ports[0].to_be_bytes(), self.ports[1].to_be_bytes()].concat();
        transport.extend([0; 16]);
        let protocol = if self.tcp { 6 } else { 17 };
        match self.version {
            4 => {
                bytes.extend([0x08, 0x00, 0x45 + self.options as u8, 0, 0, 40, 0, 0, 0, 0, 64]);
                bytes.extend([protocol, 0, 0]);
                for address in self.addresses {
                    bytes.extend(&address[..4]);
                }
                bytes.extend(vec![1; 4 * self.options]);
                bytes.extend(transport);
            }
            6 => {
                bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, protocol, 64]);
                bytes.extend(self.addresses.concat());
                bytes.extend(transport);
            }
            _ => bytes.extend([0x08, 0x06, 0, 1, 2, 3]),
        }
        bytes
    }
}

fn flow() -> impl Strategy<Value = Flow> {
    let tags = vec(prop_oneof![Just(0x8100), Just(0x88a8)], 0..3);
    let version = prop_oneof![Just(4), Just(6), Just(0)];
    (any::<[[u8; 16]; 2]>(), any::<[u16; 2]>(), version, any::<bool>(), tags, 0..10_usize).prop_map(
        |(addresses, ports, version, tcp, tags, options)| Flow {
            addresses,
            ports,
            version,
            tcp,
            tags,
            options,
        },
    )
}

/// Returns the views of one VXLAN payload that the kernel may show to a program.
fn views(vxlan: &[u8]) -> Vec<(View, Vec<u8>)> {
    let geneve_port = Some(6081);
    let [v4, v6] = [View::Ipv4 { geneve_port }, View::Ipv6 { geneve_port }];
    let mut views = vec![
        (View::Vxlan, vxlan.to_vec()),
        (View::Ipv4 { geneve_port: None }, in_ipv4(4789, vxlan)),
        (View::Ipv6 { geneve_port: None }, in_ipv6(4789, vxlan)),
        (v4, in_ipv4(4789, vxlan)),
        (v6, in_ipv6(4789, vxlan)),
    ];
    for inner in [in_ipv4(4789, vxlan), in_ipv6(4789, vxlan)] {
        let geneve = [&[2, 0, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8][..], &inner].concat();
        views.push((v4, in_ipv4(6081, &geneve)));
        views.push((v6, in_ipv6(6081, &geneve)));
        views.push((View::Geneve, geneve));
    }
    views
}

fn in_ipv4(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([1; 4], [2; 4], 9).udp(65_408, port).write(&mut packet, payload).unwrap();
    packet
}

fn in_ipv6(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6([1; 16], [2; 16], 9).udp(65_408, port).write(&mut packet, payload).unwrap();
    packet
}

proptest! {
    #[test]
    fn both_directions_of_a_flow_are_steered_alike_in_every_view(flow in flow(), count in 1..64_u16) {
        let choose = |(view, packet): &(View, Vec<u8>)| run(&among(workers(count), *view), packet);
        let there: Vec<u32> = views(&flow.vxlan()).iter().map(choose).collect();
        let back: Vec<u32> = views(&flow.back().vxlan()).iter().map(choose).collect();
        prop_assert!(there.iter().chain(&back).all(|choice| *choice == there[0]), "{there:?} {back:?}");
        prop_assert!(there[0] < u32::from(count));
    }

    #[test]
    fn the_fragments_of_a_datagram_are_steered_alike(flow in flow(), offset: u16, ports: [u16; 2]) {
        let fragment = |ports, offset: u16| {
            let mut bytes = Flow { ports, version: 4, tags: Vec::new(), ..flow.clone() }.vxlan();
            bytes[8 + 14 + 6..][..2].copy_from_slice(&offset.to_be_bytes());
            run(&among(workers(64), View::Vxlan), &bytes)
        };
        prop_assert_eq!(fragment(flow.ports, 0x2000), fragment(ports, offset & 0x1fff | 1));
    }

    #[test]
    fn no_bytes_make_a_worker_that_is_not_there(bytes in vec(any::<u8>(), 0..200), count in 1..9_u16) {
        for view in [View::Vxlan, View::Geneve, View::Ipv4 { geneve_port: Some(6081) },
                     View::Ipv6 { geneve_port: Some(6081) }] {
            prop_assert!(run(&among(workers(count), view), &bytes) < u32::from(count));
        }
    }

    #[test]
    fn flows_are_spread(seed: u32) {
        let program = among(workers(4), View::Vxlan);
        let mut counts = [0_u32; 4];
        for number in 0..1_000_u32 {
            let client = (seed.wrapping_add(number / 50)).to_be_bytes();
            let mut addresses = [[10; 16]; 2];
            addresses[0][..4].copy_from_slice(&client);
            let ports = [32_768 + (number % 50) as u16, 443];
            let flow = Flow { addresses, ports, version: 4, tcp: true, tags: Vec::new(), options: 0 };
            counts[run(&program, &flow.vxlan()) as usize] += 1;
        }
        prop_assert!(counts.iter().all(|count| (170..330).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_datagram_passes_exactly_if_its_port_is_asked_for(
        port in prop_oneof![Just(4789_u16), Just(6081), any::<u16>()],
        options in 0..10_usize,
        payload in vec(any::<u8>(), 0..40),
    ) {
        let mut v4 = in_ipv4(port, &payload);
        v4[0] += options as u8;
        v4.splice(20..20, vec![1; 4 * options]);
        let v6 = in_ipv6(port, &payload);
        for (protocol, packet) in [(Protocol::Ipv4, v4), (Protocol::Ipv6, v6)] {
            prop_assert_eq!(run(&datagrams_to(&[4789, 6081], protocol), &packet) != 0,
                port == 4789 || port == 6081);
            prop_assert_eq!(run(&datagrams_to(&[4789], protocol), &packet) != 0, port == 4789);
            prop_assert_eq!(run(&datagrams_to(&[], protocol), &packet), 0);
        }
    }

    #[test]
    fn whatever_passes_is_a_datagram_to_the_port_or_its_first_fragment(
        mut packet in vec(any::<u8>(), 40..120), shape in 0..4_u8,
    ) {
        packet[0] = 0x45;
        packet[9] = 17;
        if shape & 1 == 0 {
            packet[6..8].fill(0);
        }
        if shape & 2 == 0 {
            packet[22..24].copy_from_slice(&4789_u16.to_be_bytes());
        }
        let total = packet.len() as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        let passes = run(&datagrams_to(&[4789], Protocol::Ipv4), &packet) != 0;
        let first = u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff == 0;
        let port = u16::from_be_bytes([packet[22], packet[23]]);
        prop_assert_eq!(passes, first && port == 4789);
        if let Some(TransportSlice::Udp(udp)) = LaxSlicedPacket::from_ip(&packet).unwrap().transport {
            prop_assert_eq!(passes, udp.destination_port() == 4789);
        }
    }
}

#[test]
fn behind_one_extension_header_a_datagram_is_found() {
    let program = datagrams_to(&[4789], Protocol::Ipv6);
    let udp = [0, 9, 0x12, 0xb5, 0, 8, 0, 0];
    let packet = |next: u8, extension: &[u8]| {
        let mut packet = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        packet.extend([0; 32]);
        packet.extend(extension);
        packet.extend(udp);
        run(&program, &packet) != 0
    };
    for next in [0, 43, 60] {
        assert!(packet(next, &[17, 0, 0, 0, 0, 0, 0, 0]));
        assert!(packet(next, &[&[17, 1][..], &[0; 14]].concat()));
        assert!(!packet(next, &[6, 0, 0, 0, 0, 0, 0, 0]), "TCP");
    }
    assert!(packet(44, &[17, 0, 0, 1, 0, 0, 0, 1]), "the first fragment");
    assert!(!packet(44, &[17, 0, 0, 9, 0, 0, 0, 1]), "the second");
    assert!(!packet(58, &[17, 0, 0, 0, 0, 0, 0, 0]), "ICMPv6");
}
