//! Whole outputs of plans that are made by hand, so that every action, reason and shape occurs.

use std::collections::BTreeMap;

use insta::{assert_debug_snapshot, assert_snapshot};
use serde_json::json;

use super::{Inventory, Text};
use crate::address::Kind;
use crate::attribute::Problems;
use crate::observed::{Found, Observed};
use crate::plan::{Action, Capture, Change, Mode, OutputChange, Plan, Reason};
use crate::render::samples::{address, change, empty_plan, plan};
use crate::render::{Palette, Wording};
use crate::resource::{ReplaceOrder, Resource};
use crate::value::{Origin, Unknown, Value};

mod actions;
mod differences;

const CREATE_FIRST: Action = Action::Replace(ReplaceOrder::CreateThenDelete);
const DELETE_FIRST: Action = Action::Replace(ReplaceOrder::DeleteThenCreate);

/// Returns the text of the changes alone, which is between the heading and the summary.
fn blocks(changes: impl IntoIterator<Item = Change>) -> String {
    let text = text(&plan(changes));
    let (_, rest) = text.split_once("following actions:\n\n").unwrap();
    rest.split_once("\n\nPlan: ").unwrap().0.to_owned()
}

/// Returns the text of a plan, and checks what must hold for every text.
fn text(plan: &Plan) -> String {
    let plain = Text::new(plan).to_string();
    for line in plain.lines() {
        assert_eq!(line.trim_end(), line, "no trailing blanks");
        assert!(!line.contains('\u{1b}'), "no escapes: {line:?}");
    }
    assert!(plain.ends_with('\n') && !plain.ends_with("\n\n"));
    let colored = Text::new(plan).style(Palette::colored()).to_string();
    assert_eq!(without_color(&colored), plain, "colors change nothing else");
    plain.replace(plan.digest().as_str(), "sha256:...")
}

fn without_color(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    parts.for_each(|part| plain.push_str(part.split_once('m').unwrap().1));
    plain
}

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn a_new_stack() {
    let mut plan = plan([
        change(
            "vpc.lab",
            Action::Create,
            json!(null),
            json!({
                "cidr": "10.0.0.0/16", "dns_support": true, "dns_hostnames": true,
                "tags": { "Name": "lab", "cost-center": "7" },
            }),
        )
        .because(Reason::Absent),
        change(
            "instance.sensor[0]",
            Action::Create,
            json!(null),
            json!({
                "ami": null, "instance_type": "t3.micro", "security_groups": [], "public": false,
                "user_data": "#!/bin/sh\n\nexec mirror-vxlan\n", "source_dest_check": true,
                "private_ip": null, "key_name": null, "tags": { "Name": "sensor-0" },
            }),
        )
        .awaiting("subnet", "subnet.target", "id")
        .awaiting("private_ip", "instance.sensor[0]", "private_ip"),
        change(
            "mirror_filter.web",
            Action::Create,
            json!(null),
            json!({
                "amazon_dns": false, "description": null, "tags": {},
                "rules": [{
                    "number": 100, "action": "accept", "direction": "ingress", "protocol": "tcp",
                    "source": "0.0.0.0/0", "destination": "0.0.0.0/0", "destination_port": 443,
                    "source_port": null, "description": null,
                }],
            }),
        ),
        change(
            "mirror_session.web",
            Action::Create,
            json!(null),
            json!({ "number": 1, "vni": null, "packet_length": null }),
        )
        .awaiting("source", "instance.web", "network_interface")
        .awaiting("filter", "mirror_filter.web", "id")
        .with_capture(Capture::Begins),
    ]);
    let origin = Origin { address: address("vpc.lab"), attribute: "id".to_owned() };
    plan.outputs.insert(
        "vpc".to_owned(),
        OutputChange { before: None, after: Some(Value::Unknown(Unknown::attribute(origin))) },
    );
    plan.outputs.insert(
        "ports".to_owned(),
        OutputChange { before: None, after: Some(Value::from(json!([4789]))) },
    );
    assert_snapshot!(text(&plan), @r#"
    Plan for stack lab in account 123456789012, Region us-east-1.
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = true
          + tags          = {
              + "Name"        = "lab"
              + "cost-center" = "7"
            }
        }

      # instance.sensor[0] will be created
      + instance "sensor" {
          + id                = (known after apply)
          + ami               = (known after apply)
          + instance_type     = "t3.micro"
          + subnet            = (known after apply: subnet.target.id)
          + public            = false
          + private_ip        = (known after apply)
          + user_data         = <<-EOT
                #!/bin/sh

                exec mirror-vxlan
            EOT
          + source_dest_check = true
          + tags              = {
              + "Name" = "sensor-0"
            }
          + network_interface = (known after apply)
          + public_ip         = (known after apply)
          + public_dns        = (known after apply)
          + availability_zone = (known after apply)
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
        }

      # mirror_session.web will be created
      # capture begins
      + mirror_session "web" {
          + id     = (known after apply)
          + source = (known after apply: instance.web.network_interface)
          + filter = (known after apply: mirror_filter.web.id)
          + number = 1
          + vni    = (known after apply)
        }

    Plan: 4 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + ports = [
          + 4789,
        ]
      + vpc   = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:...
    "#);
}

#[test]
fn terraform_has_other_lines_for_the_same() {
    let vpc = change("vpc.lab", Action::Create, json!(null), json!({ "cidr": "10.0.0.0/16" }));
    let plan = plan([vpc.because(Reason::Absent)]);
    let (own, terraform) = (Text::new(&plan), Text::new(&plan).wording(Wording::Terraform));
    let (own, terraform) = (own.to_string(), terraform.to_string());
    let other: Vec<(&str, &str)> =
        own.lines().zip(terraform.lines()).filter(|(own, terraform)| own != terraform).collect();
    assert_debug_snapshot!(other, @r#"
    [
        (
            "mirror will perform the following actions:",
            "Terraform will perform the following actions:",
        ),
        (
            "  + vpc \"lab\" {",
            "  + resource \"vpc\" \"lab\" {",
        ),
    ]
    "#);
    assert_eq!(own.lines().count(), terraform.lines().count());
}

#[test]
fn nothing_to_do() {
    assert_snapshot!(text(&empty_plan()), @"
    No changes. Your infrastructure matches the configuration.

    Compared: stack lab, account 123456789012, Region us-east-1.
    ");
    let destroyed = Plan { mode: Mode::Destroy, targeted: true, ..empty_plan() };
    assert_snapshot!(text(&destroyed), @"
    No changes. No objects need to be destroyed.

    Compared: stack lab, account 123456789012, Region us-east-1.

    Warning: Resource targeting is in effect

    Only what --target names, and what depends on that, was planned. There may be
    more to do for the stack: plan again without it.
    ");
}

#[test]
fn texts_of_others_break_out_of_nothing() {
    let hostile = "a\"} \u{1b}[31mred\u{7}\r\\";
    assert_snapshot!(
        blocks([
            change(
                "vpc.lab",
                Action::Create,
                json!(null),
                json!({ "cidr": hostile, "tags": { hostile: hostile, "\u{8a9e}": "wide", "a": "b" } }),
            ),
            change(
                "instance.lab",
                Action::Create,
                json!(null),
                json!({ "user_data": "\u{1b}[2J\nEOT\r\n\ttab \t\n" }),
            ),
        ]),
        @r#"
        # vpc.lab will be created
        + vpc "lab" {
            + id   = (known after apply)
            + cidr = "a\"} \u001b[31mred\u0007\r\\"
            + tags = {
                + "a"                            = "b"
                + "a\"} \u001b[31mred\u0007\r\\" = "a\"} \u001b[31mred\u0007\r\\"
                + "語"                           = "wide"
              }
          }

        # instance.lab will be created
        + instance "lab" {
            + id                = (known after apply)
            + ami               = (known after apply)
            + public            = (known after apply)
            + private_ip        = (known after apply)
            + user_data         = <<-EOT
                  \u{1b}[2J
                  EOT\r
                  	tab·→
              EOT
            + network_interface = (known after apply)
            + public_ip         = (known after apply)
            + public_dns        = (known after apply)
            + availability_zone = (known after apply)
          }
        "#
    );
}

#[test]
fn colors_follow_the_meaning() {
    let before = json!({ "cidr": "10.0.0.0/16", "dns_hostnames": false });
    let after = json!({ "cidr": "10.1.0.0/16", "dns_hostnames": false });
    let plan = plan([change("vpc.lab", CREATE_FIRST, before, after).forced_by("cidr")]);
    let text = Text::new(&plan).style(Palette::colored()).to_string();
    assert_snapshot!(text.replace('\u{1b}', "^"), @r#"
    Plan for stack lab in account 123456789012, Region us-east-1.
    Each resource is marked with what happens to it:
    ^[32m+^[0m/^[31m-^[0m create replacement and then destroy

    mirror will perform the following actions:

      ^[1m# vpc.lab^[0m must be ^[1m^[31mreplaced^[0m
    ^[32m+^[0m/^[31m-^[0m vpc "lab" {
          ^[33m~^[0m id   = "vpc-0a1b2c3d4e5f67890" ^[33m->^[0m (known after apply)
          ^[33m~^[0m cidr = "10.0.0.0/16" ^[33m->^[0m "10.1.0.0/16" ^[31m# forces replacement^[0m
            ^[90m# (1 unchanged attribute hidden)^[0m
        }

    ^[1mPlan:^[0m 1 to add, 0 to change, 1 to destroy.

    ^[90m─────────────────────────────────────────────────────────────────────────────^[0m

    Plan digest: sha256:c1acc8063588eba90780a27a17f353d9141aa8c4b4ff7c18764082c211ed1645
    "#);
}

#[test]
fn an_inventory_shows_what_is_there() {
    let nothing = Observed::nothing("123456789012".parse().unwrap(), "us-east-1".parse().unwrap());
    assert_snapshot!(Inventory::new(&nothing), @"Nothing in account 123456789012, Region us-east-1.");
    let attributes = json!({
        "instance_type": "t3.micro", "subnet": "subnet-0a1b2c3d4e5f67890", "public": true,
        "user_data": "#!/bin/sh\nreboot\n", "tags": { "Name": "web" },
    });
    let mut problems = Problems::default();
    let resource = Resource::read(Kind::Instance, &Value::from(attributes), &mut problems).unwrap();
    let found = |generation: u32| Found {
        id: serde_json::from_value(json!(format!("i-0a1b2c3d4e5f6789{generation}"))).unwrap(),
        generation,
        resource: resource.clone(),
        computed: [
            ("public_ip".to_owned(), Some("192.0.2.7".to_owned())),
            ("public_dns".to_owned(), None),
        ]
        .into(),
        parts: BTreeMap::new(),
    };
    let owned = [(address("instance.web"), vec![found(1), found(2)])].into();
    assert_snapshot!(Inventory::new(&Observed { owned, ..nothing }), @r#"
    Account 123456789012, Region us-east-1.

    # instance.web (deposed object 1)
    instance "web" {
        id                = "i-0a1b2c3d4e5f67891"
        instance_type     = "t3.micro"
        subnet            = "subnet-0a1b2c3d4e5f67890"
        security_groups   = []
        public            = true
        user_data         = (sensitive, sha256:ece8db30...)
        source_dest_check = true
        imdsv2_required   = true
        imds_hop_limit    = 1
        root_encrypted    = true
        tags              = {
            "Name" = "web"
        }
        public_ip         = "192.0.2.7"
    }

    # instance.web
    instance "web" {
        id                = "i-0a1b2c3d4e5f67892"
        instance_type     = "t3.micro"
        subnet            = "subnet-0a1b2c3d4e5f67890"
        security_groups   = []
        public            = true
        user_data         = (sensitive, sha256:ece8db30...)
        source_dest_check = true
        imdsv2_required   = true
        imds_hop_limit    = 1
        root_encrypted    = true
        tags              = {
            "Name" = "web"
        }
        public_ip         = "192.0.2.7"
    }
    "#);
}
