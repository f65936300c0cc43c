//! A plan as text, in the manner that users of Terraform are used to reading.
//!
//! Lines that other tools look for (`Plan: 1 to add, ...`, `No changes. ...`) are exactly Terraform's; with the
//! [`Wording`] of Terraform, all such lines are. Attributes are in the order of the reference, with `id` first.

use std::fmt;

use crate::id::ObjectId;
use crate::plan::sources::summary;
use crate::plan::{Action, Change, Counts, Mirrored, Mode, OutputChange, Plan};
use crate::render::{Palette, Wording, fan_out, sharing};
use crate::resource::ReplaceOrder;
use crate::scalar::CountRange;
use crate::stack::SourceNames;

mod change;
mod entry;
mod inventory;
mod layout;
mod lines;
#[cfg(test)]
mod tests;

pub use inventory::Inventory;

use entry::{Entry, Mark, Side};
use layout::write_entries;

/// The width of the rule between the changes and what comes after.
const RULE: usize = 77;

/// A plan, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Text<'p> {
    plan: &'p Plan,
    palette: Palette,
    wording: Wording,
    user_data: UserData,
}

/// How user data is shown in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserData {
    /// As its hash.
    #[default]
    Hidden,
    /// As it is, with its changes line by line. It is still shown as a hash if it contains a value that the stack
    /// marks as sensitive, if nothing is to take its place, or in a plan that was read back from a file, which only
    /// holds the hash.
    ///
    /// The user data that AWS holds may contain a value that was sensitive at the time: nothing tells.
    Shown,
}

impl<'p> Text<'p> {
    /// The plan as plain text.
    #[must_use]
    pub const fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            palette: Palette::plain(),
            wording: Wording::Mirror,
            user_data: UserData::Hidden,
        }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }

    /// The same with the fixed lines of another program.
    #[must_use]
    pub const fn wording(self, wording: Wording) -> Self {
        Self { wording, ..self }
    }

    /// The same with user data in another form.
    #[must_use]
    pub const fn user_data(self, user_data: UserData) -> Self {
        Self { user_data, ..self }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, palette, wording: _, user_data: _ } = self;
        if plan.is_empty() {
            self.write_no_changes(f)?;
        } else {
            self.write_legend(f)?;
            change::write_all(f, self)?;
            self.write_summary(f)?;
            self.write_outputs(f)?;
        }
        if plan.targeted {
            self.write_targeted(f)?;
        }
        if !plan.is_empty() {
            let faint = palette.faint;
            writeln!(f, "\n{faint}{}{faint:#}\n", "\u{2500}".repeat(RULE))?;
            writeln!(f, "Plan digest: {}", plan.digest())?;
        }
        Ok(())
    }
}

/// One change of a plan as it is shown in the text: comment and block.
pub(super) struct Block<'p> {
    pub(super) plan: &'p Plan,
    pub(super) change: &'p Change,
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, change } = self;
        let text = Text::new(plan);
        match fan_out::block_of(plan, change) {
            Some((_, each)) => change::write_line(f, (change, each), &text.palette),
            None => change::write(f, &text, change),
        }
    }
}

impl Text<'_> {
    fn write_no_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { stack, account, region, mode, .. } = self.plan;
        let strong = self.palette.strong;
        let found = match mode {
            Mode::Apply => "Your infrastructure matches the configuration.",
            Mode::Destroy => "No objects need to be destroyed.",
        };
        writeln!(f, "{strong}No changes.{strong:#} {found}\n")?;
        writeln!(f, "Compared: stack {stack}, account {account}, Region {region}.")?;
        self.write_mirrored(f)
    }

    fn write_legend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { stack, account, region, changes, .. } = self.plan;
        writeln!(f, "Plan for stack {stack} in account {account}, Region {region}.")?;
        self.write_reached(f)?;
        self.write_used(f)?;
        self.write_mirrored(f)?;
        let happens = |(action, _): &&(Action, &str)| changes.iter().any(|it| it.action == *action);
        let legend: Vec<&(Action, &str)> = LEGEND.iter().filter(happens).collect();
        // A resource that has only moved has no sign, as in Terraform's text.
        if !legend.is_empty() {
            writeln!(f, "Each resource is marked with what happens to it:")?;
        }
        for (action, meaning) in legend {
            change::write_symbol(f, *action, &self.palette)?;
            writeln!(f, " {meaning}")?;
        }
        let program = self.wording.program();
        writeln!(f, "\n{program} will perform the following actions:\n")
    }

    /// How many of the interfaces that come and go exist now, and why others are left out.
    fn write_mirrored(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = &self.plan.sources;
        if !sources.is_empty() {
            writeln!(f, "It mirrors these, as they come and go:")?;
        }
        for (name, Mirrored { count, expect, review: _, left_out }) in sources {
            let plural = if *count == 1 { "" } else { "s" };
            write!(f, "    {} = {count} interface{plural}", SourceNames::text_of(name))?;
            match *expect {
                CountRange::ANY => writeln!(f),
                expect => writeln!(f, ", {expect} expected"),
            }?;
            for line in summary(left_out) {
                writeln!(f, "        left out: {line}")?;
            }
        }
        Ok(())
    }

    /// The other accounts whose credentials are used.
    fn write_reached(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.plan.accounts.is_empty() {
            writeln!(f, "It reaches these accounts:")?;
        }
        let mut reached = self.plan.accounts.iter();
        reached.try_for_each(|(name, account)| {
            writeln!(f, "    {name} = {}", sharing::reached(account))
        })
    }

    /// The objects that the stack uses and did not make, so that a reader sees what its selectors select.
    fn write_used(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used: Vec<(String, &ObjectId)> =
            self.plan.existing.iter().map(|(address, id)| (address.to_string(), id)).collect();
        let Some(width) = used.iter().map(|(address, _)| address.chars().count()).max() else {
            return Ok(());
        };
        writeln!(f, "It uses these, and leaves them as they are:")?;
        used.iter().try_for_each(|(address, id)| writeln!(f, "    {address:width$} = {id}"))
    }

    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strong = self.palette.strong;
        let counts = match self.wording {
            Wording::Mirror => self.plan.counts(),
            // Terraform's summary has no word for moves.
            Wording::Terraform => Counts { moved: 0, ..self.plan.counts() },
        };
        writeln!(f, "{strong}Plan:{strong:#} {counts}.")
    }

    fn write_outputs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs = self.plan.outputs.iter();
        let entries: Vec<Entry> = outputs
            .filter(|(_, OutputChange { before, after })| before != after)
            .filter_map(|(name, OutputChange { before, after })| {
                let (before, after) = (Side::of(before.as_ref()), Side::of(after.as_ref()));
                Some(Entry::between(before, after, None)?.named(name))
            })
            .filter(|entry| entry.mark != Mark::Same)
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nChanges to Outputs:")?;
        write_entries(f, &entries, 0, &self.palette)
    }

    fn write_targeted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (update, strong) = (self.palette.update, self.palette.strong);
        let (options, with, without) = match self.plan.mode {
            Mode::Apply => ("--target or --sources", "what that depends on", "them"),
            Mode::Destroy => ("--target", "what depends on that", "it"),
        };
        writeln!(
            f,
            "\n{update}Warning:{update:#} {strong}Resource targeting is in effect{strong:#}\n\n\
             Only what {options} names, and {with}, was planned. There may be\n\
             more to do for the stack: plan again without {without}."
        )
    }
}

/// What each symbol means, in the order in which they are listed.
const LEGEND: [(Action, &str); 5] = [
    (Action::Create, "create"),
    (Action::Update, "update in-place"),
    (Action::Delete, "destroy"),
    (Action::Replace(ReplaceOrder::DeleteThenCreate), "destroy and then create replacement"),
    (Action::Replace(ReplaceOrder::CreateThenDelete), "create replacement and then destroy"),
];
