//! What others have on the objects that a stack uses: sessions may take packets before it does, and AWS takes one
//! target for each load balancer or interface.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, elb};
use crate::attribute::Ref;
use crate::id::NetworkInterfaceId;
use crate::observed::{Observed, Shared, StrangeTarget, Stranger, Strangers};
use crate::resource::mirror_session::MirrorSessionId;
use crate::resource::{MirrorSession, Resource, tag};
use crate::stack::Stack;

mod room;

const SESSIONS: Answer = Answer("DescribeTrafficMirrorSessions");
const TARGETS: Answer = Answer("DescribeTrafficMirrorTargets");

/// Finds the sessions of others on the interfaces that a stack mirrors, by interface and number. A
/// call for each page of them.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub async fn strangers(aws: &Aws, observed: &Observed) -> Result<Vec<Stranger>, ObserveError> {
    let owned = observed.owned.values().flatten();
    let sources: BTreeSet<NetworkInterfaceId> = owned
        .filter_map(|found| match &found.resource {
            Resource::MirrorSession(MirrorSession { source: Ref::Id(id), .. }) => Some(id.clone()),
            _ => None,
        })
        .collect();
    sessions(aws, observed, &sources).await
}

/// Finds what others have that is in the way of what `stack` is about to make: a call for each page of
/// sessions, targets, and names, of those that it has anything to do with.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub async fn in_the_way(
    aws: &Aws,
    stack: &Stack,
    observed: &Observed,
) -> Result<Strangers, ObserveError> {
    let observed = &*observed.as_moved_in(stack);
    // What does not fit is refused by the plan.
    let stack = stack.using(observed).unwrap_or(Cow::Borrowed(stack));
    let shared = Shared::of(&stack, observed);
    let (sessions, targets, (load_balancers, target_groups), room) = tokio::try_join!(
        Box::pin(sessions(aws, observed, &shared.interfaces)),
        Box::pin(targets(aws, observed, &shared.destinations)),
        Box::pin(async {
            if shared.names { names(aws, observed).await } else { Ok(Default::default()) }
        }),
        Box::pin(room::find(aws, observed, &shared)),
    )?;
    let room::Room { subnets, sources, vpcs, internet_gateways } = room;
    Ok(Strangers {
        sessions,
        targets,
        load_balancers,
        target_groups,
        subnets,
        sources,
        vpcs,
        internet_gateways,
    })
}

/// The ids of what the stack owns.
fn own(observed: &Observed) -> BTreeSet<&str> {
    observed.owned.values().flatten().map(|found| found.id.as_str()).collect()
}

async fn sessions(
    aws: &Aws,
    observed: &Observed,
    sources: &BTreeSet<NetworkInterfaceId>,
) -> Result<Vec<Stranger>, ObserveError> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let own = own(observed);
    let ids: Ids = sources.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_traffic_mirror_sessions()
        .set_filters(page::only("network-interface-id", &ids))
        .max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions);
    let mut strangers = Vec::new();
    for session in all {
        let source = SESSIONS.id("networkInterfaceId", session.network_interface_id())?;
        let id: MirrorSessionId =
            SESSIONS.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        if !sources.contains(&source) || own.contains(id.as_str()) {
            continue;
        }
        let number = SESSIONS.number("sessionNumber", session.session_number())?;
        let its = tags::from_ec2(session.tags());
        let stack = its.get(tag::STACK).cloned();
        let name = text(its.get(tag::NAME).map(String::as_str));
        strangers.push(Stranger { source, number, id, stack, name });
    }
    strangers.sort();
    Ok(strangers)
}

async fn targets(
    aws: &Aws,
    observed: &Observed,
    destinations: &BTreeSet<String>,
) -> Result<Vec<StrangeTarget>, ObserveError> {
    if destinations.is_empty() {
        return Ok(Vec::new());
    }
    let own = own(observed);
    let request = aws.ec2().describe_traffic_mirror_targets().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    let mut strangers = Vec::new();
    for target in all {
        let id = TARGETS.id("trafficMirrorTargetId", target.traffic_mirror_target_id())?;
        let to = target.network_load_balancer_arn().or_else(|| target.network_interface_id());
        let destination = to.filter(|to| destinations.contains(*to) && !own.contains(id.as_str()));
        if let Some(destination) = destination {
            let its = tags::from_ec2(target.tags());
            let (destination, stack) = (destination.to_owned(), its.get(tag::STACK).cloned());
            strangers.push(StrangeTarget { destination, id, stack });
        }
    }
    strangers.sort();
    Ok(strangers)
}

/// The names of the load balancers and target groups of others.
async fn names(
    aws: &Aws,
    observed: &Observed,
) -> Result<(BTreeSet<String>, BTreeSet<String>), ObserveError> {
    let own = own(observed);
    let named = tokio::try_join!(elb::load_balancer_names(aws), elb::target_group_names(aws))?;
    let of_others = |all: Vec<(String, String)>| {
        let others = all.into_iter().filter(|(arn, _)| !own.contains(arn.as_str()));
        others.map(|(_, name)| name).collect::<BTreeSet<String>>()
    };
    Ok((of_others(named.0), of_others(named.1)))
}
