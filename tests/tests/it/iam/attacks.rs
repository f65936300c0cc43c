//! Calls against what others own, under the policies of one stack: each is tried and refused.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::Tag as GroupTag;
use aws_sdk_ec2::types::Tag;
use aws_sdk_elasticloadbalancingv2::types::Tag as BalancingTag;
use aws_sdk_ram::types::Tag as SharingTag;
use mirror_local::{Cloud, LoggedCall};
use mirror_plan::iam::Purpose;
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, config, resource_shares, stack, transit_gateway};

use super::{Attached, account, live, receiver, run, whole};

const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");

/// The laboratory as a stack of others, from one of its stack files.
fn of_others(text: &str) -> Stack {
    stack(&text.replacen("stack \"lab\"", "stack \"theirs\"", 1))
}

/// An account with a laboratory that belongs to others.
async fn theirs() -> Rig {
    let rig = Rig::instant();
    run(&rig, &of_others(LAB), Mode::Apply).await.unwrap();
    rig
}

/// Every call by which others make, change, replace and remove their laboratory.
async fn calls_of_others() -> Vec<LoggedCall> {
    let rig = theirs().await;
    let observed = rig.observe(&of_others(LAB)).await;
    let address = "instance.target-instance-1".parse().unwrap();
    let interface = observed.current(&address).unwrap().computed["network_interface"].clone();
    for text in [include_str!("edited.mirror.hcl"), include_str!("edited-again.mirror.hcl")] {
        let edited = of_others(&text.replace("INTERFACE", interface.as_deref().unwrap()));
        run(&rig, &edited, Mode::Apply).await.unwrap();
    }
    run(&rig, &of_others(LAB), Mode::Destroy).await.unwrap();
    let reads = |action: &str| action.starts_with("Describe") || action.starts_with("Get");
    let mut calls = rig.cloud.log().unwrap();
    calls.retain(|call| !reads(&call.action) && call.error.is_none());
    for call in &mut calls {
        // The log keeps no user data; any other data will do.
        call.parameters = call.parameters.replace("%3CsensitiveDataRemoved%3E", "IyEvYmluL3No");
    }
    calls
}

/// Makes a call with these parameters, and returns the status and the error code.
fn make(cloud: &Cloud, call: &LoggedCall, parameters: &str) -> (u16, Option<String>) {
    let version = if call.service == "ec2" { "2016-11-15" } else { "2015-12-01" };
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=AK/20260101/{REGION}/{}/aws4_request, SignedHeaders=host, \
         Signature=00",
        call.service
    );
    let request = http::Request::post("/").header("authorization", credential).body(()).unwrap();
    let body = format!("Action={}&Version={version}&{parameters}", call.action);
    let response = cloud.call(&request.into_parts().0, body.as_bytes()).response.unwrap();
    (response.status, response.error)
}

fn is_refused(answer: &(u16, Option<String>)) -> bool {
    let codes = ["UnauthorizedOperation", "AccessDenied"];
    answer.0 == 403 && answer.1.as_deref().is_some_and(|code| codes.contains(&code))
}

/// What somebody tries before each call of others: the parameters to make that call with, if it is tried.
type Attempt = fn(&LoggedCall) -> Option<String>;

/// Repeats the calls of others one by one, and before each makes an attempt under the policies of the
/// lab. Returns the actions of the attempts that were refused, and of those that were not.
///
/// Equal calls make equal ids, and a refused call makes none.
async fn attempts(
    policies: &Attached,
    rewrite: fn(&str) -> String,
    attempt: Attempt,
) -> [BTreeSet<String>; 2] {
    let cloud = Rig::instant().cloud;
    let (mut refused, mut allowed, mut tried) = (BTreeSet::new(), BTreeSet::new(), 0);
    for call in calls_of_others().await {
        if let Some(parameters) = attempt(&call) {
            policies.attach(&cloud);
            let answer = make(&cloud, &call, &rewrite(&parameters));
            let of = if is_refused(&answer) { &mut refused } else { &mut allowed };
            of.insert(call.action.clone());
            tried += 1;
        }
        cloud.set_policies(Vec::new());
        let done = make(&cloud, &call, &rewrite(&call.parameters));
        assert_eq!(done, (200, None), "{} {}", call.action, call.parameters);
    }
    println!("{tried} calls of {} actions were tried", refused.union(&allowed).count());
    [refused, allowed]
}

/// The policies of somebody who applies and destroys the lab.
fn of_the_lab() -> Attached {
    Attached::printed(&whole(), [Purpose::Apply, Purpose::Destroy])
}

/// Tries every call that others make.
fn the_same(call: &LoggedCall) -> Option<String> {
    Some(call.parameters.clone())
}

#[tokio::test]
async fn no_call_on_another_stacks_objects_is_allowed() {
    let [refused, allowed] = attempts(&of_the_lab(), str::to_owned, the_same).await;
    assert_eq!(allowed, BTreeSet::new());
    assert!(refused.len() > 40, "{refused:?}");
}

#[tokio::test]
async fn no_call_on_untagged_objects_is_allowed() {
    let untagged = |parameters: &str| parameters.replace("mirror-plan%3Astack", "another%3Atag");
    let [refused, allowed] = attempts(&of_the_lab(), untagged, the_same).await;
    assert_eq!(allowed, BTreeSet::new());
    assert!(refused.len() > 40, "{refused:?}");
}

/// It is the tag that keeps others safe: without that condition their objects are open to the lab's calls.
#[tokio::test]
async fn without_the_fence_others_are_not_safe() {
    let dry = |call: &LoggedCall| {
        (call.service == "ec2").then(|| format!("{}&DryRun=true", call.parameters))
    };
    let [_, allowed] = attempts(&of_the_lab().unfenced("Owned"), str::to_owned, dry).await;
    for action in ["DeleteVpc", "TerminateInstances", "ModifyTrafficMirrorSession"] {
        assert!(allowed.contains(action), "{action}: {allowed:?}");
    }
}

/// Makes something in or from what others own, with the tags of the lab; as a dry run where there is
/// one, since whatever is allowed would otherwise be made.
fn claimed(call: &LoggedCall) -> Option<String> {
    let makes = call.action.starts_with("Create") || call.action == "RunInstances";
    let can_be_tried = call.service == "ec2" || call.action == "CreateListener";
    (makes && can_be_tried).then(|| {
        let parameters = call.parameters.replace("=theirs", "=lab");
        if call.service == "ec2" { format!("{parameters}&DryRun=true") } else { parameters }
    })
}

#[tokio::test]
async fn nothing_of_the_stack_is_made_in_what_others_own() {
    let [refused, allowed] = attempts(&of_the_lab(), str::to_owned, claimed).await;
    let named = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        refused,
        named(&[
            "CreateListener",
            "CreateRoute",
            "CreateRouteTable",
            "CreateSecurityGroup",
            "CreateSubnet",
            "CreateTags",
            "CreateTrafficMirrorFilterRule",
            "CreateTrafficMirrorSession",
            "CreateTrafficMirrorTarget", // for an interface
            "RunInstances",
        ])
    );
    // These are made inside no other object; and IAM does not check the load balancer of a mirror target.
    assert_eq!(
        allowed,
        named(&[
            "CreateInternetGateway",
            "CreateTrafficMirrorFilter",
            "CreateTrafficMirrorTarget", // for a load balancer
            "CreateVpc",
        ])
    );
}

/// The ARNs of load balancers, their listeners and target groups.
async fn balancing(rig: &Rig) -> Vec<String> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    let balancers = elb.describe_load_balancers().send().await.unwrap().load_balancers.unwrap();
    let groups = elb.describe_target_groups().send().await.unwrap().target_groups.unwrap();
    let mut arns: Vec<String> = groups.into_iter().filter_map(|g| g.target_group_arn).collect();
    for arn in balancers.into_iter().filter_map(|balancer| balancer.load_balancer_arn) {
        let listeners = elb.describe_listeners().load_balancer_arn(&arn).send().await.unwrap();
        let listeners = listeners.listeners.unwrap_or_default().into_iter();
        arns.extend(listeners.filter_map(|listener| listener.listener_arn));
        arns.push(arn);
    }
    arns
}

/// Tries to tag all objects of others as the lab's; returns how many attempts were refused and how many were not.
async fn retagged(rig: &Rig) -> (usize, usize) {
    let (ec2, elb) = (
        aws_sdk_ec2::Client::new(&config(&rig.cloud)),
        aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud)),
    );
    rig.cloud.set_policies(Vec::new());
    let tags = ec2.describe_tags().send().await.unwrap();
    let ids: BTreeSet<String> = tags.tags().iter().filter_map(|t| t.resource_id.clone()).collect();
    let arns = balancing(rig).await;
    of_the_lab().attach(&rig.cloud);
    let (mut refused, mut taken) = (0, 0);
    let mut count = |refuses: bool| if refuses { refused += 1 } else { taken += 1 };
    for id in ids {
        let tag = Tag::builder().key("mirror-plan:stack").value("lab").build();
        count(ec2.create_tags().resources(&id).tags(tag).send().await.is_err());
        let tag = Tag::builder().key("team").value("lab").build();
        count(ec2.create_tags().resources(&id).tags(tag).send().await.is_err());
    }
    for arn in arns {
        let tag = BalancingTag::builder().key("mirror-plan:stack").value("lab").build();
        count(elb.add_tags().resource_arns(&arn).tags(tag).send().await.is_err());
    }
    (refused, taken)
}

#[tokio::test]
async fn nothing_of_others_is_tagged_into_the_stack() {
    let (refused, taken) = retagged(&theirs().await).await;
    println!("{refused} attempts, each refused");
    assert!(refused > 30, "{refused}");
    assert_eq!(taken, 0);
}

/// What each denial is for: what somebody who may do everything else could do without it.
#[tokio::test]
async fn nobody_with_the_policy_takes_ownership_tags_away() {
    let printed = Attached::printed(&whole(), [Purpose::Apply]);
    let everything = r#"{ "Version": "2012-10-17", "Statement":
        [{ "Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*" }] }"#;
    let mut all = printed.clone();
    all.0.push(serde_json::from_str(everything).unwrap());
    let sids: BTreeSet<String> = printed.actions("Deny").into_iter().map(|(sid, _)| sid).collect();
    let denials = ["KeepOwnership", "KeepShares", "KeepTags", "LeaveShares"];
    assert_eq!(sids, BTreeSet::from(denials.map(str::to_owned)));
    for policies in [printed.clone(), all.clone()] {
        assert_eq!(losses(&policies).await, Vec::<&str>::new());
    }
    let named = [
        "CreateTags",
        "DeleteTags",
        "AddTags",
        "RemoveTags",
        "CreateOrUpdateTags",
        "DeleteTags of a group",
        "UntagResource",
    ];
    assert_eq!(losses(&all.without("KeepOwnership", None)).await, named);
    assert_eq!(losses(&all.without("KeepTags", None)).await, ["DeleteTags without keys"]);
    assert_eq!(losses(&all.without("KeepShares", None)).await, ["TagResource"]);
    assert_eq!(losses(&all.without("LeaveShares", None)).await, ["TagResource of others"]);
    for (sid, action) in printed.actions("Deny") {
        let lost = losses(&all.without(&sid, Some(&action))).await;
        assert_eq!(lost.len(), 1, "{sid}: {action}: {lost:?}");
    }
}

/// The calls by which an object of the lab loses an ownership tag, or a share of another stack loses its own.
async fn losses(policies: &Attached) -> Vec<&'static str> {
    let rig = account().await;
    run(&rig, &whole(), Mode::Apply).await.unwrap();
    let (ec2, elb, autoscaling) = (
        aws_sdk_ec2::Client::new(&config(&rig.cloud)),
        aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud)),
        aws_sdk_autoscaling::Client::new(&config(&rig.cloud)),
    );
    let filters = ec2.describe_traffic_mirror_filters().send().await.unwrap();
    let filter = filters.traffic_mirror_filters()[0].traffic_mirror_filter_id().unwrap().to_owned();
    let groups = elb.describe_target_groups().send().await.unwrap();
    let group = groups.target_groups()[0].target_group_arn().unwrap().to_owned();
    let key = "mirror-plan:stack";
    let ram = aws_sdk_ram::Client::new(&config(&rig.cloud));
    let owner = |stack: &str| SharingTag::builder().key(key).value(stack).build();
    let share = resource_shares(&rig.cloud).await[0].resource_share_arn().unwrap().to_owned();
    let theirs = ram.create_resource_share().name("peer").tags(owner("theirs")).send().await;
    let theirs = theirs.unwrap().resource_share.unwrap().resource_share_arn.unwrap();
    policies.attach(&rig.cloud);
    let tag = || Tag::builder().key(key).value("other").build();
    let balancing_tag = || BalancingTag::builder().key(key).value("other").build();
    let bare = Tag::builder().key(key).build();
    let scaling_tag = || {
        GroupTag::builder()
            .resource_type("auto-scaling-group")
            .resource_id("lab-scaling")
            .propagate_at_launch(false)
            .key(key)
    };
    let set = autoscaling.create_or_update_tags().tags(scaling_tag().value("other").build());
    let removed = autoscaling.delete_tags().tags(scaling_tag().build());
    let tagged = |share: &str, stack: &str| {
        ram.tag_resource().resource_share_arn(share).tags(owner(stack)).send()
    };
    let untagged = ram.untag_resource().resource_share_arn(&share).tag_keys(key).send();
    let done = [
        ("CreateTags", ec2.create_tags().resources(&filter).tags(tag()).send().await.is_ok()),
        ("DeleteTags", ec2.delete_tags().resources(&filter).tags(bare).send().await.is_ok()),
        ("DeleteTags without keys", ec2.delete_tags().resources(&filter).send().await.is_ok()),
        (
            "AddTags",
            elb.add_tags().resource_arns(&group).tags(balancing_tag()).send().await.is_ok(),
        ),
        ("RemoveTags", elb.remove_tags().resource_arns(&group).tag_keys(key).send().await.is_ok()),
        ("CreateOrUpdateTags", set.send().await.is_ok()),
        ("DeleteTags of a group", removed.send().await.is_ok()),
        ("TagResource", tagged(&share, "other").await.is_ok()),
        ("UntagResource", untagged.await.is_ok()),
        ("TagResource of others", tagged(&theirs, "lab").await.is_ok()),
    ];
    done.into_iter().filter_map(|(call, done)| done.then_some(call)).collect()
}

/// One stack lives its whole life beside another of the same shape.
#[tokio::test]
async fn a_stack_lives_and_goes_beside_anothers_untouched() {
    let rig = theirs().await;
    transit_gateway(&rig.cloud).await;
    let others = of_others(LAB);
    let before = rig.observe(&others).await;
    Attached::printed(&whole(), [Purpose::Apply]).attach(&rig.cloud);
    live(&rig).await.unwrap();
    rig.cloud.set_policies(Vec::new());
    assert_eq!(rig.observe(&others).await, before);
    assert!(receiver(&rig).await.is_err(), "nothing of the lab is left");
}
