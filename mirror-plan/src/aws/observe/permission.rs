//! Reading the rules of security groups, which AWS returns in bundles.

use aws_sdk_ec2::types::IpPermission;

use super::super::answer::{Answer, text};
use super::super::errors::{AnswerError, FieldError};
use crate::attribute::Ref;
use crate::resource::security_group::{Peer, Rule, Rules};
use crate::scalar::{IpRange, PortRange, Protocol};

const ANSWER: Answer = Answer("DescribeSecurityGroups");

/// Returns the rules in bundles of one direction, in order, and what of them cannot be expressed.
pub(super) fn rules(bundles: &[IpPermission]) -> Result<(Rules, Vec<String>), AnswerError> {
    let (mut rules, mut untold) = (Vec::new(), Vec::new());
    for bundle in bundles {
        let protocol = protocol(bundle.ip_protocol())?;
        let port = match ports(bundle, protocol)? {
            Ports::Range(port) => port,
            Ports::Untold => {
                untold.push(format!("a rule for some types of {protocol}"));
                continue;
            }
        };
        for list in bundle.prefix_list_ids() {
            let list = list.prefix_list_id().unwrap_or("without id");
            untold.push(format!("a rule with the prefix list {list}"));
        }
        let rule = |(peer, description): (Peer, Option<&str>)| Rule {
            protocol,
            port,
            peer,
            description: text(description),
        };
        rules.extend(peers(bundle)?.into_iter().map(rule));
    }
    rules.sort_by_key(ToString::to_string);
    Ok((Rules(rules), untold))
}

/// AWS sends `-1` for all protocols, a name for some, and a number for the others.
fn protocol(found: Option<&str>) -> Result<Protocol, AnswerError> {
    match found {
        Some("-1") => Ok(Protocol::All),
        found => ANSWER.parsed("ipProtocol", found),
    }
}

enum Ports {
    /// A range; `None` for all ports.
    Range(Option<PortRange>),
    /// Something that is not a range of ports.
    Untold,
}

fn ports(bundle: &IpPermission, protocol: Protocol) -> Result<Ports, AnswerError> {
    let (from, to) = (bundle.from_port(), bundle.to_port());
    match (protocol.has_ports(), from, to) {
        (true, Some(0), Some(65535)) => Ok(Ports::Range(None)),
        (true, Some(from), Some(to)) => {
            let range = u16::try_from(from).ok().zip(u16::try_from(to).ok());
            let range = range.and_then(|(from, to)| PortRange::new(from, to));
            let wrong = || ANSWER.wrong("fromPort", FieldError::Unknown(format!("{from}-{to}")));
            range.map(|range| Ports::Range(Some(range))).ok_or_else(wrong)
        }
        (true, ..) => Err(ANSWER.broken("fromPort")),
        // A protocol without ports may come with or without a marker for "all".
        (false, None | Some(-1), None | Some(-1)) => Ok(Ports::Range(None)),
        (false, Some(0), Some(0 | 65535)) if protocol == Protocol::All => Ok(Ports::Range(None)),
        (false, ..) => Ok(Ports::Untold),
    }
}

fn peers(bundle: &IpPermission) -> Result<Vec<(Peer, Option<&str>)>, AnswerError> {
    let range = |found: Option<&str>| -> Result<Peer, AnswerError> {
        ANSWER.parsed::<IpRange>("cidrIp", found).map(Peer::Range)
    };
    let mut peers = Vec::new();
    for v4 in bundle.ip_ranges() {
        peers.push((range(v4.cidr_ip())?, v4.description()));
    }
    for v6 in bundle.ipv6_ranges() {
        peers.push((range(v6.cidr_ipv6())?, v6.description()));
    }
    for group in bundle.user_id_group_pairs() {
        let id = ANSWER.id("groupId", group.group_id())?;
        peers.push((Peer::Group(Ref::Id(id)), group.description()));
    }
    Ok(peers)
}
