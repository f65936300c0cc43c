//! Transit gateways: whether one carries packets of a subnet to another VPC.
//!
//! Both VPCs must be attached to it. The VPC that the packets come from must be attached in their own zone, and the
//! route table that the gateway associates with this attachment must lead to the other VPC.
//!
//! Source: Transit Gateway guide, "How transit gateways work" and "Transit gateway VPC attachments".

use super::end::Place;
use super::hop::{Hop, Sort, Stretch};
use super::network::{Mention, Network};
use super::routing::Goal;
use crate::resource::TransitGatewayAttachment;
use crate::scalar::{AvailabilityZone, TransitGatewayId};

fn passes(words: impl Into<String>) -> Hop {
    Hop::passes(Sort::TransitGateway, Stretch::Target, words)
}

fn unknown(words: impl Into<String>) -> Hop {
    Hop::unknown(Sort::TransitGateway, Stretch::Target, words)
}

fn stops(words: impl Into<String>) -> Hop {
    Hop::stops(Sort::TransitGateway, Stretch::Target, words)
}

/// The hops over a transit gateway that a route leads to.
pub(super) fn over<'s>(
    network: &Network<'s>,
    (from, goal): (Place<'s>, Goal<'s>),
    gateway: &'s TransitGatewayId,
) -> Vec<Hop> {
    let there = goal.place.vpc;
    if from.vpc == there {
        return vec![unknown(format!(
            "whether {gateway} sends packets back to {there} is not known"
        ))];
    }
    let attachments = [from.vpc, there].map(|vpc| network.attachment(gateway, vpc));
    let not_attached =
        |vpc: Mention<'_>| unknown(format!("whether {vpc} is attached to {gateway} is not known"));
    match attachments {
        [None, _] => vec![not_attached(from.vpc)],
        [Some(out), back] => {
            let onward = match back {
                None => not_attached(there),
                Some(_) => unknown(format!("the route tables of {gateway} are not known")),
            };
            vec![enters(network, from, out), onward]
        }
    }
}

/// Whether packets of a subnet enter the gateway: it accepts them in zones where the VPC's attachment has a subnet.
fn enters<'s>(
    network: &Network<'s>,
    from: Place<'s>,
    (attachment, it): (Mention<'s>, &'s TransitGatewayAttachment),
) -> Hop {
    let TransitGatewayAttachment { transit_gateway: gateway, subnets, .. } = it;
    let subnets = || subnets.iter().map(|subnet| network.mention(subnet));
    let enters = || {
        passes(format!(
            "{attachment} attaches {} to {gateway} in the zone of {}",
            from.vpc, from.subnet
        ))
    };
    if subnets().any(|subnet| subnet == from.subnet) {
        return enters();
    }
    let zone = |subnet| -> Option<&AvailabilityZone> {
        network.subnet(subnet)?.it.availability_zone.as_ref()
    };
    let own = zone(from.subnet);
    let zones: Vec<Option<&AvailabilityZone>> = subnets().map(zone).collect();
    match own {
        Some(own) if zones.contains(&Some(own)) => enters(),
        Some(own) if zones.iter().all(Option::is_some) => stops(format!(
            "{attachment} has no subnet in {own}, so {gateway} accepts nothing from {}",
            from.subnet
        )),
        _ => unknown(format!(
            "whether {attachment} has a subnet in the zone of {} is not known",
            from.subnet
        )),
    }
}
