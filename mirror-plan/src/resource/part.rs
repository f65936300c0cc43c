//! Parts: the pieces of a resource that have an id of their own but no address.

use std::fmt;

use serde::Serialize;

use super::load_balancer::Listener;
use super::mirror_filter::Rule;
use super::route_table::Route;
use super::{
    GatewayLoadBalancer, Operation, Resource, Subnet, TargetGroup, autoscaling_group,
    gateway_load_balancer, internet_gateway, load_balancer, mirror_filter, resource_share,
    route_table, security_group, target_group,
};
use crate::attribute::Ref;
use crate::id::ObjectId;
use crate::observed::Found;
use crate::scalar::IpRange;

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

/// Which part of an object that stays an operation removes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RemovedPart<'o> {
    /// The part with this id, whatever has become of it.
    WithId(&'o ObjectId),
    /// The route for these addresses, wherever it leads by now.
    RouteFor(IpRange),
    /// A part that the call describes: if that has changed, the call does not remove it.
    Described,
}

/// A part as it was observed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) enum Part<'f> {
    Route(&'f Route),
    Listener(&'f Listener),
    /// The listener of a Gateway Load Balancer, by where it forwards to.
    ForwardsTo(&'f Ref<TargetGroup>),
    Rule(&'f Rule),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(route) => write!(f, "the route for {}", route.destination),
            Self::Listener(listener) => write!(f, "the listener on port {}", listener.port),
            Self::ForwardsTo(_) => f.write_str("the listener"),
            Self::Rule(rule) => write!(f, "the rule {}", rule.key()),
        }
    }
}

impl Operation {
    /// Returns which part of an object that stays it removes, if it does.
    pub(crate) fn removed_part(&self) -> Option<RemovedPart<'_>> {
        match self {
            Self::MirrorFilter(mirror_filter::Operation::DeleteRule { id: part })
            | Self::LoadBalancer(load_balancer::Operation::DeleteListener { arn: part })
            | Self::GatewayLoadBalancer(gateway_load_balancer::Operation::DeleteListener {
                arn: part,
            }) => Some(RemovedPart::WithId(part)),
            Self::RouteTable(route_table::Operation::DeleteRoute {
                route_table: _,
                destination,
            }) => Some(RemovedPart::RouteFor(*destination)),
            Self::RouteTable(route_table::Operation::Disassociate { .. })
            | Self::InternetGateway(internet_gateway::Operation::Detach { .. })
            | Self::SecurityGroup(security_group::Operation::Revoke { .. })
            | Self::TargetGroup(target_group::Operation::Deregister { .. })
            | Self::AutoscalingGroup(autoscaling_group::Operation::Detach { .. })
            | Self::ResourceShare(resource_share::Operation::Disassociate { .. }) => {
                Some(RemovedPart::Described)
            }
            Self::Vpc(_)
            | Self::Subnet(_)
            | Self::InternetGateway(_)
            | Self::VpcPeering(_)
            | Self::TransitGatewayAttachment(_)
            | Self::RouteTable(_)
            | Self::SecurityGroup(_)
            | Self::Instance(_)
            | Self::LaunchTemplate(_)
            | Self::TargetGroup(_)
            | Self::AutoscalingGroup(_)
            | Self::LoadBalancer(_)
            | Self::GatewayLoadBalancer(_)
            | Self::EndpointService(_)
            | Self::GatewayLoadBalancerEndpoint(_)
            | Self::MirrorTarget(_)
            | Self::MirrorFilter(_)
            | Self::MirrorSession(_)
            | Self::ResourceShare(_) => None,
        }
    }
}

impl RemovedPart<'_> {
    /// Returns the part of `found` that would be removed; `None` if it is not there, or if what is there is what the
    /// call describes.
    pub(crate) fn of<'f>(&self, found: &'f Found) -> Option<Part<'f>> {
        let id = match self {
            Self::WithId(id) => *id,
            Self::RouteFor(destination) => {
                let Resource::RouteTable(table) = &found.resource else { return None };
                let route = table.routes.iter().find(|route| route.destination == *destination);
                return route.map(Part::Route);
            }
            Self::Described => return None,
        };
        let key = found.parts.iter().find_map(|(key, part)| (part == id).then_some(key))?;
        match &found.resource {
            Resource::MirrorFilter(filter) => {
                let rule = filter.rules.0.iter().find(|rule| rule.key().to_string() == *key);
                rule.map(Part::Rule)
            }
            Resource::LoadBalancer(balancer) => {
                let mut all = balancer.listeners.iter();
                all.find(|listener| listener.port.to_string() == *key).map(Part::Listener)
            }
            Resource::GatewayLoadBalancer(GatewayLoadBalancer { target_group, .. }) => {
                target_group.as_ref().map(Part::ForwardsTo)
            }
            _ => None,
        }
    }
}
