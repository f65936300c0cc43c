//! The Gateway Load Balancer: receivers behind endpoints that stand in any VPC.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Subnet, Tags, TargetGroup,
    need, part, this,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified, ObjectId};
use crate::observed::Found;
use crate::scalar::ElbName;
use crate::value::Path;

/// The key of its listener among its parts: it has only one, for all traffic.
pub(crate) const LISTENER: &str = "listener";

object! {
    /// A Gateway Load Balancer with its listener. Endpoints of an `endpoint_service` send to it, from
    /// any VPC and without routes between the VPCs; it wraps each packet in GENEVE and sends it to a
    /// receiver.
    pub struct GatewayLoadBalancer("Gateway Load Balancer") {
        /// The name, unique in the account and Region. Best left out: the tool then picks one and can
        /// replace the load balancer without a gap.
        name: Option<ElbName> => chosen, Replace;
        /// Its subnets, one for each Availability Zone. Endpoints can be in these zones only.
        subnets: Vec<Ref<Subnet>> => required, Update;
        /// The target group that its listener forwards to, of protocol geneve. A target group serves
        /// one load balancer. Without a target group, the load balancer has no listener and drops what
        /// arrives.
        target_group: Option<Ref<TargetGroup>> => optional, Update;
        /// Whether each of its nodes sends to targets in every zone, not only in its own.
        cross_zone: bool => default(false), Update;
        /// Whether AWS refuses to delete it.
        deletion_protection: bool => default(false), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The ARN of a Gateway Load Balancer.
pub type GatewayLoadBalancerArn = Id<GatewayLoadBalancer>;

impl Identified for GatewayLoadBalancer {
    const TITLE: &'static str = "Gateway Load Balancer";
    const FORM: IdForm = IdForm::balancing("loadbalancer/gwy/");
}

/// A call about a Gateway Load Balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateLoadBalancer`, then waiting until it is active.
    Create {
        /// Its name.
        name: ElbName,
        /// Its subnets.
        subnets: Vec<Ref<Subnet>>,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyLoadBalancerAttributes`.
    SetAttributes {
        /// Which.
        gateway_load_balancer: Ref<GatewayLoadBalancer>,
        /// Whether it sends to targets in every zone.
        cross_zone: bool,
        /// Whether AWS refuses to delete it.
        deletion_protection: bool,
    },
    /// `SetSubnets`.
    SetSubnets {
        /// Which.
        gateway_load_balancer: Ref<GatewayLoadBalancer>,
        /// All subnets from now on.
        subnets: Vec<Ref<Subnet>>,
    },
    /// `CreateListener`.
    CreateListener {
        /// Where.
        gateway_load_balancer: Ref<GatewayLoadBalancer>,
        /// Where it forwards to.
        target_group: Ref<TargetGroup>,
        /// The ownership tags, by which IAM knows whose listener it is.
        tags: Tags,
    },
    /// `ModifyListener`.
    ModifyListener {
        /// Which, by its ARN.
        arn: ObjectId,
        /// Where it forwards to from now on.
        target_group: Ref<TargetGroup>,
    },
    /// `DeleteListener`.
    DeleteListener {
        /// Which, by its ARN.
        arn: ObjectId,
    },
    /// `DeleteLoadBalancer`, then waiting until its network interfaces are deleted too. AWS refuses while an endpoint
    /// service uses it.
    Delete {
        /// Which.
        gateway_load_balancer: Ref<GatewayLoadBalancer>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let made = |balancer| need(balancer, Readiness::Made);
        match self {
            Self::Create { name: _, subnets, tags: _ } => {
                subnets.iter().filter_map(|subnet| need(subnet, Readiness::Made)).collect()
            }
            Self::SetSubnets { gateway_load_balancer, subnets } => {
                let subnets = subnets.iter().map(|subnet| need(subnet, Readiness::Made));
                [made(gateway_load_balancer)].into_iter().chain(subnets).flatten().collect()
            }
            Self::CreateListener { gateway_load_balancer, target_group, tags: _ } => {
                let group = need(target_group, Readiness::Made);
                [made(gateway_load_balancer), group].into_iter().flatten().collect()
            }
            Self::ModifyListener { arn: _, target_group } => {
                need(target_group, Readiness::Made).into_iter().collect()
            }
            Self::DeleteListener { arn: _ } => BTreeSet::new(),
            Self::SetAttributes {
                gateway_load_balancer,
                cross_zone: _,
                deletion_protection: _,
            }
            | Self::Delete { gateway_load_balancer } => {
                made(gateway_load_balancer).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::elb("CreateLoadBalancer").on(&[On::New(A::GatewayLoadBalancer)]).with_reads(&[
                "DescribeAccountAttributes",
                "DescribeAddresses",
                "DescribeInternetGateways",
                "DescribeSecurityGroups",
                "DescribeSubnets",
                "DescribeVpcs",
            ])
        };
        Self::SetAttributes { .. } => {
            Access::elb("ModifyLoadBalancerAttributes")
                .on(&[On::Owned(A::GatewayLoadBalancer)])
                .at_removal()
        };
        Self::SetSubnets { .. } => {
            Access::elb("SetSubnets")
                .on(&[On::Owned(A::GatewayLoadBalancer)])
                .with_reads(&["DescribeSubnets"])
        };
        Self::CreateListener { .. } => {
            Access::elb("CreateListener")
                .on(&[On::Owned(A::GatewayLoadBalancer), On::Tagged(A::GatewayListener)])
        };
        Self::ModifyListener { .. } => {
            Access::elb("ModifyListener").on(&[On::Owned(A::GatewayListener)])
        };
        Self::DeleteListener { .. } => {
            Access::elb("DeleteListener").on(&[On::Owned(A::GatewayListener)]).at_removal()
        };
        Self::Delete { .. } => {
            Access::elb("DeleteLoadBalancer")
                .on(&[On::Owned(A::GatewayLoadBalancer)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
    }
}

impl ResourceType for GatewayLoadBalancer {
    const COMPUTED: &'static [Computed] =
        &[Computed { name: "id", doc: "The ARN." }, Computed { name: "arn", doc: "The ARN." }];
    // Endpoint services depend on it: the new one takes over before the old one is deleted.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        if self.subnets.is_empty() {
            let at = Path::default().member("subnets");
            problems.add(ProblemSort::Value, &at, "a load balancer needs a subnet");
        }
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            ElbName::fitted(&name, &suffix)
        });
        Self { name: Some(name), ..self }
    }

    /// Names are unique in an account and Region.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let taken = observed.name.as_ref().filter(|_| self.name == observed.name);
        taken.map(ElbName::as_str)
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { name, subnets, target_group, cross_zone, deletion_protection, tags } =
            self.clone().chosen(creation);
        let create = Operation::Create {
            name: name.expect("one was chosen"),
            subnets,
            tags: creation.owned(&tags),
        };
        let attributes = (cross_zone || deletion_protection).then(|| Operation::SetAttributes {
            gateway_load_balancer: creation.this(),
            cross_zone,
            deletion_protection,
        });
        let listener = target_group.map(|target_group| Operation::CreateListener {
            gateway_load_balancer: creation.this(),
            target_group,
            tags: creation.owned(&Tags::new()),
        });
        [Some(create), attributes, listener].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { name: _, subnets, target_group, cross_zone, deletion_protection, tags: _ } =
            self;
        let gateway_load_balancer = || this(found);
        let mut operations = Vec::new();
        if (*cross_zone, *deletion_protection)
            != (observed.cross_zone, observed.deletion_protection)
        {
            operations.push(Operation::SetAttributes {
                gateway_load_balancer: gateway_load_balancer(),
                cross_zone: *cross_zone,
                deletion_protection: *deletion_protection,
            });
        }
        if *subnets != observed.subnets {
            let (gateway_load_balancer, subnets) = (gateway_load_balancer(), subnets.clone());
            operations.push(Operation::SetSubnets { gateway_load_balancer, subnets });
        }
        let arn = || part(found, LISTENER).clone();
        operations.extend(match (&observed.target_group, target_group.clone()) {
            (None, Some(target_group)) => Some(Operation::CreateListener {
                gateway_load_balancer: gateway_load_balancer(),
                target_group,
                tags: creation.owned(&Tags::new()),
            }),
            (Some(before), Some(target_group)) if *before != target_group => {
                Some(Operation::ModifyListener { arn: arn(), target_group })
            }
            (Some(_), None) => Some(Operation::DeleteListener { arn: arn() }),
            (Some(_), Some(_)) | (None, None) => None,
        });
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        let gateway_load_balancer = || this(found);
        // AWS would delete the listener itself; this way its target group can be deleted without a
        // race.
        let listener = self
            .target_group
            .as_ref()
            .map(|_| Operation::DeleteListener { arn: part(found, LISTENER).clone() });
        let unprotect = self.deletion_protection.then(|| Operation::SetAttributes {
            gateway_load_balancer: gateway_load_balancer(),
            cross_zone: self.cross_zone,
            deletion_protection: false,
        });
        let delete = Operation::Delete { gateway_load_balancer: gateway_load_balancer() };
        [unprotect, listener, Some(delete)].into_iter().flatten().map(Into::into).collect()
    }
}
