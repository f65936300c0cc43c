//! Every action and every reason.

use insta::assert_snapshot;
use serde_json::json;

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
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
    Each resource is marked with what happens to it:
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
      # (because load_balancer.sensors is replaced, and a target group serves only one load balancer)
    +/- target_group "sensors" {
          ~ id   = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
          ~ name = "a" -> (known after apply)
            # (1 unchanged attribute hidden)
        }

      # mirror_target.taken must be replaced
      # (because AWS allows one mirror target for each load balancer or interface, so the old one is deleted first)
    -/+ mirror_target "taken" {
          ~ id = "vpc-0a1b2c3d4e5f67890" -> (known after apply)
            # (1 unchanged attribute hidden)
        }

      # mirror_session.a must be replaced
      # (because it cannot exist without mirror_target.taken, which is deleted before its replacement is created)
      # capture gap: until the new session exists
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

    Only what --target or --sources names, and what that depends on, was planned. There may be
    more to do for the stack: plan again without them.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:...
    "#);
}
