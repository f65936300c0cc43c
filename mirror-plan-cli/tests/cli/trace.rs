//! Traces: one packet and whole captures, before and after the plan.

mod capture;

use super::{Folder, assert_shown};

/// A source with a fixed address, its session, and where that session sends to.
const SENSOR: &str = r#"
stack "small" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }
subnet "source" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
instance "web" {
  instance_type = "t3.micro"
  subnet        = subnet.source
  private_ip    = "10.0.1.5"
}
target_group "sensors" { vpc = vpc.lab }
load_balancer "sensors" {
  subnets   = [subnet.source]
  listeners = [{ target_group = target_group.sensors }]
}
mirror_target "sensors" { load_balancer = load_balancer.sensors }
mirror_filter "web" {
  rules = [
    { number = 10, action = "reject", protocol = "tcp", port = 22 },
    { number = 100, action = "accept", protocol = "tcp" },
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

#[test]
fn a_packet_has_a_session_a_rule_a_vni_a_length_and_a_target() {
    let folder = Folder::with(SENSOR);
    let trace = "trace --offline --from 10.0.1.5:443 --to 10.0.9.9:5432";
    assert_shown!(folder.mirror(trace), @"
    exit code: 0
    ----- stdout -----
    tcp from 10.0.1.5 port 443 to 10.0.9.9 port 5432

    Now:
      no interface of the stack sees it

    After the plan:
      it leaves instance.web (10.0.1.5): mirrored
        session  mirror_session.web (number 1), VNI 4242
        rule     egress 100 accept tcp from any to any
        frame    whole up to 8500 bytes: packet length behind a load balancer
        target   mirror_target.sensors -> load_balancer.sensors
    ----- stderr -----
    ");
    assert_shown!(folder.mirror(&format!("{trace} --length 9015")), @"
    exit code: 0
    ----- stdout -----
    tcp from 10.0.1.5 port 443 to 10.0.9.9 port 5432

    Now:
      no interface of the stack sees it

    After the plan:
      it leaves instance.web (10.0.1.5): mirrored
        session  mirror_session.web (number 1), VNI 4242
        rule     egress 100 accept tcp from any to any
        frame    cut to 8500 bytes: packet length behind a load balancer
        target   mirror_target.sensors -> load_balancer.sensors
    ----- stderr -----
    ");
}

#[test]
fn a_packet_that_is_not_mirrored_has_a_reason() {
    let folder = Folder::with(SENSOR);
    let after = |options: &str| {
        let shown = folder.mirror(&format!("trace --offline {options}"));
        let (_, after) = shown.split_once("After the plan:\n").expect(&shown);
        after.replace("----- stderr -----\n", "")
    };
    let reasons = [
        after("--from 10.0.9.9:50000 --to 10.0.1.5:22"),
        after("--from 10.0.1.5 --to 10.0.9.9 --proto icmp"),
        after("--from 10.0.1.5:50000 --to 10.0.0.2:53 --proto udp"),
        after("--from 10.0.1.5:50000 --to 169.254.169.254:80"),
        after("--from 10.0.1.5:68 --to 255.255.255.255:67 --proto udp"),
    ];
    assert_shown!(reasons.join("\n"), @"
    it arrives at instance.web (10.0.1.5): not mirrored
      mirror_session.web (number 1): rejected by ingress 10 reject tcp from any to any port 22

    it leaves instance.web (10.0.1.5): not mirrored
      mirror_session.web (number 1): no rule matches

    it leaves instance.web (10.0.1.5): not mirrored
      mirror_session.web (number 1): traffic with Amazon's DNS server, and its filter has no `amazon_dns`

    it leaves instance.web (10.0.1.5): not mirrored
      AWS never mirrors it: instance metadata

    it leaves instance.web (10.0.1.5): not mirrored
      AWS never mirrors it: DHCP
    ");
}

#[test]
fn a_packet_is_traced_before_and_after_the_plan() {
    let folder = Folder::with(SENSOR);
    folder.done("apply --auto-approve");
    let trace = "--local trace --from 10.0.1.5:443 --to 10.0.9.9:5432 --detailed-exitcode";
    assert_shown!(folder.mirror(trace), @"
    exit code: 0
    ----- stdout -----
    tcp from 10.0.1.5 port 443 to 10.0.9.9 port 5432

    Now and after the plan:
      it leaves instance.web (eni-ID, 10.0.1.5): mirrored
        session  mirror_session.web (number 1), VNI 4242
        rule     egress 100 accept tcp from any to any
        frame    whole up to 8500 bytes: packet length of the session
        target   mirror_target.sensors -> load_balancer.sensors
    ----- stderr -----
    ");
    folder.edit("protocol = \"tcp\", port = 22", "protocol = \"tcp\", peer_port = 5432");
    assert_shown!(folder.mirror(trace), @"
    exit code: 2
    ----- stdout -----
    tcp from 10.0.1.5 port 443 to 10.0.9.9 port 5432

    Now:
      it leaves instance.web (eni-ID, 10.0.1.5): mirrored
        session  mirror_session.web (number 1), VNI 4242
        rule     egress 100 accept tcp from any to any
        frame    whole up to 8500 bytes: packet length of the session
        target   mirror_target.sensors -> load_balancer.sensors

    After the plan:
      it leaves instance.web (eni-ID, 10.0.1.5): not mirrored
        mirror_session.web (number 1): rejected by egress 10 reject tcp from any to any port 5432
    ----- stderr -----
    ");
}

#[test]
fn a_packet_in_json_has_both_moments() {
    let folder = Folder::with(SENSOR);
    folder.done("apply --auto-approve");
    folder.edit("protocol = \"tcp\", port = 22", "protocol = \"tcp\", peer_port = 5432");
    let trace = "--local trace --from 10.0.1.5:443 --to 10.0.9.9:5432 --detailed-exitcode --json";
    assert_shown!(folder.mirror(trace), @r#"
    exit code: 2
    ----- stdout -----
    {
      "after": [
        {
          "by": {
            "action": "reject",
            "direction": "egress",
            "number": 10,
            "text": "egress 10 reject tcp from any to any port 5432"
          },
          "certain": true,
          "direction": "egress",
          "id": "eni-ID",
          "interface": "instance.web",
          "session": {
            "address": "mirror_session.web",
            "destination": "load_balancer.sensors",
            "listens": true,
            "number": 1,
            "target": "mirror_target.sensors",
            "vni": 4242
          },
          "verdict": "rejected"
        }
      ],
      "before": [
        {
          "by": {
            "action": "accept",
            "direction": "egress",
            "number": 100,
            "text": "egress 100 accept tcp from any to any"
          },
          "certain": true,
          "direction": "egress",
          "id": "eni-ID",
          "interface": "instance.web",
          "limit": {
            "by": "packet_length",
            "bytes": 8500
          },
          "sent_bytes": null,
          "session": {
            "address": "mirror_session.web",
            "destination": "load_balancer.sensors",
            "listens": true,
            "number": 1,
            "target": "mirror_target.sensors",
            "vni": 4242
          },
          "verdict": "mirrored"
        }
      ],
      "changes": true,
      "packet": {
        "destination": "10.0.9.9",
        "destination_port": 5432,
        "protocol": 6,
        "source": "10.0.1.5",
        "source_port": 443
      }
    }
    ----- stderr -----
    "#);
}

#[test]
fn what_the_stack_does_not_know_is_said_on_the_command_line() {
    let only_named = r#"
stack "small" { region = "eu-west-1" }
mirror_target "sensor" { network_interface = "eni-0a1b2c3d4e5f67890" }
mirror_filter "all" {
  amazon_dns = true
  rules      = [{ number = 1, action = "accept" }]
}
mirror_session "all" {
  source = "eni-0a1b2c3d4e5f67891"
  target = mirror_target.sensor
  filter = mirror_filter.all
  number = 1
}
"#;
    let folder = Folder::with(only_named);
    let trace = "trace --offline --from 10.0.1.5:50000 --to 10.0.0.2:53 --proto udp";
    assert_shown!(folder.mirror(trace), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0611]: no interface of the stack has 10.0.1.5 or 10.0.0.2
     |
     = note: eni-ID has an unknown address
     = help: name its interface: --eni INTERFACE=ADDRESS
    ");
    let named = format!("{trace} --eni eni-0a1b2c3d4e5f67891=10.0.1.5");
    assert_shown!(folder.mirror(&named), @"
    exit code: 0
    ----- stdout -----
    udp from 10.0.1.5 port 50000 to 10.0.0.2 port 53

    Now:
      no interface of the stack sees it

    After the plan:
      it leaves eni-ID (10.0.1.5): mirrored
        session  mirror_session.all (number 1), VNI known after apply
        rule     egress 1 accept any protocol from any to any
        frame    whole up to 8961 bytes: MTU of the target
        target   mirror_target.sensor -> eni-ID
    ----- stderr -----
    ");
    let dns = folder.mirror(&format!("{named} --resolver 10.0.0.2 --length 9001 --mtu 1500"));
    assert_shown!(dns, @"
    exit code: 0
    ----- stdout -----
    udp from 10.0.1.5 port 50000 to 10.0.0.2 port 53

    Now:
      no interface of the stack sees it

    After the plan:
      it leaves eni-ID (10.0.1.5): mirrored
        session  mirror_session.all (number 1), VNI known after apply
        rule     network service amazon-dns
        frame    cut to 1460 bytes: MTU of the target
        target   mirror_target.sensor -> eni-ID
    ----- stderr -----
    ");
    assert_shown!(folder.mirror(&format!("{trace} --eni eni-1=10.0.1.5")), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0611]: the stack has no interface `eni-1`
     |
     = note: eni-ID has an unknown address
     = help: name its interface: --eni INTERFACE=ADDRESS
    ");
}

#[test]
fn what_others_made_is_traced_too() {
    let folder = Folder::with(
        r#"
stack "small" {
  region = "eu-west-1"
  allow  = ["MP1001: it is what is shown here"]
}
existing "instance" "theirs" { name = "web" }
existing "mirror_filter" "theirs" { name = "web" }
mirror_target "sensor" { load_balancer = load_balancer.silent }
existing "load_balancer" "silent" { name = "silent" }
mirror_session "ours" {
  source = instance.theirs
  target = mirror_target.sensor
  filter = mirror_filter.theirs
  number = 2
}
"#,
    );
    let estate = SENSOR.replace("stack \"small\"", "stack \"estate\"");
    let (estate, _) = estate.split_once("target_group").expect("the network is first");
    let rules = "rules = [{ number = 7, action = \"accept\", direction = \"ingress\" }]";
    let silent = "load_balancer \"silent\" {\n  name = \"silent\"\n  subnets = [subnet.source]\n}";
    let estate = format!("{estate}\nmirror_filter \"web\" {{ {rules} }}\n{silent}\n");
    folder.write("estate.mirror.hcl", &estate);
    folder.done("apply estate.mirror.hcl --auto-approve");
    let trace = "--local trace small.mirror.hcl --from 192.0.2.1:50000 --to 10.0.1.5:443";
    assert_shown!(folder.mirror(trace), @"
    exit code: 0
    ----- stdout -----
    tcp from 192.0.2.1 port 50000 to 10.0.1.5 port 443

    Now:
      it arrives at instance.theirs (eni-ID, 10.0.1.5): not mirrored
        no session mirrors this interface

    After the plan:
      it arrives at instance.theirs (eni-ID, 10.0.1.5): mirrored
        session  mirror_session.ours (number 2), VNI known after apply
        rule     ingress 7 accept any protocol from any to any
        frame    whole up to 8500 bytes: packet length behind a load balancer
        target   mirror_target.sensor -> load_balancer.silent, which has no UDP listener on port 4789: every packet is lost
    ----- stderr -----
    ");
    // Another stack's session on the same interface may take the packet first.
    folder.done("apply small.mirror.hcl --auto-approve");
    let other = r#"
stack "other" { region = "eu-west-1" }
existing "instance" "theirs" { name = "web" }
existing "mirror_filter" "theirs" { name = "web" }
existing "mirror_target" "theirs" { name = "sensor" }
mirror_session "first" {
  source = instance.theirs
  target = mirror_target.theirs
  filter = mirror_filter.theirs
  number = 1
}
"#;
    folder.write("other.mirror.hcl", other);
    folder.done("apply other.mirror.hcl --auto-approve");
    let shown = folder.mirror(trace);
    assert_shown!(shown.split_once("----- stderr -----\n").expect(&shown).1, @r#"
    Sessions of others, not in this trace; a session with a lower number is evaluated first:
      session tms-ID "first" of stack "other" mirrors eni-ID too, with number 1
    "#);
}

#[test]
fn packets_that_cannot_be_are_refused() {
    let folder = Folder::with(SENSOR);
    let refused = |options: &str| folder.mirror(&format!("trace --offline {options}"));
    assert_shown!(refused("--from 10.0.1.5:1 --to [::1]:2"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: 10.0.1.5 and ::1 are not of the same address family
    ");
    assert_shown!(refused("--from 10.0.1.5 --to 10.0.9.9"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: a packet of tcp has a port at both ends
     |
     = help: give both: --from 10.0.1.5:50000 --to 10.0.9.9:443
    ");
    assert_shown!(refused("--from 10.0.1.5:1 --to 10.0.9.9:2 --proto icmp"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: a packet of icmp has no ports
    ");
    assert_shown!(refused("--from 10.0.1.5:1 --to 10.0.9.9:2 --proto all"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: a packet has one protocol
     |
     = help: name it: --proto tcp, udp, icmp, icmpv6 or a number
    ");
    assert_shown!(refused("--from here --to there"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'here' for '--from <ADDRESS[:PORT]>': `here` is not an address such as 10.0.1.5:443 or [::1]:443

    For more information, try '--help'.
    ");
    assert_shown!(refused("--json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      <--from <ADDRESS[:PORT]>|--pcap <FILE>>

    Usage: mirror trace --offline --json <--from <ADDRESS[:PORT]>|--pcap <FILE>> [STACK]

    For more information, try '--help'.
    ");
    folder.edit("filter = mirror_filter.web", "filter = \"tmf-0a1b2c3d4e5f67890\"");
    assert_shown!(refused("--from 10.0.1.5:1 --to 10.0.9.9:2"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0612]: mirror_session.web uses a mirror filter that the stack does not know: `tmf-ID`
     |
     = note: in `mirror_session.web`
     = help: declare the filter in the stack, or in an `existing` block
    ");
}
