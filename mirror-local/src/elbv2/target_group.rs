//! Target groups.

mod create;
mod health_check;

pub(crate) use health_check::HealthCheck;

use super::attribute::Attributes;
use super::page::Page;
use super::target::Target;
use super::{Listener, arn, invalid, load_balancer};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("CreateTargetGroup", create::create).without_dry_run(),
    Action::write("DeleteTargetGroup", delete).without_dry_run(),
    Action::read("DescribeTargetGroups", describe).without_dry_run(),
    Action::write("ModifyTargetGroup", modify).without_dry_run(),
];

/// The protocol of target groups behind Gateway Load Balancers, and its only port.
///
/// Source: Gateway Load Balancer guide, "Target groups".
pub(crate) const GENEVE: &str = "GENEVE";
pub(crate) const GENEVE_PORT: u16 = 6081;

/// A target group, keyed by ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) protocol: String,
    pub(crate) port: u16,
    pub(crate) vpc_id: String,
    pub(crate) target_type: TargetType,
    pub(crate) health_check: HealthCheck,
    pub(crate) targets: Vec<Target>,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Tags,
}

/// What targets are named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TargetType {
    Instance,
    Ip,
}

impl Row for TargetGroup {
    const KIND: Kind = Kind {
        noun: "target group",
        not_found: "TargetGroupNotFound",
        malformed: "ValidationError",
        describe: "DescribeTargetGroups",
        ..Kind::INTERNAL
    };
}

impl TargetType {
    fn word(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Ip => "ip",
        }
    }
}

impl TargetGroup {
    /// Returns whether UDP is among the group's protocols.
    pub(super) fn carries_udp(&self) -> bool {
        self.protocol.contains("UDP")
    }

    /// Returns whether it is for a Gateway Load Balancer.
    pub(super) fn is_for_gateway(&self) -> bool {
        self.protocol == GENEVE
    }

    /// Returns whether targets see the client's address, unless it was set otherwise.
    pub(super) fn preserves_client_ip(&self) -> bool {
        self.carries_udp() || self.target_type == TargetType::Instance
    }
}

/// Returns the target group that a parameter names.
pub(super) fn named<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a TargetGroup> {
    let arn = arn::required(parameters, "TargetGroupArn", arn::TARGET_GROUP)?;
    region.target_groups.get(arn).ok_or_else(|| not_found(&[arn]))
}

/// The failure for target groups that do not exist.
pub(super) fn not_found(missing: &[&str]) -> Failure {
    let missing = missing.join(", ");
    Failure::new("TargetGroupNotFound", format_args!("Target groups '{missing}' not found"))
}

/// Returns the target group that a listener forwards to.
pub(super) fn of<'a>(region: &'a Region, listener: &Listener) -> Option<&'a TargetGroup> {
    region.target_groups.get(&listener.target_group_arn)
}

/// Returns the listeners that forward to a target group.
pub(super) fn listeners<'a>(
    region: &'a Region,
    group: &'a str,
) -> impl Iterator<Item = &'a Listener> {
    region.listeners.values().filter(move |listener| listener.target_group_arn == group)
}

/// Handles `DeleteTargetGroup`, which succeeds if there is no such group.
fn delete(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let arn = arn::required(call.parameters, "TargetGroupArn", arn::TARGET_GROUP)?;
    if listeners(call.region, arn).next().is_some() {
        let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(Failure::new("ResourceInUse", message));
    }
    call.region.target_groups.remove(arn);
    Ok(())
}

/// Handles `ModifyTargetGroup`, which changes the health check.
fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let mut group = named(call.region, call.parameters)?.clone();
    group.health_check = group.health_check.changed(call.parameters)?;
    xml.members("TargetGroups", [&group], |xml, group| write(call.region, group, xml));
    call.region.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let region = view.region;
    let (arns, names) = (parameters.texts("TargetGroupArns"), parameters.texts("Names"));
    let of_one = match parameters.text("LoadBalancerArn") {
        Some(_) => Some(&*load_balancer::named(region, parameters)?.arn),
        None => None,
    };
    let ways = [!arns.is_empty(), !names.is_empty(), of_one.is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        let message =
            "Target groups can be asked for by ARN, by name or by load balancer, in one way only";
        return Err(invalid(message));
    }
    let page = Page::parse(parameters, "TargetGroups")?;
    for arn in &arns {
        arn::check(arn, arn::TARGET_GROUP)?;
    }
    let table = &region.target_groups;
    let absent_arns = arns.iter().filter(|arn| !table.contains(arn));
    let absent_names = names.iter().filter(|name| !table.values().any(|tg| tg.name == **name));
    let absent: Vec<&str> = absent_arns.chain(absent_names).copied().collect();
    if !absent.is_empty() {
        return Err(not_found(&absent));
    }
    let asked = |group: &TargetGroup| {
        let serves = |lb: &str| listeners(region, &group.arn).any(|l| l.load_balancer_arn == lb);
        (arns.is_empty() || arns.contains(&&*group.arn))
            && (names.is_empty() || names.contains(&&*group.name))
            && of_one.is_none_or(serves)
    };
    let rows = table.iter().filter(|(_, group)| asked(group));
    page.write(xml, "TargetGroups", rows, |xml, group| write(region, group, xml));
    Ok(())
}

fn write(region: &Region, group: &TargetGroup, xml: &mut Xml) {
    xml.text("TargetGroupArn", &group.arn);
    xml.text("TargetGroupName", &group.name);
    xml.text("Protocol", &group.protocol);
    xml.text("Port", group.port);
    xml.text("VpcId", &group.vpc_id);
    group.health_check.write(xml);
    let mut users: Vec<&str> =
        listeners(region, &group.arn).map(|listener| &*listener.load_balancer_arn).collect();
    users.dedup();
    xml.element("LoadBalancerArns", |xml| {
        for arn in users {
            xml.text("member", arn);
        }
    });
    xml.text("TargetType", group.target_type.word());
    xml.text("IpAddressType", "ipv4");
}
