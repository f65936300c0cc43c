//! Sensitive values are shown nowhere: not in a stack, a diagnostic, or under `{:?}`.

use super::{Inputs, StackFile};
use crate::diagnostic::{Diagnostics, Source};
use crate::render::{Palette, diagnostic};
use crate::stack::Stack;

const CANARY: &str = "Canary-7Yq2";

fn evaluated(body: &str, inputs: &Inputs<'_>) -> Result<Stack, Diagnostics> {
    let text = format!(
        "stack \"lab\" {{}}\nvariable \"key\" {{\n  type = string\n  sensitive = true\n}}\n{body}"
    );
    let source = Source { name: "test.mirror.hcl".to_owned(), text };
    let file = StackFile::parse(source)?;
    file.stack(inputs).map(|(stack, _)| stack)
}

fn given() -> Inputs<'static> {
    Inputs::new().assignment(&format!("key={CANARY}"))
}

/// What is shown of a stack file; the secret may not appear in any form of it.
fn said(body: &str, inputs: &Inputs<'_>) -> String {
    let (text, form) = match evaluated(body, inputs) {
        Ok(stack) => {
            let all: Vec<String> =
                stack.resources.values().map(|d| d.resource.to_value().to_string()).collect();
            let outputs: Vec<String> = stack
                .outputs
                .iter()
                .map(|(name, output)| format!("{name} = {}", output.value))
                .collect();
            ([all, outputs].concat().join("\n"), format!("{stack:?}"))
        }
        Err(found) => (diagnostic::human(&found, Palette::plain()), format!("{found:?}")),
    };
    for shown in [&text, &form, &format!("{inputs:?}")] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    text
}

#[test]
fn what_is_made_of_a_sensitive_value_is_sensitive() {
    for made in [
        "var.key",
        "\"key ${var.key}!\"",
        "[var.key][0]",
        "{ a = var.key }.a",
        "[for k in [var.key] : k]",
        "var.key == \"x\"",
        "true ? var.key : \"x\"",
        "var.key != \"\" ? \"a\" : \"b\"",
        "split(\"-\", var.key)",
        "join(\"-\", [var.key])",
        "format(\"%s\", var.key)",
        "try(var.key)",
        "jsondecode(\"{\\\"a\\\": \\\"${var.key}\\\"}\")",
        "\"%{ if var.key == \"x\" }a%{ else }b%{ endif }\"",
        "\"%{ for c in [var.key] }${c}%{ endfor }\"",
        "sensitive(1 + 1)",
    ] {
        let refused = said(&format!("output \"x\" {{ value = {made} }}"), &given());
        assert!(refused.starts_with("error["), "{made}: {refused}");
        let shown =
            said(&format!("output \"x\" {{\n value = {made}\n sensitive = true\n}}"), &given());
        assert!(shown.starts_with("x = (sensitive, sha256:"), "{made}: {shown}");
    }
}

#[test]
fn an_output_may_be_said_to_be_no_secret() {
    let stack = evaluated("output \"x\" { value = nonsensitive(var.key) }", &given()).unwrap();
    assert_eq!(stack.outputs["x"].value.to_string(), format!("\"{CANARY}\""));
}

#[test]
fn a_sensitive_value_stands_in_user_data_only() {
    let instance = |user_data: &str, more: &str| {
        format!(
            "instance \"a\" {{\n instance_type = \"t3.micro\"\n subnet = \"subnet-0a1b2c3d\"\n user_data = {user_data}\n{more}}}"
        )
    };
    let shown = said(&instance("\"run ${var.key}\"", ""), &given());
    assert!(shown.contains("user_data = (sensitive, sha256:"), "{shown}");
    let template = "launch_template \"a\" {\n instance_type = \"t3.micro\"\n user_data = \"run ${var.key}\"\n}";
    let shown = said(template, &given());
    assert!(shown.contains("user_data = (sensitive, sha256:"), "{shown}");
    insta::assert_snapshot!(said(&instance("\"a\"", " tags = { key = var.key }\n"), &given()), @r"
    error[MP0107]: a sensitive value is used where plans, and AWS itself, show it
      --> test.mirror.hcl:10:17
       |
    10 |  tags = { key = var.key }
       |                 ^^^^^^^
       |
       = help: only `user_data` and outputs with `sensitive = true` may hold it; `nonsensitive(...)` allows it to be shown
    ");
    insta::assert_snapshot!(said(&instance("\"a\"", " count = var.key\n"), &given()), @r"
    error[MP0006]: `count` must be a whole number from 0 to 100000
      --> test.mirror.hcl:10:10
       |
    10 |  count = var.key
       |          ^^^^^^^ this is a sensitive value
    ");
    let reference =
        format!("{}\noutput \"x\" {{ value = instance.a.user_data }}", instance("\"Canary-\"", ""));
    assert!(said(&reference, &given()).contains("error[MP0107]"));
}

#[test]
fn nothing_of_the_values_is_shown_beside_a_sensitive_variable() {
    let stack = "variable \"n\" { type = number }\nvariable \"keys\" {\n type = list(string)\n default = []\n sensitive = true\n}";
    let json = format!("{{\"key\": \"{CANARY}\", \"n\": \"{CANARY}\"}}");
    let file = |text: &str| Source { name: "values".to_owned(), text: text.to_owned() };
    insta::assert_snapshot!(said(stack, &Inputs::new().file(file(&json))), @r"
    error[MP0203]: expected number, found a string
     --> values:1:24
      |
    1 | ******************************************
      |                        ^^^
    ");
    let unclosed = format!("n = 1\nkey = \"{CANARY}\n");
    insta::assert_snapshot!(said(stack, &Inputs::new().file(file(&unclosed))), @r"
    error[MP0001]: these values cannot be read
     --> values:2:7
      |
    2 | ******************
      |       ^
      |
      = note: the stack has a sensitive variable, so they are not shown
    ");
    let unquoted = given().assignment("n=1").assignment("keys=[Canary-7Yq2]");
    insta::assert_snapshot!(said(stack, &unquoted), @r"
    error[MP0203]: the value of `var.keys` cannot be read
     --> -var:1:6
      |
    1 | ******************
      |      ^^^^^^^^^^^^^
      |
      = note: it is sensitive, so it is not shown
    ");
}
