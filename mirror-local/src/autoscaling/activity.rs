//! Scaling activities: what a group did, why, and what came of it.

use super::group::AutoScalingGroup;
use super::page::{Page, Size};
use super::{invalid, not_found};
use crate::action::Action;
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(super) const ACTIONS: &[Action] =
    &[Action::read("DescribeScalingActivities", describe).without_dry_run()];

/// A scaling activity. Keys are in the order in which the activities began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    id: String,
    group: String,
    group_arn: String,
    description: String,
    cause: String,
    started: Timestamp,
    status: Status,
}

/// How far an activity has progressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    /// An instance has been launched, but is not in service yet.
    PreInService,
    /// The flows of an instance are ending.
    WaitingForDraining,
    InProgress,
    Successful {
        ended: Timestamp,
    },
    Failed {
        ended: Timestamp,
        why: String,
    },
}

impl Row for Activity {
    const KIND: Kind = Kind::INTERNAL;
}

/// Why an instance is launched or terminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// There are `from` instances, and there are to be `to`.
    Capacity { from: usize, to: usize },
    /// The instances are spread unevenly, or are where the group no longer has a subnet.
    Balance,
    /// The instance is not running.
    NotRunning,
    /// A target group reports it as unhealthy.
    FailedHealthCheck,
    /// The group is being deleted.
    Deletion,
    /// A call asked for it.
    Request,
}

impl Cause {
    fn words(self, action: &str, at: Timestamp) -> String {
        let why = match self {
            Self::Capacity { from, to } if from < to => format!(
                "in response to a difference between desired and actual capacity, increasing the \
                 capacity from {from} to {to}"
            ),
            Self::Capacity { from, to } => format!(
                "in response to a difference between desired and actual capacity, shrinking the \
                 capacity from {from} to {to}"
            ),
            Self::Balance => "to balance the instances of the group over its zones".to_owned(),
            Self::NotRunning => "in response to an EC2 health check indicating it has been \
                                 terminated or stopped"
                .to_owned(),
            Self::FailedHealthCheck => {
                "in response to an ELB system health check failure".to_owned()
            }
            Self::Deletion => "in response to the deletion of the group".to_owned(),
            Self::Request => "in response to a user request".to_owned(),
        };
        format!("At {at} an instance was {action} {why}.")
    }
}

/// Notes that an instance was launched; returns the key of the activity.
pub(super) fn launched(
    call: &mut Call<'_>,
    (group, instance): (&AutoScalingGroup, &str),
    cause: Cause,
) -> String {
    let description = format!("Launching a new EC2 instance: {instance}");
    let cause = cause.words("started", call.now);
    begin(call, group, (description, cause, Status::PreInService))
}

/// Notes that an instance is being terminated; returns the key of the activity.
pub(super) fn terminating(
    call: &mut Call<'_>,
    (group, instance): (&AutoScalingGroup, &str),
    cause: Cause,
) -> String {
    let description = format!("Terminating EC2 instance: {instance}");
    let cause = cause.words("taken out of service", call.now);
    begin(call, group, (description, cause, Status::WaitingForDraining))
}

/// Notes that nothing could be launched; a failure that repeats the last one is noted once.
pub(super) fn failed(call: &mut Call<'_>, group: &AutoScalingGroup, (cause, why): (Cause, String)) {
    let status = Status::Failed { ended: call.now, why: why.clone() };
    let last = of(call.region, group).last().map(|(key, last)| (key.to_owned(), last));
    if let Some((key, Activity { status: Status::Failed { why: before, .. }, .. })) = last
        && *before == why
    {
        set(call.region, &key, status);
        return;
    }
    let description = format!("Launching a new EC2 instance.  Status Reason: {why}");
    let cause = cause.words("started", call.now);
    begin(call, group, (description, cause, status));
}

/// Notes that the flows of an instance have ended and it is now terminated.
pub(super) fn drained(region: &mut Region, key: &str) {
    set(region, key, Status::InProgress);
}

/// Notes that an activity has ended, unless it had ended before.
pub(super) fn finish(call: &mut Call<'_>, key: &str) {
    let activity = call.region.auto_scaling_activities.get(key);
    let goes_on = activity.is_some_and(|activity| match activity.status {
        Status::PreInService | Status::WaitingForDraining | Status::InProgress => true,
        Status::Successful { .. } | Status::Failed { .. } => false,
    });
    if goes_on {
        set(call.region, key, Status::Successful { ended: call.now });
    }
}

fn set(region: &mut Region, key: &str, status: Status) {
    if let Some(activity) = region.auto_scaling_activities.get_mut(key) {
        activity.status = status;
    }
}

/// The activities of a group, the oldest first.
fn of<'r>(
    region: &'r Region,
    group: &AutoScalingGroup,
) -> impl DoubleEndedIterator<Item = (&'r str, &'r Activity)> {
    let all = region.auto_scaling_activities.iter();
    let own: Vec<_> = all.filter(|(_, activity)| activity.group_arn == group.arn).collect();
    own.into_iter()
}

fn begin(
    call: &mut Call<'_>,
    group: &AutoScalingGroup,
    (description, cause, status): (String, String, Status),
) -> String {
    let id = call.region.draw_uuid("scaling activity");
    let (at, place) = (call.now.as_nanosecond().max(0), call.region.auto_scaling_activities.len());
    let key = format!("{at:020} {place:010}");
    let activity = Activity {
        id,
        group: group.name.clone(),
        group_arn: group.arn.clone(),
        description,
        cause,
        started: call.now,
        status,
    };
    call.region.auto_scaling_activities.insert(&*key, activity);
    key
}

/// Handles `DescribeScalingActivities`: the newest first. Those of deleted groups are included if they are asked for.
fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    const SET: &str = "Activities";
    let page = Page::parse(parameters, SET, Size { usual: 100, most: 100 })?;
    parameters.refuse(&["Filters"])?;
    let groups = &view.region.auto_scaling_groups;
    let with_deleted = parameters.boolean("IncludeDeletedGroups")?.unwrap_or(false);
    let name = parameters.given("AutoScalingGroupName");
    if let Some(name) = name.filter(|name| !with_deleted && !groups.contains(name)) {
        return Err(not_found(name));
    }
    let ids = parameters.texts("ActivityIds");
    let all = &view.region.auto_scaling_activities;
    if let Some(unknown) = ids.iter().find(|id| !all.values().any(|activity| activity.id == **id)) {
        return Err(invalid(format!("The activity {unknown} does not exist")));
    }
    let is_asked = |activity: &Activity| {
        let group = groups.get(&activity.group);
        (ids.is_empty() || ids.contains(&&*activity.id))
            && name.is_none_or(|name| activity.group == name)
            && (with_deleted || group.is_some_and(|group| group.arn == activity.group_arn))
    };
    let mut rows: Vec<_> = all.iter().filter(|(_, activity)| is_asked(activity)).collect();
    rows.reverse();
    // The keys of a page grow as the activities get older.
    let rows = rows.into_iter().map(|(key, activity)| (inverted(key), activity));
    page.write(xml, SET, rows, |xml, activity| write(view.region, activity, xml));
    Ok(())
}

/// A key with its digits inverted, so that a later one comes first.
fn inverted(key: &str) -> String {
    let turned = |c: char| c.to_digit(10).and_then(|digit| char::from_digit(9 - digit, 10));
    key.chars().map(|c| turned(c).unwrap_or(c)).collect()
}

/// Writes the activity of a key, if it exists.
pub(super) fn write_one(region: &Region, key: &str, xml: &mut Xml) {
    if let Some(activity) = region.auto_scaling_activities.get(key) {
        write(region, activity, xml);
    }
}

fn write(region: &Region, activity: &Activity, xml: &mut Xml) {
    let Activity { id, group, group_arn, description, cause, started, status } = activity;
    let (code, progress, ended, message) = match status {
        Status::PreInService => ("PreInService", 30, None, None),
        Status::WaitingForDraining => ("WaitingForELBConnectionDraining", 20, None, None),
        Status::InProgress => ("InProgress", 50, None, None),
        Status::Successful { ended } => ("Successful", 100, Some(ended), None),
        Status::Failed { ended, why } => ("Failed", 100, Some(ended), Some(why)),
    };
    xml.text("ActivityId", id);
    xml.text("AutoScalingGroupName", group);
    xml.text("Description", description);
    xml.text("Cause", cause);
    xml.text("StartTime", started);
    xml.optional("EndTime", ended);
    xml.text("StatusCode", code);
    xml.optional("StatusMessage", message);
    xml.text("Progress", progress);
    xml.text("Details", "{}");
    let is_there = region.auto_scaling_groups.get(group).is_some_and(|it| it.arn == *group_arn);
    xml.optional("AutoScalingGroupState", (!is_there).then_some("Deleted"));
    xml.text("AutoScalingGroupARN", group_arn);
}
