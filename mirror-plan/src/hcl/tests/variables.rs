//! Variables, and values from outside.

use insta::assert_snapshot;

use super::{Inputs, Source, check, check_with};

const REGION: &str = "variable \"x\" { type = string }\noutput \"x\" { value = var.x }";

fn file(name: &str, text: &str) -> Source {
    Source { name: name.into(), text: text.into() }
}

#[test]
fn the_strongest_source_counts() {
    let text = "variable \"x\" { default = \"default\" }\noutput \"x\" { value = var.x }";
    let inputs = Inputs::new();
    assert_eq!(check_with(text, &inputs), "x = \"default\"\n");
    let environment =
        [("MIRROR_VAR_x", "environment"), ("MIRROR_VAR_other", "ignored"), ("x", "no")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let inputs = inputs.environment(environment);
    assert_eq!(check_with(text, &inputs), "x = \"environment\"\n");
    let inputs = inputs.assignment("x=first").file(file("a.vars.hcl", "x = \"file\""));
    assert_eq!(check_with(text, &inputs), "x = \"first\"\n");
    assert_eq!(check_with(text, &inputs.assignment("x=a=b ")), "x = \"a=b \"\n");
}

#[test]
fn types_convert_as_terraform_does() {
    let of = |constraint: &str, value: &str| {
        let text =
            format!("variable \"x\" {{ type = {constraint} }}\noutput \"x\" {{ value = var.x }}");
        check_with(&text, &Inputs::new().file(file("v", &format!("x = {value}"))))
    };
    assert_snapshot!(of("string", "1.50"), @r#"x = "1.5""#);
    assert_snapshot!(of("number", "\"1.50\""), @"x = 1.5");
    assert_snapshot!(of("bool", "\"true\""), @"x = true");
    assert_snapshot!(of("list(string)", "[1, true, \"a\"]"), @r#"x = ["1", "true", "a"]"#);
    assert_snapshot!(of("map(number)", "{ a = \"1\" }"), @"x = { a = 1 }");
    assert_snapshot!(of("object({ a = string, b = optional(number), c = optional(number, 3) })", "{ a = 1, extra = 2 }"), @r#"x = { a = "1", b = null, c = 3 }"#);
    assert_snapshot!(of("any", "[1, \"a\"]"), @r#"x = [1, "a"]"#);
    assert_snapshot!(of("string", "null"), @"x = null");
    assert_snapshot!(of("number", "\"ten\""), @r#"
    error[MP0203]: expected number, found a string
     --> v:1:5
      |
    1 | x = "ten"
      |     ^^^^^
    "#);
    assert_snapshot!(of("list(number)", "[1, [], 2]"), @"
    error[MP0203]: expected number, found a list
     --> v:1:9
      |
    1 | x = [1, [], 2]
      |         ^^
    ");
    assert_snapshot!(of("object({ a = string })", "{ b = 1 }"), @"
    error[MP0203]: `a` is missing
     --> v:1:5
      |
    1 | x = { b = 1 }
      |     ^^^^^^^^^
    ");
    assert_snapshot!(of("list(string)", "\"a\""), @r#"
    error[MP0203]: expected list(string), found a string
     --> v:1:5
      |
    1 | x = "a"
      |     ^^^
    "#);
    assert_snapshot!(of("set(string)", "[]"), @r#"
    error[MP0006]: this is not a type
     --> test.mirror.hcl:1:23
      |
    1 | variable "x" { type = set(string) }
      |                       ^^^^^^^^^^^
      |
      = help: the types are `string`, `number`, `bool`, `list(T)`, `map(T)`, `object({ ... })` and `any`
    "#);
    assert_snapshot!(of("\"string\"", "\"\""), @r#"
    error[MP0006]: this is not a type
     --> test.mirror.hcl:1:23
      |
    1 | variable "x" { type = "string" }
      |                       ^^^^^^^^
      |
      = help: the types are `string`, `number`, `bool`, `list(T)`, `map(T)`, `object({ ... })` and `any`
    "#);
}

#[test]
fn a_text_from_outside_is_an_expression_for_other_types() {
    let text = "variable \"x\" { type = list(number) }\noutput \"x\" { value = var.x }";
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=[1, \"2\"]")), @"x = [1, 2]");
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=[1, a]")), @r#"
    error[MP0101]: there is nothing named `a`
     --> -var:1:5
      |
    1 | [1, a]
      |     ^
      |
      = note: only constants are allowed here
    help: for a text, put it in quotes
      |
    1 - [1, a]
    1 + [1, "a"]
      |
    "#);
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=[1")), @"
    error[MP0001]: expected `]`
     --> -var:1:2
      |
    1 | [1
      |  ^
    ");
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=1")), @"
    error[MP0203]: expected list(number), found a number
     --> -var:1:3
      |
    1 | x=1
      |   ^
    ");
    let bad = [("MIRROR_VAR_x".to_owned(), "{}".to_owned())];
    assert_snapshot!(check_with(text, &Inputs::new().environment(bad)), @"
    error[MP0203]: expected list(number), found an object
     --> MIRROR_VAR_x:1:1
      |
    1 | {}
      | ^^
    ");
}

#[test]
fn a_variable_without_a_value() {
    assert_snapshot!(check(REGION), @r#"
    error[MP0201]: the variable `x` has no value
     --> test.mirror.hcl:1:1
      |
    1 | variable "x" { type = string }
      | ^^^^^^^^^^^^ it has no default
      |
      = help: give one with `-var x=VALUE`, `-var-file` or MIRROR_VAR_x
    "#);
}

#[test]
fn values_for_what_is_not_declared() {
    let inputs = Inputs::new().assignment("x=1").assignment("regoin=2");
    assert_snapshot!(check_with(REGION, &inputs), @r#"
    error[MP0202]: the stack declares no variable `regoin`
     --> -var:1:1
      |
    1 | regoin=2
      | ^^^^^^
      |
      = help: declare it: `variable "regoin" { ... }`
    "#);
    let inputs = Inputs::new().assignment("x=1").file(file("a.vars.hcl", "y = 2\nxx = 3"));
    assert_snapshot!(check_with(REGION, &inputs), @r#"
    error[MP0202]: the stack declares no variable `y`
     --> a.vars.hcl:1:1
      |
    1 | y = 2
      | ^
      |
      = help: declare it: `variable "y" { ... }`

    error[MP0202]: the stack declares no variable `xx`
     --> a.vars.hcl:2:1
      |
    2 | xx = 3
      | ^^
      |
      = help: declare it: `variable "xx" { ... }`
    "#);
    assert_snapshot!(check_with(REGION, &Inputs::new().assignment("x")), @"
    error[MP0203]: a value must be given as `name=value`
     --> -var:1:1
      |
    1 | x
      | ^
    ");
}

#[test]
fn files_of_values() {
    let with = |name: &str, text: &str| check_with(REGION, &Inputs::new().file(file(name, text)));
    assert_snapshot!(with("a.json", "{\"x\": \"from json\"}"), @r#"x = "from json""#);
    assert_snapshot!(with("o.json", "{\"x\": {\"sensitive\": false, \"type\": \"string\", \"value\": \"from outputs\"}, \"other\": {\"sensitive\": true, \"type\": \"number\", \"value\": 1}}"), @r#"x = "from outputs""#);
    assert_snapshot!(with("a.json", "{\"x\": [1]}"), @r#"
    error[MP0203]: expected string, found a list
     --> a.json:1:2
      |
    1 | {"x": [1]}
      |  ^^^
    "#);
    assert_snapshot!(with("a.json", "{\n  \"x\": tru\n}"), @"
    error[MP0001]: this is not JSON
     --> a.json:3:1
      |
    3 | }
      | ^ expected ident
    ");
    assert_snapshot!(with("a.vars.hcl", "x = 1 +"), @"
    error[MP0001]: expected newline or eof
     --> a.vars.hcl:1:7
      |
    1 | x = 1 +
      |       ^
    ");
    assert_snapshot!(with("a.vars.hcl", "x = var.y"), @"
    error[MP0101]: there is nothing named `var`
     --> a.vars.hcl:1:5
      |
    1 | x = var.y
      |     ^^^
      |
      = note: only constants are allowed here
    ");
    assert_snapshot!(with("a.vars.hcl", "x {\n}"), @"
    error[MP0002]: a file of values cannot contain blocks
     --> a.vars.hcl:1:1
      |
    1 | x {
      | ^
      |
      = help: write `name = value`
    ");
}

#[test]
fn choices() {
    let text = "variable \"x\" {\n  type    = string\n  one_of  = [\"dev\", \"prod\"]\n  default = \"stage\"\n}\noutput \"x\" { value = var.x }";
    assert_snapshot!(check(text), @r#"
    error[MP0203]: `var.x` cannot be "stage"
     --> test.mirror.hcl:1:1
      |
    1 | variable "x" {
      | ^^^^^^^^^^^^
      |
      = help: it must be one of `"dev"` and `"prod"`
    "#);
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=prod")), @r#"x = "prod""#);
    assert_snapshot!(check_with(text, &Inputs::new().assignment("x=production")), @r#"
    error[MP0203]: `var.x` cannot be "production"
     --> -var:1:3
      |
    1 | x=production
      |   ^^^^^^^^^^
      |
      = help: it must be one of `"dev"` and `"prod"`
    "#);
}

#[test]
fn null() {
    let text = "variable \"x\" {\n  type     = string\n  nullable = false\n  default  = \"d\"\n}\noutput \"x\" { value = var.x }";
    assert_snapshot!(check_with(text, &Inputs::new().file(file("v", "x = null"))), @r#"x = "d""#);
    assert_snapshot!(check("variable \"x\" { default = null }\noutput \"x\" { value = var.x }"), @"x = null");
    assert_snapshot!(check("variable \"x\" {\n  nullable = false\n  default  = null\n}"), @r#"
    error[MP0203]: `var.x` cannot be null
     --> test.mirror.hcl:1:1
      |
    1 | variable "x" {
      | ^^^^^^^^^^^^
    "#);
}

#[test]
fn what_a_variable_block_may_say() {
    assert_snapshot!(check("variable \"x\" {\n  type        = list(strin)\n  default     = var.y\n  nullable    = 7\n  one_of      = 1\n  description = []\n  sensitive   = true\n}\noutput \"x\" { value = var.x }"), @"
    error[MP0006]: this is not a type
     --> test.mirror.hcl:2:22
      |
    2 |   type        = list(strin)
      |                      ^^^^^
      |
      = help: the types are `string`, `number`, `bool`, `list(T)`, `map(T)`, `object({ ... })` and `any`

    error[MP0101]: there is nothing named `var`
     --> test.mirror.hcl:3:17
      |
    3 |   default     = var.y
      |                 ^^^
      |
      = note: only constants are allowed here

    error[MP0006]: expected bool, found a number
     --> test.mirror.hcl:4:17
      |
    4 |   nullable    = 7
      |                 ^

    error[MP0006]: expected list(any), found a number
     --> test.mirror.hcl:5:17
      |
    5 |   one_of      = 1
      |                 ^

    error[MP0006]: expected string, found a list
     --> test.mirror.hcl:6:17
      |
    6 |   description = []
      |                 ^^
    ");
}
