//! What is handed on is what was sent.

use std::time::SystemTime;

use mirror_vxlan::Timestamp;
use mirror_vxlan::input::Input as _;
use mirror_vxlan::input::live::{LiveOptions, Method};

use super::network::{Checksum, Network, Outer};
use super::{METHODS, open_one, receive_while};

/// Returns bytes without a pattern in which a mistake could hide.
fn payload(len: usize) -> Vec<u8> {
    let mut state = len as u32 | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(0x915f_77f5).wrapping_add(0x9e37_79b9);
            state.to_be_bytes()[0]
        })
        .collect()
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the kernel's times are compared with it")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_parts(since.as_secs(), since.subsec_nanos())
}

#[test]
fn datagrams_of_every_length_come_whole_with_their_source_and_time() {
    let Some(network) = Network::new() else { return };
    let payloads: Vec<Vec<u8>> = (0..200).chain((200..=9_000).step_by(11)).map(payload).collect();
    for method in METHODS {
        for outer in Outer::ALL {
            let mut input = open_one(&network, &LiveOptions::default(), method);
            let start = now();
            let seen = receive_while(&mut input, || {
                network.send(outer, &payloads);
            });
            let end = now();
            assert_eq!(input.dropped().unwrap(), 0);
            assert_eq!(seen.len(), payloads.len(), "{method:?} {outer:?}");
            for (seen, sent) in seen.iter().zip(&payloads) {
                assert!(seen.payload == *sent, "{method:?} {outer:?}: {} bytes", sent.len());
                assert_eq!((seen.source, seen.truncated), (outer.sender(), false));
                assert!((start..=end).contains(&seen.time), "{:?}", seen.time);
            }
        }
    }
}

#[test]
fn a_datagram_longer_than_its_slot_is_told_to_be_cut() {
    let Some(network) = Network::new() else { return };
    let options = LiveOptions { slot_bytes: 500, ..LiveOptions::default() };
    let mut input = open_one(&network, &options, Method::Udp);
    let sent = [payload(499), payload(500), payload(501), payload(9_000), payload(3)];
    let seen = receive_while(&mut input, || {
        network.send(Outer::V4, &sent);
    });
    let cut: Vec<(usize, bool)> =
        seen.iter().map(|seen| (seen.payload.len(), seen.truncated)).collect();
    assert_eq!(cut, [(499, false), (500, false), (500, true), (500, true), (3, false)]);
    assert!(seen.iter().zip(&sent).all(|(seen, sent)| sent.starts_with(&seen.payload)));
}

#[test]
fn of_a_fragmented_datagram_a_socket_of_udp_sees_all_and_the_others_the_first_fragment() {
    let Some(network) = Network::new() else { return };
    let sent = payload(30_000);
    for outer in Outer::ALL {
        for method in [Method::Ring, Method::Xdp] {
            let mut input = open_one(&network, &LiveOptions::default(), method);
            let seen = receive_while(&mut input, || {
                network.send(outer, [&sent]);
            });
            assert_eq!(seen.len(), 1, "{method:?} {outer:?}");
        }
        let options = LiveOptions { slot_bytes: 65_536, ..LiveOptions::default() };
        let mut socket = open_one(&network, &options, Method::Udp);
        let seen = receive_while(&mut socket, || {
            network.send(outer, [&sent]);
        });
        assert!(seen.len() == 1 && seen[0].payload == sent, "{outer:?}");
    }
}

/// Number of attempts of which one must receive all segments.
const TRIES: usize = 5;

#[test]
fn twenty_thousand_segments_come_as_twenty_thousand_where_the_interface_merges() {
    let Some(network) = Network::new() else { return };
    let Some(()) = network.merge_segments() else { return };
    let segments: Vec<Vec<u8>> = (0..20_000).map(segment).collect();
    for method in METHODS {
        // The kernel merges datagrams that have a checksum; AWS sends none.
        for checksum in [Checksum::Zero, Checksum::Valid] {
            // On a busy machine the kernel may lose some, which is counted; a merged segment would equal
            // none of those sent.
            let all_came = (0..TRIES).any(|_| {
                let mut input = open_one(&network, &LiveOptions::default(), method);
                let seen = receive_while(&mut input, || {
                    network.send_with(checksum, Outer::V4, &segments);
                });
                let mut sent = segments.iter();
                assert!(seen.iter().all(|seen| sent.any(|sent| seen.payload == *sent)));
                let lost = segments.len() - seen.len();
                assert!(input.dropped().unwrap() <= lost as u64, "{method:?}");
                lost == 0
            });
            assert!(all_came, "{method:?} {checksum:?}: some were lost {TRIES} times");
        }
    }
}

/// Returns segment `number` of one TCP stream in VXLAN, the traffic that merging is made for.
pub(super) fn segment(number: u32) -> Vec<u8> {
    const LEN: usize = 1_448;
    let mut payload = vec![0x08, 0, 0, 0, 0, 0, 42, 0];
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .tcp(40_000, 443, number.wrapping_mul(LEN as u32), 65_535)
        .ack(1)
        .write(&mut payload, &[number.to_be_bytes()[3]; LEN])
        .unwrap();
    payload
}
