//! The VPC peering connection: private addresses of one VPC reached from another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, Vpc, need, this,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::value::Path;

object! {
    /// A VPC peering connection between two VPCs of this account and Region, whose ranges must not
    /// overlap. It carries nothing by itself: both sides need a route to the other's range, and
    /// security groups that name ranges and not groups of the other side.
    pub struct VpcPeering("VPC peering connection") {
        /// The VPC that asks for the connection, such as the one of the sources.
        requester: Ref<Vpc> => required, Replace;
        /// The VPC that takes it, such as the one of the receivers.
        accepter: Ref<Vpc> => required, Replace;
        /// Whether this stack accepts the request. `false` leaves that to somebody else, for whom AWS
        /// waits seven days; until then nothing passes.
        auto_accept: bool => default(true), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a VPC peering connection.
pub type VpcPeeringId = Id<VpcPeering>;

impl Identified for VpcPeering {
    const TITLE: &'static str = "VPC peering connection";
    const FORM: IdForm = IdForm::Prefixed("pcx-");
}

/// A call about a VPC peering connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateVpcPeeringConnection`. For a pair that is connected AWS answers with the connection that
    /// is there.
    Create {
        /// The VPC that asks.
        requester: Ref<Vpc>,
        /// The VPC that is asked.
        accepter: Ref<Vpc>,
        /// All tags.
        tags: Tags,
    },
    /// `AcceptVpcPeeringConnection`.
    Accept {
        /// Which.
        vpc_peering: Ref<VpcPeering>,
        /// The VPC that is asked; IAM checks the call on it.
        accepter: Ref<Vpc>,
    },
    /// `DeleteVpcPeeringConnection`. Routes by it stay, and lead nowhere.
    Delete {
        /// Which.
        vpc_peering: Ref<VpcPeering>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let needs = match self {
            Self::Create { requester, accepter, tags: _ } => {
                vec![need(requester, Readiness::Made), need(accepter, Readiness::Made)]
            }
            Self::Accept { vpc_peering, accepter } => {
                vec![need(vpc_peering, Readiness::Made), need(accepter, Readiness::Made)]
            }
            Self::Delete { vpc_peering } => vec![need(vpc_peering, Readiness::Made)],
        };
        needs.into_iter().flatten().collect()
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateVpcPeeringConnection")
                .on(&[On::New(A::VpcPeeringConnection), On::Named(A::Vpc)])
                .with_reads(&["DescribeVpcPeeringConnections"])
        };
        Self::Accept { .. } => {
            Access::ec2("AcceptVpcPeeringConnection")
                .on(&[On::Owned(A::VpcPeeringConnection), On::Named(A::Vpc)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteVpcPeeringConnection")
                .on(&[On::Owned(A::VpcPeeringConnection)])
                .at_removal()
        };
    }
}

impl ResourceType for VpcPeering {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `pcx-...`." }];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    /// AWS takes one connection for each pair of VPCs, whichever of them asks.
    fn replace_order(&self, observed: &Self) -> ReplaceOrder {
        let pair = [&observed.requester, &observed.accepter];
        if pair.contains(&&self.requester) && pair.contains(&&self.accepter) {
            ReplaceOrder::DeleteThenCreate
        } else {
            Self::REPLACE_ORDER
        }
    }

    fn check(&self, problems: &mut Problems) {
        if self.requester == self.accepter {
            let at = Path::default().member("accepter");
            problems.add(ProblemSort::Value, &at, "`requester` and `accepter` are one VPC");
        }
    }

    /// A request that somebody else has accepted is as good as one that nobody has to.
    fn settled(mut self, observed: &Self) -> Self {
        self.auto_accept |= observed.auto_accept;
        self
    }

    fn named(&self) -> Vec<Named> {
        let vpcs = [&self.requester, &self.accepter];
        vpcs.into_iter().filter_map(|vpc| Named::by(vpc, A::Vpc)).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { requester, accepter, auto_accept, tags } = self;
        let create = Operation::Create {
            requester: requester.clone(),
            accepter: accepter.clone(),
            tags: creation.owned(tags),
        };
        let accept = auto_accept.then(|| Operation::Accept {
            vpc_peering: creation.this(),
            accepter: accepter.clone(),
        });
        [Some(create), accept].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { requester: _, accepter, auto_accept, tags: _ } = self;
        let accepts = *auto_accept && !observed.auto_accept;
        let accept = accepts
            .then(|| Operation::Accept { vpc_peering: this(found), accepter: accepter.clone() });
        accept.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { vpc_peering: this(found) }.into()]
    }
}
