//! A stack in a local AWS, and the planner's trace of it: every frame goes through both.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mirror_local::data_plane::{
    By, DataPlane, Direction, Fate, Mirrored, Reserved, Sighting, Unmirrored,
};
use mirror_plan::address::Address;
use mirror_plan::packet::trace::{self, Headers, Mirroring, Moment, Never, Tracer, Verdict};
use mirror_plan::plan::{Request, plan};
use mirror_plan::scalar;
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig};
use mirror_vxlan::flow::Flow;

/// The MTU of interfaces that are mirror targets.
pub(crate) const MTU: u16 = 9001;

/// A stack that was applied, and both views of it.
pub(crate) struct Foretold {
    plane: DataPlane,
    pub(crate) mirroring: Mirroring,
    tracer: Tracer,
    /// The id of each session of the stack.
    ids: BTreeMap<Address, String>,
}

/// How many sightings were compared, by what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) mirrored: u64,
    pub(crate) cut: u64,
    pub(crate) rejected: u64,
    pub(crate) unmirrored: u64,
    /// By security groups and network ACLs, which a trace knows nothing about.
    pub(crate) refused: u64,
    pub(crate) unseen: u64,
}

impl std::ops::AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        let Self { mirrored, cut, rejected, unmirrored, refused, unseen } = other;
        self.mirrored += mirrored;
        self.cut += cut;
        self.rejected += rejected;
        self.unmirrored += unmirrored;
        self.refused += refused;
        self.unseen += unseen;
    }
}

impl Foretold {
    /// Applies a stack to a new account.
    pub(crate) async fn of(stack: &Stack) -> Self {
        let rig = Rig::instant();
        let report = rig.apply(&rig.plan(stack).await).await;
        assert!(report.is_complete(), "{}", mirror_tests::unfinished(&report));
        let observed = rig.observe(stack).await;
        let plan = plan(stack, &observed, &Request::default()).unwrap();
        assert!(plan.is_empty(), "the stack was applied");
        let mirroring = Mirroring::at(Moment::After, &plan, &observed).unwrap();
        let sessions = observed.owned.iter().filter_map(|(address, all)| {
            let [found] = all.as_slice() else { return None };
            Some((address.clone(), found.id.to_string()))
        });
        let plane = DataPlane::of(&rig.cloud, REGION, MTU).unwrap();
        Self::between(plane, mirroring, sessions.collect())
    }

    /// Two views of one world; `ids` has the id of each session.
    pub(crate) fn between(
        plane: DataPlane,
        mirroring: Mirroring,
        ids: BTreeMap<Address, String>,
    ) -> Self {
        let tracer = Tracer::new(&mirroring, MTU);
        Self { plane, mirroring, tracer, ids }
    }

    /// Sets the address that an interface has in the frames that follow, in both views.
    pub(crate) fn set_address(&mut self, name: &str, address: IpAddr) {
        let place = self.mirroring.interface(name).unwrap();
        let id = self.mirroring.interfaces[place].id.clone().unwrap();
        self.mirroring.interfaces[place].addresses = vec![address];
        self.tracer = Tracer::new(&self.mirroring, MTU);
        let place = self.plane.interfaces().iter().position(|it| it.id() == id).unwrap();
        self.plane.set_addresses(place, vec![address]);
    }

    /// Offers a frame to the data plane, and asserts that each interface does with it what the trace says.
    pub(crate) fn compare(&mut self, time: u64, frame: &[u8]) -> Compared {
        let headers = headers(frame);
        let places = |address: fn(&Headers) -> IpAddr| {
            headers.and_then(|headers| self.tracer.interface(address(&headers)))
        };
        let by = places(|it| it.source).map(|place| (place, Direction::Egress));
        let to = places(|it| it.destination).map(|place| (place, Direction::Ingress));
        let expected: Vec<(usize, Direction)> = by.into_iter().chain(to).collect();
        let mut done = Vec::new();
        self.plane.offer(time, frame, |Sighting { interface, direction, fate }| {
            let fate = match fate {
                Fate::Unmirrored(why) => Err(why),
                Fate::Mirrored(Mirrored { session, by, packet, wrapped, .. }) => {
                    assert_eq!(packet[36..], frame[..wrapped.frame_len], "the frame is as it was");
                    Ok((session, by, wrapped.frame_len))
                }
            };
            done.push((interface, direction, fate));
        });
        let mut compared = Compared::default();
        let mut seen = Vec::new();
        for (interface, direction, fate) in done {
            // The trace knows only the interfaces of the stack.
            let id = self.plane.interfaces()[interface].id();
            let Some(place) = self.mirroring.interface(id) else { continue };
            seen.push((place, direction));
            let at = At { place, interface, direction, headers: headers.unwrap() };
            compared += self.compare_at(&at, fate, frame.len());
        }
        assert_eq!(seen, expected, "{headers:?}");
        compared.unseen += u64::from(seen.is_empty());
        compared
    }

    /// Asserts that one interface did what the trace says.
    fn compare_at(&self, at: &At, fate: Fated, length: usize) -> Compared {
        let At { place, interface, direction, headers } = at;
        let side = side(*direction);
        let verdict = self.tracer.decide(*place, side, headers);
        let told = |session: u16| &self.mirroring.interfaces[*place].sessions[usize::from(session)];
        let done = |session: usize| &self.plane.interfaces()[*interface].sessions()[session];
        let assert_same = |told_at: u16, at: usize, rules: Option<(u16, usize)>| {
            assert_eq!(self.ids[&told(told_at).address], done(at).id());
            if let Some((told_rule, rule)) = rules {
                let expected = &told(told_at).filter.rules[usize::from(told_rule)];
                let rule = &done(at).rules()[rule];
                let found = (rule.number(), self::side(rule.direction()));
                assert_eq!((u32::from(expected.number.get()), expected.direction), found);
            }
        };
        let mut compared = Compared::default();
        match (fate, verdict) {
            (Err(Unmirrored::Refused | Unmirrored::RefusedByNetworkAcl), _) => {
                compared.refused += 1;
            }
            (
                Err(Unmirrored::Rejected { session, rule }),
                Verdict::Rejected { session: told, rule: told_rule },
            ) => {
                assert_same(told, session, Some((told_rule, rule)));
                compared.rejected += 1;
            }
            (Ok((session, by, sent)), Verdict::Mirrored { session: told, by: told_by }) => {
                match (told_by, by) {
                    (trace::By::AmazonDns, By::AmazonDns) => assert_same(told, session, None),
                    (trace::By::Rule(told_rule), By::Rule(rule)) => {
                        assert_same(told, session, Some((told_rule, rule)));
                    }
                    _ => panic!("{headers:?}: {by:?}, {told_by:?}"),
                }
                let whole = u32::try_from(length).unwrap();
                let cut = self.tracer.cut(*place, told, headers, whole).length;
                assert_eq!(u32::try_from(sent).unwrap(), cut, "{headers:?}");
                compared.mirrored += 1;
                compared.cut += u64::from(sent < length);
            }
            (Err(why), verdict) => {
                assert_eq!(Some(verdict), foretold(why), "{headers:?}");
                compared.unmirrored += 1;
            }
            (Ok(_), verdict) => panic!("{headers:?} was mirrored, and the trace says {verdict:?}"),
        }
        compared
    }
}

/// A packet at an interface, with the place of that interface in both views.
struct At {
    place: usize,
    interface: usize,
    direction: Direction,
    headers: Headers,
}

/// What became of the packet: the session, the reason, and the bytes sent; or why it was not mirrored.
type Fated = Result<(usize, By, usize), Unmirrored>;

/// A direction in the trace's words.
const fn side(direction: Direction) -> scalar::Direction {
    match direction {
        Direction::Ingress => scalar::Direction::Ingress,
        Direction::Egress => scalar::Direction::Egress,
    }
}

/// The headers of a frame, read as `mirror trace` reads them.
fn headers(frame: &[u8]) -> Option<Headers> {
    let (protocol, source, destination, ports) = match Flow::of(frame) {
        Flow::Ports { protocol, source, destination } => {
            (protocol, source.0, destination.0, Some([source.1, destination.1]))
        }
        Flow::Addresses { protocol, source, destination } => (protocol, source, destination, None),
        Flow::Frame { .. } | Flow::Unknown => return None,
    };
    Some(Headers { protocol, source, destination, ports })
}

/// Returns the verdict of a trace where the data plane does not mirror for this reason, unless the trace does not look
/// at that, or names a rule with it.
fn foretold(why: Unmirrored) -> Option<Verdict> {
    Some(match why {
        Unmirrored::NoSession => Verdict::NoSession,
        Unmirrored::AmazonDnsUnasked => Verdict::AmazonDnsUnasked,
        Unmirrored::NoRule => Verdict::NoRule,
        Unmirrored::Reserved(class) => Verdict::Never(match class {
            Reserved::Dhcp => Never::Dhcp,
            Reserved::InstanceMetadata => Never::InstanceMetadata,
            Reserved::TimeSync => Never::TimeSync,
            Reserved::WindowsActivation => Never::WindowsActivation,
        }),
        Unmirrored::Refused | Unmirrored::RefusedByNetworkAcl | Unmirrored::Rejected { .. } => {
            return None;
        }
    })
}
