//! The VPC peering connection: private addresses of one VPC reached from another.
//!
//! Between two accounts, the stack's own account requests and owns the connection: only it sees the tags of the
//! create call, and the other account sees the connection with tags of its own. Only the owner of the accepter can
//! accept; either side can delete. Source: VPC Peering guide, "Create a VPC peering connection", "Accept or reject a
//! VPC peering connection" and "Delete a VPC peering connection"; EC2 API reference, `CreateVpcPeeringConnection`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, Resource, ResourceType, Tags, Vpc, need,
    this,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{AccountId, AccountName};
use crate::value::Path;

object! {
    /// A VPC peering connection between two VPCs of one Region, whose ranges must not overlap. The VPC
    /// that requests it belongs to the stack's account; the other one may belong to another account.
    /// The connection carries nothing by itself: both sides need a route to the other's range, and
    /// security groups that name ranges, not groups, of the other side.
    pub struct VpcPeering("VPC peering connection") {
        /// The VPC that requests the connection, such as that of the sources. It belongs to the stack's
        /// account.
        requester: Ref<Vpc> => required, Replace;
        /// The VPC that accepts the connection, such as that of the receivers.
        accepter: Ref<Vpc> => required, Replace;
        /// The account that owns the accepter, if it is another one. For an `existing "vpc"` with `aws`
        /// it is known; give it for a VPC that is named by its id.
        accepter_owner: Option<AccountId> => optional, Replace;
        /// Whether this stack accepts the request. `false` leaves that to somebody else, for whom AWS
        /// waits seven days; until then nothing passes.
        auto_accept: bool => default(true), Update;
        /// The `aws` block whose credentials accept the request, if the accepter belongs to another
        /// account. For an `existing "vpc"` with `aws` it is that block.
        accept_as: Option<AccountName> => optional, Update;
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
    /// `CreateVpcPeeringConnection`. For a pair that is already connected, AWS answers with the existing connection.
    Create {
        /// The VPC that requests the connection.
        requester: Ref<Vpc>,
        /// The VPC that is asked to accept it.
        accepter: Ref<Vpc>,
        /// Its account, if it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepter_owner: Option<AccountId>,
        /// All tags.
        tags: Tags,
    },
    /// `AcceptVpcPeeringConnection`.
    Accept {
        /// Which.
        vpc_peering: Ref<VpcPeering>,
        /// The VPC that is asked to accept it; IAM checks the call on it.
        accepter: Ref<Vpc>,
        /// Whose credentials are used, if not the stack's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accept_as: Option<AccountName>,
        /// The account that is asked to accept, if it is another one: credentials of any other account are not used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepter_owner: Option<AccountId>,
    },
    /// `DeleteVpcPeeringConnection`. Routes through it stay, and lead nowhere.
    Delete {
        /// Which.
        vpc_peering: Ref<VpcPeering>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let needs = match self {
            Self::Create { requester, accepter, accepter_owner: _, tags: _ } => {
                vec![need(requester, Readiness::Made), need(accepter, Readiness::Made)]
            }
            Self::Accept { vpc_peering, accepter, accept_as: _, accepter_owner: _ } => {
                vec![need(vpc_peering, Readiness::Made), need(accepter, Readiness::Made)]
            }
            Self::Delete { vpc_peering } => vec![need(vpc_peering, Readiness::Made)],
        };
        needs.into_iter().flatten().collect()
    }

    /// Returns the account with whose credentials it is sent, if not with the stack's own.
    pub(super) fn sent_as(&self) -> Option<&AccountName> {
        match self {
            Self::Accept { accept_as, .. } => accept_as.as_ref(),
            Self::Create { .. } | Self::Delete { .. } => None,
        }
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

impl Resource {
    /// Changes it to what it would be if everything that it names belonged to one account.
    pub(crate) fn forget_other_accounts(&mut self) {
        if let Self::VpcPeering(peering) = self {
            (peering.accepter_owner, peering.accept_as) = (None, None);
        }
    }
}

impl VpcPeering {
    /// Returns the call that accepts it.
    fn accept(&self, vpc_peering: Ref<Self>) -> Operation {
        Operation::Accept {
            vpc_peering,
            accepter: self.accepter.clone(),
            accept_as: self.accept_as.clone(),
            accepter_owner: self.accepter_owner.clone(),
        }
    }
}

impl ResourceType for VpcPeering {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `pcx-...`." }];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    /// AWS allows one connection for each pair of VPCs, whichever of them requests it.
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
            problems.add(ProblemSort::Value, &at, "`requester` and `accepter` are the same VPC");
        }
        if self.accept_as.is_some() && !self.auto_accept {
            let at = Path::default().member("accept_as");
            let wrong =
                "`accept_as` says who accepts, but with `auto_accept = false` this stack does not";
            problems.add(ProblemSort::Value, &at, wrong);
        }
    }

    /// A request that somebody else has accepted is as good as one that nobody needs to accept.
    fn settled(mut self, observed: &Self) -> Self {
        self.auto_accept |= observed.auto_accept;
        if observed.auto_accept {
            // Nobody can tell any more who accepted it.
            self.accept_as = None;
        }
        self
    }

    /// IAM checks the calls of this account on none of another account's VPCs.
    fn named(&self) -> Vec<Named> {
        let accepter = Some(&self.accepter).filter(|_| self.accepter_owner.is_none());
        let vpcs = [Some(&self.requester), accepter].into_iter().flatten();
        vpcs.filter_map(|vpc| Named::by(vpc, A::Vpc)).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { requester, accepter, accepter_owner, auto_accept, accept_as: _, tags } = self;
        let create = Operation::Create {
            requester: requester.clone(),
            accepter: accepter.clone(),
            accepter_owner: accepter_owner.clone(),
            tags: creation.owned(tags),
        };
        let accept = auto_accept.then(|| self.accept(creation.this()));
        [Some(create), accept].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let accepts = self.auto_accept && !observed.auto_accept;
        let accept = accepts.then(|| self.accept(this(found)));
        accept.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { vpc_peering: this(found) }.into()]
    }
}
