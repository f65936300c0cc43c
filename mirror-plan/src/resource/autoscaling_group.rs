//! The Auto Scaling group: receivers that come and go by themselves, as many as are needed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, LaunchTemplate, Need, Readiness, ReplaceOrder, ResourceType, Subnet, Tags,
    TargetGroup, need, this, without,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{AutoscalingGroupName, GracePeriod, GroupSize, HealthSource};
use crate::value::Path;

object! {
    /// An Auto Scaling group: it keeps the desired number of instances of a launch template running,
    /// spread over the zones of its subnets, and registers them in its target groups. The instances
    /// belong to the group, not to the stack: no plan lists them. An apply waits until the desired
    /// number is in service, at most ten minutes for the next one.
    pub struct AutoscalingGroup("Auto Scaling group") {
        /// The name, unique in the account and Region. Best left out: the tool then picks one.
        name: Option<AutoscalingGroupName> => chosen, Replace;
        /// What instances are started from: the default version of this template at that time.
        launch_template: Ref<LaunchTemplate> => required, Update;
        /// The subnets, in at least two zones if one zone may fail.
        subnets: Vec<Ref<Subnet>> => required, Update;
        /// The minimum number of instances.
        min: GroupSize => required, Update;
        /// The maximum number of instances.
        max: GroupSize => required, Update;
        /// How many instances there should be now. Leave it out if anything scales the group: the group
        /// then begins with `min`, and from then on plans ignore the number.
        desired: Option<GroupSize> => chosen, Update;
        /// The target groups in which the group registers its instances. Their `targets` do not name
        /// these instances.
        target_groups: Vec<Ref<TargetGroup>> => default(Vec::new()), Update;
        /// What makes an instance count as unhealthy, so that another replaces it: `ec2` for an
        /// impaired machine, `elb` for a failed health check of a target group, too. If left out, it is
        /// `elb` if there are target groups, so that the receiver's own port decides; otherwise `ec2`.
        health_check: Option<HealthSource> => optional, Update;
        /// Seconds for which a new instance does not count as unhealthy, while it installs and starts
        /// the receiver.
        health_check_grace: GracePeriod => default(GracePeriod::new(300).expect("in range")), Update;
        /// Tags of the group, and of the instances that it starts from then on. `Name` is the block's name
        /// unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The ARN of an Auto Scaling group, which distinguishes it from an earlier group of the same name.
pub type AutoscalingGroupArn = Id<AutoscalingGroup>;

impl Identified for AutoscalingGroup {
    const TITLE: &'static str = "Auto Scaling group";
    const FORM: IdForm = IdForm::Arn { service: "autoscaling", resource: "autoScalingGroup:" };
}

/// Returns the name in the ARN of a group: Auto Scaling calls identify groups by name.
///
/// Source: Service Authorization Reference, "Resource types defined by Amazon EC2 Auto Scaling".
#[must_use]
pub fn name_in(arn: &str) -> &str {
    arn.split_once(":autoScalingGroupName/").map_or(arn, |(_, name)| name)
}

/// How many instances a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// The minimum.
    pub min: GroupSize,
    /// The maximum.
    pub max: GroupSize,
    /// The number for now; `None` to leave it to the group.
    pub desired: Option<GroupSize>,
}

/// How a group finds out which of its instances are unhealthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Who reports it.
    pub source: HealthSource,
    /// Seconds for which a new instance is not counted as unhealthy.
    pub grace: GracePeriod,
}

/// A call about an Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateAutoScalingGroup`, then waiting until its instances are in service.
    Create {
        /// Its name.
        name: AutoscalingGroupName,
        /// What instances are started with.
        launch_template: Ref<LaunchTemplate>,
        /// Where.
        subnets: Vec<Ref<Subnet>>,
        /// How many.
        size: Size,
        /// Where they are registered.
        target_groups: Vec<Ref<TargetGroup>>,
        /// How unhealthy instances are found.
        health: Health,
        /// All tags; instances get only the user's.
        tags: Tags,
    },
    /// `UpdateAutoScalingGroup`, then waiting until its instances are in service.
    Set {
        /// Which.
        autoscaling_group: Ref<AutoscalingGroup>,
        /// What instances are started with.
        launch_template: Ref<LaunchTemplate>,
        /// Where.
        subnets: Vec<Ref<Subnet>>,
        /// How many.
        size: Size,
        /// How unhealthy instances are found.
        health: Health,
    },
    /// `AttachLoadBalancerTargetGroups`, then waiting until the instances are registered.
    Attach {
        /// Which.
        autoscaling_group: Ref<AutoscalingGroup>,
        /// Where they are registered, too.
        target_groups: Vec<Ref<TargetGroup>>,
    },
    /// `DetachLoadBalancerTargetGroups`, then waiting until the instances are deregistered.
    Detach {
        /// Which.
        autoscaling_group: Ref<AutoscalingGroup>,
        /// Where they are no longer registered.
        target_groups: Vec<Ref<TargetGroup>>,
    },
    /// `DeleteAutoScalingGroup` with its instances, then waiting until it is deleted: the
    /// instances' network interfaces keep subnets and security groups from being deleted.
    Delete {
        /// Which.
        autoscaling_group: Ref<AutoscalingGroup>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let finished = |subnets: &[Ref<Subnet>]| -> Vec<Need> {
            subnets.iter().filter_map(|it| need(it, Readiness::Finished)).collect()
        };
        let made = |groups: &[Ref<TargetGroup>]| -> Vec<Need> {
            groups.iter().filter_map(|it| need(it, Readiness::Made)).collect()
        };
        let (whole, parts) = match self {
            Self::Create {
                name: _,
                launch_template,
                subnets,
                size: _,
                target_groups,
                health: _,
                tags: _,
            } => {
                let template = need(launch_template, Readiness::Finished);
                (template, [finished(subnets), made(target_groups)].concat())
            }
            Self::Set { autoscaling_group, launch_template, subnets, size: _, health: _ } => {
                let template = need(launch_template, Readiness::Finished).into_iter().collect();
                (need(autoscaling_group, Readiness::Made), [template, finished(subnets)].concat())
            }
            Self::Attach { autoscaling_group, target_groups }
            | Self::Detach { autoscaling_group, target_groups } => {
                (need(autoscaling_group, Readiness::Made), made(target_groups))
            }
            Self::Delete { autoscaling_group } => {
                (need(autoscaling_group, Readiness::Made), Vec::new())
            }
        };
        whole.into_iter().chain(parts).collect()
    }

    calls! {
        Self::Create { .. } => {
            Access::autoscaling("CreateAutoScalingGroup")
                .on(&[On::New(A::AutoscalingGroup)])
                .with_dependent(&[LAUNCH, ACTIVITIES])
        };
        Self::Set { .. } => {
            Access::autoscaling("UpdateAutoScalingGroup")
                .on(&[On::Owned(A::AutoscalingGroup)])
                .with_dependent(&[LAUNCH, ACTIVITIES])
        };
        Self::Attach { .. } => {
            Access::autoscaling("AttachLoadBalancerTargetGroups")
                .on(&[On::Owned(A::AutoscalingGroup)])
                .with_dependent(&[ATTACHMENTS])
        };
        Self::Detach { .. } => {
            Access::autoscaling("DetachLoadBalancerTargetGroups")
                .on(&[On::Owned(A::AutoscalingGroup)])
                .with_dependent(&[ATTACHMENTS])
        };
        Self::Delete { .. } => {
            Access::autoscaling("DeleteAutoScalingGroup")
                .on(&[On::Owned(A::AutoscalingGroup)])
                .at_removal()
        };
    }
}

/// What IAM checks for the caller in addition to what the template determines; see [`super::launch_template`].
const LAUNCH: Access = Access::ec2("RunInstances").on(&[On::Named(A::Subnet)]);
/// Reports why instances are not started.
const ACTIVITIES: Access = Access::autoscaling("DescribeScalingActivities");
/// Reports whether instances are registered yet.
const ATTACHMENTS: Access = Access::autoscaling("DescribeLoadBalancerTargetGroups");

impl AutoscalingGroup {
    /// Returns who reports which instances are unhealthy.
    #[must_use]
    pub fn health_source(&self) -> HealthSource {
        let default =
            if self.target_groups.is_empty() { HealthSource::Ec2 } else { HealthSource::Elb };
        self.health_check.unwrap_or(default)
    }

    fn health(&self) -> Health {
        Health { source: self.health_source(), grace: self.health_check_grace }
    }
}

impl ResourceType for AutoscalingGroup {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The ARN." }];
    // Its receivers take over before the old ones go.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        let Self { min, max, desired, subnets, .. } = self;
        let at = |name: &str| Path::default().member(name);
        if min > max {
            let message = format!("`min` is {min}, but `max` is only {max}");
            problems.add(ProblemSort::Value, &at("min"), message);
        }
        if let Some(desired) = desired.filter(|desired| desired < min || desired > max) {
            let message = format!("{desired} is not between `min` and `max`, {min} and {max}");
            problems.add(ProblemSort::Value, &at("desired"), message);
        }
        if subnets.is_empty() {
            let message = "an instance needs a subnet".to_owned();
            problems.add(ProblemSort::Value, &at("subnets"), message);
        }
    }

    fn settled(self, _observed: &Self) -> Self {
        let health_check = Some(self.health_source());
        // AWS adjusts the number to the bounds if it would be outside them.
        let desired = self.desired.map(|desired| desired.max(self.min).min(self.max));
        Self { health_check, desired, ..self }
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let health_check = Some(self.health_source());
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            AutoscalingGroupName::fitted(&name, &suffix)
        });
        Self { name: Some(name), health_check, ..self }
    }

    /// The replacement starts with as many receivers as there were.
    fn inheriting(self, observed: &Self) -> Self {
        let within = observed.desired.filter(|it| (self.min..=self.max).contains(it));
        Self { desired: self.desired.or(within), ..self }
    }

    /// Names are unique in an account and Region.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let taken = observed.name.as_ref().filter(|_| self.name == observed.name);
        taken.map(AutoscalingGroupName::as_str)
    }

    fn named(&self) -> Vec<Named> {
        self.subnets.iter().filter_map(|subnet| Named::by(subnet, A::Subnet)).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let chosen = self.clone().chosen(creation);
        let health = chosen.health();
        let Self { name, launch_template, subnets, min, max, desired, target_groups, tags, .. } =
            chosen;
        let create = Operation::Create {
            name: name.expect("one was chosen"),
            launch_template,
            subnets,
            size: Size { min, max, desired },
            target_groups,
            health,
            tags: creation.owned(&tags),
        };
        vec![create.into()]
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { launch_template, subnets, min, max, target_groups, .. } = self;
        let autoscaling_group = || this(found);
        let mut operations = Vec::new();
        // Receivers are behind the new target group before they leave the old one.
        let added = without(target_groups, &observed.target_groups);
        if !added.is_empty() {
            let autoscaling_group = autoscaling_group();
            operations.push(Operation::Attach { autoscaling_group, target_groups: added });
        }
        let desired = self.desired.filter(|_| self.desired != observed.desired);
        let size = Size { min: *min, max: *max, desired };
        let is_as_it_was = (launch_template, subnets, self.health())
            == (&observed.launch_template, &observed.subnets, observed.health())
            && size == Size { min: observed.min, max: observed.max, desired: None };
        if !is_as_it_was {
            operations.push(Operation::Set {
                autoscaling_group: autoscaling_group(),
                launch_template: launch_template.clone(),
                subnets: subnets.clone(),
                size,
                health: self.health(),
            });
        }
        let removed = without(&observed.target_groups, target_groups);
        if !removed.is_empty() {
            let autoscaling_group = autoscaling_group();
            operations.push(Operation::Detach { autoscaling_group, target_groups: removed });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        vec![Operation::Delete { autoscaling_group: this(found) }.into()]
    }
}
