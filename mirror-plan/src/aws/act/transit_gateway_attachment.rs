//! Calls about transit gateway attachments.

use aws_sdk_ec2::operation::create_transit_gateway_vpc_attachment::CreateTransitGatewayVpcAttachmentOutput;
use aws_sdk_ec2::types::{
    ApplianceModeSupportValue, CreateTransitGatewayVpcAttachmentRequestOptions, DnsSupportValue,
    ModifyTransitGatewayVpcAttachmentRequestOptions, ResourceType, TransitGatewayAttachmentState,
    TransitGatewayVpcAttachment as SeenAttachment,
};

use super::super::answer::Answer;
use super::super::observe::switches;
use super::super::page;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::making::Making;
use super::{ActError, Made};
use crate::resource::transit_gateway_attachment::{Operation, Options, TransitGatewayAttachmentId};
use crate::resource::vpc::VpcId;
use crate::resource::{Tags, TransitGatewayAttachment, tag};
use crate::scalar::TransitGatewayId;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Modify { .. } => modify(acting, operation).await,
        Operation::Delete { transit_gateway_attachment } => {
            let id = acting.id(transit_gateway_attachment)?;
            let request = acting
                .aws
                .ec2()
                .delete_transit_gateway_vpc_attachment()
                .transit_gateway_attachment_id(id.as_str());
            let call = "DeleteTransitGatewayVpcAttachment";
            acting.withdraw(call, || request.clone().send()).await?;
            let mut patience = acting.patience("deleted", limit::AVAILABLE);
            while let Some(attachment) = seen(acting, &id).await?.filter(|seen| !is_gone(seen)) {
                patience.pause(format!("state is {}", word(&attachment))).await?;
            }
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { vpc, transit_gateway, subnets, options, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let vpc = acting.id(vpc)?;
    make_way(acting, (&vpc, transit_gateway), tags).await?;
    let switched = CreateTransitGatewayVpcAttachmentRequestOptions::builder()
        .appliance_mode_support(appliance(*options))
        .dns_support(dns(*options))
        .build();
    let request = acting
        .aws
        .ec2_once()
        .create_transit_gateway_vpc_attachment()
        .vpc_id(vpc.as_str())
        .transit_gateway_id(transit_gateway.as_str())
        .set_subnet_ids(Some(acting.ids(subnets)?))
        .options(switched)
        .tag_specifications(tags::specification(ResourceType::TransitGatewayAttachment, tags));
    let making = Making { call: "CreateTransitGatewayVpcAttachment", tags };
    let id = |answer: &CreateTransitGatewayVpcAttachmentOutput| {
        let attachment = answer.transit_gateway_vpc_attachment();
        let id = attachment.and_then(|attachment| attachment.transit_gateway_attachment_id());
        let answer = Answer("CreateTransitGatewayVpcAttachment");
        answer.id::<TransitGatewayAttachment>("transitGatewayAttachmentId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    available(acting, &id).await?;
    Ok(Made::object(&id))
}

const fn appliance(options: Options) -> ApplianceModeSupportValue {
    if options.appliance_mode {
        ApplianceModeSupportValue::Enable
    } else {
        ApplianceModeSupportValue::Disable
    }
}

const fn dns(options: Options) -> DnsSupportValue {
    if options.dns_support { DnsSupportValue::Enable } else { DnsSupportValue::Disable }
}

/// Waits for an attachment of the pair that is being deleted, and refuses one that belongs to somebody else: AWS
/// reports either as a duplicate.
async fn make_way(
    acting: &Acting<'_>,
    (vpc, gateway): (&VpcId, &TransitGatewayId),
    tags: &Tags,
) -> Result<(), ActError> {
    // An attachment of an earlier generation is deleted before this one is created.
    let is_own =
        |its: &Tags| [tag::STACK, tag::ADDRESS].iter().all(|key| its.get(*key) == tags.get(*key));
    let mut patience = acting.patience("the old attachment is deleted", limit::AVAILABLE);
    let request = acting
        .aws
        .ec2()
        .describe_transit_gateway_vpc_attachments()
        .filters(page::filter("vpc-id", [vpc.to_string()]))
        .filters(page::filter("transit-gateway-id", [gateway.to_string()]));
    loop {
        let call = "DescribeTransitGatewayVpcAttachments";
        let answer = acting.aws.send(call, request.clone().send()).await?;
        let all = answer.transit_gateway_vpc_attachments();
        let Some(there) = all.iter().find(|attachment| !is_gone(attachment)) else {
            return Ok(());
        };
        if there.state() != Some(&TransitGatewayAttachmentState::Deleting) {
            if is_own(&tags::from_ec2(there.tags())) {
                return Ok(());
            }
            let id: TransitGatewayAttachmentId = Answer(call)
                .id("transitGatewayAttachmentId", there.transit_gateway_attachment_id())?;
            return Err(ActError::Foreign(id.erase()));
        }
        patience.pause("state is deleting").await?;
    }
}

async fn modify(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Modify { transit_gateway_attachment, added, removed, options } = operation
    else {
        return Err(ActError::Operation("only a change changes"));
    };
    let id = acting.id(transit_gateway_attachment)?;
    let switched = ModifyTransitGatewayVpcAttachmentRequestOptions::builder()
        .appliance_mode_support(appliance(*options))
        .dns_support(dns(*options))
        .build();
    let (added, removed) = (acting.ids(added)?, acting.ids(removed)?);
    let request = acting
        .aws
        .ec2()
        .modify_transit_gateway_vpc_attachment()
        .transit_gateway_attachment_id(id.as_str())
        .set_add_subnet_ids((!added.is_empty()).then(|| added.clone()))
        .set_remove_subnet_ids((!removed.is_empty()).then(|| removed.clone()))
        .options(switched);
    let changed = acting.call("ModifyTransitGatewayVpcAttachment", || request.clone().send()).await;
    // If an earlier call whose answer was lost made the same change, that is fine: AWS refuses to add a subnet twice.
    if let Err(refused) = changed {
        let seen = seen(acting, &id).await?;
        let has = |subnet: &String| {
            seen.iter().any(|attachment| attachment.subnet_ids().contains(subnet))
        };
        let is_changed = seen.as_ref().is_some_and(|seen| switches(seen) == *options)
            && added.iter().all(has)
            && !removed.iter().any(has);
        if !is_changed {
            return Err(refused);
        }
    }
    available(acting, &id).await?;
    Ok(Made::nothing())
}

/// Waits until routes can use the attachment.
async fn available(acting: &Acting<'_>, id: &TransitGatewayAttachmentId) -> Result<(), ActError> {
    use TransitGatewayAttachmentState as State;
    let mut patience = acting.patience("available", limit::AVAILABLE);
    loop {
        let now = match seen(acting, id).await? {
            None => "it is not visible yet".to_owned(),
            Some(attachment) => match attachment.state() {
                Some(State::Available) => return Ok(()),
                Some(State::PendingAcceptance) => {
                    let gateway = attachment.transit_gateway_id().unwrap_or("the gateway");
                    let reason =
                        format!("the account of {gateway} has to accept it; then apply again");
                    return Err(failed(id, &attachment, Some(reason)));
                }
                Some(
                    State::Failed
                    | State::Failing
                    | State::Rejected
                    | State::Rejecting
                    | State::Deleted
                    | State::Deleting
                    | State::RollingBack,
                ) => return Err(failed(id, &attachment, None)),
                _ => format!("state is {}", word(&attachment)),
            },
        };
        patience.pause(now).await?;
    }
}

fn failed(
    id: &TransitGatewayAttachmentId,
    attachment: &SeenAttachment,
    reason: Option<String>,
) -> ActError {
    ActError::Failed { what: id.to_string(), state: word(attachment).to_owned(), reason }
}

fn word(attachment: &SeenAttachment) -> &str {
    attachment.state().map_or("unknown", |state| state.as_str())
}

/// Returns whether the attachment has ended: AWS keeps showing such attachments for a while.
fn is_gone(attachment: &SeenAttachment) -> bool {
    use TransitGatewayAttachmentState as State;
    matches!(attachment.state(), Some(State::Deleted | State::Failed | State::Rejected))
}

async fn seen(
    acting: &Acting<'_>,
    id: &TransitGatewayAttachmentId,
) -> Result<Option<SeenAttachment>, ActError> {
    let request = acting
        .aws
        .ec2()
        .describe_transit_gateway_vpc_attachments()
        .transit_gateway_attachment_ids(id.as_str());
    let answer = acting.aws.send("DescribeTransitGatewayVpcAttachments", request.send()).await;
    Ok(unless_absent(answer)?.and_then(|answer| answer.transit_gateway_vpc_attachments?.pop()))
}
