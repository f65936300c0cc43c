//! Calls about load balancers.

use aws_sdk_elasticloadbalancingv2::operation::create_load_balancer::CreateLoadBalancerOutput;
use aws_sdk_elasticloadbalancingv2::types::{
    LoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    LoadBalancerTypeEnum,
};

use super::super::answer::{Answer, text};
use super::super::wait::limit;
use super::super::{listing, tags};
use super::acting::{Acting, unless_absent};
use super::blocker::{Blocker, InTheWay};
use super::find::refuse_foreign;
use super::making::Making;
use super::{ActError, Made, listener};
use crate::id::{Id, Identified};
use crate::resource;
use crate::resource::load_balancer::Operation;

/// Attributes of load balancers.
pub(super) const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
pub(super) const PROTECTION: &str = "deletion_protection.enabled";

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::SetAttributes { load_balancer, cross_zone, deletion_protection } => {
            let arn = acting.id(load_balancer)?;
            let switches = [(CROSS_ZONE, *cross_zone), (PROTECTION, *deletion_protection)];
            set_attributes(acting, &arn, switches).await
        }
        Operation::SetSubnets { load_balancer, subnets } => {
            set_subnets(acting, &acting.id(load_balancer)?, acting.ids(subnets)?).await
        }
        Operation::SetSecurityGroups { load_balancer, security_groups } => {
            let request = acting
                .aws
                .elb()
                .set_security_groups()
                .load_balancer_arn(acting.id(load_balancer)?.as_str())
                .set_security_groups(Some(acting.ids(security_groups)?));
            acting.call("SetSecurityGroups", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::CreateListener { load_balancer, listener, tags } => {
            listener::create(acting, &acting.id(load_balancer)?, listener, tags).await
        }
        Operation::ModifyListener { arn, listener } => {
            listener::modify(acting, arn, listener).await
        }
        Operation::DeleteListener { arn } => listener::delete(acting, arn).await,
        Operation::Delete { load_balancer } => delete(acting, &acting.id(load_balancer)?).await,
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { name, scheme, subnets, security_groups, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let groups = acting.ids(security_groups)?;
    let request = acting
        .aws
        .elb_once()
        .create_load_balancer()
        .name(name.to_string())
        .r#type(LoadBalancerTypeEnum::Network)
        .scheme(LoadBalancerSchemeEnum::from(scheme.word()))
        .set_subnets(Some(acting.ids(subnets)?))
        .set_security_groups((!groups.is_empty()).then_some(groups))
        .set_tags(Some(tags::to_elb(tags)));
    let making = Making { call: "CreateLoadBalancer", tags };
    let arn = |answer: &CreateLoadBalancerOutput| {
        let arn = answer.load_balancers().first().and_then(|balancer| balancer.load_balancer_arn());
        Answer("CreateLoadBalancer").id::<resource::LoadBalancer>("LoadBalancerArn", arn)
    };
    let (arn, _) = acting.make(making, || request.clone().send(), arn).await?;
    refuse_foreign(acting, &arn.erase(), tags).await?;
    let balancer = active(acting, &arn).await?;
    let made = Made::object(&arn)
        .with("arn", Some(arn.to_string()))
        .with("dns_name", text(balancer.dns_name()));
    Ok(made.with("name", Some(name.to_string())))
}

pub(super) async fn active<T: Identified>(
    acting: &Acting<'_>,
    arn: &Id<T>,
) -> Result<LoadBalancer, ActError> {
    let mut patience = acting.patience("active", limit::ACTIVE);
    loop {
        let balancer = look(acting, arn).await?;
        let state = balancer.as_ref().and_then(|balancer| balancer.state());
        let now = match state.and_then(|state| state.code()) {
            Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => {
                return balancer.ok_or(ActError::Operation("a state is of a load balancer"));
            }
            Some(code @ LoadBalancerStateEnum::Failed) => {
                return Err(ActError::Failed {
                    what: arn.to_string(),
                    state: code.to_string(),
                    reason: state.and_then(|state| text(state.reason())),
                });
            }
            Some(code) => format!("state is {code}"),
            None => "it is not visible yet".to_owned(),
        };
        patience.pause(now).await?;
    }
}

async fn look<T: Identified>(
    acting: &Acting<'_>,
    arn: &Id<T>,
) -> Result<Option<LoadBalancer>, ActError> {
    let request = acting.aws.elb().describe_load_balancers().load_balancer_arns(arn.as_str());
    let answer = acting.aws.send("DescribeLoadBalancers", request.send()).await;
    Ok(unless_absent(answer)?.and_then(|answer| answer.load_balancers?.pop()))
}

pub(super) async fn set_subnets<T: Identified>(
    acting: &Acting<'_>,
    arn: &Id<T>,
    subnets: Vec<String>,
) -> Result<Made, ActError> {
    let request =
        acting.aws.elb().set_subnets().load_balancer_arn(arn.as_str()).set_subnets(Some(subnets));
    acting.call("SetSubnets", || request.clone().send()).await?;
    Ok(Made::nothing())
}

pub(super) async fn set_attributes<T: Identified>(
    acting: &Acting<'_>,
    arn: &Id<T>,
    switches: [(&str, bool); 2],
) -> Result<Made, ActError> {
    let attributes = switches.map(|(key, value)| {
        LoadBalancerAttribute::builder().key(key).value(value.to_string()).build()
    });
    let request = acting
        .aws
        .elb()
        .modify_load_balancer_attributes()
        .load_balancer_arn(arn.as_str())
        .set_attributes(Some(attributes.into()));
    acting.call("ModifyLoadBalancerAttributes", || request.clone().send()).await?;
    Ok(Made::nothing())
}

/// Deletes a load balancer. What it leaves behind prevents its subnets, groups and VPC from being
/// deleted, and only AWS can remove that.
pub(super) async fn delete<T: Identified>(
    acting: &Acting<'_>,
    arn: &Id<T>,
) -> Result<Made, ActError> {
    let request = acting.aws.elb().delete_load_balancer().load_balancer_arn(arn.as_str());
    acting.withdraw("DeleteLoadBalancer", || request.clone().send()).await?;
    let mut patience = acting.patience("deleted", limit::RELEASED);
    while look(acting, arn).await?.is_some() {
        patience.pause("it still exists").await?;
    }
    let Some((_, name)) = arn.as_str().split_once(":loadbalancer/") else {
        return Ok(Made::nothing());
    };
    let description = format!("ELB {name}");
    let mut patience = acting.patience("its network interfaces are deleted", limit::RELEASED);
    let mut in_the_way = InTheWay::default();
    loop {
        let left = listing::network_interfaces(acting.aws, "description", &[&*description]).await?;
        let left: Vec<Blocker> = left.iter().map(Blocker::of).collect();
        if left.is_empty() {
            return Ok(Made::nothing());
        }
        if in_the_way.has_shrunk_to(&left) {
            patience.renew();
        }
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        patience.pause(format!("{} not deleted yet", left.join(", "))).await?;
    }
}
