//! Calls about Gateway Load Balancer endpoints.

use aws_sdk_ec2::operation::create_vpc_endpoint::CreateVpcEndpointOutput;
use aws_sdk_ec2::operation::delete_vpc_endpoints::DeleteVpcEndpointsOutput;
use aws_sdk_ec2::types::{ResourceType, VpcEndpoint, VpcEndpointType};

use super::super::answer::{Answer, text};
use super::super::observe::EndpointState;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::blocker::Place;
use super::endpoint_service::unless_left;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::GatewayLoadBalancerEndpoint;
use crate::resource::endpoint_service::service_name;
use crate::resource::gateway_load_balancer_endpoint::{GatewayLoadBalancerEndpointId, Operation};

const DELETE: &str = "DeleteVpcEndpoints";

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Delete { gateway_load_balancer_endpoint } => {
            delete(acting, &acting.id(gateway_load_balancer_endpoint)?).await
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { vpc, subnet, service, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let service = acting.id(service)?;
    let request = acting
        .aws
        .ec2_once()
        .create_vpc_endpoint()
        .client_token(acting.token())
        .vpc_endpoint_type(VpcEndpointType::GatewayLoadBalancer)
        .vpc_id(acting.id(vpc)?.as_str())
        .subnet_ids(acting.id(subnet)?.as_str())
        .service_name(service_name(acting.aws.region(), &service))
        .tag_specifications(tags::specification(ResourceType::VpcEndpoint, tags));
    let making = Making { call: "CreateVpcEndpoint", tags };
    let id = |answer: &CreateVpcEndpointOutput| {
        let id = answer.vpc_endpoint().and_then(|endpoint| endpoint.vpc_endpoint_id());
        Answer("CreateVpcEndpoint").id::<GatewayLoadBalancerEndpoint>("vpcEndpointId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    available(acting, &id).await?;
    Ok(Made::object(&id))
}

/// Waits until the endpoint accepts packets.
async fn available(
    acting: &Acting<'_>,
    id: &GatewayLoadBalancerEndpointId,
) -> Result<(), ActError> {
    let mut patience = acting.patience("available", limit::ACTIVE);
    loop {
        let now = match seen(acting, id).await? {
            None => "it is not visible yet".to_owned(),
            Some(endpoint) => match EndpointState::of(&endpoint) {
                EndpointState::Available => return Ok(()),
                EndpointState::Asked => {
                    let service = endpoint.service_name().unwrap_or("the service");
                    let reason =
                        format!("the owner of {service} has to accept it; then apply again");
                    return Err(failed(id, &endpoint, Some(reason)));
                }
                EndpointState::Ended => {
                    let error = endpoint.last_error().and_then(|error| text(error.message()));
                    return Err(failed(id, &endpoint, error));
                }
                EndpointState::Changing => format!("state is {}", word(&endpoint)),
            },
        };
        patience.pause(now).await?;
    }
}

fn failed(
    id: &GatewayLoadBalancerEndpointId,
    endpoint: &VpcEndpoint,
    reason: Option<String>,
) -> ActError {
    ActError::Failed { what: id.to_string(), state: word(endpoint).to_owned(), reason }
}

async fn delete(acting: &Acting<'_>, id: &GatewayLoadBalancerEndpointId) -> Result<Made, ActError> {
    let request = acting.aws.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id.as_str());
    let done = |answer: DeleteVpcEndpointsOutput| unless_left(DELETE, answer.unsuccessful());
    acting.remove_if_done(DELETE, Place::Elsewhere, || request.clone().send(), done).await?;
    let mut patience = acting.patience("deleted", limit::RELEASED);
    while let Some(endpoint) = seen(acting, id).await? {
        if word(&endpoint).eq_ignore_ascii_case("deleted") {
            break;
        }
        patience.pause(format!("state is {}", word(&endpoint))).await?;
    }
    Ok(Made::nothing())
}

fn word(endpoint: &VpcEndpoint) -> &str {
    endpoint.state().map_or("unknown", |state| state.as_str())
}

async fn seen(
    acting: &Acting<'_>,
    id: &GatewayLoadBalancerEndpointId,
) -> Result<Option<VpcEndpoint>, ActError> {
    let request = acting.aws.ec2().describe_vpc_endpoints().vpc_endpoint_ids(id.as_str());
    let answer = acting.aws.send("DescribeVpcEndpoints", request.send()).await;
    Ok(unless_absent(answer)?.and_then(|answer| answer.vpc_endpoints?.pop()))
}
