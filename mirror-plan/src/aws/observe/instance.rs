//! Reading instances.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    HttpTokensState, Instance as SeenInstance, InstanceAttributeName, InstanceStateName,
};
use aws_smithy_types::base64;

use super::super::Aws;
use super::super::act::{computed, primary};
use super::super::answer::{Answer, text};
use super::super::errors::{AnswerError, FieldError};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::attribute::Input;
use crate::observed::Found;
use crate::resource::Instance;
use crate::resource::instance::InstanceId;
use crate::scalar::{Ami, InstanceType};
use crate::value::Secret;

const ANSWER: Answer = Answer("DescribeInstances");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_instances()
        .set_filters(page::only("instance-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::Instance };
    let mut ours = Vec::new();
    let reservations = pages!(aws, "DescribeInstances", request, reservations);
    for instance in reservations.into_iter().filter_map(|of| of.instances).flatten() {
        let id: InstanceId = ANSWER.id("instanceId", instance.instance_id())?;
        if !stands(&instance) {
            continue;
        }
        if let Some(owner) = seen.owner(sought, &id.erase(), &tags::from_ec2(instance.tags())) {
            ours.push((owner, id, instance));
        }
    }
    let ids = ours.iter().map(|(_, id, _)| id.to_string()).collect();
    let (user_data, encryption) = tokio::try_join!(
        each(ours.iter().map(|(_, id, _)| user_data(aws, whose, id)).collect()),
        encryption(aws, ids),
    )?;
    for ((owner, id, instance), user_data) in ours.into_iter().zip(user_data) {
        let Some(user_data) = user_data else { continue };
        let root = instance.root_device_name().unwrap_or_default().to_owned();
        let root_encrypted = encryption.get(&(id.to_string(), root)).copied();
        let resource = read(&instance, user_data, root_encrypted)?.into();
        let (id, generation) = (id.erase(), owner.generation);
        let told = computed(&instance)?.map(|(name, value)| (name.to_owned(), value));
        let mut computed = with_id(&id);
        computed.extend(told);
        seen.add(owner, Found { id, generation, resource, computed, parts: BTreeMap::new() });
    }
    Ok(seen)
}

/// Returns whether an instance exists. AWS shows a terminated instance for about an hour.
pub(in crate::aws) fn stands(instance: &SeenInstance) -> bool {
    let state = instance.state().and_then(|state| state.name());
    !matches!(state, Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated))
}

/// Returns what an instance of the stack runs at its first start. The user data of others is not
/// read: it may hold their secrets.
async fn user_data(
    aws: &Aws,
    whose: Whose<'_>,
    id: &InstanceId,
) -> Result<Option<Secret>, ObserveError> {
    match whose {
        Whose::Stack(_) | Whose::Wanted(_) => {}
        Whose::Others(_) | Whose::Elsewhere => return Ok(None),
    }
    let request = aws
        .ec2()
        .describe_instance_attribute()
        .instance_id(id.as_str())
        .attribute(InstanceAttributeName::UserData);
    let answer = aws.send("DescribeInstanceAttribute", request.send()).await?;
    let Some(encoded) = text(answer.user_data().and_then(|data| data.value())) else {
        return Ok(None);
    };
    // The error gives no details, since they would reveal the user data.
    let wrong = || FieldError::Unknown("not base64".to_owned());
    let bytes = base64::decode(&encoded)
        .map_err(|_| Answer("DescribeInstanceAttribute").wrong("userData", wrong()))?;
    // User data that is not text can still be shown as changed, though not as it is.
    Ok(Some(Secret::user_data(String::from_utf8_lossy(&bytes))))
}

/// Returns whether the volumes of instances are encrypted, by instance and device.
async fn encryption(aws: &Aws, ids: Ids) -> Result<BTreeMap<(String, String), bool>, ObserveError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let request = aws
        .ec2()
        .describe_volumes()
        .set_filters(page::only("attachment.instance-id", &ids))
        .max_results(page::PAGE);
    let mut encryption = BTreeMap::new();
    for volume in pages!(aws, "DescribeVolumes", request, volumes) {
        let attachments = volume.attachments().iter();
        let places = attachments.filter_map(|at| Some((at.instance_id()?, at.device()?)));
        let places = places.map(|(instance, device)| (instance.to_owned(), device.to_owned()));
        encryption.extend(places.zip(std::iter::repeat(volume.encrypted() == Some(true))));
    }
    Ok(encryption)
}

fn read(
    instance: &SeenInstance,
    user_data: Option<Secret>,
    root_encrypted: Option<bool>,
) -> Result<Instance, AnswerError> {
    let metadata = ANSWER.present("metadataOptions", instance.metadata_options())?;
    let groups = instance.security_groups().iter().map(|group| group.group_id());
    let instance_type = instance.instance_type().map(|of| of.as_str());
    Ok(Instance {
        ami: Some(Ami::Id(ANSWER.id("imageId", instance.image_id())?)),
        instance_type: ANSWER.parsed::<InstanceType>("instanceType", instance_type)?,
        subnet: ANSWER.reference("subnetId", instance.subnet_id())?,
        security_groups: ANSWER.references("groupId", groups)?,
        public: public(instance),
        private_ip: Some(ANSWER.parsed("privateIpAddress", instance.private_ip_address())?),
        key_name: text(instance.key_name()),
        user_data: user_data.map(Input::Known),
        source_dest_check: ANSWER.present("sourceDestCheck", instance.source_dest_check())?,
        imdsv2_required: metadata.http_tokens() == Some(&HttpTokensState::Required),
        imds_hop_limit: ANSWER
            .number("httpPutResponseHopLimit", metadata.http_put_response_hop_limit())?,
        root_encrypted,
        tags: tags::own(tags::from_ec2(instance.tags())),
    })
}

/// Returns whether the instance was created with a public address of AWS's own.
///
/// AWS keeps no record of that. A stopped instance has no such address, and a fixed address takes
/// its place: in both cases it cannot be known.
fn public(instance: &SeenInstance) -> Option<bool> {
    let association = primary(instance).and_then(|interface| interface.association());
    let running = instance.state().and_then(|state| state.name());
    match association {
        Some(association) => (association.ip_owner_id() == Some("amazon")).then_some(true),
        None => (running == Some(&InstanceStateName::Running)).then_some(false),
    }
}
