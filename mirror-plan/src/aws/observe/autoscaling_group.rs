//! Reading Auto Scaling groups, and which instances belong to which group.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::{AutoScalingGroup as SeenGroup, Filter};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::{AnswerError, CallError};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::super::together::together;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::{Address, Kind};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::observed::Found;
use crate::resource::autoscaling_group::AutoscalingGroupArn;
use crate::resource::launch_template::DEFAULT;
use crate::resource::{AutoscalingGroup, Resource, Tags, tag};
use crate::scalar::AutoscalingGroupName;

const CALL: &str = "DescribeAutoScalingGroups";
const ANSWER: Answer = Answer(CALL);

/// The largest page.
///
/// Source: Amazon EC2 Auto Scaling API reference, `DescribeAutoScalingGroups`, `MaxRecords`.
const PAGE: i32 = 100;

/// Returns the groups that carry a tag with exactly this value and are not being deleted.
pub(in crate::aws) async fn tagged(
    aws: &Aws,
    key: &str,
    value: &str,
) -> Result<Vec<(SeenGroup, Tags)>, CallError> {
    let filter = Filter::builder().name(format!("tag:{key}")).values(value).build();
    let request =
        aws.autoscaling().describe_auto_scaling_groups().filters(filter).max_records(PAGE);
    let all = with_tags(pages!(aws, "DescribeAutoScalingGroups", request, auto_scaling_groups));
    Ok(all.filter(|(_, its)| its.get(key).map(String::as_str) == Some(value)).collect())
}

/// Returns all groups of the account that are not being deleted.
pub(in crate::aws) async fn all(aws: &Aws) -> Result<Vec<(SeenGroup, Tags)>, CallError> {
    let request = aws.autoscaling().describe_auto_scaling_groups().max_records(PAGE);
    let all = with_tags(pages!(aws, "DescribeAutoScalingGroups", request, auto_scaling_groups));
    Ok(all.collect())
}

/// Returns the group with a name, if it is not being deleted.
pub(super) async fn named(aws: &Aws, name: &str) -> Result<Vec<(SeenGroup, Tags)>, CallError> {
    let request = aws.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(name);
    let answer = aws.send(CALL, request.send()).await?;
    Ok(with_tags(answer.auto_scaling_groups.unwrap_or_default()).collect())
}

/// Returns groups with their tags. A group that is being deleted counts as deleted; its instances are what blocks the
/// removal of other objects.
fn with_tags(groups: Vec<SeenGroup>) -> impl Iterator<Item = (SeenGroup, Tags)> {
    // Source: Amazon EC2 Auto Scaling API reference, `AutoScalingGroup`: only a group that is being deleted has a
    // status.
    let standing = groups.into_iter().filter(|group| group.status().is_none());
    standing.map(|group| {
        let tags = tags::from_autoscaling(group.tags());
        (group, tags)
    })
}

pub(super) async fn observe(
    whose: Whose<'_>,
    groups: Vec<(SeenGroup, Tags)>,
) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::AutoscalingGroup };
    for (group, tags) in groups {
        let arn: AutoscalingGroupArn =
            ANSWER.id("AutoScalingGroupARN", group.auto_scaling_group_arn())?;
        let id = arn.erase();
        let Some(owner) = seen.owner(sought, &id, &tags) else { continue };
        let version = group.launch_template().and_then(|template| template.version());
        if let Some(version) = version.filter(|version| *version != DEFAULT) {
            seen.untold(&owner, &id, format!("version {version} of its launch template"));
        }
        let (generation, resource) = (owner.generation, read(&group, tags)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(group: &SeenGroup, tags: Tags) -> Result<AutoscalingGroup, AnswerError> {
    let template = group.launch_template().and_then(|template| template.launch_template_id());
    let subnets = group.vpc_zone_identifier().unwrap_or_default().split(',').map(str::trim);
    let target_groups = group.target_group_arns().iter().map(|arn| Some(arn.as_str()));
    let health = group.health_check_type().map(str::to_ascii_lowercase);
    Ok(AutoscalingGroup {
        name: Some(ANSWER.parsed("AutoScalingGroupName", group.auto_scaling_group_name())?),
        launch_template: ANSWER.reference("LaunchTemplateId", template)?,
        subnets: ANSWER.references("VPCZoneIdentifier", subnets.map(Some))?,
        min: ANSWER.number("MinSize", group.min_size())?,
        max: ANSWER.number("MaxSize", group.max_size())?,
        desired: Some(ANSWER.number("DesiredCapacity", group.desired_capacity())?),
        target_groups: ANSWER.references("TargetGroupARNs", target_groups)?,
        health_check: Some(ANSWER.parsed("HealthCheckType", health.as_deref())?),
        health_check_grace: ANSWER
            .number("HealthCheckGracePeriod", group.health_check_grace_period())?,
        tags: tags::own(tags),
    })
}

/// An instance that a group has registered in a target group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    /// The target group.
    pub(super) target_group: Address,
    /// The name of the group.
    pub(super) group: String,
}

/// Reports which target groups contain instances of groups that the stack neither owns nor uses.
pub(super) fn of_strangers<'f>(
    members: Vec<Member>,
    known: impl Iterator<Item = &'f Found>,
) -> Vec<Diagnostic> {
    let names: BTreeSet<&str> = known.filter_map(name_of).collect();
    let mut counts: BTreeMap<Member, usize> = BTreeMap::new();
    for member in members.into_iter().filter(|member| !names.contains(member.group.as_str())) {
        *counts.entry(member).or_default() += 1;
    }
    let found = counts.into_iter().map(|(Member { target_group, group }, count)| {
        let title = format!(
            "`{target_group}` has {count} of the instances of the Auto Scaling group {group}, which does not belong to the stack"
        );
        Diagnostic::warning(code::UNTOLD, title)
            .of(&target_group)
            .note("they are left as they are: the group registers and deregisters them")
    });
    found.collect()
}

/// Returns the name of an object, if it is a group.
pub(super) fn name_of(found: &Found) -> Option<&str> {
    match &found.resource {
        Resource::AutoscalingGroup(group) => group.name.as_ref().map(AutoscalingGroupName::as_str),
        _ => None,
    }
}

/// Returns those of these instances that were started by groups, with the names of the groups.
pub(super) async fn members(aws: &Aws, ids: &Ids) -> Result<BTreeMap<String, String>, CallError> {
    let ids: Vec<&String> = ids.iter().collect();
    let batches = ids.chunks(page::FILTER_VALUES).map(|some| async move {
        let request = aws
            .ec2()
            .describe_tags()
            .filters(page::filter("key", [tag::GROUP.to_owned()]))
            .filters(page::filter("resource-id", some.iter().map(|id| (*id).clone())))
            .max_results(page::PAGE);
        Ok::<_, CallError>(pages!(aws, "DescribeTags", request, tags))
    });
    let found = together(batches.collect()).await?.into_iter().flatten();
    Ok(found.filter_map(|tag| Some((tag.resource_id?, tag.value?))).collect())
}
