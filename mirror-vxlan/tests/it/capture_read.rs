//! Capture files of every kind, as we read them.
//!
//! The files are encoded here, in both byte orders and with every option that is read, or they come
//! from other projects. pcap-parser reads the latter too and must find the same.

use std::fs;
use std::io::{self, Cursor, Read, Write as _};

use mirror_vxlan::capture::compress::{Compression, Compressor};
use mirror_vxlan::capture::read::{CaptureReader, ReadError, Record};
use mirror_vxlan::decap::Link;
use mirror_vxlan::input::{Content, Received};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::captures::{captures, ethernet_packets};
use crate::peer;

/// A packet as it was read: nanoseconds since 1970, link, bytes.
type Seen = (u64, Link, Vec<u8>);

/// Returns the packets up to the end or the first error, and that error.
fn read(stream: impl Read + Send + 'static) -> (Vec<Seen>, Option<ReadError>) {
    let mut seen = Vec::new();
    let mut reader = match CaptureReader::new(stream) {
        Ok(reader) => reader,
        Err(error) => return (seen, Some(error)),
    };
    loop {
        let before = seen.len();
        let received = reader.read(|packet| match packet.content {
            Content::Packet { link, bytes } => {
                seen.push((packet.time.as_nanos(), link, bytes.to_vec()));
            }
            Content::Datagram { .. } => panic!("a file has whole packets"),
        });
        match received {
            Ok(Received::Packets(count)) => assert_eq!(seen.len(), before + count),
            Ok(Received::Nothing) => panic!("a file waits until there is something"),
            Ok(Received::End) => return (seen, None),
            Err(error) => return (seen, Some(error)),
        }
    }
}

fn read_bytes(bytes: &[u8]) -> (Vec<Seen>, Option<ReadError>) {
    read(Cursor::new(bytes.to_vec()))
}

/// An error and everything that caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[track_caller]
fn complaint(bytes: &[u8]) -> String {
    chain(&read_bytes(bytes).1.expect("the file is damaged"))
}

/// Writes numbers in one of the byte orders.
#[derive(Clone, Copy, Debug)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn u64(self, number: u64) -> [u8; 8] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn words(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| self.u32(*number)).collect()
    }

    fn pcap(self, magic: u32, link: u32, packets: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
        let mut file = self.u32(magic).to_vec();
        file.extend([self.u16(2), self.u16(4)].concat());
        file.extend(self.words(&[0, 0, 65_535, link]));
        for (seconds, fraction, bytes) in packets {
            let length = u32::try_from(bytes.len()).unwrap();
            file.extend(self.words(&[*seconds, *fraction, length, length + 7]));
            file.extend(bytes);
        }
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = u32::try_from(body.len() + 12).unwrap();
        [&self.words(&[kind, length])[..], &body, &self.u32(length)].concat()
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [self.u16(code), self.u16(u16::try_from(value.len()).unwrap())].concat();
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn section(self) -> Vec<u8> {
        let mut body = self.words(&[0x1a2b_3c4d]);
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend(self.u64(u64::MAX));
        body.extend(self.option(4, b"dumpcap"));
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, snap_length: u32, resolution: u8, offset: i64) -> Vec<u8> {
        let mut body = [self.u16(link), [0; 2]].concat();
        body.extend(self.u32(snap_length));
        body.extend(self.option(2, b"eth0"));
        body.extend(self.option(9, &[resolution]));
        body.extend(self.option(14, &self.u64(offset.cast_unsigned())));
        body.extend(self.option(0, &[]));
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap();
        let [high, low] = [ticks >> 32, ticks & 0xffff_ffff].map(|n| u32::try_from(n).unwrap());
        let mut body = self.words(&[interface, high, low, length, length]);
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.option(2, &self.u32(1)));
        body.extend(self.option(0, &[]));
        self.block(6, &body)
    }

    fn obsolete(self, interface: u16, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap();
        let [high, low] = [ticks >> 32, ticks & 0xffff_ffff].map(|n| u32::try_from(n).unwrap());
        let mut body = [self.u16(interface), self.u16(3)].concat();
        body.extend(self.words(&[high, low, length, length]));
        body.extend(bytes);
        self.block(2, &body)
    }

    fn simple(self, original: u32, bytes: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32(original), bytes].concat())
    }

    fn statistics(self, interface: u32, dropped: u64) -> Vec<u8> {
        let mut body = self.words(&[interface, 0, 0]);
        body.extend(self.option(5, &self.u64(dropped)));
        self.block(5, &body)
    }
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Little), Just(Order::Big)]
}

fn link_types() -> impl Strategy<Value = (u16, Link)> {
    prop::sample::select(vec![
        (0, Link::Loopback),
        (1, Link::Ethernet),
        (12, Link::Ip),
        (101, Link::Ip),
        (108, Link::Loopback),
        (113, Link::LinuxCooked),
        (228, Link::Ip),
        (229, Link::Ip),
        (276, Link::LinuxCooked2),
    ])
}

/// A file of several sections, and what is in it.
#[derive(Clone, Debug, Default)]
struct Sections {
    file: Vec<u8>,
    packets: Vec<Seen>,
}

/// Seconds, and a choice of the resolution, the interface, the kind of block and what precedes it.
type Draft = (u32, [u8; 4], Vec<u8>);

fn sections() -> impl Strategy<Value = Sections> {
    let packet = (any::<u32>(), any::<[u8; 4]>(), vec(any::<u8>(), 0..90));
    vec((order(), link_types(), vec(packet, 0..12)), 1..4).prop_map(|drafts| {
        let mut all = Sections::default();
        for (order, link, packets) in drafts {
            all.add(order, link, &packets);
        }
        all
    })
}

impl Sections {
    fn add(&mut self, order: Order, (link_type, link): (u16, Link), packets: &[Draft]) {
        /// Milliseconds, microseconds with an offset, nanoseconds, and 2^-10 s.
        const CLOCKS: [(u8, u64, u64); 4] =
            [(3, 1000, 0), (6, 1_000_000, 5), (9, 1_000_000_000, 0), (0x8a, 1024, 0)];
        self.file.extend(order.section());
        for (resolution, _, offset) in CLOCKS {
            let offset = i64::try_from(offset).unwrap();
            self.file.extend(order.interface(link_type, 0, resolution, offset));
        }
        self.file.extend(order.interface(147, 0, 9, 0));
        for (seconds, [choice, kind, before, _], bytes) in packets {
            let interface = usize::from(choice % 5);
            let (_, ticks_per_second, offset) = *CLOCKS.get(interface).unwrap_or(&CLOCKS[2]);
            let (link, seconds) =
                (if interface < 4 { link } else { Link::Other }, u64::from(*seconds));
            let ticks = seconds * ticks_per_second;
            let mut time = (seconds + offset) * 1_000_000_000;
            if before % 3 == 0 {
                self.file.extend(order.block(0x0bad, bytes));
            }
            match kind % 4 {
                0 => {
                    let interface = u16::try_from(interface).unwrap();
                    self.file.extend(order.obsolete(interface, ticks, bytes));
                }
                1 if interface == 0 => {
                    let original = u32::try_from(bytes.len()).unwrap();
                    self.file.extend(order.simple(original, bytes));
                    time = 0;
                }
                _ => {
                    let interface = u32::try_from(interface).unwrap();
                    self.file.extend(order.enhanced(interface, ticks, bytes));
                }
            }
            self.packets.push((time, link, bytes.clone()));
        }
    }
}

/// Gives a few bytes at a time, as a slow pipe does.
struct Slow(Cursor<Vec<u8>>, usize);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

proptest! {
    #[test]
    fn pcap_of_either_order_and_resolution_is_read_as_it_was_written(
        order in order(),
        nanoseconds: bool,
        (link_type, link) in link_types(),
        packets in vec((any::<u32>(), 0..1_000_000_u32, vec(any::<u8>(), 0..90)), 0..12),
        piece in 1..100_usize,
    ) {
        let (magic, unit) = if nanoseconds { (0xa1b2_3c4d, 1) } else { (0xa1b2_c3d4, 1000) };
        // The upper bits state that frames end with a check sequence.
        let file = order.pcap(magic, u32::from(link_type) | 0x2400_0000, &packets);
        let (seen, error) = read(Slow(Cursor::new(file), piece));
        let written: Vec<Seen> = packets
            .into_iter()
            .map(|(seconds, fraction, bytes)| {
                (u64::from(seconds) * 1_000_000_000 + u64::from(fraction * unit), link, bytes)
            })
            .collect();
        prop_assert_eq!(seen, written);
        prop_assert!(error.is_none());
    }

    #[test]
    fn pcapng_of_any_sections_is_read_as_it_was_written(all in sections(), piece in 1..500_usize) {
        let (seen, error) = read(Slow(Cursor::new(all.file), piece));
        prop_assert_eq!(seen, all.packets);
        prop_assert!(error.is_none());
    }

    #[test]
    fn a_file_that_is_cut_gives_what_comes_before_the_cut(all in sections(), cut: prop::sample::Index) {
        let cut = cut.index(all.file.len() + 1);
        let (seen, error) = read_bytes(&all.file[..cut]);
        prop_assert_eq!(&seen[..], &all.packets[..seen.len()]);
        if let Some(ReadError::Damaged { offset, .. }) = &error {
            // The rest from that offset on adds no packet, so no whole one was left out.
            prop_assert!(usize::try_from(*offset).unwrap() < cut);
            let before = &all.file[..usize::try_from(*offset).unwrap()];
            let (again, clean) = read_bytes(before);
            prop_assert_eq!(again, seen);
            prop_assert!(clean.is_none() || before.is_empty());
            prop_assert!(error.unwrap().is_cut_off());
        } else if cut == all.file.len() {
            prop_assert!(error.is_none());
            prop_assert_eq!(seen, all.packets);
        }
    }

    #[test]
    fn a_file_with_wrong_bytes_never_gives_more_than_it_has(
        all in sections(),
        wrong in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = all.file;
        for (place, byte) in wrong {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let length = file.len();
        let (seen, _) = read_bytes(&file);
        let bytes: usize = seen.iter().map(|(_, _, bytes)| bytes.len() + 16).sum();
        prop_assert!(bytes <= length, "{} bytes of {}", bytes, length);
    }

    #[test]
    fn any_bytes_behind_a_magic_are_survived(
        magic in prop::sample::select(vec![
            [0x0a, 0x0d, 0x0d, 0x0a], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d],
            [0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x51, 0x2a, 0x4d, 0x18],
        ]),
        rest in vec(any::<u8>(), 0..300),
    ) {
        let (seen, _) = read_bytes(&[&magic[..], &rest].concat());
        prop_assert!(seen.len() <= rest.len());
    }

    #[test]
    fn compressed_files_are_read_in_any_number_of_members(
        all in sections(),
        cut: prop::sample::Index,
        gzip: bool,
    ) {
        let compression = if gzip { Compression::Gzip } else { Compression::Zstandard };
        let (first, second) = all.file.split_at(cut.index(all.file.len()));
        let mut file = Vec::new();
        for part in [first, second] {
            let mut compressor = Compressor::new(compression, file).unwrap();
            compressor.write_all(part).unwrap();
            file = compressor.finish().unwrap();
        }
        let (seen, error) = read_bytes(&file);
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(&seen, &all.packets);

        let cut = cut.index(file.len());
        let (seen, _) = read_bytes(&file[..cut]);
        prop_assert_eq!(&seen[..], &all.packets[..seen.len()]);
    }
}

#[test]
fn a_compressed_file_that_is_cut_gives_what_could_be_decompressed() {
    let packets: Vec<_> = (0..20_000_u32)
        .map(|n| (n, n, n.wrapping_mul(0x9e37_79b9).to_ne_bytes().repeat(20)))
        .collect();
    let file = Order::Little.pcap(0xa1b2_c3d4, 1, &packets);
    for compression in [Compression::Gzip, Compression::Zstandard] {
        let mut compressor = Compressor::new(compression, Vec::new()).unwrap();
        compressor.write_all(&file).unwrap();
        let compressed = compressor.finish().unwrap();
        let (seen, error) = read_bytes(&compressed[..compressed.len() / 2]);
        assert!((5_000..15_000).contains(&seen.len()), "{} by {compression:?}", seen.len());
        let error = io::Error::from(error.expect("half is missing"));
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{}", chain(&error));
    }
}

#[test]
fn errors_say_where_what_and_why() {
    let order = Order::Little;
    let file = |parts: &[Vec<u8>]| [&[order.section()], parts].concat().concat();
    let ethernet = order.interface(1, 0, 6, 0);
    let good = order.enhanced(0, 1, &[1, 2, 3]);
    let pcap = order.pcap(0xa1b2_c3d4, 1, &[(1, 2, vec![7; 10])]);
    let long = order.words(&[1, 2, 0x1000_0001, 0x1000_0001]);
    let cases = [
        (b"".to_vec(), "not a capture file: it begins with []; "),
        (b"GIF89a".to_vec(), "not a capture file: it begins with [47, 49, 46, 38]; "),
        (pcap[..20].to_vec(), "file header 1 at offset 0: the file ends after 20 of at least 24"),
        (pcap[..49].to_vec(), "record 1 at offset 24: the file ends after 25 of at least 26 bytes"),
        (
            order.pcap(0xa1b2_c3d4, 147, &[]),
            "file header 1 at offset 0: link type 147 is not supported",
        ),
        ([pcap, long].concat(), "record 2 at offset 50: it claims 268435457 bytes, more than the"),
        (
            file(std::slice::from_ref(&good)),
            "block 2 at offset 40: a packet of interface 0; the section has ",
        ),
        (
            file(&[ethernet.clone(), good.clone(), order.enhanced(1, 1, &[])]),
            "block 4 at offset 140: a packet of interface 1; the section has only 1",
        ),
        (
            file(&[ethernet.clone(), good[..30].to_vec()]),
            "block 3 at offset 92: the file ends after 30 of at least 48 bytes; it was cut off",
        ),
        (
            file(&[order.words(&[6, 30])]),
            "block 2 at offset 40: type 0x6 with a length of 30, which is not a multiple of 4",
        ),
        (
            file(&[order.words(&[6, 12, 12])]),
            "block 2 at offset 40: type 0x6 with a length of 12, which is not a multiple of 4, or",
        ),
        (
            file(&[order.words(&[0x77, 16, 0, 20])]),
            "block 2 at offset 40: the length is 16 at its start and 20 at its end",
        ),
        (
            file(&[order.words(&[6, 0xffff_fff0])]),
            "block 2 at offset 40: it claims 4294967280 bytes",
        ),
        (
            file(&[order.words(&[0x77, 0xffff_fff0, 1, 2])]),
            "block 2 at offset 40: the file ends after 16 of at least 4294967280 bytes; it was",
        ),
        (
            file(&[ethernet, order.block(6, &order.words(&[0, 0, 0, 9, 9, 1, 2]))]),
            "block 3 at offset 92: a packet of 9 bytes in a block with room for 8",
        ),
        (
            file(&[order.interface(1, 0, 20, 0)]),
            "block 2 at offset 40: a time resolution of 0x14, finer than 64 bits can count",
        ),
    ];
    for (bytes, expected) in cases {
        let complaint = complaint(&bytes);
        assert!(complaint.starts_with(expected), "{complaint}\n{expected}");
    }
}

#[test]
fn a_simple_packet_is_cut_by_the_snap_length_and_a_large_block_is_passed_over() {
    let order = Order::Big;
    let file = [
        order.section(),
        order.interface(1, 4, 6, 0),
        order.block(0x0bad, &vec![9; 3 << 20]),
        order.simple(1000, &[1, 2, 3, 4]),
    ]
    .concat();
    let (seen, error) = read_bytes(&file);
    assert_eq!(seen, [(0, Link::Ethernet, vec![1, 2, 3, 4])]);
    assert!(error.is_none());
}

#[test]
fn a_record_says_how_long_its_packet_was() {
    let lengths = |file: Vec<u8>| {
        let mut reader = CaptureReader::new(Cursor::new(file)).unwrap();
        let mut lengths = Vec::new();
        let each = |record: Record<'_>| lengths.push((record.bytes.len(), record.original_len));
        assert_eq!(reader.records(each).unwrap(), Received::Packets(2));
        lengths
    };
    for order in [Order::Little, Order::Big] {
        // The encoder states for each packet that it was 7 bytes longer.
        let packets = [(1, 0, vec![1, 2, 3]), (2, 0, Vec::new())];
        assert_eq!(lengths(order.pcap(0xa1b2_c3d4, 1, &packets)), [(3, 10), (0, 7)]);
        let file = [
            order.section(),
            order.interface(1, 4, 6, 0),
            order.simple(1000, &[1, 2, 3, 4]),
            order.enhanced(0, 5, &[1, 2, 3]),
        ];
        assert_eq!(lengths(file.concat()), [(4, 1000), (3, 3)]);
    }
    // A file that states a length shorter than its data is not believed.
    let mut file = Order::Little.pcap(0xa1b2_c3d4, 1, &[(1, 0, vec![1, 2, 3]), (2, 0, vec![4])]);
    file[36] = 2;
    assert_eq!(lengths(file), [(3, 3), (1, 8)]);
}

#[test]
fn drops_are_the_newest_of_each_interface_over_all_sections() {
    let order = Order::Little;
    let section = [
        order.section(),
        order.interface(1, 0, 6, 0),
        order.interface(1, 0, 6, 0),
        order.statistics(0, 3),
        order.statistics(1, 10),
        order.statistics(0, 5),
    ]
    .concat();
    let mut reader = CaptureReader::new(Cursor::new(section.repeat(2))).unwrap();
    assert_eq!(reader.read(|_| panic!("there is no packet")).unwrap(), Received::End);
    assert_eq!(reader.dropped(), 30);
}

#[test]
fn every_capture_is_read_as_pcap_parser_and_capinfos_read_it() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            continue;
        }
        let (seen, error) = read(fs::File::open(&path).unwrap());
        assert!(error.is_none(), "{}: {error:?}", path.display());
        let packets: Vec<Vec<u8>> = seen.into_iter().map(|(_, _, bytes)| bytes).collect();
        assert_eq!(packets, ethernet_packets(&path), "{}", path.display());
        if let Some(printed) = peer::run("capinfos", &["-M", "-c", path.to_str().unwrap()]) {
            let count = format!("Number of packets:   {}\n", packets.len());
            assert!(printed.contains(&count), "{}: {printed}", path.display());
        }
        files += 1;
    }
    assert!(files > 0, "there is no capture");
}
