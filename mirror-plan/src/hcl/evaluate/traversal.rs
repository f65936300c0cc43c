//! Names and paths through values: `vpc.lab.id`, `instance.sensor[*].private_ip`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use hcl_edit::expr::{Expression, Splat, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Ident};

use super::{Evaluated, Evaluator, Scope, all, mistake, this_is};
use crate::address::Kind;
use crate::attribute::{listed, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::hcl::convert::{to_text, to_whole};
use crate::hcl::program::{Program, Reference};
use crate::scalar::AccountName;
use crate::stack::SourceNames;
use crate::value::{Unknown, Value};

pub(in crate::hcl) type Operator = Decorated<TraversalOperator>;

/// The beginning of a path: `var.x`, `local.x` or `vpc.x`.
pub(in crate::hcl) struct Named<'r, 'o> {
    pub(in crate::hcl) reference: Reference<'r>,
    program: &'r Program<'r>,
    /// Where it is written.
    at: Span,
    /// The operators after it.
    pub(in crate::hcl) rest: &'o [Operator],
}

impl Evaluator<'_> {
    /// A name with nothing after it: only `for` and `count` bind such names.
    pub(in crate::hcl) fn lone_name(&self, name: &Decorated<Ident>, scope: Scope<'_>) -> Evaluated {
        if let Some(value) = scope.get(name.as_str()) {
            return Ok((*value).clone());
        }
        let diagnostic = self.unknown_root(name, scope);
        if !diagnostic.help.is_empty() {
            return Err(diagnostic.into());
        }
        let quoted = format!("\"{}\"", name.as_str());
        let at = self.text.span(name);
        Err(diagnostic.help_patch("for a text, put it in quotes", at, quoted).into())
    }

    fn unknown_root(&self, name: &Decorated<Ident>, scope: Scope<'_>) -> Diagnostic {
        let at = self.text.span(name);
        let word = name.as_str();
        let roots = Kind::all().map(Kind::word).chain([
            "var",
            "local",
            AccountName::WORD,
            SourceNames::WORD,
        ]);
        if self.program.is_some() && roots.clone().any(|root| root == word) {
            return Diagnostic::error(code::UNKNOWN_NAME, format!("`{word}` alone is not a value"))
                .at(at, "")
                .help(format!("write `{word}.NAME`"));
        }
        let title = format!("there is nothing named `{word}`");
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, title).at(at.clone(), "");
        if self.program.is_none() {
            return diagnostic.note("only constants are allowed here");
        }
        if word == "count" {
            return diagnostic.help("`count.index` is only for blocks with `count`");
        }
        let bound: Vec<String> = scope.names().map(str::to_owned).collect();
        match nearest(word, bound.iter().map(String::as_str)).or_else(|| nearest(word, roots)) {
            Some(near) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
            None => diagnostic,
        }
    }

    pub(super) fn traversal(&self, traversal: &Traversal, scope: Scope<'_>) -> Evaluated {
        let operators = traversal.operators.as_slice();
        let Expression::Variable(name) = &traversal.expr else {
            let value = self.evaluate(&traversal.expr, scope)?;
            return self.steps(Cow::Owned(value), operators, scope).map(Cow::into_owned);
        };
        if let Some(value) = scope.get(name.as_str()) {
            return self.steps(Cow::Borrowed(&value), operators, scope).map(Cow::into_owned);
        }
        let (value, rest) = self.named(name, operators, scope)?;
        self.steps(Cow::Borrowed(&value), rest, scope).map(Cow::into_owned)
    }

    /// Returns the value of `var.x`, `local.x` or `vpc.x`, and the operators after it.
    fn named<'o>(
        &self,
        root: &Decorated<Ident>,
        operators: &'o [Operator],
        scope: Scope<'_>,
    ) -> Evaluated<(Rc<Value>, &'o [Operator])> {
        let Named { reference, program, at, rest } = self.reference(root, operators, scope)?;
        Ok((program.value(reference, at)?, rest))
    }

    /// Returns what `var.x`, `local.x` or `vpc.x` refers to.
    pub(in crate::hcl) fn reference<'r, 'o: 'r>(
        &'r self,
        root: &Decorated<Ident>,
        operators: &'o [Operator],
        scope: Scope<'_>,
    ) -> Evaluated<Named<'r, 'o>> {
        let first = operators.split_first().map(|(first, rest)| (first.value(), rest));
        let (Some(program), Some((TraversalOperator::GetAttr(name), rest))) = (self.program, first)
        else {
            return Err(self.unknown_root(root, scope).into());
        };
        let at = self.text.span(name);
        let whole = self.text.bytes(self.text.span(root).bytes.start..at.bytes.end);
        match program.reference(root.as_str(), name.as_str(), (whole.clone(), at)) {
            Some(reference) => Ok(Named { reference: reference?, program, at: whole, rest }),
            None => Err(self.unknown_root(root, scope).into()),
        }
    }

    /// Follows `operators` through `value`.
    fn steps<'v>(
        &self,
        mut value: Cow<'v, Value>,
        mut operators: &[Operator],
        scope: Scope<'_>,
    ) -> Evaluated<Cow<'v, Value>> {
        while let Some((operator, rest)) = operators.split_first() {
            if let Value::Secret(_) = *value {
                return self.inside_secret(value.into_owned(), operators, scope);
            }
            if let Value::Unknown(_) = *value {
                return Ok(Cow::Owned(Value::Unknown(Unknown::computed([&*value]))));
            }
            operators = rest;
            value = match operator.value() {
                TraversalOperator::GetAttr(name) => self.member(value, name)?,
                TraversalOperator::Index(index) => {
                    let at = self.evaluate(index, scope)?;
                    if !at.is_known() {
                        return Ok(Cow::Owned(Value::Unknown(Unknown::computed([&at, &*value]))));
                    }
                    self.element_at(value, at, operator)?
                }
                TraversalOperator::LegacyIndex(index) => {
                    let index = i64::try_from(*index.value()).unwrap_or(i64::MAX);
                    self.element(value, &Value::integer(index), operator)?
                }
                TraversalOperator::FullSplat(splat) => {
                    // Everything that follows is applied to each element.
                    operators = &[];
                    self.each(value.into_owned(), splat, rest, scope)?
                }
                TraversalOperator::AttrSplat(splat) => {
                    let is_member = |operator: &Operator| {
                        matches!(operator.value(), TraversalOperator::GetAttr(_))
                    };
                    let end = rest.iter().position(|operator| !is_member(operator));
                    let (inner, behind) = rest.split_at(end.unwrap_or(rest.len()));
                    operators = behind;
                    self.each(value.into_owned(), splat, inner, scope)?
                }
            };
        }
        Ok(value)
    }

    /// Follows a path through a sensitive value: what is found is sensitive, too, and what does not
    /// exist is not named.
    fn inside_secret(
        &self,
        secret: Value,
        operators: &[Operator],
        scope: Scope<'_>,
    ) -> Evaluated<Cow<'static, Value>> {
        let found = self.steps(Cow::Owned(secret.revealed()), operators, scope);
        match found {
            Ok(found) => Ok(Cow::Owned(found.into_owned().sensitive())),
            Err(_) => {
                let at = operators.first().map(|operator| self.text.span(operator));
                let title = "the sensitive value has no such part";
                Err(Diagnostic::error(code::EVALUATION, title).at(at, "").into())
            }
        }
    }

    /// The element at an index that may be sensitive.
    fn element_at<'v>(
        &self,
        value: Cow<'v, Value>,
        index: Value,
        operator: &Operator,
    ) -> Evaluated<Cow<'v, Value>> {
        if !index.is_sensitive() {
            return self.element(value, &index, operator);
        }
        match self.element(value, &index.revealed(), operator) {
            Ok(found) => Ok(Cow::Owned(found.into_owned().sensitive())),
            Err(_) => {
                let title = "there is no element with this sensitive name";
                Err(mistake(title, self.text.span(operator), "").into())
            }
        }
    }

    /// Returns what `operators` lead to from each element. A splat after a splat nests in here, so
    /// it counts as depth.
    fn each(
        &self,
        value: Value,
        splat: &Decorated<Splat>,
        operators: &[Operator],
        scope: Scope<'_>,
    ) -> Evaluated<Cow<'static, Value>> {
        let items = match value {
            Value::List(items) => items,
            Value::Null => Vec::new(),
            // As in Terraform, anything else is a list with one element.
            one => vec![one],
        };
        let depth = self.deeper(self.text.span(splat))?;
        let items = items
            .into_iter()
            .map(|item| self.steps(Cow::Owned(item), operators, scope).map(Cow::into_owned));
        let items = all(items);
        self.depth.set(depth);
        Ok(Cow::Owned(Value::List(items?)))
    }

    fn member<'v>(
        &self,
        value: Cow<'v, Value>,
        name: &Decorated<Ident>,
    ) -> Evaluated<Cow<'v, Value>> {
        let word = name.as_str();
        let at = self.text.span(name);
        if let (Value::Resource(address), Some(program)) = (&*value, self.program) {
            return program.attribute(address, word, at).map(|value| Cow::Owned((*value).clone()));
        }
        if let Value::Object(members) = &*value {
            let missing = || self.no_member(word, members, at.clone());
            members.get(word).ok_or_else(missing)?;
            return Ok(inside(value, |value| match value {
                Value::Object(members) => members.get(word),
                _ => None,
            }));
        }
        let title = format!("there is no `.{word}` here");
        let diagnostic = mistake(title, at, format!("after {}", value.type_name()));
        Err(match &*value {
            Value::List(_) => {
                let help = format!("take one element with `[0].{word}`, or all with `[*].{word}`");
                diagnostic.help(help)
            }
            _ => diagnostic,
        }
        .into())
    }

    fn no_member(&self, word: &str, members: &BTreeMap<String, Value>, at: Span) -> Diagnostic {
        let names = || members.keys().map(String::as_str);
        let title = format!("the object has no member `{word}`");
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, title).at(at, "");
        match nearest(word, names()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.note(format!("it has {}", listed(names()))),
        }
    }

    fn element<'v>(
        &self,
        value: Cow<'v, Value>,
        index: &Value,
        operator: &Operator,
    ) -> Evaluated<Cow<'v, Value>> {
        let at = self.text.span(operator);
        match &*value {
            Value::List(items) => {
                let place = position(items.len(), index).map_err(|title| mistake(title, at, ""))?;
                Ok(inside(value, |value| match value {
                    Value::List(items) => items.get(place),
                    _ => None,
                }))
            }
            Value::Object(members) => {
                let Some(word) = to_text(index) else {
                    let title = "the name of a member must be a string";
                    return Err(mistake(title, at, this_is(index)).into());
                };
                let missing = || self.no_member(&word, members, at);
                members.get(&word).ok_or_else(missing)?;
                Ok(inside(value, |value| match value {
                    Value::Object(members) => members.get(&word),
                    _ => None,
                }))
            }
            other => {
                let label = format!("after {}", other.type_name());
                let diagnostic = mistake("only lists and objects have elements", at, label);
                Err(match other {
                    Value::Resource(address) => {
                        diagnostic.help(format!("`{address}` is one resource: it has no `count`"))
                    }
                    _ => diagnostic,
                }
                .into())
            }
        }
    }
}

/// A part of a value, borrowed where the value is.
fn inside<'v>(
    value: Cow<'v, Value>,
    part: impl for<'p> Fn(&'p Value) -> Option<&'p Value>,
) -> Cow<'v, Value> {
    match value {
        Cow::Borrowed(value) => part(value).map_or(Cow::Owned(Value::Null), Cow::Borrowed),
        Cow::Owned(value) => Cow::Owned(part(&value).cloned().unwrap_or_default()),
    }
}

/// Returns the position that `index` means, or why there is none.
fn position(length: usize, index: &Value) -> Result<usize, String> {
    let Some(whole) = to_whole(index) else {
        return Err(format!("the index of a list must be a whole number, not {index}"));
    };
    let place = usize::try_from(whole).ok().filter(|place| *place < length);
    place.ok_or_else(|| match length {
        0 => format!("there is no element {whole}: the list is empty"),
        1 => format!("there is no element {whole}: the list has only [0]"),
        _ => format!("there is no element {whole}: the list has [0] to [{}]", length - 1),
    })
}
