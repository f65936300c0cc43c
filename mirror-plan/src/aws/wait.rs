//! Waiting: looking at an object again and again until it is as it should be.
//!
//! The SDK's waiters take their first look after 15 seconds, treat a NotFound just after a creation
//! as a failure, and expect a wrong code for internet gateways. These look at once, then after
//! growing pauses, and report what they see.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::rate::{Pace, Polling};

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What is waited for: `active`.
    pub until: &'static str,
    /// What is seen now: `state is provisioning`.
    pub now: String,
}

/// `waiting until active: state is provisioning`.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { until, now } = self;
        write!(f, "waiting until {until}: {now}")
    }
}

/// Called while waiting.
pub(super) type OnWait<'a> = &'a (dyn Fn(Waiting) + Send + Sync);

/// The object did not reach the expected state in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("gave up after {} s of waiting until {until}: {now}", .limit.as_secs())]
pub struct TimeUp {
    /// What was waited for.
    pub until: &'static str,
    /// How long that may take.
    pub limit: Duration,
    /// What was seen last.
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

    /// For AWS to accept a call that it has rejected or left unanswered.
    pub(in crate::aws) const TAKEN: Duration = minutes(5);
    /// For a newly created object to be visible everywhere.
    pub(in crate::aws) const SEEN: Duration = minutes(5);
    /// For a VPC or a subnet to be available, or for a gateway to be attached.
    pub(in crate::aws) const AVAILABLE: Duration = minutes(5);
    /// For an instance to run, stop or be terminated.
    pub(in crate::aws) const INSTANCE: Duration = minutes(10);
    /// For the next instance of a group to be in service, registered, or terminated.
    pub(in crate::aws) const MEMBER: Duration = minutes(10);
    /// For a load balancer to be active.
    pub(in crate::aws) const ACTIVE: Duration = minutes(10);
    /// For a receiver to pass its first health checks, or to fail them.
    pub(in crate::aws) const CHECKED: Duration = minutes(10);
    /// For the next object in a VPC to be deleted.
    pub(in crate::aws) const EMPTY: Duration = minutes(10);
    /// For the next of the interfaces that a load balancer leaves behind in subnets and groups to
    /// be deleted.
    pub(in crate::aws) const RELEASED: Duration = minutes(20);
    /// For the release of anything else that is still in use.
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

    /// Reports what is seen now, and pauses before the next look.
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

    /// Starts the time again, because something has changed.
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
