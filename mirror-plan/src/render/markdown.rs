//! A plan as Markdown: the comment on a pull request.
//!
//! What is deleted comes first and outside any fold. Everything that comes from a file or the cloud is in a code
//! fence longer than any run of backticks in it, so that a value is never more than text. The comment stays below
//! the size that GitHub accepts by leaving out whole items, and states how many.

use std::fmt::{self, Write as _};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::permission::Permissions;
use crate::plan::{Action, Change, Mode, Plan};
use crate::render::estimate::Estimates;
use crate::render::graph::{Diagram, Mark, Mermaid};
use crate::render::permission::Asked;
use crate::render::text::Block;
use crate::render::{Palette, diagnostic as finding};

#[cfg(test)]
mod tests;

/// The most bytes of a comment. GitHub accepts 65,536 characters, and the program that posts it may add a line.
pub const BYTES_MAX: usize = 60_000;

/// The most bytes of each of these parts: what is deleted, the findings, and the picture. The rest is for the
/// changes.
const PART_MAX: usize = 15_000;

/// A plan, to be written as Markdown of GitHub's and GitLab's kind.
#[derive(Clone, Copy, Debug)]
pub struct Markdown<'p> {
    plan: &'p Plan,
    findings: Option<&'p Diagnostics>,
    estimates: Option<&'p Estimates>,
    permissions: Option<&'p Permissions>,
}

impl<'p> Markdown<'p> {
    /// Returns the comment on a plan.
    #[must_use]
    pub const fn new(plan: &'p Plan) -> Self {
        Self { plan, findings: None, estimates: None, permissions: None }
    }

    /// The same with the findings of the planning.
    #[must_use]
    pub const fn findings(self, findings: &'p Diagnostics) -> Self {
        Self { findings: Some(findings), ..self }
    }

    /// The same with what it costs and how long it takes.
    #[must_use]
    pub const fn estimates(self, estimates: &'p Estimates) -> Self {
        Self { estimates: Some(estimates), ..self }
    }

    /// The same with what AWS answered about its calls.
    #[must_use]
    pub const fn permissions(self, permissions: &'p Permissions) -> Self {
        Self { permissions: Some(permissions), ..self }
    }

    /// Returns the first line, by which the program that posts the comment finds the previous one.
    #[must_use]
    pub fn marker(&self) -> String {
        format!("<!-- mirror plan {} -->", self.plan.stack)
    }
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { stack, account, region, mode, .. } = self.plan;
        let what = match mode {
            Mode::Apply => "Plan for stack",
            Mode::Destroy => "Plan to destroy stack",
        };
        let mut text = format!("{}\n### {what} `{stack}`\n\n", self.marker());
        match self.plan.is_empty() {
            true => text.push_str("**No changes.**"),
            false => {
                write!(text, "**{}.**", self.plan.counts())?;
            }
        }
        writeln!(text, " Account `{account}`, Region `{region}`.")?;
        if self.plan.targeted {
            text.push_str("\nOnly a part of the stack was planned: there may be more to do.\n");
        }
        let estimates = self.estimates.map(ToString::to_string).unwrap_or_default();
        if !estimates.is_empty() {
            write!(text, "\n{}", fenced("text", &estimates))?;
        }
        text.push_str(&self.goes());
        text.push_str(&self.asked());
        text.push_str(&self.found());
        text.push_str(&self.picture());
        let end = format!("\nPlan digest: `{}`\n", self.plan.digest());
        let room = BYTES_MAX.saturating_sub(text.len() + end.len());
        text.push_str(&self.changes(room));
        text.push_str(&end);
        f.write_str(&text)
    }
}

impl Markdown<'_> {
    /// The changes of these kinds, in their order.
    fn of_kind(&self, kinds: &[Mark]) -> Vec<&Change> {
        let of = |kind: &Mark| {
            let kind = *kind;
            self.plan.changes.iter().filter(move |change| Mark::of(change.action) == Some(kind))
        };
        kinds.iter().flat_map(of).collect()
    }

    /// What is destroyed or replaced, one per line.
    fn goes(&self) -> String {
        let line = |change: &Change| {
            let word = match change.action {
                Action::Delete => "destroyed",
                _ => "destroyed and recreated",
            };
            format!("- {}: {word}\n", change.address)
        };
        let changes = self.of_kind(&[Mark::Delete, Mark::Replace]);
        let (lines, more) = fitting(changes, line, PART_MAX);
        if lines.is_empty() {
            return String::new();
        }
        format!("\n#### Destroyed or replaced\n\n{}{}", fenced("diff", &lines), left_out(more))
    }

    /// What AWS answered about the calls, as on a terminal.
    fn asked(&self) -> String {
        let asked = self.permissions.map(|permissions| Asked(permissions).to_string());
        let Some(asked) = asked else { return String::new() };
        let (lines, more) = fitting(asked.lines(), |line| format!("{line}\n"), PART_MAX);
        format!("\n#### Permissions\n\n{}{}", fenced("text", &lines), left_out(more))
    }

    /// What was found, as on a terminal.
    fn found(&self) -> String {
        let text = |found: &Diagnostic| {
            let found: Diagnostics = found.clone().into();
            format!("{}\n", finding::human(&found, Palette::plain()).trim_end())
        };
        let findings = self.findings.into_iter().flatten();
        let (texts, more) = fitting(findings, text, PART_MAX);
        if texts.is_empty() && more == 0 {
            return String::new();
        }
        format!("\n#### Findings\n\n{}{}", fenced("text", &texts), left_out(more))
    }

    /// The path of a mirrored packet.
    fn picture(&self) -> String {
        let diagram = Diagram::planned_packet_path(self.plan);
        if diagram.nodes.is_empty() {
            return String::new();
        }
        let drawing = fenced("mermaid", &Mermaid(&diagram).to_string());
        if drawing.len() > PART_MAX {
            return "\nThe path of a mirrored packet is too large to be drawn here: `mirror graph` \
                    draws it.\n"
                .to_owned();
        }
        format!("\n{drawing}")
    }

    /// Every change in full, folded, with deletions first.
    fn changes(&self, room: usize) -> String {
        let kinds = [Mark::Delete, Mark::Replace, Mark::Update, Mark::Move, Mark::Create];
        let block = |change: &Change| {
            let block = Block { plan: self.plan, change }.to_string();
            let mut lines: String = block.lines().map(colored).collect();
            lines.push('\n');
            lines
        };
        // The fold, its fence, and the line about what is left out take up room too.
        let (blocks, more) = fitting(self.of_kind(&kinds), block, room.saturating_sub(400));
        if blocks.is_empty() && more == 0 {
            return String::new();
        }
        let fence = fenced("diff", &blocks);
        format!(
            "\n<details><summary>All changes</summary>\n\n{fence}{}\n</details>\n",
            left_out(more)
        )
    }
}

/// A line of a block with its sign in the first column, which is where diffs are colored by it.
fn colored(line: &str) -> String {
    let sign = match line.trim_start().split(' ').next() {
        Some("+") => '+',
        Some("-") => '-',
        Some("~" | "-/+" | "+/-") => '!',
        _ if line.starts_with("  # ") => '#',
        _ => ' ',
    };
    format!("{sign}{line}\n")
}

/// The whole texts of as many of these as fit, and how many do not. For the latter, no text is made.
fn fitting<T>(
    all: impl IntoIterator<Item = T>,
    text: impl Fn(T) -> String,
    room: usize,
) -> (String, usize) {
    let mut all = all.into_iter();
    let mut texts = String::new();
    while let Some(one) = all.next() {
        let text = text(one);
        // Backticks within make the fence longer, at both ends.
        if texts.len() + text.len() + 2 * longest_run(&text) > room {
            return (texts, 1 + all.count());
        }
        texts.push_str(&text);
    }
    (texts, 0)
}

fn left_out(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => "\n1 more is left out here.\n".to_owned(),
        more => format!("\n{more} more are left out here.\n"),
    }
}

/// A text between fences that it cannot close.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(3.max(longest_run(text) + 1));
    let text = text.trim_end_matches('\n');
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
