//! A table of text: words are left-aligned, numbers are right-aligned.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

/// Rows of a label and `N` numbers each, under headings.
pub(super) struct Table<const N: usize> {
    pub(super) heads: [&'static str; N],
    pub(super) rows: Vec<(String, [String; N])>,
}

impl<const N: usize> Table<N> {
    /// Writes the table, indented by `indent` columns; its label column has no heading.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let labels = self.rows.iter().map(|(label, _)| label.width());
        let label_width = labels.max().unwrap_or(0);
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|(_, cells)| cells[column].width());
            cells.max().unwrap_or(0).max(self.heads[column].width())
        });
        let no_label = String::new();
        let heads = self.heads.map(str::to_owned);
        let rows = self.rows.iter().map(|(label, cells)| (label, cells));
        for (label, cells) in [(&no_label, &heads)].into_iter().chain(rows) {
            let cells = cells.iter().zip(widths);
            let cells: String = cells
                .map(|(cell, width)| format!("  {:1$}{cell}", "", width - cell.width()))
                .collect();
            let line = format!("{label}{:1$}{cells}", "", label_width - label.width());
            writeln!(f, "{:indent$}{}", "", line.trim_end())?;
        }
        Ok(())
    }
}
