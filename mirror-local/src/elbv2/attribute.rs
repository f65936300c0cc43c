//! Attributes: named settings of load balancers, target groups and listeners.
//!
//! Each kind has one table of the attributes it knows, with default and allowed values. A resource stores only what
//! differs from the default.

use super::target_group::TargetGroup;
use super::unconfigurable;
use super::{Listener, LoadBalancer, Sort, invalid, listener, load_balancer, target_group};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::read("DescribeLoadBalancerAttributes", |view, parameters, xml| {
        write(OF_LOAD_BALANCER, load_balancer::named(view.region, parameters)?, xml);
        Ok(())
    })
    .without_dry_run(),
    Action::write("ModifyLoadBalancerAttributes", |call, xml| {
        let mut lb = load_balancer::named(call.region, call.parameters)?.clone();
        modify(OF_LOAD_BALANCER, &mut lb, call.parameters)?;
        write(OF_LOAD_BALANCER, &lb, xml);
        call.region.load_balancers.insert(lb.arn.clone(), lb);
        Ok(())
    })
    .without_dry_run(),
    Action::read("DescribeTargetGroupAttributes", |view, parameters, xml| {
        write(OF_TARGET_GROUP, target_group::named(view.region, parameters)?, xml);
        Ok(())
    })
    .without_dry_run(),
    Action::write("ModifyTargetGroupAttributes", |call, xml| {
        let mut group = target_group::named(call.region, call.parameters)?.clone();
        modify(OF_TARGET_GROUP, &mut group, call.parameters)?;
        write(OF_TARGET_GROUP, &group, xml);
        call.region.target_groups.insert(group.arn.clone(), group);
        Ok(())
    })
    .without_dry_run(),
    Action::read("DescribeListenerAttributes", |view, parameters, xml| {
        write(OF_LISTENER, listener::named(view.region, parameters)?, xml);
        Ok(())
    })
    .without_dry_run(),
    Action::write("ModifyListenerAttributes", |call, xml| {
        let mut listener = listener::named(call.region, call.parameters)?.clone();
        modify(OF_LISTENER, &mut listener, call.parameters)?;
        write(OF_LISTENER, &listener, xml);
        call.region.listeners.insert(listener.arn.clone(), listener);
        Ok(())
    })
    .without_dry_run(),
];

/// The attributes of a resource that are not at their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Returns whether an attribute that is off by default has been turned on.
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value == "true")
    }

    /// Returns a value, if it was set.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns a number, if it was set.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.parse().ok()
    }
}

/// One attribute that a kind of resource knows.
struct Attribute<T: 'static> {
    key: &'static str,
    /// The default; `None` if the resource does not have the attribute.
    default: fn(&T) -> Option<&'static str>,
    values: Values,
}

/// The values that an attribute accepts.
#[derive(Debug)]
enum Values {
    Any,
    Numbers(RangeInclusive<u32>),
    /// A number, or `off`.
    NumbersOrOff(RangeInclusive<u32>),
    Words(&'static [&'static str]),
}

/// What has attributes.
trait Attributed {
    const NOUN: &'static str;
    fn attributes(&self) -> &Attributes;
    fn attributes_mut(&mut self) -> &mut Attributes;
    /// Refuses a value that this resource cannot have, though others can.
    fn check(&self, _key: &str, _value: &str) -> Outcome {
        Ok(())
    }
    /// Refuses values that do not go together.
    fn check_together(&self) -> Outcome {
        Ok(())
    }
}

const SWITCH: Values = Values::Words(&["true", "false"]);

const OF_LOAD_BALANCER: &[Attribute<LoadBalancer>] = &[
    Attribute { key: "access_logs.s3.bucket", default: |lb| network(lb, ""), values: Values::Any },
    Attribute { key: "access_logs.s3.enabled", default: |lb| network(lb, "false"), values: SWITCH },
    Attribute { key: "access_logs.s3.prefix", default: |lb| network(lb, ""), values: Values::Any },
    Attribute { key: "deletion_protection.enabled", default: |_| Some("false"), values: SWITCH },
    Attribute {
        key: "dns_record.client_routing_policy",
        default: |lb| network(lb, "any_availability_zone"),
        values: Values::Words(&[
            "any_availability_zone",
            "availability_zone_affinity",
            "partial_availability_zone_affinity",
        ]),
    },
    Attribute {
        key: "ipv6.deny_all_igw_traffic",
        default: |lb| network(lb, "false"),
        values: SWITCH,
    },
    Attribute {
        key: "load_balancing.cross_zone.enabled",
        default: |_| Some("false"),
        values: SWITCH,
    },
    Attribute {
        key: "secondary_ips.auto_assigned.per_subnet",
        default: |lb| network(lb, "0"),
        values: Values::Numbers(0..=7),
    },
    Attribute {
        key: "zonal_shift.config.enabled",
        default: |lb| network(lb, "false"),
        values: SWITCH,
    },
];

/// The default of an attribute that only Network Load Balancers have.
fn network(lb: &LoadBalancer, default: &'static str) -> Option<&'static str> {
    (lb.sort() == Sort::Network).then_some(default)
}

/// The default of an attribute that only target groups of Network Load Balancers have.
fn behind_network(group: &TargetGroup, default: &'static str) -> Option<&'static str> {
    (!group.is_for_gateway()).then_some(default)
}

/// How a Gateway Load Balancer treats flows of a target that is gone: the default of both attributes.
fn failover(group: &TargetGroup) -> Option<&'static str> {
    group.is_for_gateway().then_some("no_rebalance")
}

const FAILOVER: Values = Values::Words(&["rebalance", "no_rebalance"]);

const OF_TARGET_GROUP: &[Attribute<TargetGroup>] = &[
    Attribute {
        key: "deregistration_delay.connection_termination.enabled",
        default: |group| behind_network(group, if group.carries_udp() { "true" } else { "false" }),
        values: SWITCH,
    },
    Attribute {
        key: "deregistration_delay.timeout_seconds",
        default: |_| Some("300"),
        values: Values::Numbers(0..=3600),
    },
    Attribute {
        key: "load_balancing.cross_zone.enabled",
        default: |group| behind_network(group, "use_load_balancer_configuration"),
        values: Values::Words(&["true", "false", "use_load_balancer_configuration"]),
    },
    Attribute {
        key: "preserve_client_ip.enabled",
        default: |group| {
            behind_network(group, if group.preserves_client_ip() { "true" } else { "false" })
        },
        values: SWITCH,
    },
    Attribute {
        key: "proxy_protocol_v2.enabled",
        default: |group| behind_network(group, "false"),
        values: SWITCH,
    },
    Attribute { key: "stickiness.enabled", default: |_| Some("false"), values: SWITCH },
    Attribute {
        key: "stickiness.type",
        default: |group| {
            Some(if group.is_for_gateway() { "source_ip_dest_ip" } else { "source_ip" })
        },
        values: Values::Words(&["source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"]),
    },
    Attribute { key: "target_failover.on_deregistration", default: failover, values: FAILOVER },
    Attribute { key: "target_failover.on_unhealthy", default: failover, values: FAILOVER },
    Attribute {
        key: "target_group_health.dns_failover.minimum_healthy_targets.count",
        default: |group| behind_network(group, "1"),
        values: Values::NumbersOrOff(1..=u32::MAX),
    },
    Attribute {
        key: "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        default: |group| behind_network(group, "off"),
        values: Values::NumbersOrOff(1..=100),
    },
    Attribute {
        key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        default: |group| behind_network(group, "1"),
        values: Values::Numbers(1..=u32::MAX),
    },
    Attribute {
        key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        default: |group| behind_network(group, "off"),
        values: Values::NumbersOrOff(1..=100),
    },
    Attribute {
        key: "target_health_state.unhealthy.connection_termination.enabled",
        default: |group| behind_network(group, "true").filter(|_| !group.carries_udp()),
        values: SWITCH,
    },
    Attribute {
        key: "target_health_state.unhealthy.draining_interval_seconds",
        default: |group| behind_network(group, "0").filter(|_| !group.carries_udp()),
        values: Values::Numbers(0..=360_000),
    },
];

const OF_LISTENER: &[Attribute<Listener>] = &[Attribute {
    key: "tcp.idle_timeout.seconds",
    default: |listener| match listener.protocol.as_deref() {
        // A Gateway Load Balancer's.
        None | Some("TCP") => Some("350"),
        Some(_) => None,
    },
    values: Values::Numbers(60..=6000),
}];

impl Attributed for LoadBalancer {
    const NOUN: &'static str = "Load balancer";

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    fn attributes_mut(&mut self) -> &mut Attributes {
        &mut self.attributes
    }

    fn check(&self, key: &str, value: &str) -> Outcome {
        let secondary = "secondary_ips.auto_assigned.per_subnet";
        let lower = value.parse().ok() < self.attributes.number(secondary);
        if key == secondary && lower {
            return Err(unconfigurable(format!("The value of {key} cannot be lowered")));
        }
        Ok(())
    }
}

impl Attributed for TargetGroup {
    const NOUN: &'static str = "Target group";

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    fn attributes_mut(&mut self) -> &mut Attributes {
        &mut self.attributes
    }

    fn check(&self, key: &str, value: &str) -> Outcome {
        if key == "preserve_client_ip.enabled" && value == "false" && self.carries_udp() {
            let protocol = &self.protocol;
            let message = format!("{key} cannot be disabled for target groups of {protocol}");
            return Err(unconfigurable(message));
        }
        if key == "stickiness.type" && (value == "source_ip") == self.is_for_gateway() {
            let protocol = &self.protocol;
            let message = format!("{key} cannot be {value} for target groups of {protocol}");
            return Err(unconfigurable(message));
        }
        Ok(())
    }

    /// Both say what becomes of flows: Elastic Load Balancing API reference, `TargetGroupAttribute`.
    fn check_together(&self) -> Outcome {
        let failover = ["on_deregistration", "on_unhealthy"];
        let [one, other] = failover.map(|when| {
            self.attributes.text(&format!("target_failover.{when}")).unwrap_or("no_rebalance")
        });
        if one == other {
            return Ok(());
        }
        let message = "target_failover.on_deregistration and target_failover.on_unhealthy must be \
                       the same";
        Err(unconfigurable(message))
    }
}

impl Attributed for Listener {
    const NOUN: &'static str = "Listener";

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    fn attributes_mut(&mut self) -> &mut Attributes {
        &mut self.attributes
    }
}

impl Values {
    fn allow(&self, value: &str) -> bool {
        let within = |range: &RangeInclusive<u32>| value.parse().is_ok_and(|n| range.contains(&n));
        match self {
            Self::Any => true,
            Self::Numbers(range) => within(range),
            Self::NumbersOrOff(range) => value == "off" || within(range),
            Self::Words(words) => words.contains(&value),
        }
    }
}

fn write<T: Attributed>(known: &[Attribute<T>], resource: &T, xml: &mut Xml) {
    let held =
        known.iter().filter_map(|attribute| Some((attribute, (attribute.default)(resource)?)));
    xml.members("Attributes", held, |xml, (attribute, default)| {
        let set = resource.attributes().0.get(attribute.key).map(String::as_str);
        xml.text("Key", attribute.key);
        xml.text("Value", set.unwrap_or(default));
    });
}

fn modify<T: Attributed>(
    known: &[Attribute<T>],
    resource: &mut T,
    parameters: &Parameters,
) -> Outcome {
    let changes = parameters.list("Attributes");
    if changes.is_empty() {
        return Err(Failure::missing("Attributes"));
    }
    for change in changes {
        let key = change.required("Key")?;
        let value = change.text("Value").unwrap_or_default();
        let noun = T::NOUN;
        let attribute = known
            .iter()
            .find(|attribute| attribute.key == key && (attribute.default)(resource).is_some())
            .ok_or_else(|| invalid(format!("{noun} attribute key '{key}' is not recognized")))?;
        if !attribute.values.allow(value) {
            return Err(invalid(format!(
                "{noun} attribute value '{value}' is not valid for the key '{key}'"
            )));
        }
        resource.check(key, value)?;
        resource.attributes_mut().0.insert(key.to_owned(), value.to_owned());
    }
    resource.check_together()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_kind() {
        let seven = Values::Numbers(0..=7);
        assert!(seven.allow("7") && !seven.allow("8") && !seven.allow("") && !seven.allow("-1"));
        let or_off = Values::NumbersOrOff(1..=100);
        assert!(or_off.allow("off") && or_off.allow("1") && !or_off.allow("0"));
        assert!(SWITCH.allow("true") && !SWITCH.allow("True"));
    }

    #[test]
    fn the_tables_are_in_the_order_of_their_keys() {
        fn ordered<T>(known: &[Attribute<T>]) -> bool {
            known.windows(2).all(|pair| pair[0].key < pair[1].key)
        }
        assert!(ordered(OF_LOAD_BALANCER) && ordered(OF_TARGET_GROUP) && ordered(OF_LISTENER));
    }
}
