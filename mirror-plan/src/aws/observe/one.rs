//! One object, read by itself.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};

use super::super::Aws;
use super::super::errors::{CallError, ErrorKind};
use super::super::page::Ids;
use super::by_arn::ByArn;
use super::elb::tags_of;
use super::{ObserveError, Seen, Whose, autoscaling_group, kinds, resource_share};
use crate::address::{Address, Kind};
use crate::id::ObjectId;
use crate::observed::Found;
use crate::resource::Tags;
use crate::resource::autoscaling_group::name_in;

/// The result of looking at one object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// It belongs to the stack, under this address.
    Own(Address, Box<Found>),
    /// It exists, and its tags do not state that it belongs to the stack.
    Foreign,
    /// It is not visible.
    Nothing,
}

/// Looks at one object of a stack.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub(crate) async fn look_at(
    aws: &Aws,
    stack: &str,
    (kind, id): (Kind, &ObjectId),
) -> Result<Look, ObserveError> {
    let mut own = seen(aws, Whose::Stack(stack), (kind, id)).await?;
    if let Some((address, found)) = own.owned.pop() {
        return Ok(Look::Own(address, Box::new(found)));
    }
    // An object with the stack's tag but without the other ownership tags does not belong to the
    // stack either.
    if !own.findings.is_empty() {
        return Ok(Look::Foreign);
    }
    let others = seen(aws, Whose::Others(stack), (kind, id)).await?;
    Ok(if others.owned.is_empty() { Look::Nothing } else { Look::Foreign })
}

/// Returns what is seen of one object, if it has the given owner.
async fn seen(
    aws: &Aws,
    whose: Whose<'_>,
    (kind, id): (Kind, &ObjectId),
) -> Result<Seen, ObserveError> {
    let mut by_arn = ByArn::default();
    match kind {
        Kind::TargetGroup => by_arn.target_groups = target_group(aws, id.as_str()).await?,
        Kind::LoadBalancer => by_arn.load_balancers = load_balancer(aws, id.as_str()).await?,
        Kind::GatewayLoadBalancer => {
            by_arn.gateway_load_balancers = load_balancer(aws, id.as_str()).await?;
        }
        Kind::AutoscalingGroup => {
            by_arn.autoscaling_groups = autoscaling_group(aws, id.as_str()).await?;
        }
        Kind::ResourceShare => {
            by_arn.resource_shares = resource_share::named(aws, id.as_str()).await?;
        }
        Kind::Vpc
        | Kind::Subnet
        | Kind::InternetGateway
        | Kind::RouteTable
        | Kind::VpcPeering
        | Kind::TransitGatewayAttachment
        | Kind::SecurityGroup
        | Kind::Instance
        | Kind::LaunchTemplate
        | Kind::EndpointService
        | Kind::GatewayLoadBalancerEndpoint
        | Kind::MirrorTarget
        | Kind::MirrorFilter
        | Kind::MirrorSession => {}
    }
    let ids = BTreeMap::from([(kind, Ids::from([id.to_string()]))]);
    Box::pin(kinds(aws, whose, &ids, by_arn)).await
}

pub(super) async fn load_balancer(
    aws: &Aws,
    arn: &str,
) -> Result<Vec<(LoadBalancer, Tags)>, CallError> {
    let request = aws.elb().describe_load_balancers().load_balancer_arns(arn);
    let answer = aws.send("DescribeLoadBalancers", request.send()).await;
    let found = unless_absent(answer)?.and_then(|answer| answer.load_balancers);
    with_tags(aws, arn, found).await
}

pub(super) async fn target_group(
    aws: &Aws,
    arn: &str,
) -> Result<Vec<(TargetGroup, Tags)>, CallError> {
    let request = aws.elb().describe_target_groups().target_group_arns(arn);
    let answer = aws.send("DescribeTargetGroups", request.send()).await;
    let found = unless_absent(answer)?.and_then(|answer| answer.target_groups);
    with_tags(aws, arn, found).await
}

/// Returns the group with an ARN: another group may have its name by now.
pub(super) async fn autoscaling_group(
    aws: &Aws,
    arn: &str,
) -> Result<Vec<(AutoScalingGroup, Tags)>, CallError> {
    let mut found = autoscaling_group::named(aws, name_in(arn)).await?;
    found.retain(|(group, _)| group.auto_scaling_group_arn() == Some(arn));
    Ok(found)
}

/// Returns the object with an ARN, with its tags; nothing if it is deleted in the meantime.
async fn with_tags<T>(
    aws: &Aws,
    arn: &str,
    found: Option<Vec<T>>,
) -> Result<Vec<(T, Tags)>, CallError> {
    let Some(found) = found else { return Ok(Vec::new()) };
    let tags = tags_of(aws, vec![arn.to_owned()]).await?;
    Ok(found.into_iter().zip(tags.into_iter().map(|(_, tags)| tags)).collect())
}

fn unless_absent<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}
