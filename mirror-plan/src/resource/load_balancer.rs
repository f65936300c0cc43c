//! The Network Load Balancer: one address in front of many receivers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, SecurityGroup, Subnet, Tags,
    TargetGroup, need, part, refuse_duplicates, this,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified, ObjectId};
use crate::observed::Found;
use crate::scalar::{ElbName, ElbProtocol, Port, Scheme};
use crate::value::Path;

object! {
    /// What a load balancer listens on, and which target group it forwards to.
    pub struct Listener("listener") by(port) {
        /// The port; mirrored packets arrive at 4789.
        port: Port => default(super::target_group::VXLAN), Update;
        /// The protocol; VXLAN is UDP. A TCP listener carries no VXLAN, without an error.
        protocol: ElbProtocol => default(ElbProtocol::Udp), Update;
        /// The target group that it forwards to. A target group serves one load balancer.
        target_group: Ref<TargetGroup> => required, Update;
    }
}

object! {
    /// A Network Load Balancer with its listeners.
    pub struct LoadBalancer("Network Load Balancer") {
        /// The name, unique in the account and Region. Best left out: the tool then picks one and can
        /// replace the load balancer without a gap.
        name: Option<ElbName> => chosen, Replace;
        /// From where it can be reached.
        scheme: Scheme => default(Scheme::Internal), Replace;
        /// Its subnets, one for each Availability Zone.
        subnets: Vec<Ref<Subnet>> => required, Update;
        /// Its security groups. A load balancer created without any can never get one.
        security_groups: Vec<Ref<SecurityGroup>> => default(Vec::new()), Update;
        /// Whether each of its nodes sends to targets in every zone, not only in its own.
        cross_zone: bool => default(false), Update;
        /// Whether AWS refuses to delete it.
        deletion_protection: bool => default(false), Update;
        /// What it listens on.
        listeners: Vec<Listener> => default(Vec::new()), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The ARN of a load balancer.
pub type LoadBalancerArn = Id<LoadBalancer>;

impl Identified for LoadBalancer {
    const TITLE: &'static str = "Network Load Balancer";
    const FORM: IdForm = IdForm::balancing("loadbalancer/net/");
}

impl Listener {
    /// Whether mirrored packets can reach it: they are VXLAN, which is UDP.
    #[must_use]
    pub fn takes_mirrored(&self) -> bool {
        let is_udp = matches!(self.protocol, ElbProtocol::Udp | ElbProtocol::TcpUdp);
        is_udp && self.port == super::target_group::VXLAN
    }
}

impl ElbProtocol {
    /// Whether AWS accepts a listener of this protocol with a target group of another one.
    ///
    /// Source: Network Load Balancer guide, "Target groups".
    #[must_use]
    pub const fn forwards_to(self, group: Self) -> bool {
        match self {
            Self::Udp => matches!(group, Self::Udp | Self::TcpUdp),
            Self::Tcp => matches!(group, Self::Tcp | Self::TcpUdp),
            Self::TcpUdp => matches!(group, Self::TcpUdp),
            Self::Tls => matches!(group, Self::Tls | Self::Tcp),
            Self::Geneve => false,
        }
    }
}

/// A call about a load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateLoadBalancer`, then waiting until it is active.
    Create {
        /// Its name.
        name: ElbName,
        /// Where it can be reached from.
        scheme: Scheme,
        /// Its subnets.
        subnets: Vec<Ref<Subnet>>,
        /// Its security groups.
        security_groups: Vec<Ref<SecurityGroup>>,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyLoadBalancerAttributes`.
    SetAttributes {
        /// Which.
        load_balancer: Ref<LoadBalancer>,
        /// Whether it sends to targets in every zone.
        cross_zone: bool,
        /// Whether AWS refuses to delete it.
        deletion_protection: bool,
    },
    /// `SetSubnets`.
    SetSubnets {
        /// Which.
        load_balancer: Ref<LoadBalancer>,
        /// All subnets from now on.
        subnets: Vec<Ref<Subnet>>,
    },
    /// `SetSecurityGroups`.
    SetSecurityGroups {
        /// Which.
        load_balancer: Ref<LoadBalancer>,
        /// All groups from now on; never empty.
        security_groups: Vec<Ref<SecurityGroup>>,
    },
    /// `CreateListener`.
    CreateListener {
        /// Where.
        load_balancer: Ref<LoadBalancer>,
        /// What.
        listener: Listener,
        /// The ownership tags, by which IAM knows whose listener it is.
        tags: Tags,
    },
    /// `ModifyListener`.
    ModifyListener {
        /// Which, by its ARN.
        arn: ObjectId,
        /// What it is from now on.
        listener: Listener,
    },
    /// `DeleteListener`.
    DeleteListener {
        /// Which, by its ARN.
        arn: ObjectId,
    },
    /// `DeleteLoadBalancer`, then waiting until its network interfaces are deleted too: they keep
    /// the subnet, the security groups and the VPC from being deleted.
    Delete {
        /// Which.
        load_balancer: Ref<LoadBalancer>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let made = |load_balancer| need(load_balancer, Readiness::Made);
        match self {
            Self::Create { name: _, scheme: _, subnets, security_groups, tags: _ } => {
                let subnets = subnets.iter().map(|subnet| need(subnet, Readiness::Made));
                let groups = security_groups.iter().map(|group| need(group, Readiness::Made));
                subnets.chain(groups).flatten().collect()
            }
            Self::SetSubnets { load_balancer, subnets } => {
                let subnets = subnets.iter().map(|subnet| need(subnet, Readiness::Made));
                [made(load_balancer)].into_iter().chain(subnets).flatten().collect()
            }
            Self::SetSecurityGroups { load_balancer, security_groups } => {
                let groups = security_groups.iter().map(|group| need(group, Readiness::Made));
                [made(load_balancer)].into_iter().chain(groups).flatten().collect()
            }
            Self::CreateListener { load_balancer, listener, tags: _ } => {
                let Listener { port: _, protocol: _, target_group } = listener;
                [made(load_balancer), need(target_group, Readiness::Made)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Self::ModifyListener { arn: _, listener } => {
                need(&listener.target_group, Readiness::Made).into_iter().collect()
            }
            Self::DeleteListener { arn: _ } => BTreeSet::new(),
            Self::SetAttributes { load_balancer, cross_zone: _, deletion_protection: _ }
            | Self::Delete { load_balancer } => made(load_balancer).into_iter().collect(),
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::elb("CreateLoadBalancer").on(&[On::New(A::NetworkLoadBalancer)]).with_reads(&[
                "DescribeAccountAttributes",
                "DescribeAddresses",
                "DescribeInternetGateways",
                "DescribeSecurityGroups",
                "DescribeSubnets",
                "DescribeVpcs",
            ])
        };
        Self::SetAttributes { .. } => {
            Access::elb("ModifyLoadBalancerAttributes")
                .on(&[On::Owned(A::NetworkLoadBalancer)])
                .at_removal()
        };
        Self::SetSubnets { .. } => {
            Access::elb("SetSubnets")
                .on(&[On::Owned(A::NetworkLoadBalancer)])
                .with_reads(&["DescribeSubnets"])
        };
        Self::SetSecurityGroups { .. } => {
            Access::elb("SetSecurityGroups").on(&[On::Owned(A::NetworkLoadBalancer)])
        };
        Self::CreateListener { .. } => {
            Access::elb("CreateListener")
                .on(&[On::Owned(A::NetworkLoadBalancer), On::Tagged(A::NetworkListener)])
        };
        Self::ModifyListener { .. } => {
            Access::elb("ModifyListener").on(&[On::Owned(A::NetworkListener)])
        };
        Self::DeleteListener { .. } => {
            Access::elb("DeleteListener").on(&[On::Owned(A::NetworkListener)]).at_removal()
        };
        Self::Delete { .. } => {
            Access::elb("DeleteLoadBalancer")
                .on(&[On::Owned(A::NetworkLoadBalancer)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
    }
}

impl ResourceType for LoadBalancer {
    const COMPUTED: &'static [Computed] = &[
        Computed { name: "id", doc: "The ARN." },
        Computed { name: "arn", doc: "The ARN." },
        Computed { name: "dns_name", doc: "The DNS name." },
    ];
    // Mirror targets, and so sessions, depend on it: the new one takes over before the old one is deleted.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        if self.subnets.is_empty() {
            let at = Path::default().member("subnets");
            problems.add(ProblemSort::Value, &at, "a load balancer needs a subnet");
        }
        for (index, listener) in self.listeners.iter().enumerate() {
            if listener.protocol == ElbProtocol::Geneve {
                let at = Path::default().member("listeners").index(index).member("protocol");
                problems.add_with_help(
                    ProblemSort::Value,
                    &at,
                    "a Network Load Balancer cannot have a listener with protocol geneve",
                    "GENEVE is for a `gateway_load_balancer`, which needs no protocol",
                );
            }
        }
        refuse_duplicates(problems, "listeners", self.listeners.iter().map(|l| l.port));
    }

    /// A load balancer with security groups and one without are different sorts: AWS turns neither
    /// into the other.
    ///
    /// Source: Network Load Balancer guide, "Update the security groups".
    fn replaces_also(&self, observed: &Self) -> Vec<&'static str> {
        if self.security_groups.is_empty() == observed.security_groups.is_empty() {
            Vec::new()
        } else {
            vec!["security_groups"]
        }
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            ElbName::fitted(&name, &suffix)
        });
        Self { name: Some(name), ..self }
    }

    /// Names are unique in an account and Region.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let taken = observed.name.as_ref().filter(|_| self.name == observed.name);
        taken.map(ElbName::as_str)
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self {
            name,
            scheme,
            subnets,
            security_groups,
            cross_zone,
            deletion_protection,
            listeners,
            tags,
        } = self.clone().chosen(creation);
        let create = Operation::Create {
            name: name.expect("one was chosen"),
            scheme,
            subnets,
            security_groups,
            tags: creation.owned(&tags),
        };
        let attributes = (cross_zone || deletion_protection).then(|| Operation::SetAttributes {
            load_balancer: creation.this(),
            cross_zone,
            deletion_protection,
        });
        let listeners = listeners.into_iter().map(|listener| Operation::CreateListener {
            load_balancer: creation.this(),
            listener,
            tags: creation.owned(&Tags::new()),
        });
        [Some(create), attributes].into_iter().flatten().chain(listeners).map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self {
            name: _,
            scheme: _,
            subnets,
            security_groups,
            cross_zone,
            deletion_protection,
            listeners,
            tags: _,
        } = self;
        let load_balancer = || this(found);
        let mut operations = Vec::new();
        if (*cross_zone, *deletion_protection)
            != (observed.cross_zone, observed.deletion_protection)
        {
            operations.push(Operation::SetAttributes {
                load_balancer: load_balancer(),
                cross_zone: *cross_zone,
                deletion_protection: *deletion_protection,
            });
        }
        if *subnets != observed.subnets {
            let subnets = subnets.clone();
            operations.push(Operation::SetSubnets { load_balancer: load_balancer(), subnets });
        }
        if *security_groups != observed.security_groups {
            operations.push(Operation::SetSecurityGroups {
                load_balancer: load_balancer(),
                security_groups: security_groups.clone(),
            });
        }
        operations.extend(change_listeners(observed, listeners, (found, creation)));
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        let load_balancer = || this(found);
        // AWS would delete the listeners itself; this way their target groups can be deleted without a race.
        let listeners = self.listeners.iter().map(|listener| Operation::DeleteListener {
            arn: part(found, &listener.port.to_string()).clone(),
        });
        let unprotect = self.deletion_protection.then(|| Operation::SetAttributes {
            load_balancer: load_balancer(),
            cross_zone: self.cross_zone,
            deletion_protection: false,
        });
        unprotect
            .into_iter()
            .chain(listeners)
            .chain([Operation::Delete { load_balancer: load_balancer() }])
            .map(Into::into)
            .collect()
    }
}

/// Returns the calls that lead from the observed listeners to `desired`. The parts of a load
/// balancer are its listeners, by port.
fn change_listeners(
    observed: &LoadBalancer,
    desired: &[Listener],
    (found, creation): (&Found, &Creation<'_>),
) -> Vec<Operation> {
    let arn = |listener: &Listener| part(found, &listener.port.to_string()).clone();
    let on_port = |listeners: &[Listener], port: Port| {
        listeners.iter().find(|listener| listener.port == port).cloned()
    };
    let mut operations = Vec::new();
    for listener in desired {
        let (load_balancer, listener) = (this(found), listener.clone());
        match on_port(&observed.listeners, listener.port) {
            None => {
                let tags = creation.owned(&Tags::new());
                operations.push(Operation::CreateListener { load_balancer, listener, tags });
            }
            Some(before) if before != listener => {
                operations.push(Operation::ModifyListener { arn: arn(&before), listener });
            }
            Some(_) => {}
        }
    }
    for gone in observed.listeners.iter().filter(|l| on_port(desired, l.port).is_none()) {
        operations.push(Operation::DeleteListener { arn: arn(gone) });
    }
    operations
}
