//! Reading VPC peering connections.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    VpcPeeringConnection as SeenPeering, VpcPeeringConnectionStateReasonCode as Code,
};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::VpcPeering;
use crate::resource::vpc_peering::VpcPeeringId;

const ANSWER: Answer = Answer("DescribeVpcPeeringConnections");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_vpc_peering_connections()
        .set_filters(page::only("vpc-peering-connection-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::VpcPeering };
    let all = pages!(aws, "DescribeVpcPeeringConnections", request, vpc_peering_connections);
    for peering in all.iter().filter(|peering| stands(peering)) {
        let id: VpcPeeringId =
            ANSWER.id("vpcPeeringConnectionId", peering.vpc_peering_connection_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(peering.tags())) else {
            continue;
        };
        let mut resource = read(peering)?;
        if let Whose::Wanted(_) = whose {
            // That a connection is already accepted does not show who may accept it in another
            // account.
            resource.auto_accept &= resource.accepter_owner.is_none();
        }
        let (generation, resource) = (owner.generation, resource.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Returns whether a connection has not ended: AWS keeps showing ended connections for hours or
/// days.
///
/// Source: VPC Peering guide, "VPC peering connection lifecycle".
pub(in crate::aws) fn stands(peering: &SeenPeering) -> bool {
    let has_ended = matches!(
        peering.status().and_then(|status| status.code()),
        Some(Code::Deleted | Code::Deleting | Code::Expired | Code::Failed | Code::Rejected)
    );
    !has_ended
}

fn read(peering: &SeenPeering) -> Result<VpcPeering, AnswerError> {
    let (asks, asked) = (peering.requester_vpc_info(), peering.accepter_vpc_info());
    let requester = asks.and_then(|info| info.vpc_id());
    let accepter = asked.and_then(|info| info.vpc_id());
    let owner = asked.and_then(|info| info.owner_id());
    let other_owner = owner.filter(|owner| asks.and_then(|info| info.owner_id()) != Some(*owner));
    let accepter_owner =
        other_owner.map(|owner| ANSWER.parsed("accepterVpcInfo.ownerId", Some(owner)));
    let code = peering.status().and_then(|status| status.code());
    Ok(VpcPeering {
        requester: ANSWER.reference("requesterVpcInfo.vpcId", requester)?,
        accepter: ANSWER.reference("accepterVpcInfo.vpcId", accepter)?,
        accepter_owner: accepter_owner.transpose()?,
        auto_accept: matches!(code, Some(Code::Active | Code::Provisioning)),
        // AWS does not report with whose credentials it was accepted.
        accept_as: None,
        tags: tags::own(tags::from_ec2(peering.tags())),
    })
}
