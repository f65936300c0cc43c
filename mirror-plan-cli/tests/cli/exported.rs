//! Moving out to Terraform.

use super::{Folder, assert_shown};

/// Instances that belong to somebody else, and the stack that mirrors them.
const ESTATE: &str = include_str!("../../../examples/sources/estate.mirror.hcl");
const SENSORS: &str = include_str!("../../../examples/sources/sensors.mirror.hcl");

/// What the stack uses of the estate, besides its sources.
const MORE: &str = r#"
variable "script" {
  type      = string
  sensitive = true
}
existing "mirror_filter" "theirs" { name = "all" }
mirror_filter "mine" {
  description = "like ${mirror_filter.theirs.id}"
  rules       = [{ number = 100, action = "accept" }]
}
output "script" {
  value     = var.script
  sensitive = true
}
"#;

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn a_stack_becomes_a_configuration_and_import_blocks() {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder.done("apply sensors.mirror.hcl --auto-approve");
    let export = "--local export terraform sensors.mirror.hcl";
    // The label of a session contains an id, which differs from run to run.
    let shown = folder.mirror(export).replace("detect_", "detect ");
    assert_shown!(shown, @r#"
    exit code: 0
    ----- stdout -----
    # Not exported: sources "web": Terraform does not follow interfaces; these are the 2 selected now
    # Not exported: mirror_session.detect: it is a session for each interface, 2 now, with their current numbers

    terraform {
      required_version = ">= 1.5"

      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 3.39"
        }
      }
    }

    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["123456789012"]

      # Keeps the tags by which mirror knows what belongs to the stack. Without this block, the next apply
      # removes them, and Terraform alone owns it.
      ignore_tags {
        key_prefixes = ["mirror-plan:"]
      }
    }

    data "aws_instance" "ids" {
      instance_tags = { Name = "ids" }
    }

    resource "aws_ec2_traffic_mirror_target" "ids" {
      network_interface_id = data.aws_instance.ids.network_interface_id
      tags                 = { Name = "ids" }
    }

    resource "aws_ec2_traffic_mirror_filter" "all" {
      tags = { Name = "all" }
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "all_egress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "egress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.all.id
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "all_ingress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "ingress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.all.id
    }

    resource "aws_ec2_traffic_mirror_session" "detect eni-ID" {
      network_interface_id     = "eni-ID"
      session_number           = 1
      tags                     = { Name = "detect-eni-ID" }
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.all.id
      traffic_mirror_target_id = aws_ec2_traffic_mirror_target.ids.id
      virtual_network_id       = 4096
    }

    resource "aws_ec2_traffic_mirror_session" "detect eni-ID" {
      network_interface_id     = "eni-ID"
      session_number           = 1
      tags                     = { Name = "detect-eni-ID" }
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.all.id
      traffic_mirror_target_id = aws_ec2_traffic_mirror_target.ids.id
      virtual_network_id       = 4097
    }

    import {
      to = aws_ec2_traffic_mirror_target.ids
      id = "tmt-ID"
    }

    import {
      to = aws_ec2_traffic_mirror_filter.all
      id = "tmf-ID"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.all_egress_100
      id = "tmf-ID:tmfr-ID"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.all_ingress_100
      id = "tmf-ID:tmfr-ID"
    }

    import {
      to = aws_ec2_traffic_mirror_session.detect eni-ID
      id = "tms-ID"
    }

    import {
      to = aws_ec2_traffic_mirror_session.detect eni-ID
      id = "tms-ID"
    }
    ----- stderr -----
    Not exported: sources "web": Terraform does not follow interfaces; these are the 2 selected now
    Not exported: mirror_session.detect: it is a session for each interface, 2 now, with their current numbers
    "#);
    let printed = folder.done("export terraform sensors.mirror.hcl");
    assert_shown!(folder.mirror(&format!("{export} --out out/tf")), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    Not exported: sources "web": Terraform does not follow interfaces; these are the 2 selected now
    Not exported: mirror_session.detect: it is a session for each interface, 2 now, with their current numbers
    Wrote out/tf/main.tf.
    Wrote out/tf/imports.tf: the existing objects, to be imported.
    "#);
    let written = [folder.read("out/tf/main.tf"), folder.read("out/tf/imports.tf")];
    assert_eq!(written.join("\n"), printed);
    assert_shown!(folder.mirror(&format!("{export} --out out/tf")), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `out/tf/main.tf` already exists
     |
     = help: name another folder: --out DIR
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn what_terraform_does_not_know_is_told_and_a_secret_is_not() {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder.done("apply sensors.mirror.hcl --auto-approve");
    folder
        .write("more.mirror.hcl", &format!("stack \"more\" {{ region = \"eu-west-1\" }}\n{MORE}"));
    let shown = folder.mirror("--local export terraform more.mirror.hcl --var script=canary");
    assert!(!shown.contains("canary"), "{shown}");
    assert_shown!(shown, @r#"
    exit code: 0
    ----- stdout -----
    # Not exported: existing mirror_filter.theirs: the provider cannot look up such objects, so its id is written where it is used

    terraform {
      required_version = ">= 1.5"

      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 3.39"
        }
      }
    }

    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["123456789012"]

      # Keeps the tags by which mirror knows what belongs to the stack. Without this block, the next apply
      # removes them, and Terraform alone owns it.
      ignore_tags {
        key_prefixes = ["mirror-plan:"]
      }
    }

    variable "script" {
      description = "Sensitive, sha256:DIGEST"
      type        = string
      sensitive   = true

      # The value that the stack has. Remove the check to change it.
      validation {
        condition     = sha256(var.script) == "e100fbce008c04ec40637af0af91fb2f05aeedc23f856a2d3c0b1580625d755e"
        error_message = "This is not the value that the stack has: its SHA-256 differs."
      }
    }

    resource "aws_ec2_traffic_mirror_filter" "mine" {
      description = "like tmf-ID"
      tags        = { Name = "mine" }
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "mine_egress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "egress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.mine.id
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "mine_ingress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "ingress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.mine.id
    }

    output "script" {
      value     = var.script
      sensitive = true
    }
    ----- stderr -----
    Not exported: existing mirror_filter.theirs: the provider cannot look up such objects, so its id is written where it is used
    "#);
    // AWS is not asked, so there is nothing to import; without it, objects that the stack uses cannot be found.
    let offline = folder.mirror("export terraform more.mirror.hcl --offline --var script=canary");
    assert_shown!(offline, @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0408]: nothing seen matches `mirror_filter.theirs`
     --> more.mirror.hcl:7:1
      |
    7 | existing "mirror_filter" "theirs" { name = "all" }
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: name "all"
      = help: plan against the account, or with an inventory of this stack
    "#);
}
