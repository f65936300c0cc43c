//! Objects that are to be adopted: their state, and who already owns them.

use std::collections::BTreeMap;

use super::super::errors::CallError;
use super::super::page::{self, Ids, pages};
use super::super::{Aws, BoxFuture};
use super::by_arn::ByArn;
use super::existing::is_listed;
use super::{ObserveError, Whose, kinds, one, resource_share};
use crate::address::{Address, Kind};
use crate::diagnostic::Diagnostic;
use crate::id::ObjectId;
use crate::observed::Found;
use crate::plan::{Adoption, not_free};
use crate::resource::tag;

/// What can be adopted, and what is reported about the rest.
pub type Candidates = (Vec<Adoption>, Vec<Diagnostic>);

/// Reads the objects that are to become these resources. It reports objects that do not exist or already have an owner,
/// and properties that a stack file cannot express.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn candidates<'a>(
    aws: &'a Aws,
    stack: &'a str,
    wanted: &'a [(Address, ObjectId)],
) -> BoxFuture<'a, Result<Candidates, ObserveError>> {
    Box::pin(async move {
        let mut ids: BTreeMap<Kind, Ids> = BTreeMap::new();
        let mut by_arn = ByArn::default();
        for (address, id) in wanted {
            ids.entry(address.kind).or_default().insert(id.to_string());
            match address.kind {
                Kind::TargetGroup => {
                    by_arn.target_groups.extend(one::target_group(aws, id.as_str()).await?);
                }
                Kind::LoadBalancer => {
                    by_arn.load_balancers.extend(one::load_balancer(aws, id.as_str()).await?);
                }
                Kind::GatewayLoadBalancer => {
                    let found = one::load_balancer(aws, id.as_str()).await?;
                    by_arn.gateway_load_balancers.extend(found);
                }
                Kind::AutoscalingGroup => {
                    by_arn
                        .autoscaling_groups
                        .extend(one::autoscaling_group(aws, id.as_str()).await?);
                }
                Kind::ResourceShare => {
                    by_arn.resource_shares.extend(resource_share::named(aws, id.as_str()).await?);
                }
                _ => {}
            }
        }
        let owners = owners(aws, &ids, &by_arn).await?;
        let seen = Box::pin(kinds(aws, Whose::Wanted(stack), &ids, by_arn)).await?;
        let found: BTreeMap<(Kind, String), Found> = seen
            .owned
            .into_iter()
            .map(|(address, found)| ((address.kind, found.id.to_string()), found))
            .collect();
        let (mut adoptions, mut told) = (Vec::new(), seen.findings);
        for (address, id) in wanted {
            let owner = owners.get(id.as_str()).map(String::as_str);
            match found.get(&(address.kind, id.to_string())).filter(|_| owner.is_none()) {
                None => told.push(not_free(address, id, owner)),
                Some(found) => adoptions.push(Adoption {
                    address: address.clone(),
                    found: Found { generation: Adoption::GENERATION, ..found.clone() },
                }),
            }
        }
        Ok((adoptions, told))
    })
}

/// Returns the stacks that own some of these objects, by id.
async fn owners(
    aws: &Aws,
    ids: &BTreeMap<Kind, Ids>,
    by_arn: &ByArn,
) -> Result<BTreeMap<String, String>, CallError> {
    let mut owners = BTreeMap::new();
    let groups = by_arn.target_groups.iter().map(|(of, tags)| (of.target_group_arn(), tags));
    let balancers = by_arn.load_balancers.iter().chain(&by_arn.gateway_load_balancers);
    let balancers = balancers.map(|(of, tags)| (of.load_balancer_arn(), tags));
    let scaling = by_arn.autoscaling_groups.iter();
    let scaling = scaling.map(|(of, tags)| (of.auto_scaling_group_arn(), tags));
    let shares = by_arn.resource_shares.iter();
    let shares = shares.map(|(of, tags)| (of.resource_share_arn(), tags));
    for (arn, tags) in groups.chain(balancers).chain(scaling).chain(shares) {
        if let (Some(arn), Some(stack)) = (arn, tags.get(tag::STACK)) {
            owners.insert(arn.to_owned(), stack.clone());
        }
    }
    let of_ec2 = |kind: &Kind| !is_listed(*kind);
    let ids: Ids =
        ids.iter().filter(|(kind, _)| of_ec2(kind)).flat_map(|(_, ids)| ids).cloned().collect();
    if ids.is_empty() {
        return Ok(owners);
    }
    let request = aws
        .ec2()
        .describe_tags()
        .filters(page::filter("key", [tag::STACK.to_owned()]))
        .set_max_results(Some(page::PAGE));
    let request = match page::only("resource-id", &ids) {
        Some(only) => only.into_iter().fold(request, |request, filter| request.filters(filter)),
        None => request,
    };
    for tag in pages!(aws, "DescribeTags", request, tags) {
        if let (Some(id), Some(stack)) = (tag.resource_id, tag.value) {
            owners.insert(id, stack);
        }
    }
    Ok(owners)
}
