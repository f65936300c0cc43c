//! The account of a capture: every packet is counted in exactly one place, in a space that does not grow.

use super::{By, Content, FlowSample, Headers, Mirroring, Never, Tracer, Verdict};
use crate::scalar::Direction;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// Bytes of the headers that are added to a mirrored frame: IPv4, UDP and VXLAN.
///
/// Source: AWS Traffic Mirroring guide, "Packet format", and RFC 7348, section 5.
const WRAPPING: u64 = 20 + 8 + 8;

/// Bytes of an Ethernet header.
const ETHERNET: u64 = 14;

/// The longest frame in a VPC: its MTU, an Ethernet header and a VLAN tag.
///
/// Source: EC2 user guide, "Network MTU for your EC2 instance".
const LONGEST: u32 = 9001 + 14 + 4;

/// The number of UDP source ports that the copies of one interface have. In AWS's sample capture, all ports are in
/// 65408 to 65535.
pub(super) const PORTS: u32 = 128;

/// A packet of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// When it was captured, in nanoseconds since 1970.
    pub time: u64,
    /// How long its frame was, in bytes, without the check sequence.
    pub length: u32,
    /// A hash of its flow, the same for both directions.
    pub flow: u32,
    /// What is in it.
    pub content: Content,
}

/// What became of the packets of a capture.
///
/// `packets` counts all of them. Every packet was seen by an interface, except ARP, protocols other than IP, and
/// packets between strangers; `twice` of them were seen by two, the one that sent it and the one that received it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// All packets.
    pub packets: Count,
    /// ARP, which is never mirrored.
    pub arp: Count,
    /// Frames that are not IP, or that were cut too short to tell.
    pub other: Count,
    /// IP packets that no interface of the stack sent or received.
    pub strangers: Count,
    /// Packets that two interfaces saw.
    pub twice: Count,
    /// The number of packets longer than any in a VPC: captured before the sender's network card split them.
    pub unsplit: u64,
    /// By interface, as in the [`Mirroring`].
    pub interfaces: Vec<AtInterface>,
    /// When the first and the last packet were captured, in nanoseconds since 1970.
    pub times: Option<(u64, u64)>,
}

/// Packets and the bytes of their frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What an interface saw, each packet counted in one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AtInterface {
    /// All of it.
    pub seen: Count,
    /// What is never mirrored, by class, in the order of [`Never::ALL`].
    pub never: [Count; Never::ALL.len()],
    /// What no rule matches.
    pub no_rule: Count,
    /// Traffic with Amazon's DNS server that no session has asked for.
    pub amazon_dns_unasked: Count,
    /// What an interface without sessions saw.
    pub no_session: Count,
    /// By session, as in the [`Mirroring`].
    pub sessions: Vec<AtSession>,
    /// The second with the most traffic, copies included.
    pub busiest: Second,
    second: Second,
}

/// What a session decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AtSession {
    /// What each rule of its filter decided, in their order.
    pub rules: Vec<Cell>,
    /// What it got by the network service `amazon-dns`.
    pub amazon_dns: Cell,
    /// All that it sends: packets, and their bytes as IP packets on the way to the target.
    pub sent: Count,
    /// The bytes of mirrored frames in `sent`, without what was cut off.
    pub frame_bytes: u64,
    /// Which of the [`PORTS`] source ports it uses.
    ports: u128,
}

/// One cell of the matrix of sessions and rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What was decided here, with the full length of the frames.
    pub count: Count,
    /// How many of the packets were cut.
    pub cut: u64,
    /// Their flows.
    pub flows: FlowSample,
}

/// The bits of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Seconds since 1970.
    number: u64,
    /// Of the interface's own packets, in and out.
    pub traffic_bits: u64,
    /// Of their copies.
    pub copied_bits: u64,
}

impl Second {
    /// Own packets and copies together: both use the bandwidth of the instance.
    #[must_use]
    pub const fn bits(&self) -> u64 {
        self.traffic_bits + self.copied_bits
    }
}

impl Count {
    #[inline]
    fn add(&mut self, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }
}

impl Account {
    /// An account without packets.
    #[must_use]
    pub fn new(mirroring: &Mirroring) -> Self {
        let interfaces = mirroring.interfaces.iter().map(|interface| {
            let sessions = interface.sessions.iter().map(|session| AtSession {
                rules: vec![Cell::default(); session.filter.rules.len()],
                ..AtSession::default()
            });
            AtInterface { sessions: sessions.collect(), ..AtInterface::default() }
        });
        Self { interfaces: interfaces.collect(), ..Self::default() }
    }

    /// Adds a packet. `tracer` must be made from the same [`Mirroring`] as the account.
    #[inline]
    pub fn add(&mut self, tracer: &Tracer, offered: &Offered) {
        let Offered { time, length, flow: _, content } = *offered;
        self.packets.add(length);
        self.unsplit += u64::from(length > LONGEST);
        self.times = Some(match self.times {
            Some((first, last)) => (first.min(time), last.max(time)),
            None => (time, time),
        });
        let headers = match content {
            Content::Internet(headers) => headers,
            Content::Arp => return self.arp.add(length),
            Content::Other => return self.other.add(length),
        };
        let by = tracer.interface(headers.source);
        let to = tracer.interface(headers.destination);
        match (by, to) {
            (None, None) => self.strangers.add(length),
            (Some(_), Some(_)) => self.twice.add(length),
            (Some(_), None) | (None, Some(_)) => {}
        }
        for (interface, direction) in [(by, Direction::Egress), (to, Direction::Ingress)] {
            if let Some(interface) = interface {
                let verdict = tracer.decide(interface, direction, &headers);
                let sent = match verdict {
                    Verdict::Mirrored { session, by: _ } => {
                        tracer.cut(interface, session, &headers, length).length
                    }
                    _ => 0,
                };
                self.interfaces[interface].add(verdict, offered, &headers, sent);
            }
        }
    }

    /// Returns how long the capture took, in seconds; zero if all packets have the same time.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let (first, last) = self.times.unwrap_or_default();
        std::time::Duration::from_nanos(last - first).as_secs_f64()
    }
}

impl AtInterface {
    /// Adds a packet, of which `sent` bytes are mirrored if it is mirrored at all.
    #[inline]
    fn add(&mut self, verdict: Verdict, offered: &Offered, headers: &Headers, sent: u32) {
        let Offered { time, length, flow, content: _ } = *offered;
        self.seen.add(length);
        let mut copied = 0;
        match verdict {
            Verdict::Mirrored { session, by } => {
                let session = &mut self.sessions[usize::from(session)];
                copied = session.send(flow, sent);
                let cell = match by {
                    By::Rule(rule) => &mut session.rules[usize::from(rule)],
                    By::AmazonDns => &mut session.amazon_dns,
                };
                cell.add(length, flow, headers);
                cell.cut += u64::from(sent < length);
            }
            Verdict::Rejected { session, rule } => {
                let rules = &mut self.sessions[usize::from(session)].rules;
                rules[usize::from(rule)].add(length, flow, headers);
            }
            Verdict::NoRule => self.no_rule.add(length),
            Verdict::AmazonDnsUnasked => self.amazon_dns_unasked.add(length),
            Verdict::Never(class) => self.never[class as usize].add(length),
            Verdict::NoSession => self.no_session.add(length),
        }
        self.pass(time / SECOND, u64::from(length), copied);
    }

    /// Adds bytes to their second. A packet that comes late counts for the second that is being counted.
    #[inline]
    fn pass(&mut self, number: u64, bytes: u64, copied: u64) {
        if number > self.second.number {
            self.second = Second { number, ..Second::default() };
        }
        self.second.traffic_bits += 8 * bytes;
        self.second.copied_bits += 8 * copied;
        if self.second.bits() > self.busiest.bits() {
            self.busiest = self.second;
        }
    }

    /// All that its sessions send.
    #[must_use]
    pub fn sent(&self) -> Count {
        self.sessions.iter().fold(Count::default(), |sum, session| Count {
            packets: sum.packets + session.sent.packets,
            bytes: sum.bytes + session.sent.bytes,
        })
    }
}

impl AtSession {
    /// Adds a copy of a frame, and returns its bytes on the wire.
    #[inline]
    fn send(&mut self, flow: u32, frame: u32) -> u64 {
        let packet = u64::from(frame) + WRAPPING;
        self.sent.packets += 1;
        self.sent.bytes += packet;
        self.frame_bytes += u64::from(frame);
        self.ports |= 1 << (flow % PORTS);
        packet + ETHERNET
    }

    /// Returns how many flows the copies are for whatever forwards them, by their source ports.
    #[must_use]
    pub const fn outer_flows(&self) -> u32 {
        self.ports.count_ones()
    }
}

impl Cell {
    #[inline]
    fn add(&mut self, length: u32, flow: u32, headers: &Headers) {
        self.count.add(length);
        self.flows.add(flow, headers);
    }
}
