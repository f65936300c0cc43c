//! What others have on the objects that a stack uses: their sessions may receive packets before the stack's, and AWS
//! allows one target for each load balancer or interface.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::answer::Answer;
use super::super::page::{self, pages};
use super::super::tags;
use super::super::{Aws, BoxFuture};
use super::{ObserveError, elb};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::NetworkInterfaceId;
use crate::observed::{Observed, Shared, StrangeTarget, Stranger, Strangers};
use crate::resource::{MirrorSession, Resource, Tags, tag};
use crate::scalar::AccountId;
use crate::stack::Stack;

mod absent;
mod room;
mod sessions;

const TARGETS: Answer = Answer("DescribeTrafficMirrorTargets");

/// Finds the sessions of others on the interfaces that a stack mirrors, by interface and number, in one call for each
/// page of them.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn strangers<'a>(
    aws: &'a Aws,
    observed: &'a Observed,
) -> BoxFuture<'a, Result<Vec<Stranger>, ObserveError>> {
    Box::pin(async move {
        let owned = observed.owned.values().flatten();
        let sources: BTreeSet<NetworkInterfaceId> = owned
            .filter_map(|found| match &found.resource {
                Resource::MirrorSession(MirrorSession { source: Ref::Id(id), .. }) => {
                    Some(id.clone())
                }
                _ => None,
            })
            .collect();
        sessions::on(aws, &Own::seen(observed), &sources).await
    })
}

/// Finds objects of others that are in the way of what `stack` is about to create, and objects that the stack names but
/// nobody has.
///
/// This takes one call for each page of sessions, targets and names, and of each sort of named object, as far as the
/// stack has to do with any of these.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn in_the_way<'a>(
    aws: &'a Aws,
    stack: &'a Stack,
    observed: &'a Observed,
) -> BoxFuture<'a, Result<Strangers, ObserveError>> {
    Box::pin(async move {
        let observed = &*observed.as_moved_in(stack);
        // Existing objects that do not fit are rejected by the plan.
        let stack = stack.using(observed).unwrap_or(Cow::Borrowed(stack));
        let (shared, own) = (Shared::of(&stack, observed), Own::of(&stack, observed));
        let (sessions, targets, (load_balancers, target_groups), room, absent) = tokio::try_join!(
            Box::pin(sessions::find(aws, &own, &shared)),
            Box::pin(targets(aws, &own, &shared)),
            Box::pin(names(aws, &own, &shared.names)),
            Box::pin(room::find(aws, &own, &shared)),
            Box::pin(absent::find(aws, &shared.named)),
        )?;
        let sessions::Sessions { sessions, sources, count: of_sessions } = sessions;
        let (targets, of_targets) = targets;
        let room::Room { subnets, mut counts } = room;
        counts.extend(of_sessions.map(|count| (Kind::MirrorSession, count)));
        counts.extend(of_targets.map(|count| (Kind::MirrorTarget, count)));
        Ok(Strangers {
            sessions,
            targets,
            load_balancers,
            target_groups,
            subnets,
            sources,
            counts,
            absent,
        })
    })
}

/// The objects that belong to the stack, and so are in nobody's way.
#[derive(Debug)]
struct Own<'o> {
    /// The account that was queried.
    account: &'o AccountId,
    /// The ids of what was seen.
    ids: BTreeSet<&'o str>,
    /// The name of the stack, if objects that have become visible since also count as its own: AWS may show what an
    /// interrupted run has created to one call before it does to another.
    stack: Option<&'o str>,
}

impl<'o> Own<'o> {
    /// Returns the objects that were seen.
    fn seen(observed: &'o Observed) -> Self {
        let ids = observed.owned.values().flatten().map(|found| found.id.as_str()).collect();
        Self { account: &observed.account, ids, stack: None }
    }

    /// Returns the objects that were seen, and those whose tags name the stack.
    fn of(stack: &'o Stack, observed: &'o Observed) -> Self {
        Self { stack: Some(stack.name.as_str()), ..Self::seen(observed) }
    }

    /// Returns whether an object belongs to the stack.
    fn has(&self, id: &str, its: &Tags) -> bool {
        let Self { account: _, ids, stack } = self;
        ids.contains(id) || stack.is_some_and(|stack| tags::is_of(its, stack))
    }

    /// Returns whether an object counts for the quotas of the account: objects that others share with it do not.
    fn is_of_account(&self, owner: Option<&str>) -> bool {
        owner.is_none_or(|owner| owner == self.account.as_str())
    }
}

/// Returns the mirror targets of others that send to where the stack does, and how many targets others have, if all are
/// read to count them.
async fn targets(
    aws: &Aws,
    own: &Own<'_>,
    shared: &Shared,
) -> Result<(Vec<StrangeTarget>, Option<usize>), ObserveError> {
    let counts = shared.counts(Kind::MirrorTarget);
    if shared.destinations.is_empty() && !counts {
        return Ok((Vec::new(), None));
    }
    let request = aws.ec2().describe_traffic_mirror_targets().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    let (mut strangers, mut count) = (Vec::new(), 0);
    for target in all {
        let id = TARGETS.id("trafficMirrorTargetId", target.traffic_mirror_target_id())?;
        let its = tags::from_ec2(target.tags());
        if own.has(id.as_str(), &its) {
            continue;
        }
        count += usize::from(own.is_of_account(target.owner_id()));
        let to = target.network_load_balancer_arn().or_else(|| target.network_interface_id());
        let to = to.or_else(|| target.gateway_load_balancer_endpoint_id());
        if let Some(destination) = to.filter(|to| shared.destinations.contains(*to)) {
            let (destination, stack) = (destination.to_owned(), its.get(tag::STACK).cloned());
            strangers.push(StrangeTarget { destination, id, stack });
        }
    }
    strangers.sort();
    Ok((strangers, counts.then_some(count)))
}

/// Returns those names of load balancers and of target groups that others have taken, in one call for each page of
/// either and one for the tags of those that have one of the names.
async fn names(
    aws: &Aws,
    own: &Own<'_>,
    wanted: &BTreeSet<String>,
) -> Result<(BTreeSet<String>, BTreeSet<String>), ObserveError> {
    if wanted.is_empty() {
        return Ok(Default::default());
    }
    let named = tokio::try_join!(elb::load_balancer_names(aws), elb::target_group_names(aws))?;
    let of_others = async |named: Vec<(String, String)>| {
        let taken = named.into_iter().filter(|(_, name)| wanted.contains(name));
        let taken: BTreeMap<String, String> = taken.collect();
        let tagged = elb::tags_of(aws, taken.keys().cloned().collect()).await?;
        let others = tagged.iter().filter(|(arn, its)| !own.has(arn, its));
        let names = others.filter_map(|(arn, _)| taken.get(arn).cloned());
        Ok::<BTreeSet<String>, ObserveError>(names.collect())
    };
    Ok((of_others(named.0).await?, of_others(named.1).await?))
}
