//! Reading target groups.
//!
//! Instances that an Auto Scaling group has registered come and go with it: they are not targets that a stack names.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    ProtocolEnum, TargetGroup as SeenGroup, TargetGroupAttribute, TargetHealthStateEnum,
};

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::{AnswerError, FieldError};
use super::super::tags;
use super::autoscaling_group::{self, Member};
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::observed::Found;
use crate::resource::target_group::{HealthCheck, TargetGroupArn};
use crate::resource::{Instance, Tags, TargetGroup};

const ANSWER: Answer = Answer("DescribeTargetGroups");

pub(super) async fn observe(
    aws: &Aws,
    whose: Whose<'_>,
    groups: Vec<(SeenGroup, Tags)>,
) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::TargetGroup };
    let mut ours = Vec::new();
    for (group, tags) in groups {
        let arn: TargetGroupArn = ANSWER.id("TargetGroupArn", group.target_group_arn())?;
        if let Some(owner) = seen.owner(sought, &arn.erase(), &tags) {
            ours.push((owner, arn, group, tags));
        }
    }
    let details = ours.iter().map(|(_, arn, ..)| details(aws, arn)).collect();
    let details = each(details).await?;
    let registered = details.iter().flatten().flat_map(|(targets, _)| targets).filter_map(id_of);
    let members = autoscaling_group::members(aws, &registered.collect()).await?;
    for ((owner, arn, group, tags), details) in ours.into_iter().zip(details) {
        let Some((targets, attributes)) = details else { continue };
        let (of_groups, targets): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .partition(|target| id_of(target).is_some_and(|id| members.contains_key(&id)));
        let groups = of_groups.iter().filter_map(|target| members.get(&id_of(target)?).cloned());
        let target_group = &owner.address;
        seen.members
            .extend(groups.map(|group| Member { target_group: target_group.clone(), group }));
        let resource = read(&group, targets, &attributes, tags)?.into();
        let (id, generation) = (arn.erase(), owner.generation);
        let mut computed = with_id(&id);
        computed.insert("arn".to_owned(), Some(id.to_string()));
        seen.add(owner, Found { id, generation, resource, computed, parts: BTreeMap::new() });
    }
    Ok(seen)
}

fn id_of(target: &Ref<Instance>) -> Option<String> {
    match target {
        Ref::Id(id) => Some(id.to_string()),
        Ref::To(_) => None,
    }
}

/// Reads what AWS returns for only one target group at a time.
async fn details(
    aws: &Aws,
    arn: &TargetGroupArn,
) -> Result<(Vec<Ref<Instance>>, Vec<TargetGroupAttribute>), ObserveError> {
    tokio::try_join!(targets(aws, arn), attributes(aws, arn))
}

/// Returns the registered instances. An instance that is being deregistered does not count, although AWS keeps showing
/// it until its flows have ended.
async fn targets(aws: &Aws, arn: &TargetGroupArn) -> Result<Vec<Ref<Instance>>, ObserveError> {
    let request = aws.elb().describe_target_health().target_group_arn(arn.as_str());
    let answer = aws.send("DescribeTargetHealth", request.send()).await?;
    let registered = answer.target_health_descriptions().iter().filter(|target| {
        let state = target.target_health().and_then(|health| health.state());
        state != Some(&TargetHealthStateEnum::Draining)
    });
    let ids = registered.map(|target| target.target().map(|target| target.id().unwrap_or("")));
    Ok(Answer("DescribeTargetHealth").references("Id", ids)?)
}

async fn attributes(
    aws: &Aws,
    arn: &TargetGroupArn,
) -> Result<Vec<TargetGroupAttribute>, ObserveError> {
    let request = aws.elb().describe_target_group_attributes().target_group_arn(arn.as_str());
    let answer = aws.send("DescribeTargetGroupAttributes", request.send()).await?;
    Ok(answer.attributes.unwrap_or_default())
}

fn read(
    group: &SeenGroup,
    targets: Vec<Ref<Instance>>,
    attributes: &[TargetGroupAttribute],
    tags: Tags,
) -> Result<TargetGroup, AnswerError> {
    let answer = Answer("DescribeTargetGroupAttributes");
    let attribute = |name: &'static str| {
        let found = attributes.iter().find(|attribute| attribute.key() == Some(name));
        answer.present(name, found.and_then(|attribute| attribute.value()))
    };
    let delay = attribute("deregistration_delay.timeout_seconds")?;
    let delay: i32 =
        delay.parse().map_err(|_| answer.wrong("Value", FieldError::Unknown(delay.to_owned())))?;
    Ok(TargetGroup {
        name: Some(ANSWER.parsed("TargetGroupName", group.target_group_name())?),
        vpc: ANSWER.reference("VpcId", group.vpc_id())?,
        protocol: ANSWER.parsed("Protocol", word(group.protocol()).as_deref())?,
        port: ANSWER.number("Port", group.port())?,
        health_check: health_check(group)?,
        targets,
        deregistration_delay: answer.number("Value", Some(delay))?,
        stickiness: attribute("stickiness.enabled")? == "true",
        tags: tags::own(tags),
    })
}

fn health_check(group: &SeenGroup) -> Result<HealthCheck, AnswerError> {
    let protocol = word(group.health_check_protocol());
    Ok(HealthCheck {
        protocol: ANSWER.parsed("HealthCheckProtocol", protocol.as_deref())?,
        port: ANSWER.parsed("HealthCheckPort", group.health_check_port())?,
        path: text(group.health_check_path()),
        interval: ANSWER
            .number("HealthCheckIntervalSeconds", group.health_check_interval_seconds())?,
        timeout: ANSWER
            .optional_number("HealthCheckTimeoutSeconds", group.health_check_timeout_seconds())?,
        healthy_threshold: ANSWER
            .number("HealthyThresholdCount", group.healthy_threshold_count())?,
        unhealthy_threshold: ANSWER
            .number("UnhealthyThresholdCount", group.unhealthy_threshold_count())?,
    })
}

/// Returns a protocol in the stack file's spelling: AWS's word in lower case.
pub(super) fn word(protocol: Option<&ProtocolEnum>) -> Option<String> {
    protocol.map(|protocol| protocol.as_str().to_ascii_lowercase())
}
