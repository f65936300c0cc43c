//! The reference pages of the book, in Markdown.

use std::fmt::Write as _;

use super::in_lines;
use crate::address::Kind;
use crate::attribute::{Attribute, ObjectType, OnChange, Presence, Type};
use crate::code::{self, Entry, Finding, FoundBy};
use crate::hcl::block::{BLOCKS, BlockAttribute, META_ATTRIBUTES};
use crate::hcl::functions::FUNCTIONS;
use crate::lint::{Row, catalogue};
use crate::resource::{computed, object_type};

/// The page of a kind of resource.
#[must_use]
pub fn reference_markdown(kind: Kind) -> String {
    let object = object_type(kind);
    let mut page = Page::new(&format!("`{kind}`"));
    page.paragraph(&in_lines(object.doc));
    page.section("Attributes");
    page.attributes(object);
    page.parts(object);
    page.section("Known after apply");
    page.row(&["Attribute", "What it is"]);
    page.row(&["---", "---"]);
    for computed in computed(kind) {
        page.row(&[&format!("`{kind}.NAME.{}`", computed.name), &in_lines(computed.doc)]);
    }
    page.text
}

/// The page of the blocks that are not resources.
#[must_use]
pub fn blocks_markdown() -> String {
    let mut page = Page::new("The stack file");
    page.paragraph(
        "A stack file is written in HCL and named `NAME.mirror.hcl`. It holds one `stack` block, and \
         any number of other blocks in any order. Anything that repeats inside a resource (rules, \
         routes, listeners) is a list of objects, never a nested block, so that a `for` can make it.",
    );
    for block in BLOCKS {
        page.section(&format!("`{}`", [block.word, block.label].join(" ").trim()));
        page.paragraph(block.doc);
        page.block_attributes(block.attributes);
    }
    page.section("Every resource");
    page.paragraph(
        "A resource block is `KIND \"NAME\"`; each kind has a page with its attributes.",
    );
    page.block_attributes(META_ATTRIBUTES);
    page.section("Expressions");
    page.paragraph(EXPRESSIONS);
    page.text
}

const EXPRESSIONS: &str = "\
Literals, lists, objects, `\"${templates}\"` with `%{ if }` and `%{ for }`, heredocs, arithmetic, \
comparison, logic, `condition ? a : b`, `[for x in list : ...]`, `{for k, v in object : k => v}`, \
`[*]`, and the [functions](functions.md), all as in Terraform, with its numbers of 512 bits. There are two differences: a conditional evaluates \
only the branch that it chooses and converts neither branch, and `x % 0` is an error. In JSON, a number \
that is not whole has the precision of a double.

A resource is a value: `vpc = vpc.lab`. Its configured attributes are what the file says, so \
`cidrsubnet(vpc.lab.cidr, 8, 1)` is known at once. A value that only AWS can supply is known after \
apply, and a plan shows where it will come from: `(known after apply: vpc.lab.id)`. Such a value can \
be used wherever a reference is accepted, in outputs, descriptions and `user_data`. Everything else \
must be known when planning, above all `count` and `when`.

Evaluation does not read the environment or the clock, sends nothing and runs nothing. The only \
files that it reads are those in the stack file's own folder or below it.";

/// The page of the functions.
#[must_use]
pub fn functions_markdown() -> String {
    let mut page = Page::new("Functions");
    page.paragraph(
        "These functions mean what they mean in Terraform. A function that is not listed here does \
         not exist: no function has a name from Terraform and another meaning.",
    );
    page.paragraph(
        "A result that depends on a value known after apply is itself known after apply. `length`, \
         `keys`, `values`, `concat`, `merge`, `lookup` and `join` need only the shape of their \
         arguments: the length of a list of unknown ids is known.",
    );
    for function in FUNCTIONS {
        page.section(&format!("`{}`", function.signature));
        page.paragraph(function.doc);
    }
    page.text
}

/// The page of the codes of diagnostics.
#[must_use]
pub fn errors_markdown() -> String {
    let mut page = Page::new("Error codes");
    page.paragraph("`mirror explain CODE` prints the same text.");
    for entry in code::all() {
        page.section(&format!("{}: {}", entry.code, entry.title));
        page.paragraph(&in_lines(entry.text));
        if let Some(finding) = entry.finding {
            page.paragraph(&finding.to_string());
        }
    }
    page.text
}

/// The page of the findings: the whole catalogue.
#[must_use]
pub fn findings_markdown() -> String {
    let mut page = Page::new("Findings");
    page.paragraph(
        "`mirror validate`, `plan`, `report` and `apply` check every stack for these findings. \
         `mirror explain CODE` prints more about each, and [Error codes](../errors.md) has the same text. An \
         error forbids an apply, and so does a warning with `--deny warnings`. If what was found is right for \
         a stack, accept it in that stack: `allow = [\"CODE: REASON\"]`. What is found when the file is read \
         cannot be accepted, because such a file gives no stack. The severity is that of the worst case.",
    );
    page.row(&["Code", "Severity", "What is found", "What AWS does", "Source", "As of"]);
    page.row(&["---", "---", "---", "---", "---", "---"]);
    for row in catalogue() {
        match row {
            Row::Finding(Entry { code, title, .. }, finding) => {
                let Finding { severity, fact, source, date, found_by } = finding;
                let severity = match found_by {
                    FoundBy::Lint | FoundBy::Removal => severity.to_string(),
                    FoundBy::Reading => format!("{severity}, when the file is read"),
                };
                page.row(&[code.0, &severity, title, fact, source, date]);
            }
            Row::Elsewhere { number, title, how } => page.row(&[number, "-", title, how, "-", "-"]),
        }
    }
    page.text
}

/// A page that is being written.
struct Page {
    text: String,
}

impl Page {
    fn new(title: &str) -> Self {
        let mut page = Self { text: String::new() };
        page.line(&format!("# {title}"));
        page
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn section(&mut self, title: &str) {
        self.line(&format!("\n## {title}"));
    }

    fn paragraph(&mut self, text: &str) {
        self.line(&format!("\n{text}"));
    }

    fn row(&mut self, cells: &[&str]) {
        if !self.text.ends_with("|\n") {
            self.line("");
        }
        // A bar would end the cell.
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    fn attributes(&mut self, object: &ObjectType) {
        self.row(&["Attribute", "Type", "If left out", "A change", "What it is"]);
        self.row(&["---", "---", "---", "---", "---"]);
        for attribute in object.attributes {
            let Attribute { name, doc, holds, presence, on_change } = attribute;
            let change = match on_change {
                OnChange::Update => "in place",
                OnChange::Restart => "stops and starts it",
                OnChange::Replace => "replaces it",
            };
            let name = format!("`{name}`");
            self.row(&[&name, &type_text(holds), &absence(*presence), change, &in_lines(doc)]);
        }
    }

    /// The parts that attributes hold, each with its own table.
    fn parts(&mut self, object: &ObjectType) {
        for attribute in object.attributes {
            let (Type::Object(part) | Type::Set(&Type::Object(part))) = attribute.holds else {
                continue;
            };
            self.line(&format!("\n### `{}`: {}", attribute.name, part.title));
            self.paragraph(&in_lines(part.doc));
            self.attributes(part);
            self.parts(part);
        }
    }

    fn block_attributes(&mut self, attributes: &[BlockAttribute]) {
        if attributes.is_empty() {
            return;
        }
        self.row(&["Attribute", "Type", "What it is"]);
        self.row(&["---", "---", "---"]);
        for BlockAttribute { name, holds, doc } in attributes {
            self.row(&[&format!("`{name}`"), holds, &in_lines(doc)]);
        }
    }
}

fn type_text(holds: &Type) -> String {
    match holds {
        Type::Bool => "true or false".to_owned(),
        Type::Integer { min, max } => format!("{min} to {max}"),
        Type::Text(form) => (*form).to_owned(),
        Type::Secret => "text, shown as its hash".to_owned(),
        Type::Choice(words) => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        Type::Reference(kind) => format!("[`{kind}`]({kind}.md), or an id in quotes"),
        Type::Set(Type::Object(part)) => format!("list of {}s", part.title),
        Type::Set(of) => format!("list: {}", type_text(of)),
        Type::Map => "strings by name".to_owned(),
        Type::Object(part) => format!("a {}", part.title),
    }
}

fn absence(presence: Presence) -> String {
    match presence {
        Presence::Required => "must be given".to_owned(),
        Presence::Optional => "none".to_owned(),
        Presence::Chosen => "is chosen".to_owned(),
        Presence::Default(default) => format!("`{}`", default()),
    }
}
