//! Calls about internet gateways.

use aws_sdk_ec2::operation::create_internet_gateway::CreateInternetGatewayOutput;
use aws_sdk_ec2::types::ResourceType;

use super::super::answer::Answer;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, conflict, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::internet_gateway::{InternetGatewayId, Operation};
use crate::resource::vpc::VpcId;
use crate::resource::{InternetGateway, Tags};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { tags } => create(acting, tags).await,
        Operation::Attach { internet_gateway, vpc } => {
            attach(acting, &acting.id(internet_gateway)?, &acting.id(vpc)?).await
        }
        Operation::Detach { internet_gateway, vpc } => {
            let (gateway, vpc) = (acting.id(internet_gateway)?, acting.id(vpc)?);
            let request = acting
                .aws
                .ec2()
                .detach_internet_gateway()
                .internet_gateway_id(gateway.as_str())
                .vpc_id(vpc.as_str());
            let place = Place::GatewayOf(vpc.as_str());
            acting.remove("DetachInternetGateway", place, || request.clone().send()).await?;
            Ok(Made::nothing())
        }
        Operation::Delete { internet_gateway } => {
            let gateway = acting.id(internet_gateway)?;
            let request =
                acting.aws.ec2().delete_internet_gateway().internet_gateway_id(gateway.as_str());
            acting.withdraw("DeleteInternetGateway", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, tags: &Tags) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2_once()
        .create_internet_gateway()
        .tag_specifications(tags::specification(ResourceType::InternetGateway, tags));
    let making = Making { call: "CreateInternetGateway", tags };
    let id = |answer: &CreateInternetGatewayOutput| {
        let id = answer.internet_gateway().and_then(|gateway| gateway.internet_gateway_id());
        Answer("CreateInternetGateway").id::<InternetGateway>("internetGatewayId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    Ok(Made::object(&id))
}

async fn attach(
    acting: &Acting<'_>,
    gateway: &InternetGatewayId,
    vpc: &VpcId,
) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2()
        .attach_internet_gateway()
        .internet_gateway_id(gateway.as_str())
        .vpc_id(vpc.as_str());
    let attached = acting.call("AttachInternetGateway", || request.clone().send()).await;
    // If it is already attached to this VPC, that is what was wanted.
    if let Some(error) = conflict(attached)?
        && !is_attached(acting, gateway, vpc).await?
    {
        return Err(error.into());
    }
    wait_attached(acting, gateway, vpc).await?;
    Ok(Made::nothing())
}

async fn wait_attached(
    acting: &Acting<'_>,
    gateway: &InternetGatewayId,
    vpc: &VpcId,
) -> Result<(), ActError> {
    let mut patience = acting.patience("attached", limit::AVAILABLE);
    while !is_attached(acting, gateway, vpc).await? {
        patience.pause("the attachment is not visible yet").await?;
    }
    Ok(())
}

async fn is_attached(
    acting: &Acting<'_>,
    gateway: &InternetGatewayId,
    vpc: &VpcId,
) -> Result<bool, ActError> {
    let request =
        acting.aws.ec2().describe_internet_gateways().internet_gateway_ids(gateway.as_str());
    let answer = acting.aws.send("DescribeInternetGateways", request.send()).await;
    let gateway = unless_absent(answer)?.and_then(|answer| answer.internet_gateways?.pop());
    let Some(gateway) = gateway else { return Ok(false) };
    Ok(gateway.attachments().iter().any(|attachment| {
        // AWS answers `available`, which is missing from its API model.
        let state = attachment.state().map(|state| state.as_str());
        let stands = matches!(state, Some("attached" | "available"));
        stands && attachment.vpc_id() == Some(vpc.as_str())
    }))
}
