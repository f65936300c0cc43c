//! Suricata as a judge: in our files and on our TAP device it sees the same flows as its own VXLAN
//! decoder sees in the mirrored traffic.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use mirror_vxlan::Vni;
use mirror_vxlan::batch::Batch;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::offline::{Place, Task, decap};
use mirror_vxlan::receive::{Everything, Receiver};
use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::tap::Tap;
use mirror_vxlan::sink::{Delivery, Sink};
use mirror_vxlan::tap::MTU;
use mirror_vxlan::wire::UDP_PORT;
use serde_json::Value;

use crate::captures::{AWS, captures, vxlan_payloads};
use crate::payloads::{NOW, Payloads};
use crate::tap::in_namespace;
use crate::traffic::{Mirrored, imix};
use crate::tshark::pcap;

const DEVICE: &str = "mirror0";

/// The destination ports of two marks: a frame before all others, and one after them.
const MARKS: [u16; 2] = [7, 9];

const CONFIGURATION: &str = r#"%YAML 1.1
---
outputs: [{eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow, alert]}}]
decoder: {vxlan: {enabled: true, ports: "4789"}}
capture: {disable-offloading: false}
af-packet: [{interface: mirror0, threads: 1, cluster-id: 99, cluster-type: cluster_flow,
             ring-size: 20000}]
vars: {address-groups: {HOME_NET: any, EXTERNAL_NET: any}}
"#;

/// What each end of a flow sent: packets, and their bytes without Ethernet headers.
type Sizes = [[u64; 2]; 2];

/// Flows by their ends, ports, protocol and VLAN.
type Flows = BTreeMap<String, Sizes>;

/// How Suricata counts the length of packets.
#[derive(Clone, Copy)]
enum Counted {
    /// As on the link.
    Frames,
    /// Without the Ethernet header, which its VXLAN decoder leaves out.
    WithoutEthernet,
}

/// Prepares a run that logs to `folder`.
fn suricata(folder: &Path) -> Command {
    let configuration = folder.join("suricata.yaml");
    fs::write(&configuration, CONFIGURATION).unwrap();
    let rules = folder.join("marks.rules");
    fs::write(&rules, format!("alert udp any any -> any {MARKS:?} (msg:\"a mark\"; sid:1;)\n"))
        .unwrap();
    let mut command = Command::new("suricata");
    command.arg("-c").arg(configuration).arg("-S").arg(rules).arg("-l").arg(folder);
    command.args(["-k", "none"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the flows in a capture file, or prints that the test is skipped.
fn flows_in(capture: &Path, counted: Counted) -> Option<Flows> {
    let folder = tempfile::tempdir().unwrap();
    let output =
        match suricata(folder.path()).args(["--runmode", "single", "-r"]).arg(capture).output() {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: suricata is not installed");
                return None;
            }
            Err(error) => panic!("suricata: {error}"),
        };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("Error"), "suricata: {said}");
    Some(flows(folder.path(), counted))
}

/// Reads the flows that were logged, except those of the tunnel itself and of the marks.
fn flows(folder: &Path, counted: Counted) -> Flows {
    let mut flows = Flows::new();
    for event in events(folder).iter().filter(|event| event["event_type"] == "flow") {
        let flow = &event["flow"];
        let is_of = |port: &u16| event["dest_port"] == *port;
        let is_of_the_host = event["proto"] == "IPv6-ICMP"; // the host looks for routers on a TAP device
        if is_of(&UDP_PORT) || MARKS.iter().any(is_of) || is_of_the_host {
            continue;
        }
        let [[packets, bytes], [answers, answered]] =
            [["pkts_toserver", "bytes_toserver"], ["pkts_toclient", "bytes_toclient"]]
                .map(|fields| fields.map(|field| flow[field].as_u64().unwrap()));
        let header = match counted {
            Counted::Frames => 14,
            Counted::WithoutEthernet => 0,
        };
        let mut sizes =
            [[packets, bytes - header * packets], [answers, answered - header * answers]];
        let mut ends = [["src_ip", "src_port"], ["dest_ip", "dest_port"]]
            .map(|fields| fields.map(|field| event[field].to_string()).join(" "));
        // Once a flow has been idle for long, the end that counts as the first to speak may differ.
        if ends[0] > ends[1] {
            ends.reverse();
            sizes.reverse();
        }
        let name = format!("{} {} {} {}", ends[0], ends[1], event["proto"], event["vlan"]);
        for (sum, size) in flows.entry(name).or_default().iter_mut().zip(sizes) {
            *sum = [sum[0] + size[0], sum[1] + size[1]];
        }
    }
    flows
}

/// Returns the events in the complete lines of the log.
fn events(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("eve.json")).unwrap_or_default();
    let whole = text.lines().filter(|line| line.ends_with('}'));
    whole.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Returns the mirrored traffic to examine: a capture from AWS if there is one, and generated packets.
fn traffic(folder: &Path) -> Vec<PathBuf> {
    let generated: Vec<Mirrored> = imix(31).take(2_000).collect();
    let path = folder.join("generated.pcap");
    fs::write(&path, pcap(1, &generated.iter().collect::<Vec<_>>())).unwrap();
    captures().map(|captures| captures.join(AWS)).into_iter().chain([path]).collect()
}

#[test]
fn the_files_have_the_flows_that_suricata_sees_in_the_vxlan() {
    let folder = tempfile::tempdir().unwrap();
    for capture in traffic(folder.path()) {
        let Some(expected) = flows_in(&capture, Counted::WithoutEthernet) else { return };
        assert!(expected.len() >= 13, "{expected:?}");
        for name in ["frames.pcapng", "frames.pcap"] {
            let frames = folder.path().join(name);
            let task = Task::new(vec![Place::File(capture.clone())], Place::File(frames.clone()));
            decap(&task, |frame| Ok(frame.bytes.len()), |_| None).unwrap();
            assert_eq!(flows_in(&frames, Counted::Frames), Some(expected.clone()), "{name}");
        }
        if capture.ends_with(AWS) {
            assert_eq!(expected.len(), 13);
            assert_eq!(expected.values().flatten().map(|[packets, _]| packets).sum::<u64>(), 100);
        }
    }
}

/// Suricata on the device; it does not outlive the test.
struct Listening {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Listening {
    /// Starts it, and returns once it sees what is written to the device.
    fn start(device: &mut Tap) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = suricata(folder.path());
        command.args(["--runmode", "workers", "--af-packet"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let listening = Self { child, folder };
        listening.wait_for(MARKS[0], || {
            let _refused = device.deliver(&mark(MARKS[0]));
        });
        listening
    }

    /// Waits until it has seen the mark to a port, with a bound that only a hanging program reaches.
    #[track_caller]
    fn wait_for(&self, port: u16, mut each_time: impl FnMut()) {
        let is_mark = |event: &Value| event["event_type"] == "alert" && event["dest_port"] == port;
        for _ in 0..600 {
            if events(self.folder.path()).iter().any(is_mark) {
                return;
            }
            each_time();
            sleep(Duration::from_millis(50));
        }
        panic!("suricata does not see the frame to port {port}");
    }

    /// Ends it and returns the flows that it has seen.
    fn end(mut self) -> Flows {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        flows(self.folder.path(), Counted::Frames)
    }
}

/// The device, to which both the test and the receiver write.
struct Shared(Arc<Mutex<Tap>>);

impl Sink for Shared {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        self.0.lock().unwrap().deliver(batch)
    }
}

/// Makes a batch of one frame, to a port that nothing else is sent to.
fn mark(port: u16) -> Batch {
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(port, port)
        .write(&mut bytes, b"a mark")
        .unwrap();
    let session = Session { vni: Vni::MIN, source: [10, 0, 0, 7].into() };
    let sessions = Arc::new(Sessions::default());
    let id = sessions.number(session).unwrap();
    let mut batch = Batch::with_capacity(1000, sessions);
    let original_len = u32::try_from(bytes.len()).unwrap();
    batch.push(id, &Frame { time: NOW, session, bytes: &bytes, original_len }).unwrap();
    batch
}

#[test]
fn the_tap_device_has_the_flows_that_suricata_sees_in_the_vxlan() {
    in_namespace(|| {
        let folder = tempfile::tempdir().unwrap();
        for capture in traffic(folder.path()) {
            let Some(expected) = flows_in(&capture, Counted::WithoutEthernet) else { return };
            let payloads = vxlan_payloads(&capture);
            let sent = payloads.len() as u64;
            let tap = Arc::new(Mutex::new(Tap::open(DEVICE.parse().unwrap(), MTU).unwrap()));
            let suricata = Listening::start(&mut tap.lock().unwrap());
            let account = Receiver::new(Decapsulator::default(), Everything)
                .input("memory", Payloads::new(payloads))
                .sink("tap", Shared(Arc::clone(&tap)))
                .start()
                .unwrap()
                .join();
            assert_eq!(account.sinks[0].counts.delivered.count, sent);
            suricata.wait_for(MARKS[1], || {
                let _refused = tap.lock().unwrap().deliver(&mark(MARKS[1]));
            });
            assert_eq!(suricata.end(), expected, "{}", capture.display());
        }
    });
}
