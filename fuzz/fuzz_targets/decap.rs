//! Any packet on any link, and what is asked about its frame.
//!
//! The first byte chooses the link and the settings; the rest is the packet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirror_vxlan::decap::{Checksum, Decapsulator, Link, Strictness};
use mirror_vxlan::flow::{Flow, identity};
use mirror_vxlan::reason::Note;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, packet)) = input.split_first() else { return };
    let link = match choice & 7 {
        0 => Link::Ip,
        1 => Link::LinuxCooked,
        2 => Link::LinuxCooked2,
        3 => Link::Loopback,
        _ => Link::Ethernet,
    };
    let decapsulator = Decapsulator {
        geneve_port: Some(6081),
        strictness: if choice & 8 == 0 { Strictness::Lenient } else { Strictness::Strict },
        checksum: if choice & 16 == 0 { Checksum::Ignore } else { Checksum::Verify },
        ..Decapsulator::default()
    };
    let outcome = decapsulator.packet(link, packet);
    assert_eq!(decapsulator.explain(link, packet).map_err(|error| error.reason()), outcome);
    let Ok(decapsulated) = outcome else { return };

    let frame = decapsulated.frame;
    assert!(!frame.is_empty() && packet.as_ptr_range().contains(&frame.as_ptr()));
    assert!(decapsulated.original_len as usize >= frame.len());
    let is_cut = decapsulated.original_len as usize > frame.len();
    assert_eq!(decapsulated.notes.contains(Note::FrameTruncated), is_cut);
    let flow = Flow::of(frame);
    assert_eq!(flow.hash(), flow.opposite().hash());
    let _ = identity(frame, 1);
});
