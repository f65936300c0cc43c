//! Mirror sessions as packets meet them: rules in order, and where copies go.

use super::encapsulation::Encapsulation;
use super::fate::{By, Direction};
use super::guard::Block;
use super::headers::{Headers, Upper};
use super::path::Path;
use crate::ec2::traffic_mirror::filter_rule::{self, MirrorFilterRule, Ports, RuleAction};
use crate::ec2::traffic_mirror::session::MirrorSession;
use crate::world::Region;

/// A session of an interface.
#[derive(Debug, Clone)]
pub struct Session {
    id: String,
    number: u32,
    rules: Vec<Rule>,
    pub(super) amazon_dns: bool,
    pub(super) encapsulation: Encapsulation,
    pub(super) path: Path,
}

/// A rule of the filter of a session.
#[derive(Debug, Clone)]
pub struct Rule {
    id: String,
    number: u32,
    direction: Direction,
    action: RuleAction,
    protocol: Option<u32>,
    source: Block,
    destination: Block,
    source_ports: Option<Ports>,
    destination_ports: Option<Ports>,
}

/// The verdict of a session on a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opinion {
    Takes(By),
    /// The rule at this index rejects it.
    Rejects(usize),
    /// It has no matching rule.
    Passes,
}

impl Session {
    pub(super) fn of(
        region: &Region,
        session: &MirrorSession,
        (encapsulation, path): (Encapsulation, Path),
    ) -> Self {
        let filter = region.mirror_filters.get(&session.filter_id);
        let mut rules: Vec<Rule> =
            filter_rule::of(region, &session.filter_id).into_iter().map(Rule::of).collect();
        rules.sort_by_key(|rule| (rule.direction, rule.number));
        Self {
            id: session.id.clone(),
            number: session.number,
            rules,
            amazon_dns: filter.is_some_and(|filter| filter.services.contains("amazon-dns")),
            encapsulation,
            path,
        }
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its number: among the sessions of an interface, the lowest is asked first.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns its VXLAN network identifier.
    pub const fn vni(&self) -> u32 {
        self.encapsulation.vni
    }

    /// Returns the rules of its filter in the order in which they are tried, ingress rules first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Its verdict on a packet that is not traffic with Amazon's DNS server.
    ///
    /// Source: AWS Traffic Mirroring guide, "Traffic mirror filter rules": the lowest number decides.
    #[inline]
    pub(super) fn opinion(&self, direction: Direction, headers: &Headers) -> Opinion {
        let mut rules = self.rules.iter();
        match rules.position(|rule| rule.direction == direction && rule.matches(headers)) {
            Some(at) => match self.rules[at].action {
                RuleAction::Accept => Opinion::Takes(By::Rule(at)),
                RuleAction::Reject => Opinion::Rejects(at),
            },
            None => Opinion::Passes,
        }
    }
}

impl Rule {
    fn of(rule: &MirrorFilterRule) -> Self {
        Self {
            id: rule.id.clone(),
            number: rule.number,
            direction: match rule.direction {
                filter_rule::Direction::Ingress => Direction::Ingress,
                filter_rule::Direction::Egress => Direction::Egress,
            },
            action: rule.action,
            protocol: rule.protocol,
            source: Block::of(rule.source),
            destination: Block::of(rule.destination),
            source_ports: rule.source_ports,
            destination_ports: rule.destination_ports,
        }
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its number, which is unique among those of its direction.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns the direction of the packets that it applies to.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns whether packets that match are mirrored.
    pub fn accepts(&self) -> bool {
        self.action == RuleAction::Accept
    }

    /// Whether it matches a packet of its direction. Its two blocks and the packet are of one address family.
    #[inline]
    fn matches(&self, headers: &Headers) -> bool {
        let [source, destination] = headers.addresses;
        self.protocol.is_none_or(|protocol| protocol == u32::from(headers.protocol))
            && self.source.contains(source)
            && self.destination.contains(destination)
            && self.matches_ports(headers.upper)
    }

    /// A packet without ports, such as a fragment, matches where every port would.
    #[inline]
    fn matches_ports(&self, upper: Upper) -> bool {
        let ranges = [self.source_ports, self.destination_ports];
        match upper {
            Upper::Ports { ports, opens: _ } => ranges.iter().zip(ports).all(|(range, port)| {
                range.is_none_or(|range| (range.from..=range.to).contains(&port))
            }),
            Upper::Icmp { .. } | Upper::Nothing => ranges
                .iter()
                .all(|range| range.is_none_or(|range| (range.from, range.to) == (0, u16::MAX))),
        }
    }
}
