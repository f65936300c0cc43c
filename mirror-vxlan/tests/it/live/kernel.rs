//! The kernel's own vxlan device as a reference: it extracts the frames from the same datagrams.
//!
//! It is not a part of the receiver. Where the device hands on less, or something else, the page
//! "Comparison" of the book states it, and a test here shows it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Command, Stdio};

use etherparse::PacketBuilder;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::input::live::{LiveOptions, Method};
use mirror_vxlan::{Vni, wire};
use pcap_parser::traits::PcapReaderIterator as _;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};
use socket2::SockRef;

use super::contents::segment;
use super::network::{Checksum, INTERFACE, Network, Outer, PORT};
use super::{eventually, open_one, receive_while};
use crate::captures::{captures, vxlan_payloads};
use crate::generated::number;
use crate::traffic::{Mirrored, vxlan, wild};

/// Number of generated datagrams for each IP version; `MIRROR_PACKETS` sets another number.
const PACKETS: usize = 50_000;

/// Datagrams between two marks: fewer than the buffer of tcpdump holds.
const BETWEEN_MARKS: usize = 500;

/// How often the same datagrams are sent before a difference is believed.
const TRIES: usize = 5;

const DEVICE: &str = "tunnel";

const VNI: Vni = Vni::from_bytes([0, 0, 42]);

/// One vxlan device for all VNIs, and tcpdump on it.
struct Device<'n> {
    network: &'n Network,
    tcpdump: Child,
    frames: LegacyPcapReader<ChildStdout>,
}

impl<'n> Device<'n> {
    /// Makes the device with the kernel's default for GRO, or says that the test is skipped.
    fn new(network: &'n Network) -> Option<Self> {
        let device = format!("link add {DEVICE} address 02:00:00:00:00:77 type vxlan external");
        if !network.ip_on_receiver_succeeds(&format!("{device} dstport {PORT}")) {
            println!("skipped: the kernel has no vxlan device");
            return None;
        }
        // Without an address, the device sends nothing of its own.
        let up = format!("link set {DEVICE} addrgenmode none up");
        assert!(eventually(|| network.ip_on_receiver_succeeds(&up)), "ip {up}");
        let mut command = Command::new("tcpdump");
        command.args(["-i", DEVICE, "-n", "-U", "--immediate-mode", "-B", "131072"]);
        command.args(["-s", "65535", "-w", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut tcpdump) = network.receiver(|| command.spawn()) else {
            println!("skipped: tcpdump is not installed");
            return None;
        };
        let mut said = BufReader::new(tcpdump.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "tcpdump does not listen");
        }
        let frames = LegacyPcapReader::new(1 << 20, tcpdump.stdout.take().unwrap()).unwrap();
        Some(Self { network, tcpdump, frames })
    }

    /// Makes a device that merges no segments, on an interface that merges none either.
    fn without_gro(network: &'n Network) -> Option<Self> {
        let device = Self::new(network)?;
        network.set_gro(INTERFACE, "off")?;
        network.set_gro(DEVICE, "off")?;
        Some(device)
    }

    /// Sends datagrams and returns the frames that come out of the device.
    fn frames_of(&mut self, outer: Outer, payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for payloads in payloads.chunks(BETWEEN_MARKS) {
            // Over IPv6 the device accepts no datagram without a checksum.
            self.network.send_with(Checksum::Valid, outer, payloads);
            frames.append(&mut self.frames_before_a_mark());
        }
        frames
    }

    /// Sends a frame that nothing else sends, and returns the frames that arrive before it.
    fn frames_before_a_mark(&mut self) -> Vec<Vec<u8>> {
        let mark = [&[2; 12], &[0x88, 0xb6][..], b"nothing more"].concat();
        self.network.send(Outer::V4, [vxlan(Vni::MAX, &mark)]);
        let mut frames = Vec::new();
        while frames.last() != Some(&mark) {
            match self.frames.next() {
                Ok((length, block)) => {
                    if let PcapBlockOwned::Legacy(packet) = block {
                        frames.push(packet.data.to_vec());
                    }
                    self.frames.consume(length);
                }
                Err(PcapError::Incomplete(_)) => self.frames.refill().unwrap(),
                Err(error) => panic!("{error}"),
            }
        }
        frames.pop();
        frames
    }
}

impl Drop for Device<'_> {
    fn drop(&mut self) {
        self.tcpdump.kill().unwrap();
        self.tcpdump.wait().unwrap();
        self.network.ip_on_receiver(&format!("link delete {DEVICE}"));
    }
}

/// Returns the frame that the receiver hands on from a payload.
fn frame(payload: &[u8]) -> Option<&[u8]> {
    let source = Outer::V4.sender();
    Decapsulator::default().datagram(source, 0, PORT, payload).ok().map(|it| it.frame)
}

/// Returns whether the device hands on the frame in this payload: no reserved bit is set, and no header is
/// truncated.
fn is_for_the_device(payload: &[u8]) -> bool {
    let Ok(wire::Datagram { frame, .. }) = wire::parse_strict(payload) else { return false };
    let needed = match frame.get(12..14) {
        Some([0x81, 0x00] | [0x88, 0xa8]) => 14 + 4 + 2, // a tag, and two bytes after it
        Some([0x08, 0x00]) => 14 + 20,
        Some([0x86, 0xdd]) => 14 + 40,
        Some(_) | None => 14,
    };
    frame.len() >= needed
}

/// Compares what the receiver and the device hand on, and returns how many frames both hand on.
#[track_caller]
fn compare(network: &Network, outer: Outer, payloads: &[Vec<u8>]) -> Option<usize> {
    let mut device = Device::without_gro(network)?;
    let mut count = 0;
    for payloads in payloads.chunks(BETWEEN_MARKS) {
        let both: Vec<&[u8]> = payloads
            .iter()
            .filter(|payload| is_for_the_device(payload))
            .map(|payload| frame(payload).expect("the receiver takes what the device takes"))
            .collect();
        // On a busy machine the kernel may lose a frame; a real difference persists.
        let agrees = (0..TRIES).any(|_| device.frames_of(outer, payloads) == both);
        assert!(agrees, "{outer:?}: {TRIES} times not what is in {payloads:02x?}");
        count += both.len();
    }
    let ours = payloads.iter().filter(|payload| frame(payload).is_some()).count();
    println!("{outer:?}: {count} frames of both, {} of the receiver only", ours - count);
    Some(count)
}

#[test]
fn every_capture_gives_the_frames_that_the_kernel_takes_out() {
    let Some(folder) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let Some(network) = Network::new() else { return };
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_capture = |end: &std::ffi::OsStr| end == "pcap" || end == "pcapng";
    paths.retain(|path| path.extension().is_some_and(is_capture));
    let mut payloads: Vec<Vec<u8>> = paths.iter().flat_map(|path| vxlan_payloads(path)).collect();
    payloads.retain(|payload| payload.len() < 9_000); // longer ones do not fit the cable
    for outer in Outer::ALL {
        let Some(frames) = compare(&network, outer, &payloads) else { return };
        assert!(frames > 150, "{frames}");
    }
}

#[test]
fn generated_traffic_gives_the_frames_that_the_kernel_takes_out() {
    let Some(network) = Network::new() else { return };
    let count = number("MIRROR_PACKETS", PACKETS);
    for (outer, seed) in Outer::ALL.into_iter().zip(21..) {
        let payload = |it: Mirrored| vxlan(it.session.vni, &it.frame);
        let payloads: Vec<Vec<u8>> = wild(seed).take(count).map(payload).collect();
        let Some(frames) = compare(&network, outer, &payloads) else { return };
        assert!(frames > count / 2 && frames < count, "{frames}");
    }
}

/// Returns an IPv4 frame with the given two bits for congestion.
fn frame_with_ecn(ecn: u8) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    builder.udp(40_000, 53).write(&mut frame, b"what is mirrored").unwrap();
    frame[15] = ecn;
    frame
}

#[test]
fn the_kernel_drops_what_rfc_7348_accepts_and_the_receiver_hands_it_on() {
    let Some(network) = Network::new() else { return };
    let whole = frame_with_ecn(0);
    let with_header = |header: [u8; 8]| [&header[..], &whole].concat();
    let tagged =
        |length: usize| [&[2; 12], &[0x81, 0, 0, 7, 8, 0, 0x45, 0][..]].concat()[..length].to_vec();
    let own = [&[2; 6], &[2, 0, 0, 0, 0, 0x77][..], &whole[12..]].concat();
    let datagrams = [
        ("a reserved flag", with_header([0x88, 0, 0, 0, 0, 0, 42, 0])),
        ("a reserved byte", with_header([0x08, 0, 1, 0, 0, 0, 42, 0])),
        ("the last byte", with_header([0x08, 0, 0, 0, 0, 0, 42, 1])),
        ("a frame of 13 bytes", vxlan(VNI, &whole[..13])),
        ("a tag and one byte", vxlan(VNI, &tagged(19))),
        ("an IPv4 header of 19 bytes", vxlan(VNI, &whole[..14 + 19])),
        ("a frame from the device's own address", vxlan(VNI, &own)),
    ];
    let (names, payloads): (Vec<&str>, Vec<Vec<u8>>) = datagrams.into_iter().unzip();
    let Some(mut device) = Device::without_gro(&network) else { return };
    for (name, payload) in names.iter().zip(payloads) {
        let sent = payload[wire::HEADER_LEN..].to_vec();
        assert_eq!(frame(&payload), Some(&sent[..]), "{name}");
        // The host itself may send something there.
        assert!(!device.frames_of(Outer::V4, &[payload]).contains(&sent), "{name}");
    }
    let accepted = [vxlan(VNI, &whole[..34]), vxlan(VNI, &tagged(20))];
    let mut taken = device.frames_of(Outer::V4, &accepted);
    taken.retain(|taken| accepted.iter().any(|sent| sent[wire::HEADER_LEN..] == taken[..]));
    assert_eq!(taken.len(), 2);
}

#[test]
fn congestion_on_the_way_changes_no_frame_of_the_receiver_but_those_of_the_kernel() {
    const CONGESTION_MET: u32 = 3;
    const SENT: usize = 2 * BETWEEN_MARKS;
    let Some(network) = Network::new() else { return };
    let frames: [Vec<u8>; 2] = [0, 2].map(frame_with_ecn);
    let send = || {
        network.sender(|| {
            let socket = UdpSocket::bind((Outer::V4.sender(), 0)).unwrap();
            SockRef::from(&socket).set_tos_v4(CONGESTION_MET).unwrap();
            for n in 0..SENT {
                let payload = vxlan(VNI, &frames[n % 2]);
                socket.send_to(&payload, (Outer::V4.receiver(), PORT)).unwrap();
            }
        });
    };
    let mut input = open_one(&network, &LiveOptions::default(), Method::Ring);
    let seen = receive_while(&mut input, send);
    let ours: Vec<&[u8]> = seen.iter().filter_map(|seen| frame(&seen.payload)).collect();
    assert!(ours.len() == SENT && ours.chunks(2).all(|pair| pair == frames));
    drop(input);

    let Some(mut device) = Device::without_gro(&network) else { return };
    send();
    let mut theirs = device.frames_before_a_mark();
    theirs.retain(|frame| frame[..12] == frames[0][..12]); // not what the host itself sends there
    // The frame of a sender that does not support ECN is dropped; in the other, congestion is marked.
    let is_marked = |frame: &Vec<u8>| u32::from(frame[15]) == CONGESTION_MET;
    let unmarked: Vec<_> = theirs.iter().filter(|frame| !is_marked(frame)).collect();
    assert_eq!((theirs.len(), unmarked), (SENT / 2, Vec::new()));
}

/// A test in `contents` shows that the receiver hands them on one by one, on the same interface.
#[test]
fn with_gro_the_kernel_merges_segments() {
    let Some(network) = Network::new() else { return };
    let segments: Vec<Vec<u8>> = (0..20_000).map(segment).collect();
    let Some(mut device) = Device::new(&network) else { return };
    let Some(()) = network.merge_segments() else { return };
    let theirs = device.frames_of(Outer::V4, &segments);
    let longest = theirs.iter().map(Vec::len).max().unwrap();
    println!("{} frames of the kernel, the longest of {longest} bytes", theirs.len());
    assert!(theirs.len() < segments.len() && longest > 2 * segments[0].len());
}
