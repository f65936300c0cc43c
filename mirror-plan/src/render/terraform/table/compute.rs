//! The tables of instances, target groups and load balancers.

use super::Source::{Always, Arn, Group, Itself, One, Own, PartId, Turned, Whole};
use super::{
    ArnType, Fixed, KindTable, PartImport, PartTable, Row, Table, later, later_list, no, nothing,
    own, row, tags_all, text, unset, words,
};

pub(super) const INSTANCE: KindTable = KindTable {
    whole: Table { name: "aws_instance", schema_version: 1, rows: INSTANCE_ROWS },
    parts: &[],
};

const INSTANCE_ROWS: &[Row] = &[
    own("ami"),
    row("arn", Arn(ArnType::Instance)),
    row("associate_public_ip_address", Own("public")),
    own("availability_zone"),
    nothing("credit_specification"),
    unset("disable_api_termination"),
    later_list("ebs_block_device"),
    unset("ebs_optimized"),
    later_list("enclave_options"),
    later_list("ephemeral_block_device"),
    no("get_password_data"),
    unset("hibernation"),
    later("host_id"),
    unset("iam_instance_profile"),
    own("id"),
    later("instance_initiated_shutdown_behavior"),
    later("instance_state"),
    own("instance_type"),
    later("ipv6_address_count"),
    later_list("ipv6_addresses"),
    own("key_name"),
    row("metadata_options", Group(METADATA)),
    unset("monitoring"),
    later_list("network_interface"),
    later("outpost_arn"),
    later("password_data"),
    later("placement_group"),
    row("primary_network_interface_id", Own("network_interface")),
    later("private_dns"),
    own("private_ip"),
    own("public_dns"),
    own("public_ip"),
    row("root_block_device", Group(ROOT_VOLUME)),
    later_list("secondary_private_ips"),
    later_list("security_groups"),
    own("source_dest_check"),
    row("subnet_id", Own("subnet")),
    own("tags"),
    tags_all(),
    later("tenancy"),
    unset("timeouts"),
    own("user_data"),
    unset("user_data_base64"),
    unset("volume_tags"),
    row("vpc_security_group_ids", Own("security_groups")),
];

const METADATA: &[Row] = &[
    text("http_endpoint", "enabled"),
    row("http_put_response_hop_limit", Own("imds_hop_limit")),
    row("http_tokens", Turned("imdsv2_required", words::http_tokens)),
];

const ROOT_VOLUME: &[Row] = &[
    later("delete_on_termination"),
    later("device_name"),
    row("encrypted", Own("root_encrypted")),
    later("iops"),
    later("kms_key_id"),
    unset("tags"),
    later("throughput"),
    later("volume_id"),
    later("volume_size"),
    later("volume_type"),
];

pub(super) const TARGET_GROUP: KindTable = KindTable {
    whole: Table {
        name: "aws_lb_target_group",
        schema_version: 0,
        rows: &[
            own("arn"),
            later("arn_suffix"),
            own("deregistration_delay"),
            row("health_check", One("health_check", HEALTH_CHECK)),
            own("id"),
            no("lambda_multi_value_headers_enabled"),
            later("load_balancing_algorithm_type"),
            own("name"),
            unset("name_prefix"),
            own("port"),
            later("preserve_client_ip"),
            row("protocol", Turned("protocol", words::upper)),
            later("protocol_version"),
            no("proxy_protocol_v2"),
            row("slow_start", Always(Fixed::Number(0))),
            row("stickiness", Group(STICKINESS)),
            own("tags"),
            tags_all(),
            text("target_type", "instance"),
            row("vpc_id", Own("vpc")),
        ],
    },
    parts: &[PartTable {
        of: "targets",
        only: None,
        table: Table {
            name: "aws_lb_target_group_attachment",
            schema_version: 0,
            rows: &[
                unset("availability_zone"),
                later("id"),
                row("port", Whole("port")),
                row("target_group_arn", Whole("arn")),
                row("target_id", Itself),
            ],
        },
        fixed: &["port", "target_group_arn", "target_id"],
        import: PartImport::Never,
    }],
};

const HEALTH_CHECK: &[Row] = &[
    row("enabled", Always(Fixed::Bool(true))),
    own("healthy_threshold"),
    own("interval"),
    later("matcher"),
    own("path"),
    row("port", Turned("port", words::as_text)),
    row("protocol", Turned("protocol", words::upper)),
    own("timeout"),
    own("unhealthy_threshold"),
];

const STICKINESS: &[Row] = &[
    row("cookie_duration", Always(Fixed::Number(0))),
    row("enabled", Own("stickiness")),
    text("type", "source_ip"),
];

pub(super) const LOAD_BALANCER: KindTable = KindTable {
    whole: Table {
        name: "aws_lb",
        schema_version: 0,
        rows: &[
            nothing("access_logs"),
            own("arn"),
            later("arn_suffix"),
            unset("customer_owned_ipv4_pool"),
            own("dns_name"),
            unset("drop_invalid_header_fields"),
            row("enable_cross_zone_load_balancing", Own("cross_zone")),
            row("enable_deletion_protection", Own("deletion_protection")),
            unset("enable_http2"),
            own("id"),
            unset("idle_timeout"),
            row("internal", Turned("scheme", words::is_internal)),
            later("ip_address_type"),
            text("load_balancer_type", "network"),
            own("name"),
            unset("name_prefix"),
            own("security_groups"),
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
        of: "listeners",
        only: None,
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
                own("port"),
                row("protocol", Turned("protocol", words::upper)),
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
    row("target_group_arn", Own("target_group")),
    text("type", "forward"),
];
