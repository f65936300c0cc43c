//! Where the packets of sessions over sources go: all to one target, or from each zone to a target of its own.
//!
//! Traffic from one Availability Zone to another costs money, and is lost when either zone fails. A load balancer has
//! a node in each zone; a target that is an interface is in only one of them.

use std::collections::BTreeMap;

use crate::attribute::{AttributeType, ProblemSort, Problems, Ref, Type};
use crate::resource::MirrorTarget;
use crate::scalar::AvailabilityZone;
use crate::value::{Path, Value};

/// The target of the sessions over some sources.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionTarget {
    /// One target for all.
    Same(Ref<MirrorTarget>),
    /// A target for each zone in which sources are; a source in any other zone is an error of the plan.
    ByZone(BTreeMap<AvailabilityZone, Ref<MirrorTarget>>),
}

impl SessionTarget {
    /// Returns the target for a source in this zone, which is `None` if nobody has seen it.
    #[must_use]
    pub fn in_zone(&self, zone: Option<&AvailabilityZone>) -> Option<&Ref<MirrorTarget>> {
        match self {
            Self::Same(target) => Some(target),
            Self::ByZone(targets) => targets.get(zone?),
        }
    }

    /// Returns every target, with its zone unless it is for all zones; several zones may have the same target.
    pub fn all(&self) -> impl Iterator<Item = (Option<&AvailabilityZone>, &Ref<MirrorTarget>)> {
        let (same, by_zone) = match self {
            Self::Same(target) => (Some((None, target)), None),
            Self::ByZone(targets) => (None, Some(targets)),
        };
        let by_zone = by_zone.into_iter().flatten().map(|(zone, target)| (Some(zone), target));
        same.into_iter().chain(by_zone)
    }
}

impl From<Ref<MirrorTarget>> for SessionTarget {
    fn from(target: Ref<MirrorTarget>) -> Self {
        Self::Same(target)
    }
}

impl AttributeType for SessionTarget {
    const TYPE: Type = <Ref<MirrorTarget> as AttributeType>::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let Value::Object(members) = value else {
            return Ref::read(value, at, problems).map(Self::Same);
        };
        if members.is_empty() {
            problems.add_with_help(
                ProblemSort::Value,
                at,
                "it names no Availability Zone",
                "give a target, or one for each zone: `{ eu-west-1a = mirror_target.a }`",
            );
            return None;
        }
        let read: Vec<Option<_>> = members
            .iter()
            .map(|(zone, target)| {
                let at = at.member(zone);
                let zone = AvailabilityZone::read(&Value::String(zone.clone()), &at, problems);
                let target = Ref::read(target, &at, problems);
                Some((zone?, target?))
            })
            .collect();
        read.into_iter().collect::<Option<_>>().map(Self::ByZone)
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Same(target) => target.to_value(),
            Self::ByZone(targets) => {
                let members = targets.iter();
                Value::Object(members.map(|(zone, to)| (zone.to_string(), to.to_value())).collect())
            }
        }
    }
}
