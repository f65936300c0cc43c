//! Reading transit gateway attachments.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    ApplianceModeSupportValue, DnsSupportValue, TransitGatewayAttachmentState as State,
    TransitGatewayVpcAttachment as SeenAttachment,
};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::observed::Found;
use crate::resource::transit_gateway_attachment::{Options, TransitGatewayAttachmentId};
use crate::resource::{Subnet, TransitGatewayAttachment};

const ANSWER: Answer = Answer("DescribeTransitGatewayVpcAttachments");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_transit_gateway_vpc_attachments()
        .set_filters(page::only("transit-gateway-attachment-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::TransitGatewayAttachment };
    let all = pages!(
        aws,
        "DescribeTransitGatewayVpcAttachments",
        request,
        transit_gateway_vpc_attachments
    );
    for attachment in all.iter().filter(|attachment| stands(attachment)) {
        let id: TransitGatewayAttachmentId =
            ANSWER.id("transitGatewayAttachmentId", attachment.transit_gateway_attachment_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(attachment.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(attachment)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Returns whether an attachment neither has ended nor is about to: AWS keeps showing such
/// attachments for a while.
///
/// Source: Transit Gateway guide, "VPC attachment lifecycle".
pub(in crate::aws) fn stands(attachment: &SeenAttachment) -> bool {
    let has_ended = matches!(
        attachment.state(),
        Some(
            State::Deleted
                | State::Deleting
                | State::Failed
                | State::Failing
                | State::Rejected
                | State::Rejecting
        )
    );
    !has_ended
}

/// Returns the options that are switched on.
pub(in crate::aws) fn switches(attachment: &SeenAttachment) -> Options {
    let options = attachment.options();
    let appliance = options.and_then(|options| options.appliance_mode_support());
    let dns = options.and_then(|options| options.dns_support());
    Options {
        appliance_mode: appliance == Some(&ApplianceModeSupportValue::Enable),
        dns_support: dns != Some(&DnsSupportValue::Disable),
    }
}

fn read(attachment: &SeenAttachment) -> Result<TransitGatewayAttachment, AnswerError> {
    let subnets = attachment.subnet_ids().iter();
    let subnets = subnets.map(|subnet| ANSWER.id::<Subnet>("subnetIds", Some(subnet)));
    let subnets: BTreeSet<_> = subnets.collect::<Result<_, _>>()?;
    let Options { appliance_mode, dns_support } = switches(attachment);
    Ok(TransitGatewayAttachment {
        vpc: ANSWER.reference("vpcId", attachment.vpc_id())?,
        transit_gateway: ANSWER.parsed("transitGatewayId", attachment.transit_gateway_id())?,
        subnets: subnets.into_iter().map(Ref::Id).collect(),
        appliance_mode,
        dns_support,
        tags: tags::own(tags::from_ec2(attachment.tags())),
    })
}
