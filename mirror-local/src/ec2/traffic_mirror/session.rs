//! Mirror sessions: from a source interface, through a filter, to a target.

use super::target::{self, Destination, MirrorTarget};
use super::{bounded, description, eligibility, limit, link, refuse_tag_filters, removed_fields};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A mirror session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MirrorSession {
    pub(crate) id: String,
    pub(crate) network_interface_id: String,
    pub(crate) target_id: String,
    pub(crate) filter_id: String,
    pub(crate) number: u32,
    pub(crate) virtual_network_id: u32,
    /// As it was asked for; see [`MirrorSession::packet_length`].
    pub(crate) packet_length_asked: Option<u32>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

const NUMBERS: RangeInclusive<u32> = 1..=32766;
const VIRTUAL_NETWORKS: RangeInclusive<u32> = 1..=0x00ff_ffff;
const PACKET_LENGTHS: RangeInclusive<u32> = 1..=8500;

/// The packet length of sessions to a Network Load Balancer that ask for none.
const PACKET_LENGTH_BEHIND_LOAD_BALANCER: u32 = 8500;

/// What `RemoveField` can name, with the parameter that sets it.
const REMOVABLE: &[(&str, &str)] = &[
    ("packet-length", "PacketLength"),
    ("description", "Description"),
    ("virtual-network-id", "VirtualNetworkId"),
];

tagged_row!(
    MirrorSession,
    Kind {
        prefix: "tms-",
        noun: "traffic mirror session ID",
        resource_type: "traffic-mirror-session",
        not_found: "InvalidTrafficMirrorSessionId.NotFound",
        malformed: "InvalidTrafficMirrorSessionId.Malformed",
        describe: "DescribeTrafficMirrorSessions",
    }
);

impl MirrorSession {
    /// Returns how much of each packet is mirrored; `None` for all of it.
    fn packet_length(&self, view: View<'_>) -> Option<u32> {
        let target = target::of_anyone(view, &self.target_id);
        let destination = target.map(|(_, target)| &target.destination);
        let default = matches!(destination, Some(Destination::LoadBalancer(_)))
            .then_some(PACKET_LENGTH_BEHIND_LOAD_BALANCER);
        self.packet_length_asked.or(default)
    }

    /// Returns the things that the session refers to.
    fn referred(&self) -> [String; 4] {
        [
            self.network_interface_id.clone(),
            self.target_id.clone(),
            self.filter_id.clone(),
            virtual_network(self.virtual_network_id),
        ]
    }
}

pub(super) const LISTING: Listing<MirrorSession> = Listing {
    table: |region| &region.mirror_sessions,
    ids: "TrafficMirrorSessionId",
    filters: &[
        ("description", |_, s| texts(s.description.as_ref())),
        ("network-interface-id", |_, s| texts([&s.network_interface_id])),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("packet-length", |view, s| texts(s.packet_length(view))),
        ("session-number", |_, s| texts([s.number])),
        ("traffic-mirror-filter-id", |_, s| texts([&s.filter_id])),
        ("traffic-mirror-session-id", |_, s| texts([&s.id])),
        ("traffic-mirror-target-id", |_, s| texts([&s.target_id])),
        ("virtual-network-id", |_, s| texts([s.virtual_network_id])),
    ],
    set: "trafficMirrorSessionSet",
    write,
    page: 5..=1000,
};

/// Returns the sessions of a source interface in the order of their numbers.
pub(crate) fn from<'a>(region: &'a Region, interface: &str) -> Vec<&'a MirrorSession> {
    let ids = link::all(region, interface, "tms-");
    let mut sessions: Vec<&MirrorSession> =
        ids.iter().filter_map(|id| region.mirror_sessions.get(id)).collect();
    sessions.sort_by_key(|session| session.number);
    sessions
}

/// Describes the sessions of the caller, and those of other accounts to targets of the caller.
///
/// Source: AWS Traffic Mirroring guide, "Accept or delete a shared traffic mirror target". It does not say whether the
/// tags of the others are shown; those of shared targets are not.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    refuse_tag_filters(parameters)?;
    let everyone: Vec<&Region> = view.everyones().collect();
    let is_to_caller =
        |session: &&MirrorSession| view.region.mirror_targets.contains(&session.target_id);
    let mut others: Vec<(View<'_>, MirrorSession)> = Vec::new();
    for region in view.neighbours.iter().copied() {
        let view = View { region, neighbours: &everyone, ..view };
        for session in region.mirror_sessions.values().filter(is_to_caller) {
            others.push((view, MirrorSession { tags: Tags::default(), ..session.clone() }));
        }
    }
    let foreign = others.iter().map(|(view, session)| (&*session.id, (*view, session)));
    LISTING.answer_with(view, parameters, (foreign.collect(), |_: &MirrorSession| true), xml)
}

/// Removes a session.
pub(super) fn remove(region: &mut Region, id: &str) {
    if let Some(session) = region.mirror_sessions.remove(id) {
        for referred in session.referred() {
            link::part(region, &referred, id);
        }
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    let region = &*call.region;
    let interface = find(&region.network_interfaces, parameters, "NetworkInterfaceId")?;
    let target = target::usable(call.view(), parameters)?;
    let filter = find(&region.mirror_filters, parameters, "TrafficMirrorFilterId")?;
    let number = bounded(parameters, "SessionNumber", NUMBERS)?
        .ok_or_else(|| Failure::missing("SessionNumber"))?;
    let mut session = MirrorSession {
        id: String::new(),
        network_interface_id: interface.id.clone(),
        target_id: target.1.id.clone(),
        filter_id: filter.id.clone(),
        number,
        virtual_network_id: 0,
        packet_length_asked: bounded(parameters, "PacketLength", PACKET_LENGTHS)?,
        description: description(parameters),
        tags: Tags::specified(parameters, "traffic-mirror-session")?,
    };
    let asked = bounded(parameters, "VirtualNetworkId", VIRTUAL_NETWORKS)?;
    eligibility::check_source(region, interface)?;
    refuse_target_as_source(region, &interface.id)?;
    check_quotas(call, &interface.id)?;
    refuse_taken_number(region, &session)?;
    check_sources(call, target, &session)?;
    session.virtual_network_id = asked.unwrap_or_else(|| draw_virtual_network(call.region));
    session.id = call.region.draw_id("tms-");
    let id = session.id.clone();
    put(call.region, session);
    Ok(id)
}

pub(super) fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let session = view.region.mirror_sessions.get(id)?;
    xml.element("trafficMirrorSession", |xml| write(view, session, xml));
    Some(())
}

pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = &call.region.mirror_sessions;
    let id = find(table, call.parameters, "TrafficMirrorSessionId")?.id.clone();
    remove(call.region, &id);
    xml.text("trafficMirrorSessionId", id);
    Ok(())
}

/// Handles `ModifyTrafficMirrorSession`: everything but the source can change.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let old = find(&call.region.mirror_sessions, parameters, "TrafficMirrorSessionId")?.clone();
    let removed = removed_fields(parameters, REMOVABLE)?;
    let mut session = changed(call.view(), parameters, old.clone())?;
    refuse_taken_number(call.region, &session)?;
    if session.target_id != old.target_id {
        let target = target::usable(call.view(), parameters)?;
        check_sources(call, target, &session)?;
    }
    if removed.contains(&"packet-length") {
        session.packet_length_asked = None;
    }
    if removed.contains(&"description") {
        session.description = None;
    }
    if removed.contains(&"virtual-network-id") {
        session.virtual_network_id = draw_virtual_network(call.region);
    }
    let id = old.id.clone();
    for referred in old.referred() {
        link::part(call.region, &referred, &id);
    }
    put(call.region, session);
    answer(call.view(), &id, xml).ok_or_else(|| Failure::internal("the session is gone"))
}

/// Reads what a call changes in a session.
fn changed(
    view: View<'_>,
    parameters: &Parameters,
    mut session: MirrorSession,
) -> Outcome<MirrorSession> {
    if parameters.text("TrafficMirrorTargetId").is_some() {
        let (_, target) = target::usable(view, parameters)?;
        session.target_id.clone_from(&target.id);
    }
    if parameters.text("TrafficMirrorFilterId").is_some() {
        let filter = find(&view.region.mirror_filters, parameters, "TrafficMirrorFilterId")?;
        session.filter_id.clone_from(&filter.id);
    }
    if let Some(number) = bounded(parameters, "SessionNumber", NUMBERS)? {
        session.number = number;
    }
    if let Some(length) = bounded(parameters, "PacketLength", PACKET_LENGTHS)? {
        session.packet_length_asked = Some(length);
    }
    if let Some(id) = bounded(parameters, "VirtualNetworkId", VIRTUAL_NETWORKS)? {
        session.virtual_network_id = id;
    }
    session.description = description(parameters).or(session.description);
    Ok(session)
}

/// Stores a session with its links.
fn put(region: &mut Region, session: MirrorSession) {
    for referred in session.referred() {
        link::join(region, &referred, &session.id);
    }
    region.mirror_sessions.insert(session.id.clone(), session);
}

fn refuse_target_as_source(region: &Region, interface: &str) -> Outcome {
    if let Some(target) = link::first(region, interface, "tmt-") {
        let message = format!("{interface} is already in use by Traffic Mirror target {target}");
        return Err(Failure::new("InterfaceInUseByTrafficMirrorTarget", message));
    }
    Ok(())
}

/// Checks the number of sessions, in total and on their source.
fn check_quotas(call: &Call<'_>, interface: &str) -> Outcome {
    let quotas = &call.settings.quotas;
    if call.region.mirror_sessions.len() >= quotas.mirror_sessions {
        let code = "TrafficMirrorSessionLimitExceeded";
        return Err(limit(code, "Traffic Mirror sessions", quotas.mirror_sessions));
    }
    let of_source = link::all(call.region, interface, "tms-").len();
    if of_source >= quotas.mirror_sessions_per_source {
        let code = "TrafficMirrorSessionsPerInterfaceLimitExceeded";
        return Err(limit(code, "sessions on the interface", quotas.mirror_sessions_per_source));
    }
    Ok(())
}

/// Refuses a number that another session of the source has.
fn refuse_taken_number(region: &Region, session: &MirrorSession) -> Outcome {
    let MirrorSession { network_interface_id: interface, number, .. } = session;
    let others = link::all(region, interface, "tms-");
    let others = others.iter().filter_map(|id| region.mirror_sessions.get(id));
    let mut others = others.filter(|other| other.id != session.id);
    if others.any(|other| other.number == *number) {
        let why = format!("The session number is already being used for interface {interface}.");
        return Err(Failure::invalid(&number.to_string(), "SessionNumber", why));
    }
    Ok(())
}

/// Checks the number of sources of a target that is an interface; load balancers have no limit.
fn check_sources(
    call: &Call<'_>,
    (owner, target): (&Region, &MirrorTarget),
    session: &MirrorSession,
) -> Outcome {
    let Destination::Interface(interface) = &target.destination else { return Ok(()) };
    let mut sources: Vec<&str> = Vec::new();
    for region in call.view().everyones() {
        let sessions = link::all(region, &target.id, "tms-");
        let sessions = sessions.iter().filter_map(|id| region.mirror_sessions.get(id));
        sources.extend(sessions.map(|session| &*session.network_interface_id));
    }
    sources.sort_unstable();
    sources.dedup();
    let sources_max = eligibility::sources_max(owner, interface, &call.settings.quotas);
    if sources.len() >= sources_max && !sources.contains(&&*session.network_interface_id) {
        let code = "TrafficMirrorSourcesPerTargetLimitExceeded";
        return Err(limit(code, "sources of the target", sources_max));
    }
    Ok(())
}

/// Draws a virtual network id that no session has.
fn draw_virtual_network(region: &mut Region) -> u32 {
    loop {
        let drawn = region.draw("virtual network") & u64::from(*VIRTUAL_NETWORKS.end());
        let id = u32::try_from(drawn).unwrap_or_default();
        let free = link::first(region, &virtual_network(id), "tms-").is_none();
        if VIRTUAL_NETWORKS.contains(&id) && free {
            return id;
        }
    }
}

/// Names a virtual network as one end of a link.
fn virtual_network(id: u32) -> String {
    format!("vni-{id}")
}

fn write(view: View<'_>, session: &MirrorSession, xml: &mut Xml) {
    xml.text("trafficMirrorSessionId", &session.id);
    xml.text("trafficMirrorTargetId", &session.target_id);
    xml.text("trafficMirrorFilterId", &session.filter_id);
    xml.text("networkInterfaceId", &session.network_interface_id);
    xml.text("ownerId", &view.region.account);
    xml.optional("packetLength", session.packet_length(view));
    xml.text("sessionNumber", session.number);
    xml.text("virtualNetworkId", session.virtual_network_id);
    xml.optional("description", session.description.as_ref());
    session.tags.write(xml);
}
