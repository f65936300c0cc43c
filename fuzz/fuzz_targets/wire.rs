//! Any payload through both parsers: what is accepted is emitted as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirror_vxlan::wire::{parse, parse_strict};

fuzz_target!(|payload: &[u8]| {
    let Ok(datagram) = parse(payload) else {
        assert!(parse_strict(payload).is_err());
        return;
    };
    assert_eq!(parse_strict(payload).is_ok(), datagram.header.reserved.is_zero());
    let mut buffer = vec![0; payload.len()];
    assert_eq!(datagram.emit(&mut buffer).expect("it has that length"), payload);
});
