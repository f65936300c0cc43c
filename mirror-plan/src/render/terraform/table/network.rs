//! The tables of a network: VPC, subnets, gateway, routes and security groups.

use super::Source::{Account, Arn, Each, Itself, Made, Own, Owner, PartId, Turned, Unless, Whole};
use super::{
    ArnType, KindTable, PartImport, PartTable, Row, Table, later, later_list, no, nothing, own,
    row, tags_all, text, unset, words,
};

pub(super) const VPC: KindTable = KindTable {
    whole: Table {
        name: "aws_vpc",
        schema_version: 1,
        rows: &[
            row("arn", Arn(ArnType::Vpc)),
            no("assign_generated_ipv6_cidr_block"),
            row("cidr_block", Own("cidr")),
            later("default_network_acl_id"),
            later("default_route_table_id"),
            later("default_security_group_id"),
            later("dhcp_options_id"),
            row("enable_dns_hostnames", Own("dns_hostnames")),
            row("enable_dns_support", Own("dns_support")),
            own("id"),
            text("instance_tenancy", "default"),
            later("ipv6_association_id"),
            later("ipv6_cidr_block"),
            later("main_route_table_id"),
            row("owner_id", Account),
            own("tags"),
            tags_all(),
        ],
    },
    parts: &[],
};

pub(super) const SUBNET: KindTable = KindTable {
    whole: Table {
        name: "aws_subnet",
        schema_version: 1,
        rows: &[
            row("arn", Arn(ArnType::Subnet)),
            no("assign_ipv6_address_on_creation"),
            own("availability_zone"),
            later("availability_zone_id"),
            row("cidr_block", Own("cidr")),
            unset("customer_owned_ipv4_pool"),
            own("id"),
            unset("ipv6_cidr_block"),
            later("ipv6_cidr_block_association_id"),
            unset("map_customer_owned_ip_on_launch"),
            row("map_public_ip_on_launch", Own("public_ip_on_launch")),
            unset("outpost_arn"),
            row("owner_id", Account),
            own("tags"),
            tags_all(),
            unset("timeouts"),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[],
};

pub(super) const INTERNET_GATEWAY: KindTable = KindTable {
    whole: Table {
        name: "aws_internet_gateway",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::InternetGateway)),
            own("id"),
            row("owner_id", Account),
            own("tags"),
            tags_all(),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[],
};

pub(super) const VPC_PEERING: KindTable = KindTable {
    whole: Table {
        name: "aws_vpc_peering_connection",
        schema_version: 0,
        rows: &[
            later("accept_status"),
            nothing("accepter"),
            // This resource cannot accept in another account.
            row("auto_accept", Unless("auto_accept", "accepter_owner")),
            own("id"),
            row("peer_owner_id", Owner("accepter_owner")),
            later("peer_region"),
            row("peer_vpc_id", Own("accepter")),
            nothing("requester"),
            own("tags"),
            tags_all(),
            unset("timeouts"),
            row("vpc_id", Own("requester")),
        ],
    },
    parts: &[],
};

pub(super) const TRANSIT_GATEWAY_ATTACHMENT: KindTable = KindTable {
    whole: Table {
        name: "aws_ec2_transit_gateway_vpc_attachment",
        schema_version: 0,
        rows: &[
            row("appliance_mode_support", Turned("appliance_mode", words::enabled)),
            row("dns_support", Turned("dns_support", words::enabled)),
            own("id"),
            text("ipv6_support", "disable"),
            row("subnet_ids", Own("subnets")),
            own("tags"),
            tags_all(),
            later("transit_gateway_default_route_table_association"),
            later("transit_gateway_default_route_table_propagation"),
            row("transit_gateway_id", Own("transit_gateway")),
            row("vpc_id", Own("vpc")),
            row("vpc_owner_id", Account),
        ],
    },
    parts: &[],
};

pub(super) const ROUTE_TABLE: KindTable = KindTable {
    whole: Table {
        name: "aws_route_table",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::RouteTable)),
            own("id"),
            row("owner_id", Account),
            later_list("propagating_vgws"),
            row("route", Each("routes", ROUTE)),
            own("tags"),
            tags_all(),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[PartTable {
        of: "subnets",
        only: None,
        table: Table {
            name: "aws_route_table_association",
            schema_version: 0,
            rows: &[
                unset("gateway_id"),
                row("id", PartId),
                row("route_table_id", Whole("id")),
                row("subnet_id", Itself),
            ],
        },
        fixed: &["route_table_id", "subnet_id"],
        import: PartImport::ReferredThenWhole("/"),
    }],
};

/// The provider has an attribute for each sort of target; those that a route does not have are
/// empty texts.
const ROUTE: &[Row] = &[
    row("carrier_gateway_id", Turned("target", |target| words::with_prefix(target, "cagw-"))),
    row("cidr_block", Turned("destination", words::only_v4)),
    text("destination_prefix_list_id", ""),
    row("egress_only_gateway_id", Turned("target", |target| words::with_prefix(target, "eigw-"))),
    row("gateway_id", Made(words::gateway)),
    row("ipv6_cidr_block", Turned("destination", words::only_v6)),
    row("local_gateway_id", Turned("target", |target| words::with_prefix(target, "lgw-"))),
    row("nat_gateway_id", Turned("target", |target| words::with_prefix(target, "nat-"))),
    row("network_interface_id", Turned("target", |target| words::with_prefix(target, "eni-"))),
    row("transit_gateway_id", Turned("transit_gateway", words::or_empty)),
    row("vpc_endpoint_id", Turned("target", |target| words::with_prefix(target, "vpce-"))),
    row("vpc_peering_connection_id", Turned("vpc_peering", words::or_empty)),
];

pub(super) const SECURITY_GROUP: KindTable = KindTable {
    whole: Table {
        name: "aws_security_group",
        schema_version: 1,
        rows: &[
            row("arn", Arn(ArnType::SecurityGroup)),
            own("description"),
            row("egress", Each("egress", RULE)),
            own("id"),
            row("ingress", Each("ingress", RULE)),
            own("name"),
            later("name_prefix"),
            row("owner_id", Account),
            no("revoke_rules_on_delete"),
            own("tags"),
            tags_all(),
            unset("timeouts"),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[],
};

const RULE: &[Row] = &[
    row("cidr_blocks", Turned("cidrs", words::all_v4)),
    row("description", Turned("description", words::or_empty)),
    row("from_port", Made(words::from_port)),
    row("ipv6_cidr_blocks", Turned("cidrs", words::all_v6)),
    nothing("prefix_list_ids"),
    row("protocol", Turned("protocol", words::or_minus_one)),
    row("security_groups", Made(words::other_groups)),
    row("self", Made(words::names_itself)),
    row("to_port", Made(words::to_port)),
];
