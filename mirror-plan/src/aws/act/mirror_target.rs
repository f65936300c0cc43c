//! Calls about traffic mirror targets.

use aws_sdk_ec2::operation::create_traffic_mirror_target::CreateTrafficMirrorTargetOutput;
use aws_sdk_ec2::types::ResourceType;

use super::super::answer::Answer;
use super::super::tags;
use super::acting::Acting;
use super::making::Making;
use super::{ActError, Made};
use crate::attribute::Input;
use crate::resource::mirror_target::{Destination, Operation};
use crate::resource::{MirrorTarget, Tags};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { destination, description, tags } => {
            create(acting, destination, description.as_ref(), tags).await
        }
        Operation::Delete { mirror_target } => {
            let id = acting.id(mirror_target)?;
            let request = acting
                .aws
                .ec2()
                .delete_traffic_mirror_target()
                .traffic_mirror_target_id(id.as_str());
            acting.withdraw("DeleteTrafficMirrorTarget", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(
    acting: &Acting<'_>,
    destination: &Destination,
    description: Option<&Input<String>>,
    tags: &Tags,
) -> Result<Made, ActError> {
    let request = acting
        .aws
        .ec2_once()
        .create_traffic_mirror_target()
        .client_token(acting.token())
        .set_description(acting.optional_text(description)?)
        .tag_specifications(tags::specification(ResourceType::TrafficMirrorTarget, tags));
    let request = match destination {
        Destination::LoadBalancer(to) => request.network_load_balancer_arn(acting.id(to)?.as_str()),
        Destination::NetworkInterface(to) => request.network_interface_id(acting.id(to)?.as_str()),
        Destination::GatewayLoadBalancerEndpoint(to) => {
            request.gateway_load_balancer_endpoint_id(acting.id(to)?.as_str())
        }
    };
    let making = Making { call: "CreateTrafficMirrorTarget", tags };
    let id = |answer: &CreateTrafficMirrorTargetOutput| {
        let target = answer.traffic_mirror_target();
        let id = target.and_then(|target| target.traffic_mirror_target_id());
        Answer("CreateTrafficMirrorTarget").id::<MirrorTarget>("trafficMirrorTargetId", id)
    };
    let (id, _) = acting.make(making, || request.clone().send(), id).await?;
    Ok(Made::object(&id))
}
