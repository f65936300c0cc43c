//! What a run waits for, and how long that takes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Call, Step};
use crate::resource::{Operation, gateway_load_balancer, instance, load_balancer};

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// For the network interfaces of a deleted load balancer, which hold its subnets and groups, to go
    /// away.
    Released,
    /// For a new load balancer to be active.
    LoadBalancer,
    /// For an endpoint, or an attachment to a transit gateway, to be available or gone.
    Attachment,
    /// For the instances of an Auto Scaling group to be in service, or to be gone.
    Group,
    /// For an instance to run, to have stopped or to be gone.
    Instance,
    /// For the response to a call that does all of its work itself.
    Answer,
}

impl Wait {
    /// What a step waits for.
    #[must_use]
    pub fn of(step: &Step) -> Self {
        let Call::Operation(operation) = &step.call else { return Self::Answer };
        match operation {
            Operation::Instance(
                instance::Operation::Run { .. }
                | instance::Operation::Stop { .. }
                | instance::Operation::Start { .. }
                | instance::Operation::Terminate { .. },
            ) => Self::Instance,
            Operation::LoadBalancer(load_balancer::Operation::Create { .. })
            | Operation::GatewayLoadBalancer(gateway_load_balancer::Operation::Create { .. }) => {
                Self::LoadBalancer
            }
            Operation::LoadBalancer(load_balancer::Operation::Delete { .. })
            | Operation::GatewayLoadBalancer(gateway_load_balancer::Operation::Delete { .. }) => {
                Self::Released
            }
            Operation::GatewayLoadBalancerEndpoint(_) | Operation::TransitGatewayAttachment(_) => {
                Self::Attachment
            }
            Operation::AutoscalingGroup(_) => Self::Group,
            Operation::Instance(_)
            | Operation::LaunchTemplate(_)
            | Operation::LoadBalancer(_)
            | Operation::GatewayLoadBalancer(_)
            | Operation::EndpointService(_)
            | Operation::Vpc(_)
            | Operation::Subnet(_)
            | Operation::InternetGateway(_)
            | Operation::VpcPeering(_)
            | Operation::RouteTable(_)
            | Operation::SecurityGroup(_)
            | Operation::TargetGroup(_)
            | Operation::MirrorTarget(_)
            | Operation::MirrorFilter(_)
            | Operation::MirrorSession(_)
            | Operation::ResourceShare(_) => Self::Answer,
        }
    }

    /// How long one such wait usually takes.
    const fn usual(self) -> Duration {
        Duration::from_secs(match self {
            // Minutes, as reported by users (`hashicorp/terraform#3758`). Terraform's provider waits
            // this long and no longer (`waitForNLBNetworkInterfacesToDetach`).
            Self::Released => 300,
            // Two or three minutes.
            Self::LoadBalancer => 150,
            // Two minutes and more for an endpoint (`hashicorp/terraform-provider-aws#32774`).
            Self::Attachment => 120,
            // Less than two minutes for those that Terraform's provider deletes; a start takes less.
            Self::Group => 90,
            // Less than a minute.
            Self::Instance => 40,
            Self::Answer => 1,
        })
    }
}

/// In the plural: `new load balancers`.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Released => "interfaces of old load balancers",
            Self::LoadBalancer => "new load balancers",
            Self::Attachment => "endpoints and attachments",
            Self::Group => "instances of Auto Scaling groups",
            Self::Instance => "instances",
            Self::Answer => "calls",
        })
    }
}

/// How long waits have taken in earlier runs of a stack.
///
/// The last few of each are kept, so that what AWS does today counts and what it did last year does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Experience(BTreeMap<Wait, Vec<Milliseconds>>);

/// A time, as it is stored.
type Milliseconds = u64;

impl Experience {
    /// How many of each wait are kept.
    const KEPT: usize = 9;

    /// Adds the times of the last run.
    pub fn learn(&mut self, took: &BTreeMap<Wait, Vec<Duration>>) {
        for (wait, times) in took {
            let kept = self.0.entry(*wait).or_default();
            kept.extend(
                times.iter().map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            );
            kept.drain(..kept.len().saturating_sub(Self::KEPT));
        }
    }

    /// How long a wait takes: the median of the times that are kept, or the usual time.
    #[must_use]
    pub fn time(&self, wait: Wait) -> Duration {
        let Some(kept) = self.0.get(&wait).filter(|kept| !kept.is_empty()) else {
            return wait.usual();
        };
        let mut sorted = kept.clone();
        sorted.sort_unstable();
        Duration::from_millis(sorted[sorted.len() / 2])
    }

    /// Whether a wait has been measured.
    #[must_use]
    pub fn knows(&self, wait: Wait) -> bool {
        self.0.get(&wait).is_some_and(|kept| !kept.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experience_is_the_median_of_the_last_few() {
        let mut experience = Experience::default();
        let seconds = |all: &[u64]| {
            let times = all.iter().map(|time| Duration::from_secs(*time)).collect();
            BTreeMap::from([(Wait::LoadBalancer, times)])
        };
        assert_eq!(experience.time(Wait::LoadBalancer), Duration::from_secs(150));
        assert!(!experience.knows(Wait::LoadBalancer));
        experience.learn(&seconds(&[1_000, 1_000, 1_000, 100, 300]));
        assert_eq!(experience.time(Wait::LoadBalancer), Duration::from_secs(1_000));
        experience.learn(&seconds(&[200, 200, 200, 200, 200, 200]));
        assert_eq!(experience.time(Wait::LoadBalancer), Duration::from_secs(200));
        assert_eq!(experience.time(Wait::Instance), Duration::from_secs(40));
        let kept = serde_json::to_string(&experience).unwrap();
        assert_eq!(
            kept,
            r#"{"load_balancer":[1000000,100000,300000,200000,200000,200000,200000,200000,200000]}"#
        );
        assert_eq!(serde_json::from_str::<Experience>(&kept).unwrap(), experience);
    }
}
