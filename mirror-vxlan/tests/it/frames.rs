//! Frames to select from: generated ones, and those from captures.

use std::fs;
use std::path::PathBuf;

use mirror_vxlan::wire;
use pcap_parser::traits::PcapReaderIterator as _;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};

/// A frame as a capture file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) bytes: Vec<u8>,
    pub(crate) original_len: u32,
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from(((word >> 32) * u64::from(bound)) >> 32).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).unwrap()) as usize]
    }

    fn byte(&mut self, from: &[u8]) -> u8 {
        *self.pick(from)
    }
}

/// Makes frames that combine a few addresses, ports and protocols in every way, some of them truncated.
pub(crate) fn generated(count: usize) -> Vec<Captured> {
    let mut dice = Dice::new(1);
    (0..count)
        .map(|_| {
            let mut bytes = frame(&mut dice);
            let original_len = u32::try_from(bytes.len()).unwrap();
            if dice.below(4) == 0 {
                bytes.truncate(dice.below(original_len + 1) as usize);
            }
            Captured { bytes, original_len }
        })
        .collect()
}

/// Returns the Ethernet frames of the captures and the frames mirrored in them; none without captures.
pub(crate) fn captured() -> Vec<Captured> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder =
        std::env::var_os("MIRROR_CAPTURES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "pcap"))
        .flat_map(read)
        .collect()
}

fn read(path: &PathBuf) -> Vec<Captured> {
    let bytes = fs::read(path).unwrap();
    let mut reader = LegacyPcapReader::new(1 << 20, &bytes[..]).unwrap();
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((length, block)) => {
                if let PcapBlockOwned::Legacy(packet) = block {
                    let bytes = packet.data.to_vec();
                    if let Some(inner) = bytes.get(42..).and_then(|udp| wire::parse(udp).ok()) {
                        let inner = inner.frame.to_vec();
                        let original_len = u32::try_from(inner.len()).unwrap();
                        frames.push(Captured { bytes: inner, original_len });
                    }
                    frames.push(Captured { bytes, original_len: packet.origlen });
                }
                reader.consume(length);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(_) => return frames,
        }
    }
}

fn frame(dice: &mut Dice) -> Vec<u8> {
    let mut frame = Vec::new();
    for _ in 0..2 {
        frame.extend(*dice.pick(&[
            [2, 0, 0, 0, 0, 1],
            [2, 0, 0, 0, 0, 2],
            [0xff; 6],
            [1, 0, 0x5e, 0, 0, 1],
        ]));
    }
    for _ in 0..*dice.pick(&[0, 0, 0, 0, 1, 1, 2]) {
        frame.extend(*dice.pick(&[[0x81, 0x00], [0x88, 0xa8], [0x91, 0x00]]));
        frame.extend([dice.byte(&[0, 0x20]), dice.byte(&[5, 6])]);
    }
    match dice.below(10) {
        0..5 => ipv4(dice, &mut frame),
        5..8 => ipv6(dice, &mut frame),
        8 => arp(dice, &mut frame),
        _ => frame.extend([0x88, 0xcc, 1, 2, 3, 4]),
    }
    frame
}

fn ipv4(dice: &mut Dice, frame: &mut Vec<u8>) {
    frame.extend([8, 0]);
    let words = dice.byte(&[5, 5, 5, 6, 7]);
    let protocol = dice.byte(&[1, 2, 6, 6, 6, 17, 17, 132, 9, 47, 50, 51, 103, 112]);
    let payload = transport(dice, protocol);
    let length = u16::from(words) * 4 + u16::try_from(payload.len()).unwrap();
    frame.extend([0x40 | words, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([0, 1]);
    frame.extend(*dice.pick(&[[0_u8, 0], [0x40, 0], [0x20, 0], [0x20, 7], [0, 7]]));
    frame.extend([dice.byte(&[1, 5, 64, 65, 255]), protocol, 0, 0]);
    for _ in 0..2 {
        frame.extend(*dice.pick(&[[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3], [224, 0, 0, 1]]));
    }
    frame.resize(frame.len() + usize::from(words - 5) * 4, 1);
    frame.extend(payload);
}

fn ipv6(dice: &mut Dice, frame: &mut Vec<u8>) {
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    let protocol = dice.byte(&[6, 6, 17, 17, 58, 132, 51, 103]);
    let payload = transport(dice, protocol);
    let fragment = dice.below(5) == 0;
    let length = u16::try_from(payload.len()).unwrap() + if fragment { 8 } else { 0 };
    frame.extend(length.to_be_bytes());
    frame.extend([if fragment { 44 } else { protocol }, dice.byte(&[1, 64])]);
    for _ in 0..2 {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        address[0] = dice.byte(&[0x20, 0x20, 0xff]);
        address[15] = dice.byte(&[1, 2]);
        frame.extend(address);
    }
    if fragment {
        frame.extend([protocol, 0, 0, dice.byte(&[1, 9]), 0, 0, 0, 1]);
    }
    frame.extend(payload);
}

fn arp(dice: &mut Dice, frame: &mut Vec<u8>) {
    frame.extend(*dice.pick(&[[0x08, 0x06], [0x80, 0x35]]));
    frame.extend([0, 1, 8, 0, 6, 4, 0, dice.byte(&[1, 2]), 2, 0, 0, 0, 0, 1]);
    frame.extend([10, 0, 0, dice.byte(&[1, 2, 3]), 2, 0, 0, 0, 0, 2]);
    frame.extend([10, 0, 0, dice.byte(&[1, 2, 3])]);
}

fn transport(dice: &mut Dice, protocol: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    match protocol {
        1 => bytes.extend([dice.byte(&[0, 3, 8]), dice.byte(&[0, 1]), 0, 0, 0, 1, 0, 1]),
        58 => bytes.extend([dice.byte(&[128, 129, 135]), 0, 0, 0, 0, 1, 0, 1]),
        _ => {
            for _ in 0..2 {
                bytes.extend(dice.pick(&[53_u16, 80, 443, 50_000]).to_be_bytes());
            }
            bytes.extend([0, dice.byte(&[8, 30]), 0, 0, 0, 0, 0, 0, 0x50]);
            bytes.extend([dice.byte(&[0x02, 0x10, 0x12, 0x11]), 1, 0, 0, 0, 0, 0]);
        }
    }
    let length = bytes.len() + dice.below(60) as usize;
    bytes.resize(length, 0x47);
    bytes
}
