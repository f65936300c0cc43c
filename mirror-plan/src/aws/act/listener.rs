//! Calls about listeners, the parts of load balancers.

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum};

use super::super::answer::Answer;
use super::super::tags;
use super::acting::Acting;
use super::target_group::protocol;
use super::{ActError, Made};
use crate::attribute::Ref;
use crate::id::{ListenerArn, ObjectId};
use crate::resource::load_balancer::{Listener, LoadBalancerArn};
use crate::resource::{Tags, TargetGroup};

pub(super) async fn create(
    acting: &Acting<'_>,
    balancer: &LoadBalancerArn,
    listener: &Listener,
    tags: &Tags,
) -> Result<Made, ActError> {
    let Listener { port, protocol: traffic, target_group } = listener;
    let request = acting
        .aws
        .elb()
        .create_listener()
        .load_balancer_arn(balancer.as_str())
        .protocol(protocol(traffic.word()))
        .port(i32::from(port.get()))
        .default_actions(forward(acting, target_group)?)
        .set_tags(Some(tags::to_elb(tags)));
    let answer = acting.call("CreateListener", || request.clone().send()).await?;
    let arn = answer.listeners().first().and_then(|listener| listener.listener_arn());
    let arn: ListenerArn = Answer("CreateListener").id("ListenerArn", arn)?;
    Ok(Made::part(port, &arn))
}

pub(super) async fn modify(
    acting: &Acting<'_>,
    arn: &ObjectId,
    listener: &Listener,
) -> Result<Made, ActError> {
    let Listener { port, protocol: traffic, target_group } = listener;
    let request = acting
        .aws
        .elb()
        .modify_listener()
        .listener_arn(arn.as_str())
        .protocol(protocol(traffic.word()))
        .port(i32::from(port.get()))
        .default_actions(forward(acting, target_group)?);
    acting.call("ModifyListener", || request.clone().send()).await?;
    Ok(Made::nothing())
}

pub(super) async fn delete(acting: &Acting<'_>, arn: &ObjectId) -> Result<Made, ActError> {
    let request = acting.aws.elb().delete_listener().listener_arn(arn.as_str());
    acting.withdraw("DeleteListener", || request.clone().send()).await?;
    Ok(Made::nothing())
}

pub(super) fn forward(acting: &Acting<'_>, to: &Ref<TargetGroup>) -> Result<Action, ActError> {
    let group = acting.id(to)?;
    let action = Action::builder().r#type(ActionTypeEnum::Forward);
    Ok(action.target_group_arn(group.as_str()).build())
}
