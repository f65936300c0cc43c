//! Calls about resource shares.
//!
//! Adding to a share and removing from it take effect after a while; the calls wait for that. An account that is
//! invited accepts whenever it likes, and is not waited for.

use aws_sdk_ram::operation::create_resource_share::CreateResourceShareOutput;
use aws_sdk_ram::types::{
    ResourceShareAssociation, ResourceShareAssociationStatus as Status,
    ResourceShareAssociationType as Associated,
};

use super::super::answer::Answer;
use super::super::observe::resource_share::associations;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::attribute::Ref;
use crate::iam::arn;
use crate::resource::access::ArnType;
use crate::resource::resource_share::{Operation, ResourceShareArn};
use crate::resource::{MirrorTarget, ResourceShare};
use crate::scalar::SharePrincipal;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Update { resource_share, name, external_principals } => {
            let request = acting
                .aws
                .ram()
                .update_resource_share()
                .resource_share_arn(acting.id(resource_share)?.as_str())
                .name(name)
                .allow_external_principals(*external_principals);
            acting.call("UpdateResourceShare", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Disassociate { resource_share, mirror_targets, principals } => {
            let share = acting.id(resource_share)?;
            disassociate(acting, &share, (mirror_targets, principals)).await
        }
        Operation::Associate { resource_share, mirror_targets, principals } => {
            let share = acting.id(resource_share)?;
            associate(acting, &share, (mirror_targets, principals)).await
        }
        Operation::Delete { resource_share } => delete(acting, &acting.id(resource_share)?).await,
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { name, mirror_targets, principals, external_principals, tags } =
        operation
    else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let targets = arns(acting, mirror_targets).await?;
    let request = acting
        .aws
        .ram_once()
        .create_resource_share()
        .client_token(acting.token())
        .name(name)
        .set_resource_arns(Some(targets.clone()))
        .set_principals(Some(texts(principals)))
        .allow_external_principals(*external_principals)
        .set_tags(Some(tags::to_ram(tags)));
    let making = Making { call: "CreateResourceShare", tags };
    let id = |answer: &CreateResourceShareOutput| {
        let share = answer.resource_share().and_then(|share| share.resource_share_arn());
        Answer("CreateResourceShare").id::<ResourceShare>("resourceShareArn", share)
    };
    let (share, _) = acting.make(making, || request.clone().send(), id).await?;
    shared(acting, &share, &targets).await?;
    Ok(Made::object(&share))
}

async fn associate(
    acting: &Acting<'_>,
    share: &ResourceShareArn,
    (mirror_targets, principals): (&[Ref<MirrorTarget>], &[SharePrincipal]),
) -> Result<Made, ActError> {
    let targets = arns(acting, mirror_targets).await?;
    let request = acting
        .aws
        .ram()
        .associate_resource_share()
        .client_token(acting.token())
        .resource_share_arn(share.as_str())
        .set_resource_arns((!targets.is_empty()).then(|| targets.clone()))
        .set_principals((!principals.is_empty()).then(|| texts(principals)));
    acting.call("AssociateResourceShare", || request.clone().send()).await?;
    shared(acting, share, &targets).await?;
    Ok(Made::nothing())
}

/// Removes targets and principals from a share, one by one: AWS does not document what happens to a call that names
/// several of which one is already out.
async fn disassociate(
    acting: &Acting<'_>,
    share: &ResourceShareArn,
    (mirror_targets, principals): (&[Ref<MirrorTarget>], &[SharePrincipal]),
) -> Result<Made, ActError> {
    const CALL: &str = "DisassociateResourceShare";
    let (targets, principals) = (arns(acting, mirror_targets).await?, texts(principals));
    let request = acting.aws.ram().disassociate_resource_share().resource_share_arn(share.as_str());
    for target in &targets {
        let request = request.clone().resource_arns(target);
        acting.withdraw(CALL, || request.clone().send()).await?;
    }
    for principal in &principals {
        let request = request.clone().principals(principal);
        acting.withdraw(CALL, || request.clone().send()).await?;
    }
    for (of, gone) in [(Associated::Resource, &targets), (Associated::Principal, &principals)] {
        left(acting, share, (of, gone)).await?;
    }
    Ok(Made::nothing())
}

async fn delete(acting: &Acting<'_>, share: &ResourceShareArn) -> Result<Made, ActError> {
    let request = acting.aws.ram().delete_resource_share().resource_share_arn(share.as_str());
    acting.withdraw("DeleteResourceShare", || request.clone().send()).await?;
    let seen = seen(acting, share, Associated::Resource).await?;
    let targets: Vec<String> =
        seen.iter().filter_map(|it| it.associated_entity().map(str::to_owned)).collect();
    left(acting, share, (Associated::Resource, &targets)).await?;
    Ok(Made::nothing())
}

/// Waits until the accounts in the share can use the targets.
async fn shared(
    acting: &Acting<'_>,
    share: &ResourceShareArn,
    targets: &[String],
) -> Result<(), ActError> {
    let mut patience = acting.patience("shared", limit::AVAILABLE);
    for target in targets {
        loop {
            let seen = seen(acting, share, Associated::Resource).await?;
            let mut of_it =
                seen.iter().filter(|it| it.associated_entity() == Some(target.as_str()));
            if of_it.clone().any(|it| it.status() == Some(&Status::Associated)) {
                break;
            }
            if let Some(failed) = of_it.clone().find(|it| it.status() == Some(&Status::Failed)) {
                let (what, state) = (target.clone(), word(failed).to_owned());
                let reason = failed.status_message().map(str::to_owned);
                return Err(ActError::Failed { what, state, reason });
            }
            let now = of_it.next().map(|it| format!("state of {target} is {}", word(it)));
            patience.pause(now.unwrap_or_else(|| format!("{target} is not visible yet"))).await?;
        }
    }
    Ok(())
}

/// Waits until none of these is in the share any more, or still leaving it.
async fn left(
    acting: &Acting<'_>,
    share: &ResourceShareArn,
    (of, gone): (Associated, &[String]),
) -> Result<(), ActError> {
    if gone.is_empty() {
        return Ok(());
    }
    let mut patience = acting.patience("no longer shared", limit::AVAILABLE);
    loop {
        let seen = seen(acting, share, of.clone()).await?;
        let staying = seen.iter().find(|it| {
            it.associated_entity().is_some_and(|it| gone.iter().any(|gone| gone == it))
                && !has_left(it)
        });
        let Some(staying) = staying else { return Ok(()) };
        patience.pause(format!("state is {}", word(staying))).await?;
    }
}

fn has_left(association: &ResourceShareAssociation) -> bool {
    matches!(association.status(), None | Some(Status::Disassociated | Status::Failed))
}

fn word(association: &ResourceShareAssociation) -> &str {
    association.status().map_or("unknown", |status| status.as_str())
}

/// Returns what of a sort is or was in a share; nothing if there is no such share.
async fn seen(
    acting: &Acting<'_>,
    share: &ResourceShareArn,
    of: Associated,
) -> Result<Vec<ResourceShareAssociation>, ActError> {
    let seen = associations(acting.aws, Some(share.as_str()), of).await;
    Ok(unless_absent(seen)?.unwrap_or_default())
}

/// Returns the ARNs of targets of this account, in the order of their ids.
async fn arns(acting: &Acting<'_>, targets: &[Ref<MirrorTarget>]) -> Result<Vec<String>, ActError> {
    let (ids, account) = (acting.ids(targets)?, acting.aws.account().await?);
    let region = acting.aws.region();
    let arns = ids.iter().map(|id| arn(ArnType::TrafficMirrorTarget, id, &account, region));
    Ok(arns.collect())
}

fn texts(principals: &[SharePrincipal]) -> Vec<String> {
    principals.iter().map(SharePrincipal::to_string).collect()
}
