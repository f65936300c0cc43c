//! Stacks that mirror what comes and goes.

use super::{Folder, assert_shown};

/// The examples of the book: somebody else's instances, and the stack that mirrors them.
const ESTATE: &str = include_str!("../../../examples/sources/estate.mirror.hcl");
const SENSORS: &str = include_str!("../../../examples/sources/sensors.mirror.hcl");

fn folder() -> Folder {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder
}

/// The lines of a plan that begin with a sign and the address of a session.
fn sessions(plan: &str) -> Vec<String> {
    let lines = plan.lines().map(|line| line.trim_start_matches(['+', '-', ' ']));
    let lines = lines.filter(|line| line.starts_with("mirror_session.detect["));
    lines.map(str::to_owned).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story is read in one piece")]
fn interfaces_come_and_go_and_their_sessions_with_them() {
    let folder = folder();
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack sensors in account 123456789012, Region eu-west-1.
    It uses these, and leaves them as they are:
        instance.ids = i-ID
    It mirrors these, as they come and go:
        sources.web = 2 interfaces, 1..10 expected
            left out: 1 of type t2.micro, which AWS does not mirror (eni-ID)
            left out: 1 that a mirror target sends to (eni-ID)
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # mirror_target.ids will be created
      + mirror_target "ids" {
          + id                = (known after apply)
          + network_interface = "eni-ID"
          + tags              = {
              + "Name" = "ids"
            }
        }

      # mirror_filter.all will be created
      + mirror_filter "all" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number      = 100
                  + action      = "accept"
                  + direction   = "egress"
                  + protocol    = "all"
                  + source      = "0.0.0.0/0"
                  + destination = "0.0.0.0/0"
                },
              + {
                  + number      = 100
                  + action      = "accept"
                  + direction   = "ingress"
                  + protocol    = "all"
                  + source      = "0.0.0.0/0"
                  + destination = "0.0.0.0/0"
                },
            ]
          + tags       = {
              + "Name" = "all"
            }
        }

      # mirror_session.detect is a session for each interface of sources.web
      #   filter = mirror_filter.all.id
      #   number = 1
      #   target = mirror_target.ids.id
      #   vni = "4096..8191"
      + mirror_session.detect["eni-ID"]: number 1, vni 4096
      + mirror_session.detect["eni-ID"]: number 1, vni 4097

    Plan: 4 to add, 0 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    Estimated cost: 21.90 USD a month, 21.90 more than now: 2 sessions, 0 load balancers,
      at list prices of us-east-2, 2026-09-20, without instances and without copied packets (--load).
    ----- stderr -----
    "#);
    folder.done("apply sensors.mirror.hcl --auto-approve");
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack sensors, account 123456789012, Region eu-west-1.
    It mirrors these, as they come and go:
        sources.web = 2 interfaces, 1..10 expected
            left out: 1 of type t2.micro, which AWS does not mirror (eni-ID)
            left out: 1 that a mirror target sends to (eni-ID)
    ----- stderr -----
    ");

    // One more instance is one more session, and nothing else.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=3");
    let one_more = folder.done("plan sensors.mirror.hcl");
    assert_eq!(sessions(&one_more).len(), 1, "{one_more}");
    assert!(one_more.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{one_more}");
    folder.done("apply sensors.mirror.hcl --auto-approve");

    // Two terminated instances take their sessions with them: there is nothing to do.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=1");
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack sensors, account 123456789012, Region eu-west-1.
    It mirrors these, as they come and go:
        sources.web = 1 interface, 1..10 expected
            left out: 1 of type t2.micro, which AWS does not mirror (eni-ID)
            left out: 1 that a mirror target sends to (eni-ID)
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("--local drift sensors.mirror.hcl"), @"
    exit code: 0
    ----- stdout -----
    Drift of stack sensors in account 123456789012, Region eu-west-1.
    Compared with what the apply of TIME left.

    No drift.
    ----- stderr -----
    ");

    // An instance with other tags is no longer mirrored, and drift can tell that from a deletion.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=2 --var mirror=false");
    assert_shown!(folder.mirror("--local drift sensors.mirror.hcl"), @r#"
    exit code: 0
    ----- stdout -----
    Drift of stack sensors in account 123456789012, Region eu-west-1.
    Compared with what the apply of TIME left.

    Sources that came or went since, which is not drift:

      mirror_session.detect["eni-ID"]
      mirror_session.detect["eni-ID"]

    No drift.
    ----- stderr -----
    "#);
    let mut shown = sessions(&folder.done("plan sensors.mirror.hcl"));
    shown.sort_by_key(|line| !line.contains("no longer selected"));
    // The new session gets the first free VNI, which depends on whose interface was created first.
    let shown = shown.join("\n").replace("vni 4096", "vni 4097");
    assert_shown!(shown, @r#"
    mirror_session.detect["eni-ID"]: tms-ID, no longer selected
    mirror_session.detect["eni-ID"]: number 1, vni 4097
    "#);
    let applied = folder.done("apply sensors.mirror.hcl --auto-approve");
    assert!(applied.contains("Resources: 1 added, 0 changed, 1 destroyed."), "{applied}");
    let seen = folder.done("show sensors.mirror.hcl");
    let (_, seen) = seen.split_once("# sources.web, which looks for ").expect("the sources");
    let mut seen: Vec<&str> = seen.lines().collect();
    seen[1..].sort_by_key(|line| line.contains("t3.micro"));
    assert_shown!(seen.join("\n"), @r#"
    tag mirror = "true", not tag mirror = "false"
    eni-ID in subnet-ID: device 0 of i-ID, a t2.micro
    eni-ID in subnet-ID: device 0 of i-ID, a t3.micro
    eni-ID in subnet-ID: device 0 of i-ID, a t3.micro
    eni-ID in subnet-ID: device 0 of i-ID, a t3.micro
    "#);
    folder.done("destroy sensors.mirror.hcl --auto-approve");
}

#[test]
fn a_count_that_is_not_expected_is_refused_before_anything_is_done() {
    let folder = folder();
    folder.done("apply sensors.mirror.hcl --auto-approve");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=0");
    let before = folder.done("show sensors.mirror.hcl");
    assert_shown!(folder.mirror("--local apply sensors.mirror.hcl --auto-approve"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0409]: 0 interfaces match `sources.web`, but 1..10 are expected
      --> sensors.mirror.hcl:18:12
       |
    18 |   expect = "1..10"
       |            ^^^^^^^
       |
       = note: looked for: tag mirror = "true", not tag mirror = "false"
       = note: left out: 1 of type t2.micro, which AWS does not mirror (eni-ID)
       = note: left out: 1 that a mirror target sends to (eni-ID)
       = help: if this is right, change `expect` so that it includes this count
       = help: if not, check what has changed in the account, or what the block looks for
    "#);
    assert_eq!(folder.done("show sensors.mirror.hcl"), before);
}

#[test]
fn a_reviewed_count_holds_while_interfaces_come_and_go() {
    let folder = folder();
    let counted = SENSORS.replace("\"1..10\"", "\"1..10\"\n  review = \"count\"");
    folder.write("sensors.mirror.hcl", &counted);
    folder.done("plan sensors.mirror.hcl --write reviewed.plan");
    assert_shown!(folder.read("reviewed.plan"), @r#"
    mirror plan 1
    stack sensors
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 2
    update 0
    replace 0
    delete 0
    use instance.ids i-ID
    mirror sources.web 1..10 interfaces

    create mirror_filter.all
        amazon_dns = false
        rules[egress 100].action = "accept"
        rules[egress 100].destination = "0.0.0.0/0"
        rules[egress 100].protocol = "all"
        rules[egress 100].source = "0.0.0.0/0"
        rules[ingress 100].action = "accept"
        rules[ingress 100].destination = "0.0.0.0/0"
        rules[ingress 100].protocol = "all"
        rules[ingress 100].source = "0.0.0.0/0"
        tags["Name"] = "all"

    each mirror_session.detect of sources.web
        filter = mirror_filter.all.id
        number = 1
        target = mirror_target.ids.id
        vni = "4096..8191"

    create mirror_target.ids
        network_interface = "eni-ID"
        tags["Name"] = "ids"
    "#);
    // The next day there are other instances, and the plan is still what was reviewed.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=5 --var mirror=false");
    folder.done("plan sensors.mirror.hcl --check reviewed.plan");
    folder.done("apply sensors.mirror.hcl --approved reviewed.plan");
    // The same holds for a later change, whatever comes and goes meanwhile.
    let longer = folder.read("sensors.mirror.hcl").replace("number = 1\n", "number = 2\n");
    folder.write("sensors.mirror.hcl", &longer);
    folder.done("plan sensors.mirror.hcl --write reviewed.plan");
    assert_shown!(folder.read("reviewed.plan"), @r#"
    mirror plan 1
    stack sensors
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 0
    update 0
    replace 0
    delete 0
    use instance.ids i-ID
    mirror sources.web 1..10 interfaces

    each mirror_session.detect of sources.web
        filter = mirror_filter.all.id
        number = 2
        target = mirror_target.ids.id
        vni = "4096..8191"

    update any mirror_session.detect
        number = 1 -> 2
    "#);
    folder.done("apply estate.mirror.hcl --auto-approve --var web=3");
    folder.done("apply sensors.mirror.hcl --approved reviewed.plan");
    // A number of interfaces that was never expected is refused.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=0");
    let refused = folder.mirror("--local plan sensors.mirror.hcl --check reviewed.plan");
    assert!(refused.contains("error[MP0409]"), "{refused}");
}

#[test]
fn an_inventory_has_the_interfaces_for_as_long_as_it_is_of_this_stack() {
    let folder = folder();
    folder.done("observe sensors.mirror.hcl --out sources.json");
    let planned = folder.done("plan sensors.mirror.hcl");
    let offline = folder.mirror("plan sensors.mirror.hcl --inventory sources.json");
    assert!(offline.contains(&planned), "{offline}");
    folder.write("sensors.mirror.hcl", &SENSORS.replace("mirror = \"true\"", "mirror = \"yes\""));
    assert_shown!(folder.mirror("plan sensors.mirror.hcl --inventory sources.json"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0410]: what was looked up is not what `sources.web` looks for
      --> sensors.mirror.hcl:16:1
       |
    16 | sources "web" {
       | ^^^^^^^^^^^^^ declared here
       |
       = note: it looks for: tag mirror = "yes", not tag mirror = "false"
       = note: the lookup was for: tag mirror = "true", not tag mirror = "false"
       = help: plan against the account, or with an inventory of this stack as it is now
    "#);
}

#[test]
fn every_other_view_of_a_stack_knows_sources() {
    let folder = folder();
    assert_shown!(folder.mirror("graph sensors.mirror.hcl --format mermaid"), @r#"
    exit code: 0
    ----- stdout -----
    flowchart LR
      subgraph g0["Sources"]
        n1["sources.web"]
      end
      subgraph g1["Mirror"]
        n0["mirror_session.detect[*]<br/>number 1<br/>VNI 4096..8191"]
        n2["mirror_filter.all<br/>2 accept, 0 reject"]
        n3["mirror_target.ids"]
      end
      subgraph g2["Receivers"]
        n4["instance.ids"]
      end
      n0 --> n2
      n1 --> n0
      n2 --> n3
      n3 -.->|"VXLAN"| n4
    ----- stderr -----
    "#);
    folder.done("plan sensors.mirror.hcl --out saved.plan");
    assert_shown!(folder.mirror("--local graph saved.plan --format mermaid"), @r#"
    exit code: 0
    ----- stdout -----
    flowchart LR
      subgraph g0["Sources"]
        n0["network interface<br/>eni-ID"]
        n5["network interface<br/>eni-ID"]
      end
      subgraph g1["Mirror"]
        n1["create<br/>mirror_session.detect[#34;eni-ID#34;]<br/>number 1<br/>VNI 4096"]
        n2["create<br/>mirror_filter.all<br/>2 accept, 0 reject"]
        n3["create<br/>mirror_target.ids"]
        n6["create<br/>mirror_session.detect[#34;eni-ID#34;]<br/>number 1<br/>VNI 4097"]
      end
      subgraph g2["Receivers"]
        n4["network interface<br/>eni-ID"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -.->|"VXLAN"| n4
      n5 --> n6
      n6 --> n2
      classDef create fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      class n1,n2,n3,n6 create
    ----- stderr -----
    "#);
    let markdown = folder.done("plan sensors.mirror.hcl --format markdown");
    assert_eq!(sessions(&markdown).len(), 2, "{markdown}");
    let terraform = folder.done("plan sensors.mirror.hcl --format tfjson");
    assert!(terraform.contains(r#"aws_ec2_traffic_mirror_session.detect[\"eni-"#), "{terraform}");
}

#[test]
fn a_saved_plan_holds_although_a_session_has_gone_with_its_interface() {
    let folder = folder();
    folder.done("apply sensors.mirror.hcl --auto-approve");
    let other = SENSORS.replace("number = 100", "number = 200");
    folder.write("sensors.mirror.hcl", &other);
    folder.done("plan sensors.mirror.hcl --out saved.plan");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=1");
    let applied = folder.done("apply saved.plan");
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    // A session that was to be changed and no longer exists is another matter.
    folder.write("sensors.mirror.hcl", &other.replace("number = 1\n", "number = 2\n"));
    folder.done("plan sensors.mirror.hcl --out saved.plan");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=0");
    let refused = folder.mirror("--local apply saved.plan");
    assert!(refused.contains("error[MP0501]"), "{refused}");
}

#[test]
fn policies_admit_any_interface_since_nobody_knows_which_will_come() {
    let folder = folder();
    let policies = folder.done("iam sensors.mirror.hcl --apply");
    for needed in ["ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances", ":network-interface/*"]
    {
        assert!(policies.contains(needed), "{needed}: {policies}");
    }
}
