//! The endpoint service: Gateway Load Balancers that endpoints in other VPCs may send to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, GatewayLoadBalancer, Need, Readiness, ReplaceOrder, ResourceType, Tags,
    need, refuse_duplicates, this, without,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{Principal, Region};
use crate::value::Path;

object! {
    /// An endpoint service of Gateway Load Balancers. Endpoints refer to it, in VPCs of this account
    /// and of the accounts that it allows.
    pub struct EndpointService("endpoint service") {
        /// Its load balancers. An endpoint must be in a zone of one of them.
        gateway_load_balancers: Vec<Ref<GatewayLoadBalancer>> => required, Update;
        /// Whether each endpoint must be accepted before it takes packets. This tool accepts none, not
        /// even those of its own stack.
        acceptance_required: bool => default(false), Update;
        /// Who may create endpoints of it besides its own account: ARNs of accounts
        /// (`arn:aws:iam::123456789012:root`), users or roles, or `*`.
        allowed_principals: Vec<Principal> => default(Vec::new()), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of an endpoint service.
pub type EndpointServiceId = Id<EndpointService>;

impl Identified for EndpointService {
    const TITLE: &'static str = "endpoint service";
    const FORM: IdForm = IdForm::Prefixed("vpce-svc-");
}

/// Returns the name by which endpoints request the service with this id.
///
/// Source: EC2 API reference, `ServiceConfiguration`; Regions in China have `cn.` before it.
#[must_use]
pub fn service_name(region: &Region, id: impl std::fmt::Display) -> String {
    let of_china = if region.as_str().starts_with("cn-") { "cn." } else { "" };
    format!("{of_china}com.amazonaws.vpce.{region}.{id}")
}

/// A call about an endpoint service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateVpcEndpointServiceConfiguration`, then waiting until it is available.
    Create {
        /// Its load balancers.
        gateway_load_balancers: Vec<Ref<GatewayLoadBalancer>>,
        /// Whether each endpoint has to be accepted.
        acceptance_required: bool,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyVpcEndpointServiceConfiguration`.
    Modify {
        /// Which.
        endpoint_service: Ref<EndpointService>,
        /// The load balancers that it gets.
        added: Vec<Ref<GatewayLoadBalancer>>,
        /// The load balancers that it loses.
        removed: Vec<Ref<GatewayLoadBalancer>>,
        /// Whether each endpoint has to be accepted from now on.
        acceptance_required: bool,
    },
    /// `ModifyVpcEndpointServicePermissions`.
    Allow {
        /// Which.
        endpoint_service: Ref<EndpointService>,
        /// Who may create endpoints for it from now on.
        added: Vec<Principal>,
        /// Who no longer may. Existing endpoints stay.
        removed: Vec<Principal>,
    },
    /// `DeleteVpcEndpointServiceConfigurations`, then waiting until it is deleted. AWS refuses while it has
    /// endpoints.
    Delete {
        /// Which.
        endpoint_service: Ref<EndpointService>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { gateway_load_balancers, acceptance_required: _, tags: _ } => {
                let all = gateway_load_balancers.iter();
                all.filter_map(|balancer| need(balancer, Readiness::Made)).collect()
            }
            Self::Modify { endpoint_service, added, removed, acceptance_required: _ } => {
                let balancers = added.iter().chain(removed);
                let balancers = balancers.map(|balancer| need(balancer, Readiness::Made));
                [need(endpoint_service, Readiness::Made)]
                    .into_iter()
                    .chain(balancers)
                    .flatten()
                    .collect()
            }
            Self::Allow { endpoint_service, added: _, removed: _ }
            | Self::Delete { endpoint_service } => {
                need(endpoint_service, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateVpcEndpointServiceConfiguration")
                .on(&[On::New(A::VpcEndpointService)])
        };
        Self::Modify { .. } => {
            Access::ec2("ModifyVpcEndpointServiceConfiguration")
                .on(&[On::Owned(A::VpcEndpointService)])
        };
        Self::Allow { .. } => {
            Access::ec2("ModifyVpcEndpointServicePermissions")
                .on(&[On::Owned(A::VpcEndpointService)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteVpcEndpointServiceConfigurations")
                .on(&[On::Owned(A::VpcEndpointService)])
                .at_removal()
        };
    }
}

impl ResourceType for EndpointService {
    const COMPUTED: &'static [Computed] = &[
        Computed { name: "id", doc: "The id, `vpce-svc-...`." },
        Computed {
            name: "service_name",
            doc: "The name by which other tools create endpoints of it, \
                  `com.amazonaws.vpce.REGION.vpce-svc-...`.",
        },
    ];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::DeleteThenCreate;

    fn check(&self, problems: &mut Problems) {
        if self.gateway_load_balancers.is_empty() {
            let at = Path::default().member("gateway_load_balancers");
            problems.add(ProblemSort::Value, &at, "an endpoint service needs a load balancer");
        }
        refuse_duplicates(problems, "allowed_principals", &self.allowed_principals);
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { gateway_load_balancers, acceptance_required, allowed_principals, tags } = self;
        let create = Operation::Create {
            gateway_load_balancers: gateway_load_balancers.clone(),
            acceptance_required: *acceptance_required,
            tags: creation.owned(tags),
        };
        let allow = (!allowed_principals.is_empty()).then(|| Operation::Allow {
            endpoint_service: creation.this(),
            added: allowed_principals.clone(),
            removed: Vec::new(),
        });
        [Some(create), allow].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { gateway_load_balancers, acceptance_required, allowed_principals, tags: _ } =
            self;
        let added = without(gateway_load_balancers, &observed.gateway_load_balancers);
        let removed = without(&observed.gateway_load_balancers, gateway_load_balancers);
        let same = added.is_empty() && removed.is_empty();
        let modify = (!same || *acceptance_required != observed.acceptance_required).then(|| {
            let acceptance_required = *acceptance_required;
            Operation::Modify { endpoint_service: this(found), added, removed, acceptance_required }
        });
        let added = without(allowed_principals, &observed.allowed_principals);
        let removed = without(&observed.allowed_principals, allowed_principals);
        let allow = (!added.is_empty() || !removed.is_empty()).then(|| Operation::Allow {
            endpoint_service: this(found),
            added,
            removed,
        });
        [modify, allow].into_iter().flatten().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { endpoint_service: this(found) }.into()]
    }
}
