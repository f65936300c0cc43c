//! Adding rules to a security group.

use super::permission::{Described, check_networks, listed};
use super::{Direction, SecurityGroupRule, matching, write};
use crate::ec2::security_group::{self, SecurityGroup};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::{Call, Region, by_id};
use crate::xml::Xml;

/// Adds the rules of a call, all or none.
pub(super) fn authorize(call: &mut Call<'_>, xml: &mut Xml, direction: Direction) -> Outcome {
    let group = group(call.region, call.parameters)?;
    let (id, vpc) = (group.id.clone(), group.vpc_id.clone());
    let tags = Tags::specified(call.parameters, "security-group-rule")?;
    let permissions = listed(call.region, call.parameters, (direction, &vpc))?;
    for (permission, _) in &permissions {
        check_networks(call.region, permission, &vpc)?;
    }
    check_count(call, &id, (direction, permissions.len()))?;
    let mut added = Vec::new();
    for described in permissions {
        added.push(add(call.region, &id, (described, &tags))?);
    }
    xml.text("return", true);
    let view = call.view();
    let rules = added.iter().filter_map(|id| view.region.security_group_rules.get(id));
    xml.items("securityGroupRuleSet", rules, |xml, rule| write(view, rule, xml));
    Ok(())
}

/// Returns the group that a call names, by id or in the default VPC by name.
pub(super) fn group<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a SecurityGroup> {
    if let Some(id) = parameters.text("GroupId") {
        return by_id(&region.security_groups, id, "groupId");
    }
    let Some(name) = parameters.text("GroupName") else { return Err(Failure::missing("groupId")) };
    let vpc = region.default_vpc()?;
    let group = region.security_groups.values().find(|g| g.vpc_id == vpc && g.name == name);
    group.ok_or_else(|| {
        let message = format!("The security group '{name}' does not exist in default VPC");
        Failure::new("InvalidGroup.NotFound", message)
    })
}

fn check_count(call: &Call<'_>, group: &str, (direction, more): (Direction, usize)) -> Outcome {
    let there = security_group::rules(call.region, group)
        .filter(|rule| rule.permission.direction == direction)
        .count();
    if there + more > call.settings.quotas.rules_per_security_group {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(Failure::new("RulesPerSecurityGroupLimitExceeded", message));
    }
    Ok(())
}

fn add(
    region: &mut Region,
    group: &str,
    ((permission, description), tags): (Described, &Tags),
) -> Outcome<String> {
    if matching(region, group, &permission).is_some() {
        let message = format!("the specified rule \"{permission}\" already exists");
        return Err(Failure::new("InvalidPermission.Duplicate", message));
    }
    let id = region.draw_id("sgr-");
    let rule = SecurityGroupRule {
        id: id.clone(),
        group_id: group.to_owned(),
        permission,
        description,
        tags: tags.clone(),
    };
    region.security_group_rules.insert(&*id, rule);
    Ok(id)
}
