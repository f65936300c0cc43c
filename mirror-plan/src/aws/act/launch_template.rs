//! Calls about launch templates.

use aws_sdk_ec2::operation::create_launch_template::CreateLaunchTemplateOutput;
use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataOptionsRequest,
    RequestLaunchTemplateData, ResourceType,
};
use aws_smithy_types::base64;

use super::super::answer::Answer;
use super::super::{image, tags};
use super::acting::Acting;
use super::instance::root_device;
use super::making::Making;
use super::{ActError, Made};
use crate::id::ImageId;
use crate::resource::Tags;
use crate::resource::instance::{Metadata, Tokens};
use crate::resource::launch_template::{ADDED, LaunchTemplateId, Operation, Version};
use crate::scalar::{Ami, LaunchTemplateName};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { name, version, tags } => create(acting, name, version, tags).await,
        Operation::AddVersion { launch_template, version } => {
            let (_, content) = content(acting, version).await?;
            let request = acting
                .aws
                .ec2()
                .create_launch_template_version()
                .client_token(acting.token())
                .launch_template_id(acting.id(launch_template)?.as_str())
                .launch_template_data(content);
            let answer =
                acting.call("CreateLaunchTemplateVersion", || request.clone().send()).await?;
            let added = answer.launch_template_version().and_then(|added| added.version_number());
            let added = Answer("CreateLaunchTemplateVersion").present("versionNumber", added)?;
            Ok(Made::nothing().with(ADDED, Some(added.to_string())))
        }
        Operation::SetDefault { launch_template, version } => {
            let request = acting
                .aws
                .ec2()
                .modify_launch_template()
                .client_token(acting.token())
                .launch_template_id(acting.id(launch_template)?.as_str())
                .default_version(acting.text(version)?);
            acting.call("ModifyLaunchTemplate", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Delete { launch_template } => {
            let id = acting.id(launch_template)?;
            let request = acting.aws.ec2().delete_launch_template().launch_template_id(id.as_str());
            acting.withdraw("DeleteLaunchTemplate", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(
    acting: &Acting<'_>,
    name: &LaunchTemplateName,
    version: &Version,
    tags: &Tags,
) -> Result<Made, ActError> {
    let (image, content) = content(acting, version).await?;
    let request = acting
        .aws
        .ec2_once()
        .create_launch_template()
        .client_token(acting.token())
        .launch_template_name(name.as_str())
        .launch_template_data(content)
        .tag_specifications(tags::specification(ResourceType::LaunchTemplate, tags));
    let making = Making { call: "CreateLaunchTemplate", tags };
    let id = |answer: &CreateLaunchTemplateOutput| {
        let id = answer.launch_template().and_then(|template| template.launch_template_id());
        Answer("CreateLaunchTemplate").id("launchTemplateId", id)
    };
    let (id, _): (LaunchTemplateId, _) = acting.make(making, || request.clone().send(), id).await?;
    let made = Made::object(&id).with("ami", Some(image.to_string()));
    Ok(made.with("name", Some(name.to_string())))
}

/// Returns what instances are started with, including the image.
async fn content(
    acting: &Acting<'_>,
    version: &Version,
) -> Result<(ImageId, RequestLaunchTemplateData), ActError> {
    let Version {
        ami,
        instance_type,
        security_groups,
        key_name,
        user_data,
        metadata,
        root_encrypted,
    } = version;
    let image = match ami {
        Ami::Id(image) => image.clone(),
        Ami::Parameter(parameter) => image::image(acting.aws, parameter).await?,
    };
    let user_data = user_data.as_ref().map(|text| acting.secret(text)).transpose()?;
    let groups = acting.ids(security_groups)?;
    let root = if *root_encrypted {
        let device = root_device(acting, &image).await?;
        Some(vec![encrypted(device)])
    } else {
        None
    };
    let content = RequestLaunchTemplateData::builder()
        .image_id(image.as_str())
        .instance_type(InstanceType::from(instance_type.to_string().as_str()))
        .set_security_group_ids((!groups.is_empty()).then_some(groups))
        .set_key_name(key_name.clone())
        .set_user_data(user_data.map(base64::encode))
        .metadata_options(options(*metadata))
        .set_block_device_mappings(root)
        .build();
    Ok((image, content))
}

fn options(metadata: Metadata) -> LaunchTemplateInstanceMetadataOptionsRequest {
    let Metadata { tokens, hop_limit } = metadata;
    let tokens = match tokens {
        Tokens::Required => LaunchTemplateHttpTokensState::Required,
        Tokens::Optional => LaunchTemplateHttpTokensState::Optional,
    };
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(tokens)
        .http_put_response_hop_limit(hop_limit.get().into())
        .build()
}

fn encrypted(device: String) -> LaunchTemplateBlockDeviceMappingRequest {
    LaunchTemplateBlockDeviceMappingRequest::builder()
        .device_name(device)
        .ebs(LaunchTemplateEbsBlockDeviceRequest::builder().encrypted(true).build())
        .build()
}
