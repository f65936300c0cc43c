//! The tables of receivers that scale: launch templates and Auto Scaling groups.

use super::Source::{Again, Arn, Encoded, Group, Made, Own, Turned};
use super::{
    ArnType, KindTable, Row, Table, later, later_list, no, nothing, own, row, tags_all, text,
    unset, words,
};

pub(super) const TEMPLATE: KindTable = KindTable {
    whole: Table {
        name: "aws_launch_template",
        schema_version: 0,
        rows: &[
            row("arn", Arn(ArnType::LaunchTemplate)),
            row("block_device_mappings", Group(ROOT_DEVICE)),
            nothing("capacity_reservation_specification"),
            nothing("cpu_options"),
            nothing("credit_specification"),
            later("default_version"),
            unset("description"),
            unset("disable_api_termination"),
            unset("ebs_optimized"),
            nothing("elastic_gpu_specifications"),
            nothing("elastic_inference_accelerator"),
            nothing("enclave_options"),
            nothing("hibernation_options"),
            nothing("iam_instance_profile"),
            own("id"),
            row("image_id", Own("ami")),
            unset("instance_initiated_shutdown_behavior"),
            nothing("instance_market_options"),
            own("instance_type"),
            unset("kernel_id"),
            own("key_name"),
            later("latest_version"),
            nothing("license_specification"),
            row("metadata_options", Group(METADATA)),
            nothing("monitoring"),
            own("name"),
            unset("name_prefix"),
            nothing("network_interfaces"),
            nothing("placement"),
            unset("ram_disk_id"),
            nothing("security_group_names"),
            nothing("tag_specifications"),
            own("tags"),
            tags_all(),
            row("update_default_version", Made(words::yes)),
            row("user_data", Encoded("user_data")),
            row("vpc_security_group_ids", Own("security_groups")),
        ],
    },
    parts: &[],
};

/// The root device. Its name depends on the image; this is that of Amazon Linux.
const ROOT_DEVICE: &[Row] = &[text("device_name", "/dev/xvda"), row("ebs", Group(ROOT_VOLUME))];

const ROOT_VOLUME: &[Row] = &[
    unset("delete_on_termination"),
    row("encrypted", Turned("root_encrypted", words::bool_as_text)),
    later("iops"),
    unset("kms_key_id"),
    unset("snapshot_id"),
    later("throughput"),
    later("volume_size"),
    later("volume_type"),
];

const METADATA: &[Row] = &[
    text("http_endpoint", "enabled"),
    row("http_put_response_hop_limit", Own("imds_hop_limit")),
    row("http_tokens", Turned("imdsv2_required", words::http_tokens)),
];

pub(super) const GROUP: KindTable = KindTable {
    whole: Table {
        name: "aws_autoscaling_group",
        schema_version: 0,
        rows: &[
            row("arn", Own("id")),
            later_list("availability_zones"),
            unset("capacity_rebalance"),
            later("default_cooldown"),
            row("desired_capacity", Own("desired")),
            nothing("enabled_metrics"),
            no("force_delete"),
            no("force_delete_warm_pool"),
            row("health_check_grace_period", Own("health_check_grace")),
            row("health_check_type", Turned("health_check", words::upper)),
            row("id", Again("name")),
            nothing("initial_lifecycle_hook"),
            nothing("instance_refresh"),
            unset("launch_configuration"),
            row("launch_template", Group(LAUNCH_TEMPLATE)),
            nothing("load_balancers"),
            unset("max_instance_lifetime"),
            row("max_size", Own("max")),
            text("metrics_granularity", "1Minute"),
            unset("min_elb_capacity"),
            row("min_size", Own("min")),
            nothing("mixed_instances_policy"),
            own("name"),
            unset("name_prefix"),
            unset("placement_group"),
            no("protect_from_scale_in"),
            later("service_linked_role_arn"),
            nothing("suspended_processes"),
            row("tag", Turned("tags", words::group_tags)),
            unset("tags"),
            row("target_group_arns", Own("target_groups")),
            nothing("termination_policies"),
            unset("timeouts"),
            row("vpc_zone_identifier", Own("subnets")),
            text("wait_for_capacity_timeout", "10m"),
            unset("wait_for_elb_capacity"),
            nothing("warm_pool"),
        ],
    },
    parts: &[],
};

const LAUNCH_TEMPLATE: &[Row] =
    &[row("id", Own("launch_template")), later("name"), text("version", "$Default")];
