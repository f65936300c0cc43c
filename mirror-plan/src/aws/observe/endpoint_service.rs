//! Reading endpoint services.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    AllowedPrincipal, ServiceConfiguration as SeenService, ServiceState, ServiceType,
};

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::EndpointService;
use crate::resource::endpoint_service::EndpointServiceId;
use crate::scalar::Principal;

const ANSWER: Answer = Answer("DescribeVpcEndpointServiceConfigurations");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_vpc_endpoint_service_configurations()
        .set_filters(page::only("service-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::EndpointService };
    let all =
        pages!(aws, "DescribeVpcEndpointServiceConfigurations", request, service_configurations);
    let mut ours = Vec::new();
    for service in all.into_iter().filter(stands) {
        let id: EndpointServiceId = ANSWER.id("serviceId", service.service_id())?;
        if let Some(owner) = seen.owner(sought, &id.erase(), &tags::from_ec2(service.tags())) {
            ours.push((owner, id, service));
        }
    }
    let allowed = each(ours.iter().map(|(_, id, _)| allowed(aws, id)).collect()).await?;
    for ((owner, id, service), allowed) in ours.into_iter().zip(allowed) {
        let Some(allowed) = allowed else { continue };
        let id = id.erase();
        let (mut principals, mut computed) = (BTreeSet::new(), with_id(&id));
        for principal in &allowed {
            let told = ANSWER.present("principal", principal.principal())?;
            match told.parse::<Principal>() {
                Ok(principal) => drop(principals.insert(principal)),
                Err(_) => seen.untold(&owner, &id, format!("the principal {told}")),
            }
        }
        computed.insert("service_name".to_owned(), text(service.service_name()));
        let resource = read(&service, principals)?.into();
        let (generation, parts) = (owner.generation, BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Returns who may create endpoints of a service.
async fn allowed(aws: &Aws, id: &EndpointServiceId) -> Result<Vec<AllowedPrincipal>, ObserveError> {
    let request = aws
        .ec2()
        .describe_vpc_endpoint_service_permissions()
        .service_id(id.as_str())
        .max_results(page::PAGE);
    Ok(pages!(aws, "DescribeVpcEndpointServicePermissions", request, allowed_principals))
}

/// Returns whether a service belongs to Gateway Load Balancers and is not being deleted.
pub(in crate::aws) fn stands(service: &SeenService) -> bool {
    let is_ours = |of: &aws_sdk_ec2::types::ServiceTypeDetail| {
        of.service_type() == Some(&ServiceType::GatewayLoadBalancer)
    };
    let has_ended =
        matches!(service.service_state(), Some(ServiceState::Deleting | ServiceState::Deleted));
    service.service_type().iter().any(is_ours) && !has_ended
}

fn read(
    service: &SeenService,
    principals: BTreeSet<Principal>,
) -> Result<EndpointService, AnswerError> {
    let arns = service.gateway_load_balancer_arns().iter().map(|arn| Some(arn.as_str()));
    Ok(EndpointService {
        gateway_load_balancers: ANSWER.references("gatewayLoadBalancerArnSet", arns)?,
        acceptance_required: ANSWER.present("acceptanceRequired", service.acceptance_required())?,
        allowed_principals: principals.into_iter().collect(),
        tags: tags::own(tags::from_ec2(service.tags())),
    })
}
