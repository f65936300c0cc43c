//! Receivers that scale: what is changed in place, what waits for what, and what is not a difference.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::attribute::Input;
use crate::value::Secret;

/// The ARN of a group.
pub(super) fn arn(digits: &str) -> String {
    let group = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup";
    format!("{group}:{digits}:autoScalingGroupName/picked")
}

/// A group behind a load balancer; each entry of `edits` gives an attribute another value.
fn receivers(edits: &[(&str, &str, Json)]) -> Stack {
    let mut declared = json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "subnet.b": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24" },
        "security_group.sensor": { "vpc": "@vpc.lab" },
        "launch_template.sensor": {
            "instance_type": "c6i.large", "security_groups": ["@security_group.sensor"],
            "user_data": "#!/bin/sh\n",
        },
        "target_group.sensors": { "vpc": "@vpc.lab" },
        "target_group.others": { "vpc": "@vpc.lab" },
        "autoscaling_group.sensors": {
            "launch_template": "@launch_template.sensor", "subnets": ["@subnet.a", "@subnet.b"],
            "min": 2, "max": 6, "target_groups": ["@target_group.sensors"],
        },
        "load_balancer.sensors": {
            "subnets": ["@subnet.a", "@subnet.b"],
            "listeners": [{ "protocol": "udp", "port": 4789, "target_group": "@target_group.sensors" }],
        },
        "mirror_target.sensors": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.all": {},
        "mirror_session.web": {
            "source": "eni-0a1b2c3d4e5f67890", "target": "@mirror_target.sensors",
            "filter": "@mirror_filter.all", "number": 1,
        },
    });
    for (address, attribute, value) in edits {
        declared[address][attribute] = value.clone();
    }
    stack(declared)
}

fn planned(stack: &Stack, observed: &Observed, mode: Mode) -> Plan {
    plan(stack, observed, &Request { mode, ..Request::default() }).unwrap()
}

/// The calls of a plan, each with the positions of the calls that it waits for.
fn steps(plan: &Plan) -> String {
    let steps = plan.steps.iter().enumerate().map(|(at, step)| {
        let call = match &step.call {
            Call::Operation(operation) => operation.call(),
            Call::Retag { .. } => "retag",
        };
        format!("{at} {} {call} after {:?}", step.address, step.needs)
    });
    steps.collect::<Vec<_>>().join("\n")
}

/// The calls that make these edits to the applied stack.
fn changed(edits: &[(&str, &str, Json)]) -> String {
    steps(&planned(&receivers(edits), &applied(&receivers(&[])), Mode::Apply))
}

#[test]
fn receivers_start_when_what_they_need_is_there_and_mirroring_when_they_have() {
    assert_snapshot!(steps(&planned(&receivers(&[]), &nothing(), Mode::Apply)), @"
    0 vpc.lab CreateVpc after []
    1 subnet.a CreateSubnet after [0]
    2 subnet.b CreateSubnet after [0]
    3 security_group.sensor CreateSecurityGroup after [0]
    4 launch_template.sensor CreateLaunchTemplate after [3]
    5 target_group.others CreateTargetGroup after [0]
    6 target_group.sensors CreateTargetGroup after [0]
    7 autoscaling_group.sensors CreateAutoScalingGroup after [1, 2, 4, 6]
    8 load_balancer.sensors CreateLoadBalancer after [1, 2]
    9 load_balancer.sensors CreateListener after [6, 8]
    10 mirror_target.sensors CreateTrafficMirrorTarget after [9]
    11 mirror_filter.all CreateTrafficMirrorFilter after []
    12 mirror_session.web CreateTrafficMirrorSession after [6, 7, 10, 11]
    ");
}

#[test]
fn a_group_goes_before_what_its_instances_stand_in() {
    let stack = receivers(&[]);
    assert_snapshot!(steps(&planned(&stack, &applied(&stack), Mode::Destroy)), @"
    0 target_group.others DeleteTargetGroup after []
    1 autoscaling_group.sensors DeleteAutoScalingGroup after []
    2 launch_template.sensor DeleteLaunchTemplate after [1]
    3 security_group.sensor DeleteSecurityGroup after [1, 2]
    4 mirror_session.web DeleteTrafficMirrorSession after []
    5 mirror_target.sensors DeleteTrafficMirrorTarget after [4]
    6 load_balancer.sensors DeleteListener after [5]
    7 load_balancer.sensors DeleteLoadBalancer after [6]
    8 subnet.a DeleteSubnet after [1, 7]
    9 subnet.b DeleteSubnet after [1, 7]
    10 vpc.lab DeleteVpc after [3, 8, 9]
    11 target_group.sensors DeleteTargetGroup after [1, 7]
    12 mirror_filter.all DeleteTrafficMirrorFilter after [4]
    ");
}

#[test]
fn a_template_changes_by_a_new_version_that_becomes_the_default() {
    let template = "launch_template.sensor";
    let versions = changed(&[(template, "instance_type", json!("c7i.large"))]);
    assert_snapshot!(versions, @"
    0 launch_template.sensor CreateLaunchTemplateVersion after []
    1 launch_template.sensor ModifyLaunchTemplate after [0]
    ");
    assert_eq!(changed(&[(template, "user_data", json!("#!/bin/sh\nreboot\n"))]), versions);
    assert_eq!(changed(&[(template, "ami", json!("ami-00000000000000002"))]), versions);
    assert_eq!(changed(&[(template, "tags", json!({ "Team": "a" }))]).lines().count(), 1);
    // A parameter that names another image by now does not change the template.
    let parameter = json!("/aws/service/ami-amazon-linux-latest/al2023-ami-minimal");
    assert_eq!(changed(&[(template, "ami", parameter)]), "");
    assert_snapshot!(changed(&[(template, "name", json!("sensors"))]), @"
    0 launch_template.sensor CreateLaunchTemplate after []
    1 autoscaling_group.sensors UpdateAutoScalingGroup after [0]
    2 launch_template.sensor DeleteLaunchTemplate after [0, 1]
    ");
}

#[test]
fn how_many_there_are_is_a_difference_only_where_it_is_said() {
    let group = "autoscaling_group.sensors";
    assert_eq!(changed(&[]), "");
    assert_eq!(changed(&[(group, "desired", json!(4))]), "");
    assert_snapshot!(changed(&[(group, "desired", json!(3))]), @"0 autoscaling_group.sensors UpdateAutoScalingGroup after []");
    assert_snapshot!(changed(&[(group, "max", json!(8))]), @"0 autoscaling_group.sensors UpdateAutoScalingGroup after []");
    let bounds = [(group, "min", json!(5)), (group, "max", json!(8))];
    let before = applied(&receivers(&[]));
    let moved = planned(&receivers(&bounds), &before, Mode::Apply);
    let after = moved.changes.iter().find(|change| change.kind() == Kind::AutoscalingGroup);
    let Some(Value::Object(after)) = &after.unwrap().after else { unreachable!() };
    assert_eq!(after["desired"], Value::integer(5));
    // A change of something else does not state how many there are.
    let plan =
        planned(&receivers(&[(group, "max", json!(8))]), &applied(&receivers(&[])), Mode::Apply);
    let sent = serde_json::to_value(&plan.steps[0].call).unwrap();
    assert_eq!(sent["operation"]["autoscaling_group"]["set"]["size"]["desired"], json!(null));
}

#[test]
fn receivers_are_behind_the_new_target_group_before_they_leave_the_old_one() {
    let moved = [("autoscaling_group.sensors", "target_groups", json!(["@target_group.others"]))];
    assert_snapshot!(changed(&moved), @"
    0 autoscaling_group.sensors AttachLoadBalancerTargetGroups after []
    1 autoscaling_group.sensors DetachLoadBalancerTargetGroups after [0]
    ");
    // Without a target group, only the instance itself is asked about its health.
    assert_snapshot!(changed(&[("autoscaling_group.sensors", "target_groups", json!([]))]), @"
    0 autoscaling_group.sensors UpdateAutoScalingGroup after []
    1 autoscaling_group.sensors DetachLoadBalancerTargetGroups after [0]
    ");
}

#[test]
fn a_target_group_that_is_replaced_takes_its_receivers_along() {
    assert_snapshot!(changed(&[("target_group.sensors", "port", json!(4790))]), @"
    0 target_group.sensors CreateTargetGroup after []
    1 autoscaling_group.sensors AttachLoadBalancerTargetGroups after [0]
    2 load_balancer.sensors ModifyListener after [0, 1]
    3 autoscaling_group.sensors DetachLoadBalancerTargetGroups after [1, 2]
    4 target_group.sensors DeleteTargetGroup after [0, 2, 3]
    ");
}

#[test]
fn receivers_in_a_security_group_that_goes_are_replaced_by_others() {
    let other = [("security_group.sensor", "description", json!("another"))];
    let before = applied(&receivers(&[]));
    let replaced = planned(&receivers(&other), &before, Mode::Apply);
    assert_snapshot!(steps(&replaced), @"
    0 security_group.sensor CreateSecurityGroup after []
    1 launch_template.sensor CreateLaunchTemplateVersion after [0]
    2 launch_template.sensor ModifyLaunchTemplate after [1]
    3 autoscaling_group.sensors CreateAutoScalingGroup after [2]
    4 autoscaling_group.sensors DeleteAutoScalingGroup after [3]
    5 security_group.sensor DeleteSecurityGroup after [0, 2, 4]
    ");
    let group = replaced.changes.iter().find(|change| change.kind() == Kind::AutoscalingGroup);
    let reasons: Vec<_> = group.unwrap().reasons.iter().map(ToString::to_string).collect();
    assert_snapshot!(reasons.join("; "), @"its instances are in security_group.sensor, which is deleted");
    let without = [("launch_template.sensor", "security_groups", json!([]))];
    let stack = receivers(&without);
    assert_snapshot!(steps(&planned(&stack, &before, Mode::Apply)), @"
    0 launch_template.sensor CreateLaunchTemplateVersion after []
    1 launch_template.sensor ModifyLaunchTemplate after [0]
    ");
    let mut stack = stack;
    stack.resources.remove(&"security_group.sensor".parse().unwrap());
    assert_snapshot!(steps(&planned(&stack, &before, Mode::Apply)), @"
    0 launch_template.sensor CreateLaunchTemplateVersion after []
    1 launch_template.sensor ModifyLaunchTemplate after [0]
    2 autoscaling_group.sensors CreateAutoScalingGroup after [1]
    3 autoscaling_group.sensors DeleteAutoScalingGroup after [2]
    4 security_group.sensor DeleteSecurityGroup after [1, 3]
    ");
}

#[test]
fn a_group_that_was_scaled_since_it_was_planned_goes_all_the_same() {
    let stack = receivers(&[]);
    let mut observed = applied(&stack);
    let before = planned(&stack, &observed, Mode::Destroy);
    let group: Address = "autoscaling_group.sensors".parse().unwrap();
    let Resource::AutoscalingGroup(seen) = &mut observed.owned.get_mut(&group).unwrap()[0].resource
    else {
        unreachable!()
    };
    seen.desired = crate::scalar::GroupSize::new(6);
    let expected = |plan: &Plan| {
        let all = plan.steps.iter().filter(|step| step.address == group);
        all.map(|step| step.expects.clone()).collect::<Vec<_>>()
    };
    assert_eq!(expected(&planned(&stack, &observed, Mode::Destroy)), expected(&before));
}

#[test]
fn a_saved_plan_has_the_hash_of_user_data_and_gets_it_back() {
    let stack = receivers(&[("launch_template.sensor", "user_data", json!("key Canary-7Yq2"))]);
    for observed in [nothing(), applied(&receivers(&[]))] {
        let saved = planned(&stack, &observed, Mode::Apply).to_saved();
        assert!(!saved.contains("Canary"), "{saved}");
        let plan = Plan::from_saved(saved.as_bytes()).unwrap();
        assert!(plan.needs_secrets());
        let whole = plan.with_secrets(&Secrets::of(&stack, &observed)).unwrap();
        assert!(!whole.needs_secrets());
        let shown = format!("{whole:?}");
        assert!(!shown.contains("Canary"), "{shown}");
    }
    let secret = Input::Known(Secret::text("key Canary-7Yq2"));
    assert!(!serde_json::to_string(&secret).unwrap().contains("Canary"));
}

#[test]
fn a_group_of_an_impossible_size_is_refused() {
    let problems = |attributes: Json| {
        let mut declared = json!({
            "launch_template": "lt-0a1b2c3d4e5f67890", "subnets": ["subnet-0a1b2c3d4e5f67890"],
            "min": 2, "max": 6,
        });
        for (name, value) in attributes.as_object().unwrap() {
            declared[name] = value.clone();
        }
        let mut problems = Problems::default();
        drop(Resource::read(Kind::AutoscalingGroup, &Value::from(declared), &mut problems));
        problems
            .into_inner()
            .into_iter()
            .map(|problem| problem.title)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(problems(json!({})), "");
    assert_snapshot!(problems(json!({ "min": 7 })), @"`min` is 7, but `max` is only 6");
    assert_snapshot!(problems(json!({ "desired": 1 })), @"1 is not between `min` and `max`, 2 and 6");
    assert_snapshot!(problems(json!({ "subnets": [] })), @"an instance needs a subnet");
    assert_snapshot!(problems(json!({ "name": "a:b" })), @"`a:b` is not the name of an Auto Scaling group: visible ASCII characters without :, at most 255");
}
