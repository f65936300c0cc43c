//! A group's check of its instances: what has become of each, and what that requires.
//!
//! An instance is `Pending` until it runs; then it is registered in the target groups and is in service. One that does
//! not run, or that a target group finds unhealthy after the grace period, is taken out: it is deregistered, and
//! terminated once its flows have ended. Then as many are launched or taken out as the desired capacity requires.

mod balance;
pub(super) mod launch;

use super::activity::{self, Cause};
use super::group::{AutoScalingGroup, HealthCheckType, Trust};
use super::member::{self, Health, Member, Stage};
use crate::ec2::instance::{self, Instance, State};
use crate::elbv2::{self, Standing};
use crate::schedule::later;
use crate::world::{Call, Region, View};
use jiff::Timestamp;
use std::cmp::Ordering;
use std::ops::Range;
use std::time::Duration;

/// Steps of one check. If every transition takes no time, a group whose instances are never healthy would go on
/// forever.
const STEPS_MAX: usize = 8;

/// How long a group waits for something that does not announce its end: a target that is not yet known to be healthy,
/// or instances that come and go.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets a group check its instances; returns when it has to check again.
pub(super) fn look(call: &mut Call<'_>, name: &str) -> Option<Timestamp> {
    for _ in 0..STEPS_MAX {
        let group = call.region.auto_scaling_groups.get(name)?.clone();
        if step(call, &group) == Step::Still {
            return waits(call.view(), &group);
        }
    }
    Some(later(call.now, PATIENCE))
}

/// Whether a step changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Moved,
    Still,
}

fn step(call: &mut Call<'_>, group: &AutoScalingGroup) -> Step {
    let ids: Vec<String> =
        member::of(call.region, &group.name).map(|it| it.instance_id.clone()).collect();
    let mut moved = Step::Still;
    for id in ids {
        let next = call.region.auto_scaling_members.get(&id).map(|it| next(call.view(), group, it));
        if let Some(next) = next.filter(|next| *next != Next::Stay) {
            moved = Step::Moved;
            go(call, group, (&id, next));
        }
    }
    for settle in [trust, forget_detached, adjust] {
        if settle(call, group) == Step::Moved {
            moved = Step::Moved;
        }
    }
    moved
}

/// Acts on the reports of a target group from when it has found an instance healthy.
fn trust(call: &mut Call<'_>, group: &AutoScalingGroup) -> Step {
    let view = call.view();
    let is_well = |arn: &str| {
        let Some(target_group) = view.region.target_groups.get(arn) else { return false };
        let members = member::of(view.region, &group.name);
        let mut standings =
            members.flat_map(|it| elbv2::standings_of(view, target_group, &it.instance_id));
        standings.any(|standing| standing == Standing::Healthy)
    };
    let is_asked = group.health_check.kind == HealthCheckType::Elb;
    let untrusted = group.target_groups.iter().filter(|it| is_asked && it.trust == Trust::Pending);
    let newly: Vec<String> =
        untrusted.filter(|it| is_well(&it.arn)).map(|it| it.arn.clone()).collect();
    if newly.is_empty() {
        return Step::Still;
    }
    if let Some(group) = call.region.auto_scaling_groups.get_mut(&group.name) {
        let now = group.target_groups.iter_mut().filter(|it| newly.contains(&it.arn));
        now.for_each(|it| it.trust = Trust::Given);
    }
    Step::Moved
}

/// What becomes of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Stay,
    EnterService,
    /// It is registered in target groups to which the group has been attached meanwhile.
    Register,
    Leave(Cause),
    Terminate,
    Forget,
}

/// Decides what becomes of an instance; nothing changes here.
fn next(view: View<'_>, group: &AutoScalingGroup, member: &Member) -> Next {
    let instance = view.region.instances.get(&member.instance_id);
    let is_noticed = |instance: &Instance| {
        let noticed = later(instance.settles(&view.settings.durations), noticing(view));
        noticed <= view.now
    };
    let Some(instance) = instance else { return Next::Forget };
    match (member.stage, instance.state(view)) {
        (Stage::Draining { until }, _) if until <= view.now => Next::Terminate,
        (Stage::Terminating, State::Terminated) if is_noticed(instance) => Next::Forget,
        (Stage::Draining { .. } | Stage::Terminating, _) => Next::Stay,
        _ if group.is_leaving() => Next::Leave(Cause::Deletion),
        (Stage::Pending, State::Running) if is_noticed(instance) => Next::EnterService,
        (Stage::Pending, State::Pending | State::Running) => Next::Stay,
        (Stage::InService { since }, State::Pending | State::Running) => {
            in_service(view, (group, member), since)
        }
        (Stage::Pending | Stage::InService { .. }, _) => {
            let noticed = later(instance.asked_at, noticing(view));
            if noticed <= view.now { Next::Leave(Cause::NotRunning) } else { Next::Stay }
        }
    }
}

fn in_service(
    view: View<'_>,
    (group, member): (&AutoScalingGroup, &Member),
    since: Timestamp,
) -> Next {
    let grace = Duration::from_secs(group.health_check.grace_s.into());
    let is_failing =
        standings(view, group, member).any(|it| it == (Trust::Given, Standing::Failing));
    if is_failing && later(since, grace) <= view.now {
        Next::Leave(Cause::FailedHealthCheck)
    } else if unregistered(view.region, group, member).next().is_some() {
        Next::Register
    } else {
        Next::Stay
    }
}

/// What target groups report about an instance, if the group asks them, and whether the group acts on it.
fn standings<'a>(
    view: View<'a>,
    group: &'a AutoScalingGroup,
    member: &'a Member,
) -> impl Iterator<Item = (Trust, Standing)> + 'a {
    let asked = match group.health_check.kind {
        HealthCheckType::Ec2 => &[][..],
        HealthCheckType::Elb => &*group.target_groups,
    };
    let groups = asked
        .iter()
        .filter_map(move |it| Some((it.trust, view.region.target_groups.get(&it.arn)?)));
    groups.flat_map(move |(trust, group)| {
        let standings = elbv2::standings_of(view, group, &member.instance_id);
        standings.map(move |standing| (trust, standing))
    })
}

/// The target groups that an instance has yet to be registered in.
fn unregistered<'a>(
    region: &'a Region,
    group: &'a AutoScalingGroup,
    member: &'a Member,
) -> impl Iterator<Item = &'a String> {
    let there = group.target_group_arns().filter(|arn| region.target_groups.contains(arn));
    there.filter(|arn| !member.registered.contains(*arn))
}

fn noticing(view: View<'_>) -> Duration {
    view.settings.durations.auto_scaling_noticing
}

fn go(call: &mut Call<'_>, group: &AutoScalingGroup, (id, next): (&str, Next)) {
    match next {
        Next::Stay => {}
        Next::EnterService => {
            register(call, group, id);
            let since = call.now;
            let key = update(call.region, id, |it| {
                it.stage = Stage::InService { since };
                it.activity.clone()
            });
            activity::finish(call, &key.unwrap_or_default());
        }
        Next::Register => register(call, group, id),
        Next::Leave(cause) => leave(call, (group, id), cause),
        Next::Terminate => terminate(call, id),
        Next::Forget => {
            if let Some(member) = call.region.auto_scaling_members.remove(id) {
                activity::finish(call, &member.activity);
            }
        }
    }
}

/// Changes a member, if it exists.
fn update<T>(region: &mut Region, id: &str, change: impl FnOnce(&mut Member) -> T) -> Option<T> {
    region.auto_scaling_members.get_mut(id).map(change)
}

/// Registers an instance in those of the group's target groups that it is not in. One that does not accept it is not
/// tried again.
fn register(call: &mut Call<'_>, group: &AutoScalingGroup, id: &str) {
    let Some(member) = call.region.auto_scaling_members.get(id) else { return };
    let missing: Vec<String> = unregistered(call.region, group, member).cloned().collect();
    for arn in missing {
        elbv2::enlist(call, &arn, id).ok();
        update(call.region, id, |it| it.registered.insert(arn));
    }
}

/// Takes an instance out of the group: first out of its target groups.
pub(super) fn leave(call: &mut Call<'_>, (group, id): (&AutoScalingGroup, &str), cause: Cause) {
    let Some(member) = call.region.auto_scaling_members.get(id).cloned() else { return };
    let drained: Vec<Timestamp> =
        member.registered.iter().filter_map(|arn| elbv2::discharge(call, arn, id)).collect();
    let until = match cause {
        // No flows are left that could end.
        Cause::NotRunning => call.now,
        _ => drained.into_iter().max().unwrap_or(call.now),
    };
    let is_unwell = matches!(cause, Cause::NotRunning | Cause::FailedHealthCheck);
    activity::finish(call, &member.activity);
    let key = activity::terminating(call, (group, id), cause);
    update(call.region, id, |it| {
        it.stage = Stage::Draining { until };
        it.health = if is_unwell { Health::Unhealthy } else { it.health };
        it.activity = key;
    });
}

fn terminate(call: &mut Call<'_>, id: &str) {
    // The instance exists, or it would have been forgotten: its termination cannot be refused.
    instance::end(call, id).ok();
    let key = update(call.region, id, |it| {
        it.stage = Stage::Terminating;
        it.activity.clone()
    });
    activity::drained(call.region, &key.unwrap_or_default());
}

/// Forgets the target groups whose instances have drained since the group was detached from them.
fn forget_detached(call: &mut Call<'_>, group: &AutoScalingGroup) -> Step {
    if group.detached.values().all(|until| call.now < *until) {
        return Step::Still;
    }
    if let Some(group) = call.region.auto_scaling_groups.get_mut(&group.name) {
        group.detached.retain(|_, until| call.now < *until);
    }
    Step::Moved
}

/// Launches or takes out what the capacity requires; a group that is being deleted is removed with its last instance.
fn adjust(call: &mut Call<'_>, group: &AutoScalingGroup) -> Step {
    let members: Vec<Member> = member::of(call.region, &group.name).cloned().collect();
    if group.is_leaving() {
        if members.is_empty() {
            call.region.auto_scaling_groups.remove(&group.name);
        }
        return Step::Still;
    }
    let counting: Vec<&Member> = members.iter().filter(|member| member.counts()).collect();
    let is_launching = counting.iter().any(|member| member.is_changing());
    let desired = usize::try_from(group.sizes.desired).unwrap_or(usize::MAX);
    match counting.len().cmp(&desired) {
        Ordering::Less => grow(call, group, counting.len()..desired),
        // An instance on its way in may be there to replace another.
        Ordering::Greater if !is_launching => shrink(call, group, desired..counting.len()),
        Ordering::Equal
            if !members.iter().any(Member::is_changing)
                && balance::is_uneven(call.region, group, &counting) =>
        {
            launch::launch(call, group, Cause::Balance)
        }
        Ordering::Equal | Ordering::Greater => Step::Still,
    }
}

/// Launches instances, until a launch fails.
fn grow(call: &mut Call<'_>, group: &AutoScalingGroup, missing: Range<usize>) -> Step {
    let mut moved = Step::Still;
    for from in missing {
        match launch::launch(call, group, Cause::Capacity { from, to: from + 1 }) {
            Step::Moved => moved = Step::Moved,
            Step::Still => break,
        }
    }
    moved
}

/// Takes instances out, one after another.
fn shrink(call: &mut Call<'_>, group: &AutoScalingGroup, surplus: Range<usize>) -> Step {
    let current = group.template.current(call.region);
    for to in surplus.rev() {
        let counting = member::of(call.region, &group.name).filter(|member| member.counts());
        let counting: Vec<&Member> = counting.collect();
        let Some(id) = balance::to_go(group, &counting, current) else { break };
        leave(call, (group, &id), Cause::Capacity { from: to + 1, to });
    }
    Step::Moved
}

/// Returns when the next thing that the group waits for is over.
fn waits(view: View<'_>, group: &AutoScalingGroup) -> Option<Timestamp> {
    let members = member::of(view.region, &group.name);
    let ends = members.filter_map(|member| wait(view, group, member));
    ends.chain(group.detached.values().copied()).filter(|end| *end > view.now).min()
}

/// Returns when the wait for an instance is over.
fn wait(view: View<'_>, group: &AutoScalingGroup, member: &Member) -> Option<Timestamp> {
    let instance = view.region.instances.get(&member.instance_id)?;
    let settled = later(instance.settles(&view.settings.durations), noticing(view));
    match member.stage {
        Stage::Draining { until } => Some(until),
        Stage::Pending | Stage::Terminating => Some(settled),
        Stage::InService { since } => {
            if !matches!(instance.state(view), State::Pending | State::Running) {
                return Some(later(instance.asked_at, noticing(view)));
            }
            let grace = Duration::from_secs(group.health_check.grace_s.into());
            let known = |(trust, standing)| match standing {
                Standing::Failing => (trust == Trust::Given).then(|| later(since, grace)),
                Standing::Starting if trust == Trust::Pending => Some(later(view.now, PATIENCE)),
                Standing::Starting => Some(later(since, grace).max(later(view.now, PATIENCE))),
                Standing::Healthy | Standing::Draining | Standing::Down | Standing::Unused => None,
            };
            standings(view, group, member).filter_map(known).min()
        }
    }
}
