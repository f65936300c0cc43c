//! Access: what AWS checks before it accepts a call, in the terms of IAM.
//!
//! Each kind has the table of its calls beside its operations, made with `calls!`; the policies of [`crate::iam`] are
//! built from these tables. A call that is in no table does not compile.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys" for Amazon EC2, for AWS Elastic
//! Load Balancing V2, for Amazon EC2 Auto Scaling and for AWS Resource Access Manager.

use super::Kind;
use crate::attribute::{Ref, Referable};

/// A service, as the actions of a policy name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon EC2.
    Ec2,
    /// Elastic Load Balancing.
    LoadBalancing,
    /// Amazon EC2 Auto Scaling.
    Autoscaling,
    /// AWS Resource Access Manager.
    Sharing,
}

impl Service {
    /// Returns the service that manages the objects of a kind, and their tags.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Vpc
            | Kind::Subnet
            | Kind::InternetGateway
            | Kind::RouteTable
            | Kind::VpcPeering
            | Kind::TransitGatewayAttachment
            | Kind::SecurityGroup
            | Kind::Instance
            | Kind::LaunchTemplate
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::MirrorTarget
            | Kind::MirrorFilter
            | Kind::MirrorSession => Self::Ec2,
            Kind::TargetGroup | Kind::LoadBalancer | Kind::GatewayLoadBalancer => {
                Self::LoadBalancing
            }
            Kind::AutoscalingGroup => Self::Autoscaling,
            Kind::ResourceShare => Self::Sharing,
        }
    }

    /// Returns its name before the colon of an action and in an ARN.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::LoadBalancing => "elasticloadbalancing",
            Self::Autoscaling => "autoscaling",
            Self::Sharing => "ram",
        }
    }
}

/// A type of resource, as IAM defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are IAM's")]
pub enum ArnType {
    Vpc,
    Subnet,
    InternetGateway,
    RouteTable,
    VpcPeeringConnection,
    TransitGateway,
    TransitGatewayAttachment,
    SecurityGroup,
    Instance,
    Volume,
    NetworkInterface,
    Image,
    KeyPair,
    LaunchTemplate,
    VpcEndpoint,
    VpcEndpointService,
    TrafficMirrorTarget,
    TrafficMirrorFilter,
    TrafficMirrorFilterRule,
    TrafficMirrorSession,
    TargetGroup,
    NetworkLoadBalancer,
    NetworkListener,
    GatewayLoadBalancer,
    GatewayListener,
    AutoscalingGroup,
    ResourceShare,
}

impl ArnType {
    /// Returns the service that it belongs to.
    #[must_use]
    pub const fn service(self) -> Service {
        match self {
            Self::TargetGroup
            | Self::NetworkLoadBalancer
            | Self::NetworkListener
            | Self::GatewayLoadBalancer
            | Self::GatewayListener => Service::LoadBalancing,
            Self::AutoscalingGroup => Service::Autoscaling,
            Self::ResourceShare => Service::Sharing,
            _ => Service::Ec2,
        }
    }

    /// Returns the part of its ARNs before the id or name.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Vpc => "vpc/",
            Self::Subnet => "subnet/",
            Self::InternetGateway => "internet-gateway/",
            Self::RouteTable => "route-table/",
            Self::VpcPeeringConnection => "vpc-peering-connection/",
            Self::TransitGateway => "transit-gateway/",
            Self::TransitGatewayAttachment => "transit-gateway-attachment/",
            Self::SecurityGroup => "security-group/",
            Self::Instance => "instance/",
            Self::Volume => "volume/",
            Self::NetworkInterface => "network-interface/",
            Self::Image => "image/",
            Self::KeyPair => "key-pair/",
            Self::LaunchTemplate => "launch-template/",
            Self::VpcEndpoint => "vpc-endpoint/",
            Self::VpcEndpointService => "vpc-endpoint-service/",
            Self::TrafficMirrorTarget => "traffic-mirror-target/",
            Self::TrafficMirrorFilter => "traffic-mirror-filter/",
            Self::TrafficMirrorFilterRule => "traffic-mirror-filter-rule/",
            Self::TrafficMirrorSession => "traffic-mirror-session/",
            Self::TargetGroup => "targetgroup/",
            Self::NetworkLoadBalancer => "loadbalancer/net/",
            Self::NetworkListener => "listener/net/",
            Self::GatewayLoadBalancer => "loadbalancer/gwy/",
            Self::GatewayListener => "listener/gwy/",
            Self::AutoscalingGroup => "autoScalingGroup:*:autoScalingGroupName/",
            Self::ResourceShare => "resource-share/",
        }
    }

    /// Whether stacks create objects of this type, and so own them by their tags.
    #[must_use]
    pub const fn is_owned(self) -> bool {
        !matches!(
            self,
            Self::Image | Self::KeyPair | Self::TransitGateway | Self::TrafficMirrorFilterRule
        )
    }

    /// Whether its ARNs name an account: images may belong to Amazon or to anybody.
    #[must_use]
    pub const fn is_of_an_account(self) -> bool {
        !matches!(self, Self::Image)
    }
}

/// What a call does to something that IAM checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// It creates one, with the ownership tags of the stack.
    New(ArnType),
    /// It creates one with these tags, and IAM checks only the tagging on it.
    Tagged(ArnType),
    /// It has one created from a launch template of the stack.
    Launched(ArnType),
    /// It changes or uses one that carries the ownership tags.
    Owned(ArnType),
    /// It creates, changes or deletes a part that has no tags; the whole is checked as well.
    Part(ArnType),
    /// It uses one that an attribute names, whether it belongs to the stack or not; see [`Named`].
    Named(ArnType),
    /// The same; where no attribute names one, AWS or a plan picks any.
    Chosen(ArnType),
}

/// Which commands send a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// Only those that make the cloud match the stack.
    Making,
    /// Those that delete the stack as well.
    Removing,
}

/// One action of AWS and what is checked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The service of the action.
    pub service: Service,
    /// Its name, which is also the name of the call.
    pub action: &'static str,
    /// What it is checked on; empty for actions that IAM can allow only for everything.
    pub on: &'static [On],
    /// EC2 read actions that go with it: AWS checks them for the caller, or this tool needs them
    /// while it waits.
    pub reads: &'static [&'static str],
    /// Other actions that go with it: AWS checks them for the caller, or this tool needs them while it waits.
    pub dependent: &'static [Self],
    /// When it is sent.
    pub occasion: Occasion,
}

impl Access {
    const fn of(service: Service, action: &'static str) -> Self {
        let (on, reads, dependent) = (&[], &[], &[]);
        Self { service, action, on, reads, dependent, occasion: Occasion::Making }
    }

    /// An action of EC2.
    pub(crate) const fn ec2(action: &'static str) -> Self {
        Self::of(Service::Ec2, action)
    }

    /// An action of Elastic Load Balancing.
    pub(crate) const fn elb(action: &'static str) -> Self {
        Self::of(Service::LoadBalancing, action)
    }

    /// An action of Amazon EC2 Auto Scaling.
    pub(crate) const fn autoscaling(action: &'static str) -> Self {
        Self::of(Service::Autoscaling, action)
    }

    /// An action of AWS Resource Access Manager.
    pub(crate) const fn sharing(action: &'static str) -> Self {
        Self::of(Service::Sharing, action)
    }

    /// Sets what it is checked on.
    pub(crate) const fn on(self, on: &'static [On]) -> Self {
        Self { on, ..self }
    }

    /// Sets the EC2 read actions that go with it.
    pub(crate) const fn with_reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    /// Sets the other actions that go with it.
    pub(crate) const fn with_dependent(self, dependent: &'static [Self]) -> Self {
        Self { dependent, ..self }
    }

    /// Whether the call can be sent as a dry run.
    ///
    /// Source: EC2, ELBv2, Amazon EC2 Auto Scaling and AWS RAM API references, the parameters of each action.
    #[must_use]
    pub fn takes_dry_run(&self) -> bool {
        match self.service {
            Service::Ec2 => !matches!(self.action, "ModifySubnetAttribute" | "ModifyVpcAttribute"),
            Service::LoadBalancing | Service::Autoscaling | Service::Sharing => false,
        }
    }

    /// Marks it as sent when the stack is deleted, too.
    pub(crate) const fn at_removal(self) -> Self {
        Self { occasion: Occasion::Removing, ..self }
    }
}

/// Makes the table of a kind's calls, in the `impl` of its `Operation`: a row for each pattern.
macro_rules! calls {
    ($($pattern:pat => $access:expr;)+) => {
        /// Every call of this kind, with what IAM checks for it.
        pub(super) const CALLS: &'static [$crate::resource::access::Access] = &[$($access,)+];

        /// What IAM checks for it.
        pub(super) fn access(&self) -> &'static $crate::resource::access::Access {
            match self {
                $($pattern => const { &$access },)+
            }
        }
    };
}
pub(super) use calls;

/// Something that does not belong to the stack, but that an attribute names and IAM checks when it
/// is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// What it is.
    pub of: ArnType,
    /// Which one.
    pub which: Which,
}

/// Which one of its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The one with this id or name.
    One(String),
    /// One that is not known before it is used.
    Any,
}

impl Named {
    /// What a reference names, unless it is the stack's own.
    pub(crate) fn by<T: Referable>(reference: &Ref<T>, of: ArnType) -> Option<Self> {
        match reference {
            Ref::To(_) => None,
            Ref::Id(id) => Some(Self::one(id, of)),
        }
    }

    /// The one with this id or name.
    pub(crate) fn one(name: impl ToString, of: ArnType) -> Self {
        Self { of, which: Which::One(name.to_string()) }
    }

    /// One that is not known before it is used.
    pub(crate) const fn any(of: ArnType) -> Self {
        Self { of, which: Which::Any }
    }
}

/// The calls that find what a stack owns, whatever it contains.
pub const SWEEP: &[Access] = &[
    Access::ec2("DescribeTags").at_removal(),
    Access::autoscaling("DescribeAutoScalingGroups").at_removal(),
    Access::elb("DescribeLoadBalancers").at_removal(),
    Access::elb("DescribeTags").at_removal(),
    Access::elb("DescribeTargetGroups").at_removal(),
    Access::sharing("GetResourceShares").at_removal(),
];

/// The calls that find the interfaces of `sources`.
pub const SOURCES: &[Access] = &[
    Access::ec2("DescribeInstances"),
    Access::ec2("DescribeNetworkInterfaces"),
    Access::ec2("DescribeTrafficMirrorTargets"),
];

/// The calls that find the network ACLs that may block what a stack mirrors.
pub const NETWORK_ACLS: &[Access] = &[Access::ec2("DescribeNetworkAcls")];

/// The calls that find what others have in an object of a kind, before the object is deleted.
#[must_use]
pub const fn occupancy(kind: Kind) -> &'static [Access] {
    const INTERFACES: &[Access] =
        &[Access::ec2("DescribeNetworkInterfaces"), Access::ec2("DescribeInstances")];
    match kind {
        Kind::Vpc => {
            const {
                &[
                    Access::ec2("DescribeNetworkInterfaces"),
                    Access::ec2("DescribeInstances"),
                    Access::ec2("DescribeSubnets"),
                    Access::ec2("DescribeSecurityGroups"),
                    Access::ec2("DescribeRouteTables"),
                    Access::ec2("DescribeInternetGateways"),
                ]
            }
        }
        Kind::Subnet | Kind::SecurityGroup | Kind::InternetGateway => INTERFACES,
        Kind::MirrorTarget | Kind::MirrorFilter => {
            const { &[Access::ec2("DescribeTrafficMirrorSessions")] }
        }
        Kind::RouteTable
        | Kind::VpcPeering
        | Kind::TransitGatewayAttachment
        | Kind::Instance
        | Kind::LaunchTemplate
        | Kind::TargetGroup
        | Kind::AutoscalingGroup
        | Kind::LoadBalancer
        | Kind::GatewayLoadBalancer
        | Kind::EndpointService
        | Kind::GatewayLoadBalancerEndpoint
        | Kind::MirrorSession
        | Kind::ResourceShare => &[],
    }
}

const LAUNCH_TEMPLATES: &[Access] = &[
    Access::ec2("DescribeLaunchTemplates").at_removal(),
    Access::ec2("DescribeLaunchTemplateVersions").at_removal(),
];

/// The calls that read what a stack owns of a kind.
///
/// The attributes of an instance contain its user data, so they are read only for the stack's own
/// instances.
#[must_use]
pub const fn reading(kind: Kind) -> &'static [Access] {
    use ArnType::{Instance, Vpc, VpcEndpointService};
    use On::Owned;
    match kind {
        Kind::Vpc => {
            const {
                &[
                    Access::ec2("DescribeVpcs").at_removal(),
                    Access::ec2("DescribeVpcAttribute").on(&[Owned(Vpc)]).at_removal(),
                ]
            }
        }
        Kind::Subnet => const { &[Access::ec2("DescribeSubnets").at_removal()] },
        Kind::InternetGateway => const { &[Access::ec2("DescribeInternetGateways").at_removal()] },
        Kind::RouteTable => const { &[Access::ec2("DescribeRouteTables").at_removal()] },
        Kind::VpcPeering => const { &[Access::ec2("DescribeVpcPeeringConnections").at_removal()] },
        Kind::TransitGatewayAttachment => {
            const { &[Access::ec2("DescribeTransitGatewayVpcAttachments").at_removal()] }
        }
        Kind::SecurityGroup => const { &[Access::ec2("DescribeSecurityGroups").at_removal()] },
        Kind::Instance => {
            const {
                &[
                    Access::ec2("DescribeInstances").at_removal(),
                    Access::ec2("DescribeInstanceAttribute").on(&[Owned(Instance)]).at_removal(),
                    Access::ec2("DescribeVolumes").at_removal(),
                ]
            }
        }
        Kind::LaunchTemplate => LAUNCH_TEMPLATES,
        // The sweep reads them.
        Kind::AutoscalingGroup => &[],
        Kind::TargetGroup => {
            const {
                &[
                    Access::elb("DescribeTargetGroupAttributes").at_removal(),
                    Access::elb("DescribeTargetHealth").at_removal(),
                ]
            }
        }
        Kind::EndpointService => {
            const {
                &[
                    Access::ec2("DescribeVpcEndpointServiceConfigurations").at_removal(),
                    Access::ec2("DescribeVpcEndpointServicePermissions")
                        .on(&[Owned(VpcEndpointService)])
                        .at_removal(),
                ]
            }
        }
        Kind::GatewayLoadBalancerEndpoint => {
            const { &[Access::ec2("DescribeVpcEndpoints").at_removal()] }
        }
        Kind::LoadBalancer | Kind::GatewayLoadBalancer => {
            const {
                &[
                    Access::elb("DescribeListeners").at_removal(),
                    Access::elb("DescribeLoadBalancerAttributes").at_removal(),
                ]
            }
        }
        Kind::MirrorTarget => const { &[Access::ec2("DescribeTrafficMirrorTargets").at_removal()] },
        Kind::MirrorFilter => const { &[Access::ec2("DescribeTrafficMirrorFilters").at_removal()] },
        Kind::MirrorSession => {
            const { &[Access::ec2("DescribeTrafficMirrorSessions").at_removal()] }
        }
        Kind::ResourceShare => {
            const { &[Access::sharing("GetResourceShareAssociations").at_removal()] }
        }
    }
}

/// The calls that change the tags of an object of a kind; see [`super::Retag`].
#[must_use]
pub const fn retagging(kind: Kind) -> &'static [Access] {
    use ArnType as A;
    use On::Owned;
    /// The two calls of EC2 on one type.
    macro_rules! ec2 {
        ($of:ident) => {
            const {
                &[
                    Access::ec2("CreateTags").on(&[Owned(A::$of)]),
                    Access::ec2("DeleteTags").on(&[Owned(A::$of)]),
                ]
            }
        };
    }
    /// The two calls of Amazon EC2 Auto Scaling.
    const AUTOSCALING: &[Access] = &[
        Access::autoscaling("CreateOrUpdateTags").on(&[Owned(A::AutoscalingGroup)]),
        Access::autoscaling("DeleteTags").on(&[Owned(A::AutoscalingGroup)]),
    ];
    /// The two calls of AWS Resource Access Manager.
    const SHARING: &[Access] = &[
        Access::sharing("TagResource").on(&[Owned(A::ResourceShare)]),
        Access::sharing("UntagResource").on(&[Owned(A::ResourceShare)]),
    ];
    /// The two calls of Elastic Load Balancing on one type.
    macro_rules! elb {
        ($of:ident) => {
            const {
                &[
                    Access::elb("AddTags").on(&[Owned(A::$of)]),
                    Access::elb("RemoveTags").on(&[Owned(A::$of)]),
                ]
            }
        };
    }
    match kind {
        Kind::Vpc => ec2!(Vpc),
        Kind::Subnet => ec2!(Subnet),
        Kind::InternetGateway => ec2!(InternetGateway),
        Kind::RouteTable => ec2!(RouteTable),
        Kind::VpcPeering => ec2!(VpcPeeringConnection),
        Kind::TransitGatewayAttachment => ec2!(TransitGatewayAttachment),
        Kind::SecurityGroup => ec2!(SecurityGroup),
        Kind::Instance => ec2!(Instance),
        Kind::MirrorTarget => ec2!(TrafficMirrorTarget),
        Kind::MirrorFilter => ec2!(TrafficMirrorFilter),
        Kind::MirrorSession => ec2!(TrafficMirrorSession),
        Kind::LaunchTemplate => ec2!(LaunchTemplate),
        Kind::AutoscalingGroup => AUTOSCALING,
        Kind::ResourceShare => SHARING,
        Kind::TargetGroup => elb!(TargetGroup),
        Kind::LoadBalancer => elb!(NetworkLoadBalancer),
        Kind::GatewayLoadBalancer => elb!(GatewayLoadBalancer),
        Kind::EndpointService => ec2!(VpcEndpointService),
        Kind::GatewayLoadBalancerEndpoint => ec2!(VpcEndpoint),
    }
}
