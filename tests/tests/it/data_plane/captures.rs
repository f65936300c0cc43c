//! Real captures: the trace foretells what the data plane does with each of their frames.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use mirror_tests::stack;
use mirror_vxlan::capture::read::{CaptureReader, Record};
use mirror_vxlan::decap::{Decapsulator, Link};
use mirror_vxlan::flow::Flow;
use mirror_vxlan::input::Received;

use super::foretold::{Compared, Foretold};
use super::stacks::mirrored_stack;

/// The number of stacks that every capture goes through.
const STACKS: u64 = 12;

/// The Ethernet frame of a record, whatever its link type; a frame that was cut is padded with zeros.
fn ethernet(record: &Record<'_>) -> Option<Vec<u8>> {
    let mut frame = match record.link {
        Link::Ethernet => record.bytes.to_vec(),
        Link::Ip => {
            let ether_type = match record.bytes.first()? >> 4 {
                4 => [0x08, 0x00],
                6 => [0x86, 0xdd],
                _ => return None,
            };
            [&[0; 12][..], &ether_type, record.bytes].concat()
        }
        _ => return None,
    };
    let cut = record.original_len as usize - record.bytes.len();
    frame.resize(frame.len() + cut, 0);
    Some(frame)
}

/// The frames of a capture, and the frames inside its VXLAN datagrams.
fn frames(path: &std::path::Path) -> Vec<(u64, Vec<u8>)> {
    let mut frames = Vec::new();
    let mut reader = CaptureReader::open(path).unwrap();
    let mut each = |record: Record<'_>| {
        let time = record.time.as_nanos();
        if let Ok(out) = Decapsulator::default().explain(record.link, record.bytes) {
            frames.push((time, out.frame.to_vec()));
        }
        frames.extend(ethernet(&record).map(|frame| (time, frame)));
    };
    // Nothing after damage can be read; what comes before it counts.
    while reader.records(&mut each).is_ok_and(|received| received != Received::End) {}
    frames
}

/// The addresses of the frames, the most frequent first.
fn addresses(frames: &[(u64, Vec<u8>)]) -> Vec<IpAddr> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for (_, frame) in frames {
        let ends = match Flow::of(frame) {
            Flow::Ports { source, destination, .. } => [source.0, destination.0],
            Flow::Addresses { source, destination, .. } => [source, destination],
            Flow::Frame { .. } | Flow::Unknown => continue,
        };
        ends.into_iter().for_each(|end| *counts.entry(end).or_default() += 1);
    }
    let mut addresses: Vec<(IpAddr, usize)> = counts.into_iter().collect();
    addresses.sort_by_key(|(address, count)| (std::cmp::Reverse(*count), *address));
    addresses.into_iter().map(|(address, _)| address).collect()
}

#[tokio::test]
async fn every_capture_does_what_the_trace_foretold() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder = std::env::var_os("MIRROR_CAPTURES").map_or_else(|| beside.into(), PathBuf::from);
    let Ok(files) = std::fs::read_dir(&folder) else {
        return println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
    };
    let paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let captures: Vec<_> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "pcap" || it == "pcapng"))
        .map(|path| frames(path))
        .collect();
    let mut compared = Compared::default();
    for seed in 0..STACKS {
        let mut foretold = Foretold::of(&stack(&mirrored_stack(seed))).await;
        let names: Vec<String> =
            foretold.mirroring.interfaces.iter().map(|it| it.name.clone()).collect();
        let sources = names.iter().filter(|name| name.starts_with("instance.i")).cloned();
        let sources: Vec<String> = sources.collect();
        for frames in &captures {
            for (name, address) in sources.iter().zip(addresses(frames)) {
                foretold.set_address(name, address);
            }
            for (time, frame) in frames {
                compared += foretold.compare(*time, frame);
            }
        }
    }
    println!("{} captures, {STACKS} stacks: {compared:?}", captures.len());
    let Compared { mirrored, rejected, unmirrored, .. } = compared;
    assert!(captures.is_empty() || [mirrored, rejected, unmirrored].iter().all(|it| *it > 0));
}
