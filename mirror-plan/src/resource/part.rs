//! Parts: the pieces of a resource that have an id of their own but no address.

use std::fmt;

use serde::Serialize;

use super::load_balancer::Listener;
use super::mirror_filter::Rule;
use super::route_table::Route;
use super::{
    AutoscalingGroup, GatewayLoadBalancer, Instance, LoadBalancer, Operation, Resource,
    SecurityGroup, Subnet, TargetGroup, autoscaling_group, endpoint_service, gateway_load_balancer,
    instance, internet_gateway, load_balancer, mirror_filter, resource_share, route_table,
    security_group, target_group, transit_gateway_attachment,
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
    /// Every subnet that is not in the list of the call.
    OtherSubnets,
    /// Every security group that is not in the list of the call.
    OtherSecurityGroups,
    /// Parts that the call describes: if they have changed, the call does not remove them.
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
    Subnets(&'f [Ref<Subnet>]),
    SecurityGroups(&'f [Ref<SecurityGroup>]),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(route) => write!(f, "the route for {}", route.destination),
            Self::Listener(listener) => write!(f, "the listener on port {}", listener.port),
            Self::ForwardsTo(_) => f.write_str("the listener"),
            Self::Rule(rule) => write!(f, "the rule {}", rule.key()),
            Self::Subnets(_) => f.write_str("the list of subnets"),
            Self::SecurityGroups(_) => f.write_str("the list of security groups"),
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
            Self::LoadBalancer(load_balancer::Operation::SetSubnets { .. })
            | Self::GatewayLoadBalancer(gateway_load_balancer::Operation::SetSubnets { .. })
            | Self::AutoscalingGroup(autoscaling_group::Operation::Set { .. }) => {
                Some(RemovedPart::OtherSubnets)
            }
            Self::LoadBalancer(load_balancer::Operation::SetSecurityGroups { .. })
            | Self::Instance(instance::Operation::SetSecurityGroups { .. }) => {
                Some(RemovedPart::OtherSecurityGroups)
            }
            Self::EndpointService(endpoint_service::Operation::Modify { removed, .. }) => {
                (!removed.is_empty()).then_some(RemovedPart::Described)
            }
            Self::EndpointService(endpoint_service::Operation::Allow { removed, .. }) => {
                (!removed.is_empty()).then_some(RemovedPart::Described)
            }
            Self::TransitGatewayAttachment(transit_gateway_attachment::Operation::Modify {
                removed,
                ..
            }) => (!removed.is_empty()).then_some(RemovedPart::Described),
            Self::MirrorFilter(mirror_filter::Operation::SetAmazonDns {
                enabled: false, ..
            })
            | Self::RouteTable(route_table::Operation::Disassociate { .. })
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
    /// Returns the part of `found` that would be removed, or the list that it would be removed from; `None` if it is
    /// not there, or if what is there is what the call describes.
    pub(crate) fn of<'f>(&self, found: &'f Found) -> Option<Part<'f>> {
        match (self, &found.resource) {
            (Self::WithId(id), Resource::MirrorFilter(filter)) => {
                let key = key(found, id)?;
                let rule = filter.rules.0.iter().find(|rule| rule.key().to_string() == key);
                rule.map(Part::Rule)
            }
            (Self::WithId(id), Resource::LoadBalancer(balancer)) => {
                let key = key(found, id)?;
                let mut all = balancer.listeners.iter();
                all.find(|listener| listener.port.to_string() == key).map(Part::Listener)
            }
            (Self::WithId(id), Resource::GatewayLoadBalancer(balancer)) => {
                key(found, id)?;
                balancer.target_group.as_ref().map(Part::ForwardsTo)
            }
            (Self::RouteFor(destination), Resource::RouteTable(table)) => {
                let route = table.routes.iter().find(|route| route.destination == *destination);
                route.map(Part::Route)
            }
            (
                Self::OtherSubnets,
                Resource::LoadBalancer(LoadBalancer { subnets, .. })
                | Resource::GatewayLoadBalancer(GatewayLoadBalancer { subnets, .. })
                | Resource::AutoscalingGroup(AutoscalingGroup { subnets, .. }),
            ) => Some(Part::Subnets(subnets)),
            (
                Self::OtherSecurityGroups,
                Resource::LoadBalancer(LoadBalancer { security_groups, .. })
                | Resource::Instance(Instance { security_groups, .. }),
            ) => Some(Part::SecurityGroups(security_groups)),
            _ => None,
        }
    }
}

/// Returns the key of the part of `found` with this id.
fn key<'f>(found: &'f Found, id: &ObjectId) -> Option<&'f str> {
    found.parts.iter().find_map(|(key, part)| (part == id).then_some(key.as_str()))
}
