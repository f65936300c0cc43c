//! Reading internet gateways.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::InternetGateway as SeenGateway;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::InternetGateway;
use crate::resource::internet_gateway::InternetGatewayId;

const ANSWER: Answer = Answer("DescribeInternetGateways");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_internet_gateways()
        .set_filters(page::only("internet-gateway-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::InternetGateway };
    for gateway in pages!(aws, "DescribeInternetGateways", request, internet_gateways) {
        let id: InternetGatewayId =
            ANSWER.id("internetGatewayId", gateway.internet_gateway_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(gateway.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(&gateway)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(gateway: &SeenGateway) -> Result<InternetGateway, AnswerError> {
    // AWS answers `available` for an attached gateway, which is missing from its API model.
    let mut attached = gateway.attachments().iter().filter(|attachment| {
        let state = attachment.state().map(|state| state.as_str());
        !matches!(state, Some("detaching" | "detached"))
    });
    let vpc = attached.next().map(|attachment| ANSWER.reference("vpcId", attachment.vpc_id()));
    Ok(InternetGateway { vpc: vpc.transpose()?, tags: tags::own(tags::from_ec2(gateway.tags())) })
}
