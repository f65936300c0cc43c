//! A glimpse: only the ids of what a stack owns, in one call for each page of tags.

use std::collections::BTreeSet;

use super::super::Aws;
use super::super::tags;
use super::{ObserveError, autoscaling_group, elb, resource_share, sweep};
use crate::observed::Observed;
use crate::resource::{Tags, tag};

/// Returns whether the objects that AWS shows for a stack differ from those that were seen.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub(crate) async fn has_moved(
    aws: &Aws,
    stack: &str,
    seen: &Observed,
) -> Result<bool, ObserveError> {
    let is_owned = |_: &str, _: &str, its: &Tags| tags::is_of(its, stack);
    let (swept, by_arn, groups, shares) = tokio::try_join!(
        Box::pin(sweep::sweep(aws, stack)),
        Box::pin(elb::sweep(aws, &is_owned)),
        Box::pin(async { Ok(autoscaling_group::tagged(aws, tag::STACK, stack).await?) }),
        Box::pin(async { Ok(resource_share::tagged(aws, tag::STACK, stack).await?) }),
    )?;
    let by_arn = by_arn.with_groups(groups, &is_owned).with_shares(shares, &is_owned);
    let mut tagged: BTreeSet<String> = swept.into_values().flatten().collect();
    tagged.extend(by_arn.arns()?);
    let seen = seen.owned.values().flatten().map(|found| found.id.to_string());
    Ok(tagged != seen.collect::<BTreeSet<_>>())
}
