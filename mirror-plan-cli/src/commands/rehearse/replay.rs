//! The replay: passes every frame through the data plane and on to receivers, and through the trace as well.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use mirror_local::data_plane::{
    By, Carried, DataPlane, Direction, Fate, Interface, Mirrored, Seen, Sighting, Unmirrored,
};
use mirror_local::delivery::{Delivery, DeliveryError, Recording};
use mirror_local::traffic::{Host, Mix};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::Observed;
use mirror_plan::packet::trace::{self, Content, Headers, Mirroring, Tracer, Verdict};
use mirror_plan::scalar;
use mirror_vxlan::Timestamp;
use mirror_vxlan::capture::read::{CaptureReader, Record};
use mirror_vxlan::decap::Link;
use mirror_vxlan::input::Received;

use super::account::{Account, AtSource};
use crate::commands::trace::{capture, unreadable};

/// A rehearsal in progress.
pub(super) struct Replay {
    plane: DataPlane,
    delivery: Delivery,
    foretelling: Foretelling,
    account: Account,
    /// The first failure to deliver.
    failure: Option<DeliveryError>,
    /// When the first packet was captured.
    began: Option<u64>,
}

/// The trace, and how the data plane's interfaces and sessions are identified in it.
struct Foretelling {
    mirroring: Mirroring,
    tracer: Tracer,
    /// For each interface of the data plane, its index in the trace.
    places: Vec<Option<usize>>,
    /// The ids of the stack's sessions.
    ids: BTreeMap<String, String>,
}

impl Replay {
    /// Starts the receivers, which keep what they deliver if a folder is given for it.
    pub(super) fn start(
        plane: DataPlane,
        (mirroring, mtu): (Mirroring, u16),
        observed: &Observed,
        folder: Option<&Path>,
    ) -> Result<Self, Diagnostics> {
        let interfaces = plane.interfaces();
        let sources = interfaces.iter().enumerate().filter(|(_, it)| !it.sessions().is_empty());
        let ids = observed.owned.iter().flat_map(|(address, all)| {
            all.iter().map(move |found| (address.to_string(), found.id.to_string()))
        });
        let foretelling = Foretelling {
            tracer: Tracer::new(&mirroring, mtu),
            places: interfaces.iter().map(|it| mirroring.interface(it.id())).collect(),
            ids: ids.collect(),
            mirroring,
        };
        let sources = sources.map(|(place, it)| {
            (place, AtSource::new(it, foretelling.name(it.id()), foretelling.names(it)))
        });
        let account = Account::new(sources.collect());
        let delivery = match folder {
            None => Delivery::start(&plane),
            Some(folder) => Delivery::recording(&plane, foretelling.recording(&plane, folder)),
        };
        let delivery = delivery.map_err(|error| undelivered(&error))?;
        Ok(Self { delivery, foretelling, account, failure: None, began: None, plane })
    }

    /// Replays a capture.
    pub(super) fn capture(mut self, path: &Path) -> Result<Account, Diagnostics> {
        let failed = |error| unreadable(path, &error);
        let mut reader = if path == Path::new("-") {
            CaptureReader::new(io::stdin()).map_err(failed)?
        } else {
            CaptureReader::open(path).map_err(failed)?
        };
        let mut frame = Vec::new();
        let mut each = |record: Record<'_>| {
            rebuild(&record, &mut frame);
            self.offer(&record, &frame);
        };
        while reader.records(&mut each).map_err(failed)? != Received::End {}
        self.end()
    }

    /// Plays made-up traffic for the sources.
    pub(super) fn mix(mut self, seed: u64, packets: usize) -> Result<Account, Diagnostics> {
        let hosts = self.plane.interfaces().iter().filter(|it| !it.sessions().is_empty());
        let hosts = hosts.flat_map(|it| {
            let v4 = it.addresses().iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(*address),
                IpAddr::V6(_) => None,
            });
            v4.map(|address| Host { address, resolver: resolver(it) })
        });
        for timed in Mix::new(seed, hosts.collect()).take(packets) {
            let original_len = u32::try_from(timed.frame.len()).unwrap_or(u32::MAX);
            let time = Timestamp::from_nanos(timed.time);
            let bytes = &*timed.frame;
            self.offer(&Record { time, link: Link::Ethernet, bytes, original_len }, bytes);
        }
        self.end()
    }

    pub(super) fn offer(&mut self, record: &Record<'_>, frame: &[u8]) {
        let Self { plane, delivery, foretelling, account, failure, began } = self;
        let time = record.time.as_nanos();
        let elapsed = time.saturating_sub(*began.get_or_insert(time));
        let length = frame.len() as u64;
        let offered = capture::offered(record);
        let headers = match offered.content {
            Content::Internet(headers) => Some(headers),
            Content::Arp | Content::Other => None,
        };
        let mut done = Done::default();
        let seen = plane.offer(time, frame, |sighting| {
            let Sighting { interface, direction, fate } = sighting;
            done.push((interface, direction, summary(&fate)));
            match fate {
                Fate::Unmirrored(why) => account.unmirrored(interface, why, length),
                Fate::Mirrored(copy) => {
                    account.mirrored(interface, &copy, length);
                    if let Carried::To(receiver) = copy.carried
                        && let Err(error) = delivery.send(receiver, &copy)
                    {
                        failure.get_or_insert(error);
                    }
                }
            }
        });
        account.seen(seen, length, elapsed);
        if seen == Seen::Once || seen == Seen::Twice {
            for (interface, direction, fated) in done.iter() {
                let told = foretelling.tells(
                    plane,
                    (interface, direction),
                    headers.map(|headers| (headers, offered.length)),
                    fated,
                );
                account.foretold(told);
            }
        }
    }

    /// Records that this many frames were not even read.
    pub(super) const fn dropped(&mut self, frames: u64) {
        self.account.unread = frames;
    }

    pub(super) fn end(self) -> Result<Account, Diagnostics> {
        let Self { plane, delivery, mut account, failure, foretelling, .. } = self;
        if let Some(error) = failure {
            return Err(undelivered(&error).into());
        }
        account.close(&plane, delivery.end(), |id| foretelling.name(id));
        Ok(account)
    }
}

/// What became of a packet at up to two interfaces.
#[derive(Default)]
struct Done([Option<(usize, Direction, Fated)>; 2]);

/// The session, why it mirrored the packet, and the bytes that it sent; or why none did.
type Fated = Result<(usize, By, usize), Unmirrored>;

impl Done {
    fn push(&mut self, one: (usize, Direction, Fated)) {
        let free = self.0.iter_mut().find(|it| it.is_none());
        *free.expect("a packet has two ends") = Some(one);
    }

    fn iter(&self) -> impl Iterator<Item = (usize, Direction, Fated)> {
        self.0.iter().flatten().copied()
    }
}

fn summary(fate: &Fate<'_>) -> Fated {
    match fate {
        Fate::Unmirrored(why) => Err(*why),
        Fate::Mirrored(Mirrored { session, by, wrapped, .. }) => {
            Ok((*session, *by, wrapped.frame_len))
        }
    }
}

/// Whether the trace had foretold an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Same,
    Different,
    /// The trace does not consider security groups, or does not know the interface.
    Nothing,
}

impl Foretelling {
    /// The name of an interface in the stack, or its id if it does not belong to the stack.
    fn name(&self, id: &str) -> String {
        let place = self.mirroring.interface(id);
        place.map_or_else(|| id.to_owned(), |place| self.mirroring.interfaces[place].name.clone())
    }

    /// The names of an interface's sessions in the stack, or the ids of those that do not belong to it.
    fn names(&self, interface: &Interface) -> Vec<String> {
        let called = |id: &str| self.ids.iter().find(|(_, it)| *it == id).map(|(name, _)| name);
        let sessions = interface.sessions().iter();
        sessions.map(|it| called(it.id()).cloned().unwrap_or_else(|| it.id().to_owned())).collect()
    }

    /// A recording that uses the names of the stack.
    fn recording(&self, plane: &DataPlane, folder: &Path) -> Recording {
        let receivers = plane.receivers().iter().map(|it| it.interface());
        let receivers = receivers.map(|id| (id.to_owned(), self.name(id)));
        let sessions = self.ids.iter().map(|(name, id)| (id.clone(), name.clone()));
        Recording { folder: folder.to_owned(), names: receivers.chain(sessions).collect() }
    }

    fn tells(
        &self,
        plane: &DataPlane,
        (interface, direction): (usize, Direction),
        packet: Option<(Headers, u32)>,
        fated: Fated,
    ) -> Told {
        let (Some(place), Some((headers, length))) = (self.places[interface], packet) else {
            return Told::Nothing;
        };
        let told = &self.mirroring.interfaces[place].sessions;
        let sessions = plane.interfaces()[interface].sessions();
        let same_session = |at: u16, session: usize| {
            let id = self.ids.get(&told[usize::from(at)].address.to_string());
            id.is_some_and(|id| id == sessions[session].id())
        };
        let same_rule = |(at, rule): (u16, u16), (session, done): (usize, usize)| {
            let rule = &told[usize::from(at)].filter.rules[usize::from(rule)];
            let done = &sessions[session].rules()[done];
            u32::from(rule.number.get()) == done.number()
                && rule.direction == side(done.direction())
        };
        let verdict = self.tracer.decide(place, side(direction), &headers);
        let is_same = match (fated, verdict) {
            (Err(Unmirrored::Refused | Unmirrored::RefusedByNetworkAcl), _) => {
                return Told::Nothing;
            }
            (Ok((session, by, sent)), Verdict::Mirrored { session: at, by: told_by }) => {
                same_session(at, session)
                    && self.tracer.cut(place, at, &headers, length).length as usize == sent
                    && match (by, told_by) {
                        (By::AmazonDns, trace::By::AmazonDns) => true,
                        (By::Rule(done), trace::By::Rule(rule)) => {
                            same_rule((at, rule), (session, done))
                        }
                        _ => false,
                    }
            }
            (
                Err(Unmirrored::Rejected { session, rule: done }),
                Verdict::Rejected { session: at, rule },
            ) => same_session(at, session) && same_rule((at, rule), (session, done)),
            (Err(Unmirrored::NoSession), Verdict::NoSession)
            | (Err(Unmirrored::NoRule), Verdict::NoRule)
            | (Err(Unmirrored::AmazonDnsUnasked), Verdict::AmazonDnsUnasked)
            | (Err(Unmirrored::Reserved(_)), Verdict::Never(_)) => true,
            _ => false,
        };
        if is_same { Told::Same } else { Told::Different }
    }
}

const fn side(direction: Direction) -> scalar::Direction {
    match direction {
        Direction::Ingress => scalar::Direction::Ingress,
        Direction::Egress => scalar::Direction::Egress,
    }
}

/// The DNS server of an interface's VPC.
fn resolver(interface: &Interface) -> Ipv4Addr {
    interface.resolver().unwrap_or(Ipv4Addr::new(169, 254, 169, 253))
}

/// Rebuilds the Ethernet frame of a record, whatever link it was captured on: bytes that a snap length
/// cut off are zero, and the frame is empty if the record holds no packet.
fn rebuild(record: &Record<'_>, frame: &mut Vec<u8>) {
    let Record { link, bytes, original_len, .. } = *record;
    let header = link.header_len() as usize;
    frame.clear();
    let ether_type = match link {
        Link::Ethernet => None,
        Link::LinuxCooked => bytes.get(14..16),
        Link::LinuxCooked2 => bytes.get(0..2),
        Link::Ip | Link::Loopback => match bytes.get(header).map(|byte| byte >> 4) {
            Some(4) => Some(&[0x08, 0x00][..]),
            Some(6) => Some(&[0x86, 0xdd][..]),
            _ => return,
        },
        _ => return,
    };
    match ether_type {
        None => frame.extend(bytes),
        Some(ether_type) => {
            frame.extend([0; 12]);
            frame.extend(ether_type);
            frame.extend(bytes.get(header..).unwrap_or_default());
        }
    }
    let cut = original_len as usize - bytes.len();
    frame.resize(frame.len() + cut, 0);
}

fn undelivered(error: &DeliveryError) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(code::FILE, "copies cannot be delivered to receivers here")
            .note(error.to_string());
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        diagnostic = diagnostic.note(source.to_string());
        cause = source.source();
    }
    match error {
        DeliveryError::Record(_) => diagnostic,
        DeliveryError::Receive { .. } | DeliveryError::Start(_) | DeliveryError::Send { .. } => {
            diagnostic.help("receivers need addresses in 127.0.0.0/8, all of which exist on Linux")
        }
    }
}
