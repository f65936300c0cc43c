//! Calls about Auto Scaling groups.

use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup, LaunchTemplateSpecification, LifecycleState, ScalingActivityStatusCode,
};

use super::super::answer::text;
use super::super::page::pages;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::attribute::Ref;
use crate::resource::autoscaling_group::{AutoscalingGroupArn, Health, Operation, Size, name_in};
use crate::resource::launch_template::DEFAULT;
use crate::resource::{AutoscalingGroup, LaunchTemplate, Subnet, TargetGroup};
use crate::scalar::{AutoscalingGroupName, GroupSize};

/// How many target groups one call can attach or detach.
///
/// Source: Amazon EC2 Auto Scaling user guide, "Quotas for Auto Scaling resources and groups".
const ATTACHED: usize = 10;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Set { .. } => set(acting, operation).await,
        Operation::Attach { autoscaling_group, target_groups } => {
            attach(acting, &acting.id(autoscaling_group)?, target_groups).await
        }
        Operation::Detach { autoscaling_group, target_groups } => {
            detach(acting, &acting.id(autoscaling_group)?, target_groups).await
        }
        Operation::Delete { autoscaling_group } => {
            delete(acting, &acting.id(autoscaling_group)?).await
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { name, launch_template, subnets, size, target_groups, health, tags } =
        operation
    else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let (Size { min, max, desired }, Health { source, grace }) = (size, health);
    let target_groups = acting.ids(target_groups)?;
    let request = acting
        .aws
        .autoscaling_once()
        .create_auto_scaling_group()
        .auto_scaling_group_name(name.as_str())
        .launch_template(default_version(acting, launch_template)?)
        .vpc_zone_identifier(listed(acting, subnets)?)
        .min_size(number(*min))
        .max_size(number(*max))
        .set_desired_capacity(desired.map(number))
        .set_target_group_arns((!target_groups.is_empty()).then_some(target_groups))
        .health_check_type(source.word().to_ascii_uppercase())
        .health_check_grace_period(grace.get().into())
        .set_tags(Some(tags::to_autoscaling(name.as_str(), tags)));
    name_is_free(acting, name).await?;
    let making = Making { call: "CreateAutoScalingGroup", tags };
    let arn: AutoscalingGroupArn =
        acting.make_untold::<AutoscalingGroup, _, _, _>(making, || request.clone().send()).await?;
    let group = in_service(acting, &arn).await?;
    let desired = group.desired_capacity().map(|desired| desired.to_string());
    let made = Made::object(&arn).with("name", Some(name.to_string()));
    Ok(made.with("desired", desired))
}

async fn set(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Set { autoscaling_group, launch_template, subnets, size, health } = operation
    else {
        return Err(ActError::Operation("only a setting sets"));
    };
    let (Size { min, max, desired }, Health { source, grace }) = (size, health);
    let arn = acting.id(autoscaling_group)?;
    let request = acting
        .aws
        .autoscaling()
        .update_auto_scaling_group()
        .auto_scaling_group_name(name_in(arn.as_str()))
        .launch_template(default_version(acting, launch_template)?)
        .vpc_zone_identifier(listed(acting, subnets)?)
        .min_size(number(*min))
        .max_size(number(*max))
        .set_desired_capacity(desired.map(number))
        .health_check_type(source.word().to_ascii_uppercase())
        .health_check_grace_period(grace.get().into());
    acting.call("UpdateAutoScalingGroup", || request.clone().send()).await?;
    in_service(acting, &arn).await?;
    Ok(Made::nothing())
}

async fn attach(
    acting: &Acting<'_>,
    arn: &AutoscalingGroupArn,
    target_groups: &[Ref<TargetGroup>],
) -> Result<Made, ActError> {
    let target_groups = acting.ids(target_groups)?;
    for some in target_groups.chunks(ATTACHED) {
        let request = acting
            .aws
            .autoscaling()
            .attach_load_balancer_target_groups()
            .auto_scaling_group_name(name_in(arn.as_str()))
            .set_target_group_arns(Some(some.to_vec()));
        acting.call("AttachLoadBalancerTargetGroups", || request.clone().send()).await?;
    }
    // `InService` is reached with the first healthy instance, for which a new listener may still be missing.
    let is_there = |state: Option<&str>| matches!(state, Some("Added" | "InService"));
    let are_there = |states: &Attachments| {
        target_groups.iter().all(|group| is_there(states.get(group).map(String::as_str)))
    };
    attachments(acting, arn, "its instances are registered", are_there).await
}

async fn detach(
    acting: &Acting<'_>,
    arn: &AutoscalingGroupArn,
    target_groups: &[Ref<TargetGroup>],
) -> Result<Made, ActError> {
    let target_groups = acting.ids(target_groups)?;
    for some in target_groups.chunks(ATTACHED) {
        let request = acting
            .aws
            .autoscaling()
            .detach_load_balancer_target_groups()
            .auto_scaling_group_name(name_in(arn.as_str()))
            .set_target_group_arns(Some(some.to_vec()));
        acting.withdraw("DetachLoadBalancerTargetGroups", || request.clone().send()).await?;
    }
    let is_gone = |state: Option<&str>| matches!(state, None | Some("Removed"));
    let are_gone = |states: &Attachments| {
        target_groups.iter().all(|group| is_gone(states.get(group).map(String::as_str)))
    };
    attachments(acting, arn, "its instances are deregistered", are_gone).await
}

/// The state of each attachment, by target group.
///
/// Source: Amazon EC2 Auto Scaling API reference, `LoadBalancerTargetGroupState`.
type Attachments = BTreeMap<String, String>;

/// Waits until the attachments to target groups are as they should be.
async fn attachments(
    acting: &Acting<'_>,
    arn: &AutoscalingGroupArn,
    until: &'static str,
    are_done: impl Fn(&Attachments) -> bool,
) -> Result<Made, ActError> {
    let mut patience = acting.patience(until, limit::MEMBER);
    loop {
        let request = acting
            .aws
            .autoscaling()
            .describe_load_balancer_target_groups()
            .auto_scaling_group_name(name_in(arn.as_str()));
        let aws = acting.aws;
        let all =
            pages!(aws, "DescribeLoadBalancerTargetGroups", request, load_balancer_target_groups);
        let states: Attachments = all
            .into_iter()
            .filter_map(|it| Some((it.load_balancer_target_group_arn?, it.state?)))
            .collect();
        if are_done(&states) {
            return Ok(Made::nothing());
        }
        let states: Vec<String> = states.into_values().collect();
        patience.pause(format!("states are {}", states.join(", "))).await?;
    }
}

/// Removes a group with its instances, and waits until the group is deleted.
///
/// It gives up when no instance is terminated for as long as one may take.
async fn delete(acting: &Acting<'_>, arn: &AutoscalingGroupArn) -> Result<Made, ActError> {
    let request = acting
        .aws
        .autoscaling()
        .delete_auto_scaling_group()
        .auto_scaling_group_name(name_in(arn.as_str()))
        .force_delete(true);
    acting.remove("DeleteAutoScalingGroup", Place::Elsewhere, || request.clone().send()).await?;
    until_gone(acting, "deleted", || look(acting, arn)).await?;
    Ok(Made::nothing())
}

/// Waits until the name does not belong to a group that is being deleted: such a group keeps its name to the end.
async fn name_is_free(acting: &Acting<'_>, name: &AutoscalingGroupName) -> Result<(), ActError> {
    let going = || async {
        let all = named(acting, name.as_str()).await?;
        Ok(all.into_iter().find(|group| group.status().is_some()))
    };
    until_gone(acting, "its name is free", going).await
}

/// Waits until a group is deleted, for as long as its instances keep disappearing one after the other.
async fn until_gone<F>(
    acting: &Acting<'_>,
    until: &'static str,
    group: impl Fn() -> F,
) -> Result<(), ActError>
where
    F: Future<Output = Result<Option<AutoScalingGroup>, ActError>> + Send,
{
    let mut patience = acting.patience(until, limit::MEMBER);
    let mut fewest = usize::MAX;
    while let Some(group) = group().await? {
        let left = group.instances().len();
        if left < fewest {
            fewest = left;
            patience.renew();
        }
        patience.pause(format!("instances left: {left}")).await?;
    }
    Ok(())
}

/// Waits until as many instances are in service as the group should have.
///
/// It gives up when no further instance comes into service for as long as one may take.
async fn in_service(
    acting: &Acting<'_>,
    arn: &AutoscalingGroupArn,
) -> Result<AutoScalingGroup, ActError> {
    let mut patience = acting.patience("in service", limit::MEMBER);
    let mut most = 0;
    loop {
        let now = match look(acting, arn).await? {
            None => "it is not visible yet".to_owned(),
            Some(group) => {
                let wanted = usize::try_from(group.desired_capacity().unwrap_or_default());
                let (wanted, serving) = (wanted.unwrap_or_default(), serving(&group));
                if serving >= wanted {
                    return Ok(group);
                }
                if serving > most {
                    most = serving;
                    patience.renew();
                }
                let why = why_not(acting, arn).await?;
                format!("{serving} of {wanted} instances are in service{why}")
            }
        };
        patience.pause(now).await?;
    }
}

fn serving(group: &AutoScalingGroup) -> usize {
    let all = group.instances().iter();
    let serves = all.filter(|instance| {
        instance.lifecycle_state() == Some(&LifecycleState::InService)
            && instance.health_status() == Some("Healthy")
    });
    serves.count()
}

/// Returns why the latest instance did not start, in AWS's words; nothing if it is starting, or if the reason cannot be
/// seen.
async fn why_not(acting: &Acting<'_>, arn: &AutoscalingGroupArn) -> Result<String, ActError> {
    let request = acting
        .aws
        .autoscaling()
        .describe_scaling_activities()
        .auto_scaling_group_name(name_in(arn.as_str()))
        .max_records(1);
    let answer = acting.aws.send("DescribeScalingActivities", request.send()).await?;
    // AWS lists the latest first.
    let failed = answer.activities().first().filter(|activity| {
        matches!(
            activity.status_code(),
            Some(ScalingActivityStatusCode::Failed | ScalingActivityStatusCode::Cancelled)
        )
    });
    let why = failed.and_then(|activity| text(activity.status_message()));
    Ok(why.map(|why| format!("; the last scaling activity failed: {why}")).unwrap_or_default())
}

/// Returns the group with this ARN, if it exists.
async fn look(
    acting: &Acting<'_>,
    arn: &AutoscalingGroupArn,
) -> Result<Option<AutoScalingGroup>, ActError> {
    let mut all = named(acting, name_in(arn.as_str())).await?;
    // Another group may have the name by now.
    all.retain(|group| group.auto_scaling_group_arn() == Some(arn.as_str()));
    Ok(all.pop())
}

/// Returns the group with a name, if there is one.
async fn named(acting: &Acting<'_>, name: &str) -> Result<Vec<AutoScalingGroup>, ActError> {
    let request =
        acting.aws.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(name);
    let answer = acting.aws.send("DescribeAutoScalingGroups", request.send()).await;
    let found = unless_absent(answer)?.and_then(|answer| answer.auto_scaling_groups);
    Ok(found.unwrap_or_default())
}

fn default_version(
    acting: &Acting<'_>,
    template: &Ref<LaunchTemplate>,
) -> Result<LaunchTemplateSpecification, ActError> {
    Ok(LaunchTemplateSpecification::builder()
        .launch_template_id(acting.id(template)?.as_str())
        .version(DEFAULT)
        .build())
}

/// Returns subnets in the form that Auto Scaling accepts.
fn listed(acting: &Acting<'_>, subnets: &[Ref<Subnet>]) -> Result<String, ActError> {
    Ok(acting.ids(subnets)?.join(","))
}

fn number(size: GroupSize) -> i32 {
    i32::try_from(size.get()).expect("a group has a hundred thousand instances at the most")
}
