//! Texts that are not HCL, and what a person is told about them.

use insta::assert_snapshot;

use super::{Diagnostics, Inputs, StackFile, check, source};
use crate::code;

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
fn mistakes_in_several_blocks_come_out_at_once() {
    assert_snapshot!(check("vpc \"a\" {\n  cidr: \"x\"\n}\n\nvpc \"b\" {\n  cidr = 'y'\n}\n"), @r#"
    error[MP0001]: `cidr` gets its value with `=`
     --> test.mirror.hcl:2:7
      |
    2 |   cidr: "x"
      |       ^ not with `:`
      |
    help: use `=`
      |
    2 -   cidr: "x"
    2 +   cidr = "x"
      |

    error[MP0001]: texts need double quotes
     --> test.mirror.hcl:6:10
      |
    6 |   cidr = 'y'
      |          ^^^
      |
    help: use double quotes
      |
    6 -   cidr = 'y'
    6 +   cidr = "y"
      |
    "#);
}

#[test]
fn mistakes_in_several_lines_of_a_block_come_out_at_once() {
    assert_snapshot!(check("vpc \"a\" {\n  cidr: \"x\"\n  name 'y'\n  tags = {\n    a = 1 2\n  }\n}\n"), @r#"
    error[MP0001]: `cidr` gets its value with `=`
     --> test.mirror.hcl:2:7
      |
    2 |   cidr: "x"
      |       ^ not with `:`
      |
    help: use `=`
      |
    2 -   cidr: "x"
    2 +   cidr = "x"
      |

    error[MP0001]: texts need double quotes
     --> test.mirror.hcl:3:8
      |
    3 |   name 'y'
      |        ^^^
      |
    help: use double quotes
      |
    3 -   name 'y'
    3 +   name "y"
      |

    error[MP0001]: a comma is missing between two members
     --> test.mirror.hcl:5:11
      |
    5 |     a = 1 2
      |           ^ before this
      |
    help: put it in
      |
    5 |     a = 1, 2
      |          +
    "#);
}

#[test]
fn what_is_wrong_with_other_blocks_comes_out_beside_mistakes_in_the_syntax() {
    assert_snapshot!(check("variable \"cidr\" {\n  default: 1\n}\n\nvpc \"a\" {\n  cidr = var.cidr\n  name = local.name\n}\n\nlocals { name = 'a' }\n\nsubnet \"b\" {\n  vpc  = vpc.b\n  cird = var.cidr\n}\n\noutput \"c\" { value = = vpc.a }\n"), @r#"
    error[MP0001]: `default` gets its value with `=`
     --> test.mirror.hcl:2:10
      |
    2 |   default: 1
      |          ^ not with `:`
      |
    help: use `=`
      |
    2 -   default: 1
    2 +   default = 1
      |

    error[MP0004]: the VPC has no attribute `name`
     --> test.mirror.hcl:7:3
      |
    7 |   name = local.name
      |   ^^^^
      |
      = help: it has `cidr`, `dns_support`, `dns_hostnames`, `tags`, `count` and `when`

    error[MP0001]: texts need double quotes
      --> test.mirror.hcl:10:17
       |
    10 | locals { name = 'a' }
       |                 ^^^
       |
    help: use double quotes
       |
    10 - locals { name = 'a' }
    10 + locals { name = "a" }
       |

    error[MP0005]: `cidr` is required
      --> test.mirror.hcl:12:1
       |
    12 | subnet "b" {
       | ^^^^^^^^^^

    error[MP0301]: the stack declares no `vpc.b`
      --> test.mirror.hcl:13:10
       |
    13 |   vpc  = vpc.b
       |          ^^^^^
       |
    help: did you mean `vpc.a`?
       |
    13 -   vpc  = vpc.b
    13 +   vpc  = vpc.a
       |

    error[MP0004]: the subnet has no attribute `cird`
      --> test.mirror.hcl:14:3
       |
    14 |   cird = var.cidr
       |   ^^^^
       |
    help: did you mean `cidr`?
       |
    14 -   cird = var.cidr
    14 +   cidr = var.cidr
       |

    error[MP0001]: a block on one line can have only one attribute
      --> test.mirror.hcl:17:12
       |
    17 | output "c" { value = = vpc.a }
       |            ^^^^^^^^^^^^^^^^^^^ this block has more
       |
       = help: put each attribute on a line of its own
    "#);
}

#[test]
fn a_text_that_is_not_closed_hides_nothing_in_other_blocks() {
    assert_snapshot!(check("output \"a\" { value = \"x }\n\nvpc \"a\" {\n  cidr = \"10.0.0.0/16\n}\n\nsubnet \"b\" {\n  vpc  = vpc.b\n  cidr = \"10.0.0.0/24\"\n}\n"), @r#"
    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:1:22
      |
    1 | output "a" { value = "x }
      |                      ^ it begins here
      |
      = note: a text of several lines is written between `<<EOF` and a line with `EOF`
    help: close it, probably at the end
      |
    1 | output "a" { value = "x" }
      |                        +

    error[MP0001]: this text in quotes is not closed
     --> test.mirror.hcl:4:10
      |
    4 |   cidr = "10.0.0.0/16
      |          ^ it begins here
      |
      = note: a text of several lines is written between `<<EOF` and a line with `EOF`
    help: close it, probably at the end
      |
    4 |   cidr = "10.0.0.0/16"
      |                      +

    error[MP0301]: the stack declares no `vpc.b`
     --> test.mirror.hcl:8:10
      |
    8 |   vpc  = vpc.b
      |          ^^^^^
      |
    help: did you mean `vpc.a`?
      |
    8 -   vpc  = vpc.b
    8 +   vpc  = vpc.a
      |
    "#);
}

#[test]
fn more_mistakes_than_anybody_reads_are_said_to_be_more() {
    let twenty_one = "vpc \"a\" {\n  cidr: 1\n}\n".repeat(21);
    let mistakes = StackFile::parse(source(&twenty_one)).unwrap_err();
    let last = mistakes.iter().last().map(|last| last.title.as_str());
    assert_eq!(mistakes.iter().count(), 21);
    assert_eq!(last, Some("there are more than 20 mistakes in the syntax"));
}

/// Each line of each example is made wrong in several ways.
#[test]
fn a_mistake_in_the_syntax_makes_nothing_else_look_wrong() {
    let examples = [
        include_str!("../../../../examples/lab.mirror.hcl"),
        include_str!("../../../../examples/gateway-load-balancer.mirror.hcl"),
        include_str!("../../../../examples/peering.mirror.hcl"),
        include_str!("../../../../examples/receivers-that-scale.mirror.hcl"),
        include_str!("../../../../examples/transit-gateway.mirror.hcl"),
        include_str!("../../../../examples/two-accounts.mirror.hcl"),
        include_str!("../../../../tests/src/wide.mirror.hcl"),
    ];
    let ways: [fn(&str) -> String; 6] = [
        |line| format!("{line} ?"),
        |line| format!("= {line}"),
        |line| line.replacen(" = ", ": ", 1),
        |line| line.replacen('"', "'", 2),
        |line| line.trim_end_matches(['{', '}', '[', ']', '"', ',']).to_owned(),
        |_| String::new(),
    ];
    let (mut tried, mut several) = (0, 0);
    for text in examples {
        let lines: Vec<&str> = text.lines().collect();
        for (number, way) in (0..lines.len()).flat_map(|line| ways.map(|way| (line, way))) {
            let mut wrong: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
            wrong[number] = format!("{}\n", way(lines[number]));
            let wrong = wrong.concat();
            let Err(mut mistakes) = StackFile::parse(source(&wrong)) else { continue };
            mistakes.sort();
            let file = StackFile::parse_in_part(source(&wrong));
            let (_, found) = file.stack_in_part(&Inputs::new());
            let found: Diagnostics =
                found.into_iter().filter(|it| it.code != code::VARIABLE_MISSING).collect();

            assert_eq!(found, mistakes, "line {}: {}", number + 1, way(lines[number]));
            tried += 1;
            several += u32::from(mistakes.iter().count() > 1);
        }
    }
    assert!(tried > 1_000 && several < tried / 10, "{several} of {tried}");
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
