//! How long a capture stops where it must: an estimate from the calls that are made meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wait::{Experience, Wait};
use super::{Action, Capture, Change, Phase, Plan, Step};

/// For how long nothing is mirrored while a session is replaced, and what is waited for meanwhile.
///
/// It is an estimate. AWS promises no such times, none of them has been measured on a real account,
/// and a run that waits for others or is throttled takes longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureGap {
    waits: BTreeMap<Wait, Duration>,
}

impl CaptureGap {
    /// The whole of it.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        self.waits.values().sum()
    }

    /// What it is made of. What goes on beside something slower has no part in it.
    #[must_use]
    pub fn waits(&self) -> &BTreeMap<Wait, Duration> {
        &self.waits
    }
}

impl Plan {
    /// Estimates for how long nothing is mirrored while a session is replaced: from its end until its
    /// replacement is there. `None` where there is no such gap.
    ///
    /// Each step is taken to begin as soon as those that it needs are done. So a load balancer that is
    /// being made when the session ends makes the gap longer, though neither waits for the other.
    #[must_use]
    pub fn capture_gap(&self, change: &Change) -> Option<CaptureGap> {
        let (Some(Capture::Gap), Action::Replace(_)) = (change.capture, change.action) else {
            return None;
        };
        let is_at = |step: &Step, phase| step.address == change.address && step.phase == phase;
        let begin = self.steps.iter().rposition(|step| is_at(step, Phase::Create))?;
        // What an earlier replacement left over goes too, and nothing stops with that.
        let replaced = self.steps[begin].generation.checked_sub(1)?;
        let is_replaced = |step: &Step| is_at(step, Phase::Delete) && step.generation == replaced;
        let end = self.steps.iter().rposition(is_replaced)?;
        let done = self.done(&Experience::default());
        Some(CaptureGap { waits: self.waits(&done, done[end], begin) })
    }

    /// What is waited for after `since` and before a step is done: that step, the last to be done of
    /// those that it needs, and so on.
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
