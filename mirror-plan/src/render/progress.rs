//! What happens during an apply, one line for each event, in Terraform's words.

use std::fmt;
use std::time::Duration;

use crate::event::{Event, Work};
use crate::plan::Phase;

/// Returns the line for an event; `None` for an event that a reader need not see.
#[must_use]
pub fn line(event: &Event) -> Option<String> {
    match event {
        Event::Begun { total: _ } | Event::Waiting { .. } | Event::Ended { .. } => None,
        Event::Started { work } => Some(format!("{}: {}...{}", work.address, verb(work), id(work))),
        Event::Progress { work, elapsed } => {
            let verb = verb(work).to_lowercase();
            Some(format!("{}: Still {verb}... [{} elapsed]", work.address, Elapsed(*elapsed)))
        }
        Event::Done { work, elapsed, done: _ } => {
            let (noun, elapsed) = (noun(work), Elapsed(*elapsed));
            let id = if work.phase == Phase::Delete { String::new() } else { id(work) };
            Some(format!("{}: {noun} complete after {elapsed}{id}", work.address))
        }
        Event::Failed { work, elapsed, failure: _ } => {
            Some(format!("{}: {} errored after {}", work.address, noun(work), Elapsed(*elapsed)))
        }
        Event::Stopping { in_flight } => {
            let calls = if *in_flight == 1 { "call" } else { "calls" };
            Some(format!(
                "Interrupt received: nothing more is started. Waiting for {in_flight} {calls} in \
                 flight; interrupt again to exit at once."
            ))
        }
    }
}

/// What is being done: `Creating`.
#[must_use]
pub fn verb(work: &Work) -> &'static str {
    match work.phase {
        Phase::Create => "Creating",
        Phase::Update => "Modifying",
        Phase::Delete => "Destroying",
    }
}

fn noun(work: &Work) -> &'static str {
    match work.phase {
        Phase::Create => "Creation",
        Phase::Update => "Modifications",
        Phase::Delete => "Destruction",
    }
}

fn id(work: &Work) -> String {
    work.id.as_ref().map(|id| format!(" [id={id}]")).unwrap_or_default()
}

/// A duration in whole seconds: `7s`, `1m20s`.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed(pub Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}s"),
            (0, _) => write!(f, "{minutes}m{seconds}s"),
            (_, _) => write!(f, "{hours}h{minutes}m{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(phase: Phase, id: Option<&str>) -> Work {
        let id = id.map(|id| serde_json::from_value(id.into()).unwrap());
        Work { address: "vpc.lab".parse().unwrap(), phase, generation: 1, id }
    }

    #[test]
    fn lines_are_terraforms() {
        let after = Duration::from_secs;
        let (create, update, delete) = (Phase::Create, Phase::Update, Phase::Delete);
        let (new, old) = (|phase| work(phase, None), |phase| work(phase, Some("vpc-1")));
        let failure = crate::event::Failure {
            call: "CreateVpc".to_owned(),
            code: None,
            message: "no answer".to_owned(),
            request_id: None,
            help: None,
        };
        let lines: Vec<String> = [
            Event::Begun { total: 3 },
            Event::Started { work: new(create) },
            Event::Waiting { work: new(create), wait: "state is pending".to_owned() },
            Event::Progress { work: new(create), elapsed: after(10) },
            Event::Done { work: old(create), elapsed: after(80), done: 1 },
            Event::Started { work: old(update) },
            Event::Done { work: old(update), elapsed: after(0), done: 2 },
            Event::Started { work: old(delete) },
            Event::Stopping { in_flight: 1 },
            Event::Done { work: old(delete), elapsed: after(3601), done: 3 },
            Event::Failed { work: new(create), elapsed: after(2), failure },
        ]
        .iter()
        .filter_map(line)
        .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        vpc.lab: Creating...
        vpc.lab: Still creating... [10s elapsed]
        vpc.lab: Creation complete after 1m20s [id=vpc-1]
        vpc.lab: Modifying... [id=vpc-1]
        vpc.lab: Modifications complete after 0s [id=vpc-1]
        vpc.lab: Destroying... [id=vpc-1]
        Interrupt received: nothing more is started. Waiting for 1 call in flight; interrupt again to exit at once.
        vpc.lab: Destruction complete after 1h0m1s
        vpc.lab: Creation errored after 2s
        ");
    }
}
