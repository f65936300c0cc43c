//! Reading Gateway Load Balancer endpoints.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{VpcEndpoint as SeenEndpoint, VpcEndpointType};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::{AnswerError, FieldError};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::GatewayLoadBalancerEndpoint;
use crate::resource::gateway_load_balancer_endpoint::GatewayLoadBalancerEndpointId;

const ANSWER: Answer = Answer("DescribeVpcEndpoints");

/// The state of an endpoint. AWS sends its states with a lower-case first letter, whereas its own API model has an
/// upper-case one.
///
/// Source: EC2 API reference, `DescribeVpcEndpoints`, the filter `vpc-endpoint-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum EndpointState {
    /// The owner of its service has not accepted it.
    Asked,
    /// The endpoint accepts packets.
    Available,
    /// The endpoint will never accept packets again.
    Ended,
    /// Any other state, on the way to one of these.
    Changing,
}

impl EndpointState {
    pub(in crate::aws) fn of(endpoint: &SeenEndpoint) -> Self {
        let word = endpoint.state().map(|state| state.as_str().to_ascii_lowercase());
        match word.as_deref() {
            Some("pendingacceptance") => Self::Asked,
            Some("available") => Self::Available,
            Some("deleting" | "deleted" | "rejected" | "failed" | "expired") => Self::Ended,
            _ => Self::Changing,
        }
    }
}

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_vpc_endpoints()
        .set_filters(page::only("vpc-endpoint-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::GatewayLoadBalancerEndpoint };
    let all = pages!(aws, "DescribeVpcEndpoints", request, vpc_endpoints);
    for endpoint in all.iter().filter(|endpoint| stands(endpoint)) {
        let id: GatewayLoadBalancerEndpointId =
            ANSWER.id("vpcEndpointId", endpoint.vpc_endpoint_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(endpoint.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(endpoint)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Returns whether an endpoint belongs to a Gateway Load Balancer and has not ended: AWS keeps showing ended ones for a
/// while.
pub(in crate::aws) fn stands(endpoint: &SeenEndpoint) -> bool {
    endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::GatewayLoadBalancer)
        && EndpointState::of(endpoint) != EndpointState::Ended
}

fn read(endpoint: &SeenEndpoint) -> Result<GatewayLoadBalancerEndpoint, AnswerError> {
    let name = ANSWER.present("serviceName", endpoint.service_name())?;
    let Some((_, service)) = name.rsplit_once('.') else {
        return Err(ANSWER.wrong("serviceName", FieldError::Unknown(name.to_owned())));
    };
    let subnet = endpoint.subnet_ids().first().map(String::as_str);
    Ok(GatewayLoadBalancerEndpoint {
        vpc: ANSWER.reference("vpcId", endpoint.vpc_id())?,
        subnet: ANSWER.reference("subnetIds", subnet)?,
        service: ANSWER.reference("serviceName", Some(service))?,
        tags: tags::own(tags::from_ec2(endpoint.tags())),
    })
}
