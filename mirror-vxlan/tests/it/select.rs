//! The selection: who may send, samples, duplicates, snap length, names.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use mirror_vxlan::count::Exclusion;
use mirror_vxlan::flow::Flow;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::receive::Select as _;
use mirror_vxlan::select::{AllowList, Control, NameTable, NamesError, Rules};
use mirror_vxlan::{Timestamp, Vni};

use crate::frames::generated;

fn session(vni: u32, source: &str) -> Session {
    Session { vni: Vni::try_from(vni).unwrap(), source: source.parse().unwrap() }
}

fn allow(entries: &[&str]) -> AllowList {
    entries.iter().map(|entry| entry.parse().unwrap()).collect()
}

fn frame(bytes: &[u8], vni: u32, milliseconds: u64) -> Frame<'_> {
    Frame {
        time: Timestamp::from_nanos(milliseconds * 1_000_000),
        session: session(vni, "10.0.0.1"),
        bytes,
        original_len: u32::try_from(bytes.len()).unwrap(),
    }
}

#[test]
fn the_list_tells_sources_and_sessions_apart() {
    let list = allow(&["10.0.0.0/24", "10.0.1.0/24", "7@192.0.2.0/24", "2001:db8::/32"]);
    let cases = [
        ((1, "10.0.0.255"), Ok(())),
        ((1, "10.0.1.7"), Ok(())),
        ((1, "10.0.2.0"), Err(Exclusion::Source)),
        ((1, "9.255.255.255"), Err(Exclusion::Source)),
        ((7, "192.0.2.9"), Ok(())),
        ((8, "192.0.2.9"), Err(Exclusion::Session)),
        ((8, "2001:db8::9"), Ok(())),
        ((7, "2001:db9::9"), Err(Exclusion::Source)),
    ];
    for ((vni, source), expected) in cases {
        assert_eq!(list.check(session(vni, source)), expected, "{vni} {source}");
    }
    assert_eq!(AllowList::default().check(session(0, "203.0.113.1")), Ok(()));
}

#[test]
fn a_list_of_many_networks_is_what_its_entries_are_one_by_one() {
    let nets: Vec<String> = (0..200_u32)
        .map(|n| format!("10.{}.{}.0/{}", n * 7 % 11, n * 13 % 256, 16 + n % 13))
        .collect();
    let texts: Vec<&str> = nets.iter().map(String::as_str).collect();
    let list = allow(&texts);
    let alone: Vec<AllowList> = texts.iter().map(|net| allow(&[net])).collect();
    for n in 0..20_000_u32 {
        let source = IpAddr::from((0x0a00_0000 + n * 37).to_be_bytes());
        let one_of_them = Session { vni: Vni::MIN, source };
        let is_in_one = alone.iter().any(|list| list.check(one_of_them).is_ok());
        assert_eq!(list.check(one_of_them).is_ok(), is_in_one, "{source}");
    }
}

#[test]
fn a_sample_keeps_both_directions_and_about_its_share() {
    let rules = Rules { sample: NonZeroU32::new(4), ..Rules::default() };
    let mut selection = Control::new(rules).selection();
    let (mut kept, mut flows) = (0_u32, 0_u32);
    for port in 1024..9216_u16 {
        let [there, back] = [(port, 443), (443, port)].map(|(from, to)| tcp(from, to));
        assert_eq!(Flow::of(&there).opposite(), Flow::of(&back));
        let verdict = selection.select(&frame(&there, 1, 0));
        assert_eq!(verdict.is_ok(), selection.select(&frame(&back, 1, 0)).is_ok());
        kept += u32::from(verdict.is_ok());
        flows += 1;
    }
    assert!((flows / 5..flows / 3).contains(&kept), "{kept} of {flows}");
}

#[test]
fn of_two_copies_from_two_sessions_the_first_is_kept() {
    let window = Some(Duration::from_millis(50));
    let mut selection = Control::new(Rules { duplicates: window, ..Rules::default() }).selection();
    let packet = tcp(1, 2);
    let mut select = |vni, time| selection.select(&frame(&packet, vni, time));
    assert_eq!(select(1, 0), Ok(usize::MAX));
    assert_eq!(select(2, 1), Err(Exclusion::Duplicate));
    // Sent again, and mirrored at both ends again.
    assert_eq!(select(2, 2), Ok(usize::MAX));
    assert_eq!(select(1, 3), Err(Exclusion::Duplicate));
    // A packet that one session mirrors twice was on the wire twice.
    assert_eq!(select(1, 10), Ok(usize::MAX));
    assert_eq!(select(1, 11), Ok(usize::MAX));
    // Out of order within the window, and too late for it.
    let mut select = |vni, time| selection.select(&frame(&packet, vni, time));
    assert_eq!(select(3, 500), Ok(usize::MAX));
    assert_eq!(select(4, 460), Err(Exclusion::Duplicate));
    assert_eq!(select(3, 600), Ok(usize::MAX));
    assert_eq!(select(4, 651), Ok(usize::MAX));
}

#[test]
fn what_is_not_asked_for_keeps_every_frame_whole() {
    let mut selection = Control::new(Rules::default()).selection();
    for made in generated(500) {
        assert_eq!(selection.select(&frame(&made.bytes, 1, 0)), Ok(usize::MAX));
    }
}

#[test]
fn other_rules_hold_from_the_next_frame_on() {
    let control = Control::new(Rules::default());
    let mut selections = [control.selection(), control.selection().clone()];
    let bytes = tcp(1, 2);
    control.replace(Rules {
        filter: Some("udp".parse().unwrap()),
        snap: NonZeroU32::new(20),
        ..Rules::default()
    });
    for selection in &mut selections {
        assert_eq!(selection.select(&frame(&bytes, 1, 0)), Err(Exclusion::Filter));
    }
    control.replace(Rules { snap: NonZeroU32::new(20), ..Rules::default() });
    for selection in &mut selections {
        assert_eq!(selection.select(&frame(&bytes, 1, 0)), Ok(20));
    }
}

#[test]
fn names_come_from_what_mirror_prints_and_from_toml() {
    let shown = r#"{"account": "1", "owned": {
        "instance.web": [{"computed": {"network_interface": "eni-1", "private_ip": "10.0.1.35"}}],
        "mirror_session.front": [{"resource": {"mirror_session": {
            "source": {"id": "eni-1"}, "vni": 8268022}}}],
        "mirror_session.back": [{"resource": {"mirror_session": {
            "source": {"id": "eni-elsewhere"}, "vni": 7}}}]}}"#;
    let names = NameTable::parse(shown).unwrap();
    assert_eq!(names.get(session(8_268_022, "10.0.1.35")), Some("front"));
    assert_eq!(names.get(session(8_268_022, "10.0.1.36")), None);
    assert_eq!(names.get(session(7, "10.9.9.9")), Some("back"));

    let state = r#"{"format_version": "1.0", "values": {"root_module": {"resources": [
        {"type": "aws_instance", "name": "web", "values": {
            "primary_network_interface_id": "eni-1", "private_ip": "10.0.1.35"}},
        {"type": "aws_ec2_traffic_mirror_session", "name": "front", "values": {
            "network_interface_id": "eni-1", "virtual_network_id": 8268022}}],
        "child_modules": [{"resources": [
            {"type": "aws_ec2_traffic_mirror_session", "name": "back", "index": 1, "values": {
                "network_interface_id": "eni-elsewhere", "virtual_network_id": 7}},
            {"type": "aws_ec2_traffic_mirror_session", "name": "later", "values": {}}]}]}}}"#;
    let names = NameTable::parse(state).unwrap();
    assert_eq!(names.get(session(8_268_022, "10.0.1.35")), Some("front"));
    assert_eq!(names.get(session(8_268_022, "10.0.1.36")), None);
    assert_eq!(names.get(session(7, "10.9.9.9")), Some("back[1]"));
    let plan = state.replace("\"values\": {\"root_module", "\"planned_values\": {\"root_module");
    assert_eq!(NameTable::parse(&plan).unwrap(), names);

    let outputs = r#"{"vni": {"type": "number", "value": 7}, "ssh": {"value": "ssh x"}}"#;
    assert_eq!(NameTable::parse(outputs).unwrap().get(session(7, "::1")), Some("vni"));

    let names = NameTable::parse("web = 7\n\"web a\" = '7@10.0.0.1'\n").unwrap();
    assert_eq!(names.get(session(7, "10.0.0.1")), Some("web a"));
    assert_eq!(names.get(session(7, "10.0.0.2")), Some("web"));

    assert_eq!(NameTable::parse("{}"), Err(NamesError::Nothing));
    let error = NameTable::parse("web = 16777216").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`web` is `16777216`, not a session such as 5569041 or \"5569041@10.0.1.35\""
    );
}

fn tcp(source: u16, destination: u16) -> Vec<u8> {
    let hosts = if source > destination { [1, 2] } else { [2, 1] };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 7, 0, 0];
    bytes.extend([64, 6, 0, 0, 10, 0, 0, hosts[0], 10, 0, 0, hosts[1]]);
    bytes.extend(source.to_be_bytes());
    bytes.extend(destination.to_be_bytes());
    bytes.extend([0; 16]);
    bytes
}
