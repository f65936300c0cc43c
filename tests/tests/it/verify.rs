//! Verifying the laboratory: in good order, and with each part of it missing, changed or unhealthy.

use aws_sdk_ec2::Client as Ec2;
use insta::assert_snapshot;
use mirror_local::Policy;
use mirror_plan::aws::target_health;
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Request, plan};
use mirror_plan::render::verify::{Probe, Text, json};
use mirror_plan::stack::Stack;
use mirror_plan::verify::Verification;
use mirror_tests::{REGION, Rig, config, lab, stack};
use serde_json::Value as Json;

const LAB: &str = include_str!("../../../examples/lab.mirror.hcl");
const PEERING: &str = include_str!("../../../examples/peering.mirror.hcl");

/// Returns the verification of the laboratory, as text without ids and as JSON.
async fn verified(rig: &Rig) -> (String, Json) {
    verified_as(rig, &lab()).await
}

/// Does the same for any stack.
async fn verified_as(rig: &Rig, stack: &Stack) -> (String, Json) {
    let observed = rig.observe(stack).await;
    let plan = plan(stack, &observed, &Request::default()).unwrap();
    let groups = target_health(&rig.aws, &observed).await.unwrap();
    let found = Verification::of(&plan, &observed, groups);
    let text = Text::new(&found).to_string();
    let shown: Vec<String> = text.lines().map(without_ids).collect();
    let json = json(&found, Probe::Asked);
    assert_eq!(json["verified"], found.is_well());
    (shown.join("\n"), json)
}

/// Returns a line in which the ids of instances are `i-ID`.
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

      ok     mirror_session.my-traffic-mirror-session: carries: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -> instance.target-instance-1, instance.target-instance-2
      ok     1 session is in place
      ok     2 of 2 targets healthy
      ok     every resource matches the stack file

    Verified. Whether packets arrive cannot be seen from here.
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

      fault  mirror_session.my-traffic-mirror-session differs from the stack file; an apply would change:
               number = 9 -> 1
      ok     mirror_session.my-traffic-mirror-session: carries: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -> instance.target-instance-1, instance.target-instance-2
      ok     2 of 2 targets healthy

    Not verified: 1 fault.
    ");
    ec2.delete_traffic_mirror_session().traffic_mirror_session_id(&id).send().await.unwrap();
    let (text, json) = verified(&rig).await;
    assert_snapshot!(text, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  mirror_session.my-traffic-mirror-session does not exist
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
      ok     mirror_session.my-traffic-mirror-session: carries: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -> instance.target-instance-1
      ok     1 session is in place
      ok     1 of 2 targets healthy
      ok     every resource matches the stack file

    Not verified: 1 fault.
    ");
    assert_eq!(json["targets"][1]["healthy"], false);
    // Their security group now cuts off both receivers, which is a change as well.
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

      fault  security_group.target differs from the stack file; an apply would change:
               ingress gains { cidrs = ["10.0.0.0/16"], port = 22, protocol = "tcp" }
               ingress gains { cidrs = ["10.0.1.0/24"], port = 4789, protocol = "udp" }
               ingress gains { cidrs = ["10.0.2.0/24"], port = 80, protocol = "tcp" }
      fault  instance.target-instance-1 (i-ID) in target_group.targets is unhealthy: Target.FailedHealthChecks: Health checks failed
      fault  instance.target-instance-2 (i-ID) in target_group.targets is unhealthy: Target.FailedHealthChecks: Health checks failed
      fault  mirror_session.my-traffic-mirror-session: stopped: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -| no rule of security_group.target admits udp 4789 from 10.0.1.35
      ok     1 session is in place

    Not verified: 4 faults.
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

      fault  target_group.targets differs from the stack file; an apply would change:
               targets gains "i-ID"
               targets gains "i-ID"
      fault  target_group.targets has no target
      fault  mirror_session.my-traffic-mirror-session: stopped: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -| target_group.targets has no targets
      ok     1 session is in place

    Not verified: 3 faults.
    "#);
}

#[tokio::test]
async fn a_stack_that_stands_as_its_file_says_may_carry_nothing_and_that_is_a_fault() {
    let shut = stack(&LAB.replace("port = 4789, cidrs", "port = 4790, cidrs"));
    let rig = Rig::instant();
    rig.converge(&shut).await;
    let (text, json) = verified_as(&rig, &shut).await;
    assert_snapshot!(text, @"
    Verification of stack lab in account 123456789012, Region eu-west-1.

      fault  mirror_session.my-traffic-mirror-session: stopped: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -| no rule of security_group.target admits udp 4789 from 10.0.1.35
      ok     1 session is in place
      ok     2 of 2 targets healthy
      ok     every resource matches the stack file

    Not verified: 1 fault.
    ");
    assert_eq!(json["verified"], false);
    let [path] = json["paths"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    let stop = "no rule of security_group.target admits udp 4789 from 10.0.1.35";
    assert_eq!((&path["verdict"], &path["obstacle"]), (&"stopped".into(), &stop.into()));
    assert_eq!(path["receivers"], Json::Array(Vec::new()));
    let hops = path["hops"].as_array().unwrap();
    let stopping: Vec<&Json> = hops.iter().filter(|hop| hop["outcome"] == "stops").collect();
    assert_eq!((hops.len(), stopping.len()), (11, 1));
    assert_eq!(stopping[0]["words"], stop);
}

#[tokio::test]
async fn what_is_not_known_of_a_way_is_said_and_is_no_fault() {
    let by_hand = PEERING.replace("  accepter  =", "  auto_accept = false\n  accepter  =");
    let by_hand = stack(&by_hand);
    let rig = Rig::instant();
    rig.converge(&by_hand).await;
    let (text, json) = verified_as(&rig, &by_hand).await;
    assert_snapshot!(text, @"
    Verification of stack peering in account 123456789012, Region eu-west-1.

      ?      mirror_session.application: not known: instance.application -? whether vpc_peering.sensors has been accepted is not known
      ok     1 session is in place
      ok     1 of 1 target healthy
      ok     every resource matches the stack file

    Verified, but whether the network lets the packets of 1 session through is not known.
    ");
    assert_eq!(
        (&json["verified"], &json["paths"][0]["verdict"]),
        (&true.into(), &"not_known".into())
    );
}

#[tokio::test]
async fn only_who_asks_is_told_what_only_packets_would_show() {
    let (rig, lab) = (applied().await, lab());
    let observed = rig.observe(&lab).await;
    let plan = plan(&lab, &observed, &Request::default()).unwrap();
    let groups = target_health(&rig.aws, &observed).await.unwrap();
    let found = Verification::of(&plan, &observed, groups);
    let unasked = Text::new(&found).to_string();
    let asked = Text::new(&found).probe(Probe::Asked).to_string();
    assert_snapshot!(asked.strip_prefix(&unasked).unwrap(), @"
    No packet was sent. Only packets would show whether
      - a program receives UDP 4789 on instance.target-instance-1, instance.target-instance-2, and the firewall there allows it
      - a source sends what its filter accepts
      - AWS mirrors all of that: it skips packets of a busy source
    `mirror-vxlan receive` on a receiver counts what arrives there.
    ");
    insta::assert_json_snapshot!(json(&found, Probe::Asked)["probe"], @r#"
    {
      "not_seen": [
        "a program receives UDP 4789 on instance.target-instance-1, instance.target-instance-2, and the firewall there allows it",
        "a source sends what its filter accepts",
        "AWS mirrors all of that: it skips packets of a busy source"
      ],
      "packets_sent": 0
    }
    "#);
    assert_eq!(json(&found, Probe::Unasked).get("probe"), None);
}
