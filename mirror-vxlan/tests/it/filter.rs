//! Filter expressions mean the same as in tcpdump, frame by frame.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use mirror_vxlan::select::filter::Filter;

use crate::frames::{Captured, Dice, captured, generated};

/// Expressions of every supported kind, including those of the examples in pcap-filter(7).
pub(crate) const EXPRESSIONS: &[&str] = &[
    "",
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "igrp",
    "pim",
    "vrrp",
    "carp",
    "ah",
    "esp",
    "not ip",
    "! tcp",
    "not not udp",
    "host 10.0.0.1",
    "src host 10.0.0.1",
    "dst host 10.0.0.2",
    "src 10.0.0.1",
    "dst 10.0.0.1",
    "ip host 10.0.0.2",
    "arp host 10.0.0.1",
    "rarp host 10.0.0.2",
    "ip6 host 2001:db8::1",
    "host 2001:db8::2",
    "src host 2001:db8::1",
    "src and dst host 10.0.0.1",
    "src or dst host 10.0.0.1",
    "dst and src 10.0.0.2",
    "host 10.0.0.1 or 10.0.0.3",
    "host 10.0.0.1 and not 10.0.0.2",
    "host (10.0.0.1 or 10.0.0.2) and tcp",
    "not host 10.0.0.1 and 10.0.0.3",
    "net 10.0.0.0/8",
    "net 10",
    "net 10.0",
    "net 10.0.0",
    "net 10.0.0.1",
    "src net 10.0.0.0/31",
    "net 10.0.0.0 mask 255.0.0.0",
    "dst net 10.0.0.2/32",
    "net 0.0.0.0/0",
    "ip net 10.0.0.0/30",
    "arp net 10.0.0.0/24",
    "net 2001:db8::/32",
    "net ::/0",
    "src net 2001:db8::/127",
    "dst net 2001:db8::2",
    "port 80",
    "src port 80",
    "dst port 443",
    "src and dst port 80",
    "tcp port 80",
    "udp port 53",
    "sctp port 80",
    "tcp dst port 443",
    "port 80 or 443",
    "port (80 or 443)",
    "port 80 or 443 and 53",
    "port 80 and not 443",
    "port not 80",
    "portrange 50-80",
    "portrange 443-80",
    "tcp portrange 80-443",
    "udp src portrange 53-53",
    "portrange 80",
    "tcp port 80 and (port 443 or host 10.0.0.1)",
    "port 80 or port 443 and tcp",
    "udp or tcp and port 80",
    "(udp or tcp) and port 80",
    "port 0x50",
    "port 0120",
    "ether host 02:00:00:00:00:01",
    "ether src 02:00:00:00:00:01",
    "ether dst 02-00-00-00-00-02",
    "ether src 0200.0000.0001",
    "ether broadcast",
    "broadcast",
    "multicast",
    "ether multicast",
    "ip multicast",
    "ip6 multicast",
    "ether proto 0x0800",
    "ether proto \\arp",
    "ether proto \\ip6",
    "ip proto 6",
    "ip proto \\udp",
    "ip6 proto 17",
    "ip6 proto 58",
    "proto 6",
    "proto \\tcp",
    "proto 47",
    "vlan",
    "vlan 5",
    "vlan 5 and tcp",
    "vlan and vlan 6",
    "vlan and ip",
    "vlan or tcp",
    "not vlan",
    "tcp or vlan 5 and udp",
    "vlan and host 10.0.0.1",
    "vlan 5 and port 80",
    "tcp and not vlan",
    "(vlan 5) and ip6",
    "vlan and ip[8] > 5",
    "less 64",
    "greater 64",
    "len > 100",
    "len <= 60",
    "len = 60",
    "len != 60",
    "100 < len",
    "len - 20 > 50",
    "ip[0] = 0x45",
    "ip[0] & 0xf != 5",
    "ip[6:2] & 0x1fff = 0",
    "ip[2:2] > 60",
    "ip[8] < 64",
    "ip[2:2] - ((ip[0] & 0xf) << 2) > 20",
    "ip6[6] = 6",
    "ip6[4:2] >= 20",
    "ether[0] & 1 = 0",
    "link[12:2] = 0x0800",
    "arp[6:2] = 1",
    "ip[12:4] = 0x0a000001",
    "tcp[13] = 2",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] == tcp-syn",
    "tcp[0:2] = 80",
    "tcp[2:2] = 443 and ip",
    "not tcp[13] = 2",
    "udp[4:2] > 20",
    "icmp[icmptype] = icmp-echo",
    "icmp[icmptype] != icmp-echo and icmp[icmpcode] = 0",
    "icmp6[icmp6type] = icmp6-echo",
    "sctp[0:2] = 80",
    "tcp[(tcp[12] & 0xf0) >> 2] = 0x47",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "ip[0] | 1 & 3 = 1",
    "ip[0] + 2 * 3 = 75",
    "ip[0] * 2 + 3 = 141",
    "ip[0] / 2 - 1 > 30",
    "ip[0] << 1 + 1 = 276",
    "ip[8] % 3 = 1",
    "ip[8] ^ 64 = 0",
    "-ip[8] > 5",
    "ip[8] - 65 > 100",
    "ip[8] / ip[9] = 10",
    "ip[ip[9]] = 1",
    "1 = 1",
    "2 < 1",
    "5 - 6 > 7",
    "tcp and 1 = 1",
    "host 10.0.0.1 and 1 = 1",
    "tcp && port 80 || udp && !port 53",
    "ip and (tcp or udp) and not (port 80 or port 53)",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
    "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
    "ether[0] & 1 = 0 and ip[16] >= 224",
    "ip[6:2] & 0x3fff != 0 or ip6",
];

/// Number of random expressions in addition to those above.
const RANDOM: usize = 150;

#[test]
fn every_expression_selects_the_frames_that_tcpdump_selects() {
    if !tcpdump_is_there() {
        println!("skipped: tcpdump is not installed");
        return;
    }
    let mut frames = generated(4000);
    frames.extend(captured());
    let file = pcap(&frames);
    let mut dice = Dice::new(7);
    let random: Vec<String> = (0..RANDOM).map(|_| expression(&mut dice, 3)).collect();
    let expressions = EXPRESSIONS.iter().copied().chain(random.iter().map(String::as_str));
    let (mut compared, mut matched) = (0, 0);
    for text in expressions {
        let theirs = tcpdump(text, &file);
        let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let ours: Vec<u32> = (0..)
            .zip(&frames)
            .filter(|(_, frame)| filter.matches(&frame.bytes, frame.original_len))
            .map(|(number, _)| number)
            .collect();
        if let Some(number) = ours.iter().find(|n| !theirs.contains(n)) {
            panic!("{text:?}: tcpdump does not select {:02x?}", frames[*number as usize]);
        }
        if let Some(number) = theirs.iter().find(|n| !ours.contains(n)) {
            panic!("{text:?}: only tcpdump selects {:02x?}", frames[*number as usize]);
        }
        compared += 1;
        matched += usize::from(!ours.is_empty() && ours.len() < frames.len());
    }
    println!("{compared} expressions, {matched} of them select some of {} frames", frames.len());
    assert!(matched > compared / 2, "the frames are too few to tell expressions apart");
}

#[test]
fn what_is_refused_is_refused_with_its_place() {
    let cases = [
        ("tcp port", 8, "a port number from 0 to 65535 is expected"),
        ("tcp port http", 9, "a port number is expected; service names are not looked up"),
        ("port 65536", 5, "a port number from 0 to 65535 is expected"),
        ("host example.org", 5, "an address is expected; names are not looked up"),
        ("host 10.0.0.1/8", 13, "a prefix length needs `net`"),
        ("host 10.0.0.256", 5, "`10.0.0.256` is not an IPv4 address"),
        ("net 10.0.0.1/8", 4, "bits are set beyond the prefix length or mask"),
        ("tcp and", 7, "a primitive such as `tcp port 443` or `host 10.0.0.1` is expected"),
        ("tcp foo", 4, "`and`, `or` or the end is expected"),
        ("foo", 0, "`foo` does not start a primitive"),
        ("ip and mpls", 7, "`mpls` is not supported"),
        ("tcp host 10.0.0.1", 0, "`tcp host` is not a valid combination"),
        ("ip port 80", 0, "`ip port` is not a valid combination"),
        ("(tcp", 4, "`)` is expected"),
        ("tcp[13] =", 9, "a number is expected"),
        ("tcp[13]", 7, "a comparison such as `= 1` is expected"),
        ("ip[0:3] = 1", 5, "a size of 1, 2 or 4 bytes is expected"),
        ("ip[0] / 0 = 1", 6, "this divides by zero"),
        ("vlan 4096", 5, "a VLAN is a number below 4096"),
        ("tcp § udp", 4, "'§' has no meaning in a filter"),
        ("80", 0, "a primitive such as `tcp port 443` or `host 10.0.0.1` is expected"),
        ("tcp or 80", 7, "a primitive such as `tcp port 443` or `host 10.0.0.1` is expected"),
        ("ip6 host 10.0.0.1", 17, "an address of the named protocol is expected"),
    ];
    for (text, offset, message) in cases {
        let error = text.parse::<Filter>().expect_err(text);
        assert_eq!((error.offset, error.message.as_str()), (offset, message), "{text:?}");
    }
    let error = "tcp port http or udp".parse::<Filter>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a port number is expected; service names are not looked up, \
         at offset 9 of the filter: `http or udp`"
    );
}

#[test]
fn hostile_expressions_are_refused_and_do_not_exhaust_the_stack() {
    for text in ["(", "not ", "!", "-", "ip[", "1 + (", "host ("] {
        let deep = text.repeat(8000 / text.len());
        assert!(deep.parse::<Filter>().is_err(), "{text}");
    }
    let long = "tcp or ".repeat(1100) + "udp";
    let filter: Filter = long.parse().unwrap();
    assert!(!filter.matches(&[0; 60], 60));
    assert!("tcp or ".repeat(2000).parse::<Filter>().is_err());
}

#[test]
fn no_text_makes_the_compiler_panic() {
    let words = [
        "tcp",
        "ip",
        "ip6",
        "[",
        "]",
        "(",
        ")",
        "13",
        ":",
        "2",
        "=",
        "&",
        "and",
        "or",
        "not",
        "host",
        "10.0.0.1",
        "::1",
        "port",
        "src",
        "dst",
        "net",
        "/",
        "8",
        "vlan",
        "len",
        "-",
        "%",
        "<<",
        "\\",
        "\\tcp",
        "mask",
        "proto",
        "ether",
        "02:00:00:00:00:01",
        "less",
        "é",
        "\0",
        "99999999999",
    ];
    let mut dice = Dice::new(3);
    for _ in 0..100_000 {
        let mut text = String::new();
        for _ in 0..dice.below(12) {
            text.push_str(dice.pick::<&str>(&words));
            if dice.below(4) > 0 {
                text.push(' ');
            }
        }
        if let Ok(filter) = text.parse::<Filter>() {
            filter.matches(&[], 0);
            filter.matches(&[0x81; 40], 40);
        }
    }
}

/// Returns a random expression about the parts that random frames are made of.
fn expression(dice: &mut Dice, depth: u32) -> String {
    const PRIMITIVES: [&str; 26] = [
        "tcp",
        "udp",
        "ip",
        "ip6",
        "arp",
        "icmp",
        "icmp6",
        "sctp",
        "vlan",
        "vlan 5",
        "port 80",
        "src port 443",
        "udp port 53",
        "host 10.0.0.1",
        "src net 10.0.0.0/30",
        "dst 2001:db8::1",
        "portrange 50-100",
        "ether src 02:00:00:00:00:01",
        "less 80",
        "greater 70",
        "ip multicast",
        "ip[8] > 60",
        "tcp[13] & 2 != 0",
        "ip6[7] < 64",
        "proto 17",
        "udp[0:2] = 53",
    ];
    if depth == 0 || dice.below(4) == 0 {
        return (*dice.pick(&PRIMITIVES)).to_owned();
    }
    let mut text = String::new();
    let mut joint = "";
    for _ in 0..=dice.below(3) {
        let not = if dice.below(4) == 0 { "not " } else { "" };
        let inner = expression(dice, depth - 1);
        match dice.below(3) {
            0 => write!(text, "{joint}{not}({inner})").unwrap(),
            _ => write!(text, "{joint}{not}{inner}").unwrap(),
        }
        joint = *dice.pick(&[" and ", " or "]);
    }
    text
}

fn tcpdump_is_there() -> bool {
    Command::new("tcpdump").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Returns the numbers of the frames that tcpdump selects; a frame's time in microseconds is its number.
fn tcpdump(expression: &str, file: &[u8]) -> Vec<u32> {
    let mut child = Command::new("tcpdump")
        // Without the optimizer, which reorders loads and so changes the result for truncated frames.
        .args(["-O", "-Z", "root", "-r", "-", "-w", "-", "--", expression])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = file.to_vec();
    let feed = thread::spawn(move || stdin.write_all(&bytes));
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{expression:?}: {}", String::from_utf8_lossy(&ended.stderr));
    // With a filter that nothing can pass, tcpdump ends before it has read its input.
    feed.join().unwrap().ok();
    numbers(&output)
}

fn pcap(frames: &[Captured]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1_u32] {
        file.extend(word.to_le_bytes());
    }
    for (number, frame) in (0_u32..).zip(frames) {
        let captured = u32::try_from(frame.bytes.len()).unwrap();
        for word in [number / 1_000_000, number % 1_000_000, captured, frame.original_len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame.bytes);
    }
    file
}

fn numbers(file: &[u8]) -> Vec<u32> {
    let mut rest = &file[24..];
    let mut numbers = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<16>() {
        let word = |n: usize| u32::from_le_bytes(head[4 * n..4 * n + 4].try_into().unwrap());
        numbers.push(word(0) * 1_000_000 + word(1));
        rest = &behind[word(2) as usize..];
    }
    numbers
}
