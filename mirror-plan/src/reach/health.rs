//! Health: what load balancers say of their targets, where somebody has asked them.

use std::collections::BTreeMap;

use crate::resource::instance::InstanceId;
use crate::resource::target_group::TargetGroupArn;

/// The health of targets, by target group and instance. Of any other it is not known.
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
    /// While no target of a group is healthy, a load balancer sends to all of them. That is no state to rely
    /// on, and is not counted as a way.
    Ill(String),
}
