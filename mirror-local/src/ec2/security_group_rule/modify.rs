//! Changing rules of a security group in place.

use super::authorize::group;
use super::permission::{check_networks, checked_description, listed, replacement};
use super::{Direction, matching};
use crate::failure::{Failure, Outcome};
use crate::world::{Call, by_id, by_id_mut};
use crate::xml::Xml;

/// Handles `ModifySecurityGroupRules`: each rule becomes exactly what the call says.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("GroupId")?;
    let vpc = by_id(&call.region.security_groups, id, "groupId")?.vpc_id.clone();
    let changes = call.parameters.list("SecurityGroupRule");
    if changes.is_empty() {
        return Err(Failure::missing("SecurityGroupRule"));
    }
    for change in changes {
        let rule_id = change.required("SecurityGroupRuleId")?;
        let rule = by_id(&call.region.security_group_rules, rule_id, "securityGroupRuleId")?;
        if rule.group_id != id {
            let message = format!("The security group rule ID '{rule_id}' does not exist in {id}");
            return Err(Failure::new("InvalidSecurityGroupRuleId.NotFound", message));
        }
        let name = "SecurityGroupRule";
        let wanted =
            change.structure(name).ok_or_else(|| Failure::missing(&change.full_name(name)))?;
        let direction = rule.permission.direction;
        let (permission, description) = replacement(call.region, wanted, direction)?;
        check_networks(call.region, &permission, &vpc)?;
        if matching(call.region, id, &permission).is_some_and(|other| other.id != rule_id) {
            let message = format!("the specified rule \"{permission}\" already exists");
            return Err(Failure::new("InvalidPermission.Duplicate", message));
        }
        let table = &mut call.region.security_group_rules;
        let rule = by_id_mut(table, rule_id, "securityGroupRuleId")?;
        rule.permission = permission;
        rule.description = description;
    }
    xml.text("return", true);
    Ok(())
}

/// Handles `UpdateSecurityGroupRuleDescriptions…`: a rule without a description loses its own.
pub(super) fn describe_anew(call: &mut Call<'_>, xml: &mut Xml, direction: Direction) -> Outcome {
    let group = group(call.region, call.parameters)?;
    let (group, vpc) = (group.id.clone(), group.vpc_id.clone());
    let mut changes: Vec<(String, Option<String>)> = Vec::new();
    for item in call.parameters.list("SecurityGroupRuleDescription") {
        let id = item.required("SecurityGroupRuleId")?;
        by_id(&call.region.security_group_rules, id, "securityGroupRuleId")?;
        let description = item.text("Description").map(checked_description).transpose()?;
        changes.push((id.to_owned(), description));
    }
    if changes.is_empty() {
        for (permission, description) in listed(call.region, call.parameters, (direction, &vpc))? {
            let rule = matching(call.region, &group, &permission).ok_or_else(|| {
                let message = "The specified rule does not exist in this security group.";
                Failure::new("InvalidPermission.NotFound", message)
            })?;
            changes.push((rule.id.clone(), description));
        }
    }
    for (id, description) in changes {
        if let Some(rule) = call.region.security_group_rules.get_mut(&id) {
            rule.description = description;
        }
    }
    xml.text("return", true);
    Ok(())
}
