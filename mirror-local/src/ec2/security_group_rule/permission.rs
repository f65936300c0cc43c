//! Permissions: what a rule allows, as clients write it.

use crate::ec2::{security_group, vpc_peering};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Region, by_id};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a rule allows. No two rules of a group allow the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Permission {
    pub(crate) direction: Direction,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub(crate) protocol: String,
    /// First and last port, or ICMP type and code. `None` if a protocol has none.
    pub(crate) ports: Option<(i32, i32)>,
    pub(crate) peer: Peer,
}

/// The direction that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Direction {
    Egress,
    Ingress,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Peer {
    Group(String),
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(String),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(id) | Self::PrefixList(id) => f.write_str(id),
            Self::Ipv4(cidr) => cidr.fmt(f),
            Self::Ipv6(cidr) => cidr.fmt(f),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == "-1" { "ALL" } else { &self.protocol };
        write!(f, "peer: {}, {}", self.peer, protocol.to_uppercase())?;
        if let Some((from, to)) = self.ports {
            write!(f, ", from port: {from}, to port: {to}")?;
        }
        f.write_str(", ALLOW")
    }
}

/// A permission with the description that came with it.
pub(super) type Described = (Permission, Option<String>);

/// Reads the permissions of a call, in either of the forms that EC2 accepts.
pub(super) fn listed(
    region: &Region,
    parameters: &Parameters,
    (direction, vpc): (Direction, &str),
) -> Outcome<Vec<Described>> {
    let mut permissions = Vec::new();
    for item in parameters.list("IpPermissions") {
        let before = permissions.len();
        let (protocol, ports) = protocol_and_ports(item)?;
        for (peer, description) in peers(region, item, vpc)? {
            let protocol = protocol.clone();
            permissions.push((Permission { direction, protocol, ports, peer }, description));
        }
        if permissions.len() == before {
            return Err(Failure::missing(&item.full_name("IpRanges")));
        }
    }
    if parameters.text("IpProtocol").is_some() {
        permissions.push((plain(region, parameters, (direction, vpc))?, None));
    }
    if permissions.is_empty() {
        return Err(Failure::missing("ipPermissions"));
    }
    Ok(permissions)
}

/// Reads the single permission that the older parameters of a call describe.
fn plain(
    region: &Region,
    parameters: &Parameters,
    (direction, vpc): (Direction, &str),
) -> Outcome<Permission> {
    let (protocol, ports) = protocol_and_ports(parameters)?;
    let peer = match (parameters.text("CidrIp"), parameters.text("SourceSecurityGroupName")) {
        (Some(cidr), _) => Peer::Ipv4(ipv4(cidr)?),
        (None, Some(name)) => {
            let group = region.security_groups.values().find(|g| g.vpc_id == vpc && g.name == name);
            let missing = || {
                let message = format!("The security group '{name}' does not exist");
                Failure::new("InvalidGroup.NotFound", message)
            };
            Peer::Group(group.ok_or_else(missing)?.id.clone())
        }
        (None, None) => return Err(Failure::missing("cidrIp")),
    };
    Ok(Permission { direction, protocol, ports, peer })
}

/// Reads what `ModifySecurityGroupRules` turns a rule into.
pub(super) fn replacement(
    region: &Region,
    parameters: &Parameters,
    direction: Direction,
) -> Outcome<Described> {
    let (protocol, ports) = protocol_and_ports(parameters)?;
    let peers: Vec<Peer> = [
        parameters.text("CidrIpv4").map(|text| ipv4(text).map(Peer::Ipv4)),
        parameters.text("CidrIpv6").map(|text| ipv6(text).map(Peer::Ipv6)),
        parameters.text("PrefixListId").map(|id| Ok(Peer::PrefixList(id.to_owned()))),
        parameters.text("ReferencedGroupId").map(|id| referenced(region, id)),
    ]
    .into_iter()
    .flatten()
    .collect::<Outcome<_>>()?;
    let Ok([peer]) = <[Peer; 1]>::try_from(peers) else {
        let message =
            "Exactly one source or destination must be specified for a security group rule.";
        return Err(Failure::combination(message));
    };
    let description = parameters.text("Description").map(checked_description).transpose()?;
    Ok((Permission { direction, protocol, ports, peer }, description))
}

fn peers(region: &Region, item: &Parameters, vpc: &str) -> Outcome<Vec<(Peer, Option<String>)>> {
    let mut peers = Vec::new();
    let mut add = |peer: Peer, item: &Parameters| -> Outcome {
        let description = item.text("Description").filter(|text| !text.is_empty());
        peers.push((peer, description.map(checked_description).transpose()?));
        Ok(())
    };
    for range in item.list("IpRanges") {
        add(Peer::Ipv4(ipv4(range.required("CidrIp")?)?), range)?;
    }
    for range in item.list("Ipv6Ranges") {
        add(Peer::Ipv6(ipv6(range.required("CidrIpv6")?)?), range)?;
    }
    for list in item.list("PrefixListIds") {
        add(Peer::PrefixList(list.required("PrefixListId")?.to_owned()), list)?;
    }
    for group in item.list("Groups") {
        let id = match (group.text("GroupId"), group.text("GroupName")) {
            (Some(id), _) => id.to_owned(),
            (None, Some("default")) => {
                security_group::default_of(region, vpc).map(|g| g.id.clone()).unwrap_or_default()
            }
            (None, Some(name)) => {
                let named =
                    region.security_groups.values().find(|g| g.vpc_id == vpc && g.name == name);
                named.map_or_else(|| name.to_owned(), |g| g.id.clone())
            }
            (None, None) => return Err(Failure::missing(&group.full_name("GroupId"))),
        };
        add(referenced(region, &id)?, group)?;
    }
    Ok(peers)
}

fn referenced(region: &Region, id: &str) -> Outcome<Peer> {
    by_id(&region.security_groups, id, "groupId")?;
    Ok(Peer::Group(id.to_owned()))
}

/// Refuses a rule of a group in `vpc` that names a group of a VPC with which it is not connected. An existing rule
/// stays when the connection is deleted.
///
/// Source: VPC peering guide, "Update your security groups to reference peer security groups".
pub(super) fn check_networks(region: &Region, permission: &Permission, vpc: &str) -> Outcome {
    let Peer::Group(id) = &permission.peer else { return Ok(()) };
    let its = &by_id(&region.security_groups, id, "groupId")?.vpc_id;
    if its == vpc || vpc_peering::connects(region, its, vpc) {
        return Ok(());
    }
    let message = "You have specified two resources that belong to different networks.";
    Err(Failure::new("InvalidGroup.NotFound", message))
}

/// Reads a protocol, in the spelling that answers use, with its ports.
fn protocol_and_ports(parameters: &Parameters) -> Outcome<(String, Option<(i32, i32)>)> {
    let text = parameters.required("IpProtocol")?;
    let lower = text.to_ascii_lowercase();
    let protocol = match lower.as_str() {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        "all" => "-1",
        known @ ("tcp" | "udp" | "icmp" | "icmpv6" | "-1") => known,
        number if number.parse::<u8>().is_ok() => number,
        _ => {
            let message = format!(
                "Unsupported IP protocol \"{text}\"  - supported: [tcp, udp, icmp, icmpv6]"
            );
            return Err(Failure::new("InvalidPermission.Malformed", message));
        }
    };
    let (from, to) = (parameters.parsed("FromPort")?, parameters.parsed("ToPort")?);
    let ports = match (protocol, from, to) {
        ("tcp" | "udp", Some(from), Some(to)) => Some(port_range(from, to)?),
        ("tcp" | "udp", ..) => {
            let message =
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
            return Err(Failure::new("InvalidParameterValue", message));
        }
        ("icmp" | "icmpv6", from, to) => Some(icmp_range(from.unwrap_or(-1), to.unwrap_or(-1))?),
        _ => None,
    };
    Ok((protocol.to_owned(), ports))
}

fn port_range(from: i32, to: i32) -> Outcome<(i32, i32)> {
    if (from, to) == (-1, -1) {
        return Ok((0, 65535));
    }
    if !(0..=65535).contains(&from) || !(0..=65535).contains(&to) || from > to {
        let message = format!("Invalid TCP/UDP port range ({from}:{to})");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok((from, to))
}

fn icmp_range(kind: i32, code: i32) -> Outcome<(i32, i32)> {
    if !(-1..=255).contains(&kind) || !(-1..=255).contains(&code) || (kind == -1 && code != -1) {
        let message = format!("Invalid ICMP type/code ({kind}:{code})");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok((kind, code))
}

/// Reads a block in any form; EC2 keeps it in canonical form.
fn ipv4(text: &str) -> Outcome<Ipv4Net> {
    text.parse().map(|net: Ipv4Net| net.trunc()).map_err(|_| malformed(text))
}

fn ipv6(text: &str) -> Outcome<Ipv6Net> {
    text.parse().map(|net: Ipv6Net| net.trunc()).map_err(|_| malformed(text))
}

fn malformed(text: &str) -> Failure {
    Failure::new("InvalidParameterValue", format_args!("CIDR block {text} is malformed"))
}

/// Reads a description, which may hold only what EC2 allows there.
pub(super) fn checked_description(text: &str) -> Outcome<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() > 255 || !text.chars().all(allowed) {
        let message = "Invalid rule description. Valid descriptions are strings less than 256 characters from a limited set.";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(text.to_owned())
}
