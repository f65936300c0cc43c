//! How long a capture stops if it has to: an estimate from the calls that are made in the meantime.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wait::{Experience, Wait};
use super::{Action, Capture, Change, Phase, Plan, Step};

/// How long nothing is mirrored while a session is replaced, and what is waited for in the meantime.
///
/// It is an estimate. AWS promises no such times, none of them has been measured on a real account,
/// and a run that waits for others or is throttled takes longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureGap {
    waits: BTreeMap<Wait, Duration>,
}

impl CaptureGap {
    /// The total.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        self.waits.values().sum()
    }

    /// The waits that it is made of. What runs in parallel with something slower is not counted.
    #[must_use]
    pub fn waits(&self) -> &BTreeMap<Wait, Duration> {
        &self.waits
    }
}

impl Plan {
    /// Estimates how long nothing is mirrored while a session is replaced: from its deletion until its
    /// replacement exists. `None` if there is no such gap.
    ///
    /// Each step is assumed to begin as soon as those that it needs are done. So a load balancer that
    /// is being created when the session is deleted makes the gap longer, although neither waits for
    /// the other.
    #[must_use]
    pub fn capture_gap(&self, change: &Change) -> Option<CaptureGap> {
        let (Some(Capture::Gap), Action::Replace(_)) = (change.capture, change.action) else {
            return None;
        };
        let is_at = |step: &Step, phase| step.address == change.address && step.phase == phase;
        let begin = self.steps.iter().rposition(|step| is_at(step, Phase::Create))?;
        // Left-overs of an earlier replacement are deleted too, which stops no mirroring.
        let replaced = self.steps[begin].generation.checked_sub(1)?;
        let is_replaced = |step: &Step| is_at(step, Phase::Delete) && step.generation == replaced;
        let end = self.steps.iter().rposition(is_replaced)?;
        let done = self.done(&Experience::default());
        Some(CaptureGap { waits: self.waits(&done, done[end], begin) })
    }

    /// What is waited for after `since` and before `step` is done: `step` itself, then the step that it
    /// needs and that is done last, and so on.
    fn waits(&self, done: &[Duration], since: Duration, step: usize) -> BTreeMap<Wait, Duration> {
        let mut waits: BTreeMap<Wait, Duration> = BTreeMap::new();
        let mut next = Some(step);
        while let Some(step) = next.filter(|step| done[*step] > since) {
            let Step { needs, .. } = &self.steps[step];
            next = needs.iter().copied().max_by_key(|need| done[*need]);
            let from = next.map_or(Duration::ZERO, |need| done[need]).max(since);
            *waits.entry(Wait::of(&self.steps[step])).or_default() += done[step] - from;
        }
        waits
    }
}
