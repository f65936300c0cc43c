//! Changing the tags of an object that exists.

use std::time::Duration;

use super::super::Aws;
use super::super::errors::{CallError, ErrorKind};
use super::super::tags;
use super::super::wait::{Patience, limit};
use super::ActError;
use crate::address::Kind;
use crate::id::ObjectId;
use crate::resource::access::Service;
use crate::resource::{Retag, Tags, autoscaling_group};

pub(super) async fn retag(
    aws: &Aws,
    kind: Kind,
    id: &ObjectId,
    retag: &Retag,
) -> Result<(), ActError> {
    let Retag { set, remove } = retag;
    let mut patience = Patience::new(aws.shared.pace, &|_| {}, "AWS accepts the tags", BUSY);
    loop {
        match once(aws, kind, id, set, remove.iter().cloned().collect()).await {
            Ok(()) => return Ok(()),
            // The tags of one object are being changed twice at the same time.
            Err(error) if error.kind == ErrorKind::Busy && !aws.is_dry() => {
                if patience.pause(error.to_string()).await.is_err() {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long to wait for other changes of the same tags.
const BUSY: Duration = limit::SEEN;

async fn once(
    aws: &Aws,
    kind: Kind,
    id: &ObjectId,
    set: &Tags,
    remove: Vec<String>,
) -> Result<(), CallError> {
    match Service::of(kind) {
        Service::Ec2 => in_ec2(aws, id.as_str(), set, remove).await,
        Service::LoadBalancing => in_load_balancing(aws, id.as_str(), set, remove).await,
        Service::Autoscaling => {
            of_group(aws, autoscaling_group::name_in(id.as_str()), set, remove).await
        }
        Service::Sharing => of_share(aws, id.as_str(), set, remove).await,
    }
}

async fn in_ec2(aws: &Aws, id: &str, set: &Tags, remove: Vec<String>) -> Result<(), CallError> {
    if !set.is_empty() {
        let request = aws.ec2().create_tags().resources(id).set_tags(Some(tags::to_ec2(set)));
        aws.send("CreateTags", request.send()).await?;
    }
    if !remove.is_empty() {
        // By key alone, whatever the value is.
        let tag = |key| aws_sdk_ec2::types::Tag::builder().key(key).build();
        let tags = remove.into_iter().map(tag).collect();
        let request = aws.ec2().delete_tags().resources(id).set_tags(Some(tags));
        aws.send("DeleteTags", request.send()).await?;
    }
    Ok(())
}

async fn in_load_balancing(
    aws: &Aws,
    arn: &str,
    set: &Tags,
    remove: Vec<String>,
) -> Result<(), CallError> {
    if !set.is_empty() {
        let request = aws.elb().add_tags().resource_arns(arn).set_tags(Some(tags::to_elb(set)));
        aws.send("AddTags", request.send()).await?;
    }
    if !remove.is_empty() {
        let request = aws.elb().remove_tags().resource_arns(arn).set_tag_keys(Some(remove));
        aws.send("RemoveTags", request.send()).await?;
    }
    Ok(())
}

async fn of_share(
    aws: &Aws,
    share: &str,
    set: &Tags,
    remove: Vec<String>,
) -> Result<(), CallError> {
    if !set.is_empty() {
        let request = aws.ram().tag_resource().resource_share_arn(share);
        aws.send("TagResource", request.set_tags(Some(tags::to_ram(set))).send()).await?;
    }
    if !remove.is_empty() {
        let request = aws.ram().untag_resource().resource_share_arn(share);
        aws.send("UntagResource", request.set_tag_keys(Some(remove)).send()).await?;
    }
    Ok(())
}

async fn of_group(
    aws: &Aws,
    group: &str,
    set: &Tags,
    remove: Vec<String>,
) -> Result<(), CallError> {
    if !set.is_empty() {
        let tags = tags::to_autoscaling(group, set);
        let request = aws.autoscaling().create_or_update_tags().set_tags(Some(tags));
        aws.send("CreateOrUpdateTags", request.send()).await?;
    }
    if !remove.is_empty() {
        let tags = remove.iter().map(|key| tags::of_group(group, key).build()).collect();
        let request = aws.autoscaling().delete_tags().set_tags(Some(tags));
        aws.send("DeleteTags", request.send()).await?;
    }
    Ok(())
}
