//! Calls about Gateway Load Balancers.

use aws_sdk_elasticloadbalancingv2::operation::create_load_balancer::CreateLoadBalancerOutput;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;

use super::super::answer::Answer;
use super::super::tags;
use super::acting::Acting;
use super::find::refuse_foreign;
use super::listener::{self, forward};
use super::load_balancer::{self, CROSS_ZONE, PROTECTION, set_attributes, set_subnets};
use super::making::Making;
use super::{ActError, Made};
use crate::id::GatewayListenerArn;
use crate::resource::GatewayLoadBalancer;
use crate::resource::gateway_load_balancer::{LISTENER, Operation};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::SetAttributes { gateway_load_balancer, cross_zone, deletion_protection } => {
            let arn = acting.id(gateway_load_balancer)?;
            let switches = [(CROSS_ZONE, *cross_zone), (PROTECTION, *deletion_protection)];
            set_attributes(acting, &arn, switches).await
        }
        Operation::SetSubnets { gateway_load_balancer, subnets } => {
            set_subnets(acting, &acting.id(gateway_load_balancer)?, acting.ids(subnets)?).await
        }
        Operation::CreateListener { gateway_load_balancer, target_group, tags } => {
            let request = acting
                .aws
                .elb()
                .create_listener()
                .load_balancer_arn(acting.id(gateway_load_balancer)?.as_str())
                .default_actions(forward(acting, target_group)?)
                .set_tags(Some(tags::to_elb(tags)));
            let answer = acting.call("CreateListener", || request.clone().send()).await?;
            let arn = answer.listeners().first().and_then(|listener| listener.listener_arn());
            let arn: GatewayListenerArn = Answer("CreateListener").id("ListenerArn", arn)?;
            Ok(Made::part(LISTENER, &arn))
        }
        Operation::ModifyListener { arn, target_group } => {
            let request = acting
                .aws
                .elb()
                .modify_listener()
                .listener_arn(arn.as_str())
                .default_actions(forward(acting, target_group)?);
            acting.call("ModifyListener", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::DeleteListener { arn } => listener::delete(acting, arn).await,
        Operation::Delete { gateway_load_balancer } => {
            load_balancer::delete(acting, &acting.id(gateway_load_balancer)?).await
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { name, subnets, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let request = acting
        .aws
        .elb_once()
        .create_load_balancer()
        .name(name.to_string())
        .r#type(LoadBalancerTypeEnum::Gateway)
        .set_subnets(Some(acting.ids(subnets)?))
        .set_tags(Some(tags::to_elb(tags)));
    let making = Making { call: "CreateLoadBalancer", tags };
    let arn = |answer: &CreateLoadBalancerOutput| {
        let arn = answer.load_balancers().first().and_then(|balancer| balancer.load_balancer_arn());
        Answer("CreateLoadBalancer").id::<GatewayLoadBalancer>("LoadBalancerArn", arn)
    };
    let (arn, _) = acting.make(making, || request.clone().send(), arn).await?;
    refuse_foreign(acting, &arn.erase(), tags).await?;
    load_balancer::active(acting, &arn).await?;
    let made = Made::object(&arn).with("arn", Some(arn.to_string()));
    Ok(made.with("name", Some(name.to_string())))
}
