//! The target group: the receivers behind a load balancer, and how their health is checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, Instance, Need, Readiness, ReplaceOrder, ResourceType, Tags, Vpc, need,
    this, without,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{
    DeregistrationDelay, ElbName, ElbProtocol, HealthInterval, HealthPort, HealthProtocol,
    HealthThreshold, HealthTimeout, Port,
};
use crate::value::Path;

/// The UDP port of VXLAN, to which AWS sends mirrored packets.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror target concepts".
pub(crate) const VXLAN: Port = Port::new(4789).expect("4789 is a port");

/// The UDP port of GENEVE, to which a Gateway Load Balancer sends.
///
/// Source: Gateway Load Balancer guide, "Target groups".
pub(crate) const GENEVE: Port = Port::new(6081).expect("6081 is a port");

object! {
    /// How the load balancer finds out whether a receiver is healthy. UDP has no answer to wait for, so
    /// the check uses TCP, HTTP or HTTPS, on a port that the receiver's security group admits.
    pub struct HealthCheck("health check") {
        /// The protocol.
        protocol: HealthProtocol => default(HealthProtocol::Tcp), Update;
        /// The port; `traffic-port` is the target group's own, where VXLAN receivers do not answer TCP.
        port: HealthPort => default(HealthPort::Traffic), Update;
        /// The path to request, with HTTP and HTTPS.
        path: Option<String> => chosen, Update;
        /// Seconds between checks.
        interval: HealthInterval => default(HealthInterval::new(30).expect("in range")), Update;
        /// Seconds without an answer after which a check has failed; AWS's default is 10, with HTTP 6.
        timeout: Option<HealthTimeout> => chosen, Update;
        /// Successful checks in a row that make a target healthy.
        healthy_threshold: HealthThreshold => default(HealthThreshold::new(5).expect("in range")), Update;
        /// Failed checks in a row that make it unhealthy.
        unhealthy_threshold: HealthThreshold => default(HealthThreshold::new(2).expect("in range")), Update;
    }
}

impl HealthCheck {
    /// Returns what AWS does if nothing is stated: TCP to the traffic port.
    ///
    /// # Panics
    /// Never: the numbers are in their ranges.
    #[must_use]
    pub fn aws_default() -> Self {
        Self {
            protocol: HealthProtocol::Tcp,
            port: HealthPort::Traffic,
            path: None,
            interval: HealthInterval::new(30).expect("in range"),
            timeout: None,
            healthy_threshold: HealthThreshold::new(5).expect("in range"),
            unhealthy_threshold: HealthThreshold::new(2).expect("in range"),
        }
    }
}

object! {
    /// A target group of instances, for a listener of a load balancer.
    pub struct TargetGroup("target group") {
        /// The name, unique in the account and Region. Best left out: the tool then picks one and can
        /// replace the group while it is in use.
        name: Option<ElbName> => chosen, Replace;
        /// The VPC of its targets.
        vpc: Ref<Vpc> => required, Replace;
        /// The protocol; VXLAN is UDP. Behind a Gateway Load Balancer it is geneve.
        protocol: ElbProtocol => default(ElbProtocol::Udp), Replace;
        /// The port on which targets receive; with geneve it is 6081.
        port: Port => default(VXLAN), Replace;
        /// How the health of the targets is checked.
        health_check: HealthCheck => default(HealthCheck::aws_default()), Update;
        /// The instances.
        targets: Vec<Ref<Instance>> => default(Vec::new()), Update;
        /// Seconds for which a removed target still gets its flows.
        deregistration_delay: DeregistrationDelay =>
            default(DeregistrationDelay::new(300).expect("in range")), Update;
        /// Whether all packets of one source go to one target, instead of being spread by flow.
        stickiness: bool => default(false), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The ARN of a target group.
pub type TargetGroupArn = Id<TargetGroup>;

impl Identified for TargetGroup {
    const TITLE: &'static str = "target group";
    const FORM: IdForm = IdForm::balancing("targetgroup/");
}

/// A call about a target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateTargetGroup`.
    Create {
        /// Its name.
        name: ElbName,
        /// Where.
        vpc: Ref<Vpc>,
        /// The protocol.
        protocol: ElbProtocol,
        /// The port.
        port: Port,
        /// How health is checked.
        health_check: HealthCheck,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyTargetGroup`.
    SetHealthCheck {
        /// Which.
        target_group: Ref<TargetGroup>,
        /// How health is checked from now on.
        health_check: HealthCheck,
    },
    /// `ModifyTargetGroupAttributes`.
    SetAttributes {
        /// Which.
        target_group: Ref<TargetGroup>,
        /// Its protocol, on which AWS's words for stickiness depend.
        protocol: ElbProtocol,
        /// Seconds for which a removed target still gets its flows.
        deregistration_delay: DeregistrationDelay,
        /// Whether all packets of one source go to one target.
        stickiness: bool,
    },
    /// `RegisterTargets`; AWS accepts only running instances.
    Register {
        /// Where.
        target_group: Ref<TargetGroup>,
        /// What.
        instances: Vec<Ref<Instance>>,
    },
    /// `DeregisterTargets`.
    Deregister {
        /// Where.
        target_group: Ref<TargetGroup>,
        /// What.
        instances: Vec<Ref<Instance>>,
    },
    /// `DeleteTargetGroup`; AWS refuses while a listener uses it.
    Delete {
        /// Which.
        target_group: Ref<TargetGroup>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { name: _, vpc, protocol: _, port: _, health_check: _, tags: _ } => {
                need(vpc, Readiness::Made).into_iter().collect()
            }
            Self::SetHealthCheck { target_group, health_check: _ }
            | Self::SetAttributes {
                target_group,
                protocol: _,
                deregistration_delay: _,
                stickiness: _,
            }
            | Self::Delete { target_group } => {
                need(target_group, Readiness::Made).into_iter().collect()
            }
            Self::Register { target_group, instances }
            | Self::Deregister { target_group, instances } => {
                let instances = instances.iter().map(|i| need(i, Readiness::Made));
                [need(target_group, Readiness::Made)]
                    .into_iter()
                    .chain(instances)
                    .flatten()
                    .collect()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::elb("CreateTargetGroup")
                .on(&[On::New(A::TargetGroup)])
                .with_reads(&["DescribeInternetGateways", "DescribeVpcs"])
        };
        Self::SetHealthCheck { .. } => {
            Access::elb("ModifyTargetGroup").on(&[On::Owned(A::TargetGroup)])
        };
        Self::SetAttributes { .. } => {
            Access::elb("ModifyTargetGroupAttributes").on(&[On::Owned(A::TargetGroup)])
        };
        Self::Register { .. } => {
            Access::elb("RegisterTargets").on(&[On::Owned(A::TargetGroup)]).with_reads(&[
                "DescribeInstances",
                "DescribeInternetGateways",
                "DescribeSubnets",
                "DescribeVpcs",
            ])
        };
        Self::Deregister { .. } => {
            Access::elb("DeregisterTargets").on(&[On::Owned(A::TargetGroup)])
        };
        Self::Delete { .. } => {
            Access::elb("DeleteTargetGroup").on(&[On::Owned(A::TargetGroup)]).at_removal()
        };
    }
}

impl TargetGroup {
    /// AWS accepts only one port with GENEVE, and nothing answers a health check there: GENEVE is UDP.
    fn check_geneve(&self, problems: &mut Problems) {
        if self.port != GENEVE {
            let at = Path::default().member("port");
            let message = format!("with protocol geneve the port must be {GENEVE}");
            problems.add_with_help(
                ProblemSort::Value,
                &at,
                message,
                format!("write `port = {GENEVE}`"),
            );
        }
        let port = self.health_check.port;
        if matches!(port, HealthPort::Traffic) || port == HealthPort::Port(GENEVE) {
            problems.add_with_help(
                ProblemSort::Value,
                &Path::default().member("health_check").member("port"),
                "health is checked by TCP, but nothing answers TCP on the port of GENEVE",
                "give a port on which the receiver answers, such as `health_check = { port = 8080 }`",
            );
        }
    }
}

impl ResourceType for TargetGroup {
    const COMPUTED: &'static [Computed] =
        &[Computed { name: "id", doc: "The ARN." }, Computed { name: "arn", doc: "The ARN." }];
    // A listener keeps it from being deleted.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        let HealthCheck { protocol, path, .. } = &self.health_check;
        if path.is_some() && *protocol == HealthProtocol::Tcp {
            let at = Path::default().member("health_check").member("path");
            problems.add(ProblemSort::Value, &at, "`path` is for http and https, not for tcp");
        }
        if self.protocol == ElbProtocol::Geneve {
            self.check_geneve(problems);
        }
    }

    fn settled(self, observed: &Self) -> Self {
        let HealthCheck { path, timeout, .. } = &observed.health_check;
        let same_protocol = self.health_check.protocol == observed.health_check.protocol;
        let health_check = if same_protocol {
            HealthCheck {
                path: self.health_check.path.or_else(|| path.clone()),
                timeout: self.health_check.timeout.or(*timeout),
                ..self.health_check
            }
        } else {
            self.health_check
        };
        Self { health_check, ..self }
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

    /// A health check that was set up by hand stays as it is.
    fn inheriting(self, observed: &Self) -> Self {
        self.settled(observed)
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self {
            name,
            vpc,
            protocol,
            port,
            health_check,
            targets,
            deregistration_delay,
            stickiness,
            tags,
        } = self.clone().chosen(creation);
        let create = Operation::Create {
            name: name.expect("one was chosen"),
            vpc,
            protocol,
            port,
            health_check,
            tags: creation.owned(&tags),
        };
        let aws_has = (DeregistrationDelay::new(300), false);
        let attributes = ((Some(deregistration_delay), stickiness) != aws_has).then(|| {
            Operation::SetAttributes {
                target_group: creation.this(),
                protocol,
                deregistration_delay,
                stickiness,
            }
        });
        let register = (!targets.is_empty()).then(|| Operation::Register {
            target_group: creation.this(),
            instances: targets.clone(),
        });
        [Some(create), attributes, register].into_iter().flatten().map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self {
            name: _,
            vpc: _,
            protocol,
            port: _,
            health_check,
            targets,
            deregistration_delay,
            stickiness,
            tags: _,
        } = self;
        let mut operations = Vec::new();
        if *health_check != observed.health_check {
            let health_check = health_check.clone();
            operations.push(Operation::SetHealthCheck { target_group: this(found), health_check });
        }
        if (*deregistration_delay, *stickiness)
            != (observed.deregistration_delay, observed.stickiness)
        {
            operations.push(Operation::SetAttributes {
                target_group: this(found),
                protocol: *protocol,
                deregistration_delay: *deregistration_delay,
                stickiness: *stickiness,
            });
        }
        // New receivers first: the group is never emptier than necessary.
        let instances = without(targets, &observed.targets);
        if !instances.is_empty() {
            operations.push(Operation::Register { target_group: this(found), instances });
        }
        let instances = without(&observed.targets, targets);
        if !instances.is_empty() {
            operations.push(Operation::Deregister { target_group: this(found), instances });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { target_group: this(found) }.into()]
    }
}
