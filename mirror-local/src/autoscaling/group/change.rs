//! The settings that a call gives a group.

use super::template::{self, Template};
use super::{Attachment, AutoScalingGroup, HealthCheck, HealthCheckType, Sizes, Trust};
use crate::autoscaling::member::{self, Member};
use crate::autoscaling::scaling::launch;
use crate::autoscaling::{constraint, invalid, look_at, number, required, standing, tag};
use crate::elbv2::TargetType;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, Region};
use crate::xml::Xml;
use std::collections::{BTreeMap, BTreeSet};

/// What EC2 Auto Scaling has and a local AWS does not.
const FOREIGN: &[&str] = &[
    "AvailabilityZoneDistribution",
    "AvailabilityZoneIds",
    "AvailabilityZoneImpairmentPolicy",
    "AvailabilityZones",
    "CapacityRebalance",
    "CapacityReservationSpecification",
    "Context",
    "DefaultInstanceWarmup",
    "DeletionProtection",
    "DesiredCapacityType",
    "InstanceId",
    "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy",
    "LaunchConfigurationName",
    "LifecycleHookSpecificationList",
    "LoadBalancerNames",
    "MaxInstanceLifetime",
    "MixedInstancesPolicy",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "SkipZonalShiftValidation",
    "TrafficSources",
];

/// What every group has, and a call may therefore ask for.
const USUAL: &[(&str, &str)] = &[
    ("AvailabilityZoneDistribution.CapacityDistributionStrategy", BALANCED),
    ("AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled", "false"),
    ("CapacityReservationSpecification.CapacityReservationPreference", NO_RESERVATION),
    ("DeletionProtection", "none"),
    ("DesiredCapacityType", "units"),
    ("MaxInstanceLifetime", "0"),
];

/// How instances are spread over zones: if a zone has no room, launches are tried elsewhere.
pub(super) const BALANCED: &str = "balanced-best-effort";

/// Which capacity reservations are used: only those that are open to all.
pub(super) const NO_RESERVATION: &str = "default";

/// Refuses what a local AWS does not have, unless the call asks for what applies anyway.
fn refuse_foreign(parameters: &Parameters) -> Outcome {
    let other = |(name, value): &(String, String)| !USUAL.contains(&(&**name, &**value));
    let said: Vec<_> = parameters.pairs().into_iter().filter(other).collect();
    Parameters::from_pairs(said).refuse(FOREIGN)
}

const NAME_LENGTH_MAX: usize = 255;
const COOLDOWN_S: u32 = 300;

/// How many instances a group may be told to have.
const SIZES: std::ops::RangeInclusive<u32> = 0..=10_000;

/// Refuses what cannot be a group's name.
///
/// Source: EC2 Auto Scaling API reference, `CreateAutoScalingGroup`: the ASCII characters from 33 to 126, but no colon.
pub(super) fn check_name(name: &str) -> Outcome {
    if name.chars().count() > NAME_LENGTH_MAX {
        let what = "Member must have length less than or equal to 255";
        return Err(constraint((name, "AutoScalingGroupName"), what));
    }
    if !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        let message = "The name of an Auto Scaling group can have the ASCII characters from 33 to 126 except the colon";
        return Err(invalid(message));
    }
    Ok(())
}

/// Reads a group that has no ARN yet.
pub(super) fn read(call: &Call<'_>, name: &str) -> Outcome<AutoScalingGroup> {
    let parameters = call.parameters;
    required(parameters, "MinSize")?;
    required(parameters, "MaxSize")?;
    let Some(specification) = parameters.structure("LaunchTemplate") else {
        let message = "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, \
                       InstanceId or MixedInstancesPolicy parameter.";
        return Err(invalid(message));
    };
    if parameters.given("VPCZoneIdentifier").is_none() {
        refuse_foreign(parameters)?;
        return Err(invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    let (tags, propagated) = tag::listed(parameters)?;
    let mut group = AutoScalingGroup {
        name: name.to_owned(),
        arn: String::new(),
        template: Template::read(call.region, specification)?,
        sizes: Sizes { min: 0, max: 0, desired: 0 },
        cooldown_s: COOLDOWN_S,
        subnets: Vec::new(),
        target_groups: Vec::new(),
        detached: BTreeMap::new(),
        health_check: HealthCheck { kind: HealthCheckType::Ec2, grace_s: 0 },
        created: call.now,
        deleted: None,
        tags,
        propagated,
    };
    apply(call, &mut group)?;
    let arns = parameters.texts("TargetGroupARNs");
    check_target_groups(call, &group, &arns)?;
    let attach = |arn: &str| Attachment { arn: arn.to_owned(), trust: Trust::Given };
    group.target_groups = arns.into_iter().map(attach).collect();
    Ok(group)
}

/// Handles `UpdateAutoScalingGroup`. Existing instances stay as they are.
pub(super) fn update(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut group = standing(call.region, call.parameters)?.clone();
    apply(call, &mut group)?;
    call.region.auto_scaling_groups.insert(group.name.clone(), group);
    look_at(call.region, call.now);
    Ok(())
}

/// Handles `SetDesiredCapacity`.
pub(super) fn set_desired(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let mut group = standing(call.region, parameters)?.clone();
    required(parameters, "DesiredCapacity")?;
    let desired = number(parameters, "DesiredCapacity", SIZES)?.unwrap_or(group.sizes.desired);
    let Sizes { min, max, .. } = group.sizes;
    let beyond = |word, bound| {
        invalid(format!(
            "New SetDesiredCapacity value {desired} is {word} value {bound} for the \
             AutoScalingGroup."
        ))
    };
    if desired > max {
        return Err(beyond("above max", max));
    }
    if desired < min {
        return Err(beyond("below min", min));
    }
    let honors = parameters.boolean("HonorCooldown")?.unwrap_or(false);
    if honors && member::of(call.region, &group.name).any(Member::is_changing) {
        let message = "A scaling activity is in progress and blocks this action";
        return Err(Failure::new("ScalingActivityInProgress", message));
    }
    group.sizes.desired = desired;
    call.region.auto_scaling_groups.insert(group.name.clone(), group);
    look_at(call.region, call.now);
    Ok(())
}

/// Changes a group as a call says; what the call does not name stays as it is.
pub(super) fn apply(call: &Call<'_>, group: &mut AutoScalingGroup) -> Outcome {
    let parameters = call.parameters;
    refuse_foreign(parameters)?;
    if parameters.texts("TerminationPolicies").iter().any(|policy| *policy != "Default") {
        return Err(unimplemented("other termination policies than Default"));
    }
    group.sizes = sizes(parameters, group.sizes)?;
    let seconds = |name| number(parameters, name, 0..=u32::MAX);
    group.cooldown_s = seconds("DefaultCooldown")?.unwrap_or(group.cooldown_s);
    group.health_check.grace_s =
        seconds("HealthCheckGracePeriod")?.unwrap_or(group.health_check.grace_s);
    group.health_check.kind = health_check(parameters)?.unwrap_or(group.health_check.kind);
    if let Some(listed) = parameters.given("VPCZoneIdentifier") {
        group.subnets = subnets(call.region, listed)?;
    }
    if let Some(specification) = parameters.structure("LaunchTemplate") {
        group.template = Template::read(call.region, specification)?;
        launch::rehearse(call, group).map_err(template::unusable)?;
    }
    Ok(())
}

/// Reads how many instances there are to be. If a bound moves past the desired capacity, the latter moves along.
///
/// Source: EC2 Auto Scaling API reference, `UpdateAutoScalingGroup`.
fn sizes(parameters: &Parameters, before: Sizes) -> Outcome<Sizes> {
    let min = number(parameters, "MinSize", SIZES)?.unwrap_or(before.min);
    let max = number(parameters, "MaxSize", SIZES)?.unwrap_or(before.max);
    if max < min {
        let message =
            format!("Max bound, {max}, must be greater than or equal to min bound, {min}");
        return Err(invalid(message));
    }
    let desired = match number(parameters, "DesiredCapacity", SIZES)? {
        None => before.desired.clamp(min, max),
        Some(desired) if (min..=max).contains(&desired) => desired,
        Some(desired) => {
            return Err(invalid(format!(
                "Desired capacity:{desired} must be between the specified min size:{min} and max \
                 size:{max}"
            )));
        }
    };
    Ok(Sizes { min, max, desired })
}

fn health_check(parameters: &Parameters) -> Outcome<Option<HealthCheckType>> {
    match parameters.given("HealthCheckType") {
        None => Ok(None),
        Some("EC2") => Ok(Some(HealthCheckType::Ec2)),
        Some("ELB" | "EC2,ELB" | "ELB,EC2") => Ok(Some(HealthCheckType::Elb)),
        Some(text @ ("EBS" | "VPC_LATTICE")) => {
            Err(unimplemented(&format!("health checks of the type {text}")))
        }
        Some(text) => Err(invalid(format!("Unsupported Health Check Type {text}"))),
    }
}

fn unimplemented(what: &str) -> Failure {
    Failure::new("UnsupportedOperation", format!("mirror-local does not implement {what}"))
}

/// Reads subnets, which must exist and be in one VPC.
fn subnets(region: &Region, listed: &str) -> Outcome<Vec<String>> {
    let ids: Vec<&str> = listed.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    let mut vpcs = BTreeSet::new();
    for id in &ids {
        let subnet = region.subnets.get(id);
        let subnet =
            subnet.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
        vpcs.insert(&*subnet.vpc_id);
    }
    let mut seen = BTreeSet::new();
    let distinct = ids.into_iter().filter(|id| seen.insert(*id));
    match vpcs.len() {
        0 => Err(invalid("At least one Availability Zone or VPC Subnet is required.")),
        1 => Ok(distinct.map(str::to_owned).collect()),
        _ => Err(invalid("The subnets of a group must be in one VPC")),
    }
}

/// Refuses target groups that do not exist, or in which instances of the group cannot be registered.
pub(in crate::autoscaling) fn check_target_groups(
    call: &Call<'_>,
    group: &AutoScalingGroup,
    arns: &[&str],
) -> Outcome {
    let region = &*call.region;
    let subnet = group.subnets.first().and_then(|id| region.subnets.get(id));
    for arn in arns {
        let Some(target_group) = region.target_groups.get(arn) else {
            let message =
                "Provided Target Groups may not be valid. Please ensure they exist and try again.";
            return Err(invalid(message));
        };
        if target_group.target_type != TargetType::Instance {
            return Err(invalid(format!(
                "Target group {arn} is not of the target type instance and cannot be attached to an \
                 Auto Scaling group."
            )));
        }
        if subnet.is_some_and(|subnet| subnet.vpc_id != target_group.vpc_id) {
            let vpc = &target_group.vpc_id;
            return Err(invalid(format!("Target group {arn} is in another VPC, {vpc}.")));
        }
    }
    let max = call.settings.quotas.target_groups_per_auto_scaling_group;
    let all: BTreeSet<&str> =
        group.target_group_arns().map(|arn| &**arn).chain(arns.iter().copied()).collect();
    if all.len() > max {
        let message = format!("An Auto Scaling group can have at most {max} target groups");
        return Err(Failure::new("LimitExceeded", message));
    }
    Ok(())
}
