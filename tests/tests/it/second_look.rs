//! The second look: an object that is no longer as the plan saw it is not removed.

mod lists;
mod parts;
mod under_way;

use aws_sdk_ec2::types::{Tag, TrafficDirection, TrafficMirrorRuleAction};
use mirror_plan::address::{Address, Kind};
use mirror_plan::apply::report::{Outcome, Report};
use mirror_plan::id::ObjectId;
use mirror_plan::observed::Found;
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::resource::{Resource, TargetGroup, tag as tags};
use mirror_plan::stack::Stack;
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

/// An edit of a stack file that removes a part of an object or takes something out of one of its lists.
struct Edit {
    address: &'static str,
    from: &'static str,
    to: &'static str,
}

impl Edit {
    fn address(&self) -> Address {
        self.address.parse().expect("it is an address")
    }

    /// Returns the stack of an edited text.
    fn of(&self, text: &str) -> Stack {
        assert!(text.contains(self.from), "{}", self.from);
        stack(&text.replacen(self.from, self.to, 1))
    }

    /// Applies its plan, and returns why the object was left as it is, with `...` for its id.
    async fn refused(&self, rig: &Rig, plan: &Plan) -> String {
        let report = rig.apply(plan).await;
        let Outcome::Failed(failure) = outcome(&report, &self.address()) else {
            panic!("{}: {}", self.address, unfinished(&report))
        };
        failure.to_string().replace(id(plan, &self.address()).as_str(), "...")
    }
}

fn ec2(rig: &Rig) -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&config(&rig.cloud))
}

/// Removes the tag that names the owner of an object, or puts it back.
async fn tag(rig: &Rig, kind: Kind, id: &ObjectId, owner: Option<&str>) {
    match kind {
        Kind::TargetGroup | Kind::LoadBalancer | Kind::GatewayLoadBalancer => {
            tag_balancing(rig, id, owner).await;
        }
        Kind::AutoscalingGroup => tag_group(rig, id, owner).await,
        Kind::ResourceShare => tag_share(rig, id, owner).await,
        _ => {
            let tag = Tag::builder().key(tags::STACK).set_value(owner.map(str::to_owned)).build();
            if owner.is_some() {
                ec2(rig).create_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
            } else {
                ec2(rig).delete_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
            }
        }
    }
}

async fn tag_balancing(rig: &Rig, id: &ObjectId, owner: Option<&str>) {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    if let Some(owner) = owner {
        let tag = aws_sdk_elasticloadbalancingv2::types::Tag::builder();
        let tag = tag.key(tags::STACK).value(owner).build();
        elb.add_tags().resource_arns(id.as_str()).tags(tag).send().await.unwrap();
    } else {
        let request = elb.remove_tags().resource_arns(id.as_str()).tag_keys(tags::STACK);
        request.send().await.unwrap();
    }
}

async fn tag_group(rig: &Rig, id: &ObjectId, owner: Option<&str>) {
    let scaling = aws_sdk_autoscaling::Client::new(&config(&rig.cloud));
    let name = id.as_str().rsplit_once('/').expect("it is an ARN").1;
    let tag = aws_sdk_autoscaling::types::Tag::builder().resource_type("auto-scaling-group");
    let tag = tag.resource_id(name).key(tags::STACK).propagate_at_launch(false);
    if let Some(owner) = owner {
        let request = scaling.create_or_update_tags().tags(tag.value(owner).build());
        request.send().await.unwrap();
    } else {
        scaling.delete_tags().tags(tag.build()).send().await.unwrap();
    }
}

async fn tag_share(rig: &Rig, id: &ObjectId, owner: Option<&str>) {
    let ram = aws_sdk_ram::Client::new(&config(&rig.cloud));
    if let Some(owner) = owner {
        let tag = aws_sdk_ram::types::Tag::builder().key(tags::STACK).value(owner).build();
        ram.tag_resource().resource_share_arn(id.as_str()).tags(tag).send().await.unwrap();
    } else {
        let request = ram.untag_resource().resource_share_arn(id.as_str()).tag_keys(tags::STACK);
        request.send().await.unwrap();
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
        let told = "no longer belongs to this stack, and was left as it is";
        assert!(failure.message.ends_with(told), "{address}: {failure}");
        tag(&rig, address.kind, &id, Some("lab")).await;
        let after = rig.observe(&stack).await;
        let [before, after] = [before, after].map(|of| of.current(address).map(itself));
        assert!(after.is_some() && after == before, "{address}: {after:#?}");
    }
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
