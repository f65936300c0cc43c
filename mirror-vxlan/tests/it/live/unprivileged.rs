//! Receiving without any capability, on the loopback device.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

use mirror_vxlan::input::Input as _;
use mirror_vxlan::input::live::{Choice, Live, LiveOptions, Method, OpenError, open};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::network::{INTERFACE, Network};
use super::receive_while;

/// The error message where AF_XDP lacks a capability.
const XDP_NEEDS: &str = "cannot receive by AF_XDP; give the program CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF \
                         and CAP_PERFMON, or receive from a packet-socket ring";

/// Returns options with a port of their own, which is not one that the kernel assigns.
fn options() -> LiveOptions {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let of_process = (std::process::id() % 100) as u16 * 100;
    let vxlan_port = 20_000 + of_process + NEXT.fetch_add(1, Ordering::Relaxed);
    LiveOptions { vxlan_port, ..LiveOptions::default() }
}

/// Opens inputs once the port is free: a program that another test starts at this moment also holds our
/// sockets until its `exec`.
fn opened(options: &LiveOptions) -> Live {
    let open = |_| {
        thread::sleep(Duration::from_millis(10));
        open(options, Method::Udp).ok()
    };
    (0..100).find_map(open).expect("the port becomes free")
}

/// Opens inputs on a thread that has dropped all its capabilities.
fn open_without_capabilities(options: &LiveOptions, method: Method) -> Result<Live, OpenError> {
    open_with(CapabilitySet::empty(), options, method)
}

/// Opens inputs on a thread that has dropped all capabilities except `kept`.
fn open_with(
    kept: CapabilitySet,
    options: &LiveOptions,
    method: Method,
) -> Result<Live, OpenError> {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut sets = capabilities(None).unwrap();
            sets.effective = kept;
            set_capabilities(None, sets).unwrap();
            open(options, method)
        });
        thread.join().unwrap()
    })
}

#[test]
fn without_capabilities_sockets_receive_everything() {
    let options = options();
    let mut live = open_without_capabilities(&options, Method::Best).unwrap();
    assert_eq!(live.choice, Choice::UdpWithoutCapability);
    assert!(live.buffer_bytes > 0);
    let input = &mut live.inputs[0];
    for (local, target) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1")] {
        let sender = UdpSocket::bind((local, 0)).unwrap();
        let seen = receive_while(input, || {
            for number in 0..100_u8 {
                sender.send_to(&[number; 300], (target, options.vxlan_port)).unwrap();
            }
        });
        let payloads: Vec<Vec<u8>> = seen.iter().map(|seen| seen.payload.clone()).collect();
        assert_eq!(payloads, (0..100_u8).map(|number| vec![number; 300]).collect::<Vec<_>>());
        assert!(seen.iter().all(|seen| seen.source == local.parse::<std::net::IpAddr>().unwrap()));
    }
    assert_eq!(input.dropped().unwrap(), 0);
}

#[test]
fn without_capabilities_a_ring_says_what_it_needs() {
    let error = open_without_capabilities(&options(), Method::Ring).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot open a packet socket; give the program CAP_NET_RAW or receive from UDP sockets"
    );
}

#[test]
fn without_capabilities_af_xdp_says_what_it_needs() {
    let options = LiveOptions { interface: Some("lo".to_owned()), ..options() };
    let error = open_without_capabilities(&options, Method::Xdp).unwrap_err();
    assert_eq!(error.to_string(), XDP_NEEDS);
}

#[test]
fn af_xdp_needs_each_of_its_capabilities_and_no_other() {
    let Some(network) = Network::new() else { return };
    let options = LiveOptions {
        interface: Some(INTERFACE.to_owned()),
        ring_bytes: 0, // without another capability, only little memory may be locked
        ..options()
    };
    let needed = [
        CapabilitySet::NET_RAW,
        CapabilitySet::NET_ADMIN,
        CapabilitySet::BPF,
        CapabilitySet::PERFMON,
    ];
    let all = needed.into_iter().fold(CapabilitySet::empty(), CapabilitySet::union);
    network.receiver(|| {
        drop(open_with(all, &options, Method::Xdp).unwrap());
        for one in needed {
            let error = open_with(all - one, &options, Method::Xdp).unwrap_err();
            assert_eq!(error.to_string(), XDP_NEEDS, "without {one:?}");
        }
    });
}

#[test]
fn a_port_that_is_taken_is_named_even_if_it_is_shared() {
    let options = LiveOptions { workers: 2.try_into().unwrap(), ..options() };
    let first = opened(&options);
    let error = open(&options, Method::Udp).unwrap_err();
    assert!(matches!(error, OpenError::PortTaken { port, .. } if port == options.vxlan_port));
    drop(first);
    opened(&options);
}

#[test]
fn both_tunnel_ports_are_received() {
    let geneve_port = Some(options().vxlan_port);
    let options = LiveOptions { geneve_port, ..options() };
    let mut live = opened(&options);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let seen = receive_while(&mut live.inputs[0], || {
        for port in options.ports() {
            sender.send_to(&port.to_be_bytes(), ("127.0.0.1", port)).unwrap();
        }
    });
    // Between two sockets there is no order.
    let payloads: BTreeSet<Vec<u8>> = seen.into_iter().map(|seen| seen.payload).collect();
    let ports: BTreeSet<Vec<u8>> =
        options.ports().map(|port| port.to_be_bytes().to_vec()).collect();
    assert_eq!(payloads, ports);
}
