//! Any file through the reader of captures, compressed ones too.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mirror_vxlan::capture::read::CaptureReader;
use mirror_vxlan::input::{Content, Received};

/// The start of a file in gzip, and of one in Zstandard.
const COMPRESSED: [&[u8]; 2] = [&[0x1f, 0x8b], &[0x28, 0xb5]];

fuzz_target!(|file: &[u8]| {
    let Ok(mut reader) = CaptureReader::new(Cursor::new(file.to_vec())) else { return };
    let mut length = 0;
    loop {
        let received = reader.read(|packet| match packet.content {
            Content::Packet { bytes, .. } => length += 16 + bytes.len(),
            Content::Datagram { .. } => unreachable!("a file has whole packets"),
        });
        match received {
            Ok(Received::Packets(count)) => assert!(count > 0),
            Ok(Received::Nothing) => unreachable!("a file waits for nobody"),
            Ok(Received::End) | Err(_) => break,
        }
    }
    let is_compressed = COMPRESSED.iter().any(|start| file.starts_with(start));
    assert!(is_compressed || length <= file.len());
});
