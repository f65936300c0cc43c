//! How many targets there may be: in a group, and behind one Network Load Balancer.
//!
//! Source: Network Load Balancer user guide, "Quotas for your Network Load Balancers".

use super::health;
use crate::elbv2::load_balancer::Sort;
use crate::elbv2::target_group::TargetGroup;
use crate::elbv2::{Listener, LoadBalancer, listener, target_group};
use crate::failure::{Failure, Outcome};
use crate::world::View;
use std::collections::BTreeMap;

/// Refuses the targets of a group if they are too many for it, or for the load balancer that forwards to it.
pub(super) fn check(view: View<'_>, group: &TargetGroup) -> Outcome {
    let max = view.settings.quotas.targets_per_group;
    within(max, group.targets.len(), "in a group")?;
    let mut users = target_group::listeners(view.region, &group.arn);
    let lb = users.find_map(|user| view.region.load_balancers.get(&user.load_balancer_arn));
    let Some(lb) = lb else { return Ok(()) };
    let listeners = listener::of(view.region, lb).into_iter();
    let others = listeners.filter(|other| other.target_group_arn != group.arn);
    behind(view, lb, others.filter_map(|other| target_group::of(view.region, other)).chain([group]))
}

/// Refuses a listener if its load balancer has too many targets with it.
pub(crate) fn check_behind(view: View<'_>, lb: &LoadBalancer, listener: &Listener) -> Outcome {
    let listeners = listener::of(view.region, lb).into_iter();
    let others = listeners.filter(|other| other.arn != listener.arn).chain([listener]);
    behind(view, lb, others.filter_map(|other| target_group::of(view.region, other)))
}

fn behind<'a>(
    view: View<'_>,
    lb: &LoadBalancer,
    groups: impl Iterator<Item = &'a TargetGroup>,
) -> Outcome {
    if lb.sort() == Sort::Gateway {
        return Ok(());
    }
    let groups: BTreeMap<&str, &TargetGroup> = groups.map(|group| (&*group.arn, group)).collect();
    let mut by_zone: BTreeMap<&str, usize> = BTreeMap::new();
    let targets = groups.values().flat_map(|group| group.targets.iter().map(move |it| (group, it)));
    for (group, target) in targets.filter(|(_, target)| target.is_there(view.now)) {
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
