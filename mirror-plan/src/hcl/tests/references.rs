//! References between blocks, and values that are known only after apply.

use insta::assert_snapshot;

use super::{Inputs, StackFile, Value, check, evaluate, source};

#[test]
fn configured_attributes_are_known_and_others_have_an_origin() {
    assert_snapshot!(evaluate("[vpc.lab.cidr, vpc.lab.dns_support, vpc.lab.id, subnet.lab.vpc.id]"), @r#"["10.0.0.0/16", true, (known after apply: vpc.lab.id), (known after apply: vpc.lab.id)]"#);
    assert_snapshot!(evaluate("[instance.web.private_ip, instance.sensor[0].private_ip, instance.web.key_name, instance.web.ami]"), @r#"[(known after apply: instance.web.private_ip), "10.0.1.10", null, (known after apply: instance.web.ami)]"#);
}

#[test]
fn unknown_values_spread_with_their_origins() {
    assert_snapshot!(evaluate(r#""ssh ${instance.web.public_ip} in ${vpc.lab.id}""#), @"(known after apply: vpc.lab.id, instance.web.public_ip)");
    assert_snapshot!(evaluate(r#"vpc.lab.id == "vpc-1" ? subnet.lab.id : "none""#), @"(known after apply: vpc.lab.id, subnet.lab.id)");
    assert_snapshot!(evaluate(r#"[length([vpc.lab.id]), length(vpc.lab.id), format("%s", vpc.lab.id), keys({ a = vpc.lab.id })]"#), @r#"[1, (known after apply: vpc.lab.id), (known after apply: vpc.lab.id), ["a"]]"#);
    assert_snapshot!(evaluate(r#"join(",", instance.sensor[*].public_ip)"#), @"(known after apply: instance.sensor[0].public_ip, instance.sensor[1].public_ip)");
    assert_snapshot!(evaluate(r#"[false && vpc.lab.id == "", vpc.lab.id == "" && false, vpc.lab.id == "" || false]"#), @"[false, false, (known after apply: vpc.lab.id)]");
    assert_snapshot!(evaluate(r#"{ (vpc.lab.id) = 1 }"#), @"(known after apply: vpc.lab.id)");
    assert_snapshot!(evaluate(r#"[for x in [vpc.lab.id] : "<${x}>"]"#), @"[(known after apply: vpc.lab.id)]");
    assert_snapshot!(evaluate(r#"[for x in [1] : x if vpc.lab.id == ""]"#), @"(known after apply: vpc.lab.id)");
    assert_snapshot!(evaluate("local.ports[length(vpc.lab.id)]"), @"(known after apply: vpc.lab.id)");
    assert_snapshot!(evaluate("vpc.lab.id.x"), @"(known after apply: vpc.lab.id)");
    assert_snapshot!(evaluate(r#""%{ if vpc.lab.id == "" }a%{ endif }b""#), @"(known after apply: vpc.lab.id)");
}

#[test]
fn blocks_with_count_are_lists() {
    assert_snapshot!(evaluate("[instance.sensor[1].private_ip, instance.sensor[*].private_ip, length(instance.sensor), [for s in instance.sensor : s.id]]"), @r#"["10.0.1.11", ["10.0.1.10", "10.0.1.11"], 2, [(known after apply: instance.sensor[0].id), (known after apply: instance.sensor[1].id)]]"#);
    assert_snapshot!(evaluate("instance.sensor[2].id"), @"
    error[MP0102]: there is no element 2: the list has [0] to [1]
     --> test.mirror.hcl:2:26
      |
    2 |   value = instance.sensor[2].id
      |                          ^^^
    ");
    assert_snapshot!(evaluate("instance.sensor.id"), @"
    error[MP0102]: there is no `.id` here
     --> test.mirror.hcl:2:27
      |
    2 |   value = instance.sensor.id
      |                           ^^ after a list
      |
      = help: take one element with `[0].id`, or all with `[*].id`
    ");
    assert_snapshot!(evaluate("instance.web[0].id"), @"
    error[MP0102]: only lists and objects have elements
     --> test.mirror.hcl:2:23
      |
    2 |   value = instance.web[0].id
      |                       ^^^ after a resource
      |
      = help: `instance.web` is one resource: it has no `count`
    ");
}

#[test]
fn references_that_lead_nowhere() {
    assert_snapshot!(evaluate("vpc.lap.id"), @"
    error[MP0301]: the stack declares no `vpc.lap`
     --> test.mirror.hcl:2:11
      |
    2 |   value = vpc.lap.id
      |           ^^^^^^^
      |
    help: did you mean `vpc.lab`?
      |
    2 -   value = vpc.lap.id
    2 +   value = vpc.lab.id
      |
    ");
    assert_snapshot!(evaluate("mirror_target.nlb.id"), @r#"
    error[MP0301]: the stack declares no `mirror_target.nlb`
     --> test.mirror.hcl:2:11
      |
    2 |   value = mirror_target.nlb.id
      |           ^^^^^^^^^^^^^^^^^
      |
      = help: declare it: `mirror_target "nlb" { ... }`
    "#);
    assert_snapshot!(evaluate("vpc.lab.cdir"), @"
    error[MP0101]: the VPC has no attribute `cdir`
     --> test.mirror.hcl:2:19
      |
    2 |   value = vpc.lab.cdir
      |                   ^^^^
      |
    help: did you mean `cidr`?
      |
    2 -   value = vpc.lab.cdir
    2 +   value = vpc.lab.cidr
      |
    ");
    assert_snapshot!(evaluate("vpc.lab.count"), @"
    error[MP0101]: the VPC has no attribute `count`
     --> test.mirror.hcl:2:19
      |
    2 |   value = vpc.lab.count
      |                   ^^^^^
      |
      = note: available: `cidr`, `dns_hostnames`, `dns_support`, `id` and `tags`
    ");
    assert_snapshot!(evaluate("vpc"), @"
    error[MP0101]: `vpc` alone is not a value
     --> test.mirror.hcl:2:11
      |
    2 |   value = vpc
      |           ^^^
      |
      = help: write `vpc.NAME`
    ");
}

#[test]
fn a_whole_resource_is_no_text() {
    assert_snapshot!(evaluate(r#""vpc: ${vpc.lab}""#), @r#"
    error[MP0106]: `vpc.lab` is a whole resource, but text is needed here
     --> test.mirror.hcl:2:19
      |
    2 |   value = "vpc: ${vpc.lab}"
      |                   ^^^^^^^
      |
    help: name the attribute you mean
      |
    2 |   value = "vpc: ${vpc.lab.id}"
      |                          +++
    "#);
    assert_snapshot!(evaluate(r#""${vpc.lab}""#), @r#"
    error[MP0106]: `vpc.lab` is a whole resource, but text is needed here
     --> test.mirror.hcl:2:14
      |
    2 |   value = "${vpc.lab}"
      |              ^^^^^^^
      |
    help: name the attribute you mean
      |
    2 |   value = "${vpc.lab.id}"
      |                     +++
    "#);
    assert_snapshot!(evaluate("vpc.lab"), @"
    error[MP0106]: `vpc.lab` is a whole resource, but an output must be a value
     --> test.mirror.hcl:2:11
      |
    2 |   value = vpc.lab
      |           ^^^^^^^
      |
    help: name the attribute you mean
      |
    2 |   value = vpc.lab.id
      |                  +++
    ");
    assert_snapshot!(evaluate("instance.sensor"), @"
    error[MP0106]: `instance.sensor[0]` is a whole resource, but an output must be a value
     --> test.mirror.hcl:2:11
      |
    2 |   value = instance.sensor
      |           ^^^^^^^^^^^^^^^
      |
      = help: name the attribute you mean, such as `.id`
    ");
}

#[test]
fn circles_are_named() {
    assert_snapshot!(check("locals {\n  a = local.b\n  b = [local.c]\n  c = local.a\n}\noutput \"x\" { value = local.b }"), @"
    error[MP0105]: these values depend on each other in a circle
     --> test.mirror.hcl:2:3
      |
    2 |   a = local.b
      |   ^ local.a
    3 |   b = [local.c]
      |   - local.b
    4 |   c = local.a
      |   - local.c
      |
      = note: local.a -> local.b -> local.c -> local.a
    ");
    assert_snapshot!(check("vpc \"a\" { cidr = vpc.a.cidr }"), @r#"
    error[MP0105]: vpc.a.cidr depends on itself
     --> test.mirror.hcl:1:11
      |
    1 | vpc "a" { cidr = vpc.a.cidr }
      |           ^^^^ vpc.a.cidr
      |
      = note: vpc.a.cidr -> vpc.a.cidr
    "#);
    assert_snapshot!(check("vpc \"a\" {\n  count = length(vpc.a)\n  cidr  = \"10.0.0.0/16\"\n}"), @"
    error[MP0105]: the count of vpc.a depends on itself
     --> test.mirror.hcl:2:3
      |
    2 |   count = length(vpc.a)
      |   ^^^^^ the count of vpc.a
      |
      = note: the count of vpc.a -> the count of vpc.a
    ");
    assert_snapshot!(check("subnet \"a\" {\n  vpc  = vpc.v\n  cidr = subnet.b.cidr\n}\nsubnet \"b\" {\n  vpc  = vpc.v\n  cidr = subnet.a.cidr\n}\nvpc \"v\" { cidr = \"10.0.0.0/16\" }"), @"
    error[MP0105]: these values depend on each other in a circle
     --> test.mirror.hcl:3:3
      |
    3 |   cidr = subnet.b.cidr
      |   ^^^^ subnet.a.cidr
    ...
    7 |   cidr = subnet.a.cidr
      |   ---- subnet.b.cidr
      |
      = note: subnet.a.cidr -> subnet.b.cidr -> subnet.a.cidr
    ");
}

#[test]
fn a_mistake_in_a_local_is_said_once() {
    assert_snapshot!(check("locals { a = 1 / 0 }\noutput \"x\" { value = local.a }\noutput \"y\" { value = [local.a, local.a] }"), @"
    error[MP0102]: division by zero
     --> test.mirror.hcl:1:14
      |
    1 | locals { a = 1 / 0 }
      |              ^^^^^
    ");
}

#[test]
fn what_is_switched_off_is_not_there() {
    let off = "vpc \"a\" {\n  when = false\n  cidr = \"10.0.0.0/16\"\n}\n";
    assert_snapshot!(check(off), @"");
    assert_snapshot!(check(&format!("{off}output \"x\" {{ value = vpc.a.id }}")), @r#"
    error[MP0301]: `vpc.a` does not exist: its `when` is false
     --> test.mirror.hcl:5:22
      |
    2 |   when = false
      |   ------------ switched off here
    ...
    5 | output "x" { value = vpc.a.id }
      |                      ^^^^^ referred to here
      |
      = help: refer to it only where the same condition holds
    "#);
    assert_snapshot!(check(&format!("{off}output \"x\" {{ value = try(vpc.a.id, null) }}")), @"x = null");
}

#[test]
fn count_and_when_must_be_known_and_right() {
    let vpc = "vpc \"v\" { cidr = \"10.0.0.0/16\" }\n";
    let other = |line: &str| format!("{vpc}vpc \"a\" {{\n  {line}\n  cidr = \"10.1.0.0/16\"\n}}");
    assert_snapshot!(check(&other("when = vpc.v.id == \"\"")), @r#"
    error[MP0104]: this must be known when planning
     --> test.mirror.hcl:3:10
      |
    3 |   when = vpc.v.id == ""
      |          ^^^^^^^^^^^^^^ it is (known after apply: vpc.v.id)
      |
      = help: use a value that does not depend on what apply creates
    "#);
    assert_snapshot!(check(&other("count = length(vpc.v.id)")), @"
    error[MP0104]: this must be known when planning
     --> test.mirror.hcl:3:11
      |
    3 |   count = length(vpc.v.id)
      |           ^^^^^^^^^^^^^^^^ it is (known after apply: vpc.v.id)
      |
      = help: use a value that does not depend on what apply creates
    ");
    assert_snapshot!(check(&other("count = 1.5")), @"
    error[MP0006]: `count` must be a whole number from 0 to 100000
     --> test.mirror.hcl:3:11
      |
    3 |   count = 1.5
      |           ^^^ this is 1.5
    ");
    assert_snapshot!(check(&other("count = -1")), @"
    error[MP0006]: `count` must be a whole number from 0 to 100000
     --> test.mirror.hcl:3:11
      |
    3 |   count = -1
      |           ^^ this is -1
    ");
    assert_snapshot!(check(&other("count = \"many\"")), @r#"
    error[MP0006]: `count` must be a whole number from 0 to 100000
     --> test.mirror.hcl:3:11
      |
    3 |   count = "many"
      |           ^^^^^^ this is a string
    "#);
    assert_snapshot!(check(&other("when = \"perhaps\"")), @r#"
    error[MP0006]: `when` must be true or false
     --> test.mirror.hcl:3:10
      |
    3 |   when = "perhaps"
      |          ^^^^^^^^^ this is a string
    "#);
    assert_snapshot!(check(&other("count = 2")), @"
    vpc.a[0]
    vpc.a[1]
    vpc.v
    ");
    assert_snapshot!(check(&other("count = 0")), @"vpc.v");
}

#[test]
fn outputs_are_evaluated_again_with_what_is_known_then() {
    let text = "stack \"t\" {}\nvpc \"lab\" { cidr = \"10.0.0.0/16\" }\n\
                output \"x\" { value = length(\"${vpc.lab.id}!\") }";
    let file = StackFile::parse(source(text)).unwrap();
    let known = |origin: &crate::value::Origin| Some(Value::String(format!("<{origin}>")));
    let outputs = file.outputs(&Inputs::new(), &known).unwrap();
    assert_snapshot!(outputs["x"].value, @"13");
}

#[test]
fn names_are_checked_where_nothing_asks_for_their_values() {
    assert_snapshot!(check(r#"
locals {
  unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
  called = [typo(local.missing), length(), [for x in [] : y]]
  branch = true ? 1 : local.typo
  text   = "%{ for i, x in [] }${i}${x}${z}%{ endfor }"
  caught = try(local.typo, 1)
}
vpc "lab" { cidr = "10.0.0.0/16" }
vpc "off" {
  when = false
  cidr = local.typo
  tags = { Name = count.index == 0 ? "a" : "b" }
}
subnet "none" {
  count = 0
  vpc   = vpc.of[count.index].id
  cidr  = vpc.none[count.index].typo
}
vpc "none" {
  count = 0
  cidr  = "10.${count.index}.0.0/16"
}
"#), @r#"
    error[MP0101]: there is no variable `typo`
     --> test.mirror.hcl:3:17
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                 ^^^^
      |
      = note: available: none

    error[MP0101]: there is no local `typo`
     --> test.mirror.hcl:3:29
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                             ^^^^
      |
      = note: available: `branch`, `called`, `caught`, `text` and `unused`

    error[MP0301]: the stack declares no `vpc.typo`
     --> test.mirror.hcl:3:35
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                                   ^^^^^^^^
      |
      = help: it declares `vpc.lab`, `vpc.none` and `vpc.off`

    error[MP0101]: the VPC has no attribute `typo`
     --> test.mirror.hcl:3:53
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                                                     ^^^^
      |
      = note: available: `cidr`, `dns_hostnames`, `dns_support`, `id` and `tags`

    error[MP0101]: there is nothing named `typo`
     --> test.mirror.hcl:3:59
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                                                           ^^^^
      |
    help: for a text, put it in quotes
      |
    3 -   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
    3 +   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, "typo", sources.typo, aws.typo]
      |

    error[MP0101]: there is no `sources` block `typo`
     --> test.mirror.hcl:3:73
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                                                                         ^^^^
      |
      = note: available: none

    error[MP0101]: there is no `aws` block `typo`
     --> test.mirror.hcl:3:83
      |
    3 |   unused = [var.typo, local.typo, vpc.typo, vpc.lab.typo, typo, sources.typo, aws.typo]
      |                                                                                   ^^^^
      |
      = note: available: none

    error[MP0101]: there is no function `typo`
     --> test.mirror.hcl:4:13
      |
    4 |   called = [typo(local.missing), length(), [for x in [] : y]]
      |             ^^^^
      |
      = help: the functions are `cidrsubnet`, `cidrhost`, `format`, `join`, `split`, `concat`, `merge`, `lookup`, `length`, `contains`, `keys`, `values`, `tostring`, `tonumber`, `jsondecode`, `file`, `try`, `sensitive` and `nonsensitive`

    error[MP0101]: there is no local `missing`
     --> test.mirror.hcl:4:24
      |
    4 |   called = [typo(local.missing), length(), [for x in [] : y]]
      |                        ^^^^^^^
      |
      = note: available: `branch`, `called`, `caught`, `text` and `unused`

    error[MP0103]: `length` takes 1 argument, not 0
     --> test.mirror.hcl:4:34
      |
    4 |   called = [typo(local.missing), length(), [for x in [] : y]]
      |                                  ^^^^^^^^
      |
      = note: its signature is length(value)

    error[MP0101]: there is nothing named `y`
     --> test.mirror.hcl:4:59
      |
    4 |   called = [typo(local.missing), length(), [for x in [] : y]]
      |                                                           ^
      |
    help: for a text, put it in quotes
      |
    4 -   called = [typo(local.missing), length(), [for x in [] : y]]
    4 +   called = [typo(local.missing), length(), [for x in [] : "y"]]
      |

    error[MP0101]: there is no local `typo`
     --> test.mirror.hcl:5:29
      |
    5 |   branch = true ? 1 : local.typo
      |                             ^^^^
      |
      = note: available: `branch`, `called`, `caught`, `text` and `unused`

    error[MP0101]: there is nothing named `z`
     --> test.mirror.hcl:6:42
      |
    6 |   text   = "%{ for i, x in [] }${i}${x}${z}%{ endfor }"
      |                                          ^
      |
    help: for a text, put it in quotes
      |
    6 -   text   = "%{ for i, x in [] }${i}${x}${z}%{ endfor }"
    6 +   text   = "%{ for i, x in [] }${i}${x}${"z"}%{ endfor }"
      |

    error[MP0101]: there is no local `typo`
     --> test.mirror.hcl:7:22
      |
    7 |   caught = try(local.typo, 1)
      |                      ^^^^
      |
      = note: available: `branch`, `called`, `caught`, `text` and `unused`

    error[MP0101]: there is no local `typo`
      --> test.mirror.hcl:12:16
       |
    12 |   cidr = local.typo
       |                ^^^^
       |
       = note: available: `branch`, `called`, `caught`, `text` and `unused`

    error[MP0101]: there is nothing named `count`
      --> test.mirror.hcl:13:19
       |
    13 |   tags = { Name = count.index == 0 ? "a" : "b" }
       |                   ^^^^^
       |
       = help: `count.index` is only for blocks with `count`

    error[MP0301]: the stack declares no `vpc.of`
      --> test.mirror.hcl:17:11
       |
    17 |   vpc   = vpc.of[count.index].id
       |           ^^^^^^
       |
    help: did you mean `vpc.off`?
       |
    17 |   vpc   = vpc.off[count.index].id
       |                 +

    error[MP0101]: the VPC has no attribute `typo`
      --> test.mirror.hcl:18:33
       |
    18 |   cidr  = vpc.none[count.index].typo
       |                                 ^^^^
       |
       = note: available: `cidr`, `dns_hostnames`, `dns_support`, `id` and `tags`
    "#);
    assert_snapshot!(check(r#"
locals {
  bound = { for name, x in { a = [1] } : name => [for y in x : "${name}${y}"][0] }
  each  = [vpc.some[*].id, vpc.some[0].cidr, vpc.some.*.id]
}
vpc "some" {
  count = 2
  cidr  = "10.${count.index}.0.0/16"
}
"#), @"
    vpc.some[0]
    vpc.some[1]
    ");
}
