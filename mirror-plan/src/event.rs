//! Events: what happens during an apply, as it happens.
//!
//! The library reports facts; an implementation of [`Reporter`] presents them to people or
//! programs.

use std::time::Duration;

use serde::Serialize;

use crate::address::Address;
pub use crate::apply::report::{ChangeOutcome, Failure, Outcome, Report};
use crate::id::ObjectId;
use crate::plan::Phase;

/// Receives events as they happen. The only trait that a user of the library implements.
///
/// It is called from the loop that owns the run: an implementation that blocks holds everything up.
pub trait Reporter: Send {
    /// Receives one event.
    fn report(&mut self, event: &Event);
}

/// Reports nothing.
impl Reporter for () {
    fn report(&mut self, _event: &Event) {}
}

/// Collects the events, for tests.
impl Reporter for Vec<Event> {
    fn report(&mut self, event: &Event) {
        self.push(event.clone());
    }
}

/// Something that happened during an apply.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The run begins.
    Begun {
        /// How many [`Work`]s there are: a replacement is two.
        total: usize,
    },
    /// The first call of a work is sent.
    Started {
        /// Which.
        work: Work,
    },
    /// A work waits for something that takes time.
    Waiting {
        /// Which.
        work: Work,
        /// What it waits for: `state is provisioning`.
        wait: String,
    },
    /// A work is still going on; sent every ten seconds.
    Progress {
        /// Which.
        work: Work,
        /// How long it has been going on.
        elapsed: Duration,
    },
    /// A work is done.
    Done {
        /// Which; its id is known by now.
        work: Work,
        /// How long it took.
        elapsed: Duration,
        /// How many works are done, this one included.
        done: usize,
    },
    /// A work has failed. Works that do not depend on it go on.
    Failed {
        /// Which.
        work: Work,
        /// How long it took.
        elapsed: Duration,
        /// Why.
        failure: Failure,
    },
    /// The user asked to stop: nothing more is started, and the run waits for what is in flight.
    Stopping {
        /// How many calls are in flight.
        in_flight: usize,
    },
    /// The run is over.
    Ended {
        /// How every change ended.
        report: Report,
    },
}

/// The creation, change or removal of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Work {
    /// The resource.
    pub address: Address,
    /// What is done.
    pub phase: Phase,
    /// The generation of the object.
    pub generation: u32,
    /// The id of the object, as soon as there is one.
    pub id: Option<ObjectId>,
}
