//! Blocks and their attributes.

use insta::assert_snapshot;

use super::{Inputs, StackFile, check, source};

#[test]
fn there_is_exactly_one_stack_block() {
    assert_snapshot!(check("# stack \"\nvpc \"a\" { cidr = \"10.0.0.0/16\" }"), @r#"
    error[MP0009]: there is no `stack` block
     --> test.mirror.hcl:2:1
      |
    2 | vpc "a" { cidr = "10.0.0.0/16" }
      | ^
      |
      = help: begin the file with `stack "NAME" { region = "eu-west-1" }`
    "#);
    assert_snapshot!(check("stack \"a\" {}\nstack \"b\" {}"), @r#"
    error[MP0009]: there are two `stack` blocks
     --> test.mirror.hcl:2:1
      |
    1 | stack "a" {}
      | --------- first here
    2 | stack "b" {}
      | ^^^^^^^^^ again here
      |
      = help: a stack file describes one stack
    "#);
    assert_snapshot!(check("stack \"a b\" {}"), @r#"
    error[MP0003]: `a b` is not a name: a letter or _ first, then letters, digits, _ and -, at most 64 characters
     --> test.mirror.hcl:1:7
      |
    1 | stack "a b" {}
      |       ^^^^^
    "#);
    assert_snapshot!(check("stack {}\n# stack \""), @r#"
    error[MP0003]: `stack` needs exactly one name
     --> test.mirror.hcl:1:1
      |
    1 | stack {}
      | ^^^^^
      |
      = help: write `stack "NAME" {`
    "#);
    assert_snapshot!(check("stack \"a\" {\n  regoin  = \"eu-west-1\"\n  region  = \"europe\"\n  account = 12\n  tags    = { a = [] }\n}"), @r#"
    error[MP0004]: the stack has no attribute `regoin`
     --> test.mirror.hcl:2:3
      |
    2 |   regoin  = "eu-west-1"
      |   ^^^^^^
      |
    help: did you mean `region`?
      |
    2 -   regoin  = "eu-west-1"
    2 +   region  = "eu-west-1"
      |

    error[MP0007]: `europe` is not a Region such as eu-west-1
     --> test.mirror.hcl:3:13
      |
    3 |   region  = "europe"
      |             ^^^^^^^^

    error[MP0007]: `12` is not an account: twelve digits
     --> test.mirror.hcl:4:13
      |
    4 |   account = 12
      |             ^^

    error[MP0006]: expected a string, found a list
     --> test.mirror.hcl:5:19
      |
    5 |   tags    = { a = [] }
      |                   ^^
    "#);
}

#[test]
fn the_stack_block_says_where() {
    let text = "stack \"a\" {\n  region  = \"eu-west-1\"\n  account = \"123456789012\"\n  tags = { team = local.team, a = 1 }\n}\nlocals { team = \"net\" }\nvpc \"v\" {\n  cidr = \"10.0.0.0/16\"\n  tags = { a = 2 }\n}";
    let (stack, _) = StackFile::parse(source(text)).unwrap().stack(&Inputs::new()).unwrap();
    assert_snapshot!(format!("{:?} {:?} {:?}", stack.name, stack.region, stack.account), @r#"Name("a") Some(Region("eu-west-1")) Some(AccountId("123456789012"))"#);
    let tags = stack.resources.values().next().unwrap().resource.tags();
    assert_snapshot!(format!("{tags:?}"), @r#"{"Name": "v", "a": "2", "team": "net"}"#);
}

#[test]
fn unknown_blocks() {
    assert_snapshot!(check("vcp \"a\" {}"), @r#"
    error[MP0002]: there is no block type `vcp`
     --> test.mirror.hcl:1:1
      |
    1 | vcp "a" {}
      | ^^^
      |
    help: did you mean `vpc`?
      |
    1 - vcp "a" {}
    1 + vpc "a" {}
      |
    "#);
    assert_snapshot!(check("resource \"aws_vpc\" \"a\" {}"), @r#"
    error[MP0002]: there is no block type `resource`
     --> test.mirror.hcl:1:1
      |
    1 | resource "aws_vpc" "a" {}
      | ^^^^^^^^
      |
      = help: the kind is the block: `vpc "NAME" {`
    "#);
    assert_snapshot!(check("data \"aws_vpc\" \"a\" {}"), @r#"
    error[MP0002]: there is no block type `data`
     --> test.mirror.hcl:1:1
      |
    1 | data "aws_vpc" "a" {}
      | ^^^^
      |
      = help: write `existing "vpc" "NAME" {`
    "#);
    assert_snapshot!(check("region = \"eu-west-1\""), @r#"
    error[MP0002]: `region` is outside any block
     --> test.mirror.hcl:1:1
      |
    1 | region = "eu-west-1"
      | ^^^^^^
      |
      = help: put it into a block; values of your own belong in `locals { ... }`
    "#);
    assert_snapshot!(check("security_group \"a\" {\n  vpc = vpc.v\n  ingress {\n    port = 22\n  }\n}\nvpc \"v\" { cidr = \"10.0.0.0/16\" }"), @"
    error[MP0002]: the security group cannot contain blocks, but `ingress` is one
     --> test.mirror.hcl:3:3
      |
    3 |   ingress {
      |   ^^^^^^^
      |
      = help: it is an attribute: write `ingress = ...`
    ");
}

#[test]
fn labels() {
    assert_snapshot!(check("vpc {\n  cidr = \"10.0.0.0/16\"\n}"), @r#"
    error[MP0003]: `vpc` needs a name
     --> test.mirror.hcl:1:1
      |
    1 | vpc {
      | ^^^
      |
      = help: write `vpc "NAME" {`
    "#);
    assert_snapshot!(check("vpc \"a\" \"b\" {\n  cidr = \"10.0.0.0/16\"\n}"), @r#"
    error[MP0003]: `vpc` takes only one name
     --> test.mirror.hcl:1:9
      |
    1 | vpc "a" "b" {
      |         ^^^ one too many
    "#);
    assert_snapshot!(check("vpc \"a b\" {\n  cidr = \"10.0.0.0/16\"\n}"), @r#"
    error[MP0003]: `a b` is not a name: a letter or _ first, then letters, digits, _ and -, at most 64 characters
     --> test.mirror.hcl:1:5
      |
    1 | vpc "a b" {
      |     ^^^^^
    "#);
    assert_snapshot!(check("locals \"a\" {\n}"), @r#"
    error[MP0003]: `locals` takes no label
     --> test.mirror.hcl:1:8
      |
    1 | locals "a" {
      |        ^^^
    "#);
    assert_snapshot!(check("vpc lab { cidr = \"10.0.0.0/16\" }"), @"vpc.lab");
}

#[test]
fn names_declared_twice() {
    assert_snapshot!(check("vpc \"a\" { cidr = \"10.0.0.0/16\" }\nvpc \"a\" { cidr = \"10.1.0.0/16\" }"), @r#"
    error[MP0008]: `vpc.a` is declared twice
     --> test.mirror.hcl:2:1
      |
    1 | vpc "a" { cidr = "10.0.0.0/16" }
      | ------- first declared here
    2 | vpc "a" { cidr = "10.1.0.0/16" }
      | ^^^^^^^ declared again here
    "#);
    assert_snapshot!(check("locals { a = 1 }\nlocals { a = 2 }"), @"
    error[MP0008]: `local.a` is declared twice
     --> test.mirror.hcl:2:10
      |
    1 | locals { a = 1 }
      |          - first declared here
    2 | locals { a = 2 }
      |          ^ declared again here
    ");
    assert_snapshot!(check("variable \"a\" { default = 1 }\nvariable \"a\" { default = 1 }"), @r#"
    error[MP0008]: `var.a` is declared twice
     --> test.mirror.hcl:2:1
      |
    1 | variable "a" { default = 1 }
      | ------------ first declared here
    2 | variable "a" { default = 1 }
      | ^^^^^^^^^^^^ declared again here
    "#);
    assert_snapshot!(check("output \"a\" { value = 1 }\noutput \"a\" { value = 1 }"), @r#"
    error[MP0008]: `output.a` is declared twice
     --> test.mirror.hcl:2:1
      |
    1 | output "a" { value = 1 }
      | ---------- first declared here
    2 | output "a" { value = 1 }
      | ^^^^^^^^^^ declared again here
    "#);
}

#[test]
fn attributes_that_are_wrong_come_out_at_once() {
    assert_snapshot!(check(
"vpc \"lab\" {
  cdir = \"10.0.0.0/16\"
  cidr = \"10.0.0.0/8\"
  dns_support = \"maybe\"
  tags = [\"a\"]
}

subnet \"a\" {
  vpc = subnet.b
}

subnet \"b\" {
  vpc  = vpc.lab
  cidr = 1 / 0
  wrong = 1
}

mirror_filter \"f\" {
  rules = [
    { number = 100, action = \"accept\", protocl = \"tcp\" },
    { number = 0, action = \"allow\" },
    { action = \"accept\", port = \"http\" },
  ]
}

load_balancer \"n\" {
  subnets = []
  name    = \"internal-x\"
}"), @r#"
    error[MP0004]: the VPC has no attribute `cdir`
     --> test.mirror.hcl:2:3
      |
    2 |   cdir = "10.0.0.0/16"
      |   ^^^^
      |
    help: did you mean `cidr`?
      |
    2 -   cdir = "10.0.0.0/16"
    2 +   cidr = "10.0.0.0/16"
      |

    error[MP0007]: `10.0.0.0/8`: a VPC or subnet must be between /16 and /28
     --> test.mirror.hcl:3:10
      |
    3 |   cidr = "10.0.0.0/8"
      |          ^^^^^^^^^^^^

    error[MP0006]: expected true or false, found a string
     --> test.mirror.hcl:4:17
      |
    4 |   dns_support = "maybe"
      |                 ^^^^^^^

    error[MP0006]: expected an object of strings, found a list
     --> test.mirror.hcl:5:10
      |
    5 |   tags = ["a"]
      |          ^^^^^

    error[MP0005]: `cidr` is required
     --> test.mirror.hcl:8:1
      |
    8 | subnet "a" {
      | ^^^^^^^^^^

    error[MP0006]: expected a `vpc`, found the subnet `subnet.b`
     --> test.mirror.hcl:9:9
      |
    9 |   vpc = subnet.b
      |         ^^^^^^^^

    error[MP0102]: division by zero
      --> test.mirror.hcl:14:10
       |
    14 |   cidr = 1 / 0
       |          ^^^^^

    error[MP0004]: the subnet has no attribute `wrong`
      --> test.mirror.hcl:15:3
       |
    15 |   wrong = 1
       |   ^^^^^
       |
       = help: it has `vpc`, `cidr`, `availability_zone`, `public_ip_on_launch`, `tags`, `count` and `when`

    error[MP0004]: the filter rule has no attribute `protocl`
      --> test.mirror.hcl:20:40
       |
    20 |     { number = 100, action = "accept", protocl = "tcp" },
       |                                        ^^^^^^^
       |
    help: did you mean `protocol`?
       |
    20 |     { number = 100, action = "accept", protocol = "tcp" },
       |                                              +

    error[MP0007]: 0 is not between 1 and 32766
      --> test.mirror.hcl:21:16
       |
    21 |     { number = 0, action = "allow" },
       |                ^

    error[MP0007]: `allow` is not one of `accept` and `reject`
      --> test.mirror.hcl:21:28
       |
    21 |     { number = 0, action = "allow" },
       |                            ^^^^^^^

    error[MP0005]: `number` is required
      --> test.mirror.hcl:22:5
       |
    22 |     { action = "accept", port = "http" },
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[MP1010]: `http` is not a port or a range such as 80-90
      --> test.mirror.hcl:22:33
       |
    22 |     { action = "accept", port = "http" },
       |                                 ^^^^^^

    error[MP1028]: `internal-x` is not a valid name: at most 32 letters, digits and -, no - at either end, not beginning with internal-
      --> test.mirror.hcl:28:13
       |
    28 |   name    = "internal-x"
       |             ^^^^^^^^^^^^
    "#);
}

#[test]
fn values_that_must_be_known() {
    assert_snapshot!(check("vpc \"a\" { cidr = \"10.0.0.0/16\" }\nvpc \"b\" { cidr = vpc.a.id }\nmirror_filter \"f\" { description = \"for ${vpc.a.id}\" }"), @r#"
    error[MP0104]: this must be known when planning, but is (known after apply: vpc.a.id)
     --> test.mirror.hcl:2:18
      |
    2 | vpc "b" { cidr = vpc.a.id }
      |                  ^^^^^^^^
      |
      = help: use a value that does not depend on what apply creates
    "#);
    assert_snapshot!(check("vpc \"a\" { cidr = \"10.0.0.0/16\" }\nmirror_filter \"f\" { description = format(\"%s\", vpc.a.id) }"), @r#"
    error[MP0104]: this is computed from a value that is known after apply: vpc.a.id
     --> test.mirror.hcl:2:35
      |
    2 | mirror_filter "f" { description = format("%s", vpc.a.id) }
      |                                   ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: only plain references and templates ("${...}") may wait for apply
    "#);
}

#[test]
fn rules_may_come_from_a_loop() {
    assert_snapshot!(check("locals { ports = [443, 0] }\nmirror_filter \"f\" {\n  rules = [for i, p in local.ports : { number = 100 + i, action = \"accept\", protocol = \"tcp\", prt = p }]\n}"), @r#"
    error[MP0004]: the filter rule has no attribute `prt`
     --> test.mirror.hcl:3:95
      |
    3 |   rules = [for i, p in local.ports : { number = 100 + i, action = "accept", protocol = "tcp", prt = p }]
      |                                                                                               ^^^
      |
    help: did you mean `port`?
      |
    3 |   rules = [for i, p in local.ports : { number = 100 + i, action = "accept", protocol = "tcp", port = p }]
      |                                                                                                +
    "#);
}

#[test]
fn a_mistake_in_a_block_with_count_is_said_once() {
    assert_snapshot!(check("vpc \"a\" {\n  count = 1000\n  cidr  = \"10.0.0.0/99\"\n}"), @r#"
    error[MP0007]: `10.0.0.0/99` is not an IPv4 range such as 10.0.0.0/16
     --> test.mirror.hcl:3:11
      |
    3 |   cidr  = "10.0.0.0/99"
      |           ^^^^^^^^^^^^^
    "#);
}

#[test]
fn outputs_need_a_value() {
    assert_snapshot!(check("output \"x\" { description = \"nothing\" }\noutput \"y\" {\n  value = 1\n  description = []\n}"), @r#"
    error[MP0005]: the output `x` needs a `value`
     --> test.mirror.hcl:1:1
      |
    1 | output "x" { description = "nothing" }
      | ^^^^^^^^^^

    error[MP0006]: expected a string, found a list
     --> test.mirror.hcl:4:17
      |
    4 |   description = []
      |                 ^^
    "#);
}

#[test]
fn a_failed_resource_is_not_also_missing() {
    assert_snapshot!(check("vpc \"a\" { cidr = \"x\" }\nsubnet \"s\" {\n  vpc  = vpc.a\n  cidr = \"10.0.0.0/24\"\n}"), @r#"
    error[MP0007]: `x` is not an IPv4 range such as 10.0.0.0/16
     --> test.mirror.hcl:1:18
      |
    1 | vpc "a" { cidr = "x" }
      |                  ^^^
    "#);
}

#[test]
fn a_security_group_is_open_to_the_world_only_in_words() {
    let group = |words: &str, range: &str| {
        check(&format!(
            "stack \"a\" {{}}\nsecurity_group \"web\" {{\n  vpc = \"vpc-0a1b2c3d\"\n  ingress = [{{ \
             protocol = \"tcp\", port = 443, cidrs = [\"{range}\"] }}]\n{words}}}"
        ))
    };
    assert_snapshot!(group("", "0.0.0.0/0"), @r#"
    error[MP0305]: the rule `tcp 443 0.0.0.0/0` lets the whole world in
     --> test.mirror.hcl:4:13
      |
    4 |   ingress = [{ protocol = "tcp", port = 443, cidrs = ["0.0.0.0/0"] }]
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name the ranges or groups that need it, or confirm that it is intended: open_to_world = true
    "#);
    for range in ["::/0", "0.0.0.0/1", "2000::/3"] {
        assert!(group("", range).contains("error[MP0305]"), "{range}");
        assert!(group("open_to_world = false\n", range).contains("error[MP0305]"), "{range}");
        assert_eq!(group("open_to_world = true\n", range), "security_group.web\n", "{range}");
    }
    for range in ["10.0.0.0/8", "fc00::/7", "203.0.113.7/32"] {
        assert_eq!(group("", range), "security_group.web\n", "{range}");
    }
}
