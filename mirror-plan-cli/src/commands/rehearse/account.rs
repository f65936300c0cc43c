//! The account of a rehearsal: at each step, every packet is counted in exactly one place.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use mirror_local::data_plane::{
    By, Carried, DataPlane, Direction, Interface, Loss, Mirrored, Reserved, Seen, Session,
    Unmirrored,
};
use mirror_local::delivery::Delivered;
use mirror_plan::apply::report::Report;

use super::replay::Told;

/// A completed rehearsal.
pub(super) struct Rehearsed {
    pub(super) stack: String,
    pub(super) traffic: Traffic,
    pub(super) report: Report,
    pub(super) account: Account,
}

/// The traffic of the rehearsal.
pub(super) enum Traffic {
    /// A capture.
    Capture(PathBuf),
    /// Frames that are sent into the TAP device with this name.
    Tap {
        device: String,
        /// At most this many; `None` for no limit.
        packets: Option<usize>,
    },
    /// Made-up packets.
    MadeUp { seed: u64, packets: usize },
}

/// Packets and the bytes of their frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// What became of all packets.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) read: Count,
    pub(super) nanoseconds: u64,
    /// Frames that came faster than they could be read; no other number counts them.
    pub(super) unread: u64,
    pub(super) arp: u64,
    pub(super) other: u64,
    pub(super) nobody: u64,
    pub(super) once: u64,
    pub(super) twice: u64,
    /// Packets seen by interfaces that are not mirrored.
    pub(super) elsewhere: u64,
    /// The mirrored interfaces, by their index in the data plane.
    pub(super) sources: BTreeMap<usize, AtSource>,
    pub(super) receivers: Vec<AtReceiver>,
    /// How many outcomes were as the trace predicts.
    pub(super) foretold: u64,
    /// How many were not.
    pub(super) not_foretold: u64,
}

/// What a mirrored interface saw.
#[derive(Debug, Default)]
pub(super) struct AtSource {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) offered: Count,
    pub(super) refused: Count,
    pub(super) refused_by_network_acl: Count,
    pub(super) reserved: BTreeMap<Reserved, Count>,
    pub(super) amazon_dns_unasked: Count,
    pub(super) no_rule: Count,
    pub(super) sessions: Vec<AtSession>,
}

/// What a session did.
#[derive(Debug, Default)]
pub(super) struct AtSession {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) vni: u32,
    source: Option<Ipv4Addr>,
    pub(super) rules: Vec<AtRule>,
    pub(super) amazon_dns: Count,
    pub(super) mirrored: Count,
    pub(super) cut: u64,
    pub(super) delivered: u64,
    pub(super) lost: BTreeMap<Loss, u64>,
    /// Copies sent to receivers that did not deliver them.
    pub(super) lost_by_receivers: u64,
    carried: u64,
}

/// What a rule decided.
#[derive(Debug)]
pub(super) struct AtRule {
    pub(super) direction: Direction,
    pub(super) number: u32,
    pub(super) accepts: bool,
    pub(super) count: Count,
}

/// What a receiver did.
#[derive(Debug)]
pub(super) struct AtReceiver {
    pub(super) name: String,
    pub(super) address: Ipv4Addr,
    pub(super) sent: u64,
    pub(super) missed: u64,
    pub(super) dropped: u64,
    pub(super) delivered: u64,
    pub(super) is_identical: bool,
    balances: bool,
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.packets += 1;
        self.bytes += bytes;
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            packets: sum.packets + one.packets,
            bytes: sum.bytes + one.bytes,
        })
    }
}

impl Account {
    pub(super) fn new(sources: BTreeMap<usize, AtSource>) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Counts a packet that was read this long after the first.
    pub(super) fn seen(&mut self, seen: Seen, bytes: u64, elapsed: u64) {
        self.read.add(bytes);
        self.nanoseconds = self.nanoseconds.max(elapsed);
        let place = match seen {
            Seen::Arp => &mut self.arp,
            Seen::Other => &mut self.other,
            Seen::Nobody => &mut self.nobody,
            Seen::Once => &mut self.once,
            Seen::Twice => &mut self.twice,
        };
        *place += 1;
    }

    /// Counts a packet that an interface saw and did not mirror.
    pub(super) fn unmirrored(&mut self, interface: usize, why: Unmirrored, bytes: u64) {
        match self.sources.get_mut(&interface) {
            Some(source) => source.unmirrored(why, bytes),
            None => self.elsewhere += 1,
        }
    }

    /// Counts a packet that an interface mirrored.
    pub(super) fn mirrored(&mut self, interface: usize, copy: &Mirrored<'_>, bytes: u64) {
        let source = self.sources.get_mut(&interface).expect("it has a session");
        source.offered.add(bytes);
        source.sessions[copy.session].mirrored(copy, bytes);
    }

    pub(super) const fn foretold(&mut self, told: Told) {
        match told {
            Told::Same => self.foretold += 1,
            Told::Different => self.not_foretold += 1,
            Told::Nothing => {}
        }
    }

    /// Adds what the receivers did; `name` gives their names.
    pub(super) fn close(
        &mut self,
        plane: &DataPlane,
        delivered: Vec<Delivered>,
        name: impl Fn(&str) -> String,
    ) {
        let mut by_session: BTreeMap<(Ipv4Addr, u32), u64> = BTreeMap::new();
        for (receiver, done) in plane.receivers().iter().zip(&delivered) {
            for (session, count) in &done.sessions {
                *by_session.entry(*session).or_default() += count;
            }
            self.receivers.push(AtReceiver {
                name: name(receiver.interface()),
                address: receiver.address(),
                sent: done.sent,
                missed: done.missed,
                dropped: done.dropped(),
                delivered: done.delivered(),
                is_identical: done.is_identical,
                balances: done.account.balances(),
            });
        }
        for session in self.sources.values_mut().flat_map(|source| &mut source.sessions) {
            session.close(&mut by_session);
        }
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &AtSession> {
        self.sources.values().flat_map(|source| &source.sessions)
    }

    /// Everything that mirrored interfaces saw.
    pub(super) fn offered(&self) -> Count {
        self.sources.values().map(|source| source.offered).sum()
    }

    pub(super) fn mirrored_packets(&self) -> u64 {
        self.sessions().map(|session| session.mirrored.packets).sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        self.sessions().map(|session| session.delivered).sum()
    }

    pub(super) fn lost(&self) -> u64 {
        self.sessions().map(AtSession::all_lost).sum()
    }

    /// The share of copies that were lost: zero if there are no copies.
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub(super) fn lost_share(&self) -> f64 {
        self.lost() as f64 / self.mirrored_packets().max(1) as f64
    }

    /// Whether every number adds up.
    pub(super) fn balances(&self) -> bool {
        let Self {
            read,
            nanoseconds: _,
            unread: _, // not among those that were read
            arp,
            other,
            nobody,
            once,
            twice,
            elsewhere,
            sources,
            receivers,
            foretold: _,
            not_foretold: _,
        } = self;
        let delivered: u64 = receivers.iter().map(|receiver| receiver.delivered).sum();
        read.packets == arp + other + nobody + once + twice
            && once + 2 * twice == self.offered().packets + elsewhere
            && sources.values().all(AtSource::balances)
            && self.sessions().all(AtSession::balances)
            && delivered == self.delivered()
            && receivers.iter().all(AtReceiver::balances)
    }

    /// Whether the receivers delivered exactly what they were sent.
    pub(super) fn is_identical(&self) -> bool {
        self.receivers.iter().all(|it| it.is_identical || it.missed + it.dropped > 0)
    }

    /// Whether everything adds up, equals what was sent, and had been foretold.
    pub(super) fn is_sound(&self) -> bool {
        self.balances() && self.is_identical() && self.not_foretold == 0
    }
}

impl AtSource {
    /// Makes the account of an interface, with its name and the names of its sessions.
    pub(super) fn new(interface: &Interface, name: String, sessions: Vec<String>) -> Self {
        let sessions = interface.sessions().iter().zip(sessions);
        let sessions = sessions.map(|(it, name)| AtSession::new(it, name, interface.primary()));
        let addresses = interface.addresses().to_vec();
        Self { name, addresses, sessions: sessions.collect(), ..Self::default() }
    }

    fn unmirrored(&mut self, why: Unmirrored, bytes: u64) {
        self.offered.add(bytes);
        let place = match why {
            Unmirrored::NoSession => unreachable!("it has a session"),
            Unmirrored::Refused => &mut self.refused,
            Unmirrored::RefusedByNetworkAcl => &mut self.refused_by_network_acl,
            Unmirrored::Reserved(class) => self.reserved.entry(class).or_default(),
            Unmirrored::AmazonDnsUnasked => &mut self.amazon_dns_unasked,
            Unmirrored::NoRule => &mut self.no_rule,
            Unmirrored::Rejected { session, rule } => &mut self.sessions[session].rules[rule].count,
        };
        place.add(bytes);
    }

    pub(super) fn mirrored(&self) -> Count {
        self.sessions.iter().map(|session| session.mirrored).sum()
    }

    pub(super) fn rejected(&self) -> Count {
        let rules = self.sessions.iter().flat_map(|session| &session.rules);
        rules.filter(|rule| !rule.accepts).map(|rule| rule.count).sum()
    }

    /// Packets that no rule could cause to be mirrored.
    pub(super) fn unmirrorable(&self) -> Count {
        let reserved = self.reserved.values().copied();
        let refused = [self.refused, self.refused_by_network_acl];
        reserved.chain(refused).chain([self.amazon_dns_unasked, self.no_rule]).sum()
    }

    fn balances(&self) -> bool {
        let parts = [self.mirrored(), self.rejected(), self.unmirrorable()];
        parts.into_iter().sum::<Count>() == self.offered
    }
}

impl AtSession {
    fn new(session: &Session, name: String, source: Ipv4Addr) -> Self {
        let rules = session.rules().iter().map(|rule| AtRule {
            direction: rule.direction(),
            number: rule.number(),
            accepts: rule.accepts(),
            count: Count::default(),
        });
        Self {
            name,
            number: session.number(),
            vni: session.vni(),
            source: Some(source),
            rules: rules.collect(),
            ..Self::default()
        }
    }

    fn mirrored(&mut self, copy: &Mirrored<'_>, bytes: u64) {
        self.mirrored.add(bytes);
        self.cut += u64::from((copy.wrapped.frame_len as u64) < bytes);
        match copy.by {
            By::Rule(rule) => self.rules[rule].count.add(bytes),
            By::AmazonDns => self.amazon_dns.add(bytes),
        }
        match copy.carried {
            Carried::To(_) => self.carried += 1,
            Carried::Lost(loss) => *self.lost.entry(loss).or_default() += 1,
        }
    }

    /// Takes its part of what was delivered: two sessions of an interface may share one VNI.
    fn close(&mut self, delivered: &mut BTreeMap<(Ipv4Addr, u32), u64>) {
        let source = self.source.expect("it was made with one");
        if let Some(left) = delivered.get_mut(&(source, self.vni)) {
            self.delivered = self.carried.min(*left);
            *left -= self.delivered;
        }
        self.lost_by_receivers = self.carried - self.delivered;
    }

    pub(super) fn all_lost(&self) -> u64 {
        self.lost.values().sum::<u64>() + self.lost_by_receivers
    }

    fn balances(&self) -> bool {
        let accepted = self.rules.iter().filter(|rule| rule.accepts).map(|rule| rule.count);
        accepted.chain([self.amazon_dns]).sum::<Count>() == self.mirrored
            && self.mirrored.packets == self.delivered + self.all_lost()
    }
}

impl AtReceiver {
    const fn balances(&self) -> bool {
        self.balances && self.sent == self.missed + self.dropped + self.delivered
    }
}
