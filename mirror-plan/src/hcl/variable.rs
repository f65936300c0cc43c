//! Variables: what they declare, and the values they end up with.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::constraint::Constraint;
use super::declare::{Declaration, Declarations};
use super::evaluate::{Evaluated, Secrecy};
use super::inputs::{Given, GivenValue, Inputs, MayBeUndeclared};
use super::text::{Text, written_at};
use super::{constant, parse};
use crate::attribute::{listed, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::value::{Path, Value};

/// Returns the values of all variables; those without one are reported, and are an empty error
/// here.
pub(super) fn values(
    text: &Text,
    declared: &Declarations<'_>,
    inputs: &Inputs<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Evaluated<Rc<Value>>> {
    let may_hide =
        |variable: &Declaration<'_>| variable.is_unreadable || variable.get("sensitive").is_some();
    let hides = declared.variables.values().any(may_hide);
    let mut found = if hides {
        inputs.mistakes().into_iter().map(unreadable).collect()
    } else {
        inputs.mistakes()
    };
    found.extend(undeclared(declared, inputs));
    // A source that cannot be read might have contained the value.
    let may_be_given = !inputs.mistakes().is_empty();
    let given = inputs.strongest();
    let values = declared.variables.iter().map(|(name, declaration)| {
        if declaration.is_unreadable {
            return ((*name).to_owned(), Err(Diagnostics::new()));
        }
        let value = Variable::read(text, name, declaration)
            .and_then(|variable| variable.value(given.get(name).copied()));
        let value = value.map(Rc::new).map_err(|mistakes| {
            let is_missing = |mistake: &Diagnostic| mistake.code == code::VARIABLE_MISSING;
            let own = mistakes.into_iter().filter(|m| !(may_be_given && is_missing(m)));
            found.extend(own);
            Diagnostics::new()
        });
        ((*name).to_owned(), value)
    });
    let values = values.collect();
    // One line may hold the values of several variables.
    let shown =
        |diagnostic: Diagnostic| if hides { text.hide_others(diagnostic) } else { diagnostic };
    diagnostics.extend(found.into_iter().map(shown));
    values
}

/// Reports that values cannot be read, without showing any of them.
fn unreadable(mistake: Diagnostic) -> Diagnostic {
    let place = mistake.labels.into_iter().next().map(|label| label.span);
    Diagnostic::error(mistake.code, "these values cannot be read")
        .at(place, "")
        .note("the stack has a sensitive variable, so they are not shown")
}

fn undeclared(declared: &Declarations<'_>, inputs: &Inputs<'_>) -> Vec<Diagnostic> {
    let is_wrong = |given: &&Given| {
        given.may_be_undeclared == MayBeUndeclared::No
            && !declared.variables.contains_key(given.name.as_str())
    };
    let wrong = inputs.given().filter(is_wrong).map(|given| {
        let title = format!("the stack declares no variable `{}`", given.name);
        let diagnostic =
            Diagnostic::error(code::VARIABLE_UNDECLARED, title).at(given.name_span(), "");
        match nearest(&given.name, declared.variables.keys().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("declare it: `variable \"{}\" {{ ... }}`", given.name)),
        }
    });
    wrong.collect()
}

/// A declared variable.
struct Variable<'v> {
    name: &'v str,
    head: &'v Span,
    constraint: Constraint,
    /// Whether a given text is the value itself.
    takes_text: bool,
    default: Option<Value>,
    nullable: bool,
    secrecy: Secrecy,
    one_of: Option<Vec<Value>>,
}

/// Reads the attributes of a variable's block, all of which are constants.
struct Reader<'r> {
    text: &'r Text,
    declaration: &'r Declaration<'r>,
    mistakes: Diagnostics,
}

impl Reader<'_> {
    /// The type, if one is written.
    fn constraint(&mut self) -> Option<Constraint> {
        let written = self.declaration.get("type")?;
        let read = Constraint::read(self.text, written);
        // If the type is wrong, the values are not reported as wrong, too.
        Some(read.unwrap_or_else(|mistakes| {
            self.mistakes.extend(mistakes);
            Constraint::Any
        }))
    }

    /// An attribute of the given type, if it is written.
    fn value(&mut self, name: &str, constraint: &Constraint) -> Option<Value> {
        let written = self.declaration.get(name)?;
        let place = |path: &Path| self.text.span(written_at(written, &path.0).0);
        let value = constant(self.text, written)
            .and_then(|value| converted(constraint, value, place, code::WRONG_TYPE));
        value.map_err(|mistakes| self.mistakes.extend(mistakes)).ok()
    }
}

impl<'v> Variable<'v> {
    fn read(
        text: &'v Text,
        name: &'v str,
        declaration: &'v Declaration<'v>,
    ) -> Result<Self, Diagnostics> {
        let mut reader = Reader { text, declaration, mistakes: Diagnostics::new() };
        let written = reader.constraint();
        // As in Terraform, a variable without a type takes a given text as it is.
        let takes_text = matches!(
            written,
            None | Some(Constraint::Bool | Constraint::Number | Constraint::String)
        );
        let constraint = written.unwrap_or(Constraint::Any);
        let default = reader.value("default", &constraint);
        let nullable = reader.value("nullable", &Constraint::Bool);
        let sensitive = reader.value("sensitive", &Constraint::Bool);
        let choices = Constraint::List(Box::new(constraint.clone()));
        let one_of = reader.value("one_of", &choices);
        reader.value("description", &Constraint::String);
        if !reader.mistakes.is_empty() {
            return Err(reader.mistakes);
        }
        Ok(Self {
            name,
            head: &declaration.head,
            constraint,
            takes_text,
            default,
            nullable: nullable != Some(Value::Bool(false)),
            secrecy: match sensitive {
                Some(Value::Bool(true)) => Secrecy::Sensitive,
                _ => Secrecy::Plain,
            },
            one_of: match one_of {
                Some(Value::List(choices)) => Some(choices),
                _ => None,
            },
        })
    }

    /// What it ends up with.
    fn value(self, given: Option<&Given>) -> Result<Value, Diagnostics> {
        let secrecy = self.secrecy;
        self.plain_value(given).map(|value| secrecy.made(value))
    }

    fn plain_value(self, given: Option<&Given>) -> Result<Value, Diagnostics> {
        let Some(given) = given else {
            let value = self.default.clone().ok_or_else(|| self.missing())?;
            self.check(&value, self.head.clone())?;
            return Ok(value);
        };
        let value = self.read_given(given).map_err(|mistakes| match self.secrecy {
            Secrecy::Plain => mistakes,
            Secrecy::Sensitive => {
                let title = format!("the value of `var.{}` cannot be read", self.name);
                Diagnostic::error(code::VARIABLE_VALUE, title)
                    .at(given.value_span(&Path::default()), "")
                    .note("it is sensitive, so it is not shown")
                    .into()
            }
        })?;
        let place = |path: &Path| given.value_span(path);
        let value = converted(&self.constraint, value, place, code::VARIABLE_VALUE)?;
        let value = match value {
            // Where null is not allowed, it means that no value is given.
            Value::Null if !self.nullable => self.default.clone().ok_or_else(|| self.missing())?,
            value => value,
        };
        self.check(&value, given.value_span(&Path::default()))?;
        Ok(value)
    }

    fn read_given(&self, given: &Given) -> Result<Value, Diagnostics> {
        match &given.value {
            GivenValue::Value(value) => Ok(value.clone()),
            GivenValue::Expression(expression) => constant(&given.text, expression),
            GivenValue::Text(bytes) => {
                let written = given.text.bytes(bytes.clone());
                if self.takes_text {
                    return Ok(Value::String(written.text().to_owned()));
                }
                let name = written.source.name.clone();
                let text = Text::new(Source { name, text: written.text().to_owned() });
                let expression = parse::expression(&text)?;
                constant(&text, &expression)
            }
        }
    }

    fn check(&self, value: &Value, at: Span) -> Result<(), Diagnostics> {
        let name = self.name;
        if *value == Value::Null && !self.nullable {
            let title = format!("`var.{name}` cannot be null");
            return Err(Diagnostic::error(code::VARIABLE_VALUE, title).at(at, "").into());
        }
        match &self.one_of {
            Some(choices) if *value != Value::Null && !choices.contains(value) => {
                let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
                let title = format!("`var.{name}` cannot be {}", self.secrecy.made(value.clone()));
                let choices = listed(choices.iter().map(String::as_str));
                Err(Diagnostic::error(code::VARIABLE_VALUE, title)
                    .at(at, "")
                    .help(format!("it must be one of {choices}"))
                    .into())
            }
            _ => Ok(()),
        }
    }

    fn missing(&self) -> Diagnostics {
        let name = self.name;
        let title = format!("the variable `{name}` has no value");
        Diagnostic::error(code::VARIABLE_MISSING, title)
            .at(self.head.clone(), "it has no default")
            .help(format!("give one with `-var {name}=VALUE`, `-var-file` or MIRROR_VAR_{name}"))
            .into()
    }
}

fn converted(
    constraint: &Constraint,
    value: Value,
    place: impl Fn(&Path) -> Span,
    code: crate::diagnostic::Code,
) -> Result<Value, Diagnostics> {
    constraint.convert(value, &Path::default()).map_err(|mismatch| {
        Diagnostic::error(code, mismatch.title).at(place(&mismatch.path), "").into()
    })
}
