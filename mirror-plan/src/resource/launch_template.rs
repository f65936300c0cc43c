//! The launch template: what the instances of an Auto Scaling group are started with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::instance::{Metadata, Tokens, named_of_machine};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, SecurityGroup, Tags, need,
    needs_of, this,
};
use crate::attribute::{Input, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{Ami, HopLimit, InstanceType, LaunchTemplateName};
use crate::value::{Origin, Part, Secret, Template};

object! {
    /// A launch template: what each instance of an `autoscaling_group` is started from. A change
    /// creates a new version and makes it the default, from which instances are started from then on;
    /// running instances stay as they are.
    pub struct LaunchTemplate("launch template") {
        /// The name, unique in the account and Region. Best left out: the tool then picks one.
        name: Option<LaunchTemplateName> => chosen, Replace;
        /// The image: an AMI id or a public SSM parameter, resolved when the template is planned. A
        /// later change of the parameter changes nothing. If left out, the current Amazon Linux 2023
        /// for x86-64.
        ami: Option<Ami> => chosen, Update;
        /// The type, such as `c6i.large`.
        instance_type: InstanceType => required, Update;
        /// The security groups of the interface of each instance; if none is named, the VPC's default
        /// group.
        security_groups: Vec<Ref<SecurityGroup>> => default(Vec::new()), Update;
        /// The name of the key pair for SSH.
        key_name: Option<String> => optional, Update;
        /// What each instance runs at its first start, as plain text. Plans, logs and the journal show
        /// its SHA-256, as `sha256sum` prints it.
        user_data: Option<Input<Secret>> => optional, Update;
        /// Whether the metadata service answers only to requests that carry a token (IMDSv2).
        imdsv2_required: bool => default(true), Update;
        /// How many hops an answer of the metadata service may travel: 1 keeps it on the instance, 2
        /// lets containers receive it.
        imds_hop_limit: HopLimit => default(HopLimit::MIN), Update;
        /// Whether the root volume is encrypted, with the account's default key. With `false`, the
        /// account's default applies.
        root_encrypted: bool => default(true), Update;
        /// Tags of the template; its instances get the tags of their group. `Name` is the block's name
        /// unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a launch template.
pub type LaunchTemplateId = Id<LaunchTemplate>;

impl Identified for LaunchTemplate {
    const TITLE: &'static str = "launch template";
    const FORM: IdForm = IdForm::Prefixed("lt-");
}

/// Stands for whichever version is the default one when an instance is started.
///
/// Source: Amazon EC2 Auto Scaling API reference, `LaunchTemplateSpecification`.
pub const DEFAULT: &str = "$Default";

/// The name of a version's number once the version has been added.
pub(crate) const ADDED: &str = "added_version";

/// What instances are started with: the content of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The image.
    pub ami: Ami,
    /// The type.
    pub instance_type: InstanceType,
    /// The groups of the interface; empty for the VPC's default group.
    pub security_groups: Vec<Ref<SecurityGroup>>,
    /// The key pair.
    pub key_name: Option<String>,
    /// What each runs at its first start, as plain text.
    pub user_data: Option<Input<Secret>>,
    /// What its metadata service answers, and how far.
    pub metadata: Metadata,
    /// Whether its root volume is encrypted, whatever the account's default is.
    pub root_encrypted: bool,
}

impl Version {
    fn needs(&self) -> impl Iterator<Item = Need> {
        let Self {
            ami: _,
            instance_type: _,
            security_groups,
            key_name: _,
            user_data,
            metadata: _,
            root_encrypted: _,
        } = self;
        // Downloads of an instance at its first start need the rules of its groups.
        let groups = security_groups.iter().filter_map(|g| need(g, Readiness::Finished));
        groups.chain(needs_of(user_data))
    }
}

/// A call about a launch template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateLaunchTemplate` with its first version.
    Create {
        /// Its name.
        name: LaunchTemplateName,
        /// What instances are started with.
        version: Version,
        /// All tags.
        tags: Tags,
    },
    /// `CreateLaunchTemplateVersion`. Instances are not yet started with it.
    AddVersion {
        /// Which.
        launch_template: Ref<LaunchTemplate>,
        /// What instances are started with.
        version: Version,
    },
    /// `ModifyLaunchTemplate`: a version becomes the default one.
    SetDefault {
        /// Which.
        launch_template: Ref<LaunchTemplate>,
        /// The number of the version.
        version: Input<String>,
    },
    /// `DeleteLaunchTemplate` with all of its versions.
    Delete {
        /// Which.
        launch_template: Ref<LaunchTemplate>,
    },
}

/// What IAM checks for the caller when a group that starts instances from a template is created or changed, as far as
/// the template determines it.
///
/// Source: Amazon EC2 Auto Scaling user guide, "Control Amazon EC2 launch template usage in Auto Scaling groups".
const LAUNCH: Access = Access::ec2("RunInstances").on(&[
    On::Owned(A::LaunchTemplate),
    On::Launched(A::Instance),
    On::Launched(A::NetworkInterface),
    On::Launched(A::Volume),
    On::Chosen(A::Image),
    On::Named(A::KeyPair),
    On::Chosen(A::SecurityGroup),
]);

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { name: _, version, tags: _ } => version.needs().collect(),
            Self::AddVersion { launch_template, version } => {
                version.needs().chain(need(launch_template, Readiness::Made)).collect()
            }
            Self::SetDefault { launch_template, version } => {
                needs_of(version).chain(need(launch_template, Readiness::Made)).collect()
            }
            Self::Delete { launch_template } => {
                need(launch_template, Readiness::Made).into_iter().collect()
            }
        }
    }

    /// Returns the same call with other secrets.
    pub(super) fn with_secrets(
        mut self,
        change: impl FnOnce(Input<Secret>) -> Input<Secret>,
    ) -> Self {
        match &mut self {
            Self::Create { version, .. } | Self::AddVersion { version, .. } => {
                version.user_data = version.user_data.take().map(change);
            }
            Self::SetDefault { .. } | Self::Delete { .. } => {}
        }
        self
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateLaunchTemplate")
                .on(&[On::New(A::LaunchTemplate)])
                // The image determines which device is the root.
                .with_reads(&["DescribeImages"])
                .with_dependent(&[LAUNCH])
        };
        Self::AddVersion { .. } => {
            Access::ec2("CreateLaunchTemplateVersion")
                .on(&[On::Owned(A::LaunchTemplate)])
                .with_reads(&["DescribeImages"])
        };
        Self::SetDefault { .. } => {
            Access::ec2("ModifyLaunchTemplate").on(&[On::Owned(A::LaunchTemplate)])
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteLaunchTemplate").on(&[On::Owned(A::LaunchTemplate)]).at_removal()
        };
    }
}

impl LaunchTemplate {
    fn version(&self) -> Version {
        let Self {
            name: _,
            ami,
            instance_type,
            security_groups,
            key_name,
            user_data,
            imdsv2_required,
            imds_hop_limit,
            root_encrypted,
            tags: _,
        } = self.clone();
        let tokens = if imdsv2_required { Tokens::Required } else { Tokens::Optional };
        Version {
            ami: ami.unwrap_or_else(|| Ami::Parameter(Ami::AMAZON_LINUX.to_owned())),
            instance_type,
            security_groups,
            key_name,
            user_data,
            metadata: Metadata { tokens, hop_limit: imds_hop_limit },
            root_encrypted,
        }
    }
}

impl ResourceType for LaunchTemplate {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `lt-...`." }];
    // Groups are moved over to the new one.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn settled(self, observed: &Self) -> Self {
        // A parameter names the image of a new template; that it names a newer image by now is not
        // a change.
        let ami = match self.ami {
            Some(Ami::Parameter(_)) => observed.ami.clone(),
            other => other,
        };
        Self { ami, ..self }
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            LaunchTemplateName::fitted(&name, &suffix)
        });
        Self { name: Some(name), ..self }
    }

    /// Names are unique in an account and Region.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let taken = observed.name.as_ref().filter(|_| self.name == observed.name);
        taken.map(LaunchTemplateName::as_str)
    }

    fn named(&self) -> Vec<Named> {
        named_of_machine(self.ami.as_ref(), &self.security_groups, self.key_name.as_deref())
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let chosen = self.clone().chosen(creation);
        let create = Operation::Create {
            version: chosen.version(),
            name: chosen.name.expect("one was chosen"),
            tags: creation.owned(&chosen.tags),
        };
        vec![create.into()]
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let version = self.version();
        if version == observed.version() {
            return Vec::new(); // The planner handles tags.
        }
        let add = Operation::AddVersion { launch_template: this(found), version };
        let added = Origin { address: creation.address.clone(), attribute: ADDED.to_owned() };
        let version = Input::Later(Template(vec![Part::Attribute(added)]));
        let set = Operation::SetDefault { launch_template: this(found), version };
        vec![add.into(), set.into()]
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { launch_template: this(found) }.into()]
    }
}
