//! Reading traffic mirror targets.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::TrafficMirrorTarget;

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::attribute::{Input, Ref};
use crate::observed::Found;
use crate::resource::MirrorTarget;
use crate::resource::mirror_target::MirrorTargetId;
use crate::scalar::AccountId;

const ANSWER: Answer = Answer("DescribeTrafficMirrorTargets");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_traffic_mirror_targets()
        .set_filters(page::only("traffic-mirror-target-id", &ids))
        .max_results(page::PAGE);
    let account = aws.account().await?;
    let sought = Sought { whose, kind: Kind::MirrorTarget };
    let all = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    for target in all {
        let id: MirrorTargetId =
            ANSWER.id("trafficMirrorTargetId", target.traffic_mirror_target_id())?;
        let of: AccountId = ANSWER.parsed("ownerId", target.owner_id())?;
        if of != account {
            seen.foreign_targets.insert(id.clone(), of);
        }
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(target.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(&target)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(target: &TrafficMirrorTarget) -> Result<MirrorTarget, AnswerError> {
    let load_balancer =
        ANSWER.optional("networkLoadBalancerArn", target.network_load_balancer_arn())?;
    let network_interface = ANSWER.optional("networkInterfaceId", target.network_interface_id())?;
    let endpoint = ANSWER
        .optional("gatewayLoadBalancerEndpointId", target.gateway_load_balancer_endpoint_id())?;
    let target_of = MirrorTarget {
        load_balancer: load_balancer.map(Ref::Id),
        network_interface: network_interface.map(Ref::Id),
        gateway_load_balancer_endpoint: endpoint.map(Ref::Id),
        description: text(target.description()).map(Input::Known),
        tags: tags::own(tags::from_ec2(target.tags())),
    };
    // Otherwise an answer that was cut off would look like a target without a destination.
    ANSWER.present("type", target_of.destination())?;
    Ok(target_of)
}
