//! Terraform's JSON of plans and of what an account holds.

use std::collections::{BTreeMap, BTreeSet};

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{PlanJson, StateJson};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::observed::Observed;
use crate::plan::tests::{applied, lab, nothing, stack};
use crate::plan::{Mode, OutputChange, Plan, Request, plan};
use crate::resource::Resource;
use crate::value::{Origin, Unknown, Value};

mod keys;

/// The plan from `observed` to a stack.
fn planned(resources: Json, observed: &Observed) -> Plan {
    plan(&stack(resources), observed, &Request::default()).unwrap()
}

fn json_of(plan: &Plan) -> Json {
    serde_json::from_str(&PlanJson::new(plan).to_string()).unwrap()
}

/// The members of a list by their addresses.
fn by_address(list: &Json) -> BTreeMap<&str, &Json> {
    let members = list.as_array().into_iter().flatten();
    members.map(|member| (member["address"].as_str().unwrap(), member)).collect()
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

/// A line for each change: what happens, why, and because of which attributes.
fn changes(plan: &Json) -> String {
    let line = |change: &Json| {
        let body = &change["change"];
        let actions = body["actions"].as_array().unwrap();
        let actions: Vec<&str> = actions.iter().map(|action| action.as_str().unwrap()).collect();
        let deposed = change.get("deposed").map_or(String::new(), |key| format!(" deposed {key}"));
        let reason = change.get("action_reason").and_then(Json::as_str).unwrap_or_default();
        let paths = body.get("replace_paths").map_or(String::new(), Json::to_string);
        let address = change["address"].as_str().unwrap();
        format!("{} {address}{deposed} {reason} {paths}", actions.join("+")).trim_end().to_owned()
    };
    plan["resource_changes"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

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

/// What checkov, trivy and infracost ask for; each is silent or ends where it is not so.
#[test]
fn readers_find_what_they_rely_on() {
    let observed = applied(&stack(lab()));
    let mut edited = lab();
    edited["subnet.target"]["cidr"] = json!("10.0.3.0/24");
    let plans = [planned(lab(), &nothing()), planned(lab(), &observed), planned(edited, &observed)];
    for plan in plans {
        let json = json_of(&plan);
        let changes = by_address(&json["resource_changes"]);
        assert_eq!(changes.len(), json["resource_changes"].as_array().unwrap().len());
        let planned = by_address(&json["planned_values"]["root_module"]["resources"]);
        for (address, resource) in &planned {
            assert_eq!(changes[address]["change"]["after"], resource["values"], "{address}");
        }
        for change in changes.values() {
            let body = change["change"].as_object().unwrap();
            assert!(body.contains_key("before") && body.contains_key("after"), "{change}");
        }
        let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
        for address in planned.keys() {
            let block = address.split('[').next().unwrap();
            assert!(blocks.contains_key(block), "{address}");
        }
        assert!(json["terraform_version"].as_str().is_some_and(|version| !version.is_empty()));
        let region = json.pointer("/configuration/provider_config/aws/expressions/region");
        assert_eq!(region, Some(&json!({ "constant_value": "eu-west-1" })));
    }
}

/// A plan holds ids where what is referred to is there already: they are turned back.
#[test]
fn references_are_the_same_before_and_after_an_apply() {
    let references = |plan: &Plan| {
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
    };
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

#[test]
fn a_secret_is_its_hash_and_is_marked() {
    let mut resources = lab();
    resources["instance.one"]["user_data"] = json!("canary");
    let observed = applied(&stack(resources.clone()));
    resources["instance.one"]["user_data"] = json!("canary two");
    let mut plan = planned(resources, &observed);
    let secret = || Value::from("canary three").sensitive();
    plan.variables.insert("key".to_owned(), secret());
    plan.variables.insert("size".to_owned(), Value::integer(3));
    let output = OutputChange { before: Some(secret()), after: Some(secret()) };
    plan.outputs.insert("key".to_owned(), output);
    let text = PlanJson::new(&plan).to_string() + &StateJson::new(&observed).to_string();
    assert!(!text.contains("canary"), "{text}");
    let json = json_of(&plan);
    let changes = by_address(&json["resource_changes"]);
    let change = &changes["aws_instance.one"]["change"];
    assert_eq!(change["actions"], json!(["update"]));
    assert_eq!(change["before_sensitive"]["user_data"], true);
    assert_eq!(change["after_sensitive"]["user_data"], true);
    assert_ne!(change["before"]["user_data"], change["after"]["user_data"]);
    let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
    assert_eq!(blocks["aws_instance.one"]["expressions"]["user_data"], json!({}));
    assert_eq!(json["variables"]["size"], json!({ "value": 3 }));
    assert_eq!(
        json["configuration"]["root_module"]["variables"],
        json!({ "key": { "sensitive": true }, "size": {} })
    );
    assert_snapshot!(pretty(&json["output_changes"]), @r#"
    {
      "key": {
        "actions": [
          "no-op"
        ],
        "after": "sha256:66993d09828384b48c5ebcdc7611ff2990eb5cda842fd9ce96a47e23c0db8751",
        "after_sensitive": true,
        "after_unknown": false,
        "before": "sha256:66993d09828384b48c5ebcdc7611ff2990eb5cda842fd9ce96a47e23c0db8751",
        "before_sensitive": true
      }
    }
    "#);
}

#[test]
fn outputs_are_typed_and_refer() {
    let mut plan = planned(lab(), &nothing());
    let id = Origin { address: "vpc.lab".parse().unwrap(), attribute: "id".to_owned() };
    let unknown = || Value::Unknown(Unknown::attribute(id.clone()));
    let list = Value::List(vec![Value::integer(1), unknown()]);
    for (name, value) in [
        ("known", Value::List(vec![Value::integer(1), "a".into(), Value::Null])),
        ("later", unknown()),
        ("mixed", list),
    ] {
        plan.outputs.insert(name.to_owned(), OutputChange { before: None, after: Some(value) });
    }
    plan.outputs
        .insert("gone".to_owned(), OutputChange { before: Some(Value::Bool(true)), after: None });
    let json = json_of(&plan);
    assert_snapshot!(pretty(&json["output_changes"]), @r#"
    {
      "gone": {
        "actions": [
          "delete"
        ],
        "after": null,
        "after_sensitive": false,
        "after_unknown": false,
        "before": true,
        "before_sensitive": false
      },
      "known": {
        "actions": [
          "create"
        ],
        "after": [
          1,
          "a",
          null
        ],
        "after_sensitive": false,
        "after_unknown": [
          false,
          false,
          false
        ],
        "before": null,
        "before_sensitive": false
      },
      "later": {
        "actions": [
          "create"
        ],
        "after_sensitive": false,
        "after_unknown": true,
        "before": null,
        "before_sensitive": false
      },
      "mixed": {
        "actions": [
          "create"
        ],
        "after": [
          1,
          null
        ],
        "after_sensitive": false,
        "after_unknown": [
          false,
          true
        ],
        "before": null,
        "before_sensitive": false
      }
    }
    "#);
    assert_snapshot!(pretty(&json["planned_values"]["outputs"]), @r#"
    {
      "known": {
        "sensitive": false,
        "type": [
          "tuple",
          [
            "number",
            "string",
            "dynamic"
          ]
        ],
        "value": [
          1,
          "a",
          null
        ]
      },
      "later": {
        "sensitive": false
      },
      "mixed": {
        "sensitive": false
      }
    }
    "#);
    assert_snapshot!(pretty(&json["configuration"]["root_module"]["outputs"]), @r#"
    {
      "known": {
        "expression": {
          "constant_value": [
            1,
            "a",
            null
          ]
        }
      },
      "later": {
        "expression": {
          "references": [
            "aws_vpc.lab.id",
            "aws_vpc.lab"
          ]
        }
      },
      "mixed": {
        "expression": {
          "references": [
            "aws_vpc.lab.id",
            "aws_vpc.lab"
          ]
        }
      }
    }
    "#);
}

#[test]
fn what_was_found_is_a_check() {
    let plan = planned(lab(), &nothing());
    let findings = [
        Diagnostic::warning(code::WRONG_VALUE, "the rule decides nothing")
            .of(&"mirror_filter.tcp".parse().unwrap()),
        Diagnostic::warning(code::WRONG_VALUE, "something else"),
    ];
    let findings = findings.into_iter().collect();
    let text = PlanJson::new(&plan).findings(&findings).to_string();
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_snapshot!(pretty(&json["checks"]), @r#"
    [
      {
        "address": {
          "kind": "check",
          "name": "mp0007",
          "to_display": "check.mp0007"
        },
        "instances": [
          {
            "address": {
              "to_display": "check.mp0007"
            },
            "problems": [
              {
                "message": "mirror_filter.tcp: the rule decides nothing"
              }
            ],
            "status": "fail"
          },
          {
            "address": {
              "to_display": "check.mp0007"
            },
            "problems": [
              {
                "message": "something else"
              }
            ],
            "status": "fail"
          }
        ],
        "status": "fail"
      }
    ]
    "#);
}

#[test]
fn a_plan_is_the_same_bytes_unless_the_time_is_asked_for() {
    let plan = planned(lab(), &nothing());
    let text = PlanJson::new(&plan).to_string();
    assert_eq!(text, PlanJson::new(&plan).to_string());
    assert!(!text.contains("timestamp"));
    // A saved plan says the same.
    let saved = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&saved).unwrap();
    assert_eq!(text, PlanJson::new(&read).to_string());
    let timed = PlanJson::new(&plan).timestamp("2026-01-02T03:04:05Z").to_string();
    let json: Json = serde_json::from_str(&timed).unwrap();
    assert_eq!(json["timestamp"], "2026-01-02T03:04:05Z");
}

#[test]
fn what_terraform_has_no_word_for_is_in_one_member() {
    let json = json_of(&planned(json!({ "mirror_filter.web": {} }), &nothing()));
    assert_snapshot!(pretty(&json["mirror_plan"]), @r#"
    {
      "account": "123456789012",
      "changes": [
        {
          "actions": [
            "create"
          ],
          "address": "mirror_filter.web",
          "capture": null,
          "deposed": null,
          "reasons": [
            "there is no such object yet"
          ],
          "terraform_address": "aws_ec2_traffic_mirror_filter.web"
        }
      ],
      "counts": {
        "add": 1,
        "change": 0,
        "destroy": 0
      },
      "digest": "sha256:975de13744b34a1ad027c25c1f392f1886b7842d589b9c8e441581532d631701",
      "format": 1,
      "mode": "apply",
      "region": "eu-west-1",
      "stack": "lab",
      "steps": [
        {
          "address": "mirror_filter.web",
          "call": "CreateTrafficMirrorFilter",
          "needs": [],
          "phase": "create"
        }
      ],
      "targeted": false,
      "version": "0.1.0"
    }
    "#);
}

#[test]
fn what_an_account_holds_is_a_state_with_the_ids_of_parts() {
    let stack = stack(json!({
        "vpc.lab": {"cidr": "10.0.0.0/16"},
        "security_group.web": {
            "vpc": "@vpc.lab",
            "ingress": [
                {"protocol": "tcp", "port": "80-443", "cidrs": ["10.0.0.0/8", "::/0"]},
                {"security_groups": ["@security_group.web"]},
            ],
        },
        "mirror_filter.web": {
            "amazon_dns": true,
            "rules": [{"number": 1, "action": "accept", "direction": "egress", "protocol": "47"}],
        },
    }));
    let text = StateJson::new(&applied(&stack)).to_string();
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_snapshot!(pretty(&json), @r#"
    {
      "format_version": "1.0",
      "mirror_plan": {
        "account": "123456789012",
        "format": 1,
        "region": "eu-west-1"
      },
      "terraform_version": "1.11.4",
      "values": {
        "root_module": {
          "resources": [
            {
              "address": "aws_ec2_traffic_mirror_filter.web",
              "mode": "managed",
              "name": "web",
              "provider_name": "registry.terraform.io/hashicorp/aws",
              "schema_version": 0,
              "sensitive_values": {
                "network_services": [
                  false
                ],
                "tags": {},
                "tags_all": {}
              },
              "type": "aws_ec2_traffic_mirror_filter",
              "values": {
                "arn": "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter/tmf-b88daa934ee10591d",
                "description": null,
                "id": "tmf-b88daa934ee10591d",
                "network_services": [
                  "amazon-dns"
                ],
                "tags": {
                  "Name": "web"
                },
                "tags_all": {
                  "Name": "web"
                }
              }
            },
            {
              "address": "aws_ec2_traffic_mirror_filter_rule.web[\"egress 1\"]",
              "depends_on": [
                "aws_ec2_traffic_mirror_filter.web"
              ],
              "index": "egress 1",
              "mode": "managed",
              "name": "web",
              "provider_name": "registry.terraform.io/hashicorp/aws",
              "schema_version": 0,
              "sensitive_values": {
                "destination_port_range": [],
                "source_port_range": []
              },
              "type": "aws_ec2_traffic_mirror_filter_rule",
              "values": {
                "arn": "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter-rule/part egress 1",
                "description": null,
                "destination_cidr_block": "0.0.0.0/0",
                "destination_port_range": [],
                "id": "part egress 1",
                "protocol": 47,
                "rule_action": "accept",
                "rule_number": 1,
                "source_cidr_block": "0.0.0.0/0",
                "source_port_range": [],
                "traffic_direction": "egress",
                "traffic_mirror_filter_id": "tmf-b88daa934ee10591d"
              }
            },
            {
              "address": "aws_security_group.web",
              "depends_on": [
                "aws_vpc.lab"
              ],
              "mode": "managed",
              "name": "web",
              "provider_name": "registry.terraform.io/hashicorp/aws",
              "schema_version": 1,
              "sensitive_values": {
                "egress": [
                  {
                    "cidr_blocks": [
                      false
                    ],
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "security_groups": []
                  }
                ],
                "ingress": [
                  {
                    "cidr_blocks": [],
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "security_groups": []
                  },
                  {
                    "cidr_blocks": [
                      false
                    ],
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "security_groups": []
                  },
                  {
                    "cidr_blocks": [],
                    "ipv6_cidr_blocks": [
                      false
                    ],
                    "prefix_list_ids": [],
                    "security_groups": []
                  }
                ],
                "tags": {},
                "tags_all": {}
              },
              "type": "aws_security_group",
              "values": {
                "arn": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-9e274665ef8c41c48",
                "description": null,
                "egress": [
                  {
                    "cidr_blocks": [
                      "0.0.0.0/0"
                    ],
                    "description": "",
                    "from_port": 0,
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "protocol": "-1",
                    "security_groups": [],
                    "self": false,
                    "to_port": 0
                  }
                ],
                "id": "sg-9e274665ef8c41c48",
                "ingress": [
                  {
                    "cidr_blocks": [],
                    "description": "",
                    "from_port": 0,
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "protocol": "-1",
                    "security_groups": [],
                    "self": true,
                    "to_port": 0
                  },
                  {
                    "cidr_blocks": [
                      "10.0.0.0/8"
                    ],
                    "description": "",
                    "from_port": 80,
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "protocol": "tcp",
                    "security_groups": [],
                    "self": false,
                    "to_port": 443
                  },
                  {
                    "cidr_blocks": [],
                    "description": "",
                    "from_port": 80,
                    "ipv6_cidr_blocks": [
                      "::/0"
                    ],
                    "prefix_list_ids": [],
                    "protocol": "tcp",
                    "security_groups": [],
                    "self": false,
                    "to_port": 443
                  }
                ],
                "name": "picked",
                "owner_id": "123456789012",
                "revoke_rules_on_delete": false,
                "tags": {
                  "Name": "web"
                },
                "tags_all": {
                  "Name": "web"
                },
                "timeouts": null,
                "vpc_id": "vpc-c0f4f0e7efd543461"
              }
            },
            {
              "address": "aws_vpc.lab",
              "mode": "managed",
              "name": "lab",
              "provider_name": "registry.terraform.io/hashicorp/aws",
              "schema_version": 1,
              "sensitive_values": {
                "tags": {},
                "tags_all": {}
              },
              "type": "aws_vpc",
              "values": {
                "arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-c0f4f0e7efd543461",
                "assign_generated_ipv6_cidr_block": false,
                "cidr_block": "10.0.0.0/16",
                "enable_dns_hostnames": false,
                "enable_dns_support": true,
                "id": "vpc-c0f4f0e7efd543461",
                "instance_tenancy": "default",
                "owner_id": "123456789012",
                "tags": {
                  "Name": "lab"
                },
                "tags_all": {
                  "Name": "lab"
                }
              }
            }
          ]
        }
      }
    }
    "#);
}
