//! The resource share: mirror targets that other accounts may use.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, MirrorTarget, Need, Readiness, ReplaceOrder, ResourceType, Tags, need,
    refuse_duplicates, this, without,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::SharePrincipal;
use crate::value::Path;

object! {
    /// A resource share of AWS Resource Access Manager: it lets other accounts mirror to targets of
    /// this account. An account outside the organization is invited, and can mirror once it has
    /// accepted. The other account then names the target with its owner, as an
    /// `existing "mirror_target"`.
    pub struct ResourceShare("resource share") {
        /// The name. Best left out: the tool then picks one. Another share may have the same name.
        name: Option<String> => chosen, Update;
        /// The targets that others may mirror to.
        mirror_targets: Vec<Ref<MirrorTarget>> => required, Update;
        /// Who may mirror to them: accounts (`111122223333`), or the ARN of an organization
        /// (`arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5`) or of an organizational
        /// unit.
        principals: Vec<SharePrincipal> => required, Update;
        /// Whether accounts outside this account's organization may be among them.
        external_principals: bool => default(true), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The ARN of a resource share, which is its id.
pub type ResourceShareArn = Id<ResourceShare>;

impl Identified for ResourceShare {
    const TITLE: &'static str = "resource share";
    const FORM: IdForm = IdForm::Arn { service: "ram", resource: "resource-share/" };
}

/// A call about a resource share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateResourceShare`, then waiting until its targets are in it. It does not wait for those who are invited.
    Create {
        /// Its name.
        name: String,
        /// The targets.
        mirror_targets: Vec<Ref<MirrorTarget>>,
        /// Who may use them.
        principals: Vec<SharePrincipal>,
        /// Whether accounts outside the organization may be among them.
        external_principals: bool,
        /// All tags.
        tags: Tags,
    },
    /// `UpdateResourceShare`. Principals that are already in it stay.
    Update {
        /// Which.
        resource_share: Ref<ResourceShare>,
        /// Its name from now on.
        name: String,
        /// Whether accounts outside the organization may be among its principals.
        external_principals: bool,
    },
    /// `DisassociateResourceShare`, once for each, then waiting until they are out of it.
    Disassociate {
        /// Which.
        resource_share: Ref<ResourceShare>,
        /// The targets that it no longer shares.
        mirror_targets: Vec<Ref<MirrorTarget>>,
        /// Who may no longer use what it shares.
        principals: Vec<SharePrincipal>,
    },
    /// `AssociateResourceShare`, then waiting as after a creation.
    Associate {
        /// Which.
        resource_share: Ref<ResourceShare>,
        /// The targets that it gets.
        mirror_targets: Vec<Ref<MirrorTarget>>,
        /// Who may use what it shares from now on.
        principals: Vec<SharePrincipal>,
    },
    /// `DeleteResourceShare`, then waiting until it is deleted. What it shared stays.
    Delete {
        /// Which.
        resource_share: Ref<ResourceShare>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let (share, targets) = match self {
            Self::Create { mirror_targets, .. } => (None, mirror_targets.as_slice()),
            Self::Disassociate { resource_share, mirror_targets, principals: _ }
            | Self::Associate { resource_share, mirror_targets, principals: _ } => {
                (Some(resource_share), mirror_targets.as_slice())
            }
            Self::Update { resource_share, .. } | Self::Delete { resource_share } => {
                (Some(resource_share), &[][..])
            }
        };
        let share = share.and_then(|share| need(share, Readiness::Made));
        let targets = targets.iter().filter_map(|target| need(target, Readiness::Made));
        share.into_iter().chain(targets).collect()
    }

    /// The targets that it takes out of a share.
    pub(crate) fn leaves(&self) -> &[Ref<MirrorTarget>] {
        match self {
            Self::Disassociate { mirror_targets, .. } => mirror_targets,
            Self::Create { .. }
            | Self::Update { .. }
            | Self::Associate { .. }
            | Self::Delete { .. } => &[],
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::sharing("CreateResourceShare").on(&[On::New(A::ResourceShare)])
        };
        Self::Update { .. } => {
            Access::sharing("UpdateResourceShare").on(&[On::Owned(A::ResourceShare)])
        };
        Self::Disassociate { .. } => {
            Access::sharing("DisassociateResourceShare").on(&[On::Owned(A::ResourceShare)])
        };
        Self::Associate { .. } => {
            Access::sharing("AssociateResourceShare").on(&[On::Owned(A::ResourceShare)])
        };
        Self::Delete { .. } => {
            Access::sharing("DeleteResourceShare").on(&[On::Owned(A::ResourceShare)]).at_removal()
        };
    }
}

impl ResourceType for ResourceShare {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The ARN." }];
    // A target may be in several shares.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        let Self { name, mirror_targets, principals, external_principals: _, tags: _ } = self;
        let mut wrong = |attribute: &str, message: &str| {
            problems.add(ProblemSort::Value, &Path::default().member(attribute), message);
        };
        if name.as_ref().is_some_and(String::is_empty) {
            wrong("name", "the name of a resource share must not be empty");
        }
        if mirror_targets.is_empty() {
            wrong("mirror_targets", "a resource share needs a mirror target");
        }
        if principals.is_empty() {
            wrong("principals", "a resource share needs a principal to share with");
        }
        refuse_duplicates(problems, "principals", principals);
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            name + &suffix
        });
        Self { name: Some(name), ..self }
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { name, mirror_targets, principals, external_principals, tags } =
            self.clone().chosen(creation);
        let create = Operation::Create {
            name: name.expect("one was chosen"),
            mirror_targets,
            principals,
            external_principals,
            tags: creation.owned(&tags),
        };
        vec![create.into()]
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { name, external_principals, .. } = self.clone().chosen(creation);
        let resource_share = || this(found);
        let is_same = name == observed.name && external_principals == observed.external_principals;
        // Before the principals are added that only this update admits.
        let update = (!is_same).then(|| Operation::Update {
            resource_share: resource_share(),
            name: name.expect("one was chosen"),
            external_principals,
        });
        let changed = |these: &Self, those: &Self| {
            let targets = without(&these.mirror_targets, &those.mirror_targets);
            let principals = without(&these.principals, &those.principals);
            (!targets.is_empty() || !principals.is_empty()).then_some((targets, principals))
        };
        // A target that is replaced may have to leave before its replacement exists.
        let leave = changed(observed, self).map(|(mirror_targets, principals)| {
            Operation::Disassociate { resource_share: resource_share(), mirror_targets, principals }
        });
        let join = changed(self, observed).map(|(mirror_targets, principals)| {
            Operation::Associate { resource_share: resource_share(), mirror_targets, principals }
        });
        [update, leave, join].into_iter().flatten().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { resource_share: this(found) }.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_an_account_or_an_organization_or_a_unit_of_one() {
        for (text, is_account) in [
            ("111122223333", true),
            ("arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5", false),
            ("arn:aws-cn:organizations::123456789012:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6", false),
        ] {
            let principal: SharePrincipal = text.parse().unwrap();
            assert_eq!(principal.to_string(), text);
            assert_eq!(principal.is_account(), is_account, "{text}");
        }
        for text in [
            "",
            "*",
            "11112222333",
            "arn:aws:iam::123456789012:role/admin",
            "arn:aws:organizations::123456789012:organization/a1b2c3d4e5",
            "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5",
            "arn:aws:organizations:eu-west-1:123456789012:organization/o-a1b2c3d4e5",
            "o-a1b2c3d4e5",
        ] {
            assert!(text.parse::<SharePrincipal>().is_err(), "{text}");
        }
    }
}
