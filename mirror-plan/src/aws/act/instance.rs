//! Calls about instances.

use aws_sdk_ec2::operation::run_instances::RunInstancesOutput;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, BlockDeviceMapping, EbsBlockDevice, HttpTokensState,
    Instance, InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification,
    InstanceStateName, InstanceType, ResourceType, SecureBlobAttributeValue,
};
use aws_smithy_types::base64;

use super::super::answer::{Answer, address, text};
use super::super::wait::limit;
use super::super::{image, tags};
use super::acting::{Acting, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::id::{ImageId, NetworkInterfaceId};
use crate::observed::ComputedValue;
use crate::resource::instance::{InstanceId, Metadata, Operation, Tokens};
use crate::scalar::Ami;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Run { .. } => run(acting, operation).await,
        Operation::SetSourceDestCheck { .. }
        | Operation::SetSecurityGroups { .. }
        | Operation::SetType { .. }
        | Operation::SetUserData { .. } => modify(acting, operation).await,
        Operation::SetMetadata { instance, metadata } => {
            let Metadata { tokens, hop_limit } = metadata;
            let id = acting.id(instance)?;
            let request = acting
                .aws
                .ec2()
                .modify_instance_metadata_options()
                .instance_id(id.as_str())
                .http_tokens(tokens_state(*tokens))
                .http_put_response_hop_limit(hop_limit.get().into());
            acting.call("ModifyInstanceMetadataOptions", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Stop { instance } => {
            let id = acting.id(instance)?;
            let request = acting.aws.ec2().stop_instances().instance_ids(id.as_str());
            acting.call("StopInstances", || request.clone().send()).await?;
            become_state(acting, &id, "stopped", &InstanceStateName::Stopped).await?;
            Ok(Made::nothing())
        }
        Operation::Start { instance } => {
            let id = acting.id(instance)?;
            let request = acting.aws.ec2().start_instances().instance_ids(id.as_str());
            acting.call("StartInstances", || request.clone().send()).await?;
            let instance = running(acting, &id).await?;
            // AWS assigns a new public address after each start.
            Ok(Made { id: None, ..made(&id, &instance)? })
        }
        Operation::Terminate { instance } => terminate(acting, &acting.id(instance)?).await,
    }
}

async fn run(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Run {
        ami,
        instance_type,
        key_name,
        user_data,
        metadata,
        root_encrypted,
        tags,
        ..
    } = operation
    else {
        return Err(ActError::Operation("only a run runs"));
    };
    let image = match ami {
        Ami::Id(image) => image.clone(),
        Ami::Parameter(parameter) => image::image(acting.aws, parameter).await?,
    };
    let user_data = user_data.as_ref().map(|text| acting.secret(text)).transpose()?;
    let metadata = InstanceMetadataOptionsRequest::builder()
        .http_tokens(tokens_state(metadata.tokens))
        .http_put_response_hop_limit(metadata.hop_limit.get().into())
        .build();
    let root = if *root_encrypted { Some(encrypted_root(acting, &image).await?) } else { None };
    let kinds = [ResourceType::Instance, ResourceType::Volume, ResourceType::NetworkInterface];
    let request = acting
        .aws
        .ec2_once()
        .run_instances()
        .min_count(1)
        .max_count(1)
        .client_token(acting.token())
        .image_id(image.as_str())
        .instance_type(InstanceType::from(instance_type.to_string().as_str()))
        .network_interfaces(interface(acting, operation)?)
        .metadata_options(metadata)
        .set_block_device_mappings(root.map(|root| vec![root]))
        .set_key_name(key_name.clone())
        .set_user_data(user_data.map(base64::encode))
        .set_tag_specifications(Some(
            kinds.into_iter().map(|kind| tags::specification(kind, tags)).collect(),
        ));
    let making = Making { call: "RunInstances", tags };
    let id = |answer: &RunInstancesOutput| {
        let id = answer.instances().first().and_then(|instance| instance.instance_id());
        Answer("RunInstances").id("instanceId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    let instance = running(acting, &id).await?;
    made(&id, &instance)
}

const fn tokens_state(tokens: Tokens) -> HttpTokensState {
    match tokens {
        Tokens::Required => HttpTokensState::Required,
        Tokens::Optional => HttpTokensState::Optional,
    }
}

/// Returns the device of the root volume, as the image states it.
pub(super) async fn root_device(acting: &Acting<'_>, image: &ImageId) -> Result<String, ActError> {
    const CALL: &str = "DescribeImages";
    let request = acting.aws.ec2().describe_images().image_ids(image.as_str());
    let answer = acting.aws.send(CALL, request.send()).await?;
    let root = answer.images().first().and_then(|image| image.root_device_name());
    Ok(Answer(CALL).present("rootDeviceName", root)?.to_owned())
}

/// The root volume of an image, to be encrypted.
async fn encrypted_root(
    acting: &Acting<'_>,
    image: &ImageId,
) -> Result<BlockDeviceMapping, ActError> {
    Ok(BlockDeviceMapping::builder()
        .device_name(root_device(acting, image).await?)
        .ebs(EbsBlockDevice::builder().encrypted(true).build())
        .build())
}

/// Returns the primary interface. Subnet, groups and addresses belong to it, not to the instance.
fn interface(
    acting: &Acting<'_>,
    operation: &Operation,
) -> Result<InstanceNetworkInterfaceSpecification, ActError> {
    let Operation::Run { subnet, security_groups, public, private_ip, .. } = operation else {
        return Err(ActError::Operation("only a run runs"));
    };
    let groups = acting.ids(security_groups)?;
    Ok(InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        .subnet_id(acting.id(subnet)?.as_str())
        .set_groups((!groups.is_empty()).then_some(groups))
        .set_associate_public_ip_address(*public)
        .set_private_ip_address(private_ip.map(|address| address.to_string()))
        .delete_on_termination(true)
        .build())
}

async fn modify(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let request = acting.aws.ec2().modify_instance_attribute();
    // AWS accepts one attribute per call.
    let request = match operation {
        Operation::SetSourceDestCheck { instance, enabled } => {
            let value = AttributeBooleanValue::builder().value(*enabled).build();
            request.instance_id(acting.id(instance)?.as_str()).source_dest_check(value)
        }
        Operation::SetSecurityGroups { instance, security_groups } => request
            .instance_id(acting.id(instance)?.as_str())
            .set_groups(Some(acting.ids(security_groups)?)),
        Operation::SetType { instance, instance_type } => {
            let value = AttributeValue::builder().value(instance_type.to_string()).build();
            request.instance_id(acting.id(instance)?.as_str()).instance_type(value)
        }
        Operation::SetUserData { instance, user_data } => {
            let value = Blob::new(acting.secret(user_data)?);
            let value = SecureBlobAttributeValue::builder().value(value).build();
            request.instance_id(acting.id(instance)?.as_str()).user_data(value)
        }
        _ => return Err(ActError::Operation("only a setting modifies")),
    };
    acting.call("ModifyInstanceAttribute", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn terminate(acting: &Acting<'_>, id: &InstanceId) -> Result<Made, ActError> {
    let request = acting.aws.ec2().terminate_instances().instance_ids(id.as_str());
    acting.withdraw("TerminateInstances", || request.clone().send()).await?;
    let mut patience = acting.patience("terminated", limit::INSTANCE);
    // Its interface keeps subnet and groups in use until the instance is terminated.
    while let Some(instance) = look(acting, id).await? {
        match state(&instance) {
            Some(InstanceStateName::Terminated) => break,
            Some(state) => patience.pause(format!("state is {state}")).await?,
            None => patience.pause("it has no state").await?,
        }
    }
    Ok(Made::nothing())
}

/// Waits until an instance is running.
pub(super) async fn running(acting: &Acting<'_>, id: &InstanceId) -> Result<Instance, ActError> {
    become_state(acting, id, "running", &InstanceStateName::Running).await
}

/// Waits until the instance is in a state; fails if it enters a state from which it cannot get
/// there.
async fn become_state(
    acting: &Acting<'_>,
    id: &InstanceId,
    until: &'static str,
    wanted: &InstanceStateName,
) -> Result<Instance, ActError> {
    let mut patience = acting.patience(until, limit::INSTANCE);
    loop {
        let instance = look(acting, id).await?;
        let now = match instance.as_ref().and_then(state) {
            Some(state @ (InstanceStateName::Terminated | InstanceStateName::ShuttingDown)) => {
                let reason = instance.as_ref().and_then(|instance| instance.state_reason());
                let reason = reason.and_then(|reason| text(reason.message()));
                return Err(ActError::Failed {
                    what: id.to_string(),
                    state: state.to_string(),
                    reason,
                });
            }
            Some(InstanceStateName::Running)
                if instance.as_ref().is_some_and(|instance| primary(instance).is_none()) =>
            {
                "its network interface is not visible yet".to_owned()
            }
            Some(state) if state == wanted => {
                return instance.ok_or(ActError::Operation("a state is of an instance"));
            }
            Some(state) => format!("state is {state}"),
            None => "it is not visible yet".to_owned(),
        };
        patience.pause(now).await?;
    }
}

async fn look(acting: &Acting<'_>, id: &InstanceId) -> Result<Option<Instance>, ActError> {
    let request = acting.aws.ec2().describe_instances().instance_ids(id.as_str());
    let answer = acting.aws.send("DescribeInstances", request.send()).await;
    let reservation = unless_absent(answer)?.and_then(|answer| answer.reservations?.pop());
    Ok(reservation.and_then(|reservation| reservation.instances?.pop()))
}

fn state(instance: &Instance) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

fn made(id: &InstanceId, instance: &Instance) -> Result<Made, ActError> {
    let mut made = Made::object(id).with("ami", text(instance.image_id()));
    for (attribute, value) in computed(instance)? {
        made = made.with(attribute, value);
    }
    Ok(made)
}

/// Returns what only AWS knows of an instance, besides its id.
pub(in crate::aws) fn computed(
    instance: &Instance,
) -> Result<[(&'static str, ComputedValue); 5], super::super::errors::AnswerError> {
    let interface = primary(instance).and_then(|interface| interface.network_interface_id());
    let interface: Option<NetworkInterfaceId> =
        Answer("DescribeInstances").optional("networkInterfaceId", interface)?;
    let zone = instance.placement().and_then(|placement| placement.availability_zone());
    Ok([
        ("network_interface", interface.map(|id| id.to_string())),
        ("private_ip", address(instance.private_ip_address())),
        ("public_ip", address(instance.public_ip_address())),
        ("public_dns", text(instance.public_dns_name())),
        ("availability_zone", text(zone)),
    ])
}

/// Returns the interface that the instance was created with.
pub(in crate::aws) fn primary(
    instance: &Instance,
) -> Option<&aws_sdk_ec2::types::InstanceNetworkInterface> {
    let index = |interface: &aws_sdk_ec2::types::InstanceNetworkInterface| {
        interface.attachment().and_then(|attachment| attachment.device_index())
    };
    instance.network_interfaces().iter().find(|interface| index(interface) == Some(0))
}
