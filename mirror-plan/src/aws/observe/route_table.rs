//! Reading route tables.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    Route as SeenRoute, RouteOrigin, RouteTable as SeenTable, RouteTableAssociation,
    RouteTableAssociationStateCode,
};

use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags::{self, Owner};
use super::super::{Aws, listing};
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::{ObjectId, RouteTableAssociationId};
use crate::observed::Found;
use crate::resource::route_table::{Route, RouteTableId};
use crate::resource::{RouteTable, Subnet};

const ANSWER: Answer = Answer("DescribeRouteTables");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_route_tables()
        .set_filters(page::only("route-table-id", &ids))
        .max_results(listing::ROUTE_TABLES);
    let sought = Sought { whose, kind: Kind::RouteTable };
    for table in pages!(aws, "DescribeRouteTables", request, route_tables) {
        let id: RouteTableId = ANSWER.id("routeTableId", table.route_table_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(table.tags())) else {
            continue;
        };
        let Associations { subnets, parts } = associations(&table)?;
        let routes = routes(&table, &owner, &id, &mut seen)?;
        let vpc = ANSWER.reference("vpcId", table.vpc_id())?;
        let tags = tags::own(tags::from_ec2(table.tags()));
        let resource = RouteTable { vpc, routes, subnets, tags }.into();
        let (generation, computed) = (owner.generation, with_id(&id));
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

struct Associations {
    subnets: Vec<Ref<Subnet>>,
    parts: BTreeMap<String, ObjectId>,
}

/// Returns the subnets that use a table, and the ids of their associations by subnet. Being the main table of a VPC is
/// not an association with a subnet.
fn associations(table: &SeenTable) -> Result<Associations, AnswerError> {
    let (mut subnets, mut parts) = (BTreeSet::new(), BTreeMap::new());
    for association in table.associations().iter().filter(|association| stands(association)) {
        let subnet = ANSWER.id::<Subnet>("subnetId", association.subnet_id())?;
        let id: RouteTableAssociationId =
            ANSWER.id("routeTableAssociationId", association.route_table_association_id())?;
        parts.insert(subnet.to_string(), id.erase());
        subnets.insert(subnet);
    }
    Ok(Associations { subnets: subnets.into_iter().map(Ref::Id).collect(), parts })
}

fn stands(association: &RouteTableAssociation) -> bool {
    use RouteTableAssociationStateCode as Code;
    let state = association.association_state().and_then(|state| state.state());
    let gone = matches!(state, Some(Code::Disassociating | Code::Disassociated | Code::Failed));
    // An association with a gateway has no subnet.
    association.subnet_id().is_some() && association.main() != Some(true) && !gone
}

/// Returns the routes that somebody has written.
fn routes(
    table: &SeenTable,
    owner: &Owner,
    id: &ObjectId,
    seen: &mut Seen,
) -> Result<Vec<Route>, AnswerError> {
    let mut routes = Vec::new();
    for route in table.routes().iter().filter(|route| is_written(route)) {
        let Some(destination) =
            route.destination_cidr_block().or_else(|| route.destination_ipv6_cidr_block())
        else {
            continue; // To a prefix list: a gateway endpoint writes these itself.
        };
        let destination = ANSWER.parsed("destinationCidrBlock", Some(destination))?;
        let internet_gateway = route.gateway_id().filter(|gateway| gateway.starts_with("igw-"));
        let internet_gateway =
            internet_gateway.map(|gateway| ANSWER.reference("gatewayId", Some(gateway)));
        let internet_gateway = internet_gateway.transpose()?;
        let vpc_peering = route.vpc_peering_connection_id();
        let vpc_peering =
            vpc_peering.map(|peering| ANSWER.reference("vpcPeeringConnectionId", Some(peering)));
        let vpc_peering = vpc_peering.transpose()?;
        let transit_gateway = route.transit_gateway_id();
        let transit_gateway =
            transit_gateway.map(|gateway| ANSWER.parsed("transitGatewayId", Some(gateway)));
        let transit_gateway = transit_gateway.transpose()?;
        let is_told =
            internet_gateway.is_some() || vpc_peering.is_some() || transit_gateway.is_some();
        let target = target(route).filter(|_| !is_told).and_then(|target| target.parse().ok());
        if !is_told && target.is_none() {
            seen.untold(owner, id, format!("a route to {destination} via {}", way(route)));
            continue;
        }
        routes.push(Route { destination, internet_gateway, vpc_peering, transit_gateway, target });
    }
    routes.sort_by_key(|route| route.destination);
    Ok(routes)
}

/// Returns whether a route was written by somebody: neither the route inside the VPC, nor one that a virtual private
/// gateway propagates. A route whose target was deleted still counts.
fn is_written(route: &SeenRoute) -> bool {
    let origin = route.origin();
    let created_with_table = origin == Some(&RouteOrigin::CreateRouteTable);
    let propagated = origin == Some(&RouteOrigin::EnableVgwRoutePropagation);
    route.gateway_id() != Some("local") && !created_with_table && !propagated
}

/// Returns the target, if it is not an internet gateway.
fn target(route: &SeenRoute) -> Option<&str> {
    let targets = [
        route.nat_gateway_id(),
        route.local_gateway_id(),
        route.network_interface_id(),
        route.gateway_id(),
    ];
    targets.into_iter().flatten().next()
}

/// Returns the name of a target that a route of a stack cannot have.
fn way(route: &SeenRoute) -> &str {
    let targets = [
        target(route),
        route.egress_only_internet_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        route.instance_id(),
    ];
    targets.into_iter().flatten().next().unwrap_or("an unknown target")
}
