//! Whole outputs of plans that are made by hand, so that every action, reason and shape is there.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use super::{Inventory, Text};
use crate::address::{Address, Kind};
use crate::attribute::{Problems, Ref};
use crate::observed::{Found, Observed};
use crate::plan::{
    Action, Call, Capture, Change, Difference, Mode, OutputChange, Phase, Plan, Reason, Step,
};
use crate::render::Palette;
use crate::resource::{Operation, ReplaceOrder, Resource, vpc};
use crate::value::{Origin, Unknown, Value};

const CREATE_FIRST: Action = Action::Replace(ReplaceOrder::CreateThenDelete);
const DELETE_FIRST: Action = Action::Replace(ReplaceOrder::DeleteThenCreate);

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A change from one object of JSON to another; `null` for none.
fn change(at: &str, action: Action, before: serde_json::Value, after: serde_json::Value) -> Change {
    let object = |json: serde_json::Value| match Value::from(json) {
        Value::Null => None,
        value => Some(value),
    };
    let id = (!before.is_null()).then(|| {
        let id = json!("vpc-0a1b2c3d4e5f67890");
        serde_json::from_value(id).unwrap()
    });
    Change {
        address: address(at),
        deposed: None,
        action,
        reasons: Vec::new(),
        id,
        before: object(before),
        after: object(after),
        differences: Vec::new(),
        capture: None,
    }
}

impl Change {
    fn because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    fn forced_by(mut self, attribute: &str) -> Self {
        let attribute = attribute.to_owned();
        self.differences.push(Difference { attribute, forces_replacement: true });
        self
    }

    fn with_capture(self, capture: Capture) -> Self {
        Self { capture: Some(capture), ..self }
    }

    /// With an attribute of the new object that waits for another resource.
    fn awaiting(mut self, attribute: &str, of: &str, its: &str) -> Self {
        let origin = Origin { address: address(of), attribute: its.to_owned() };
        if let Some(Value::Object(members)) = &mut self.after {
            let unknown = Value::Unknown(Unknown::attribute(origin));
            members.insert(attribute.to_owned(), unknown);
        }
        self
    }
}

fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    let step = Step {
        address: address("vpc.lab"),
        phase: Phase::Delete,
        generation: 1,
        call: Call::Operation(Operation::Vpc(vpc::Operation::Delete {
            vpc: Ref::Id("vpc-0a1b2c3d4e5f67890".parse().unwrap()),
        })),
        needs: Vec::new(),
    };
    Plan { steps: vec![step], changes: changes.into_iter().collect(), ..empty_plan() }
}

fn empty_plan() -> Plan {
    Plan {
        format: Plan::FORMAT,
        stack: "lab".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        mode: Mode::Apply,
        targeted: false,
        saw: BTreeMap::new(),
        changes: Vec::new(),
        steps: Vec::new(),
        outputs: BTreeMap::new(),
    }
}

/// The text of the changes alone: what stands between the head and the summary.
fn blocks(changes: impl IntoIterator<Item = Change>) -> String {
    let text = text(&plan(changes));
    let (_, rest) = text.split_once("following actions:\n\n").unwrap();
    rest.split_once("\n\nPlan: ").unwrap().0.to_owned()
}

/// The text, with the laws that hold for every text.
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
        .awaiting("subnet", "subnet.target", "id"),
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
    What happens to each resource is marked so:
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
fn sets_objects_and_maps_show_only_what_differs() {
    let check = |interval: u32| {
        json!({
            "protocol": "tcp", "port": 22, "path": null, "interval": interval, "timeout": 10,
            "healthy_threshold": 5, "unhealthy_threshold": 2,
        })
    };
    let listener =
        |port: u16, group: &str| json!({ "port": port, "protocol": "udp", "target_group": group });
    let rule = |port: &str, from: &str| json!({ "protocol": "tcp", "port": port, "cidrs": [from], "security_groups": [], "description": null });
    assert_snapshot!(
        blocks([
            change(
                "target_group.sensors",
                Action::Update,
                json!({ "vpc": "vpc-1", "protocol": "udp", "health_check": check(30), "targets": ["i-1", "i-2"],
                    "stickiness": false, "tags": { "Name": "sensors", "env": "dev", "old": "x" } }),
                json!({ "vpc": "vpc-1", "protocol": "udp", "health_check": check(10), "targets": ["i-2", "i-3"],
                    "stickiness": false, "tags": { "Name": "sensors", "env": "prod", "new key": "y" } }),
            ),
            change(
                "load_balancer.sensors",
                Action::Update,
                json!({ "name": "lab-sensors", "scheme": "internal", "listeners": [listener(4789, "a"), listener(5000, "b")] }),
                json!({ "name": "lab-sensors", "scheme": "internal", "listeners": [listener(4789, "c"), listener(6000, "b")] }),
            ),
            change(
                "security_group.sensor",
                Action::Update,
                json!({ "ingress": [rule("22", "0.0.0.0/0"), rule("80", "0.0.0.0/0")], "egress": [rule("443", "0.0.0.0/0")], "tags": {} }),
                json!({ "ingress": [rule("22", "192.0.2.0/24"), rule("80", "0.0.0.0/0")], "egress": [], "tags": {} }),
            ),
        ]),
        @r#"
        # target_group.sensors will be updated in-place
        ~ target_group "sensors" {
              id           = "vpc-0a1b2c3d4e5f67890"
            ~ health_check = {
                ~ interval = 30 -> 10
                  # (5 unchanged attributes hidden)
              }
            ~ targets      = [
                - "i-1",
                + "i-3",
                  # (1 unchanged element hidden)
              ]
            ~ tags         = {
                ~ "env"     = "dev" -> "prod"
                + "new key" = "y"
                - "old"     = "x" -> null
                  # (1 unchanged element hidden)
              }
              # (3 unchanged attributes hidden)
          }

        # load_balancer.sensors will be updated in-place
        ~ load_balancer "sensors" {
              id        = "vpc-0a1b2c3d4e5f67890"
              name      = "lab-sensors"
            ~ listeners = [
                ~ {
                      port         = 4789
                    ~ target_group = "a" -> "c"
                      # (1 unchanged attribute hidden)
                  },
                - {
                    - port         = 5000
                    - protocol     = "udp"
                    - target_group = "b"
                  },
                + {
                    + port         = 6000
                    + protocol     = "udp"
                    + target_group = "b"
                  },
              ]
              # (1 unchanged attribute hidden)
          }

        # security_group.sensor will be updated in-place
        ~ security_group "sensor" {
              id      = "vpc-0a1b2c3d4e5f67890"
            ~ ingress = [
                - {
                    - protocol = "tcp"
                    - port     = "22"
                    - cidrs    = [
                        - "0.0.0.0/0",
                      ]
                  },
                + {
                    + protocol = "tcp"
                    + port     = "22"
                    + cidrs    = [
                        + "192.0.2.0/24",
                      ]
                  },
                  # (1 unchanged element hidden)
              ]
            - egress  = [
                - {
                    - protocol = "tcp"
                    - port     = "443"
                    - cidrs    = [
                        - "0.0.0.0/0",
                      ]
                  },
              ] -> null
          }
        "#
    );
}

#[test]
fn a_text_of_several_lines_shows_its_changed_lines() {
    let old = "#!/bin/sh\nset -eu\na\nb\nc\nd\ne\ntcpdump -i any\n\nf\ng\n";
    let new = "#!/bin/sh\nset -eu\na\nb\nc\nd\ne\ntcpdump -i eth0\n\nf  \ng\n";
    let instance = |text: &str| json!({ "user_data": text, "instance_type": "t3.micro" });
    assert_snapshot!(
        blocks([
            change("instance.a", Action::Update, instance(old), instance(new)),
            change("instance.b", Action::Update, instance("a\nb\n"), instance("a\n  b")),
            change("instance.c", Action::Update, instance("a\nb\n"), json!({ "instance_type": "t3.micro" })),
            change("instance.d", CREATE_FIRST, instance("a\nb\n"), json!({ "instance_type": "t3.micro" }))
                .awaiting("user_data", "load_balancer.sensors", "dns_name")
                .forced_by("user_data"),
        ]),
        @r#"
          # instance.a will be updated in-place
          ~ instance "a" {
                id        = "vpc-0a1b2c3d4e5f67890"
              ~ user_data = <<-EOT
                    # (4 unchanged lines hidden)
                    c
                    d
                    e
                  - tcpdump -i any
                  + tcpdump -i eth0

                  - f
                  + f··
                    g
                EOT
                # (1 unchanged attribute hidden)
            }

          # instance.b will be updated in-place
          ~ instance "b" {
                id        = "vpc-0a1b2c3d4e5f67890"
              ~ user_data = <<-EOT # whitespace changes
                    a
                  - b
                  +   b
                EOT
                # (1 unchanged attribute hidden)
            }

          # instance.c will be updated in-place
          ~ instance "c" {
                id        = "vpc-0a1b2c3d4e5f67890"
              - user_data = <<-EOT
                    a
                    b
                EOT -> null
                # (1 unchanged attribute hidden)
            }

          # instance.d must be replaced
        +/- instance "d" {
              ~ id         = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
              + ami        = (known after apply)
              + public     = (known after apply)
              + private_ip = (known after apply)
              ~ user_data  = <<-EOT # forces replacement
                    a
                    b
                EOT -> (known after apply: load_balancer.sensors.dns_name)
                # (1 unchanged attribute hidden)
            }
        "#
    );
}

#[test]
fn every_action_and_reason_is_told() {
    let vpc = |cidr: &str| json!({ "cidr": cidr, "dns_support": true, "dns_hostnames": false, "tags": { "Name": "lab" } });
    let (old, new) = (vpc("10.0.0.0/16"), vpc("10.1.0.0/16"));
    let session = |target: &str| json!({ "source": "eni-1", "target": target, "filter": "tmf-1", "number": 1, "vni": 77 });
    let mut left_over = change(
        "mirror_target.nlb",
        Action::Delete,
        json!({ "load_balancer": "arn:old" }),
        json!(null),
    )
    .because(Reason::LeftOver);
    left_over.deposed = Some(2);
    let changes = [
        change("vpc.kept", Action::NoOp, old.clone(), old.clone()),
        change("vpc.gone", Action::Delete, old.clone(), json!(null)).because(Reason::NotInStack),
        left_over,
        change("vpc.moved", CREATE_FIRST, old.clone(), new.clone())
            .because(Reason::Forced { attribute: "cidr".to_owned() })
            .forced_by("cidr"),
        change(
            "subnet.asked",
            DELETE_FIRST,
            json!({ "vpc": "vpc-1", "cidr": "10.0.1.0/24" }),
            json!({ "vpc": "vpc-1", "cidr": "10.0.1.0/24" }),
        )
        .because(Reason::Requested),
        change(
            "target_group.sensors",
            CREATE_FIRST,
            json!({ "name": "a", "port": 4789 }),
            json!({ "name": null, "port": 4789 }),
        )
        .because(Reason::ServesReplaced { load_balancer: address("load_balancer.sensors") }),
        change(
            "mirror_target.taken",
            DELETE_FIRST,
            json!({ "load_balancer": "arn:same" }),
            json!({ "load_balancer": "arn:same" }),
        )
        .because(Reason::DestinationTaken),
        change("mirror_session.a", DELETE_FIRST, session("tmt-1"), session("tmt-1"))
            .because(Reason::GoesWith { address: address("mirror_target.taken") })
            .awaiting("target", "mirror_target.taken", "id")
            .with_capture(Capture::Gap),
        change("mirror_session.b", Action::Update, session("tmt-1"), session("tmt-1"))
            .because(Reason::Changed { attribute: "target".to_owned() })
            .awaiting("target", "mirror_target.nlb", "id")
            .with_capture(Capture::Continues),
        change("mirror_session.c[\"eni-0a\"]", Action::Delete, session("tmt-1"), json!(null))
            .because(Reason::NotInStack)
            .with_capture(Capture::Ends),
    ];
    let mut plan = plan(changes);
    plan.targeted = true;
    for (name, before, after) in [
        ("same", json!("a"), json!("a")),
        ("changed", json!("a"), json!("b")),
        ("list", json!(["a"]), json!(["a", "b"])),
        ("object", json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 3 })),
    ] {
        let (before, after) = (Some(Value::from(before)), Some(Value::from(after)));
        plan.outputs.insert(name.to_owned(), OutputChange { before, after });
    }
    let gone = OutputChange { before: Some(Value::from(json!("x"))), after: None };
    plan.outputs.insert("gone".to_owned(), gone);
    assert_snapshot!(text(&plan), @r#"
    Plan for stack lab in account 123456789012, Region us-east-1.
    What happens to each resource is marked so:
      ~ update in-place
      - destroy
    -/+ destroy and then create replacement
    +/- create replacement and then destroy

    mirror will perform the following actions:

      # vpc.gone will be destroyed
      # (because vpc.gone is not in the stack)
      - vpc "gone" {
          - id            = "vpc-0a1b2c3d4e5f67890" -> null
          - cidr          = "10.0.0.0/16" -> null
          - dns_support   = true -> null
          - dns_hostnames = false -> null
          - tags          = {
              - "Name" = "lab"
            } -> null
        }

      # mirror_target.nlb (deposed object 2) will be destroyed
      # (left over from an unfinished replacement)
      - mirror_target "nlb" {
          - id            = "vpc-0a1b2c3d4e5f67890" -> null
          - load_balancer = "arn:old" -> null
        }

      # vpc.moved must be replaced
    +/- vpc "moved" {
          ~ id   = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
          ~ cidr = "10.0.0.0/16" -> "10.1.0.0/16" # forces replacement
            tags = {
                "Name" = "lab"
            }
            # (2 unchanged attributes hidden)
        }

      # subnet.asked will be replaced, as requested
    -/+ subnet "asked" {
          ~ id                = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
          + availability_zone = (known after apply)
            # (2 unchanged attributes hidden)
        }

      # target_group.sensors must be replaced
      # (because load_balancer.sensors is replaced, and a target group serves one load balancer)
    +/- target_group "sensors" {
          ~ id   = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
          ~ name = "a" -> (known after apply)
            # (1 unchanged attribute hidden)
        }

      # mirror_target.taken must be replaced
      # (because AWS takes one mirror target for each load balancer or interface, so the old one goes first)
    -/+ mirror_target "taken" {
          ~ id = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
            # (1 unchanged attribute hidden)
        }

      # mirror_session.a must be replaced
      # (because it cannot be without mirror_target.taken, which goes before its replacement is made)
      # capture gap: from the end of the old session to the start of the new one
    -/+ mirror_session "a" {
          ~ id     = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
          ~ target = "tmt-1" -> (known after apply: mirror_target.taken.id)
            # (4 unchanged attributes hidden)
        }

      # mirror_session.b will be updated in-place
      # capture gap: none
      ~ mirror_session "b" {
            id     = "vpc-0a1b2c3d4e5f67890"
          ~ target = "tmt-1" -> (known after apply: mirror_target.nlb.id)
            # (4 unchanged attributes hidden)
        }

      # mirror_session.c["eni-0a"] will be destroyed
      # (because mirror_session.c["eni-0a"] is not in the stack)
      # capture ends
      - mirror_session "c" {
          - id     = "vpc-0a1b2c3d4e5f67890" -> null
          - source = "eni-1" -> null
          - target = "tmt-1" -> null
          - filter = "tmf-1" -> null
          - number = 1 -> null
          - vni    = 77 -> null
        }

    Plan: 5 to add, 1 to change, 8 to destroy.

    Changes to Outputs:
      ~ changed = "a" -> "b"
      - gone    = "x" -> null
      ~ list    = [
          - "a",
        ] -> ["a", "b"]
      ~ object  = {
          ~ b = 2 -> 3
            # (1 unchanged element hidden)
        }

    Warning: Resource targeting is in effect

    Only what --target names, and what that depends on, was planned. There may be
    more to do for the stack: plan again without --target.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:...
    "#);
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

    Only what --target names, and what that depends on, was planned. There may be
    more to do for the stack: plan again without --target.
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
    What happens to each resource is marked so:
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
        user_data         = <<-EOT
            #!/bin/sh
            reboot
        EOT
        source_dest_check = true
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
        user_data         = <<-EOT
            #!/bin/sh
            reboot
        EOT
        source_dest_check = true
        tags              = {
            "Name" = "web"
        }
        public_ip         = "192.0.2.7"
    }
    "#);
}
