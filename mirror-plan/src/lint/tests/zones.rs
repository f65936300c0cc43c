//! Targets that are interfaces, with sources in other zones.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use super::{Around, Palette, Stack, check, check_planned, file};
use crate::diagnostic::Diagnostics;
use crate::observed::{Observed, Sighting, Strangers};
use crate::plan::Request;
use crate::render::diagnostic::human;

/// Two receivers, each in a zone of its own, and sessions over sources.
fn sensors(target: &str) -> Stack {
    let both = ["a", "b"].map(|zone| {
        format!(
            r#"
subnet "{zone}" {{
  vpc               = "vpc-0a1b2c3d4e5f67890"
  cidr              = "{range}"
  availability_zone = "eu-west-1{zone}"
}}
instance "{zone}" {{
  instance_type = "m5.large"
  subnet        = subnet.{zone}
}}
mirror_target "{zone}" {{ network_interface = instance.{zone} }}
"#,
            range = if zone == "a" { "10.0.1.0/24" } else { "10.0.2.0/24" },
        )
    });
    let sessions = format!(
        r#"
sources "web" {{ tags = {{ mirror = "true" }} }}
mirror_session "detect" {{
  source = sources.web
  target = {target}
  filter = "tmf-0a1b2c3d4e5f67890"
  number = 1
}}
"#
    );
    file(format!("stack \"sensors\" {{}}\n{}{sessions}", both.concat()))
}

fn by_zone(a: &str, b: &str) -> Stack {
    let zone = |zone: &str, of: &str| format!("    eu-west-1{zone} = mirror_target.{of}\n");
    sensors(&format!("{{\n{}{}  }}", zone("a", a), zone("b", b)))
}

fn told(found: &Diagnostics) -> String {
    human(found, Palette::plain())
}

#[test]
fn a_zone_that_sends_to_the_target_of_another_is_found_at_its_line() {
    assert_snapshot!(told(&check(&by_zone("a", "b"))), @"");
    assert_snapshot!(told(&check(&by_zone("a", "a"))), @"
    warning[MP1037]: `mirror_target.a` is an interface in eu-west-1a, and `mirror_session.detect` sends to it from eu-west-1b
      --> lab.mirror.hcl:30:18
       |
    30 |     eu-west-1b = mirror_target.a
       |                  ^^^^^^^^^^^^^^^
       |
       = note: traffic between zones is charged, and is lost when either zone fails
       = help: let each zone send to a target of its own: with `sources`, `target` accepts one for each zone
    ");
}

#[test]
fn sources_that_were_seen_in_another_zone_are_found() {
    let stack = sensors("mirror_target.a");
    let found = |zones: &[&str]| {
        let interfaces = zones.iter().enumerate().map(|(number, zone)| {
            let it = json!({
                "vpc": "vpc-0a1b2c3d4e5f67890", "subnet": "subnet-0a1b2c3d4e5f67890", "zone": zone,
                "security_groups": [], "tags": { "mirror": "true" }, "mirror_target": null,
                "instance": null,
            });
            (format!("eni-{number:017x}").parse().unwrap(), serde_json::from_value(it).unwrap())
        });
        let looked_for = stack.sources[&"web".parse().unwrap()].of.to_string();
        let sighting = Sighting { looked_for, interfaces: interfaces.collect() };
        let sources = BTreeMap::from([("web".parse().unwrap(), sighting)]);
        let observed = Observed { sources, ..crate::plan::tests::nothing() };
        let around = Around { observed: &observed, strangers: &Strangers::default() };
        told(&check_planned(&stack, around, &Request::default()))
    };
    assert_snapshot!(found(&["eu-west-1a", "eu-west-1a"]), @"");
    assert_snapshot!(found(&["eu-west-1a", "eu-west-1c", "eu-west-1b", "eu-west-1c"]), @"
    warning[MP1037]: `mirror_target.a` is an interface in eu-west-1a, and `mirror_session.detect` sends to it from eu-west-1b, eu-west-1c
      --> lab.mirror.hcl:28:12
       |
    28 |   target = mirror_target.a
       |            ^^^^^^^^^^^^^^^
       |
       = note: traffic between zones is charged, and is lost when either zone fails
       = help: let each zone send to a target of its own: with `sources`, `target` accepts one for each zone
    ");
}
