//! How long an apply takes: an estimate from the calls of a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wait::{Experience, Wait};
use super::{Call, Plan, Step};
use crate::address::Address;
use crate::rate::{CATEGORIES, Category};

/// How long an apply takes.
///
/// It is an estimate. AWS promises no such times; what was not measured in an earlier run of the stack
/// is based on what people report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyTime {
    /// All of it.
    pub estimate: Duration,
    /// The path that takes longest: each stage begins when the one before it is done. Steps of one
    /// resource are one stage.
    pub critical_path: Vec<Stage>,
    /// Whether there are so many calls that AWS's rates take longer than that path.
    pub bound: Bound,
    /// Whether each wait on the path was measured in earlier runs.
    pub source: TimeSource,
}

/// What an apply waits for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The steps of the critical path.
    Path,
    /// AWS's rates of calls.
    Rates,
}

/// Where times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// Earlier runs of this stack.
    Measured,
    /// Usual times, for some of it at least.
    Usual,
}

/// A resource on the critical path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Which.
    pub address: Address,
    /// How long it takes.
    pub time: Duration,
}

impl Plan {
    /// Estimates how long it takes to apply the plan.
    ///
    /// Each step is assumed to begin as soon as those that it needs are done, and each call as soon as
    /// AWS's rates allow; the limit on the calls in flight is ignored.
    #[must_use]
    pub fn apply_time(&self, experience: &Experience) -> ApplyTime {
        let done = self.done(experience);
        let path = self.critical_path(&done);
        let rates = self.time_of_rates();
        let longest = done.iter().max().copied().unwrap_or_default();
        let is_measured = |step: &usize| experience.knows(Wait::of(&self.steps[*step]));
        let source =
            if path.iter().all(is_measured) { TimeSource::Measured } else { TimeSource::Usual };
        ApplyTime {
            estimate: longest.max(rates),
            critical_path: self.stages(&path, &done),
            bound: if rates > longest { Bound::Rates } else { Bound::Path },
            source,
        }
    }

    /// For each step: how long after the start of the run it is done at the earliest.
    pub(super) fn done(&self, experience: &Experience) -> Vec<Duration> {
        let mut done: Vec<Duration> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let needed = step.needs.iter().map(|need| done[*need]).max().unwrap_or_default();
            done.push(needed + experience.time(Wait::of(step)));
        }
        done
    }

    /// The steps of the critical path, first to last: it ends with the step that is done last, and each
    /// is preceded by the last to be done of those that it needs.
    fn critical_path(&self, done: &[Duration]) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = (0..self.steps.len()).max_by_key(|step| done[*step]);
        while let Some(step) = next {
            path.push(step);
            next = self.steps[step].needs.iter().copied().max_by_key(|need| done[*need]);
        }
        path.reverse();
        path
    }

    /// The resources of a path.
    fn stages(&self, path: &[usize], done: &[Duration]) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        let mut since = Duration::ZERO;
        for step in path {
            let (Step { address, .. }, time) = (&self.steps[*step], done[*step] - since);
            since = done[*step];
            match stages.last_mut().filter(|stage| stage.address == *address) {
                Some(stage) => stage.time += time,
                None => stages.push(Stage { address: address.clone(), time }),
            }
        }
        stages
    }

    /// The shortest time in which AWS's rates allow all calls.
    fn time_of_rates(&self) -> Duration {
        let mut calls: BTreeMap<usize, u32> = BTreeMap::new();
        for step in &self.steps {
            let call = match &step.call {
                Call::Operation(operation) => operation.call(),
                Call::Retag { .. } => "CreateTags",
            };
            if let Some(place) = Category::place(call) {
                *calls.entry(place).or_default() += 1;
            }
        }
        let times = calls.into_iter().map(|(place, calls)| CATEGORIES[place].time_for(calls));
        times.max().unwrap_or_default()
    }
}
