//! The parser: text to syntax, and everything that is wrong with the text.
//!
//! The parser itself stops at the first mistake. What is found to be wrong is therefore taken out, first lines within a
//! block, then the whole block, so that the mistakes of several lines and blocks are reported at once. Of a block that
//! is taken out its first line stays, for what it declares exists: the rest of the file can be checked as if nothing
//! were known about it.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::expr::Expression;
use hcl_edit::parser::{self, Error};
use hcl_edit::structure::Body;

use super::hints;
use super::text::Text;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};

/// How many mistakes are reported at most; one in the first line can make everything else wrong.
const MOST: usize = 20;

/// A file as far as it can be read.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Its blocks, without the insides of those that are wrong; `None` if it is not even known which there are.
    pub(super) body: Option<Body>,
    pub(super) unreadable: Unreadable,
    /// What is wrong with the syntax.
    pub(super) mistakes: Diagnostics,
}

impl Parsed {
    /// Returns what a text contains in which nothing is wrong.
    pub(super) fn whole(self) -> Result<Body, Diagnostics> {
        let Self { body, unreadable: _, mistakes } = self;
        body.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }
}

/// The blocks whose insides cannot be read, by where they begin.
#[derive(Debug, Default)]
pub(super) struct Unreadable(BTreeSet<usize>);

impl Unreadable {
    /// Whether a block with this head is one of them.
    pub(super) fn contains(&self, head: &Span) -> bool {
        self.0.contains(&head.bytes.start)
    }
}

/// Parses a whole file.
pub(super) fn body(text: &Text) -> Parsed {
    let nothing = |mistakes| Parsed { body: None, unreadable: Unreadable::default(), mistakes };
    let (mut mistakes, mut unreadable) = (Diagnostics::new(), Unreadable::default());
    let (mut rest, mut heads) = (text.as_str().to_owned(), Heads::Known);
    loop {
        let mistake = match read(text, &rest) {
            Ok(body) => {
                let body = Some(body).filter(|_| heads == Heads::Known);
                return Parsed { body, unreadable, mistakes };
            }
            Err(mistake) if mistakes.iter().len() >= MOST => {
                let title = format!("there are more than {MOST} mistakes in the syntax");
                let next = mistake.labels.into_iter().next().map(|label| label.span);
                mistakes.push(Diagnostic::error(code::SYNTAX, title).at(next, "here is another"));
                return nothing(mistakes);
            }
            Err(mistake) => *mistake,
        };
        let place = place(&mistake);
        let Some(block) = place.and_then(|place| block_around(&rest, place)) else {
            mistakes.push(mistake);
            return nothing(mistakes);
        };
        let line = place.map(|place| hints::line_around(&rest, place));
        if line.is_some_and(|line| !rest[line].starts_with(|c| begins_word(c) || c.is_whitespace()))
        {
            // A `}` at the margin, for example: the line may be missing that it belongs to.
            heads = Heads::Lost;
        }
        if unreadable.0.insert(block.start) {
            mistakes.extend(mistakes_in(text, &rest, &block, mistake));
            if keep_head(&mut rest, block.clone()) == Heads::Known {
                continue;
            }
        }
        blank(&mut rest, block);
        heads = Heads::Lost;
    }
}

/// Parses what is left of a file, or says what is wrong first.
fn read(text: &Text, rest: &str) -> Result<Body, Box<Diagnostic>> {
    // What follows it would be read inside out, and nothing reported about that would be right.
    if let Some(quote) = hints::unclosed_quote(text, rest) {
        return Err(Box::new(quote));
    }
    parser::parse_body(rest).map_err(|error| Box::new(explained(text, rest, &error)))
}

/// Whether the first lines of all blocks are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    Known,
    Lost,
}

/// Returns the mistakes in one block of `rest`, of which the first is known.
fn mistakes_in(text: &Text, rest: &str, block: &Range<usize>, first: Diagnostic) -> Diagnostics {
    let mut alone = rest.to_owned();
    blank(&mut alone, block.end..rest.len());
    blank(&mut alone, 0..block.start);
    let mut line = line_of(&first, &alone, block);
    let mut mistakes = Diagnostics::from(first);
    // What follows a line that opens or closes something would be misread without it.
    while let Some(wrong) = line.filter(|line| hints::stands_alone(&alone[line.clone()])) {
        let behind = wrong.end..block.end;
        blank(&mut alone, wrong);
        let Err(next) = read(text, &alone) else { break };
        line = line_of(&next, &alone, &behind).filter(|_| mistakes.iter().len() < MOST);
        mistakes.extend(line.is_some().then_some(*next));
    }
    mistakes
}

/// The line that a mistake is in, if that begins after the start of `part`, ends in it, and closes nothing.
fn line_of(mistake: &Diagnostic, text: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let line = hints::line_around(text, place(mistake)?);
    let closes = text[line.clone()].trim_start().starts_with(['}', ']', ')']);
    (part.start < line.start && line.end <= part.end && !closes).then_some(line)
}

fn begins_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Where a mistake begins.
fn place(mistake: &Diagnostic) -> Option<usize> {
    mistake.labels.first().map(|label| label.span.bytes.start)
}

/// Parses a single expression.
pub(super) fn expression(text: &Text) -> Result<Expression, Diagnostics> {
    if let Some(quote) = hints::unclosed_quote(text, text.as_str()) {
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
fn block_around(text: &str, offset: usize) -> Option<Range<usize>> {
    let starts = |line: &str| line.starts_with(begins_word);
    let (mut offsets, mut at, mut heredoc_end) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if at >= heredoc_end {
            if starts(line) {
                offsets.push(at);
            }
            let end = line.find("<<").and_then(|begin| hints::heredoc(text, at + begin));
            heredoc_end = end.unwrap_or(heredoc_end);
        }
        at += line.len();
    }
    let after = offsets.partition_point(|start| *start <= offset);
    let start = *offsets.get(after.checked_sub(1)?)?;
    Some(start..offsets.get(after).copied().unwrap_or(text.len()))
}

/// Leaves of a block only its first line up to its brace, and the brace that closes it.
fn keep_head(text: &mut String, block: Range<usize>) -> Heads {
    let Some(open) = text[block.clone()].find('{').map(|open| block.start + open) else {
        return Heads::Lost;
    };
    let inside = open + 1..block.end;
    let last = text[inside.clone()].trim_end().char_indices().next_back();
    let Some((last, _)) = last.filter(|_| !text[block.start..open].contains('\n')) else {
        return Heads::Lost;
    };
    let close = inside.start + last;
    blank(text, inside);
    text.replace_range(close..=close, "}");
    Heads::Known
}

/// Replaces a range with blanks, except for line ends, so that all offsets stay the same.
fn blank(text: &mut String, range: Range<usize>) {
    let blanks: String = text[range.clone()]
        .bytes()
        .map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' })
        .collect();
    text.replace_range(range, &blanks);
}
