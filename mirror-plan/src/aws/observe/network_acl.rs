//! Reading the network ACLs that mirrored packets may have to pass.
//!
//! They are read by VPC: that includes the default ACL, which applies to subnets that do not exist yet.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{NetworkAcl as SeenAcl, NetworkAclEntry, RuleAction};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::{AnswerError, FieldError};
use super::super::page::{self, Ids, pages};
use super::ObserveError;
use crate::id::NetworkAclId;
use crate::observed::{AclAction, AclRule, NetworkAcl, Observed};
use crate::resource::vpc::VpcId;
use crate::scalar::{Direction, IpRange, PortRange, Protocol};
use crate::stack::Stack;

const ANSWER: Answer = Answer("DescribeNetworkAcls");

/// Reads the network ACLs of the VPCs in which they can block what a stack mirrors.
///
/// This takes one call for each page of them, and none for a stack whose subnets neither exist nor are in a VPC of
/// others.
pub(super) async fn observe(
    aws: &Aws,
    stack: Option<&Stack>,
    observed: &Observed,
) -> Result<BTreeMap<NetworkAclId, NetworkAcl>, ObserveError> {
    let vpcs = stack.map(|stack| {
        let observed = &*observed.as_moved_in(stack);
        // Existing objects that do not fit are rejected by the plan.
        let stack = stack.using(observed).unwrap_or(Cow::Borrowed(stack));
        observed.vpcs_on_the_way(&stack)
    });
    let vpcs: BTreeSet<VpcId> = vpcs.unwrap_or_default();
    if vpcs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Ids = vpcs.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_network_acls()
        .set_filters(page::only("vpc-id", &ids))
        .max_results(page::PAGE);
    let mut acls = BTreeMap::new();
    for seen in pages!(aws, "DescribeNetworkAcls", request, network_acls) {
        let id: NetworkAclId = ANSWER.id("networkAclId", seen.network_acl_id())?;
        let acl = read(&seen)?;
        if vpcs.contains(&acl.vpc) {
            acls.insert(id, acl);
        }
    }
    Ok(acls)
}

fn read(seen: &SeenAcl) -> Result<NetworkAcl, AnswerError> {
    let subnets = seen.associations().iter().map(|association| association.subnet_id());
    let rules = seen.entries().iter().filter_map(|entry| rule(entry).transpose());
    Ok(NetworkAcl {
        vpc: ANSWER.id("vpcId", seen.vpc_id())?,
        is_default: ANSWER.present("default", seen.is_default())?,
        rules: rules.collect::<Result<_, _>>()?,
        subnets: subnets.map(|id| ANSWER.id("subnetId", id)).collect::<Result<_, _>>()?,
    })
}

/// Returns a rule; `None` for one with protocol 0, which nothing here uses and which [`Protocol`] cannot express.
fn rule(entry: &NetworkAclEntry) -> Result<Option<AclRule>, AnswerError> {
    let protocol = match entry.protocol() {
        Some("0") => return Ok(None),
        Some("-1") => Protocol::All,
        other => ANSWER.parsed("protocol", other)?,
    };
    let number = ANSWER.present("ruleNumber", entry.rule_number())?;
    let range = entry.cidr_block().or_else(|| entry.ipv6_cidr_block());
    Ok(Some(AclRule {
        number: u16::try_from(number)
            .map_err(|_| ANSWER.wrong("ruleNumber", FieldError::Unknown(number.to_string())))?,
        direction: if ANSWER.present("egress", entry.egress())? {
            Direction::Egress
        } else {
            Direction::Ingress
        },
        action: match ANSWER.present("ruleAction", entry.rule_action())? {
            RuleAction::Allow => AclAction::Allow,
            RuleAction::Deny => AclAction::Deny,
            other => {
                let other = FieldError::Unknown(other.as_str().to_owned());
                return Err(ANSWER.wrong("ruleAction", other));
            }
        },
        protocol,
        range: ANSWER.parsed::<IpRange>("cidrBlock", range)?,
        port: ports(entry, protocol)?,
    }))
}

/// Returns the ports of a rule; `None` for all ports.
fn ports(entry: &NetworkAclEntry, protocol: Protocol) -> Result<Option<PortRange>, AnswerError> {
    let Some(ports) = entry.port_range().filter(|_| protocol.has_ports()) else { return Ok(None) };
    let from = ANSWER.present("portRange", ports.from())?;
    let to = ANSWER.present("portRange", ports.to())?;
    let range = u16::try_from(from).ok().zip(u16::try_from(to).ok());
    let range = range.and_then(|(from, to)| PortRange::new(from, to));
    let wrong = || ANSWER.wrong("portRange", FieldError::Unknown(format!("{from}-{to}")));
    range.ok_or_else(wrong).map(|range| Some(range).filter(|_| (from, to) != (0, 65535)))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{NetworkAclAssociation, PortRange as SeenPorts};

    use super::*;

    fn entry(number: i32, protocol: &str) -> NetworkAclEntry {
        NetworkAclEntry::builder()
            .rule_number(number)
            .egress(false)
            .rule_action(RuleAction::Deny)
            .protocol(protocol)
            .cidr_block("10.0.0.0/8")
            .port_range(SeenPorts::builder().from(4789).to(4789).build())
            .build()
    }

    #[test]
    fn what_matters_of_a_network_acl_is_read_and_nothing_is_guessed() {
        let subnet = NetworkAclAssociation::builder().subnet_id("subnet-0a1b2c3d4e5f67890");
        let seen = SeenAcl::builder()
            .network_acl_id("acl-0a1b2c3d4e5f67890")
            .vpc_id("vpc-0a1b2c3d4e5f67890")
            .is_default(false)
            .associations(subnet.build())
            .entries(entry(90, "17"))
            .entries(entry(100, "0"))
            .entries(entry(32767, "-1"));
        let read_back = read(&seen.clone().build()).unwrap();
        let rules: Vec<_> = read_back.rules.iter().map(|rule| (rule.number, rule.port)).collect();
        assert_eq!(rules, [(90, Some(PortRange::only(4789))), (32767, None)]);
        assert_eq!((read_back.rules[0].protocol, read_back.subnets.len()), (Protocol::UDP, 1));
        let mut no_action = entry(1, "6");
        no_action.rule_action = None;
        read(&seen.clone().entries(no_action).build()).unwrap_err();
        let mut upside_down = entry(1, "6");
        upside_down.port_range = Some(SeenPorts::builder().from(90).to(80).build());
        read(&seen.entries(upside_down).build()).unwrap_err();
    }
}
