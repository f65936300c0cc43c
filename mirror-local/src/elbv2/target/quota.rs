//! How many targets there may be: in a group, and behind one Network Load Balancer.
//!
//! Source: Network Load Balancer user guide, "Quotas for your Network Load Balancers".

use super::health;
use crate::elbv2::LoadBalancer;
use crate::elbv2::load_balancer::Sort;
use crate::elbv2::target_group::TargetGroup;
use crate::elbv2::{listener, target_group};
use crate::failure::{Failure, Outcome};
use crate::world::View;
use std::collections::BTreeMap;

/// Refuses the targets of a group if they are too many for it, or for the load balancer that forwards to it.
pub(super) fn check(view: View<'_>, group: &TargetGroup) -> Outcome {
    let max = view.settings.quotas.targets_per_group;
    within(max, group.targets.len(), "in a group")?;
    let mut users = target_group::listeners(view.region, &group.arn);
    let lb = users.find_map(|user| view.region.load_balancers.get(&user.load_balancer_arn));
    lb.map_or(Ok(()), |lb| check_behind(view, lb, group))
}

/// Refuses a group if the load balancer has too many targets with it.
pub(crate) fn check_behind(view: View<'_>, lb: &LoadBalancer, group: &TargetGroup) -> Outcome {
    if lb.sort() == Sort::Gateway {
        return Ok(());
    }
    let listeners = listener::of(view.region, lb).into_iter();
    let others = listeners.filter_map(|it| view.region.target_groups.get(&it.target_group_arn));
    let mut groups: BTreeMap<&str, &TargetGroup> =
        others.map(|other| (&*other.arn, other)).collect();
    groups.insert(&group.arn, group);
    let mut by_zone: BTreeMap<&str, usize> = BTreeMap::new();
    for (group, target) in
        groups.values().flat_map(|group| group.targets.iter().map(move |target| (group, target)))
    {
        let interface = health::interface(view.region, group, target);
        let zone = interface.map(|interface| &*interface.zone).or(target.zone.as_deref());
        *by_zone.entry(zone.unwrap_or_default()).or_default() += 1;
    }
    let quotas = &view.settings.quotas;
    let all = if lb.attributes.is_on("load_balancing.cross_zone.enabled") {
        quotas.targets_per_load_balancer_across_zones
    } else {
        quotas.targets_per_load_balancer
    };
    within(all, by_zone.values().sum(), "of a load balancer")?;
    let most = by_zone.values().max().copied().unwrap_or_default();
    within(quotas.targets_per_zone, most, "of a load balancer in an Availability Zone")
}

fn within(max: usize, count: usize, of_what: &str) -> Outcome {
    if count <= max {
        return Ok(());
    }
    let message = format!("The maximum number of targets {of_what} has been reached ({max})");
    Err(Failure::new("TooManyTargets", message))
}
