//! Drift as text: what the next apply undoes, what belongs to others, and what does not matter.

use std::fmt;

use super::{Palette, Wording, snapshot};
use crate::drift::{Drift, Harmless, Noise, Undone};
use crate::plan::Plan;

/// Drift, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Text<'d> {
    drift: &'d Drift,
    plan: &'d Plan,
    palette: Palette,
}

impl<'d> Text<'d> {
    /// The drift that was found in `plan`, as plain text.
    #[must_use]
    pub const fn new(drift: &'d Drift, plan: &'d Plan) -> Self {
        Self { drift, plan, palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Drift { since, undone, others, noise, moved, edited } = self.drift;
        let Plan { stack, account, region, .. } = self.plan;
        writeln!(f, "Drift of stack {stack} in account {account}, Region {region}.")?;
        match since {
            Some(since) => writeln!(f, "Compared with what the apply of {since} left.\n"),
            None => writeln!(
                f,
                "There is no record of an apply here, so the stack file is taken for what was applied:\n\
                 edits to it show as drift.\n"
            ),
        }?;
        self.write_undone(f, undone)?;
        if !others.is_empty() {
            writeln!(f, "Belonging to others, and left as is:\n")?;
            others.iter().try_for_each(|other| writeln!(f, "  {other}"))?;
            writeln!(f)?;
        }
        self.write_noise(f, noise)?;
        if !moved.is_empty() {
            writeln!(f, "Sources that came or went since, which is not drift:\n")?;
            moved.iter().try_for_each(|session| writeln!(f, "  {session}"))?;
            writeln!(f)?;
        }
        if !edited.is_empty() {
            let edited: Vec<String> = edited.iter().map(ToString::to_string).collect();
            let edited = edited.join(", ");
            writeln!(f, "Edited in the stack file since, which is not drift: {edited}\n")?;
        }
        let strong = self.palette.strong;
        match undone.len() {
            0 => writeln!(f, "{strong}No drift.{strong:#}"),
            1 => writeln!(f, "{strong}Drift:{strong:#} 1 resource."),
            many => writeln!(f, "{strong}Drift:{strong:#} {many} resources."),
        }
    }
}

impl Text<'_> {
    fn write_undone(&self, f: &mut fmt::Formatter<'_>, undone: &[Undone]) -> fmt::Result {
        if undone.is_empty() {
            return Ok(());
        }
        let Palette { create, update, strong, .. } = self.palette;
        writeln!(f, "Changed outside of mirror, and undone by the next apply:\n")?;
        for one in undone {
            match one {
                Undone::Gone(address) => {
                    writeln!(f, "  {create}+{create:#} {strong}{address}{strong:#} was deleted")?;
                }
                Undone::Changed(change) => {
                    writeln!(f, "  {update}~{update:#} {strong}{}{strong:#}", change.address)?;
                    for line in snapshot::lines(change) {
                        writeln!(f, "      {line}")?;
                    }
                }
            }
        }
        writeln!(f)
    }

    fn write_noise(&self, f: &mut fmt::Formatter<'_>, noise: &[Noise]) -> fmt::Result {
        if noise.is_empty() {
            return Ok(());
        }
        let faint = self.palette.faint;
        writeln!(f, "Of no consequence:\n")?;
        for Noise { address, attribute, why } in noise {
            let why = match why {
                Harmless::ToldByAws => "has changed, as AWS reports it",
                Harmless::AsTheStackSays => "has changed, and matches the stack file",
            };
            writeln!(f, "  {faint}{address}: {attribute} {why}{faint:#}")?;
        }
        writeln!(f)
    }
}

/// A note beside a plan that undoes what was changed outside. Empty if the plan undoes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Note<'d> {
    undone: &'d [Undone],
    wording: Wording,
}

impl<'d> Note<'d> {
    /// The note on what the plan undoes.
    #[must_use]
    pub const fn new(undone: &'d [Undone], wording: Wording) -> Self {
        Self { undone, wording }
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { undone, wording } = self;
        if undone.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = undone.iter().map(|one| one.address().to_string()).collect();
        let all = all.join(", ");
        match wording {
            Wording::Mirror => writeln!(
                f,
                "This undoes what was changed outside of mirror since the last apply: {all}\n\
                 `mirror drift` shows it."
            ),
            // Programs that find the first line look for the beginning of the last one.
            Wording::Terraform => writeln!(
                f,
                "Note: Objects have changed outside of Terraform\n\n  {all}\n\n\
                 Unless you have made equivalent changes to your configuration, this plan undoes them.\n\
                 `mirror drift` shows it."
            ),
        }
    }
}
