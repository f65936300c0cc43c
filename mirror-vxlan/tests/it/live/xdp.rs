//! What is specific to AF_XDP: queues, packet lengths, in the driver or not, one program at a time.

use std::io::{BufReader, Read as _};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use etherparse::{PacketBuilder, PacketBuilderStep, VlanId};
use mirror_vxlan::decap::Link;
use mirror_vxlan::input::live::{Choice, LiveInput, LiveOptions, Method, OpenError, open};
use mirror_vxlan::input::xdp::{HandOver, Pieces, WHOLE_MTU_MAX, Where};
use mirror_vxlan::input::{Content, Input as _, Received};

use super::network::{Cable, INTERFACE, Network, Outer, PORT};
use super::{QUIET, Seen, open_in, open_one, receive_while};
use crate::program::{program, until_receiving};

fn options() -> LiveOptions {
    LiveOptions { interface: Some(INTERFACE.into()), ..LiveOptions::default() }
}

fn hand_over(choice: Choice) -> HandOver {
    let Choice::Xdp(hand_over) = choice else { panic!("{choice}") };
    hand_over
}

#[test]
fn the_longest_packets_of_an_mtu_come_whole_in_the_driver_or_not() {
    // Beyond 3506 bytes a veth pair accepts only programs that support packets in several pieces.
    let cases = [
        (1_500, Pieces::One, Where::Driver),
        (3_000, Pieces::One, Where::Driver),
        (WHOLE_MTU_MAX, Pieces::One, Where::Stack(34)),
        (WHOLE_MTU_MAX + 1, Pieces::Several, Where::Driver),
        (9_001, Pieces::Several, Where::Driver),
    ];
    for (mtu, pieces, place) in cases {
        let Some(network) = Network::with(Cable { mtu, queues: 1 }) else { return };
        let mut live = open_in(&network, &options(), Method::Xdp);
        assert_eq!(hand_over(live.choice), HandOver { place, queues: 1, mtu, pieces });
        let longest = mtu as usize - 20 - 8;
        let payloads: Vec<Vec<u8>> = (longest - 300..=longest)
            .map(|len| (0..len).map(|n| (n ^ len) as u8).collect())
            .collect();
        let seen = receive_while(&mut live.inputs[0], || {
            network.send(Outer::V4, &payloads);
        });
        let seen: Vec<Vec<u8>> = seen.into_iter().map(|seen| seen.payload).collect();
        assert!(seen == payloads, "MTU {mtu}");
        assert_eq!(live.inputs[0].dropped().unwrap(), 0);
    }
}

#[test]
fn every_queue_is_received_once_and_no_queue_is_left_out() {
    let Some(network) = Network::with(Cable { mtu: 1_500, queues: 4 }) else { return };
    let options = LiveOptions { workers: 3.try_into().unwrap(), ..options() };
    let mut live = open_in(&network, &options, Method::Xdp);
    assert_eq!((live.inputs.len(), hand_over(live.choice).queues), (3, 4));
    // Each group is sent from a port of its own, so that the groups arrive by different queues.
    let sent: u64 = (0..60_u8).map(|port| network.send(Outer::V4, [[port; 60]; 10])).sum();
    let seen: Vec<Vec<Seen>> =
        live.inputs.iter_mut().map(|input| receive_while(input, || {})).collect();
    assert!(seen.iter().all(|seen| !seen.is_empty()), "a worker had nothing to do");
    let mut counts = [0; 60];
    for seen in seen.iter().flatten() {
        counts[usize::from(seen.payload[0])] += 1;
    }
    assert_eq!((sent, counts), (600, [10; 60]));
    let dropped: u64 = live.inputs.iter_mut().map(|input| input.dropped().unwrap()).sum();
    assert_eq!(dropped, 0);
}

#[test]
fn one_worker_receives_from_all_queues() {
    let Some(network) = Network::with(Cable { mtu: 1_500, queues: 4 }) else { return };
    let mut input = open_one(&network, &options(), Method::Xdp);
    let seen = receive_while(&mut input, || {
        for port in 0..60_u8 {
            network.send(Outer::V4, [[port; 60]; 10]);
        }
    });
    assert_eq!(seen.len(), 600);
}

#[test]
fn what_is_not_for_the_tunnel_reaches_the_host_and_what_is_does_not() {
    let Some(network) = Network::new() else { return };
    let options = LiveOptions { geneve_port: Some(6081), ..options() };
    let socket = |port| {
        let socket = network.receiver(|| UdpSocket::bind(("0.0.0.0", port)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        socket
    };
    let [other, geneve] = [socket(4790), socket(6081)];
    let mut input = open_one(&network, &options, Method::Xdp);
    let seen = receive_while(&mut input, || {
        network.sender(|| {
            let sender = UdpSocket::bind("10.98.0.1:0").unwrap();
            for port in [4790, 6081, PORT] {
                sender.send_to(&port.to_be_bytes(), ("10.98.0.2", port)).unwrap();
            }
        });
    });
    let seen: Vec<Vec<u8>> = seen.into_iter().map(|seen| seen.payload).collect();
    assert_eq!(seen, [6081_u16.to_be_bytes(), PORT.to_be_bytes()]);
    let mut buffer = [0; 2];
    assert_eq!(other.recv(&mut buffer).unwrap(), 2);
    assert!(geneve.recv(&mut buffer).is_err());
    drop(input);
    // Once nobody receives any more, the host gets everything again; on a busy machine, not from the first packet on.
    let is_back = (0..100).any(|_| {
        network.sender(|| {
            UdpSocket::bind("10.98.0.1:0").unwrap().send_to(&[1, 2], ("10.98.0.2", 6081)).unwrap();
        });
        geneve.recv(&mut buffer).is_ok_and(|length| length == 2)
    });
    assert!(is_back);
}

#[test]
fn an_interface_is_received_on_by_one_program_and_by_the_next_at_once() {
    let Some(network) = Network::new() else { return };
    for _ in 0..5 {
        drop(open_in(&network, &options(), Method::Xdp));
    }
    let first = open_in(&network, &options(), Method::Xdp);
    let error = network.receiver(|| open(&options(), Method::Xdp).unwrap_err());
    assert_eq!(
        error.to_string(),
        "cannot receive by AF_XDP on `cable`, where another program already does; \
         `ip link show dev cable` shows its XDP program"
    );
    drop(first);
}

#[test]
fn without_an_interface_it_is_asked_for() {
    let error = open(&LiveOptions::default(), Method::Xdp).unwrap_err();
    assert!(matches!(error, OpenError::XdpInterface), "{error:?}");
    assert_eq!(error.to_string(), "AF_XDP needs an interface; name one with --interface");
}

/// Returns frames of the kinds that reach a filter: whole, tagged, with options, fragmented and damaged.
fn odd_frames() -> Vec<Vec<u8>> {
    let ethernet = || PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let tag = VlanId::try_new(7).unwrap();
    let write = |builder: PacketBuilderStep<etherparse::UdpHeader>| {
        let mut frame = Vec::new();
        builder.write(&mut frame, &[7; 40]).unwrap();
        frame
    };
    let mut whole = Vec::new();
    for port in [PORT, PORT + 1] {
        let (from, to) = ([10, 98, 0, 1], [10, 98, 0, 2]);
        let [from_v6, to_v6] = [1, 2].map(|host| [host; 16]);
        whole.push(write(ethernet().ipv4(from, to, 9).udp(65_408, port)));
        whole.push(write(ethernet().single_vlan(tag).ipv4(from, to, 9).udp(65_408, port)));
        whole.push(write(ethernet().ipv6(from_v6, to_v6, 9).udp(65_408, port)));
        whole.push(write(ethernet().single_vlan(tag).ipv6(from_v6, to_v6, 9).udp(65_408, port)));
    }
    let mut random = fastrand::Rng::with_seed(1);
    let mut frames = whole.clone();
    for _ in 0..2_000 {
        let mut frame = random.choice(&whole).unwrap().clone();
        // Neither addresses nor type: whether a host accepts those is not for the filter to decide.
        let headers = if frame[12] == 0x81 { 18 } else { 14 };
        for _ in 0..random.usize(1..4) {
            let place = headers + random.choice([0, 0, 6, 6, 7, 9, 20, 22, 23, 40, 41]).unwrap();
            frame[place] = if random.bool() {
                random.choice([0x45, 0x4f, 0x60, 0, 17, 44, 43, 60, 1, 0x20]).unwrap()
            } else {
                random.u8(..)
            };
        }
        frame.truncate(random.usize(headers + 20..=frame.len()));
        frames.push(frame);
    }
    frames
}

/// Returns the packets that an input accepts, from their IP header on.
fn taken(network: &Network, input: &mut LiveInput, frames: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    network.replay(frames)?;
    let mut packets = Vec::new();
    let mut each = |content: Content<'_>| {
        let Content::Packet { link, bytes } = content else { panic!("{content:?}") };
        let header = match (link, bytes.get(12)) {
            (Link::Ip, _) => 0,
            (_, Some(0x81)) => 18,
            _ => 14,
        };
        packets.push(bytes[header..].to_vec());
    };
    while input.receive(QUIET, |packet| each(packet.content)).unwrap() != Received::Nothing {}
    packets.sort_unstable(); // each protocol has a ring of its own
    Some(packets)
}

#[test]
fn the_program_takes_what_the_filter_of_a_ring_takes() {
    let Some(network) = Network::new() else { return };
    let frames = odd_frames();
    let mut packets = Vec::new();
    for method in [Method::Ring, Method::Xdp] {
        let mut input = open_one(&network, &LiveOptions::default(), method);
        let Some(taken) = taken(&network, &mut input, &frames) else { return };
        packets.push(taken);
    }
    let [ring, xdp] = &packets[..] else { unreachable!() };
    assert!((200..1_900).contains(&ring.len()), "{} of {}", ring.len(), frames.len());
    assert!(ring == xdp, "{} by the ring, {} by AF_XDP", ring.len(), xdp.len());
}

#[test]
fn the_program_receives_so_without_any_privilege_left() {
    let Some(network) = Network::with(Cable { mtu: 1_500, queues: 2 }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut child = network.receiver(|| {
        program()
            .args(["receive", "--input", "xdp", "--interface", INTERFACE, "--pcapng"])
            .arg(folder.path().join("captures"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let line = until_receiving(&mut log);
    assert!(line.contains("by AF_XDP in the driver, 2 queues, MTU 1500 of at most 3818"), "{line}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
    assert!(status.contains("Seccomp:\t2"), "{status}");
    let datagram = [8, 0, 0, 0, 0, 0, 7, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6];
    for _ in 0..50 {
        network.send(Outer::V4, [datagram; 20]);
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("received=1000 accepted=1000 balances=true"), "{rest}");
}
