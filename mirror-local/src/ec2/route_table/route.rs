//! Routes: where packets for a block of addresses go.

use super::RouteTable;
use crate::ec2::transit_gateway::attachment;
use crate::ec2::vpc::Vpc;
use crate::ec2::vpc_peering;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::parameters::Parameters;
use crate::world::{Call, Region, View, by_id, by_id_mut, find};
use crate::xml::Xml;
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// A route that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// In canonical form.
    pub(crate) destination: IpNet,
    pub(crate) target: Target,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    Gateway(String),
    Interface(String),
    Peering(String),
    TransitGateway(String),
}

/// The targets that EC2 has and a local AWS does not.
const FOREIGN_TARGETS: &[&str] = &[
    "CarrierGatewayId",
    "CoreNetworkArn",
    "DestinationPrefixListId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "LocalTarget",
    "NatGatewayId",
    "OdbNetworkArn",
    "VpcEndpointId",
];

impl Route {
    /// Returns whether packets on this route arrive anywhere.
    fn state(&self, view: View<'_>, vpc: &str) -> &'static str {
        let region = view.region;
        let active = match &self.target {
            Target::Gateway(id) => region
                .internet_gateways
                .get(id)
                .is_some_and(|gateway| gateway.vpc_id.as_deref() == Some(vpc)),
            Target::Interface(id) => region
                .network_interfaces
                .get(id)
                .is_some_and(|interface| interface.attachment.is_some()),
            Target::Peering(id) => vpc_peering::seen(view, id).is_some_and(|it| it.is_active(view)),
            Target::TransitGateway(id) => attachment::between(region, id, vpc).is_some(),
        };
        if active { "active" } else { "blackhole" }
    }

    fn write(&self, view: View<'_>, vpc: &str, xml: &mut Xml) {
        let region = view.region;
        match self.destination {
            IpNet::V4(block) => xml.text("destinationCidrBlock", block),
            IpNet::V6(block) => xml.text("destinationIpv6CidrBlock", block),
        }
        match &self.target {
            Target::Gateway(id) => xml.text("gatewayId", id),
            Target::Interface(id) => {
                if let Some(instance) = instance_of(region, id) {
                    xml.text("instanceId", instance);
                    xml.text("instanceOwnerId", &region.account);
                }
                xml.text("networkInterfaceId", id);
            }
            Target::Peering(id) => xml.text("vpcPeeringConnectionId", id),
            Target::TransitGateway(id) => xml.text("transitGatewayId", id),
        }
        xml.text("origin", "CreateRoute");
        xml.text("state", self.state(view, vpc));
    }
}

fn instance_of<'a>(region: &'a Region, interface: &str) -> Option<&'a String> {
    region.network_interfaces.get(interface)?.attachment.as_ref()?.instance_id.as_ref()
}

/// Writes the routes of a table, the local ones first.
pub(super) fn write_all(view: View<'_>, table: &RouteTable, xml: &mut Xml) {
    xml.element("routeSet", |xml| {
        for block in local(view.region, table) {
            xml.element("item", |xml| {
                xml.text("destinationCidrBlock", block);
                xml.text("gatewayId", "local");
                xml.text("origin", "CreateRouteTable");
                xml.text("state", "active");
            });
        }
        for route in &table.routes {
            xml.element("item", |xml| route.write(view, &table.vpc_id, xml));
        }
    });
}

fn local(region: &Region, table: &RouteTable) -> impl Iterator<Item = Ipv4Net> {
    let vpc: Option<&Vpc> = region.vpcs.get(&table.vpc_id);
    vpc.into_iter().flat_map(|vpc| vpc.cidrs.iter().map(|association| association.cidr))
}

pub(super) fn ipv4_destinations(view: View<'_>, table: &RouteTable) -> Vec<String> {
    let created = table.routes.iter().filter(|route| matches!(route.destination, IpNet::V4(_)));
    let mut all = texts(local(view.region, table));
    all.extend(created.map(|route| route.destination.to_string()));
    all
}

pub(super) fn ipv6_destinations(table: &RouteTable) -> Vec<String> {
    let created = table.routes.iter().filter(|route| matches!(route.destination, IpNet::V6(_)));
    texts(created.map(|route| route.destination))
}

pub(super) fn gateways(view: View<'_>, table: &RouteTable) -> Vec<String> {
    let created = table.routes.iter().filter_map(|route| match &route.target {
        Target::Gateway(id) => Some(id.clone()),
        Target::Interface(_) | Target::Peering(_) | Target::TransitGateway(_) => None,
    });
    local(view.region, table).map(|_| "local".to_owned()).chain(created).collect()
}

pub(super) fn instances(view: View<'_>, table: &RouteTable) -> Vec<String> {
    texts(table.routes.iter().filter_map(|route| match &route.target {
        Target::Gateway(_) | Target::Peering(_) | Target::TransitGateway(_) => None,
        Target::Interface(id) => instance_of(view.region, id),
    }))
}

pub(super) fn peerings(table: &RouteTable) -> Vec<String> {
    texts(table.routes.iter().filter_map(|route| match &route.target {
        Target::Peering(id) => Some(id),
        Target::Gateway(_) | Target::Interface(_) | Target::TransitGateway(_) => None,
    }))
}

pub(super) fn transit_gateways(table: &RouteTable) -> Vec<String> {
    texts(table.routes.iter().filter_map(|route| match &route.target {
        Target::TransitGateway(id) => Some(id),
        Target::Gateway(_) | Target::Interface(_) | Target::Peering(_) => None,
    }))
}

pub(super) fn origins(view: View<'_>, table: &RouteTable) -> Vec<String> {
    let created = table.routes.iter().map(|_| "CreateRoute");
    texts(local(view.region, table).map(|_| "CreateRouteTable").chain(created))
}

pub(super) fn states(view: View<'_>, table: &RouteTable) -> Vec<String> {
    let created = table.routes.iter().map(|route| route.state(view, &table.vpc_id));
    texts(local(view.region, table).map(|_| "active").chain(created))
}

/// Handles `CreateRoute`.
pub(super) fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(FOREIGN_TARGETS)?;
    let table = find(&call.region.route_tables, call.parameters, "RouteTableId")?;
    let destination = destination(call.parameters)?;
    let target = target(call.view(), call.parameters, table)?;
    check_local(call.region, table, (destination, &target))?;
    if table.routes.iter().any(|route| route.destination == destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(Failure::new("RouteAlreadyExists", message));
    }
    if table.routes.len() >= call.settings.quotas.routes_per_table {
        let message = "The maximum number of routes has been reached.";
        return Err(Failure::new("RouteLimitExceeded", message));
    }
    let id = table.id.clone();
    let table = by_id_mut(&mut call.region.route_tables, &id, "routeTableId")?;
    table.routes.push(Route { destination, target });
    xml.text("return", true);
    Ok(())
}

/// Handles `ReplaceRoute`.
pub(super) fn replace(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(FOREIGN_TARGETS)?;
    let table = find(&call.region.route_tables, call.parameters, "RouteTableId")?;
    let destination = destination(call.parameters)?;
    let target = target(call.view(), call.parameters, table)?;
    let id = table.id.clone();
    let table = by_id_mut(&mut call.region.route_tables, &id, "routeTableId")?;
    let Some(route) = table.routes.iter_mut().find(|route| route.destination == destination) else {
        let message = format!(
            "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
        );
        return Err(Failure::new("InvalidParameterValue", message));
    };
    route.target = target;
    xml.text("return", true);
    Ok(())
}

/// Handles `DeleteRoute`.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = find(&call.region.route_tables, call.parameters, "RouteTableId")?;
    let destination = destination(call.parameters)?;
    let id = table.id.clone();
    if local(call.region, table).any(|block| IpNet::V4(block) == destination) {
        let message = format!("cannot remove local route {destination} in route table {id}");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let table = by_id_mut(&mut call.region.route_tables, &id, "routeTableId")?;
    let before = table.routes.len();
    table.routes.retain(|route| route.destination != destination);
    if table.routes.len() == before {
        let message =
            format!("no route with destination-cidr-block {destination} in route table {id}");
        return Err(Failure::new("InvalidRoute.NotFound", message));
    }
    xml.text("return", true);
    Ok(())
}

/// Reads the destination; EC2 keeps it in canonical form, whatever host bits it came with.
fn destination(parameters: &Parameters) -> Outcome<IpNet> {
    let (name, text, family) = match parameters.text("DestinationIpv6CidrBlock") {
        Some(text) => ("destinationIpv6CidrBlock", text, 6),
        None => ("destinationCidrBlock", parameters.required("DestinationCidrBlock")?, 4),
    };
    let block: Option<IpNet> = text.parse().ok();
    let block = block.map(|block| block.trunc()).filter(|block| match block {
        IpNet::V4(_) => family == 4,
        IpNet::V6(_) => family == 6,
    });
    block.ok_or_else(|| Failure::invalid(text, name, "This is not a valid CIDR block."))
}

/// Reads the one target of a route.
fn target(view: View<'_>, parameters: &Parameters, table: &RouteTable) -> Outcome<Target> {
    let region = view.region;
    let names = [
        "GatewayId",
        "InstanceId",
        "NetworkInterfaceId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
    ];
    let given: Vec<&str> = names.into_iter().filter(|n| parameters.text(n).is_some()).collect();
    let [name] = given.as_slice() else {
        let message = "The request must contain exactly one of gatewayId, natGatewayId, \
                       networkInterfaceId, vpcPeeringConnectionId, instanceId, transitGatewayId";
        let code =
            if given.is_empty() { "MissingParameter" } else { "InvalidParameterCombination" };
        return Err(Failure::new(code, message));
    };
    let (target, vpc) = match *name {
        "GatewayId" => gateway(region, parameters.required(name)?)?,
        "InstanceId" => instance(region, parameters)?,
        "TransitGatewayId" => return transit_gateway(view, parameters, table),
        "VpcPeeringConnectionId" => return peering(view, parameters, table),
        _ => {
            let interface = find(&region.network_interfaces, parameters, name)?;
            (Target::Interface(interface.id.clone()), Some(&interface.vpc_id))
        }
    };
    if vpc != Some(&table.vpc_id) {
        let (Target::Gateway(id)
        | Target::Interface(id)
        | Target::Peering(id)
        | Target::TransitGateway(id)) = &target;
        let message = format!("route table {} and {id} belong to different networks", table.id);
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(target)
}

fn gateway<'a>(region: &'a Region, id: &str) -> Outcome<(Target, Option<&'a String>)> {
    let Some(gateway) = region.internet_gateways.get(id) else {
        let message = format!("The gateway ID '{id}' does not exist");
        return Err(Failure::new("InvalidGatewayID.NotFound", message));
    };
    Ok((Target::Gateway(gateway.id.clone()), gateway.vpc_id.as_ref()))
}

/// A route over a peering request that nobody has accepted is allowed, and leads nowhere.
///
/// Source: VPC Peering guide, "Update your route tables for a VPC peering connection".
fn peering(view: View<'_>, parameters: &Parameters, table: &RouteTable) -> Outcome<Target> {
    let peering = vpc_peering::named(view, parameters)?;
    if ![&peering.requester, &peering.accepter].contains(&&table.vpc_id) {
        let (id, vpc) = (&peering.id, &table.vpc_id);
        let message = format!("The vpc peering connection '{id}' is not one of the vpc '{vpc}'");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(Target::Peering(peering.id.clone()))
}

/// A route over a gateway that the VPC is not attached to yet is refused as if there were no such gateway.
///
/// Source: hashicorp/terraform-provider-aws, which sends `CreateRoute` again after this code.
fn transit_gateway(view: View<'_>, parameters: &Parameters, table: &RouteTable) -> Outcome<Target> {
    let id = parameters.required("TransitGatewayId")?;
    let attachment = attachment::between(view.region, id, &table.vpc_id);
    if attachment.is_some_and(|attachment| attachment.is_available(view)) {
        return Ok(Target::TransitGateway(id.to_owned()));
    }
    let message = format!("The transitGateway ID '{id}' does not exist");
    Err(Failure::new("InvalidTransitGatewayID.NotFound", message))
}

fn instance<'a>(
    region: &'a Region,
    parameters: &Parameters,
) -> Outcome<(Target, Option<&'a String>)> {
    let instance = find(&region.instances, parameters, "InstanceId")?;
    let [interface] = instance.interface_ids.as_slice() else {
        let count = instance.interface_ids.len();
        let message =
            format!("There are {count} interfaces attached to '{}'; name one.", instance.id);
        return Err(Failure::new("InvalidInstanceID", message));
    };
    let interface = by_id(&region.network_interfaces, interface, "networkInterfaceId")?;
    Ok((Target::Interface(interface.id.clone()), Some(&interface.vpc_id)))
}

/// Refuses a destination inside the VPC, unless it leads to an interface.
fn check_local(
    region: &Region,
    table: &RouteTable,
    (destination, target): (IpNet, &Target),
) -> Outcome {
    if local(region, table).any(|block| IpNet::V4(block) == destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(Failure::new("RouteAlreadyExists", message));
    }
    let inside = local(region, table).any(|block| IpNet::V4(block).contains(&destination));
    if inside && !matches!(target, Target::Interface(_)) {
        let message = format!(
            "The destination CIDR block {destination} is equal to or more specific than one of \
             this VPC's CIDR blocks. This route can target only an interface or an instance."
        );
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(())
}
