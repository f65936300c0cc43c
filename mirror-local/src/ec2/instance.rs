//! Instances: what they are, and the states they go through.

mod attribute;
mod describe;
mod filters;
mod lifecycle;
mod run;
mod status;
mod write;

pub(crate) use lifecycle::{end, forget, release};
pub(crate) use run::{checked_user_data, launch};

use super::image::{self, Image};
use super::network_interface::NetworkInterface;
use crate::action::Action;
use crate::schedule::later;
use crate::settings::Durations;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Region, View};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeInstances", describe::describe),
    Action::create("RunInstances", run::run, run::answer).without_token_echo(),
    Action::write("TerminateInstances", lifecycle::terminate),
    Action::write("StopInstances", lifecycle::stop),
    Action::write("StartInstances", lifecycle::start),
    Action::write("RebootInstances", lifecycle::reboot),
    Action::read("DescribeInstanceAttribute", attribute::describe),
    Action::write("ModifyInstanceAttribute", attribute::modify),
    Action::write("ModifyInstanceMetadataOptions", attribute::modify_metadata),
    Action::read("DescribeInstanceStatus", status::describe),
    Action::read("DescribeInstanceCreditSpecifications", status::describe_credits),
    Action::write("MonitorInstances", |call, xml| lifecycle::monitor(call, xml, "enabled")),
    Action::write("UnmonitorInstances", |call, xml| lifecycle::monitor(call, xml, "disabled")),
];

/// An instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) reservation_id: String,
    pub(crate) image_id: String,
    pub(crate) instance_type: String,
    pub(crate) key_name: Option<String>,
    pub(crate) subnet_id: String,
    pub(crate) vpc_id: String,
    pub(crate) zone: String,
    /// Its interfaces in the order in which they were attached.
    pub(crate) interface_ids: Vec<String>,
    pub(crate) volume_ids: Vec<String>,
    /// The index among the instances of its launch.
    pub(crate) launch_index: usize,
    pub(crate) launched: Timestamp,
    pub(crate) client_token: Option<String>,
    /// Base64, as it was sent.
    pub(crate) user_data: Option<String>,
    pub(crate) profile_arn: Option<String>,
    pub(crate) shutdown_behavior: String,
    pub(crate) credits: Option<String>,
    pub(crate) metadata: MetadataOptions,
    pub(crate) enabled: BTreeSet<InstanceAttribute>,
    /// What the instance was last told to do, and when.
    pub(crate) asked: Asked,
    pub(crate) asked_at: Timestamp,
    pub(crate) tags: Tags,
}

/// What can be turned on for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum InstanceAttribute {
    DisableApiStop,
    DisableApiTermination,
    EbsOptimized,
    Monitoring,
    /// Every start gives it a public address.
    PublicAddress,
}

/// What an instance was last told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asked {
    Run,
    Stop,
    Terminate,
}

/// The options of the instance metadata service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetadataOptions {
    pub(crate) http_tokens: String,
    pub(crate) http_put_response_hop_limit: u8,
    pub(crate) http_endpoint: String,
    pub(crate) http_protocol_ipv6: String,
    pub(crate) instance_metadata_tags: String,
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    ShuttingDown,
    Stopped,
    Stopping,
    Terminated,
}

tagged_row!(
    Instance,
    Kind {
        prefix: "i-",
        noun: "instance ID",
        resource_type: "instance",
        not_found: "InvalidInstanceID.NotFound",
        malformed: "InvalidInstanceID.Malformed",
        describe: "DescribeInstances",
    }
);

impl State {
    /// Returns the state's number and name on the wire.
    pub(crate) fn on_wire(self) -> (u8, &'static str) {
        match self {
            Self::Pending => (0, "pending"),
            Self::Running => (16, "running"),
            Self::ShuttingDown => (32, "shutting-down"),
            Self::Terminated => (48, "terminated"),
            Self::Stopping => (64, "stopping"),
            Self::Stopped => (80, "stopped"),
        }
    }
}

impl Instance {
    /// Returns the state at the time of a call.
    pub(crate) fn state(&self, view: View<'_>) -> State {
        let (during, after) = match self.asked {
            Asked::Run => (State::Pending, State::Running),
            Asked::Stop => (State::Stopping, State::Stopped),
            Asked::Terminate => (State::ShuttingDown, State::Terminated),
        };
        if view.now < self.settles(&view.settings.durations) { during } else { after }
    }

    /// Returns when it reaches, or reached, the state that it was last told to take.
    pub(crate) fn settles(&self, durations: &Durations) -> Timestamp {
        let takes = match self.asked {
            Asked::Run => durations.instance_pending,
            Asked::Stop => durations.instance_stopping,
            Asked::Terminate => durations.instance_shutting_down,
        };
        later(self.asked_at, takes)
    }

    /// Returns whether an attribute is turned on.
    pub(crate) fn has(&self, attribute: InstanceAttribute) -> bool {
        self.enabled.contains(&attribute)
    }

    /// Returns the image the instance was launched from.
    fn image(&self, region: &Region) -> Option<&'static Image> {
        image::by_id(&region.name, &self.image_id).ok()
    }

    /// Returns the interface at device index 0.
    pub(crate) fn primary<'a>(&self, region: &'a Region) -> Option<&'a NetworkInterface> {
        let first = self.interface_ids.first()?;
        region.network_interfaces.get(first)
    }

    /// Returns the interfaces in the order in which they were attached.
    pub(crate) fn interfaces<'a>(
        &'a self,
        region: &'a Region,
    ) -> impl Iterator<Item = &'a NetworkInterface> {
        self.interface_ids.iter().filter_map(|id| region.network_interfaces.get(id))
    }
}
