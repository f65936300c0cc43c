//! Texts that are not HCL, and what a person is told about them.

use insta::assert_snapshot;

use super::check;

#[test]
fn a_missing_equals_sign() {
    assert_snapshot!(check("vpc \"lab\" {\n  cidr \"10.0.0.0/16\"\n}"), @r#"
    error[MP0001]: `cidr` needs `=`
     --> test.mirror.hcl:2:3
      |
    2 |   cidr "10.0.0.0/16"
      |   ^^^^
      |
    help: add `=`
      |
    2 |   cidr = "10.0.0.0/16"
      |        +
    "#);
    assert_snapshot!(check("vpc \"lab\" {\n  dns_support true\n}"), @"
    error[MP0001]: `dns_support` needs `=`
     --> test.mirror.hcl:2:3
      |
    2 |   dns_support true
      |   ^^^^^^^^^^^
      |
    help: add `=`
      |
    2 |   dns_support = true
      |               +
    ");
    assert_snapshot!(check("vpc \"lab\" {\n  tags [1]\n}"), @"
    error[MP0001]: `tags` needs `=`
     --> test.mirror.hcl:2:3
      |
    2 |   tags [1]
      |   ^^^^
      |
    help: add `=`
      |
    2 |   tags = [1]
      |        +
    ");
}

#[test]
fn an_unclosed_brace_is_shown_where_it_opens() {
    assert_snapshot!(check("vpc \"lab\" {\n  cidr = \"10.0.0.0/16\"\n"), @r#"
    error[MP0001]: this `{` is not closed
     --> test.mirror.hcl:1:11
      |
    1 | vpc "lab" {
      |           ^ there is no `}` for it
    "#);
    assert_snapshot!(check("vpc \"a\" {\n  cidr = \"10.0.0.0/16\"\n\nvpc \"b\" {\n  cidr = \"10.1.0.0/16\"\n}\n"), @r#"
    error[MP0001]: this `{` is not closed
     --> test.mirror.hcl:1:9
      |
    1 | vpc "a" {
      |         ^ there is no `}` for it
    "#);
    assert_snapshot!(check("vpc \"a\" {\n  tags = {\n    a = 1\n}\n\nvpc \"b\" {\n}\n"), @r#"
    error[MP0001]: this `{` is not closed
     --> test.mirror.hcl:2:10
      |
    2 |   tags = {
      |          ^ there is no `}` for it

    error[MP0005]: `cidr` is required
     --> test.mirror.hcl:6:1
      |
    6 | vpc "b" {
      | ^^^^^^^
    "#);
    assert_snapshot!(check("locals {\n  a = [\n    1,\n}\n"), @"
    error[MP0001]: this `[` is not closed
     --> test.mirror.hcl:2:7
      |
    2 |   a = [
      |       ^ there is no `]` for it
    ");
}

#[test]
fn an_unclosed_quote_is_shown_where_it_opens() {
    assert_snapshot!(check("locals { a = [{ b = [\"x, y] }, 1] }"), @r#"
    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:1:22
      |
    1 | locals { a = [{ b = ["x, y] }, 1] }
      |                      ^ it begins here
      |
      = note: a text of several lines is written between `<<EOF` and a line with `EOF`
    help: close it, probably at the end
      |
    1 | locals { a = [{ b = ["x, y] }, 1"] }
      |                                 +
    "#);
    assert_snapshot!(check("locals { a = [{ b = [\"x, y] }] }"), @r#"
    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:1:22
      |
    1 | locals { a = [{ b = ["x, y] }] }
      |                      ^ it begins here
      |
      = note: a text of several lines is written between `<<EOF` and a line with `EOF`
    help: close it, probably at the end
      |
    1 | locals { a = [{ b = ["x, y"] }] }
      |                           +
    "#);
    assert_snapshot!(check("vpc \"lab\" {\n  cidr = \"10.0.0.0/16\n  tags = { a = \"b\" }\n}"), @r#"
    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:2:10
      |
    2 |   cidr = "10.0.0.0/16
      |          ^ it begins here
      |
      = note: a text of several lines is written between `<<EOF` and a line with `EOF`
    help: close it, probably at the end
      |
    2 |   cidr = "10.0.0.0/16"
      |                      +
    "#);
    assert_snapshot!(check("vpc \"lab\" {\n  tags = { a = \"${var.x\" }\n}"), @r#"
    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:2:16
      |
    2 |   tags = { a = "${var.x" }
      |                ^ it begins here
      |
      = help: a `${` in it may lack its `}`
    "#);
}

#[test]
fn a_text_may_hold_brackets_quotes_and_lines_inside_its_interpolations() {
    assert_snapshot!(check("locals {\n  a = \"${join(\",\", [\n    \"x }\",\n  ])} # { [\"\n  b = <<EOF\n\"{[${1}\nEOF\n}\noutput \"x\" { value = [local.a, local.b] }"), @r#"x = ["x } # { [", "\"{[1\n"]"#);
}

#[test]
fn a_colon_for_an_equals_sign() {
    assert_snapshot!(check("vpc \"lab\" {\n  cidr: \"10.0.0.0/16\"\n}"), @r#"
    error[MP0001]: `cidr` gets its value with `=`
     --> test.mirror.hcl:2:7
      |
    2 |   cidr: "10.0.0.0/16"
      |       ^ not with `:`
      |
    help: use `=`
      |
    2 -   cidr: "10.0.0.0/16"
    2 +   cidr = "10.0.0.0/16"
      |
    "#);
}

#[test]
fn several_attributes_in_a_block_of_one_line() {
    assert_snapshot!(check("vpc \"lab\" { cidr = \"10.0.0.0/16\", tags = { a = 1, b = 2 } }"), @r#"
    error[MP0001]: a block on one line can have only one attribute
     --> test.mirror.hcl:1:11
      |
    1 | vpc "lab" { cidr = "10.0.0.0/16", tags = { a = 1, b = 2 } }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this block has more
      |
    help: put each attribute on a line of its own
      |
    1 ~ vpc "lab" {
    2 +   cidr = "10.0.0.0/16"
    3 +   tags = { a = 1, b = 2 }
    4 + }
      |
    "#);
    assert_snapshot!(check("vpc \"lab\" { cidr = \"10.0.0.0/16\" dns_support = true }"), @r#"
    error[MP0001]: a block on one line can have only one attribute
     --> test.mirror.hcl:1:11
      |
    1 | vpc "lab" { cidr = "10.0.0.0/16" dns_support = true }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this block has more
      |
      = help: put each attribute on a line of its own
    "#);
}

#[test]
fn a_block_of_one_line_with_one_attribute_that_is_wrong() {
    assert_snapshot!(check("locals { a = 1 + }"), @"
    error[MP0001]: a value is expected here
     --> test.mirror.hcl:1:18
      |
    1 | locals { a = 1 + }
      |                  ^
    ");
    assert_snapshot!(check("vpc \"lab\" { cidr = }"), @r#"
    error[MP0001]: a value is expected here
     --> test.mirror.hcl:1:20
      |
    1 | vpc "lab" { cidr = }
      |                    ^
    "#);
    assert_snapshot!(check("vpc \"lab\" { cidr \"10.0.0.0/16\" }"), @r#"
    error[MP0001]: invalid attribute; expected `=`
     --> test.mirror.hcl:1:18
      |
    1 | vpc "lab" { cidr "10.0.0.0/16" }
      |                  ^
    "#);
    assert_snapshot!(check("locals { a = \"x == y = z\" ! }"), @r#"
    error[MP0001]: invalid block body; expected `}`, newline or identifier
     --> test.mirror.hcl:1:10
      |
    1 | locals { a = "x == y = z" ! }
      |          ^
    "#);
    assert_snapshot!(check(&format!("locals {{ a = {}true }}", "!".repeat(70))), @"
    error[MP0001]: invalid nesting depth; expected at most 64 nested levels
     --> test.mirror.hcl:1:78
      |
    1 | locals { a = !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!true }
      |                                                                              ^
    ");
}

#[test]
fn an_attribute_beside_the_brace_of_a_longer_block() {
    assert_snapshot!(check("vpc \"lab\" { cidr = \"10.0.0.0/16\"\n  dns_support = true\n}"), @r#"
    error[MP0001]: in a block of several lines, nothing may follow `{` on its line
     --> test.mirror.hcl:1:13
      |
    1 | vpc "lab" { cidr = "10.0.0.0/16"
      |             ^^^^^^^^^^^^^^^^^^^^
      |
    help: begin a new line
      |
    1 ~ vpc "lab" {
    2 ~   cidr = "10.0.0.0/16"
      |
    "#);
    assert_snapshot!(check("vpc \"lab\" { tags = { a = 1 }\n  dns_support = true\n}"), @r#"
    error[MP0001]: in a block of several lines, nothing may follow `{` on its line
     --> test.mirror.hcl:1:13
      |
    1 | vpc "lab" { tags = { a = 1 }
      |             ^^^^^^^^^^^^^^^^
      |
    help: begin a new line
      |
    1 ~ vpc "lab" {
    2 ~   tags = { a = 1 }
      |
    "#);
    assert_snapshot!(check("vpc \"lab\" { # the lab\n  cidr = \"10.0.0.0/16\"\n}"), @"vpc.lab");
}

#[test]
fn a_missing_comma() {
    assert_snapshot!(check("mirror_filter \"f\" {\n  rules = [\n    { number = 1 }\n    { number = 2 }\n  ]\n}"), @"
    error[MP0001]: a comma is missing between two elements
     --> test.mirror.hcl:4:5
      |
    4 |     { number = 2 }
      |     ^ before this
      |
    help: put it in
      |
    3 |     { number = 1 },
      |                   +
    ");
    assert_snapshot!(check("locals { a = [1 2] }"), @"
    error[MP0001]: a comma is missing between two elements
     --> test.mirror.hcl:1:17
      |
    1 | locals { a = [1 2] }
      |                 ^ before this
      |
    help: put it in
      |
    1 | locals { a = [1, 2] }
      |                +
    ");
    assert_snapshot!(check("locals { a = { b = 1 c = 2 } }"), @"
    error[MP0001]: a comma is missing between two members
     --> test.mirror.hcl:1:22
      |
    1 | locals { a = { b = 1 c = 2 } }
      |                      ^ before this
      |
    help: put it in
      |
    1 | locals { a = { b = 1, c = 2 } }
      |                     +
    ");
}

#[test]
fn other_habits_of_other_languages() {
    assert_snapshot!(check("vpc \"lab\" {\n  cidr = \"10.0.0.0/16\",\n}"), @r#"
    error[MP0001]: the attributes of a block have no commas between them
     --> test.mirror.hcl:2:23
      |
    2 |   cidr = "10.0.0.0/16",
      |                       ^
      |
    help: remove it
      |
    2 -   cidr = "10.0.0.0/16",
    2 +   cidr = "10.0.0.0/16"
      |
    "#);
    assert_snapshot!(check("vpc \"lab\"\n{\n}"), @r#"
    error[MP0001]: the `{` of a block must be on the line of its name
     --> test.mirror.hcl:2:1
      |
    2 | {
      | ^
      |
    help: move it up
      |
    1 | vpc "lab" {
      |           ~
    "#);
    assert_snapshot!(check("vpc \"lab\" {\n  cidr = '10.0.0.0/16'\n}"), @r#"
    error[MP0001]: texts need double quotes
     --> test.mirror.hcl:2:10
      |
    2 |   cidr = '10.0.0.0/16'
      |          ^^^^^^^^^^^^^
      |
    help: use double quotes
      |
    2 -   cidr = '10.0.0.0/16'
    2 +   cidr = "10.0.0.0/16"
      |
    "#);
    assert_snapshot!(check("vpc \"lab\" {\n  cidr = \"a\"\n  cidr = \"b\"\n}"), @r#"
    error[MP0008]: `cidr` is given twice
     --> test.mirror.hcl:3:3
      |
    2 |   cidr = "a"
      |   ---- first here
    3 |   cidr = "b"
      |   ^^^^ again here
    "#);
    assert_snapshot!(check("vpc lab\n"), @"
    error[MP0001]: the block `vpc` needs `{`
     --> test.mirror.hcl:1:8
      |
    1 | vpc lab
      |        ^ here
      |
    help: open it
      |
    1 | vpc lab {
      |         +
    ");
}

#[test]
fn what_has_no_hint_says_what_the_parser_says() {
    assert_snapshot!(check("locals {\n  a = 1 +\n}"), @"
    error[MP0001]: a value is expected here
     --> test.mirror.hcl:2:10
      |
    2 |   a = 1 +
      |          ^
    ");
    assert_snapshot!(check("locals {\n  a = \"\\x\"\n}"), @r#"
    error[MP0001]: invalid escape sequence; expected `n`, `r`, `t`, `u`, `U`, `\` or `"`
     --> test.mirror.hcl:2:10
      |
    2 |   a = "\x"
      |          ^
    "#);
    assert_snapshot!(check("?"), @"
    error[MP0001]: unexpected token
     --> test.mirror.hcl:1:1
      |
    1 | ?
      | ^
    ");
}

#[test]
fn places_are_right_behind_other_alphabets_and_line_ends() {
    assert_snapshot!(check("# Änderung — 変更 🦀\r\nvpc \"lab\" {\r\n  tags = { \"größe\" = \"🦀\", b = nix }\r\n  cidr = \"10.0.0.0/16\"\r\n}\r\n"), @r#"
    error[MP0101]: there is nothing named `nix`
     --> test.mirror.hcl:3:31
      |
    3 |   tags = { "größe" = "🦀", b = nix }
      |                                ^^^
      |
    help: for a text, put it in quotes
      |
    3 -   tags = { "größe" = "🦀", b = nix }
    3 +   tags = { "größe" = "🦀", b = "nix" }
      |
    "#);
    assert_snapshot!(check("\u{feff}vpc \"lab\" {\n  cidr: 1\n}"), @"
    error[MP0001]: `cidr` gets its value with `=`
     --> test.mirror.hcl:2:7
      |
    2 |   cidr: 1
      |       ^ not with `:`
      |
    help: use `=`
      |
    2 -   cidr: 1
    2 +   cidr = 1
      |
    ");
}
