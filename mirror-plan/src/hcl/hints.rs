//! Hints: what a person probably meant where the text is not HCL.
//!
//! The parser stops at the first thing that is impossible, which is often far behind the mistake.
//! [`explain_syntax`] searches the text around that place for the mistakes that people make.

use std::ops::Range;

use super::text::Text;
use crate::address::Kind;
use crate::code;
use crate::diagnostic::Diagnostic;

/// Reports a text in quotes in `whole` that does not end on its line.
///
/// `whole` is the text with some of it blanked out.
pub(super) fn unclosed_quote(text: &Text, whole: &str) -> Option<Diagnostic> {
    let Unclosed { quote, in_interpolation } = Scan::of(whole, whole.len()).unclosed?;
    let diagnostic = syntax("this text in quotes is not closed")
        .at(text.bytes(quote..quote + 1), "it begins here");
    if in_interpolation {
        return Some(diagnostic.help("a `${` in it may lack its `}`"));
    }
    let end = quote + probable_length(whole, quote);
    Some(
        diagnostic
            .help_patch("close it, probably at the end", text.bytes(end..end), "\"")
            .note("a text of several lines is written between `<<EOF` and a line with `EOF`"),
    )
}

/// How long the text that begins with a `quote` and is not closed probably is: to the end of its line, but for what closes
/// the brackets that its line opens before it.
fn probable_length(text: &str, quote: usize) -> usize {
    let line = line_around(text, quote);
    let before = &text[line.start..quote];
    let mut inside = text[quote..line.end].trim_end();
    for _ in Scan::of(before, before.len()).open {
        let end = inside.trim_end_matches(',').trim_end();
        let Some(within) = end.strip_suffix(['}', ']', ')']) else { break };
        inside = within.trim_end();
    }
    inside.len()
}

/// What is probably wrong, if the parser could not go on at `offset` of `rest`.
///
/// `rest` is the text with some of it blanked out.
pub(super) fn explain_syntax(text: &Text, rest: &str, offset: usize) -> Option<Diagnostic> {
    let offset = rest.floor_char_boundary(offset.min(rest.len()));
    let near = Near { text, whole: rest, offset, scan: Scan::of(rest, offset) };
    near.given_twice()
        .or_else(|| near.brace_on_the_next_line())
        .or_else(|| near.colon())
        .or_else(|| near.single_quotes())
        .or_else(|| near.unclosed_bracket())
        .or_else(|| near.several_in_one_line())
        .or_else(|| near.comma_in_block())
        .or_else(|| near.no_equals_sign())
        .or_else(|| near.no_comma())
}

fn syntax(title: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code::SYNTAX, title)
}

/// An opening bracket without its other half.
#[derive(Clone, Copy, Debug)]
struct Opener {
    at: usize,
    bracket: u8,
    /// How far its line is indented.
    indent: usize,
}

/// A text in quotes that continues beyond its line.
#[derive(Clone, Copy, Debug)]
struct Unclosed {
    quote: usize,
    /// Whether a `${` in it is the reason.
    in_interpolation: bool,
}

/// What a text contains up to a place, as far as brackets and quotes are concerned.
#[derive(Debug, Default)]
struct Scan {
    /// The brackets that are open at the place.
    open: Vec<Opener>,
    /// The first text in quotes that goes beyond its line.
    unclosed: Option<Unclosed>,
    /// The first opener that was skipped by a less indented closer or by a new block.
    suspect: Option<Opener>,
    /// The first closer without an opener.
    stray: Option<usize>,
    /// Where the last thing before the place ends, not counting comments.
    last_end: usize,
}

impl Scan {
    fn of(text: &str, end: usize) -> Self {
        let mut scan = Self::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < end {
            let byte = bytes[at];
            let start = at;
            match byte {
                b'#' => at = line_around(text, at).end,
                b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_around(text, at).end,
                b'/' if bytes.get(at + 1) == Some(&b'*') => {
                    at = text[at..].find("*/").map_or(text.len(), |length| at + length + 2);
                }
                b'<' if bytes.get(at + 1) == Some(&b'<') => {
                    at = heredoc(text, at).unwrap_or(at + 2);
                    scan.last_end = at;
                }
                b'"' => {
                    at = scan.quoted(text, at);
                    scan.last_end = at;
                }
                b'{' | b'[' | b'(' => {
                    scan.opened(text, at);
                    at += 1;
                    scan.last_end = at;
                }
                b'}' | b']' | b')' => {
                    scan.closed(text, at);
                    at += 1;
                    scan.last_end = at;
                }
                _ => {
                    at += 1;
                    if !byte.is_ascii_whitespace() {
                        scan.last_end = at;
                    }
                }
            }
            debug_assert!(at > start, "the scan goes on");
        }
        scan
    }

    /// Scans a text in quotes; returns where it ends.
    fn quoted(&mut self, text: &str, quote: usize) -> usize {
        let bytes = text.as_bytes();
        let mut at = quote + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                b'\n' => break,
                b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') => {
                    let escaped = bytes[at - 1] == *byte;
                    at = if escaped { at + 2 } else { self.interpolated(text, quote, at + 2) };
                }
                _ => at += 1,
            }
        }
        self.unclosed.get_or_insert(Unclosed { quote, in_interpolation: false });
        at.min(text.len())
    }

    /// Scans an expression in the text that begins at `quote`; returns where its `}` ends.
    fn interpolated(&mut self, text: &str, quote: usize, start: usize) -> usize {
        let bytes = text.as_bytes();
        let (mut at, mut depth) = (start, 1);
        let was_closed = self.unclosed.is_none();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'"' => {
                    at = self.quoted(text, at);
                    continue;
                }
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        if was_closed && (depth > 0 || self.unclosed.is_some()) {
            self.unclosed = Some(Unclosed { quote, in_interpolation: true });
        }
        at
    }

    fn opened(&mut self, text: &str, at: usize) {
        let indent = indent(text, at);
        let is_block = text.as_bytes()[at] == b'{' && indent == 0 && starts_block(text, at);
        if let (true, Some(open)) = (is_block, self.open.last()) {
            self.suspect.get_or_insert(*open);
        }
        self.open.push(Opener { at, bracket: text.as_bytes()[at], indent });
    }

    fn closed(&mut self, text: &str, at: usize) {
        let line = line_around(text, at);
        let begins_line = text[line.start..at].trim().is_empty();
        let indent = indent(text, at);
        let other = match text.as_bytes()[at] {
            b'}' => b'{',
            b']' => b'[',
            _ => b'(',
        };
        while let Some(open) = self.open.last().copied() {
            let skipped = begins_line && open.indent > indent && self.open.len() > 1;
            if open.bracket == other && !skipped {
                self.open.pop();
                return;
            }
            if !skipped && !self.open.iter().any(|open| open.bracket == other) {
                break;
            }
            self.suspect.get_or_insert(open);
            self.open.pop();
        }
        self.stray.get_or_insert(at);
    }
}

/// Whether a line can be left out without another meaning for those after it: it leaves nothing open and closes nothing.
pub(super) fn stands_alone(line: &str) -> bool {
    let Scan { open, unclosed, suspect, stray, last_end: _ } = Scan::of(line, line.len());
    let closed = open.is_empty() && unclosed.is_none() && suspect.is_none() && stray.is_none();
    closed && !line.contains("<<") && !line.contains("/*") && !line.contains("*/")
}

/// The line that byte `at` is in, without its end.
pub(super) fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    start..end
}

fn indent(text: &str, at: usize) -> usize {
    let line = &text[line_around(text, at)];
    line.len() - line.trim_start().len()
}

/// Whether the line with the brace at `at` reads like `vpc "lab" {`.
fn starts_block(text: &str, at: usize) -> bool {
    let head = &text[line_around(text, at).start..at];
    let mut words = head.split_whitespace();
    let is_word = words.next().is_some_and(is_identifier);
    is_word && words.all(|word| word.starts_with('"') || is_identifier(word))
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Where a heredoc that begins at `at` ends.
pub(super) fn heredoc(text: &str, at: usize) -> Option<usize> {
    let line_end = line_around(text, at).end;
    let word = text[at + 2..line_end].trim_start_matches('-').trim();
    if !is_identifier(word) {
        return None;
    }
    let mut offset = line_end + 1;
    for line in text.get(offset..)?.split_inclusive('\n') {
        if line.trim() == word {
            return Some(offset + line.trim_end().len());
        }
        offset += line.len();
    }
    Some(text.len())
}

/// The surroundings of the place where the parser stopped.
struct Near<'t> {
    text: &'t Text,
    whole: &'t str,
    offset: usize,
    scan: Scan,
}

impl Near<'_> {
    /// Returns the line of the place, and what it contains before and after the place.
    fn line(&self) -> (Range<usize>, &str, &str) {
        let line = line_around(self.whole, self.offset);
        let (before, behind) =
            (&self.whole[line.start..self.offset], &self.whole[self.offset..line.end]);
        (line, before, behind)
    }

    /// The first word of the line of the place.
    fn first_word(&self) -> Option<(Range<usize>, &str)> {
        let (line, ..) = self.line();
        let text = &self.whole[line.clone()];
        let start = line.start + (text.len() - text.trim_start().len());
        let word = text.trim_start();
        let end = word.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let word = &word[..end.unwrap_or(word.len())];
        is_identifier(word).then_some((start..start + word.len(), word))
    }

    /// Returns the rest of the line after its first word, without blanks around it.
    fn behind_first_word(&self) -> Option<(Range<usize>, &str, &str)> {
        let (at, word) = self.first_word()?;
        let (line, ..) = self.line();
        let rest = self.whole[at.end..line.end].trim();
        Some((at, word, rest))
    }

    /// `cidr = ...` where `cidr` has already been given.
    fn given_twice(&self) -> Option<Diagnostic> {
        let (at, word, rest) = self.behind_first_word()?;
        if !rest.starts_with('=') || at.start != self.offset {
            return None;
        }
        let block_start = self.scan.open.last().map_or(0, |open| open.at + 1);
        let mut offset = block_start;
        for line in self.whole[block_start..at.start].split_inclusive('\n') {
            let trimmed = line.trim_start();
            let first = offset + (line.len() - trimmed.len());
            let is_same =
                trimmed.strip_prefix(word).is_some_and(|r| r.trim_start().starts_with('='));
            if is_same && Scan::of(self.whole, first).open.len() == self.scan.open.len() {
                return Some(
                    Diagnostic::error(code::DUPLICATE, format!("`{word}` is given twice"))
                        .at(self.text.bytes(at), "again here")
                        .at(self.text.bytes(first..first + word.len()), "first here"),
                );
            }
            offset += line.len();
        }
        None
    }

    /// `vpc "lab"`, and `{` on the next line.
    fn brace_on_the_next_line(&self) -> Option<Diagnostic> {
        let (line, ..) = self.line();
        let (_, _, rest) = self.behind_first_word()?;
        let labels = rest.is_empty() || rest.starts_with('"') && rest.ends_with('"');
        let next = self.whole[line.end..].trim_start();
        if !labels || !next.starts_with('{') {
            return None;
        }
        let brace = self.whole.len() - next.len();
        let end = line.start + self.whole[line].trim_end().len();
        Some(
            syntax("the `{` of a block must be on the line of its name")
                .at(self.text.bytes(brace..brace + 1), "")
                .help_patch("move it up", self.text.bytes(end..brace + 1), " {"),
        )
    }

    /// `cidr: "10.0.0.0/16"`.
    fn colon(&self) -> Option<Diagnostic> {
        let (at, word, rest) = self.behind_first_word()?;
        let value = rest.strip_prefix(':')?;
        if value.starts_with(':') {
            return None;
        }
        let colon = at.end + self.whole[at.end..].find(':')?;
        Some(
            syntax(format!("`{word}` gets its value with `=`"))
                .at(self.text.bytes(colon..colon + 1), "not with `:`")
                .help_patch("use `=`", self.text.bytes(at.end..colon + 1), " ="),
        )
    }

    /// `'tcp'`.
    fn single_quotes(&self) -> Option<Diagnostic> {
        let (line, before, behind) = self.line();
        let from =
            before.find('\'').or_else(|| behind.starts_with('\'').then_some(before.len()))?;
        let start = line.start + from;
        let inner = &self.whole[start + 1..line.end];
        let inner = &inner[..inner.find('\'')?];
        let by = format!("\"{inner}\"");
        Some(
            syntax("texts need double quotes")
                .at(self.text.bytes(start..start + inner.len() + 2), "")
                .help_patch(
                    "use double quotes",
                    self.text.bytes(start..start + inner.len() + 2),
                    by,
                ),
        )
    }

    /// A bracket that is never closed, so that the rest of the file is inside it.
    fn unclosed_bracket(&self) -> Option<Diagnostic> {
        let end = Scan::of(self.whole, self.whole.len());
        let open = end.suspect.or_else(|| end.open.first().copied())?;
        let at_end = self.whole[self.offset..].trim().is_empty();
        let is_behind = open.at < self.offset;
        if !is_behind || !(at_end || end.suspect.is_some()) {
            return None;
        }
        let bracket = char::from(open.bracket);
        let closer = match bracket {
            '{' => '}',
            '[' => ']',
            _ => ')',
        };
        Some(
            syntax(format!("this `{bracket}` is not closed")).at(
                self.text.bytes(open.at..open.at + 1),
                format!("there is no `{closer}` for it"),
            ),
        )
    }

    /// `vpc "a" { x = 1, y = 2 }`.
    fn several_in_one_line(&self) -> Option<Diagnostic> {
        let open = self.scan.open.last().filter(|open| open.bracket == b'{')?;
        let (line, ..) = self.line();
        if open.at < line.start || !starts_block(self.whole, open.at) {
            return None;
        }
        if Scan::of(self.whole, line.end).open.iter().any(|still| still.at == open.at) {
            return self.begun_beside_its_brace(open);
        }
        let close = open.at + self.whole[open.at..line.end].rfind('}')?;
        let inside = self.whole[open.at + 1..close].trim();
        if !assigns_several(inside) {
            return None;
        }
        let block = self.text.bytes(open.at..close + 1);
        let diagnostic = syntax("a block on one line can have only one attribute")
            .at(block.clone(), "this block has more");
        let help = "put each attribute on a line of its own";
        let outer = " ".repeat(open.indent);
        match top_level_parts(inside).as_slice() {
            [] | [_] => Some(diagnostic.help(help)),
            parts => {
                let lines = parts.iter().map(|part| format!("\n{outer}  {part}"));
                let lines: String = lines.collect();
                Some(diagnostic.help_patch(help, block, format!("{{{lines}\n{outer}}}")))
            }
        }
    }

    /// `vpc "a" { x = 1`, and more on the next lines.
    fn begun_beside_its_brace(&self, open: &Opener) -> Option<Diagnostic> {
        let line = line_around(self.whole, open.at);
        let rest = &self.whole[open.at + 1..line.end];
        let first = line.end - rest.trim_start().len();
        if rest.trim().is_empty() || rest.trim_start().starts_with(['#', '/']) {
            return None;
        }
        let end = line.start + self.whole[line].trim_end().len();
        let moved = format!("\n{}{}", " ".repeat(open.indent + 2), &self.whole[first..end]);
        Some(
            syntax("in a block of several lines, nothing may follow `{` on its line")
                .at(self.text.bytes(first..end), "")
                .help_patch("begin a new line", self.text.bytes(open.at + 1..end), moved),
        )
    }

    /// `cidr = "10.0.0.0/16",` in a block.
    fn comma_in_block(&self) -> Option<Diagnostic> {
        let (.., behind) = self.line();
        let inside = self.scan.open.last();
        let in_block =
            inside.is_none_or(|open| open.bracket == b'{' && starts_block(self.whole, open.at));
        if !behind.starts_with(',') || !in_block {
            return None;
        }
        let comma = self.text.bytes(self.offset..self.offset + 1);
        Some(
            syntax("the attributes of a block have no commas between them")
                .at(comma.clone(), "")
                .help_patch("remove it", comma, ""),
        )
    }

    /// `cidr "10.0.0.0/16"`.
    fn no_equals_sign(&self) -> Option<Diagnostic> {
        let (at, word, rest) = self.behind_first_word()?;
        // The first word of the line is not the name in question: the place is in a value or in a block on this line.
        let is_other = self.scan.open.last().is_some_and(|open| {
            open.at >= at.end || open.bracket != b'{' || !starts_block(self.whole, open.at)
        });
        if is_other || rest.starts_with(['=', '{', ':', ',']) {
            return None;
        }
        if self.scan.open.is_empty() && word.parse::<Kind>().is_ok() {
            let end = at.end + self.whole[at.end..].find(rest)? + rest.len();
            return Some(
                syntax(format!("the block `{word}` needs `{{`"))
                    .at(self.text.bytes(end..end), "here")
                    .help_patch("open it", self.text.bytes(end..end), " {"),
            );
        }
        let title = format!("`{word}` needs `=`");
        if rest.is_empty() {
            return Some(
                syntax(title)
                    .at(self.text.bytes(at), "")
                    .help(format!("give it a value: `{word} = ...`")),
            );
        }
        Some(syntax(title).at(self.text.bytes(at.clone()), "").help_patch(
            "add `=`",
            self.text.bytes(at.end..at.end),
            " =",
        ))
    }

    /// `[{ ... } { ... }]`.
    fn no_comma(&self) -> Option<Diagnostic> {
        let open = self.scan.open.last()?;
        let next = self.whole[self.offset..].trim_start();
        let begins = next.starts_with(|c: char| c.is_alphanumeric() || "\"{[(<_-".contains(c));
        let start = self.whole.len() - next.len();
        let in_block = open.bracket == b'{' && starts_block(self.whole, open.at);
        let is_apart = self.scan.last_end > open.at + 1 && self.scan.last_end < start;
        if !begins || in_block || !is_apart {
            return None;
        }
        let what = if open.bracket == b'{' { "members" } else { "elements" };
        let length = next.chars().next().map_or(0, char::len_utf8);
        let end = self.scan.last_end;
        Some(
            syntax(format!("a comma is missing between two {what}"))
                .at(self.text.bytes(start..start + length), "before this")
                .help_patch("put it in", self.text.bytes(end..end), ","),
        )
    }
}

/// Whether a text contains `NAME =` more than once.
fn assigns_several(text: &str) -> bool {
    let signs = text.match_indices('=').map(|(at, _)| at).filter(|at| {
        let is_part =
            text[..*at].ends_with(['=', '!', '<', '>']) || text[at + 1..].starts_with(['=', '>']);
        !is_part && is_at_top_level(text, *at)
    });
    signs.take(2).count() > 1
}

/// Whether what stands at `at`, a single byte, is in no brackets and no quotes.
fn is_at_top_level(text: &str, at: usize) -> bool {
    let in_quotes = Scan::of(text, at + 1).last_end > at + 1;
    !in_quotes && Scan::of(text, at).open.is_empty()
}

/// Returns the pieces of a text between commas, except for commas in brackets and quotes.
fn top_level_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',').filter(|(at, _)| is_at_top_level(text, *at)) {
        parts.push(text[start..at].trim());
        start = at + 1;
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
