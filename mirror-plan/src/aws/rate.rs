//! Rates: token buckets that keep below AWS's limits, one for each category of calls.
//!
//! AWS throttles each account and Region. Staying below its limits costs a small stack nothing and
//! spares a large one the SDK's back-off; the SDK retries whatever is still throttled.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rate::{CATEGORIES, Category};

/// How fast to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Within AWS's limits, and patient in waiting for states.
    #[default]
    Aws,
    /// As fast as possible: a cloud on the same machine has no limits and settles at once.
    Local,
}

/// How long to wait between two looks at a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polling {
    /// The pause before the second look; it doubles each time.
    pub(super) first: Duration,
    /// The longest pause.
    pub(super) longest: Duration,
}

impl Pace {
    /// Returns how long to wait for what may take `limit` on AWS.
    pub(super) fn limit(self, limit: Duration) -> Duration {
        match self {
            Self::Aws => limit,
            // What takes minutes on AWS takes seconds on a local cloud.
            Self::Local => limit / 60,
        }
    }

    pub(super) const fn polling(self) -> Polling {
        let (first, longest) = match self {
            Self::Aws => (250, 10_000),
            Self::Local => (5, 100),
        };
        Polling { first: Duration::from_millis(first), longest: Duration::from_millis(longest) }
    }
}

/// The buckets, shared by all tasks of one run.
#[derive(Debug)]
pub(super) struct Rate {
    pace: Pace,
    buckets: Vec<Mutex<Option<Bucket>>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// If negative, this many calls have already been promised a token.
    tokens: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, buckets: CATEGORIES.iter().map(|_| Mutex::new(None)).collect() }
    }

    /// Waits until `call` may be sent.
    pub(super) async fn admit(&self, call: &str) {
        if self.pace == Pace::Local {
            return;
        }
        let delay = self.reserve(call, Instant::now());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Takes a token for `call`, and returns how long it takes until the token is available.
    fn reserve(&self, call: &str, now: Instant) -> Duration {
        let Some(index) = Category::place(call) else { return Duration::ZERO };
        let Category { size: full, refill, .. } = CATEGORIES[index];
        let mut bucket = self.buckets[index].lock().unwrap_or_else(PoisonError::into_inner);
        let Bucket { tokens, at } = bucket.unwrap_or(Bucket { tokens: full, at: now });
        let refilled = now.duration_since(at).as_secs_f64().mul_add(refill, tokens).min(full);
        let left = refilled - 1.0;
        *bucket = Some(Bucket { tokens: left, at: now });
        Duration::from_secs_f64((-left).max(0.0) / refill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_free_and_the_rest_is_spread() {
        let (rate, now) = (Rate::new(Pace::Aws), Instant::now());
        let delays: Vec<u128> =
            (0..7).map(|_| rate.reserve("RunInstances", now).as_millis()).collect();
        assert_eq!(delays, [0, 0, 0, 0, 0, 500, 1000]);
        // Two seconds later there are four more, two of which are promised.
        let later = now + Duration::from_secs(2);
        let delays: Vec<u128> =
            (0..3).map(|_| rate.reserve("RunInstances", later).as_millis()).collect();
        assert_eq!(delays, [0, 0, 500]);
        assert_eq!(rate.reserve("CreateVpc", now), Duration::ZERO);
    }
}
