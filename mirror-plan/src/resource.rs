//! Resources: what the user can declare, one file per kind.
//!
//! A kind's file holds everything specific to it: its attributes, what AWS adds by itself, which calls create, change
//! and delete it ([`Operation`]), and what those calls wait for. It decides; [`crate::aws`] only sends. To add a
//! kind: a row in [`Kind`], a file here, its two files in `aws/`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::{Address, Kind};
use crate::attribute::{
    AttributeType, Input, Object, ObjectType, ProblemSort, Problems, Ref, Referable,
};
use crate::id::{Id, IdError, Identified, ObjectId};
use crate::observed::Found;
use crate::scalar::AccountName;
use crate::value::{Origin, Path, Secret, Value};

pub mod access;
pub mod autoscaling_group;
pub(crate) mod claim;
pub mod endpoint_service;
pub mod gateway_load_balancer;
pub mod gateway_load_balancer_endpoint;
mod image;
pub mod instance;
pub mod internet_gateway;
pub mod launch_template;
pub mod load_balancer;
pub mod mirror_filter;
pub mod mirror_session;
pub mod mirror_target;
mod name;
pub(crate) mod part;
mod repeat;
pub mod resource_share;
mod retag;
pub mod route_table;
pub mod security_group;
pub mod subnet;
pub mod target_group;
pub mod transit_gateway_attachment;
pub mod vpc;
pub mod vpc_peering;

pub use access::{Access, Named};
pub use autoscaling_group::AutoscalingGroup;
pub use endpoint_service::EndpointService;
pub use gateway_load_balancer::GatewayLoadBalancer;
pub use gateway_load_balancer_endpoint::GatewayLoadBalancerEndpoint;
pub use instance::Instance;
pub use internet_gateway::InternetGateway;
pub use launch_template::LaunchTemplate;
pub use load_balancer::LoadBalancer;
pub use mirror_filter::MirrorFilter;
pub use mirror_session::MirrorSession;
pub use mirror_target::MirrorTarget;
pub(crate) use part::part;
pub use repeat::Repeat;
pub use resource_share::ResourceShare;
pub use retag::Retag;
pub use route_table::RouteTable;
pub use security_group::SecurityGroup;
pub use subnet::Subnet;
pub use target_group::TargetGroup;
pub use transit_gateway_attachment::TransitGatewayAttachment;
pub use vpc::Vpc;
pub use vpc_peering::VpcPeering;

/// Tags of an AWS object.
pub type Tags = BTreeMap<String, String>;

/// An attribute whose value only AWS knows, such as an address it assigned.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// Its name in references: the `public_ip` of `instance.web.public_ip`.
    pub name: &'static str,
    /// What it is; the reference pages print it.
    pub doc: &'static str,
}

/// Which comes first when an object must be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaceOrder {
    /// The new object is created, what used the old one is moved over, the old one is deleted: no
    /// gap.
    CreateThenDelete,
    /// The old object is deleted first, because AWS does not allow a second one beside it.
    DeleteThenCreate,
}

/// How far along a resource must be before a call may refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// It exists and has its id.
    Made,
    /// All calls of its creation are done: a filter, for example, has its rules.
    Finished,
}

/// What a call refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The resource.
    pub address: Address,
    /// How far along it must be.
    pub readiness: Readiness,
}

/// What all calls that create one object have in common.
#[derive(Clone, Debug)]
pub struct Creation<'p> {
    /// The address of the resource.
    pub address: &'p Address,
    /// The stack it belongs to.
    pub stack: &'p str,
    /// 1 for the first object of the address, one more for each replacement.
    pub generation: u32,
}

impl Creation<'_> {
    /// A reference to the object that is being made.
    #[must_use]
    pub fn this<T: Referable>(&self) -> Ref<T> {
        Ref::To(self.address.clone())
    }

    /// Returns `tags` and the ownership tags, as the create call sends them.
    #[must_use]
    pub fn owned(&self, tags: &Tags) -> Tags {
        let Self { address, stack, generation } = self;
        let ownership = [
            (tag::STACK, (*stack).to_owned()),
            (tag::ADDRESS, address.to_string()),
            (tag::GENERATION, generation.to_string()),
        ];
        let mut all = tags.clone();
        all.extend(ownership.map(|(key, value)| (key.to_owned(), value)));
        all
    }

    /// Returns a name for kinds whose names are unique: `lab-sensors`, `lab-sensors-2` for its replacement.
    #[must_use]
    pub fn unique_name(&self) -> (String, String) {
        let key = match &self.address.key {
            None => String::new(),
            Some(key) => format!("-{}", key.to_string().trim_matches(['[', ']', '"'])),
        };
        let suffix =
            if self.generation > 1 { format!("-{}", self.generation) } else { String::new() };
        (format!("{}-{}{key}", self.stack, self.address.name), suffix)
    }
}

/// The ownership tags: the cloud is the state, and these tags are its index.
pub mod tag {
    /// Which stack owns the object. A stack's name is unique in an account and Region.
    pub const STACK: &str = "mirror-plan:stack";
    /// Which resource of the stack it is.
    pub const ADDRESS: &str = "mirror-plan:address";
    /// How many objects the address has had, including this one.
    pub const GENERATION: &str = "mirror-plan:gen";
    /// What the console shows.
    pub const NAME: &str = "Name";
    /// The Auto Scaling group that started an instance: AWS sets it on the instance, and nobody else can.
    ///
    /// Source: Amazon EC2 Auto Scaling user guide, "Tag Auto Scaling groups and instances".
    pub const GROUP: &str = "aws:autoscaling:groupName";

    /// Whether a tag belongs to the tool or to AWS, so that users must not set it.
    #[must_use]
    pub fn is_reserved(key: &str) -> bool {
        key.starts_with("mirror-plan:") || key.starts_with("aws:")
    }
}

/// A kind of resource: what it is, and how it is created, changed and deleted.
pub trait ResourceType: Object + Identified + Referable + Clone + PartialEq {
    /// The attributes that only AWS knows, `id` first.
    const COMPUTED: &'static [Computed];
    /// Which comes first when it is replaced.
    const REPLACE_ORDER: ReplaceOrder;

    /// Reports what is wrong with attributes that are each valid on their own.
    fn check(&self, problems: &mut Problems) {
        let _ = problems;
    }

    /// Returns it with what AWS puts in place of absent values, so that those show as no difference.
    #[must_use]
    fn settled(self, observed: &Self) -> Self {
        let _ = observed;
        self
    }

    /// Returns it with what this tool chooses where the stack leaves it open, such as a name that
    /// is free.
    #[must_use]
    fn chosen(self, creation: &Creation<'_>) -> Self {
        let _ = creation;
        self
    }

    /// Returns it with what a replacement takes over from `observed` though AWS would choose it
    /// anew.
    #[must_use]
    fn inheriting(self, observed: &Self) -> Self {
        let _ = observed;
        self
    }

    /// Returns the order in which this replaces `observed`.
    fn replace_order(&self, observed: &Self) -> ReplaceOrder {
        let _ = observed;
        Self::REPLACE_ORDER
    }

    /// Returns the name that keeps AWS from accepting this beside `observed`, if one does.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let _ = observed;
        None
    }

    /// Returns the attributes whose change from `observed` to this requires a new object, though
    /// such a change usually does not.
    fn replaces_also(&self, observed: &Self) -> Vec<&'static str> {
        let _ = observed;
        Vec::new()
    }

    /// Returns what its attributes name that does not belong to the stack and that IAM checks when
    /// it is used.
    fn named(&self) -> Vec<Named> {
        Vec::new()
    }

    /// Returns what it leads to outside the stack: IAM does not check it, but AWS refuses what does not exist.
    fn leads_to(&self) -> Vec<Named> {
        Vec::new()
    }

    /// Returns the calls that create it, in order; the first one creates the object.
    fn create(&self, creation: &Creation<'_>) -> Vec<Operation>;

    /// Returns the calls that turn `found`, which is `observed`, into this, in order. `creation` is
    /// for the parts that are created on the way.
    fn update(&self, observed: &Self, found: &Found, creation: &Creation<'_>) -> Vec<Operation>;

    /// Returns the calls that delete `found`, which is this, in order.
    fn delete(&self, found: &Found) -> Vec<Operation>;
}

/// Declares the enums over all kinds and the matches that forward to the kind's own implementation.
macro_rules! kinds {
    ($($kind:ident: $module:ident made by $make:ident;)+) => {
        /// A declared or observed resource of any kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Resource {
            $(
                #[doc = concat!("See [`", stringify!($kind), "`].")]
                $kind($kind),
            )+
        }

        /// One mutating call to AWS, with all its parameters; [`Ref::To`] and
        /// [`Input::Later`](crate::attribute::Input::Later) are filled in when it is sent.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation {
            $(
                #[doc = concat!("See [`", stringify!($module), "::Operation`].")]
                $kind($module::Operation),
            )+
        }

        $(
            impl From<$kind> for Resource {
                fn from(resource: $kind) -> Self {
                    Self::$kind(resource)
                }
            }

            impl From<$module::Operation> for Operation {
                fn from(operation: $module::Operation) -> Self {
                    Self::$kind(operation)
                }
            }
        )+

        impl Resource {
            /// Its kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)+ }
            }

            /// Its attributes as an object.
            #[must_use]
            pub fn to_value(&self) -> Value {
                match self { $(Self::$kind(resource) => resource.to_value(),)+ }
            }

            /// Reads a resource of `kind` from an object of attributes, and checks the attributes
            /// together.
            pub fn read(kind: Kind, value: &Value, problems: &mut Problems) -> Option<Self> {
                match kind {
                    $(Kind::$kind => {
                        let resource = $kind::read(value, &Path::default(), problems)?;
                        resource.check(problems);
                        Some(Self::$kind(resource))
                    })+
                }
            }

            /// Checks the attributes together.
            pub fn check(&self, problems: &mut Problems) {
                match self { $(Self::$kind(resource) => resource.check(problems),)+ }
            }

            /// The tags that the user gave it.
            #[must_use]
            pub fn tags(&self) -> &Tags {
                match self { $(Self::$kind(resource) => &resource.tags,)+ }
            }

            /// The tags that the user gave it.
            pub fn tags_mut(&mut self) -> &mut Tags {
                match self { $(Self::$kind(resource) => &mut resource.tags,)+ }
            }

            /// See [`ResourceType::settled`]; unchanged if `observed` is of another kind.
            #[must_use]
            pub fn settled(self, observed: &Self) -> Self {
                match (self, observed) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        Self::$kind(resource.settled(observed))
                    })+
                    (other, _) => other,
                }
            }

            /// See [`ResourceType::chosen`].
            #[must_use]
            pub fn chosen(self, creation: &Creation<'_>) -> Self {
                match self { $(Self::$kind(resource) => Self::$kind(resource.chosen(creation)),)+ }
            }

            /// See [`ResourceType::inheriting`]; unchanged if `observed` is of another kind.
            #[must_use]
            pub fn inheriting(self, observed: &Self) -> Self {
                match (self, observed) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        Self::$kind(resource.inheriting(observed))
                    })+
                    (other, _) => other,
                }
            }

            /// See [`ResourceType::replace_order`].
            #[must_use]
            pub fn replace_order(&self, observed: &Self) -> ReplaceOrder {
                match (self, observed) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        resource.replace_order(observed)
                    })+
                    _ => ReplaceOrder::DeleteThenCreate,
                }
            }

            /// See [`ResourceType::name_in_the_way`].
            #[must_use]
            pub fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
                match (self, observed) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        resource.name_in_the_way(observed)
                    })+
                    _ => None,
                }
            }

            /// See [`ResourceType::replaces_also`].
            #[must_use]
            pub fn replaces_also(&self, observed: &Self) -> Vec<&'static str> {
                match (self, observed) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        resource.replaces_also(observed)
                    })+
                    _ => Vec::new(),
                }
            }

            /// See [`ResourceType::named`].
            #[must_use]
            pub fn named(&self) -> Vec<Named> {
                match self { $(Self::$kind(resource) => resource.named(),)+ }
            }

            /// See [`ResourceType::leads_to`].
            #[must_use]
            pub fn leads_to(&self) -> Vec<Named> {
                match self { $(Self::$kind(resource) => resource.leads_to(),)+ }
            }

            /// See [`ResourceType::create`].
            #[must_use]
            pub fn create(&self, creation: &Creation<'_>) -> Vec<Operation> {
                match self { $(Self::$kind(resource) => resource.create(creation),)+ }
            }

            /// See [`ResourceType::update`]. Tags are left to [`Retag`].
            #[must_use]
            pub fn update(&self, found: &Found, creation: &Creation<'_>) -> Vec<Operation> {
                match (self, &found.resource) {
                    $((Self::$kind(resource), Self::$kind(observed)) => {
                        resource.update(observed, found, creation)
                    })+
                    _ => Vec::new(),
                }
            }

            /// See [`ResourceType::delete`].
            #[must_use]
            pub fn delete(&self, found: &Found) -> Vec<Operation> {
                match self { $(Self::$kind(resource) => resource.delete(found),)+ }
            }
        }

        impl Operation {
            /// Returns what it refers to and therefore waits for.
            #[must_use]
            pub fn needs(&self) -> BTreeSet<Need> {
                match self { $(Self::$kind(operation) => operation.needs(),)+ }
            }

            /// The name of the call in AWS's API.
            #[must_use]
            pub fn call(&self) -> &'static str {
                self.access().action
            }

            /// What IAM checks for it.
            #[must_use]
            pub fn access(&self) -> &'static Access {
                match self { $(Self::$kind(operation) => operation.access(),)+ }
            }

            /// The account with whose credentials it is sent, if not with the stack's own.
            #[must_use]
            pub fn sent_as(&self) -> Option<&AccountName> {
                match self {
                    Self::VpcPeering(operation) => operation.sent_as(),
                    _ => None,
                }
            }

            /// Returns the tags of the object that it creates, including the ownership tags; `None`
            /// if it creates none.
            #[must_use]
            pub fn makes(&self) -> Option<&Tags> {
                match self {
                    $(Self::$kind($module::Operation::$make { tags, .. }) => Some(tags),)+
                    _ => None,
                }
            }
        }

        /// Every call about a kind, with what IAM checks for it.
        #[must_use]
        pub const fn calls(kind: Kind) -> &'static [Access] {
            match kind { $(Kind::$kind => $module::Operation::CALLS,)+ }
        }

        /// What the schema contains about a kind.
        #[must_use]
        pub fn object_type(kind: Kind) -> &'static ObjectType {
            match kind { $(Kind::$kind => const { &<$kind as Object>::OBJECT },)+ }
        }

        /// Parses the id of an object of a kind.
        pub fn id_of(kind: Kind, text: &str) -> Result<ObjectId, IdError> {
            match kind { $(Kind::$kind => text.parse::<Id<$kind>>().map(|id| id.erase()),)+ }
        }

        /// Whether an id is one of a kind.
        pub(crate) fn is_id_of(kind: Kind, id: &ObjectId) -> Result<(), IdError> {
            match kind { $(Kind::$kind => id.of::<$kind>().map(drop),)+ }
        }

        /// The attributes of a kind that only AWS knows.
        #[must_use]
        pub fn computed(kind: Kind) -> &'static [Computed] {
            match kind { $(Kind::$kind => <$kind as ResourceType>::COMPUTED,)+ }
        }

        $(
            impl Referable for $kind {
                const KIND: Kind = Kind::$kind;
            }
        )+
    };
}

kinds! {
    Vpc: vpc made by Create;
    Subnet: subnet made by Create;
    InternetGateway: internet_gateway made by Create;
    RouteTable: route_table made by Create;
    VpcPeering: vpc_peering made by Create;
    TransitGatewayAttachment: transit_gateway_attachment made by Create;
    SecurityGroup: security_group made by Create;
    Instance: instance made by Run;
    LaunchTemplate: launch_template made by Create;
    TargetGroup: target_group made by Create;
    AutoscalingGroup: autoscaling_group made by Create;
    LoadBalancer: load_balancer made by Create;
    GatewayLoadBalancer: gateway_load_balancer made by Create;
    EndpointService: endpoint_service made by Create;
    GatewayLoadBalancerEndpoint: gateway_load_balancer_endpoint made by Create;
    MirrorTarget: mirror_target made by Create;
    MirrorFilter: mirror_filter made by Create;
    MirrorSession: mirror_session made by Create;
    ResourceShare: resource_share made by Create;
}

impl Operation {
    /// Returns the same call with other secrets: only instances and launch templates have any, their user data.
    #[must_use]
    pub(crate) fn with_secrets(self, change: impl FnOnce(Input<Secret>) -> Input<Secret>) -> Self {
        match self {
            Self::Instance(operation) => Self::Instance(operation.with_secrets(change)),
            Self::LaunchTemplate(operation) => Self::LaunchTemplate(operation.with_secrets(change)),
            other => other,
        }
    }
}

impl Resource {
    /// Its attributes, by name.
    pub(crate) fn attributes(&self) -> BTreeMap<String, Value> {
        match self.to_value() {
            Value::Object(attributes) => attributes,
            _ => unreachable!("a resource is an object"),
        }
    }

    /// Every attribute of another resource that one of its own depends on.
    #[must_use]
    pub fn origins(&self) -> BTreeSet<Origin> {
        let mut origins = BTreeSet::new();
        self.to_value().collect_origins(&mut origins);
        origins
    }
}

/// The address that a reference needs, at the given readiness.
pub(crate) fn need<T: Referable>(reference: &Ref<T>, readiness: Readiness) -> Option<Need> {
    match reference {
        Ref::To(address) => Some(Need { address: address.clone(), readiness }),
        Ref::Id(_) => None,
    }
}

/// Returns the addresses needed by a value that is filled in later.
pub(crate) fn needs_of(value: &impl AttributeType) -> impl Iterator<Item = Need> {
    let mut origins = BTreeSet::new();
    value.to_value().collect_origins(&mut origins);
    origins.into_iter().map(|origin| Need { address: origin.address, readiness: Readiness::Made })
}

/// A reference to the object that was found.
///
/// # Panics
/// If `found` has an id of another kind: [`crate::aws`] parses every id by its kind.
pub(crate) fn this<T: Referable>(found: &Found) -> Ref<T> {
    Ref::Id(found.id.of().expect("an observed id was parsed as one of its kind"))
}

/// Returns those of `these` that are not among `those`.
pub(crate) fn without<T: Clone + PartialEq>(these: &[T], those: &[T]) -> Vec<T> {
    these.iter().filter(|one| !those.contains(one)).cloned().collect()
}

/// Reports keys that appear more than once.
pub(crate) fn refuse_duplicates<K: Ord + std::fmt::Display>(
    problems: &mut Problems,
    attribute: &str,
    keys: impl IntoIterator<Item = K>,
) {
    let mut seen = BTreeSet::new();
    for key in keys {
        if seen.contains(&key) {
            let at = Path::default().member(attribute);
            problems.add(ProblemSort::Value, &at, format!("{key} appears twice in `{attribute}`"));
        }
        seen.insert(key);
    }
}
