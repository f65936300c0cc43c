//! Capture files of every kind that is read, with wrong bytes.

use std::fs;
use std::io::{Cursor, Write as _};

use fastrand::Rng;
use mirror_vxlan::capture::compress::{Compression, Compressor};
use mirror_vxlan::capture::read::{CaptureReader, ReadError};
use mirror_vxlan::input::{Content, Received};
use mirror_vxlan::offline::{Place, Task, decap};

use super::{mutate, share};
use crate::traffic::{Mirrored, wild};
use crate::tshark::pcap;

/// Returns captures with some packets each: uncompressed, and compressed in both ways.
fn captures() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let packets: Vec<Mirrored> = wild(17).take(24).collect();
    let records = pcap(1, &packets.iter().collect::<Vec<_>>());
    let [input, output] = ["in.pcap", "out.pcapng"].map(|name| folder.path().join(name));
    fs::write(&input, &records).unwrap();
    let task = Task::new(vec![Place::File(input)], Place::File(output.clone()));
    decap(&task, |frame| Ok(frame.bytes.len()), |_| Some("web".to_owned())).unwrap();
    let plain = [records, fs::read(output).unwrap()];
    let compressed = plain.iter().flat_map(|file| {
        [Compression::Gzip, Compression::Zstandard].map(|compression| {
            let mut compressor = Compressor::new(compression, Vec::new()).unwrap();
            compressor.write_all(file).unwrap();
            compressor.finish().unwrap()
        })
    });
    plain.iter().cloned().chain(compressed).collect()
}

/// Reads to the end or to the damage; returns the length of all packets with their smallest headers.
fn read(file: &[u8]) -> Result<usize, ReadError> {
    let mut reader = CaptureReader::new(Cursor::new(file.to_vec()))?;
    let mut length = 0;
    loop {
        let received = reader.read(|packet| match packet.content {
            Content::Packet { bytes, .. } => length += 16 + bytes.len(),
            Content::Datagram { .. } => unreachable!("a file has whole packets"),
        })?;
        match received {
            Received::Packets(count) => assert!(count > 0, "it would never end"),
            Received::Nothing => unreachable!("a file waits for nobody"),
            Received::End => return Ok(length),
        }
    }
}

#[test]
fn no_capture_makes_the_reader_panic_or_give_more_than_there_is() {
    let captures = captures();
    let mut random = Rng::with_seed(19);
    let (mut whole, mut damaged) = (0, 0);
    let mut file = Vec::new();
    for _ in 0..share(500) {
        let number = random.usize(..captures.len());
        file.clear();
        file.extend_from_slice(&captures[number]);
        mutate(&mut file, &mut random);
        let is_plain = number < 2;
        match read(&file) {
            Ok(length) => {
                assert!(!is_plain || length <= file.len(), "{length} of {file:02x?}");
                whole += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                damaged += 1;
            }
        }
    }
    assert!(whole > 0 && damaged > 0, "{whole} whole, {damaged} damaged");
}
