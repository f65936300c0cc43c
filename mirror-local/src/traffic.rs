//! Traffic generated from a seed: what hosts in a VPC send, so that every mirroring rule has something to decide.
//!
//! Conversations begin as real ones do, so that security groups can tell who opened them; lengths and checksums are
//! correct. Equal seeds and equal hosts give equal frames.
//!
//! ```
//! use mirror_local::traffic::{Host, Mix};
//!
//! let host = Host { address: [10, 0, 1, 10].into(), resolver: [10, 0, 0, 2].into() };
//! let frames: Vec<_> = Mix::new(7, vec![host]).take(100).collect();
//! assert_eq!(frames, Mix::new(7, vec![host]).take(100).collect::<Vec<_>>());
//! ```

mod frame;

use std::net::Ipv4Addr;

use frame::Segment;

/// A host whose traffic is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Its address.
    pub address: Ipv4Addr,
    /// The DNS server that it asks: Amazon's, the third address of its VPC.
    pub resolver: Ipv4Addr,
}

/// A frame and when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    /// Nanoseconds since the earliest time that the first frame could have had.
    pub time: u64,
    /// The Ethernet frame, without its check sequence.
    pub frame: Vec<u8>,
}

/// An endless mix of conversations.
#[derive(Debug, Clone)]
pub struct Mix {
    random: Random,
    hosts: Vec<Host>,
    time: u64,
    open: Vec<Conversation>,
}

/// Conversations that go on side by side.
const OPEN: usize = 48;

/// The longest pause between two frames, in nanoseconds: 10 ms on average makes a small, busy host.
const PAUSE_MAX: u64 = 20_000_000;

/// Bytes of data in most frames, and in jumbo frames.
const DATA: std::ops::Range<u64> = 0..1461;
const JUMBO_DATA: std::ops::Range<u64> = 8000..8948;

/// The kinds of conversation, with how many of 100 are of each kind.
const KINDS: [(Kind, u64); 13] = [
    (Kind::Tcp { port: 443, opener: Opener::Host }, 26),
    (Kind::Tcp { port: 443, opener: Opener::Peer }, 16),
    (Kind::Login, 12),
    (Kind::Neighbour, 8),
    (Kind::Udp(Server::Resolver, 53), 14),
    (Kind::Udp(Server::Peer, 53), 3),
    (Kind::Udp(Server::Peer, 123), 3),
    (Kind::Udp(Server::LinkLocal(123), 123), 3),
    (Kind::Metadata, 3),
    (Kind::Dhcp, 2),
    (Kind::Echo, 5),
    (Kind::Tunnel, 2),
    (Kind::Arp, 3),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// With somebody outside.
    Tcp {
        port: u16,
        opener: Opener,
    },
    /// SSH, from within the VPC.
    Login,
    /// PostgreSQL, with another host where there is one.
    Neighbour,
    Udp(Server, u16),
    Metadata,
    Dhcp,
    Echo,
    /// GRE, a protocol without ports.
    Tunnel,
    Arp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    Host,
    Peer,
}

#[derive(Debug, Clone, Copy)]
enum Server {
    Resolver,
    Peer,
    LinkLocal(u8),
}

/// Two ends that talk: the first one opened the conversation.
#[derive(Debug, Clone, Copy)]
struct Conversation {
    ends: [(Ipv4Addr, u16); 2],
    protocol: Protocol,
    /// Frames that are still to come.
    left: u64,
    step: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
    Gre,
    Arp,
}

impl Mix {
    /// Creates the mix of a seed; without hosts it is traffic between outsiders.
    pub fn new(seed: u64, hosts: Vec<Host>) -> Self {
        Self { random: Random(seed), hosts, time: 0, open: Vec::new() }
    }

    fn begin(&mut self) -> Conversation {
        let peer = self.peer();
        let Some(host) = self.random.pick(&self.hosts).copied() else {
            let other = self.peer();
            return self.conversation(Protocol::Tcp, [(peer, 50_000), (other, 443)]);
        };
        let port = 32_768 + self.random.below_u16(28_000);
        let own = (host.address, port);
        match self.kind() {
            Kind::Tcp { port: service, opener: Opener::Host } => {
                self.conversation(Protocol::Tcp, [own, (peer, service)])
            }
            Kind::Tcp { port: service, opener: Opener::Peer } => {
                self.conversation(Protocol::Tcp, [(peer, port), (host.address, service)])
            }
            Kind::Login => {
                let [a, b, ..] = host.resolver.octets();
                let [.., last] = peer.octets();
                let colleague = (Ipv4Addr::new(a, b, 200, last), port);
                self.conversation(Protocol::Tcp, [colleague, (host.address, 22)])
            }
            Kind::Neighbour => {
                let other = self.random.pick(&self.hosts).map_or(peer, |other| other.address);
                let other = if other == host.address { peer } else { other };
                self.conversation(Protocol::Tcp, [own, (other, 5432)])
            }
            Kind::Udp(server, service) => {
                let server = match server {
                    Server::Resolver => host.resolver,
                    Server::Peer => peer,
                    Server::LinkLocal(last) => Ipv4Addr::new(169, 254, 169, last),
                };
                self.conversation(Protocol::Udp, [own, (server, service)])
            }
            Kind::Metadata => {
                let service = (Ipv4Addr::new(169, 254, 169, 254), 80);
                self.conversation(Protocol::Tcp, [own, service])
            }
            Kind::Dhcp => {
                let [a, b, c, _] = host.address.octets();
                let server = Ipv4Addr::new(a, b, c, 1);
                self.conversation(Protocol::Udp, [(host.address, 68), (server, 67)])
            }
            Kind::Echo => self.conversation(Protocol::Icmp, [own, (peer, 0)]),
            Kind::Tunnel => self.conversation(Protocol::Gre, [own, (peer, 0)]),
            Kind::Arp => self.conversation(Protocol::Arp, [own, (peer, 0)]),
        }
    }

    fn conversation(&mut self, protocol: Protocol, ends: [(Ipv4Addr, u16); 2]) -> Conversation {
        let left = match protocol {
            Protocol::Tcp => 4 + self.random.below(60),
            Protocol::Udp | Protocol::Icmp | Protocol::Arp => 2,
            Protocol::Gre => 6,
        };
        Conversation { ends, protocol, left, step: 0 }
    }

    /// Somebody outside, with an address from the ranges for documentation, so that it belongs to nobody. RFC 5737.
    fn peer(&mut self) -> Ipv4Addr {
        let [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][self.random.below_usize(3)];
        let [.., last] = (1 + self.random.below(254)).to_be_bytes();
        Ipv4Addr::new(a, b, c, last)
    }

    fn kind(&mut self) -> Kind {
        let mut at = self.random.below(KINDS.iter().map(|(_, share)| share).sum());
        for (kind, share) in KINDS {
            if at < share {
                return kind;
            }
            at -= share;
        }
        Kind::Arp
    }

    fn frame(&mut self, conversation: &Conversation) -> Vec<u8> {
        let Conversation { ends, protocol, step, .. } = *conversation;
        // The first two frames go back and forth; after that, either end may send.
        let is_answer = if step < 2 { step == 1 } else { self.random.below(2) == 1 };
        let [from, to] = if is_answer { [ends[1], ends[0]] } else { ends };
        let data = match (protocol, step) {
            (Protocol::Tcp, 0 | 1) => 0,
            (Protocol::Tcp, _) if self.random.below(16) == 0 => self.random.within(JUMBO_DATA),
            (Protocol::Tcp | Protocol::Gre, _) => self.random.within(DATA),
            (Protocol::Udp | Protocol::Icmp | Protocol::Arp, _) => self.random.within(32..200),
        };
        let data = usize::try_from(data).unwrap_or_default();
        let kind = if is_answer { 0 } else { 8 };
        let segment = match protocol {
            Protocol::Tcp => Segment::Tcp { ports: [from.1, to.1], flags: flags(step) },
            Protocol::Udp => Segment::Udp { ports: [from.1, to.1] },
            Protocol::Icmp => Segment::Echo { kind, identifier: ends[0].1 },
            Protocol::Gre => Segment::Gre,
            Protocol::Arp => return frame::arp(from.0, to.0),
        };
        frame::internet([from.0, to.0], segment, data)
    }
}

/// SYN, then SYN and ACK, then ACK with PSH. RFC 9293, section 3.1.
const fn flags(step: u64) -> u8 {
    match step {
        0 => 0x02,
        1 => 0x12,
        _ => 0x18,
    }
}

impl Iterator for Mix {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        if self.open.len() < OPEN {
            let conversation = self.begin();
            self.open.push(conversation);
        }
        let at = self.random.below_usize(self.open.len());
        let conversation = self.open[at];
        let frame = self.frame(&conversation);
        self.open[at].step += 1;
        self.open[at].left -= 1;
        if self.open[at].left == 0 {
            self.open.swap_remove(at);
        }
        self.time += self.random.below(PAUSE_MAX);
        Some(Timed { time: self.time, frame })
    }
}

/// SplitMix64: numbers that look random, from a seed.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// Returns a number below a limit that is small enough for the remainder to favour none.
    fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    fn below_u16(&mut self, limit: u16) -> u16 {
        let number = self.below(u64::from(limit));
        u16::try_from(number).expect("it is below the limit")
    }

    fn below_usize(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        usize::try_from(self.below(limit)).expect("it is below the limit")
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below_usize(all.len())) }
    }
}
