//! The mirror sessions of others: on the interfaces of a stack, to its targets, and all of them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, TrafficMirrorSession};

use super::Own;
use crate::address::Kind;
use crate::aws::Aws;
use crate::aws::answer::{Answer, text};
use crate::aws::observe::ObserveError;
use crate::aws::page::{self, Ids, pages};
use crate::aws::tags;
use crate::id::NetworkInterfaceId;
use crate::observed::{Shared, Stranger};
use crate::resource::mirror_session::MirrorSessionId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::tag;

const ANSWER: Answer = Answer("DescribeTrafficMirrorSessions");

/// By mirror target: the interfaces of others that are mirrored to it.
type Sources = BTreeMap<MirrorTargetId, BTreeSet<NetworkInterfaceId>>;

/// The sessions that others have.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) sessions: Vec<Stranger>,
    pub(super) sources: Sources,
    /// How many there are, if all of them were read to count them.
    pub(super) count: Option<usize>,
}

/// Reads the sessions that concern the stack; all sessions in one pass if all are to be counted.
pub(super) async fn find(
    aws: &Aws,
    own: &Own<'_>,
    shared: &Shared,
) -> Result<Sessions, ObserveError> {
    if shared.counts(Kind::MirrorSession) {
        let all = read(aws, None).await?;
        return Ok(Sessions {
            sessions: on_interfaces(&all, own, &shared.interfaces)?,
            sources: to_targets(&all, own, &shared.targets)?,
            count: Some(of_others(&all, own)),
        });
    }
    let (sessions, sources) = tokio::try_join!(
        Box::pin(on(aws, own, &shared.interfaces)),
        Box::pin(to(aws, own, &shared.targets)),
    )?;
    Ok(Sessions { sessions, sources, count: None })
}

/// Returns the sessions on some interfaces, by interface and number.
pub(super) async fn on(
    aws: &Aws,
    own: &Own<'_>,
    interfaces: &BTreeSet<NetworkInterfaceId>,
) -> Result<Vec<Stranger>, ObserveError> {
    if interfaces.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Ids = interfaces.iter().map(ToString::to_string).collect();
    let all = read(aws, page::only("network-interface-id", &ids)).await?;
    on_interfaces(&all, own, interfaces)
}

/// Returns what is mirrored to some targets.
async fn to(
    aws: &Aws,
    own: &Own<'_>,
    targets: &BTreeSet<MirrorTargetId>,
) -> Result<Sources, ObserveError> {
    if targets.is_empty() {
        return Ok(Sources::new());
    }
    let ids: Ids = targets.iter().map(ToString::to_string).collect();
    let all = read(aws, page::only("traffic-mirror-target-id", &ids)).await?;
    to_targets(&all, own, targets)
}

async fn read(
    aws: &Aws,
    filters: Option<Vec<Filter>>,
) -> Result<Vec<TrafficMirrorSession>, ObserveError> {
    let request =
        aws.ec2().describe_traffic_mirror_sessions().set_filters(filters).max_results(page::PAGE);
    Ok(pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions))
}

fn on_interfaces(
    all: &[TrafficMirrorSession],
    own: &Own<'_>,
    interfaces: &BTreeSet<NetworkInterfaceId>,
) -> Result<Vec<Stranger>, ObserveError> {
    let mut strangers = Vec::new();
    for session in all {
        let source = ANSWER.id("networkInterfaceId", session.network_interface_id())?;
        let id: MirrorSessionId =
            ANSWER.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        let its = tags::from_ec2(session.tags());
        if !interfaces.contains(&source) || own.has(id.as_str(), &its) {
            continue;
        }
        let number = ANSWER.number("sessionNumber", session.session_number())?;
        let stack = its.get(tag::STACK).cloned();
        let name = text(its.get(tag::NAME).map(String::as_str));
        strangers.push(Stranger { source, number, id, stack, name });
    }
    strangers.sort();
    Ok(strangers)
}

fn to_targets(
    all: &[TrafficMirrorSession],
    own: &Own<'_>,
    targets: &BTreeSet<MirrorTargetId>,
) -> Result<Sources, ObserveError> {
    let mut strangers = Sources::new();
    for session in all {
        let id: MirrorSessionId =
            ANSWER.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        let target = ANSWER.id("trafficMirrorTargetId", session.traffic_mirror_target_id())?;
        let its = tags::from_ec2(session.tags());
        if targets.contains(&target) && !own.has(id.as_str(), &its) {
            let source = ANSWER.id("networkInterfaceId", session.network_interface_id())?;
            strangers.entry(target).or_default().insert(source);
        }
    }
    Ok(strangers)
}

fn of_others(all: &[TrafficMirrorSession], own: &Own<'_>) -> usize {
    let is_own = |session: &TrafficMirrorSession| {
        let id = session.traffic_mirror_session_id();
        id.is_some_and(|id| own.has(id, &tags::from_ec2(session.tags())))
    };
    let others = all.iter().filter(|it| own.is_of_account(it.owner_id()));
    others.filter(|it| !is_own(it)).count()
}
