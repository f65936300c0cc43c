//! The traffic mirror target: where mirrored packets go.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, GatewayLoadBalancerEndpoint, LoadBalancer, Need, Readiness, ReplaceOrder,
    ResourceType, Tags, need, needs_of, this,
};
use crate::attribute::{Input, ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified, NetworkInterface};
use crate::observed::Found;
use crate::value::Path;

object! {
    /// A traffic mirror target: a Network Load Balancer, an interface or a Gateway Load Balancer
    /// endpoint. AWS can change only its tags: another destination means a new target, and the sessions
    /// are re-pointed to it before the old target is deleted.
    pub struct MirrorTarget("traffic mirror target") {
        /// The load balancer, which needs a UDP listener on port 4789.
        load_balancer: Option<Ref<LoadBalancer>> => optional, Replace;
        /// The interface; an instance stands for its primary interface.
        network_interface: Option<Ref<NetworkInterface>> => optional, Replace;
        /// The endpoint, or the id `vpce-...` of one outside the stack.
        gateway_load_balancer_endpoint: Option<Ref<GatewayLoadBalancerEndpoint>> => optional, Replace;
        /// A note.
        description: Option<Input<String>> => optional, Replace;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a traffic mirror target.
pub type MirrorTargetId = Id<MirrorTarget>;

impl Identified for MirrorTarget {
    const TITLE: &'static str = "traffic mirror target";
    const FORM: IdForm = IdForm::Prefixed("tmt-");
}

/// What a target sends to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A Network Load Balancer.
    LoadBalancer(Ref<LoadBalancer>),
    /// A network interface.
    NetworkInterface(Ref<NetworkInterface>),
    /// A Gateway Load Balancer endpoint.
    GatewayLoadBalancerEndpoint(Ref<GatewayLoadBalancerEndpoint>),
}

impl MirrorTarget {
    /// Returns where it sends to; `None` if the attributes name none or several, which
    /// [`check`](ResourceType::check) refuses.
    #[must_use]
    pub fn destination(&self) -> Option<Destination> {
        let Self {
            load_balancer,
            network_interface,
            gateway_load_balancer_endpoint,
            description: _,
            tags: _,
        } = self;
        let named = [
            load_balancer.clone().map(Destination::LoadBalancer),
            network_interface.clone().map(Destination::NetworkInterface),
            gateway_load_balancer_endpoint.clone().map(Destination::GatewayLoadBalancerEndpoint),
        ];
        let mut named = named.into_iter().flatten();
        named.next().filter(|_| named.next().is_none())
    }
}

/// A call about a traffic mirror target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateTrafficMirrorTarget`; AWS allows one target for each load balancer or interface.
    Create {
        /// Where it sends to.
        destination: Destination,
        /// A note.
        description: Option<Input<String>>,
        /// All tags.
        tags: Tags,
    },
    /// `DeleteTrafficMirrorTarget`; AWS refuses while a session uses it.
    Delete {
        /// Which.
        mirror_target: Ref<MirrorTarget>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { destination, description, tags: _ } => {
                let destination = match destination {
                    // Its listener must exist before the first packet arrives.
                    Destination::LoadBalancer(to) => need(to, Readiness::Finished),
                    Destination::NetworkInterface(to) => need(to, Readiness::Made),
                    Destination::GatewayLoadBalancerEndpoint(to) => need(to, Readiness::Made),
                };
                destination.into_iter().chain(needs_of(description)).collect()
            }
            Self::Delete { mirror_target } => {
                need(mirror_target, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateTrafficMirrorTarget").on(&[
                On::New(A::TrafficMirrorTarget),
                On::Named(A::NetworkInterface),
                On::Named(A::VpcEndpoint),
            ])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteTrafficMirrorTarget")
                .on(&[On::Owned(A::TrafficMirrorTarget)])
                .at_removal()
        };
    }
}

impl ResourceType for MirrorTarget {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `tmt-...`." }];
    // Unless both send to the same place: the planner then uses the other order.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        if self.destination().is_none() {
            problems.add_with_help(
                ProblemSort::Value,
                &Path::default(),
                "a mirror target needs exactly one destination",
                "give one of `load_balancer`, `network_interface` and \
                 `gateway_load_balancer_endpoint`",
            );
        }
    }

    fn named(&self) -> Vec<Named> {
        match self.destination() {
            Some(Destination::NetworkInterface(to)) => {
                Named::by(&to, A::NetworkInterface).into_iter().collect()
            }
            Some(Destination::GatewayLoadBalancerEndpoint(to)) => {
                Named::by(&to, A::VpcEndpoint).into_iter().collect()
            }
            // IAM does not check the load balancer.
            Some(Destination::LoadBalancer(_)) | None => Vec::new(),
        }
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let destination = self.destination().expect("checked when the resource was declared");
        let (description, tags) = (self.description.clone(), creation.owned(&self.tags));
        vec![Operation::Create { destination, description, tags }.into()]
    }

    fn update(
        &self,
        _observed: &Self,
        _found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        Vec::new() // Only tags can change, and the planner handles them.
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { mirror_target: this(found) }.into()]
    }
}
