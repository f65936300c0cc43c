//! A target for each Availability Zone.

use insta::assert_snapshot;
use serde_json::json;

use super::{Json, Plan, TARGET, after, interface, nothing, planned, read, seeing, stack, tagged};
use crate::attribute::{AttributeType as _, Problems, Ref};
use crate::observed::Observed;
use crate::render::text::Text;
use crate::resource::MirrorTarget;
use crate::stack::{Declared, SessionTarget, Stack};
use crate::value::{Path, Value};

const A: &str = "tmt-0000000000000000a";
const B: &str = "tmt-0000000000000000b";

/// Interfaces in zones, by number.
fn in_zones(zones: &[(u32, &str)]) -> Vec<(u32, Json)> {
    let all = zones.iter().map(|(number, zone)| {
        let mut it = interface(*number);
        it["zone"] = (*zone).into();
        (*number, it)
    });
    all.collect()
}

fn by_zone() -> Stack {
    let target = json!({ "eu-west-1a": A, "eu-west-1b": B });
    stack(tagged(), json!({ "detect": { "number": 1, "target": target } }))
}

fn text(plan: &Plan) -> String {
    let text = Text::new(plan).to_string();
    let (changes, _) = text.split_once("Plan: ").unwrap_or((&text, ""));
    let (_, changes) = changes.split_once("actions:\n").unwrap_or(("", changes));
    changes.trim_end().to_owned()
}

#[test]
fn each_source_sends_to_the_target_of_its_zone() {
    let stack = by_zone();
    let there = in_zones(&[(1, "eu-west-1a"), (2, "eu-west-1b"), (3, "eu-west-1a")]);
    let plan = planned(&stack, &seeing(&stack, nothing(), &there)).unwrap();
    assert_snapshot!(text(&plan), @r#"
    # mirror_session.detect is a session for each interface of sources.web
    #   filter = "tmf-0a1b2c3d4e5f67890"
    #   number = 1
    #   target["eu-west-1a"] = "tmt-0000000000000000a"
    #   target["eu-west-1b"] = "tmt-0000000000000000b"
    #   vni = (chosen by AWS)
    + mirror_session.detect["eni-00000000000000001"]: number 1, target "tmt-0000000000000000a"
    + mirror_session.detect["eni-00000000000000002"]: number 1, target "tmt-0000000000000000b"
    + mirror_session.detect["eni-00000000000000003"]: number 1, target "tmt-0000000000000000a"
    "#);
    let again = planned(&stack, &seeing(&stack, after(&plan), &there)).unwrap();
    assert!(again.is_empty(), "{}", text(&again));
}

#[test]
fn only_the_sessions_of_the_other_zone_are_pointed_elsewhere() {
    let one = stack(tagged(), json!({ "detect": { "number": 1, "target": A } }));
    let there = in_zones(&[(1, "eu-west-1a"), (2, "eu-west-1b")]);
    let first = planned(&one, &seeing(&one, nothing(), &there)).unwrap();
    let by_zone = by_zone();
    let then = planned(&by_zone, &seeing(&by_zone, after(&first), &there)).unwrap();
    assert_snapshot!(text(&then), @r#"
    # mirror_session.detect is a session for each interface of sources.web
    #   filter = "tmf-0a1b2c3d4e5f67890"
    #   number = 1
    #   target["eu-west-1a"] = "tmt-0000000000000000a"
    #   target["eu-west-1b"] = "tmt-0000000000000000b"
    #   vni = (chosen by AWS)
    ~ mirror_session.detect["eni-00000000000000002"]: target = "tmt-0000000000000000a" -> "tmt-0000000000000000b"
    "#);
}

#[test]
fn a_source_in_a_zone_without_a_target_is_told_with_its_zone() {
    let stack = by_zone();
    let mut there = in_zones(&[(1, "eu-west-1c"), (2, "eu-west-1a"), (3, "eu-west-1c"), (4, "")]);
    there[3].1.as_object_mut().unwrap().remove("zone");
    let error = planned(&stack, &seeing(&stack, nothing(), &there)).unwrap_err();
    let told: Vec<String> = error
        .iter()
        .map(|found| {
            format!("{}\n  {}\n  {}", found.title, found.notes.join(" "), found.help[0].text)
        })
        .collect();
    assert_snapshot!(told.join("\n"), @"
    `mirror_session.detect` has targets by zone, but the zone of 1 of its sources is unknown
      eni-00000000000000004
      plan against the account, or write the inventory again
    `mirror_session.detect` has no target in eu-west-1c, where 2 of its sources are
      eni-00000000000000001, eni-00000000000000003
      give eu-west-1c a target, or exclude it from the sources by their `subnets`
    ");
    // Sessions that all send to one target do not need to know the zones.
    let one = super::stack(tagged(), super::detect());
    assert!(planned(&one, &seeing(&one, nothing(), &there)).is_ok());
}

#[test]
fn a_reviewed_plan_by_count_says_the_target_of_each_zone() {
    let target = json!({ "eu-west-1a": A, "eu-west-1b": B });
    let counted = json!({ "tags": { "mirror": "true" }, "review": "count" });
    let stack = stack(counted, json!({ "detect": { "number": 1, "target": target } }));
    let owner = "222233334444".parse().unwrap();
    let foreign_targets = [(B.parse().unwrap(), owner)].into();
    let there = in_zones(&[(1, "eu-west-1a")]);
    let observed = Observed { foreign_targets, ..seeing(&stack, nothing(), &there) };
    // No source is in that zone yet, but the owner must be stated all the same.
    assert_snapshot!(planned(&stack, &observed).unwrap_err(), @"mirror_session.detect: error MP0414: `mirror_session.detect` sends to tmt-0000000000000000b, which belongs to account 222233334444, but the stack does not say so");
    let observed = Observed { foreign_targets: [].into(), ..observed };
    let mut plan = planned(&stack, &observed).unwrap();
    plan.foreign_targets = [(B.parse().unwrap(), "222233334444".parse().unwrap())].into();
    let snapshot = plan.to_string();
    let (_, each) = snapshot.split_once("\neach ").unwrap();
    assert_snapshot!(each, @r#"
    mirror_session.detect of sources.web
        packets from eu-west-1b leave for account 222233334444
        filter = "tmf-0a1b2c3d4e5f67890"
        number = 1
        target["eu-west-1a"] = "tmt-0000000000000000a"
        target["eu-west-1b"] = "tmt-0000000000000000b"
        vni = (chosen by AWS)
    "#);
}

#[test]
fn what_is_no_target_by_zone_is_told() {
    let wrong = |value: Json| {
        let mut problems = Problems::default();
        let read = SessionTarget::read(&Value::from(value), &Path::default(), &mut problems);
        assert_eq!(read, None);
        let told = problems.into_inner().into_iter().map(|problem| {
            let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{} {}{help}", problem.path, problem.title)
        });
        told.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(wrong(json!({})), @" it names no Availability Zone (give a target, or one for each zone: `{ eu-west-1a = mirror_target.a }`)");
    assert_snapshot!(wrong(json!({ "a": TARGET, "eu-west-1b": "eni-0a1b2c3d4e5f67890" })), @"
    a `a` is not an Availability Zone such as eu-west-1a
    eu-west-1b `eni-0a1b2c3d4e5f67890` is not a valid traffic mirror target id: expected tmt- and 17 hexadecimal digits
    ");
    assert_snapshot!(wrong(json!([TARGET])), @" expected a reference to a `mirror_target` or its id in quotes, found a list");
    let right = json!({ "eu-west-1a": A, "us-east-1-bos-1a": B });
    assert_eq!(read::<SessionTarget>(right.clone()).to_value(), Value::from(right));
}

#[test]
fn a_target_that_is_not_there_yet_is_named() {
    let mut stack = by_zone();
    let address: crate::address::Address = "mirror_target.new".parse().unwrap();
    let made = json!({ "network_interface": "eni-0a1b2c3d4e5f67890" });
    let made = Declared { resource: read::<MirrorTarget>(made).into(), place: None };
    stack.resources.insert(address.clone(), made);
    for fan_out in stack.fan_outs.values_mut() {
        let zone = "eu-west-1a".parse().unwrap();
        fan_out.of.target = SessionTarget::ByZone([(zone, Ref::To(address.clone()))].into());
    }
    let there = in_zones(&[(1, "eu-west-1a")]);
    let plan = planned(&stack, &seeing(&stack, nothing(), &there)).unwrap();
    let text = text(&plan);
    let (_, sessions) = text.split_once("mirror_session.detect is").unwrap();
    assert_snapshot!(sessions, @r#"
    a session for each interface of sources.web
     #   filter = "tmf-0a1b2c3d4e5f67890"
     #   number = 1
     #   target["eu-west-1a"] = mirror_target.new.id
     #   vni = (chosen by AWS)
     + mirror_session.detect["eni-00000000000000001"]: number 1, target mirror_target.new.id
    "#);
}
