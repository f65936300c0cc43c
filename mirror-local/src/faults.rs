//! Faults for tests: latency, throttling, stale reads, and calls that fail in a chosen way.
//!
//! Nothing here is random: the same faults and the same calls give the same failures.

use crate::failure::Failure;
use crate::place::Place;
use crate::request::{Request, Service};
use crate::schedule::later;
use jiff::Timestamp;
use std::time::Duration;

/// What is to go wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    latency: Vec<(Calls, Duration)>,
    throttles: Vec<(Calls, Bucket)>,
    shares: Vec<(Calls, Share)>,
    failures: Vec<Planned>,
    unseen_reads: u32,
    lags: Vec<Duration>,
    elb_behind: Duration,
}

/// Which calls a fault concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    All,
    /// The calls of one action.
    Action(String),
    /// The calls that can change something.
    Mutating,
}

/// A token bucket, as AWS throttles with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Calls that can be made at once.
    pub size: u32,
    /// Calls added in a second.
    pub refill_per_s: f64,
}

/// A share of all calls, chosen by a seed: the same seed chooses the same calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many of a hundred.
    pub percent: u8,
    /// What the choice depends on.
    pub seed: u64,
}

/// How a call fails, and whether it has taken effect by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whether the call takes effect.
    pub effect: Effect,
    /// What the client sees.
    pub symptom: Symptom,
}

/// Whether a failing call takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It fails before it changes anything.
    None,
    /// It does its work; only the answer is lost.
    Done,
}

/// What the client of a failing call sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Symptom {
    /// The connection breaks without an answer.
    Dropped,
    /// No answer comes, and the connection stays open for a day.
    Silent,
    /// An error answer.
    Error {
        /// The error code.
        code: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer ends after this many bytes, with a matching length.
    Truncated {
        /// The bytes that arrive.
        bytes: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    calls: Calls,
    /// The first call to fail, counted from 1 among those concerned.
    nth: u64,
    fault: Fault,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Calls take this long.
    #[must_use]
    pub fn delay(mut self, calls: Calls, by: Duration) -> Self {
        self.latency.push((calls, by));
        self
    }

    /// Calls beyond the bucket are refused.
    #[must_use]
    pub fn throttle(mut self, calls: Calls, bucket: Bucket) -> Self {
        self.throttles.push((calls, bucket));
        self
    }

    /// A share of the calls is refused as throttled.
    #[must_use]
    pub fn throttle_share(mut self, calls: Calls, share: Share) -> Self {
        self.shares.push((calls, share));
        self
    }

    /// The n-th of the calls, counted from 1 from now on, fails.
    #[must_use]
    pub fn fail(mut self, calls: Calls, nth: u64, fault: Fault) -> Self {
        self.failures.push(Planned { calls, nth, fault });
        self
    }

    /// A new object cannot be seen by the first calls that look it up.
    #[must_use]
    pub fn unseen_for(mut self, reads: u32) -> Self {
        self.unseen_reads = reads;
        self
    }

    /// Each new object cannot be seen for a time: the first object for the first of `lags`, and so on, starting again
    /// with the first after the last. What it occupies - a name, a range of addresses - is occupied at once.
    #[must_use]
    pub fn unseen_during(mut self, lags: impl IntoIterator<Item = Duration>) -> Self {
        self.lags = lags.into_iter().collect();
        self
    }

    /// What EC2 makes, and shows late, becomes visible to Elastic Load Balancing this much later than to EC2.
    #[must_use]
    pub fn elb_behind(mut self, by: Duration) -> Self {
        self.elb_behind = by;
        self
    }
}

impl Fault {
    /// The call is refused with this code and status, and changes nothing.
    pub fn refused(code: impl Into<String>, status: u16) -> Self {
        Self { effect: Effect::None, symptom: Symptom::Error { code: code.into(), status } }
    }

    /// The call does its work, and the client gets an internal error.
    pub fn answer_lost() -> Self {
        let symptom = Symptom::Error { code: "InternalError".to_owned(), status: 500 };
        Self { effect: Effect::Done, symptom }
    }

    /// The connection breaks, before or after the call takes effect.
    pub fn dropped(effect: Effect) -> Self {
        Self { effect, symptom: Symptom::Dropped }
    }

    /// No answer comes, before or after the call takes effect.
    pub fn silent(effect: Effect) -> Self {
        Self { effect, symptom: Symptom::Silent }
    }

    /// The call does its work, and the answer is cut off.
    pub fn truncated(bytes: usize) -> Self {
        Self { effect: Effect::Done, symptom: Symptom::Truncated { bytes } }
    }
}

/// Faults in use: how far their counters have come.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultState {
    faults: Faults,
    seen: Vec<u64>,
    levels: Vec<Option<(f64, Timestamp)>>,
    /// By share: the calls concerned so far.
    drawn: Vec<u64>,
    unseen: Vec<Unseen>,
    born: usize,
}

/// An object that cannot be seen yet.
#[derive(Debug, Clone)]
pub(crate) struct Unseen {
    pub(crate) place: Place,
    pub(crate) table: &'static str,
    pub(crate) describe: &'static str,
    pub(crate) id: String,
    made_by: Service,
    until: Until,
}

/// When an object can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// After this many calls that look it up.
    Reads(u32),
    /// At this time.
    Time(Timestamp),
}

/// A request with what fault matching needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) request: &'a Request,
    pub(crate) mutating: bool,
}

impl Calls {
    fn concern(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Action(action) => *action == subject.request.action,
            Self::Mutating => subject.mutating,
        }
    }
}

impl FaultState {
    pub(crate) fn new(faults: Faults) -> Self {
        let (seen, levels) = (vec![0; faults.failures.len()], vec![None; faults.throttles.len()]);
        let drawn = vec![0; faults.shares.len()];
        Self { faults, seen, levels, drawn, unseen: Vec::new(), born: 0 }
    }

    /// Changes the faults from now on. What cannot be seen before a certain time stays unseen.
    pub(crate) fn change(&mut self, faults: Faults) {
        let until_a_time = |unseen: &Unseen| matches!(unseen.until, Until::Time(_));
        let mut unseen = std::mem::take(&mut self.unseen);
        unseen.retain(until_a_time);
        *self = Self { unseen, born: self.born, ..Self::new(faults) };
    }

    /// Returns how long the call takes.
    pub(crate) fn delay(&self, subject: Subject<'_>) -> Duration {
        let concerned = self.faults.latency.iter().filter(|(calls, _)| calls.concern(subject));
        concerned.map(|(_, by)| *by).sum()
    }

    /// Takes a token out of every bucket concerned; fails if one is empty.
    pub(crate) fn admit(&mut self, subject: Subject<'_>, now: Timestamp) -> Result<(), Failure> {
        for ((calls, bucket), level) in self.faults.throttles.iter().zip(&mut self.levels) {
            if !calls.concern(subject) {
                continue;
            }
            let full = f64::from(bucket.size);
            let (tokens, since) = level.unwrap_or((full, now));
            let elapsed = now.duration_since(since).as_secs_f64().max(0.0);
            let tokens = elapsed.mul_add(bucket.refill_per_s, tokens).min(full);
            *level = Some((tokens, now));
            if tokens < 1.0 {
                return Err(throttled(subject.request));
            }
            *level = Some((tokens - 1.0, now));
        }
        for ((calls, share), drawn) in self.faults.shares.iter().zip(&mut self.drawn) {
            if calls.concern(subject) {
                *drawn += 1;
                if share.includes(*drawn) {
                    return Err(throttled(subject.request));
                }
            }
        }
        Ok(())
    }

    /// Counts the call and returns the fault planned for it.
    pub(crate) fn strike(&mut self, subject: Subject<'_>) -> Option<Fault> {
        let mut strike = None;
        for (planned, seen) in self.faults.failures.iter().zip(&mut self.seen) {
            if planned.calls.concern(subject) {
                *seen += 1;
                if *seen == planned.nth {
                    strike = strike.or_else(|| Some(planned.fault.clone()));
                }
            }
        }
        strike
    }

    /// Returns whether new objects are to stay unseen for a while.
    pub(crate) fn hides(&self) -> bool {
        self.faults.unseen_reads > 0 || !self.faults.lags.is_empty() || !self.unseen.is_empty()
    }

    /// Lists what the call cannot see; counts the call if it looks the object up.
    pub(crate) fn unseen_by(
        &mut self,
        subject: Subject<'_>,
        now: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let request = subject.request;
        let elb_behind = self.faults.elb_behind;
        let behind = |unseen: &Unseen| match (unseen.made_by, request.service) {
            (Service::Ec2, Service::LoadBalancing) => elb_behind,
            _ => Duration::ZERO,
        };
        let mut hidden = Vec::new();
        for unseen in self.unseen.iter_mut().filter(|unseen| unseen.place == request.place()) {
            let is_named = request.parameters.mention(&unseen.id);
            let behind = behind(unseen);
            let is_hidden = match &mut unseen.until {
                Until::Reads(reads) if is_named || request.action == unseen.describe => {
                    *reads -= 1;
                    true
                }
                Until::Reads(_) => false,
                Until::Time(until) => {
                    later(*until, behind) > now && (is_named || !subject.mutating)
                }
            };
            if is_hidden {
                hidden.push((unseen.table, unseen.id.clone()));
            }
        }
        self.unseen.retain(|unseen| match unseen.until {
            Until::Reads(reads) => reads > 0,
            Until::Time(until) => later(until, self.faults.elb_behind) > now,
        });
        hidden
    }

    /// Registers a new object.
    pub(crate) fn born(
        &mut self,
        (request, now): (&Request, Timestamp),
        (table, describe): (&'static str, &'static str),
        id: String,
    ) {
        let Faults { unseen_reads, lags, .. } = &self.faults;
        let until = match lags.get(self.born % lags.len().max(1)) {
            Some(lag) => Until::Time(later(now, *lag)),
            None if *unseen_reads > 0 => Until::Reads(*unseen_reads),
            None => return,
        };
        self.born += 1;
        let (place, made_by) = (request.place(), request.service);
        self.unseen.push(Unseen { place, table, describe, id, made_by, until });
    }
}

impl Share {
    /// Whether the n-th call is in the share: decided by the n-th number of SplitMix64, so that no call depends on how
    /// many come before it.
    const fn includes(self, n: u64) -> bool {
        let mut z = self.seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 100 < self.percent as u64
    }
}

fn throttled(request: &Request) -> Failure {
    use crate::request::Service;
    let status = match request.service {
        Service::Ec2 | Service::Storage => 503,
        Service::AutoScaling
        | Service::LoadBalancing
        | Service::Metrics
        | Service::Parameters
        | Service::Tokens => 400,
        Service::Sharing => 429,
    };
    Failure::new("RequestLimitExceeded", "Request limit exceeded.").with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;
    use crate::request::{Service, Wire};

    fn request(action: &str) -> Request {
        Request {
            service: Service::Ec2,
            wire: Wire::Xml,
            action: action.to_owned(),
            account: crate::ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            parameters: Parameters::default(),
            body: String::new(),
        }
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let bucket = Bucket { size: 2, refill_per_s: 1.0 };
        let mut state = FaultState::new(Faults::none().throttle(Calls::All, bucket));
        let request = request("DescribeVpcs");
        let subject = Subject { request: &request, mutating: false };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let admitted: Vec<bool> =
            [0, 0, 0, 1, 1].map(|s| state.admit(subject, at(s)).is_ok()).into();
        assert_eq!(admitted, [true, true, false, true, false]);
    }

    #[test]
    fn only_the_nth_call_concerned_is_struck() {
        let calls = Calls::Action("CreateVpc".to_owned());
        let mut state = FaultState::new(Faults::none().fail(calls, 2, Fault::answer_lost()));
        let struck: Vec<bool> = ["CreateVpc", "DescribeVpcs", "CreateVpc", "CreateVpc"]
            .iter()
            .map(|action| {
                let request = request(action);
                state.strike(Subject { request: &request, mutating: true }).is_some()
            })
            .collect();
        assert_eq!(struck, [false, false, true, false]);
    }
}
