//! Diagnostics in Terraform's words, for programs that look for `Error: ` and `Warning: `.
//!
//! The bars that Terraform draws beside them are left out: some programs look only at the beginning of a line.

use std::fmt;

use super::{Place, readable};
use crate::diagnostic::{Diagnostic, Diagnostics, Help, Label, Patch, Severity};

/// Renders each diagnostic with the lines it is about, in plain text, with a blank line between two.
#[must_use]
pub fn terraform(diagnostics: &Diagnostics) -> String {
    let all = diagnostics.iter().map(|diagnostic| Said(diagnostic).to_string());
    all.collect::<Vec<_>>().join("\n")
}

struct Said<'d>(&'d Diagnostic);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, severity, title, address, labels, notes, help } = self.0;
        let word = match severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Information => "Note",
        };
        writeln!(f, "{word}: {}\n", readable(title))?;
        if let Some(address) = address {
            let rest = if labels.is_empty() { "\n" } else { "" };
            writeln!(f, "  with {address},{rest}")?;
        }
        labels.iter().try_for_each(|label| write_place(f, label))?;
        for note in notes {
            write_indented(f, note)?;
        }
        for Help { text, patch } in help {
            write_indented(f, text)?;
            if let Some(Patch { span: _, text: by }) =
                patch.as_ref().filter(|patch| !text.contains(&patch.text))
            {
                write_indented(f, by)?;
            }
        }
        writeln!(f, "  `mirror explain {code}` says more.")
    }
}

/// The first line of a place, with its number as Terraform gives it.
fn write_place(f: &mut fmt::Formatter<'_>, Label { span, text }: &Label) -> fmt::Result {
    let Place { file, line, .. } = span.into();
    let text = if text.is_empty() { String::new() } else { format!(", {}", readable(text)) };
    writeln!(f, "  on {} line {line}{text}:", readable(file))?;
    let shown = span.source.text.lines().nth(line - 1).unwrap_or_default();
    writeln!(f, "{line:>4}: {}\n", readable(shown.trim_end()))
}

/// A text of one or more lines, none of which can begin as another diagnostic does.
fn write_indented(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    // An edit may begin with a new line.
    let text = readable(text.trim_start_matches('\n'));
    text.lines().try_for_each(|line| writeln!(f, "{}", format!("  {line}").trim_end()))?;
    writeln!(f)
}
