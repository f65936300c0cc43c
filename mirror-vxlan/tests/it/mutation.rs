//! Valid input with wrong bytes: tests that find what nobody thought of.
//!
//! `MIRROR_MUTATIONS` sets another number of packets; inputs that take longer to read than a packet
//! are fewer by the factor that [`share`] is given. cargo-fuzz has targets for the same entry points.

mod capture;
mod configuration;
mod filter;

use fastrand::Rng;
use mirror_vxlan::Timestamp;
use mirror_vxlan::count::Counts;
use mirror_vxlan::decap::{Checksum, Decapsulator, Link, Strictness};
use mirror_vxlan::flow::{Flow, identity};
use mirror_vxlan::input::{Content, Packet};
use mirror_vxlan::reason::Note;
use mirror_vxlan::session::SessionId;

use crate::generated::{number, receiver};
use crate::traffic::{Mirrored, wild};

/// Number of packets in a run.
const MUTATIONS: usize = 10_000_000;

/// Returns the number of inputs of a test that has one for every so many packets.
fn share(packets: usize) -> usize {
    number("MIRROR_MUTATIONS", MUTATIONS) / packets
}

const LINKS: [Link; 5] =
    [Link::Ethernet, Link::Ip, Link::LinuxCooked, Link::LinuxCooked2, Link::Loopback];

/// Bytes that mean something somewhere: protocols, versions, types, bounds.
const NUMBERS: [u8; 11] = [0, 1, 4, 17, 44, 51, 60, 0x45, 0x60, 0x81, 0xff];

#[test]
fn no_packet_makes_the_receiver_panic_or_lose_count() {
    let packets: Vec<Mirrored> = wild(7).take(2_000).collect();
    let careless =
        Decapsulator { strictness: Strictness::Lenient, checksum: Checksum::Ignore, ..receiver() };
    let receivers = [receiver(), careless];
    let mut random = Rng::with_seed(11);
    let mut counts = Counts::default();
    let mut bytes = Vec::with_capacity(4096);
    for _ in 0..share(1) {
        let mirrored = random.choice(&packets).expect("there are some");
        bytes.clear();
        bytes.extend_from_slice(&mirrored.packet);
        mutate(&mut bytes, &mut random);
        let link = if random.u8(..16) == 0 { LINKS[random.usize(..5)] } else { mirrored.link };
        let receiver = &receivers[usize::from(random.bool())];
        receive(receiver, link, &bytes, &mut counts);
    }
    assert!(counts.balances());
    let unseen: Vec<usize> =
        (0..counts.dropped.len()).filter(|n| counts.dropped[*n] == 0).collect();
    // Only the input knows whether a buffer was too short; every other reason occurred.
    assert!(unseen.len() <= 1 || counts.received.count < 1_000_000, "{unseen:?}");
}

fn receive(receiver: &Decapsulator, link: Link, bytes: &[u8], counts: &mut Counts) {
    let content = Content::Packet { link, bytes };
    counts.receive(&Packet { time: Timestamp::default(), content });
    let result = receiver.packet(link, bytes);
    assert_eq!(result, receiver.explain(link, bytes).map_err(|error| error.reason()));
    match result {
        Ok(decapsulated) => {
            let frame = decapsulated.frame;
            let original = decapsulated.original_len as usize;
            assert!(!frame.is_empty() && bytes.as_ptr_range().contains(&frame.as_ptr()));
            assert!(original >= frame.len() && original < 65_536 + 14 + 4 * 16 + 40);
            let is_cut = decapsulated.notes.contains(Note::FrameTruncated);
            assert_eq!(is_cut, original > frame.len());
            let flow = Flow::of(frame);
            assert_eq!(flow.hash(), flow.opposite().hash());
            std::hint::black_box(identity(frame, 1));
            counts.note(decapsulated.notes);
            counts.accept(SessionId::new(0), frame.len());
        }
        Err(reason) => counts.drop(reason),
    }
}

/// Changes up to four bytes, mostly of the headers, and sometimes the length.
fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.u8(..5) {
        let end = if random.bool() { bytes.len().min(110) } else { bytes.len() };
        let byte = &mut bytes[random.usize(..end)];
        match random.u8(..3) {
            0 => *byte ^= 1 << random.u8(..8),
            1 => *byte = NUMBERS[random.usize(..NUMBERS.len())],
            _ => *byte = random.u8(..),
        }
    }
    match random.u8(..16) {
        0 => bytes.truncate(random.usize(..bytes.len())),
        1 => bytes.extend_from_slice(&[0xee; 3]),
        _ => {}
    }
}
