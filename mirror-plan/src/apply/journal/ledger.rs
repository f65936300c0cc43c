//! The ledger: what a journal leaves open, and when an entry is settled.
//!
//! An object that this stack has created is recognized by its tags, but AWS may take minutes to show them. Until then a
//! plan would create the object again, or leave it behind. The ledger holds such objects and determines which of them
//! must be waited for.

use std::collections::BTreeMap;
#[cfg(feature = "aws")]
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::record::{Record, RequestHash};
use crate::address::Address;
#[cfg(feature = "aws")]
use crate::address::Kind;
use crate::id::ObjectId;
use crate::observed::Observed;
use crate::resource::Repeat;

/// The open entries, by resource and generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: BTreeMap<(Address, u32), Entry>,
    /// When the journal was last written, if a part of it cannot be read: until the window from then is over, any
    /// object may still become visible.
    damaged: Option<Timestamp>,
}

/// An object that may exist although it is not visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A create call was sent, or was about to be.
    Sent {
        /// The client token of the call.
        token: String,
        /// What the call asks for.
        request: RequestHash,
        /// When it was last sent.
        at: Timestamp,
    },
    /// AWS has answered with its id.
    Made {
        /// The id.
        id: ObjectId,
        /// When.
        at: Timestamp,
    },
}

impl Ledger {
    /// Returns the ledger that `records` leave open.
    #[must_use]
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut ledger = Self::default();
        for record in records {
            ledger.take(record);
        }
        ledger
    }

    /// Returns the same ledger, with a damaged part of the journal that was last written at `at`.
    #[must_use]
    pub(in crate::apply) fn with_damage(self, at: Timestamp) -> Self {
        Self { damaged: Some(at), ..self }
    }

    /// Applies a record.
    pub(super) fn take(&mut self, record: Record) {
        match record {
            Record::Intent { address, generation, token, request, at } => {
                self.entries.insert((address, generation), Entry::Sent { token, request, at });
            }
            Record::Made { address, generation, id, at } => {
                self.entries.insert((address, generation), Entry::Made { id, at });
            }
            Record::Refused { address, generation } | Record::Settled { address, generation } => {
                self.entries.remove(&(address, generation));
            }
            Record::Damaged { at } => self.damaged = self.damaged.max(Some(at)),
        }
    }

    /// Returns the shortest list of records that leaves the same entries open.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let Self { entries, damaged } = self;
        let entries = entries.iter().map(|((address, generation), entry)| {
            let (address, generation) = (address.clone(), *generation);
            match entry.clone() {
                Entry::Sent { token, request, at } => {
                    Record::Intent { address, generation, token, request, at }
                }
                Entry::Made { id, at } => Record::Made { address, generation, id, at },
            }
        });
        damaged.iter().map(|at| Record::Damaged { at: *at }).chain(entries).collect()
    }

    /// Returns the same ledger, as if everything had been written at `at`.
    #[cfg(any(feature = "s3", test))]
    #[must_use]
    pub(in crate::apply) fn dated(mut self, at: Timestamp) -> Self {
        self.for_each_time(|time| *time = at);
        self
    }

    fn for_each_time(&mut self, change: impl FnMut(&mut Timestamp)) {
        let Self { entries, damaged } = self;
        let times = entries.values_mut().map(|entry| match entry {
            Entry::Sent { token: _, request: _, at } | Entry::Made { id: _, at } => at,
        });
        times.chain(damaged).for_each(change);
    }

    /// Returns whether nothing is open.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.entries.is_empty() && self.damaged.is_none()
    }

    /// Returns the open entry of one object.
    #[must_use]
    pub fn entry(&self, address: &Address, generation: u32) -> Option<&Entry> {
        self.entries.get(&(address.clone(), generation))
    }

    /// Returns the kinds of the objects that may yet become visible.
    #[cfg(feature = "aws")]
    #[must_use]
    pub(in crate::apply) fn kinds(&self) -> BTreeSet<Kind> {
        let Self { entries, damaged } = self;
        let any = damaged.iter().flat_map(|_| Kind::all());
        entries.keys().map(|(address, _)| address.kind).chain(any).collect()
    }

    /// Closes the entries of objects that have been seen or can no longer become visible; returns what was closed.
    ///
    /// An entry from the future counts as written now: the clock was set back, and nobody knows how long ago it was.
    pub fn settle(
        &mut self,
        observed: &Observed,
        now: Timestamp,
        window: Duration,
    ) -> Vec<(Address, u32)> {
        self.for_each_time(|at| *at = now.min(*at));
        let is_over = |at: Timestamp| now.duration_since(at).unsigned_abs() >= window;
        let is_settled = |address: &Address, generation: u32, entry: &Entry| {
            let mut found = observed.owned.get(address).into_iter().flatten();
            match entry {
                Entry::Sent { token: _, request: _, at } => {
                    is_over(*at) || found.any(|found| found.generation == generation)
                }
                Entry::Made { id, at } => is_over(*at) || found.any(|found| found.id == *id),
            }
        };
        self.damaged = self.damaged.filter(|at| !is_over(*at));
        let settled: Vec<(Address, u32)> = self
            .entries
            .iter()
            .filter(|((address, generation), entry)| is_settled(address, *generation, entry))
            .map(|(object, _)| object.clone())
            .collect();
        for object in &settled {
            self.entries.remove(object);
        }
        settled
    }

    /// Returns when the first open entry counts as settled although its object was never seen.
    #[must_use]
    pub fn lapses_at(&self, window: Duration) -> Option<Timestamp> {
        let Self { entries, damaged } = self;
        let times = entries.values().map(|entry| match entry {
            Entry::Sent { token: _, request: _, at } | Entry::Made { id: _, at } => *at,
        });
        times.chain(*damaged).min().and_then(|first| first.checked_add(window).ok())
    }

    /// Returns what must be waited for before anything can be planned: `vpc.lab may have been made`.
    ///
    /// A call that creates no second object when repeated need not be waited for if it will be repeated: if
    /// `is_planned`, the resource is one that the plan creates if it is not there. The exception is an object that
    /// replaces another one: if that one was deleted in the meantime, nothing tells the plan that this object was its
    /// replacement.
    #[must_use]
    pub fn pending(&self, is_planned: impl Fn(&Address) -> bool) -> Option<String> {
        let mut waited =
            self.entries.iter().filter_map(|((address, generation), entry)| match entry {
                Entry::Made { id, at: _ } => Some(format!("{address} ({id}) is not visible yet")),
                Entry::Sent { .. }
                    if !is_planned(address)
                        || *generation > 1
                        || Repeat::of(address.kind) == Repeat::Second =>
                {
                    Some(format!("{address} may have been created by a run that did not finish"))
                }
                Entry::Sent { .. } => None,
            });
        let first = waited.next();
        let others = waited.count();
        match (first, others) {
            (Some(first), 0) => Some(first),
            (Some(first), others) => Some(format!("{first}, and {others} more")),
            (None, _) if self.damaged.is_some() => {
                Some("a part of the journal cannot be read".to_owned())
            }
            (None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn records() -> Vec<Record> {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let id = "vpc-0a1b2c3d4e5f67890".parse::<crate::resource::vpc::VpcId>().unwrap().erase();
        let request = RequestHash::of(&"10.0.0.0/16");
        let intent = |name: &str| Record::Intent {
            address: address(name),
            generation: 1,
            token: "7c9e".to_owned(),
            request: request.clone(),
            at: at(1),
        };
        vec![
            intent("vpc.open"),
            intent("vpc.refused"),
            Record::Refused { address: address("vpc.refused"), generation: 1 },
            intent("vpc.made"),
            Record::Made { address: address("vpc.made"), generation: 1, id, at: at(2) },
            Record::Damaged { at: at(3) },
        ]
    }

    #[test]
    fn the_shortest_records_leave_the_same_open() {
        let ledger = Ledger::of(records());
        assert_eq!(ledger.records().len(), 3);
        assert_eq!(Ledger::of(ledger.records()), ledger);
    }

    #[test]
    fn what_was_written_before_the_clock_was_set_back_counts_from_the_first_look() {
        let nothing =
            Observed::nothing("123456789012".parse().unwrap(), "eu-west-1".parse().unwrap());
        let window = Duration::from_secs(300);
        let mut ledger = Ledger::of(records()).dated(at(1_000));
        assert_eq!(ledger.settle(&nothing, at(600), window), []);
        assert_eq!(ledger.settle(&nothing, at(899), window), []);
        assert_eq!(ledger.settle(&nothing, at(900), window).len(), 2);
        assert!(ledger.is_settled());
    }

    #[test]
    fn what_is_dated_counts_from_then() {
        let nothing =
            Observed::nothing("123456789012".parse().unwrap(), "eu-west-1".parse().unwrap());
        let window = Duration::from_secs(300);
        let mut ledger = Ledger::of(records()).dated(at(1_000));
        assert_eq!(ledger.lapses_at(window), Some(at(1_300)));
        assert_eq!(ledger.settle(&nothing, at(1_299), window), []);
        assert_eq!(ledger.settle(&nothing, at(1_300), window).len(), 2);
        assert!(ledger.is_settled());
    }
}
