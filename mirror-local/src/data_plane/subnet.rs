//! Subnets: their network ACLs, which check what crosses their borders, each packet by itself.
//!
//! Sources: VPC user guide, "Control subnet traffic with network access control lists", "Network ACL rules" and
//! "Default network ACL".

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fate::Direction;
use super::guard::{Block, Cover, Traffic};
use super::headers::Headers;
use super::node::Outer;
use super::{SOURCE_PORTS, VXLAN_PORT};
use crate::ec2::network_acl::{self, NetworkAcl, RuleAction};
use crate::ec2::network_interface::NetworkInterface;
use crate::world::Region;
use ipnet::{IpNet, Ipv6Net};

/// A subnet, as packets meet it.
#[derive(Debug, Clone, Default)]
pub(super) struct Subnet {
    place: Place,
    /// `None` for a subnet that no longer exists: everything crosses its border, and nothing gets over it.
    block: Option<Block>,
    acl: Arc<Acl>,
}

/// Which subnet it is among those that were read together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place(usize);

/// The subnets of a Region, by their ids.
#[derive(Debug)]
pub(super) struct Subnets<'r>(BTreeMap<&'r str, Subnet>);

/// The rules of a network ACL, by direction, in the order in which they are tried. What no rule matches is denied.
#[derive(Debug, Clone, Default)]
struct Acl {
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    traffic: Traffic,
    action: RuleAction,
}

impl<'r> Subnets<'r> {
    pub(super) fn of(region: &'r Region) -> Self {
        let mut acls = BTreeMap::new();
        for acl in region.network_acls.values() {
            let rules = Arc::new(Acl::of(acl));
            let served = acl.associations.iter().map(|it| (&*it.subnet_id, Arc::clone(&rules)));
            acls.extend(served);
        }
        let each = region.subnets.values().zip(1..).map(|(subnet, place)| {
            let block = Some(Block::of(IpNet::V4(subnet.cidr)));
            let acl = acls.remove(&*subnet.id).unwrap_or_default();
            (&*subnet.id, Subnet { place: Place(place), block, acl })
        });
        Self(each.collect())
    }

    /// The subnet that an interface is in.
    pub(super) fn around(&self, interface: &NetworkInterface) -> Subnet {
        self.0.get(&*interface.subnet_id).cloned().unwrap_or_default()
    }

    /// Whether an interface's copies get over the borders between it and another one.
    ///
    /// AWS does not say whether the ACL of the source's subnet applies to copies on their way out; here it does, so
    /// that nothing passes here that may not pass there. Rules look only at the destination port, so all copies of a
    /// session fare alike.
    pub(super) fn lead(&self, from: &NetworkInterface, to: &NetworkInterface) -> bool {
        let copy = Outer { source: from.private_ip, port: *SOURCE_PORTS.start() };
        self.around(from).leads_to(&self.around(to), &copy.headers((to.private_ip, VXLAN_PORT)))
    }
}

impl Subnet {
    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Whether a packet gets from here to another subnet: out of this one and into that one. Inside a subnet no ACL
    /// applies.
    #[inline]
    pub(super) fn leads_to(&self, other: &Self, headers: &Headers) -> bool {
        self.place == other.place
            || self.acl.permits(Direction::Egress, headers)
                && other.acl.permits(Direction::Ingress, headers)
    }

    /// Whether a packet between an interface here and another end gets over the border, if there is one between them.
    /// `peer` is the subnet of the other end, if that is an interface whose subnet is known.
    #[inline]
    pub(super) fn lets_over(
        &self,
        direction: Direction,
        headers: &Headers,
        peer: Option<Place>,
    ) -> bool {
        let [source, destination] = headers.addresses;
        let address = match direction {
            Direction::Ingress => source,
            Direction::Egress => destination,
        };
        let is_inside = match peer {
            Some(place) => place == self.place,
            None => self.block.is_some_and(|block| block.contains(address)),
        };
        is_inside || self.acl.permits(direction, headers)
    }
}

impl Acl {
    fn of(acl: &NetworkAcl) -> Self {
        let side = |direction| {
            let mut rules: Vec<Rule> = acl.looking(direction).map(Rule::of).collect();
            // No VPC here has IPv6, but a capture may hold it: it is checked as AWS would check it if the VPC had
            // IPv6. A default ACL that nobody has changed in a direction then lets that through too.
            if acl.is_as_made(direction) {
                rules.push(Rule::every_v6());
            }
            rules
        };
        Self {
            ingress: side(network_acl::Direction::Ingress),
            egress: side(network_acl::Direction::Egress),
        }
    }

    /// Whether a packet with these headers may pass: the first rule that matches decides.
    ///
    /// A fragment has no ports. As with security groups, it passes where some packet of its protocol would.
    #[inline]
    fn permits(&self, direction: Direction, headers: &Headers) -> bool {
        let [source, destination] = headers.addresses;
        let (side, peer) = match direction {
            Direction::Ingress => (&self.ingress, source),
            Direction::Egress => (&self.egress, destination),
        };
        let decides = |rule: &&Rule| match rule.action {
            RuleAction::Allow => rule.traffic.covers(headers, peer) != Cover::Nothing,
            RuleAction::Deny => rule.traffic.covers(headers, peer) == Cover::Whole,
        };
        side.iter().find(decides).is_some_and(|rule| rule.action == RuleAction::Allow)
    }
}

impl Rule {
    fn of(entry: &network_acl::Entry) -> Self {
        let network_acl::Entry { protocol, ports, block, action, .. } = *entry;
        Self { traffic: Traffic { protocol, ports, peer: Block::of(block) }, action }
    }

    fn every_v6() -> Self {
        let peer = Block::of(IpNet::V6(Ipv6Net::default()));
        let traffic = Traffic { protocol: None, ports: None, peer };
        Self { traffic, action: RuleAction::Allow }
    }
}

#[cfg(test)]
mod tests {
    use super::super::headers::{TCP, UDP, Upper, Version, number};
    use super::*;

    /// Headers of a packet that comes from an address to a port; a fragment where there is none.
    fn from(address: &str, protocol: u8, port: Option<u16>) -> Headers {
        let address: std::net::IpAddr = address.parse().expect("it is an address");
        let upper =
            port.map_or(Upper::Nothing, |port| Upper::Ports { ports: [9, port], opens: false });
        let version = if address.is_ipv4() { Version::V4 } else { Version::V6 };
        Headers { version, protocol, addresses: [number(address), 0], upper }
    }

    /// What is done with which protocol, to which ports and from which block.
    type Words<'w> = (RuleAction, Option<u8>, (i32, i32), &'w str);

    /// An ACL with these rules for what comes in.
    fn acl(rules: &[Words<'_>]) -> NetworkAcl {
        let mut acl = NetworkAcl::default_of("vpc-1", "acl-1");
        acl.entries.retain(|entry| entry.direction == network_acl::Direction::Egress);
        acl.entries.extend((1..).zip(rules).map(|(number, (action, protocol, ports, block))| {
            network_acl::Entry {
                direction: network_acl::Direction::Ingress,
                number,
                protocol: *protocol,
                ports: protocol.map(|_| *ports),
                block: block.parse().expect("it is a block"),
                action: *action,
            }
        }));
        acl
    }

    fn permits(acl: &NetworkAcl, headers: &Headers) -> bool {
        Acl::of(acl).permits(Direction::Ingress, headers)
    }

    #[test]
    fn a_default_acl_lets_ipv6_through_until_it_is_changed_in_that_direction() {
        let v6 = from("2001:db8::1", UDP, Some(53));
        let made = NetworkAcl::default_of("vpc-1", "acl-1");
        assert!(permits(&made, &v6));
        let mut changed = made;
        changed.entries[1].number = 200;
        assert!(!permits(&changed, &v6));
        assert!(permits(&changed, &from("192.0.2.1", UDP, Some(53))));
        assert!(Acl::of(&changed).permits(Direction::Egress, &v6));
    }

    #[test]
    fn a_block_of_ipv6_has_no_address_of_ipv4() {
        let all = acl(&[(RuleAction::Allow, None, (0, 0), "::/0")]);
        assert!(permits(&all, &from("2001:db8::1", TCP, Some(80))));
        assert!(!permits(&all, &from("192.0.2.1", TCP, Some(80))));
    }

    #[test]
    fn a_fragment_passes_where_some_packet_of_its_protocol_would() {
        const ANY: &str = "0.0.0.0/0";
        use RuleAction::{Allow, Deny};
        let fragment = from("192.0.2.1", TCP, None);
        let passes = |rules: &[_]| permits(&acl(rules), &fragment);
        assert!(passes(&[(Deny, Some(TCP), (22, 22), ANY), (Allow, Some(TCP), (80, 80), ANY)]));
        assert!(passes(&[(Deny, Some(UDP), (0, 65535), ANY), (Allow, None, (0, 0), ANY)]));
        assert!(!passes(&[(Deny, Some(TCP), (0, 65535), ANY), (Allow, None, (0, 0), ANY)]));
        assert!(!passes(&[(Deny, Some(TCP), (22, 22), ANY)]));
    }
}
