//! Verifying the laboratory: well, and with each part of it gone, changed or ill.

use aws_sdk_ec2::Client as Ec2;
use insta::assert_snapshot;
use mirror_local::Policy;
use mirror_plan::aws::target_health;
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Request, plan};
use mirror_plan::render::verify::{Text, json};
use mirror_plan::verify::Verification;
use mirror_tests::{REGION, Rig, config, lab};
use serde_json::Value as Json;

/// What is said of the laboratory, with ids taken out, and the same for programs.
async fn verified(rig: &Rig) -> (String, Json) {
    let lab = lab();
    let observed = rig.observe(&lab).await;
    let plan = plan(&lab, &observed, &Request::default()).unwrap();
    let (groups, targets) = target_health(&rig.aws, &observed).await.unwrap();
    let found = Verification::of(&plan, &groups, targets);
    let text = Text::new(&found).to_string();
    let shown: Vec<String> = text.lines().map(without_ids).collect();
    assert_eq!(json(&found)["verified"], found.is_well());
    (shown.join("\n"), json(&found))
}

/// A line in which the ids of instances are `i-ID`.
fn without_ids(line: &str) -> String {
    let mut shown = line.to_owned();
    let is_id = |part: &&str| part.len() == 17 && part.bytes().all(|b| b.is_ascii_hexdigit());
    for id in line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_id) {
        shown = shown.replace(id, "ID");
    }
    shown
}

async fn applied() -> Rig {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    rig
}

#[tokio::test]
async fn a_stack_that_stands_is_well_and_nothing_is_changed_to_see_it() {
    let rig = applied().await;
    let account = mirror_local::ACCOUNT.parse().unwrap();
    let location = Location { account, region: REGION.parse().unwrap() };
    let reading = policies(&lab(), &location, [Purpose::Plan]);
    let reading = reading.iter().map(|policy| policy.to_string().parse::<Policy>().unwrap());
    rig.cloud.set_policies(reading.collect());
    let (text, json) = verified(&rig).await;
    assert_snapshot!(text, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      ok     1 session is in place
      ok     2 of 2 targets healthy
      ok     every resource is as the stack file says

    Verified. Whether packets arrive is not seen from here.
    ");
    assert_eq!(json["faults"], Json::Array(Vec::new()));
    assert_eq!(json["sessions"][0]["state"], "in_place");
    let states = json["targets"].as_array().unwrap().iter().map(|target| &target["healthy"]);
    assert_eq!(states.collect::<Vec<_>>(), [&Json::Bool(true), &Json::Bool(true)]);
}

#[tokio::test]
async fn what_is_gone_or_changed_is_a_fault() {
    let rig = applied().await;
    let ec2 = Ec2::new(&config(&rig.cloud));
    let sessions = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let id = sessions.traffic_mirror_sessions()[0].traffic_mirror_session_id().unwrap().to_owned();
    ec2.modify_traffic_mirror_session()
        .traffic_mirror_session_id(&id)
        .session_number(9)
        .send()
        .await
        .unwrap();
    assert_snapshot!(verified(&rig).await.0, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  mirror_session.my-traffic-mirror-session is not as the stack file says; an apply would change:
               number = 9 -> 1
      ok     2 of 2 targets healthy

    Not verified: 1 fault.
    ");
    ec2.delete_traffic_mirror_session().traffic_mirror_session_id(&id).send().await.unwrap();
    let (text, json) = verified(&rig).await;
    assert_snapshot!(text, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  mirror_session.my-traffic-mirror-session is not there
      ok     2 of 2 targets healthy

    Not verified: 1 fault.
    ");
    assert_eq!(json["sessions"][0]["state"], "absent");
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_a_fault_and_one_that_stands_idle_too() {
    let rig = applied().await;
    let ec2 = Ec2::new(&config(&rig.cloud));
    let instances = ec2.describe_instances().send().await.unwrap();
    let mut receivers = instances.reservations().iter().flat_map(|r| r.instances()).filter(|it| {
        let name = it.tags().iter().find(|tag| tag.key() == Some("Name"));
        name.and_then(|tag| tag.value()) == Some("target-instance-2")
    });
    let receiver = receivers.next().unwrap().instance_id().unwrap().to_owned();
    ec2.stop_instances().instance_ids(&receiver).send().await.unwrap();
    let (text, json) = verified(&rig).await;
    assert_snapshot!(text, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  instance.target-instance-2 (i-ID) in target_group.targets is unused: Target.InvalidState: Target is not in the running state
      ok     1 session is in place
      ok     1 of 2 targets healthy
      ok     every resource is as the stack file says

    Not verified: 1 fault.
    ");
    assert_eq!(json["targets"][1]["healthy"], false);
    // Both are shut out by their security group, which is a change as well.
    ec2.start_instances().instance_ids(&receiver).send().await.unwrap();
    let groups = ec2.describe_security_groups().send().await.unwrap();
    let group = groups
        .security_groups()
        .iter()
        .find(|group| group.tags().iter().any(|tag| tag.value() == Some("security_group.target")));
    let group = group.unwrap();
    ec2.revoke_security_group_ingress()
        .group_id(group.group_id().unwrap())
        .set_ip_permissions(Some(group.ip_permissions().to_vec()))
        .send()
        .await
        .unwrap();
    assert_snapshot!(verified(&rig).await.0, @r#"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  security_group.target is not as the stack file says; an apply would change:
               ingress gains { cidrs = ["10.0.0.0/16"], port = 22, protocol = "tcp" }
               ingress gains { cidrs = ["10.0.1.0/24"], port = 4789, protocol = "udp" }
               ingress gains { cidrs = ["10.0.2.0/24"], port = 80, protocol = "tcp" }
      fault  instance.target-instance-1 (i-ID) in target_group.targets is unhealthy: Target.FailedHealthChecks: Health checks failed
      fault  instance.target-instance-2 (i-ID) in target_group.targets is unhealthy: Target.FailedHealthChecks: Health checks failed
      ok     1 session is in place

    Not verified: 3 faults.
    "#);
}

#[tokio::test]
async fn a_group_without_targets_is_a_fault() {
    let rig = applied().await;
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    let groups = elb.describe_target_groups().send().await.unwrap();
    let arn = groups.target_groups()[0].target_group_arn().unwrap();
    let health = elb.describe_target_health().target_group_arn(arn).send().await.unwrap();
    let targets = health.target_health_descriptions().iter().filter_map(|it| it.target().cloned());
    elb.deregister_targets()
        .target_group_arn(arn)
        .set_targets(Some(targets.collect()))
        .send()
        .await
        .unwrap();
    assert_snapshot!(verified(&rig).await.0, @r#"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  target_group.targets is not as the stack file says; an apply would change:
               targets gains "i-ID"
               targets gains "i-ID"
      fault  target_group.targets has no target
      ok     1 session is in place

    Not verified: 2 faults.
    "#);
}
