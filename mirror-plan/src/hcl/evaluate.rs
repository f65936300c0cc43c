//! The evaluator: turns expressions of the stack file into values.
//!
//! Values that are known only after an apply pass through it as [`Value::Unknown`] with their
//! origins, and every error names the place that causes it. Errors are values: an expression with
//! several mistakes reports them all.

use std::cell::Cell;
use std::rc::Rc;

use hcl_edit::Formatted;
use hcl_edit::expr::{Array, Conditional, Expression, Object, ObjectKey};

use super::ReadFile;
use super::convert::{to_bool, to_text};
use super::program::Program;
use super::text::Text;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::value::{NumberError, Unknown, Value};

mod call;
mod comprehension;
mod operation;
pub(super) mod template;
pub(super) mod traversal;

/// A value, or everything that is wrong. Empty diagnostics mean that the mistake has been reported
/// where it was made, and this is only its consequence.
pub(super) type Evaluated<T = Value> = Result<T, Diagnostics>;

/// How deeply expressions and the names that they refer to may nest together.
///
/// The parser allows 64 levels in one expression; this keeps a long chain of locals from
/// exhausting the thread's stack.
const DEEPEST: usize = 400;

/// Evaluates the expressions of one text.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'e> {
    pub(super) text: &'e Text,
    /// What names refer to; without it, only constants are possible.
    pub(super) program: Option<&'e Program<'e>>,
    pub(super) files: &'e ReadFile<'e>,
    pub(super) depth: &'e Cell<usize>,
}

/// The names that a `for` or a block with `count` binds, innermost first.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope<'s>(Option<&'s Binding<'s>>);

/// One bound name.
pub(super) struct Binding<'s> {
    pub(super) name: &'s str,
    pub(super) value: Rc<Value>,
    pub(super) outer: Scope<'s>,
}

impl<'s> Scope<'s> {
    pub(super) const fn of(binding: &'s Binding<'s>) -> Self {
        Self(Some(binding))
    }

    fn bindings(self) -> impl Iterator<Item = &'s Binding<'s>> {
        std::iter::successors(self.0, |binding| binding.outer.0)
    }

    fn names(self) -> impl Iterator<Item = &'s str> {
        self.bindings().map(|binding| binding.name)
    }

    pub(super) fn get(self, name: &str) -> Option<Rc<Value>> {
        self.bindings().find(|binding| binding.name == name).map(|found| Rc::clone(&found.value))
    }
}

/// Gathers values, or the mistakes of all of them.
fn all<T>(results: impl IntoIterator<Item = Evaluated<T>>) -> Evaluated<Vec<T>> {
    let (mut values, mut mistakes, mut failed) = (Vec::new(), Diagnostics::new(), false);
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(found) => {
                failed = true;
                mistakes.extend(found);
            }
        }
    }
    if failed { Err(mistakes) } else { Ok(values) }
}

/// Both values, or the mistakes of both.
fn both<A, B>(first: Evaluated<A>, second: Evaluated<B>) -> Evaluated<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut first), Err(second)) => {
            first.extend(second);
            Err(first)
        }
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes),
    }
}

/// Whether something sensitive went into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    Plain,
    Sensitive,
}

impl Secrecy {
    /// Whether any of `values` is sensitive.
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let sensitive = values.into_iter().any(Value::is_sensitive);
        if sensitive { Self::Sensitive } else { Self::Plain }
    }

    /// Marks as sensitive what was made of sensitive values.
    pub(super) fn made(self, value: Value) -> Value {
        match self {
            Self::Plain => value,
            Self::Sensitive => value.sensitive(),
        }
    }
}

/// An error in evaluation at a place.
fn mistake(title: impl Into<String>, at: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code::EVALUATION, title).at(at, label)
}

/// Describes a value that is not of the expected type.
fn this_is(value: &Value) -> String {
    format!("this is {}", value.type_name())
}

impl Evaluator<'_> {
    /// The value of an expression.
    pub(super) fn evaluate(&self, expression: &Expression, scope: Scope<'_>) -> Evaluated {
        let depth = self.deeper(self.text.span(expression))?;
        let evaluated = self.dispatch(expression, scope);
        self.depth.set(depth);
        evaluated
    }

    /// The value of an expression without its marks, and whether there were any.
    fn unmarked(&self, expression: &Expression, scope: Scope<'_>) -> Evaluated<(Value, Secrecy)> {
        let value = self.evaluate(expression, scope)?;
        let secrecy = Secrecy::of([&value]);
        Ok((value.revealed(), secrecy))
    }

    /// Goes one level deeper; returns the level to go back to.
    fn deeper(&self, at: Span) -> Evaluated<usize> {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            let title = format!("this needs more than {DEEPEST} levels of expressions");
            return Err(mistake(title, at, "").into());
        }
        self.depth.set(depth + 1);
        Ok(depth)
    }

    fn dispatch(&self, expression: &Expression, scope: Scope<'_>) -> Evaluated {
        match expression {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(bool) => Ok(Value::Bool(*bool.value())),
            Expression::Number(number) => self.number(number),
            Expression::String(text) => Ok(Value::String(text.value().clone())),
            Expression::Array(items) => self.array(items, scope),
            Expression::Object(members) => self.object(members, scope),
            Expression::StringTemplate(template) => self.quoted(template, scope),
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc, scope),
            Expression::Parenthesis(inner) => self.evaluate(inner.inner(), scope),
            Expression::Variable(name) => self.lone_name(name, scope),
            Expression::Conditional(conditional) => self.conditional(conditional, scope),
            Expression::FuncCall(call) => self.call(call, scope),
            Expression::Traversal(traversal) => self.traversal(traversal, scope),
            Expression::UnaryOp(operation) => self.unary(operation, scope),
            Expression::BinaryOp(operation) => self.binary(operation, scope),
            Expression::ForExpr(comprehension) => self.comprehension(comprehension, scope),
        }
    }

    /// Reads a number as it is written: the parser has made a double of it.
    fn number(&self, number: &Formatted<hcl_edit::Number>) -> Evaluated {
        let at = self.text.span(number);
        let read = at.text().parse().map(Value::Number);
        read.map_err(|error: NumberError| mistake(error.to_string(), at, "").into())
    }

    fn array(&self, items: &Array, scope: Scope<'_>) -> Evaluated {
        all(items.iter().map(|item| self.evaluate(item, scope))).map(Value::List)
    }

    fn object(&self, members: &Object, scope: Scope<'_>) -> Evaluated {
        let pairs = members
            .iter()
            .map(|(key, member)| both(self.key(key, scope), self.evaluate(member.expr(), scope)));
        let pairs = all(pairs)?;
        let unknown: Vec<&Value> = pairs.iter().filter_map(|(key, _)| key.as_ref().err()).collect();
        if !unknown.is_empty() {
            return Ok(Value::Unknown(Unknown::computed(unknown)));
        }
        let known = pairs.into_iter().filter_map(|(key, value)| Some((key.ok()?, value)));
        Ok(Value::Object(known.collect()))
    }

    /// Returns the name of a member; an inner error is a name that is not known yet.
    fn key(&self, key: &ObjectKey, scope: Scope<'_>) -> Evaluated<Result<String, Value>> {
        match key {
            ObjectKey::Ident(name) => Ok(Ok(name.as_str().to_owned())),
            ObjectKey::Expression(expression) => {
                let value = self.evaluate(expression, scope)?;
                if value.is_sensitive() {
                    let title = "the name of a member is shown, but this one is sensitive";
                    return Err(self.shown(title, expression));
                }
                if !value.is_known() {
                    return Ok(Err(value));
                }
                to_text(&value).map(Ok).ok_or_else(|| {
                    let at = self.text.span(expression);
                    mistake("the name of a member must be a string", at, this_is(&value)).into()
                })
            }
        }
    }

    fn conditional(&self, conditional: &Conditional, scope: Scope<'_>) -> Evaluated {
        let Conditional { cond_expr, true_expr, false_expr, .. } = conditional;
        let (condition, secrecy) = self.unmarked(cond_expr, scope)?;
        if !condition.is_known() {
            let branches = both(self.evaluate(true_expr, scope), self.evaluate(false_expr, scope))?;
            let all = [&condition, &branches.0, &branches.1];
            let either = Secrecy::of([&branches.0, &branches.1]);
            return Ok(secrecy.made(either.made(Value::Unknown(Unknown::computed(all)))));
        }
        let branch = match self.truth(&condition, cond_expr)? {
            true => true_expr,
            false => false_expr,
        };
        self.evaluate(branch, scope).map(|value| secrecy.made(value))
    }

    /// The boolean that a known `value` of `expression` is.
    fn truth(&self, value: &Value, expression: &Expression) -> Evaluated<bool> {
        to_bool(value).ok_or_else(|| {
            let at = self.text.span(expression);
            mistake("a condition must be true or false", at, this_is(value)).into()
        })
    }
}
