//! Sent = received + dropped by the kernel, exactly.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use mirror_vxlan::input::Input as _;
use mirror_vxlan::input::live::{LiveInput, LiveOptions, Method};

use crate::peer;

use super::network::{Checksum, Network, Outer, PORT};
use super::{METHODS, QUIET, STEERING, Seen, eventually, open_in, open_one, receive_while};

/// Returns options with the smallest buffers that the kernel grants and a ring can work with.
fn tiny() -> LiveOptions {
    LiveOptions { ring_bytes: 0, receive_buffer_bytes: 0, ..LiveOptions::default() }
}

/// Returns datagrams of 100 bytes that contain their number.
fn numbered(count: u32) -> impl Iterator<Item = [u8; 100]> + Send {
    (0..count).map(|number| {
        let mut payload = [0; 100];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        payload
    })
}

/// Returns the numbers of datagrams in the order in which they were received.
fn order(seen: &[Seen]) -> Vec<u32> {
    seen.iter().map(|seen| u32::from_be_bytes(*seen.payload.first_chunk().unwrap())).collect()
}

/// Returns the numbers of datagrams received; panics if one came twice.
fn numbers(seen: &[Seen]) -> BTreeSet<u32> {
    let numbers: BTreeSet<u32> = order(seen).into_iter().collect();
    assert_eq!(numbers.len(), seen.len(), "a datagram came twice");
    numbers
}

#[test]
fn a_receiver_that_keeps_up_gets_everything_in_order() {
    let Some(network) = Network::new() else { return };
    for (method, outer) in cases() {
        let mut input = open_one(&network, &LiveOptions::default(), method);
        let seen = receive_while(&mut input, || {
            network.send(outer, numbered(5_000));
        });
        assert_eq!(order(&seen), (0..5_000).collect::<Vec<_>>(), "{method:?} {outer:?}");
        assert!(seen.is_sorted_by_key(|seen| seen.time), "{method:?} {outer:?}");
        assert_eq!(input.dropped().unwrap(), 0, "{method:?} {outer:?}");
    }
}

#[test]
fn what_is_too_much_is_counted_to_the_last_packet() {
    let Some(network) = Network::new() else { return };
    for (method, outer) in cases() {
        let mut input = open_one(&network, &tiny(), method);
        let before = network.dropped_on_the_way();
        // Nothing is received while sending, and afterwards all that is left.
        let mut sent = network.send(outer, numbered(30_000));
        let mut received = numbers(&receive_while(&mut input, || {})).len() as u64;
        let stalled = input.dropped().unwrap();
        assert!(stalled > 0, "{method:?} {outer:?}: nothing was too much");
        balance(&network, method, before, sent, [received, stalled]);

        // And once more: the count goes on, and the ring works again after it was full.
        sent += network.send(outer, numbered(30_000));
        received += numbers(&receive_while(&mut input, || {})).len() as u64;
        let dropped = input.dropped().unwrap();
        assert!(dropped > stalled, "{method:?} {outer:?}");
        balance(&network, method, before, sent, [received, dropped]);
        if let LiveInput::Ring(ring) = &mut input {
            assert!(ring.freezes().unwrap() >= 2);
        }
    }
}

#[test]
fn a_flood_against_one_that_stutters_is_counted_to_the_last_packet() {
    let Some(network) = Network::new() else { return };
    for (method, outer) in cases() {
        let mut input = open_one(&network, &tiny(), method);
        let before = network.dropped_on_the_way();
        let mut total = 0;
        let mut seen = BTreeSet::new();
        receive_and(
            &mut input,
            || total = network.send(outer, numbered(100_000)),
            |packet| {
                assert!(seen.insert(u32::from_be_bytes(*packet.payload.first_chunk().unwrap())));
                // Some work, so that the sender is faster.
                std::hint::black_box(
                    (0..2_000).fold(0_u32, |sum, n| std::hint::black_box(sum ^ n)),
                );
            },
        );
        let counted = [seen.len() as u64, input.dropped().unwrap()];
        balance(&network, method, before, total, counted);
    }
}

#[test]
fn workers_share_the_packets_without_loss_or_double() {
    let Some(network) = Network::new() else { return };
    for (method, outer) in cases().filter(|(method, _)| STEERING.contains(method)) {
        let workers = 3.try_into().unwrap();
        let options = LiveOptions { workers, ..LiveOptions::default() };
        let mut live = open_in(&network, &options, method);
        assert_eq!(live.inputs.len(), 3);
        network.send(outer, numbered(3_000));
        let seen: Vec<Seen> =
            live.inputs.iter_mut().flat_map(|input| receive_while(input, || {})).collect();
        assert_eq!(numbers(&seen).len(), 3_000, "{method:?} {outer:?}");
    }
}

#[test]
fn the_host_does_not_answer() {
    let Some(network) = Network::new() else { return };
    for (method, outer) in cases() {
        let before = network.icmp_errors();
        let mut input = open_one(&network, &LiveOptions::default(), method);
        receive_while(&mut input, || {
            network.send_with(Checksum::Valid, outer, numbered(1_000));
        });
        assert_eq!(network.icmp_errors(), before, "{method:?} {outer:?}");
        drop(input);
        // Now that nobody listens, the host answers: over IPv6 not without a checksum, only a few times per second,
        // and not while a program that another test starts still holds our sockets.
        let answers = (0..100).any(|_| {
            network.send_with(Checksum::Valid, outer, numbered(1));
            thread::sleep(Duration::from_millis(10));
            network.icmp_errors() > before
        });
        assert!(answers, "{method:?} {outer:?}: the count sees nothing");
    }
}

#[test]
fn what_the_kernel_drops_behind_the_ring_is_received() {
    let Some(network) = Network::new() else { return };
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/behind-the-ring.nft");
    // Twice: a service that is restarted finds the previous rules.
    for _ in 0..2 {
        if network.receiver(|| peer::run("nft", &["-f", rules])).is_none() {
            return;
        }
    }
    for (method, expected) in [(Method::Ring, 5_000), (Method::Udp, 0)] {
        let mut input = open_one(&network, &LiveOptions::default(), method);
        let seen = receive_while(&mut input, || {
            network.send(Outer::V4, numbered(5_000));
        });
        assert_eq!(order(&seen), (0..expected).collect::<Vec<_>>(), "{method:?}");
    }
}

#[test]
fn a_port_that_something_else_listens_on_is_told() {
    let Some(network) = Network::new() else { return };
    for method in [Method::Ring, Method::Xdp] {
        let mut taken = None;
        let bound = eventually(|| {
            taken = network.receiver(|| std::net::UdpSocket::bind(("0.0.0.0", PORT)).ok());
            taken.is_some()
        });
        assert!(bound, "{method:?}");
        let input = open_one(&network, &LiveOptions::default(), method);
        assert_eq!(input.guard().unwrap().taken(), [PORT]);
        drop((input, taken));
        let is_free = eventually(|| {
            let input = open_one(&network, &LiveOptions::default(), method);
            input.guard().unwrap().taken().is_empty()
        });
        assert!(is_free, "{method:?}");
    }
}

fn cases() -> impl Iterator<Item = (Method, Outer)> {
    METHODS.into_iter().flat_map(|method| Outer::ALL.map(|outer| (method, outer)))
}

/// Asserts that nothing is unaccounted for.
#[track_caller]
fn balance(network: &Network, method: Method, before: [u64; 2], sent: u64, counted: [u64; 2]) {
    let [received, dropped] = counted;
    let [sender, receiver] = network.dropped_on_the_way();
    let [sender, mut receiver] = [sender - before[0], receiver - before[1]];
    if method == Method::Xdp {
        // The driver also counts the packets that a socket had no room for, and drops no others.
        assert_eq!(receiver, dropped);
        receiver = 0;
    }
    assert_eq!(
        sent,
        received + dropped + sender + receiver,
        "{method:?}: {received} received, {dropped} + {sender} + {receiver} dropped"
    );
}

/// Receives until no more packets arrive, while `send` runs concurrently; `each` may be slow.
fn receive_and(input: &mut LiveInput, send: impl FnOnce() + Send, mut each: impl FnMut(Seen)) {
    thread::scope(|scope| {
        let sender = scope.spawn(send);
        loop {
            let done = sender.is_finished();
            let received = input.receive(QUIET, |packet| each(Seen::of(&packet))).unwrap();
            if received == mirror_vxlan::input::Received::Nothing && done {
                break;
            }
        }
        sender.join().unwrap();
    });
}
