//! Texts of several lines, compared line by line.

use similar::ChangeTag;

use super::super::compared::Compared;
use super::entry::Mark;
use crate::value::is_invisible;

/// How many unchanged lines are shown around a changed one.
const AROUND: usize = 3;

/// A line of a text.
#[derive(Debug)]
pub(super) enum Line {
    /// One line, ready to be printed.
    Text(Mark, String),
    /// This many unchanged lines that are not shown.
    Hidden(usize),
}

/// Every line of a text, unmarked, because its attribute has the mark.
pub(super) fn whole(text: &str) -> Vec<Line> {
    text.split_terminator('\n').map(|line| Line::Text(Mark::Same, visible(line))).collect()
}

/// The lines of two texts: those removed, those added, and a few unchanged ones around them.
pub(super) fn changed(before: &str, after: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut unchanged: Vec<String> = Vec::new();
    for change in Compared::new(before, after).lines() {
        let line = visible(change.value().trim_end_matches('\n'));
        let mark = match change.tag() {
            ChangeTag::Equal => {
                unchanged.push(line);
                continue;
            }
            ChangeTag::Delete => Mark::Delete,
            ChangeTag::Insert => Mark::Create,
        };
        let first = lines.is_empty();
        flush(&mut lines, &mut unchanged, if first { 0 } else { AROUND }, AROUND);
        lines.push(Line::Text(mark, line));
    }
    flush(&mut lines, &mut unchanged, AROUND, 0);
    lines
}

/// Moves unchanged lines to `lines`: the first `head`, the last `tail`, and the number of those
/// between.
fn flush(lines: &mut Vec<Line>, unchanged: &mut Vec<String>, head: usize, tail: usize) {
    let count = unchanged.len();
    // A line stating that one line is hidden takes as much room as that line.
    let hidden = count.saturating_sub(head + tail);
    let hidden = if hidden <= 1 { 0 } else { hidden };
    for (position, line) in unchanged.drain(..).enumerate() {
        if hidden > 0 && position == head {
            lines.push(Line::Hidden(hidden));
        }
        if hidden == 0 || position < head || position >= count - tail {
            lines.push(Line::Text(Mark::Same, line));
        }
    }
}

/// Whether two texts differ only in whitespace.
pub(super) fn same_but_for_blanks(before: &str, after: &str) -> bool {
    before.split_whitespace().eq(after.split_whitespace())
}

/// A line with everything made visible that a terminal would act upon, or a reader would miss.
fn visible(line: &str) -> String {
    let kept = line.trim_end_matches([' ', '\t']);
    let mut text = String::with_capacity(line.len());
    for c in kept.chars() {
        match c {
            '\t' => text.push(c),
            c if is_invisible(c) => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text.extend(line[kept.len()..].chars().map(|c| if c == '\t' { '\u{2192}' } else { '\u{b7}' }));
    text
}
