//! The clock: the one place where a receiver asks what time it is.

#![forbid(unsafe_code)]

use std::time::{Duration, SystemTime};

use crate::Timestamp;

/// Tells the time; a closure that returns a [`Timestamp`] is a clock too.
pub trait Clock: Send + Sync {
    /// Returns the time.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_parts(since.as_secs(), since.subsec_nanos())
    }
}

/// Returns whether `interval` has passed since `earlier`.
///
/// This is also true if the clock was set back: waiting for it to catch up could take hours.
pub(crate) fn passed(interval: Duration, earlier: Timestamp, now: Timestamp) -> bool {
    now < earlier || now.since(earlier) >= interval
}
