//! `for` expressions, and what they and the `for` of templates share.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use hcl_edit::expr::{Expression, ForExpr};

use super::{Binding, Evaluated, Evaluator, Scope, Secrecy, all, both, mistake, this_is};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hcl::convert::to_text;
use crate::value::{Unknown, Value};

/// The names that a loop binds in each iteration.
pub(super) struct Loop<'l> {
    /// The name for the index or the name of a member, if it has one.
    pub(super) key: Option<&'l str>,
    pub(super) value: &'l str,
}

/// One element of an object that a `for` creates, or why there is none.
enum Member {
    Some(String, Value),
    /// Left out by `if`.
    None,
    /// Its name or its `if` is known only after apply.
    Unknown(Value),
}

impl Evaluator<'_> {
    pub(super) fn comprehension(&self, written: &ForExpr, scope: Scope<'_>) -> Evaluated {
        let ForExpr { intro, key_expr, value_expr, cond, .. } = written;
        let names = Loop {
            key: intro.key_var.as_ref().map(|name| name.as_str()),
            value: intro.value_var.as_str(),
        };
        let (collection, secrecy) = self.going_over(&intro.collection_expr, scope)?;
        if let Value::Unknown(_) = collection {
            return Ok(secrecy.made(Value::Unknown(Unknown::computed([&collection]))));
        }
        let turns = self.turns(collection, &intro.collection_expr)?;
        let condition = cond.as_ref().map(|condition| &condition.expr);
        let members = all(turns.into_iter().map(|turn| {
            self.round(&names, turn, scope, &|scope| {
                self.made(key_expr.as_ref(), value_expr, (condition, secrecy), scope)
            })
        }))?;
        self.gathered(written, members, secrecy)
    }

    /// Returns what the iterations of a loop have made. Separate from their evaluation, which
    /// nests.
    fn gathered(&self, written: &ForExpr, members: Vec<Member>, secrecy: Secrecy) -> Evaluated {
        let unknown = members.iter().filter_map(|member| match member {
            Member::Unknown(value) => Some(value),
            Member::Some(..) | Member::None => None,
        });
        let unknown: Vec<&Value> = unknown.collect();
        if !unknown.is_empty() {
            return Ok(secrecy.made(Value::Unknown(Unknown::computed(unknown))));
        }
        let members = members.into_iter().filter_map(|member| match member {
            Member::Some(key, value) => Some((key, value)),
            Member::None | Member::Unknown(_) => None,
        });
        let made = match written.key_expr.as_ref() {
            None => Value::List(members.map(|(_, value)| value).collect()),
            Some(_) if written.grouping => grouped(members),
            Some(key) => self.distinct(members, key)?,
        };
        Ok(secrecy.made(made))
    }

    /// Returns what a loop iterates over; the elements of a sensitive value are sensitive, too.
    pub(super) fn going_over(
        &self,
        expression: &Expression,
        scope: Scope<'_>,
    ) -> Evaluated<(Value, Secrecy)> {
        let value = self.evaluate(expression, scope)?;
        let Value::Secret(_) = value else { return Ok((value, Secrecy::Plain)) };
        let hidden = match value.revealed() {
            Value::List(items) => Value::List(items.into_iter().map(Value::sensitive).collect()),
            Value::Object(members) => Value::Object(
                members.into_iter().map(|(name, member)| (name, member.sensitive())).collect(),
            ),
            other => other,
        };
        Ok((hidden, Secrecy::Sensitive))
    }

    /// Returns the iterations of a loop: index or name, and value.
    pub(super) fn turns(
        &self,
        collection: Value,
        expression: &Expression,
    ) -> Evaluated<Vec<(Value, Value)>> {
        match collection {
            Value::List(items) => {
                let numbers = (0_u32..).map(Value::integer);
                Ok(numbers.zip(items).collect())
            }
            Value::Object(members) => {
                Ok(members.into_iter().map(|(k, v)| (Value::String(k), v)).collect())
            }
            other => {
                let at = self.text.span(expression);
                let title = "`for` needs a list or an object";
                let diagnostic = mistake(title, at, this_is(&other));
                Err(match other {
                    Value::Resource(_) => {
                        diagnostic.help("only a block with `count` stands for a list")
                    }
                    _ => diagnostic,
                }
                .into())
            }
        }
    }

    /// Evaluates one iteration: `body` with the names bound.
    pub(super) fn round<T>(
        &self,
        names: &Loop<'_>,
        (key, value): (Value, Value),
        outer: Scope<'_>,
        body: &dyn Fn(Scope<'_>) -> Evaluated<T>,
    ) -> Evaluated<T> {
        let value = Binding { name: names.value, value: Rc::new(value), outer };
        match names.key {
            None => body(Scope::of(&value)),
            Some(name) => {
                let key = Binding { name, value: Rc::new(key), outer: Scope::of(&value) };
                body(Scope::of(&key))
            }
        }
    }

    fn made(
        &self,
        key: Option<&Expression>,
        value: &Expression,
        (condition, secrecy): (Option<&Expression>, Secrecy),
        scope: Scope<'_>,
    ) -> Evaluated<Member> {
        if let Some(condition) = condition {
            let (holds, hidden) = self.unmarked(condition, scope)?;
            if hidden == Secrecy::Sensitive && secrecy == Secrecy::Plain {
                return Err(self.shown("this decides what is shown, but is sensitive", condition));
            }
            if !holds.is_known() {
                return Ok(Member::Unknown(holds));
            }
            if !self.truth(&holds, condition)? {
                return Ok(Member::None);
            }
        }
        let Some(written_key) = key else {
            return Ok(Member::Some(String::new(), self.evaluate(value, scope)?));
        };
        let (key, value) = both(self.evaluate(written_key, scope), self.evaluate(value, scope))?;
        if key.is_sensitive() {
            return Err(
                self.shown("the name of a member is shown, but this one is sensitive", written_key)
            );
        }
        if !key.is_known() {
            return Ok(Member::Unknown(key));
        }
        match to_text(&key) {
            Some(key) => Ok(Member::Some(key, value)),
            None => {
                let at = self.text.span(written_key);
                Err(mistake("the name of a member must be a string", at, this_is(&key)).into())
            }
        }
    }

    /// Refuses a sensitive value where the result is not sensitive.
    pub(super) fn shown(&self, title: &str, expression: &Expression) -> Diagnostics {
        let at = self.text.span(expression);
        Diagnostic::error(code::SENSITIVE, title)
            .at(at, "")
            .help("`nonsensitive(...)` allows it to be shown")
            .into()
    }

    fn distinct(
        &self,
        members: impl Iterator<Item = (String, Value)>,
        key: &Expression,
    ) -> Evaluated {
        let (mut object, mut mistakes) = (BTreeMap::new(), Diagnostics::new());
        for (name, value) in members {
            match object.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(taken) => {
                    let title = format!("two elements have the name {:?}", taken.key());
                    let diagnostic = mistake(title, self.text.span(key), "");
                    let help = "put `...` after the value to gather them into a list";
                    mistakes.push(diagnostic.help(help));
                }
            }
        }
        if mistakes.is_empty() { Ok(Value::Object(object)) } else { Err(mistakes) }
    }
}

/// Returns the values by name, as lists of those with the same name.
fn grouped(members: impl Iterator<Item = (String, Value)>) -> Value {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in members {
        groups.entry(name).or_default().push(value);
    }
    Value::Object(groups.into_iter().map(|(name, values)| (name, Value::List(values))).collect())
}
