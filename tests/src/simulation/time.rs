//! The time of a simulation: it follows a paused runtime while something runs, and stands still
//! otherwise.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mirror_local::{Clock, Teller};
use mirror_plan::apply::journal;
use tokio::time::Instant;

/// Time that jumps to the next moment at which something is due. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Time(Arc<Mutex<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// The time at which it last stood still.
    at: Timestamp,
    /// When it began to run, by the runtime's clock.
    since: Option<Instant>,
}

impl Time {
    /// Time that stands still, at `at`.
    pub(super) fn still(at: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Reading { at, since: None })))
    }

    pub(super) fn now(&self) -> Timestamp {
        let Reading { at, since } = *self.reading();
        at + since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Advances the time, which is standing still.
    pub(super) fn advance(&self, by: Duration) {
        let mut reading = self.reading();
        reading.at += by;
    }

    /// Lets the time follow the runtime's while `work` runs.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        self.reading().since = Some(Instant::now());
        let done = work.await;
        let now = self.now();
        *self.reading() = Reading { at: now, since: None };
        done
    }

    /// Returns this time as a cloud's clock.
    pub(super) fn of_cloud(&self) -> Clock {
        let time = self.clone();
        Clock::Told(Teller::new(move || time.now()))
    }

    /// Returns this time as a journal's clock.
    pub(super) fn of_journal(&self) -> journal::Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
