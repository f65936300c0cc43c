//! EC2 Auto Scaling: groups of instances that AWS launches, watches, replaces and terminates.
//!
//! A group launches from a launch template into subnets. Launch configurations, several instance types, warm pools,
//! lifecycle hooks, scaling policies and classic load balancers do not exist here, and are refused by name.
//!
//! Nothing runs in the background: a group checks its instances when something has changed and when something that it
//! waits for is over. Source: EC2 Auto Scaling user guide and API reference.

mod activity;
mod filter;
mod group;
mod member;
mod page;
mod scaling;
mod tag;
mod target_group;

pub(crate) use activity::Activity;
pub(crate) use group::AutoScalingGroup;
pub(crate) use member::Member;

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::settings::Settings;
use crate::world::{Call, Region};
use jiff::Timestamp;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] =
    &[activity::ACTIONS, group::ACTIONS, member::ACTIONS, tag::ACTIONS, target_group::ACTIONS];

/// Makes the groups of a Region check their instances soon, because something may have happened to them.
pub(crate) fn take_notice(call: &mut Call<'_>) {
    let soon = later(call.now, call.settings.durations.auto_scaling_noticing);
    if call.region.auto_scaling_groups.len() > 0 && !call.region.is_arranged(Event::Scale, soon) {
        look_at(call.region, soon);
    }
}

/// Makes the groups of a Region check their instances at a time.
fn look_at(region: &mut Region, at: Timestamp) {
    region.arrange(at, Event::Scale, "");
}

/// Lets every group of a Region check its instances, and schedules the next time that one has to.
pub(crate) fn scale(region: &mut Region, settings: &Settings, now: Timestamp) {
    let names: Vec<String> =
        region.auto_scaling_groups.iter().map(|(name, _)| name.to_owned()).collect();
    // What a group launches into and registers with belongs to its own account.
    let (neighbours, parameters) = (&[][..], &Parameters::default());
    let mut call = Call { region, neighbours, parameters, settings, now };
    let next = names.iter().filter_map(|name| scaling::look(&mut call, name)).min();
    if let Some(next) = next.filter(|next| !call.region.is_arranged(Event::Scale, *next)) {
        look_at(call.region, next);
    }
}

/// Returns the group that a call names.
fn named<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a AutoScalingGroup> {
    let name = required(parameters, "AutoScalingGroupName")?;
    region.auto_scaling_groups.get(name).ok_or_else(|| not_found(name))
}

/// Returns the group that a call changes, unless it is being deleted.
fn standing<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a AutoScalingGroup> {
    let group = named(region, parameters)?;
    if group.is_leaving() {
        let message = "The AutoScaling group may not be modified while it is pending delete";
        return Err(invalid(message));
    }
    Ok(group)
}

fn not_found(name: &str) -> Failure {
    let message = format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found");
    invalid(message)
}

/// Returns a parameter that must be there.
fn required<'a>(parameters: &'a Parameters, name: &str) -> Outcome<&'a str> {
    parameters.given(name).ok_or_else(|| constraint(("null", name), "Member must not be null"))
}

/// Reads a number within bounds.
fn number(
    parameters: &Parameters,
    name: &str,
    bounds: std::ops::RangeInclusive<u32>,
) -> Outcome<Option<u32>> {
    let Some(text) = parameters.given(name) else { return Ok(None) };
    let wrong = || {
        let (low, high) = (bounds.start(), bounds.end());
        let what = format!("Member must have value between {low} and {high}");
        constraint((text, name), &what)
    };
    text.parse().ok().filter(|number| bounds.contains(number)).map(Some).ok_or_else(wrong)
}

/// A value violates what the service's model says about it.
fn constraint((value, parameter): (&str, &str), what: &str) -> Failure {
    let mut letters = parameter.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let parameter: String = first.into_iter().chain(letters).collect();
    let value = if value == "null" { value.to_owned() } else { format!("'{value}'") };
    invalid(format!(
        "1 validation error detected: Value {value} at '{parameter}' failed to satisfy \
         constraint: {what}"
    ))
}

/// A parameter is not acceptable.
fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("ValidationError", message.into())
}
