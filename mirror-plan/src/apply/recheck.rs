//! The second look: an object is read once more just before its removal begins, just before it ends, and just before each
//! part of it is removed.
//!
//! An hour may pass between a plan and its last step. In that time somebody may have put the object to another
//! use, or removed the stack's tag from it. An object that is not as the plan saw it is not removed. Once its parts are
//! being removed, nothing about it may be new. A part of an object that stays is not removed if the object is no longer
//! the stack's, or the part no longer what the plan saw.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::schedule::Taken;
use crate::address::{Address, Name};
use crate::aws::observe::{Look, look_at};
use crate::aws::{Aws, ObserveError, Waiting};
use crate::id::ObjectId;
use crate::observed::Found;
use crate::plan::{self, Call, Fingerprint, Phase, Plan, Step};
use crate::resource::Resource;
use crate::resource::part::RemovedPart;

/// Returns the instances that a plan removes.
pub(super) fn going(plan: &Plan) -> BTreeSet<ObjectId> {
    let changes = plan.changes.iter();
    plan::going(changes.map(|change| (&change.address, change.action, change.id.as_ref())))
}

/// Why an object is not removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Changed {
    /// The object cannot be read.
    #[error(transparent)]
    Unseen(#[from] ObserveError),
    /// The object differs from what the plan saw.
    #[error("{address} ({id}) has changed since the plan was made, and was not removed")]
    Otherwise { address: Address, id: ObjectId },
    /// The part that was to be removed, or the list that it was to be removed from, differs from what the plan saw.
    #[error(
        "{part} of {address} ({id}) has changed since the plan was made, and was left as it is"
    )]
    Part { part: String, address: Address, id: ObjectId },
    /// Its tags no longer mark it as the stack's.
    #[error("{id}, which was {address}, no longer belongs to this stack, and was left as it is")]
    NotOurs { address: Address, id: ObjectId },
}

/// An object that is about to be removed, in whole or in part.
pub(super) struct Removal {
    stack: Name,
    address: Address,
    id: ObjectId,
    removed: Removed,
}

/// What is removed, and how it must look.
enum Removed {
    /// The object.
    Object { generation: u32, looks: Looks, going: Arc<BTreeSet<ObjectId>> },
    /// The part of it that a call removes.
    Part { call: Box<Call>, expects: Option<Fingerprint> },
}

/// How an object must look that is removed.
enum Looks {
    /// As the plan saw it.
    As(Fingerprint),
    /// As what is left of the object that was there when its removal began.
    LeftOf(Box<Found>),
    /// It is the stack's, and may be as it likes.
    Anyhow,
}

impl Removal {
    /// Returns the object whose removal a step begins or ends, or a part of which it removes; `None` if it does neither.
    ///
    /// `began` is how the object looked when its removal began.
    pub(super) fn by(
        (step, taken): (&Step, Taken),
        id: Option<&ObjectId>,
        (stack, going): (&Name, &Arc<BTreeSet<ObjectId>>),
        began: Option<&Found>,
    ) -> Option<Self> {
        let Step { address, phase, generation, call, expects, needs: _ } = step;
        let Taken { step: _, begins, ends } = taken;
        let part = call.removed_part();
        let removed = match phase {
            Phase::Delete if begins || ends || part.is_some() => {
                let looks = match (expects, began) {
                    (Some(expects), _) => Looks::As(expects.clone()),
                    (None, Some(began)) => Looks::LeftOf(Box::new(began.clone())),
                    (None, None) => Looks::Anyhow,
                };
                Removed::Object { generation: *generation, looks, going: going.clone() }
            }
            Phase::Update if part.is_some() => {
                Removed::Part { call: Box::new(call.clone()), expects: expects.clone() }
            }
            Phase::Create | Phase::Update | Phase::Delete => return None,
        };
        Some(Self { stack: stack.clone(), address: address.clone(), id: id?.clone(), removed })
    }

    /// Checks that what is removed is still as the plan saw it; returns the object if it was compared as a whole.
    ///
    /// An existing object may be invisible for a moment, so an object that is not found is looked up again. If it stays
    /// invisible, AWS itself reports that it does not exist when its removal is requested.
    pub(super) async fn check(
        self,
        aws: &Aws,
        on_wait: &(dyn Fn(Waiting) + Send + Sync),
    ) -> Result<Option<Found>, Changed> {
        let mut pause = Duration::from_millis(250);
        // A small part of the time that AWS may take to show new objects, since this object is not new.
        let mut left = aws.settle_window() / 30;
        loop {
            let object = (self.address.kind, &self.id);
            match look_at(aws, self.stack.as_str(), object).await? {
                Look::Own(address, found) => return self.compare(&address, *found),
                Look::Foreign => {
                    return Err(Changed::NotOurs { address: self.address, id: self.id });
                }
                Look::Nothing if left.is_zero() => return Ok(None),
                Look::Nothing => {}
            }
            let now = format!("{} is not visible", self.id);
            on_wait(Waiting { until: "it is visible again", now });
            pause = pause.min(left);
            tokio::time::sleep(pause).await;
            left -= pause;
            pause *= 2;
        }
    }

    fn compare(self, address: &Address, found: Found) -> Result<Option<Found>, Changed> {
        let Self { stack: _, address: planned, id, removed } = self;
        match removed {
            Removed::Object { generation, looks, going } => {
                let is_same = (address, found.generation) == (&planned, generation);
                let (is_as_it_should_be, whole) = match looks {
                    Looks::As(expects) => {
                        (expects == plan::expectation(&found, &going), Some(found))
                    }
                    Looks::LeftOf(began) => {
                        let whole = found.with_what_went_from(&began);
                        let [now, then] = [&whole, &began].map(|it| plan::expectation(it, &going));
                        (now == then, None)
                    }
                    Looks::Anyhow => (true, None),
                };
                if is_same && is_as_it_should_be {
                    Ok(whole)
                } else {
                    Err(Changed::Otherwise { address: planned, id })
                }
            }
            Removed::Part { call, expects } => {
                let part = call.removed_part().and_then(|removed| removed.of(&found));
                match part {
                    Some(part) if expects != Some(Fingerprint::of_part(&part)) => {
                        Err(Changed::Part { part: part.to_string(), address: planned, id })
                    }
                    // If it is gone, there is nothing left to remove.
                    Some(_) | None => Ok(None),
                }
            }
        }
    }
}

impl Call {
    /// Returns which part of an object that stays it removes, if it does.
    fn removed_part(&self) -> Option<RemovedPart<'_>> {
        match self {
            Self::Operation(operation) => operation.removed_part(),
            Self::Retag { id: _, retag } => {
                (!retag.remove.is_empty()).then_some(RemovedPart::Described)
            }
        }
    }
}

impl Found {
    /// Returns the object with all back that its removal takes from it first, as far as it had that `before`.
    ///
    /// It then equals `before` unless something about it is new.
    fn with_what_went_from(mut self, before: &Self) -> Self {
        if self.parts.iter().all(|(key, id)| before.parts.get(key) == Some(id)) {
            self.parts.clone_from(&before.parts);
        }
        match (&mut self.resource, &before.resource) {
            (Resource::InternetGateway(now), Resource::InternetGateway(before)) => {
                now.vpc = now.vpc.take().or_else(|| before.vpc.clone());
            }
            (Resource::RouteTable(now), Resource::RouteTable(before)) => {
                put_back(&mut now.subnets, &before.subnets);
            }
            (Resource::SecurityGroup(now), Resource::SecurityGroup(before)) => {
                put_back(&mut now.ingress.0, &before.ingress.0);
                put_back(&mut now.egress.0, &before.egress.0);
            }
            (Resource::LoadBalancer(now), Resource::LoadBalancer(before)) => {
                now.deletion_protection = before.deletion_protection;
                put_back(&mut now.listeners, &before.listeners);
            }
            (Resource::GatewayLoadBalancer(now), Resource::GatewayLoadBalancer(before)) => {
                now.deletion_protection = before.deletion_protection;
                now.target_group = now.target_group.take().or_else(|| before.target_group.clone());
            }
            (Resource::MirrorFilter(now), Resource::MirrorFilter(before)) => {
                put_back(&mut now.rules.0, &before.rules.0);
            }
            // The others are removed with one call.
            _ => {}
        }
        self
    }
}

/// Puts back what a list has lost; leaves it as it is if there is anything new in it.
fn put_back<T: Clone + PartialEq>(now: &mut Vec<T>, before: &[T]) {
    if now.iter().all(|part| before.contains(part)) {
        *now = before.to_vec();
    }
}
