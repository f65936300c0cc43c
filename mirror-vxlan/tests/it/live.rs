//! Inputs from the network, in network namespaces that are created for each test.
//!
//! All inputs keep one promise, which is tested for each: every packet sent is handed on or counted as
//! dropped by the kernel. Where namespaces cannot be created, the tests print that they were skipped.

#![expect(clippy::unwrap_used, reason = "setting up a test may fail the test")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]
#![expect(clippy::cast_possible_truncation, reason = "the numbers are the literals in this file")]

mod conservation;
mod contents;
mod flood;
mod interfaces;
mod kernel;
pub(crate) mod network;
mod programs;
mod steering;
mod unprivileged;
mod xdp;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use mirror_vxlan::Timestamp;
use mirror_vxlan::decap::Link;
use mirror_vxlan::input::live::{Live, LiveInput, LiveOptions, Method, OpenError, open};
use mirror_vxlan::input::{Content, Input as _, Packet, Received};

/// The ways to receive.
const METHODS: [Method; 3] = [Method::Ring, Method::Udp, Method::Xdp];

/// The ways that need no interface and that steer flows to workers.
const STEERING: [Method; 2] = [Method::Ring, Method::Udp];

/// Longer than a ring holds packets back: if none arrives within this time, there are no more.
const QUIET: Duration = Duration::from_millis(200);

/// Returns whether a condition becomes true within two seconds.
///
/// Another test can prevent it for a moment: a program that it starts has a copy of every open socket until its `exec`,
/// so a port that was released is still taken.
fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    (0..200).any(|_| {
        let does = holds();
        if !does {
            thread::sleep(Duration::from_millis(10));
        }
        does
    })
}

/// A datagram as any input hands it on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    time: Timestamp,
    source: std::net::IpAddr,
    payload: Vec<u8>,
    truncated: bool,
}

impl Seen {
    fn of(packet: &Packet<'_>) -> Self {
        let time = packet.time;
        match packet.content {
            Content::Datagram { source, payload, truncated, port: _ } => {
                Self { time, source: source.ip(), payload: payload.to_vec(), truncated }
            }
            Content::Packet { link, bytes } => {
                let (sliced, bytes) = match link {
                    Link::Ip => (LaxSlicedPacket::from_ip(bytes).unwrap(), bytes),
                    Link::Ethernet => {
                        let sliced = LaxSlicedPacket::from_ethernet(bytes).unwrap();
                        let tags = sliced.link_exts.len();
                        (sliced, &bytes[14 + 4 * tags..])
                    }
                    other => panic!("the network is not one of {other:?}"),
                };
                let (source, total) = match sliced.net.unwrap() {
                    LaxNetSlice::Ipv4(ip) => {
                        let header = ip.header();
                        (header.source_addr().into(), usize::from(header.total_len()))
                    }
                    LaxNetSlice::Ipv6(ip) => {
                        let header = ip.header();
                        (header.source_addr().into(), 40 + usize::from(header.payload_length()))
                    }
                    LaxNetSlice::Arp(_) => unreachable!("the socket is one of IP"),
                };
                let payload = match sliced.transport {
                    Some(TransportSlice::Udp(udp)) => udp.payload().to_vec(),
                    _ => Vec::new(), // a fragment
                };
                Self { time, source, payload, truncated: bytes.len() < total }
            }
        }
    }
}

/// Receives until no more packets arrive, while `send` runs concurrently.
fn receive_while(input: &mut LiveInput, send: impl FnOnce() + Send) -> Vec<Seen> {
    let sent = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            send();
            sent.store(true, Ordering::Release);
        });
        let mut seen = Vec::new();
        loop {
            let done = sent.load(Ordering::Acquire) || sender.is_finished();
            let before = seen.len();
            let received = input.receive(QUIET, |packet| seen.push(Seen::of(&packet))).unwrap();
            match received {
                Received::Packets(count) => assert_eq!(seen.len(), before + count),
                Received::Nothing if done => break,
                Received::Nothing => {}
                Received::End => unreachable!("the network does not end"),
            }
        }
        sender.join().unwrap();
        seen
    })
}

/// Opens inputs at the receiving end of `network`; AF_XDP on its interface, unless another is named.
fn open_in(network: &network::Network, options: &LiveOptions, method: Method) -> Live {
    let mut options = options.clone();
    if method == Method::Xdp {
        options.interface.get_or_insert_with(|| network::INTERFACE.to_owned());
    }
    network.receiver(|| {
        // A program that another test starts at this moment also holds our sockets until its `exec`
        // closes them, so the port of an input that was just closed may be taken a little longer.
        (0..100)
            .find_map(|_| match open(&options, method) {
                Err(OpenError::PortTaken { .. }) => {
                    thread::sleep(Duration::from_millis(10));
                    None
                }
                opened => Some(opened.unwrap()),
            })
            .expect("the port becomes free")
    })
}

/// Opens the only input at the receiving end of `network`.
fn open_one(network: &network::Network, options: &LiveOptions, method: Method) -> LiveInput {
    open_in(network, options, method).inputs.remove(0)
}
