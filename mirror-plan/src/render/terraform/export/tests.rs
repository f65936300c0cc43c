//! Exported stacks.

mod accounts;
mod groups;
mod scaling;
mod sharing;

use insta::assert_snapshot;
use serde_json::json;

use super::Export;
use crate::plan::tests::{applied, lab, nothing, stack};
use crate::stack::Output;
use crate::value::{Origin, Part, Template, Unknown, Value};

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn the_lab_that_is_there() {
    let stack = stack(lab());
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    assert_snapshot!(export.to_string(), @r#"
    terraform {
      required_version = ">= 1.5"

      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 4.46"
        }
      }
    }

    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["123456789012"]

      # Keeps the tags by which mirror knows what belongs to the stack. Without this block, the next apply
      # removes them, and Terraform alone owns it.
      ignore_tags {
        key_prefixes = ["mirror-plan:"]
      }
    }

    resource "aws_vpc" "lab" {
      cidr_block           = "10.0.0.0/16"
      enable_dns_hostnames = true
      enable_dns_support   = true
      instance_tenancy     = "default"
      tags                 = { Name = "lab" }
    }

    resource "aws_subnet" "source" {
      availability_zone       = "eu-west-1a"
      cidr_block              = "10.0.1.0/24"
      map_public_ip_on_launch = false
      tags                    = { Name = "source" }
      vpc_id                  = aws_vpc.lab.id
    }

    resource "aws_subnet" "target" {
      availability_zone       = "eu-west-1a"
      cidr_block              = "10.0.2.0/24"
      map_public_ip_on_launch = false
      tags                    = { Name = "target" }
      vpc_id                  = aws_vpc.lab.id
    }

    resource "aws_internet_gateway" "lab" {
      tags   = { Name = "lab" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_route_table" "public" {
      tags   = { Name = "public" }
      vpc_id = aws_vpc.lab.id

      route {
        cidr_block = "0.0.0.0/0"
        gateway_id = aws_internet_gateway.lab.id
      }
    }

    resource "aws_route_table_association" "public_source" {
      route_table_id = aws_route_table.public.id
      subnet_id      = aws_subnet.source.id
    }

    resource "aws_route_table_association" "public_target" {
      route_table_id = aws_route_table.public.id
      subnet_id      = aws_subnet.target.id
    }

    resource "aws_security_group" "target" {
      name   = "picked"
      tags   = { Name = "target" }
      vpc_id = aws_vpc.lab.id

      egress {
        cidr_blocks = ["0.0.0.0/0"]
        from_port   = 0
        protocol    = "-1"
        to_port     = 0
      }

      ingress {
        cidr_blocks = ["10.0.1.0/24"]
        from_port   = 4789
        protocol    = "udp"
        to_port     = 4789
      }
    }

    resource "aws_instance" "one" {
      ami                    = "ami-00000000000000001"
      instance_type          = "t3.micro"
      source_dest_check      = true
      subnet_id              = aws_subnet.target.id
      tags                   = { Name = "one" }
      vpc_security_group_ids = [aws_security_group.target.id]

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
        tags      = { Name = "one" }
      }
    }

    resource "aws_instance" "source" {
      ami               = "ami-00000000000000001"
      instance_type     = "t3.micro"
      source_dest_check = true
      subnet_id         = aws_subnet.source.id
      tags              = { Name = "source" }

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
        tags      = { Name = "source" }
      }
    }

    resource "aws_lb_target_group" "vxlan" {
      deregistration_delay = 300
      name                 = "picked"
      port                 = 4789
      protocol             = "UDP"
      tags                 = { Name = "vxlan" }
      target_type          = "instance"
      vpc_id               = aws_vpc.lab.id

      health_check {
        healthy_threshold   = 5
        interval            = 30
        port                = "traffic-port"
        protocol            = "TCP"
        unhealthy_threshold = 2
      }

      stickiness {
        enabled = false
        type    = "source_ip"
      }
    }

    # Terraform cannot import it: the first apply registers it again,
    # which AWS treats as the existing registration.
    resource "aws_lb_target_group_attachment" "vxlan_one" {
      port             = 4789
      target_group_arn = aws_lb_target_group.vxlan.arn
      target_id        = aws_instance.one.id
    }

    resource "aws_lb" "sensors" {
      enable_cross_zone_load_balancing = false
      enable_deletion_protection       = false
      internal                         = true
      load_balancer_type               = "network"
      name                             = "picked"
      subnets                          = [aws_subnet.target.id]
      tags                             = { Name = "sensors" }
    }

    resource "aws_lb_listener" "sensors_4789" {
      load_balancer_arn = aws_lb.sensors.arn
      port              = 4789
      protocol          = "UDP"

      default_action {
        target_group_arn = aws_lb_target_group.vxlan.arn
        type             = "forward"
      }
    }

    resource "aws_ec2_traffic_mirror_target" "nlb" {
      network_load_balancer_arn = aws_lb.sensors.arn
      tags                      = { Name = "nlb" }
    }

    resource "aws_ec2_traffic_mirror_filter" "tcp" {
      tags = { Name = "tcp" }
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "tcp_egress_10" {
      destination_cidr_block   = "0.0.0.0/0"
      protocol                 = 6
      rule_action              = "reject"
      rule_number              = 10
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "egress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id

      source_port_range {
        from_port = 22
        to_port   = 22
      }
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "tcp_egress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      protocol                 = 6
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "egress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "tcp_ingress_10" {
      destination_cidr_block   = "0.0.0.0/0"
      protocol                 = 6
      rule_action              = "reject"
      rule_number              = 10
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "ingress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id

      destination_port_range {
        from_port = 22
        to_port   = 22
      }
    }

    resource "aws_ec2_traffic_mirror_filter_rule" "tcp_ingress_100" {
      destination_cidr_block   = "0.0.0.0/0"
      protocol                 = 6
      rule_action              = "accept"
      rule_number              = 100
      source_cidr_block        = "0.0.0.0/0"
      traffic_direction        = "ingress"
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
    }

    resource "aws_ec2_traffic_mirror_session" "source" {
      network_interface_id     = aws_instance.source.primary_network_interface_id
      packet_length            = 8500
      session_number           = 1
      tags                     = { Name = "source" }
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
      traffic_mirror_target_id = aws_ec2_traffic_mirror_target.nlb.id
      virtual_network_id       = 4242
    }

    import {
      to = aws_vpc.lab
      id = "vpc-c0f4f0e7efd543461"
    }

    import {
      to = aws_subnet.source
      id = "subnet-75895afd5d1de3cb0"
    }

    import {
      to = aws_subnet.target
      id = "subnet-be3e5cd37f0f7f7b1"
    }

    import {
      to = aws_internet_gateway.lab
      id = "igw-7ce1e76a48a5274ee"
    }

    import {
      to = aws_route_table.public
      id = "rtb-dd36c2662b940969d"
    }

    import {
      to = aws_route_table_association.public_source
      id = "subnet-75895afd5d1de3cb0/rtb-dd36c2662b940969d"
    }

    import {
      to = aws_route_table_association.public_target
      id = "subnet-be3e5cd37f0f7f7b1/rtb-dd36c2662b940969d"
    }

    import {
      to = aws_security_group.target
      id = "sg-325268f374e3e3f73"
    }

    import {
      to = aws_instance.one
      id = "i-2a86063b98ebde075"
    }

    import {
      to = aws_instance.source
      id = "i-c3997683ddc2a7f90"
    }

    import {
      to = aws_lb_target_group.vxlan
      id = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/picked/79885409567d8914f"
    }

    import {
      to = aws_lb.sensors
      id = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/picked/70e517314e03133df"
    }

    import {
      to = aws_lb_listener.sensors_4789
      id = "part 4789"
    }

    import {
      to = aws_ec2_traffic_mirror_target.nlb
      id = "tmt-e165f74beacad338c"
    }

    import {
      to = aws_ec2_traffic_mirror_filter.tcp
      id = "tmf-a54f6b3b36671203c"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.tcp_egress_10
      id = "tmf-a54f6b3b36671203c:part egress 10"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.tcp_egress_100
      id = "tmf-a54f6b3b36671203c:part egress 100"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.tcp_ingress_10
      id = "tmf-a54f6b3b36671203c:part ingress 10"
    }

    import {
      to = aws_ec2_traffic_mirror_filter_rule.tcp_ingress_100
      id = "tmf-a54f6b3b36671203c:part ingress 100"
    }

    import {
      to = aws_ec2_traffic_mirror_session.source
      id = "tms-605dee9559abdbb1b"
    }
    "#);
}

/// The lines of a document that are not in the other.
fn more(text: &str, than: &str) -> String {
    let known: std::collections::BTreeSet<&str> = than.lines().collect();
    text.lines().filter(|line| !known.contains(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_lab_that_is_not_there_is_not_imported() {
    let stack = stack(lab());
    let there = Export::of(&stack, &applied(&stack)).unwrap();
    let export = Export::of(&stack, &nothing()).unwrap();
    assert_eq!((export.imports.as_str(), export.left.len()), ("", 0));
    assert_snapshot!(more(&export.configuration, &there.configuration), @r#"
      region = "eu-west-1"
    data "aws_ssm_parameter" "al2023-ami-kernel-default-x86_64" {
      name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
      description = "security_group.target of stack lab"
      name        = "lab-target"
      tags        = { Name = "target" }
      vpc_id      = aws_vpc.lab.id
      ami                    = data.aws_ssm_parameter.al2023-ami-kernel-default-x86_64.value
      ami               = data.aws_ssm_parameter.al2023-ami-kernel-default-x86_64.value
      name                 = "lab-vxlan"
      name                             = "lab-sensors"
    "#);
}

#[test]
fn a_secret_is_a_variable_and_is_nowhere_else() {
    let mut resources = lab();
    resources["instance.one"]["user_data"] = json!("canary");
    resources["instance.source"]["user_data"] = json!("canary two");
    let mut stack = stack(resources);
    let plain = Export::of(&self::stack(lab()), &nothing()).unwrap();
    let secret = || Value::from("canary two").sensitive();
    stack.variables.insert("script".to_owned(), secret());
    stack.variables.insert("size".to_owned(), Value::integer(3));
    let output = Output { value: secret(), description: Some("The script".to_owned()) };
    stack.outputs.insert("script".to_owned(), output);
    for observed in [nothing(), applied(&stack)] {
        let export = Export::of(&stack, &observed).unwrap();
        assert!(!format!("{export}{:?}", export.left).contains("canary"));
    }
    let export = Export::of(&stack, &nothing()).unwrap();
    assert_snapshot!(more(&export.configuration, &plain.configuration), @r#"
    # Not exported: variable "size": its value is written where it is used: 3
    variable "script" {
      description = "Sensitive, sha256:650f49419fbe39e942bdd93a61024c6a1d71df9fd4ef4accf2493b8562eebd47"
      type        = string
      sensitive   = true
      # The value that the stack has. Remove the check to change it.
      validation {
        condition     = sha256(var.script) == "650f49419fbe39e942bdd93a61024c6a1d71df9fd4ef4accf2493b8562eebd47"
        error_message = "This is not the value that the stack has: its SHA-256 differs."
    variable "one_user_data" {
      description = "Sensitive, sha256:e100fbce008c04ec40637af0af91fb2f05aeedc23f856a2d3c0b1580625d755e"
      type        = string
      sensitive   = true
      # The value that the stack has. Remove the check to change it.
      validation {
        condition     = sha256(var.one_user_data) == "e100fbce008c04ec40637af0af91fb2f05aeedc23f856a2d3c0b1580625d755e"
        error_message = "This is not the value that the stack has: its SHA-256 differs."
      user_data              = var.one_user_data
      user_data         = var.script
    output "script" {
      description = "The script"
      value       = var.script
      sensitive   = true
    "#);
}

#[test]
fn values_that_wait_are_references_and_what_is_computed_is_told() {
    let mut stack = stack(lab());
    let of = |address: &str, attribute: &str| Origin {
        address: address.parse().unwrap(),
        attribute: attribute.to_owned(),
    };
    let unknown = |parts: Vec<Part>| {
        let origins = parts.iter().filter_map(|part| match part {
            Part::Attribute(origin) => Some(origin.clone()),
            Part::Text(_) | Part::Secret(_) => None,
        });
        Value::Unknown(Unknown { origins: origins.collect(), template: Some(Template(parts)) })
    };
    let name = Part::Attribute(of("load_balancer.sensors", "dns_name"));
    let address = Part::Attribute(of("instance.source", "private_ip"));
    let text = |text: &str| Part::Text(text.to_owned());
    let values = [
        ("name", unknown(vec![name.clone()])),
        ("text", unknown(vec![text("a \"${x}\" at "), address, text(" and "), name])),
        ("vpc", Value::Resource("vpc.lab".parse().unwrap())),
        ("interface", unknown(vec![Part::Attribute(of("instance.one", "network_interface"))])),
        (
            "computed",
            Value::Unknown(Unknown {
                origins: [of("instance.one", "public_ip")].into(),
                template: None,
            }),
        ),
        ("list", Value::List(vec![Value::Bool(true), Value::integer(3), Value::Null])),
        ("an object", Value::Object([("a b".to_owned(), "c".into())].into())),
    ];
    for (name, value) in values {
        stack.outputs.insert(name.to_owned(), Output { value, description: None });
    }
    let plain = Export::of(&self::stack(lab()), &nothing()).unwrap();
    let export = Export::of(&stack, &nothing()).unwrap();
    assert_snapshot!(more(&export.configuration, &plain.configuration), @r#"
    # Not exported: output.computed: it is computed from a value that is known after apply: instance.one.public_ip
    output "an_object" {
      value = { "a b" = "c" }
    output "interface" {
      value = aws_instance.one.primary_network_interface_id
    output "list" {
      value = [true, 3, null]
    output "name" {
      value = aws_lb.sensors.dns_name
    output "text" {
      value = "a \"$${x}\" at ${aws_instance.source.private_ip} and ${aws_lb.sensors.dns_name}"
    output "vpc" {
      value = aws_vpc.lab.id
    "#);
}

#[test]
fn what_is_of_no_stack_any_more_is_told() {
    let both = stack(lab());
    let mut resources = lab();
    resources.as_object_mut().unwrap().remove("mirror_session.source");
    let export = Export::of(&stack(resources), &applied(&both)).unwrap();
    assert_snapshot!(export.left.join("\n"), @"mirror_session.source (tms-605dee9559abdbb1b): it exists, but the stack does not declare it");
    assert!(!export.to_string().contains("aws_ec2_traffic_mirror_session"));
}

#[test]
fn names_are_labels_that_no_two_have() {
    let subnet = |cidr: &str| json!({"vpc": "@vpc.lab", "cidr": cidr});
    let export = Export::of(
        &stack(json!({
            "vpc.lab": {"cidr": "10.0.0.0/16"},
            "subnet.a_0": subnet("10.0.1.0/24"),
            "subnet.a[0]": subnet("10.0.2.0/24"),
            "subnet.b[\"x y\"]": subnet("10.0.3.0/24"),
            "subnet.b[\"x.y\"]": subnet("10.0.4.0/24"),
        })),
        &nothing(),
    );
    let export = export.unwrap().configuration;
    let heads = export.lines().filter(|line| line.starts_with("resource"));
    assert_snapshot!(heads.collect::<Vec<_>>().join("\n"), @r#"
    resource "aws_vpc" "lab" {
    resource "aws_subnet" "a_0_2" {
    resource "aws_subnet" "a_0" {
    resource "aws_subnet" "b_x_y" {
    resource "aws_subnet" "b_x_y_2" {
    "#);
}
