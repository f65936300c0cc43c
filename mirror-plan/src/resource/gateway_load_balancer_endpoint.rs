//! The Gateway Load Balancer endpoint: where packets of a VPC enter the path to a load balancer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, EndpointService, Need, Readiness, ReplaceOrder, ResourceType, Subnet, Tags,
    Vpc, need, this,
};
use crate::attribute::{Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;

object! {
    /// A Gateway Load Balancer endpoint: an address in a subnet that leads to a load balancer in any
    /// VPC. A `mirror_target` sends to it; sources reach it by the routes of its own VPC.
    pub struct GatewayLoadBalancerEndpoint("Gateway Load Balancer endpoint") {
        /// The VPC.
        vpc: Ref<Vpc> => required, Replace;
        /// The one subnet that it is in, in a zone of the service.
        subnet: Ref<Subnet> => required, Replace;
        /// The service, or the id `vpce-svc-...` of a service of another account.
        service: Ref<EndpointService> => required, Replace;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a Gateway Load Balancer endpoint.
pub type GatewayLoadBalancerEndpointId = Id<GatewayLoadBalancerEndpoint>;

impl Identified for GatewayLoadBalancerEndpoint {
    const TITLE: &'static str = "Gateway Load Balancer endpoint";
    const FORM: IdForm = IdForm::Prefixed("vpce-");
}

/// A call about a Gateway Load Balancer endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateVpcEndpoint`, then waiting until it is available.
    Create {
        /// The VPC.
        vpc: Ref<Vpc>,
        /// The subnet.
        subnet: Ref<Subnet>,
        /// The service.
        service: Ref<EndpointService>,
        /// All tags.
        tags: Tags,
    },
    /// `DeleteVpcEndpoints`, then waiting until it is deleted: its network interface keeps the subnet and the VPC
    /// from being deleted.
    Delete {
        /// Which.
        gateway_load_balancer_endpoint: Ref<GatewayLoadBalancerEndpoint>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { vpc, subnet, service, tags: _ } => {
                // The load balancers of the service come with it, and so do its zones.
                let service = need(service, Readiness::Finished);
                [need(vpc, Readiness::Made), need(subnet, Readiness::Made), service]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Self::Delete { gateway_load_balancer_endpoint } => {
                need(gateway_load_balancer_endpoint, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateVpcEndpoint").on(&[
                On::New(A::VpcEndpoint),
                On::Named(A::Subnet),
                On::Named(A::Vpc),
            ])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteVpcEndpoints").on(&[On::Owned(A::VpcEndpoint)]).at_removal()
        };
    }
}

impl ResourceType for GatewayLoadBalancerEndpoint {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `vpce-...`." }];
    // Mirror targets depend on it.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn named(&self) -> Vec<Named> {
        let subnet = Named::by(&self.subnet, A::Subnet);
        Named::by(&self.vpc, A::Vpc).into_iter().chain(subnet).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, subnet, service, tags } = self.clone();
        vec![Operation::Create { vpc, subnet, service, tags: creation.owned(&tags) }.into()]
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
        vec![Operation::Delete { gateway_load_balancer_endpoint: this(found) }.into()]
    }
}
