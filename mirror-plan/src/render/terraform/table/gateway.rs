//! The tables of Gateway Load Balancers, their endpoint services and endpoints.

use super::Source::{Account, Arn, Group, Itself, Own, PartId, ServiceName, Turned, Whole};
use super::{
    ArnType, KindTable, PartImport, PartTable, Row, Table, later, later_list, no, nothing, own,
    row, tags_all, text, unset, words,
};
use crate::resource::gateway_load_balancer::LISTENER;

pub(super) const LOAD_BALANCER: KindTable = KindTable {
    whole: Table {
        name: "aws_lb",
        schema_version: 0,
        rows: &[
            nothing("access_logs"),
            own("arn"),
            later("arn_suffix"),
            unset("customer_owned_ipv4_pool"),
            later("dns_name"),
            unset("drop_invalid_header_fields"),
            row("enable_cross_zone_load_balancing", Own("cross_zone")),
            row("enable_deletion_protection", Own("deletion_protection")),
            unset("enable_http2"),
            own("id"),
            unset("idle_timeout"),
            later("internal"),
            later("ip_address_type"),
            text("load_balancer_type", "gateway"),
            own("name"),
            unset("name_prefix"),
            later_list("security_groups"),
            later_list("subnet_mapping"),
            own("subnets"),
            own("tags"),
            tags_all(),
            unset("timeouts"),
            later("vpc_id"),
            later("zone_id"),
        ],
    },
    parts: &[PartTable {
        of: "target_group",
        only: Some(LISTENER),
        table: Table {
            name: "aws_lb_listener",
            schema_version: 0,
            rows: &[
                unset("alpn_policy"),
                row("arn", PartId),
                unset("certificate_arn"),
                row("default_action", Group(FORWARD)),
                row("id", PartId),
                row("load_balancer_arn", Whole("arn")),
                unset("port"),
                later("protocol"),
                later("ssl_policy"),
                unset("timeouts"),
            ],
        },
        fixed: &["load_balancer_arn"],
        import: PartImport::Id,
    }],
};

const FORWARD: &[Row] = &[
    nothing("authenticate_cognito"),
    nothing("authenticate_oidc"),
    nothing("fixed_response"),
    nothing("forward"),
    later("order"),
    nothing("redirect"),
    row("target_group_arn", Itself),
    text("type", "forward"),
];

pub(super) const SERVICE: KindTable = KindTable {
    whole: Table {
        name: "aws_vpc_endpoint_service",
        schema_version: 0,
        rows: &[
            own("acceptance_required"),
            own("allowed_principals"),
            row("arn", Arn(ArnType::VpcEndpointService)),
            later_list("availability_zones"),
            later_list("base_endpoint_dns_names"),
            row("gateway_load_balancer_arns", Own("gateway_load_balancers")),
            own("id"),
            no("manages_vpc_endpoints"),
            nothing("network_load_balancer_arns"),
            later("private_dns_name"),
            later_list("private_dns_name_configuration"),
            own("service_name"),
            text("service_type", "GatewayLoadBalancer"),
            later("state"),
            own("tags"),
            tags_all(),
        ],
    },
    parts: &[],
};

pub(super) const ENDPOINT: KindTable = KindTable {
    whole: Table {
        name: "aws_vpc_endpoint",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::VpcEndpoint)),
            unset("auto_accept"),
            later_list("cidr_blocks"),
            later_list("dns_entry"),
            own("id"),
            later_list("network_interface_ids"),
            row("owner_id", Account),
            later("policy"),
            later("prefix_list_id"),
            no("private_dns_enabled"),
            no("requester_managed"),
            later_list("route_table_ids"),
            later_list("security_group_ids"),
            row("service_name", ServiceName("service")),
            later("state"),
            row("subnet_ids", Turned("subnet", words::in_a_list)),
            own("tags"),
            tags_all(),
            unset("timeouts"),
            text("vpc_endpoint_type", "GatewayLoadBalancer"),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[],
};
