//! `sources` blocks and the sessions over them.

use insta::assert_snapshot;

use super::{Inputs, StackFile, check, source};

#[test]
fn a_session_over_sources_is_one_declaration() {
    let text = r#"
stack "sensors" { tags = { team = "secops" } }
variable "env" { default = "prod" }
existing "vpc" "main" { name = "main" }
sources "web" {
  vpc    = vpc.main
  tags   = { mirror = "true", env = var.env }
  expect = var.env == "prod" ? "4..200" : "0.."
  review = "count"
}
sources "api" {
  autoscaling_groups = ["api-${var.env}"]
  interfaces         = "all"
  except             = {}
}
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
mirror_target "nlb" { load_balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/a/b" }
mirror_session "detect" {
  source = sources.web
  target = mirror_target.nlb
  filter = mirror_filter.all
  number = 1
  vni    = "4096..8191"
}
mirror_session "archive" {
  source = [sources.web, sources.api]
  target = mirror_target.nlb
  filter = mirror_filter.all
  number = "2..9"
}
mirror_session "off" {
  when   = false
  source = sources.web
  target = mirror_target.nlb
  filter = mirror_filter.all
  number = 3
}
"#;
    let (stack, _) = StackFile::parse(source(text)).unwrap().stack(&Inputs::new()).unwrap();
    let sources = stack.sources.iter().map(|(name, sources)| {
        let of = &sources.of;
        format!("{name}: {of}; {} {}", of.expect, of.review)
    });
    assert_snapshot!(sources.collect::<Vec<_>>().join("\n"), @r#"
    api: Auto Scaling group api-prod, all interfaces; 0.. exact
    web: tag env = "prod", tag mirror = "true", VPC (known after apply: vpc.main.id), not tag mirror = "false"; 4..200 count
    "#);
    let fan_outs = stack.fan_outs.iter();
    let fan_outs = fan_outs.map(|(address, fan_out)| {
        format!("{address}: {}", crate::attribute::AttributeType::to_value(&fan_out.of))
    });
    assert_snapshot!(fan_outs.collect::<Vec<_>>().join("\n"), @r#"
    mirror_session.archive: { description = null, filter = (known after apply: mirror_filter.all.id), number = "2..9", packet_length = null, source = ["sources.api", "sources.web"], tags = { team = "secops" }, target = (known after apply: mirror_target.nlb.id), vni = null }
    mirror_session.detect: { description = null, filter = (known after apply: mirror_filter.all.id), number = 1, packet_length = null, source = ["sources.web"], tags = { team = "secops" }, target = (known after apply: mirror_target.nlb.id), vni = "4096..8191" }
    "#);
    assert_eq!(stack.resources.len(), 2);
}

#[test]
fn what_is_wrong_with_sources_is_said_at_once() {
    assert_snapshot!(check(
        r#"
stack "sensors" {}
vpc "own" { cidr = "10.0.0.0/16" }
sources "own" { vpc = vpc.own }
sources "any" {}
sources "odd" {
  tags   = { mirror = "true" }
  subnet = "subnet-0a1b2c3d4e5f67890"
  expect = "9..4"
  review = "no"
}
sources "odd" { tags = { mirror = "true" } }
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
mirror_session "a" {
  source = sources.webb
  target = "tmt-0a1b2c3d4e5f67890"
  filter = mirror_filter.all
  number = "9..1"
}
mirror_session "b" {
  source = sources.own
  target = "tmt-0a1b2c3d4e5f67890"
  filter = mirror_filter.none
  number = "one"
}
output "sessions" { value = mirror_session.b[*].id }
output "sources" { value = sources }
"#,
    ), @r#"
    error[MP0104]: `sources.own` refers to `vpc.own`, which this stack creates
     --> test.mirror.hcl:4:1
      |
    4 | sources "own" { vpc = vpc.own }
      | ^^^^^^^^^^^^^
      |
      = note: sources are looked up before anything is created
      = help: name an `existing` object; what this stack creates needs a session of its own

    error[MP0005]: it does not say which interfaces are meant
     --> test.mirror.hcl:5:1
      |
    5 | sources "any" {}
      | ^^^^^^^^^^^^^
      |
      = help: give `tags`, `vpc`, `subnets`, `security_groups`, `autoscaling_groups`, `instances` or `network_interfaces`

    error[MP0004]: the sources block has no attribute `subnet`
     --> test.mirror.hcl:8:3
      |
    8 |   subnet = "subnet-0a1b2c3d4e5f67890"
      |   ^^^^^^
      |
    help: did you mean `subnets`?
      |
    8 |   subnets = "subnet-0a1b2c3d4e5f67890"
      |         +

    error[MP0007]: `9..4` ends before it begins
     --> test.mirror.hcl:9:12
      |
    9 |   expect = "9..4"
      |            ^^^^^^

    error[MP0007]: `no` is not one of `exact` and `count`
      --> test.mirror.hcl:10:12
       |
    10 |   review = "no"
       |            ^^^^

    error[MP0008]: `sources.odd` is declared twice
      --> test.mirror.hcl:12:1
       |
     6 | sources "odd" {
       | ------------- first declared here
    ...
    12 | sources "odd" { tags = { mirror = "true" } }
       | ^^^^^^^^^^^^^ declared again here

    error[MP0101]: there is no `sources` block `webb`
      --> test.mirror.hcl:15:20
       |
    15 |   source = sources.webb
       |                    ^^^^
       |
       = note: available: `any`, `odd` and `own`

    error[MP0006]: expected a whole number, found a string
      --> test.mirror.hcl:18:12
       |
    18 |   number = "9..1"
       |            ^^^^^^

    error[MP0301]: the stack declares no `mirror_filter.none`
      --> test.mirror.hcl:23:12
       |
    23 |   filter = mirror_filter.none
       |            ^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `mirror_filter.all`?
       |
    23 -   filter = mirror_filter.none
    23 +   filter = mirror_filter.all
       |

    error[MP0006]: expected a whole number, found a string
      --> test.mirror.hcl:24:12
       |
    24 |   number = "one"
       |            ^^^^^

    error[MP0104]: `mirror_session.b` is a session for each of its sources
      --> test.mirror.hcl:26:29
       |
    26 | output "sessions" { value = mirror_session.b[*].id }
       |                             ^^^^^^^^^^^^^^^^ referred to here
       |
       = note: the sources are found only when the stack is planned

    error[MP0101]: `sources` alone is not a value
      --> test.mirror.hcl:27:28
       |
    27 | output "sources" { value = sources }
       |                            ^^^^^^^
       |
       = help: write `sources.NAME`
    "#);
}
