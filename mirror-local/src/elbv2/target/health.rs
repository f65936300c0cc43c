//! Whether a target is healthy.
//!
//! Nothing is probed, since nothing runs. A running instance is assumed to answer on every port that it lets in: a
//! target is healthy if a security group of its interface admits the health check's port from the load balancer's node
//! in the same zone, if the load balancer's own groups, if it has any, let it out, and if the network ACLs between
//! their subnets let the check through and its answer back.

use super::{Standing, Target};
use crate::ec2::instance::State;
use crate::ec2::network_acl;
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::security_group;
use crate::ec2::security_group_rule::{Direction, Peer, Permission};
use crate::elbv2::LoadBalancer;
use crate::elbv2::load_balancer::Zone;
use crate::elbv2::target_group::{TargetGroup, TargetType, listeners};
use crate::schedule::later;
use crate::world::{Region, View};
use crate::xml::Xml;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// The health of a target, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Health {
    state: &'static str,
    /// Code and text of the reason; `None` for a healthy target.
    reason: Option<(&'static str, &'static str)>,
}

pub(super) const NOT_REGISTERED: Health =
    because("unused", "Target.NotRegistered", "Target is not registered to the target group");
const NO_LISTENER: Health =
    because("unused", "Target.NotInUse", "Target group is not used by a load balancer");
const ZONE_DISABLED: Health = because(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
);
const NOT_RUNNING: Health =
    because("unused", "Target.InvalidState", "Target is not in the running state");
const DRAINING: Health =
    because("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
const REGISTERING: Health =
    because("initial", "Elb.RegistrationInProgress", "Target registration is in progress");
const CHECKING: Health =
    because("initial", "Elb.InitialHealthChecking", "Initial health checks in progress");
const FAILED: Health = because("unhealthy", "Target.FailedHealthChecks", "Health checks failed");
const HEALTHY: Health = Health { state: "healthy", reason: None };

const fn because(state: &'static str, code: &'static str, text: &'static str) -> Health {
    Health { state, reason: Some((code, text)) }
}

impl Health {
    /// The standing of a target with this health.
    pub(super) fn standing(self) -> Standing {
        match self {
            HEALTHY => Standing::Healthy,
            FAILED => Standing::Failing,
            DRAINING => Standing::Draining,
            NOT_RUNNING => Standing::Down,
            REGISTERING | CHECKING => Standing::Starting,
            _ => Standing::Unused,
        }
    }

    /// Writes the inside of `TargetHealth`.
    pub(super) fn write(self, xml: &mut Xml) {
        xml.text("State", self.state);
        xml.optional("Reason", self.reason.map(|(code, _)| code));
        xml.optional("Description", self.reason.map(|(_, text)| text));
    }
}

/// Returns whether a target can still be one: AWS drops those whose instance is long gone.
pub(super) fn can_be(region: &Region, group: &TargetGroup, target: &Target) -> bool {
    group.target_type != TargetType::Instance || region.instances.contains(&target.id)
}

/// Returns the health of a registered target.
pub(super) fn of(view: View<'_>, group: &TargetGroup, target: &Target) -> Health {
    if target.gone.is_some() {
        return DRAINING;
    }
    let mut users = listeners(view.region, &group.arn);
    let Some((listener, lb)) = users.find_map(|listener| {
        Some((listener, view.region.load_balancers.get(&listener.load_balancer_arn)?))
    }) else {
        return NO_LISTENER;
    };
    let interface = interface(view.region, group, target);
    let zone = interface.map(|interface| &*interface.zone).or(target.zone.as_deref());
    let Some(node) =
        lb.zones.iter().find(|node| zone.is_none_or(|zone| *node.name == *zone || zone == "all"))
    else {
        return ZONE_DISABLED;
    };
    if !is_running(view, group, target) {
        return NOT_RUNNING;
    }
    let durations = &view.settings.durations;
    let active = lb.active_from(durations);
    if view.now < active {
        return REGISTERING;
    }
    let probed = target.registered.max(listener.forwards_since).max(node.since).max(active);
    if view.now < later(probed, durations.target_initial) {
        return CHECKING;
    }
    let port = group.health_check.port.unwrap_or(target.port);
    let admitted = interface.is_some_and(|to| admits(view.region, (lb, node), to, port));
    if admitted { HEALTHY } else { FAILED }
}

/// Finds the interface through which a target is reached.
pub(crate) fn interface<'a>(
    region: &'a Region,
    group: &TargetGroup,
    target: &Target,
) -> Option<&'a NetworkInterface> {
    match group.target_type {
        TargetType::Instance => region.instances.get(&target.id)?.primary(region),
        TargetType::Ip => {
            let address: Ipv4Addr = target.id.parse().ok()?;
            let mut interfaces = region.network_interfaces.values();
            interfaces.find(|interface| {
                interface.vpc_id == group.vpc_id && interface.addresses().any(|a| a == address)
            })
        }
    }
}

fn is_running(view: View<'_>, group: &TargetGroup, target: &Target) -> bool {
    group.target_type == TargetType::Ip
        || view
            .region
            .instances
            .get(&target.id)
            .is_some_and(|instance| instance.state(view) == State::Running)
}

/// Returns whether a probe of a port gets from a load balancer's node to an interface.
fn admits(
    region: &Region,
    (lb, node): (&LoadBalancer, &Zone),
    to: &NetworkInterface,
    port: u16,
) -> bool {
    let Some(from) = region.network_interfaces.get(&node.interface_id) else { return false };
    let allowed = |own: &[String], direction, (address, groups): (Ipv4Addr, &[String])| {
        own.iter().flat_map(|group| security_group::rules(region, group)).any(|rule| {
            let permission = &rule.permission;
            permission.direction == direction
                && covers(permission, port)
                && meets(&permission.peer, address, groups)
        })
    };
    let out = lb.security_groups.is_empty()
        || allowed(&lb.security_groups, Direction::Egress, (to.private_ip, &to.groups));
    out && allowed(&to.groups, Direction::Ingress, (from.private_ip, &lb.security_groups))
        && crosses(region, (from, to), port)
}

/// Returns whether network ACLs let a probe of a port through from a node to an interface, and its answer back. Inside
/// a subnet no ACL applies.
///
/// They remember nothing, and so must admit all ports that an answer may go to: VPC user guide, "Ephemeral ports".
fn crosses(region: &Region, (from, to): (&NetworkInterface, &NetworkInterface), port: u16) -> bool {
    const EPHEMERAL: RangeInclusive<u16> = 1024..=65535;
    use network_acl::Direction::{Egress, Ingress};
    if from.subnet_id == to.subnet_id {
        return true;
    }
    let lets = |(at, direction, peer): (&NetworkInterface, _, &NetworkInterface), ports| {
        let acl = network_acl::of_subnet(region, &at.subnet_id);
        acl.is_some_and(|acl| acl.lets_tcp(direction, (peer.private_ip, ports)))
    };
    let probe = port..=port;
    lets((from, Egress, to), &probe)
        && lets((to, Ingress, from), &probe)
        && lets((to, Egress, from), &EPHEMERAL)
        && lets((from, Ingress, to), &EPHEMERAL)
}

/// Returns whether a permission covers a TCP port.
fn covers(permission: &Permission, port: u16) -> bool {
    let port = i32::from(port);
    match &*permission.protocol {
        "-1" => true,
        "tcp" | "6" => permission.ports.is_none_or(|(from, to)| (from..=to).contains(&port)),
        _ => false,
    }
}

fn meets(peer: &Peer, address: Ipv4Addr, groups: &[String]) -> bool {
    match peer {
        Peer::Group(id) => groups.contains(id),
        Peer::Ipv4(block) => block.contains(&address),
        Peer::Ipv6(_) | Peer::PrefixList(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_covers_tcp_ports_in_its_range() {
        let covers = |protocol: &str, ports| {
            let peer = Peer::Group("sg-1".into());
            let direction = Direction::Ingress;
            covers(&Permission { direction, protocol: protocol.into(), ports, peer }, 80)
        };
        assert!(covers("-1", None));
        assert!(covers("tcp", Some((80, 80))));
        assert!(!covers("tcp", Some((81, 65535))));
        assert!(!covers("udp", Some((0, 65535))));
    }

    #[test]
    fn a_peer_is_met_by_address_or_by_group() {
        let address = Ipv4Addr::new(10, 0, 0, 9);
        let groups = ["sg-1".to_owned()];
        let block = |text: &str| Peer::Ipv4(text.parse().unwrap());
        assert!(meets(&block("10.0.0.0/24"), address, &groups));
        assert!(!meets(&block("10.0.1.0/24"), address, &groups));
        assert!(meets(&Peer::Group("sg-1".into()), address, &groups));
        assert!(!meets(&Peer::Group("sg-2".into()), address, &groups));
    }
}
