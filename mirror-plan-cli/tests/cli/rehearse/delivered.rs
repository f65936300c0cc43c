//! What receivers deliver, stored and then read by other programs: Suricata and tshark see the flows that the trace
//! predicts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::super::{Folder, assert_shown, shown};
use super::{json, number};

/// A source whose web and log traffic goes to two receivers.
const STACK: &str = r#"
stack "small" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }
subnet "lab" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
security_group "all" {
  vpc     = vpc.lab
  ingress = [{ protocol = "all", cidrs = ["10.0.0.0/16", "198.51.100.0/24"] }]
}
instance "web" {
  instance_type   = "t3.micro"
  subnet          = subnet.lab
  private_ip      = "10.0.1.5"
  security_groups = [security_group.all]
}
instance "sensor" {
  count           = 2
  instance_type   = "t3.micro"
  subnet          = subnet.lab
  security_groups = [security_group.all]
}
target_group "sensors" {
  vpc          = vpc.lab
  health_check = { protocol = "tcp", port = 80 }
  targets      = instance.sensor
}
load_balancer "sensors" {
  subnets   = [subnet.lab]
  listeners = [{ port = 4789, target_group = target_group.sensors }]
}
mirror_target "sensors" { load_balancer = load_balancer.sensors }
mirror_filter "web" {
  rules = [
    { number = 10, action = "reject", protocol = "tcp", port = 22 },
    { number = 100, action = "accept", protocol = "tcp" },
    { number = 110, action = "accept", direction = "egress", protocol = "udp", destination_port = 514 },
  ]
}
mirror_session "web" {
  source = instance.web
  target = mirror_target.sensors
  filter = mirror_filter.web
  number = 1
  vni    = 4242
}
"#;

const SURICATA: &str = r#"%YAML 1.1
---
outputs: [{eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow]}}]
vars: {address-groups: {HOME_NET: any, EXTERNAL_NET: any}}
"#;

type End = ([u8; 4], u16);

const WEB: End = ([10, 0, 1, 5], 443);

/// An Ethernet frame that contains an IPv4 packet.
fn frame(protocol: u8, (from, to): (End, End), rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(24 + rest.len()).expect("a frame is short");
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0];
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    frame.extend([from.0, to.0].concat());
    frame.extend([from.1.to_be_bytes(), to.1.to_be_bytes()].concat());
    frame.extend(rest);
    frame
}

/// A TCP segment; only its flags matter here.
fn tcp(ends: (End, End), flags: u8) -> Vec<u8> {
    frame(6, ends, &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 255, 255, 0, 0, 0, 0])
}

/// A capture of web connections, a few of SSH, and lines of a log, each of them a flow of its own.
fn capture() -> Vec<u8> {
    let mut frames = Vec::new();
    for port in 40_000..40_060 {
        let client = ([198, 51, 100, 9], port);
        for (ends, flags) in [((client, WEB), 0x02), ((WEB, client), 0x12), ((client, WEB), 0x10)] {
            frames.push(tcp(ends, flags));
        }
        if port % 5 == 0 {
            frames.push(tcp((client, (WEB.0, 22)), 0x02));
        }
        if port % 2 == 0 {
            let line = frame(
                17,
                ((WEB.0, port), ([198, 51, 100, 7], 514)),
                &[0, 12, 0, 0, 60, 49, 62, 46],
            );
            frames.push(line);
        }
    }
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    for (at, frame) in (0..).zip(frames) {
        let length = u32::try_from(frame.len()).expect("a frame is short");
        file.extend(words(&[at, 0, length, length]));
        file.extend(frame);
    }
    file
}

/// A rehearsal that has stored what receivers deliver in the folder `out`.
fn rehearsed() -> (Folder, Vec<PathBuf>) {
    let folder = Folder::with(STACK);
    fs::write(folder.path().join("web.pcap"), capture()).expect("the folder can be written");
    let it = json(&folder, "rehearse --offline --pcap web.pcap --out out");
    assert_eq!((number(&it, "/sums/delivered"), number(&it, "/sums/lost")), (180 + 30, 0));
    let entries = fs::read_dir(folder.path().join("out")).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    (folder, files)
}

/// How many flows the trace predicts, by the port that they go to.
fn foretold(folder: &Folder) -> BTreeMap<u64, u64> {
    let output =
        folder.command("trace --offline --pcap web.pcap --json").output().expect("mirror runs");
    let it: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", shown(&output)));
    let mut interfaces = it["after"]["interfaces"].as_array().expect("a list").iter();
    let web =
        interfaces.find(|interface| interface["interface"] == "instance.web").expect("it is there");
    let rules = web.pointer("/sessions/0/rules").and_then(Json::as_array).expect("it has rules");
    let flows = |direction: &str, rule: u64| {
        let mut all = rules.iter();
        let is_it = |it: &&Json| it["direction"] == direction && it["number"] == rule;
        let rule = all.find(is_it).expect("the rule is there");
        assert_eq!(rule["flows_estimated"], false);
        number(rule, "/flows")
    };
    // A connection is one flow, in both directions.
    assert_eq!(flows("ingress", 100), flows("egress", 100));
    [(443, flows("ingress", 100)), (514, flows("egress", 110))].into()
}

/// Returns what a program prints; `None` where it is not installed.
fn run(command: &mut Command) -> Option<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        output => {
            let output = output.expect("it runs");
            assert!(output.status.success(), "{program}: {}", shown(&output));
            Some(String::from_utf8(output.stdout).expect("text"))
        }
    }
}

/// How many flows Suricata logs of a capture file, by the port that they go to.
fn by_suricata(capture: &Path) -> Option<BTreeMap<u64, u64>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let configuration = folder.path().join("suricata.yaml");
    fs::write(&configuration, SURICATA).expect("it can be written");
    let mut command = Command::new("suricata");
    command.arg("-c").arg(configuration).arg("-l").arg(folder.path()).arg("-r").arg(capture);
    run(command.args(["-S", "/dev/null", "-k", "none", "--runmode", "single"]))?;
    let mut flows = BTreeMap::new();
    for line in
        fs::read_to_string(folder.path().join("eve.json")).expect("Suricata has logged").lines()
    {
        let event: Json = serde_json::from_str(line).expect("it is JSON");
        *flows.entry(number(&event, "/dest_port")).or_default() += 1;
    }
    Some(flows)
}

/// The same by tshark, which numbers conversations, with the names of their interfaces.
fn by_tshark(capture: &Path) -> Option<(BTreeMap<u64, u64>, BTreeSet<String>)> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-r"]).arg(capture);
    for field in ["frame.interface_name", "tcp.stream", "udp.stream"] {
        command.args(["-e", field]);
    }
    let text = run(&mut command)?;
    let (mut names, mut streams) = (BTreeSet::new(), [(); 2].map(|()| BTreeSet::new()));
    for line in text.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        names.insert(words[0].to_owned());
        for (of, word) in streams.iter_mut().zip(&words[1..]).filter(|(_, word)| !word.is_empty()) {
            of.insert(*word);
        }
    }
    let counts = [443, 514].into_iter().zip(streams.map(|of| of.len() as u64));
    Some((counts.collect(), names))
}

/// Sums over receivers; each flow arrives at one receiver, so none is counted twice.
fn sum(of: impl IntoIterator<Item = BTreeMap<u64, u64>>) -> BTreeMap<u64, u64> {
    let mut sum = BTreeMap::new();
    for (port, count) in of.into_iter().flatten() {
        *sum.entry(port).or_default() += count;
    }
    sum
}

#[test]
fn each_receiver_keeps_what_it_delivers_in_a_file_of_its_own() {
    let (folder, files) = rehearsed();
    let names = files.iter().map(|file| file.file_name().unwrap().to_string_lossy());
    let name = regex::Regex::new(r"-\d{8}T\d{6}Z-").unwrap();
    let names: Vec<String> = names.map(|it| name.replace(&it, "-TIME-").into_owned()).collect();
    assert_eq!(
        names,
        ["instance.sensor_0_-TIME-0001.pcapng", "instance.sensor_1_-TIME-0001.pcapng"]
    );
    assert_shown!(folder.mirror("rehearse --offline --pcap web.pcap --out out"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `out` is not empty
     |
     = note: its contents would be mistaken for what receivers deliver
     = help: name a new folder
    ");
}

#[test]
fn suricata_sees_the_flows_that_the_trace_foretells() {
    let (folder, files) = rehearsed();
    let seen: Option<Vec<_>> = files.iter().map(|file| by_suricata(file)).collect();
    let Some(seen) = seen else {
        return println!("skipped: there is no `suricata`");
    };
    assert!(seen.len() == 2 && seen.iter().all(|flows| !flows.is_empty()), "{seen:?}");
    let foretold = foretold(&folder);
    assert_eq!(foretold, [(443, 60), (514, 30)].into());
    assert_eq!(sum(seen), foretold);
}

#[test]
fn tshark_sees_the_flows_that_the_trace_foretells_under_the_name_of_their_session() {
    let (folder, files) = rehearsed();
    let seen: Option<Vec<_>> = files.iter().map(|file| by_tshark(file)).collect();
    let Some(seen) = seen else {
        return println!("skipped: there is no `tshark`");
    };
    let names: BTreeSet<&String> = seen.iter().flat_map(|(_, names)| names).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["mirror_session.web"]);
    assert_eq!(sum(seen.into_iter().map(|(flows, _)| flows)), foretold(&folder));
}
