//! Parts: the pieces of a resource that have an id of their own but no address.

use super::{Resource, Subnet, gateway_load_balancer};
use crate::attribute::Ref;
use crate::id::ObjectId;
use crate::observed::Found;

impl Resource {
    /// Returns the keys, in [`Found::parts`], of its parts that have an id of their own.
    #[must_use]
    pub fn part_keys(&self) -> Vec<String> {
        match self {
            Self::RouteTable(table) => {
                let id = |subnet: &Ref<Subnet>| match subnet {
                    Ref::Id(id) => id.to_string(),
                    Ref::To(address) => address.to_string(),
                };
                table.subnets.iter().map(id).collect()
            }
            Self::LoadBalancer(balancer) => {
                balancer.listeners.iter().map(|listener| listener.port.to_string()).collect()
            }
            Self::GatewayLoadBalancer(balancer) => {
                let listener = balancer.target_group.as_ref();
                listener.map(|_| gateway_load_balancer::LISTENER.to_owned()).into_iter().collect()
            }
            Self::MirrorFilter(filter) => {
                filter.rules.0.iter().map(|rule| rule.key().to_string()).collect()
            }
            Self::Vpc(_)
            | Self::Subnet(_)
            | Self::InternetGateway(_)
            | Self::VpcPeering(_)
            | Self::TransitGatewayAttachment(_)
            | Self::SecurityGroup(_)
            | Self::Instance(_)
            | Self::LaunchTemplate(_)
            | Self::TargetGroup(_)
            | Self::AutoscalingGroup(_)
            | Self::EndpointService(_)
            | Self::GatewayLoadBalancerEndpoint(_)
            | Self::MirrorTarget(_)
            | Self::MirrorSession(_)
            | Self::ResourceShare(_) => Vec::new(),
        }
    }
}

/// Returns the id of a part of `found`, such as a rule, by its key.
pub(crate) fn part<'f>(found: &'f Found, key: &str) -> &'f ObjectId {
    found.parts.get(key).expect("every observed part was observed with its id")
}
