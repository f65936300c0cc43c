//! The instance: a machine with its primary network interface.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, SecurityGroup, Subnet, Tags,
    need, needs_of, this,
};
use crate::address::Kind;
use crate::attribute::{Input, Ref, Referable, object};
use crate::id::{Id, IdForm, Identified, NetworkInterface};
use crate::observed::Found;
use crate::scalar::{Ami, HopLimit, InstanceType, IpAddress};
use crate::value::Secret;

pub mod mirroring;

object! {
    /// An EC2 instance with one network interface.
    pub struct Instance("instance") {
        /// The image: an AMI id or a public SSM parameter, resolved when the instance is planned. A
        /// later change of the parameter replaces nothing. If left out, the current Amazon Linux 2023
        /// for x86-64.
        ami: Option<Ami> => chosen, Replace;
        /// The type, such as `t3.micro`. Changing it stops and starts the instance.
        instance_type: InstanceType => required, Restart;
        /// The subnet.
        subnet: Ref<Subnet> => required, Replace;
        /// The security groups of its interface; if none is named, the VPC's default group.
        security_groups: Vec<Ref<SecurityGroup>> => default(Vec::new()), Update;
        /// Whether it gets a public address; if left out, the subnet decides.
        public: Option<bool> => chosen, Replace;
        /// The private address; if left out, AWS picks one.
        private_ip: Option<IpAddress> => chosen, Replace;
        /// The name of the key pair for SSH.
        key_name: Option<String> => optional, Replace;
        /// What the instance runs at its first start, as plain text. Plans, logs and the journal show
        /// its SHA-256, as `sha256sum` prints it. Changing it stops and starts the instance, but the
        /// instance does not run it again.
        user_data: Option<Input<Secret>> => optional, Restart;
        /// Whether AWS drops packets that are not from or to the instance's own addresses.
        source_dest_check: bool => default(true), Update;
        /// Whether the metadata service answers only to requests that carry a token (IMDSv2).
        imdsv2_required: bool => default(true), Update;
        /// How many hops an answer of the metadata service may travel: 1 keeps it on the instance, 2
        /// lets containers receive it.
        imds_hop_limit: HopLimit => default(HopLimit::MIN), Update;
        /// Whether the root volume is encrypted, with the account's default key. With `false`, the
        /// account's default applies.
        root_encrypted: Option<bool> => default(Some(true)), Replace;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of an instance.
pub type InstanceId = Id<Instance>;

impl Identified for Instance {
    const TITLE: &'static str = "instance";
    const FORM: IdForm = IdForm::Prefixed("i-");
}

/// Where an interface is expected, an instance stands for its primary one.
impl Referable for NetworkInterface {
    const KIND: Kind = Kind::Instance;
    const ATTRIBUTE: &'static str = "network_interface";
}

/// The options of an instance's metadata service that this tool sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Whether a request must carry a token.
    pub tokens: Tokens,
    /// How many hops an answer may travel.
    pub hop_limit: HopLimit,
}

/// Whether a request to the metadata service must carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokens {
    /// It must: IMDSv2.
    Required,
    /// It need not: IMDSv1 is answered, too.
    Optional,
}

/// A call about an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `RunInstances` for one instance, then waiting until it runs.
    Run {
        /// The image.
        ami: Ami,
        /// The type.
        instance_type: InstanceType,
        /// Where.
        subnet: Ref<Subnet>,
        /// The groups of its interface; empty for the VPC's default group.
        security_groups: Vec<Ref<SecurityGroup>>,
        /// Whether it gets a public address, if that is stated.
        public: Option<bool>,
        /// The private address, if it is given.
        private_ip: Option<IpAddress>,
        /// The key pair.
        key_name: Option<String>,
        /// What it runs at its first start, as plain text.
        user_data: Option<Input<Secret>>,
        /// What its metadata service answers, and how far.
        metadata: Metadata,
        /// Whether its root volume is encrypted, whatever the account's default is.
        root_encrypted: bool,
        /// All tags; the interface and the volume get them too.
        tags: Tags,
    },
    /// `ModifyInstanceAttribute` with `SourceDestCheck`.
    SetSourceDestCheck {
        /// Which.
        instance: Ref<Instance>,
        /// The new value.
        enabled: bool,
    },
    /// `ModifyInstanceMetadataOptions`.
    SetMetadata {
        /// Which.
        instance: Ref<Instance>,
        /// The new options.
        metadata: Metadata,
    },
    /// `ModifyInstanceAttribute` with `Groups`.
    SetSecurityGroups {
        /// Which.
        instance: Ref<Instance>,
        /// All groups from now on.
        security_groups: Vec<Ref<SecurityGroup>>,
    },
    /// `StopInstances`, then waiting until it has stopped.
    Stop {
        /// Which.
        instance: Ref<Instance>,
    },
    /// `ModifyInstanceAttribute` with `InstanceType`, while it is stopped.
    SetType {
        /// Which.
        instance: Ref<Instance>,
        /// The new type.
        instance_type: InstanceType,
    },
    /// `ModifyInstanceAttribute` with `UserData`, while it is stopped.
    SetUserData {
        /// Which.
        instance: Ref<Instance>,
        /// The new text; empty for none.
        user_data: Input<Secret>,
    },
    /// `StartInstances`, then waiting until it runs.
    Start {
        /// Which.
        instance: Ref<Instance>,
    },
    /// `TerminateInstances`, then waiting until it is terminated.
    Terminate {
        /// Which.
        instance: Ref<Instance>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Run {
                ami: _,
                instance_type: _,
                subnet,
                security_groups,
                public: _,
                private_ip: _,
                key_name: _,
                user_data,
                metadata: _,
                root_encrypted: _,
                tags: _,
            } => {
                // Downloads at its first start need the rules of its groups.
                let groups = security_groups.iter().map(|g| need(g, Readiness::Finished));
                let places = [need(subnet, Readiness::Finished)].into_iter().chain(groups);
                places.flatten().chain(needs_of(user_data)).collect()
            }
            Self::SetSecurityGroups { instance, security_groups } => {
                let groups = security_groups.iter().map(|g| need(g, Readiness::Finished));
                [need(instance, Readiness::Made)].into_iter().chain(groups).flatten().collect()
            }
            Self::SetUserData { instance, user_data } => {
                need(instance, Readiness::Made).into_iter().chain(needs_of(user_data)).collect()
            }
            Self::SetSourceDestCheck { instance, enabled: _ }
            | Self::SetMetadata { instance, metadata: _ }
            | Self::Stop { instance }
            | Self::SetType { instance, instance_type: _ }
            | Self::Start { instance }
            | Self::Terminate { instance } => need(instance, Readiness::Made).into_iter().collect(),
        }
    }

    /// Returns the same call with other secrets.
    pub(super) fn with_secrets(
        mut self,
        change: impl FnOnce(Input<Secret>) -> Input<Secret>,
    ) -> Self {
        match &mut self {
            Self::Run { user_data: Some(user_data), .. } | Self::SetUserData { user_data, .. } => {
                *user_data = change(user_data.clone());
            }
            Self::Run { user_data: None, .. }
            | Self::SetSourceDestCheck { .. }
            | Self::SetMetadata { .. }
            | Self::SetSecurityGroups { .. }
            | Self::Stop { .. }
            | Self::SetType { .. }
            | Self::Start { .. }
            | Self::Terminate { .. } => {}
        }
        self
    }

    calls! {
        Self::Run { .. } => {
            Access::ec2("RunInstances").on(&[
                On::New(A::Instance),
                On::New(A::NetworkInterface),
                On::New(A::Volume),
                On::Chosen(A::Image),
                On::Named(A::KeyPair),
                On::Chosen(A::SecurityGroup),
                On::Named(A::Subnet),
            ])
            // The image determines which device is the root.
            .with_reads(&["DescribeImages"])
        };
        Self::SetMetadata { .. } => {
            Access::ec2("ModifyInstanceMetadataOptions").on(&[On::Owned(A::Instance)])
        };
        Self::SetSourceDestCheck { .. } | Self::SetType { .. } | Self::SetUserData { .. } => {
            Access::ec2("ModifyInstanceAttribute").on(&[On::Owned(A::Instance)])
        };
        Self::SetSecurityGroups { .. } => {
            Access::ec2("ModifyInstanceAttribute")
                .on(&[On::Owned(A::Instance), On::Named(A::SecurityGroup)])
        };
        Self::Stop { .. } => Access::ec2("StopInstances").on(&[On::Owned(A::Instance)]);
        Self::Start { .. } => Access::ec2("StartInstances").on(&[On::Owned(A::Instance)]);
        Self::Terminate { .. } => {
            Access::ec2("TerminateInstances").on(&[On::Owned(A::Instance)]).at_removal()
        };
    }
}

/// Returns what an instance or the version of a launch template names that does not belong to the
/// stack.
pub(super) fn named_of_machine(
    ami: Option<&Ami>,
    security_groups: &[Ref<SecurityGroup>],
    key_name: Option<&str>,
) -> Vec<Named> {
    let image = match ami {
        Some(Ami::Id(image)) => Named::one(image, A::Image),
        // The image that a parameter names is looked up again for each plan.
        Some(Ami::Parameter(_)) | None => Named::any(A::Image),
    };
    // The VPC's default group does not carry the stack's tags.
    let default = security_groups.is_empty().then(|| Named::any(A::SecurityGroup));
    let groups = security_groups.iter();
    let groups = groups.filter_map(|group| Named::by(group, A::SecurityGroup)).chain(default);
    let key_pair = key_name.map(|name| Named::one(name, A::KeyPair));
    [image].into_iter().chain(groups).chain(key_pair).collect()
}

impl Instance {
    fn metadata(&self) -> Metadata {
        let tokens = if self.imdsv2_required { Tokens::Required } else { Tokens::Optional };
        Metadata { tokens, hop_limit: self.imds_hop_limit }
    }
}

impl ResourceType for Instance {
    const COMPUTED: &'static [Computed] = &[
        Computed { name: "id", doc: "The id, `i-...`." },
        Computed { name: "network_interface", doc: "The id of its primary interface, `eni-...`." },
        Computed { name: "private_ip", doc: "The private IPv4 address." },
        Computed { name: "public_ip", doc: "The public IPv4 address, or null." },
        Computed { name: "public_dns", doc: "The public DNS name, or null." },
        Computed { name: "availability_zone", doc: "The Availability Zone." },
    ];
    // A receiver's replacement takes over before the old one goes, unless its address is fixed.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn settled(self, observed: &Self) -> Self {
        // A parameter names the image of a new instance; that it names a newer image by now is not
        // a change.
        let ami = match self.ami {
            Some(Ami::Parameter(_)) => observed.ami.clone(),
            other => other,
        };
        // With no group named, AWS puts it into the VPC's default group.
        let security_groups = if self.security_groups.is_empty() {
            observed.security_groups.clone()
        } else {
            self.security_groups
        };
        // AWS does not report this for a stopped instance.
        let public = if observed.public.is_some() { self.public } else { None };
        // If it is not requested, the account decides; nothing is known of a volume that is not seen.
        let root_encrypted = match observed.root_encrypted {
            Some(_) if self.root_encrypted == Some(true) => Some(true),
            as_it_is => as_it_is,
        };
        Self { ami, security_groups, public, root_encrypted, ..self }
    }

    fn replace_order(&self, observed: &Self) -> ReplaceOrder {
        // An address can belong to only one interface at a time.
        if self.private_ip.is_some() && self.private_ip == observed.private_ip {
            ReplaceOrder::DeleteThenCreate
        } else {
            Self::REPLACE_ORDER
        }
    }

    fn named(&self) -> Vec<Named> {
        let Self { ami, security_groups, key_name, subnet, .. } = self;
        let machine = named_of_machine(ami.as_ref(), security_groups, key_name.as_deref());
        machine.into_iter().chain(Named::by(subnet, A::Subnet)).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self {
            ami,
            instance_type,
            subnet,
            security_groups,
            public,
            private_ip,
            key_name,
            user_data,
            source_dest_check,
            imdsv2_required: _,
            imds_hop_limit: _,
            root_encrypted,
            tags,
        } = self;
        let run = Operation::Run {
            ami: ami.clone().unwrap_or_else(|| Ami::Parameter(Ami::AMAZON_LINUX.to_owned())),
            instance_type: instance_type.clone(),
            subnet: subnet.clone(),
            security_groups: security_groups.clone(),
            public: *public,
            private_ip: *private_ip,
            key_name: key_name.clone(),
            user_data: user_data.clone(),
            metadata: self.metadata(),
            root_encrypted: *root_encrypted == Some(true),
            tags: creation.owned(tags),
        };
        // A new instance has the check on.
        let unchecked = (!source_dest_check)
            .then(|| Operation::SetSourceDestCheck { instance: creation.this(), enabled: false });
        [Some(run), unchecked].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self {
            ami: _,
            instance_type,
            subnet: _,
            security_groups,
            public: _,
            private_ip: _,
            key_name: _,
            user_data,
            source_dest_check,
            imdsv2_required: _,
            imds_hop_limit: _,
            root_encrypted: _,
            tags: _,
        } = self;
        let instance = || this(found);
        let mut operations = Vec::new();
        if *source_dest_check != observed.source_dest_check {
            let enabled = *source_dest_check;
            operations.push(Operation::SetSourceDestCheck { instance: instance(), enabled });
        }
        if self.metadata() != observed.metadata() {
            let metadata = self.metadata();
            operations.push(Operation::SetMetadata { instance: instance(), metadata });
        }
        if *security_groups != observed.security_groups {
            operations.push(Operation::SetSecurityGroups {
                instance: instance(),
                security_groups: security_groups.clone(),
            });
        }
        let mut stopped = Vec::new();
        if *instance_type != observed.instance_type {
            let instance_type = instance_type.clone();
            stopped.push(Operation::SetType { instance: instance(), instance_type });
        }
        if *user_data != observed.user_data {
            let user_data = user_data.clone().unwrap_or_else(|| Input::Known(Secret::text("")));
            stopped.push(Operation::SetUserData { instance: instance(), user_data });
        }
        if !stopped.is_empty() {
            operations.push(Operation::Stop { instance: instance() });
            operations.append(&mut stopped);
            operations.push(Operation::Start { instance: instance() });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Terminate { instance: this(found) }.into()]
    }
}
