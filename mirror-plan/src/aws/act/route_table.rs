//! Calls about route tables.

use aws_sdk_ec2::operation::create_route_table::CreateRouteTableOutput;
use aws_sdk_ec2::types::{ResourceType, Route as SeenRoute, RouteTable as SeenTable};
use ipnet::IpNet;

use super::super::answer::Answer;
use super::super::tags;
use super::acting::{Acting, conflict, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::attribute::Ref;
use crate::id::{ObjectId, RouteTableAssociationId};
use crate::resource::route_table::{Operation, Route, RouteTableId};
use crate::resource::{RouteTable, Subnet, Tags, Vpc};
use crate::scalar::IpRange;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { vpc, tags } => create(acting, vpc, tags).await,
        Operation::CreateRoute { route_table, route } => {
            create_route(acting, &acting.id(route_table)?, route).await
        }
        Operation::ReplaceRoute { route_table, route } => {
            replace_route(acting, &acting.id(route_table)?, route).await
        }
        Operation::DeleteRoute { route_table, destination } => {
            delete_route(acting, &acting.id(route_table)?, *destination).await
        }
        Operation::Associate { route_table, subnet } => {
            associate(acting, &acting.id(route_table)?, subnet).await
        }
        Operation::Disassociate { association } => disassociate(acting, association).await,
        Operation::Delete { route_table } => {
            let id = acting.id(route_table)?;
            let request = acting.aws.ec2().delete_route_table().route_table_id(id.as_str());
            acting.withdraw("DeleteRouteTable", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, vpc: &Ref<Vpc>, tags: &Tags) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2_once()
        .create_route_table()
        .vpc_id(acting.id(vpc)?.as_str())
        .client_token(acting.token())
        .tag_specifications(tags::specification(ResourceType::RouteTable, tags));
    let making = Making { call: "CreateRouteTable", tags };
    let id = |answer: &CreateRouteTableOutput| {
        let id = answer.route_table().and_then(|table| table.route_table_id());
        Answer("CreateRouteTable").id::<RouteTable>("routeTableId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    Ok(Made::object(&id))
}

/// Returns a destination in the form of the calls about routes: in one of two parameters.
fn by_family(destination: IpRange) -> (Option<String>, Option<String>) {
    match destination.net() {
        IpNet::V4(net) => (Some(net.to_string()), None),
        IpNet::V6(net) => (None, Some(net.to_string())),
    }
}

/// The target of a route, in the parameter that is meant for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    gateway: Option<String>,
    nat_gateway: Option<String>,
    transit_gateway: Option<String>,
    local_gateway: Option<String>,
    peering: Option<String>,
    interface: Option<String>,
    endpoint: Option<String>,
}

impl Way {
    fn of(acting: &Acting<'_>, route: &Route) -> Result<Self, ActError> {
        let Route { destination: _, internet_gateway, vpc_peering, transit_gateway, target } =
            route;
        if let Some(gateway) = internet_gateway {
            let gateway = Some(acting.id(gateway)?.to_string());
            return Ok(Self { gateway, ..Self::default() });
        }
        if let Some(peering) = vpc_peering {
            let peering = Some(acting.id(peering)?.to_string());
            return Ok(Self { peering, ..Self::default() });
        }
        if let Some(gateway) = transit_gateway {
            let transit_gateway = Some(gateway.to_string());
            return Ok(Self { transit_gateway, ..Self::default() });
        }
        let id = target.as_ref().ok_or(ActError::Operation("a route has a target"))?.to_string();
        let nowhere = Self::default();
        let id = Some(id);
        Ok(match id.as_deref().and_then(|id| id.split_once('-')).map(|(prefix, _)| prefix) {
            Some("nat") => Self { nat_gateway: id, ..nowhere },
            Some("lgw") => Self { local_gateway: id, ..nowhere },
            Some("eni") => Self { interface: id, ..nowhere },
            Some("vpce") => Self { endpoint: id, ..nowhere },
            _ => Self { gateway: id, ..nowhere },
        })
    }

    /// Returns whether `route` has this target.
    fn is_of(&self, route: &SeenRoute) -> bool {
        let Self {
            gateway,
            nat_gateway,
            transit_gateway,
            local_gateway,
            peering,
            interface,
            endpoint,
        } = self;
        let wanted = [
            (gateway, route.gateway_id()),
            // AWS returns an endpoint in the field of the gateway.
            (endpoint, route.gateway_id()),
            (nat_gateway, route.nat_gateway_id()),
            (transit_gateway, route.transit_gateway_id()),
            (local_gateway, route.local_gateway_id()),
            (peering, route.vpc_peering_connection_id()),
            (interface, route.network_interface_id()),
        ];
        wanted.iter().any(|(wanted, found)| wanted.is_some() && wanted.as_deref() == *found)
    }
}

/// Fills a request about a route; both builders have the same methods and no common type.
macro_rules! to {
    ($request:expr, $way:expr) => {{
        let way: Way = $way;
        $request
            .set_gateway_id(way.gateway)
            .set_nat_gateway_id(way.nat_gateway)
            .set_transit_gateway_id(way.transit_gateway)
            .set_local_gateway_id(way.local_gateway)
            .set_vpc_peering_connection_id(way.peering)
            .set_network_interface_id(way.interface)
            .set_vpc_endpoint_id(way.endpoint)
    }};
}

async fn create_route(
    acting: &Acting<'_>,
    table: &RouteTableId,
    route: &Route,
) -> Result<Made, ActError> {
    let (v4, v6) = by_family(route.destination);
    let way = Way::of(acting, route)?;
    let request = acting
        .aws
        .ec2()
        .create_route()
        .route_table_id(table.as_str())
        .set_destination_cidr_block(v4)
        .set_destination_ipv6_cidr_block(v6);
    let request = to!(request, way.clone());
    let made = acting.call("CreateRoute", || request.clone().send()).await;
    // If the same route already exists, that is what was wanted.
    if let Some(error) = conflict(made)? {
        let seen = seen(acting, table).await?;
        let leads_there = |seen: &SeenRoute| leads(seen, route.destination) && way.is_of(seen);
        if !seen.is_some_and(|table| table.routes().iter().any(leads_there)) {
            return Err(error.into());
        }
    }
    Ok(Made::nothing())
}

async fn replace_route(
    acting: &Acting<'_>,
    table: &RouteTableId,
    route: &Route,
) -> Result<Made, ActError> {
    let (v4, v6) = by_family(route.destination);
    let request = acting
        .aws
        .ec2()
        .replace_route()
        .route_table_id(table.as_str())
        .set_destination_cidr_block(v4)
        .set_destination_ipv6_cidr_block(v6);
    let request = to!(request, Way::of(acting, route)?);
    acting.call("ReplaceRoute", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn delete_route(
    acting: &Acting<'_>,
    table: &RouteTableId,
    destination: IpRange,
) -> Result<Made, ActError> {
    let (v4, v6) = by_family(destination);
    let request = acting
        .aws
        .ec2()
        .delete_route()
        .route_table_id(table.as_str())
        .set_destination_cidr_block(v4)
        .set_destination_ipv6_cidr_block(v6);
    acting.withdraw("DeleteRoute", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn associate(
    acting: &Acting<'_>,
    table: &RouteTableId,
    subnet: &Ref<Subnet>,
) -> Result<Made, ActError> {
    let subnet = acting.id(subnet)?;
    let request = acting
        .aws
        .ec2()
        .associate_route_table()
        .route_table_id(table.as_str())
        .subnet_id(subnet.as_str());
    let answer = acting.call("AssociateRouteTable", || request.clone().send()).await;
    let association = match answer {
        Ok(answer) => answer.association_id,
        refused => {
            // If the same association already exists, that is what was wanted.
            let error = conflict(refused)?.ok_or(ActError::Operation("a refusal is an error"))?;
            let there = seen(acting, table).await?.and_then(|table| {
                let mut all = table.associations.unwrap_or_default().into_iter();
                all.find(|association| association.subnet_id() == Some(subnet.as_str()))?
                    .route_table_association_id
            });
            Some(there.ok_or(error)?)
        }
    };
    let answer = Answer("AssociateRouteTable");
    let association: RouteTableAssociationId =
        answer.id("associationId", association.as_deref())?;
    Ok(Made::part(subnet, &association))
}

async fn disassociate(acting: &Acting<'_>, association: &ObjectId) -> Result<Made, ActError> {
    let request = acting.aws.ec2().disassociate_route_table().association_id(association.as_str());
    acting.withdraw("DisassociateRouteTable", || request.clone().send()).await?;
    Ok(Made::nothing())
}

/// Returns the table as AWS has it; waits for a new one to become visible.
async fn seen(acting: &Acting<'_>, table: &RouteTableId) -> Result<Option<SeenTable>, ActError> {
    let mut patience = acting.patience("the route table is visible", acting.aws.seen());
    let request = acting.aws.ec2().describe_route_tables().route_table_ids(table.as_str());
    loop {
        let answer = acting.aws.send("DescribeRouteTables", request.clone().send()).await;
        if let Some(answer) = unless_absent(answer)? {
            return Ok(answer.route_tables.and_then(|mut tables| tables.pop()));
        }
        patience.pause("it is not visible yet").await?;
    }
}

/// Returns whether `route` is for `destination`.
fn leads(route: &SeenRoute, destination: IpRange) -> bool {
    let found = route.destination_cidr_block().or_else(|| route.destination_ipv6_cidr_block());
    found.is_some_and(|found| found.parse() == Ok(destination))
}
