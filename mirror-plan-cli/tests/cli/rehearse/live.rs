//! Live traffic: the hosts of a bridge in a network namespace of the test's own, and a TAP device on that bridge.
//!
//! The test needs root, iproute2 and python3, and reports that where it is skipped.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use mirror_vxlan::capture::read::{CaptureReader, Record};
use mirror_vxlan::input::Received;
use serde_json::Value as Json;

use super::{LAB, json, number};
use crate::{Folder, shown};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lab.pcap");

/// Reads Ethernet frames, each preceded by its length in two bytes, and sends them.
const SEND: &str = "
import socket, sys
host = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
host.bind(('host', 0))
while length := sys.stdin.buffer.read(2):
    host.send(sys.stdin.buffer.read(int.from_bytes(length, 'big')))
";

/// A network namespace with a bridge and a host on it, removed when the test ends.
struct Hub(String);

impl Hub {
    /// Creates it, where that is possible.
    fn make(name: &str) -> Option<Self> {
        let hub = Self(format!("mirror-{name}-{}", std::process::id()));
        let is_there = succeeds("python3", "-V")
            && succeeds("ip", &format!("netns add {}", hub.0))
            // With IPv6, the host would send packets of its own to discover its neighbours.
            && hub.runs("sysctl -q net.ipv6.conf.default.disable_ipv6=1")
            // A bridge that learns no addresses sends every frame to every port.
            && hub.runs("ip link add hub mtu 9001 type bridge ageing_time 0 mcast_snooping 0");
        if !is_there {
            return None;
        }
        assert!(hub.runs("ip link add host mtu 9001 type veth peer name port mtu 9001"));
        assert!(hub.runs("ip link set port master hub"));
        for device in ["lo", "host", "port", "hub"] {
            assert!(hub.runs(&format!("ip link set {device} up")));
        }
        Some(hub)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).args(arguments.split(' '));
        command
    }

    fn runs(&self, command: &str) -> bool {
        let mut command = self.command(command);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Sends frames from the host.
    fn send(&self, frames: &[Vec<u8>]) {
        let mut command = self.command("python3 -c");
        let mut sender =
            command.arg(SEND).stdin(Stdio::piped()).spawn().expect("there is a namespace");
        let mut to = sender.stdin.take().expect("it is piped");
        for frame in frames {
            let length = u16::try_from(frame.len()).expect("no frame is so long");
            to.write_all(&[&length.to_be_bytes()[..], frame].concat()).expect("it reads");
        }
        drop(to);
        assert!(sender.wait().expect("it was started").success());
    }

    /// Starts a rehearsal of the lab, and puts its TAP device on the bridge.
    fn rehearse(&self, folder: &Folder, arguments: &str) -> Rehearsal {
        let rehearse = folder.command(&format!("rehearse --offline --tap tap0 --json {arguments}"));
        let mut command = self.command(env!("CARGO_BIN_EXE_mirror"));
        command.args(rehearse.get_args()).current_dir(folder.path());
        let (stdout, stderr) = (Stdio::piped(), Stdio::piped());
        let mut child =
            command.stdout(stdout).stderr(stderr).spawn().expect("there is a namespace");
        let mut notes = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        while !line.starts_with("Reading from TAP device `tap0`") {
            line.clear();
            assert_ne!(
                notes.read_line(&mut line).expect("it is text"),
                0,
                "it ended before its time"
            );
        }
        let rehearsal = Rehearsal { child: Some(child), notes };
        assert!(self.runs("ip link set tap0 master hub"));
        rehearsal
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        succeeds("ip", &format!("netns delete {}", self.0));
    }
}

/// A rehearsal that is running; it is not left behind if its test fails.
struct Rehearsal {
    child: Option<Child>,
    notes: BufReader<ChildStderr>,
}

impl Rehearsal {
    fn interrupt(&self) {
        let child = self.child.as_ref().expect("it is under way");
        assert!(succeeds("kill", &format!("-INT {}", child.id())));
    }

    fn end(mut self) -> Json {
        let child = self.child.take().expect("it is under way");
        let mut output: Output = child.wait_with_output().expect("it was started");
        self.notes.read_to_end(&mut output.stderr).expect("it is a pipe");
        assert!(output.status.success(), "{}", shown(&output));
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn succeeds(program: &str, arguments: &str) -> bool {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The frames of the lab's capture, with zeros for what its snap length cut off.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut reader = CaptureReader::open(CAPTURE.as_ref()).expect("it is of the examples");
    let mut each = |record: Record<'_>| {
        let mut frame = record.bytes.to_vec();
        frame.resize(record.original_len as usize, 0);
        frames.push(frame);
    };
    while reader.records(&mut each).expect("it is whole") != Received::End {}
    frames
}

#[test]
fn what_the_hosts_of_a_bridge_send_is_rehearsed_as_a_capture_of_it_is() {
    let Some(hub) = Hub::make("live") else {
        return println!("skipped: it needs root, iproute2 with bridges, and python3");
    };
    let folder = Folder::with(LAB);
    let eni = "--eni instance.source-instance=10.0.1.10";
    let mut told = json(&folder, &format!("rehearse --offline --pcap {CAPTURE} {eni}"));
    assert_eq!(number(&told, "/packets/packets"), 200);

    let rehearsal = hub.rehearse(&folder, eni);
    hub.send(&frames());
    // The bridge takes a moment.
    sleep(Duration::from_millis(500));
    rehearsal.interrupt();
    let mut live = rehearsal.end();
    assert_eq!(live["traffic"], serde_json::json!({ "tap": "tap0" }));
    for it in [&mut told, &mut live] {
        it["traffic"].take();
        it["packets"]["nanoseconds"].take();
    }
    assert_eq!(live, told, "live as from a capture");

    let rehearsal = hub.rehearse(&folder, &format!("--packets 50 {eni}"));
    hub.send(&frames());
    assert_eq!(number(&rehearsal.end(), "/packets/packets"), 50);
}
