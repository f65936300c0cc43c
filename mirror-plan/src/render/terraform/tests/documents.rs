//! The other members of a plan document, and state documents.

use super::*;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::value::{Origin, Unknown};

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
          "moved_from": null,
          "reasons": [
            "there is no such object yet"
          ],
          "terraform_address": "aws_ec2_traffic_mirror_filter.web"
        }
      ],
      "counts": {
        "add": 1,
        "change": 0,
        "destroy": 0,
        "moved": 0
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
            "open_to_world": true,
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
