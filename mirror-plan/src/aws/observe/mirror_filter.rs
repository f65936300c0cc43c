//! Reading traffic mirror filters with their rules.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    TrafficMirrorFilter, TrafficMirrorFilterRule, TrafficMirrorNetworkService,
    TrafficMirrorPortRange,
};

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::{AnswerError, FieldError};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::attribute::Input;
use crate::id::{MirrorFilterRuleId, ObjectId};
use crate::observed::Found;
use crate::resource::MirrorFilter;
use crate::resource::mirror_filter::{MirrorFilterId, Rule, Rules};
use crate::scalar::{PortRange, Protocol};

const ANSWER: Answer = Answer("DescribeTrafficMirrorFilters");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_traffic_mirror_filters()
        .set_filters(page::only("traffic-mirror-filter-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::MirrorFilter };
    let all = pages!(aws, "DescribeTrafficMirrorFilters", request, traffic_mirror_filters);
    for filter in all {
        let id: MirrorFilterId =
            ANSWER.id("trafficMirrorFilterId", filter.traffic_mirror_filter_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(filter.tags())) else {
            continue;
        };
        let (resource, parts) = read(&filter)?;
        let (generation, computed) = (owner.generation, with_id(&id));
        seen.add(owner, Found { id, generation, resource: resource.into(), computed, parts });
    }
    Ok(seen)
}

/// Returns the attributes of a filter, and the ids of its rules.
pub(in crate::aws) fn read(
    filter: &TrafficMirrorFilter,
) -> Result<(MirrorFilter, BTreeMap<String, ObjectId>), AnswerError> {
    let (mut rules, mut parts) = (Vec::new(), BTreeMap::new());
    for seen in filter.ingress_filter_rules().iter().chain(filter.egress_filter_rules()) {
        let rule = rule(seen)?;
        let id: MirrorFilterRuleId =
            ANSWER.id("trafficMirrorFilterRuleId", seen.traffic_mirror_filter_rule_id())?;
        parts.insert(rule.key().to_string(), id.erase());
        rules.push(rule);
    }
    rules.sort_by_key(Rule::key);
    let services = filter.network_services();
    let resource = MirrorFilter {
        description: text(filter.description()).map(Input::Known),
        amazon_dns: services.contains(&TrafficMirrorNetworkService::AmazonDns),
        rules: Rules(rules),
        tags: tags::own(tags::from_ec2(filter.tags())),
    };
    Ok((resource, parts))
}

fn rule(seen: &TrafficMirrorFilterRule) -> Result<Rule, AnswerError> {
    let direction = seen.traffic_direction().map(|direction| direction.as_str());
    let action = seen.rule_action().map(|action| action.as_str());
    Ok(Rule {
        direction: ANSWER.parsed("trafficDirection", direction)?,
        number: ANSWER.number("ruleNumber", seen.rule_number())?,
        action: ANSWER.parsed("ruleAction", action)?,
        protocol: protocol(seen.protocol())?,
        source: ANSWER.parsed("sourceCidrBlock", seen.source_cidr_block())?,
        destination: ANSWER.parsed("destinationCidrBlock", seen.destination_cidr_block())?,
        source_port: ports("sourcePortRange", seen.source_port_range())?,
        destination_port: ports("destinationPortRange", seen.destination_port_range())?,
        description: text(seen.description()),
    })
}

/// AWS expresses "all protocols" by no protocol; 0 would be HOPOPT, which AWS does not support.
fn protocol(found: Option<i32>) -> Result<Protocol, AnswerError> {
    match found {
        None | Some(0 | -1) => Ok(Protocol::All),
        Some(number) => u8::try_from(number)
            .map(Protocol::Number)
            .map_err(|_| ANSWER.wrong("protocol", FieldError::Unknown(number.to_string()))),
    }
}

fn ports(
    field: &'static str,
    found: Option<&TrafficMirrorPortRange>,
) -> Result<Option<PortRange>, AnswerError> {
    let Some(range) = found else { return Ok(None) };
    let (from, to) = match (range.from_port(), range.to_port()) {
        (None, None) => return Ok(None),
        (from, to) => (ANSWER.present(field, from)?, ANSWER.present(field, to)?),
    };
    let ports = u16::try_from(from).ok().zip(u16::try_from(to).ok());
    let ports = ports.and_then(|(from, to)| PortRange::new(from, to));
    let wrong = || ANSWER.wrong(field, FieldError::Unknown(format!("{from}-{to}")));
    ports.map(Some).ok_or_else(wrong)
}
