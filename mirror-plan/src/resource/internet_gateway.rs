//! The internet gateway: a VPC's way to the internet.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, Vpc, need, this,
};
use crate::attribute::{Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;

object! {
    /// An internet gateway, attached to a VPC. A public address is of no use without one and a
    /// route to it.
    pub struct InternetGateway("internet gateway") {
        /// The VPC that it is attached to. Absent in an observed gateway that is attached to none.
        vpc: Option<Ref<Vpc>> => optional, Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of an internet gateway.
pub type InternetGatewayId = Id<InternetGateway>;

impl Identified for InternetGateway {
    const TITLE: &'static str = "internet gateway";
    const FORM: IdForm = IdForm::Prefixed("igw-");
}

/// A call about an internet gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateInternetGateway`.
    Create {
        /// All tags.
        tags: Tags,
    },
    /// `AttachInternetGateway`.
    Attach {
        /// Which.
        internet_gateway: Ref<InternetGateway>,
        /// To what.
        vpc: Ref<Vpc>,
    },
    /// `DetachInternetGateway`; AWS refuses while public addresses are mapped in the VPC.
    Detach {
        /// Which.
        internet_gateway: Ref<InternetGateway>,
        /// From what.
        vpc: Ref<Vpc>,
    },
    /// `DeleteInternetGateway`.
    Delete {
        /// Which.
        internet_gateway: Ref<InternetGateway>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { tags: _ } => BTreeSet::new(),
            Self::Attach { internet_gateway, vpc } | Self::Detach { internet_gateway, vpc } => {
                [need(internet_gateway, Readiness::Made), need(vpc, Readiness::Made)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Self::Delete { internet_gateway } => {
                need(internet_gateway, Readiness::Made).into_iter().collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateInternetGateway").on(&[On::New(A::InternetGateway)])
        };
        Self::Attach { .. } => {
            Access::ec2("AttachInternetGateway")
                .on(&[On::Owned(A::InternetGateway), On::Named(A::Vpc)])
        };
        Self::Detach { .. } => {
            Access::ec2("DetachInternetGateway")
                .on(&[On::Owned(A::InternetGateway), On::Named(A::Vpc)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteInternetGateway").on(&[On::Owned(A::InternetGateway)]).at_removal()
        };
    }
}

impl ResourceType for InternetGateway {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `igw-...`." }];
    // AWS allows only one internet gateway per VPC.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::DeleteThenCreate;

    fn named(&self) -> Vec<Named> {
        self.vpc.iter().filter_map(|vpc| Named::by(vpc, A::Vpc)).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, tags } = self;
        let create = Operation::Create { tags: creation.owned(tags) };
        let attach =
            vpc.clone().map(|vpc| Operation::Attach { internet_gateway: creation.this(), vpc });
        [Some(create), attach].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { vpc, tags: _ } = self;
        if *vpc == observed.vpc {
            return Vec::new();
        }
        let detach = observed
            .vpc
            .clone()
            .map(|vpc| Operation::Detach { internet_gateway: this(found), vpc });
        let attach =
            vpc.clone().map(|vpc| Operation::Attach { internet_gateway: this(found), vpc });
        [detach, attach].into_iter().flatten().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        let detach =
            self.vpc.clone().map(|vpc| Operation::Detach { internet_gateway: this(found), vpc });
        let delete = Operation::Delete { internet_gateway: this(found) };
        [detach, Some(delete)].into_iter().flatten().map(Into::into).collect()
    }
}
