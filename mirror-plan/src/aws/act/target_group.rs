//! Calls about target groups.

use aws_sdk_elasticloadbalancingv2::operation::create_target_group::CreateTargetGroupOutput;
use aws_sdk_elasticloadbalancingv2::types::{
    ProtocolEnum, TargetDescription, TargetGroupAttribute, TargetTypeEnum,
};

use super::super::answer::Answer;
use super::super::tags;
use super::acting::Acting;
use super::find::refuse_foreign;
use super::instance::running;
use super::making::Making;
use super::receivers;
use super::{ActError, Made};
use crate::attribute::Ref;
use crate::resource::target_group::{HealthCheck, Operation, TargetGroupArn};
use crate::resource::{Instance, TargetGroup};
use crate::scalar::ElbProtocol;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::SetHealthCheck { target_group, health_check } => {
            set_health_check(acting, &acting.id(target_group)?, health_check).await
        }
        Operation::SetAttributes { .. } => set_attributes(acting, operation).await,
        Operation::Register { target_group, instances } => {
            register(acting, &acting.id(target_group)?, instances).await
        }
        Operation::Deregister { target_group, instances } => {
            let (group, leaving) = (acting.id(target_group)?, targets(acting, instances)?);
            receivers::wait_without(acting, group.as_str(), &leaving).await?;
            let request = acting
                .aws
                .elb()
                .deregister_targets()
                .target_group_arn(group.as_str())
                .set_targets(Some(leaving));
            acting.withdraw("DeregisterTargets", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Delete { target_group } => {
            let id = acting.id(target_group)?;
            let request = acting.aws.elb().delete_target_group().target_group_arn(id.as_str());
            acting.withdraw("DeleteTargetGroup", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

/// Returns a protocol by its word in the stack file, which is AWS's in lower case.
pub(super) fn protocol(word: &str) -> ProtocolEnum {
    ProtocolEnum::from(word.to_ascii_uppercase().as_str())
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { name, vpc, protocol: traffic, port, health_check, tags } = operation
    else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let HealthCheck {
        protocol: health_protocol,
        port: health_port,
        path,
        interval,
        timeout,
        healthy_threshold,
        unhealthy_threshold,
    } = health_check;
    let request = acting
        .aws
        .elb_once()
        .create_target_group()
        .name(name.to_string())
        .vpc_id(acting.id(vpc)?.as_str())
        .protocol(protocol(traffic.word()))
        .port(i32::from(port.get()))
        .target_type(TargetTypeEnum::Instance)
        .health_check_enabled(true)
        .health_check_protocol(protocol(health_protocol.word()))
        .health_check_port(health_port.to_string())
        .set_health_check_path(path.clone())
        .health_check_interval_seconds(i32::from(interval.get()))
        .set_health_check_timeout_seconds(timeout.map(|timeout| i32::from(timeout.get())))
        .healthy_threshold_count(i32::from(healthy_threshold.get()))
        .unhealthy_threshold_count(i32::from(unhealthy_threshold.get()))
        .set_tags(Some(tags::to_elb(tags)));
    let making = Making { call: "CreateTargetGroup", tags };
    let arn = |answer: &CreateTargetGroupOutput| {
        let arn = answer.target_groups().first().and_then(|group| group.target_group_arn());
        Answer("CreateTargetGroup").id::<TargetGroup>("TargetGroupArn", arn)
    };
    let (arn, _) = acting.make(making, || request.clone().send(), arn).await?;
    refuse_foreign(acting, &arn.erase(), tags).await?;
    let made = Made::object(&arn).with("arn", Some(arn.to_string()));
    Ok(made.with("name", Some(name.to_string())))
}

/// AWS registers running instances only. Instances that an earlier run has started may not be
/// running yet.
async fn register(
    acting: &Acting<'_>,
    arn: &TargetGroupArn,
    instances: &[Ref<Instance>],
) -> Result<Made, ActError> {
    let request = acting
        .aws
        .elb()
        .register_targets()
        .target_group_arn(arn.as_str())
        .set_targets(Some(targets(acting, instances)?));
    match acting.call("RegisterTargets", || request.clone().send()).await {
        Ok(_) => return Ok(Made::nothing()),
        Err(ActError::Call(error)) if error.code.as_deref() == Some("InvalidTarget") => {}
        Err(error) => return Err(error),
    }
    for instance in instances {
        running(acting, &acting.id(instance)?).await?;
    }
    acting.call("RegisterTargets", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn set_health_check(
    acting: &Acting<'_>,
    arn: &TargetGroupArn,
    health_check: &HealthCheck,
) -> Result<Made, ActError> {
    let HealthCheck {
        protocol: health_protocol,
        port,
        path,
        interval,
        timeout,
        healthy_threshold,
        unhealthy_threshold,
    } = health_check;
    let request = acting
        .aws
        .elb()
        .modify_target_group()
        .target_group_arn(arn.as_str())
        .health_check_enabled(true)
        .health_check_protocol(protocol(health_protocol.word()))
        .health_check_port(port.to_string())
        .set_health_check_path(path.clone())
        .health_check_interval_seconds(i32::from(interval.get()))
        .set_health_check_timeout_seconds(timeout.map(|timeout| i32::from(timeout.get())))
        .healthy_threshold_count(i32::from(healthy_threshold.get()))
        .unhealthy_threshold_count(i32::from(unhealthy_threshold.get()));
    acting.call("ModifyTargetGroup", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn set_attributes(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::SetAttributes { target_group, protocol, deregistration_delay, stickiness } =
        operation
    else {
        return Err(ActError::Operation("only a setting sets"));
    };
    let attribute =
        |key: &str, value: String| TargetGroupAttribute::builder().key(key).value(value).build();
    let request = acting
        .aws
        .elb()
        .modify_target_group_attributes()
        .target_group_arn(acting.id(target_group)?.as_str())
        .attributes(attribute(
            "deregistration_delay.timeout_seconds",
            deregistration_delay.to_string(),
        ))
        .attributes(attribute("stickiness.enabled", stickiness.to_string()))
        .attributes(attribute("stickiness.type", stickiness_type(*protocol).to_owned()));
    acting.call("ModifyTargetGroupAttributes", || request.clone().send()).await?;
    Ok(Made::nothing())
}

/// Returns how packets of one source are recognized: behind an endpoint, by their destination too.
///
/// Source: ELBv2 API reference, `TargetGroupAttribute`.
const fn stickiness_type(protocol: ElbProtocol) -> &'static str {
    match protocol {
        ElbProtocol::Geneve => "source_ip_dest_ip",
        ElbProtocol::Udp | ElbProtocol::Tcp | ElbProtocol::TcpUdp | ElbProtocol::Tls => "source_ip",
    }
}

fn targets(
    acting: &Acting<'_>,
    instances: &[Ref<Instance>],
) -> Result<Vec<TargetDescription>, ActError> {
    let ids = acting.ids(instances)?;
    Ok(ids.into_iter().map(|id| TargetDescription::builder().id(id).build()).collect())
}
