//! Route tables: what they are, and how they are made, described and deleted.

mod association;
mod route;

pub(crate) use association::{Association, subnet_removed};
pub(crate) use route::{Route, Target};

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, View, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeRouteTables", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::create("CreateRouteTable", create, answer_created),
    Action::write("DeleteRouteTable", delete),
    Action::write("CreateRoute", route::create),
    Action::write("ReplaceRoute", route::replace),
    Action::write("DeleteRoute", route::delete),
    Action::write("AssociateRouteTable", association::associate),
    Action::write("DisassociateRouteTable", association::disassociate),
    Action::write("ReplaceRouteTableAssociation", association::replace),
];

/// A route table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    /// The routes that were created. The local ones follow from the VPC.
    pub(crate) routes: Vec<Route>,
    pub(crate) associations: Vec<Association>,
    pub(crate) tags: Tags,
}

tagged_row!(
    RouteTable,
    Kind {
        prefix: "rtb-",
        noun: "routeTable ID",
        resource_type: "route-table",
        not_found: "InvalidRouteTableID.NotFound",
        malformed: "InvalidRouteTableId.Malformed",
        describe: "DescribeRouteTables",
    }
);

impl RouteTable {
    /// Returns whether the table serves the subnets of its VPC that have no other.
    pub(crate) fn is_main(&self) -> bool {
        self.associations.iter().any(|association| association.subnet_id.is_none())
    }
}

const LISTING: Listing<RouteTable> = Listing {
    table: |region| &region.route_tables,
    ids: "RouteTableId",
    filters: &[
        ("association.gateway-id", |_, _| Vec::new()),
        ("association.main", |_, t| {
            texts(t.associations.iter().map(|association| association.subnet_id.is_none()))
        }),
        ("association.route-table-association-id", |_, t| {
            texts(t.associations.iter().map(|association| &association.id))
        }),
        ("association.route-table-id", |_, t| texts(t.associations.iter().map(|_| &t.id))),
        ("association.subnet-id", |_, t| {
            texts(t.associations.iter().filter_map(|association| association.subnet_id.as_ref()))
        }),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("route-table-id", |_, t| texts([&t.id])),
        ("route.destination-cidr-block", |view, t| route::ipv4_destinations(view, t)),
        ("route.destination-ipv6-cidr-block", |_, t| route::ipv6_destinations(t)),
        ("route.destination-prefix-list-id", |_, _| Vec::new()),
        ("route.egress-only-internet-gateway-id", |_, _| Vec::new()),
        ("route.gateway-id", |view, t| route::gateways(view, t)),
        ("route.instance-id", |view, t| route::instances(view, t)),
        ("route.nat-gateway-id", |_, _| Vec::new()),
        ("route.origin", |view, t| route::origins(view, t)),
        ("route.state", |view, t| route::states(view, t)),
        ("route.transit-gateway-id", |_, t| route::transit_gateways(t)),
        ("route.vpc-peering-connection-id", |_, t| route::peerings(t)),
        ("vpc-id", |_, t| texts([&t.vpc_id])),
    ],
    set: "routeTableSet",
    write,
    page: 5..=100,
};

fn write(view: View<'_>, table: &RouteTable, xml: &mut Xml) {
    xml.items("associationSet", &table.associations, |xml, association| {
        association.write(&table.id, xml);
    });
    xml.text("ownerId", &view.region.account);
    xml.items("propagatingVgwSet", [(); 0], |_, ()| {});
    route::write_all(view, table, xml);
    xml.text("routeTableId", &table.id);
    table.tags.write(xml);
    xml.text("vpcId", &table.vpc_id);
}

fn create(call: &mut Call<'_>) -> Outcome<String> {
    let vpc = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    let siblings = call.region.route_tables.values().filter(|table| table.vpc_id == vpc).count();
    if siblings >= call.settings.quotas.route_tables_per_vpc {
        let message = "The maximum number of route tables has been reached.";
        return Err(Failure::new("RouteTableLimitExceeded", message));
    }
    let tags = Tags::specified(call.parameters, "route-table")?;
    let id = call.region.draw_id("rtb-");
    let table = RouteTable {
        id: id.clone(),
        vpc_id: vpc,
        routes: Vec::new(),
        associations: Vec::new(),
        tags,
    };
    call.region.route_tables.insert(&*id, table);
    Ok(id)
}

fn answer_created(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let table = view.region.route_tables.get(id)?;
    xml.element("routeTable", |xml| write(view, table, xml));
    Some(())
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = find(&call.region.route_tables, call.parameters, "RouteTableId")?;
    let id = table.id.clone();
    if !table.associations.is_empty() {
        let message = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
        return Err(Failure::dependency(message));
    }
    call.region.route_tables.remove(&id);
    xml.text("return", true);
    Ok(())
}
