//! Rates: token buckets that keep below AWS's limits, one for each category of calls.
//!
//! AWS throttles each account and Region. Staying below its buckets costs a small stack nothing and
//! spares a large one the SDK's back-off; what still gets throttled, the SDK repeats.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How fast to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Within AWS's limits, and patient in waiting for states.
    #[default]
    Aws,
    /// As fast as it goes: a cloud on the same machine has no limits and settles at once.
    Local,
}

/// How long to wait between two looks at a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polling {
    /// Before the second look; doubled each time.
    pub(super) first: Duration,
    /// The longest.
    pub(super) longest: Duration,
}

impl Pace {
    /// The patience for what may take `limit` on AWS.
    pub(super) fn limit(self, limit: Duration) -> Duration {
        match self {
            Self::Aws => limit,
            // What takes AWS minutes takes a local cloud seconds.
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

/// A row of the table: calls that share a bucket.
struct Category {
    /// The calls: exact names, or the beginning of names where it ends in `*`.
    calls: &'static [&'static str],
    /// How many at once.
    size: u32,
    /// How many more each second.
    refill: f64,
}

const fn category(calls: &'static [&'static str], size: u32, refill: f64) -> Category {
    Category { calls, size, refill }
}

/// The first row that names a call is the one for it.
///
/// Sources: EC2 API developer guide, "Throttling" (reads 100 and 20 a second); ELB user guide, "API
/// throttling" (reads 40 and 10 a second). AWS does not document every bucket; the others are what
/// large users of the API hold themselves to.
const CATEGORIES: &[Category] = &[
    category(&["RunInstances"], 5, 2.0),
    category(&["StartInstances", "StopInstances"], 5, 2.0),
    category(&["TerminateInstances"], 100, 5.0),
    category(&["CreateTags", "DeleteTags"], 100, 10.0),
    category(
        &[
            "AuthorizeSecurityGroup*",
            "RevokeSecurityGroup*",
            "UpdateSecurityGroupRuleDescriptions*",
        ],
        100,
        20.0,
    ),
    category(
        &[
            "DescribeLoadBalancer*",
            "DescribeTargetGroup*",
            "DescribeTargetHealth",
            "DescribeListeners",
        ],
        40,
        10.0,
    ),
    category(
        &[
            "CreateLoadBalancer",
            "CreateTargetGroup",
            "CreateListener",
            "ModifyLoadBalancerAttributes",
            "ModifyTargetGroup*",
            "ModifyListener",
            "SetSubnets",
            "SetSecurityGroups",
            "RegisterTargets",
            "DeregisterTargets",
            "DeleteLoadBalancer",
            "DeleteTargetGroup",
            "DeleteListener",
            "AddTags",
            "RemoveTags",
        ],
        40,
        5.0,
    ),
    category(&["Describe*", "Get*"], 100, 20.0),
    category(&["*"], 200, 5.0),
];

/// The buckets, shared by all tasks of one run.
#[derive(Debug)]
pub(super) struct Rate {
    pace: Pace,
    buckets: Vec<Mutex<Option<Bucket>>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Below zero: so many calls have been promised a place.
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

    /// Takes a token for `call`, and returns when it will be there.
    fn reserve(&self, call: &str, now: Instant) -> Duration {
        let Some(index) = CATEGORIES.iter().position(|category| category.holds(call)) else {
            return Duration::ZERO;
        };
        let Category { calls: _, size, refill } = CATEGORIES[index];
        let full = f64::from(size);
        let mut bucket = self.buckets[index].lock().unwrap_or_else(PoisonError::into_inner);
        let Bucket { tokens, at } = bucket.unwrap_or(Bucket { tokens: full, at: now });
        let refilled = now.duration_since(at).as_secs_f64().mul_add(refill, tokens).min(full);
        let left = refilled - 1.0;
        *bucket = Some(Bucket { tokens: left, at: now });
        Duration::from_secs_f64((-left).max(0.0) / refill)
    }
}

impl Category {
    fn holds(&self, call: &str) -> bool {
        self.calls.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => call.starts_with(beginning),
            None => call == *pattern,
        })
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

    #[test]
    fn every_call_has_a_bucket() {
        for (call, size) in [("DescribeVpcs", 100), ("DescribeListeners", 40), ("CreateVpc", 200)] {
            let found = CATEGORIES.iter().find(|category| category.holds(call));
            assert_eq!(found.map(|category| category.size), Some(size), "{call}");
        }
    }
}
