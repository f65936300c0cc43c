//! What others have on the objects that a stack uses: sessions may take packets before it does, and AWS takes one
//! target for each load balancer or interface.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::page::{self, pages};
use super::super::tags;
use super::{ObserveError, elb};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::NetworkInterfaceId;
use crate::observed::{Observed, Shared, StrangeTarget, Stranger, Strangers};
use crate::resource::{MirrorSession, Resource, tag};
use crate::stack::Stack;

mod room;
mod sessions;

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
    sessions::on(aws, observed, &sources).await
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
        Box::pin(sessions::find(aws, observed, &shared)),
        Box::pin(targets(aws, observed, &shared)),
        Box::pin(async {
            if shared.names { names(aws, observed).await } else { Ok(Default::default()) }
        }),
        Box::pin(room::find(aws, observed, &shared)),
    )?;
    let sessions::Sessions { sessions, sources, count: of_sessions } = sessions;
    let (targets, of_targets) = targets;
    let room::Room { subnets, mut counts } = room;
    counts.extend(of_sessions.map(|count| (Kind::MirrorSession, count)));
    counts.extend(of_targets.map(|count| (Kind::MirrorTarget, count)));
    Ok(Strangers { sessions, targets, load_balancers, target_groups, subnets, sources, counts })
}

/// The ids of what the stack owns.
fn own(observed: &Observed) -> BTreeSet<&str> {
    observed.owned.values().flatten().map(|found| found.id.as_str()).collect()
}

/// The mirror targets of others that lead where the stack does, and how many others have if all are read to
/// count them.
async fn targets(
    aws: &Aws,
    observed: &Observed,
    shared: &Shared,
) -> Result<(Vec<StrangeTarget>, Option<usize>), ObserveError> {
    let counts = shared.counts(Kind::MirrorTarget);
    if shared.destinations.is_empty() && !counts {
        return Ok((Vec::new(), None));
    }
    let own = own(observed);
    let request = aws.ec2().describe_traffic_mirror_targets().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    let (mut strangers, mut count) = (Vec::new(), 0);
    for target in all {
        let id = TARGETS.id("trafficMirrorTargetId", target.traffic_mirror_target_id())?;
        if own.contains(id.as_str()) {
            continue;
        }
        count += usize::from(is_of_account(observed, target.owner_id()));
        let to = target.network_load_balancer_arn().or_else(|| target.network_interface_id());
        let to = to.or_else(|| target.gateway_load_balancer_endpoint_id());
        if let Some(destination) = to.filter(|to| shared.destinations.contains(*to)) {
            let its = tags::from_ec2(target.tags());
            let (destination, stack) = (destination.to_owned(), its.get(tag::STACK).cloned());
            strangers.push(StrangeTarget { destination, id, stack });
        }
    }
    strangers.sort();
    Ok((strangers, counts.then_some(count)))
}

/// Whether an object counts for the quotas of the account: what others share with it does not.
fn is_of_account(observed: &Observed, owner: Option<&str>) -> bool {
    owner.is_none_or(|owner| owner == observed.account.as_str())
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
