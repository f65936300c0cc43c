//! The clock of a cloud: the machine's, or one that a test moves.

use jiff::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where a cloud takes the time from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Time that stands still until it is moved.
    Virtual(VirtualClock),
    /// Time that something else provides, such as a paused runtime.
    Told(Teller),
}

impl Clock {
    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Virtual(clock) => clock.now(),
            Self::Told(Teller(now)) => now(),
        }
    }
}

/// A function that tells the time.
#[derive(Clone)]
pub struct Teller(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Teller {
    /// Takes the time from `now`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// Time that stands still until it is moved. Clones share it.
#[derive(Debug, Clone)]
pub struct VirtualClock(Arc<Mutex<Timestamp>>);

impl VirtualClock {
    /// Starts at the given time.
    pub fn starting_at(time: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Advances the time; it stops at the end of time.
    pub fn advance(&self, by: Duration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = crate::schedule::later(*time, by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time() {
        let clock = VirtualClock::starting_at(Timestamp::UNIX_EPOCH);
        clock.clone().advance(Duration::from_secs(5));
        assert_eq!(Clock::Virtual(clock).now().as_second(), 5);
    }
}
