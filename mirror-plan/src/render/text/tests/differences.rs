//! How differences in sets, objects, maps and multi-line texts are shown.

use insta::assert_snapshot;
use serde_json::json;

use super::super::UserData;
use super::*;
use crate::value::Secret;

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn sets_objects_and_maps_show_only_what_differs() {
    let check = |interval: u32| {
        json!({
            "protocol": "tcp", "port": 22, "path": null, "interval": interval, "timeout": 10,
            "healthy_threshold": 5, "unhealthy_threshold": 2,
        })
    };
    let listener =
        |port: u16, group: &str| json!({ "port": port, "protocol": "udp", "target_group": group });
    let rule = |port: u16, from: &str| json!({ "protocol": "tcp", "port": port, "cidrs": [from], "security_groups": [], "description": null });
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
                json!({ "ingress": [rule(22, "0.0.0.0/0"), rule(80, "0.0.0.0/0")], "egress": [rule(443, "0.0.0.0/0")], "tags": {} }),
                json!({ "ingress": [rule(22, "192.0.2.0/24"), rule(80, "0.0.0.0/0")], "egress": [], "tags": {} }),
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
                    - port     = 22
                    - cidrs    = [
                        - "0.0.0.0/0",
                      ]
                  },
                + {
                    + protocol = "tcp"
                    + port     = 22
                    + cidrs    = [
                        + "192.0.2.0/24",
                      ]
                  },
                  # (1 unchanged element hidden)
              ]
            - egress  = [
                - {
                    - protocol = "tcp"
                    - port     = 443
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

/// The desired side decides whether user data may be shown.
#[test]
fn user_data_is_shown_where_it_may_be() {
    let with = |side: &mut Option<Value>, user_data: Option<Secret>| {
        if let (Some(Value::Object(members)), Some(secret)) = (side, user_data) {
            members.insert("user_data".to_owned(), Value::Secret(secret));
        }
    };
    let (old, new) = (Secret::user_data("#!/bin/sh\na\n"), Secret::user_data("#!/bin/sh\nb\n"));
    let sensitive = Secret::text("#!/bin/sh\nb\n");
    let cases = [
        ("changed", Some(old.clone()), Some(new.clone())),
        ("sensitive", Some(old.clone()), Some(sensitive)),
        ("gone", Some(old), None),
        ("new", None, Some(new)),
    ];
    let plan = plan(cases.map(|(name, before, after)| {
        let other = json!({ "instance_type": "t3.micro" });
        let address = format!("instance.{name}");
        let mut change = change(&address, Action::Update, other.clone(), other);
        with(&mut change.before, before);
        with(&mut change.after, after);
        change
    }));
    let text = Text::new(&plan).user_data(UserData::Shown).to_string();
    let (_, rest) = text.split_once("following actions:\n\n").unwrap();
    assert_snapshot!(rest.split_once("\n\nPlan: ").unwrap().0, @r#"
    # instance.changed will be updated in-place
    ~ instance "changed" {
          id        = "vpc-0a1b2c3d4e5f67890"
        ~ user_data = <<-EOT
              #!/bin/sh
            - a
            + b
          EOT
          # (1 unchanged attribute hidden)
      }

    # instance.sensitive will be updated in-place
    ~ instance "sensitive" {
          id        = "vpc-0a1b2c3d4e5f67890"
        ~ user_data = (sensitive, sha256:aaf3e6f6...) -> (sensitive, sha256:0a7105ec...)
          # (1 unchanged attribute hidden)
      }

    # instance.gone will be updated in-place
    ~ instance "gone" {
          id        = "vpc-0a1b2c3d4e5f67890"
        - user_data = (sensitive, sha256:aaf3e6f6...) -> null
          # (1 unchanged attribute hidden)
      }

    # instance.new will be updated in-place
    ~ instance "new" {
          id        = "vpc-0a1b2c3d4e5f67890"
        + user_data = <<-EOT
              #!/bin/sh
              b
          EOT
          # (1 unchanged attribute hidden)
      }
    "#);
}
