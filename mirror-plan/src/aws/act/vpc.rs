//! Calls about VPCs.

use aws_sdk_ec2::operation::create_vpc::CreateVpcOutput;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, VpcAttributeName, VpcState};

use super::super::answer::Answer;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::Tags;
use crate::resource::vpc::{Operation, VpcId};
use crate::scalar::Cidr;

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { cidr, tags } => create(acting, *cidr, tags).await,
        Operation::SetDnsSupport { vpc, enabled } => {
            let attribute = VpcAttributeName::EnableDnsSupport;
            set(acting, &acting.id(vpc)?, Setting { attribute, value: *enabled }).await
        }
        Operation::SetDnsHostnames { vpc, enabled } => {
            let attribute = VpcAttributeName::EnableDnsHostnames;
            set(acting, &acting.id(vpc)?, Setting { attribute, value: *enabled }).await
        }
        Operation::Delete { vpc } => {
            let vpc = acting.id(vpc)?;
            let request = acting.aws.ec2().delete_vpc().vpc_id(vpc.as_str());
            let place = Place::Vpc(vpc.as_str());
            acting.remove("DeleteVpc", place, || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, cidr: Cidr, tags: &Tags) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2_once()
        .create_vpc()
        .cidr_block(cidr.to_string())
        .tag_specifications(tags::specification(ResourceType::Vpc, tags));
    let making = Making { call: "CreateVpc", tags };
    let id = |answer: &CreateVpcOutput| {
        Answer("CreateVpc").id("vpcId", answer.vpc().and_then(|vpc| vpc.vpc_id()))
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    available(acting, &id).await?;
    Ok(Made::object(&id))
}

async fn available(acting: &Acting<'_>, id: &VpcId) -> Result<(), ActError> {
    let mut patience = acting.patience("available", limit::AVAILABLE);
    let request = acting.aws.ec2().describe_vpcs().vpc_ids(id.as_str());
    loop {
        let answer = acting.aws.send("DescribeVpcs", request.clone().send()).await;
        let answer = unless_absent(answer)?;
        let vpc = answer.as_ref().and_then(|answer| answer.vpcs().first());
        let now = match vpc.and_then(|vpc| vpc.state()) {
            Some(VpcState::Available) => return Ok(()),
            Some(state) => format!("state is {state}"),
            None => "it is not visible yet".to_owned(),
        };
        patience.pause(now).await?;
    }
}

/// A new value for an attribute of a VPC.
struct Setting {
    attribute: VpcAttributeName,
    value: bool,
}

async fn set(acting: &Acting<'_>, id: &VpcId, setting: Setting) -> Result<Made, ActError> {
    let value = AttributeBooleanValue::builder().value(setting.value).build();
    let request = acting.aws.ec2().modify_vpc_attribute().vpc_id(id.as_str());
    let request = if setting.attribute == VpcAttributeName::EnableDnsSupport {
        request.enable_dns_support(value)
    } else {
        request.enable_dns_hostnames(value)
    };
    acting.call("ModifyVpcAttribute", || request.clone().send()).await?;
    shown(acting, id, setting).await?;
    Ok(Made::nothing())
}

/// Waits until a change is visible: otherwise it would appear as a difference in the next plan.
async fn shown(acting: &Acting<'_>, id: &VpcId, setting: Setting) -> Result<(), ActError> {
    let Setting { attribute, value: wanted } = setting;
    let mut patience = acting.patience("the change is visible", limit::AVAILABLE);
    let request =
        acting.aws.ec2().describe_vpc_attribute().vpc_id(id.as_str()).attribute(attribute);
    loop {
        let answer = acting.aws.send("DescribeVpcAttribute", request.clone().send()).await;
        if let Some(answer) = unless_absent(answer)? {
            let value = answer.enable_dns_support().or_else(|| answer.enable_dns_hostnames());
            if value.and_then(|value| value.value()) == Some(wanted) {
                return Ok(());
            }
        }
        patience.pause("the old value is still visible").await?;
    }
}
