//! From an empty folder to an empty account.

use super::{Folder, SMALL, assert_shown};

#[test]
#[expect(clippy::too_many_lines, reason = "one story is read in one piece")]
fn a_small_stack_from_plan_to_destroy() {
    let folder = Folder::with(SMALL);
    let planned = folder.mirror("--local plan --detailed-exitcode");
    assert_shown!(planned, @r#"
    exit code: 2
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = false
          + tags          = {
              + "Name" = "lab"
            }
        }

      # mirror_filter.web will be created
      + mirror_filter "web" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number           = 100
                  + action           = "accept"
                  + direction        = "ingress"
                  + protocol         = "tcp"
                  + source           = "0.0.0.0/0"
                  + destination      = "0.0.0.0/0"
                  + destination_port = 443
                },
            ]
          + tags       = {
              + "Name" = "web"
            }
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + vpc = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    ----- stderr -----
    "#);
    let applied = folder.mirror("--local apply -auto-approve -parallelism=1");
    assert_shown!(applied.replace(stdout(&planned), "(the plan)\n"), @r#"
    exit code: 0
    ----- stdout -----
    (the plan)

    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.

    Outputs:

    vpc = "vpc-ID"
    ----- stderr -----
    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]
    "#);
    assert_shown!(folder.mirror("--local plan -detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("--local apply --auto-approve"), @r#"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.

    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.

    Outputs:

    vpc = "vpc-ID"
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local output"), @r#"
    exit code: 0
    ----- stdout -----
    vpc = "vpc-ID"
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local output vpc --raw"), @"
    exit code: 0
    ----- stdout -----
    vpc-ID----- stderr -----
    ");
    assert_shown!(folder.mirror("--local output --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "vpc": {
        "sensitive": false,
        "type": "string",
        "value": "vpc-ID"
      }
    }
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local show"), @r#"
    exit code: 0
    ----- stdout -----
    Account 123456789012, Region eu-west-1.

    # vpc.lab
    vpc "lab" {
        id            = "vpc-ID"
        cidr          = "10.0.0.0/16"
        dns_support   = true
        dns_hostnames = false
        tags          = {
            "Name" = "lab"
        }
    }

    # mirror_filter.web
    mirror_filter "web" {
        id         = "tmf-ID"
        amazon_dns = false
        rules      = [
            {
                number           = 100
                action           = "accept"
                direction        = "ingress"
                protocol         = "tcp"
                source           = "0.0.0.0/0"
                destination      = "0.0.0.0/0"
                destination_port = 443
            },
        ]
        tags       = {
            "Name" = "web"
        }
    }
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local destroy --auto-approve --parallelism 1"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      - destroy

    mirror will perform the following actions:

      # vpc.lab will be destroyed
      - vpc "lab" {
          - id            = "vpc-ID" -> null
          - cidr          = "10.0.0.0/16" -> null
          - dns_support   = true -> null
          - dns_hostnames = false -> null
          - tags          = {
              - "Name" = "lab"
            } -> null
        }

      # mirror_filter.web will be destroyed
      - mirror_filter "web" {
          - id         = "tmf-ID" -> null
          - amazon_dns = false -> null
          - rules      = [
              - {
                  - number           = 100
                  - action           = "accept"
                  - direction        = "ingress"
                  - protocol         = "tcp"
                  - source           = "0.0.0.0/0"
                  - destination      = "0.0.0.0/0"
                  - destination_port = 443
                },
            ] -> null
          - tags       = {
              - "Name" = "web"
            } -> null
        }

    Plan: 0 to add, 0 to change, 2 to destroy.

    Changes to Outputs:
      - vpc = "vpc-ID" -> null

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Destroy complete! Resources: 2 destroyed.
    ----- stderr -----
    vpc.lab: Destroying... [id=vpc-ID]
    vpc.lab: Destruction complete after Ns
    mirror_filter.web: Destroying... [id=tmf-ID]
    mirror_filter.web: Destruction complete after Ns
    "#);
    assert_shown!(folder.mirror("--local destroy --auto-approve"), @"
    exit code: 0
    ----- stdout -----
    No changes. No objects need to be destroyed.

    Compared: stack small, account 123456789012, Region eu-west-1.

    Destroy complete! Resources: 0 destroyed.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("--local output vpc"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0104]: the output `vpc` is (known after apply: vpc.lab.id)
     |
     = help: apply the stack first
    ");
}

/// Returns the part of the text of [`shown`](super::shown) that went to stdout.
fn stdout(shown: &str) -> &str {
    let (_, after) = shown.split_once("----- stdout -----\n").expect("there is a stdout");
    after.split_once("----- stderr -----").expect("there is a stderr").0
}

#[test]
fn an_edited_filter_rule_is_one_change_in_place() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    folder.edit("port = 443", "port = 8443");
    assert_shown!(folder.mirror("--local plan --detailed-exitcode"), @r#"
    exit code: 2
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      ~ update in-place

    mirror will perform the following actions:

      # mirror_filter.web will be updated in-place
      # mirrored from now on: ingress tcp from any to any port 8443
      # no longer mirrored: ingress tcp from any to any port 443
      ~ mirror_filter "web" {
            id    = "tmf-ID"
          ~ rules = [
              ~ {
                    number           = 100
                    direction        = "ingress"
                  ~ destination_port = 443 -> 8443
                    # (4 unchanged attributes hidden)
                },
            ]
            tags  = {
                "Name" = "web"
            }
            # (1 unchanged attribute hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    ----- stderr -----
    "#);
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local plan --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
}

#[test]
fn variables_come_from_options_files_and_the_environment() {
    let folder = Folder::with(SMALL);
    folder.write("vars.hcl", "cidr = \"10.2.0.0/16\"\n");
    let cidr = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.contains("cidr")).unwrap().trim().to_owned()
    };
    let from_environment =
        cidr(folder.command("--local plan").env("MIRROR_VAR_cidr", "10.1.0.0/16"));
    assert_eq!(from_environment, "+ cidr          = \"10.1.0.0/16\"");
    let from_file = cidr(
        folder.command("--local plan -var-file vars.hcl").env("MIRROR_VAR_cidr", "10.1.0.0/16"),
    );
    assert_eq!(from_file, "+ cidr          = \"10.2.0.0/16\"");
    let from_option =
        cidr(&mut folder.command("--local plan -var-file vars.hcl -var cidr=10.3.0.0/16"));
    assert_eq!(from_option, "+ cidr          = \"10.3.0.0/16\"");
}

/// The folder has another stack file.
#[test]
fn what_init_has_written_is_planned_by_the_command_that_it_tells() {
    let folder = Folder::with(SMALL);
    let shown = folder.mirror("init prod");
    let (_, command) = shown.rsplit_once("account: mirror ").expect(&shown);
    assert_eq!(command.trim(), "--local plan prod");
    let planned = folder.mirror(command.trim());
    assert!(planned.contains("# instance.source-instance will be created"), "{planned}");
}

#[test]
fn the_lab_is_made_and_goes_without_a_trace() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("init"), @"
    exit code: 0
    ----- stdout -----
    lab.mirror.hcl
    ----- stderr -----
    Written. To see what it would create, without an AWS account: mirror --local plan
    ");
    assert_shown!(folder.mirror("validate"), @"
    exit code: 0
    ----- stdout -----
    Success! lab.mirror.hcl is valid: 15 resources, 3 outputs.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("graph --format mermaid"), @r#"
    exit code: 0
    ----- stdout -----
    flowchart LR
      subgraph g0["Sources"]
        n0["instance.source-instance"]
      end
      subgraph g1["Mirror"]
        n1["mirror_session.my-traffic-mirror-session<br/>number 1"]
        n2["mirror_filter.traffic-mirror-filter<br/>2 accept, 2 reject"]
        n3["mirror_target.nlb-mirror-target"]
      end
      subgraph g2["Receivers"]
        n4["load_balancer.my-traffic-mirroring-nlb"]
        n5["target_group.targets"]
        n6["instance.target-instance-1"]
        n7["instance.target-instance-2"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -->|"VXLAN"| n4
      n4 -->|"udp 4789"| n5
      n5 -->|"udp 4789"| n6
      n5 -->|"udp 4789"| n7
    ----- stderr -----
    "#);
    let applied = folder.done("apply --auto-approve");
    assert!(applied.contains("Apply complete! Resources: 15 added, 0 changed, 0 destroyed."));
    assert_shown!(folder.mirror("--local plan --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack lab, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
    let destroyed = folder.done("destroy --auto-approve");
    assert!(destroyed.contains("Destroy complete! Resources: 15 destroyed."));
    assert_shown!(folder.mirror("--local show"), @"
    exit code: 0
    ----- stdout -----
    Nothing in account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
}
