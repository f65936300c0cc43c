//! Templates: texts with `${...}` and `%{...}` in them.

use hcl_edit::expr::Expression;
use hcl_edit::template::{
    Directive, Element, ForDirective, HeredocTemplate, IfDirective, Interpolation, StringTemplate,
    Strip, Template,
};

use super::comprehension::Loop;
use super::{Evaluated, Evaluator, Scope, Secrecy, all, mistake, this_is};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::hcl::convert::to_text;
use crate::value::{Cause, Part, Secret, Unknown, Value, joined};

/// The pieces of a text.
#[derive(Default)]
pub(in crate::hcl) struct Pieces {
    parts: Vec<Part>,
    /// Unknown values that are more than a hole to be filled.
    computed: Vec<Value>,
}

impl Pieces {
    pub(in crate::hcl) fn text(text: String) -> Self {
        Self { parts: vec![Part::Text(text)], computed: Vec::new() }
    }

    /// A value that can be part of a text.
    pub(in crate::hcl) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Unknown(Unknown { template: Some(template), .. }) => {
                Some(Self { parts: template.0.clone(), computed: Vec::new() })
            }
            Value::Unknown(_) => Some(Self { parts: Vec::new(), computed: vec![value.clone()] }),
            Value::Secret(_) => {
                let pieces = Self::of(&value.clone().revealed())?;
                Some(pieces.hidden(Secrecy::Sensitive))
            }
            known => to_text(known).map(Self::text),
        }
    }

    /// The same with every text in it hidden.
    fn hidden(self, secrecy: Secrecy) -> Self {
        match secrecy {
            Secrecy::Plain => self,
            Secrecy::Sensitive => {
                let computed = self.computed.into_iter().map(Value::sensitive).collect();
                Self {
                    parts: crate::value::Template(self.parts).hidden(Cause::Sensitive).0,
                    computed,
                }
            }
        }
    }

    pub(in crate::hcl) fn joined(pieces: impl IntoIterator<Item = Self>) -> Self {
        pieces.into_iter().fold(Self::default(), |mut all, pieces| {
            all.parts.extend(pieces.parts);
            all.computed.extend(pieces.computed);
            all
        })
    }

    /// The text, or the template that waits for attributes.
    pub(in crate::hcl) fn into_value(self) -> Value {
        let template = joined(self.parts);
        let origins = template.origins().cloned().collect();
        if !self.computed.is_empty() {
            let secrecy = Secrecy::of(&self.computed);
            let secrecy = if template.is_sensitive() { Secrecy::Sensitive } else { secrecy };
            let waiting = Value::Unknown(Unknown { origins, template: None });
            let all = self.computed.iter().chain([&waiting]);
            return secrecy.made(Value::Unknown(Unknown::computed(all)));
        }
        match template.fill(|_| None) {
            Ok(text) if template.is_sensitive() => Value::Secret(Secret::text(text)),
            Ok(text) => Value::String(text),
            Err(_) => Value::Unknown(Unknown { origins, template: Some(template.clone()) }),
        }
    }
}

impl Evaluator<'_> {
    /// A text in quotes. One that contains nothing but `${...}` is the value itself, as in Terraform.
    pub(super) fn quoted(&self, template: &StringTemplate, scope: Scope<'_>) -> Evaluated {
        match template.as_single_element() {
            Some(Element::Interpolation(inner)) => {
                let value = self.evaluate(&inner.expr, scope)?;
                match value {
                    Value::Resource(_) => self.piece(value, &inner.expr).map(Pieces::into_value),
                    value => Ok(value),
                }
            }
            _ => self.enclosed(template, Marks::default(), scope).map(Pieces::into_value),
        }
    }

    /// A text of several lines.
    pub(super) fn heredoc(&self, heredoc: &HeredocTemplate, scope: Scope<'_>) -> Evaluated {
        // The parser has removed the indentation, but not inside `%{...}`.
        let marks = Marks { indent: heredoc.indent().unwrap_or(0), ..Marks::default() };
        self.enclosed(&heredoc.template, marks, scope).map(Pieces::into_value)
    }

    /// A template between two marks, which may strip the blanks inside: `%{ if x ~}`.
    fn enclosed(&self, template: &Template, marks: Marks, scope: Scope<'_>) -> Evaluated<Pieces> {
        let elements: Vec<&Element> = template.iter().collect();
        let pieces = elements.iter().enumerate().map(|(index, element)| match element {
            Element::Literal(text) => {
                let before = index.checked_sub(1).map(|before| last_mark(elements[before]));
                let after = elements.get(index + 1).map(|after| first_mark(after));
                let text: &str = text;
                let text = match before.unwrap_or(marks.opening) {
                    Strip::End | Strip::Both => text.trim_start(),
                    Strip::None | Strip::Start => text,
                };
                let text = match after.unwrap_or(marks.closing) {
                    Strip::Start | Strip::Both => text.trim_end(),
                    Strip::None | Strip::End => text,
                };
                Ok(Pieces::text(dedented(text, marks.inner_indent)))
            }
            Element::Interpolation(Interpolation { expr, .. }) => {
                self.piece(self.evaluate(expr, scope)?, expr)
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(directive) => self.if_directive(directive, marks.indent, scope),
                Directive::For(directive) => self.for_directive(directive, marks.indent, scope),
            },
        });
        all(pieces).map(Pieces::joined)
    }

    /// A value as a piece of a text.
    fn piece(&self, value: Value, expression: &Expression) -> Evaluated<Pieces> {
        if let Some(pieces) = Pieces::of(&value) {
            return Ok(pieces);
        }
        match value {
            Value::Resource(address) => {
                let at = self.text.span(expression);
                let title = format!("`{address}` is a whole resource, but text is needed here");
                let with_id = format!("{}.id", at.text());
                Err(Diagnostic::error(code::RESOURCE_AS_TEXT, title)
                    .at(at.clone(), "")
                    .help_patch("name the attribute you mean", at, with_id)
                    .into())
            }
            other => {
                let title = "only strings, numbers and booleans can be part of a text";
                Err(mistake(title, self.text.span(expression), this_is(&other)).into())
            }
        }
    }

    fn if_directive(
        &self,
        directive: &IfDirective,
        indent: usize,
        scope: Scope<'_>,
    ) -> Evaluated<Pieces> {
        let (condition, secrecy) = self.unmarked(&directive.if_expr.cond_expr, scope)?;
        if !condition.is_known() {
            let computed = vec![secrecy.made(condition)];
            return Ok(Pieces { parts: Vec::new(), computed });
        }
        let hidden = |pieces: Pieces| pieces.hidden(secrecy);
        let (first, end) = (&directive.if_expr, directive.endif_expr.strip);
        let second = directive.else_expr.as_ref();
        if self.truth(&condition, &first.cond_expr)? {
            let closing = second.map_or(end, |second| second.strip);
            let marks = Marks::inside(first.strip, closing, indent);
            return self.enclosed(&first.template, marks, scope).map(hidden);
        }
        match second {
            Some(second) => {
                let marks = Marks::inside(second.strip, end, indent);
                self.enclosed(&second.template, marks, scope).map(hidden)
            }
            None => Ok(Pieces::default()),
        }
    }

    fn for_directive(
        &self,
        directive: &ForDirective,
        indent: usize,
        scope: Scope<'_>,
    ) -> Evaluated<Pieces> {
        let written = &directive.for_expr;
        let (collection, secrecy) = self.going_over(&written.collection_expr, scope)?;
        if let Value::Unknown(_) = collection {
            let computed = vec![secrecy.made(collection)];
            return Ok(Pieces { parts: Vec::new(), computed });
        }
        let names = Loop {
            key: written.key_var.as_ref().map(|name| name.as_str()),
            value: written.value_var.as_str(),
        };
        let turns = self.turns(collection, &written.collection_expr)?;
        let marks = Marks::inside(written.strip, directive.endfor_expr.strip, indent);
        let body = |scope: Scope<'_>| self.enclosed(&written.template, marks, scope);
        all(turns.into_iter().map(|turn| self.round(&names, turn, scope, &body)))
            .map(|pieces| Pieces::joined(pieces).hidden(secrecy))
    }
}

/// What surrounds a template.
#[derive(Clone, Copy, Default)]
struct Marks {
    /// The mark before it, which may strip its first blanks.
    opening: Strip,
    /// The mark after it, which may strip its last blanks.
    closing: Strip,
    /// How far the heredoc around it is indented.
    indent: usize,
    /// How much of that is still to be removed.
    inner_indent: usize,
}

impl Marks {
    const fn inside(opening: Strip, closing: Strip, indent: usize) -> Self {
        Self { opening, closing, indent, inner_indent: indent }
    }
}

/// A text without the first `indent` blanks of each line that begins in it.
fn dedented(text: &str, indent: usize) -> String {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |mut dedented, line| {
        let blanks = line.bytes().take(indent).take_while(|b| matches!(b, b' ' | b'\t')).count();
        dedented.push_str(&line[blanks..]);
        dedented
    })
}

/// The mark that an element ends with.
fn last_mark(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.endif_expr.strip,
            Directive::For(directive) => directive.endfor_expr.strip,
        },
    }
}

/// The mark that an element begins with.
fn first_mark(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.if_expr.strip,
            Directive::For(directive) => directive.for_expr.strip,
        },
    }
}
