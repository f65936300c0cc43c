//! Where the entries of a block are placed: Terraform's columns.
//!
//! A level is four columns. The mark of an entry is two columns left of its text, and `=` is one column right of
//! the longest key between the same brackets.

use std::fmt;

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::entry::{Body, Entry, Mark, Parts};
use super::lines::Line;
use crate::render::Palette;

/// Writes `key = value` lines with their equals signs aligned.
pub(super) fn write_entries(
    f: &mut fmt::Formatter<'_>,
    entries: &[Entry],
    level: usize,
    palette: &Palette,
) -> fmt::Result {
    let keys = entries.iter().filter_map(|entry| entry.key.as_ref());
    let width = keys.map(|key| key.width()).max().unwrap_or(0);
    entries.iter().try_for_each(|entry| Page { level, palette }.write_entry(f, entry, width))
}

/// Writes how many unchanged things are not shown, if any.
pub(super) fn write_hidden(
    f: &mut fmt::Formatter<'_>,
    count: usize,
    noun: &str,
    level: usize,
    palette: &Palette,
) -> fmt::Result {
    let plural = if count == 1 { "" } else { "s" };
    let (faint, indent) = (palette.faint, 4 * level + 4);
    match count {
        0 => Ok(()),
        _ => {
            writeln!(f, "{:indent$}{faint}# ({count} unchanged {noun}{plural} hidden){faint:#}", "")
        }
    }
}

/// A writer at one level.
struct Page<'p> {
    level: usize,
    palette: &'p Palette,
}

impl Page<'_> {
    fn write_entry(&self, f: &mut fmt::Formatter<'_>, entry: &Entry, width: usize) -> fmt::Result {
        self.write_mark(f, entry.mark)?;
        if let Some(key) = &entry.key {
            write!(f, "{key}{:1$} = ", "", width - key.width())?;
        }
        match &entry.body {
            Body::Inline(value) => {
                write!(f, "{value}")?;
                self.write_becomes(f, entry)?;
                self.write_element_end(f, entry)?;
                self.write_forces(f, entry)?;
                writeln!(f)
            }
            Body::List(parts) => self.write_bracketed(f, entry, parts, ("[", "]")),
            Body::Object(parts) => self.write_bracketed(f, entry, parts, ("{", "}")),
            Body::Lines { lines, whitespace } => {
                let end = delimiter(lines);
                write!(f, "<<-{end}")?;
                if *whitespace {
                    write!(f, " # whitespace changes")?;
                }
                self.write_forces(f, entry)?;
                writeln!(f)?;
                let inner = Page { level: self.level + 1, palette: self.palette };
                lines.iter().try_for_each(|line| inner.write_line(f, line))?;
                self.write_close(f, entry, &end)
            }
        }
    }

    fn write_bracketed(
        &self,
        f: &mut fmt::Formatter<'_>,
        entry: &Entry,
        parts: &Parts,
        (open, close): (&str, &str),
    ) -> fmt::Result {
        write!(f, "{open}")?;
        self.write_forces(f, entry)?;
        writeln!(f)?;
        write_entries(f, &parts.shown, self.level + 1, self.palette)?;
        write_hidden(f, parts.hidden, parts.noun, self.level + 1, self.palette)?;
        self.write_close(f, entry, close)
    }

    fn write_close(&self, f: &mut fmt::Formatter<'_>, entry: &Entry, close: &str) -> fmt::Result {
        write!(f, "{:1$}{close}", "", self.column())?;
        self.write_becomes(f, entry)?;
        self.write_element_end(f, entry)?;
        writeln!(f)
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>, line: &Line) -> fmt::Result {
        match line {
            Line::Hidden(count) => write_hidden(f, *count, "line", self.level, self.palette),
            Line::Text(Mark::Same, text) if text.is_empty() => writeln!(f),
            Line::Text(mark, text) if text.is_empty() => {
                let (style, symbol) = self.symbol(*mark);
                writeln!(f, "{:1$}{style}{symbol}{style:#}", "", self.column() - 2)
            }
            Line::Text(mark, text) => {
                self.write_mark(f, *mark)?;
                writeln!(f, "{text}")
            }
        }
    }

    fn write_mark(&self, f: &mut fmt::Formatter<'_>, mark: Mark) -> fmt::Result {
        let (style, symbol) = self.symbol(mark);
        write!(f, "{:1$}{style}{symbol}{style:#} ", "", self.column() - 2)
    }

    fn symbol(&self, mark: Mark) -> (Style, char) {
        let Palette { create, update, delete, .. } = *self.palette;
        match mark {
            Mark::Same => (Style::new(), ' '),
            Mark::Create => (create, '+'),
            Mark::Update => (update, '~'),
            Mark::Delete => (delete, '-'),
        }
    }

    fn write_becomes(&self, f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
        let update = self.palette.update;
        match &entry.becomes {
            Some(value) => write!(f, " {update}->{update:#} {value}"),
            None => Ok(()),
        }
    }

    /// Elements of a list end with a comma.
    fn write_element_end(&self, f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
        if entry.key.is_none() { write!(f, ",") } else { Ok(()) }
    }

    fn write_forces(&self, f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
        let delete = self.palette.delete;
        if entry.forces_replacement && entry.mark != Mark::Same {
            write!(f, " {delete}# forces replacement{delete:#}")?;
        }
        Ok(())
    }

    /// Where the text of an entry starts.
    const fn column(&self) -> usize {
        4 * self.level + 4
    }
}

/// A word that can end the lines because it is not one of them.
fn delimiter(lines: &[Line]) -> String {
    let mut word = "EOT".to_owned();
    let is_line = |word: &str| {
        lines.iter().any(|line| matches!(line, Line::Text(_, text) if text.trim_start() == word))
    };
    while is_line(&word) {
        word.push('_');
    }
    word
}
