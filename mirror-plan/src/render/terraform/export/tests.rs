//! Exported stacks.

use insta::assert_snapshot;

use super::Export;
use crate::plan::tests::{applied, lab, nothing, stack};

#[test]
fn the_lab_that_is_there() {
    let stack = stack(lab());
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    assert_snapshot!(export.to_string(), @r#"
    terraform {
      required_version = ">= 1.5"

      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 3.39"
        }
      }
    }

    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["123456789012"]

      # Leaves alone the tags by which mirror knows what is the stack's. Taken out, the next apply
      # takes them off, and Terraform alone owns it.
      ignore_tags {
        key_prefixes = ["mirror-plan:"]
      }
    }

    resource "aws_vpc" "lab" {
      cidr_block           = "10.0.0.0/16"
      enable_dns_hostnames = true
      enable_dns_support   = true
      instance_tenancy     = "default"
      tags = { Name = "lab" }
    }

    resource "aws_subnet" "source" {
      availability_zone       = "eu-west-1a"
      cidr_block              = "10.0.1.0/24"
      map_public_ip_on_launch = false
      tags = { Name = "source" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_subnet" "target" {
      availability_zone       = "eu-west-1a"
      cidr_block              = "10.0.2.0/24"
      map_public_ip_on_launch = false
      tags = { Name = "target" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_internet_gateway" "lab" {
      tags = { Name = "lab" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_route_table" "public" {
      tags = { Name = "public" }
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
      name = "picked"
      tags = { Name = "target" }
      vpc_id = aws_vpc.lab.id

      egress {
        cidr_blocks = ["0.0.0.0/0"]
        from_port   = 0
        protocol    = "-1"
        self        = false
        to_port     = 0
      }

      ingress {
        cidr_blocks = ["10.0.1.0/24"]
        from_port   = 4789
        protocol    = "udp"
        self        = false
        to_port     = 4789
      }
    }

    resource "aws_instance" "one" {
      ami               = "ami-00000000000000001"
      instance_type     = "t3.micro"
      source_dest_check = true
      subnet_id         = aws_subnet.target.id
      tags = { Name = "one" }
      vpc_security_group_ids = [aws_security_group.target.id]

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
      }
    }

    resource "aws_instance" "source" {
      ami               = "ami-00000000000000001"
      instance_type     = "t3.micro"
      source_dest_check = true
      subnet_id         = aws_subnet.source.id
      tags = { Name = "source" }

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
      }
    }

    resource "aws_lb_target_group" "vxlan" {
      deregistration_delay = 300
      name                 = "picked"
      port                 = 4789
      protocol             = "UDP"
      tags = { Name = "vxlan" }
      target_type = "instance"
      vpc_id      = aws_vpc.lab.id

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

    # Terraform imports none of these: the first apply registers it once more,
    # which AWS takes for the registration that is there.
    resource "aws_lb_target_group_attachment" "vxlan_one" {
      port             = 4789
      target_group_arn = aws_lb_target_group.vxlan.id
      target_id        = aws_instance.one.id
    }

    resource "aws_lb" "sensors" {
      enable_cross_zone_load_balancing = false
      enable_deletion_protection       = false
      internal                         = true
      load_balancer_type               = "network"
      name                             = "picked"
      subnets                          = [aws_subnet.target.id]
      tags = { Name = "sensors" }
    }

    resource "aws_lb_listener" "sensors_4789" {
      load_balancer_arn = aws_lb.sensors.id
      port              = 4789
      protocol          = "UDP"

      default_action {
        target_group_arn = aws_lb_target_group.vxlan.id
        type             = "forward"
      }
    }

    resource "aws_ec2_traffic_mirror_target" "nlb" {
      network_load_balancer_arn = aws_lb.sensors.id
      tags = { Name = "nlb" }
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
      network_interface_id = aws_instance.source.primary_network_interface_id
      packet_length        = 8500
      session_number       = 1
      tags = { Name = "source" }
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

#[test]
fn the_lab_that_is_not_there() {
    let stack = stack(lab());
    let export = Export::of(&stack, &nothing()).unwrap();
    assert_snapshot!(export.to_string(), @r#"
    terraform {
      required_version = ">= 1.5"

      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 3.39"
        }
      }
    }

    provider "aws" {
      region = "eu-west-1"

      # Leaves alone the tags by which mirror knows what is the stack's. Taken out, the next apply
      # takes them off, and Terraform alone owns it.
      ignore_tags {
        key_prefixes = ["mirror-plan:"]
      }
    }

    data "aws_ssm_parameter" "al2023-ami-kernel-default-x86_64" {
      name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    }

    resource "aws_vpc" "lab" {
      cidr_block           = "10.0.0.0/16"
      enable_dns_hostnames = true
      enable_dns_support   = true
      instance_tenancy     = "default"
      tags = { Name = "lab" }
    }

    resource "aws_subnet" "source" {
      cidr_block              = "10.0.1.0/24"
      map_public_ip_on_launch = false
      tags = { Name = "source" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_subnet" "target" {
      cidr_block              = "10.0.2.0/24"
      map_public_ip_on_launch = false
      tags = { Name = "target" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_internet_gateway" "lab" {
      tags = { Name = "lab" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_route_table" "public" {
      tags = { Name = "public" }
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
      description = "security_group.target of stack lab"
      name        = "lab-target"
      tags = { Name = "target" }
      vpc_id = aws_vpc.lab.id

      egress {
        cidr_blocks = ["0.0.0.0/0"]
        from_port   = 0
        protocol    = "-1"
        self        = false
        to_port     = 0
      }

      ingress {
        cidr_blocks = ["10.0.1.0/24"]
        from_port   = 4789
        protocol    = "udp"
        self        = false
        to_port     = 4789
      }
    }

    resource "aws_instance" "one" {
      ami               = data.aws_ssm_parameter.al2023-ami-kernel-default-x86_64.value
      instance_type     = "t3.micro"
      source_dest_check = true
      subnet_id         = aws_subnet.target.id
      tags = { Name = "one" }
      vpc_security_group_ids = [aws_security_group.target.id]

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
      }
    }

    resource "aws_instance" "source" {
      ami               = data.aws_ssm_parameter.al2023-ami-kernel-default-x86_64.value
      instance_type     = "t3.micro"
      source_dest_check = true
      subnet_id         = aws_subnet.source.id
      tags = { Name = "source" }

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }

      root_block_device {
        encrypted = true
      }
    }

    resource "aws_lb_target_group" "vxlan" {
      deregistration_delay = 300
      name                 = "lab-vxlan"
      port                 = 4789
      protocol             = "UDP"
      tags = { Name = "vxlan" }
      target_type = "instance"
      vpc_id      = aws_vpc.lab.id

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
      name                             = "lab-sensors"
      subnets                          = [aws_subnet.target.id]
      tags = { Name = "sensors" }
    }

    resource "aws_lb_listener" "sensors_4789" {
      load_balancer_arn = aws_lb.sensors.arn
      port              = 4789
      protocol          = "UDP"

      default_action {
        target_group_arn = aws_lb_target_group.vxlan.id
        type             = "forward"
      }
    }

    resource "aws_ec2_traffic_mirror_target" "nlb" {
      network_load_balancer_arn = aws_lb.sensors.id
      tags = { Name = "nlb" }
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
      network_interface_id = aws_instance.source.primary_network_interface_id
      session_number       = 1
      tags = { Name = "source" }
      traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
      traffic_mirror_target_id = aws_ec2_traffic_mirror_target.nlb.id
    }
    "#);
}
