//! Security group rules: what they are, and how they are described.

mod authorize;
mod modify;
mod permission;
mod revoke;

pub(crate) use permission::{Direction, Peer, Permission};

use super::security_group;
use crate::action::Action;
use crate::failure::Outcome;
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Region, View};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeSecurityGroupRules", describe),
    Action::write("AuthorizeSecurityGroupIngress", |call, xml| {
        authorize::authorize(call, xml, Direction::Ingress)
    }),
    Action::write("AuthorizeSecurityGroupEgress", |call, xml| {
        authorize::authorize(call, xml, Direction::Egress)
    }),
    Action::write("RevokeSecurityGroupIngress", |call, xml| {
        revoke::revoke(call, xml, Direction::Ingress)
    }),
    Action::write("RevokeSecurityGroupEgress", |call, xml| {
        revoke::revoke(call, xml, Direction::Egress)
    }),
    Action::write("ModifySecurityGroupRules", modify::modify),
    Action::write("UpdateSecurityGroupRuleDescriptionsIngress", |call, xml| {
        modify::describe_anew(call, xml, Direction::Ingress)
    }),
    Action::write("UpdateSecurityGroupRuleDescriptionsEgress", |call, xml| {
        modify::describe_anew(call, xml, Direction::Egress)
    }),
];

/// A rule of a security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SecurityGroupRule {
    pub(crate) id: String,
    pub(crate) group_id: String,
    pub(crate) permission: Permission,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

tagged_row!(
    SecurityGroupRule,
    Kind {
        prefix: "sgr-",
        noun: "security group rule ID",
        resource_type: "security-group-rule",
        not_found: "InvalidSecurityGroupRuleId.NotFound",
        malformed: "InvalidSecurityGroupRuleId.Malformed",
        describe: "DescribeSecurityGroupRules",
    }
);

const LISTING: Listing<SecurityGroupRule> = Listing {
    table: |region| &region.security_group_rules,
    ids: "SecurityGroupRuleId",
    filters: &[
        ("group-id", |_, rule| texts([&rule.group_id])),
        ("security-group-rule-id", |_, rule| texts([&rule.id])),
    ],
    set: "securityGroupRuleSet",
    write,
    page: 5..=1000,
};

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    LISTING.answer(view, parameters, xml)
}

/// Writes one rule with everything about it.
fn write(view: View<'_>, rule: &SecurityGroupRule, xml: &mut Xml) {
    let region = view.region;
    write_outline(rule, xml);
    if let Peer::Group(id) = &rule.permission.peer {
        xml.element("referencedGroupInfo", |xml| {
            xml.text("groupId", id);
            xml.text("userId", &view.region.account);
            xml.optional("vpcId", region.security_groups.get(id).map(|group| &group.vpc_id));
        });
    }
    xml.text("groupOwnerId", &view.region.account);
    let arn = region.arn("ec2", format_args!("security-group-rule/{}", rule.id));
    xml.text("securityGroupRuleArn", arn);
    rule.tags.write(xml);
}

/// Writes what every answer about a rule has.
fn write_outline(rule: &SecurityGroupRule, xml: &mut Xml) {
    let permission = &rule.permission;
    xml.text("securityGroupRuleId", &rule.id);
    xml.text("groupId", &rule.group_id);
    xml.text("isEgress", permission.direction == Direction::Egress);
    xml.text("ipProtocol", &permission.protocol);
    let (from, to) = permission.ports.unwrap_or((-1, -1));
    xml.text("fromPort", from);
    xml.text("toPort", to);
    match &permission.peer {
        Peer::Group(_) => {}
        Peer::Ipv4(cidr) => xml.text("cidrIpv4", cidr),
        Peer::Ipv6(cidr) => xml.text("cidrIpv6", cidr),
        Peer::PrefixList(id) => xml.text("prefixListId", id),
    }
    xml.optional("description", rule.description.as_ref());
}

/// Writes rules as the permissions of their group: one for each protocol and range of ports. `owner` is
/// the account of the groups that they name.
pub(crate) fn write_permissions<'a>(
    (xml, name): (&mut Xml, &str),
    owner: &str,
    rules: impl Iterator<Item = &'a SecurityGroupRule>,
) {
    let mut permissions: Vec<Vec<&SecurityGroupRule>> = Vec::new();
    for rule in rules {
        let same = |other: &&mut Vec<&SecurityGroupRule>| {
            other.first().is_some_and(|first| {
                first.permission.protocol == rule.permission.protocol
                    && first.permission.ports == rule.permission.ports
            })
        };
        match permissions.iter_mut().find(same) {
            Some(permission) => permission.push(rule),
            None => permissions.push(vec![rule]),
        }
    }
    xml.items(name, permissions, |xml, rules| write_permission(xml, owner, &rules));
}

fn write_permission(xml: &mut Xml, owner: &str, rules: &[&SecurityGroupRule]) {
    let Some(first) = rules.first() else { return };
    xml.text("ipProtocol", &first.permission.protocol);
    if let Some((from, to)) = first.permission.ports {
        xml.text("fromPort", from);
        xml.text("toPort", to);
    }
    write_peers(xml, ("groups", "groupId", Some(owner)), rules, |peer| match peer {
        Peer::Group(id) => Some(id.clone()),
        _ => None,
    });
    write_peers(xml, ("ipRanges", "cidrIp", None), rules, |peer| match peer {
        Peer::Ipv4(cidr) => Some(cidr.to_string()),
        _ => None,
    });
    write_peers(xml, ("ipv6Ranges", "cidrIpv6", None), rules, |peer| match peer {
        Peer::Ipv6(cidr) => Some(cidr.to_string()),
        _ => None,
    });
    write_peers(xml, ("prefixListIds", "prefixListId", None), rules, |peer| match peer {
        Peer::PrefixList(id) => Some(id.clone()),
        _ => None,
    });
}

fn write_peers(
    xml: &mut Xml,
    (list, member, owner): (&str, &str, Option<&str>),
    rules: &[&SecurityGroupRule],
    text: fn(&Peer) -> Option<String>,
) {
    let peers =
        rules.iter().filter_map(|rule| Some((text(&rule.permission.peer)?, &rule.description)));
    xml.items(list, peers, |xml, (peer, description)| {
        xml.text(member, peer);
        xml.optional("description", description.as_ref());
        xml.optional("userId", owner);
    });
}

/// Returns the rule of a group that allows exactly this.
fn matching<'a>(
    region: &'a Region,
    group: &'a str,
    permission: &Permission,
) -> Option<&'a SecurityGroupRule> {
    security_group::rules(region, group).find(|rule| rule.permission == *permission)
}
