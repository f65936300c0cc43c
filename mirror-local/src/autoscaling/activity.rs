//! Scaling activities: what a group did, why, and what came of it.

use super::group::AutoScalingGroup;
use crate::table::{Kind, Row};
use crate::world::{Call, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A scaling activity. Their keys are in the order in which they began.
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

/// How far an activity has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    /// An instance has been launched, and is not in service yet.
    PreInService,
    /// The flows of an instance end.
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
    /// There are so many instances, and there are to be so many.
    Capacity { from: usize, to: usize },
    /// The instances stand unevenly, or where the group has no subnet any more.
    Balance,
    /// The instance does not run.
    NotRunning,
    /// A target group says that it is not well.
    FailedHealthCheck,
    /// The group is being deleted.
    Deletion,
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

/// Notes that an activity came to its end.
pub(super) fn finish(call: &mut Call<'_>, key: &str) {
    set(call.region, key, Status::Successful { ended: call.now });
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
