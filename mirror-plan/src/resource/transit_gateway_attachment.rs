//! The transit gateway attachment: a VPC on a gateway that many VPCs share.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Subnet, Tags, Vpc, need, this,
    without,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::TransitGatewayId;
use crate::value::Path;

object! {
    /// An attachment of a VPC to a transit gateway of this Region. The gateway belongs to somebody
    /// else, such as the network team: a stack attaches VPCs to it and leaves the gateway and its route
    /// tables alone. If the gateway belongs to another account, that account may have to accept the
    /// attachment. The attachment carries nothing by itself: the VPC's routes lead to the gateway, and
    /// the gateway's routes to the other VPC.
    pub struct TransitGatewayAttachment("transit gateway attachment") {
        /// The VPC.
        vpc: Ref<Vpc> => required, Replace;
        /// The id of the transit gateway.
        transit_gateway: TransitGatewayId => required, Replace;
        /// Subnets of the VPC, one for each Availability Zone: the gateway takes packets only from
        /// zones where it has a subnet. It uses an address in each.
        subnets: Vec<Ref<Subnet>> => required, Update;
        /// Whether both directions of a connection stay in one zone, as required by an appliance behind
        /// the gateway that inspects both.
        appliance_mode: bool => default(false), Update;
        /// Whether public DNS names of the other VPCs' instances resolve to private addresses.
        dns_support: bool => default(true), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a transit gateway attachment.
pub type TransitGatewayAttachmentId = Id<TransitGatewayAttachment>;

impl Identified for TransitGatewayAttachment {
    const TITLE: &'static str = "transit gateway attachment";
    const FORM: IdForm = IdForm::Prefixed("tgw-attach-");
}

/// What can be switched on an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Whether both directions of a connection stay in one zone.
    pub appliance_mode: bool,
    /// Whether public DNS names resolve to private addresses.
    pub dns_support: bool,
}

/// A call about a transit gateway attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateTransitGatewayVpcAttachment`, then waiting until it is available. It accepts no
    /// client token; AWS refuses a second attachment of a VPC to a gateway.
    Create {
        /// The VPC.
        vpc: Ref<Vpc>,
        /// The gateway.
        transit_gateway: TransitGatewayId,
        /// A subnet for each zone.
        subnets: Vec<Ref<Subnet>>,
        /// What is switched on.
        options: Options,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyTransitGatewayVpcAttachment`, then waiting until it is available again.
    Modify {
        /// Which.
        transit_gateway_attachment: Ref<TransitGatewayAttachment>,
        /// The subnets that it gets.
        added: Vec<Ref<Subnet>>,
        /// The subnets that it leaves.
        removed: Vec<Ref<Subnet>>,
        /// What is switched on from now on.
        options: Options,
    },
    /// `DeleteTransitGatewayVpcAttachment`, then waiting until it is deleted. Routes through it
    /// stay, and lead nowhere.
    Delete {
        /// Which.
        transit_gateway_attachment: Ref<TransitGatewayAttachment>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let subnet = |subnet| need(subnet, Readiness::Made);
        match self {
            Self::Create { vpc, transit_gateway: _, subnets, options: _, tags: _ } => {
                let vpc = need(vpc, Readiness::Made);
                subnets.iter().map(subnet).chain([vpc]).flatten().collect()
            }
            Self::Modify { transit_gateway_attachment, added, removed, options: _ } => {
                let attachment = need(transit_gateway_attachment, Readiness::Made);
                added.iter().chain(removed).map(subnet).chain([attachment]).flatten().collect()
            }
            Self::Delete { transit_gateway_attachment } => {
                need(transit_gateway_attachment, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateTransitGatewayVpcAttachment").on(&[
                On::New(A::TransitGatewayAttachment),
                On::Named(A::Subnet),
                On::Named(A::TransitGateway),
                On::Named(A::Vpc),
            ])
        };
        Self::Modify { .. } => {
            Access::ec2("ModifyTransitGatewayVpcAttachment")
                .on(&[On::Owned(A::TransitGatewayAttachment), On::Named(A::Subnet)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteTransitGatewayVpcAttachment")
                .on(&[On::Owned(A::TransitGatewayAttachment)])
                .at_removal()
        };
    }
}

impl TransitGatewayAttachment {
    const fn options(&self) -> Options {
        Options { appliance_mode: self.appliance_mode, dns_support: self.dns_support }
    }
}

impl ResourceType for TransitGatewayAttachment {
    const COMPUTED: &'static [Computed] =
        &[Computed { name: "id", doc: "The id, `tgw-attach-...`." }];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    /// AWS allows one attachment of a VPC to a gateway.
    fn replace_order(&self, observed: &Self) -> ReplaceOrder {
        let same = self.vpc == observed.vpc && self.transit_gateway == observed.transit_gateway;
        if same { ReplaceOrder::DeleteThenCreate } else { Self::REPLACE_ORDER }
    }

    fn check(&self, problems: &mut Problems) {
        if self.subnets.is_empty() {
            let at = Path::default().member("subnets");
            problems.add(ProblemSort::Value, &at, "an attachment needs a subnet");
        }
    }

    fn named(&self) -> Vec<Named> {
        let subnets = self.subnets.iter().filter_map(|subnet| Named::by(subnet, A::Subnet));
        let gateway = Named::one(&self.transit_gateway, A::TransitGateway);
        Named::by(&self.vpc, A::Vpc).into_iter().chain(subnets).chain([gateway]).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, transit_gateway, subnets, appliance_mode: _, dns_support: _, tags } = self;
        let create = Operation::Create {
            vpc: vpc.clone(),
            transit_gateway: transit_gateway.clone(),
            subnets: subnets.clone(),
            options: self.options(),
            tags: creation.owned(tags),
        };
        vec![create.into()]
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let added = without(&self.subnets, &observed.subnets);
        let removed = without(&observed.subnets, &self.subnets);
        let options = self.options();
        if added.is_empty() && removed.is_empty() && options == observed.options() {
            return Vec::new();
        }
        let transit_gateway_attachment = this(found);
        vec![Operation::Modify { transit_gateway_attachment, added, removed, options }.into()]
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { transit_gateway_attachment: this(found) }.into()]
    }
}
