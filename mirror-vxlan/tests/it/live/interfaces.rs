//! Interfaces: one or all, tagged, down, removed.

use std::io;

use mirror_vxlan::input::Input as _;
use mirror_vxlan::input::live::{Choice, LiveOptions, Method, OpenError, open};

use super::network::{INTERFACE, Network, Outer, PORT};
use super::{METHODS, QUIET, eventually, open_in, open_one, receive_while};

#[test]
fn an_interface_named_is_the_only_one_received_on() {
    let Some(network) = Network::new() else { return };
    for method in METHODS {
        for (name, expected) in [(INTERFACE, 10), ("lo", 0)] {
            let options = LiveOptions { interface: Some(name.into()), ..LiveOptions::default() };
            let mut input = open_one(&network, &options, method);
            let seen = receive_while(&mut input, || {
                network.send(Outer::V4, [[7; 60]; 10]);
            });
            assert_eq!(seen.len(), expected, "{method:?} {name}");
        }
    }
}

#[test]
fn what_a_host_sends_to_itself_is_received_once() {
    let Some(network) = Network::new() else { return };
    for method in METHODS {
        let interface = (method == Method::Xdp).then(|| "lo".to_owned());
        let options = LiveOptions { interface, ..LiveOptions::default() };
        let mut input = open_one(&network, &options, method);
        let seen = receive_while(&mut input, || {
            network.receiver(|| {
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.send_to(&[7; 60], ("127.0.0.1", PORT)).unwrap();
            });
        });
        assert_eq!(seen.len(), 1, "{method:?}");
        assert_eq!(seen[0].payload, [7; 60]);
    }
}

#[test]
fn a_tagged_outer_packet_is_received_once() {
    let Some(network) = Network::new() else { return };
    let mut frame = Vec::new();
    etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .single_vlan(100.try_into().unwrap())
        .ipv4([10, 98, 0, 1], [10, 98, 0, 2], 64)
        .udp(65_408, PORT)
        .write(&mut frame, &[7; 60])
        .unwrap();
    for method in [Method::Ring, Method::Xdp] {
        let mut input = open_one(&network, &LiveOptions::default(), method);
        let mut replayed = None;
        let seen =
            receive_while(&mut input, || replayed = network.replay(std::slice::from_ref(&frame)));
        let Some(()) = replayed else { return };
        assert_eq!(seen.len(), 1, "{method:?}");
        assert_eq!(
            (seen[0].payload.as_slice(), seen[0].source),
            (&[7; 60][..], Outer::V4.sender())
        );
    }
}

#[test]
fn a_packet_that_passes_a_bridge_is_received_once() {
    let Some(network) = Network::new() else { return };
    network.ip_on_receiver("addr flush dev cable");
    network.ip_on_receiver("link add bridge address 02:00:00:00:00:02 type bridge");
    network.ip_on_receiver("link set cable master bridge");
    network.ip_on_receiver("addr add 10.98.0.2/24 dev bridge");
    network.ip_on_receiver("link set bridge up");
    for method in METHODS {
        let mut input = open_one(&network, &LiveOptions::default(), method);
        let seen = receive_while(&mut input, || {
            network.send(Outer::V4, [[7; 60]; 2]);
        });
        assert_eq!(seen.len(), 2, "{method:?}");
    }
}

#[test]
fn an_interface_that_was_down_is_received_on_again_and_one_that_is_gone_is_an_error() {
    for method in [Method::Ring, Method::Xdp] {
        let Some(network) = Network::new() else { return };
        let options = LiveOptions { interface: Some(INTERFACE.into()), ..LiveOptions::default() };
        let mut input = open_one(&network, &options, method);
        network.ip_on_receiver("link set cable down");
        input.receive(QUIET, |_| {}).unwrap();
        network.ip_on_receiver("link set cable up");
        network.ip_on_receiver(
            "neigh replace 10.98.0.1 lladdr 02:00:00:00:00:01 dev cable nud permanent",
        );
        // The cable carries nothing before the kernel has noticed that both of its ends are up.
        let mut seen = Vec::new();
        let is_received = eventually(|| {
            seen = receive_while(&mut input, || {
                network.send(Outer::V4, [[7; 60]]);
            });
            !seen.is_empty()
        });
        assert!(is_received && seen.len() == 1, "{method:?}: {seen:?}");

        network.ip_on_receiver("link delete cable");
        let error = input.receive(QUIET, |_| {}).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{method:?}");
        assert_eq!(error.to_string(), "the interface `cable` was removed or renamed");
    }
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let Some(network) = Network::new() else { return };
    let options = LiveOptions { interface: Some("eth7".into()), ..LiveOptions::default() };
    for method in METHODS {
        let error = network.receiver(|| open(&options, method).unwrap_err());
        let OpenError::Interface { interface, source } = &error else { panic!("{error:?}") };
        assert_eq!((interface.as_str(), source.raw_os_error()), ("eth7", Some(19)));
    }
}

#[test]
fn what_was_granted_is_told() {
    let Some(network) = Network::new() else { return };
    let mib = |count: usize| count << 20;
    let options = LiveOptions { receive_buffer_bytes: mib(16), ..LiveOptions::default() };
    let ring = open_in(&network, &options, Method::Best);
    assert_eq!((ring.choice, ring.buffer_bytes), (Choice::Ring, mib(32)));
    drop(ring);
    let udp = open_in(&network, &options, Method::Udp);
    // The kernel doubles what was asked for: it counts its own structures as well.
    assert_eq!((udp.choice, udp.buffer_bytes), (Choice::UdpAsAsked, mib(32)));
    drop(udp);
    let xdp = open_in(&network, &options, Method::Xdp);
    assert_eq!(xdp.buffer_bytes, mib(32));
    assert_eq!(
        xdp.choice.to_string(),
        "by AF_XDP in the driver, 1 queue, MTU 9500 in several pieces"
    );
}
