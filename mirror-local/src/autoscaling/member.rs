//! Members: the instances of a group, and how far each has progressed in it.

use super::activity::{self, Cause};
use super::page::{Page, Size};
use super::{invalid, look_at, required, scaling};
use crate::action::Action;
use crate::ec2::availability_zone;
use crate::ec2::launch_template::Source;
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::read("DescribeAutoScalingInstances", describe).without_dry_run(),
    Action::write("TerminateInstanceInAutoScalingGroup", terminate).without_dry_run(),
];

/// An instance of a group, keyed by its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(super) instance_id: String,
    pub(super) group: String,
    pub(super) instance_type: String,
    pub(super) image_id: String,
    pub(super) subnet_id: String,
    pub(super) zone: String,
    pub(super) source: Source,
    pub(super) launched: Timestamp,
    pub(super) stage: Stage,
    pub(super) health: Health,
    /// The target groups that it has been registered in.
    pub(super) registered: BTreeSet<String>,
    /// The key of the activity that launched it or is terminating it.
    pub(super) activity: String,
}

/// How far an instance has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// It was launched.
    Pending,
    /// It counts.
    InService { since: Timestamp },
    /// It is leaving, and its flows may end before it is terminated.
    Draining { until: Timestamp },
    /// It is being terminated.
    Terminating,
}

/// What a group thinks of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Health {
    Healthy,
    Unhealthy,
}

impl Row for Member {
    const KIND: Kind = Kind { describe: "DescribeAutoScalingInstances", ..Kind::INTERNAL };
}

impl Member {
    /// The name of its group.
    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    /// Whether it is part of the group's capacity.
    pub(super) fn counts(&self) -> bool {
        match self.stage {
            Stage::Pending | Stage::InService { .. } => true,
            Stage::Draining { .. } | Stage::Terminating => false,
        }
    }

    /// Whether it is entering or leaving the group.
    pub(super) fn is_changing(&self) -> bool {
        !matches!(self.stage, Stage::InService { .. })
    }

    fn state(&self) -> &'static str {
        match self.stage {
            Stage::Pending => "Pending",
            Stage::InService { .. } => "InService",
            Stage::Draining { .. } | Stage::Terminating => "Terminating",
        }
    }

    /// Writes it as a group shows it.
    pub(super) fn write(&self, xml: &mut Xml) {
        let health = match self.health {
            Health::Healthy => "Healthy",
            Health::Unhealthy => "Unhealthy",
        };
        self.write_with(health, xml);
    }

    /// Writes it with a word for its health, which is not the same in the two calls.
    fn write_with(&self, health: &str, xml: &mut Xml) {
        xml.text("InstanceId", &self.instance_id);
        xml.text("InstanceType", &self.instance_type);
        xml.text("AvailabilityZone", &self.zone);
        xml.text("AvailabilityZoneId", availability_zone::id(&self.zone));
        xml.text("LifecycleState", self.state());
        xml.text("HealthStatus", health);
        xml.element("LaunchTemplate", |xml| {
            let Source { template_id, template_name, version } = &self.source;
            xml.text("LaunchTemplateId", template_id);
            xml.text("LaunchTemplateName", template_name);
            xml.text("Version", version);
        });
        xml.text("ImageId", &self.image_id);
        xml.text("ProtectedFromScaleIn", false);
    }
}

/// The instances of a group, in the order of their ids.
pub(super) fn of<'r>(region: &'r Region, group: &'r str) -> impl Iterator<Item = &'r Member> {
    region.auto_scaling_members.values().filter(move |member| member.group == group)
}

/// Handles `DescribeAutoScalingInstances`; instances that are in no group are left out.
fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    const SET: &str = "AutoScalingInstances";
    let page = Page::parse(parameters, SET, Size { usual: 50, most: 50 })?;
    let ids = parameters.texts("InstanceIds");
    let rows = view.region.auto_scaling_members.iter();
    let rows = rows.filter(|(id, _)| ids.is_empty() || ids.contains(id));
    page.write(xml, SET, rows, |xml, member| {
        let health = match member.health {
            Health::Healthy => "HEALTHY",
            Health::Unhealthy => "UNHEALTHY",
        };
        xml.text("AutoScalingGroupName", &member.group);
        member.write_with(health, xml);
    });
    Ok(())
}

/// Handles `TerminateInstanceInAutoScalingGroup`: another one is launched, unless the group is to shrink.
fn terminate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let id = required(parameters, "InstanceId")?;
    required(parameters, "ShouldDecrementDesiredCapacity")?;
    let is_smaller = parameters.boolean("ShouldDecrementDesiredCapacity")?.unwrap_or(false);
    let unknown = || {
        let message =
            format!("Instance Id not found - No managed instance found for instance ID: {id}");
        invalid(message)
    };
    let member = call.region.auto_scaling_members.get(id).ok_or_else(unknown)?;
    let counts = member.counts();
    let group = call.region.auto_scaling_groups.get(&member.group).ok_or_else(unknown)?.clone();
    if counts && is_smaller {
        let (min, desired) = (group.sizes.min, group.sizes.desired);
        if desired <= min {
            return Err(invalid(format!(
                "Currently, desiredSize equals minSize ({min}). Terminating instance without \
                 replacement will violate group's min size constraint. Either set \
                 shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )));
        }
        if let Some(group) = call.region.auto_scaling_groups.get_mut(&group.name) {
            group.sizes.desired = desired - 1;
        }
    }
    if counts {
        scaling::leave(call, (&group, id), Cause::Request);
    }
    look_at(call.region, call.now);
    let member = call.region.auto_scaling_members.get(id).ok_or_else(unknown)?;
    xml.element("Activity", |xml| activity::write_one(call.region, &member.activity, xml));
    Ok(())
}
