//! What a list of rules does: which rule decides which packets, and which session gets them.

use super::{Packet, PacketSet};
use crate::resource::MirrorFilter;
use crate::resource::mirror_filter::{Rule, Rules};
use crate::scalar::{Direction, RuleAction};

/// A rule and the packets that it decides: those that it matches and that no earlier rule matches.
#[derive(Clone, Debug)]
pub struct Decided<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// What it decides; empty for a rule that has no effect.
    pub packets: PacketSet,
}

/// A rule that decides nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The earlier rules that together match everything it matches: one, if one is enough.
    pub by: Vec<&'r Rule>,
}

/// What a filter mirrors.
#[derive(Clone, Debug, Default)]
pub struct Mirrored {
    /// The packets that its rules mirror.
    pub packets: PacketSet,
    /// Whether it also mirrors traffic with Amazon's DNS server, which no rule can express.
    pub amazon_dns: bool,
}

/// The rules of one direction, in the order in which they are tried.
fn in_order(rules: &Rules, direction: Direction) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = rules.0.iter().filter(|rule| rule.direction == direction).collect();
    rules.sort_by_key(|rule| rule.number);
    rules
}

/// Returns the rule that decides about a packet: the first that matches it. `None` if no rule does: the packet is
/// then not mirrored.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror filter rules".
#[must_use]
pub fn deciding<'r>(rules: &'r Rules, packet: &Packet) -> Option<&'r Rule> {
    let mut rules = in_order(rules, packet.direction).into_iter();
    rules.find(|rule| PacketSet::matched_by(rule).contains(packet))
}

/// What each rule decides, in the order in which rules are tried.
#[must_use]
pub fn decisions(rules: &Rules) -> Vec<Decided<'_>> {
    [Direction::Ingress, Direction::Egress]
        .into_iter()
        .flat_map(|direction| {
            let rules = in_order(rules, direction);
            let matched: Vec<PacketSet> =
                rules.iter().map(|rule| PacketSet::matched_by(rule)).collect();
            rules
                .iter()
                .enumerate()
                .map(|(at, rule)| Decided { rule, packets: without(&matched[at], &matched[..at]) })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn without(packets: &PacketSet, taken: &[PacketSet]) -> PacketSet {
    taken.iter().fold(packets.clone(), |left, taken| left.minus(taken))
}

/// The packets that a list of rules mirrors.
#[must_use]
pub fn mirrored(rules: &Rules) -> PacketSet {
    // What different rules decide never overlaps, so this union is a list.
    let decisions = decisions(rules).into_iter();
    let accepted = decisions.filter(|decided| decided.rule.action == RuleAction::Accept);
    accepted.fold(PacketSet::empty(), |all, decided| all.union(&decided.packets))
}

/// Returns the rules that decide nothing, because earlier ones match every packet that they match.
#[must_use]
pub fn shadowed(rules: &Rules) -> Vec<Shadowed<'_>> {
    let idle = decisions(rules).into_iter().filter(|decided| decided.packets.is_empty());
    idle.filter_map(|Decided { rule, packets: _ }| {
        let matched = PacketSet::matched_by(rule);
        let earlier = in_order(rules, rule.direction).into_iter();
        let earlier = earlier.take_while(|other| other.number < rule.number);
        let by: Vec<&Rule> =
            earlier.filter(|other| PacketSet::matched_by(other).overlaps(&matched)).collect();
        let alone = by.iter().copied().find(|other| PacketSet::matched_by(other).covers(&matched));
        let by = alone.map_or(by, |alone| vec![alone]);
        // Without earlier rules, it matches nothing by itself: its addresses are of two families.
        (!by.is_empty()).then_some(Shadowed { rule, by })
    })
    .collect()
}

/// Returns what each session of one interface gets. `filters` are the filters of its sessions, in the order of the
/// session numbers. Each packet is mirrored once, by the first session whose filter accepts it; a packet that a
/// filter rejects is left to the next session.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror sessions". That a reject falls through to the
/// next session is our reading of it.
#[must_use]
pub fn first_takers(filters: &[&Mirrored]) -> Vec<Mirrored> {
    let mut taken = Mirrored::default();
    let mut all = Vec::new();
    for filter in filters {
        all.push(filter.minus(&taken));
        taken = taken.union(filter);
    }
    all
}

impl Mirrored {
    /// What a filter mirrors.
    #[must_use]
    pub fn by(filter: &MirrorFilter) -> Self {
        Self { packets: mirrored(&filter.rules), amazon_dns: filter.amazon_dns }
    }

    /// Whether it is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty() && !self.amazon_dns
    }

    /// What is in `self` but not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            packets: self.packets.clone().minus(&other.packets),
            amazon_dns: self.amazon_dns && !other.amazon_dns,
        }
    }

    /// What is in `self`, in `other`, or in both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            packets: self.packets.clone().union(&other.packets),
            amazon_dns: self.amazon_dns || other.amazon_dns,
        }
    }
}
