//! What a stack does not create but a rehearsal needs all the same: further interfaces of other owners' instances, the
//! tags of interfaces, and network ACLs. They are created in a local AWS and nowhere else.

use std::collections::BTreeMap;
use std::num::TryFromIntError;

use aws_sdk_ec2::types::{
    IcmpTypeCode, NetworkAcl as Made, NetworkAclAssociation, PortRange, RuleAction, Tag,
};

use super::answer::Answer;
use super::errors::AnswerError;
use super::page::{self, filter, pages};
use super::{Aws, BoxFuture, CallError, ObserveError, Pace};
use crate::id::{NetworkAclId, NetworkInterfaceId};
use crate::observed::{AclAction, AclRule, Bystanders, Interface, NetworkAcl, givable};
use crate::resource::Tags;
use crate::resource::vpc::VpcId;
use crate::scalar::{Direction, Protocol};

const ACLS: Answer = Answer("DescribeNetworkAcls");
const NEW_ACL: Answer = Answer("CreateNetworkAcl");
const NEW_INTERFACE: Answer = Answer("CreateNetworkInterface");

/// Why the surroundings of a stack could not be recreated.
#[derive(Debug, thiserror::Error)]
pub enum SurroundingsError {
    /// In a real AWS, nothing is created that is not in a plan.
    #[error("the surroundings of a stack are created only in a local AWS")]
    NotLocal,
    /// A call was refused, or not answered.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer cannot be read.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The place of an interface on its instance is not a number that AWS accepts.
    #[error("an interface cannot have this device index")]
    Device(#[from] TryFromIntError),
}

impl From<ObserveError> for SurroundingsError {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Call(error) => Self::Call(error),
            ObserveError::Answer(error) => Self::Answer(error),
        }
    }
}

/// The ids of what was created, each with the id of the object that was seen.
pub type OtherNames = BTreeMap<String, String>;

/// Gives recreated instances their further interfaces, and all interfaces their tags.
///
/// # Errors
/// If the AWS is a real one, or refuses a call.
pub fn attach<'a>(
    aws: &'a Aws,
    bystanders: &'a Bystanders,
) -> BoxFuture<'a, Result<OtherNames, SurroundingsError>> {
    Box::pin(async move {
        must_be_local(aws)?;
        let Bystanders { hosts: _, interfaces, left_out: _ } = bystanders;
        let mut names = OtherNames::new();
        for (id, interface) in interfaces {
            let here = attach_one(aws, interface).await?;
            tag(aws, here.as_ref().unwrap_or(id), &interface.tags).await?;
            names.extend(here.map(|here| (here.to_string(), id.to_string())));
        }
        Ok(names)
    })
}

fn must_be_local(aws: &Aws) -> Result<(), SurroundingsError> {
    match aws.shared.pace {
        Pace::Local => Ok(()),
        Pace::Aws => Err(SurroundingsError::NotLocal),
    }
}

/// Creates and attaches an interface, unless it is the primary one of its instance; returns its id in the local AWS.
async fn attach_one(
    aws: &Aws,
    interface: &Interface,
) -> Result<Option<NetworkInterfaceId>, SurroundingsError> {
    let Interface { subnet, addresses, security_groups, instance, .. } = interface;
    let Some(host) = instance.as_ref().filter(|host| host.device > 0) else { return Ok(None) };
    let groups = security_groups.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .create_network_interface()
        .subnet_id(subnet.as_str())
        .set_private_ip_address(addresses.first().map(ToString::to_string))
        .set_groups(Some(groups));
    let made = aws.send("CreateNetworkInterface", request.send()).await?.network_interface;
    let id = made.as_ref().and_then(|made| made.network_interface_id());
    let id: NetworkInterfaceId = NEW_INTERFACE.id("networkInterfaceId", id)?;
    let request = aws
        .ec2()
        .attach_network_interface()
        .network_interface_id(id.as_str())
        .instance_id(host.id.as_str())
        .device_index(i32::try_from(host.device)?);
    aws.send("AttachNetworkInterface", request.send()).await?;
    Ok(Some(id))
}

async fn tag(aws: &Aws, id: &NetworkInterfaceId, tags: &Tags) -> Result<(), SurroundingsError> {
    if tags.is_empty() {
        return Ok(());
    }
    let tags = givable(tags).into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let request = aws.ec2().create_tags().resources(id.as_str()).set_tags(Some(tags));
    aws.send("CreateTags", request.send()).await?;
    Ok(())
}

/// Gives the existing VPCs and subnets the network ACLs that were seen.
///
/// # Errors
/// If the AWS is a real one, or refuses a call.
pub fn close<'a>(
    aws: &'a Aws,
    seen: &'a BTreeMap<NetworkAclId, NetworkAcl>,
) -> BoxFuture<'a, Result<OtherNames, SurroundingsError>> {
    Box::pin(async move {
        must_be_local(aws)?;
        let mut names = OtherNames::new();
        for (id, acl) in seen {
            let here = make(aws, acl).await?;
            names.extend(here.map(|here| (here.to_string(), id.to_string())));
        }
        Ok(names)
    })
}

/// Creates an ACL, or changes the one that AWS created with its VPC; returns its id in the local AWS. `None` if there
/// is no such VPC.
async fn make(aws: &Aws, acl: &NetworkAcl) -> Result<Option<NetworkAclId>, SurroundingsError> {
    let NetworkAcl { vpc, is_default, rules, subnets } = acl;
    let there = of_vpc(aws, vpc).await?;
    let Some(default) = there.iter().find(|it| it.is_default() == Some(true)) else {
        return Ok(None);
    };
    let id: NetworkAclId = if *is_default {
        empty(aws, default).await?;
        ACLS.id("networkAclId", default.network_acl_id())?
    } else {
        let request = aws.ec2().create_network_acl().vpc_id(vpc.as_str());
        let made = aws.send("CreateNetworkAcl", request.send()).await?.network_acl;
        NEW_ACL.id("networkAclId", made.as_ref().and_then(|made| made.network_acl_id()))?
    };
    for rule in rules.iter().filter(|rule| rule.number != AclRule::LAST) {
        add(aws, &id, rule).await?;
    }
    let associations = there.iter().flat_map(Made::associations);
    let of_subnets = associations.filter(|association| {
        association.subnet_id().is_some_and(|id| subnets.iter().any(|it| it.as_str() == id))
    });
    for association in of_subnets.filter(|it| it.network_acl_id() != Some(id.as_str())) {
        let NetworkAclAssociation { network_acl_association_id, .. } = association.clone();
        let request = aws
            .ec2()
            .replace_network_acl_association()
            .set_association_id(network_acl_association_id)
            .network_acl_id(id.as_str());
        aws.send("ReplaceNetworkAclAssociation", request.send()).await?;
    }
    Ok(Some(id))
}

async fn of_vpc(aws: &Aws, vpc: &VpcId) -> Result<Vec<Made>, SurroundingsError> {
    let filters = filter("vpc-id", [vpc.to_string()]);
    let request = aws.ec2().describe_network_acls().filters(filters).max_results(page::PAGE);
    Ok(pages!(aws, "DescribeNetworkAcls", request, network_acls))
}

/// Removes all rules except for the last one of every ACL, which denies the rest and cannot be removed.
async fn empty(aws: &Aws, acl: &Made) -> Result<(), SurroundingsError> {
    let last = i32::from(AclRule::LAST);
    for entry in acl.entries().iter().filter(|entry| entry.rule_number() != Some(last)) {
        let request = aws
            .ec2()
            .delete_network_acl_entry()
            .set_network_acl_id(acl.network_acl_id.clone())
            .set_rule_number(entry.rule_number())
            .set_egress(entry.egress());
        aws.send("DeleteNetworkAclEntry", request.send()).await?;
    }
    Ok(())
}

async fn add(aws: &Aws, id: &NetworkAclId, rule: &AclRule) -> Result<(), SurroundingsError> {
    let AclRule { number, direction, action, protocol, range, port } = rule;
    let (of_v4, of_v6) = match range.net() {
        net if net.addr().is_ipv4() => (Some(net.to_string()), None),
        net => (None, Some(net.to_string())),
    };
    let (from, to) = port.map_or((0, u16::MAX), |port| (port.from(), port.to()));
    let ports = PortRange::builder().from(from.into()).to(to.into()).build();
    // Of rules for ICMP only the protocol was seen, so the types are not copied.
    let all_types = IcmpTypeCode::builder().r#type(-1).code(-1).build();
    let is_icmp = matches!(protocol, Protocol::Number(1 | 58));
    let request = aws
        .ec2()
        .create_network_acl_entry()
        .network_acl_id(id.as_str())
        .rule_number((*number).into())
        .egress(*direction == Direction::Egress)
        .rule_action(match action {
            AclAction::Allow => RuleAction::Allow,
            AclAction::Deny => RuleAction::Deny,
        })
        .protocol(protocol.number().map_or_else(|| "-1".to_owned(), |number| number.to_string()))
        .set_cidr_block(of_v4)
        .set_ipv6_cidr_block(of_v6)
        .set_port_range(protocol.has_ports().then_some(ports))
        .set_icmp_type_code(is_icmp.then_some(all_types));
    aws.send("CreateNetworkAclEntry", request.send()).await?;
    Ok(())
}
