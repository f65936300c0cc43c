//! The sessions of all interfaces, compiled to decide about a packet in some tens of nanoseconds.
//!
//! A rule is two masked comparisons of addresses, one of the protocol and two of ports. AWS allows ten rules in a
//! filter and three sessions on an interface, so trying them in order is as fast as any index built from them.

use std::net::IpAddr;
use std::ops::BitAnd;

use ipnet::IpNet;

use super::never::{Never, is_amazon_dns};
use super::{By, Destination, Headers, Interface, Mirroring, Session, Verdict};
use crate::resource::mirror_filter::Rule;
use crate::scalar::{Direction, PacketLength, PortRange, RuleAction};

/// Bytes that mirroring adds to a packet, by AWS's own count, for IPv4 and for IPv6.
///
/// Source: AWS Traffic Mirroring guide, "MTU": the source's MTU should be less than the target's by 54
/// bytes for IPv4 and 74 for IPv6.
const OVERHEAD: [u32; 2] = [54, 74];

/// Bytes of an Ethernet header, which a mirrored frame keeps and an MTU does not count.
const ETHERNET: u32 = 14;

/// The largest packet that a Gateway Load Balancer endpoint accepts.
///
/// Source: AWS Traffic Mirroring guide, "Quotas".
const ENDPOINT_MTU: u16 = 8500;

/// The sessions of all interfaces, ready to decide about packets.
#[derive(Clone, Debug)]
pub struct Tracer {
    /// Which interface has an address, sorted by address.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u32)>,
    interfaces: Vec<Asked>,
}

/// An interface, ready to decide about packets.
#[derive(Clone, Debug)]
struct Asked {
    resolvers: Vec<IpAddr>,
    /// The position of the first session with the network service `amazon-dns`.
    amazon_dns: Option<u16>,
    sessions: Vec<Compiled>,
}

/// A session, ready to decide about packets.
#[derive(Clone, Debug)]
struct Compiled {
    amazon_dns: bool,
    /// By direction.
    v4: [Vec<Matcher<u32>>; 2],
    v6: [Vec<Matcher<u128>>; 2],
    /// The longest frames that are sent uncut, for IPv4 and for IPv6.
    limits: [Option<(u32, Limit)>; 2],
}

/// A rule, ready to be compared with the headers of its family.
#[derive(Clone, Copy, Debug)]
struct Matcher<A> {
    source: Prefix<A>,
    destination: Prefix<A>,
    /// A number, or [`ANY_PROTOCOL`].
    protocol: u16,
    ports: [(u16, u16); 2],
    looks_at_ports: bool,
    rule: u16,
    action: RuleAction,
}

const ANY_PROTOCOL: u16 = 256;

#[derive(Clone, Copy, Debug)]
struct Prefix<A> {
    network: A,
    mask: A,
}

/// How much of a frame a session sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of the frame that are sent.
    pub length: u32,
    /// What cuts it; `None` if it is sent whole.
    pub by: Option<Limit>,
}

/// What cuts the frames of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// The packet length of the session.
    PacketLength,
    /// The packet length that AWS sets for a Network Load Balancer target if the session gives none.
    LoadBalancer,
    /// The MTU of the target, which the packet would exceed with the bytes that mirroring adds.
    Mtu,
}

/// What a session would do with a packet if it were the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opinion {
    /// It would accept it.
    Accepts(By),
    /// The rule at this position among those of its filter rejects it.
    Rejects(u16),
    /// No rule matches it.
    NoRule,
    /// It is traffic with Amazon's DNS server, and the filter does not have the network service for it.
    AmazonDnsUnasked,
}

impl Tracer {
    /// Compiles the sessions of `mirroring`. `mtu` is the MTU of the interfaces that are mirror targets.
    #[must_use]
    pub fn new(mirroring: &Mirroring, mtu: u16) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (place, interface) in (0..).zip(&mirroring.interfaces) {
            for address in &interface.addresses {
                match address {
                    IpAddr::V4(address) => v4.push((u32::from(*address), place)),
                    IpAddr::V6(address) => v6.push((u128::from(*address), place)),
                }
            }
        }
        v4.sort_unstable();
        v6.sort_unstable();
        let interfaces = mirroring.interfaces.iter();
        Self { v4, v6, interfaces: interfaces.map(|it| Asked::new(it, mtu)).collect() }
    }

    /// The interface that has an address.
    #[inline]
    #[must_use]
    pub fn interface(&self, address: IpAddr) -> Option<usize> {
        match address {
            IpAddr::V4(address) => look_up(&self.v4, u32::from(address)),
            IpAddr::V6(address) => look_up(&self.v6, u128::from(address)),
        }
    }

    /// Returns what becomes of a packet at an interface, which must be one of those of the [`Mirroring`].
    #[inline]
    #[must_use]
    pub fn decide(&self, interface: usize, direction: Direction, headers: &Headers) -> Verdict {
        let asked = &self.interfaces[interface];
        if asked.sessions.is_empty() {
            return Verdict::NoSession;
        }
        if let Some(never) = Never::of(headers) {
            return Verdict::Never(never);
        }
        if is_amazon_dns(headers, &asked.resolvers) {
            return match asked.amazon_dns {
                Some(session) => Verdict::Mirrored { session, by: By::AmazonDns },
                None => Verdict::AmazonDnsUnasked,
            };
        }
        asked.by_rules(direction, headers)
    }

    /// Returns what each session of an interface would do with a packet if it were the only one, in the order of
    /// the sessions; empty for a packet that is never mirrored.
    #[must_use]
    pub fn opinions(
        &self,
        interface: usize,
        direction: Direction,
        headers: &Headers,
    ) -> Vec<Opinion> {
        let asked = &self.interfaces[interface];
        if Never::of(headers).is_some() {
            return Vec::new();
        }
        let is_dns = is_amazon_dns(headers, &asked.resolvers);
        let opinion = |session: &Compiled| match (is_dns, session.decide(direction, headers)) {
            (true, _) if session.amazon_dns => Opinion::Accepts(By::AmazonDns),
            (true, _) => Opinion::AmazonDnsUnasked,
            (false, Some((rule, RuleAction::Accept))) => Opinion::Accepts(By::Rule(rule)),
            (false, Some((rule, RuleAction::Reject))) => Opinion::Rejects(rule),
            (false, None) => Opinion::NoRule,
        };
        asked.sessions.iter().map(opinion).collect()
    }

    /// Returns how much of a frame of `length` bytes a session of an interface sends.
    #[inline]
    #[must_use]
    pub fn cut(&self, interface: usize, session: u16, headers: &Headers, length: u32) -> Cut {
        match self.limit(interface, session, headers) {
            Some((limit, by)) if length > limit => Cut { length: limit, by: Some(by) },
            _ => Cut { length, by: None },
        }
    }

    /// Returns the longest frame, in bytes, that a session of an interface sends uncut, if there is a limit.
    #[inline]
    #[must_use]
    pub fn limit(&self, interface: usize, session: u16, headers: &Headers) -> Option<(u32, Limit)> {
        let session = &self.interfaces[interface].sessions[usize::from(session)];
        session.limits[usize::from(headers.source.is_ipv6())]
    }
}

impl Asked {
    fn new(interface: &Interface, mtu: u16) -> Self {
        let with_dns = interface.sessions.iter().position(|session| session.filter.amazon_dns);
        Self {
            resolvers: interface.resolvers.clone(),
            amazon_dns: with_dns.map(place),
            sessions: interface.sessions.iter().map(|it| Compiled::new(it, mtu)).collect(),
        }
    }

    #[inline]
    fn by_rules(&self, direction: Direction, headers: &Headers) -> Verdict {
        let mut rejected = None;
        for (session, compiled) in (0..).zip(&self.sessions) {
            match compiled.decide(direction, headers) {
                Some((rule, RuleAction::Accept)) => {
                    return Verdict::Mirrored { session, by: By::Rule(rule) };
                }
                Some((rule, RuleAction::Reject)) => {
                    rejected = rejected.or(Some(Verdict::Rejected { session, rule }));
                }
                None => {}
            }
        }
        rejected.unwrap_or(Verdict::NoRule)
    }
}

impl Compiled {
    fn new(session: &Session, mtu: u16) -> Self {
        let mut compiled = Self {
            amazon_dns: session.filter.amazon_dns,
            v4: Default::default(),
            v6: Default::default(),
            limits: OVERHEAD.map(|overhead| limit(session, mtu, overhead)),
        };
        for (at, rule) in session.filter.rules.iter().enumerate() {
            let side = side(rule.direction);
            // With two address families, it matches nothing.
            match (rule.source.net(), rule.destination.net()) {
                (IpNet::V4(source), IpNet::V4(destination)) => {
                    let prefix = |net: ipnet::Ipv4Net| Prefix {
                        network: u32::from(net.network()),
                        mask: u32::from(net.netmask()),
                    };
                    let ends = [prefix(source), prefix(destination)];
                    compiled.v4[side].push(Matcher::new(ends, rule, place(at)));
                }
                (IpNet::V6(source), IpNet::V6(destination)) => {
                    let prefix = |net: ipnet::Ipv6Net| Prefix {
                        network: u128::from(net.network()),
                        mask: u128::from(net.netmask()),
                    };
                    let ends = [prefix(source), prefix(destination)];
                    compiled.v6[side].push(Matcher::new(ends, rule, place(at)));
                }
                (IpNet::V4(_), IpNet::V6(_)) | (IpNet::V6(_), IpNet::V4(_)) => {}
            }
        }
        compiled
    }

    /// The first rule that matches.
    #[inline]
    fn decide(&self, direction: Direction, headers: &Headers) -> Option<(u16, RuleAction)> {
        let side = side(direction);
        match (headers.source, headers.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                first(&self.v4[side], [u32::from(source), u32::from(destination)], headers)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                first(&self.v6[side], [u128::from(source), u128::from(destination)], headers)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }
}

impl<A: Copy + Eq + BitAnd<Output = A>> Matcher<A> {
    fn new([source, destination]: [Prefix<A>; 2], rule: &Rule, at: u16) -> Self {
        let every = (0, u16::MAX);
        let range = |range: PortRange| (range.from(), range.to());
        let ports = [rule.source_port, rule.destination_port].map(|it| it.map_or(every, range));
        Self {
            source,
            destination,
            protocol: rule.protocol.number().map_or(ANY_PROTOCOL, u16::from),
            ports,
            looks_at_ports: ports != [every; 2],
            rule: at,
            action: rule.action,
        }
    }

    #[inline]
    fn matches(&self, [source, destination]: [A; 2], headers: &Headers) -> bool {
        let within = |(first, last): (u16, u16), port| first <= port && port <= last;
        self.source.contains(source)
            && self.destination.contains(destination)
            && (self.protocol == ANY_PROTOCOL || self.protocol == u16::from(headers.protocol))
            && match headers.ports {
                Some([from, to]) => within(self.ports[0], from) && within(self.ports[1], to),
                None => !self.looks_at_ports,
            }
    }
}

impl<A: Copy + Eq + BitAnd<Output = A>> Prefix<A> {
    #[inline]
    fn contains(self, address: A) -> bool {
        address & self.mask == self.network
    }
}

#[inline]
fn first<A: Copy + Eq + BitAnd<Output = A>>(
    matchers: &[Matcher<A>],
    ends: [A; 2],
    headers: &Headers,
) -> Option<(u16, RuleAction)> {
    let first = matchers.iter().find(|matcher| matcher.matches(ends, headers))?;
    Some((first.rule, first.action))
}

#[inline]
fn look_up<A: Copy + Ord>(addresses: &[(A, u32)], address: A) -> Option<usize> {
    let at = addresses.binary_search_by_key(&address, |(address, _)| *address).ok()?;
    Some(addresses[at].1 as usize)
}

const fn side(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

/// A position in a list of sessions or rules.
fn place(at: usize) -> u16 {
    u16::try_from(at).expect("session and rule numbers are below 32767 and unique")
}

/// The longest frame that a session sends uncut, if mirroring adds `overhead` bytes to its packet.
///
/// Source: EC2 API reference, `CreateTrafficMirrorSession`, and AWS Traffic Mirroring guide, "MTU": a
/// packet is cut to the MTU if the target is an interface.
fn limit(session: &Session, mtu: u16, overhead: u32) -> Option<(u32, Limit)> {
    let by_mtu = |mtu: u16| (u32::from(mtu).saturating_sub(overhead) + ETHERNET, Limit::Mtu);
    let of_target = match &session.target.destination {
        Destination::LoadBalancer { .. } if session.packet_length.is_none() => {
            Some((u32::from(PacketLength::MAX.get()), Limit::LoadBalancer))
        }
        Destination::NetworkInterface(_) => Some(by_mtu(mtu)),
        Destination::GatewayLoadBalancerEndpoint(_) => Some(by_mtu(ENDPOINT_MTU)),
        Destination::LoadBalancer { .. } | Destination::Unseen => None,
    };
    let own = session.packet_length.map(|it| (u32::from(it.get()), Limit::PacketLength));
    [own, of_target].into_iter().flatten().min_by_key(|(length, _)| *length)
}
