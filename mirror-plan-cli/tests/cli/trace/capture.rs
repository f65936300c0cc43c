//! Whole captures: matrix, load and bill, the same in JSON, and the counts of tshark.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::super::{Folder, assert_shown, shown};
use super::SENSOR;

/// An Ethernet frame with IPv4 and the first bytes of TCP or UDP.
fn frame(protocol: u8, from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Vec<u8> {
    let mut frame =
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00][..], &[0x45, 0, 0, 40]].concat();
    frame.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    frame.extend([from.0, to.0].concat());
    frame.extend([from.1.to_be_bytes(), to.1.to_be_bytes()].concat());
    frame.resize(54, 0);
    frame
}

/// A capture file of frames, each with its time in milliseconds and its original length in bytes.
fn capture(frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    for (milliseconds, length, frame) in frames {
        let captured = u32::try_from(frame.len()).expect("a frame is short");
        file.extend(words(&[milliseconds / 1000, milliseconds % 1000 * 1000, captured, *length]));
        file.extend(frame);
    }
    file
}

/// A minute at an interface: web traffic, SSH, DNS, metadata, ARP, and others' packets.
fn a_minute() -> Vec<u8> {
    let (web, peer) = ([10, 0, 1, 5], [10, 0, 9, 9]);
    let mut frames = Vec::new();
    for second in 0..60 {
        let port = 50_000 + u16::try_from(second).expect("a minute is short");
        let at = 1000 * second;
        frames.push((at, 1514, frame(6, (peer, port), (web, 443))));
        frames.push((at + 1, 9014, frame(6, (web, 443), (peer, port))));
        frames.push((at + 2, 120, frame(6, (peer, 40_000), (web, 22))));
        frames.push((at + 3, 90, frame(17, (web, port), ([10, 0, 0, 2], 53))));
        frames.push((at + 4, 80, frame(6, (web, port), ([169, 254, 169, 254], 80))));
        frames.push((at + 5, 100, frame(6, (peer, 1), ([10, 0, 9, 8], 2))));
    }
    let mut arp = frame(6, (web, 0), (peer, 0));
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    frames.push((60_000, 54, arp));
    capture(&frames)
}

#[test]
fn a_capture_becomes_a_matrix_a_load_and_a_bill() {
    let folder = Folder::with(SENSOR);
    fs::write(folder.path().join("minute.pcap"), a_minute()).expect("it can be written");
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local trace --pcap minute.pcap --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    minute.pcap: 361 packets, 655134 bytes, 60.000 s

    Now and after the plan

      instance.web (eni-ID, 10.0.1.5)
        mirror_session.web (number 1), VNI 4242, to mirror_target.sensors -> load_balancer.sensors

                                                          packets   bytes  flows  cut
        1: ingress 10 reject tcp from any to any port 22       60    7200      1    0
        1: ingress 100 accept tcp from any to any              60   90840     60    0
        1: egress 10 reject tcp from any port 22 to any         0       0      0    0
        1: egress 100 accept tcp from any to any               60  540840     60   60
        traffic with Amazon's DNS server, not asked for        60    5400
        never mirrored: instance metadata                      60    4800
        all of it                                             300  649080
        1: sent, wrapped                                      120  605160

      Packets: 60 between others; 1 ARP, which is never mirrored

      Load, if traffic goes on like this
        instance.web: own traffic 86.5 kbit/s, copies 80.9 kbit/s, in the busiest second 167 kbit/s together
          t3.micro carries 64.0 Mbit/s sustained and 5.00 Gbit/s at peak: enough for this (0.3 %)
        load_balancer.sensors: 0.036 GB an hour, 47 flows, 0.8 new a second: 0.036 capacity units
        cost: about $27.53 a month: 1 session $10.95, 1 load balancer $16.43, capacity units $0.16
          an estimate at list prices of us-east-2 as of 2026-05-31, without instances, storage and traffic between zones
    ----- stderr -----
    ");
    folder.edit("number = 1\n", "number = 1\n  packet_length = 128\n");
    let cut = folder.mirror("--local trace --pcap minute.pcap --detailed-exitcode");
    assert!(cut.starts_with("exit code: 2\n"), "{cut}");
    let (_, after) = cut.split_once("\nAfter the plan\n\n").expect(&cut);
    assert_shown!(after, @"
      instance.web (eni-ID, 10.0.1.5)
        mirror_session.web (number 1), VNI 4242, to mirror_target.sensors -> load_balancer.sensors

                                                          packets   bytes  flows  cut
        1: ingress 10 reject tcp from any to any port 22       60    7200      1    0
        1: ingress 100 accept tcp from any to any              60   90840     60   60
        1: egress 10 reject tcp from any port 22 to any         0       0      0    0
        1: egress 100 accept tcp from any to any               60  540840     60   60
        traffic with Amazon's DNS server, not asked for        60    5400
        never mirrored: instance metadata                      60    4800
        all of it                                             300  649080
        1: sent, wrapped                                      120   19680

      Packets: 60 between others; 1 ARP, which is never mirrored

      Load, if traffic goes on like this
        instance.web: own traffic 86.5 kbit/s, copies 2.85 kbit/s, in the busiest second 89.4 kbit/s together
          t3.micro carries 64.0 Mbit/s sustained and 5.00 Gbit/s at peak: enough for this (0.1 %)
        load_balancer.sensors: 0.001 GB an hour, 47 flows, 0.8 new a second: 0.002 capacity units
        cost: about $27.38 a month: 1 session $10.95, 1 load balancer $16.43, capacity units $0.01
          an estimate at list prices of us-east-2 as of 2026-05-31, without instances, storage and traffic between zones
    ----- stderr -----
    ");
}

#[test]
fn the_book_shows_what_a_capture_becomes() {
    let page = include_str!("../../../../docs/src/trace.md");
    let (_, stack) = page.split_once("```hcl\n").expect("it has a stack file");
    let folder = Folder::with(stack.split_once("```").expect("which ends").0);
    fs::write(folder.path().join("minute.pcap"), a_minute()).expect("it can be written");
    let shown = folder.mirror("trace --offline --pcap minute.pcap");
    let (before, after) = shown.split_once("After the plan\n").expect(&shown);
    let title = before.lines().nth(2).expect(&shown);
    let after = after.replace("----- stderr -----\n", "```");
    let expected = format!("--pcap minute.pcap\n{title}\n...\nAfter the plan\n{after}");
    assert!(page.contains(&expected), "docs/src/trace.md lacks:\n{expected}");
}

#[test]
fn a_capture_in_json_reconciles() {
    let folder = Folder::with(SENSOR);
    fs::write(folder.path().join("minute.pcap"), a_minute()).expect("it can be written");
    let output = folder.command("trace --offline --pcap minute.pcap --json").output().unwrap();
    let json: Json = serde_json::from_slice(&output.stdout).expect("one document");
    let number = |pointer: &str| json.pointer(pointer).and_then(Json::as_u64).expect(pointer);
    let seen = "/after/interfaces/0";
    let sums = [
        "no_rule",
        "amazon_dns_unasked",
        "no_session",
        "never/dhcp",
        "never/instance_metadata",
        "never/time_sync",
        "never/windows_activation",
        "sessions/0/rules/0",
        "sessions/0/rules/1",
        "sessions/0/rules/2",
        "sessions/0/rules/3",
    ];
    let decided: u64 = sums.iter().map(|place| number(&format!("{seen}/{place}/packets"))).sum();
    assert_eq!(decided, number(&format!("{seen}/seen/packets")));
    let outside: u64 = ["arp", "other", "strangers"]
        .iter()
        .map(|it| number(&format!("/after/{it}/packets")))
        .sum();
    assert_eq!(decided + outside, number("/packets") + number("/after/twice/packets"));
    assert_eq!(number("/packets"), 361);
}

#[test]
fn an_interface_without_a_known_address_is_named() {
    let two = format!(
        "{SENSOR}\ninstance \"new\" {{\n  instance_type = \"t3.micro\"\n  subnet = subnet.source\n}}\n\
         mirror_session \"new\" {{\n  source = instance.new\n  target = mirror_target.sensors\n  \
         filter = mirror_filter.web\n  number = 1\n}}\n"
    );
    let folder = Folder::with(&two);
    fs::write(folder.path().join("minute.pcap"), a_minute()).expect("it can be written");
    let shown = folder.mirror("trace --offline --pcap minute.pcap");
    let (_, new) = shown.split_once("  instance.new\n").expect(&shown);
    assert_shown!(new.split_once("\n\n").expect(new).0, @"
    mirror_session.new (number 1), VNI known after apply, to mirror_target.sensors -> load_balancer.sensors
    its address is not known, so none of its packets can be recognized
    ");
}

#[test]
fn a_capture_comes_from_a_pipe_and_a_damaged_one_is_told_up_to_the_damage() {
    let folder = Folder::with(SENSOR);
    let whole = a_minute();
    fs::write(folder.path().join("minute.pcap"), &whole[..whole.len() / 2]).unwrap();
    let mut command = folder.command("trace --offline --pcap -");
    command.stdin(Stdio::from(fs::File::open(folder.path().join("minute.pcap")).unwrap()));
    let shown = shown(&command.output().unwrap());
    assert!(shown.contains("\n-: 180 packets,"), "{shown}");
    let (_, error) = shown.split_once("----- stderr -----\n").unwrap();
    assert_shown!(error, @"
    error[MP0601]: `-` cannot be read
     |
     = note: record 181 at offset 12624: the file ends after 23 of at least 70 bytes; it was cut off
    ");
    assert!(shown.starts_with("exit code: 1\n"), "{shown}");
    folder.write("no.pcap", "no capture");
    assert_shown!(folder.mirror("trace --offline --pcap no.pcap"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `no.pcap` cannot be read
     |
     = note: not a capture file: it begins with [6e, 6f, 20, 63]; pcap and pcapng are read, also compressed by gzip or zstd
    ");
}

/// The packets of the captures that other projects keep, counted by tshark and by us.
#[test]
fn every_capture_is_counted_as_tshark_counts_it() {
    let Some(captures) = captures() else {
        return println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
    };
    let folder = Folder::with(SENSOR);
    let mut compared = 0;
    for entry in fs::read_dir(captures).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
            continue;
        }
        let Some(packets) = by_tshark(&path) else {
            return println!("skipped: there is no `tshark`");
        };
        // The sender of the first IP packet is taken as the interface.
        let Some((own, _, _)) = packets.iter().find_map(|it| it.ip) else { continue };
        let options = format!("trace --offline --eni instance.web={own} --json --pcap");
        let output = folder.command(&options).arg(&path).output().unwrap();
        let json: Json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", path.display(), shown(&output)));
        let number = |pointer: &str| json.pointer(pointer).and_then(Json::as_u64).expect(pointer);
        let name = path.display();
        let whole = packets.iter().map(|packet| packet.length).sum::<u64>();
        assert_eq!(number("/packets"), packets.len() as u64, "{name}");
        assert_eq!(number("/bytes"), whole, "{name}");
        let is_own =
            |packet: &&Packet| packet.ip.is_some_and(|(from, to, _)| from == own || to == own);
        let seen: Vec<&Packet> = packets.iter().filter(is_own).collect();
        let both =
            seen.iter().filter(|packet| packet.ip.is_some_and(|(from, to, _)| from == to)).count();
        let tcp =
            seen.iter().filter(|packet| packet.ip.is_some_and(|(_, _, protocol)| protocol == 6));
        assert_eq!(
            number("/after/interfaces/0/seen/packets"),
            (seen.len() + both) as u64,
            "{name}"
        );
        let by_rules: u64 = (0..4)
            .map(|rule| number(&format!("/after/interfaces/0/sessions/0/rules/{rule}/packets")))
            .sum();
        assert_eq!(by_rules, tcp.count() as u64, "{name}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// What tshark reports of a packet: its length, and the source, destination and protocol of its outer IP packet.
struct Packet {
    length: u64,
    ip: Option<(IpAddr, IpAddr, u8)>,
}

fn by_tshark(path: &Path) -> Option<Vec<Packet>> {
    let fields = ["frame.len", "ip.src", "ip.dst", "ip.proto", "ipv6.src", "ipv6.dst", "ipv6.nxt"];
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "occurrence=f", "-r"]).arg(path);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.expect("tshark runs"),
    };
    let lines = String::from_utf8(output.stdout).expect("numbers and addresses");
    let packets = lines.lines().map(|line| {
        let words: Vec<&str> = line.split('\t').collect();
        let ip = |at: usize| {
            let address = |text: &str| text.parse::<IpAddr>().ok();
            Some((address(words[at])?, address(words[at + 1])?, words[at + 2].parse().ok()?))
        };
        // Both families are present where one packet is inside the other; the fields do not show which is the outer.
        Packet { length: words[0].parse().expect("a length"), ip: ip(1).xor(ip(4)) }
    });
    Some(packets.collect())
}

/// The folder of the captures, which are not part of this repository: what `MIRROR_CAPTURES` names, or
/// one beside the repository.
fn captures() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder =
        std::env::var_os("MIRROR_CAPTURES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    folder.is_dir().then_some(folder)
}
