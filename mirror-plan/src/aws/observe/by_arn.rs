//! Objects of services other than EC2: Elastic Load Balancing, Auto Scaling and Resource Access Manager. EC2 does not
//! know their tags, and they are identified by their ARNs.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};
use aws_sdk_ram::types::ResourceShare;

use super::super::errors::AnswerError;
use super::elb;
use crate::resource::Tags;

/// The wanted objects, each with its tags.
#[derive(Clone, Debug, Default)]
pub(super) struct ByArn {
    pub(super) target_groups: Vec<(TargetGroup, Tags)>,
    pub(super) load_balancers: Vec<(LoadBalancer, Tags)>,
    pub(super) gateway_load_balancers: Vec<(LoadBalancer, Tags)>,
    /// What Auto Scaling lists.
    pub(super) autoscaling_groups: Vec<(AutoScalingGroup, Tags)>,
    /// What Resource Access Manager lists.
    pub(super) resource_shares: Vec<(ResourceShare, Tags)>,
}

impl ByArn {
    /// Adds the wanted ones of these groups.
    pub(super) fn with_groups(
        self,
        mut autoscaling_groups: Vec<(AutoScalingGroup, Tags)>,
        is_wanted: &IsWanted<'_>,
    ) -> Self {
        autoscaling_groups.retain(|(group, tags)| {
            let (arn, name) = (group.auto_scaling_group_arn(), group.auto_scaling_group_name());
            arn.is_some_and(|arn| is_wanted(arn, name.unwrap_or_default(), tags))
        });
        Self { autoscaling_groups, ..self }
    }

    /// Adds the wanted ones of these shares.
    pub(super) fn with_shares(
        self,
        mut resource_shares: Vec<(ResourceShare, Tags)>,
        is_wanted: &IsWanted<'_>,
    ) -> Self {
        resource_shares.retain(|(share, tags)| {
            let (arn, name) = (share.resource_share_arn(), share.name());
            arn.is_some_and(|arn| is_wanted(arn, name.unwrap_or_default(), tags))
        });
        Self { resource_shares, ..self }
    }

    /// Returns the ARNs of all objects.
    pub(super) fn arns(self) -> Result<Vec<String>, AnswerError> {
        let Self {
            target_groups,
            load_balancers,
            gateway_load_balancers,
            autoscaling_groups,
            resource_shares,
        } = self;
        let balancers = load_balancers.into_iter().chain(gateway_load_balancers);
        let (balancers, _): (Vec<_>, Vec<_>) = balancers.unzip();
        let (groups, _): (Vec<_>, Vec<_>) = target_groups.into_iter().unzip();
        let mut arns = elb::arns(&balancers, &groups)?;
        arns.extend(autoscaling_groups.into_iter().filter_map(|(it, _)| it.auto_scaling_group_arn));
        arns.extend(resource_shares.into_iter().filter_map(|(it, _)| it.resource_share_arn));
        Ok(arns)
    }
}

/// Whether an object is wanted, by ARN, name and tags.
pub(super) type IsWanted<'w> = dyn Fn(&str, &str, &Tags) -> bool + Sync + 'w;
