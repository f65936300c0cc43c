//! The rules of a mirror filter: in each direction the lowest number that matches decides.

mod fields;

use super::{limit, link, refuse_tag_filters};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, find};
use crate::xml::Xml;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A rule of a mirror filter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MirrorFilterRule {
    pub(crate) id: String,
    pub(crate) filter_id: String,
    pub(crate) direction: Direction,
    pub(crate) number: u32,
    pub(crate) action: RuleAction,
    /// The IANA number; `None` for any protocol.
    pub(crate) protocol: Option<u32>,
    pub(crate) source_ports: Option<Ports>,
    pub(crate) destination_ports: Option<Ports>,
    pub(crate) source: IpNet,
    pub(crate) destination: IpNet,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

/// A range of ports, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) from: u16,
    pub(crate) to: u16,
}

/// Which way packets go, seen from the source interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Direction {
    Egress,
    Ingress,
}

/// What a rule does with the packets that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RuleAction {
    Accept,
    Reject,
}

impl Direction {
    /// Every direction with its word on the wire.
    const WORDS: [(&'static str, Self); 2] = [("ingress", Self::Ingress), ("egress", Self::Egress)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl RuleAction {
    /// Every action with its word on the wire.
    const WORDS: [(&'static str, Self); 2] = [("accept", Self::Accept), ("reject", Self::Reject)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

tagged_row!(
    MirrorFilterRule,
    Kind {
        prefix: "tmfr-",
        noun: "traffic mirror filter rule ID",
        resource_type: "traffic-mirror-filter-rule",
        not_found: "InvalidTrafficMirrorFilterRuleId.NotFound",
        malformed: "InvalidTrafficMirrorFilterRuleId.Malformed",
        describe: "DescribeTrafficMirrorFilterRules",
    }
);

const LISTING: Listing<MirrorFilterRule> = Listing {
    table: |region| &region.mirror_filter_rules,
    ids: "TrafficMirrorFilterRuleId",
    filters: &[
        ("description", |_, r| texts(r.description.as_ref())),
        ("destination-cidr-block", |_, r| texts([r.destination])),
        ("protocol", |_, r| texts(r.protocol)),
        ("rule-action", |_, r| texts([r.action.word()])),
        ("rule-number", |_, r| texts([r.number])),
        ("source-cidr-block", |_, r| texts([r.source])),
        ("traffic-direction", |_, r| texts([r.direction.word()])),
        ("traffic-mirror-filter-id", |_, r| texts([&r.filter_id])),
        ("traffic-mirror-filter-rule-id", |_, r| texts([&r.id])),
    ],
    set: "trafficMirrorFilterRuleSet",
    write: |_, rule, xml| {
        write(rule, xml);
        rule.tags.write(xml);
    },
    page: 5..=1000,
};

pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    refuse_tag_filters(parameters)?;
    if parameters.text("TrafficMirrorFilterId").is_none() {
        return LISTING.answer(view, parameters, xml);
    }
    let filter = find(&view.region.mirror_filters, parameters, "TrafficMirrorFilterId")?;
    LISTING.answer_where(view, parameters, xml, |rule| rule.filter_id == filter.id)
}

/// Returns the rules of a filter in the order of their numbers.
pub(crate) fn of<'a>(region: &'a Region, filter: &str) -> Vec<&'a MirrorFilterRule> {
    let ids = link::all(region, filter, "tmfr-");
    let mut rules: Vec<_> =
        ids.iter().filter_map(|id| region.mirror_filter_rules.get(id)).collect();
    rules.sort_by_key(|rule| rule.number);
    rules
}

/// Removes a rule.
pub(super) fn remove(region: &mut Region, id: &str) {
    if let Some(rule) = region.mirror_filter_rules.remove(id) {
        link::part(region, &rule.filter_id, id);
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    let filter = find(&call.region.mirror_filters, parameters, "TrafficMirrorFilterId")?.id.clone();
    let rule = fields::read_all(parameters, &filter)?;
    refuse_taken_number(call.region, &rule)?;
    let quota = call.settings.quotas.mirror_rules_per_filter;
    if link::all(call.region, &filter, "tmfr-").len() >= quota {
        return Err(limit("TrafficMirrorFilterRuleLimitExceeded", "rules in the filter", quota));
    }
    let tags = Tags::specified(parameters, "traffic-mirror-filter-rule")?;
    let id = call.region.draw_id("tmfr-");
    link::join(call.region, &filter, &id);
    let rule = MirrorFilterRule { id: id.clone(), tags, ..rule };
    call.region.mirror_filter_rules.insert(&*id, rule);
    Ok(id)
}

pub(super) fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let rule = view.region.mirror_filter_rules.get(id)?;
    xml.element("trafficMirrorFilterRule", |xml| {
        write(rule, xml);
        rule.tags.write(xml);
    });
    Some(())
}

pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = &call.region.mirror_filter_rules;
    let id = find(table, call.parameters, "TrafficMirrorFilterRuleId")?.id.clone();
    remove(call.region, &id);
    xml.text("trafficMirrorFilterRuleId", id);
    Ok(())
}

/// Handles `ModifyTrafficMirrorFilterRule`, whose answer omits the tags.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = &call.region.mirror_filter_rules;
    let rule = find(table, call.parameters, "TrafficMirrorFilterRuleId")?.clone();
    let rule = fields::changed(call.parameters, rule)?;
    refuse_taken_number(call.region, &rule)?;
    xml.element("trafficMirrorFilterRule", |xml| write(&rule, xml));
    call.region.mirror_filter_rules.insert(rule.id.clone(), rule);
    Ok(())
}

/// Refuses a number that another rule of the filter has in the same direction.
fn refuse_taken_number(region: &Region, rule: &MirrorFilterRule) -> Outcome {
    let same = |other: &&MirrorFilterRule| {
        other.id != rule.id && (other.direction, other.number) == (rule.direction, rule.number)
    };
    if let Some(other) = of(region, &rule.filter_id).into_iter().find(same) {
        let (number, direction) = (rule.number, rule.direction.word());
        let message =
            format!("The {direction} rule number {number} is already used by {}", other.id);
        return Err(Failure::new("TrafficMirrorFilterRuleAlreadyExists", message));
    }
    Ok(())
}

/// Writes a rule without its tags.
pub(super) fn write(rule: &MirrorFilterRule, xml: &mut Xml) {
    xml.text("trafficMirrorFilterRuleId", &rule.id);
    xml.text("trafficMirrorFilterId", &rule.filter_id);
    xml.text("trafficDirection", rule.direction.word());
    xml.text("ruleNumber", rule.number);
    xml.text("ruleAction", rule.action.word());
    xml.optional("protocol", rule.protocol);
    for (name, ports) in
        [("destinationPortRange", rule.destination_ports), ("sourcePortRange", rule.source_ports)]
    {
        if let Some(Ports { from, to }) = ports {
            xml.element(name, |xml| {
                xml.text("fromPort", from);
                xml.text("toPort", to);
            });
        }
    }
    xml.text("destinationCidrBlock", rule.destination);
    xml.text("sourceCidrBlock", rule.source);
    xml.optional("description", rule.description.as_ref());
}
