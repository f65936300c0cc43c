//! Values as text that is unambiguous: no two values have the same text.

use similar::ChangeTag;

use super::super::compared::Compared;
use super::AROUND;
use crate::value::{Part, Secret, Unknown, Value, is_invisible};

/// The text for no value.
pub(super) const NONE: &str = "(none)";

/// A value on one line: texts in quotes; references, and what is not known, without quotes.
pub(super) fn inline(value: &Value) -> String {
    if let Some(text) = template(value) {
        return Value::String(text).to_string();
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Resource(_) => {
            value.to_string()
        }
        Value::Secret(secret) => hidden(secret),
        Value::Unknown(unknown) => {
            let reference = unknown.template.as_ref().and_then(|template| template.as_attribute());
            reference.map_or_else(|| format!("({unknown})"), ToString::to_string)
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .filter(|(_, value)| !is_nothing(value))
                .map(|(key, value)| format!("{} = {}", name(key), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Resource(_)
        | Value::Secret(_)
        | Value::Unknown(_) => false,
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    Value::String(literal(text, None)).to_string()
}

/// A text, or a template with `${...}` for its holes; `None` for what is neither.
pub(super) fn template(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(literal(text, None)),
        Value::Unknown(Unknown { template: Some(template), .. })
            if template.as_attribute().is_none() =>
        {
            let parts = template.0.iter().enumerate().map(|(position, part)| match part {
                Part::Text(text) => literal(text, template.0.get(position + 1)),
                Part::Attribute(origin) => format!("${{{origin}}}"),
                Part::Secret(secret) => format!("${{{}}}", hidden(secret)),
            });
            Some(parts.collect())
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::List(_)
        | Value::Object(_)
        | Value::Resource(_)
        | Value::Secret(_)
        | Value::Unknown(_) => None,
    }
}

/// A secret as its whole hash: if only some digits were approved, another secret could be made to
/// match them.
fn hidden(secret: &Secret) -> String {
    format!("(sensitive, {})", secret.digest())
}

/// A text between holes. If a `{` or a hole comes after dollar signs of the text, these are
/// doubled, so that an odd number of them begins a hole and an even number does not.
fn literal(text: &str, next: Option<&Part>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, dollars) = rest.split_at(at);
        let after = dollars.trim_start_matches('$');
        let dollars = &dollars[..dollars.len() - after.len()];
        let before_hole =
            after.is_empty() && matches!(next, Some(Part::Attribute(_) | Part::Secret(_)));
        let doubled = after.starts_with('{') || before_hole;
        written.extend([before, dollars, if doubled { dollars } else { "" }]);
        rest = after;
    }
    written + rest
}

/// A name: as it is where it is a word, else in quotes.
pub(super) fn name(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_word) { name.to_owned() } else { quoted(name) }
}

/// A part of a key: a text, without quotes if it cannot be mistaken for something else.
pub(super) fn word(value: &Value) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | ':' | '_' | '-');
    match value {
        Value::String(text) if !text.is_empty() && text.chars().all(plain) => text.clone(),
        value => inline(value),
    }
}

/// The lines of a text.
pub(super) fn whole(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split_terminator('\n').map(|line| marked("", line)).collect();
    if !text.ends_with('\n') {
        lines.push(unended());
    }
    lines
}

/// The lines of two texts: those that were, those that are now, and a few unchanged ones around
/// them.
pub(super) fn changed(before: &str, after: &str) -> Vec<String> {
    let compared = Compared::new(before, after);
    let mut lines = Vec::new();
    for (position, group) in compared.groups(AROUND).iter().enumerate() {
        if position > 0 {
            lines.push("    ...".to_owned());
        }
        for change in compared.lines_of(group) {
            let mark = match change.tag() {
                ChangeTag::Equal => "    ",
                ChangeTag::Delete => "was ",
                ChangeTag::Insert => "now ",
            };
            let line = change.value();
            lines.push(marked(mark, line.strip_suffix('\n').unwrap_or(line)));
            if !line.ends_with('\n') {
                lines.push(unended());
            }
        }
    }
    lines
}

fn marked(mark: &str, line: &str) -> String {
    let blank = if line.is_empty() { "" } else { " " };
    format!("    {mark}|{blank}{}", escaped(line))
}

fn unended() -> String {
    "    (no newline at the end)".to_owned()
}

/// A line in which everything is escaped that a reader would not see or a terminal would act upon.
fn escaped(line: &str) -> String {
    let kept = line.trim_end_matches([' ', '\t']);
    let mut text = String::with_capacity(line.len());
    for c in kept.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push(c),
            c if is_invisible(c) => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text.extend(line[kept.len()..].chars().map(|c| if c == '\t' { "\\t" } else { "\\u{20}" }));
    text
}
