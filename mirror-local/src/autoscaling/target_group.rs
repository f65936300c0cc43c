//! The target groups that a group registers its instances in.

use super::group::{Attachment, AutoScalingGroup, HealthCheckType, Trust, check_target_groups};
use super::member::{self, Stage};
use super::page::{Page, Size};
use super::{constraint, invalid, look_at, named, standing};
use crate::action::Action;
use crate::elbv2;
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::world::{Call, Region, View};
use crate::xml::Xml;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("AttachLoadBalancerTargetGroups", attach).without_dry_run(),
    Action::read("DescribeLoadBalancerTargetGroups", describe).without_dry_run(),
    Action::write("DetachLoadBalancerTargetGroups", detach).without_dry_run(),
];

/// Target groups that one call may name.
const TARGET_GROUPS_MAX: usize = 10;

/// Handles `AttachLoadBalancerTargetGroups`, which leaves alone what is already attached.
fn attach(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut group = standing(call.region, call.parameters)?.clone();
    let arns = arns(call.parameters)?;
    check_target_groups(call, &group, &arns)?;
    for arn in arns {
        if !group.target_group_arns().any(|attached| attached == arn) {
            group.target_groups.push(Attachment { arn: arn.to_owned(), trust: Trust::Pending });
        }
        group.detached.remove(arn);
    }
    call.region.auto_scaling_groups.insert(group.name.clone(), group);
    look_at(call.region, call.now);
    Ok(())
}

/// Handles `DetachLoadBalancerTargetGroups`: the instances are deregistered, and drain.
fn detach(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut group = standing(call.region, call.parameters)?.clone();
    let arns = arns(call.parameters)?;
    let attached: Vec<&String> = group.target_group_arns().collect();
    if let Some(unknown) = arns.iter().find(|arn| !attached.iter().any(|it| it == *arn)) {
        let message =
            format!("Trying to remove Target Groups that are not part of the group: {unknown}");
        return Err(invalid(message));
    }
    for arn in arns {
        let mut until = call.now;
        for id in registered(call.region, &group.name, arn) {
            until = elbv2::discharge(call, arn, &id).map_or(until, |gone| until.max(gone));
            if let Some(member) = call.region.auto_scaling_members.get_mut(&id) {
                member.registered.remove(arn);
            }
        }
        group.target_groups.retain(|attached| attached.arn != arn);
        group.detached.insert(arn.to_owned(), until);
    }
    call.region.auto_scaling_groups.insert(group.name.clone(), group);
    look_at(call.region, call.now);
    Ok(())
}

/// The instances of a group that it has registered in a target group.
fn registered(region: &Region, group: &str, arn: &str) -> Vec<String> {
    let members = member::of(region, group).filter(|member| member.registered.contains(arn));
    members.map(|member| member.instance_id.clone()).collect()
}

fn arns(parameters: &Parameters) -> Outcome<Vec<&str>> {
    let arns = parameters.texts("TargetGroupARNs");
    if arns.is_empty() {
        return Err(constraint(("null", "TargetGroupARNs"), "Member must not be null"));
    }
    if arns.len() > TARGET_GROUPS_MAX {
        return Err(invalid(format!("At most {TARGET_GROUPS_MAX} target groups can be given")));
    }
    Ok(arns)
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    const SET: &str = "LoadBalancerTargetGroups";
    let page = Page::parse(parameters, SET, Size { usual: 100, most: 100 })?;
    let group = named(view.region, parameters)?;
    let attached = group.target_groups.iter().map(|it| (&*it.arn, state(view, group, it)));
    let detached = group.detached.keys().map(|arn| (&**arn, "Removing"));
    let mut rows: Vec<(&str, (&str, &str))> =
        attached.chain(detached).map(|(arn, state)| (arn, (arn, state))).collect();
    rows.sort_unstable();
    page.write(xml, SET, rows, |xml, (arn, state)| {
        xml.text("LoadBalancerTargetGroupARN", arn);
        xml.text("State", state);
    });
    Ok(())
}

/// How far the instances of a group have come in a target group.
fn state(view: View<'_>, group: &AutoScalingGroup, attachment: &Attachment) -> &'static str {
    let is_in = |member: &member::Member| {
        member.registered.contains(&attachment.arn)
            || !matches!(member.stage, Stage::InService { .. })
    };
    match (group.health_check.kind, attachment.trust) {
        (HealthCheckType::Elb, Trust::Given) => "InService",
        _ if member::of(view.region, &group.name).all(is_in) => "Added",
        _ => "Adding",
    }
}
