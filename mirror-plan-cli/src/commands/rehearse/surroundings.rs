//! What a stack does not make and a rehearsal needs all the same: further interfaces of instances of others, the
//! tags of interfaces, and network ACLs. It is made in a local AWS in memory and nowhere else.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_sdk_ec2::types::{Filter, IcmpTypeCode, NetworkAcl as Made, PortRange, RuleAction, Tag};
use mirror_local::Cloud;
use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostic;
use mirror_plan::id::NetworkAclId;
use mirror_plan::observed::{AclAction, AclRule, Bystanders, Interface, NetworkAcl, givable};
use mirror_plan::resource::Tags;
use mirror_plan::resource::vpc::VpcId;
use mirror_plan::scalar::{Direction, Protocol};

/// What could not be made, and what the local AWS said of it.
type Refused = Box<dyn std::error::Error>;

/// Gives instances that have been made again their further interfaces, and all interfaces their tags.
pub(super) async fn attach(
    cloud: &Cloud,
    client: &Client,
    bystanders: &Bystanders,
) -> Result<(), Diagnostic> {
    let Bystanders { hosts: _, interfaces, left_out: _ } = bystanders;
    let mut names = BTreeMap::from([(Bystanders::AWS.to_owned(), "aws".to_owned())]);
    for (id, interface) in interfaces {
        let here = attach_one(client, interface).await.map_err(|error| failed(&error))?;
        if let Some(here) = &here {
            names.insert(here.clone(), id.to_string());
        }
        let here = here.unwrap_or_else(|| id.to_string());
        tag(client, &here, &interface.tags).await.map_err(|error| failed(&error))?;
    }
    cloud.rename(&names);
    Ok(())
}

/// Makes and attaches an interface that is not the primary one of its instance; returns its id here.
async fn attach_one(client: &Client, interface: &Interface) -> Result<Option<String>, Refused> {
    let Interface { subnet, addresses, security_groups, instance, .. } = interface;
    let Some(host) = instance.as_ref().filter(|host| host.device > 0) else { return Ok(None) };
    let groups = security_groups.iter().map(ToString::to_string).collect();
    let made = client
        .create_network_interface()
        .subnet_id(subnet.as_str())
        .set_private_ip_address(addresses.first().map(ToString::to_string))
        .set_groups(Some(groups))
        .send()
        .await?;
    let made = made.network_interface.and_then(|made| made.network_interface_id);
    let id = made.ok_or("an interface without an id")?;
    client
        .attach_network_interface()
        .network_interface_id(&id)
        .instance_id(host.id.as_str())
        .device_index(i32::try_from(host.device)?)
        .send()
        .await?;
    Ok(Some(id))
}

async fn tag(client: &Client, id: &str, tags: &Tags) -> Result<(), Refused> {
    if tags.is_empty() {
        return Ok(());
    }
    let tags = givable(tags).into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    client.create_tags().resources(id).set_tags(Some(tags)).send().await?;
    Ok(())
}

/// Gives the VPCs and subnets that are there the network ACLs that were seen.
pub(super) async fn close(
    cloud: &Cloud,
    client: &Client,
    seen: &BTreeMap<NetworkAclId, NetworkAcl>,
) -> Result<(), Diagnostic> {
    let mut names = BTreeMap::new();
    for (id, acl) in seen {
        let here = make(client, acl).await.map_err(|error| failed(&error))?;
        names.extend(here.map(|here| (here, id.to_string())));
    }
    cloud.rename(&names);
    Ok(())
}

/// Makes one, or changes the one that AWS made with its VPC; returns its id here. `None` if there is no such VPC.
async fn make(client: &Client, acl: &NetworkAcl) -> Result<Option<String>, Refused> {
    let NetworkAcl { vpc, is_default, rules, subnets } = acl;
    let there = of_vpc(client, vpc).await?;
    let Some(default) = there.iter().find(|it| it.is_default() == Some(true)) else {
        return Ok(None);
    };
    let id = if *is_default {
        for entry in default.entries().iter().filter(|it| it.rule_number() != Some(LAST)) {
            client
                .delete_network_acl_entry()
                .set_network_acl_id(default.network_acl_id.clone())
                .set_rule_number(entry.rule_number())
                .set_egress(entry.egress())
                .send()
                .await?;
        }
        default.network_acl_id.clone()
    } else {
        let made = client.create_network_acl().vpc_id(vpc.as_str()).send().await?;
        made.network_acl.and_then(|made| made.network_acl_id)
    };
    let id = id.ok_or("a network ACL without an id")?;
    for rule in rules.iter().filter(|rule| i32::from(rule.number) != LAST) {
        add(client, &id, rule).await?;
    }
    let associations = there.iter().flat_map(Made::associations);
    let of_subnets = associations.filter(|association| {
        association.subnet_id().is_some_and(|id| subnets.iter().any(|it| it.as_str() == id))
    });
    for association in of_subnets.filter(|it| it.network_acl_id() != Some(&id)) {
        client
            .replace_network_acl_association()
            .set_association_id(association.network_acl_association_id.clone())
            .network_acl_id(&id)
            .send()
            .await?;
    }
    Ok(Some(id))
}

/// The rule that closes every ACL, which nobody makes.
const LAST: i32 = AclRule::LAST as i32;

async fn of_vpc(client: &Client, vpc: &VpcId) -> Result<Vec<Made>, Refused> {
    let filter = Filter::builder().name("vpc-id").values(vpc.as_str()).build();
    let pages = client.describe_network_acls().filters(filter).into_paginator().items().send();
    Ok(pages.collect::<Result<Vec<Made>, _>>().await?)
}

async fn add(client: &Client, id: &str, rule: &AclRule) -> Result<(), Refused> {
    let AclRule { number, direction, action, protocol, range, port } = rule;
    let range = range.net();
    let (of_v4, of_v6) = match range {
        net if net.addr().is_ipv4() => (Some(net.to_string()), None),
        net => (None, Some(net.to_string())),
    };
    let (from, to) = port.map_or((0, u16::MAX), |port| (port.from(), port.to()));
    let ports = PortRange::builder().from(from.into()).to(to.into()).build();
    // Of rules for ICMP only the protocol was seen: no copy is of it.
    let all_types = IcmpTypeCode::builder().r#type(-1).code(-1).build();
    let is_icmp = matches!(protocol, Protocol::Number(1 | 58));
    client
        .create_network_acl_entry()
        .network_acl_id(id)
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
        .set_icmp_type_code(is_icmp.then_some(all_types))
        .send()
        .await?;
    Ok(())
}

fn failed(error: &Refused) -> Diagnostic {
    Diagnostic::error(code::FILE, "what is there cannot be made again in a local AWS")
        .note(DisplayErrorContext(error.as_ref()).to_string())
        .help("rehearse it as new: --offline")
}
