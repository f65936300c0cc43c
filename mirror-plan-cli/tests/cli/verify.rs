//! `verify`: exit codes and both forms of output.

use mirror_local::data_plane::{DataPlane, Direction};
use mirror_local::{Cloud, Meter};

use super::drift::changed_outside;
use super::{Folder, SMALL, assert_shown};

/// A source, and a sensor that receives the source's mirrored traffic.
const PAIR: &str = r#"
stack "pair" { region = "eu-west-1" }
vpc "lab" { cidr = "10.0.0.0/16" }
subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
security_group "sensor" {
  vpc     = vpc.lab
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/16"] }]
}
instance "source" {
  instance_type = "t3.micro"
  subnet        = subnet.a
}
instance "sensor" {
  instance_type   = "t3.micro"
  subnet          = subnet.a
  security_groups = [security_group.sensor]
}
mirror_target "sensor" { network_interface = instance.sensor }
mirror_filter "all" { rules = [{ number = 1, action = "accept", direction = "ingress" }] }
mirror_session "all" {
  source = instance.source
  target = mirror_target.sensor
  filter = mirror_filter.all
  number = 1
}
"#;

#[test]
fn a_stack_is_verified_once_it_is_applied_and_until_it_is_changed() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 2
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      fault  vpc.lab does not exist
      fault  mirror_filter.web does not exist

    Not verified: 2 faults.
    ----- stderr -----
    ");
    folder.done("apply --auto-approve");
    let calls = folder.done("local log").lines().count();
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 0
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      ok     every resource matches the stack file

    Verified. Whether packets arrive cannot be seen from here.
    ----- stderr -----
    ");
    let log = folder.done("local log");
    assert!(
        log.lines().skip(calls).all(|line| line.contains(" Describe") || line.contains(" Get"))
    );
    changed_outside(&folder, "port = 443", "port = 8443");
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 2
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      fault  mirror_filter.web differs from the stack file; an apply would change:
               rules[ingress 100].destination_port = 8443 -> 443

    Not verified: 1 fault.
    ----- stderr -----
    ");
}

#[test]
fn programs_get_one_object() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local verify --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "account": "123456789012",
      "faults": [],
      "paths": [],
      "region": "eu-west-1",
      "resources": [
        {
          "address": "vpc.lab",
          "differences": [],
          "id": "vpc-ID",
          "state": "in_place"
        },
        {
          "address": "mirror_filter.web",
          "differences": [],
          "id": "tmf-ID",
          "state": "in_place"
        }
      ],
      "sessions": [],
      "stack": "small",
      "targets": [],
      "verified": true
    }
    ----- stderr -----
    "#);
}

#[test]
fn what_cannot_be_told_is_an_error_and_no_fault() {
    let folder = Folder::with("stack \"small\" {}\nvpc \"lab\" {}\n");
    assert!(folder.mirror("--local verify").starts_with("exit code: 1\n"));
}

/// Makes the source in a folder's account skip frames, and publishes the counters.
fn skip(folder: &Folder, lengths: &[usize]) {
    let cloud = Cloud::open(&folder.path().join(".mirror/local")).expect("it is a local AWS");
    let plane = DataPlane::of(&cloud, "eu-west-1", 9001).expect("it can be read");
    let place = plane.interfaces().iter().position(|it| !it.sessions().is_empty());
    let place = place.expect("the source is mirrored");
    let mut meter = Meter::default();
    lengths.iter().for_each(|length| meter.skip(place, Direction::Egress, *length));
    meter.publish(&plane, &cloud).expect("it can be written");
}

#[test]
fn counters_are_told_where_there_are_any_and_what_was_skipped_is_a_fault() {
    let folder = Folder::with(PAIR);
    folder.done("apply --auto-approve");
    assert_shown!(timeless(&folder.mirror("--local verify --metrics")), @"
    exit code: 0
    ----- stdout -----
    Verification of stack pair in account 123456789012, Region eu-west-1.

      ok     mirror_session.all: carries: instance.source -> instance.sensor
      ok     1 session is in place
      ok     every resource matches the stack file

    CloudWatch counted from TIME to TIME:
      instance.source (i-ID), mirrored by mirror_session.all
        mirrored  no data yet
        skipped   no data yet

    Verified. Whether packets arrive cannot be seen from here.
    ----- stderr -----
    ");
    skip(&folder, &[1_000, 500]);
    assert_shown!(timeless(&folder.mirror("--local verify --metrics=1440")), @"
    exit code: 2
    ----- stdout -----
    Verification of stack pair in account 123456789012, Region eu-west-1.

      fault  instance.source (i-ID) did not mirror 2 packets, 1500 bytes that its filters accept: other traffic needed its bandwidth
      ok     mirror_session.all: carries: instance.source -> instance.sensor
      ok     1 session is in place
      ok     every resource matches the stack file

    CloudWatch counted from TIME to TIME:
      instance.source (i-ID), mirrored by mirror_session.all
        mirrored  in: 0 packets, 0 bytes; out: 0 packets, 0 bytes
        skipped   in: 0 packets, 0 bytes; out: 2 packets, 1500 bytes

    Not verified: 1 fault.
    ----- stderr -----
    ");
    assert!(folder.mirror("--local verify --metrics=0").starts_with("exit code: 1\n"));
    assert!(folder.mirror("--local verify --metrics=1441").starts_with("exit code: 1\n"));
}

#[test]
fn programs_get_the_counters_beside_the_rest() {
    let folder = Folder::with(PAIR);
    folder.done("apply --auto-approve");
    skip(&folder, &[]);
    let document = folder.done("verify --metrics=30 --json");
    let document: serde_json::Value = serde_json::from_str(&document).expect("it is JSON");
    assert_eq!(document["verified"], true);
    assert_shown!(timeless(&format!("{:#}", document["metrics"])), @r#"
    {
      "from": "TIME",
      "load_balancers": [],
      "sources": [
        {
          "id": "i-ID",
          "instance": "instance.source",
          "mirrored": {
            "bytes_in": 0,
            "bytes_out": 0,
            "packets_in": 0,
            "packets_out": 0
          },
          "sessions": [
            "mirror_session.all"
          ],
          "skipped": {
            "bytes_in": 0,
            "bytes_out": 0,
            "packets_in": 0,
            "packets_out": 0
          }
        }
      ],
      "to": "TIME",
      "unattached": []
    }
    "#);
    let document = folder.done("verify --json");
    let document: serde_json::Value = serde_json::from_str(&document).expect("it is JSON");
    assert_eq!(document.get("metrics"), None);
}

/// What is shown, without the times of the window.
fn timeless(shown: &str) -> String {
    let is_time = |word: &&str| word.trim_matches(['"', ':', ',']).ends_with('Z');
    let times: Vec<&str> = shown.split_whitespace().filter(is_time).collect();
    times.iter().fold(shown.to_owned(), |shown, time| {
        shown.replace(time.trim_matches(['"', ':', ',']), "TIME")
    })
}
