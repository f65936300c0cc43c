//! Calls about VPC peering connections.

use aws_sdk_ec2::operation::create_vpc_peering_connection::CreateVpcPeeringConnectionOutput;
use aws_sdk_ec2::types::{ResourceType, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode};

use super::super::answer::Answer;
use super::super::page;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, conflict, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::resource::vpc::VpcId;
use crate::resource::vpc_peering::{Operation, VpcPeeringId};
use crate::resource::{Tags, VpcPeering, tag};
use crate::scalar::AccountId;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { requester, accepter, accepter_owner, tags } => {
            let sides = (&acting.id(requester)?, &acting.id(accepter)?);
            create(acting, sides, (accepter_owner.as_ref(), tags)).await
        }
        Operation::Accept { vpc_peering, accepter: _, accept_as, accepter_owner } => {
            let id = acting.id(vpc_peering)?;
            match accept_as {
                None => accept(acting, acting, &id).await,
                Some(name) => {
                    let there = acting.aws.account_as(name, accepter_owner.as_ref()).await?;
                    accept(acting, &acting.through(&there), &id).await
                }
            }
        }
        Operation::Delete { vpc_peering } => {
            let id = acting.id(vpc_peering)?;
            let request = acting
                .aws
                .ec2()
                .delete_vpc_peering_connection()
                .vpc_peering_connection_id(id.as_str());
            acting.withdraw("DeleteVpcPeeringConnection", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(
    acting: &Acting<'_>,
    (requester, accepter): (&VpcId, &VpcId),
    (accepter_owner, tags): (Option<&AccountId>, &Tags),
) -> Result<Made, ActError> {
    // If the pair is already connected, AWS answers a request with the existing connection, whoever owns it
    // (hashicorp/terraform-provider-aws #27750): nothing in the answer would show that it was not created.
    if let Some(stranger) = connected(acting, (requester, accepter), tags).await? {
        return Err(ActError::Foreign(stranger.erase()));
    }
    let request = acting
        .aws
        .ec2_once()
        .create_vpc_peering_connection()
        .vpc_id(requester.as_str())
        .peer_vpc_id(accepter.as_str())
        .set_peer_owner_id(accepter_owner.map(ToString::to_string))
        .tag_specifications(tags::specification(ResourceType::VpcPeeringConnection, tags));
    let making = Making { call: "CreateVpcPeeringConnection", tags };
    let id = |answer: &CreateVpcPeeringConnectionOutput| {
        let peering = answer.vpc_peering_connection();
        let id = peering.and_then(|peering| peering.vpc_peering_connection_id());
        Answer("CreateVpcPeeringConnection").id::<VpcPeering>("vpcPeeringConnectionId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    wait_until(acting, &id, State::Asked).await?;
    Ok(Made::object(&id))
}

/// Returns a connection of the pair, in either direction, that does not belong to this address.
async fn connected(
    acting: &Acting<'_>,
    (requester, accepter): (&VpcId, &VpcId),
    tags: &Tags,
) -> Result<Option<VpcPeeringId>, ActError> {
    use VpcPeeringConnectionStateReasonCode as Code;
    let standing = [Code::Active, Code::PendingAcceptance, Code::Provisioning];
    for (asking, asked) in [(requester, accepter), (accepter, requester)] {
        let request = acting
            .aws
            .ec2()
            .describe_vpc_peering_connections()
            .filters(page::filter("requester-vpc-info.vpc-id", [asking.to_string()]))
            .filters(page::filter("accepter-vpc-info.vpc-id", [asked.to_string()]))
            .filters(page::filter("status-code", standing.clone().map(|code| code.to_string())));
        let answer = acting.aws.send("DescribeVpcPeeringConnections", request.send()).await?;
        // A connection of an earlier generation is deleted before this one is requested.
        let is_own = |its: &Tags| {
            [tag::STACK, tag::ADDRESS].iter().all(|key| its.get(*key) == tags.get(*key))
        };
        let mut strangers = answer
            .vpc_peering_connections()
            .iter()
            .filter(|peering| !is_own(&tags::from_ec2(peering.tags())));
        if let Some(stranger) = strangers.next() {
            let id = stranger.vpc_peering_connection_id();
            let answer = Answer("DescribeVpcPeeringConnections");
            return Ok(Some(answer.id("vpcPeeringConnectionId", id)?));
        }
    }
    Ok(None)
}

/// Accepts a request with the accepter's credentials. The outcome is read with those of the requester, who has the
/// connection.
async fn accept(
    acting: &Acting<'_>,
    accepting: &Acting<'_>,
    id: &VpcPeeringId,
) -> Result<Made, ActError> {
    let request =
        accepting.aws.ec2().accept_vpc_peering_connection().vpc_peering_connection_id(id.as_str());
    let accepted = accepting.call("AcceptVpcPeeringConnection", || request.clone().send()).await;
    // If the request is already accepted, that is what was wanted.
    let is_accepted = |state| matches!(state, State::Accepted | State::Active);
    if let Some(error) = conflict(accepted)?
        && !seen(acting, id).await?.is_some_and(|peering| is_accepted(state(&peering)))
    {
        return Err(error.into());
    }
    wait_until(acting, id, State::Active).await?;
    Ok(Made::nothing())
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// AWS is processing the request.
    New,
    /// The request waits for the accepter.
    Asked,
    /// The request was accepted, and the connection is being set up.
    Accepted,
    /// Packets pass.
    Active,
    /// It will never carry anything.
    Failed,
}

/// Source: VPC Peering guide, "VPC peering connection lifecycle".
fn state(peering: &VpcPeeringConnection) -> State {
    use VpcPeeringConnectionStateReasonCode as Code;
    match peering.status().and_then(|status| status.code()) {
        Some(Code::PendingAcceptance) => State::Asked,
        Some(Code::Provisioning) => State::Accepted,
        Some(Code::Active) => State::Active,
        Some(Code::Deleted | Code::Deleting | Code::Expired | Code::Failed | Code::Rejected) => {
            State::Failed
        }
        _ => State::New,
    }
}

async fn wait_until(acting: &Acting<'_>, id: &VpcPeeringId, wanted: State) -> Result<(), ActError> {
    let until = if wanted == State::Active { "active" } else { "pending-acceptance" };
    let mut patience = acting.patience(until, limit::AVAILABLE);
    loop {
        let now = match seen(acting, id).await? {
            None => "it is not visible yet".to_owned(),
            Some(peering) => {
                let status = peering.status();
                let code = status.and_then(|status| status.code()).map(|code| code.as_str());
                let code = code.unwrap_or("unknown").to_owned();
                match state(&peering) {
                    State::Failed => {
                        let reason = status.and_then(|status| status.message());
                        return Err(ActError::Failed {
                            what: id.to_string(),
                            state: code,
                            reason: reason.map(str::to_owned),
                        });
                    }
                    reached if reached >= wanted => return Ok(()),
                    _ => format!("state is {code}"),
                }
            }
        };
        patience.pause(now).await?;
    }
}

async fn seen(
    acting: &Acting<'_>,
    id: &VpcPeeringId,
) -> Result<Option<VpcPeeringConnection>, ActError> {
    let request =
        acting.aws.ec2().describe_vpc_peering_connections().vpc_peering_connection_ids(id.as_str());
    let answer = acting.aws.send("DescribeVpcPeeringConnections", request.send()).await;
    Ok(unless_absent(answer)?.and_then(|answer| answer.vpc_peering_connections?.pop()))
}
