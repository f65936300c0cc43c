//! `moved` blocks.

use insta::assert_snapshot;

use super::{Inputs, StackFile, check, source};

#[test]
fn a_move_is_read_as_it_is_written() {
    let text = r#"
stack "lab" {}
variable "off" { default = true }
vpc "new" { cidr = "10.0.0.0/16" }
vpc "many" {
  count = 2
  cidr  = "10.${count.index}.0.0/16"
}
vpc "off" {
  when = !var.off
  cidr = "10.9.0.0/16"
}
moved {
  from = vpc.old
  to   = vpc.new
}
moved {
  from = vpc.older
  to   = vpc.old
}
moved {
  from = vpc.single
  to   = vpc.many[0]
}
moved {
  from = vpc.list["eni-0a1b2c3d4e5f67890"]
  to   = vpc.many[1]
}
moved {
  from = vpc.on
  to   = vpc.off
}
"#;
    let (stack, _) = StackFile::parse(source(text)).unwrap().stack(&Inputs::new()).unwrap();
    let moved = stack.moved.iter().map(|moved| format!("{} -> {}", moved.of.from, moved.of.to));
    assert_snapshot!(moved.collect::<Vec<_>>().join("\n"), @r#"
    vpc.old -> vpc.new
    vpc.older -> vpc.old
    vpc.single -> vpc.many[0]
    vpc.list["eni-0a1b2c3d4e5f67890"] -> vpc.many[1]
    vpc.on -> vpc.off
    "#);
}

#[test]
fn what_is_wrong_with_moves_is_said_at_once() {
    assert_snapshot!(check(
        r#"
stack "lab" {}
vpc "here" { cidr = "10.0.0.0/16" }
vpc "there" { cidr = "10.1.0.0/16" }
vpc "many" {
  count = 2
  cidr  = "10.${count.index + 2}.0.0/16"
}
moved {
  from = vpc.a
  to   = vpc.here
}
moved {
  from = vpc.b
  to   = vpc.here
}
moved {
  from = vpc.b
  to   = vpc.there
}
moved {
  from = vpc.here
  to   = vpc.many[1]
}
moved {
  from = vpc.c
  to   = vpc.theer
}
moved {
  from = vpc.d
  to   = vpc.many[2]
}
moved {
  from = subnet.a
  to   = vpc.many[0]
}
moved {
  from = vpc.e
  to   = vpc.f
}
moved {
  from = vpc.f
  to   = vpc.e
}
moved {
  from = vpc.g
  to   = vpc.g
}
"#
    ), @r#"
    error[MP0306]: two addresses move to `vpc.here`
      --> test.mirror.hcl:15:10
       |
    11 |   to   = vpc.here
       |          -------- first here
    ...
    15 |   to   = vpc.here
       |          ^^^^^^^^ again here
       |
       = help: leave one of the two `moved` blocks out

    error[MP0306]: `vpc.b` moves to two addresses
      --> test.mirror.hcl:18:10
       |
    14 |   from = vpc.b
       |          ----- first here
    ...
    18 |   from = vpc.b
       |          ^^^^^ again here
       |
       = help: leave one of the two `moved` blocks out

    error[MP0306]: `vpc.here` is still declared, so it has not moved
      --> test.mirror.hcl:22:10
       |
     3 | vpc "here" { cidr = "10.0.0.0/16" }
       | ---------- declared here
    ...
    22 |   from = vpc.here
       |          ^^^^^^^^ declared as moved here
       |
       = help: rename the block, or leave the `moved` block out

    error[MP0301]: `vpc.c` moves to `vpc.theer`, which is not declared
      --> test.mirror.hcl:27:10
       |
    27 |   to   = vpc.theer
       |          ^^^^^^^^^
       |
       = note: its object would be deleted
       = help: did you mean `vpc.there`?

    error[MP0301]: `vpc.d` moves to `vpc.many[2]`, which is not declared
      --> test.mirror.hcl:31:10
       |
    31 |   to   = vpc.many[2]
       |          ^^^^^^^^^^^
       |
       = note: its object would be deleted
       = help: did you mean `vpc.many[0]`?

    error[MP0306]: `subnet.a` (subnet) and `vpc.many[0]` (VPC) are of different kinds
      --> test.mirror.hcl:35:10
       |
    35 |   to   = vpc.many[0]
       |          ^^^^^^^^^^^
       |
       = note: an object cannot change its kind

    error[MP0306]: the moves of `vpc.e` form a circle
      --> test.mirror.hcl:38:10
       |
    38 |   from = vpc.e
       |          ^^^^^
       |
       = help: leave one of them out

    error[MP0306]: the moves of `vpc.f` form a circle
      --> test.mirror.hcl:42:10
       |
    42 |   from = vpc.f
       |          ^^^^^
       |
       = help: leave one of them out

    error[MP0306]: `vpc.g` moves to itself
      --> test.mirror.hcl:47:10
       |
    47 |   to   = vpc.g
       |          ^^^^^
    "#);
}

#[test]
fn what_is_no_address_is_refused_where_it_stands() {
    assert_snapshot!(check(
        r#"
stack "lab" {}
vpc "here" { cidr = "10.0.0.0/16" }
moved "x" { from = vpc.a }
moved {
  from = "vpc.a"
  to   = vpc.here.id
}
moved {
  from = vcp.a
  to   = vpc.here[0].id
}
moved {
  from = vpc.a[1.5]
  to   = vpc.here[local.x]
}
"#
    ), @r#"
    error[MP0005]: a `moved` block needs `to`
     --> test.mirror.hcl:4:1
      |
    4 | moved "x" { from = vpc.a }
      | ^^^^^^^^^

    error[MP0003]: `moved` takes no label
     --> test.mirror.hcl:4:7
      |
    4 | moved "x" { from = vpc.a }
      |       ^^^

    error[MP0006]: `from` must be an address
     --> test.mirror.hcl:6:10
      |
    6 |   from = "vpc.a"
      |          ^^^^^^^
      |
      = help: write it as in a reference, without quotes: `vpc.lab`

    error[MP0006]: `to` must be an address
     --> test.mirror.hcl:7:10
      |
    7 |   to   = vpc.here.id
      |          ^^^^^^^^^^^
      |
      = note: it names an attribute, but only a whole resource can move
      = help: write it as in a reference, without quotes: `vpc.lab`

    error[MP0006]: `from` must be an address
      --> test.mirror.hcl:10:10
       |
    10 |   from = vcp.a
       |          ^^^^^
       |
       = note: `vcp` is not a kind of resource
       = help: write it as in a reference, without quotes: `vpc.lab`

    error[MP0006]: `to` must be an address
      --> test.mirror.hcl:11:10
       |
    11 |   to   = vpc.here[0].id
       |          ^^^^^^^^^^^^^^
       |
       = note: it names an attribute, but only a whole resource can move
       = help: write it as in a reference, without quotes: `vpc.lab`

    error[MP0006]: `from` must be an address
      --> test.mirror.hcl:14:10
       |
    14 |   from = vpc.a[1.5]
       |          ^^^^^^^^^^
       |
       = help: write it as in a reference, without quotes: `vpc.lab`

    error[MP0006]: `to` must be an address
      --> test.mirror.hcl:15:10
       |
    15 |   to   = vpc.here[local.x]
       |          ^^^^^^^^^^^^^^^^^
       |
       = help: write it as in a reference, without quotes: `vpc.lab`
    "#);
}
