//! The traffic mirror session: one interface, mirrored through a filter to a target.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, MirrorFilter, MirrorTarget, Need, Readiness, ReplaceOrder, ResourceType,
    Tags, need, needs_of, this,
};
use crate::attribute::{Input, Ref, object};
use crate::id::{Id, IdForm, Identified, NetworkInterface};
use crate::observed::Found;
use crate::scalar::{PacketLength, SessionNumber, Vni};

object! {
    /// A traffic mirror session. It costs money for as long as it exists, whatever its source does.
    pub struct MirrorSession("traffic mirror session") {
        /// The interface to mirror; an instance stands for its primary interface.
        source: Ref<NetworkInterface> => required, Replace;
        /// Where the packets go. Over `sources`, this can be an object with a target for each
        /// Availability Zone.
        target: Ref<MirrorTarget> => required, Update;
        /// Which packets are mirrored.
        filter: Ref<MirrorFilter> => required, Update;
        /// The order among the sessions of the interface, lowest first; each packet is mirrored once,
        /// by the first session whose filter accepts it.
        number: SessionNumber => required, Update;
        /// How many bytes of each packet are mirrored; if left out, the whole packet, behind a load
        /// balancer at most 8500.
        packet_length: Option<PacketLength> => optional, Update;
        /// The VXLAN network identifier; if left out, AWS picks a random one.
        vni: Option<Vni> => chosen, Update;
        /// A note.
        description: Option<Input<String>> => optional, Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a traffic mirror session.
pub type MirrorSessionId = Id<MirrorSession>;

impl Identified for MirrorSession {
    const TITLE: &'static str = "traffic mirror session";
    const FORM: IdForm = IdForm::Prefixed("tms-");
}

/// A call about a traffic mirror session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateTrafficMirrorSession`: capture and its cost begin.
    Create {
        /// The interface to mirror.
        source: Ref<NetworkInterface>,
        /// Where the packets go.
        target: Ref<MirrorTarget>,
        /// Which packets go.
        filter: Ref<MirrorFilter>,
        /// The order among the sessions of the interface.
        number: SessionNumber,
        /// How many bytes of each packet go.
        packet_length: Option<PacketLength>,
        /// The VXLAN network identifier.
        vni: Option<Vni>,
        /// A note.
        description: Option<Input<String>>,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyTrafficMirrorSession`, all changes in one call: capture continues.
    Modify {
        /// Which.
        mirror_session: Ref<MirrorSession>,
        /// The new values; `None` leaves one as it is.
        changes: Box<Changes>,
    },
    /// `DeleteTrafficMirrorSession`: capture and its cost end.
    Delete {
        /// Which.
        mirror_session: Ref<MirrorSession>,
    },
}

/// What an [`Operation::Modify`] changes; `None` leaves a field as it is, and the inner `None` of
/// the last two clears it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Where the packets go.
    pub target: Option<Ref<MirrorTarget>>,
    /// Which packets go.
    pub filter: Option<Ref<MirrorFilter>>,
    /// The order among the sessions of the interface.
    pub number: Option<SessionNumber>,
    /// The VXLAN network identifier.
    pub vni: Option<Vni>,
    /// How many bytes of each packet go.
    pub packet_length: Option<Setting<PacketLength>>,
    /// A note.
    pub description: Option<Setting<Input<String>>>,
}

/// A new value, or no value any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// This one.
    To(T),
    /// None: `RemoveFields`.
    Removed,
}

impl<T: Clone + PartialEq> Setting<T> {
    /// Returns the change from `before` to `after`, if they differ.
    fn between(after: &Option<T>, before: &Option<T>) -> Option<Self> {
        (after != before).then(|| after.clone().map_or(Self::Removed, Self::To))
    }
}

/// The calls that show whether anything behind a mirror target receives.
const LISTENERS: Access = Access::elb("DescribeListeners");
const HEALTH: Access = Access::elb("DescribeTargetHealth");

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create {
                source,
                target,
                filter,
                number: _,
                packet_length: _,
                vni: _,
                description,
                tags: _,
            } => {
                // A filter without its rules mirrors nothing, or too much.
                [
                    need(source, Readiness::Made),
                    need(target, Readiness::Finished),
                    need(filter, Readiness::Finished),
                ]
                .into_iter()
                .flatten()
                .chain(needs_of(description))
                .collect()
            }
            Self::Modify { mirror_session, changes } => {
                let Changes { target, filter, number: _, vni: _, packet_length: _, description } =
                    &**changes;
                let description = match description {
                    Some(Setting::To(text)) => needs_of(text).collect(),
                    Some(Setting::Removed) | None => Vec::new(),
                };
                [
                    need(mirror_session, Readiness::Made),
                    target.as_ref().and_then(|to| need(to, Readiness::Finished)),
                    filter.as_ref().and_then(|by| need(by, Readiness::Finished)),
                ]
                .into_iter()
                .flatten()
                .chain(description)
                .collect()
            }
            Self::Delete { mirror_session } => {
                need(mirror_session, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateTrafficMirrorSession").on(&[
                On::New(A::TrafficMirrorSession),
                On::Named(A::NetworkInterface),
                On::Named(A::TrafficMirrorTarget),
                On::Named(A::TrafficMirrorFilter),
            ])
        };
        Self::Modify { .. } => {
            Access::ec2("ModifyTrafficMirrorSession")
                .on(&[
                    On::Owned(A::TrafficMirrorSession),
                    On::Named(A::TrafficMirrorTarget),
                    On::Named(A::TrafficMirrorFilter),
                ])
                .with_reads(&["DescribeTrafficMirrorTargets"])
                .with_dependent(&[LISTENERS, HEALTH])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteTrafficMirrorSession")
                .on(&[On::Owned(A::TrafficMirrorSession)])
                .at_removal()
        };
    }
}

impl ResourceType for MirrorSession {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `tms-...`." }];
    // AWS allows three sessions per interface, and session numbers are unique on it.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::DeleteThenCreate;

    fn settled(self, observed: &Self) -> Self {
        // Behind a load balancer, AWS replaces an absent length with the greatest.
        let whole =
            self.packet_length.is_none() && observed.packet_length == Some(PacketLength::MAX);
        let packet_length = if whole { observed.packet_length } else { self.packet_length };
        Self { packet_length, ..self }
    }

    /// Receivers distinguish sessions by their VNI, so a replacement keeps it.
    fn inheriting(self, observed: &Self) -> Self {
        Self { vni: self.vni.or(observed.vni), ..self }
    }

    fn named(&self) -> Vec<Named> {
        [
            Named::by(&self.source, A::NetworkInterface),
            Named::by(&self.target, A::TrafficMirrorTarget),
            Named::by(&self.filter, A::TrafficMirrorFilter),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { source, target, filter, number, packet_length, vni, description, tags } =
            self.clone();
        let tags = creation.owned(&tags);
        vec![
            Operation::Create {
                source,
                target,
                filter,
                number,
                packet_length,
                vni,
                description,
                tags,
            }
            .into(),
        ]
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { source: _, target, filter, number, packet_length, vni, description, tags: _ } =
            self;
        let changes = Changes {
            target: (*target != observed.target).then(|| target.clone()),
            filter: (*filter != observed.filter).then(|| filter.clone()),
            number: (*number != observed.number).then_some(*number),
            vni: vni.filter(|_| *vni != observed.vni),
            packet_length: Setting::between(packet_length, &observed.packet_length),
            description: Setting::between(description, &observed.description),
        };
        (changes != Changes::default())
            .then(|| Operation::Modify { mirror_session: this(found), changes: Box::new(changes) })
            .into_iter()
            .map(Into::into)
            .collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { mirror_session: this(found) }.into()]
    }
}
