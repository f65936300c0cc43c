//! Receivers: whether anything behind a mirror target receives packets yet.
//!
//! A load balancer sends nothing to an instance that has not passed its first health checks. A session that is pointed
//! to such a load balancer loses packets although it exists all the while, so it is pointed there a little later. Once
//! no instance is being checked for the first time, there is nothing to wait for: if all of them fail, the load
//! balancer sends to all of them.
//!
//! Source: Network Load Balancer user guide, "Health checks for Network Load Balancer target groups".

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Listener, ProtocolEnum, TargetDescription, TargetHealthDescription, TargetHealthStateEnum,
};

use super::super::errors::CallError;
use super::super::wait::limit;
use super::super::{Aws, page};
use super::ActError;
use super::acting::Acting;
use crate::resource::mirror_target::MirrorTargetId;

/// Waits until something behind a mirror target receives, or the first health checks are over.
///
/// Nothing is waited for if that cannot be seen, as with a load balancer of another account.
pub(super) async fn wait(acting: &Acting<'_>, target: &MirrorTargetId) -> Result<(), ActError> {
    if acting.aws.is_dry() {
        return Ok(());
    }
    let groups = match groups(acting, target).await {
        Ok(groups) => groups,
        Err(ActError::Call(error)) => return unseen(&error),
        Err(error) => return Err(error),
    };
    wait_in(acting, &groups, &BTreeSet::new()).await
}

/// Waits until a target that stays in a group receives, or the first health checks of those are over.
pub(super) async fn wait_without(
    acting: &Acting<'_>,
    group: &str,
    leaving: &[TargetDescription],
) -> Result<(), ActError> {
    if acting.aws.is_dry() {
        return Ok(());
    }
    let leaving = leaving.iter().filter_map(TargetDescription::id).collect();
    wait_in(acting, &BTreeSet::from([group.to_owned()]), &leaving).await
}

async fn wait_in(
    acting: &Acting<'_>,
    groups: &BTreeSet<String>,
    leaving: &BTreeSet<&str>,
) -> Result<(), ActError> {
    let mut patience = acting.patience("a receiver passes its health checks", limit::CHECKED);
    loop {
        match starting(acting.aws, groups, leaving).await {
            Ok(None) => return Ok(()),
            Ok(Some(now)) => patience.pause(now).await?,
            Err(error) => return unseen(&error),
        }
    }
}

fn unseen(error: &CallError) -> Result<(), ActError> {
    tracing::debug!(%error, "the health of the receivers cannot be seen");
    Ok(())
}

/// Returns the states of the receivers that stay, if none receives and some are being checked for the first time.
async fn starting(
    aws: &Aws,
    groups: &BTreeSet<String>,
    leaving: &BTreeSet<&str>,
) -> Result<Option<String>, CallError> {
    let mut receivers = Vec::new();
    for group in groups {
        let request = aws.elb().describe_target_health().target_group_arn(group);
        let answer = aws.send("DescribeTargetHealth", request.send()).await?;
        receivers.extend(answer.target_health_descriptions.unwrap_or_default());
    }
    let leaves = |receiver: &TargetHealthDescription| {
        receiver.target().and_then(TargetDescription::id).is_some_and(|id| leaving.contains(id))
    };
    receivers.retain(|receiver| !leaves(receiver));
    let state = |receiver: &TargetHealthDescription| receiver.target_health()?.state().cloned();
    let is_any = |wanted| receivers.iter().any(|it| state(it).as_ref() == Some(&wanted));
    if is_any(TargetHealthStateEnum::Healthy) || !is_any(TargetHealthStateEnum::Initial) {
        return Ok(None);
    }
    let states = receivers.iter().filter_map(|receiver| {
        let id = receiver.target()?.id()?;
        Some(format!("{id} is {}", state(receiver)?.as_str()))
    });
    Ok(Some(states.collect::<Vec<_>>().join(", ")))
}

/// Returns the target groups that get the packets; none if the mirror target is no Network Load Balancer.
async fn groups(
    acting: &Acting<'_>,
    target: &MirrorTargetId,
) -> Result<BTreeSet<String>, ActError> {
    let aws = acting.aws;
    let request = aws.ec2().describe_traffic_mirror_targets();
    let request = request.traffic_mirror_target_ids(target.as_str());
    // The target may have been created a moment ago.
    let answer = acting.call("DescribeTrafficMirrorTargets", || request.clone().send()).await?;
    let found = answer.traffic_mirror_targets.unwrap_or_default().pop();
    let Some(balancer) = found.and_then(|target| target.network_load_balancer_arn) else {
        return Ok(BTreeSet::new());
    };
    let request = aws.elb().describe_listeners().load_balancer_arn(balancer);
    let answer = aws.send("DescribeListeners", request.page_size(page::ELB_PAGE).send()).await?;
    let listeners = answer.listeners.unwrap_or_default();
    let of_packets = |listener: &&Listener| {
        matches!(listener.protocol(), Some(ProtocolEnum::Udp | ProtocolEnum::TcpUdp))
    };
    let actions = listeners.iter().filter(of_packets).flat_map(Listener::default_actions);
    let groups = actions.flat_map(|action| {
        let weighted = action.forward_config().map(|forward| forward.target_groups());
        let weighted = weighted.into_iter().flatten().filter_map(|group| group.target_group_arn());
        weighted.chain(action.target_group_arn()).map(str::to_owned)
    });
    Ok(groups.collect())
}
