//! The same packets through tshark and editcap, compared frame by frame.

use std::fs;
use std::path::Path;
use std::process::Command;

use mirror_vxlan::decap::{Checksum, Decapsulator, Link, Strictness};

use crate::captures::{captures, ethernet_packets};
use crate::generated::{number, receiver};
use crate::traffic::{Mirrored, imix, wild};

/// The number of generated packets; `MIRROR_PACKETS` sets another: a million takes tshark minutes.
const PACKETS: usize = 20_000;

/// The number of packets in a file: tshark prints two letters for each of their bytes.
const IN_A_FILE: usize = 20_000;

/// The link-layer header types of capture files (LINKTYPE_*).
const LINKS: [(Link, u32); 5] = [
    (Link::Ethernet, 1),
    (Link::Ip, 101),
    (Link::LinuxCooked, 113),
    (Link::LinuxCooked2, 276),
    (Link::Loopback, 0),
];

/// What tshark makes of one packet: VNI, UDP source port and frame of the first VXLAN in it.
type Dissected = Option<(u32, u16, Vec<u8>)>;

#[test]
fn every_capture_gives_the_frames_that_tshark_sees() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let lenient =
        Decapsulator { strictness: Strictness::Lenient, checksum: Checksum::Ignore, ..receiver() };
    let mut frames = 0;
    for path in files(&folder) {
        let Some(dissected) = tshark(&path) else {
            println!("skipped: tshark is not installed");
            return;
        };
        let packets = ethernet_packets(&path);
        assert_eq!(dissected.len(), packets.len(), "{}", path.display());
        for (n, (packet, theirs)) in packets.iter().zip(dissected).enumerate() {
            let ours = outcome(&lenient, Link::Ethernet, packet);
            assert_eq!(ours, theirs, "packet {} of {}", n + 1, path.display());
            frames += usize::from(ours.is_some());
        }
    }
    println!("{frames} frames are those of tshark");
    assert!(frames >= 100);
}

#[test]
fn plain_captures_give_the_frames_that_editcap_leaves() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let chopped = scratch.path().join("chopped.pcap");
    let mut frames = 0;
    for path in files(&folder) {
        let Some(()) = chop(&path, &chopped) else { return };
        for (packet, left) in ethernet_packets(&path).iter().zip(ethernet_packets(&chopped)) {
            // editcap chops blindly, which is right only where the outer headers are 50 bytes.
            let Ok(ours) = receiver().packet(Link::Ethernet, packet) else { continue };
            if packet.len() - ours.frame.len() == 50 {
                assert_eq!(ours.frame, left, "{}", path.display());
                frames += 1;
            }
        }
    }
    println!("{frames} frames are those of editcap");
    assert!(frames >= 100);
}

#[test]
fn wild_traffic_gives_the_frames_that_tshark_sees() {
    let scratch = tempfile::tempdir().unwrap();
    for packets in files_of(wild(13)) {
        for (link, number) in LINKS {
            let of_link: Vec<&Mirrored> = packets.iter().filter(|it| it.link == link).collect();
            let path = scratch.path().join("wild.pcap");
            fs::write(&path, pcap(number, &of_link)).unwrap();
            let Some(dissected) = tshark(&path) else {
                println!("skipped: tshark is not installed");
                return;
            };
            assert_eq!(dissected.len(), of_link.len());
            for (mirrored, theirs) in of_link.iter().zip(dissected) {
                let ours = outcome(&receiver(), link, &mirrored.packet);
                assert_eq!(ours, theirs, "{link:?} {:02x?}", mirrored.packet);
            }
        }
    }
}

#[test]
fn busy_traffic_gives_the_frames_that_editcap_leaves() {
    let scratch = tempfile::tempdir().unwrap();
    let [whole, chopped] = ["whole.pcap", "chopped.pcap"].map(|name| scratch.path().join(name));
    for packets in files_of(imix(37)) {
        fs::write(&whole, pcap(1, &packets.iter().collect::<Vec<_>>())).unwrap();
        let Some(()) = chop(&whole, &chopped) else { return };
        let left = ethernet_packets(&chopped);
        assert_eq!(left.len(), packets.len());
        for (mirrored, left) in packets.iter().zip(left) {
            let ours = receiver().packet(Link::Ethernet, &mirrored.packet).unwrap();
            assert_eq!(ours.frame, left);
        }
    }
}

/// Returns as many packets as are asked for, in groups that go into one file each.
fn files_of(mut traffic: impl Iterator<Item = Mirrored>) -> impl Iterator<Item = Vec<Mirrored>> {
    let mut left = number("MIRROR_PACKETS", PACKETS);
    std::iter::from_fn(move || {
        let packets: Vec<Mirrored> = traffic.by_ref().take(left.min(IN_A_FILE)).collect();
        left -= packets.len();
        (!packets.is_empty()).then_some(packets)
    })
}

/// Has editcap remove 50 bytes from every packet, or prints that the test is skipped.
fn chop(path: &Path, chopped: &Path) -> Option<()> {
    let arguments = ["-C", "50", "-F", "pcap"];
    let Ok(done) = Command::new("editcap").args(arguments).args([path, chopped]).output() else {
        println!("skipped: editcap is not installed");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(())
}

fn outcome(receiver: &Decapsulator, link: Link, packet: &[u8]) -> Dissected {
    let decapsulated = receiver.packet(link, packet).ok()?;
    let vni = u32::from(decapsulated.session.vni);
    Some((vni, decapsulated.source_port, decapsulated.frame.to_vec()))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng"))
        .collect();
    files.sort();
    files
}

/// Dissects a file; returns `None` if tshark is not installed.
fn tshark(path: &Path) -> Option<Vec<Dissected>> {
    let fields = ["vxlan.vni", "udp.srcport", "udp.dstport", "udp.payload"];
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "separator=|", "-E", "aggregator=;", "-r"]).arg(path);
    for field in fields {
        command.args(["-e", field]);
    }
    let done = command.output().ok()?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).expect("tshark prints text");
    Some(text.lines().map(dissected).collect())
}

/// Reads one line of fields, each with a value for every layer that has it.
fn dissected(line: &str) -> Dissected {
    let fields: Vec<Vec<&str>> = line.split('|').map(|field| field.split(';').collect()).collect();
    let [vnis, sources, destinations, payloads] = &fields[..] else { panic!("{line}") };
    let vni = vnis[0].parse().ok()?;
    let layer = destinations.iter().position(|port| *port == "4789")?;
    let payload = bytes(payloads[layer]);
    let frame = payload.get(8..).filter(|frame| !frame.is_empty())?;
    Some((vni, sources[layer].parse().expect("a port"), frame.to_vec()))
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs =
        hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hexadecimal"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

/// A capture file in the byte order of x86, as the address family of a loopback device then is.
pub(crate) fn pcap(link: u32, packets: &[&Mirrored]) -> Vec<u8> {
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link]);
    for (second, mirrored) in (0..).zip(packets) {
        let captured = u32::try_from(mirrored.packet.len()).expect("short");
        file.extend(words(&[
            second,
            0,
            captured,
            captured + u32::try_from(mirrored.cut).expect("short"),
        ]));
        file.extend(&mirrored.packet);
    }
    file
}
