//! `existing` blocks.

use insta::assert_snapshot;

use super::{Inputs, StackFile, check, source};

#[test]
fn a_reference_to_an_existing_object_waits_for_it() {
    let text = r#"
stack "sensors" {}
variable "id" { default = "vpc-0a1b2c3d4e5f67890" }
existing "vpc" "main" {
  id   = var.id
  tags = { env = "prod" }
}
existing "load_balancer" "sensors" { name = "sensors" }
subnet "own" {
  vpc  = vpc.main
  cidr = "10.0.1.0/24"
}
mirror_target "nlb" {
  load_balancer = load_balancer.sensors
  description   = "in ${vpc.main.cidr}"
}
"#;
    let (stack, _) = StackFile::parse(source(text)).unwrap().stack(&Inputs::new()).unwrap();
    let selectors = stack.existing.iter();
    let selectors: Vec<String> =
        selectors.map(|(address, existing)| format!("{address}: {}", existing.selector)).collect();
    assert_snapshot!(selectors.join("\n"), @r#"
    vpc.main: id vpc-0a1b2c3d4e5f67890, tag env = "prod"
    load_balancer.sensors: name "sensors"
    "#);
    let resources = stack.resources.iter();
    let resources: Vec<String> = resources
        .map(|(address, declared)| format!("{address} {}", declared.resource.to_value()))
        .collect();
    assert_snapshot!(resources.join("\n"), @r#"
    subnet.own { availability_zone = null, cidr = "10.0.1.0/24", public_ip_on_launch = false, tags = { Name = "own" }, vpc = (known after apply: vpc.main.id) }
    mirror_target.nlb { description = (known after apply: vpc.main.cidr), gateway_load_balancer_endpoint = null, load_balancer = (known after apply: load_balancer.sensors.id), network_interface = null, tags = { Name = "nlb" } }
    "#);
}

#[test]
fn what_is_wrong_with_existing_blocks_is_said_at_once() {
    assert_snapshot!(check(
        r#"
stack "sensors" {}
existing "vpcs" "main" { id = "vpc-0a1b2c3d4e5f67890" }
existing "vpc" { id = "vpc-0a1b2c3d4e5f67890" }
existing "vpc" "wrong" { id = "subnet-0a1b2c3d4e5f67890" }
existing "vpc" "open" {}
existing "vpc" "late" { name = vpc.own.id }
existing "vpc" "foreign" {
  id    = "vpc-0a1b2c3d4e5f67890"
  owner = "222233334444"
}
existing "mirror_target" "foreign" {
  name  = "foreign"
  owner = "222233334444"
}
existing "vpc" "own" {
  name = "own"
  vpc  = "x"
}
vpc "own" { cidr = "10.0.0.0/16" }
subnet "a" {
  vpc  = vpc.mine
  cidr = vpc.own.cidr
}
"#,
    ), @r#"
    error[MP0002]: there is no kind `vpcs`
     --> test.mirror.hcl:3:10
      |
    3 | existing "vpcs" "main" { id = "vpc-0a1b2c3d4e5f67890" }
      |          ^^^^^^
      |
    help: did you mean `vpc`?
      |
    3 - existing "vpcs" "main" { id = "vpc-0a1b2c3d4e5f67890" }
    3 + existing "vpc" "main" { id = "vpc-0a1b2c3d4e5f67890" }
      |

    error[MP0003]: `existing` needs a kind and a name
     --> test.mirror.hcl:4:1
      |
    4 | existing "vpc" { id = "vpc-0a1b2c3d4e5f67890" }
      | ^^^^^^^^^^^^^^
      |
      = help: write `existing "vpc" "NAME" {`

    error[MP0007]: `subnet-0a1b2c3d4e5f67890` is not a valid VPC id: expected vpc- and 17 hexadecimal digits
     --> test.mirror.hcl:5:31
      |
    5 | existing "vpc" "wrong" { id = "subnet-0a1b2c3d4e5f67890" }
      |                               ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[MP0007]: it needs an `id`, a `name` or `tags` to be recognized by
     --> test.mirror.hcl:6:1
      |
    6 | existing "vpc" "open" {}
      | ^^^^^^^^^^^^^^^^^^^^^

    error[MP0104]: this must be known when planning
     --> test.mirror.hcl:7:32
      |
    7 | existing "vpc" "late" { name = vpc.own.id }
      |                                ^^^^^^^^^^ it is (known after apply: vpc.own.id)
      |
      = help: use a value that does not depend on what apply creates

    error[MP0007]: only a mirror target can belong to another account
      --> test.mirror.hcl:10:11
       |
    10 |   owner = "222233334444"
       |           ^^^^^^^^^^^^^^

    error[MP0007]: a mirror target of another account needs an `id`: its tags are not shared
      --> test.mirror.hcl:14:11
       |
    14 |   owner = "222233334444"
       |           ^^^^^^^^^^^^^^

    error[MP0008]: `vpc.own` is declared both as a resource and as `existing`
      --> test.mirror.hcl:16:1
       |
    16 | existing "vpc" "own" {
       | ^^^^^^^^^^^^^^^^^^^^ as `existing` here
    ...
    20 | vpc "own" { cidr = "10.0.0.0/16" }
       | --------- as a resource here

    error[MP0004]: the existing object has no attribute `vpc`
      --> test.mirror.hcl:18:3
       |
    18 |   vpc  = "x"
       |   ^^^
       |
       = help: it has `id`, `name`, `tags`, `owner` and `aws`

    error[MP0301]: the stack declares no `vpc.mine`
      --> test.mirror.hcl:22:10
       |
    22 |   vpc  = vpc.mine
       |          ^^^^^^^^
       |
       = help: it declares `vpc.own`, `vpc.foreign`, `vpc.late`, `vpc.open`, `vpc.own` and `vpc.wrong`

    error[MP0104]: this must be known when planning, but is (known after apply: vpc.own.cidr)
      --> test.mirror.hcl:23:10
       |
    23 |   cidr = vpc.own.cidr
       |          ^^^^^^^^^^^^
       |
       = help: use a value that does not depend on what apply creates
    "#);
}
