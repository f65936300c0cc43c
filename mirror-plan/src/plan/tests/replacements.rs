//! What a replacement keeps, and what AWS puts into it again.

use super::*;
use crate::attribute::Ref;
use crate::resource::{Operation, mirror_session};
use crate::scalar::PacketLength;

/// A plan in which one resource is replaced.
fn replacing(address: &str, stack: &Stack, before: &Observed) -> Plan {
    let request =
        Request { replace: BTreeSet::from([address.parse().unwrap()]), ..Request::default() };
    plan(stack, before, &request).unwrap()
}

/// An attribute as it will be.
fn after(plan: &Plan, address: &str, attribute: &str) -> Value {
    let address = address.parse().unwrap();
    let change = plan.changes.iter().find(|change| change.address == address).unwrap();
    let Some(Value::Object(after)) = &change.after else { unreachable!() };
    after[attribute].clone()
}

/// The packet length that a plan shows for the new session, and the one that its call asks for.
fn lengths(stack: &Stack, before: &Observed) -> (Value, Option<PacketLength>) {
    let plan = replacing("mirror_session.source", stack, before);
    let asked = plan.steps.iter().find_map(|step| match &step.call {
        Call::Operation(Operation::MirrorSession(mirror_session::Operation::Create {
            packet_length,
            ..
        })) => Some(*packet_length),
        _ => None,
    });
    (after(&plan, "mirror_session.source", "packet_length"), asked.unwrap())
}

#[test]
fn a_removed_packet_length_is_reset_unless_the_load_balancer_sets_it() {
    let before = applied(&lab_with("mirror_session.source", "packet_length", json!(256)));
    assert_snapshot!(planned(&stack(lab()), &before), @"
    Update mirror_session.source: `packet_length` differs
     0 ModifyTrafficMirrorSession mirror_session.source#1
    ");
    assert_eq!(planned(&stack(lab()), &applied(&stack(lab()))), "");
}

#[test]
fn a_replaced_session_shows_the_packet_length_that_its_load_balancer_sets_again() {
    let before = applied(&stack(lab()));
    assert_eq!(lengths(&stack(lab()), &before), (Value::integer(8500), None));
    // An interface has no such default: the whole packet goes, whatever went before.
    let mut direct = lab();
    direct["mirror_target.nlb"] = json!({ "network_interface": "eni-00000000000000001" });
    assert_eq!(lengths(&stack(direct), &before), (Value::Null, None));
    // A length of the user's own that is gone from the file is a change.
    let own = applied(&lab_with("mirror_session.source", "packet_length", json!(256)));
    assert_eq!(lengths(&stack(lab()), &own), (Value::Null, None));
}

#[test]
fn a_replaced_session_keeps_its_vni_and_the_outputs_say_so() {
    let mut before = stack(lab());
    let origin =
        Origin { address: "mirror_session.source".parse().unwrap(), attribute: "vni".to_owned() };
    let value = Value::Unknown(crate::value::Unknown::attribute(origin));
    before.outputs.insert("vni".to_owned(), crate::stack::Output { value, description: None });
    let plan = replacing("mirror_session.source", &before, &applied(&before));
    assert_eq!(plan.outputs["vni"].before, plan.outputs["vni"].after);
}

#[test]
fn a_replaced_instance_without_a_group_is_in_the_default_group_of_its_vpc() {
    let lab = stack(lab());
    let mut before = applied(&lab);
    let objects = before.owned.get_mut(&"instance.source".parse().unwrap()).unwrap();
    let Resource::Instance(instance) = &mut objects[0].resource else { unreachable!() };
    instance.security_groups = vec![Ref::Id("sg-0000000000000defa".parse().unwrap())];
    assert_eq!(planned(&lab, &before), "");
    let groups = |replaced| {
        let plan = replacing(replaced, &lab, &before);
        after(&plan, "instance.source", "security_groups").to_string()
    };
    assert_eq!(groups("instance.source"), r#"["sg-0000000000000defa"]"#);
    assert_eq!(groups("subnet.source"), r#"["sg-0000000000000defa"]"#);
    // Another VPC has another default group.
    assert_eq!(groups("vpc.lab"), "(known after apply: instance.source.security_groups)");
}

#[test]
fn an_instance_is_replaced_for_its_root_volume_only_where_it_is_seen_to_be_in_the_clear() {
    let with = |declared: bool, seen: Option<bool>| {
        let stack = stack(json!({
            "instance.a": {
                "ami": "ami-00000000000000001", "instance_type": "t3.micro",
                "subnet": "subnet-00000000000000001", "root_encrypted": declared,
            },
        }));
        let mut observed = applied(&stack);
        let objects = observed.owned.get_mut(&"instance.a".parse().unwrap()).unwrap();
        let Resource::Instance(instance) = &mut objects[0].resource else { unreachable!() };
        instance.root_encrypted = seen;
        planned(&stack, &observed)
    };
    assert_snapshot!(with(true, Some(false)), @"
    Replace(CreateThenDelete) instance.a: `root_encrypted` differs, which AWS cannot change on an object that exists
     0 RunInstances instance.a#2
     1 TerminateInstances instance.a#1 after 0
    ");
    // `false` leaves it to the account, and what is not seen is not known to be wrong.
    for (declared, seen) in [(true, Some(true)), (true, None), (false, Some(true)), (false, None)] {
        assert_eq!(with(declared, seen), "", "{declared}, {seen:?}");
    }
}

/// What a plan says of every session's capture.
fn captures(edited: &Stack) -> String {
    let plan = plan(edited, &applied(&stack(lab())), &Request::default()).unwrap();
    let mut text = String::new();
    for change in plan.changes.iter().filter(|change| change.capture.is_some()) {
        let Change { address, capture, .. } = change;
        writeln!(text, "{address}: {capture:?}, {:?}", plan.capture_gap(change)).unwrap();
    }
    text
}

#[test]
fn a_gap_is_as_long_as_the_calls_that_are_made_meanwhile() {
    // Another load balancer: made first, and the session is pointed to it.
    let name = lab_with("load_balancer.sensors", "scheme", json!("internet-facing"));
    assert_snapshot!(captures(&name), @"mirror_session.source: Some(Continues), None");
    // One call for the old target, one for the new one, one for the session.
    let same_place = lab_with("mirror_target.nlb", "description", json!("sensors"));
    assert_snapshot!(captures(&same_place), @"mirror_session.source: Some(Gap), Some(3s)");
    // The source itself goes, and another is started.
    let subnet = lab_with("subnet.source", "cidr", json!("10.0.3.0/24"));
    assert_snapshot!(captures(&subnet), @"mirror_session.source: Some(Gap), Some(84s)");
}
