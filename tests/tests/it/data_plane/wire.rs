//! The wire between a mirrored interface and its receivers: the outer packets of the data plane, as they are, from
//! one network namespace to another, where the real `mirror-vxlan` receives them. On loopback the kernel
//! writes the outer headers; here each byte of them is the data plane's own.
//!
//! The test needs root, iproute2 and python3, and reports that when it is skipped.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use mirror_local::data_plane::{Carried, DataPlane, Fate, Sighting};
use mirror_local::traffic::{Host, Mix, Timed};
use mirror_tests::{REGION, Rig, lab};
use mirror_vxlan::capture::read::{CaptureReader, Record};
use mirror_vxlan::input::Received;

/// Bytes of IPv4, UDP and VXLAN.
const WRAPPING: usize = 36;

/// Sends the Ethernet frames that it reads, each preceded by its length in two bytes.
const SEND: &str = "
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('wire', 0))
while length := sys.stdin.buffer.read(2):
    wire.send(sys.stdin.buffer.read(int.from_bytes(length, 'big')))
";

/// Two namespaces with a veth pair between them, removed when the test ends.
struct Wire {
    sources: String,
    receivers: String,
}

impl Wire {
    /// The addresses of the two ends: frames go from the first to the second.
    const LINK: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

    /// Connects the mirrored side with receivers at these addresses, or prints why the test is skipped.
    fn between(sources: &str, receivers: impl Iterator<Item = Ipv4Addr>) -> Option<Self> {
        let name = |end: &str| format!("mirror-wire-{}-{end}", std::process::id());
        let wire = Self { sources: name("sources"), receivers: name("receivers") };
        if !succeeds("ip", &format!("netns add {}", wire.sources)) || !succeeds("python3", "-V") {
            println!("skipped: network namespaces need root and iproute2, raw frames python3");
            return None;
        }
        let Self { sources: near, receivers: far } = &wire;
        ip(&format!("netns add {far}"));
        ip(&format!(
            "-n {near} link add wire address 02:00:00:00:00:01 mtu 9500 type veth \
             peer name wire netns {far} address 02:00:00:00:00:02 mtu 9500"
        ));
        for end in [near, far] {
            ip(&format!("-n {end} link set lo up"));
            ip(&format!("-n {end} link set wire up"));
        }
        for address in receivers {
            ip(&format!("-n {far} addr add {address}/32 dev wire"));
        }
        // Packets from a source to which there is no route back may be dropped.
        ip(&format!("-n {far} route add {sources} dev wire"));
        Some(wire)
    }

    /// Sends packets, each in a frame.
    fn send(&self, packets: &[Vec<u8>]) {
        let mut sender = Command::new("ip")
            .args(["netns", "exec", &self.sources, "python3", "-c", SEND])
            .stdin(Stdio::piped())
            .spawn()
            .expect("there is a namespace");
        let mut frames = sender.stdin.take().expect("it is piped");
        let [from, to] = Self::LINK;
        for packet in packets {
            let frame = [&to[..], &from, &[0x08, 0x00], packet].concat();
            let length = u16::try_from(frame.len()).expect("no frame is so long");
            frames.write_all(&[&length.to_be_bytes()[..], &frame].concat()).expect("it reads");
        }
        drop(frames);
        assert!(sender.wait().expect("it was started").success());
    }

    /// Starts the receiving program, and waits until it listens.
    fn receive(&self, program: &Path, folder: &Path) -> Receiver {
        let started = Command::new("ip")
            .args(["netns", "exec", &self.receivers])
            .arg(program)
            .args(["receive", "--input", "udp", "--workers", "1", "--pcapng"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let receiver = Receiver(started.expect("there is a namespace"));
        wait_until(|| !receiver.sockets().is_empty());
        receiver
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for namespace in [&self.sources, &self.receivers] {
            succeeds("ip", &format!("netns delete {namespace}"));
        }
    }
}

fn ip(arguments: &str) {
    assert!(succeeds("ip", arguments), "ip {arguments}");
}

fn succeeds(program: &str, arguments: &str) -> bool {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The program that receives.
struct Receiver(Child);

impl Receiver {
    /// The number of bytes waiting in each of its sockets.
    fn sockets(&self) -> Vec<u64> {
        let tables = ["udp", "udp6"].map(|of| format!("/proc/{}/net/{of}", self.0.id()));
        let tables =
            tables.map(|table| std::fs::read_to_string(table).unwrap_or_default()).concat();
        let fields = tables.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = fields.filter(|fields| fields.get(1).is_some_and(|it| it.ends_with(":12B5")));
        let waiting =
            |fields: Vec<&str>| fields.get(4)?.split_once(':').map(|(_, it)| it.to_owned());
        ours.filter_map(waiting).filter_map(|hex| u64::from_str_radix(&hex, 16).ok()).collect()
    }

    /// Waits until the program has read everything, and tells it to stop.
    fn end(mut self) {
        wait_until(|| self.sockets().iter().all(|waiting| *waiting == 0));
        assert!(succeeds("kill", &format!("-TERM {}", self.0.id())));
        assert!(self.0.wait().expect("it was started").success());
    }
}

/// A test that fails leaves no process running.
impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("nothing changes any more");
}

/// The receiver's program, which cargo builds for the receiver's own tests, beside this test.
fn program() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let program = test.parent()?.parent()?.join("mirror-vxlan");
    program.is_file().then_some(program)
}

/// All frames in the captures of a folder, sorted.
fn delivered(folder: &Path) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it was written to") {
        let mut reader = CaptureReader::open(&entry.expect("it can be listed").path()).unwrap();
        let mut each = |record: Record<'_>| frames.push(record.bytes.to_vec());
        while reader.records(&mut each).expect("the capture is whole") != Received::End {}
    }
    frames.sort();
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_data_plane_sends_arrives_over_a_real_wire() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let mut plane = DataPlane::of(&rig.cloud, REGION, 9001).unwrap();
    let source = plane.interfaces().iter().find(|it| !it.sessions().is_empty()).unwrap();
    let host = Host { address: source.primary(), resolver: [10, 0, 0, 2].into() };
    let addresses: Vec<Ipv4Addr> = plane.receivers().iter().map(|it| it.address()).collect();
    let (mut packets, mut shares) = (Vec::new(), BTreeMap::<usize, u32>::new());
    for Timed { time, frame } in Mix::new(3, vec![host]).take(4_000) {
        plane.offer(time, &frame, |Sighting { fate, .. }| {
            if let Fate::Mirrored(copy) = fate
                && let Carried::To(receiver) = copy.carried
            {
                *shares.entry(receiver).or_default() += 1;
                // The load balancer keeps the source and replaces its own address with the receiver's.
                packets.push(to(copy.packet, addresses[receiver]));
            }
        });
    }
    assert!(shares.len() == 2 && packets.len() > 1_000, "{shares:?}");
    let Some(program) = program() else {
        return println!("skipped: `mirror-vxlan` is not built: cargo build --workspace");
    };
    let Some(wire) = Wire::between("10.0.1.0/24", addresses.into_iter()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let receiver = wire.receive(&program, folder.path());
    wire.send(&packets);
    receiver.end();
    let mut sent: Vec<Vec<u8>> = packets.iter().map(|it| it[WRAPPING..].to_vec()).collect();
    sent.sort();
    assert!(sent == delivered(folder.path()), "other frames arrived than were sent");
    println!("{} frames over a veth, byte for byte", sent.len());
}

/// The packet with another destination, and the header checksum that goes with it.
fn to(packet: &[u8], destination: Ipv4Addr) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[16..20].copy_from_slice(&destination.octets());
    packet[10..12].fill(0);
    let words = packet[..20].chunks_exact(2);
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = u16::try_from((folded & 0xffff) + (folded >> 16)).expect("it is folded");
    packet[10..12].copy_from_slice(&(!folded).to_be_bytes());
    packet
}
