//! Reading traffic mirror sessions, of which there may be ten thousand.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::TrafficMirrorSession;

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::attribute::Input;
use crate::observed::Found;
use crate::resource::MirrorSession;
use crate::resource::mirror_session::MirrorSessionId;

const ANSWER: Answer = Answer("DescribeTrafficMirrorSessions");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_traffic_mirror_sessions()
        .set_filters(page::only("traffic-mirror-session-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::MirrorSession };
    let all = pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions);
    for session in all {
        let id: MirrorSessionId =
            ANSWER.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(session.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(&session)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(session: &TrafficMirrorSession) -> Result<MirrorSession, AnswerError> {
    Ok(MirrorSession {
        source: ANSWER.reference("networkInterfaceId", session.network_interface_id())?,
        target: ANSWER.reference("trafficMirrorTargetId", session.traffic_mirror_target_id())?,
        filter: ANSWER.reference("trafficMirrorFilterId", session.traffic_mirror_filter_id())?,
        number: ANSWER.number("sessionNumber", session.session_number())?,
        packet_length: ANSWER.optional_number("packetLength", session.packet_length())?,
        vni: ANSWER.optional_number("virtualNetworkId", session.virtual_network_id())?,
        description: text(session.description()).map(Input::Known),
        tags: tags::own(tags::from_ec2(session.tags())),
    })
}
