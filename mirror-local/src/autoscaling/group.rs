//! Auto Scaling groups.

mod change;
mod template;

pub(super) use change::check_target_groups;
pub(super) use template::Template;

use super::filter;
use super::member::{self, Member};
use super::page::{Page, Size};
use super::{look_at, named, required, tag};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("CreateAutoScalingGroup", create).without_dry_run().without_result(),
    Action::write("DeleteAutoScalingGroup", delete).without_dry_run().without_result(),
    Action::read("DescribeAutoScalingGroups", describe).without_dry_run(),
    Action::write("SetDesiredCapacity", change::set_desired).without_dry_run().without_result(),
    Action::write("UpdateAutoScalingGroup", change::update).without_dry_run().without_result(),
];

/// An Auto Scaling group, keyed by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AutoScalingGroup {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(super) template: Template,
    pub(super) sizes: Sizes,
    pub(super) cooldown_s: u32,
    /// Where it launches, in the order in which they were named.
    pub(super) subnets: Vec<String>,
    pub(super) target_groups: Vec<Attachment>,
    /// Target groups that it was detached from, and when the last of its instances there has drained.
    pub(super) detached: BTreeMap<String, Timestamp>,
    pub(super) health_check: HealthCheck,
    pub(super) created: Timestamp,
    /// Since when it is being deleted.
    deleted: Option<Timestamp>,
    pub(crate) tags: Tags,
    /// The keys of the tags that its instances get too.
    pub(super) propagated: BTreeSet<String>,
}

impl Row for AutoScalingGroup {
    const KIND: Kind = Kind {
        noun: "AutoScalingGroup",
        not_found: "ValidationError",
        malformed: "ValidationError",
        describe: "DescribeAutoScalingGroups",
        ..Kind::INTERNAL
    };
}

/// A target group that a group registers its instances in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) arn: String,
    pub(super) trust: Trust,
}

/// Whether a group acts on what a target group reports about its instances.
///
/// Source: EC2 Auto Scaling API reference, `DescribeLoadBalancerTargetGroups`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Trust {
    /// Not until the target group has found one of them healthy.
    Pending,
    /// It does; from the beginning if the group was made with the target group.
    Given,
}

/// How many instances a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sizes {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) desired: u32,
}

/// How a group determines whether an instance is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HealthCheck {
    pub(super) kind: HealthCheckType,
    /// How long an instance stays in service whatever its load balancers report.
    pub(super) grace_s: u32,
}

/// Who is asked whether an instance is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum HealthCheckType {
    /// EC2: whether it is running.
    Ec2,
    /// EC2 and the target groups.
    Elb,
}

impl HealthCheckType {
    fn word(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Elb => "ELB",
        }
    }
}

impl AutoScalingGroup {
    /// Whether it is being deleted.
    pub(super) fn is_leaving(&self) -> bool {
        self.deleted.is_some()
    }

    /// The first of its subnets.
    pub(crate) fn subnet(&self) -> Option<&str> {
        self.subnets.first().map(String::as_str)
    }

    /// The ARNs of its target groups.
    pub(super) fn target_group_arns(&self) -> impl Iterator<Item = &String> {
        self.target_groups.iter().map(|attachment| &attachment.arn)
    }

    /// The zones that it launches into.
    pub(super) fn zones<'r>(&self, region: &'r Region) -> BTreeSet<&'r str> {
        let subnets = self.subnets.iter().filter_map(|id| region.subnets.get(id));
        subnets.map(|subnet| &*subnet.zone).collect()
    }
}

/// Handles `CreateAutoScalingGroup`. It has no client token: a group is identified by its name.
fn create(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let name = required(parameters, "AutoScalingGroupName")?;
    change::check_name(name)?;
    let mut group = change::read(call, name)?;
    if call.region.auto_scaling_groups.contains(name) {
        let message = format!(
            "AutoScalingGroup by this name already exists - A group with the name {name} already \
             exists"
        );
        return Err(Failure::new("AlreadyExists", message));
    }
    let max = call.settings.quotas.auto_scaling_groups;
    if call.region.auto_scaling_groups.len() >= max {
        let message = format!("{max} Auto Scaling groups already exist, which is the limit");
        return Err(Failure::new("LimitExceeded", message));
    }
    let uuid = call.region.draw_uuid("auto scaling group");
    let resource = format!("autoScalingGroup:{uuid}:autoScalingGroupName/{name}");
    group.arn = call.region.arn("autoscaling", resource);
    call.region.auto_scaling_groups.insert(name, group);
    look_at(call.region, call.now);
    Ok(())
}

/// Handles `DeleteAutoScalingGroup`: with `ForceDelete` the instances are terminated first, and the group exists until
/// they are gone.
fn delete(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let group = named(call.region, call.parameters)?;
    let name = group.name.clone();
    let force = call.parameters.boolean("ForceDelete")?.unwrap_or(false);
    if !force {
        check_empty(call.region, &name)?;
    }
    if let Some(group) = call.region.auto_scaling_groups.get_mut(&name) {
        group.deleted.get_or_insert(call.now);
        group.sizes = Sizes { min: 0, max: 0, desired: 0 };
    }
    look_at(call.region, call.now);
    Ok(())
}

fn check_empty(region: &Region, name: &str) -> Outcome {
    let mut members = member::of(region, name).peekable();
    if members.peek().is_none() {
        return Ok(());
    }
    if members.any(Member::is_changing) {
        let message = "You cannot delete an AutoScalingGroup while there are scaling activities in \
                       progress for that group.";
        return Err(Failure::new("ScalingActivityInProgress", message));
    }
    let message = "You cannot delete an AutoScalingGroup while there are instances or pending Spot \
                   instance request(s) still in the group.";
    Err(Failure::new("ResourceInUse", message))
}

/// Handles `DescribeAutoScalingGroups`; names that no group has are left out.
fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    const SET: &str = "AutoScalingGroups";
    let page = Page::parse(parameters, SET, Size { usual: 50, most: 100 })?;
    let names = parameters.texts("AutoScalingGroupNames");
    let filters = filter::read(parameters, filter::ON_GROUPS)?;
    let instances = parameters.boolean("IncludeInstances")?.unwrap_or(true);
    let rows = view.region.auto_scaling_groups.iter().filter(|(name, group)| {
        let is_named = names.is_empty() || names.contains(name);
        is_named && filters.iter().all(|filter| filter.accepts_group(group))
    });
    page.write(xml, SET, rows, |xml, group| {
        let shown: Vec<&Member> =
            member::of(view.region, &group.name).filter(|_| instances).collect();
        write(view, (group, &shown), xml);
    });
    Ok(())
}

fn write(view: View<'_>, (group, members): (&AutoScalingGroup, &[&Member]), xml: &mut Xml) {
    let AutoScalingGroup { name, arn, template, sizes, .. } = group;
    xml.text("AutoScalingGroupName", name);
    xml.text("AutoScalingGroupARN", arn);
    xml.element("LaunchTemplate", |xml| template.write(xml));
    xml.text("MinSize", sizes.min);
    xml.text("MaxSize", sizes.max);
    xml.text("DesiredCapacity", sizes.desired);
    xml.text("DefaultCooldown", group.cooldown_s);
    texts(xml, "AvailabilityZones", group.zones(view.region));
    texts(xml, "LoadBalancerNames", [""; 0]);
    texts(xml, "TargetGroupARNs", group.target_group_arns());
    xml.text("HealthCheckType", group.health_check.kind.word());
    xml.text("HealthCheckGracePeriod", group.health_check.grace_s);
    xml.members("Instances", members, |xml, member| member.write(xml));
    xml.text("CreatedTime", group.created);
    texts(xml, "SuspendedProcesses", [""; 0]);
    xml.text("VPCZoneIdentifier", group.subnets.join(","));
    texts(xml, "EnabledMetrics", [""; 0]);
    xml.optional("Status", group.deleted.map(|_| "Delete in progress"));
    xml.members("Tags", group.tags.iter(), |xml, tag| tag::write(group, tag, xml));
    texts(xml, "TerminationPolicies", ["Default"]);
    xml.text("NewInstancesProtectedFromScaleIn", false);
    xml.text("ServiceLinkedRoleARN", view.region.iam_arn(SERVICE_ROLE));
    xml.element("AvailabilityZoneDistribution", |xml| {
        xml.text("CapacityDistributionStrategy", change::BALANCED);
    });
    xml.element("CapacityReservationSpecification", |xml| {
        xml.text("CapacityReservationPreference", change::NO_RESERVATION);
    });
    xml.members("TrafficSources", group.target_group_arns(), |xml, arn| {
        xml.text("Identifier", arn);
        xml.text("Type", "elbv2");
    });
}

/// Writes a list of plain values.
fn texts<T: std::fmt::Display>(xml: &mut Xml, name: &str, values: impl IntoIterator<Item = T>) {
    xml.element(name, |xml| values.into_iter().for_each(|value| xml.text("member", value)));
}

/// The role in which the service launches and terminates.
const SERVICE_ROLE: &str =
    "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
