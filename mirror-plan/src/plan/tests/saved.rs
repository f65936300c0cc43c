//! Saved plans: read back whole, or refused.

use super::*;

fn small(cidr: &str) -> Stack {
    stack(json!({"vpc.lab": {"cidr": cidr, "tags": {"Team": "sécurité"}}}))
}

#[test]
fn a_plan_file_reads_back_and_keeps_its_digest() {
    let plan = plan(&stack(lab()), &nothing(), &Request::default()).unwrap();
    let again = Plan::from_saved(plan.to_saved().as_bytes()).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.digest(), plan.digest());
    assert!(plan.to_saved().contains(plan.digest().as_str()));
}

#[test]
fn a_plan_file_with_any_changed_byte_is_refused() {
    // A replacement, so that the plan contains everything: both phases, and what is expected.
    let observed = applied(&small("10.1.0.0/16"));
    let saved = plan(&small("10.0.0.0/16"), &observed, &Request::default()).unwrap().to_saved();
    let mut bytes = saved.clone().into_bytes();
    let mut passed = Vec::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            if Plan::from_saved(&bytes).is_ok() {
                passed.push((at, bit));
            }
            bytes[at] ^= 1 << bit;
        }
        assert!(Plan::from_saved(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(passed, []);
    assert!(Plan::from_saved(format!("{saved}\n").as_bytes()).is_err());
    assert!(Plan::from_saved(&bytes).is_ok());
    println!("{} bytes, each of their bits turned over; cut at each of them", bytes.len());
}

#[test]
fn a_plan_file_says_why_it_is_refused() {
    let saved = plan(&small("10.0.0.0/16"), &nothing(), &Request::default()).unwrap().to_saved();
    let why = |text: String| Plan::from_saved(text.as_bytes()).unwrap_err().to_string();
    assert_snapshot!(why("{".to_owned()), @"it cannot be read");
    assert_snapshot!(why(saved.replace("\"format\": 1", "\"format\": 2")), @"it was written by another version of mirror, in format 2");
    assert_snapshot!(why(saved.replace("sha256:", "md5:")), @"its digest is wrong");
    let without = saved.lines().filter(|line| !line.contains("digest")).collect::<String>();
    assert_snapshot!(why(without), @"it has no digest");
    let edited = why(saved.replace("10.0.0.0/16", "10.0.0.0/17"));
    assert!(edited.starts_with("it is not, byte for byte, the plan sha256:"), "{edited}");
}

#[test]
fn only_the_first_step_of_a_removal_expects_something() {
    let (before, after) = (applied(&small("10.1.0.0/16")), small("10.0.0.0/16"));
    let plan = plan(&after, &before, &Request::default()).unwrap();
    let expecting = plan.steps.iter().filter(|step| step.expects.is_some());
    assert_eq!(expecting.map(|step| step.phase).collect::<Vec<_>>(), [Phase::Delete]);
}

/// What a plan with an empty stack expects of an object of the lab that was changed by `edit`.
fn expected(address: &str, edit: fn(&mut Found)) -> Fingerprint {
    let mut observed = applied(&stack(lab()));
    edit(&mut observed.owned.get_mut(&address.parse().unwrap()).unwrap()[0]);
    let plan = plan(&stack(json!({})), &observed, &Request::default()).unwrap();
    let of_it = |step: &&Step| step.address.to_string() == address && step.expects.is_some();
    plan.steps.iter().find(of_it).and_then(|step| step.expects.clone()).unwrap()
}

#[test]
fn what_only_aws_tells_is_not_expected_to_stay_and_what_it_is_made_of_is() {
    let before = expected("instance.one", |_| {});
    let renamed = expected("instance.one", |found| {
        found.computed.insert("public_dns".to_owned(), Some("ec2-192-0-2-7".to_owned()));
    });
    assert_eq!(renamed, before);
    let other = expected("instance.one", |found| {
        let Resource::Instance(instance) = &mut found.resource else { unreachable!() };
        instance.source_dest_check = !instance.source_dest_check;
    });
    assert_ne!(other, before);
    let others = expected("mirror_filter.tcp", |_| {});
    let one_more = expected("mirror_filter.tcp", |found| {
        let id = found.id.clone();
        found.parts.insert("egress 7".to_owned(), id);
    });
    assert_ne!(one_more, others);
}

/// Just after a run created an object, AWS may show it before its parts: their appearance is not a change.
#[test]
fn of_what_does_not_look_as_the_stack_has_it_nothing_is_expected() {
    let lab = stack(lab());
    let mut observed = applied(&lab);
    let group: Address = "security_group.target".parse().unwrap();
    let Resource::SecurityGroup(seen) = &mut observed.owned.get_mut(&group).unwrap()[0].resource
    else {
        unreachable!()
    };
    seen.ingress.0.clear();
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let plan = plan(&lab, &observed, &request).unwrap();
    let deletes = plan.steps.iter().filter(|step| step.phase == Phase::Delete);
    let addresses: BTreeSet<_> = deletes.clone().map(|step| &step.address).collect();
    let expecting = deletes.filter(|step| step.expects.is_some());
    let expecting: BTreeSet<_> = expecting.map(|step| &step.address).collect();
    assert_eq!(addresses.difference(&expecting).collect::<Vec<_>>(), [&&group]);
}

#[test]
fn an_instance_that_goes_as_well_may_be_out_of_its_target_group_already() {
    let before = expected("target_group.vxlan", |_| {});
    let fewer = expected("target_group.vxlan", |found| {
        let Resource::TargetGroup(group) = &mut found.resource else { unreachable!() };
        assert!(group.targets.pop().is_some());
    });
    assert_eq!(fewer, before);
    let somebodys = expected("target_group.vxlan", |found| {
        let Resource::TargetGroup(group) = &mut found.resource else { unreachable!() };
        group.targets.push(crate::attribute::Ref::Id("i-00000000000000077".parse().unwrap()));
    });
    assert_ne!(somebodys, before);
}
