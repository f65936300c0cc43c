//! What was found of a stack that stands, as text and as JSON.

use std::fmt;

use serde_json::{Value as Json, json};

use super::{Palette, snapshot};
use crate::address::Kind;
use crate::plan::{Action, Change, Plan};
use crate::verify::{Fault, State, TargetHealth, Verification};

/// How many faults are told: of a stack that was not applied every resource is one.
const TOLD: usize = 50;

/// What was found, to be read.
#[derive(Clone, Copy, Debug)]
pub struct Text<'v> {
    found: &'v Verification<'v>,
    palette: Palette,
}

impl<'v> Text<'v> {
    /// As plain text.
    #[must_use]
    pub const fn new(found: &'v Verification<'v>) -> Self {
        Self { found, palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, palette } = self;
        let Plan { stack, account, region, .. } = found.plan;
        let Palette { create, delete, strong, .. } = palette;
        writeln!(f, "Verification of stack {stack} in account {account}, Region {region}.\n")?;
        for fault in found.faults.iter().take(TOLD) {
            let (what, lines) = told(fault);
            writeln!(f, "  {delete}fault{delete:#}  {what}")?;
            lines.iter().try_for_each(|line| writeln!(f, "           {line}"))?;
        }
        match found.faults.len().saturating_sub(TOLD) {
            0 => {}
            more => writeln!(f, "         {} more, which --json lists", counted(more, "fault"))?,
        }
        let sessions = found.sessions().count();
        if sessions > 0 {
            let verb = if sessions == 1 { "is" } else { "are" };
            writeln!(
                f,
                "  {create}ok{create:#}     {} {verb} in place",
                counted(sessions, "session")
            )?;
        }
        let (takes, healthy) = found.healthy();
        if healthy > 0 {
            writeln!(
                f,
                "  {create}ok{create:#}     {healthy} of {} healthy",
                counted(takes, "target")
            )?;
        }
        if !found.faults.iter().any(|fault| matches!(fault, Fault::Differs(_))) {
            writeln!(f, "  {create}ok{create:#}     every resource is as the stack file says")?;
        }
        match found.faults.len() {
            0 => writeln!(
                f,
                "\n{strong}Verified.{strong:#} Whether packets arrive is not seen from here."
            ),
            faults => {
                writeln!(f, "\n{strong}Not verified:{strong:#} {}.", counted(faults, "fault"))
            }
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A fault in a line, and what belongs below it.
fn told(fault: &Fault) -> (String, Vec<String>) {
    match fault {
        Fault::Differs(change) => {
            let address = &change.address;
            match change.action {
                Action::Create => (format!("{address} is not there"), Vec::new()),
                Action::Delete => (format!("{address} should not be there"), Vec::new()),
                Action::Move => {
                    let before = change.moved_from.as_ref().unwrap_or(address);
                    (format!("{address} still has the tags of {before}"), Vec::new())
                }
                Action::NoOp | Action::Update | Action::Replace(_) => {
                    let what =
                        format!("{address} is not as the stack file says; an apply would change:");
                    (what, snapshot::lines(change))
                }
            }
        }
        Fault::Target(target) => {
            let TargetHealth { group, id, instance, port: _, state, reason } = target;
            let named = match instance {
                Some(instance) => format!("{instance} ({id})"),
                None => id.to_string(),
            };
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            (format!("{named} in {group} is {state}{why}"), Vec::new())
        }
        Fault::NoTarget(group) => (format!("{group} has no target"), Vec::new()),
    }
}

/// The same for programs.
#[must_use]
pub fn json(found: &Verification<'_>) -> Json {
    let Plan { stack, account, region, changes, .. } = found.plan;
    let of = |is_session: &dyn Fn(Kind) -> bool| -> Vec<Json> {
        changes.iter().filter(|change| is_session(change.kind())).map(resource).collect()
    };
    let is_session = |kind: Kind| kind == Kind::MirrorSession;
    json!({
        "stack": stack,
        "account": account.as_str(),
        "region": region.as_str(),
        "verified": found.is_well(),
        "faults": found.faults.iter().map(|fault| told(fault).0).collect::<Vec<_>>(),
        "sessions": of(&is_session),
        "targets": found.targets.iter().map(target).collect::<Vec<_>>(),
        "resources": of(&|kind| !is_session(kind)),
    })
}

fn resource(change: &Change) -> Json {
    let state = match change.action {
        Action::NoOp => "in_place",
        Action::Create => "absent",
        Action::Move | Action::Update | Action::Replace(_) => "differs",
        Action::Delete => "left_over",
    };
    let differences = change.differences.iter().map(|difference| &difference.attribute);
    json!({
        "address": change.address.to_string(),
        "id": change.id.as_ref().map(ToString::to_string),
        "state": state,
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn target(target: &TargetHealth) -> Json {
    let TargetHealth { group, id, instance, port, state, reason } = target;
    json!({
        "group": group.to_string(),
        "id": id.to_string(),
        "instance": instance.as_ref().map(ToString::to_string),
        "port": port,
        "state": state.to_string(),
        "healthy": *state == State::Healthy,
        "reason": reason,
    })
}
