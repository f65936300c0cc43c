//! Calls about traffic mirror filters and their rules.

use std::collections::BTreeMap;

use aws_sdk_ec2::operation::create_traffic_mirror_filter::CreateTrafficMirrorFilterOutput;
use aws_sdk_ec2::types::{
    ResourceType, TrafficDirection, TrafficMirrorFilterRuleField, TrafficMirrorNetworkService,
    TrafficMirrorPortRangeRequest, TrafficMirrorRuleAction,
};

use super::super::answer::Answer;
use super::super::errors::{CallError, ErrorKind};
use super::super::observe::mirror_filter::read;
use super::super::tags;
use super::acting::{Acting, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::attribute::Input;
use crate::id::{MirrorFilterRuleId, ObjectId};
use crate::resource::mirror_filter::{MirrorFilterId, Operation, Rule};
use crate::resource::{MirrorFilter, Tags};
use crate::scalar::{PortRange, Protocol};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { description, tags } => create(acting, description.as_ref(), tags).await,
        Operation::SetAmazonDns { mirror_filter, enabled } => {
            let service = vec![TrafficMirrorNetworkService::AmazonDns];
            let (added, removed) =
                if *enabled { (Some(service), None) } else { (None, Some(service)) };
            let request = acting
                .aws
                .ec2()
                .modify_traffic_mirror_filter_network_services()
                .traffic_mirror_filter_id(acting.id(mirror_filter)?.as_str())
                .set_add_network_services(added)
                .set_remove_network_services(removed);
            let call = "ModifyTrafficMirrorFilterNetworkServices";
            acting.call(call, || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::CreateRule { mirror_filter, rule } => {
            create_rule(acting, &acting.id(mirror_filter)?, rule).await
        }
        Operation::ModifyRule { id, before, rule } => modify_rule(acting, id, before, rule).await,
        Operation::DeleteRule { id } => {
            let request = acting
                .aws
                .ec2()
                .delete_traffic_mirror_filter_rule()
                .traffic_mirror_filter_rule_id(id.as_str());
            acting.withdraw("DeleteTrafficMirrorFilterRule", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Delete { mirror_filter } => {
            let id = acting.id(mirror_filter)?;
            let request = acting
                .aws
                .ec2()
                .delete_traffic_mirror_filter()
                .traffic_mirror_filter_id(id.as_str());
            acting.withdraw("DeleteTrafficMirrorFilter", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(
    acting: &Acting<'_>,
    description: Option<&Input<String>>,
    tags: &Tags,
) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2_once()
        .create_traffic_mirror_filter()
        .client_token(acting.token())
        .set_description(acting.optional_text(description)?)
        .tag_specifications(tags::specification(ResourceType::TrafficMirrorFilter, tags));
    let making = Making { call: "CreateTrafficMirrorFilter", tags };
    let id = |answer: &CreateTrafficMirrorFilterOutput| {
        let filter = answer.traffic_mirror_filter();
        let id = filter.and_then(|filter| filter.traffic_mirror_filter_id());
        Answer("CreateTrafficMirrorFilter").id::<MirrorFilter>("trafficMirrorFilterId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    Ok(Made::object(&id))
}

async fn create_rule(
    acting: &Acting<'_>,
    filter: &MirrorFilterId,
    rule: &Rule,
) -> Result<Made, ActError> {
    let Rule {
        direction,
        number,
        action,
        protocol,
        source,
        destination,
        source_port,
        destination_port,
        description,
    } = rule;
    let request = acting
        .aws
        .ec2()
        .create_traffic_mirror_filter_rule()
        .client_token(acting.token())
        .traffic_mirror_filter_id(filter.as_str())
        .traffic_direction(TrafficDirection::from(direction.word()))
        .rule_number(i32::from(number.get()))
        .rule_action(TrafficMirrorRuleAction::from(action.word()))
        .set_protocol(number_of(*protocol))
        .source_cidr_block(source.to_string())
        .destination_cidr_block(destination.to_string())
        .set_source_port_range(source_port.map(ports))
        .set_destination_port_range(destination_port.map(ports))
        .set_description(description.clone());
    let sent = acting.call("CreateTrafficMirrorFilterRule", || request.clone().send()).await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(ActError::Call(error)) if error.kind == ErrorKind::AlreadyThere => {
            return rule_there(acting, filter, rule, error).await;
        }
        Err(error) => return Err(error),
    };
    let id = answer.traffic_mirror_filter_rule();
    let id = id.and_then(|rule| rule.traffic_mirror_filter_rule_id());
    let id: MirrorFilterRuleId =
        Answer("CreateTrafficMirrorFilterRule").id("trafficMirrorFilterRuleId", id)?;
    Ok(Made::part(rule.key(), &id))
}

/// Returns the rule with the number of `rule`, if an earlier run has created exactly that rule.
async fn rule_there(
    acting: &Acting<'_>,
    filter: &MirrorFilterId,
    rule: &Rule,
    error: CallError,
) -> Result<Made, ActError> {
    let mut patience = acting.patience("the rule is visible", acting.aws.seen());
    let request = acting
        .aws
        .ec2()
        .describe_traffic_mirror_filters()
        .traffic_mirror_filter_ids(filter.as_str());
    loop {
        let answer = acting.aws.send("DescribeTrafficMirrorFilters", request.clone().send()).await;
        let seen = unless_absent(answer)?.and_then(|answer| answer.traffic_mirror_filters?.pop());
        if let Some(seen) = &seen {
            let (resource, parts) = read(seen)?;
            let same_key = resource.rules.0.iter().find(|there| there.key() == rule.key());
            match (same_key, parts.get(&rule.key().to_string())) {
                (Some(there), Some(id)) if there == rule => {
                    let parts = BTreeMap::from([(rule.key().to_string(), id.clone())]);
                    return Ok(Made { parts, ..Made::nothing() });
                }
                (Some(_), _) => return Err(error.into()),
                (None, _) => {}
            }
        }
        if patience.pause("the rule is not visible yet").await.is_err() {
            return Err(error.into());
        }
    }
}

async fn modify_rule(
    acting: &Acting<'_>,
    id: &ObjectId,
    before: &Rule,
    rule: &Rule,
) -> Result<Made, ActError> {
    let Rule {
        direction,
        number,
        action,
        protocol,
        source,
        destination,
        source_port,
        destination_port,
        description,
    } = rule;
    // AWS accepts ports only together with the protocol, in one call.
    let request = acting
        .aws
        .ec2()
        .modify_traffic_mirror_filter_rule()
        .traffic_mirror_filter_rule_id(id.as_str())
        .traffic_direction(TrafficDirection::from(direction.word()))
        .rule_number(i32::from(number.get()))
        .rule_action(TrafficMirrorRuleAction::from(action.word()))
        .set_protocol(number_of(*protocol))
        .source_cidr_block(source.to_string())
        .destination_cidr_block(destination.to_string())
        .set_source_port_range(source_port.map(ports))
        .set_destination_port_range(destination_port.map(ports))
        .set_description(description.clone());
    let removed = removed(before, rule);
    let request = request.set_remove_fields((!removed.is_empty()).then_some(removed));
    acting.call("ModifyTrafficMirrorFilterRule", || request.clone().send()).await?;
    Ok(Made::nothing())
}

/// Returns the fields that `before` has and `after` lacks: AWS leaves an omitted field unchanged.
fn removed(before: &Rule, after: &Rule) -> Vec<TrafficMirrorFilterRuleField> {
    use TrafficMirrorFilterRuleField as Field;
    let fields = [
        (Field::SourcePortRange, before.source_port.is_some(), after.source_port.is_some()),
        (
            Field::DestinationPortRange,
            before.destination_port.is_some(),
            after.destination_port.is_some(),
        ),
        (Field::Protocol, before.protocol.number().is_some(), after.protocol.number().is_some()),
        (Field::Description, before.description.is_some(), after.description.is_some()),
    ];
    let gone = fields.into_iter().filter(|(_, before, after)| *before && !after);
    gone.map(|(field, _, _)| field).collect()
}

fn number_of(protocol: Protocol) -> Option<i32> {
    protocol.number().map(i32::from)
}

fn ports(range: PortRange) -> TrafficMirrorPortRangeRequest {
    TrafficMirrorPortRangeRequest::builder()
        .from_port(i32::from(range.from()))
        .to_port(i32::from(range.to()))
        .build()
}
