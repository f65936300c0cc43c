//! The tables of Traffic Mirroring.

use super::Source::{Account, Arn, Own, PartId, Turned, Whole};
use super::{ArnType, KindTable, PartImport, PartTable, Table, own, row, tags_all, words};

pub(super) const TARGET: KindTable = KindTable {
    whole: Table {
        name: "aws_ec2_traffic_mirror_target",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::TrafficMirrorTarget)),
            own("description"),
            row("gateway_load_balancer_endpoint_id", Own("gateway_load_balancer_endpoint")),
            own("id"),
            row("network_interface_id", Own("network_interface")),
            row("network_load_balancer_arn", Own("load_balancer")),
            row("owner_id", Account),
            own("tags"),
            tags_all(),
        ],
    },
    parts: &[],
};

pub(super) const FILTER: KindTable = KindTable {
    whole: Table {
        name: "aws_ec2_traffic_mirror_filter",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::TrafficMirrorFilter)),
            own("description"),
            own("id"),
            row("network_services", Turned("amazon_dns", words::network_services)),
            own("tags"),
            tags_all(),
        ],
    },
    parts: &[PartTable {
        of: "rules",
        only: None,
        table: Table {
            name: "aws_ec2_traffic_mirror_filter_rule",
            schema_version: 0,
            rows: &[
                row("arn", Arn(ArnType::TrafficMirrorFilterRule)),
                own("description"),
                row("destination_cidr_block", Own("destination")),
                row("destination_port_range", Turned("destination_port", words::port_range)),
                row("id", PartId),
                row("protocol", Turned("protocol", words::protocol_number)),
                row("rule_action", Own("action")),
                row("rule_number", Own("number")),
                row("source_cidr_block", Own("source")),
                row("source_port_range", Turned("source_port", words::port_range)),
                row("traffic_direction", Own("direction")),
                row("traffic_mirror_filter_id", Whole("id")),
            ],
        },
        fixed: &["traffic_mirror_filter_id"],
        import: PartImport::WholeThenId(":"),
    }],
};

pub(super) const SESSION: KindTable = KindTable {
    whole: Table {
        name: "aws_ec2_traffic_mirror_session",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::TrafficMirrorSession)),
            own("description"),
            own("id"),
            row("network_interface_id", Own("source")),
            row("owner_id", Account),
            own("packet_length"),
            row("session_number", Own("number")),
            own("tags"),
            tags_all(),
            row("traffic_mirror_filter_id", Own("filter")),
            row("traffic_mirror_target_id", Own("target")),
            row("virtual_network_id", Own("vni")),
        ],
    },
    parts: &[],
};
