//! Network ACLs: whether those of the subnets that packets leave and enter let them through, and by which rule.
//!
//! Rules are tried in the order of their numbers, and the first that matches decides. Network ACLs are stateless:
//! an answer must also get through on its own. Rules look at the destination port, and so never at 65408 to 65535,
//! the source ports of copies. There is no network ACL inside a subnet.
//!
//! Source: VPC user guide, "Network ACL rules"; AWS Traffic Mirroring guide, "Packet format", the source port.

use std::fmt;

use ipnet::Ipv4Net;

use super::end::{End, Place, v4};
use super::hop::{Hop, Outcome, Sort, Stretch};
use super::network::Network;
use crate::id::NetworkAclId;
use crate::observed::{AclAction, AclRule, NetworkAcl};
use crate::scalar::{Direction, PortRange, Protocol};

/// The network ACL of a subnet, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Acl<'s> {
    Seen(&'s NetworkAclId, &'s NetworkAcl),
    /// The one that AWS creates with a VPC; whether it has been changed since was not looked up.
    Made,
    Unseen,
}

/// Packets to or from the other side, as a network ACL sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packets {
    pub(super) direction: Direction,
    pub(super) protocol: Protocol,
    /// Their destination ports: all of them must get through.
    pub(super) ports: PortRange,
}

/// Where a network ACL is on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post<'s> {
    pub(super) at: Place<'s>,
    /// Which hop it is.
    pub(super) sort: Sort,
    pub(super) stretch: Stretch,
}

/// The destination ports of answers: the ports that a node of a load balancer sends its health checks from.
///
/// Source: VPC user guide, "Ephemeral ports": requests of Elastic Load Balancing.
const EPHEMERAL: PortRange = PortRange::new(1024, u16::MAX).expect("a range of ports");

impl Packets {
    pub(super) const fn entering(protocol: Protocol, port: u16) -> Self {
        Self { direction: Direction::Ingress, protocol, ports: PortRange::only(port) }
    }

    pub(super) const fn leaving(protocol: Protocol, port: u16) -> Self {
        Self { direction: Direction::Egress, protocol, ports: PortRange::only(port) }
    }

    /// Answers to requests over a protocol.
    const fn answers(direction: Direction, protocol: Protocol) -> Self {
        Self { direction, protocol, ports: EPHEMERAL }
    }

    /// Whether a rule applies to such packets, whatever their addresses and ports.
    fn may_match(self, rule: &AclRule) -> bool {
        let protocol = rule.protocol == Protocol::All || rule.protocol == self.protocol;
        protocol && rule.direction == self.direction
    }
}

impl<'s> Post<'s> {
    /// A network ACL on the way of the mirrored packets themselves.
    pub(super) const fn of(at: Place<'s>, stretch: Stretch) -> Self {
        Self { at, sort: Sort::NetworkAcl, stretch }
    }

    /// Whether it lets packets to or from the other side through.
    pub(super) fn hop(self, network: &Network<'s>, packets: Packets, peer: &End<'s>) -> Hop {
        let Self { at, sort, stretch } = self;
        let subnet = at.subnet;
        let (id, acl) = match network.acl(at) {
            Acl::Seen(id, acl) => (id, acl),
            Acl::Made => return Hop::passes(sort, stretch, made(at)),
            Acl::Unseen => {
                let words = format!("which network ACL {subnet} has is not known");
                return Hop::unknown(sort, stretch, words);
            }
        };
        if acl.is_open(packets.direction) {
            let words = if acl.is_default {
                made(at)
            } else {
                format!("the network ACL {id} of {subnet} lets everything through")
            };
            return Hop::passes(sort, stretch, words);
        }
        let rulings = rulings(acl, packets, peer.range());
        let flow = Flow { packets, peer, sort };
        let (outcome, words) =
            match (ruling(&rulings, AclAction::Allow), ruling(&rulings, AclAction::Deny)) {
                (Some(rule), None) => (Outcome::Passes, format!("lets {flow} through ({rule})")),
                (Some(allows), Some(denies)) => (
                    Outcome::Unknown,
                    format!("lets some of {flow} through ({allows}) and refuses some ({denies})"),
                ),
                (None, Some(rule)) => (Outcome::Stops, format!("refuses {flow} ({rule})")),
                (None, None) => (Outcome::Unknown, format!("says nothing about {flow}")),
            };
        Hop { sort, stretch, outcome, words: format!("the network ACL {id} of {subnet} {words}") }
    }
}

/// Whether health checks of a node get through the network ACLs to a receiver, and the answers back; `None` if no
/// network ACL is in the way, or the subnets are not known.
pub(super) fn checks<'s>(
    network: &Network<'s>,
    (node, receiver): (&End<'s>, &End<'s>),
    port: u16,
) -> Option<Hop> {
    let (here, there) = (node.place?, receiver.place?);
    if here.subnet == there.subnet {
        return None;
    }
    let post = |at| Post { at, sort: Sort::HealthCheck, stretch: Stretch::Receiver };
    let tcp = Protocol::TCP;
    let posts = [
        (here, Packets::leaving(tcp, port), receiver),
        (there, Packets::entering(tcp, port), node),
        (there, Packets::answers(Direction::Egress, tcp), node),
        (here, Packets::answers(Direction::Ingress, tcp), receiver),
    ];
    let in_the_way =
        posts.into_iter().filter(|(at, packets, _)| !network.acl(*at).is_open(*packets));
    let hops: Vec<Hop> =
        in_the_way.map(|(at, packets, peer)| post(at).hop(network, packets, peer)).collect();
    let worst = hops.iter().map(|hop| hop.outcome).max()?;
    if worst == Outcome::Passes {
        let words = format!(
            "the network ACLs of {} and {} let the health checks (tcp {port}) and their answers through",
            here.subnet, there.subnet
        );
        return Some(Hop::passes(Sort::HealthCheck, Stretch::Receiver, words));
    }
    hops.into_iter().find(|hop| hop.outcome == worst)
}

impl Acl<'_> {
    /// Whether it lets all such packets through, whatever their addresses and ports.
    fn is_open(self, packets: Packets) -> bool {
        match self {
            Self::Seen(_, acl) => acl.is_open(packets.direction),
            Self::Made => true,
            Self::Unseen => false,
        }
    }
}

fn made(at: Place<'_>) -> String {
    format!(
        "the network ACL of {}, which AWS created with its VPC, lets everything through",
        at.subnet
    )
}

/// `udp 4789 from subnet.source`.
struct Flow<'e, 's> {
    packets: Packets,
    peer: &'e End<'s>,
    sort: Sort,
}

impl fmt::Display for Flow<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets: Packets { direction, protocol, ports }, peer, sort } = self;
        let preposition = match direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        };
        write!(f, "{protocol} {ports} {preposition} {peer}")?;
        match (sort, *ports == EPHEMERAL) {
            (Sort::HealthCheck, true) => f.write_str(", the answers to health checks"),
            (Sort::HealthCheck, false) => f.write_str(", the health checks"),
            _ => Ok(()),
        }
    }
}

/// What a rule decided about some of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ruling {
    number: u16,
    action: AclAction,
}

/// The first ruling with this action.
fn ruling(rulings: &[Ruling], action: AclAction) -> Option<Ruling> {
    rulings.iter().copied().find(|ruling| ruling.action == action)
}

/// `rule 90 denies`.
impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { number: AclRule::LAST, action: AclAction::Deny } => {
                f.write_str("no rule allows it")
            }
            Self { number, action: AclAction::Deny } => write!(f, "rule {number} denies it"),
            Self { number, action: AclAction::Allow } => write!(f, "rule {number} allows it"),
        }
    }
}

/// The rules that decide about packets to or from these addresses, each about some of them, in order.
fn rulings(acl: &NetworkAcl, packets: Packets, addresses: Ipv4Net) -> Vec<Ruling> {
    let mut rules: Vec<(&AclRule, Area)> = Vec::new();
    for rule in acl.rules.iter().filter(|rule| packets.may_match(rule)) {
        let area = v4(rule.range.net()).map(|range| Area::of(range, rule.port));
        rules.extend(area.map(|area| (rule, area)));
    }
    rules.sort_by_key(|(rule, _)| rule.number);
    let mut open = vec![Area::of(addresses, Some(packets.ports))];
    let mut rulings = Vec::new();
    for (AclRule { number, action, .. }, area) in rules {
        let rest: Vec<Area> = open.iter().flat_map(|part| part.without(area)).collect();
        if rest != open {
            rulings.push(Ruling { number: *number, action: *action });
        }
        open = rest;
    }
    if !open.is_empty() {
        rulings.push(Ruling { number: AclRule::LAST, action: AclAction::Deny });
    }
    rulings
}

/// Addresses with ports, both as the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    addresses: (u32, u32),
    ports: (u16, u16),
}

impl Area {
    /// A range of addresses with some ports, or with all.
    fn of(range: Ipv4Net, ports: Option<PortRange>) -> Self {
        let addresses = (range.network().to_bits(), range.broadcast().to_bits());
        let ports = ports.map_or((0, u16::MAX), |ports| (ports.from(), ports.to()));
        Self { addresses, ports }
    }

    /// What remains of it without another area, in parts that do not overlap; a single part with all of it if the
    /// two do not overlap.
    fn without(self, other: Self) -> Vec<Self> {
        let (a, b) = (self.addresses, other.addresses);
        let addresses = (a.0.max(b.0), a.1.min(b.1));
        let (a, b) = (self.ports, other.ports);
        let ports = (a.0.max(b.0), a.1.min(b.1));
        if addresses.0 > addresses.1 || ports.0 > ports.1 {
            return vec![self];
        }
        let mut parts = Vec::new();
        let (first, last) = self.addresses;
        if first < addresses.0 {
            parts.push(Self { addresses: (first, addresses.0 - 1), ..self });
        }
        if addresses.1 < last {
            parts.push(Self { addresses: (addresses.1 + 1, last), ..self });
        }
        let (first, last) = self.ports;
        if first < ports.0 {
            parts.push(Self { addresses, ports: (first, ports.0 - 1) });
        }
        if ports.1 < last {
            parts.push(Self { addresses, ports: (ports.1 + 1, last) });
        }
        parts
    }
}
