//! Elastic Load Balancing: Network and Gateway Load Balancers, target groups and listeners.
//!
//! Load balancers of type `application` do not exist here, and are refused by name.

mod account_limit;
mod arn;
mod attribute;
mod listener;
mod load_balancer;
mod page;
mod tag;
mod target;
mod target_group;

pub(crate) use listener::Listener;
pub(crate) use load_balancer::{LoadBalancer, Sort};
pub(crate) use target::{Standing, discharge, enlist, interface, standings, standings_of};
pub(crate) use target_group::{TargetGroup, TargetType};

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::world::Region;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[
    account_limit::ACTIONS,
    attribute::ACTIONS,
    listener::ACTIONS,
    load_balancer::ACTIONS,
    tag::ACTIONS,
    target::ACTIONS,
    target_group::ACTIONS,
];

/// Returns the target group to which a load balancer forwards UDP packets for a port.
pub(crate) fn behind<'a>(
    region: &'a Region,
    balancer: &LoadBalancer,
    port: u16,
) -> Option<&'a TargetGroup> {
    let mut listeners = listener::of(region, balancer).into_iter();
    let is_udp = |listener: &Listener| {
        listener.protocol.as_ref().is_some_and(|protocol| protocol.contains("UDP"))
    };
    let listener = listeners.find(|it| it.port == Some(port) && is_udp(it))?;
    region.target_groups.get(&listener.target_group_arn)
}

/// Returns the target group of a Gateway Load Balancer, which has one listener, for everything.
pub(crate) fn behind_gateway<'a>(
    region: &'a Region,
    balancer: &LoadBalancer,
) -> Option<&'a TargetGroup> {
    let listener = listener::of(region, balancer).into_iter().next()?;
    region.target_groups.get(&listener.target_group_arn)
}

/// Returns whether every node of a load balancer forwards to the targets of all zones.
pub(crate) fn crosses_zones(balancer: &LoadBalancer, group: &TargetGroup) -> bool {
    const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
    match group.attributes.text(CROSS_ZONE) {
        Some("true") => true,
        Some("false") => false,
        _ => balancer.attributes.is_on(CROSS_ZONE),
    }
}

const NAME_LENGTH_MAX: usize = 32;

/// Checks the name of a load balancer or target group.
fn check_name(noun: &str, name: &str) -> Outcome {
    let wrong = |why: String| Err(invalid(format!("The {noun} name '{name}' {why}")));
    if name.chars().count() > NAME_LENGTH_MAX {
        return wrong(format!("cannot be longer than '{NAME_LENGTH_MAX}' characters"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return wrong(
            "can only contain characters that are alphanumeric characters and hyphens(-)".into(),
        );
    }
    if name.starts_with('-') || name.ends_with('-') {
        return wrong("cannot begin or end with a hyphen(-)".into());
    }
    if name.starts_with("internal-") {
        return wrong("cannot begin with 'internal-'".into());
    }
    Ok(())
}

/// A parameter is not acceptable.
fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("ValidationError", message.into())
}

/// What is asked for cannot be configured.
fn unconfigurable(message: impl Into<String>) -> Failure {
    Failure::new("InvalidConfigurationRequest", message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_documented() {
        let fine =
            ["a", "nlb-1", &"x".repeat(32)].map(|name| check_name("load balancer", name).is_ok());
        let refused = ["-a", "a-", "a_b", "internal-a", &"x".repeat(33), "é"];
        assert_eq!(fine, [true; 3]);
        assert_eq!(refused.map(|name| check_name("load balancer", name).is_err()), [true; 6]);
    }
}
