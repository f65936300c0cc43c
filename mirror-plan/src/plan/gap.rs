//! How long a capture stops where it must: an estimate from the calls that are made meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::{Action, Call, Capture, Change, Phase, Plan, Step};
use crate::resource::{Operation, instance, load_balancer};

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

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The network interfaces of a deleted load balancer, which hold its subnets and groups, to go.
    Released,
    /// A new load balancer to be active.
    LoadBalancer,
    /// An instance to run, to have stopped or to be gone.
    Instance,
    /// The answer to a call whose work is done with it.
    Answer,
}

impl Wait {
    /// What a step waits for.
    fn of(step: &Step) -> Self {
        let Call::Operation(operation) = &step.call else { return Self::Answer };
        match operation {
            Operation::Instance(
                instance::Operation::Run { .. }
                | instance::Operation::Stop { .. }
                | instance::Operation::Start { .. }
                | instance::Operation::Terminate { .. },
            ) => Self::Instance,
            Operation::LoadBalancer(load_balancer::Operation::Create { .. }) => Self::LoadBalancer,
            Operation::LoadBalancer(load_balancer::Operation::Delete { .. }) => Self::Released,
            Operation::Instance(_)
            | Operation::LoadBalancer(_)
            | Operation::Vpc(_)
            | Operation::Subnet(_)
            | Operation::InternetGateway(_)
            | Operation::RouteTable(_)
            | Operation::SecurityGroup(_)
            | Operation::TargetGroup(_)
            | Operation::MirrorTarget(_)
            | Operation::MirrorFilter(_)
            | Operation::MirrorSession(_) => Self::Answer,
        }
    }

    /// How long one of it usually takes.
    const fn usual(self) -> Duration {
        Duration::from_secs(match self {
            // Minutes, by those who ran into it (`hashicorp/terraform#3758`). Terraform's provider
            // waits this long and no longer (`waitForNLBNetworkInterfacesToDetach`).
            Self::Released => 300,
            // Two or three minutes.
            Self::LoadBalancer => 150,
            // Less than a minute.
            Self::Instance => 40,
            Self::Answer => 1,
        })
    }
}

/// Of any number of them: `new load balancers`.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Released => "interfaces of old load balancers",
            Self::LoadBalancer => "new load balancers",
            Self::Instance => "instances",
            Self::Answer => "calls",
        })
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
        let done = self.done();
        Some(CaptureGap { waits: self.waits(&done, done[end], begin) })
    }

    /// By step: how long after the start of the run it is done at the earliest.
    fn done(&self) -> Vec<Duration> {
        let mut done: Vec<Duration> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let needed = step.needs.iter().map(|need| done[*need]).max().unwrap_or_default();
            done.push(needed + Wait::of(step).usual());
        }
        done
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
