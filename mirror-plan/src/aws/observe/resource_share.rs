//! Reading resource shares: which ones exist, and what is in them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ram::types::{
    ResourceOwner, ResourceShare as SeenShare, ResourceShareAssociation as Association,
    ResourceShareAssociationStatus as Status, ResourceShareAssociationType as Associated,
    ResourceShareStatus, TagFilter,
};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::{AnswerError, CallError, ErrorKind};
use super::super::page::pages;
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::observed::Found;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::resource_share::ResourceShareArn;
use crate::resource::{ResourceShare, Tags};
use crate::scalar::SharePrincipal;

const ANSWER: Answer = Answer("GetResourceShares");

/// The largest page.
///
/// Source: AWS RAM API reference, `GetResourceShares` and `GetResourceShareAssociations`, `maxResults`.
const PAGE: i32 = 500;

/// The part of a mirror target's ARN that precedes its id.
const TARGET: &str = ":traffic-mirror-target/";

/// Returns the shares that carry a tag with exactly this value and are not deleted.
pub(in crate::aws) async fn tagged(
    aws: &Aws,
    key: &str,
    value: &str,
) -> Result<Vec<(SeenShare, Tags)>, CallError> {
    let filter = TagFilter::builder().tag_key(key).tag_values(value).build();
    let request = own(aws).tag_filters(filter);
    let all = with_tags(pages!(aws, "GetResourceShares", request, resource_shares));
    Ok(all.filter(|(_, its)| its.get(key).map(String::as_str) == Some(value)).collect())
}

/// Returns all shares of the account that are not deleted.
pub(super) async fn all(aws: &Aws) -> Result<Vec<(SeenShare, Tags)>, CallError> {
    Ok(with_tags(pages!(aws, "GetResourceShares", own(aws), resource_shares)).collect())
}

/// Returns the share with an ARN, if it is not deleted.
pub(in crate::aws) async fn named(
    aws: &Aws,
    arn: &str,
) -> Result<Vec<(SeenShare, Tags)>, CallError> {
    match aws.send(ANSWER.0, own(aws).resource_share_arns(arn).send()).await {
        Ok(answer) => Ok(with_tags(answer.resource_shares.unwrap_or_default()).collect()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

type Listing =
    aws_sdk_ram::operation::get_resource_shares::builders::GetResourceSharesFluentBuilder;

/// Lists the shares of the account, not those that others share with it.
fn own(aws: &Aws) -> Listing {
    aws.ram().get_resource_shares().resource_owner(ResourceOwner::SelfValue).max_results(PAGE)
}

/// Returns shares with their tags. AWS keeps describing a deleted share for a while; it counts as deleted.
///
/// Source: AWS RAM user guide, "Deleting a resource share".
fn with_tags(shares: Vec<SeenShare>) -> impl Iterator<Item = (SeenShare, Tags)> {
    let has_ended = |share: &SeenShare| {
        matches!(share.status(), Some(ResourceShareStatus::Deleting | ResourceShareStatus::Deleted))
    };
    let standing = shares.into_iter().filter(move |share| !has_ended(share));
    standing.map(|share| {
        let tags = tags::from_ram(share.tags());
        (share, tags)
    })
}

/// Returns what of a sort is or was in a share, or in any share of the account if none is named.
pub(in crate::aws) async fn associations(
    aws: &Aws,
    share: Option<&str>,
    of: Associated,
) -> Result<Vec<Association>, CallError> {
    let shares = share.map(|share| vec![share.to_owned()]);
    let request = aws
        .ram()
        .get_resource_share_associations()
        .association_type(of)
        .set_resource_share_arns(shares)
        .max_results(PAGE);
    Ok(pages!(aws, "GetResourceShareAssociations", request, resource_share_associations))
}

/// Returns whether something is in a share, or will be once an account has accepted. An account that has declined is
/// not.
pub(in crate::aws) fn stands(association: &Association) -> bool {
    !matches!(
        association.status(),
        None | Some(Status::Disassociating | Status::Disassociated | Status::Failed)
    )
}

/// Returns the id of the mirror target that an ARN names, if it names one.
pub(in crate::aws) fn target_in(arn: &str) -> Option<MirrorTargetId> {
    let (_, id) = arn.split_once(TARGET)?;
    id.parse().ok()
}

pub(super) async fn observe(
    aws: &Aws,
    whose: Whose<'_>,
    shares: Vec<(SeenShare, Tags)>,
) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::ResourceShare };
    let mut ours = Vec::new();
    for (share, tags) in shares {
        let arn: ResourceShareArn = ANSWER.id("resourceShareArn", share.resource_share_arn())?;
        if let Some(owner) = seen.owner(sought, &arn.erase(), &tags) {
            ours.push((owner, arn, share, tags));
        }
    }
    let held = each(ours.iter().map(|(_, arn, ..)| held(aws, arn)).collect()).await?;
    for ((owner, arn, share, tags), held) in ours.into_iter().zip(held) {
        let Some(entities) = held else { continue };
        let (mut mirror_targets, mut principals) = (BTreeSet::new(), BTreeSet::new());
        for entity in entities {
            match (target_in(&entity), entity.parse::<SharePrincipal>()) {
                (Some(target), _) => drop(mirror_targets.insert(Ref::Id(target))),
                (None, Ok(principal)) => drop(principals.insert(principal)),
                (None, Err(_)) => seen.untold(&owner, &arn.erase(), entity),
            }
        }
        let resource = ResourceShare {
            name: Some(ANSWER.present("name", share.name())?.to_owned()),
            mirror_targets: mirror_targets.into_iter().collect(),
            principals: principals.into_iter().collect(),
            external_principals: ANSWER
                .present("allowExternalPrincipals", share.allow_external_principals())?,
            tags: tags::own(tags),
        };
        let (id, generation) = (arn.erase(), owner.generation);
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource: resource.into(), computed, parts });
    }
    Ok(seen)
}

/// Returns what is in a share, and who may use it.
async fn held(aws: &Aws, share: &ResourceShareArn) -> Result<Vec<String>, ObserveError> {
    let (resources, principals) = tokio::try_join!(
        associations(aws, Some(share.as_str()), Associated::Resource),
        associations(aws, Some(share.as_str()), Associated::Principal),
    )?;
    let standing = resources.iter().chain(&principals).filter(|it| stands(it));
    let entities = standing.map(|it| {
        let entity = Answer("GetResourceShareAssociations")
            .present("associatedEntity", it.associated_entity())?;
        Ok(entity.to_owned())
    });
    entities.collect::<Result<_, AnswerError>>().map_err(ObserveError::from)
}
