//! Where the next instance is launched, and which one is terminated first.
//!
//! Source: EC2 Auto Scaling user guide, "Auto Scaling group Availability Zone distribution" and "Default termination
//! policy".

use crate::autoscaling::group::AutoScalingGroup;
use crate::autoscaling::member::Member;
use crate::world::Region;
use std::cmp::Reverse;

/// The subnets of a group, beginning with the one where the next instance is launched: in the zone with the fewest,
/// and there in the subnet with the fewest.
pub(super) fn places(
    region: &Region,
    group: &AutoScalingGroup,
    members: &[&Member],
) -> Vec<String> {
    let zone = |subnet: &str| region.subnets.get(subnet).map_or("", |subnet| &*subnet.zone);
    let mut places: Vec<&String> = group.subnets.iter().collect();
    places.sort_by_key(|subnet| {
        let beside = members.iter().filter(|it| it.zone == zone(subnet)).count();
        let inside = members.iter().filter(|it| it.subnet_id == ***subnet).count();
        (beside, inside)
    });
    places.into_iter().cloned().collect()
}

/// Whether one more instance, in place of an existing one, would improve the balance: an instance is where the group
/// no longer has a subnet, or a zone has two more than another.
pub(super) fn is_uneven(region: &Region, group: &AutoScalingGroup, members: &[&Member]) -> bool {
    let zones = group.zones(region);
    let counts = zones.iter().map(|zone| members.iter().filter(|it| it.zone == *zone).count());
    let counts: Vec<usize> = counts.collect();
    let (most, least) = (counts.iter().max(), counts.iter().min());
    members.iter().any(|member| is_stray(group, member))
        || most.zip(least).is_some_and(|(most, least)| most - least > 1)
}

/// The instance to terminate first: one where the group no longer has a subnet, then one in the zone with the most, of
/// a version of the launch template other than the current one, and the oldest.
pub(super) fn to_go(
    group: &AutoScalingGroup,
    members: &[&Member],
    current: Option<u64>,
) -> Option<String> {
    let beside = |zone: &str| members.iter().filter(|it| it.zone == zone).count();
    let first = members.iter().min_by_key(|it| {
        let is_current = Some(it.source.version) == current;
        let zone = Reverse(beside(&it.zone));
        (!is_stray(group, it), zone, is_current, it.launched, &it.instance_id)
    });
    first.map(|member| member.instance_id.clone())
}

fn is_stray(group: &AutoScalingGroup, member: &Member) -> bool {
    !group.subnets.contains(&member.subnet_id)
}
