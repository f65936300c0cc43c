//! Inputs: values of variables from outside, and the files that `file` may read.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Structure;

use super::text::{Text, written_at};
use super::{ReadFile, parse};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::value::{Path, Value};

/// What a stack file is evaluated with.
///
/// A variable takes its value from the last of these that gives it one: its default, the
/// environment, the files in order, the assignments in order.
pub struct Inputs<'f> {
    environment: Vec<Given>,
    files: Vec<Given>,
    assignments: Vec<Given>,
    pub(super) read: &'f ReadFile<'f>,
    mistakes: Diagnostics,
}

/// A value for a variable, from one place.
pub(super) struct Given {
    pub(super) name: String,
    pub(super) text: Text,
    /// The place of the name.
    pub(super) name_at: Range<usize>,
    pub(super) value: GivenValue,
    /// Whether the variable may be undeclared: the source was not written for this stack.
    pub(super) may_be_undeclared: MayBeUndeclared,
}

/// Whether it is an error if the stack declares no such variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayBeUndeclared {
    Yes,
    No,
}

/// A value before it is known which type it must have.
pub(super) enum GivenValue {
    /// A text at a place, to be taken as it is or as an expression.
    Text(Range<usize>),
    /// An expression.
    Expression(Box<Expression>),
    /// A value already.
    Value(Value),
}

/// Shows only the name: the value may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Given {
    pub(super) fn name_span(&self) -> Span {
        self.text.bytes(self.name_at.clone())
    }

    /// The place of the value, or of the part of it at `path`.
    pub(super) fn value_span(&self, path: &Path) -> Span {
        match &self.value {
            GivenValue::Text(bytes) => self.text.bytes(bytes.clone()),
            GivenValue::Value(_) => self.name_span(),
            GivenValue::Expression(expression) => self.text.span(written_at(expression, &path.0).0),
        }
    }
}

impl fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, files, assignments, read: _, mistakes } = self;
        f.debug_struct("Inputs")
            .field("environment", environment)
            .field("files", files)
            .field("assignments", assignments)
            .field("mistakes", mistakes)
            .finish_non_exhaustive()
    }
}

impl Default for Inputs<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'f> Inputs<'f> {
    /// Returns inputs without values or files.
    #[must_use]
    pub fn new() -> Self {
        Self {
            environment: Vec::new(),
            files: Vec::new(),
            assignments: Vec::new(),
            read: &|_| Err(io::Error::new(io::ErrorKind::Unsupported, "no files can be read here")),
            mistakes: Diagnostics::new(),
        }
    }

    /// Sets a reader for the function `file`.
    ///
    /// It receives paths relative to the stack file's folder, with `/` between their parts, none of
    /// which is `..`. It must not follow links out of that folder.
    #[must_use]
    pub fn read_files_by(mut self, read: &'f ReadFile<'f>) -> Self {
        self.read = read;
        self
    }

    /// Adds the environment, of which only names that begin with `MIRROR_VAR_` count.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables.into_iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("MIRROR_VAR_")?.to_owned();
            let end = value.len();
            Some(Given {
                name,
                text: Text::new(Source { name: key, text: value }),
                name_at: 0..end,
                value: GivenValue::Text(0..end),
                may_be_undeclared: MayBeUndeclared::Yes,
            })
        }));
        self
    }

    /// Adds a file of values: HCL (`name = value`), a JSON object of values, or what
    /// `terraform output -json` prints. In the last case, outputs that are not variables are
    /// ignored.
    #[must_use]
    pub fn file(mut self, source: Source) -> Self {
        let text = Text::new(source);
        let given = if text.as_str().trim_start().starts_with('{') {
            json_values(&text)
        } else {
            hcl_values(&text)
        };
        match given {
            Ok(given) => self.files.extend(given),
            Err(mistakes) => self.mistakes.extend(mistakes),
        }
        self
    }

    /// Adds one value from the command line: `name=value`.
    ///
    /// The value is the text itself for a variable of type string, number or bool (or without a
    /// type), and an HCL expression for the others.
    #[must_use]
    pub fn assignment(mut self, assignment: &str) -> Self {
        let source = Source { name: "-var".to_owned(), text: assignment.to_owned() };
        let text = Text::new(source);
        match assignment.split_once('=') {
            Some((name, _)) => self.assignments.push(Given {
                name: name.trim().to_owned(),
                name_at: 0..name.len(),
                value: GivenValue::Text(name.len() + 1..assignment.len()),
                text,
                may_be_undeclared: MayBeUndeclared::No,
            }),
            None => self.mistakes.push(
                Diagnostic::error(code::VARIABLE_VALUE, "a value must be given as `name=value`")
                    .at(text.whole(), ""),
            ),
        }
        self
    }

    /// What is wrong with the inputs themselves.
    pub(super) fn mistakes(&self) -> Diagnostics {
        self.mistakes.clone()
    }

    /// Every value given, the strongest last.
    pub(super) fn given(&self) -> impl Iterator<Item = &Given> {
        self.environment.iter().chain(&self.files).chain(&self.assignments)
    }

    /// The value that counts for each name.
    pub(super) fn strongest(&self) -> BTreeMap<&str, &Given> {
        self.given().map(|given| (given.name.as_str(), given)).collect()
    }
}

fn hcl_values(text: &Text) -> Result<Vec<Given>, Diagnostics> {
    let body = parse::body(text).whole()?;
    let (mut given, mut mistakes) = (Vec::new(), Diagnostics::new());
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => given.push(Given {
                name: attribute.key.as_str().to_owned(),
                name_at: text.span(&attribute.key).bytes,
                value: GivenValue::Expression(Box::new(attribute.value)),
                text: text.clone(),
                may_be_undeclared: MayBeUndeclared::No,
            }),
            Structure::Block(block) => mistakes.push(
                Diagnostic::error(code::UNKNOWN_BLOCK, "a file of values cannot contain blocks")
                    .at(text.head(&block), "")
                    .help("write `name = value`"),
            ),
        }
    }
    if mistakes.is_empty() { Ok(given) } else { Err(mistakes) }
}

fn json_values(text: &Text) -> Result<Vec<Given>, Diagnostics> {
    let json: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text.as_str()).map_err(|error| not_json(text, &error))?;
    let given = json.into_iter().map(|(name, value)| {
        let written = serde_json::Value::from(name.as_str()).to_string();
        let start = text.as_str().find(&written).unwrap_or(0);
        let end = if text.as_str()[start..].starts_with(&written) {
            start + written.len()
        } else {
            start
        };
        let (value, may_be_undeclared) = match output_value(&value) {
            Some(inner) => (inner.clone(), MayBeUndeclared::Yes),
            None => (value, MayBeUndeclared::No),
        };
        Given {
            name,
            text: text.clone(),
            name_at: start..end,
            value: GivenValue::Value(value.into()),
            may_be_undeclared,
        }
    });
    Ok(given.collect())
}

/// The value in `{ "sensitive": false, "type": "string", "value": ... }`.
fn output_value(json: &serde_json::Value) -> Option<&serde_json::Value> {
    let members = json.as_object()?;
    let is_output = members.len() == 3
        && members.get("sensitive")?.is_boolean()
        && members.contains_key("type");
    if is_output { members.get("value") } else { None }
}

fn not_json(text: &Text, error: &serde_json::Error) -> Diagnostics {
    let lines = text.as_str().split_inclusive('\n').take(error.line().saturating_sub(1));
    let offset = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    // The place is in the text of `at`.
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
    Diagnostic::error(code::SYNTAX, "this is not JSON")
        .at(text.bytes(offset..offset + 1), reason)
        .into()
}
