//! Findings on the command line: where they are shown (by every verb that plans), and what they forbid.

use serde_json::Value as Json;

use super::{Folder, assert_shown};

/// The stack with the interfaces that are mirrored and those that mirrored packets are sent to.
const OTHERS: &str = r#"
stack "others" { region = "eu-west-1" }

vpc "theirs" { cidr = "10.0.0.0/16" }

subnet "theirs" {
  vpc  = vpc.theirs
  cidr = "10.0.1.0/24"
}

instance "theirs" {
  count         = 2
  subnet        = subnet.theirs
  instance_type = "t3.micro"
}

output "subnet" { value = subnet.theirs.id }
output "web" { value = instance.theirs[0].network_interface }
output "sensor" { value = instance.theirs[1].network_interface }
"#;

/// The stack with an instance in the subnet of those interfaces.
const TENANT: &str = r#"
stack "tenant" { region = "eu-west-1" }

instance "guest" {
  subnet        = "SUBNET"
  instance_type = "t3.micro"
}
"#;

/// A filter that mirrors one direction only, which a warning reports, and an interface that is used twice, which AWS
/// refuses.
const STACK: &str = r#"
stack "small" { region = "eu-west-1" }

mirror_target "sensor" { network_interface = "SENSOR" }

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress" }]
}

mirror_session "web" {
  source = "WEB"
  target = mirror_target.sensor
  filter = mirror_filter.web
  number = 1
}
"#;

/// A folder with that stack and existing interfaces: `web` is mirrored, and its packets are sent to `sensor`.
fn mirroring(web: &str, sensor: &str) -> Folder {
    let folder = Folder::with(OTHERS);
    folder.done("apply --auto-approve");
    let interface = |output: &str| folder.done(&format!("output {output} --raw"));
    let stack = STACK.replace("WEB", &interface(web)).replace("SENSOR", &interface(sensor));
    folder.write("small.mirror.hcl", &stack);
    folder
}

/// The same without the error.
fn with_a_warning() -> Folder {
    mirroring("web", "sensor")
}

#[test]
fn an_error_is_shown_with_its_place_and_nothing_is_written_or_done() {
    let folder = mirroring("web", "web");
    let planned = folder.mirror("--local plan --out saved.json --write saved.plan");
    let (_, notes) = planned.split_once("----- stderr -----\n").unwrap();
    assert_shown!(notes, @r#"
    error[MP1016]: eni-ID is mirrored by `mirror_session.web` and cannot be a target
      --> small.mirror.hcl:4:46
       |
     4 | mirror_target "sensor" { network_interface = "eni-ID" }
       |                                              ^^^^^^^^^^^^^^^^^^^^^^^
    ...
    11 |   source = "eni-ID"
       |            ----------------------- mirrored here
       |
       = help: send mirrored packets to another interface

    warning[MP1008]: `mirror_filter.web` mirrors no egress packets
     --> small.mirror.hcl:7:11
      |
    7 |   rules = [{ number = 100, action = "accept", direction = "ingress" }]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: half of every conversation is missing at the receiver
      = help: leave `direction` out of a rule to match both directions
    error[MP0607]: blocked by a finding
     |
     = note: AWS would refuse the apply half-way, or accept it and carry no packets
     = help: fix what was found: `mirror validate --fix` makes the edits shown
     = help: or accept it in the `stack` block, with a reason: `allow = ["CODE: REASON"]`
    "#);
    for name in ["saved.json", "saved.plan"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    let applied = folder.mirror("--local apply --auto-approve");
    assert!(applied.starts_with("exit code: 1\n") && applied.contains("MP0607"), "{applied}");
    assert!(folder.done("show").contains("Nothing in account"), "it must not have begun");
}

#[test]
fn a_warning_forbids_nothing_unless_it_is_denied() {
    let folder = with_a_warning();
    assert!(folder.mirror("--local plan").starts_with("exit code: 0\n"));
    for command in ["validate", "--local plan", "--local apply --auto-approve"] {
        let denied = folder.mirror(&format!("{command} --deny warnings"));
        assert!(denied.starts_with("exit code: 1\n"), "{denied}");
    }
    folder.edit(r#"{ region"#, "{\n  allow  = [\"MP1008: answers are of no interest\"]\n  region");
    folder.edit(r#""eu-west-1" }"#, "\"eu-west-1\"\n}");
    assert!(folder.mirror("validate --deny warnings").starts_with("exit code: 0\n"));
    assert!(!folder.mirror("--local plan --deny warnings").contains("MP1008"));
}

#[test]
fn an_acceptance_needs_a_code_of_a_finding_and_a_reason() {
    let folder = Folder::with(
        r#"stack "small" { allow = ["MP1008", "MP0001: it is HCL", "MP1003: it is UDP"] }"#,
    );
    assert_shown!(folder.mirror("validate"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: `MP1008` is allowed without a reason: write "MP1008: why it is acceptable here"
     --> small.mirror.hcl:1:26
      |
    1 | stack "small" { allow = ["MP1008", "MP0001: it is HCL", "MP1003: it is UDP"] }
      |                          ^^^^^^^^

    error[MP0007]: `MP0001` is not the code of a finding that can be accepted
     --> small.mirror.hcl:1:36
      |
    1 | stack "small" { allow = ["MP1008", "MP0001: it is HCL", "MP1003: it is UDP"] }
      |                                    ^^^^^^^^^^^^^^^^^^^

    error[MP0007]: `MP1003` is not the code of a finding that can be accepted
     --> small.mirror.hcl:1:57
      |
    1 | stack "small" { allow = ["MP1008", "MP0001: it is HCL", "MP1003: it is UDP"] }
      |                                                         ^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn every_form_of_a_plan_has_the_findings_and_none_changes_its_digest() {
    let folder = with_a_warning();
    let lines = folder.done("plan --json");
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = lines.iter().find(|line| line["type"] == "diagnostic").unwrap();
    assert_eq!(found["@level"], "warn");
    assert!(
        found["diagnostic"]["summary"].as_str().unwrap().contains("mirrors no egress packets"),
        "{found}"
    );
    let terraform: Json = serde_json::from_str(&folder.done("plan --format tfjson")).unwrap();
    assert_eq!(terraform["checks"][0]["address"]["to_display"], "check.mp1008");
    assert!(folder.done("plan --format markdown").contains("warning[MP1008]"));
    folder.done("report --html report.html");
    assert!(folder.read("report.html").contains("warning[MP1008]"));

    let digest = |folder: &Folder| {
        let text = folder.done("plan");
        text.lines().find(|line| line.starts_with("Plan digest")).unwrap().to_owned()
    };
    folder.done("plan --write with.plan");
    let with = digest(&folder);
    folder.edit("{ region", "{\n  allow  = [\"MP1008: answers are of no interest\"]\n  region");
    folder.edit("\"eu-west-1\" }", "\"eu-west-1\"\n}");
    assert_eq!(digest(&folder), with);
    folder.done("plan --check with.plan");
}

/// Somebody else has an instance in a subnet that is about to be deleted.
#[test]
fn what_others_have_in_what_goes_is_shown_before_anything_is_removed() {
    let folder = Folder::with(OTHERS);
    folder.done("apply --auto-approve");
    let tenant = TENANT.replace("SUBNET", &folder.done("output subnet --raw"));
    folder.write("small.mirror.hcl", &tenant);
    folder.done("apply --auto-approve");
    folder.write("small.mirror.hcl", OTHERS);
    let shown = folder.mirror("--local destroy --auto-approve");
    let (_, notes) = shown.split_once("----- stderr -----\n").unwrap();
    assert_shown!(notes, @r#"
    error[MP1041]: `subnet.theirs` would be deleted, but instance i-ID "guest" is in it
     --> small.mirror.hcl:6:1
      |
    6 | subnet "theirs" {
      | ^^^^^^^^^^^^^^^
      |
      = note: why `subnet.theirs` would be deleted: the stack is being destroyed
      = help: remove or move it first, or keep `subnet.theirs`
    error[MP0607]: blocked by a finding
     |
     = note: AWS would refuse the apply half-way, or accept it and carry no packets
     = help: fix what was found: `mirror validate --fix` makes the edits shown
     = help: or accept it in the `stack` block, with a reason: `allow = ["CODE: REASON"]`
    "#);
    for command in ["--local plan --destroy", "--local destroy --auto-approve"] {
        let shown = folder.mirror(command);
        assert!(shown.starts_with("exit code: 1\n") && shown.contains(notes), "{shown}");
    }
    assert!(folder.done("plan").starts_with("No changes."));
    let (network, _) = OTHERS.split_once("subnet ").unwrap();
    folder.write("small.mirror.hcl", network);
    folder.done("report --html report.html");
    assert!(folder.read("report.html").contains("error[MP1041]"));
}

/// The stack of somebody who follows a how-to page.
const GUIDE: &str = include_str!("../../../examples/guide.mirror.hcl");

#[test]
fn the_mistakes_of_a_how_to_page_are_found_one_by_one_and_mended() {
    let folder = Folder::with(GUIDE);
    let found = folder.mirror("validate");
    let titles = found.lines().filter(|line| line.contains("[MP"));
    assert_shown!(titles.collect::<Vec<_>>().join("\n"), @"
    error[MP1017]: `instance.source-instance` gets a public address, and its subnet has no route to the internet
    warning[MP1004]: `target_group.targets` checks health over TCP on port 80, where VXLAN arrives
    error[MP1002]: `load_balancer.my-traffic-mirroring-nlb` forwards udp to `target_group.targets`, which is tcp
    error[MP1001]: `load_balancer.my-traffic-mirroring-nlb` has no UDP listener on port 4789, and `mirror_target.nlb-mirror-target` sends to it
    error[MP1031]: a mirror target is not an instance
    warning[MP1009]: rule 200 of `mirror_filter.traffic-mirror-filter` has no effect on any packet
    error[MP1013]: 65536 is not between 1 and 8500
    ");

    let mended = folder.mirror("validate --fix --deny warnings");
    assert_shown!(mended, @"
    exit code: 0
    ----- stdout -----
    Success! small.mirror.hcl is valid: 16 resources, 0 outputs.
    ----- stderr -----
    Fixed small.mirror.hcl: 9 edits.
    ");
    assert_shown!(difference(GUIDE, &folder.read("small.mirror.hcl")), @r#"
    -   protocol = "tcp"
    -   port     = 80
    -   listeners = [{ protocol = "tcp", port = 80, target_group = target_group.targets }]
    - mirror_target "instance-mirror-target" { instance = instance.target-instance[0] }
    -     { number = 200, action = "reject", protocol = "tcp", port = 22 },
    -   packet_length = 65536
    +   protocol = "udp"
    +   port     = 4789
    +   health_check = { protocol = "tcp", port = 80 }
    +   listeners = [{ protocol = "udp", port = 4789, target_group = target_group.targets }]
    + mirror_target "instance-mirror-target" { network_interface = instance.target-instance[0] }
    +     { number = 99, action = "reject", protocol = "tcp", port = 22 },
    +   packet_length = 8500
    + internet_gateway "internet" { vpc = vpc.my-traffic-mirroring-vpc }
    + route_table "internet" {
    +   routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.internet }]
    +   subnets = [subnet.source-subnet]
    "#);
    assert!(folder.done("plan").contains("Plan: 16 to add, 0 to change, 0 to destroy."));
    folder.done("apply --auto-approve");
    assert!(folder.done("plan").starts_with("No changes."));
}

#[test]
fn what_needs_no_edit_is_not_written() {
    let folder = with_a_warning();
    let text = folder.read("small.mirror.hcl");
    let before = std::fs::metadata(folder.path().join("small.mirror.hcl")).unwrap();
    assert!(folder.mirror("validate --fix").contains("MP1008"));
    let after = std::fs::metadata(folder.path().join("small.mirror.hcl")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(folder.read("small.mirror.hcl"), text);
}

/// The lines that differ.
fn difference(before: &str, after: &str) -> String {
    let gone = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    let gone = gone.map(|line| format!("- {line}\n"));
    gone.chain(new.map(|line| format!("+ {line}\n"))).collect()
}
