//! Gateway Load Balancer endpoints: what is behind one.
//!
//! Sources send to the endpoint, whatever VPC it is in. From there, packets reach a node of one of its service's
//! load balancers, in the endpoint's own zone, without a route. The node wraps them in GENEVE and sends them on
//! from its own address, so receivers must admit the node and not the sources.
//!
//! Source: Gateway Load Balancer guide, "Gateway Load Balancer overview" and "Target groups"; AWS PrivateLink guide,
//! "Access virtual appliances".

use super::delivery::{Balanced, Delivery, Node, Spread, zone};
use super::end::{Groups, Place};
use super::hop::{Hop, Sort, Stretch};
use super::network::{Mention, Network};
use crate::resource::{GatewayLoadBalancer, TargetGroup};
use crate::scalar::ElbProtocol;

/// Where packets enter that are for a load balancer behind an endpoint.
#[derive(Debug)]
pub(crate) struct Entrance<'s> {
    pub(super) place: Option<Place<'s>>,
    /// The hop through the endpoint.
    pub(super) hop: Hop,
}

/// What is behind an endpoint.
pub(super) fn behind<'s>(network: &Network<'s>, endpoint: Mention<'s>) -> Delivery<'s> {
    let unseen = |of: Mention<'s>| {
        let words = format!("what is behind {of} is not known");
        Delivery::Unseen(Hop::unknown(Sort::Endpoint, Stretch::Target, words))
    };
    let Some(known) = network.endpoint(endpoint) else { return unseen(endpoint) };
    let service = network.mention(&known.it.service);
    let Some(of_service) = network.endpoint_service(service) else { return unseen(service) };
    let subnet = network.mention(&known.it.subnet);
    let here = zone(network, subnet);
    let (mut all_known, mut nodes) = (true, Vec::new());
    for balancer in &of_service.it.gateway_load_balancers {
        let name = network.mention(balancer);
        let Some(balancer) = network.gateway_load_balancer(name) else { return unseen(name) };
        for to in &balancer.it.subnets {
            let at = network.mention(to);
            let there = zone(network, at);
            all_known &= here.is_some() && there.is_some();
            if at == subnet || here.is_some() && here == there {
                let node = Node::of(network, at);
                return Delivery::Balanced(through(
                    network,
                    (endpoint, subnet),
                    (name, balancer.it),
                    node,
                ));
            }
            nodes.push((name, balancer.it, at));
        }
    }
    match nodes.as_slice() {
        _ if all_known => {
            let words = format!("{service} has no load balancer in the zone of {endpoint}");
            Delivery::Unseen(Hop::stops(Sort::Endpoint, Stretch::Target, words))
        }
        // The load balancer is in the endpoint's zone, or AWS would have refused the endpoint.
        [(name, balancer, at)] => {
            let node = Node::of(network, *at);
            Delivery::Balanced(through(network, (endpoint, subnet), (*name, *balancer), node))
        }
        _ => {
            let words = format!("which node {endpoint} leads to is not known");
            Delivery::Unseen(Hop::unknown(Sort::Endpoint, Stretch::Target, words))
        }
    }
}

fn through<'s>(
    network: &Network<'s>,
    (endpoint, subnet): (Mention<'s>, Mention<'s>),
    (name, balancer): (Mention<'s>, &'s GatewayLoadBalancer),
    node: Node<'s>,
) -> Balanced<'s> {
    let (sort, stretch) = (Sort::Listener, Stretch::Target);
    let listener = match &balancer.target_group {
        Some(_) => Hop::passes(sort, stretch, format!("{name} accepts everything")),
        None => Hop::stops(sort, stretch, format!("{name} has no target group")),
    };
    let leads = format!("{endpoint} leads to {name}");
    let hop = Hop::passes(Sort::Endpoint, Stretch::Target, leads);
    let mut balanced = Balanced {
        name,
        vpc: node.place.map(|place| place.vpc),
        nodes: vec![node],
        groups: Groups::of_balancer(network, &[]),
        entrance: Some(Entrance { place: Place::of(network, subnet), hop }),
        spread: if balancer.cross_zone { Spread::EveryZone } else { Spread::OwnZone },
        listener,
        parts: Vec::new(),
        receivers: Vec::new(),
        exits: Vec::new(),
    };
    if let Some(group) = &balancer.target_group {
        balanced.add(network, network.mention(group), |to, group| forwards(name, to, group));
    }
    balanced
}

/// Whether packets go on to a group.
fn forwards(name: Mention<'_>, to: Mention<'_>, group: &TargetGroup) -> Hop {
    let (sort, stretch) = (Sort::TargetGroup, Stretch::Group);
    if group.protocol != ElbProtocol::Geneve {
        let words = format!("{name} forwards geneve to {to}, which is {}", group.protocol);
        return Hop::stops(sort, stretch, words);
    }
    Hop::passes(sort, stretch, format!("{name} forwards to {to}, in GENEVE"))
}
