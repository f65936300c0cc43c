//! The lease: what the object of a team's journal says of who has it.
//!
//! The object is the text of a journal with one more line at its head, the lease. Who takes it,
//! renews it or writes a record writes the whole object, on the condition that it is still what it
//! was: so one of two runs wins, and a run that was taken for dead finds out before its next call.
//! No two machines' clocks are compared. How old a lease is tells the store, in one answer; where it
//! does not, a run watches for as long as the lease lasts.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::record::{self, Line, Reading};
use super::journal::{Held, Holder, Ledger, Record};

/// How long a lease lasts that is not renewed: what a run waits after one that was killed.
pub(super) const LASTS: Duration = Duration::from_secs(30);

/// How often it is renewed at least: two renewals may fail.
#[cfg(feature = "s3")]
pub(super) const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// How often somebody else's is looked at.
#[cfg(feature = "s3")]
pub(super) const WATCHED_EVERY: Duration = Duration::from_millis(500);

/// The head of the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lease {
    /// A random word of the run that wrote it: the same person's next run has another.
    pub(super) owner: String,
    /// The how manieth of its writes this is. With the owner it makes every text another one, so that
    /// no two versions of the object have the same ETag.
    pub(super) write: u64,
    /// Who that is, for people.
    pub(super) holder: Holder,
    /// Whether the run goes on.
    pub(super) state: State,
    /// How long it lasts, in seconds.
    pub(super) seconds: u64,
    /// Until when, by its owner's clock: for people, never compared.
    pub(super) until: Timestamp,
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It does, or was killed.
    Held,
    /// It has ended.
    Free,
}

/// What the object was found to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The lease; `None` if it cannot be read.
    lease: Option<Lease>,
    /// What is open; damaged if a part cannot be read.
    pub(super) ledger: Ledger,
}

/// What became of a write whose answer says that the object is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was done after all: an answer was lost on the way, and the call repeated.
    Done,
    /// It was not, but an earlier one of the same run was.
    Earlier,
    /// Another run has written.
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

    /// How much longer the object is somebody's that was last written so long ago; zero if it is
    /// nobody's.
    pub(super) fn left(&self, age: Duration) -> Duration {
        let lasts = match &self.lease {
            None => LASTS,
            Some(Lease { state: State::Free, .. }) => Duration::ZERO,
            Some(Lease { state: State::Held, seconds, .. }) => Duration::from_secs(*seconds),
        };
        lasts.saturating_sub(age)
    }

    /// Who has it, or had it last.
    pub(super) fn held(&self) -> Held {
        match &self.lease {
            None => Held { holder: None, until: None },
            Some(lease) => {
                let until = (lease.state == State::Held).then_some(lease.until);
                Held { holder: Some(lease.holder.clone()), until }
            }
        }
    }

    /// What became of a run's write of that number.
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
