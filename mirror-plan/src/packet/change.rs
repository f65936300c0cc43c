//! What a planned change newly mirrors, and what it stops mirroring.

use super::{Mirrored, RULES_MAX, mirrored};
use crate::address::Kind;
use crate::attribute::{AttributeType as _, Problems};
use crate::plan::{Action, Change, Plan};
use crate::resource::mirror_filter::Rules;
use crate::value::{Path, Value};

/// What a change means for what is mirrored: the exact packets.
#[derive(Clone, Debug, Default)]
pub struct TrafficChange {
    /// The packets that are mirrored from now on.
    pub begins: Mirrored,
    /// The packets that are no longer mirrored.
    pub ends: Mirrored,
}

impl TrafficChange {
    /// Returns what a change of `plan` means for the filter, or for the session, that it is about; `None` for what
    /// is created or deleted, or has nothing to do with packets.
    #[must_use]
    pub fn of(plan: &Plan, change: &Change) -> Option<Self> {
        let (before, after) = match change.action {
            Action::Update | Action::Replace(_) => {
                (change.before.as_ref()?, change.after.as_ref()?)
            }
            Action::NoOp | Action::Move | Action::Create | Action::Delete => return None,
        };
        let (before, after) = match change.kind() {
            Kind::MirrorFilter => (of_filter(before)?, of_filter(after)?),
            Kind::MirrorSession => {
                let (was, becomes) = (filter_of(before)?, filter_of(after)?);
                let (was, becomes) = (used(plan, was)?, used(plan, becomes)?);
                if was.address == becomes.address {
                    return None; // The filter's own change reports it.
                }
                (of_filter(was.before.as_ref()?)?, of_filter(becomes.after.as_ref()?)?)
            }
            Kind::Vpc
            | Kind::Subnet
            | Kind::InternetGateway
            | Kind::VpcPeering
            | Kind::TransitGatewayAttachment
            | Kind::RouteTable
            | Kind::SecurityGroup
            | Kind::Instance
            | Kind::LaunchTemplate
            | Kind::TargetGroup
            | Kind::AutoscalingGroup
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::MirrorTarget
            | Kind::ResourceShare => return None,
        };
        let change = Self { begins: after.minus(&before), ends: before.minus(&after) };
        (!change.begins.is_empty() || !change.ends.is_empty()).then_some(change)
    }
}

/// What a filter with these attributes mirrors; `None` if it has more rules than are worked out.
fn of_filter(attributes: &Value) -> Option<Mirrored> {
    let Value::Object(members) = attributes else { return None };
    let mut problems = Problems::default();
    let rules = Rules::read(members.get("rules")?, &Path::default(), &mut problems)?;
    let amazon_dns = members.get("amazon_dns") == Some(&Value::Bool(true));
    (rules.0.len() <= RULES_MAX).then(|| Mirrored { packets: mirrored(&rules), amazon_dns })
}

/// The filter that a session with these attributes uses.
fn filter_of(attributes: &Value) -> Option<&Value> {
    let Value::Object(members) = attributes else { return None };
    members.get("filter")
}

/// The change of the filter that a reference leads to.
fn used<'p>(plan: &'p Plan, reference: &Value) -> Option<&'p Change> {
    plan.changes.iter().find(|change| match reference {
        Value::String(id) => change.id.as_ref().is_some_and(|it| it.as_str() == id),
        Value::Unknown(unknown) => {
            change.deposed.is_none()
                && unknown.origins.iter().any(|origin| origin.address == change.address)
        }
        _ => false,
    })
}
