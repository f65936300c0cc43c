//! Security groups at an interface: what they let through, and the connections they remember.

use std::collections::HashMap;

use super::fate::Direction;
use super::headers::{Headers, ICMP, ICMP_V6, TCP, UDP, Upper, Version, number};
use crate::ec2::security_group;
use crate::ec2::security_group_rule::{self, Peer, Permission};
use crate::world::Region;
use ipnet::IpNet;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// How long a TCP connection is remembered, unless the interface sets another time.
///
/// Source: EC2 API reference, `ConnectionTrackingConfiguration`.
const TCP_IDLE: u64 = 432_000 * SECOND;

/// How long a UDP flow with packets in both directions is remembered. Source: the same.
const STREAM_IDLE: u64 = 180 * SECOND;

/// How long a UDP flow in one direction is remembered. Source: the same, which gives no time for ICMP.
const ONE_WAY_IDLE: u64 = 30 * SECOND;

/// How long a flow of any other protocol is remembered.
///
/// Source: EC2 user guide, "Security group connection tracking".
const OTHER_IDLE: u64 = 600 * SECOND;

/// How many connections are remembered before some are looked for to forget.
const TRACKED_MIN: usize = 1024;

/// The security groups of an interface.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    permits: Permits,
    pub(super) tracked: Tracked,
}

/// What a list of security groups permits, by direction.
#[derive(Debug, Clone, Default)]
pub(super) struct Permits {
    ingress: Vec<Traffic>,
    egress: Vec<Traffic>,
}

/// What one rule covers, for one block of addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    /// `None` for any.
    pub(super) protocol: Option<u8>,
    /// First and last port, or type and code of ICMP; `None` for any.
    pub(super) ports: Option<(i32, i32)>,
    pub(super) peer: Block,
}

/// How much of a packet a rule covers; for a fragment, how much of the packet that it was cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    Nothing,
    /// Some packets that a fragment may have been cut from, and not others: it has no ports.
    Part,
    Whole,
}

/// A block of addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    version: Version,
    network: u128,
    mask: u128,
}

/// The connections that an interface remembers: answers pass whatever the rules are.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    connections: HashMap<Connection, Memory>,
    /// How many there may be before some are looked for to forget.
    limit: usize,
}

/// A connection, from the interface's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Connection {
    protocol: u8,
    own: u128,
    peer: u128,
    own_port: u16,
    peer_port: u16,
}

#[derive(Debug, Clone, Copy)]
struct Memory {
    /// When a packet of it was last seen.
    last: u64,
    /// Which way its first packet went.
    first: Direction,
    /// Whether there was a packet the other way.
    is_answered: bool,
    /// What became of its first packet: nothing follows on a connection that was never opened.
    opening: Opening,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Passed,
    Refused,
}

impl Block {
    pub(super) fn of(net: IpNet) -> Self {
        // An IPv4 address occupies the last 32 of 128 bits, and what is before them belongs to the prefix.
        let (version, length) = match net {
            IpNet::V4(net) => (Version::V4, 96 + u32::from(net.prefix_len())),
            IpNet::V6(net) => (Version::V6, u32::from(net.prefix_len())),
        };
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        Self { version, network: number(net.network()), mask }
    }

    /// Whether an address of the block's IP version is in it: `::/0` contains no IPv4 address.
    #[inline]
    pub(super) fn contains(self, address: u128) -> bool {
        address & self.mask == self.network && Version::of(address) == self.version
    }
}

impl Permits {
    /// What these groups permit.
    pub(super) fn of(region: &Region, groups: &[String]) -> Self {
        let mut all = Self::default();
        for rule in groups.iter().flat_map(|group| security_group::rules(region, group)) {
            let Permission { direction, protocol, ports, peer } = &rule.permission;
            let side = match direction {
                security_group_rule::Direction::Ingress => &mut all.ingress,
                security_group_rule::Direction::Egress => &mut all.egress,
            };
            let (protocol, ports) = (protocol_number(protocol), *ports);
            let permit = |peer| Traffic { protocol, ports, peer };
            side.extend(blocks(region, peer).into_iter().map(permit));
        }
        all
    }

    /// Whether a packet with these headers may pass.
    #[inline]
    pub(super) fn permit(&self, direction: Direction, headers: &Headers) -> bool {
        let [source, destination] = headers.addresses;
        let (side, peer) = match direction {
            Direction::Ingress => (&self.ingress, source),
            Direction::Egress => (&self.egress, destination),
        };
        side.iter().any(|permit| permit.covers(headers, peer) != Cover::Nothing)
    }
}

/// Whether one of the `own` groups lets in UDP to a port from what comes through one of the `others`.
pub(super) fn refers(region: &Region, own: &[String], others: &[String], port: u16) -> bool {
    own.iter().flat_map(|group| security_group::rules(region, group)).any(|rule| {
        let Permission { direction, protocol, ports, peer } = &rule.permission;
        let Peer::Group(id) = peer else { return false };
        *direction == security_group_rule::Direction::Ingress
            && protocol_number(protocol).is_none_or(|protocol| protocol == UDP)
            && ports.is_none_or(|(from, to)| (from..=to).contains(&i32::from(port)))
            && others.contains(id)
    })
}

/// The number of a protocol as written in a rule; `None` for all.
fn protocol_number(text: &str) -> Option<u8> {
    match text {
        "icmp" => Some(ICMP),
        "tcp" => Some(TCP),
        "udp" => Some(UDP),
        "icmpv6" => Some(ICMP_V6),
        number => number.parse().ok(),
    }
}

/// The addresses that a peer stands for: a group stands for those of its interfaces.
fn blocks(region: &Region, peer: &Peer) -> Vec<Block> {
    match peer {
        Peer::Ipv4(block) => vec![Block::of(IpNet::V4(*block))],
        Peer::Ipv6(block) => vec![Block::of(IpNet::V6(*block))],
        Peer::Group(id) => {
            let interfaces = region.network_interfaces.values();
            let members = interfaces.filter(|interface| interface.groups.contains(id));
            let addresses = members.flat_map(|interface| interface.addresses());
            addresses.map(|address| Block::of(IpNet::from(std::net::IpAddr::V4(address)))).collect()
        }
        // A local AWS has no prefix lists.
        Peer::PrefixList(_) => Vec::new(),
    }
}

impl Traffic {
    /// How much of a packet, whose other end is `peer`, the rule covers.
    #[inline]
    pub(super) fn covers(&self, headers: &Headers, peer: u128) -> Cover {
        let is_other = self.protocol.is_some_and(|protocol| protocol != headers.protocol);
        if is_other || !self.peer.contains(peer) {
            return Cover::Nothing;
        }
        let ports = self.ports.filter(|_| self.protocol.is_some());
        let is_covered = match (ports, headers.upper) {
            (None | Some((0, 65_535) | (-1, -1)), _) => true,
            (Some((from, to)), Upper::Ports { ports: [_, port], .. }) => {
                (from..=to).contains(&i32::from(port))
            }
            (Some((kind, code)), Upper::Icmp { kind: its_kind, code: its_code, .. }) => {
                (kind == -1 || kind == i32::from(its_kind))
                    && (code == -1 || code == i32::from(its_code))
            }
            // A fragment passes where some packet of its protocol would: AWS reassembles it first.
            (Some(_), Upper::Nothing) => return Cover::Part,
        };
        if is_covered { Cover::Whole } else { Cover::Nothing }
    }
}

impl Guard {
    /// The groups of an interface that remembers these connections.
    pub(super) fn new(permits: Permits, tracked: Tracked) -> Self {
        Self { permits, tracked }
    }

    /// Whether a packet passes at a time in nanoseconds.
    ///
    /// Opening a connection needs a rule; what belongs to a connection passes both ways. A capture may begin in the
    /// middle of a connection: if the first packet shows that it is already open, it counts as opened by whichever
    /// side had a rule for it. If the first packet of a TCP connection was refused, what follows it, in traffic that
    /// was captured or generated elsewhere, is refused too.
    #[inline]
    pub(super) fn lets_through(
        &mut self,
        direction: Direction,
        headers: &Headers,
        time: u64,
    ) -> bool {
        let connection = Connection::of(direction, headers);
        match self.tracked.goes_on(&connection, (direction, headers), time) {
            Some(Opening::Passed) => return true,
            Some(Opening::Refused) => return false,
            None => {}
        }
        let passes = self.permits.permit(direction, headers)
            || is_under_way(headers) && self.permits.permit(direction.other(), &headers.reversed());
        if passes {
            self.tracked.begin(connection, (direction, Opening::Passed), time);
        } else if is_opening(headers) {
            self.tracked.begin(connection, (direction, Opening::Refused), time);
        }
        passes
    }

    /// Records a packet that does not reach the groups, or does not get beyond them: a connection that it was to open
    /// is not open.
    pub(super) fn shut_out(&mut self, direction: Direction, headers: &Headers, time: u64) {
        if is_opening(headers) {
            let connection = Connection::of(direction, headers);
            self.tracked.begin(connection, (direction, Opening::Refused), time);
        }
    }

    /// Whether the rules alone let a packet through.
    #[inline]
    pub(super) fn permits(&self, direction: Direction, headers: &Headers) -> bool {
        self.permits.permit(direction, headers)
    }
}

/// Whether a packet is the first of a TCP connection.
const fn is_opening(headers: &Headers) -> bool {
    matches!(headers.upper, Upper::Ports { opens: true, .. })
}

/// Whether a packet shows that its connection was open before.
fn is_under_way(headers: &Headers) -> bool {
    headers.protocol == TCP && matches!(headers.upper, Upper::Ports { opens: false, .. })
}

impl Direction {
    const fn other(self) -> Self {
        match self {
            Self::Ingress => Self::Egress,
            Self::Egress => Self::Ingress,
        }
    }
}

impl Headers {
    fn reversed(mut self) -> Self {
        self.addresses.reverse();
        if let Upper::Ports { ports, opens: _ } = &mut self.upper {
            ports.reverse();
        }
        self
    }
}

impl Connection {
    #[inline]
    fn of(direction: Direction, headers: &Headers) -> Self {
        let [source, destination] = headers.addresses;
        let [from, to] = match headers.upper {
            Upper::Ports { ports, opens: _ } => ports,
            Upper::Icmp { echo, .. } => [echo.unwrap_or_default(); 2],
            Upper::Nothing => [0; 2],
        };
        let (own, peer, own_port, peer_port) = match direction {
            Direction::Ingress => (destination, source, to, from),
            Direction::Egress => (source, destination, from, to),
        };
        Self { protocol: headers.protocol, own, peer, own_port, peer_port }
    }

    const fn idle(&self, memory: Memory) -> u64 {
        match (self.protocol, memory.is_answered) {
            (TCP, _) => TCP_IDLE,
            (UDP, true) => STREAM_IDLE,
            (UDP | ICMP | ICMP_V6, _) => ONE_WAY_IDLE,
            _ => OTHER_IDLE,
        }
    }
}

impl Default for Tracked {
    fn default() -> Self {
        Self { connections: HashMap::new(), limit: TRACKED_MIN }
    }
}

impl Tracked {
    /// What became of the opening of a packet's connection, if that is remembered.
    #[inline]
    fn goes_on(
        &mut self,
        connection: &Connection,
        (direction, headers): (Direction, &Headers),
        time: u64,
    ) -> Option<Opening> {
        let memory = self.connections.get_mut(connection)?;
        let is_tried_again = memory.opening == Opening::Refused && is_opening(headers);
        if is_tried_again || time.saturating_sub(memory.last) > connection.idle(*memory) {
            return None;
        }
        memory.last = memory.last.max(time);
        memory.is_answered |= direction != memory.first;
        Some(memory.opening)
    }

    #[cold]
    fn begin(&mut self, connection: Connection, (first, opening): (Direction, Opening), time: u64) {
        if self.connections.len() >= self.limit {
            self.connections.retain(|connection, memory| {
                time.saturating_sub(memory.last) <= connection.idle(*memory)
            });
            self.limit = TRACKED_MIN.max(2 * self.connections.len());
        }
        let memory = Memory { last: time, first, is_answered: false, opening };
        self.connections.insert(connection, memory);
        if opening == Opening::Passed
            && connection.own_port != 0
            && matches!(connection.protocol, TCP | UDP)
        {
            // Fragments have no ports, and follow their connection.
            let fragments = Connection { own_port: 0, peer_port: 0, ..connection };
            self.connections.entry(fragments).or_insert(memory);
        }
    }
}
