//! Calls about security groups.

use aws_sdk_ec2::operation::create_security_group::CreateSecurityGroupOutput;
use aws_sdk_ec2::types::{
    IpPermission, IpRange as V4Range, Ipv6Range, ResourceType, UserIdGroupPair,
};
use ipnet::IpNet;

use super::super::answer::Answer;
use super::super::tags;
use super::acting::{Acting, conflict, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::security_group::{Operation, Peer, Rule, SecurityGroupId};
use crate::scalar::{Direction, Protocol};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Authorize { security_group, direction, rule } => {
            authorize(acting, &acting.id(security_group)?, *direction, rule).await
        }
        Operation::Describe { security_group, direction, rule } => {
            describe(acting, &acting.id(security_group)?, *direction, rule).await
        }
        Operation::Revoke { security_group, direction, rule } => {
            revoke(acting, &acting.id(security_group)?, *direction, rule).await
        }
        Operation::Delete { security_group } => {
            let id = acting.id(security_group)?;
            let request = acting.aws.ec2().delete_security_group().group_id(id.as_str());
            let place = Place::SecurityGroup(id.as_str());
            acting.remove("DeleteSecurityGroup", place, || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { vpc, name, description, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let request = acting
        .aws
        .ec2_once()
        .create_security_group()
        .vpc_id(acting.id(vpc)?.as_str())
        .group_name(name)
        .description(description)
        .tag_specifications(tags::specification(ResourceType::SecurityGroup, tags));
    let making = Making { call: "CreateSecurityGroup", tags };
    let id = |answer: &CreateSecurityGroupOutput| {
        Answer("CreateSecurityGroup").id("groupId", answer.group_id())
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    seen(acting, &id).await?;
    let made = Made::object(&id).with("name", Some(name.clone()));
    Ok(made.with("description", Some(description.clone())))
}

/// Waits until AWS sees a new group, so that calls about its rules can follow.
async fn seen(acting: &Acting<'_>, id: &SecurityGroupId) -> Result<(), ActError> {
    let mut patience = acting.patience("it is visible", acting.aws.seen());
    let request = acting.aws.ec2().describe_security_groups().group_ids(id.as_str());
    loop {
        let answer = acting.aws.send("DescribeSecurityGroups", request.clone().send()).await;
        if unless_absent(answer)?.is_some() {
            return Ok(());
        }
        patience.pause("it is not visible yet").await?;
    }
}

/// Returns one rule in the form that AWS accepts.
fn permission(acting: &Acting<'_>, rule: &Rule) -> Result<IpPermission, ActError> {
    let Rule { protocol, port, peer, description } = rule;
    let (from, to) = match (protocol.has_ports(), port) {
        (true, Some(port)) => (i32::from(port.from()), i32::from(port.to())),
        (true, None) => (0, 65535),
        // All types of ICMP; without meaning for the other protocols that have no ports.
        (false, _) => (-1, -1),
    };
    let protocol = match protocol {
        Protocol::All => "-1".to_owned(),
        Protocol::Number(_) => protocol.to_string(),
    };
    let permission = IpPermission::builder().ip_protocol(protocol).from_port(from).to_port(to);
    let description = description.clone();
    let permission = match peer {
        Peer::Range(range) => match range.net() {
            IpNet::V4(net) => permission.ip_ranges(
                V4Range::builder().cidr_ip(net.to_string()).set_description(description).build(),
            ),
            IpNet::V6(net) => permission.ipv6_ranges(
                Ipv6Range::builder()
                    .cidr_ipv6(net.to_string())
                    .set_description(description)
                    .build(),
            ),
        },
        Peer::Group(group) => permission.user_id_group_pairs(
            UserIdGroupPair::builder()
                .group_id(acting.id(group)?.as_str())
                .set_description(description)
                .build(),
        ),
    };
    Ok(permission.build())
}

/// Sends the ingress or the egress variant of a call; the builders have no common type.
macro_rules! by_direction {
    ($acting:ident, $direction:expr, $group:expr, $permission:expr, $method:ident,
     [$ingress:ident, $in_call:literal], [$egress:ident, $out_call:literal]) => {
        match $direction {
            Direction::Ingress => {
                let request =
                    $acting.aws.ec2().$ingress().group_id($group).ip_permissions($permission);
                $acting.$method($in_call, || request.clone().send()).await.map(drop)
            }
            Direction::Egress => {
                let request =
                    $acting.aws.ec2().$egress().group_id($group).ip_permissions($permission);
                $acting.$method($out_call, || request.clone().send()).await.map(drop)
            }
        }
    };
}

async fn authorize(
    acting: &Acting<'_>,
    group: &SecurityGroupId,
    direction: Direction,
    rule: &Rule,
) -> Result<Made, ActError> {
    let permission = permission(acting, rule)?;
    let done = by_direction!(
        acting,
        direction,
        group.as_str(),
        permission,
        call,
        [authorize_security_group_ingress, "AuthorizeSecurityGroupIngress"],
        [authorize_security_group_egress, "AuthorizeSecurityGroupEgress"]
    );
    // One rule per call: if it already exists, that is what was wanted.
    conflict(done)?;
    Ok(Made::nothing())
}

async fn describe(
    acting: &Acting<'_>,
    group: &SecurityGroupId,
    direction: Direction,
    rule: &Rule,
) -> Result<Made, ActError> {
    let permission = permission(acting, rule)?;
    by_direction!(
        acting,
        direction,
        group.as_str(),
        permission,
        call,
        [
            update_security_group_rule_descriptions_ingress,
            "UpdateSecurityGroupRuleDescriptionsIngress"
        ],
        [
            update_security_group_rule_descriptions_egress,
            "UpdateSecurityGroupRuleDescriptionsEgress"
        ]
    )?;
    Ok(Made::nothing())
}

async fn revoke(
    acting: &Acting<'_>,
    group: &SecurityGroupId,
    direction: Direction,
    rule: &Rule,
) -> Result<Made, ActError> {
    let permission = permission(acting, rule)?;
    by_direction!(
        acting,
        direction,
        group.as_str(),
        permission,
        withdraw,
        [revoke_security_group_ingress, "RevokeSecurityGroupIngress"],
        [revoke_security_group_egress, "RevokeSecurityGroupEgress"]
    )?;
    Ok(Made::nothing())
}
