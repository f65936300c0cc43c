//! Waiting: looking at an object again and again until it is as it should be.
//!
//! The SDK's waiters look first after 15 seconds, take a NotFound just after a creation for a
//! failure, and know a wrong code for internet gateways. These look at once, then after pauses that
//! grow, and say what they see.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::rate::{Pace, Polling};

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For what: `active`.
    pub until: &'static str,
    /// How it looks now: `state is provisioning`.
    pub now: String,
}

/// `waiting until active: state is provisioning`.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { until, now } = self;
        write!(f, "waiting until {until}: {now}")
    }
}

/// Whom to tell.
pub(super) type OnWait<'a> = &'a (dyn Fn(Waiting) + Send + Sync);

/// It did not become as it should be in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("gave up after {} s of waiting until {until}: {now}", .limit.as_secs())]
pub struct TimeUp {
    /// For what.
    pub until: &'static str,
    /// How long that may take.
    pub limit: Duration,
    /// How it looked last.
    pub now: String,
}

/// The pauses of one wait.
pub(super) struct Patience<'a> {
    on_wait: OnWait<'a>,
    until: &'static str,
    limit: Duration,
    begin: Instant,
    pause: Duration,
    longest: Duration,
}

/// Time limits, by what is waited for.
pub(super) mod limit {
    use std::time::Duration;

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    /// For AWS to take a call that it has turned away or left unanswered.
    pub(in crate::aws) const TAKEN: Duration = minutes(5);
    /// For an object that was just made to be seen everywhere.
    pub(in crate::aws) const SEEN: Duration = minutes(5);
    /// For a VPC or a subnet to be available, a gateway to be attached.
    pub(in crate::aws) const AVAILABLE: Duration = minutes(5);
    /// For an instance to run, stop or be gone.
    pub(in crate::aws) const INSTANCE: Duration = minutes(10);
    /// For the next instance of a group to be in service, registered, or gone.
    pub(in crate::aws) const MEMBER: Duration = minutes(10);
    /// For a load balancer to be active.
    pub(in crate::aws) const ACTIVE: Duration = minutes(10);
    /// For the next thing in a VPC to go.
    pub(in crate::aws) const EMPTY: Duration = minutes(10);
    /// For the next of what a load balancer leaves behind in subnets and groups to go.
    pub(in crate::aws) const RELEASED: Duration = minutes(20);
    /// For everything else that something still uses.
    pub(in crate::aws) const UNUSED: Duration = minutes(5);
}

impl<'a> Patience<'a> {
    pub(super) fn new(
        pace: Pace,
        on_wait: OnWait<'a>,
        until: &'static str,
        limit: Duration,
    ) -> Self {
        let Polling { first, longest } = pace.polling();
        let limit = pace.limit(limit);
        Self { on_wait, until, limit, begin: Instant::now(), pause: first, longest }
    }

    /// Says how it looks now, and pauses before the next look.
    pub(super) async fn pause(&mut self, now: impl Into<String>) -> Result<(), TimeUp> {
        let now = now.into();
        if self.begin.elapsed() + self.pause > self.limit {
            let Self { until, limit, .. } = *self;
            return Err(TimeUp { until, limit, now });
        }
        (self.on_wait)(Waiting { until: self.until, now });
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(self.longest);
        Ok(())
    }

    /// Something has moved: the time begins anew.
    pub(super) fn renew(&mut self) {
        self.begin = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn patience_ends_and_says_what_it_saw() {
        let told = Mutex::new(Vec::new());
        let tell = |waiting: Waiting| told.lock().unwrap().push(waiting.to_string());
        let mut patience =
            Patience::new(Pace::Local, &tell, "active", Duration::from_millis(60 * 40));
        let end = loop {
            if let Err(end) = patience.pause("state is provisioning").await {
                break end;
            }
        };
        assert_eq!(end.now, "state is provisioning");
        let told = told.into_inner().unwrap();
        assert!(told.iter().all(|told| told == "waiting until active: state is provisioning"));
        assert!((1..=4).contains(&told.len()), "{told:?}");
    }
}
