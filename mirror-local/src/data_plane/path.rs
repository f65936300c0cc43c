//! The path of copies: the route from the mirrored interface to what is behind the mirror target.

use std::net::Ipv4Addr;

use super::fate::Loss;
use super::node::{Node, Nodes};
use super::receiver::{Port, Receivers, Wrapping};
use super::subnet::Subnets;
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::route_table::{RouteTable, Target};
use crate::ec2::traffic_mirror::session::MirrorSession;
use crate::ec2::traffic_mirror::target::{self, Destination};
use crate::ec2::{transit_gateway, vpc_peering};
use crate::world::{Region, View};
use ipnet::IpNet;

/// Where the copies of a session go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Nowhere.
    Lost(Loss),
    /// To the receiver at this index.
    Receiver(usize),
    /// To the node at this index, which spreads them.
    Node(usize),
}

/// What a path leads to: the address that copies are sent to, if it is known, and the way there.
pub(super) struct Way {
    pub(super) destination: Ipv4Addr,
    pub(super) path: Path,
}

/// What copies may reach, and the borders on the way there.
#[derive(Debug)]
pub(super) struct Ways<'w, 'r> {
    pub(super) receivers: &'w mut Receivers,
    pub(super) nodes: &'w mut Nodes,
    pub(super) subnets: &'w Subnets<'r>,
}

impl Ways<'_, '_> {
    /// The index of the load balancer's node that a source in a zone sends to.
    fn node(&mut self, view: View<'_>, (arn, zone): (&str, &str)) -> Option<usize> {
        self.nodes.of(view, (arn, zone), (&mut *self.receivers, self.subnets))
    }

    /// What keeps an interface's copies from reaching another interface.
    fn obstacle(
        &self,
        view: View<'_>,
        (from, to): (&NetworkInterface, &NetworkInterface),
    ) -> Option<Loss> {
        if !leads(view, from, to) {
            Some(Loss::NoRoute)
        } else if !self.subnets.lead(from, to) {
            Some(Loss::RefusedByNetworkAcl)
        } else {
            None
        }
    }
}

impl Way {
    const fn lost(loss: Loss) -> Self {
        Self { destination: Ipv4Addr::UNSPECIFIED, path: Path::Lost(loss) }
    }
}

/// Finds out where the copies of a session go.
pub(super) fn way(
    view: View<'_>,
    (session, source): (&MirrorSession, &NetworkInterface),
    ways: &mut Ways<'_, '_>,
) -> Way {
    let region = view.region;
    let target = match target::of_anyone(view, &session.target_id) {
        Some((owner, target)) if owner.account == region.account => Some(&target.destination),
        Some((_, target)) if target::shared(view, &target.id).is_some() => {
            return Way::lost(Loss::OtherAccount);
        }
        Some(_) => return Way::lost(Loss::NotShared),
        None => None,
    };
    match target {
        None => Way::lost(Loss::TargetGone),
        Some(Destination::Interface(id)) => {
            let Some(interface) = region.network_interfaces.get(id) else {
                return Way::lost(Loss::TargetGone);
            };
            let path = if let Some(loss) = ways.obstacle(view, (source, interface)) {
                Path::Lost(loss)
            } else if interface.attachment.is_none() {
                Path::Lost(Loss::TargetGone)
            } else {
                let at = Port { number: super::VXLAN_PORT, wrapping: Wrapping::Vxlan };
                Path::Receiver(ways.receivers.of_interface(view, (interface, at), ways.subnets))
            };
            Way { destination: interface.private_ip, path }
        }
        Some(Destination::LoadBalancer(arn)) => {
            let Some(place) = ways.node(view, (arn, &source.zone)) else {
                return Way::lost(Loss::TargetGone);
            };
            let Node { interface, address, .. } = ways.nodes.at(place);
            let node = region.network_interfaces.get(interface);
            let path = match node {
                None => Path::Lost(Loss::TargetGone),
                Some(node) => {
                    let obstacle = ways.obstacle(view, (source, node));
                    obstacle.map_or(Path::Node(place), Path::Lost)
                }
            };
            Way { destination: *address, path }
        }
        Some(Destination::Endpoint(id)) => through(view, source, id, ways),
    }
}

/// The way through a Gateway Load Balancer endpoint: by routes to its interface, then on to the load balancer's node
/// in the endpoint's zone without routes and without a network ACL.
fn through(
    view: View<'_>,
    source: &NetworkInterface,
    endpoint: &str,
    ways: &mut Ways<'_, '_>,
) -> Way {
    let region = view.region;
    let endpoint = region.vpc_endpoints.get(endpoint).filter(|it| it.is_available(view));
    let interface = endpoint.and_then(|it| region.network_interfaces.get(&it.interface_id));
    let (Some(endpoint), Some(interface)) = (endpoint, interface) else {
        return Way::lost(Loss::TargetGone);
    };
    let path = match ways.obstacle(view, (source, interface)) {
        Some(loss) => Path::Lost(loss),
        None => {
            let balancer = endpoint.balancer(region).map(|balancer| &*balancer.arn);
            let node = balancer.and_then(|arn| ways.node(view, (arn, &interface.zone)));
            node.map_or(Path::Lost(Loss::TargetGone), Path::Node)
        }
    };
    Way { destination: interface.private_ip, path }
}

/// Whether the route table of an interface's subnet leads to another interface.
///
/// Only these routes do: the one inside the VPC, one over an active peering connection with the other's VPC, one over
/// a transit gateway that both VPCs are attached to, or one that leads to the other interface itself.
fn leads(view: View<'_>, from: &NetworkInterface, to: &NetworkInterface) -> bool {
    let region = view.region;
    let Some(table) = table(region, from) else { return false };
    let created = table.routes.iter().filter_map(|route| match route.destination {
        IpNet::V4(block) => Some((block, Some(&route.target))),
        IpNet::V6(_) => None,
    });
    let vpc = region.vpcs.get(&table.vpc_id);
    let local = vpc.into_iter().flat_map(|vpc| vpc.cidrs.iter().map(|it| (it.cidr, None)));
    let matching = created.chain(local).filter(|(block, _)| block.contains(&to.private_ip));
    // The last of the longest counts, so that the local route, which comes last, wins over one of equal length: Amazon
    // VPC user guide, "Route priority".
    let longest = matching.max_by_key(|(block, _)| block.prefix_len());
    match longest {
        Some((_, None)) => from.vpc_id == to.vpc_id,
        Some((_, Some(Target::Interface(id)))) => *id == to.id,
        Some((_, Some(Target::Peering(id)))) => {
            let peering = vpc_peering::seen(view, id);
            peering.is_some_and(|it| it.is_active(view) && it.is_between(&from.vpc_id, &to.vpc_id))
        }
        Some((_, Some(Target::TransitGateway(id)))) => {
            transit_gateway::leads(region, id, (from, to))
        }
        Some((_, Some(Target::Gateway(_)))) | None => false,
    }
}

/// The route table that a subnet uses: its own, or the main one of its VPC.
fn table<'r>(region: &'r Region, interface: &NetworkInterface) -> Option<&'r RouteTable> {
    let own = |table: &&RouteTable| {
        let mut uses = table.associations.iter();
        uses.any(|association| association.subnet_id.as_ref() == Some(&interface.subnet_id))
    };
    let main = |table: &&RouteTable| table.vpc_id == interface.vpc_id && table.is_main();
    let tables = || region.route_tables.values();
    tables().find(own).or_else(|| tables().find(main))
}
