//! The route table of a transit gateway: which attached VPC an address is in.

use super::attachment::{Attachment, between};
use super::{Setting, TransitGateway};
use crate::ec2::network_interface::NetworkInterface;
use crate::failure::{Failure, Outcome};
use crate::filter::{Conditions, FilterTable, texts};
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Region, View, find};
use crate::xml::Xml;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A route table of a transit gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TransitRouteTable {
    id: String,
    gateway_id: String,
    created: Timestamp,
    tags: Tags,
}

tagged_row!(
    TransitRouteTable,
    Kind {
        prefix: "tgw-rtb-",
        noun: "transitGatewayRouteTable ID",
        resource_type: "transit-gateway-route-table",
        not_found: "InvalidRouteTableID.NotFound",
        malformed: "InvalidRouteTableId.Malformed",
        describe: "DescribeTransitGatewayRouteTables",
    }
);

impl TransitRouteTable {
    fn is_default(&self, region: &Region, setting: Setting) -> bool {
        let gateway: Option<&TransitGateway> = region.transit_gateways.get(&self.gateway_id);
        gateway.is_some_and(|gateway| gateway.has(setting))
    }
}

const LISTING: Listing<TransitRouteTable> = Listing {
    table: |region| &region.transit_gateway_route_tables,
    ids: "TransitGatewayRouteTableIds",
    filters: &[
        ("default-association-route-table", |view, table| {
            texts([table.is_default(view.region, Setting::Association)])
        }),
        ("default-propagation-route-table", |view, table| {
            texts([table.is_default(view.region, Setting::Propagation)])
        }),
        ("state", |_, _| texts(["available"])),
        ("transit-gateway-id", |_, table| texts([&table.gateway_id])),
        ("transit-gateway-route-table-id", |_, table| texts([&table.id])),
    ],
    set: "transitGatewayRouteTables",
    write,
    page: 5..=1000,
};

/// Handles `DescribeTransitGatewayRouteTables`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    LISTING.answer(view, parameters, xml)
}

fn write(view: View<'_>, table: &TransitRouteTable, xml: &mut Xml) {
    let TransitRouteTable { id, gateway_id, created, tags } = table;
    xml.text("creationTime", created);
    let is_default = |setting| table.is_default(view.region, setting);
    xml.text("defaultAssociationRouteTable", is_default(Setting::Association));
    xml.text("defaultPropagationRouteTable", is_default(Setting::Propagation));
    xml.text("state", "available");
    tags.write(xml);
    xml.text("transitGatewayId", gateway_id);
    xml.text("transitGatewayRouteTableId", id);
}

/// Makes the table of a new gateway; returns its id.
pub(super) fn create(region: &mut Region, gateway: &str, now: Timestamp) -> String {
    let id = region.draw_id("tgw-rtb-");
    let table = TransitRouteTable {
        id: id.clone(),
        gateway_id: gateway.to_owned(),
        created: now,
        tags: Tags::default(),
    };
    region.transit_gateway_route_tables.insert(id.clone(), table);
    id
}

/// A route that an attachment has propagated.
struct Route {
    destination: Ipv4Net,
    attachment_id: String,
    vpc_id: String,
}

/// The routes of a gateway's table.
fn routes<'r>(region: &'r Region, gateway: &'r str) -> impl Iterator<Item = Route> + 'r {
    let all = region.transit_gateway_attachments.values();
    let propagating =
        all.filter(move |it| it.gateway_id == gateway && it.stands() && it.propagates);
    propagating.flat_map(|to: &Attachment| {
        let blocks = region.vpcs.get(&to.vpc_id).into_iter().flat_map(|vpc| vpc.cidrs.iter());
        blocks.map(|block| Route {
            destination: block.cidr,
            attachment_id: to.id.clone(),
            vpc_id: to.vpc_id.clone(),
        })
    })
}

/// What routes can be searched by. Filters that compare ranges other than for equality do not exist here.
const FILTERS: FilterTable<Route> = &[
    ("attachment.resource-id", |_, route| texts([&route.vpc_id])),
    ("attachment.resource-type", |_, _| texts(["vpc"])),
    ("attachment.transit-gateway-attachment-id", |_, route| texts([&route.attachment_id])),
    ("route-search.exact-match", |_, route| texts([route.destination])),
    ("state", |_, _| texts(["active"])),
    ("type", |_, _| texts(["propagated"])),
];

/// Handles `SearchTransitGatewayRoutes`, which requires at least one filter.
pub(super) fn search(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let tables = &view.region.transit_gateway_route_tables;
    let table = find(tables, parameters, "TransitGatewayRouteTableId")?;
    if parameters.list("Filter").is_empty() {
        return Err(Failure::missing("Filters"));
    }
    let conditions = Conditions::parse(parameters, FILTERS, None)?;
    xml.text("additionalRoutesAvailable", false);
    let found = routes(view.region, &table.gateway_id).filter(|it| conditions.accept(view, it));
    xml.items("routeSet", found, |xml, route| {
        xml.text("destinationCidrBlock", route.destination);
        xml.text("state", "active");
        xml.items("transitGatewayAttachments", [&route], |xml, route| {
            xml.text("resourceId", &route.vpc_id);
            xml.text("resourceType", "vpc");
            xml.text("transitGatewayAttachmentId", &route.attachment_id);
        });
        xml.text("type", "propagated");
    });
    Ok(())
}

/// Whether a gateway carries packets from one interface to another.
///
/// It carries them only in zones where the VPC's attachment has a subnet. Source: Transit Gateway guide, "Transit
/// gateway VPC attachments".
pub(crate) fn leads(
    region: &Region,
    gateway: &str,
    (from, to): (&NetworkInterface, &NetworkInterface),
) -> bool {
    let enters = between(region, gateway, &from.vpc_id)
        .is_some_and(|attachment| attachment.is_associated && attachment.is_in(region, &from.zone));
    let all = routes(region, gateway).filter(|route| route.destination.contains(&to.private_ip));
    let longest = all.max_by_key(|route| route.destination.prefix_len());
    enters && longest.is_some_and(|route| route.vpc_id == to.vpc_id)
}
