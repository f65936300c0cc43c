//! Changes: what happens to each resource of the provider, and why.

use super::*;
use crate::plan::Mode;
use crate::resource::Resource;

#[test]
fn what_is_new_is_created_with_its_parts() {
    assert_snapshot!(changes(&json_of(&planned(lab(), &nothing()))), @r#"
    create aws_ec2_traffic_mirror_filter.tcp
    create aws_ec2_traffic_mirror_filter_rule.tcp["egress 10"]
    create aws_ec2_traffic_mirror_filter_rule.tcp["egress 100"]
    create aws_ec2_traffic_mirror_filter_rule.tcp["ingress 10"]
    create aws_ec2_traffic_mirror_filter_rule.tcp["ingress 100"]
    create aws_ec2_traffic_mirror_session.source
    create aws_ec2_traffic_mirror_target.nlb
    create aws_instance.one
    create aws_instance.source
    create aws_internet_gateway.lab
    create aws_lb.sensors
    create aws_lb_listener.sensors["4789"]
    create aws_lb_target_group.vxlan
    create aws_lb_target_group_attachment.vxlan["one"]
    create aws_route_table.public
    create aws_route_table_association.public["source"]
    create aws_route_table_association.public["target"]
    create aws_security_group.target
    create aws_subnet.source
    create aws_subnet.target
    create aws_vpc.lab
    "#);
}

#[test]
fn a_change_of_parts_is_a_change_of_resources_of_their_own() {
    let observed = applied(&stack(lab()));
    let mut edited = lab();
    edited["mirror_filter.tcp"]["rules"][1]["description"] = json!("the rest");
    edited["route_table.public"]["subnets"] = json!(["@subnet.target"]);
    edited["load_balancer.sensors"]["listeners"][0]["port"] = json!(4790);
    edited["instance.one"]["source_dest_check"] = json!(false);
    let plan = json_of(&planned(edited, &observed));
    assert_snapshot!(changes(&plan), @r#"
    no-op aws_ec2_traffic_mirror_filter.tcp
    no-op aws_ec2_traffic_mirror_filter_rule.tcp["egress 10"]
    update aws_ec2_traffic_mirror_filter_rule.tcp["egress 100"]
    no-op aws_ec2_traffic_mirror_filter_rule.tcp["ingress 10"]
    update aws_ec2_traffic_mirror_filter_rule.tcp["ingress 100"]
    no-op aws_ec2_traffic_mirror_session.source
    no-op aws_ec2_traffic_mirror_target.nlb
    update aws_instance.one
    no-op aws_instance.source
    no-op aws_internet_gateway.lab
    no-op aws_lb.sensors
    delete aws_lb_listener.sensors["4789"] delete_because_each_key
    create aws_lb_listener.sensors["4790"]
    no-op aws_lb_target_group.vxlan
    no-op aws_lb_target_group_attachment.vxlan["one"]
    no-op aws_route_table.public
    delete aws_route_table_association.public["source"] delete_because_each_key
    no-op aws_route_table_association.public["target"]
    no-op aws_security_group.target
    no-op aws_subnet.source
    no-op aws_subnet.target
    no-op aws_vpc.lab
    "#);
    let rules = by_address(&plan["resource_changes"]);
    assert_snapshot!(
        pretty(rules["aws_ec2_traffic_mirror_filter_rule.tcp[\"ingress 100\"]"]),
        @r#"
    {
      "address": "aws_ec2_traffic_mirror_filter_rule.tcp[\"ingress 100\"]",
      "change": {
        "actions": [
          "update"
        ],
        "after": {
          "description": "the rest",
          "destination_cidr_block": "0.0.0.0/0",
          "destination_port_range": [],
          "protocol": 6,
          "rule_action": "accept",
          "rule_number": 100,
          "source_cidr_block": "0.0.0.0/0",
          "source_port_range": [],
          "traffic_direction": "ingress",
          "traffic_mirror_filter_id": "tmf-a54f6b3b36671203c"
        },
        "after_sensitive": {
          "destination_port_range": [],
          "source_port_range": []
        },
        "after_unknown": {
          "destination_port_range": [],
          "source_port_range": []
        },
        "before": {
          "description": null,
          "destination_cidr_block": "0.0.0.0/0",
          "destination_port_range": [],
          "protocol": 6,
          "rule_action": "accept",
          "rule_number": 100,
          "source_cidr_block": "0.0.0.0/0",
          "source_port_range": [],
          "traffic_direction": "ingress",
          "traffic_mirror_filter_id": "tmf-a54f6b3b36671203c"
        },
        "before_sensitive": {
          "destination_port_range": [],
          "source_port_range": []
        }
      },
      "index": "ingress 100",
      "mode": "managed",
      "name": "tcp",
      "provider_name": "registry.terraform.io/hashicorp/aws",
      "type": "aws_ec2_traffic_mirror_filter_rule"
    }
    "#
    );
}

#[test]
fn a_replacement_says_why_and_takes_its_parts_with_it() {
    let observed = applied(&stack(lab()));
    let mut edited = lab();
    edited["mirror_filter.tcp"]["description"] = json!("another");
    edited["instance.one"]["key_name"] = json!("key");
    edited["target_group.vxlan"]["port"] = json!(4790);
    assert_snapshot!(changes(&json_of(&planned(edited, &observed))), @r#"
    create+delete aws_ec2_traffic_mirror_filter.tcp replace_because_cannot_update [["description"]]
    create+delete aws_ec2_traffic_mirror_filter_rule.tcp["egress 10"] replace_because_cannot_update [["traffic_mirror_filter_id"]]
    create+delete aws_ec2_traffic_mirror_filter_rule.tcp["egress 100"] replace_because_cannot_update [["traffic_mirror_filter_id"]]
    create+delete aws_ec2_traffic_mirror_filter_rule.tcp["ingress 10"] replace_because_cannot_update [["traffic_mirror_filter_id"]]
    create+delete aws_ec2_traffic_mirror_filter_rule.tcp["ingress 100"] replace_because_cannot_update [["traffic_mirror_filter_id"]]
    update aws_ec2_traffic_mirror_session.source
    no-op aws_ec2_traffic_mirror_target.nlb
    create+delete aws_instance.one replace_because_cannot_update [["key_name"]]
    no-op aws_instance.source
    no-op aws_internet_gateway.lab
    no-op aws_lb.sensors
    update aws_lb_listener.sensors["4789"]
    create+delete aws_lb_target_group.vxlan replace_because_cannot_update [["port"]]
    create+delete aws_lb_target_group_attachment.vxlan["one"] replace_because_cannot_update [["port"],["target_group_arn"],["target_id"]]
    no-op aws_route_table.public
    no-op aws_route_table_association.public["source"]
    no-op aws_route_table_association.public["target"]
    no-op aws_security_group.target
    no-op aws_subnet.source
    no-op aws_subnet.target
    no-op aws_vpc.lab
    "#);
}

#[test]
fn what_goes_says_why() {
    let mut more = lab();
    more["mirror_filter.extra"] = json!({});
    for index in 0..2 {
        let session = more["mirror_session.source"].clone();
        more[format!("mirror_session.more[{index}]")] = session;
        more[format!("mirror_session.more[{index}]")]["number"] = json!(index + 2);
    }
    let mut observed = applied(&stack(more.clone()));
    let left_over = observed
        .owned
        .values_mut()
        .find(|found| matches!(found[0].resource, Resource::MirrorTarget(_)));
    let objects = left_over.unwrap();
    let mut current = objects[0].clone();
    current.generation = 2;
    objects.push(current);
    let declared = more.as_object_mut().unwrap();
    declared.remove("mirror_filter.extra");
    declared.remove("mirror_session.more[1]");
    let plan = json_of(&planned(more, &observed));
    let going: Vec<String> = changes(&plan)
        .lines()
        .filter(|line| line.starts_with("delete"))
        .map(str::to_owned)
        .collect();
    assert_snapshot!(going.join("\n"), @r#"
    delete aws_ec2_traffic_mirror_filter.extra delete_because_no_resource_config
    delete aws_ec2_traffic_mirror_session.more[1] delete_because_count_index
    delete aws_ec2_traffic_mirror_target.nlb deposed "00000001"
    "#);
    let deposed = &plan["prior_state"]["values"]["root_module"]["resources"];
    let keys = deposed.as_array().unwrap().iter().filter_map(|r| r.get("deposed_key"));
    assert_eq!(keys.collect::<Vec<_>>(), ["00000001"]);
}

#[test]
fn a_destroy_plan_leaves_nothing() {
    let observed = applied(&stack(lab()));
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let plan = json_of(&plan(&stack(lab()), &observed, &request).unwrap());
    assert_eq!(plan["planned_values"], json!({ "root_module": {} }));
    assert!(changes(&plan).lines().all(|line| line.starts_with("delete ")), "{plan}");
    for change in plan["resource_changes"].as_array().unwrap() {
        let body = &change["change"];
        assert_eq!((&body["after"], &body["after_unknown"]), (&Json::Null, &json!({})));
        assert_eq!(body["after_sensitive"], false);
        assert!(change.get("action_reason").is_none(), "{change}");
    }
}
