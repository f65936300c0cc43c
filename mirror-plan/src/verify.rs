//! Verifying: whether a stack stands as its file says, and its receivers are well.
//!
//! It is about what AWS tells: sessions that are in place, objects that are as they should be, and targets
//! that the load balancers find healthy. Whether packets arrive AWS does not tell.

use std::fmt;

use crate::address::{Address, Kind};
use crate::plan::{Action, Change, Plan};
use crate::resource::instance::InstanceId;

/// What was found of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification<'p> {
    /// What would have to be done for the stack to be as its file says: nothing, if all is well.
    pub plan: &'p Plan,
    /// The targets of its target groups, as AWS finds them.
    pub targets: Vec<TargetHealth>,
    /// What is not as it should be, sessions first.
    pub faults: Vec<Fault>,
}

/// One target of a target group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetHealth {
    /// The group.
    pub group: Address,
    /// The instance.
    pub id: InstanceId,
    /// The same by its address, if the stack makes or uses it.
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
    /// Judges a plan for the whole stack, and the health of the targets of `groups`.
    #[must_use]
    pub fn of(plan: &'p Plan, groups: &[Address], targets: Vec<TargetHealth>) -> Self {
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
        let empty = groups.iter().filter(|group| !takes(group));
        let faults = differs
            .chain(ill.cloned().map(Fault::Target))
            .chain(empty.cloned().map(Fault::NoTarget))
            .collect();
        Self { plan, targets, faults }
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
