//! The fields of a filter rule, as a call sets, changes or removes them.

use super::super::{bounded, description, removed_fields};
use super::{Direction, MirrorFilterRule, Ports, RuleAction};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use ipnet::IpNet;
use std::ops::RangeInclusive;

/// AWS documents no range for rule numbers; this is the one for session numbers and network ACLs.
const NUMBERS: RangeInclusive<u32> = 1..=32766;

/// The protocols that have ports: TCP and UDP.
const WITH_PORTS: [u32; 2] = [6, 17];

/// What `RemoveField` can name, with the parameter that sets it.
const REMOVABLE: &[(&str, &str)] = &[
    ("destination-port-range", "DestinationPortRange"),
    ("source-port-range", "SourcePortRange"),
    ("protocol", "Protocol"),
    ("description", "Description"),
];

/// Reads a whole rule, which has neither id nor tags yet.
pub(super) fn read_all(parameters: &Parameters, filter: &str) -> Outcome<MirrorFilterRule> {
    let missing = |name: &'static str| move || Failure::missing(name);
    let rule = MirrorFilterRule {
        id: String::new(),
        filter_id: filter.to_owned(),
        direction: direction(parameters)?.ok_or_else(missing("TrafficDirection"))?,
        number: bounded(parameters, "RuleNumber", NUMBERS)?.ok_or_else(missing("RuleNumber"))?,
        action: action(parameters)?.ok_or_else(missing("RuleAction"))?,
        protocol: protocol(parameters)?,
        source_ports: ports(parameters, "SourcePortRange")?,
        destination_ports: ports(parameters, "DestinationPortRange")?,
        source: block(parameters, "SourceCidrBlock")?.ok_or_else(missing("SourceCidrBlock"))?,
        destination: block(parameters, "DestinationCidrBlock")?
            .ok_or_else(missing("DestinationCidrBlock"))?,
        description: description(parameters),
        tags: Tags::default(),
    };
    checked(rule)
}

/// Reads what a call changes of a rule.
///
/// A range of ports needs the protocol in the same call, even where the rule has one.
pub(super) fn changed(
    parameters: &Parameters,
    rule: MirrorFilterRule,
) -> Outcome<MirrorFilterRule> {
    let removed = removed_fields(parameters, REMOVABLE)?;
    let source_ports = ports(parameters, "SourcePortRange")?;
    let destination_ports = ports(parameters, "DestinationPortRange")?;
    let protocol = protocol(parameters)?;
    if (source_ports.or(destination_ports)).is_some() && protocol.is_none() {
        return Err(Failure::combination("A port range can only be set along with the Protocol."));
    }
    let keeps = |field: &str| !removed.contains(&field);
    checked(MirrorFilterRule {
        direction: direction(parameters)?.unwrap_or(rule.direction),
        number: bounded(parameters, "RuleNumber", NUMBERS)?.unwrap_or(rule.number),
        action: action(parameters)?.unwrap_or(rule.action),
        protocol: protocol.or(rule.protocol).filter(|_| keeps("protocol")),
        source_ports: source_ports.or(rule.source_ports).filter(|_| keeps("source-port-range")),
        destination_ports: destination_ports
            .or(rule.destination_ports)
            .filter(|_| keeps("destination-port-range")),
        source: block(parameters, "SourceCidrBlock")?.unwrap_or(rule.source),
        destination: block(parameters, "DestinationCidrBlock")?.unwrap_or(rule.destination),
        description: description(parameters).or(rule.description).filter(|_| keeps("description")),
        ..rule
    })
}

/// Checks what concerns several fields.
fn checked(rule: MirrorFilterRule) -> Outcome<MirrorFilterRule> {
    let has_ports = rule.source_ports.or(rule.destination_ports).is_some();
    if has_ports && !rule.protocol.is_some_and(|protocol| WITH_PORTS.contains(&protocol)) {
        let message = "A port range can only be specified for the protocols 6 (TCP) and 17 (UDP).";
        return Err(Failure::combination(message));
    }
    let same_family = matches!(
        (&rule.source, &rule.destination),
        (IpNet::V4(_), IpNet::V4(_)) | (IpNet::V6(_), IpNet::V6(_))
    );
    if !same_family {
        let message =
            "SourceCidrBlock and DestinationCidrBlock must be of the same address family.";
        return Err(Failure::combination(message));
    }
    Ok(rule)
}

fn direction(parameters: &Parameters) -> Outcome<Option<Direction>> {
    word(parameters, "TrafficDirection", &Direction::WORDS)
}

fn action(parameters: &Parameters) -> Outcome<Option<RuleAction>> {
    word(parameters, "RuleAction", &RuleAction::WORDS)
}

fn word<T: Copy>(
    parameters: &Parameters,
    name: &str,
    words: &[(&'static str, T)],
) -> Outcome<Option<T>> {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let sent = parameters.one_of(name, &known)?;
    Ok(sent.and_then(|sent| words.iter().find(|(word, _)| *word == sent)).map(|(_, value)| *value))
}

fn protocol(parameters: &Parameters) -> Outcome<Option<u32>> {
    bounded(parameters, "Protocol", 0..=255)
}

fn ports(parameters: &Parameters, name: &str) -> Outcome<Option<Ports>> {
    let Some(range) = parameters.structure(name) else { return Ok(None) };
    let (from, to) = (range.required_parsed("FromPort")?, range.required_parsed("ToPort")?);
    if from > to {
        let why = "FromPort must not be greater than ToPort.";
        return Err(Failure::invalid(&format!("{from}-{to}"), name, why));
    }
    Ok(Some(Ports { from, to }))
}

/// Reads a block of addresses; bits beyond its length are dropped, as AWS does.
fn block(parameters: &Parameters, name: &str) -> Outcome<Option<IpNet>> {
    Ok(parameters.parsed::<IpNet>(name)?.map(|block| block.trunc()))
}
