//! Calls about subnets.

use aws_sdk_ec2::operation::create_subnet::CreateSubnetOutput;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Subnet, SubnetState};

use super::super::answer::{Answer, text};
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::subnet::{Operation, SubnetId};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::SetPublicIpOnLaunch { subnet, enabled } => {
            let subnet = acting.id(subnet)?;
            let value = AttributeBooleanValue::builder().value(*enabled).build();
            let request = acting
                .aws
                .ec2()
                .modify_subnet_attribute()
                .subnet_id(subnet.as_str())
                .map_public_ip_on_launch(value);
            acting.call("ModifySubnetAttribute", || request.clone().send()).await?;
            // A change that is not visible yet would appear as a difference in the next plan.
            let changed = |subnet: &Subnet| subnet.map_public_ip_on_launch() == Some(*enabled);
            seen(acting, &subnet, "the change is visible", changed).await?;
            Ok(Made::nothing())
        }
        Operation::Delete { subnet } => {
            let subnet = acting.id(subnet)?;
            let request = acting.aws.ec2().delete_subnet().subnet_id(subnet.as_str());
            let place = Place::Subnet(subnet.as_str());
            acting.remove("DeleteSubnet", place, || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { vpc, cidr, availability_zone, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let request = acting
        .aws
        .ec2_once()
        .create_subnet()
        .vpc_id(acting.id(vpc)?.as_str())
        .cidr_block(cidr.to_string())
        .set_availability_zone(availability_zone.as_ref().map(ToString::to_string))
        .tag_specifications(tags::specification(ResourceType::Subnet, tags));
    let making = Making { call: "CreateSubnet", tags };
    let id = |answer: &CreateSubnetOutput| {
        let id = answer.subnet().and_then(|subnet| subnet.subnet_id());
        Answer("CreateSubnet").id("subnetId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    let available = |subnet: &Subnet| subnet.state() == Some(&SubnetState::Available);
    let subnet = seen(acting, &id, "available", available).await?;
    Ok(Made::object(&id).with("availability_zone", text(subnet.availability_zone())))
}

/// Waits until AWS shows the subnet as it should be.
async fn seen(
    acting: &Acting<'_>,
    id: &SubnetId,
    until: &'static str,
    as_it_should_be: impl Fn(&Subnet) -> bool,
) -> Result<Subnet, ActError> {
    let mut patience = acting.patience(until, limit::AVAILABLE);
    let request = acting.aws.ec2().describe_subnets().subnet_ids(id.as_str());
    loop {
        let answer = acting.aws.send("DescribeSubnets", request.clone().send()).await;
        let subnet = unless_absent(answer)?.and_then(|answer| answer.subnets?.pop());
        let now = match subnet {
            Some(subnet) if as_it_should_be(&subnet) => return Ok(subnet),
            Some(subnet) => match subnet.state() {
                Some(state @ (SubnetState::Failed | SubnetState::FailedInsufficientCapacity)) => {
                    let (what, state) = (id.to_string(), state.to_string());
                    return Err(ActError::Failed { what, state, reason: None });
                }
                Some(state) => format!("state is {state}"),
                None => "it has no state".to_owned(),
            },
            None => "it is not visible yet".to_owned(),
        };
        patience.pause(now).await?;
    }
}
