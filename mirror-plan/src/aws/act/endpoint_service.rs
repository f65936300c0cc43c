//! Calls about endpoint services.

use aws_sdk_ec2::operation::create_vpc_endpoint_service_configuration::CreateVpcEndpointServiceConfigurationOutput;
use aws_sdk_ec2::operation::delete_vpc_endpoint_service_configurations::DeleteVpcEndpointServiceConfigurationsOutput;
use aws_sdk_ec2::types::{ResourceType, ServiceConfiguration, ServiceState, UnsuccessfulItem};

use super::super::answer::Answer;
use super::super::errors::CallError;
use super::super::tags;
use super::super::wait::limit;
use super::acting::{Acting, unless_absent};
use super::blocker::Place;
use super::making::Making;
use super::{ActError, Made};
use crate::resource::EndpointService;
use crate::resource::endpoint_service::{EndpointServiceId, Operation, service_name};
use crate::scalar::Principal;

const DELETE: &str = "DeleteVpcEndpointServiceConfigurations";

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Modify { .. } => modify(acting, operation).await,
        Operation::Allow { endpoint_service, added, removed } => {
            allow(acting, &acting.id(endpoint_service)?, (added, removed)).await
        }
        Operation::Delete { endpoint_service } => {
            delete(acting, &acting.id(endpoint_service)?).await
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { gateway_load_balancers, acceptance_required, tags } = operation else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let request = acting
        .aws
        .ec2_once()
        .create_vpc_endpoint_service_configuration()
        .client_token(acting.token())
        .set_gateway_load_balancer_arns(Some(acting.ids(gateway_load_balancers)?))
        .acceptance_required(*acceptance_required)
        .tag_specifications(tags::specification(ResourceType::VpcEndpointService, tags));
    let making = Making { call: "CreateVpcEndpointServiceConfiguration", tags };
    let id = |answer: &CreateVpcEndpointServiceConfigurationOutput| {
        let id = answer.service_configuration().and_then(|service| service.service_id());
        let answer = Answer("CreateVpcEndpointServiceConfiguration");
        answer.id::<EndpointService>("serviceId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    available(acting, &id).await?;
    let name = service_name(acting.aws.region(), &id);
    Ok(Made::object(&id).with("service_name", Some(name)))
}

async fn modify(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Modify { endpoint_service, added, removed, acceptance_required } = operation
    else {
        return Err(ActError::Operation("only a change changes"));
    };
    let id = acting.id(endpoint_service)?;
    let (added, removed) = (acting.ids(added)?, acting.ids(removed)?);
    let request = acting
        .aws
        .ec2()
        .modify_vpc_endpoint_service_configuration()
        .service_id(id.as_str())
        .set_add_gateway_load_balancer_arns((!added.is_empty()).then(|| added.clone()))
        .set_remove_gateway_load_balancer_arns((!removed.is_empty()).then(|| removed.clone()))
        .acceptance_required(*acceptance_required);
    let changed =
        acting.call("ModifyVpcEndpointServiceConfiguration", || request.clone().send()).await;
    // If an earlier call whose answer was lost made the same change, that is fine: AWS refuses to remove a load
    // balancer twice.
    if let Err(refused) = changed {
        let seen = seen(acting, &id).await?;
        let has = |arn: &String| {
            seen.iter().any(|service| service.gateway_load_balancer_arns().contains(arn))
        };
        let accepts = seen.as_ref().and_then(|service| service.acceptance_required());
        let is_changed = accepts == Some(*acceptance_required)
            && added.iter().all(has)
            && !removed.iter().any(has);
        if !is_changed {
            return Err(refused);
        }
    }
    available(acting, &id).await?;
    Ok(Made::nothing())
}

async fn allow(
    acting: &Acting<'_>,
    id: &EndpointServiceId,
    (added, removed): (&[Principal], &[Principal]),
) -> Result<Made, ActError> {
    let texts = |principals: &[Principal]| {
        let texts: Vec<String> = principals.iter().map(Principal::to_string).collect();
        (!texts.is_empty()).then_some(texts)
    };
    let request = acting
        .aws
        .ec2()
        .modify_vpc_endpoint_service_permissions()
        .service_id(id.as_str())
        .set_add_allowed_principals(texts(added))
        .set_remove_allowed_principals(texts(removed));
    acting.call("ModifyVpcEndpointServicePermissions", || request.clone().send()).await?;
    Ok(Made::nothing())
}

async fn delete(acting: &Acting<'_>, id: &EndpointServiceId) -> Result<Made, ActError> {
    let request =
        acting.aws.ec2().delete_vpc_endpoint_service_configurations().service_ids(id.as_str());
    let done = |answer: DeleteVpcEndpointServiceConfigurationsOutput| {
        unless_left(DELETE, answer.unsuccessful())
    };
    acting.remove_if_done(DELETE, Place::Elsewhere, || request.clone().send(), done).await?;
    // Its load balancers stay in use until it is deleted.
    let mut patience = acting.patience("deleted", limit::AVAILABLE);
    while let Some(service) = seen(acting, id).await? {
        if service.service_state() == Some(&ServiceState::Deleted) {
            break;
        }
        patience.pause(format!("state is {}", word(&service))).await?;
    }
    Ok(Made::nothing())
}

/// Returns an error for what a call reports that it did not do.
pub(super) fn unless_left(call: &'static str, left: &[UnsuccessfulItem]) -> Result<(), CallError> {
    match left.first().and_then(|item| item.error()) {
        None => Ok(()),
        Some(error) => Err(CallError::of_object(call, (error.code(), error.message()))),
    }
}

/// Waits until endpoints of the service can be created.
async fn available(acting: &Acting<'_>, id: &EndpointServiceId) -> Result<(), ActError> {
    let mut patience = acting.patience("available", limit::AVAILABLE);
    loop {
        let now = match seen(acting, id).await? {
            None => "it is not visible yet".to_owned(),
            Some(service) => match service.service_state() {
                Some(ServiceState::Available) => return Ok(()),
                Some(ServiceState::Failed | ServiceState::Deleting | ServiceState::Deleted) => {
                    let (what, state) = (id.to_string(), word(&service).to_owned());
                    return Err(ActError::Failed { what, state, reason: None });
                }
                _ => format!("state is {}", word(&service)),
            },
        };
        patience.pause(now).await?;
    }
}

fn word(service: &ServiceConfiguration) -> &str {
    service.service_state().map_or("unknown", |state| state.as_str())
}

async fn seen(
    acting: &Acting<'_>,
    id: &EndpointServiceId,
) -> Result<Option<ServiceConfiguration>, ActError> {
    let request =
        acting.aws.ec2().describe_vpc_endpoint_service_configurations().service_ids(id.as_str());
    let answer = acting.aws.send("DescribeVpcEndpointServiceConfigurations", request.send()).await;
    Ok(unless_absent(answer)?.and_then(|answer| answer.service_configurations?.pop()))
}
