//! Targets: what is behind a target group, and whether it is healthy.

mod health;
mod quota;

pub(crate) use health::interface;
pub(super) use quota::check_behind;

use super::target_group::{TargetGroup, TargetType, listeners, named, not_found};
use super::{invalid, unconfigurable};
use crate::action::Action;
use crate::ec2::instance::State;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::schedule::later;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("DeregisterTargets", deregister).without_dry_run(),
    Action::read("DescribeTargetHealth", describe).without_dry_run(),
    Action::write("RegisterTargets", register).without_dry_run(),
];

/// The delay of deregistration if the group's attributes set none.
const DEREGISTRATION_DELAY_S: u64 = 300;

/// A target of a target group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// An instance or an address.
    pub(crate) id: String,
    pub(crate) port: u16,
    /// The zone as it was given, for addresses: a zone or `all`.
    pub(crate) zone: Option<String>,
    pub(crate) registered: Timestamp,
    /// When the target is removed, if it is being deregistered.
    pub(crate) gone: Option<Timestamp>,
}

impl Target {
    fn is(&self, other: &Self) -> bool {
        (&self.id, self.port) == (&other.id, other.port)
    }

    fn is_there(&self, now: Timestamp) -> bool {
        self.gone.is_none_or(|gone| now < gone)
    }
}

/// What a registered target is to the load balancer in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It gets new flows.
    Healthy,
    /// It does not pass its health checks; it gets new flows only if no other target passes them
    /// either.
    Failing,
    /// It is being deregistered: it keeps its flows until that is over.
    Draining,
    /// Its instance is not running, which its existing flows do not notice.
    Down,
    /// It gets nothing, because it is not yet known to be healthy.
    Starting,
    /// It gets nothing, and never did.
    Unused,
}

/// Returns the targets of a group, and what each is to the load balancer.
pub(crate) fn standings<'a>(
    view: View<'a>,
    group: &'a TargetGroup,
) -> impl Iterator<Item = (&'a Target, Standing)> {
    let there = group.targets.iter().filter(move |target| target.is_there(view.now));
    let there = there.filter(move |target| health::can_be(view.region, group, target));
    there.map(move |target| (target, health::of(view, group, target).standing()))
}

/// Returns what an instance is to the load balancer, for each target of a group that is this
/// instance.
pub(crate) fn standings_of<'a>(
    view: View<'a>,
    group: &'a TargetGroup,
    instance: &'a str,
) -> impl Iterator<Item = Standing> {
    let own = group.targets.iter().filter(move |target| target.id == instance);
    let there = own.filter(move |target| target.is_there(view.now));
    there.map(move |target| health::of(view, group, target).standing())
}

fn register(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut group = named(call.region, call.parameters)?.clone();
    let targets = listed(call.parameters, &group, call.now)?;
    if targets.is_empty() {
        return Err(Failure::missing("Targets"));
    }
    add(call.view(), &mut group, targets)?;
    call.region.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

/// Registers an instance at the group's port.
pub(crate) fn enlist(call: &mut Call<'_>, group: &str, instance: &str) -> Outcome {
    let group = call.region.target_groups.get(group).ok_or_else(|| not_found(&[group]))?;
    let (id, port) = (instance.to_owned(), group.port);
    let target = Target { id, port, zone: None, registered: call.now, gone: None };
    let mut group = group.clone();
    add(call.view(), &mut group, vec![target])?;
    call.region.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

/// Deregisters an instance; returns when it has drained.
pub(crate) fn discharge(call: &mut Call<'_>, group: &str, instance: &str) -> Option<Timestamp> {
    let mut group = call.region.target_groups.get(group)?.clone();
    let targets: Vec<Target> =
        group.targets.iter().filter(|target| target.id == instance).cloned().collect();
    let gone = remove(call, &mut group, &targets);
    call.region.target_groups.insert(group.arn.clone(), group);
    Some(gone)
}

fn add(view: View<'_>, group: &mut TargetGroup, targets: Vec<Target>) -> Outcome {
    group.targets.retain(|target| target.is_there(view.now));
    for target in targets {
        check(view, group, &target)?;
        match group.targets.iter_mut().find(|other| other.is(&target)) {
            Some(other) if other.gone.is_none() => {}
            Some(other) => *other = target,
            None => group.targets.push(target),
        }
    }
    quota::check(view, group)
}

/// Handles `DeregisterTargets`: a target in use drains first, any other is removed at once.
fn deregister(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut group = named(call.region, call.parameters)?.clone();
    let targets = listed(call.parameters, &group, call.now)?;
    if targets.is_empty() {
        return Err(Failure::missing("Targets"));
    }
    remove(call, &mut group, &targets);
    call.region.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

/// Takes targets out of a group; returns when those that are in use have drained.
fn remove(call: &Call<'_>, group: &mut TargetGroup, targets: &[Target]) -> Timestamp {
    let used = listeners(call.region, &group.arn).next().is_some();
    let delay = group.attributes.number("deregistration_delay.timeout_seconds");
    let delay = Duration::from_secs(delay.unwrap_or(DEREGISTRATION_DELAY_S))
        .min(call.settings.durations.target_draining);
    let gone = if used { later(call.now, delay) } else { call.now };
    for target in targets {
        for held in group.targets.iter_mut().filter(|held| held.is(target)) {
            held.gone.get_or_insert(gone);
        }
    }
    group.targets.retain(|target| target.is_there(call.now));
    gone
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let group = named(view.region, parameters)?;
    let asked = listed(parameters, group, view.now)?;
    let held = group.targets.iter().filter(|target| target.is_there(view.now));
    let held = held.filter(|target| health::can_be(view.region, group, target));
    let described: Vec<(&Target, bool)> = if asked.is_empty() {
        held.map(|target| (target, true)).collect()
    } else {
        let held: Vec<&Target> = held.collect();
        let find = |target| held.iter().find(|held| held.is(target)).copied();
        asked.iter().map(|target| find(target).map_or((target, false), |t| (t, true))).collect()
    };
    xml.members("TargetHealthDescriptions", described, |xml, (target, registered)| {
        xml.element("Target", |xml| {
            xml.text("Id", &target.id);
            xml.text("Port", target.port);
            xml.optional("AvailabilityZone", target.zone.as_ref());
        });
        xml.text("HealthCheckPort", group.health_check.port.unwrap_or(target.port));
        let health =
            if registered { health::of(view, group, target) } else { health::NOT_REGISTERED };
        xml.element("TargetHealth", |xml| health.write(xml));
    });
    Ok(())
}

/// Reads the targets of a call; the port is the group's if none is given.
fn listed(parameters: &Parameters, group: &TargetGroup, now: Timestamp) -> Outcome<Vec<Target>> {
    let read = |target: &Parameters| {
        let port = target.parsed("Port")?.unwrap_or(group.port);
        if port == 0 {
            return Err(invalid("The port of a target must be between 1 and 65535"));
        }
        let zone = target.text("AvailabilityZone").map(str::to_owned);
        let id = target.required("Id")?.to_owned();
        Ok(Target { id, port, zone, registered: now, gone: None })
    };
    parameters.list("Targets").into_iter().map(read).collect()
}

/// Refuses what cannot be a target of the group.
fn check(view: View<'_>, group: &TargetGroup, target: &Target) -> Outcome {
    match group.target_type {
        TargetType::Instance => check_instance(view, group, target),
        TargetType::Ip => check_address(view.region, group, target),
    }
}

fn check_instance(view: View<'_>, group: &TargetGroup, target: &Target) -> Outcome {
    let wrong = |message: String| Err(Failure::new("InvalidTarget", message));
    let id = &target.id;
    if target.zone.is_some() {
        return Err(unconfigurable(
            "An Availability Zone can only be given for targets by address",
        ));
    }
    let Some(instance) = view.region.instances.get(id) else {
        return wrong(format!("The following targets do not exist: '{id}'"));
    };
    if instance.state(view) != State::Running {
        return wrong(format!(
            "The following targets are not in a running state and cannot be registered: '{id}'"
        ));
    }
    if instance.vpc_id != group.vpc_id {
        let vpc = &group.vpc_id;
        return wrong(format!(
            "The following targets are not in the target group VPC '{vpc}': '{id}'"
        ));
    }
    Ok(())
}

/// Refuses an address that is neither in the VPC nor declared to be outside of it.
fn check_address(region: &Region, group: &TargetGroup, target: &Target) -> Outcome {
    let id = &target.id;
    let Ok(address) = id.parse::<Ipv4Addr>() else {
        return Err(invalid(format!("The IP address '{id}' is not a valid IPv4 address")));
    };
    let inside = region
        .vpcs
        .get(&group.vpc_id)
        .is_some_and(|vpc| vpc.cidrs.iter().any(|block| block.cidr.contains(&address)));
    let outside = target.zone.as_deref() == Some("all") && address.is_private();
    if inside || outside {
        return Ok(());
    }
    let message = format!("The IP address '{id}' is not within the VPC of the target group");
    Err(Failure::new("InvalidTarget", message))
}
