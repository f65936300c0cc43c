//! The lease: the part of a team's journal that states who holds it.
//!
//! The object is the text of a journal preceded by one more line, the lease. A run that takes the lease, renews it or
//! writes a record writes the whole object, on the condition that it has not changed: so exactly one of two runs wins,
//! and a run that was presumed dead finds out before its next call. The clocks of two machines are never compared. The
//! store reports how old a lease is, in a single answer; if it does not, a run watches the object for as long as the
//! lease lasts.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::record::{self, Line, Reading};
use super::journal::{Held, Holder, Ledger, Record};

/// How long a lease lasts that is not renewed: how long a run waits after another one was killed.
pub(super) const LASTS: Duration = Duration::from_secs(30);

/// For how long after its last write a run is certain that nobody has taken its lease. Stores date an object to the second,
/// so another run may take a lease for a second older than it is.
#[cfg(feature = "s3")]
pub(super) const CERTAIN: Duration = Duration::from_secs(28);

/// The longest time between two renewals: two of them may fail.
#[cfg(feature = "s3")]
pub(super) const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// How often another run's lease is checked.
#[cfg(feature = "s3")]
pub(super) const WATCHED_EVERY: Duration = Duration::from_millis(500);

/// The first line of the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lease {
    /// A random word of the run that wrote it; each run has its own, even for the same person.
    pub(super) owner: String,
    /// The number of this write among those of the run. Together with the owner it makes every text unique, so that no
    /// two versions of the object have the same ETag.
    pub(super) write: u64,
    /// Who the owner is, for people to read.
    pub(super) holder: Holder,
    /// Whether the run is still going on.
    pub(super) state: State,
    /// How long it lasts, in seconds.
    pub(super) seconds: u64,
    /// When it ends, by its owner's clock: for people to read, never compared.
    pub(super) until: Timestamp,
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// The run goes on, or was killed.
    Held,
    /// The run has ended.
    Free,
}

/// What was read from the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The lease; `None` if it cannot be read.
    lease: Option<Lease>,
    /// What is open; damaged if a part cannot be read.
    pub(super) ledger: Ledger,
}

/// The outcome of a write that the store refused because the object had changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The write was done after all: an answer was lost, and the call was repeated.
    Done,
    /// The write was not done, but an earlier one of the same run was.
    Earlier,
    /// Another run has written the object.
    Lost(Held),
}

impl Page {
    /// Reads the text of the object, which was last written at `at` or before.
    pub(super) fn read(bytes: &[u8], at: Timestamp) -> Self {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (head, rest) = bytes.split_at(end);
        let lease: Option<Lease> = record::parse(head);
        let Reading { records, damaged } = record::read(rest.get(1..).unwrap_or_default());
        let ledger = Ledger::of(records).dated(at);
        let is_whole = lease.is_some() && damaged.is_none();
        Self { lease, ledger: if is_whole { ledger } else { ledger.with_damage(at) } }
    }

    /// Writes the text of the object.
    pub(super) fn write(lease: &Lease, records: &[Record]) -> String {
        let records = records.iter().map(|record| Line(record).to_string());
        std::iter::once(Line(lease).to_string()).chain(records).collect()
    }

    /// Returns how much longer the object is held if it was last written `age` ago; zero if nobody holds it.
    pub(super) fn left(&self, age: Duration) -> Duration {
        let lasts = match &self.lease {
            None => LASTS,
            Some(Lease { state: State::Free, .. }) => Duration::ZERO,
            Some(Lease { state: State::Held, seconds, .. }) => Duration::from_secs(*seconds),
        };
        lasts.saturating_sub(age)
    }

    /// Returns who holds the object, or held it last.
    pub(super) fn held(&self) -> Held {
        match &self.lease {
            None => Held { holder: None, until: None },
            Some(lease) => {
                let until = (lease.state == State::Held).then_some(lease.until);
                Held { holder: Some(lease.holder.clone()), until }
            }
        }
    }

    /// Returns the outcome of a run's write with that number.
    pub(super) fn verdict(&self, (owner, number): (&str, u64)) -> Verdict {
        match &self.lease {
            Some(lease) if lease.owner == owner && lease.write == number => Verdict::Done,
            Some(lease) if lease.owner == owner => Verdict::Earlier,
            Some(_) | None => Verdict::Lost(self.held()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::RequestHash;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn lease(state: State) -> Lease {
        let holder = Holder {
            command: "mirror apply".to_owned(),
            user: Some("ada".to_owned()),
            host: Some("build-7".to_owned()),
            process: 4711,
            since: at(1_000),
        };
        let (owner, until) = ("5e1f".to_owned(), at(1_037));
        Lease { owner, write: 3, holder, state, seconds: 30, until }
    }

    fn records() -> Vec<Record> {
        vec![Record::Intent {
            address: "vpc.lab".parse().unwrap(),
            generation: 1,
            token: "7c9e".to_owned(),
            request: RequestHash::of(&"10.0.0.0/16"),
            at: at(1_007),
        }]
    }

    #[test]
    fn the_object_is_a_lease_and_lines_of_a_journal() {
        let text = Page::write(&lease(State::Held), &records());
        insta::assert_snapshot!(text, @r#"
        9b42c240 {"owner":"5e1f","write":3,"holder":{"command":"mirror apply","user":"ada","host":"build-7","process":4711,"since":"1970-01-01T00:16:40Z"},"state":"held","seconds":30,"until":"1970-01-01T00:17:17Z"}
        e4ca7409 {"record":"intent","address":"vpc.lab","generation":1,"token":"7c9e","request":"sha256:bb550a8a72fa9f675164b7815febb65e5c72291fbc43dd458afd6392242553cd","at":"1970-01-01T00:16:47Z"}
        "#);
        let page = Page::read(text.as_bytes(), at(1_007));
        assert_eq!(page.lease, Some(lease(State::Held)));
        assert_eq!(page.ledger, Ledger::of(records()));
    }

    #[test]
    fn what_is_open_counts_from_when_the_object_was_written() {
        // The machine that wrote it may have had any time.
        let text = Page::write(&lease(State::Held), &records());
        let page = Page::read(text.as_bytes(), at(5_000));
        assert_eq!(page.ledger, Ledger::of(records()).dated(at(5_000)));
    }

    #[test]
    fn a_lease_ends_with_its_time_or_its_run() {
        let seconds = Duration::from_secs;
        let held = Page::read(Page::write(&lease(State::Held), &[]).as_bytes(), at(0));
        let left = [0, 10, 29, 30, 1_000_000].map(|age| held.left(seconds(age)).as_secs());
        assert_eq!(left, [30, 20, 1, 0, 0]);
        let free = Page::read(Page::write(&lease(State::Free), &[]).as_bytes(), at(0));
        assert_eq!(free.left(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_run_knows_its_own_writes() {
        let page = Page::read(Page::write(&lease(State::Held), &[]).as_bytes(), at(0));
        assert_eq!(page.verdict(("5e1f", 3)), Verdict::Done);
        assert_eq!(page.verdict(("5e1f", 4)), Verdict::Earlier);
        assert_eq!(page.verdict(("other", 3)), Verdict::Lost(page.held()));
        assert_eq!(
            page.held().to_string(),
            "`mirror apply` by ada on build-7, process 4711, since 1970-01-01T00:16:40Z; its lease \
             is renewed as long as it runs, currently until 1970-01-01T00:17:17Z"
        );
    }

    #[test]
    fn an_object_cut_or_changed_anywhere_is_read_or_known_to_be_damaged() {
        let text = Page::write(&lease(State::Free), &records()).into_bytes();
        let whole = Page::read(&text, at(9));
        let is_safe = |bytes: &[u8]| {
            let page = Page::read(bytes, at(9));
            let damage = Ledger::of([Record::Damaged { at: at(9) }]);
            page == whole || page.ledger.records().starts_with(&damage.records()) || {
                // A journal from which a whole record is cut off cannot be told from a shorter one.
                page.ledger == Ledger::default() && page.lease == whole.lease
            }
        };
        for cut in 0..=text.len() {
            assert!(is_safe(&text[..cut]), "cut at {cut}");
        }
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone();
                bytes[place] ^= 1 << bit;
                assert!(is_safe(&bytes), "bit {bit} of byte {place}");
            }
        }
    }
}
