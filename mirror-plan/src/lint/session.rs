//! Sessions that get in each other's way, or mirror what they should not.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::Around;
use super::view::{VXLAN, View, attribute};
use crate::address::Address;
use crate::attribute::{AttributeType as _, Ref};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::id::NetworkInterface;
use crate::observed::StrangeTarget;
use crate::packet::{Mirrored, PacketSet, first_takers};
use crate::resource::MirrorFilter;
use crate::resource::mirror_filter::Rule;
use crate::scalar::{Direction, IpRange, PortRange, Protocol, RuleAction, RuleNumber, Vni};

/// The length of an Ethernet and an IPv4 header, plus one byte.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror sessions".
const PACKET_LENGTH_MIN: u16 = 35;
/// The same for IPv6.
const PACKET_LENGTH_MIN_V6: u16 = 55;

/// MP1012.
pub(super) fn number_taken(view: &View<'_>) -> Vec<Diagnostic> {
    let pairs = view.by_source.values().flat_map(|sessions| sessions.windows(2));
    let taken = pairs.filter_map(|pair| {
        let [(first, a), (second, b)] = pair else { return None };
        (a.number == b.number).then(|| {
            let title = format!("`{first}` and `{second}` both have number {}", a.number);
            Diagnostic::error(code::SESSION_NUMBER, title)
                .of(second)
                .at(view.at(second, &attribute("number")), "")
                .at(view.at(first, &attribute("number")), "taken here")
                .note(format!("both mirror {}", words(&a.source)))
                .help("give each session of an interface its own number, and the first one the lowest")
        })
    });
    taken.chain(taken_by_others(view)).collect()
}

/// The findings that somebody else's session has the number.
fn taken_by_others<'v>(view: &'v View<'_>) -> impl Iterator<Item = Diagnostic> + 'v {
    view.sessions.iter().filter_map(|(address, session)| {
        let mut strangers = view.strangers_on(&session.source).iter();
        let other = strangers.find(|stranger| stranger.number == session.number)?;
        let title =
            format!("the number {} of `{address}` is taken by another session", other.number);
        Some(
            Diagnostic::error(code::SESSION_NUMBER, title)
                .of(address)
                .at(view.at(address, &attribute("number")), "")
                .note(other.to_string())
                .help("give it another number: the lowest of an interface comes first"),
        )
    })
}

fn words(source: &Ref<NetworkInterface>) -> String {
    match source {
        Ref::To(address) => format!("`{address}`"),
        Ref::Id(id) => id.to_string(),
    }
}

/// MP1013.
pub(super) fn packet_length_too_short(view: &View<'_>) -> Vec<Diagnostic> {
    let short = view.sessions.iter().filter_map(|(address, session)| {
        let length = session.packet_length.filter(|it| it.get() < PACKET_LENGTH_MIN_V6)?;
        let is_v6 = view.filter(&session.filter).is_some_and(|(_, filter)| takes_only_v6(filter));
        let least = if is_v6 { PACKET_LENGTH_MIN_V6 } else { PACKET_LENGTH_MIN };
        if length.get() >= least {
            return None;
        }
        let title =
            format!("`{address}` mirrors {length} bytes of each packet, all of them header");
        Some(
            Diagnostic::warning(code::PACKET_LENGTH, title)
                .of(address)
                .at(view.at(address, &attribute("packet_length")), "")
                .help(format!("ask for at least {least}, or leave it out")),
        )
    });
    short.collect()
}

/// Whether a filter mirrors IPv6 only: both ranges of a rule are of one family.
fn takes_only_v6(filter: &MirrorFilter) -> bool {
    let mut accepts = filter.rules.0.iter().filter(|rule| rule.action == RuleAction::Accept);
    let is_v6 = |rule: &Rule| matches!(rule.source.net(), IpNet::V6(_));
    !filter.amazon_dns && accepts.next().is_some_and(is_v6) && accepts.all(is_v6)
}

/// MP1014.
pub(super) fn vni_shared(view: &View<'_>) -> Vec<Diagnostic> {
    let mut first: BTreeMap<Vni, &Address> = BTreeMap::new();
    let mut found = Vec::new();
    for (address, session) in &view.sessions {
        let Some(vni) = session.vni else { continue };
        match first.get(&vni) {
            None => {
                first.insert(vni, address);
            }
            Some(other) => found.push(
                Diagnostic::warning(
                    code::VNI,
                    format!("`{other}` and `{address}` share the VNI {vni}"),
                )
                .of(address)
                .at(view.at(address, &attribute("vni")), "")
                .at(view.at(other, &attribute("vni")), "used here")
                .help("leave `vni` out, and AWS picks one that is free"),
            ),
        }
    }
    found
}

/// MP1016.
pub(super) fn already_in_use(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = in_use_by_others(view);
    let mut taken: BTreeMap<String, &Address> = BTreeMap::new();
    for (address, target) in &view.targets {
        if let Some(interface) = &target.network_interface
            && let Some((session, _)) = view.by_source.get(interface).and_then(|all| all.first())
        {
            let title =
                format!("{} is mirrored by `{session}` and cannot be a target", words(interface));
            found.push(
                Diagnostic::error(code::ALREADY_IN_USE, title)
                    .of(address)
                    .at(view.at(address, &attribute("network_interface")), "")
                    .at(view.at(session, &attribute("source")), "mirrored here")
                    .help("send mirrored packets to another interface"),
            );
        }
        let interface = target.network_interface.as_ref().map(words);
        let balancer = target.load_balancer.as_ref().map(|to| to.to_value().to_string());
        let endpoint = target.gateway_load_balancer_endpoint.as_ref();
        let endpoint = endpoint.map(|to| to.to_value().to_string());
        for destination in interface.into_iter().chain(balancer).chain(endpoint) {
            if let Some(other) = taken.insert(destination, address) {
                let title = format!("`{other}` and `{address}` have the same destination");
                found.push(
                    Diagnostic::error(code::ALREADY_IN_USE, title)
                        .of(address)
                        .at(view.at(address, &Default::default()), "")
                        .at(view.at(other, &Default::default()), "the first one")
                        .help(format!("any number of sessions can use `{other}`")),
                );
            }
        }
    }
    found
}

/// The findings that somebody else mirrors the interface of a target, or has a target for its destination.
fn in_use_by_others(view: &View<'_>) -> Vec<Diagnostic> {
    let Some(Around { observed, strangers }) = view.around else { return Vec::new() };
    let mut found = Vec::new();
    for (address, target) in &view.targets {
        let interface = target.network_interface.as_ref();
        if let Some(other) = interface.and_then(|to| view.strangers_on(to).first()) {
            let title = format!("the interface of `{address}` is mirrored and cannot be a target");
            found.push(of_others(view, address, title).note(other.to_string()));
        }
        let interface = interface.and_then(|to| observed.interface(to));
        let balancer = target.load_balancer.as_ref().and_then(|to| observed.load_balancer(to));
        let destination = interface.map(|id| id.to_string()).or(balancer);
        let other =
            strangers.targets.iter().find(|it| Some(&it.destination) == destination.as_ref());
        if let Some(StrangeTarget { destination, id, stack }) = other {
            let whose = match stack {
                Some(stack) => format!(", which belongs to stack {stack}"),
                None => String::new(),
            };
            let title = format!("`{address}` has the same destination as another mirror target");
            found.push(
                of_others(view, address, title)
                    .note(format!("{destination} is the destination of {id}{whose}")),
            );
        }
    }
    found
}

fn of_others(view: &View<'_>, address: &Address, title: String) -> Diagnostic {
    Diagnostic::error(code::ALREADY_IN_USE, title)
        .of(address)
        .at(view.at(address, &Default::default()), "")
        .help("use the existing target (`existing`), or another load balancer or interface")
}

/// MP1023.
pub(super) fn gets_nothing(view: &View<'_>) -> Vec<Diagnostic> {
    let mut known: BTreeMap<Vec<&Address>, Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for sessions in view.by_source.values().filter(|sessions| sessions.len() > 1) {
        let filters: Option<Vec<(&Address, &Mirrored)>> = sessions
            .iter()
            .map(|(_, session)| {
                let (address, _) = view.filter(&session.filter)?;
                Some((address, view.mirrored.get(address)?))
            })
            .collect();
        // A filter that is not known may accept anything.
        let Some(filters) = filters else { continue };
        let chain = filters.iter().map(|(address, _)| *address).collect();
        let idle = known.entry(chain).or_insert_with(|| {
            idle(&filters.iter().map(|(_, mirrored)| *mirrored).collect::<Vec<_>>())
        });
        for (address, session) in idle.iter().map(|at| sessions[*at]) {
            let title = format!("`{address}` gets no packets: sessions before it take all of them");
            found.push(
                Diagnostic::warning(code::SESSION_GETS_NOTHING, title)
                    .of(address)
                    .at(view.at(address, &attribute("filter")), "")
                    .note(format!("its number is {}; lower ones come first", session.number))
                    .note("each packet is mirrored once")
                    .help("give it a lower number, or let the filters before it accept less"),
            );
        }
    }
    found
}

/// The positions of the filters that get nothing although they would accept something.
fn idle(filters: &[&Mirrored]) -> Vec<usize> {
    let takes = first_takers(filters);
    (0..filters.len()).filter(|at| takes[*at].is_empty() && !filters[*at].is_empty()).collect()
}

/// MP1029.
pub(super) fn mirrors_the_mirror(view: &View<'_>) -> Vec<Diagnostic> {
    let receivers = view.targets.iter().flat_map(|(target, _)| view.receivers_of(target));
    let receivers: BTreeSet<&Address> = receivers.map(|(receiver, _)| receiver).collect();
    let comes_in = vxlan_that_comes_in();
    let mut takes: BTreeMap<&Address, bool> = BTreeMap::new();
    let found = view.sessions.iter().filter_map(|(address, session)| {
        let (source, _) = view.instance(&session.source)?;
        let (filter, _) = view.filter(&session.filter)?;
        let mirrored = view.mirrored.get(filter)?;
        let takes = *takes.entry(filter).or_insert_with(|| mirrored.packets.overlaps(&comes_in));
        (takes && receivers.contains(source)).then(|| {
            let title =
                format!("`{address}` mirrors the mirrored packets that arrive at `{source}`");
            Diagnostic::warning(code::MIRRORS_THE_MIRROR, title)
                .of(address)
                .at(view.at(address, &attribute("source")), "this is a receiver")
                .help(
                    "reject them first: \
                     `{ number = 1, action = \"reject\", protocol = \"udp\", port = 4789 }`",
                )
        })
    });
    found.collect()
}

fn vxlan_that_comes_in() -> PacketSet {
    PacketSet::matched_by(&Rule {
        direction: Direction::Ingress,
        number: RuleNumber::MIN,
        action: RuleAction::Accept,
        protocol: Protocol::UDP,
        source: IpRange::any_v4(),
        destination: IpRange::any_v4(),
        source_port: None,
        destination_port: PortRange::new(VXLAN, VXLAN),
        description: None,
    })
}
