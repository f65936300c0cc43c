//! Verifying: whether a stack stands as its file says, and its receivers are well.
//!
//! It is about what AWS tells: sessions that are in place, objects that are as they should be, targets
//! that the load balancers find healthy, and what comes of both: whether the network lets the packets of each
//! session through to a receiver. Whether packets arrive AWS does not tell; what it has counted is told too, where
//! that was asked.

use std::fmt;

use crate::address::{Address, Kind};
use crate::metrics::{Metrics, Source};
use crate::observed::Observed;
use crate::plan::{Action, Change, Plan};
use crate::reach::{Condition, Health, Network, Reach, Verdict};
use crate::resource::instance::InstanceId;
use crate::resource::target_group::TargetGroupArn;

/// What was found of a stack.
#[derive(Debug)]
pub struct Verification<'p> {
    /// What would have to be done for the stack to be as its file says: nothing, if all is well.
    pub plan: &'p Plan,
    /// The targets of its target groups, as AWS finds them.
    pub targets: Vec<TargetHealth>,
    /// Where the packets of each session that is there get to, in the account as it was seen.
    pub reach: Reach<'p>,
    /// What CloudWatch has counted, if it was asked.
    pub metrics: Option<Metrics>,
    /// What is not as it should be, sessions first, and last where packets are stopped: that comes of the rest.
    pub faults: Vec<Fault>,
}

/// The target groups of a stack and their targets, as AWS was asked about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroups {
    /// The groups that are there.
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
    /// The same by its address, if the stack makes or uses it; that of the Auto Scaling group that has started it.
    pub instance: Option<Address>,
    /// The port on which it takes packets.
    pub port: Option<u16>,
    /// How it is.
    pub state: State,
    /// Why, in AWS's code and words; absent for one that is healthy.
    pub reason: Option<String>,
}

/// How a target is, by AWS's word for it.
///
/// Source: ELBv2 API reference, `TargetHealth`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// `healthy`: it gets packets.
    Healthy,
    /// `draining`: it was deregistered, and only the flows that it has go on.
    Draining,
    /// Any other: it gets none, or only because no other is healthy.
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
    /// The network stops packets of this session, all or some of them: [`Verification::reach`] has its way.
    Stopped(Address),
    /// A source did not mirror all that its filters accept: other traffic needed its bandwidth.
    Skipped(Box<Source>),
}

impl State {
    /// The state of a word of AWS.
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

    /// The same with what CloudWatch has counted. What a source had to leave out is a fault.
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

    /// The sessions that are in place, as the stack file says.
    pub fn sessions(&self) -> impl Iterator<Item = &Change> {
        let sessions = self.plan.changes.iter().filter(|it| it.kind() == Kind::MirrorSession);
        sessions.filter(|change| change.action == Action::NoOp)
    }

    /// The targets that take packets, and those of them that are healthy.
    #[must_use]
    pub fn healthy(&self) -> (usize, usize) {
        let takes = self.targets.iter().filter(|target| target.state != State::Draining);
        let healthy = takes.clone().filter(|target| target.state == State::Healthy);
        (takes.count(), healthy.count())
    }
}

/// The health of targets, as reachability asks for it. One that is being deregistered gets no new flows, and is
/// nobody's receiver.
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
