//! Interfaces that sources may select, as they were seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{NetworkInterfaceId, ObjectId};
use crate::resource::Tags;
use crate::resource::instance::InstanceId;
use crate::resource::security_group::SecurityGroupId;
use crate::resource::subnet::SubnetId;
use crate::resource::vpc::VpcId;
use crate::scalar::{AvailabilityZone, InstanceType};

/// What was seen of the interfaces that a `sources` block may select.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// What was looked up, as the block states it: what was seen is of no use to a block that
    /// states something else.
    pub looked_for: String,
    /// The interfaces, including those that are to be left out.
    pub interfaces: BTreeMap<NetworkInterfaceId, Interface>,
}

/// What matters about an interface for mirroring it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its VPC.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its Availability Zone; `None` in data that an earlier version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<AvailabilityZone>,
    /// Its addresses, the primary private one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Its security groups.
    pub security_groups: BTreeSet<SecurityGroupId>,
    /// Those of its own tags that the stack file asks for.
    pub tags: Tags,
    /// The instance that it is attached to; `None` for an interface that an AWS service created.
    pub instance: Option<Attached>,
    /// The mirror target that sends to it.
    pub mirror_target: Option<ObjectId>,
}

/// The instance that an interface is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attached {
    /// Which.
    pub id: InstanceId,
    /// Its type.
    pub instance_type: InstanceType,
    /// The position of the interface on the instance: 0 for the first, which every instance has.
    pub device: u32,
    /// Those of its tags that the stack file asks for.
    pub tags: Tags,
}
