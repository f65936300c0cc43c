//! Rules of security groups, in the groups and as resources of their own.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn groups_that_name_each_other_have_rules_of_their_own() {
    let rule = |port: u16, group: &str| json!({"protocol": "tcp", "port": port, "security_groups": [group]});
    let stack = stack(json!({
        "vpc.lab": {"cidr": "10.0.0.0/16"},
        "security_group.one": {"vpc": "@vpc.lab", "ingress": [
            rule(80, "@security_group.two"), rule(81, "@security_group.one"),
        ]},
        "security_group.two": {"vpc": "@vpc.lab", "egress": [], "ingress": [
            rule(80, "@security_group.one"),
        ]},
        "security_group.three": {"vpc": "@vpc.lab", "egress": [], "ingress": [
            rule(80, "@security_group.two"), rule(80, "@security_group.three"),
            {"protocol": "tcp", "port": 80, "cidrs": ["10.0.0.0/16", "2001:db8::/32"]},
        ]},
    }));
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    let (_, groups) =
        export.configuration.split_once("tags                 = { Name = \"lab\" }\n}\n").unwrap();
    assert_snapshot!(groups, @r#"
    # It and others name each other in their rules, which Terraform accepts only as resources
    # of their own.
    resource "aws_security_group" "one" {
      name   = "picked"
      tags   = { Name = "one" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_security_group_rule" "one_ingress_group" {
      type                     = "ingress"
      security_group_id        = aws_security_group.one.id
      from_port                = 80
      protocol                 = "tcp"
      to_port                  = 80
      source_security_group_id = aws_security_group.two.id
    }

    resource "aws_security_group_rule" "one_ingress_self" {
      type              = "ingress"
      security_group_id = aws_security_group.one.id
      from_port         = 81
      protocol          = "tcp"
      to_port           = 81
      self              = true
    }

    resource "aws_security_group_rule" "one_egress_ranges" {
      type              = "egress"
      security_group_id = aws_security_group.one.id
      from_port         = 0
      protocol          = "-1"
      to_port           = 0
      cidr_blocks       = ["0.0.0.0/0"]
    }

    resource "aws_security_group" "three" {
      egress = []
      name   = "picked"
      tags   = { Name = "three" }
      vpc_id = aws_vpc.lab.id

      ingress {
        cidr_blocks      = ["10.0.0.0/16"]
        from_port        = 80
        ipv6_cidr_blocks = ["2001:db8::/32"]
        protocol         = "tcp"
        security_groups  = [aws_security_group.two.id]
        self             = true
        to_port          = 80
      }
    }

    # It and others name each other in their rules, which Terraform accepts only as resources
    # of their own.
    resource "aws_security_group" "two" {
      name   = "picked"
      tags   = { Name = "two" }
      vpc_id = aws_vpc.lab.id
    }

    resource "aws_security_group_rule" "two_ingress_group" {
      type                     = "ingress"
      security_group_id        = aws_security_group.two.id
      from_port                = 80
      protocol                 = "tcp"
      to_port                  = 80
      source_security_group_id = aws_security_group.one.id
    }
    "#);
    let (_, imports) = export.imports.split_once("_rule.").unwrap();
    assert_snapshot!(imports, @r#"
    one_ingress_group
      id = "sg-41b77f39064e50cac_ingress_tcp_80_80_sg-cd534f273b324e78b"
    }

    import {
      to = aws_security_group_rule.one_ingress_self
      id = "sg-41b77f39064e50cac_ingress_tcp_81_81_self"
    }

    import {
      to = aws_security_group_rule.one_egress_ranges
      id = "sg-41b77f39064e50cac_egress_all_0_0_0.0.0.0/0"
    }

    import {
      to = aws_security_group.three
      id = "sg-be03d46e81d5d62c6"
    }

    import {
      to = aws_security_group.two
      id = "sg-cd534f273b324e78b"
    }

    import {
      to = aws_security_group_rule.two_ingress_group
      id = "sg-cd534f273b324e78b_ingress_tcp_80_80_sg-41b77f39064e50cac"
    }
    "#);
}
