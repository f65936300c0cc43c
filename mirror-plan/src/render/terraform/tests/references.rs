//! References: how blocks refer to each other.

use super::*;

/// Returns the expressions of a plan that refer to something, by attribute.
fn references(plan: &Plan) -> BTreeMap<String, String> {
    let json = json_of(plan);
    let mut found = BTreeMap::new();
    for block in json["configuration"]["root_module"]["resources"].as_array().unwrap() {
        for (name, expression) in block["expressions"].as_object().unwrap() {
            let text = expression.to_string();
            if text.contains("references") {
                found.insert(format!("{}.{name}", block["address"]), text);
            }
        }
    }
    found
}

/// A plan holds the ids of objects that already exist: these are turned back into references.
#[test]
fn references_are_the_same_before_and_after_an_apply() {
    let before = references(&planned(lab(), &nothing()));
    let after = references(&planned(lab(), &applied(&stack(lab()))));
    // An ARN is an id as well, and Terraform's documents use either.
    let alike = |found: &BTreeMap<String, String>| {
        found.iter().map(|(k, v)| format!("{k} {}", v.replace(".arn", ".id"))).collect::<Vec<_>>()
    };
    assert_eq!(alike(&before), alike(&after));
    let shown: Vec<String> = before.iter().map(|(at, to)| format!("{at} {to}")).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    "aws_ec2_traffic_mirror_filter_rule.tcp".destination_port_range {"references":["each.value"]}
    "aws_ec2_traffic_mirror_filter_rule.tcp".rule_action {"references":["each.value"]}
    "aws_ec2_traffic_mirror_filter_rule.tcp".rule_number {"references":["each.value"]}
    "aws_ec2_traffic_mirror_filter_rule.tcp".source_port_range {"references":["each.value"]}
    "aws_ec2_traffic_mirror_filter_rule.tcp".traffic_direction {"references":["each.value"]}
    "aws_ec2_traffic_mirror_filter_rule.tcp".traffic_mirror_filter_id {"references":["aws_ec2_traffic_mirror_filter.tcp.id","aws_ec2_traffic_mirror_filter.tcp"]}
    "aws_ec2_traffic_mirror_session.source".network_interface_id {"references":["aws_instance.source.primary_network_interface_id","aws_instance.source"]}
    "aws_ec2_traffic_mirror_session.source".traffic_mirror_filter_id {"references":["aws_ec2_traffic_mirror_filter.tcp.id","aws_ec2_traffic_mirror_filter.tcp"]}
    "aws_ec2_traffic_mirror_session.source".traffic_mirror_target_id {"references":["aws_ec2_traffic_mirror_target.nlb.id","aws_ec2_traffic_mirror_target.nlb"]}
    "aws_ec2_traffic_mirror_target.nlb".network_load_balancer_arn {"references":["aws_lb.sensors.id","aws_lb.sensors"]}
    "aws_instance.one".subnet_id {"references":["aws_subnet.target.id","aws_subnet.target"]}
    "aws_instance.one".vpc_security_group_ids {"references":["aws_security_group.target.id","aws_security_group.target"]}
    "aws_instance.source".subnet_id {"references":["aws_subnet.source.id","aws_subnet.source"]}
    "aws_internet_gateway.lab".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "aws_lb.sensors".subnets {"references":["aws_subnet.target.id","aws_subnet.target"]}
    "aws_lb_listener.sensors".default_action [{"target_group_arn":{"references":["aws_lb_target_group.vxlan.id","aws_lb_target_group.vxlan"]},"type":{"constant_value":"forward"}}]
    "aws_lb_listener.sensors".load_balancer_arn {"references":["aws_lb.sensors.arn","aws_lb.sensors"]}
    "aws_lb_target_group.vxlan".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "aws_lb_target_group_attachment.vxlan".target_group_arn {"references":["aws_lb_target_group.vxlan.arn","aws_lb_target_group.vxlan"]}
    "aws_lb_target_group_attachment.vxlan".target_id {"references":["aws_instance.one.id","aws_instance.one"]}
    "aws_route_table.public".route [{"cidr_block":{"constant_value":"0.0.0.0/0"},"gateway_id":{"references":["aws_internet_gateway.lab.id","aws_internet_gateway.lab"]}}]
    "aws_route_table.public".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "aws_route_table_association.public".route_table_id {"references":["aws_route_table.public.id","aws_route_table.public"]}
    "aws_route_table_association.public".subnet_id {"references":["aws_subnet.source","aws_subnet.target","each.value"]}
    "aws_security_group.target".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "aws_subnet.source".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "aws_subnet.target".vpc_id {"references":["aws_vpc.lab.id","aws_vpc.lab"]}
    "#);
}

/// Some attributes hold the ARN of an object that has an id here.
#[test]
fn an_arn_refers_to_what_has_the_id_in_it() {
    let sharing = json!({
        "mirror_target.sensor": { "network_interface": "eni-0a1b2c3d4e5f67890" },
        "resource_share.sensors": {
            "mirror_targets": ["@mirror_target.sensor"], "principals": ["222233334444"],
        },
    });
    let there = planned(sharing.clone(), &applied(&stack(sharing.clone())));
    let new = planned(sharing, &nothing());
    assert_eq!(references(&there), references(&new));
    let shown: Vec<String> = references(&new).iter().map(|(at, to)| format!("{at} {to}")).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    "aws_ram_principal_association.sensors".resource_share_arn {"references":["aws_ram_resource_share.sensors.id","aws_ram_resource_share.sensors"]}
    "aws_ram_resource_association.sensors".resource_arn {"references":["aws_ec2_traffic_mirror_target.sensor.arn","aws_ec2_traffic_mirror_target.sensor"]}
    "aws_ram_resource_association.sensors".resource_share_arn {"references":["aws_ram_resource_share.sensors.id","aws_ram_resource_share.sensors"]}
    "#);
    assert_snapshot!(changes(&json_of(&new)), @r#"
    create aws_ec2_traffic_mirror_target.sensor
    create aws_ram_principal_association.sensors["222233334444"]
    create aws_ram_resource_association.sensors["sensor"]
    create aws_ram_resource_share.sensors
    "#);
}

#[test]
fn what_differs_within_a_block_depends_on_the_count() {
    let mut resources = lab();
    resources.as_object_mut().unwrap().remove("mirror_session.source");
    for index in 0..3 {
        resources[format!("instance.web[{index}]")] =
            json!({ "instance_type": "t3.micro", "subnet": "@subnet.source" });
        resources[format!("mirror_session.web[{index}]")] = json!({
            "source": format!("@instance.web[{index}]"), "target": "@mirror_target.nlb",
            "filter": "@mirror_filter.tcp", "number": 1, "vni": 100 + index,
        });
    }
    let json = json_of(&planned(resources, &nothing()));
    let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
    assert_snapshot!(pretty(blocks["aws_ec2_traffic_mirror_session.web"]), @r#"
    {
      "address": "aws_ec2_traffic_mirror_session.web",
      "count_expression": {
        "constant_value": 3
      },
      "expressions": {
        "network_interface_id": {
          "references": [
            "aws_instance.web",
            "count.index"
          ]
        },
        "session_number": {
          "constant_value": 1
        },
        "tags": {
          "references": [
            "count.index"
          ]
        },
        "traffic_mirror_filter_id": {
          "references": [
            "aws_ec2_traffic_mirror_filter.tcp.id",
            "aws_ec2_traffic_mirror_filter.tcp"
          ]
        },
        "traffic_mirror_target_id": {
          "references": [
            "aws_ec2_traffic_mirror_target.nlb.id",
            "aws_ec2_traffic_mirror_target.nlb"
          ]
        },
        "virtual_network_id": {
          "references": [
            "count.index"
          ]
        }
      },
      "mode": "managed",
      "name": "web",
      "provider_config_key": "aws",
      "schema_version": 0,
      "type": "aws_ec2_traffic_mirror_session"
    }
    "#);
}
