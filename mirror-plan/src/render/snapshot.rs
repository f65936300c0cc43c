//! The snapshot: a plan as the text that is reviewed, kept in a repository, and compared byte by byte.
//!
//! It is made for the diff of a pull request: words instead of signs, one attribute per line, nothing aligned,
//! wrapped or counted, in the order of addresses. It contains no time, path, width, color or version of the tool.
//! Two plans that would do different things have different texts: everything that could be mistaken for something
//! else is escaped.
//!
//! The first line names the version of the format. Within one version, an attribute that is new in the tool may
//! only appear where it is set, so that a kept text stays valid.

use std::fmt;

use similar::udiff::UnifiedHunkHeader;

use super::compared::Compared;
use super::{fan_out, sharing};
use crate::address::Address;
use crate::plan::{Action, Capture, Change, EachOf, Mirrored, Mode, OutputChange, Plan, Reason};
use crate::resource::ReplaceOrder;
use crate::scalar::Reviewed;
use crate::stack::SourceNames;
use crate::value::Value;

mod attribute;
#[cfg(test)]
mod tests;
mod text;

use attribute::Lines;

/// The version of the format in which snapshots are written.
pub const VERSION: u32 = 1;

/// The text of the first line before the version.
const HEAD: &str = "mirror plan ";

/// How many unchanged lines are shown around a changed one.
const AROUND: usize = 3;

/// The attributes in which a change differs, one per line.
pub(super) fn lines(change: &Change) -> Vec<String> {
    Lines::of(change).0
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    text::inline(value)
}

/// Returns the version of the format of a kept text; `None` if it is not a snapshot.
#[must_use]
pub fn version(text: &str) -> Option<u32> {
    text.lines().next()?.strip_prefix(HEAD)?.parse().ok()
}

/// The snapshot: the text that is reviewed.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, self)?;
        write_used(f, self)?;
        let changes = self.changes.iter();
        let changes = changes.filter(|c| c.action != Action::NoOp && !fan_out::is_folded(self, c));
        let folded = self.fan_outs.iter().filter(|(_, each)| each.review == Reviewed::Count);
        let mut blocks: Vec<Block<'_>> = changes.map(Block::Change).collect();
        blocks.extend(folded.map(|(block, each)| Block::Each(block, each)));
        blocks.sort_by_key(|block| {
            let (address, deposed) = match block {
                Block::Change(change) => (&change.address, change.deposed),
                Block::Each(address, _) => (*address, None),
            };
            // By the words for kinds, so that a new kind of resource does not move any other.
            (address.kind.word(), &address.name, &address.key, deposed)
        });
        blocks.into_iter().try_for_each(|block| match block {
            Block::Change(change) => write_change(f, self, change),
            Block::Each(address, each) => write_each(f, self, (address, each)),
        })?;
        write_outputs(f, self)
    }
}

/// A part of the text.
enum Block<'p> {
    /// What happens to one resource.
    Change(&'p Change),
    /// What sessions that come and go will be like.
    Each(&'p Address, &'p EachOf),
}

fn write_head(f: &mut fmt::Formatter<'_>, plan: &Plan) -> fmt::Result {
    let Plan { stack, account, region, mode, targeted, changes, .. } = plan;
    let counted = || changes.iter().filter(|change| !fan_out::is_folded(plan, change));
    let count = |is: fn(Action) -> bool| counted().filter(|c| is(c.action)).count();
    writeln!(f, "{HEAD}{VERSION}")?;
    writeln!(f, "stack {stack}")?;
    writeln!(f, "account {account}")?;
    writeln!(f, "region {region}")?;
    writeln!(
        f,
        "purpose {}",
        match mode {
            Mode::Apply => "apply",
            Mode::Destroy => "destroy",
        }
    )?;
    writeln!(f, "scope {}", if *targeted { "a part of the stack" } else { "the whole stack" })?;
    // If nothing moves, this line is left out, as it was before moves existed.
    match counted().filter(|change| change.moved_from.is_some()).count() {
        0 => {}
        moved => writeln!(f, "move {moved}")?,
    }
    writeln!(f, "create {}", count(|action| action == Action::Create))?;
    writeln!(f, "update {}", count(|action| action == Action::Update))?;
    writeln!(f, "replace {}", count(|action| matches!(action, Action::Replace(_))))?;
    writeln!(f, "delete {}", count(|action| action == Action::Delete))
}

/// The other accounts that the plan reaches, and the objects that the stack uses and did not make.
fn write_used(f: &mut fmt::Formatter<'_>, plan: &Plan) -> fmt::Result {
    let mut reached = plan.accounts.iter();
    reached.try_for_each(|(name, account)| {
        writeln!(f, "reach {name} {}", sharing::reached(account))
    })?;
    let mut used: Vec<_> = plan.existing.iter().collect();
    used.sort_by_key(|(address, _)| (address.kind.word(), &address.name));
    used.into_iter().try_for_each(|(address, id)| writeln!(f, "use {address} {id}"))?;
    let counted = plan.sources.iter().filter(|(_, mirrored)| mirrored.review == Reviewed::Count);
    counted.into_iter().try_for_each(|(name, Mirrored { expect, .. })| {
        writeln!(f, "mirror {} {expect} interfaces", SourceNames::text_of(name))
    })
}

/// What each session of a block will be, and what is done to existing ones. How many come and go is left out: as
/// long as it is within what is expected, it does not matter.
fn write_each(
    f: &mut fmt::Formatter<'_>,
    plan: &Plan,
    (block, each): (&Address, &EachOf),
) -> fmt::Result {
    writeln!(f, "\neach {block} of {}", each.sources)?;
    for line in fan_out::attributes(plan, block, each) {
        writeln!(f, "    {line}")?;
    }
    for lines in fan_out::updates(plan, block, each) {
        writeln!(f, "\nupdate any {block}")?;
        lines.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
    }
    Ok(())
}

fn write_change(f: &mut fmt::Formatter<'_>, plan: &Plan, change: &Change) -> fmt::Result {
    let verb = match change.action {
        Action::NoOp => "keep",
        Action::Move => "move",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace(_) => "replace",
        Action::Delete => "delete",
    };
    write!(f, "\n{verb} {}", change.address)?;
    if let Some(generation) = change.deposed {
        write!(f, " generation {generation}")?;
    }
    writeln!(f)?;
    if let Some(from) = &change.moved_from {
        writeln!(f, "    it was {from}")?;
    }
    match change.action {
        Action::Replace(ReplaceOrder::CreateThenDelete) => {
            writeln!(f, "    the new one is made before the old one goes")?;
        }
        Action::Replace(ReplaceOrder::DeleteThenCreate) => {
            writeln!(f, "    the old one goes before the new one is made")?;
        }
        Action::NoOp | Action::Move | Action::Create | Action::Update | Action::Delete => {}
    }
    for reason in change.reasons.iter().filter(|reason| is_told(reason)) {
        writeln!(f, "    because {reason}")?;
    }
    if let Some(capture) = change.capture {
        writeln!(f, "    {}", capture_text(capture))?;
    }
    if let Some(line) = fan_out::leaves(plan, change.after.as_ref()) {
        writeln!(f, "    {line}")?;
    }
    for line in sharing::lines(plan, change) {
        writeln!(f, "    {line}")?;
    }
    if let Some(id) = &change.id {
        writeln!(f, "    id = {}", text::inline(&Value::String(id.to_string())))?;
    }
    match change.action {
        // A deleted object is identified by its id.
        Action::Delete | Action::Move | Action::NoOp => Ok(()),
        Action::Create | Action::Update | Action::Replace(_) => {
            Lines::of(change).0.iter().try_for_each(|line| writeln!(f, "    {line}"))
        }
    }
}

/// Whether a reason adds something to the lines of the attributes.
fn is_told(reason: &Reason) -> bool {
    match reason {
        Reason::Absent | Reason::Changed { attribute: _ } | Reason::Forced { attribute: _ } => {
            false
        }
        Reason::NotInStack
        | Reason::Destroy
        | Reason::LeftOver
        | Reason::Requested
        | Reason::Occupied { .. }
        | Reason::ServesReplaced { .. }
        | Reason::HoldsGroup { .. }
        | Reason::GoesWith { .. }
        | Reason::DestinationTaken => true,
    }
}

fn capture_text(capture: Capture) -> &'static str {
    match capture {
        Capture::Begins => "capture begins",
        Capture::Continues => "capture goes on without a gap",
        Capture::Gap => "capture stops with the old session and begins again with the new one",
        Capture::Ends => "capture ends",
    }
}

fn write_outputs(f: &mut fmt::Formatter<'_>, plan: &Plan) -> fmt::Result {
    let mut changed = plan.outputs.iter().filter(|(_, output)| output.before != output.after);
    let Some(first) = changed.next() else { return Ok(()) };
    writeln!(f)?;
    [first].into_iter().chain(changed).try_for_each(|(name, OutputChange { before, after })| {
        write!(f, "output {} = ", text::name(name))?;
        let side = |value: &Option<Value>| match value {
            None | Some(Value::Null) => text::NONE.to_owned(),
            Some(value) => text::inline(value),
        };
        match before {
            None => writeln!(f, "{}", side(after)),
            Some(_) => writeln!(f, "{} -> {}", side(before), side(after)),
        }
    })
}

/// How a reviewed text differs from the text of the plan as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Review<'t> {
    /// The text that was reviewed.
    pub reviewed: &'t str,
    /// The text of the plan as it is now.
    pub now: &'t str,
}

impl Review<'_> {
    /// Returns whether the plan is what was reviewed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.reviewed == self.now
    }
}

/// A unified diff from `reviewed` to `now`; empty if they are equal.
impl fmt::Display for Review<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = Compared::new(self.reviewed, self.now);
        for (position, group) in compared.groups(AROUND).iter().enumerate() {
            if position == 0 {
                f.write_str("--- reviewed\n+++ now\n")?;
            }
            writeln!(f, "{}", UnifiedHunkHeader::new(group))?;
            for line in compared.lines_of(group) {
                write!(f, "{}{}", line.tag(), line.value())?;
                if !line.value().ends_with('\n') {
                    f.write_str("\n\\ No newline at end of file\n")?;
                }
            }
        }
        Ok(())
    }
}
