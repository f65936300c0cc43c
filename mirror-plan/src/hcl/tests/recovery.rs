//! Texts that are not HCL in several places, or wrong in other ways beside that: everything comes out at once.

use insta::assert_snapshot;

use super::{Diagnostics, Inputs, StackFile, check, source};
use crate::code;

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
