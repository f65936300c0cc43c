//! What a replacement keeps, and what AWS sets in it again.

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

/// The planned value of an attribute.
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
    // An interface has no such default: whole packets are sent, whatever was sent before.
    let mut direct = lab();
    direct["mirror_target.nlb"] = json!({ "network_interface": "eni-00000000000000001" });
    assert_eq!(lengths(&stack(direct), &before), (Value::Null, None));
    // Removing the user's own length from the file is a change.
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
    Replace(CreateThenDelete) instance.a: `root_encrypted` differs, which AWS cannot change on an existing object
     0 RunInstances instance.a#2
     1 TerminateInstances instance.a#1 after 0
    ");
    // `false` leaves the choice to the account, and a value that is not seen is not known to be wrong.
    for (declared, seen) in [(true, Some(true)), (true, None), (false, Some(true)), (false, None)] {
        assert_eq!(with(declared, seen), "", "{declared}, {seen:?}");
    }
}

/// What a plan says about every session's capture.
fn captures(edited: &Stack) -> String {
    let plan = plan(edited, &applied(&stack(lab())), &Request::default()).unwrap();
    let mut text = String::new();
    for change in plan.changes.iter().filter(|change| change.capture.is_some()) {
        let Change { address, capture, .. } = change;
        let gap = plan.capture_gap(change).map(|gap| (gap.estimate(), gap.waits().clone()));
        writeln!(text, "{address}: {capture:?}, {gap:?}").unwrap();
    }
    text
}

#[test]
fn a_gap_is_as_long_as_the_calls_that_are_made_meanwhile() {
    // Another load balancer is created first, and then the session is pointed to it.
    let name = lab_with("load_balancer.sensors", "scheme", json!("internet-facing"));
    assert_snapshot!(captures(&name), @"mirror_session.source: Some(Continues), None");
    // One call for the old target, one for the new one, one for the session.
    let same_place = lab_with("mirror_target.nlb", "description", json!("sensors"));
    assert_snapshot!(captures(&same_place), @"mirror_session.source: Some(Gap), Some((3s, {Answer: 3s}))");
    // The source itself is terminated, and another is started.
    let subnet = lab_with("subnet.source", "cidr", json!("10.0.3.0/24"));
    assert_snapshot!(captures(&subnet), @"mirror_session.source: Some(Gap), Some((84s, {Instance: 80s, Answer: 4s}))");
}

/// The lab with two attributes changed.
fn lab_with_both(one: (&str, &str, Json), other: (&str, &str, Json)) -> Stack {
    let mut resources = lab();
    for (address, attribute, value) in [one, other] {
        resources[address][attribute] = value;
    }
    stack(resources)
}

#[test]
fn a_gap_lasts_until_everything_is_there_that_the_new_session_needs() {
    // The load balancer does not wait for the old session to end, but the new session waits for the load balancer.
    let both = lab_with_both(
        ("subnet.source", "cidr", json!("10.0.3.0/24")),
        ("load_balancer.sensors", "scheme", json!("internet-facing")),
    );
    assert_snapshot!(captures(&both), @"mirror_session.source: Some(Gap), Some((152s, {LoadBalancer: 149s, Answer: 3s}))");
    // A load balancer is only gone once its interfaces have left the subnet.
    let subnet = lab_with("subnet.target", "cidr", json!("10.0.4.0/24"));
    assert_snapshot!(captures(&subnet), @"mirror_session.source: Some(Gap), Some((457s, {Released: 300s, LoadBalancer: 150s, Answer: 7s}))");
}

/// The lab with its sensor mirrored too, and with these edits.
fn edited(edits: &[usize]) -> Stack {
    let mut resources = lab();
    resources["mirror_session.sensor"] = json!({
        "source": "@instance.one", "target": "@mirror_target.nlb",
        "filter": "@mirror_filter.tcp", "number": 1,
    });
    for edit in edits {
        let (address, attribute, value) = &EDITS[*edit];
        resources[*address][*attribute] = json!(value);
    }
    stack(resources)
}

/// Edits at every depth below a session.
const EDITS: [(&str, &str, &str); 8] = [
    ("load_balancer.sensors", "scheme", "internet-facing"),
    ("mirror_target.nlb", "description", "sensors"),
    ("mirror_session.source", "description", "all of it"),
    ("mirror_filter.tcp", "description", "all of it"),
    ("subnet.source", "cidr", "10.0.3.0/24"),
    ("subnet.target", "cidr", "10.0.4.0/24"),
    ("instance.source", "instance_type", "t3.small"),
    ("vpc.lab", "cidr", "10.1.0.0/16"),
];

/// What can be replaced at the user's request.
const REPLACEABLE: [&str; 5] = [
    "mirror_target.nlb",
    "load_balancer.sensors",
    "mirror_filter.tcp",
    "instance.source",
    "mirror_session.sensor",
];

/// The steps that are done before this one, whatever runs in parallel.
fn before(plan: &Plan, step: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut next = vec![step];
    while let Some(step) = next.pop() {
        next.extend(plan.steps[step].needs.iter().filter(|need| all.insert(**need)));
    }
    all
}

/// The steps of an address in one phase.
fn steps_at(plan: &Plan, address: &Address, phase: Phase) -> Vec<usize> {
    let is_at = |step: &Step| step.address == *address && step.phase == phase;
    (0..plan.steps.len()).filter(|step| is_at(&plan.steps[*step])).collect()
}

/// Checks a plan against what it says about the capture of one session.
fn a_capture_is_as_its_plan_says(plan: &Plan, change: &Change) {
    let at = |phase| steps_at(plan, &change.address, phase);
    let (made, changed, gone) = (at(Phase::Create), at(Phase::Update), at(Phase::Delete));
    let gap = plan.capture_gap(change);
    match change.capture {
        None => assert_eq!((made, changed, gone, gap), (vec![], vec![], vec![], None)),
        Some(Capture::Continues) => {
            // The session exists all the time, and its target exists on both sides of the change.
            assert_eq!((made, gone, gap), (vec![], vec![], None));
            let target = "mirror_target.nlb".parse().unwrap();
            for old in steps_at(plan, &target, Phase::Delete) {
                let re_pointed = changed.iter().any(|modify| {
                    let new = steps_at(plan, &target, Phase::Create);
                    let first = before(plan, *modify);
                    !new.is_empty()
                        && new.iter().all(|new| first.contains(new))
                        && before(plan, old).contains(modify)
                });
                assert!(re_pointed, "{}", shown(plan));
            }
        }
        Some(Capture::Gap) => {
            let ([made], [gone], Some(gap)) = (&*made, &*gone, gap) else {
                panic!("{}", shown(plan))
            };
            assert!(before(plan, *made).contains(gone), "{}", shown(plan));
            // The gap includes the wait for a load balancer that the new session needs, even one created in parallel.
            let new_balancer = |step: &usize| {
                let Step { address, phase, .. } = &plan.steps[*step];
                (address.kind, *phase) == (Kind::LoadBalancer, Phase::Create)
            };
            let waits = gap.waits().contains_key(&Wait::LoadBalancer);
            assert_eq!(before(plan, *made).iter().any(new_balancer), waits, "{}", shown(plan));
        }
        Some(Capture::Begins | Capture::Ends) => unreachable!("both stacks have the session"),
    }
}

proptest::proptest! {
    #[test]
    fn what_a_plan_says_of_a_capture_holds_whatever_runs_beside_it(
        edits in proptest::sample::subsequence((0..EDITS.len()).collect::<Vec<_>>(), 0..=3),
        replace in proptest::sample::subsequence(REPLACEABLE.to_vec(), 0..=2),
    ) {
        let replace = replace.iter().map(|address| address.parse().unwrap()).collect();
        let request = Request { replace, ..Request::default() };
        let plan = plan(&edited(&edits), &applied(&edited(&[])), &request).unwrap();
        let is_session = |change: &&Change| change.address.kind == Kind::MirrorSession;
        for change in plan.changes.iter().filter(is_session) {
            a_capture_is_as_its_plan_says(&plan, change);
        }
    }
}

/// An earlier run made the new load balancer and was killed before it had its listener.
#[test]
fn a_target_group_that_serves_a_left_over_load_balancer_is_replaced() {
    let lab = stack(lab());
    let mut observed = applied(&lab);
    let address: Address = "load_balancer.sensors".parse().unwrap();
    let Resource::LoadBalancer(first) = observed.current(&address).unwrap().resource.clone() else {
        unreachable!("it is a load balancer");
    };
    let without = crate::resource::LoadBalancer { listeners: Vec::new(), ..first };
    observed.owned.get_mut(&address).unwrap().push(found(&address, 2, without.into()));
    let plan = plan(&lab, &observed, &Request::default()).unwrap();
    let group = plan.changes.iter().find(|change| change.kind() == Kind::TargetGroup).unwrap();
    assert_eq!(group.action, Action::Replace(ReplaceOrder::CreateThenDelete));
    assert_eq!(group.reasons, [Reason::ServesReplaced { load_balancer: address }]);
}
