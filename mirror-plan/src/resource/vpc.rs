//! The VPC: an address range and its DNS settings.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, need, this};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::Cidr;
use crate::value::Path;

object! {
    /// A virtual private cloud: the network that everything else is in.
    pub struct Vpc("VPC") {
        /// The IPv4 range, /16 to /28.
        cidr: Cidr => required, Replace;
        /// Whether Amazon's DNS server answers in the VPC.
        dns_support: bool => default(true), Update;
        /// Whether instances with a public address get a public DNS name; needs `dns_support`.
        dns_hostnames: bool => default(false), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a VPC.
pub type VpcId = Id<Vpc>;

impl Identified for Vpc {
    const TITLE: &'static str = "VPC";
    const FORM: IdForm = IdForm::Prefixed("vpc-");
}

/// A call about a VPC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateVpc`, then waiting until it is available.
    Create {
        /// The range.
        cidr: Cidr,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyVpcAttribute` with `EnableDnsSupport`.
    SetDnsSupport {
        /// Which.
        vpc: Ref<Vpc>,
        /// The new value.
        enabled: bool,
    },
    /// `ModifyVpcAttribute` with `EnableDnsHostnames`.
    SetDnsHostnames {
        /// Which.
        vpc: Ref<Vpc>,
        /// The new value.
        enabled: bool,
    },
    /// `DeleteVpc`.
    Delete {
        /// Which.
        vpc: Ref<Vpc>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { cidr: _, tags: _ } => BTreeSet::new(),
            Self::SetDnsSupport { vpc, enabled: _ }
            | Self::SetDnsHostnames { vpc, enabled: _ }
            | Self::Delete { vpc } => need(vpc, Readiness::Made).into_iter().collect(),
        }
    }

    calls! {
        Self::Create { .. } => Access::ec2("CreateVpc").on(&[On::New(A::Vpc)]);
        Self::SetDnsSupport { .. } | Self::SetDnsHostnames { .. } => {
            Access::ec2("ModifyVpcAttribute").on(&[On::Owned(A::Vpc)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteVpc")
                .on(&[On::Owned(A::Vpc)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
    }
}

impl ResourceType for Vpc {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `vpc-...`." }];
    // A VPC has no natural key, so a second one can exist beside the first while things move over.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        if self.dns_hostnames && !self.dns_support {
            problems.add_with_help(
                ProblemSort::Value,
                &Path::default().member("dns_hostnames"),
                "`dns_hostnames` needs `dns_support`",
                "leave `dns_support` out or set it to true",
            );
        }
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { cidr, dns_support, dns_hostnames, tags } = self;
        let vpc = || creation.this();
        let mut operations = vec![Operation::Create { cidr: *cidr, tags: creation.owned(tags) }];
        // A new VPC has DNS support and no DNS hostnames.
        if !dns_support {
            operations.push(Operation::SetDnsSupport { vpc: vpc(), enabled: false });
        }
        if *dns_hostnames {
            operations.push(Operation::SetDnsHostnames { vpc: vpc(), enabled: true });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { cidr: _, dns_support, dns_hostnames, tags: _ } = self;
        let support = (*dns_support != observed.dns_support)
            .then(|| Operation::SetDnsSupport { vpc: this(found), enabled: *dns_support });
        let hostnames = (*dns_hostnames != observed.dns_hostnames)
            .then(|| Operation::SetDnsHostnames { vpc: this(found), enabled: *dns_hostnames });
        // Hostnames need DNS support, so that is enabled first and disabled last.
        let ordered = if *dns_support { [support, hostnames] } else { [hostnames, support] };
        ordered.into_iter().flatten().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { vpc: this(found) }.into()]
    }
}
