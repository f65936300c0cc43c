//! The keys that Terraform 1.11.4 and `hashicorp/aws` 3.39.0 write into a plan for a VPC with two
//! subnets, a gateway, a security group, five instances, a load balancer with two targets, a mirror
//! target, a filter with one rule and three sessions.

use super::*;

/// Attributes by type: those with a value and those known after apply.
const ATTRIBUTES: [(&str, &str); 15] = [
    ("aws_ec2_traffic_mirror_filter", "arn description id network_services tags tags_all"),
    (
        "aws_ec2_traffic_mirror_filter_rule",
        "arn description destination_cidr_block destination_port_range id protocol rule_action \
         rule_number source_cidr_block source_port_range traffic_direction \
         traffic_mirror_filter_id",
    ),
    (
        "aws_ec2_traffic_mirror_session",
        "arn description id network_interface_id owner_id packet_length session_number tags \
         tags_all traffic_mirror_filter_id traffic_mirror_target_id virtual_network_id",
    ),
    (
        "aws_ec2_traffic_mirror_target",
        "arn description id network_interface_id network_load_balancer_arn owner_id tags tags_all",
    ),
    (
        "aws_instance",
        "ami arn associate_public_ip_address availability_zone cpu_core_count \
         cpu_threads_per_core credit_specification disable_api_termination ebs_block_device \
         ebs_optimized enclave_options ephemeral_block_device get_password_data hibernation \
         host_id iam_instance_profile id instance_initiated_shutdown_behavior instance_state \
         instance_type ipv6_address_count ipv6_addresses key_name metadata_options monitoring \
         network_interface outpost_arn password_data placement_group primary_network_interface_id \
         private_dns private_ip public_dns public_ip root_block_device secondary_private_ips \
         security_groups source_dest_check subnet_id tags tags_all tenancy timeouts user_data \
         user_data_base64 volume_tags vpc_security_group_ids",
    ),
    ("aws_internet_gateway", "arn id owner_id tags tags_all vpc_id"),
    (
        "aws_lb",
        "access_logs arn arn_suffix customer_owned_ipv4_pool dns_name drop_invalid_header_fields \
         enable_cross_zone_load_balancing enable_deletion_protection enable_http2 id idle_timeout \
         internal ip_address_type load_balancer_type name name_prefix security_groups \
         subnet_mapping subnets tags tags_all timeouts vpc_id zone_id",
    ),
    (
        "aws_lb_listener",
        "alpn_policy arn certificate_arn default_action id load_balancer_arn port protocol \
         ssl_policy timeouts",
    ),
    (
        "aws_lb_target_group",
        "arn arn_suffix deregistration_delay health_check id lambda_multi_value_headers_enabled \
         load_balancing_algorithm_type name name_prefix port preserve_client_ip protocol \
         protocol_version proxy_protocol_v2 slow_start stickiness tags tags_all target_type \
         vpc_id",
    ),
    ("aws_lb_target_group_attachment", "availability_zone id port target_group_arn target_id"),
    ("aws_route_table", "arn id owner_id propagating_vgws route tags tags_all vpc_id"),
    ("aws_route_table_association", "gateway_id id route_table_id subnet_id"),
    (
        "aws_security_group",
        "arn description egress id ingress name name_prefix owner_id revoke_rules_on_delete tags \
         tags_all timeouts vpc_id",
    ),
    (
        "aws_subnet",
        "arn assign_ipv6_address_on_creation availability_zone availability_zone_id cidr_block \
         customer_owned_ipv4_pool id ipv6_cidr_block ipv6_cidr_block_association_id \
         map_customer_owned_ip_on_launch map_public_ip_on_launch outpost_arn owner_id tags \
         tags_all timeouts vpc_id",
    ),
    (
        "aws_vpc",
        "arn assign_generated_ipv6_cidr_block cidr_block default_network_acl_id \
         default_route_table_id default_security_group_id dhcp_options_id enable_classiclink \
         enable_classiclink_dns_support enable_dns_hostnames enable_dns_support id \
         instance_tenancy ipv6_association_id ipv6_cidr_block main_route_table_id owner_id tags \
         tags_all",
    ),
];

/// Attributes that later versions of the provider have removed.
const GONE: [&str; 4] = [
    "cpu_core_count",
    "cpu_threads_per_core",
    "enable_classiclink",
    "enable_classiclink_dns_support",
];

/// Attributes that later versions of the provider have added and that a stack sets.
const SINCE: [&str; 1] = ["gateway_load_balancer_endpoint_id"];

/// Returns the resources of a stack for the same case.
fn case() -> Json {
    let mut resources = json!({
        "vpc.main": {"cidr": "10.0.0.0/16", "dns_hostnames": true},
        "subnet.s[\"a\"]": {
            "vpc": "@vpc.main", "cidr": "10.0.1.0/24", "availability_zone": "us-east-1a",
            "public_ip_on_launch": true,
        },
        "subnet.s[\"b\"]": {
            "vpc": "@vpc.main", "cidr": "10.0.2.0/24", "availability_zone": "us-east-1b",
            "public_ip_on_launch": true,
        },
        "internet_gateway.igw": {"vpc": "@vpc.main"},
        "route_table.rt": {
            "vpc": "@vpc.main",
            "routes": [{"destination": "0.0.0.0/0", "internet_gateway": "@internet_gateway.igw"}],
            "subnets": ["@subnet.s[\"a\"]", "@subnet.s[\"b\"]"],
        },
        "security_group.appliance": {
            "vpc": "@vpc.main", "name": "appliance", "description": "mirror appliance",
            "open_to_world": true,
            "ingress": [
                {"protocol": "tcp", "port": 22, "cidrs": ["0.0.0.0/0"]},
                {"protocol": "udp", "port": 4789, "cidrs": ["10.0.0.0/16"]},
            ],
        },
        "load_balancer.tap": {
            "name": "tap", "subnets": ["@subnet.s[\"a\"]", "@subnet.s[\"b\"]"],
            "listeners": [{"target_group": "@target_group.tap"}],
        },
        "target_group.tap": {
            "name": "tap", "vpc": "@vpc.main",
            "health_check": {
                "port": "22", "protocol": "tcp", "healthy_threshold": 3, "unhealthy_threshold": 3,
            },
            "targets": ["@instance.appliance[0]", "@instance.appliance[1]"],
        },
        "mirror_target.tap": {"load_balancer": "@load_balancer.tap", "description": "NLB"},
        "mirror_filter.web": {
            "description": "web", "amazon_dns": true,
            "rules": [{
                "number": 100, "action": "accept", "direction": "ingress", "protocol": "tcp",
                "destination": "10.0.0.0/16", "destination_port": 443,
            }],
        },
    });
    for index in 0..3 {
        resources[format!("instance.source[{index}]")] = json!({
            "ami": "ami-00000000000000001", "instance_type": "c5n.large", "public": true,
            "subnet": "@subnet.s[\"a\"]", "security_groups": ["@security_group.appliance"],
        });
        resources[format!("mirror_session.s[{index}]")] = json!({
            "source": format!("@instance.source[{index}]"), "target": "@mirror_target.tap",
            "filter": "@mirror_filter.web", "number": 1, "packet_length": 128, "vni": 100 + index,
        });
    }
    for (index, subnet) in ["a", "b"].into_iter().enumerate() {
        resources[format!("instance.appliance[{index}]")] = json!({
            "ami": "ami-00000000000000001", "instance_type": "c5n.large",
            "subnet": format!("@subnet.s[\"{subnet}\"]"),
            "security_groups": ["@security_group.appliance"],
        });
    }
    resources
}

fn members(json: &Json) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_plan_has_the_keys_of_terraforms_for_the_same_case() {
    let mut plan = planned(case(), &nothing());
    plan.variables.insert("packet_length".to_owned(), Value::integer(128));
    let output = OutputChange { before: None, after: Some(Value::integer(1)) };
    plan.outputs.insert("session_ids".to_owned(), output);
    let text = PlanJson::new(&plan).timestamp("2026-01-02T03:04:05Z").to_string();
    let json: Json = serde_json::from_str(&text).unwrap();
    let mut top = members(&json);
    top.retain(|key| *key != "mirror_plan");
    assert_eq!(
        top.into_iter().collect::<BTreeSet<_>>(),
        "format_version terraform_version variables planned_values resource_changes output_changes \
         configuration relevant_attributes timestamp applyable complete errored"
            .split(' ')
            .collect()
    );
    let changes = by_address(&json["resource_changes"]);
    assert_eq!(changes.len(), 24);
    for (kind, attributes) in ATTRIBUTES {
        let mut wanted: BTreeSet<&str> = attributes.split(' ').collect();
        wanted.retain(|name| !GONE.contains(name));
        let of_kind = changes.values().filter(|change| change["type"] == kind);
        let mut found: BTreeSet<&str> = of_kind
            .flat_map(|change| {
                let body = &change["change"];
                members(&body["after"]).into_iter().chain(members(&body["after_unknown"]))
            })
            .collect();
        found.retain(|name| !SINCE.contains(name));
        assert_eq!(found, wanted, "{kind}");
    }
}

#[test]
fn the_objects_of_a_plan_have_the_keys_of_terraforms() {
    let json = json_of(&planned(case(), &nothing()));
    let sorted =
        |json: &Json| members(json).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let keys = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    let changes = by_address(&json["resource_changes"]);
    let source = changes["aws_instance.source[0]"];
    assert_eq!(sorted(source), keys("address mode type name index provider_name change"));
    assert_eq!(
        sorted(&source["change"]),
        keys("actions before after after_unknown before_sensitive after_sensitive")
    );
    let planned = by_address(&json["planned_values"]["root_module"]["resources"]);
    assert_eq!(
        sorted(planned["aws_vpc.main"]),
        keys("address mode type name provider_name schema_version values sensitive_values")
    );
    let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
    assert_eq!(blocks.len(), 16);
    assert_eq!(
        sorted(blocks["aws_instance.source"]),
        keys(
            "address mode type name provider_config_key expressions schema_version count_expression"
        )
    );
    let session = &blocks["aws_ec2_traffic_mirror_session.s"]["expressions"];
    assert_eq!(
        session["traffic_mirror_filter_id"],
        json!({ "references": [
            "aws_ec2_traffic_mirror_filter.web.id", "aws_ec2_traffic_mirror_filter.web",
        ]})
    );
    assert_eq!(session["virtual_network_id"], json!({ "references": ["count.index"] }));
    assert_eq!(
        session["network_interface_id"],
        json!({ "references": ["aws_instance.source", "count.index"] })
    );
    let attachment = &changes["aws_lb_target_group_attachment.tap[\"appliance.0\"]"];
    assert_eq!(attachment["index"], "appliance.0");
}

/// Blocks that contain unknown values, as Terraform 1.11.4 writes them.
#[test]
fn nested_values_are_masked_as_terraform_masks_them() {
    let json = json_of(&planned(case(), &nothing()));
    let changes = by_address(&json["resource_changes"]);
    let rule = &changes["aws_ec2_traffic_mirror_filter_rule.web[\"ingress 100\"]"]["change"];
    assert_eq!(
        rule["after"]["destination_port_range"],
        json!([{"from_port": 443, "to_port": 443}])
    );
    assert_eq!(rule["after"]["protocol"], 6);
    assert_eq!(
        rule["after_unknown"],
        json!({
            "arn": true, "destination_port_range": [{}], "id": true, "source_port_range": [],
            "traffic_mirror_filter_id": true,
        })
    );
    let group = &changes["aws_security_group.appliance"]["change"];
    assert_eq!(
        group["after"]["ingress"][0],
        json!({
            "cidr_blocks": ["0.0.0.0/0"], "description": "", "from_port": 22,
            "ipv6_cidr_blocks": [], "prefix_list_ids": [], "protocol": "tcp",
            "security_groups": [], "self": false, "to_port": 22,
        })
    );
    assert_eq!(
        group["after_unknown"]["egress"],
        json!([{
            "cidr_blocks": [false], "ipv6_cidr_blocks": [], "prefix_list_ids": [],
            "security_groups": [],
        }])
    );
    let table = &changes["aws_route_table.rt"]["change"];
    assert_eq!(table["after_unknown"]["route"], json!([{ "gateway_id": true }]));
    assert_eq!(table["after"]["route"][0]["nat_gateway_id"], "");
    let listener = &changes["aws_lb_listener.tap[\"4789\"]"]["change"];
    assert_eq!(
        listener["after_unknown"]["default_action"],
        json!([{
            "authenticate_cognito": [], "authenticate_oidc": [], "fixed_response": [],
            "forward": [], "order": true, "redirect": [], "target_group_arn": true,
        }])
    );
    assert_eq!(changes["aws_lb.tap"]["change"]["after"]["internal"], true);
    let filter = &changes["aws_ec2_traffic_mirror_filter.web"]["change"];
    assert_eq!(filter["after"]["network_services"], json!(["amazon-dns"]));
    assert_eq!(filter["after_unknown"]["network_services"], json!([false]));
}
