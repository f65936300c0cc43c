//! The subnet: a part of a VPC's range in one Availability Zone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, Vpc, need, this,
};
use crate::attribute::{Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{AvailabilityZone, Cidr};

object! {
    /// A subnet of a VPC.
    pub struct Subnet("subnet") {
        /// The VPC.
        vpc: Ref<Vpc> => required, Replace;
        /// The IPv4 range, inside the range of the VPC; AWS keeps five of its addresses for itself.
        cidr: Cidr => required, Replace;
        /// The Availability Zone; if left out, AWS picks one.
        availability_zone: Option<AvailabilityZone> => chosen, Replace;
        /// Whether instances get a public address unless they say otherwise.
        public_ip_on_launch: bool => default(false), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a subnet.
pub type SubnetId = Id<Subnet>;

impl Identified for Subnet {
    const TITLE: &'static str = "subnet";
    const FORM: IdForm = IdForm::Prefixed("subnet-");
}

/// A call about a subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateSubnet`, then waiting until it is available.
    Create {
        /// Where.
        vpc: Ref<Vpc>,
        /// The range.
        cidr: Cidr,
        /// The zone, if it matters.
        availability_zone: Option<AvailabilityZone>,
        /// All tags.
        tags: Tags,
    },
    /// `ModifySubnetAttribute` with `MapPublicIpOnLaunch`.
    SetPublicIpOnLaunch {
        /// Which.
        subnet: Ref<Subnet>,
        /// The new value.
        enabled: bool,
    },
    /// `DeleteSubnet`.
    Delete {
        /// Which.
        subnet: Ref<Subnet>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { vpc, cidr: _, availability_zone: _, tags: _ } => {
                need(vpc, Readiness::Made).into_iter().collect()
            }
            Self::SetPublicIpOnLaunch { subnet, enabled: _ } | Self::Delete { subnet } => {
                need(subnet, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateSubnet").on(&[On::New(A::Subnet), On::Named(A::Vpc)])
        };
        Self::SetPublicIpOnLaunch { .. } => {
            Access::ec2("ModifySubnetAttribute").on(&[On::Owned(A::Subnet)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteSubnet")
                .on(&[On::Owned(A::Subnet)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
    }
}

impl ResourceType for Subnet {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `subnet-...`." }];
    // Two subnets of a VPC may not overlap.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::DeleteThenCreate;

    /// What is in the subnet was planned for its zone.
    fn inheriting(self, observed: &Self) -> Self {
        let zone = self.availability_zone.or_else(|| observed.availability_zone.clone());
        Self { availability_zone: zone, ..self }
    }

    fn named(&self) -> Vec<Named> {
        Named::by(&self.vpc, A::Vpc).into_iter().collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, cidr, availability_zone, public_ip_on_launch, tags } = self;
        let mut operations = vec![Operation::Create {
            vpc: vpc.clone(),
            cidr: *cidr,
            availability_zone: availability_zone.clone(),
            tags: creation.owned(tags),
        }];
        if *public_ip_on_launch {
            let subnet = creation.this();
            operations.push(Operation::SetPublicIpOnLaunch { subnet, enabled: true });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { vpc: _, cidr: _, availability_zone: _, public_ip_on_launch, tags: _ } = self;
        (*public_ip_on_launch != observed.public_ip_on_launch)
            .then(|| Operation::SetPublicIpOnLaunch {
                subnet: this(found),
                enabled: *public_ip_on_launch,
            })
            .into_iter()
            .map(Into::into)
            .collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { subnet: this(found) }.into()]
    }
}
