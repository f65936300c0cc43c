//! The entries of a network ACL: numbered rules for each direction, and one that closes it.

use super::NetworkAcl;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, by_id_mut, find};
use crate::xml::Xml;
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) direction: Direction,
    /// Unique in its direction; the lowest that matches a packet decides.
    pub(crate) number: u16,
    /// `None` for any.
    pub(crate) protocol: Option<u8>,
    /// First and last port, or type and code of ICMP, where -1 means any; `None` for any.
    pub(crate) ports: Option<(i32, i32)>,
    /// Where packets come from, or where they go.
    pub(crate) block: IpNet,
    pub(crate) action: RuleAction,
}

/// Which packets an entry applies to, seen from the subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Direction {
    Egress,
    Ingress,
}

/// What becomes of packets that an entry matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RuleAction {
    Allow,
    Deny,
}

/// The numbers that entries can be given. Source: EC2 API reference, `CreateNetworkAclEntry`.
const NUMBERS: RangeInclusive<u16> = 1..=32766;

/// The number of the entry that lets everything through in the ACL that AWS makes.
const ALL: u16 = 100;

/// The number of the entry that closes every ACL for IPv4. The one for IPv6 is added together with IPv6 in the VPC,
/// which no VPC has here.
const LAST: u16 = 32767;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

impl Direction {
    /// Both, in the order in which they are described.
    pub(crate) const ALL: [Self; 2] = [Self::Egress, Self::Ingress];
}

impl RuleAction {
    /// Returns its word on the wire.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Entry {
    /// The entry that lets everything through.
    pub(crate) fn all(direction: Direction) -> Self {
        let block = Ipv4Net::default().into();
        let action = RuleAction::Allow;
        Self { direction, number: ALL, protocol: None, ports: None, block, action }
    }

    /// The entry that closes an ACL.
    pub(super) fn last(direction: Direction) -> Self {
        Self { number: LAST, action: RuleAction::Deny, ..Self::all(direction) }
    }

    /// Returns type and code, if it is about ICMP.
    pub(super) fn icmp(&self) -> Option<(i32, i32)> {
        self.ports.filter(|_| matches!(self.protocol, Some(ICMP | ICMP_V6)))
    }

    /// Returns first and last port, if its protocol has ports.
    pub(super) fn port_range(&self) -> Option<(i32, i32)> {
        self.ports.filter(|_| matches!(self.protocol, Some(TCP | UDP)))
    }

    /// Returns how its protocol can be asked for: by its number, and by its name if it has one.
    pub(super) fn protocols(&self) -> Vec<String> {
        let name = match self.protocol {
            Some(ICMP) => Some("icmp"),
            Some(TCP) => Some("tcp"),
            Some(UDP) => Some("udp"),
            _ => None,
        };
        [self.protocol_text()].into_iter().chain(name.map(str::to_owned)).collect()
    }

    fn protocol_text(&self) -> String {
        self.protocol.map_or_else(|| "-1".to_owned(), |protocol| protocol.to_string())
    }

    /// Writes it as part of an answer.
    pub(super) fn write(&self, xml: &mut Xml) {
        match self.block {
            IpNet::V4(block) => xml.text("cidrBlock", block),
            IpNet::V6(_) => {}
        }
        xml.text("egress", self.direction == Direction::Egress);
        if let Some((kind, code)) = self.icmp() {
            xml.element("icmpTypeCode", |xml| {
                xml.text("code", code);
                xml.text("type", kind);
            });
        }
        match self.block {
            IpNet::V4(_) => {}
            IpNet::V6(block) => xml.text("ipv6CidrBlock", block),
        }
        if let Some((from, to)) = self.port_range() {
            xml.element("portRange", |xml| {
                xml.text("from", from);
                xml.text("to", to);
            });
        }
        xml.text("protocol", self.protocol_text());
        xml.text("ruleAction", self.action.word());
        xml.text("ruleNumber", self.number);
    }

    fn read(parameters: &Parameters) -> Outcome<Self> {
        let (direction, number) = place(parameters)?;
        let protocol = protocol(parameters.required("Protocol")?)?;
        let action = match parameters.one_of("RuleAction", &["allow", "deny"])? {
            Some("allow") => RuleAction::Allow,
            Some(_) => RuleAction::Deny,
            None => return Err(Failure::missing("RuleAction")),
        };
        let block = block(parameters)?;
        let ports = ports(parameters, (protocol, block))?;
        Ok(Self { direction, number, protocol, ports, block, action })
    }
}

impl NetworkAcl {
    fn position(&self, (direction, number): (Direction, u16)) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.position(|entry| (entry.direction, entry.number) == (direction, number))
    }
}

/// Handles `CreateNetworkAclEntry`.
pub(super) fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let acl = find(&call.region.network_acls, call.parameters, "NetworkAclId")?;
    let entry = Entry::read(call.parameters)?;
    if acl.position((entry.direction, entry.number)).is_some() {
        let number = entry.number;
        let message = format!("The network acl entry identified by {number} already exists.");
        return Err(Failure::new("NetworkAclEntryAlreadyExists", message));
    }
    check_count(call, acl, &entry)?;
    let id = acl.id.clone();
    let acl = by_id_mut(&mut call.region.network_acls, &id, "networkAclId")?;
    acl.entries.push(entry);
    acl.entries.sort_by_key(|entry| (entry.direction, entry.number));
    xml.text("return", true);
    Ok(())
}

/// Handles `ReplaceNetworkAclEntry`: the entry becomes exactly what the call says.
pub(super) fn replace(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let acl = find(&call.region.network_acls, call.parameters, "NetworkAclId")?;
    let entry = Entry::read(call.parameters)?;
    let id = acl.id.clone();
    let there = acl.position((entry.direction, entry.number));
    let there = there.ok_or_else(|| not_found(entry.number))?;
    by_id_mut(&mut call.region.network_acls, &id, "networkAclId")?.entries[there] = entry;
    xml.text("return", true);
    Ok(())
}

/// Handles `DeleteNetworkAclEntry`.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let acl = find(&call.region.network_acls, call.parameters, "NetworkAclId")?;
    let place = place(call.parameters)?;
    let id = acl.id.clone();
    let there = acl.position(place).ok_or_else(|| not_found(place.1))?;
    by_id_mut(&mut call.region.network_acls, &id, "networkAclId")?.entries.remove(there);
    xml.text("return", true);
    Ok(())
}

fn not_found(number: u16) -> Failure {
    let message = format!("The network acl entry identified by {number} does not exist.");
    Failure::new("InvalidNetworkAclEntry.NotFound", message)
}

/// Refuses one entry too many. IPv4 and IPv6 are counted separately, and the one that closes the ACL counts too.
///
/// Source: VPC user guide, "Amazon VPC quotas", network ACLs.
fn check_count(call: &Call<'_>, acl: &NetworkAcl, more: &Entry) -> Outcome {
    let is_v4 = |entry: &Entry| matches!(entry.block, IpNet::V4(_));
    let last = Entry::last(more.direction);
    let all = acl.looking(more.direction).chain([&last]);
    let there = all.filter(|entry| is_v4(entry) == is_v4(more)).count();
    if there >= call.settings.quotas.rules_per_network_acl {
        let message = "The maximum number of network ACL entries has been reached.";
        return Err(Failure::new("NetworkAclEntryLimitExceeded", message));
    }
    Ok(())
}

/// Reads which entry a call is about.
fn place(parameters: &Parameters) -> Outcome<(Direction, u16)> {
    let text = parameters.required("RuleNumber")?;
    let number = text.parse().ok().filter(|number| NUMBERS.contains(number));
    let number = number.ok_or_else(|| {
        let (first, last) = (NUMBERS.start(), NUMBERS.end());
        Failure::invalid(text, "ruleNumber", format!("Expecting a value from {first} to {last}."))
    })?;
    let is_egress = parameters.boolean("Egress")?.ok_or_else(|| Failure::missing("Egress"))?;
    Ok((if is_egress { Direction::Egress } else { Direction::Ingress }, number))
}

/// Reads a protocol, which must be a number: the names that command lines accept are their own.
///
/// Source: aws/aws-cli, issue 559, which has AWS's words.
fn protocol(text: &str) -> Outcome<Option<u8>> {
    if text == "-1" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let message = format!("Invalid value '{text}' for IP protocol. Unknown protocol.");
        Failure::new("InvalidParameterValue", message)
    })
}

/// Reads the one block, of either address family; EC2 keeps it in canonical form.
fn block(parameters: &Parameters) -> Outcome<IpNet> {
    let (text, is_v4) = match (parameters.given("CidrBlock"), parameters.given("Ipv6CidrBlock")) {
        (Some(text), None) => (text, true),
        (None, Some(text)) => (text, false),
        (None, None) => return Err(Failure::missing("cidrBlock or ipv6CidrBlock")),
        (Some(_), Some(_)) => {
            let message = "The parameter cidrBlock cannot be used with the parameter ipv6CidrBlock";
            return Err(Failure::combination(message));
        }
    };
    let block: Option<IpNet> = text.parse().ok();
    let block = block.filter(|block| matches!(block, IpNet::V4(_)) == is_v4);
    block.map(|block| block.trunc()).ok_or_else(|| {
        let message = format!("CIDR block {text} is malformed");
        Failure::new("InvalidParameterValue", message)
    })
}

/// Reads ports, or type and code of ICMP. What a protocol does not have is ignored, and for ICMPv6 with an IPv4 block
/// everything is: EC2 API reference, `CreateNetworkAclEntry`.
fn ports(
    parameters: &Parameters,
    (protocol, block): (Option<u8>, IpNet),
) -> Outcome<Option<(i32, i32)>> {
    let pair = |name: &str, [first, last]: [&str; 2]| {
        let Some(given) = parameters.structure(name) else { return Ok(None) };
        Ok(given.parsed(first)?.zip(given.parsed(last)?))
    };
    match (protocol, block) {
        (Some(TCP | UDP), _) => port_range(pair("PortRange", ["From", "To"])?).map(Some),
        (Some(ICMP), _) | (Some(ICMP_V6), IpNet::V6(_)) => {
            icmp_type_code(pair("Icmp", ["Type", "Code"])?).map(Some)
        }
        _ => Ok(None),
    }
}

fn port_range(pair: Option<(i32, i32)>) -> Outcome<(i32, i32)> {
    let (from, to) = pair.ok_or_else(|| {
        let message =
            "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
        Failure::new("InvalidParameterValue", message)
    })?;
    if !(0..=65535).contains(&from) || !(0..=65535).contains(&to) || from > to {
        let message = format!("Invalid TCP/UDP port range ({from}:{to})");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok((from, to))
}

fn icmp_type_code(pair: Option<(i32, i32)>) -> Outcome<(i32, i32)> {
    let (kind, code) = pair.ok_or_else(|| {
        let message =
            "Invalid value 'Must specify both type and code with ICMP.' for icmpTypeCode.";
        Failure::new("InvalidParameterValue", message)
    })?;
    if !(-1..=255).contains(&kind) || !(-1..=255).contains(&code) || (kind == -1 && code != -1) {
        let message = format!("Invalid ICMP type/code ({kind}:{code})");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok((kind, code))
}
