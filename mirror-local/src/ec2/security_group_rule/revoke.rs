//! Removing rules from a security group.

use super::authorize::group;
use super::permission::{Described, listed};
use super::{Direction, Peer, SecurityGroupRule, matching, write_outline};
use crate::failure::{Failure, Outcome};
use crate::world::{Call, by_id};
use crate::xml::Xml;

/// Removes the rules of a call, all or none.
///
/// In the default VPC, permissions that no rule gives are listed in the answer; elsewhere they make
/// the call fail.
pub(super) fn revoke(call: &mut Call<'_>, xml: &mut Xml, direction: Direction) -> Outcome {
    let group = group(call.region, call.parameters)?;
    let (id, vpc) = (group.id.clone(), group.vpc_id.clone());
    let ids = call.parameters.texts("SecurityGroupRuleId");
    let (revoked, unknown) = if ids.is_empty() {
        by_permission(call, (&id, &vpc), direction)?
    } else {
        (by_rule_id(call, &id, (direction, &ids))?, Vec::new())
    };
    let default = call.region.vpcs.get(&vpc).is_some_and(|vpc| vpc.is_default);
    if !unknown.is_empty() && !default {
        let message = "The specified rule does not exist in this security group.";
        return Err(Failure::new("InvalidPermission.NotFound", message));
    }
    for rule in &revoked {
        call.region.security_group_rules.remove(&rule.id);
    }
    xml.text("return", true);
    xml.items("unknownIpPermissionSet", &unknown, |xml, (permission, _)| {
        xml.text("ipProtocol", &permission.protocol);
        if let Some((from, to)) = permission.ports {
            xml.text("fromPort", from);
            xml.text("toPort", to);
        }
    });
    xml.items("revokedSecurityGroupRuleSet", &revoked, |xml, rule| {
        write_outline(rule, xml);
        if let Peer::Group(id) = &rule.permission.peer {
            xml.text("referencedGroupId", id);
        }
    });
    Ok(())
}

fn by_rule_id(
    call: &Call<'_>,
    group: &str,
    (direction, ids): (Direction, &[&str]),
) -> Outcome<Vec<SecurityGroupRule>> {
    let mut rules = Vec::new();
    for id in ids {
        let rule = by_id(&call.region.security_group_rules, id, "securityGroupRuleId")?;
        if rule.group_id != group || rule.permission.direction != direction {
            let message = format!("The security group rule ID '{id}' does not exist in {group}");
            return Err(Failure::new("InvalidSecurityGroupRuleId.NotFound", message));
        }
        rules.push(rule.clone());
    }
    Ok(rules)
}

fn by_permission(
    call: &Call<'_>,
    (group, vpc): (&str, &str),
    direction: Direction,
) -> Outcome<(Vec<SecurityGroupRule>, Vec<Described>)> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for described in listed(call.region, call.parameters, (direction, vpc))? {
        match matching(call.region, group, &described.0) {
            Some(rule) => known.push(rule.clone()),
            None => unknown.push(described),
        }
    }
    Ok((known, unknown))
}
