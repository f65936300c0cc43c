//! Members: the instances of a group, and how far each has come in it.

use crate::ec2::availability_zone;
use crate::ec2::launch_template::Source;
use crate::table::{Kind, Row};
use crate::world::Region;
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// The key of the activity that launched it or that terminates it.
    pub(super) activity: String,
}

/// How far an instance has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// It was launched.
    Pending,
    /// It counts.
    InService { since: Timestamp },
    /// It is on its way out, and its flows may end before it is terminated.
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
    /// Whether it is part of the group's capacity.
    pub(super) fn counts(&self) -> bool {
        match self.stage {
            Stage::Pending | Stage::InService { .. } => true,
            Stage::Draining { .. } | Stage::Terminating => false,
        }
    }

    /// Whether it is on its way in or out.
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
