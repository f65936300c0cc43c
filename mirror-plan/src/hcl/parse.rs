//! The parser: text to syntax, or everything that is wrong with the text.
//!
//! The parser itself stops at the first mistake. Blocks at the left margin that are found to be
//! wrong are therefore taken out one after the other, so that the mistakes of several blocks are
//! reported at once.

use hcl_edit::expr::Expression;
use hcl_edit::parser::{self, Error};
use hcl_edit::structure::Body;

use super::hints;
use super::text::Text;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// How many mistakes are reported at most; one in the first line can make everything else wrong.
const MOST: usize = 20;

/// Parses a whole file.
pub(super) fn body(text: &Text) -> Result<Body, Diagnostics> {
    if let Some(quote) = hints::unclosed_quote(text) {
        // Everything after it is read inside out, so nothing reported about it would be right.
        return Err(quote.into());
    }
    let first = match parser::parse_body(text.as_str()) {
        Ok(body) => return Ok(body),
        Err(error) => error,
    };
    let mut mistakes = Diagnostics::new();
    let mut rest = text.as_str().to_owned();
    let mut error = first;
    for _ in 0..MOST {
        let mistake = explained(text, &rest, &error);
        let place = mistake.labels.first().map(|label| label.span.bytes.start);
        mistakes.push(mistake);
        let Some(block) = place.and_then(|place| block_around(&rest, place)) else { break };
        blank(&mut rest, block);
        match parser::parse_body(&rest) {
            Ok(_) => break,
            Err(next) => error = next,
        }
    }
    Err(mistakes)
}

/// Parses a single expression.
pub(super) fn expression(text: &Text) -> Result<Expression, Diagnostics> {
    if let Some(quote) = hints::unclosed_quote(text) {
        return Err(quote.into());
    }
    parser::parse_expr(text.as_str()).map_err(|error| explained(text, text.as_str(), &error).into())
}

/// Explains what is wrong where the parser stopped; `rest` is the text with what is already explained blanked out.
fn explained(text: &Text, rest: &str, error: &Error) -> Diagnostic {
    let offset = error.location().offset();
    hints::explain_syntax(text, rest, offset).unwrap_or_else(|| {
        let start = rest.floor_char_boundary(offset.min(rest.len()));
        let next = rest[start..].chars().next().filter(|c| !matches!(c, '\r' | '\n'));
        let end = start + next.map_or(0, char::len_utf8);
        let title = match error.message() {
            message if message.starts_with("invalid expression") => "a value is expected here",
            message => message,
        };
        Diagnostic::error(code::SYNTAX, title).at(text.bytes(start..end), "")
    })
}

/// Returns the bytes of the structure at the left margin that encloses `offset`, up to the next
/// one.
fn block_around(text: &str, offset: usize) -> Option<std::ops::Range<usize>> {
    let starts = |line: &str| line.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut offsets = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if starts(line) {
            offsets.push(at);
        }
        at += line.len();
    }
    let after = offsets.partition_point(|start| *start <= offset);
    let start = *offsets.get(after.checked_sub(1)?)?;
    Some(start..offsets.get(after).copied().unwrap_or(text.len()))
}

/// Replaces a range with blanks, except for line ends, so that all offsets stay the same.
fn blank(text: &mut String, range: std::ops::Range<usize>) {
    let blanks: String = text[range.clone()]
        .bytes()
        .map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' })
        .collect();
    text.replace_range(range, &blanks);
}
