//! The second look: an object that is no longer as the plan saw it is not removed.

mod parts;

use aws_sdk_ec2::types::{Tag, TrafficDirection, TrafficMirrorRuleAction};
use mirror_plan::address::{Address, Kind};
use mirror_plan::apply::report::{Outcome, Report};
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::id::ObjectId;
use mirror_plan::observed::Found;
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::resource::{Resource, TargetGroup, tag as tags};
use mirror_tests::gate::{Gate, Side};
use mirror_tests::{Rig, config, lab, stack, unfinished};

const FILTERS: &str = r#"
stack "lab" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
}
"#;

fn destroy() -> Request {
    Request { mode: Mode::Destroy, ..Request::default() }
}

/// Returns the id of the object that a plan changes at an address.
fn id(plan: &Plan, address: &Address) -> ObjectId {
    let change = plan.changes.iter().find(|change| change.address == *address);
    change.and_then(|change| change.id.clone()).expect("it is there")
}

fn outcome<'r>(report: &'r Report, address: &Address) -> &'r Outcome {
    let of_it = report.outcomes.iter().find(|change| change.address == *address);
    &of_it.expect("it is in the plan").outcome
}

fn ec2(rig: &Rig) -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&config(&rig.cloud))
}

/// Removes the tag that names the owner of an object, or puts it back.
async fn tag(rig: &Rig, kind: Kind, id: &ObjectId, owner: Option<&str>) {
    if matches!(kind, Kind::TargetGroup | Kind::LoadBalancer) {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
        if let Some(owner) = owner {
            let tag = aws_sdk_elasticloadbalancingv2::types::Tag::builder();
            let tag = tag.key(tags::STACK).value(owner).build();
            elb.add_tags().resource_arns(id.as_str()).tags(tag).send().await.unwrap();
        } else {
            let request = elb.remove_tags().resource_arns(id.as_str()).tag_keys(tags::STACK);
            request.send().await.unwrap();
        }
    } else if let Some(owner) = owner {
        let tag = Tag::builder().key(tags::STACK).value(owner).build();
        ec2(rig).create_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
    } else {
        let tag = Tag::builder().key(tags::STACK).build();
        ec2(rig).delete_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
    }
}

/// Returns an object without what others do to it: AWS removes a deleted instance from a target group.
fn itself(found: &Found) -> Resource {
    match found.resource.clone() {
        Resource::TargetGroup(group) => TargetGroup { targets: Vec::new(), ..group }.into(),
        resource => resource,
    }
}

#[tokio::test]
async fn what_has_changed_since_the_plan_is_not_removed_and_the_rest_is() {
    let (rig, stack) = (Rig::instant(), stack(FILTERS));
    rig.converge(&stack).await;
    let plan = rig.plan_for(&stack, &destroy()).await;
    let id = id(&plan, &"mirror_filter.web".parse().unwrap());
    let somebodys = ec2(&rig)
        .create_traffic_mirror_filter_rule()
        .traffic_mirror_filter_id(id.as_str())
        .traffic_direction(TrafficDirection::Egress)
        .rule_action(TrafficMirrorRuleAction::Accept)
        .rule_number(7)
        .source_cidr_block("10.0.0.0/16")
        .destination_cidr_block("10.0.0.0/16");
    somebodys.send().await.unwrap();
    let report = rig.apply(&plan).await;
    insta::assert_snapshot!(unfinished(&report).replace(id.as_str(), "tmf-..."), @"mirror_filter.web (Delete): DeleteTrafficMirrorFilterRule: mirror_filter.web (tmf-...) has changed since the plan was made, and was not removed");
    let left = rig.observe(&stack).await.owned;
    assert_eq!(left.keys().map(ToString::to_string).collect::<Vec<_>>(), ["mirror_filter.web"]);
    // The next plan has seen the new rule.
    rig.destroy(&stack).await;
    assert!(rig.observe(&stack).await.owned.is_empty());
}

#[tokio::test]
async fn nothing_of_any_kind_is_removed_once_it_is_not_the_stacks_any_more() {
    let stack = lab();
    for address in stack.resources.keys() {
        let rig = Rig::instant();
        rig.converge(&stack).await;
        let plan = rig.plan_for(&stack, &destroy()).await;
        let id = id(&plan, address);
        let before = rig.observe(&stack).await;
        tag(&rig, address.kind, &id, None).await;
        let report = rig.apply(&plan).await;
        let Outcome::Failed(failure) = outcome(&report, address) else {
            panic!("{address}: {}", unfinished(&report))
        };
        let told = "no longer belongs to this stack, and was not removed";
        assert!(failure.message.ends_with(told), "{address}: {failure}");
        tag(&rig, address.kind, &id, Some("lab")).await;
        let after = rig.observe(&stack).await;
        let [before, after] = [before, after].map(|of| of.current(address).map(itself));
        assert!(after.is_some() && after == before, "{address}: {after:#?}");
    }
}

/// Somebody takes a filter over when the first of its rules is gone.
#[tokio::test]
async fn what_is_not_the_stacks_any_more_when_only_its_parts_are_removed_stays() {
    insta::assert_snapshot!(taken_over(FILTERS).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilter: tmf-..., which was mirror_filter.web, no longer belongs to this stack, and was not removed");
    let two = FILTERS.replace("direction = \"ingress\", ", "");
    insta::assert_snapshot!(taken_over(&two).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilterRule: tmf-..., which was mirror_filter.web, no longer belongs to this stack, and was not removed");
}

/// Returns what is left undone if a filter belongs to somebody else after the first call of its removal.
async fn taken_over(text: &str) -> String {
    let (rig, stack) = (Rig::instant(), stack(text));
    rig.converge(&stack).await;
    let web = "mirror_filter.web".parse().unwrap();
    let only_it = Request { targets: [web].into(), ..destroy() };
    let plan = rig.plan_for(&stack, &only_it).await;
    let id = id(&plan, &plan.changes[0].address);
    let gate = Gate::new(&rig.cloud, 1, Side::After);
    let gated = config(&rig.cloud).into_builder().http_client(gate.clone()).build();
    let aws = Aws::new(&gated, Pace::Local).unwrap();
    let rig = Rig { aws, ..rig };
    let taken_over = async {
        gate.reached().await;
        tag(&rig, Kind::MirrorFilter, &id, None).await;
        gate.open();
    };
    let (report, ()) = tokio::join!(rig.apply(&plan), taken_over);
    tag(&rig, Kind::MirrorFilter, &id, Some("lab")).await;
    assert!(rig.observe(&stack).await.current(&plan.changes[0].address).is_some());
    unfinished(&report).replace(id.as_str(), "tmf-...")
}

#[tokio::test]
async fn what_is_gone_already_is_no_failure() {
    let (rig, stack) = (Rig::instant(), stack(FILTERS));
    rig.converge(&stack).await;
    let plan = rig.plan_for(&stack, &destroy()).await;
    let vpc = id(&plan, &"vpc.lab".parse().unwrap());
    ec2(&rig).delete_vpc().vpc_id(vpc.as_str()).send().await.unwrap();
    let report = rig.apply(&plan).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
}

/// The public name of an instance depends on a setting of its VPC, which the same plan changes.
#[tokio::test]
async fn what_only_aws_tells_may_change_before_a_removal() {
    let with = |dns_hostnames: bool, instance: &str| {
        stack(&format!(
            r#"
            stack "lab" {{ region = "eu-west-1" }}
            vpc "lab" {{
              cidr          = "10.0.0.0/16"
              dns_hostnames = {dns_hostnames}
            }}
            subnet "a" {{
              vpc  = vpc.lab
              cidr = "10.0.1.0/24"
            }}
            {instance}"#
        ))
    };
    let instance = r#"instance "a" {
      instance_type = "t3.micro"
      subnet        = subnet.a
      public        = true
    }"#;
    let rig = Rig::instant();
    rig.converge(&with(true, instance)).await;
    let plan = rig.plan(&with(false, "")).await;
    let vpc = id(&plan, &"vpc.lab".parse().unwrap());
    // The plan's own call, at its worst moment: before the instance is deleted.
    let no = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(false).build();
    let request = ec2(&rig).modify_vpc_attribute().vpc_id(vpc.as_str()).enable_dns_hostnames(no);
    request.send().await.unwrap();
    let report = rig.apply(&plan).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    rig.converge(&with(false, "")).await;
}

/// A killed run may leave an instance that has just been started.
///
/// Until the instance runs, AWS does not report whether it has a public address.
#[tokio::test]
async fn an_instance_may_come_up_before_its_removal() {
    let network = r#"
        stack "lab" { region = "eu-west-1" }
        vpc "lab" { cidr = "10.0.0.0/16" }
        subnet "a" {
          vpc  = vpc.lab
          cidr = "10.0.1.0/24"
        }
        "#;
    let instance = r#"
        instance "a" {
          instance_type = "t3.micro"
          subnet        = subnet.a
        }
        "#;
    let (with, without) = (stack(&format!("{network}{instance}")), stack(network));
    let rig = Rig::instant();
    rig.converge(&with).await;
    let mut observed = rig.observe(&with).await;
    for found in observed.owned.values_mut().flatten() {
        if let Resource::Instance(instance) = &mut found.resource {
            assert_eq!(instance.public.take(), Some(false));
        }
    }
    let plan = plan(&without, &observed, &Request::default()).unwrap();
    let report = rig.apply(&plan).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    rig.converge(&without).await;
}
