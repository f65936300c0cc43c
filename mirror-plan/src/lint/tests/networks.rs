//! Objects that must be in one VPC but are in several, and duplicates where AWS allows only one.

use insta::assert_snapshot;

use super::{check, file};

/// Two VPCs with subnets and a security group each, and the resources in them.
fn two_vpcs(more: &str) -> String {
    let vpc = |name: &str, cidr: &str| {
        format!(
            r#"
vpc "{name}" {{ cidr = "{cidr}.0.0/16" }}
subnet "{name}" {{
  vpc  = vpc.{name}
  cidr = "{cidr}.1.0/24"
}}
subnet "{name}2" {{
  vpc  = vpc.{name}
  cidr = "{cidr}.2.0/24"
}}
security_group "{name}" {{ vpc = vpc.{name} }}
internet_gateway "{name}" {{ vpc = vpc.{name} }}
target_group "{name}" {{
  vpc          = vpc.{name}
  health_check = {{ port = 80 }}
}}
instance "{name}" {{
  instance_type = "t3.micro"
  subnet        = subnet.{name}
}}
"#
        )
    };
    format!("stack \"two\" {{}}\n{}{}{more}", vpc("a", "10.1"), vpc("b", "10.2"))
}

/// The codes and titles of the findings for the VPCs, one per line.
fn found(more: &str) -> String {
    let found = check(&file(two_vpcs(more)));
    found.iter().map(|found| format!("{} {}\n", found.code, found.title)).collect()
}

/// Resources in one VPC that name resources in the other.
const MIXED: &str = r#"
instance "web" {
  instance_type   = "t3.micro"
  subnet          = subnet.a
  security_groups = [security_group.a, security_group.b]
}
route_table "a" {
  vpc     = vpc.a
  routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.b }]
  subnets = [subnet.a, subnet.b]
}
target_group "mixed" {
  vpc          = vpc.a
  targets      = [instance.a, instance.b]
  health_check = { port = 80 }
}
load_balancer "mixed" {
  subnets         = [subnet.a, subnet.b]
  security_groups = [security_group.a, security_group.b]
  listeners       = [
    { port = 4789, target_group = target_group.a },
    { port = 4790, target_group = target_group.b },
  ]
}
target_group "geneve" {
  vpc          = vpc.b
  protocol     = "geneve"
  port         = 6081
  health_check = { port = 80 }
}
gateway_load_balancer "mixed" {
  subnets      = [subnet.a, subnet.b]
  target_group = target_group.geneve
}
endpoint_service "mixed" { gateway_load_balancers = [gateway_load_balancer.mixed] }
gateway_load_balancer_endpoint "mixed" {
  vpc     = vpc.b
  subnet  = subnet.a
  service = endpoint_service.mixed
}
transit_gateway_attachment "mixed" {
  vpc             = vpc.a
  transit_gateway = "tgw-0a1b2c3d4e5f67890"
  subnets         = [subnet.a, subnet.b]
}
launch_template "b" {
  instance_type   = "t3.micro"
  security_groups = [security_group.b]
}
target_group "scaled" {
  vpc          = vpc.b
  health_check = { port = 80 }
}
autoscaling_group "mixed" {
  launch_template = launch_template.b
  subnets         = [subnet.a, subnet.b]
  target_groups   = [target_group.scaled]
  min             = 1
  max             = 2
}
"#;

#[test]
fn what_must_be_in_one_vpc_is_told_of_each_kind() {
    assert_snapshot!(found(""), @"");
    assert_snapshot!(found(
        MIXED
    ), @"
    MP1019 `instance.web` is in `vpc.a`, and `security_group.b` is in `vpc.b`
    MP1019 `route_table.a` is in `vpc.a`, and `internet_gateway.b` is in `vpc.b`
    MP1019 `route_table.a` is in `vpc.a`, and `subnet.b` is in `vpc.b`
    MP1019 `target_group.mixed` is in `vpc.a`, and `instance.b` is in `vpc.b`
    MP1019 `load_balancer.mixed` is in `vpc.a`, and `subnet.b` is in `vpc.b`
    MP1019 `load_balancer.mixed` is in `vpc.a`, and `security_group.b` is in `vpc.b`
    MP1019 `load_balancer.mixed` is in `vpc.a`, and `target_group.b` is in `vpc.b`
    MP1033 `load_balancer.mixed` and `gateway_load_balancer.mixed` are load balancers with the same name, `two-mixed`
    MP1019 `gateway_load_balancer.mixed` is in `vpc.a`, and `subnet.b` is in `vpc.b`
    MP1019 `gateway_load_balancer.mixed` is in `vpc.a`, and `target_group.geneve` is in `vpc.b`
    MP1019 `gateway_load_balancer_endpoint.mixed` is in `vpc.b`, and `subnet.a` is in `vpc.a`
    MP1019 `transit_gateway_attachment.mixed` is in `vpc.a`, and `subnet.b` is in `vpc.b`
    MP1019 `autoscaling_group.mixed` is in `vpc.a`, and `security_group.b` is in `vpc.b`
    MP1019 `autoscaling_group.mixed` is in `vpc.a`, and `subnet.b` is in `vpc.b`
    MP1019 `autoscaling_group.mixed` is in `vpc.a`, and `target_group.scaled` is in `vpc.b`
    ");
}

/// The VPC of objects that others created is not known, and a VPC may be named both by its id and by a block.
#[test]
fn what_is_not_known_is_not_held_against_the_stack() {
    assert_snapshot!(found(
        r#"
existing "vpc" "theirs" { id = "vpc-0a1b2c3d4e5f67890" }
existing "security_group" "theirs" { id = "sg-0a1b2c3d4e5f67890" }
subnet "theirs" {
  vpc  = vpc.theirs
  cidr = "10.9.1.0/24"
}
instance "theirs" {
  instance_type   = "t3.micro"
  subnet          = subnet.theirs
  security_groups = [security_group.theirs]
}
target_group "theirs" {
  vpc          = "vpc-0a1b2c3d4e5f67890"
  targets      = [instance.theirs]
  health_check = { port = 80 }
}
"#
    ), @"");
}

#[test]
fn rules_can_name_groups_of_vpcs_that_are_connected() {
    let rule = r#"
security_group "rule" {
  vpc     = vpc.a
  ingress = [{ protocol = "tcp", port = 80, security_groups = [security_group.b] }]
}
"#;
    assert_snapshot!(found(rule), @"MP1019 `security_group.rule` is in `vpc.a`, and `security_group.b` is in `vpc.b`");
    let peering = "vpc_peering \"ab\" {\n  requester = vpc.b\n  accepter  = vpc.a\n}\n";
    assert_snapshot!(found(&format!("{rule}{peering}")), @"");
    let attachment = |vpc: &str| {
        format!(
            "transit_gateway_attachment \"{vpc}\" {{\n  vpc             = vpc.{vpc}\n  \
             transit_gateway = \"tgw-0a1b2c3d4e5f67890\"\n  subnets         = [subnet.{vpc}]\n}}\n"
        )
    };
    assert_snapshot!(found(&format!("{rule}{}", attachment("a"))), @"MP1019 `security_group.rule` is in `vpc.a`, and `security_group.b` is in `vpc.b`");
    assert_snapshot!(found(&format!("{rule}{}{}", attachment("a"), attachment("b"))), @"");
}

#[test]
fn a_route_over_the_connection_of_others_is_found() {
    assert_snapshot!(found(
        r#"
vpc "c" { cidr = "10.3.0.0/16" }
vpc_peering "bc" {
  requester = vpc.b
  accepter  = vpc.c
}
route_table "a" {
  vpc    = vpc.a
  routes = [{ destination = "10.3.0.0/16", vpc_peering = vpc_peering.bc }]
}
route_table "c" {
  vpc    = vpc.c
  routes = [
    { destination = "10.2.0.0/16", vpc_peering = vpc_peering.bc },
    { destination = "10.3.0.0/16", vpc_peering = vpc_peering.bc },
    { destination = "10.3.4.0/24", target = "eni-0a1b2c3d4e5f67890" },
  ]
}
"#
    ), @"
    MP1019 `route_table.a` is in `vpc.a`, and `vpc_peering.bc` connects `vpc.b` and `vpc.c`
    MP1032 `route_table.c` routes 10.3.0.0/16 out of `vpc.c` (10.3.0.0/16), which contains it
    ");
}

/// Two of everything.
const TWICE: &str = r#"
internet_gateway "more" { vpc = vpc.a }
vpc_peering "ab" {
  requester = vpc.a
  accepter  = vpc.b
}
vpc_peering "ba" {
  requester = vpc.b
  accepter  = vpc.a
}
route_table "one" {
  vpc     = vpc.a
  subnets = [subnet.a, subnet.a2]
}
route_table "two" {
  vpc     = vpc.a
  subnets = [subnet.a2]
}
transit_gateway_attachment "one" {
  vpc             = vpc.a
  transit_gateway = "tgw-0a1b2c3d4e5f67890"
  subnets         = [subnet.a]
}
transit_gateway_attachment "two" {
  vpc             = vpc.a
  transit_gateway = "tgw-0a1b2c3d4e5f67890"
  subnets         = [subnet.a2]
}
security_group "one" {
  vpc  = vpc.a
  name = "named"
}
security_group "two" {
  vpc  = vpc.a
  name = "named"
}
security_group "three" {
  vpc  = vpc.b
  name = "named"
}
instance "one" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  private_ip    = "10.1.1.10"
}
instance "two" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  private_ip    = "10.1.1.10"
}
load_balancer "one" {
  subnets   = [subnet.a]
  listeners = [
    { port = 4789, target_group = target_group.a },
    { port = 4790, target_group = target_group.a },
  ]
}
load_balancer "two" {
  subnets   = [subnet.a]
  listeners = [{ port = 4789, target_group = target_group.a }]
}
gateway_load_balancer "one" { subnets = [subnet.a] }
endpoint_service "one" { gateway_load_balancers = [gateway_load_balancer.one] }
endpoint_service "two" { gateway_load_balancers = [gateway_load_balancer.one] }
gateway_load_balancer_endpoint "front" {
  vpc     = vpc.b
  subnet  = subnet.b
  service = endpoint_service.one
}
mirror_target "one" { gateway_load_balancer_endpoint = gateway_load_balancer_endpoint.front }
mirror_target "two" { gateway_load_balancer_endpoint = gateway_load_balancer_endpoint.front }
"#;

#[test]
fn a_second_one_of_what_there_can_be_one_of_is_told_of_each_kind() {
    assert_snapshot!(found(
        TWICE
    ), @"
    MP1040 `internet_gateway.more` conflicts with `internet_gateway.a`: AWS allows one internet gateway for `vpc.a`
    MP1040 `vpc_peering.ba` conflicts with `vpc_peering.ab`: AWS allows one peering connection between `vpc.a` and `vpc.b`
    MP1040 `route_table.two` conflicts with `route_table.one`: AWS allows one route table for `subnet.a2`
    MP1040 `transit_gateway_attachment.two` conflicts with `transit_gateway_attachment.one`: AWS allows one attachment of `vpc.a` to tgw-0a1b2c3d4e5f67890
    MP1040 `security_group.two` conflicts with `security_group.one`: AWS allows one security group of `vpc.a` named `named`
    MP1040 `instance.two` conflicts with `instance.one`: AWS allows one instance with 10.1.1.10 in `subnet.a`
    MP1040 `load_balancer.two` conflicts with `load_balancer.one`: AWS allows one load balancer for `target_group.a`
    MP1033 `load_balancer.one` and `gateway_load_balancer.one` are load balancers with the same name, `two-one`
    MP1040 `endpoint_service.two` conflicts with `endpoint_service.one`: AWS allows one endpoint service for `gateway_load_balancer.one`
    MP1016 `mirror_target.one` and `mirror_target.two` have the same destination
    ");
}
