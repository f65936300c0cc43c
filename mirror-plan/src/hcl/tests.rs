//! Tests of the stack file as a whole: a text in, a stack or whole diagnostics out.

use super::*;
use crate::render::{Palette, diagnostic};

mod accounts;
mod arithmetic;
mod blocks;
mod existing;
mod expressions;
mod functions;
mod lab;
mod laws;
mod moved;
mod recovery;
mod references;
mod secrets;
mod sources;
mod syntax;
mod variables;

/// A source with the name that the snapshots show.
fn source(text: &str) -> Source {
    Source { name: "test.mirror.hcl".into(), text: text.into() }
}

/// Returns the outputs that `text` evaluates to, one per line, or everything that is wrong with it.
///
/// A `stack` block is appended to the text if it has none.
fn check(text: &str) -> String {
    check_with(text, &Inputs::new())
}

fn check_with(text: &str, inputs: &Inputs<'_>) -> String {
    let stack_block = if text.contains("stack \"") { "" } else { "\nstack \"test\" {}\n" };
    let file = StackFile::parse_in_part(source(&format!("{text}{stack_block}")));
    match file.stack(inputs) {
        Ok((stack, warnings)) => {
            assert!(warnings.is_empty(), "{warnings}");
            let addresses = stack.resources.keys().map(|address| format!("{address}\n"));
            let outputs = stack.outputs.iter();
            let outputs = outputs.map(|(name, output)| format!("{name} = {}\n", output.value));
            addresses.chain(outputs).collect()
        }
        Err(mistakes) => diagnostic::human(&mistakes, Palette::plain()),
    }
}

/// The value of an expression, next to a VPC and two sensors, or what is wrong with it.
fn evaluate(expression: &str) -> String {
    let world = r#"
vpc "lab" { cidr = "10.0.0.0/16" }
subnet "lab" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
instance "sensor" {
  count         = 2
  subnet        = subnet.lab
  instance_type = "t3.micro"
  private_ip    = cidrhost(subnet.lab.cidr, 10 + count.index)
}
instance "web" {
  subnet        = subnet.lab
  instance_type = "t3.micro"
}
locals {
  ports = [443, 8443]
  tags  = { a = 1, b = "two" }
}
"#;
    let shown = check(&format!("output \"it\" {{\n  value = {expression}\n}}{world}"));
    match shown.split_once("it = ") {
        Some((_, value)) if !shown.contains("error") => value.trim_end().to_owned(),
        _ => shown,
    }
}
