//! A glimpse: only the ids of what a stack owns, and only in the services in which something may appear: one call for
//! each page of tags.

use std::collections::BTreeSet;

use super::super::Aws;
use super::super::tags;
use super::by_arn::ByArn;
use super::{ObserveError, autoscaling_group, elb, resource_share, sweep};
use crate::address::Kind;
use crate::observed::Observed;
use crate::resource::access::Service;
use crate::resource::{Tags, tag};

/// Returns whether the objects that AWS shows for a stack differ from those that were seen.
///
/// Only the services of these `kinds` are queried.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub(crate) async fn has_moved(
    aws: &Aws,
    stack: &str,
    seen: &Observed,
    kinds: &BTreeSet<Kind>,
) -> Result<bool, ObserveError> {
    let services: BTreeSet<Service> = kinds.iter().copied().map(Service::of).collect();
    for service in services {
        let shown = shown(aws, stack, service).await?;
        let of_service = seen.owned.iter().filter(|(it, _)| Service::of(it.kind) == service);
        let seen = of_service.flat_map(|(_, all)| all).map(|found| found.id.to_string());
        if shown != seen.collect::<BTreeSet<_>>() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the ids of what a service shows for a stack.
async fn shown(aws: &Aws, stack: &str, service: Service) -> Result<BTreeSet<String>, ObserveError> {
    let is_owned = |_: &str, _: &str, its: &Tags| tags::is_of(its, stack);
    let by_arn = match service {
        Service::Ec2 => {
            let swept = sweep::sweep(aws, stack).await?;
            return Ok(swept.into_values().flatten().collect());
        }
        Service::LoadBalancing => elb::sweep(aws, &is_owned).await?,
        Service::Autoscaling => {
            let groups = autoscaling_group::tagged(aws, tag::STACK, stack).await?;
            ByArn::default().with_groups(groups, &is_owned)
        }
        Service::Sharing => {
            let shares = resource_share::tagged(aws, tag::STACK, stack).await?;
            ByArn::default().with_shares(shares, &is_owned)
        }
    };
    Ok(by_arn.arns()?.into_iter().collect())
}
