//! A capture of mirrored traffic for tests and benchmarks, the same for the same seed.
//!
//! `imix OUT.pcap COUNT [SEED]` writes VXLAN packets as AWS sends them, around frames of 60, 590 and
//! 1514 bytes in the proportion 7:4:1. The frames belong to 4096 flows of IPv4 and IPv6, TCP and
//! UDP, in 16 sessions; about one flow in eleven has a VLAN tag. Every checksum is right, and the
//! outer UDP has none. Times are whole microseconds, so that no format loses anything of them.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use mirror_vxlan::batch::Batch;
use mirror_vxlan::capture::pcap;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::wire::{self, Datagram};
use mirror_vxlan::{Timestamp, Vni};

const FLOWS: u64 = 4096;
const SESSIONS: u64 = 16;

/// Lengths of frames, each as often as it is to be met.
const LENGTHS: [usize; 12] = [60, 60, 60, 60, 60, 60, 60, 590, 590, 590, 590, 1514];

const START: Timestamp = Timestamp::from_parts(1_700_000_000, 0);

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, count, seed) = match &arguments[..] {
        [path, count] => (path, count.parse::<u64>()?, 1),
        [path, count, seed] => (path, count.parse()?, seed.parse()?),
        _ => return Err("usage: imix OUT.pcap COUNT [SEED]".into()),
    };
    let mut random = Random(seed);
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&pcap::file_header(Batch::FRAME_MAX))?;
    let (mut record, mut microseconds) = (Vec::new(), 0);
    for _ in 0..count {
        microseconds += random.below(3);
        let flow = Flow::of_number(random.below(FLOWS));
        let length = LENGTHS[usize::try_from(random.below(LENGTHS.len() as u64))?];
        let packet = flow.mirrored(&flow.frame(length, random.next()))?;
        record.clear();
        let time = Timestamp::from_nanos(START.as_nanos() + 1000 * microseconds);
        let original_len = u32::try_from(packet.len())?;
        let frame = Frame { time, session: flow.session()?, bytes: &packet, original_len };
        pcap::push_record(&mut record, &frame);
        file.write_all(&record)?;
    }
    file.into_inner()?.sync_all()?;
    Ok(())
}

/// A sequence of numbers without pattern (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// What all packets of a flow have in common; each follows from the number.
struct Flow {
    number: [u8; 2],
    session: u8,
    ethertype: u16,
    protocol: u8,
    vlan: Option<[u8; 2]>,
    /// What stands for the hash of the flow in the outer source port.
    outer_port: u16,
}

impl Flow {
    fn of_number(flow: u64) -> Self {
        let traits = Random(flow).next();
        let [a, b, c, d, ..] = traits.to_be_bytes();
        let [.., high, low] = flow.to_be_bytes();
        let [.., session] = (flow % SESSIONS).to_be_bytes();
        Self {
            number: [high, low],
            session,
            ethertype: if a % 4 == 0 { IPV6 } else { IPV4 },
            protocol: if b % 4 == 0 { UDP } else { TCP },
            vlan: c.is_multiple_of(11).then_some([0, d]),
            outer_port: 65_408 + u16::from(d) % 118,
        }
    }

    fn session(&self) -> Result<Session, Box<dyn Error>> {
        let vni = Vni::try_from(1000 + u32::from(self.session))?;
        Ok(Session { vni, source: self.outer_source().into() })
    }

    const fn outer_source(&self) -> [u8; 4] {
        [10, 0, 1, self.session]
    }

    /// Wraps a frame as AWS does.
    fn mirrored(&self, frame: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let header = wire::Header::new(self.session()?.vni);
        let mut vxlan = vec![0; wire::HEADER_LEN + frame.len()];
        Datagram { header, frame }.emit(&mut vxlan)?;
        let length = u16::try_from(8 + vxlan.len())?;
        let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        packet.extend(IPV4.to_be_bytes());
        packet.extend(ipv4([self.outer_source(), [10, 0, 0, 1]], UDP, length, 255));
        for field in [self.outer_port, wire::UDP_PORT, length, 0] {
            packet.extend(field.to_be_bytes());
        }
        packet.extend(vxlan);
        Ok(packet)
    }

    /// Makes a frame of `length` bytes, or as many as its headers need.
    fn frame(&self, length: usize, random: u64) -> Vec<u8> {
        let mut frame = vec![6, 0, 0, 0, 0, self.session, 6, 0, 0, 1];
        frame.extend(self.number);
        if let Some(tag) = self.vlan {
            frame.extend([0x81, 0x00]);
            frame.extend(tag);
        }
        frame.extend(self.ethertype.to_be_bytes());
        let ip_header = if self.ethertype == IPV4 { 20 } else { 40 };
        let segment_header = if self.protocol == TCP { 20 } else { 8 };
        let headers = frame.len() + ip_header + segment_header;
        let segment = self.segment(length.saturating_sub(headers), random);
        let segment_length = u16::try_from(segment.len()).expect("a frame has 1514 bytes");
        if self.ethertype == IPV4 {
            frame.extend(ipv4(self.ipv4_addresses(), self.protocol, segment_length, 64));
        } else {
            frame.extend([0x60, 0, 0, 0]);
            frame.extend(segment_length.to_be_bytes());
            frame.extend([self.protocol, 64]);
            frame.extend(self.ipv6_addresses().as_flattened());
        }
        frame.extend(segment);
        frame
    }

    /// Makes the TCP segment or UDP datagram, with its checksum.
    fn segment(&self, payload: usize, random: u64) -> Vec<u8> {
        let [high, low] = self.number;
        let mut segment = vec![0x80 | high, low, 1, 0xbb];
        let checksum_at = if self.protocol == TCP {
            segment.extend(random.to_be_bytes());
            segment.extend([0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
            16
        } else {
            let length = u16::try_from(8 + payload).expect("a frame has 1514 bytes");
            segment.extend(length.to_be_bytes());
            segment.extend([0, 0]);
            6
        };
        segment.extend(random.to_le_bytes().into_iter().cycle().take(payload));
        let mut pseudo_header = if self.ethertype == IPV4 {
            self.ipv4_addresses().as_flattened().to_vec()
        } else {
            self.ipv6_addresses().as_flattened().to_vec()
        };
        pseudo_header.extend([0, self.protocol]);
        let length = u16::try_from(segment.len()).expect("a frame has 1514 bytes");
        pseudo_header.extend(length.to_be_bytes());
        let sum = checksum(&[&pseudo_header, &segment]);
        // Zero would say that there is none.
        let sum = if sum == 0 { u16::MAX } else { sum };
        segment[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());
        segment
    }

    const fn ipv4_addresses(&self) -> [[u8; 4]; 2] {
        let [high, low] = self.number;
        [[10, 1, high, low], [10, 2, high, low]]
    }

    const fn ipv6_addresses(&self) -> [[u8; 16]; 2] {
        let [high, low] = self.number;
        [
            [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, high, low],
            [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, high, low],
        ]
    }
}

/// An IPv4 header as AWS sends it: no identification, no flags.
fn ipv4(addresses: [[u8; 4]; 2], protocol: u8, payload: u16, hops: u8) -> [u8; 20] {
    let mut header = [0; 20];
    header[0] = 0x45;
    header[2..4].copy_from_slice(&(20 + payload).to_be_bytes());
    header[8] = hops;
    header[9] = protocol;
    header[12..].copy_from_slice(addresses.as_flattened());
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

/// The Internet checksum of all parts, each but the last of an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let sum: u64 = parts
        .iter()
        .flat_map(|part| part.chunks(2))
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u64::from))
        .sum();
    // What does not fit 16 bits is added at the other end, until nothing is left.
    let ones = |sum: u64| (sum & 0xffff) + (sum >> 16);
    let [.., high, low] = ones(ones(ones(sum))).to_be_bytes();
    !u16::from_be_bytes([high, low])
}
