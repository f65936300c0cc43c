//! Rehearsals: what an apply would do, what would become of packets, and that every packet is
//! accounted for.

mod delivered;
mod live;

use std::fs;

use serde_json::Value as Json;

use super::{Folder, assert_shown, shown};

const LAB: &str = include_str!("../../../examples/lab.mirror.hcl");

fn json(folder: &Folder, arguments: &str) -> Json {
    let output = folder.command(&format!("{arguments} --json")).output().expect("mirror runs");
    assert!(output.status.success(), "{}", shown(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn number(json: &Json, pointer: &str) -> u64 {
    json.pointer(pointer).and_then(Json::as_u64).unwrap_or_else(|| panic!("{pointer} in {json:#}"))
}

#[test]
fn the_lab_is_rehearsed_before_anything_of_it_is_there() {
    let folder = Folder::with(LAB);
    assert_shown!(folder.mirror("rehearse --offline"), @"
    exit code: 0
    ----- stdout -----
    Applied to a local AWS: 15 added, 0 changed, 0 destroyed.

    Stack lab, generated traffic, seed 1: 1000 packets, 1122729 bytes, 9.989 s

      instance.source-instance (10.0.1.228)
        1: mirror_session.my-traffic-mirror-session, VNI 8268022

                                                         packets    bytes
        1: rejected by rule ingress 10                        83    98112
        1: accepted by rule ingress 100                      250   264297
        1: rejected by rule egress 10                        102   137721
        1: accepted by rule egress 100                       234   265213
        never mirrored: DHCP                                   8     1424
        never mirrored: instance metadata                     56    83329
        never mirrored: Amazon Time Sync                       6      975
        no rule                                               24    15019
        traffic with Amazon's DNS server, not asked for       24     3818
        refused by its own security groups                   209   252653
        all of it                                            996  1122561

                          copies
        1: mirrored          484
        1:   of them cut      12
        1: delivered         484

      Receivers

                                                sent to it  delivered
        instance.target-instance-1 (10.0.2.35)         247        247
        instance.target-instance-2 (10.0.2.64)         237        237

      Packets   1000 = 996 at one interface + 0 at two + 0 between others + 4 ARP + 0 other
      Offered   996 = 484 mirrored + 185 rejected by rule + 327 not mirrorable
      Mirrored  484 = 484 delivered + 0 lost; 12 of them cut
      Every packet is accounted for.
      Receivers delivered exactly what was sent, to the byte.
      `mirror trace` predicts the same for all 787 decisions.
    ----- stderr -----
    ");
}

/// Images and key pairs belong to an account, and nobody logs in to a rehearsal.
#[test]
fn what_instances_are_made_of_is_of_no_consequence() {
    let source = "instance \"source-instance\" {";
    let own = format!("{source}\n  key_name = \"operator\"\n  ami = \"ami-0a1b2c3d4e5f67890\"");
    let shown = |text: &str| Folder::with(text).mirror("rehearse --offline");
    assert_eq!(shown(&LAB.replace(source, &own)), shown(LAB));
}

#[test]
fn every_number_of_a_rehearsal_reconciles() {
    let folder = Folder::with(LAB);
    for seed in 1..4 {
        let it = json(&folder, &format!("rehearse --offline --packets 2000 --seed {seed}"));
        let at = |pointer: &str| number(&it, pointer);
        let packets = "arp other between_others at_one_interface at_two_interfaces";
        let parts = packets.split(' ').map(|part| at(&format!("/packets/{part}")));
        assert_eq!((at("/packets/packets"), parts.sum::<u64>()), (2000, 2000));
        let source = |part: &str| at(&format!("/sources/0/{part}/packets"));
        let parts = ["mirrored", "rejected", "not_mirrorable/all"].map(source);
        assert_eq!(source("offered"), parts.iter().sum::<u64>());
        assert_eq!(source("offered"), at("/packets/at_one_interface"));
        let rules = it.pointer("/sources/0/sessions/0/rules").and_then(Json::as_array).unwrap();
        let decided = |action: &str| -> u64 {
            let rules = rules.iter().filter(|rule| rule["action"] == action);
            rules.map(|rule| number(rule, "/decided/packets")).sum()
        };
        assert_eq!(
            (decided("accept"), decided("reject")),
            (source("mirrored"), source("rejected"))
        );
        let receivers = it["receivers"].as_array().unwrap();
        let sum = |part: &str| -> u64 { receivers.iter().map(|it| number(it, part)).sum() };
        assert_eq!((sum("/sent"), sum("/missed"), sum("/dropped")), (sum("/delivered"), 0, 0));
        assert_eq!(sum("/delivered"), source("mirrored"));
        assert!(receivers.iter().all(|it| it["identical"] == true));
        assert_eq!((at("/sums/lost"), at("/sums/not_foretold")), (0, 0));
    }
}

#[test]
fn what_is_there_is_there_in_a_rehearsal() {
    let folder = Folder::with(LAB);
    folder.done("apply --auto-approve");
    folder.done("observe --out there.json");
    for sight in ["--local rehearse", "rehearse --inventory there.json"] {
        let applied = |of: &str| number(&json(&folder, sight), &format!("/apply/{of}"));
        assert_eq!(["added", "changed", "destroyed"].map(applied), [0; 3], "{sight}");
    }
    folder.edit("port = 22 },\n    { number = 100", "port = \"22-23\" },\n    { number = 100");
    folder.edit("\"internal\"", "\"internet-facing\"");
    for sight in ["--local rehearse", "rehearse --inventory there.json"] {
        // Load balancer, its group and the mirror target are replaced; filter and session are changed.
        let applied = |of: &str| number(&json(&folder, sight), &format!("/apply/{of}"));
        assert_eq!(["added", "changed", "destroyed"].map(applied), [3, 2, 3], "{sight}");
    }
    let plan = folder.mirror("--local plan --detailed-exitcode");
    assert!(plan.starts_with("exit code: 2"), "nothing was done where it is real: {plan}");
}

/// A stack that mirrors what another stack has created; of what surrounds that, only the ids are known.
const MIRRORING: &str = r#"
stack "mirroring" { region = "eu-west-1" }

existing "instance" "web" { tags = { mirror = "true" } }
existing "instance" "sensor" { name = "sensor" }

mirror_target "sensor" { network_interface = instance.sensor }
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
mirror_session "web" {
  source = instance.web
  target = mirror_target.sensor
  filter = mirror_filter.all
  number = 1
}
"#;

const ESTATE: &str = r#"
stack "estate" { region = "eu-west-1" }

vpc "estate" { cidr = "10.7.0.0/16" }
subnet "web" {
  vpc  = vpc.estate
  cidr = "10.7.1.0/24"
}
subnet "sensors" {
  vpc  = vpc.estate
  cidr = "10.7.2.0/28"
}
security_group "closed" { vpc = vpc.estate }
instance "web" {
  instance_type   = "t4g.micro"
  ami             = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  subnet          = subnet.web
  private_ip      = "10.7.1.17"
  security_groups = [security_group.closed]
  tags            = { mirror = "true" }
}
instance "sensor" {
  instance_type   = "t3.micro"
  subnet          = subnet.sensors
  security_groups = [security_group.closed]
}
"#;

#[test]
fn something_stands_for_what_has_only_been_heard_of() {
    let folder = Folder::empty();
    folder.write("mirroring.mirror.hcl", MIRRORING);
    fs::create_dir(folder.path().join("estate")).unwrap();
    folder.write("estate/estate.mirror.hcl", ESTATE);
    folder.done("apply estate --auto-approve");
    folder.done("observe mirroring.mirror.hcl --out there.json");
    // An image that no local AWS has.
    let there = folder.read("there.json");
    let image = there.split("\"ami-").nth(1).unwrap().split('"').next().unwrap();
    folder.write("there.json", &there.replace(image, "0123456789abcdef0"));
    let shown = folder.mirror("rehearse mirroring.mirror.hcl --inventory there.json");
    assert!(shown.starts_with("exit code: 0"), "{shown}");
    let (data, notes) = shown.split_once("----- stderr -----").unwrap();
    assert!(data.contains("3 added, 0 changed, 0 destroyed"), "{shown}");
    assert!(data.contains("instance.web (10.7.1.17)"), "{shown}");
    // Two subnets and a group have stand-ins; nothing else differs from what exists.
    assert_eq!((notes.matches("subnet-").count(), notes.matches("sg-").count()), (2, 1), "{notes}");
    assert!(!notes.contains("Reproduced only approximately"), "{notes}");
}

#[test]
fn what_is_lost_is_said_and_held_against_the_most_that_may_be() {
    let lost = LAB.replace("port = 4789, cidrs", "port = 4790, cidrs");
    let folder = Folder::with(&lost);
    let shown = folder.mirror("rehearse --offline");
    assert!(shown.starts_with("exit code: 1"), "{shown}");
    assert!(shown.contains("lost: refused by the target's security groups"), "{shown}");
    let all = json(&folder, "rehearse --offline --lost-max 100");
    assert_eq!(number(&all, "/sums/lost"), number(&all, "/sums/mirrored"));
    assert_eq!(number(&all, "/sums/delivered"), 0);
}

#[test]
fn what_aws_would_refuse_is_found() {
    let refused =
        LAB.replacen("instance_type   = \"t3.micro\"", "instance_type   = \"t2.micro\"", 1);
    let folder = Folder::with(&refused);
    assert_shown!(folder.mirror("rehearse --offline"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    Error: CreateTrafficMirrorSession failed: NetworkInterfaceNotSupported

      with mirror_session.my-traffic-mirror-session,

      The network interface eni-ID is not supported for mirroring: it is attached to a t2.micro
      AWS request id: REQUEST

    Nothing was done in an account. What does not depend on the failure is still rehearsed.

    error[MP0611]: nothing is mirrored, so there is nothing to rehearse
     |
     = help: declare a `mirror_session`, or see above why it could not be created
    ");
}

#[test]
fn a_capture_is_replayed_for_the_interface_that_it_is_of() {
    let folder = Folder::with(LAB);
    fs::write(folder.path().join("web.pcap"), web()).unwrap();
    let nobody = folder.mirror("rehearse --offline --pcap web.pcap");
    assert!(nobody.starts_with("exit code: 1"), "{nobody}");
    assert!(nobody.contains("--eni INTERFACE=ADDRESS"), "{nobody}");
    let named = "rehearse --offline --pcap web.pcap --eni instance.source-instance=192.0.2.7";
    let it = json(&folder, named);
    assert_eq!((number(&it, "/sums/offered"), number(&it, "/sums/delivered")), (3, 3));
    // The last packet was captured in part, and is replayed at its original length.
    assert_eq!(number(&it, "/sources/0/mirrored/bytes"), 54 + 54 + 1514);
}

/// A capture of a connection to a web server that 192.0.2.7 opens.
fn web() -> Vec<u8> {
    let (own, peer) = (([192, 0, 2, 7], 50_000_u16), ([198, 51, 100, 9], 443_u16));
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    let packets = [(own, peer, 0x02, 54), (peer, own, 0x12, 54), (own, peer, 0x18, 1514)];
    for (at, (from, to, flags, length)) in (0..).zip(packets) {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40];
        frame.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        frame.extend([from.0, to.0].concat());
        frame.extend([from.1.to_be_bytes(), to.1.to_be_bytes()].concat());
        frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 255, 255, 0, 0, 0, 0]);
        file.extend(words(&[at, 0, 54, length]));
        file.extend(frame);
    }
    file
}

/// Writes what `observe` reports of the stack in `small.mirror.hcl` to `there.json`, edited by `change`.
fn observed(folder: &Folder, change: impl FnOnce(&mut Json)) {
    folder.done("observe --out there.json");
    let mut there: Json = serde_json::from_str(&folder.read("there.json")).expect("it is JSON");
    change(&mut there);
    folder.write("there.json", &there.to_string());
}

#[test]
fn network_acls_of_the_account_are_there_in_a_rehearsal() {
    let folder = Folder::with(LAB);
    folder.done("apply --auto-approve");
    let no_vxlan = serde_json::json!({
        "number": 90, "direction": "ingress", "action": "deny", "protocol": "udp",
        "range": "10.0.1.0/24", "port": 4789,
    });
    let closed = |id: Option<&str>| {
        observed(&folder, |there| {
            let receivers = there["owned"]["subnet.target-subnet"][0]["id"].clone();
            let acls = there["network_acls"].as_object_mut().expect("they were asked for");
            let mut acl = acls.values().next().expect("a VPC has one").clone();
            acl["rules"].as_array_mut().expect("it has rules").push(no_vxlan.clone());
            let default = acls.keys().next().expect("a VPC has one").clone();
            match id {
                None => drop(acls.insert(default, acl)),
                Some(id) => {
                    acl["is_default"] = false.into();
                    acl["subnets"] = serde_json::json!([receivers]);
                    acls.insert(id.to_owned(), acl);
                    let others = acls[&default]["subnets"].as_array_mut().expect("a list");
                    others.retain(|subnet| *subnet != receivers);
                }
            }
        });
        let shown = folder.mirror("rehearse --inventory there.json");
        assert!(shown.starts_with("exit code: 1"), "{shown}");
        let (_, copies) = shown.split_once("copies\n").expect("there is a table of copies");
        copies.split_once("\n\n").expect("and something behind it").0.to_owned()
    };
    let of_the_vpc = closed(None);
    insta::assert_snapshot!(of_the_vpc, @"
    1: mirrored                           484
    1:   of them cut                       12
    1: delivered                            0
    1: lost: refused by a network ACL     484
    ");
    assert_eq!(of_the_vpc, closed(Some("acl-0a1b2c3d4e5f67890")), "one of the subnet's own");
}

/// A stack that mirrors the instances of an Auto Scaling group that is not its own, except for one interface.
const SOURCES: &str = r#"
stack "watch" { region = "eu-west-1" }

vpc "sensors" { cidr = "10.7.0.0/16" }
subnet "sensors" {
  vpc  = vpc.sensors
  cidr = "10.7.9.0/24"
}
security_group "sensors" {
  vpc     = vpc.sensors
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/8"] }]
}
instance "sensor" {
  instance_type   = "t3.micro"
  subnet          = subnet.sensors
  security_groups = [security_group.sensors]
}
mirror_target "sensor" { network_interface = instance.sensor }
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
sources "api" {
  autoscaling_groups = ["api"]
  interfaces         = "all"
  except             = { mirror = "false" }
}
mirror_session "api" {
  source = sources.api
  target = mirror_target.sensor
  filter = mirror_filter.all
  number = 1
}
"#;

/// Adds what an Auto Scaling group has started meanwhile, in the stack's own VPC and in another.
fn started(there: &mut Json) {
    let vpc = there["owned"]["vpc.sensors"][0]["id"].clone();
    let subnet = there["owned"]["subnet.sensors"][0]["id"].clone();
    let own = (vpc, subnet, Json::from("sg-0a1b2c3d4e5f67890"));
    let [vpc, subnet, group] = ["vpc", "subnet", "sg"].map(|it| format!("{it}-1a1b2c3d4e5f67890"));
    let other = (vpc.into(), subnet.into(), group.into());
    let interface = |place: &(Json, Json, Json), host: &str, device: u32, address: &str| {
        let (vpc, subnet, group) = place;
        serde_json::json!({
            "vpc": vpc, "subnet": subnet, "addresses": [address],
            "security_groups": [group], "tags": {}, "mirror_target": null,
            "instance": {
                "id": format!("i-{host:0>17}"), "instance_type": "m5.large", "device": device,
                "tags": { "aws:autoscaling:groupName": "api" },
            },
        })
    };
    let mut left_out = interface(&own, "3", 0, "10.7.9.43");
    left_out["tags"] = serde_json::json!({ "mirror": "false" });
    there["sources"]["api"]["interfaces"] = serde_json::json!({
        // Two of one instance next to the receiver, one of another instance in a VPC with the same addresses.
        "eni-00000000000000001": interface(&own, "1", 0, "10.7.9.41"),
        "eni-00000000000000002": interface(&own, "1", 1, "10.7.9.42"),
        "eni-00000000000000003": interface(&other, "2", 0, "10.7.9.44"),
        "eni-00000000000000004": left_out,
        // Its address would be in another range of its VPC.
        "eni-00000000000000005": interface(&own, "4", 0, "100.64.0.9"),
    });
}

#[test]
fn interfaces_that_sources_mean_are_there_in_a_rehearsal() {
    let folder = Folder::with(SOURCES);
    folder.done("apply --auto-approve");
    observed(&folder, started);
    assert_shown!(folder.mirror("rehearse --inventory there.json"), @r#"
    exit code: 1
    ----- stdout -----
    Applied to a local AWS: 3 added, 0 changed, 0 destroyed.

    Stack watch, generated traffic, seed 1: 1000 packets, 1122729 bytes, 9.989 s

      eni-ID (10.7.9.41)
        1: mirror_session.api["eni-ID"], VNI 2322272

                                                         packets   bytes
        1: accepted by rule ingress 100                      161  155329
        1: accepted by rule egress 100                       182  210260
        never mirrored: instance metadata                     16   19785
        traffic with Amazon's DNS server, not asked for        8    1254
        all of it                                            367  386628

                          copies
        1: mirrored          343
        1:   of them cut       2
        1: delivered         343

      eni-ID (10.7.9.42)
        1: mirror_session.api["eni-ID"], VNI 13000805

                                                         packets   bytes
        1: accepted by rule ingress 100                      168  182574
        1: accepted by rule egress 100                       153  200330
        never mirrored: instance metadata                     40   63544
        never mirrored: Amazon Time Sync                       4     671
        traffic with Amazon's DNS server, not asked for        8    1273
        all of it                                            373  448392

                      copies
        1: mirrored      321
        1: delivered     321

      eni-ID (10.7.9.44)
        1: mirror_session.api["eni-ID"], VNI 1280443

                                                         packets   bytes
        1: accepted by rule ingress 100                      167  174943
        1: accepted by rule egress 100                       173  201428
        never mirrored: DHCP                                   8    1424
        never mirrored: Amazon Time Sync                       2     304
        traffic with Amazon's DNS server, not asked for        8    1291
        all of it                                            358  379390

                                         copies
        1: mirrored                         340
        1:   of them cut                      1
        1: delivered                          0
        1: lost: no route to the target     340

      Receivers

                                      sent to it  delivered
        instance.sensor (10.7.9.228)         664        664

      Packets   1000 = 894 at one interface + 102 at two + 0 between others + 4 ARP + 0 other
      Offered   1098 = 1004 mirrored + 0 rejected by rule + 94 not mirrorable
      Mirrored  1004 = 664 delivered + 340 lost; 3 of them cut
      Every packet is accounted for.
      Receivers delivered exactly what was sent, to the byte.
      `mirror trace` predicts the same for all 1098 decisions.
    ----- stderr -----
    Not rehearsed, because too little is known of them: eni-ID

    Only the ids of these are known, so stand-ins that let everything through replace them: sg-ID, sg-ID, subnet-ID, vpc-ID
    "#);
}
