//! Reading Elastic Load Balancing, which cannot filter by tag: everything is listed, and then the
//! tags of all objects are read, twenty at a time.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, LoadBalancerTypeEnum, TargetGroup};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::{AnswerError, CallError, ErrorKind};
use super::super::page::{self, marked_pages};
use super::super::tags;
use super::super::together::together;
use super::ObserveError;
use super::by_arn::{ByArn, IsWanted};
use crate::resource::Tags;

/// How many objects one call returns the tags of.
///
/// Source: ELBv2 API reference, `DescribeTags`: up to 20 resources.
const TAGGED: usize = 20;

/// Finds the wanted objects.
pub(super) async fn sweep(aws: &Aws, is_wanted: &IsWanted<'_>) -> Result<ByArn, ObserveError> {
    let (load_balancers, target_groups) =
        tokio::try_join!(load_balancers(aws), target_groups(aws))?;
    let arns = arns(&load_balancers, &target_groups)?;
    let tags: BTreeMap<String, Tags> = tags_of(aws, arns).await?.into_iter().collect();
    let tags_of = |arn: Option<&str>, name: Option<&str>| {
        let tags = tags.get(arn?)?;
        is_wanted(arn?, name.unwrap_or_default(), tags).then(|| tags.clone())
    };
    let balancers = load_balancers.into_iter().filter_map(|balancer| {
        let tags = tags_of(balancer.load_balancer_arn(), balancer.load_balancer_name())?;
        Some((balancer, tags))
    });
    let (gateway_load_balancers, load_balancers) =
        balancers.partition(|(balancer, _)| is_of(balancer, &LoadBalancerTypeEnum::Gateway));
    Ok(ByArn {
        autoscaling_groups: Vec::new(),
        resource_shares: Vec::new(),
        gateway_load_balancers,
        load_balancers,
        target_groups: target_groups
            .into_iter()
            .filter_map(|group| {
                let tags = tags_of(group.target_group_arn(), group.target_group_name())?;
                Some((group, tags))
            })
            .collect(),
    })
}

pub(super) fn arns(
    load_balancers: &[LoadBalancer],
    target_groups: &[TargetGroup],
) -> Result<Vec<String>, AnswerError> {
    let balancers = load_balancers.iter().map(|balancer| {
        Answer("DescribeLoadBalancers").present("LoadBalancerArn", balancer.load_balancer_arn())
    });
    let groups = target_groups.iter().map(|group| {
        Answer("DescribeTargetGroups").present("TargetGroupArn", group.target_group_arn())
    });
    balancers.chain(groups).map(|arn| arn.map(str::to_owned)).collect()
}

/// Returns the load balancers of the account, of every type.
async fn all_load_balancers(aws: &Aws) -> Result<Vec<LoadBalancer>, CallError> {
    let request = aws.elb().describe_load_balancers().page_size(page::ELB_PAGE);
    Ok(marked_pages!(aws, "DescribeLoadBalancers", request, load_balancers))
}

/// Returns the ARNs and names of all load balancers: a name is taken by a load balancer of any
/// type.
pub(super) async fn load_balancer_names(aws: &Aws) -> Result<Vec<(String, String)>, CallError> {
    let all = all_load_balancers(aws).await?.into_iter();
    Ok(all.filter_map(|it| Some((it.load_balancer_arn?, it.load_balancer_name?))).collect())
}

/// Returns the ARNs and names of all target groups.
pub(super) async fn target_group_names(aws: &Aws) -> Result<Vec<(String, String)>, CallError> {
    let all = target_groups(aws).await?.into_iter();
    Ok(all.filter_map(|it| Some((it.target_group_arn?, it.target_group_name?))).collect())
}

/// Returns the Network and Gateway Load Balancers of the account.
pub(in crate::aws) async fn load_balancers(aws: &Aws) -> Result<Vec<LoadBalancer>, CallError> {
    let mut all = all_load_balancers(aws).await?;
    let kinds = [LoadBalancerTypeEnum::Network, LoadBalancerTypeEnum::Gateway];
    all.retain(|balancer| kinds.iter().any(|kind| is_of(balancer, kind)));
    Ok(all)
}

/// Returns whether a load balancer is of a type.
pub(in crate::aws) fn is_of(balancer: &LoadBalancer, of: &LoadBalancerTypeEnum) -> bool {
    balancer.r#type() == Some(of)
}

/// Returns the target groups of the account.
pub(in crate::aws) async fn target_groups(aws: &Aws) -> Result<Vec<TargetGroup>, CallError> {
    let request = aws.elb().describe_target_groups().page_size(page::ELB_PAGE);
    Ok(marked_pages!(aws, "DescribeTargetGroups", request, target_groups))
}

/// Returns the ARNs of the account's load balancers of a type.
pub(in crate::aws) async fn load_balancer_arns(
    aws: &Aws,
    of: &LoadBalancerTypeEnum,
) -> Result<Vec<String>, CallError> {
    let all = load_balancers(aws).await?;
    Ok(all
        .into_iter()
        .filter(|balancer| is_of(balancer, of))
        .filter_map(|balancer| balancer.load_balancer_arn)
        .collect())
}

/// Returns the ARNs of the target groups of the account.
pub(in crate::aws) async fn target_group_arns(aws: &Aws) -> Result<Vec<String>, CallError> {
    let all = target_groups(aws).await?;
    Ok(all.into_iter().filter_map(|group| group.target_group_arn).collect())
}

/// Returns the tags of these objects, by ARN.
pub(in crate::aws) async fn tags_of(
    aws: &Aws,
    arns: Vec<String>,
) -> Result<Vec<(String, Tags)>, CallError> {
    let batches = together(arns.chunks(TAGGED).map(|batch| tags_of_batch(aws, batch)).collect());
    Ok(batches.await?.into_iter().flatten().collect())
}

async fn tags_of_batch(aws: &Aws, arns: &[String]) -> Result<Vec<(String, Tags)>, CallError> {
    let request = aws.elb().describe_tags().set_resource_arns(Some(arns.to_vec()));
    let error = match aws.send("DescribeTags", request.send()).await {
        Ok(answer) => {
            let described = answer.tag_descriptions.unwrap_or_default().into_iter();
            return Ok(described
                .filter_map(|of| Some((of.resource_arn.clone()?, tags::from_elb(of.tags()))))
                .collect());
        }
        Err(error) => error,
    };
    // An object that was just deleted fails the whole batch: the others are then queried one by
    // one.
    match (error.kind, arns) {
        (ErrorKind::NotFound, [_]) => Ok(Vec::new()),
        (ErrorKind::NotFound, _) => {
            let alone = arns.chunks(1).map(|one| Box::pin(tags_of_batch(aws, one)));
            Ok(together(alone.collect()).await?.into_iter().flatten().collect())
        }
        _ => Err(error),
    }
}
