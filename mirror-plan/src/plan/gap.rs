//! How long a capture stops where it must: an estimate from the calls that are made meanwhile.

use std::time::Duration;

use super::{Action, Call, Capture, Change, Phase, Plan, Step};
use crate::resource::{Operation, instance, load_balancer};

/// What a call takes whose work is done when it is answered.
const CALL: Duration = Duration::from_secs(1);

/// From a call until an instance runs, has stopped or is gone.
const INSTANCE: Duration = Duration::from_secs(40);

/// From a call until a Network Load Balancer forwards.
const LOAD_BALANCER: Duration = Duration::from_secs(150);

impl Plan {
    /// Estimates for how long nothing is mirrored while a session is replaced: from its end until its
    /// replacement is there. `None` where there is no such gap.
    ///
    /// It is the longest chain of calls in between, each with the time that it usually takes: seconds for
    /// most, less than a minute for an instance, two or three minutes for a load balancer. AWS promises
    /// no such times, and a run that waits for others or is throttled takes longer.
    #[must_use]
    pub fn capture_gap(&self, change: &Change) -> Option<Duration> {
        let (Some(Capture::Gap), Action::Replace(_)) = (change.capture, change.action) else {
            return None;
        };
        let is_at = |step: &Step, phase| step.address == change.address && step.phase == phase;
        let end = self.steps.iter().position(|step| is_at(step, Phase::Delete))?;
        // Since when it is over that each step is done, for the steps that come after it.
        let mut since: Vec<Option<Duration>> = vec![None; self.steps.len()];
        since[end] = Some(Duration::ZERO);
        for (place, step) in self.steps.iter().enumerate().skip(end + 1) {
            let needs = step.needs.iter().filter_map(|need| since[*need]);
            since[place] = needs.max().map(|needed| needed + usual(&step.call));
        }
        let begin = self.steps.iter().rposition(|step| is_at(step, Phase::Create))?;
        since[begin]
    }
}

/// What a call usually takes, with the wait for what it begins.
fn usual(call: &Call) -> Duration {
    let Call::Operation(operation) = call else { return CALL };
    match operation {
        Operation::Instance(
            instance::Operation::Run { .. }
            | instance::Operation::Stop { .. }
            | instance::Operation::Start { .. }
            | instance::Operation::Terminate { .. },
        ) => INSTANCE,
        Operation::LoadBalancer(load_balancer::Operation::Create { .. }) => LOAD_BALANCER,
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
        | Operation::MirrorSession(_) => CALL,
    }
}
