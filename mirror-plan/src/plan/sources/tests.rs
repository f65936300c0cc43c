//! Sources in plans, with made-up interfaces.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::address::{Address, Kind};
use crate::attribute::{AttributeType as _, Problems, Ref};
use crate::diagnostic::Diagnostics;
use crate::lint::{Around, check_planned};
use crate::observed::{Observed, Sighting, Strangers};
use crate::plan::sources::sessions_of_sources;
use crate::plan::tests::{applied, nothing};
use crate::plan::{Action, Part, Plan, Request, plan};
use crate::resource::{MirrorTarget, Tags};
use crate::stack::{Declared, FanOut, Placed, Sources, Stack};
use crate::value::{Path, Value};

mod zones;

const TARGET: &str = "tmt-0a1b2c3d4e5f67890";
const FILTER: &str = "tmf-0a1b2c3d4e5f67890";

fn read<T: crate::attribute::AttributeType>(json: Json) -> T {
    let mut problems = Problems::default();
    let read = T::read(&Value::from(json), &Path::default(), &mut problems);
    read.unwrap_or_else(|| panic!("{:?}", problems.into_inner()))
}

/// A stack with one `sources "web"` and these sessions over it.
fn stack(sources: Json, fan_outs: Json) -> Stack {
    let mut builder = Stack::builder("sensors".parse().unwrap());
    builder.sources("web".parse().unwrap(), read::<Sources>(sources));
    for (name, mut attributes) in fan_outs.as_object().unwrap().clone() {
        attributes["source"] = "sources.web".into();
        let given = attributes.as_object_mut().unwrap();
        given.entry("target").or_insert_with(|| TARGET.into());
        attributes["filter"] = FILTER.into();
        builder.fan_out(name.parse().unwrap(), read::<FanOut>(attributes));
    }
    builder.build().unwrap().0
}

fn tagged() -> Json {
    json!({ "tags": { "mirror": "true" } })
}

fn detect() -> Json {
    json!({ "detect": { "number": 1 } })
}

fn eni(number: u32) -> String {
    format!("eni-{number:017x}")
}

/// An interface of an instance that carries the tag.
fn interface(number: u32) -> Json {
    json!({
        "vpc": "vpc-0a1b2c3d4e5f67890", "subnet": "subnet-0a1b2c3d4e5f67890",
        "security_groups": ["sg-0a1b2c3d4e5f67890"], "tags": {}, "mirror_target": null,
        "instance": {
            "id": format!("i-{number:017x}"), "instance_type": "t3.micro", "device": 0,
            "tags": { "mirror": "true" },
        },
    })
}

/// What is observed when these interfaces exist.
fn seeing(stack: &Stack, before: Observed, interfaces: &[(u32, Json)]) -> Observed {
    let sources = &stack.sources[&"web".parse().unwrap()].of;
    let interfaces = interfaces.iter().map(|(number, it)| (eni(*number), it.clone()));
    let interfaces: serde_json::Map<String, Json> = interfaces.collect();
    let sighting = json!({ "looked_for": sources.to_string(), "interfaces": interfaces });
    let sighting: Sighting = serde_json::from_value(sighting).unwrap();
    Observed { sources: [("web".parse().unwrap(), sighting)].into(), ..before }
}

fn many(numbers: impl IntoIterator<Item = u32>) -> Vec<(u32, Json)> {
    numbers.into_iter().map(|number| (number, interface(number))).collect()
}

fn planned(stack: &Stack, observed: &Observed) -> Result<Plan, Diagnostics> {
    plan(stack, observed, &Request::default())
}

/// The cloud after a plan was applied, as far as sessions are concerned.
fn after(plan: &Plan) -> Observed {
    let mut builder = Stack::builder("sensors".parse().unwrap());
    for change in plan.changes.iter().filter(|change| change.after.is_some()) {
        let mut value = change.after.clone().unwrap();
        let Value::Object(members) = &mut value else { unreachable!() };
        members.remove("id");
        members.retain(|_, value| value.is_known());
        let resource =
            crate::resource::Resource::read(change.address.kind, &value, &mut Problems::default());
        builder
            .declare(change.address.clone(), Declared { resource: resource.unwrap(), place: None });
    }
    applied(&builder.build().unwrap().0)
}

/// What happens to each session, with its number and VNI.
fn shown(plan: &Plan) -> String {
    let member = |value: &Option<Value>, name: &str| match value {
        Some(Value::Object(members)) => members[name].to_string(),
        _ => String::new(),
    };
    let lines = plan.changes.iter().map(|change| {
        let sides = change.after.as_ref().or(change.before.as_ref()).cloned();
        let (number, vni) = (member(&sides, "number"), member(&sides, "vni"));
        format!("{:?} {} {number} {vni}", change.action, change.address)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_interface_has_a_session_and_then_there_is_nothing_to_do() {
    let stack = stack(tagged(), detect());
    let first = planned(&stack, &seeing(&stack, nothing(), &many([1, 2]))).unwrap();
    assert_snapshot!(shown(&first), @r#"
    Create mirror_session.detect["eni-00000000000000001"] 1 null
    Create mirror_session.detect["eni-00000000000000002"] 1 null
    "#);
    let again = planned(&stack, &seeing(&stack, after(&first), &many([1, 2]))).unwrap();
    assert!(again.is_empty(), "{}", shown(&again));
}

#[test]
fn one_that_comes_is_one_call_and_one_that_goes_is_none() {
    let vnis = json!({ "detect": { "number": 1, "vni": "100..199" } });
    let stack = stack(tagged(), vnis);
    let first = planned(&stack, &seeing(&stack, nothing(), &many(10..13))).unwrap();
    // The first interface disappears with its session, and one with a lower id appears.
    let mut there = after(&first);
    let gone: Address = format!("mirror_session.detect[\"{}\"]", eni(10)).parse().unwrap();
    assert!(there.owned.remove(&gone).is_some());
    let then = planned(&stack, &seeing(&stack, there, &many([1, 11, 12]))).unwrap();
    assert_snapshot!(shown(&then), @r#"
    Create mirror_session.detect["eni-00000000000000001"] 1 100
    NoOp mirror_session.detect["eni-0000000000000000b"] 1 101
    NoOp mirror_session.detect["eni-0000000000000000c"] 1 102
    "#);
    assert_eq!(then.steps.len(), 1);
}

#[test]
fn what_loses_its_tag_loses_its_session() {
    let stack = stack(tagged(), detect());
    let first = planned(&stack, &seeing(&stack, nothing(), &many([1, 2]))).unwrap();
    let then = planned(&stack, &seeing(&stack, after(&first), &many([2]))).unwrap();
    assert_snapshot!(shown(&then), @r#"
    Delete mirror_session.detect["eni-00000000000000001"] 1 4242
    NoOp mirror_session.detect["eni-00000000000000002"] 1 4242
    "#);
    let asked_for = then.changes.iter().filter(|change| change.action == Action::Delete);
    assert_eq!(asked_for.count(), 1);
}

#[test]
fn what_must_not_be_mirrored_is_left_out_with_the_reason() {
    let mut interfaces = many(1..=9);
    let mut edit = |number: usize, edit: fn(&mut Json)| edit(&mut interfaces[number - 1].1);
    edit(1, |it| it["tags"]["mirror"] = "false".into());
    edit(2, |it| it["instance"]["tags"]["mirror"] = "false".into());
    edit(3, |it| it["instance"]["instance_type"] = "t2.micro".into());
    edit(4, |it| it["mirror_target"] = "tmt-00000000000000009".into());
    edit(6, |it| it["instance"]["device"] = 1.into());
    edit(7, |it| it["instance"] = Json::Null);
    edit(8, |it| {
        it["instance"]["device"] = 1.into();
        it["tags"]["mirror"] = "true".into();
    });
    let mut stack = stack(tagged(), detect());
    let target = MirrorTarget {
        load_balancer: None,
        network_interface: Some(Ref::Id(eni(5).parse().unwrap())),
        gateway_load_balancer_endpoint: None,
        description: None,
        tags: Tags::new(),
    };
    let declared = Declared { resource: target.into(), place: None };
    stack.resources.insert("mirror_target.ids".parse().unwrap(), declared);
    let plan = planned(&stack, &seeing(&stack, nothing(), &interfaces)).unwrap();
    let mirrored = &plan.sources[&"web".parse().unwrap()];
    assert_snapshot!(super::summary(&mirrored.left_out).join("\n"), @r#"
    1 tagged mirror = "false" (eni-00000000000000001)
    1 of type t2.micro, which AWS does not mirror (eni-00000000000000003)
    2 that a mirror target sends to (eni-00000000000000004, eni-00000000000000005)
    "#);
    let sessions: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|change| change.address.key.as_ref().map(ToString::to_string))
        .collect();
    // The eighth is tagged itself, so it does not have to be the primary interface.
    assert_eq!(sessions, [8, 9].map(|number| format!("[\"{}\"]", eni(number))));
}

#[test]
fn all_that_is_given_must_hold() {
    let means = |sources: Json, edit: fn(&mut Json)| {
        let mut it = interface(1);
        edit(&mut it);
        read::<Sources>(sources)
            .means(&eni(1).parse().unwrap(), &serde_json::from_value(it).unwrap())
    };
    let (vpc, other) = ("vpc-0a1b2c3d4e5f67890", "vpc-00000000000000000");
    assert!(means(json!({ "vpc": vpc }), |_| {}));
    assert!(!means(json!({ "vpc": other }), |_| {}));
    assert!(!means(json!({ "vpc": vpc, "tags": { "mirror": "yes" } }), |_| {}));
    assert!(means(
        json!({ "subnets": ["subnet-00000000000000000", "subnet-0a1b2c3d4e5f67890"] }),
        |_| {}
    ));
    assert!(!means(json!({ "subnets": ["subnet-00000000000000000"] }), |_| {}));
    assert!(means(json!({ "security_groups": ["sg-0a1b2c3d4e5f67890"] }), |_| {}));
    assert!(!means(json!({ "security_groups": ["sg-00000000000000000"] }), |_| {}));
    assert!(means(json!({ "instances": ["i-00000000000000001"] }), |_| {}));
    assert!(!means(json!({ "instances": ["i-00000000000000002"] }), |_| {}));
    assert!(means(json!({ "network_interfaces": [eni(1)] }), |it| it["instance"] = Json::Null));
    assert!(!means(json!({ "network_interfaces": [eni(2)] }), |_| {}));
    let group = |it: &mut Json| it["instance"]["tags"]["aws:autoscaling:groupName"] = "api".into();
    assert!(means(json!({ "autoscaling_groups": ["web", "api"] }), group));
    assert!(!means(json!({ "autoscaling_groups": ["web"] }), group));
    let second = |it: &mut Json| it["instance"]["device"] = 1.into();
    assert!(!means(tagged(), second));
    assert!(means(json!({ "tags": { "mirror": "true" }, "interfaces": "all" }), second));
    // With half of the tags on each, neither the interface nor the instance matches.
    let both = json!({ "tags": { "mirror": "true", "env": "prod" } });
    assert!(!means(both, |it| it["tags"]["env"] = "prod".into()));
}

#[test]
fn a_count_that_is_not_expected_stops_everything() {
    let expecting = json!({ "tags": { "mirror": "true" }, "expect": "2..3" });
    let stack = stack(expecting, detect());
    let mut interfaces = many(1..=2);
    interfaces[0].1["tags"]["mirror"] = "false".into();
    let error = planned(&stack, &seeing(&stack, nothing(), &interfaces)).unwrap_err();
    assert_snapshot!(error, @"error MP0409: 1 interface matches `sources.web`, but 2..3 are expected");
    let too_many = planned(&stack, &seeing(&stack, nothing(), &many(1..=4))).unwrap_err();
    assert!(too_many.to_string().contains("4 interfaces match"), "{too_many}");
    assert!(planned(&stack, &seeing(&stack, nothing(), &many(1..=3))).is_ok());
    // A destroy does not need them.
    let destroy = Request { mode: crate::plan::Mode::Destroy, ..Request::default() };
    assert!(plan(&stack, &nothing(), &destroy).is_ok());
}

#[test]
fn what_was_not_looked_for_is_nothing_to_plan_from() {
    let stack = stack(tagged(), detect());
    assert_snapshot!(planned(&stack, &nothing()).unwrap_err(), @"error MP0410: nothing was looked up for `sources.web`");
    let mut observed = seeing(&stack, nothing(), &[]);
    observed.sources.get_mut(&"web".parse().unwrap()).unwrap().looked_for = "tag a = \"b\"".into();
    assert_snapshot!(planned(&stack, &observed).unwrap_err(), @"error MP0410: what was looked up is not what `sources.web` looks for");
}

#[test]
fn numbers_are_the_lowest_that_an_interface_has_left() {
    let two = json!({
        "all": { "number": "1..2", "vni": 7 },
        "first": { "number": 1, "vni": "7..9" },
    });
    let stack = stack(tagged(), two);
    let plan = planned(&stack, &seeing(&stack, nothing(), &many([1, 2]))).unwrap();
    assert_snapshot!(shown(&plan), @r#"
    Create mirror_session.all["eni-00000000000000001"] 2 7
    Create mirror_session.all["eni-00000000000000002"] 2 7
    Create mirror_session.first["eni-00000000000000001"] 1 8
    Create mirror_session.first["eni-00000000000000002"] 1 9
    "#);
}

#[test]
fn numbers_that_do_not_suffice_or_clash_are_told_before_anything_is_done() {
    let clashing = json!({
        "a": { "number": 1 },
        "b": { "number": 1 },
        "c": { "number": 2, "vni": "1..2" },
    });
    let stack = stack(tagged(), clashing);
    let error = planned(&stack, &seeing(&stack, nothing(), &many(1..=3))).unwrap_err();
    assert_snapshot!(error, @"
    mirror_session.b: error MP0411: `mirror_session.b` and `mirror_session.a` have the same `number` on eni-00000000000000001 and 2 more
    mirror_session.c: error MP0411: the range `vni` of `mirror_session.c` is too small by 1
    ");
}

#[test]
fn tags_and_sources_of_a_block_built_in_rust_are_checked() {
    let mut builder = Stack::builder("sensors".parse().unwrap());
    builder.sources("none".parse().unwrap(), read::<Sources>(json!({})));
    let mut fan_out: FanOut = read(json!({
        "source": ["sources.nine"], "target": TARGET, "filter": FILTER, "number": 1,
    }));
    fan_out.tags.insert("aws:x".to_owned(), "y".to_owned());
    builder
        .declare_fan_out("mirror_session.a".parse().unwrap(), Placed { of: fan_out, place: None });
    assert_snapshot!(builder.build().unwrap_err(), @"
    error MP0005: sources.none: it does not say which interfaces are meant
    mirror_session.a: error MP0007: the tag `aws:x` is reserved
    mirror_session.a: error MP0301: the stack declares no `sources.nine`
    ");
}

#[test]
fn a_plan_with_sources_reads_back() {
    let stack = stack(tagged(), json!({ "detect": { "number": 1, "vni": "5..9" } }));
    let plan = planned(&stack, &seeing(&stack, nothing(), &many([1]))).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    let back: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(back, plan);
    assert_eq!(back.digest(), plan.digest());
    let fan_out = plan.fan_out_of(&plan.changes[0].address).unwrap();
    assert_eq!(fan_out.sources.to_value().to_string(), "[\"sources.web\"]");
}

#[test]
fn only_what_comes_and_goes_can_be_planned() {
    let mut other = stack(tagged(), json!({ "detect": { "number": 1, "packet_length": 100 } }));
    let filter = json!({ "rules": [{ "number": 1, "action": "accept" }] });
    let filter: crate::resource::MirrorFilter = read(filter);
    let new = Declared { resource: filter.into(), place: None };
    other.resources.insert("mirror_filter.new".parse().unwrap(), new);
    let came_and_went = many([2, 3, 8, 9]);
    // The first is no longer seen, and two are new; those that stay differ, but are left alone.
    let mut before = other.clone();
    before.fan_outs.values_mut().for_each(|fan_out| fan_out.of.packet_length = None);
    let first = planned(&before, &seeing(&before, nothing(), &many(1..=3))).unwrap();
    let observed = seeing(&other, after(&first), &came_and_went);
    let of = |instances: &[&str]| {
        let instances = instances.iter().map(|id| id.parse().unwrap()).collect();
        let part = Part::Sources { instances };
        shown(&plan(&other, &observed, &Request { part, ..Request::default() }).unwrap())
    };
    assert_snapshot!(of(&[]), @r#"
    Delete mirror_session.detect["eni-00000000000000001"] 1 4242
    Create mirror_session.detect["eni-00000000000000008"] 1 null
    Create mirror_session.detect["eni-00000000000000009"] 1 null
    "#);
    // Of the new ones, only those on the named instances; what disappeared is deleted all the same.
    assert_snapshot!(of(&["i-00000000000000009"]), @r#"
    Delete mirror_session.detect["eni-00000000000000001"] 1 4242
    Create mirror_session.detect["eni-00000000000000009"] 1 null
    "#);
}

#[test]
fn a_session_that_needs_the_rest_of_the_stack_is_too_early() {
    let mut stack = stack(tagged(), detect());
    let filter: crate::resource::MirrorFilter = read(json!({ "rules": [] }));
    let address: Address = "mirror_filter.all".parse().unwrap();
    let new = Declared { resource: filter.into(), place: None };
    stack.resources.insert(address.clone(), new);
    for fan_out in stack.fan_outs.values_mut() {
        fan_out.of.filter = Ref::To(address.clone());
    }
    let observed = seeing(&stack, nothing(), &many([1, 2]));
    let request = Request { part: Part::Sources { instances: [].into() }, ..Request::default() };
    assert_snapshot!(plan(&stack, &observed, &request).unwrap_err(), @"mirror_session.detect: error MP0412: `mirror_session.detect` needs `mirror_filter.all`, which does not exist yet");
}

#[test]
fn the_sessions_over_sources_are_known_without_their_numbers() {
    let stack = stack(tagged(), json!({ "detect": { "number": 1 }, "record": { "number": 2 } }));
    let mut interfaces = many(1..=5);
    interfaces[2].1["instance"]["instance_type"] = "t2.micro".into();
    let observed = seeing(&stack, nothing(), &interfaces);
    let mut known = sessions_of_sources(&stack, &observed);
    known.sort();
    let plan = planned(&stack, &observed).unwrap();
    let made: Vec<Address> = plan.changes.iter().map(|change| change.address.clone()).collect();
    assert_eq!((known.len(), known), (8, made));
    assert_eq!(sessions_of_sources(&stack, &nothing()), []);
}

#[test]
fn more_sessions_over_sources_than_an_account_takes_are_found() {
    let stack = stack(tagged(), detect());
    let found = |interfaces: u32, others: usize| {
        let observed = seeing(&stack, nothing(), &many(1..=interfaces));
        let counts = [(Kind::MirrorSession, others)].into();
        let strangers = Strangers { counts, ..Strangers::default() };
        let around = Around { observed: &observed, strangers: &strangers };
        let found = check_planned(&stack, around, &Request::default());
        found.iter().map(|found| format!("{} {}", found.code, found.title)).collect::<Vec<_>>()
    };
    assert_eq!(found(9_990, 10), [""; 0]);
    assert_eq!(
        found(9_990, 11),
        [
            "MP1011 the stack has 9990 mirror sessions and there are 11 others, and AWS allows 10000 in an account and Region"
        ]
    );
}
