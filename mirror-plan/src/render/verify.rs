//! The result of the verification of a deployed stack, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use super::reach::Line;
use super::{Palette, snapshot};
use crate::address::{Address, Kind};
use crate::plan::{Action, Change, Plan};
use crate::reach::{Extent, Outcome, Path, Verdict, Way, Ways};
use crate::verify::{Fault, State, TargetHealth, Verification};

mod counted;
#[cfg(test)]
mod tests;
mod unseen;

use counted::Counters;
use unseen::Unseen;

/// How many faults, and how many ways, are listed: in a stack that was not applied, every resource is a fault.
const TOLD: usize = 50;

/// Whether the text names what only packets would show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probe {
    /// It does not.
    #[default]
    Unasked,
    /// It does; no packet is sent.
    Asked,
}

/// The result of a verification, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Text<'v> {
    found: &'v Verification<'v>,
    probe: Probe,
    palette: Palette,
}

impl<'v> Text<'v> {
    /// The result as plain text.
    #[must_use]
    pub const fn new(found: &'v Verification<'v>) -> Self {
        Self { found, probe: Probe::Unasked, palette: Palette::plain() }
    }

    /// The same with what only packets would show, if `probe` asks for it.
    #[must_use]
    pub const fn probe(self, probe: Probe) -> Self {
        Self { probe, ..self }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, probe, palette: _ } = self;
        let Plan { stack, account, region, .. } = found.plan;
        writeln!(f, "Verification of stack {stack} in account {account}, Region {region}.\n")?;
        let ways = found.reach.ways();
        self.write_faults(f, &ways)?;
        self.write_ways(f, &ways)?;
        self.write_well(f)?;
        if let Some(metrics) = &found.metrics {
            write!(f, "\n{}", Counters(metrics))?;
        }
        self.write_verdict(f, &ways)?;
        match probe {
            Probe::Unasked => Ok(()),
            Probe::Asked => write!(f, "\n{}", Unseen::of(&ways)),
        }
    }
}

impl Text<'_> {
    fn write_faults(&self, f: &mut fmt::Formatter<'_>, ways: &Ways<'_, '_>) -> fmt::Result {
        let (faults, delete) = (&self.found.faults, self.palette.delete);
        let told = told(faults.iter().take(TOLD), ways);
        for (what, lines) in told {
            writeln!(f, "  {delete}fault{delete:#}  {what}")?;
            lines.iter().try_for_each(|line| writeln!(f, "           {line}"))?;
        }
        write_rest(f, faults.len(), "fault")
    }

    /// Writes the ways on which packets are not stopped: those that are not known, and those that carry.
    fn write_ways(&self, f: &mut fmt::Formatter<'_>, ways: &Ways<'_, '_>) -> fmt::Result {
        let Palette { create, update, .. } = self.palette;
        for verdict in [Verdict::Unknown, Verdict::Carries] {
            let of = || ways.iter().filter(|way| way.verdict() == verdict);
            for way in of().take(TOLD) {
                match verdict {
                    Verdict::Unknown => write!(f, "  {update}?{update:#}      ")?,
                    Verdict::Carries | Verdict::Stopped(_) => {
                        write!(f, "  {create}ok{create:#}     ")?;
                    }
                }
                writeln!(f, "{}", Line(&way))?;
            }
            write_rest(f, of().count(), "session")?;
        }
        Ok(())
    }

    fn write_well(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, create) = (self.found, self.palette.create);
        let sessions = found.sessions().count();
        if sessions > 0 {
            let verb = if sessions == 1 { "is" } else { "are" };
            let sessions = counted(sessions, "session");
            writeln!(f, "  {create}ok{create:#}     {sessions} {verb} in place")?;
        }
        let (takes, healthy) = found.healthy();
        if healthy > 0 {
            let takes = counted(takes, "target");
            writeln!(f, "  {create}ok{create:#}     {healthy} of {takes} healthy")?;
        }
        if !found.faults.iter().any(|fault| matches!(fault, Fault::Differs(_))) {
            writeln!(f, "  {create}ok{create:#}     every resource matches the stack file")?;
        }
        Ok(())
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>, ways: &Ways<'_, '_>) -> fmt::Result {
        let strong = self.palette.strong;
        let unknown = ways.iter().filter(|way| way.verdict() == Verdict::Unknown).count();
        match (self.found.faults.len(), unknown) {
            (0, 0) => writeln!(
                f,
                "\n{strong}Verified.{strong:#} Whether packets arrive cannot be seen from here."
            ),
            (0, unknown) => writeln!(
                f,
                "\n{strong}Verified,{strong:#} but whether the network lets the packets of {} \
                 through is not known.",
                counted(unknown, "session")
            ),
            (faults, _) => {
                writeln!(f, "\n{strong}Not verified:{strong:#} {}.", counted(faults, "fault"))
            }
        }
    }
}

/// Writes how many more there are than are listed.
fn write_rest(f: &mut fmt::Formatter<'_>, all: usize, noun: &str) -> fmt::Result {
    match all.saturating_sub(TOLD) {
        0 => Ok(()),
        more => {
            writeln!(f, "         {}, which --json lists", counted(more, &format!("more {noun}")))
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Each fault on a line, with its details below it.
fn told<'f>(
    faults: impl Iterator<Item = &'f Fault>,
    ways: &Ways<'_, '_>,
) -> Vec<(String, Vec<String>)> {
    let ways: BTreeMap<&Address, Way<'_, '_>> =
        ways.iter().map(|way| (way.session(), way)).collect();
    faults.map(|fault| words(fault, &ways)).collect()
}

fn words(fault: &Fault, ways: &BTreeMap<&Address, Way<'_, '_>>) -> (String, Vec<String>) {
    match fault {
        Fault::Differs(change) => {
            let address = &change.address;
            match change.action {
                Action::Create => (format!("{address} does not exist"), Vec::new()),
                Action::Delete => (format!("{address} should not exist"), Vec::new()),
                Action::Move => {
                    let before = change.moved_from.as_ref().unwrap_or(address);
                    (format!("{address} still has the tags of {before}"), Vec::new())
                }
                Action::NoOp | Action::Update | Action::Replace(_) => {
                    let what =
                        format!("{address} differs from the stack file; an apply would change:");
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
        Fault::Stopped(session) => (Line(&ways[session]).to_string(), Vec::new()),
        Fault::Skipped(source) => (counted::skipped(source), Vec::new()),
    }
}

/// Returns the same as JSON, for programs.
#[must_use]
pub fn json(found: &Verification<'_>, probe: Probe) -> Json {
    let Plan { stack, account, region, changes, .. } = found.plan;
    let of = |is_session: &dyn Fn(Kind) -> bool| -> Vec<Json> {
        changes.iter().filter(|change| is_session(change.kind())).map(resource).collect()
    };
    let is_session = |kind: Kind| kind == Kind::MirrorSession;
    let ways = found.reach.ways();
    let faults = told(found.faults.iter(), &ways).into_iter().map(|(what, _)| what);
    let mut document = json!({
        "stack": stack,
        "account": account.as_str(),
        "region": region.as_str(),
        "verified": found.is_well(),
        "faults": faults.collect::<Vec<_>>(),
        "sessions": of(&is_session),
        "targets": found.targets.iter().map(target).collect::<Vec<_>>(),
        "paths": ways.iter().map(|way| path(&way)).collect::<Vec<_>>(),
        "resources": of(&|kind| !is_session(kind)),
    });
    if let Some(metrics) = &found.metrics {
        document["metrics"] = counted::json(metrics);
    }
    match probe {
        Probe::Unasked => {}
        Probe::Asked => document["probe"] = Unseen::of(&ways).json(),
    }
    document
}

/// Where the packets of a session get to, by the path that decides the verdict.
fn path(way: &Way<'_, '_>) -> Json {
    let verdict = match way.verdict() {
        Verdict::Carries => "carries",
        Verdict::Stopped(Extent::Whole) => "stopped",
        Verdict::Stopped(Extent::Part) => "stopped_in_part",
        Verdict::Unknown => "not_known",
    };
    let decisive = way.decisive();
    let obstacle = decisive.as_ref().and_then(Path::obstacle);
    let hops = decisive.iter().flat_map(|path| &path.hops);
    json!({
        "session": way.session().to_string(),
        "verdict": verdict,
        "source": way.source(),
        "target": way.target(),
        "receivers": receivers(way),
        "obstacle": obstacle.map(|hop| &hop.words),
        "hops": hops.map(|hop| json!({
            "outcome": match hop.outcome {
                Outcome::Passes => "passes",
                Outcome::Unknown => "not_known",
                Outcome::Stops => "stops",
            },
            "words": hop.words,
        })).collect::<Vec<_>>(),
    })
}

/// The receivers that get packets of a session, as far as they are known; none if all packets are stopped.
fn receivers(way: &Way<'_, '_>) -> BTreeSet<String> {
    let paths = way.paths().into_iter();
    paths
        .filter(|path| path.outcome() == Outcome::Passes)
        .filter_map(|path| path.receiver)
        .collect()
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
