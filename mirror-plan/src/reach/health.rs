//! Health: what load balancers report about their targets, if they were asked.

use std::collections::BTreeMap;

use crate::resource::instance::InstanceId;
use crate::resource::target_group::TargetGroupArn;

/// The health of targets, by target group and instance. The health of all others is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health(pub BTreeMap<(TargetGroupArn, InstanceId), Condition>);

/// How a load balancer counts a target.
///
/// Source: ELBv2 API reference, `TargetHealth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `healthy`: it gets packets.
    Healthy,
    /// `unhealthy`, `unused` or anything else: it gets none, for this reason, in AWS's words.
    ///
    /// While no target of a group is healthy, a load balancer sends to all of them. That is not a state to rely on,
    /// and does not count as a way.
    Ill(String),
}
