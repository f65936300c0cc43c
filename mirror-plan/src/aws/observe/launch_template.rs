//! Reading launch templates: each with its default version.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplate as SeenTemplate, LaunchTemplateHttpTokensState, ResponseLaunchTemplateData,
};
use aws_smithy_types::base64;

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::{AnswerError, CallError, ErrorKind, FieldError};
use super::super::page::Ids;
use super::super::tags;
use super::super::together::together;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::attribute::Input;
use crate::observed::Found;
use crate::resource::LaunchTemplate;
use crate::resource::launch_template::{DEFAULT, LaunchTemplateId};
use crate::scalar::{Ami, HopLimit, InstanceType};
use crate::value::Secret;

const ANSWER: Answer = Answer("DescribeLaunchTemplates");
const VERSIONS: Answer = Answer("DescribeLaunchTemplateVersions");

/// How many templates one call returns.
///
/// Source: EC2 API reference, `DescribeLaunchTemplates`, `MaxResults`: up to 200.
const LISTED: usize = 200;

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::LaunchTemplate };
    let mut ours = Vec::new();
    for template in with_ids(aws, ids).await? {
        let id: LaunchTemplateId = ANSWER.id("launchTemplateId", template.launch_template_id())?;
        if let Some(owner) = seen.owner(sought, &id.erase(), &tags::from_ec2(template.tags())) {
            ours.push((owner, id, template));
        }
    }
    let contents = each(ours.iter().map(|(_, id, _)| content(aws, id)).collect()).await?;
    for ((owner, id, template), content) in ours.into_iter().zip(contents) {
        let Some(content) = content else { continue };
        for what in untold(&content) {
            seen.untold(&owner, &id.erase(), what);
        }
        let resource = read(&template, &content, whose)?.into();
        let (id, generation) = (id.erase(), owner.generation);
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Returns the templates with these ids. There is no filter by id, and a list of ids fails if one of them was deleted.
async fn with_ids(aws: &Aws, ids: Ids) -> Result<Vec<SeenTemplate>, CallError> {
    let ids: Vec<String> = ids.into_iter().collect();
    let batches = together(ids.chunks(LISTED).map(|batch| listed(aws, batch)).collect());
    Ok(batches.await?.into_iter().flatten().collect())
}

async fn listed(aws: &Aws, ids: &[String]) -> Result<Vec<SeenTemplate>, CallError> {
    let request = aws.ec2().describe_launch_templates().set_launch_template_ids(Some(ids.to_vec()));
    let error = match aws.send("DescribeLaunchTemplates", request.send()).await {
        Ok(answer) => return Ok(answer.launch_templates.unwrap_or_default()),
        Err(error) => error,
    };
    match (error.kind, ids) {
        (ErrorKind::NotFound, [_]) => Ok(Vec::new()),
        (ErrorKind::NotFound, _) => {
            let alone = ids.chunks(1).map(|one| Box::pin(listed(aws, one)));
            Ok(together(alone.collect()).await?.into_iter().flatten().collect())
        }
        _ => Err(error),
    }
}

/// Returns what instances are started with now. It is read for one template at a time: without an id AWS returns that
/// of all templates, including what may be the secrets of others.
async fn content(
    aws: &Aws,
    id: &LaunchTemplateId,
) -> Result<ResponseLaunchTemplateData, ObserveError> {
    let request = aws
        .ec2()
        .describe_launch_template_versions()
        .launch_template_id(id.as_str())
        .versions(DEFAULT);
    let answer = aws.send("DescribeLaunchTemplateVersions", request.send()).await?;
    let versions = answer.launch_template_versions.unwrap_or_default();
    let content = versions.into_iter().next().and_then(|version| version.launch_template_data);
    Ok(VERSIONS.present("launchTemplateData", content)?)
}

fn read(
    template: &SeenTemplate,
    content: &ResponseLaunchTemplateData,
    whose: Whose<'_>,
) -> Result<LaunchTemplate, AnswerError> {
    let groups = content.security_group_ids().iter().map(|group| Some(group.as_str()));
    let instance_type = content.instance_type().map(|of| of.as_str());
    let metadata = content.metadata_options();
    let hop_limit = metadata.and_then(|options| options.http_put_response_hop_limit());
    let tokens = metadata.and_then(|options| options.http_tokens());
    let mut devices = content.block_device_mappings().iter().filter_map(|device| device.ebs());
    Ok(LaunchTemplate {
        name: Some(ANSWER.parsed("launchTemplateName", template.launch_template_name())?),
        ami: Some(Ami::Id(VERSIONS.id("imageId", content.image_id())?)),
        instance_type: VERSIONS.parsed::<InstanceType>("instanceType", instance_type)?,
        security_groups: VERSIONS.references("groupId", groups)?,
        key_name: text(content.key_name()),
        user_data: user_data(content, whose)?.map(Input::Known),
        imdsv2_required: tokens == Some(&LaunchTemplateHttpTokensState::Required),
        imds_hop_limit: VERSIONS
            .optional_number("httpPutResponseHopLimit", hop_limit)?
            .unwrap_or(HopLimit::MIN),
        root_encrypted: devices.any(|device| device.encrypted() == Some(true)),
        tags: tags::own(tags::from_ec2(template.tags())),
    })
}

/// Returns what instances run at their first start. The user data of others is not kept: it may hold their secrets.
fn user_data(
    content: &ResponseLaunchTemplateData,
    whose: Whose<'_>,
) -> Result<Option<Secret>, AnswerError> {
    let encoded = match whose {
        Whose::Stack(_) | Whose::Wanted(_) => text(content.user_data()),
        Whose::Others(_) | Whose::Elsewhere => None,
    };
    let Some(encoded) = encoded else { return Ok(None) };
    // The error gives no details, since they would reveal the user data.
    let wrong = || FieldError::Unknown("not base64".to_owned());
    let bytes = base64::decode(&encoded).map_err(|_| VERSIONS.wrong("userData", wrong()))?;
    // User data that is not text can still be shown as changed, though not as it is.
    Ok(Some(Secret::user_data(String::from_utf8_lossy(&bytes))))
}

/// Returns the parts of a version that a stack file cannot express.
fn untold(content: &ResponseLaunchTemplateData) -> Vec<&'static str> {
    let found = [
        (!content.network_interfaces().is_empty(), "network interfaces of its own"),
        (content.iam_instance_profile().is_some(), "an instance profile"),
        (content.instance_market_options().is_some(), "a purchase option"),
        (content.placement().is_some(), "a placement"),
        (!content.tag_specifications().is_empty(), "tags for what it starts"),
    ];
    found.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| what).collect()
}
