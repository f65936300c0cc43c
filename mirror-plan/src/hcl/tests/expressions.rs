//! What expressions evaluate to.

use insta::assert_snapshot;

use super::evaluate;

#[test]
fn literals() {
    assert_snapshot!(evaluate(r#"[null, true, 1.5, 1e3, "a\n\"b\" \u00e4 $${x}", { a = 1, "b c" = 2, (upper) = 3 }]"#), @r#"
    error[MP0101]: there is nothing named `upper`
     --> test.mirror.hcl:2:80
      |
    2 |   value = [null, true, 1.5, 1e3, "a\n\"b\" \u00e4 $${x}", { a = 1, "b c" = 2, (upper) = 3 }]
      |                                                                                ^^^^^
      |
    help: for a text, put it in quotes
      |
    2 -   value = [null, true, 1.5, 1e3, "a\n\"b\" \u00e4 $${x}", { a = 1, "b c" = 2, (upper) = 3 }]
    2 +   value = [null, true, 1.5, 1e3, "a\n\"b\" \u00e4 $${x}", { a = 1, "b c" = 2, ("upper") = 3 }]
      |
    "#);
    assert_snapshot!(evaluate(r#"[null, true, 1.5, 1e3, "a\n\"b\" \u00e4 $${x}", { a = 1, "b c" = 2, ("d${1}") : 3 }]"#), @r#"[null, true, 1.5, 1000, "a\n\"b\" ä ${x}", { a = 1, "b c" = 2, d1 = 3 }]"#);
    assert_snapshot!(evaluate("1e400"), @"
    error[MP0001]: expected newline or eof
     --> test.mirror.hcl:2:12
      |
    2 |   value = 1e400
      |            ^
    ");
}

#[test]
fn arithmetic_takes_numbers_and_texts_of_digits() {
    assert_snapshot!(evaluate(r#"[1 + 2 * 3 - 4 / 8, -7 % 3, "5" + 1, -(2), 0 * -1]"#), @"[6.5, -1, 6, -2, 0]");
    assert_snapshot!(evaluate(r#"1 + "a""#), @r#"
    error[MP0102]: `+` needs numbers
     --> test.mirror.hcl:2:15
      |
    2 |   value = 1 + "a"
      |               ^^^ this is a string
    "#);
    assert_snapshot!(evaluate(r#"[] - {}"#), @"
    error[MP0102]: `-` needs numbers
     --> test.mirror.hcl:2:11
      |
    2 |   value = [] - {}
      |           ^^   -- this is an object
      |           |
      |           this is a list
    ");
    assert_snapshot!(evaluate("1 / (2 - 2)"), @"
    error[MP0102]: division by zero
     --> test.mirror.hcl:2:11
      |
    2 |   value = 1 / (2 - 2)
      |           ^^^^^^^^^^^
    ");
    assert_snapshot!(evaluate(r#"1e300 * "1e4800""#), @r#"
    error[MP0102]: the result is too large or too small
     --> test.mirror.hcl:2:11
      |
    2 |   value = 1e300 * "1e4800"
      |           ^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(evaluate("-true"), @"
    error[MP0102]: `-` needs a number
     --> test.mirror.hcl:2:12
      |
    2 |   value = -true
      |            ^^^^ this is a boolean
    ");
}

#[test]
fn comparisons() {
    assert_snapshot!(evaluate(r#"[1 < 2, 2 <= 1, 1 == 1.0, 1 == "1", "a" != "b", [1] == [1], null == null, vpc.lab == vpc.lab]"#), @"[true, false, true, false, true, true, true, true]");
    assert_snapshot!(evaluate(r#""a" < "b""#), @r#"
    error[MP0102]: `<` needs numbers
     --> test.mirror.hcl:2:11
      |
    2 |   value = "a" < "b"
      |           ^^^   --- this is a string
      |           |
      |           this is a string
    "#);
}

#[test]
fn logic_stops_where_it_is_decided() {
    assert_snapshot!(evaluate(r#"[true && "false", false && 1 / 0 == 1, true || [][0], !true]"#), @"[false, false, true, false]");
    assert_snapshot!(evaluate("1 && true"), @"
    error[MP0102]: a condition must be true or false
     --> test.mirror.hcl:2:11
      |
    2 |   value = 1 && true
      |           ^ this is a number
    ");
    assert_snapshot!(evaluate("!null"), @"
    error[MP0102]: `!` needs true or false
     --> test.mirror.hcl:2:12
      |
    2 |   value = !null
      |            ^^^^ this is null
    ");
}

#[test]
fn conditionals_evaluate_the_branch_that_is_chosen() {
    assert_snapshot!(evaluate(r#"[true ? "a" : 1 / 0, "false" ? [][0] : "b"]"#), @r#"["a", "b"]"#);
    assert_snapshot!(evaluate(r#"null ? 1 : 2"#), @"
    error[MP0102]: a condition must be true or false
     --> test.mirror.hcl:2:11
      |
    2 |   value = null ? 1 : 2
      |           ^^^^ this is null
    ");
}

#[test]
fn loops() {
    assert_snapshot!(evaluate("[for p in local.ports : p + 1]"), @"[444, 8444]");
    assert_snapshot!(evaluate("[for i, p in local.ports : i if p > 500]"), @"[1]");
    assert_snapshot!(evaluate(r#"{ for k, v in local.tags : "x-${k}" => v }"#), @r#"{ x-a = 1, x-b = "two" }"#);
    assert_snapshot!(evaluate("{ for p in [1, 2, 3, 4] : p % 2 => p... }"), @r#"{ "0" = [2, 4], "1" = [1, 3] }"#);
    assert_snapshot!(evaluate("[for p in local.ports : [for q in local.ports : p - q]]"), @"[[0, -8000], [8000, 0]]");
    assert_snapshot!(evaluate("{ for p in [1, 1] : p => p }"), @r#"
    error[MP0102]: two elements have the name "1"
     --> test.mirror.hcl:2:31
      |
    2 |   value = { for p in [1, 1] : p => p }
      |                               ^
      |
      = help: put `...` after the value to gather them into a list
    "#);
    assert_snapshot!(evaluate("[for p in 5 : p]"), @"
    error[MP0102]: `for` needs a list or an object
     --> test.mirror.hcl:2:21
      |
    2 |   value = [for p in 5 : p]
      |                     ^ this is a number
    ");
    assert_snapshot!(evaluate("[for x in vpc.lab : x]"), @"
    error[MP0102]: `for` needs a list or an object
     --> test.mirror.hcl:2:21
      |
    2 |   value = [for x in vpc.lab : x]
      |                     ^^^^^^^ this is a resource
      |
      = help: only a block with `count` stands for a list
    ");
    assert_snapshot!(evaluate("[for port in local.ports : prot]"), @"
    error[MP0101]: there is nothing named `prot`
     --> test.mirror.hcl:2:38
      |
    2 |   value = [for port in local.ports : prot]
      |                                      ^^^^
      |
    help: did you mean `port`?
      |
    2 -   value = [for port in local.ports : prot]
    2 +   value = [for port in local.ports : port]
      |
    ");
    assert_snapshot!(evaluate("[for p in local.ports : p if 7]"), @"
    error[MP0102]: a condition must be true or false
     --> test.mirror.hcl:2:40
      |
    2 |   value = [for p in local.ports : p if 7]
      |                                        ^ this is a number
    ");
}

#[test]
fn templates() {
    assert_snapshot!(evaluate(r#""a ${1 + 1} ${true} ${"b ${"c"}"} %{ if 1 < 2 }d%{ else }e%{ endif }""#), @r#""a 2 true b c d""#);
    assert_snapshot!(evaluate(r#""%{ for i, p in local.ports }${i}:${p} %{ endfor }""#), @r#""0:443 1:8443 ""#);
    assert_snapshot!(evaluate(r#""a  ${~ 1 ~}  b %{ if true ~} c %{~ endif } d""#), @r#""a1b c d""#);
    assert_snapshot!(evaluate(r#""${local.ports}""#), @"[443, 8443]");
    assert_snapshot!(evaluate(r#""a${local.ports}""#), @r#"
    error[MP0102]: only strings, numbers and booleans can be part of a text
     --> test.mirror.hcl:2:15
      |
    2 |   value = "a${local.ports}"
      |               ^^^^^^^^^^^ this is a list
    "#);
    assert_snapshot!(evaluate(r#""a${null}""#), @r#"
    error[MP0102]: only strings, numbers and booleans can be part of a text
     --> test.mirror.hcl:2:15
      |
    2 |   value = "a${null}"
      |               ^^^^ this is null
    "#);
}

#[test]
fn heredocs() {
    assert_snapshot!(evaluate("<<EOF\n  a ${1}\n\n  \"b\" \\n\n  EOF"), @r#""  a 1\n\n  \"b\" \\n\n""#);
    assert_snapshot!(evaluate("<<-EOF\n    a\n      b ${2}\n    EOF"), @r#""a\n  b 2\n""#);
    assert_snapshot!(evaluate("<<-EOF\n    %{ for p in local.ports ~}\n    port ${p}\n    %{ endfor ~}\n    end\n    EOF"), @r#""port 443\nport 8443\nend\n""#);
}

#[test]
fn ways_through_values() {
    assert_snapshot!(evaluate(r#"[local.ports[1], local.ports.0, local.tags.b, local.tags["a"], local.ports["0"]]"#), @r#"[8443, 443, "two", 1, 443]"#);
    assert_snapshot!(evaluate("[{ a = 1 }, { a = 2 }][*].a"), @"[1, 2]");
    assert_snapshot!(evaluate("[{ a = [1] }, { a = [2] }].*.a[0]"), @"[1]");
    assert_snapshot!(evaluate("[null[*], { a = 1 }[*].a, 5[*]]"), @"[[], [1], [5]]");
    assert_snapshot!(evaluate("local.ports[2]"), @"
    error[MP0102]: there is no element 2: the list has [0] to [1]
     --> test.mirror.hcl:2:22
      |
    2 |   value = local.ports[2]
      |                      ^^^
    ");
    assert_snapshot!(evaluate("local.ports[-1]"), @"
    error[MP0102]: there is no element -1: the list has [0] to [1]
     --> test.mirror.hcl:2:22
      |
    2 |   value = local.ports[-1]
      |                      ^^^^
    ");
    assert_snapshot!(evaluate("local.ports[0.5]"), @"
    error[MP0102]: the index of a list must be a whole number, not 0.5
     --> test.mirror.hcl:2:22
      |
    2 |   value = local.ports[0.5]
      |                      ^^^^^
    ");
    assert_snapshot!(evaluate("local.ports.first"), @"
    error[MP0102]: there is no `.first` here
     --> test.mirror.hcl:2:23
      |
    2 |   value = local.ports.first
      |                       ^^^^^ after a list
      |
      = help: take one element with `[0].first`, or all with `[*].first`
    ");
    assert_snapshot!(evaluate("local.tags.c"), @"
    error[MP0101]: the object has no member `c`
     --> test.mirror.hcl:2:22
      |
    2 |   value = local.tags.c
      |                      ^
      |
      = note: it has `a` and `b`
    ");
    assert_snapshot!(evaluate("local.tags[null]"), @"
    error[MP0102]: the name of a member must be a string
     --> test.mirror.hcl:2:21
      |
    2 |   value = local.tags[null]
      |                     ^^^^^^ this is null
    ");
    assert_snapshot!(evaluate("local.tags.a.b"), @"
    error[MP0102]: there is no `.b` here
     --> test.mirror.hcl:2:24
      |
    2 |   value = local.tags.a.b
      |                        ^ after a number
    ");
}

#[test]
fn names_that_lead_nowhere() {
    assert_snapshot!(evaluate("tcp"), @r#"
    error[MP0101]: there is nothing named `tcp`
     --> test.mirror.hcl:2:11
      |
    2 |   value = tcp
      |           ^^^
      |
    help: for a text, put it in quotes
      |
    2 -   value = tcp
    2 +   value = "tcp"
      |
    "#);
    assert_snapshot!(evaluate("vcp.lab.cidr"), @"
    error[MP0101]: there is nothing named `vcp`
     --> test.mirror.hcl:2:11
      |
    2 |   value = vcp.lab.cidr
      |           ^^^
      |
    help: did you mean `vpc`?
      |
    2 -   value = vcp.lab.cidr
    2 +   value = vpc.lab.cidr
      |
    ");
    assert_snapshot!(evaluate("var"), @"
    error[MP0101]: `var` alone is not a value
     --> test.mirror.hcl:2:11
      |
    2 |   value = var
      |           ^^^
      |
      = help: write `var.NAME`
    ");
    assert_snapshot!(evaluate("local.prots"), @"
    error[MP0101]: there is no local `prots`
     --> test.mirror.hcl:2:17
      |
    2 |   value = local.prots
      |                 ^^^^^
      |
    help: did you mean `ports`?
      |
    2 -   value = local.prots
    2 +   value = local.ports
      |
    ");
    assert_snapshot!(evaluate("var.x"), @"
    error[MP0101]: there is no variable `x`
     --> test.mirror.hcl:2:15
      |
    2 |   value = var.x
      |               ^
      |
      = note: available: none
    ");
    assert_snapshot!(evaluate("count.index"), @"
    error[MP0101]: there is nothing named `count`
     --> test.mirror.hcl:2:11
      |
    2 |   value = count.index
      |           ^^^^^
      |
      = help: `count.index` is only for blocks with `count`
    ");
    assert_snapshot!(evaluate("lenght([])"), @"
    error[MP0101]: there is no function `lenght`
     --> test.mirror.hcl:2:11
      |
    2 |   value = lenght([])
      |           ^^^^^^
      |
    help: did you mean `length`?
      |
    2 -   value = lenght([])
    2 +   value = length([])
      |
    ");
}

#[test]
fn several_mistakes_in_one_expression_come_out_at_once() {
    assert_snapshot!(evaluate("[a, { b = c }, d + e, -true]"), @r#"
    error[MP0101]: there is nothing named `a`
     --> test.mirror.hcl:2:12
      |
    2 |   value = [a, { b = c }, d + e, -true]
      |            ^
      |
    help: for a text, put it in quotes
      |
    2 -   value = [a, { b = c }, d + e, -true]
    2 +   value = ["a", { b = c }, d + e, -true]
      |

    error[MP0101]: there is nothing named `c`
     --> test.mirror.hcl:2:21
      |
    2 |   value = [a, { b = c }, d + e, -true]
      |                     ^
      |
    help: for a text, put it in quotes
      |
    2 -   value = [a, { b = c }, d + e, -true]
    2 +   value = [a, { b = "c" }, d + e, -true]
      |

    error[MP0101]: there is nothing named `d`
     --> test.mirror.hcl:2:26
      |
    2 |   value = [a, { b = c }, d + e, -true]
      |                          ^
      |
    help: for a text, put it in quotes
      |
    2 -   value = [a, { b = c }, d + e, -true]
    2 +   value = [a, { b = c }, "d" + e, -true]
      |

    error[MP0101]: there is nothing named `e`
     --> test.mirror.hcl:2:30
      |
    2 |   value = [a, { b = c }, d + e, -true]
      |                              ^
      |
    help: for a text, put it in quotes
      |
    2 -   value = [a, { b = c }, d + e, -true]
    2 +   value = [a, { b = c }, d + "e", -true]
      |

    error[MP0102]: `-` needs a number
     --> test.mirror.hcl:2:34
      |
    2 |   value = [a, { b = c }, d + e, -true]
      |                                  ^^^^ this is a boolean
    "#);
}

#[test]
fn a_long_chain_is_refused_before_the_stack_of_the_thread_ends() {
    let deep = format!("{}1{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(evaluate(&deep), "1");
    let way = format!("[{{ a = 1 }}]{}", "[*]".repeat(5000));
    assert!(evaluate(&way).contains("more than 400 levels"));
    let way = format!("{{ a = 1 }}{}", ".a".repeat(50_000));
    assert!(evaluate(&way).contains("there is no `.a` here"));
    let costly = |n: usize| {
        format!(
            "  a{n} = {{ for k in [1] : k => [\"%{{ if true }}${{tostring((local.a{}))}}%{{ endif }}\"][0] }}[1]\n",
            n - 1
        )
    };
    let locals: String = (1..300).map(costly).collect();
    let text = format!("locals {{\n  a0 = 1\n{locals}}}\noutput \"x\" {{ value = local.a299 }}\n");
    let shown = super::check(&text);
    assert!(shown.contains("more than 400 levels"), "{shown}");
    let locals: String = (1..3000).map(|n| format!("  a{n} = [local.a{}]\n", n - 1)).collect();
    let text = format!("locals {{\n  a0 = 1\n{locals}}}\noutput \"x\" {{ value = local.a2999 }}\n");
    let shown = super::check(&text);
    assert!(shown.contains("more than 400 levels"), "{shown}");
}
