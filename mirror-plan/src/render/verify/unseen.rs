//! What only packets would show: what is not known about a stack as long as no packet is sent.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value as Json, json};

use super::super::reach::listed;
use crate::reach::{Outcome, Ways};

/// How many unknown places are listed one by one.
const TOLD: usize = 20;

/// What is not known, as clauses after "whether".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unseen(Vec<String>);

impl Unseen {
    /// What is not known about the ways of sessions.
    pub(super) fn of(ways: &Ways<'_, '_>) -> Self {
        let mut alike = BTreeSet::new();
        let (mut receivers, mut places) = (BTreeSet::new(), BTreeSet::new());
        for way in ways.iter().filter(|way| alike.insert(way.likeness())) {
            for leg in way.legs() {
                receivers.extend(leg.receiver);
                let unknown = leg.hops.iter().filter(|hop| hop.outcome == Outcome::Unknown);
                places.extend(unknown.map(|hop| hop.words.clone()));
            }
        }
        let more = places.len().saturating_sub(TOLD);
        let unknown = places.into_iter().take(TOLD);
        let unknown = unknown.map(|words| format!("packets get through: {words}"));
        let mut clauses: Vec<String> = unknown.collect();
        if more > 0 {
            clauses.push(format!("they get through at {more} more places that are not known"));
        }
        if let Some(receivers) = listed(&receivers) {
            clauses.push(format!(
                "a program receives UDP 4789 on {receivers}, and the firewall there allows it"
            ));
        }
        if !alike.is_empty() {
            clauses.push("a source sends what its filter accepts".to_owned());
            clauses.push("AWS mirrors all of that: it skips packets of a busy source".to_owned());
        }
        Self(clauses)
    }

    /// The same as JSON, for programs.
    pub(super) fn json(&self) -> Json {
        json!({ "packets_sent": 0, "not_seen": self.0 })
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(clauses) = self;
        if clauses.is_empty() {
            return writeln!(f, "No packet was sent. There is no session that would mirror one.");
        }
        writeln!(f, "No packet was sent. Only packets would show whether")?;
        clauses.iter().try_for_each(|clause| writeln!(f, "  - {clause}"))?;
        writeln!(f, "`mirror-vxlan receive` on a receiver counts what arrives there.")
    }
}
