//! Verifying: whether a stack is as its file declares it, and whether its receivers are healthy.
//!
//! It covers what AWS reports: whether sessions are in place, objects are as they should be, and load balancers
//! find their targets healthy; and what follows from both: whether the network lets the packets of each session
//! through to a receiver. AWS does not report whether packets arrive; what it has counted is included if that
//! was asked for.

use std::fmt;

use crate::address::{Address, Kind};
use crate::metrics::{Metrics, Source};
use crate::observed::Observed;
use crate::plan::{Action, Change, Plan};
use crate::reach::{Condition, Health, Network, Reach, Verdict};
use crate::resource::instance::InstanceId;
use crate::resource::target_group::TargetGroupArn;

/// What was found about a stack.
#[derive(Debug)]
pub struct Verification<'p> {
    /// What would have to be done for the stack to be as its file says: nothing, if all is well.
    pub plan: &'p Plan,
    /// The targets of its target groups, as AWS reports them.
    pub targets: Vec<TargetHealth>,
    /// Where the packets of each existing session get to, in the account as it was seen.
    pub reach: Reach<'p>,
    /// What CloudWatch has counted, if it was asked.
    pub metrics: Option<Metrics>,
    /// What is not as it should be: sessions first, then what else differs, targets, and where packets are stopped,
    /// since that follows from the rest. Last what CloudWatch counted, if it was asked.
    pub faults: Vec<Fault>,
}

/// The target groups of a stack and their targets, as AWS was asked about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroups {
    /// The existing groups.
    pub there: Vec<Address>,
    /// Their targets.
    pub targets: Vec<TargetHealth>,
}

/// One target of a target group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetHealth {
    /// The group.
    pub group: Address,
    /// The instance.
    pub id: InstanceId,
    /// The address of the instance, if the stack creates or uses it, or of the Auto Scaling group that started
    /// it.
    pub instance: Option<Address>,
    /// The port on which it receives packets.
    pub port: Option<u16>,
    /// Its state.
    pub state: State,
    /// The reason, in AWS's code and words; absent for a healthy target.
    pub reason: Option<String>,
}

/// The state of a target, by AWS's word for it.
///
/// Source: ELBv2 API reference, `TargetHealth`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// `healthy`: it gets packets.
    Healthy,
    /// `draining`: it was deregistered, and only its existing flows continue.
    Draining,
    /// Any other: it gets no packets, or only because no other target is healthy.
    Other(String),
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A resource is absent, is not as the stack file says, or should not be there.
    Differs(Box<Change>),
    /// A target is not healthy.
    Target(TargetHealth),
    /// A target group has no target.
    NoTarget(Address),
    /// The network stops some or all packets of this session: [`Verification::reach`] has their path.
    Stopped(Address),
    /// A source did not mirror all that its filters accept: other traffic needed its bandwidth.
    Skipped(Box<Source>),
}

impl State {
    /// The state that AWS's word stands for.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "healthy" => Self::Healthy,
            "draining" => Self::Draining,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// AWS's word.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Draining => "draining",
            Self::Other(word) => word,
        })
    }
}

impl<'p> Verification<'p> {
    /// Judges a plan for the whole stack, the account that it was made for, and the health of the targets.
    #[must_use]
    pub fn of(plan: &'p Plan, observed: &'p Observed, groups: TargetGroups) -> Self {
        let TargetGroups { there, targets } = groups;
        let health = health(observed, &targets);
        let reach = Reach::over(Network::of_observed(observed).with_health(health));
        let not_done = plan.changes.iter().filter(|change| change.action != Action::NoOp);
        let (mut sessions, others): (Vec<&Change>, Vec<&Change>) =
            not_done.partition(|change| change.kind() == Kind::MirrorSession);
        sessions.extend(others);
        let differs = sessions.into_iter().map(|change| Fault::Differs(Box::new(change.clone())));
        let ill = targets.iter().filter(|target| matches!(target.state, State::Other(_)));
        let takes = |group: &Address| {
            let mut of_group = targets.iter().filter(|target| target.group == *group);
            of_group.any(|target| target.state != State::Draining)
        };
        let empty = there.iter().filter(|group| !takes(group));
        let ways = reach.ways();
        let stopped = ways.iter().filter(|way| matches!(way.verdict(), Verdict::Stopped(_)));
        let faults = differs
            .chain(ill.cloned().map(Fault::Target))
            .chain(empty.cloned().map(Fault::NoTarget))
            .chain(stopped.map(|way| Fault::Stopped(way.session().clone())))
            .collect();
        Self { plan, targets, reach, metrics: None, faults }
    }

    /// Adds what CloudWatch has counted. What a source had to leave out is a fault.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        let skipping = metrics.sources.iter().filter(|source| source.skipped.is_something());
        self.faults.extend(skipping.map(|source| Fault::Skipped(Box::new(source.clone()))));
        Self { metrics: Some(metrics), ..self }
    }

    /// Whether all is as it should be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.faults.is_empty()
    }

    /// The sessions that are in place as the stack file declares them.
    pub fn sessions(&self) -> impl Iterator<Item = &Change> {
        let sessions = self.plan.changes.iter().filter(|it| it.kind() == Kind::MirrorSession);
        sessions.filter(|change| change.action == Action::NoOp)
    }

    /// The number of targets that receive packets, and the number of those that are healthy.
    #[must_use]
    pub fn healthy(&self) -> (usize, usize) {
        let takes = self.targets.iter().filter(|target| target.state != State::Draining);
        let healthy = takes.clone().filter(|target| target.state == State::Healthy);
        (takes.count(), healthy.count())
    }
}

/// The health of targets, as the reachability check needs it. A target that is being deregistered gets no new
/// flows, and is not a receiver.
fn health(observed: &Observed, targets: &[TargetHealth]) -> Health {
    let of = |target: &TargetHealth| {
        let TargetHealth { group, id, instance: _, port: _, state, reason } = target;
        let condition = match state {
            State::Healthy => Condition::Healthy,
            State::Draining => return None,
            State::Other(word) => Condition::Ill(reason.clone().unwrap_or_else(|| word.clone())),
        };
        let existing = || observed.existing.get(group);
        let found = observed.current(group).or_else(existing)?;
        let group: TargetGroupArn = found.id.as_str().parse().ok()?;
        Some(((group, id.clone()), condition))
    };
    Health(targets.iter().filter_map(of).collect())
}
