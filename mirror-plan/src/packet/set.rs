//! Sets of packets: unions of blocks that do not overlap.
//!
//! A block is a product of five ranges, as a filter rule is. Subtracting one block from another leaves at most ten,
//! so union, difference and intersection are exact and stay small for the lists of rules that AWS allows.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Packet;
use crate::resource::mirror_filter::Rule;
use crate::scalar::{Direction, PortRange, Protocol};

/// The number of fields that a rule looks at. Blocks are cut in the order of the fields: the protocol first, so
/// that a protocol without ports is never cut by port.
const AXES: usize = 5;
pub(super) const PROTOCOL: usize = 0;
pub(super) const SOURCE: usize = 1;
pub(super) const DESTINATION: usize = 2;
pub(super) const SOURCE_PORT: usize = 3;
pub(super) const DESTINATION_PORT: usize = 4;

/// A set of packets.
///
/// Two different lists of blocks may be the same set: compare with [`is_same`](Self::is_same).
#[derive(Clone, Debug, Default)]
pub struct PacketSet {
    /// No block is empty, and no two overlap.
    blocks: Vec<Block>,
}

/// The packets of one direction and address family whose five values are each in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) direction: Direction,
    pub(super) family: Family,
    pub(super) axes: [Span; AXES],
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    V4,
    V6,
}

/// A range of numbers, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) first: u128,
    pub(super) last: u128,
}

impl PacketSet {
    /// No packets.
    #[must_use]
    pub const fn empty() -> Self {
        Self { blocks: Vec::new() }
    }

    /// The packets that a rule matches, regardless of other rules.
    #[must_use]
    pub fn matched_by(rule: &Rule) -> Self {
        Self { blocks: Block::of(rule).into_iter().collect() }
    }

    /// Whether it contains no packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether a packet is in it.
    #[must_use]
    pub fn contains(&self, packet: &Packet) -> bool {
        self.blocks.iter().any(|block| block.contains(packet))
    }

    /// Whether every packet of `other` is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.clone().minus(self).is_empty()
    }

    /// Whether both are the same packets.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// Whether some packet is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.blocks.iter().any(|block| other.blocks.iter().any(|other| block.overlaps(other)))
    }

    /// What is in `self` but not in `other`.
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Self {
        for taken in &other.blocks {
            if self.blocks.iter().any(|block| block.overlaps(taken)) {
                self.blocks = self.blocks.iter().flat_map(|block| block.minus(taken)).collect();
            }
        }
        self
    }

    /// What is in `self`, in `other`, or in both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        let more = other.clone().minus(&self);
        self.blocks.extend(more.blocks);
        self
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let pairs = self.blocks.iter().flat_map(|a| other.blocks.iter().map(move |b| (a, b)));
        Self { blocks: pairs.filter_map(|(a, b)| a.intersection(b)).collect() }
    }

    /// The packets of one direction.
    #[must_use]
    pub fn towards(&self, direction: Direction) -> Self {
        let blocks = self.blocks.iter().filter(|block| block.direction == direction);
        Self { blocks: blocks.copied().collect() }
    }

    /// The same packets in few blocks, in order: blocks that touch are joined.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = self.blocks.clone();
        blocks.sort_unstable();
        while let Some((at, joined, with)) = joinable(&blocks) {
            blocks[at] = joined;
            blocks.remove(with);
        }
        blocks.sort_unstable();
        blocks
    }
}

/// Two blocks that can be joined: the position of the joined block, the block, and the position to remove.
fn joinable(blocks: &[Block]) -> Option<(usize, Block, usize)> {
    let pairs = (0..blocks.len()).flat_map(|at| (at + 1..blocks.len()).map(move |with| (at, with)));
    pairs.into_iter().find_map(|(at, with)| Some((at, blocks[at].joined(&blocks[with])?, with)))
}

impl Block {
    /// What a rule matches; `None` where its addresses are of two families.
    fn of(rule: &Rule) -> Option<Self> {
        let Rule {
            direction,
            number: _,
            action: _,
            protocol,
            source,
            destination,
            source_port,
            destination_port,
            description: _,
        } = rule;
        let (family, source) = addresses(source.net());
        let (other, destination) = addresses(destination.net());
        let axes = [
            protocols(*protocol),
            source,
            destination,
            ports(*source_port),
            ports(*destination_port),
        ];
        (family == other).then_some(Self { direction: *direction, family, axes })
    }

    fn contains(&self, packet: &Packet) -> bool {
        let Packet { direction, protocol, source, destination, source_port, destination_port } =
            *packet;
        let (family, source) = address(source);
        let (_, destination) = address(destination);
        let values =
            [protocol.into(), source, destination, source_port.into(), destination_port.into()];
        self.direction == direction
            && self.family == family
            && self.axes.iter().zip(values).all(|(span, value)| span.contains(value))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.direction == other.direction
            && self.family == other.family
            && self
                .axes
                .iter()
                .zip(&other.axes)
                .all(|(a, b)| a.first <= b.last && b.first <= a.last)
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        self.overlaps(other).then(|| {
            let mut both = *self;
            for (span, other) in both.axes.iter_mut().zip(&other.axes) {
                span.first = span.first.max(other.first);
                span.last = span.last.min(other.last);
            }
            both
        })
    }

    /// What is left without `taken`: on each axis, what lies before and after it; the rest goes on to the next
    /// axis.
    fn minus(&self, taken: &Self) -> Vec<Self> {
        let Some(both) = self.intersection(taken) else { return vec![*self] };
        let mut left = Vec::new();
        let mut rest = *self;
        for axis in 0..AXES {
            let (span, cut) = (rest.axes[axis], both.axes[axis]);
            let mut keep = |first, last| {
                let mut piece = rest;
                piece.axes[axis] = Span { first, last };
                left.push(piece);
            };
            if span.first < cut.first {
                keep(span.first, cut.first - 1);
            }
            if cut.last < span.last {
                keep(cut.last + 1, span.last);
            }
            rest.axes[axis] = cut;
        }
        left
    }

    /// Both as one block, if that is the same packets.
    fn joined(&self, other: &Self) -> Option<Self> {
        if (self.direction, self.family) != (other.direction, other.family) {
            return None;
        }
        let mut differing = (0..AXES).filter(|axis| self.axes[*axis] != other.axes[*axis]);
        let axis = differing.next()?;
        if differing.next().is_some() {
            return None;
        }
        let (a, b) = (self.axes[axis].min(other.axes[axis]), self.axes[axis].max(other.axes[axis]));
        let mut joined = *self;
        joined.axes[axis] = Span { first: a.first, last: b.last };
        (a.last.checked_add(1)? == b.first).then_some(joined)
    }
}

impl Span {
    const fn contains(self, value: u128) -> bool {
        self.first <= value && value <= self.last
    }
}

impl Family {
    /// All of its addresses.
    pub(super) const fn span(self) -> Span {
        match self {
            Self::V4 => Span { first: 0, last: u32::MAX as u128 },
            Self::V6 => Span { first: 0, last: u128::MAX },
        }
    }
}

fn protocols(protocol: Protocol) -> Span {
    match protocol.number() {
        None => Span { first: 0, last: u8::MAX.into() },
        Some(number) => Span { first: number.into(), last: number.into() },
    }
}

fn addresses(net: IpNet) -> (Family, Span) {
    let ((family, first), (_, last)) = (address(net.network()), address(net.broadcast()));
    (family, Span { first, last })
}

fn address(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(address) => (Family::V4, u32::from(address).into()),
        IpAddr::V6(address) => (Family::V6, address.into()),
    }
}

fn ports(range: Option<PortRange>) -> Span {
    match range {
        None => Span { first: 0, last: u16::MAX.into() },
        Some(range) => Span { first: range.from().into(), last: range.to().into() },
    }
}
