//! A plan as a page: for the change ticket, and for people who do not read pull requests.
//!
//! The page is one file with everything it needs: no script, font or picture from elsewhere. It forbids itself to
//! load anything, so that even a value that broke out of its place could not.

use std::fmt;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::plan::{Action, Change, Counts, Mode, OutputChange, Plan};
use crate::render::estimate::Estimates;
use crate::render::graph::{Diagram, Mark, Svg};
use crate::render::markup::Escaped;
use crate::render::text::Block;
use crate::render::{Palette, diagnostic};

mod matrix;
#[cfg(test)]
mod tests;

/// How it looks: light, dark and printed.
const STYLE: &str = include_str!("page/page.css");

/// A plan, to be written as an HTML document.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    plan: &'p Plan,
    findings: Option<&'p Diagnostics>,
    estimates: Option<&'p Estimates>,
}

impl<'p> Page<'p> {
    /// The page of a plan.
    #[must_use]
    pub const fn new(plan: &'p Plan) -> Self {
        Self { plan, findings: None, estimates: None }
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
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = Escaped(self.plan.stack.as_str());
        writeln!(
            f,
            "<!DOCTYPE html>\n\
             <html lang=\"en\">\n\
             <head>\n\
             <meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>Plan for stack {stack}</title>\n\
             <style>\n{STYLE}</style>\n\
             </head>\n\
             <body>"
        )?;
        self.write_head(f)?;
        self.write_path(f)?;
        self.write_findings(f)?;
        self.write_estimates(f)?;
        self.write_changes(f)?;
        matrix::write(f, self.plan)?;
        self.write_outputs(f)?;
        writeln!(f, "</body>\n</html>")
    }
}

impl Page<'_> {
    /// What the plan is for, and how much it does.
    fn write_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { stack, account, region, mode, .. } = self.plan;
        let what = match mode {
            Mode::Apply => "Plan for stack",
            Mode::Destroy => "Plan to destroy stack",
        };
        writeln!(f, "<header>\n<h1>{what} {}</h1>", Escaped(stack.as_str()))?;
        let Counts { add, change, destroy, moved } = self.plan.counts();
        if self.plan.is_empty() {
            writeln!(f, "<p class=\"counts\">No changes.</p>")?;
        } else {
            let moves = match moved {
                0 => String::new(),
                moved => format!("<span class=\"move\">{moved} to move</span> "),
            };
            writeln!(
                f,
                "<p class=\"counts\">{moves}<span class=\"create\">{add} to add</span> \
                 <span class=\"update\">{change} to change</span> \
                 <span class=\"destroy\">{destroy} to destroy</span></p>"
            )?;
        }
        if self.plan.targeted {
            let only = "Only a part of the stack was planned: there may be more to do.";
            writeln!(f, "<p class=\"warning\">{only}</p>")?;
        }
        writeln!(f, "<dl>")?;
        let digest = self.plan.digest();
        for (term, value) in [
            ("Account", account.as_str()),
            ("Region", region.as_str()),
            ("Digest", digest.as_str()),
        ] {
            writeln!(f, "<dt>{term}</dt><dd>{}</dd>", Escaped(value))?;
        }
        writeln!(f, "</dl>\n</header>")
    }

    fn write_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let diagram = Diagram::planned_packet_path(self.plan);
        if diagram.nodes.is_empty() {
            return Ok(());
        }
        writeln!(f, "<section class=\"path\">\n<h2>The path of a mirrored packet</h2>")?;
        writeln!(f, "<div class=\"picture\">\n{}</div>\n</section>", Svg(&diagram))
    }

    fn write_findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.findings.filter(|findings| !findings.is_empty());
        let Some(findings) = findings else { return Ok(()) };
        writeln!(f, "<section class=\"findings\">\n<h2>Findings</h2>")?;
        for finding in findings {
            let class = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Information => "information",
            };
            let text = human(finding);
            writeln!(f, "<pre class=\"{class}\">{}</pre>", Escaped(text.trim_end()))?;
        }
        writeln!(f, "</section>")
    }

    fn write_estimates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.estimates.map(ToString::to_string).unwrap_or_default();
        if text.is_empty() {
            return Ok(());
        }
        writeln!(f, "<section class=\"estimates\">\n<h2>Cost and time</h2>")?;
        writeln!(f, "<pre>{}</pre>\n</section>", Escaped(text.trim_end()))
    }

    fn write_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = || self.plan.changes.iter();
        let same = changes().filter(|change| change.action == Action::NoOp).count();
        if self.plan.is_empty() && same == 0 {
            return Ok(());
        }
        writeln!(f, "<section class=\"changes\">\n<h2>Changes</h2>")?;
        // Deletions come first, so that nobody overlooks them.
        for group in [Mark::Delete, Mark::Replace, Mark::Update, Mark::Move, Mark::Create] {
            for change in changes().filter(|change| Mark::of(change.action) == Some(group)) {
                self.write_change(f, change, group)?;
            }
        }
        if same > 0 {
            writeln!(f, "<p class=\"same\">Unchanged: {same}</p>")?;
        }
        writeln!(f, "</section>")
    }

    fn write_change(&self, f: &mut fmt::Formatter<'_>, change: &Change, mark: Mark) -> fmt::Result {
        let block = Block { plan: self.plan, change }.to_string();
        let (class, lines) = (mark.verb(), block.trim_end().lines());
        writeln!(f, "<pre class=\"{class}\">")?;
        for line in lines {
            match class_of(line) {
                Some(class) => writeln!(f, "<span class=\"{class}\">{}</span>", Escaped(line))?,
                None => writeln!(f, "{}", Escaped(line))?,
            }
        }
        writeln!(f, "</pre>")
    }

    fn write_outputs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after =
            self.plan.outputs.iter().filter_map(|(name, OutputChange { before: _, after })| {
                Some((name, after.as_ref()?))
            });
        let mut after = after.peekable();
        if after.peek().is_none() {
            return Ok(());
        }
        writeln!(f, "<section class=\"outputs\">\n<h2>Outputs</h2>\n<dl>")?;
        for (name, value) in after {
            let value = value.to_string();
            writeln!(f, "<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(&value))?;
        }
        writeln!(f, "</dl>\n</section>")
    }
}

/// A finding as on a terminal, with the lines that it is about.
fn human(finding: &Diagnostic) -> String {
    diagnostic::human(&finding.clone().into(), Palette::plain())
}

/// The class of a line of a block, by the sign before it.
fn class_of(line: &str) -> Option<&'static str> {
    let text = line.trim_start();
    let begins = |sign: &str| text.strip_prefix(sign).is_some_and(|rest| rest.starts_with(' '));
    if line.starts_with("  # ") {
        Some("comment")
    } else if begins("-/+") || begins("+/-") {
        Some("replace")
    } else if begins("+") {
        Some("create")
    } else if begins("-") {
        Some("destroy")
    } else if begins("~") {
        Some("update")
    } else {
        None
    }
}
