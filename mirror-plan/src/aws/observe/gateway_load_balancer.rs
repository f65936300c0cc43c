//! Reading Gateway Load Balancers.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer as SeenBalancer, LoadBalancerAttribute};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::tags;
use super::load_balancer::{details, group, is_on};
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::GatewayListenerArn;
use crate::observed::Found;
use crate::resource::gateway_load_balancer::{GatewayLoadBalancerArn, LISTENER};
use crate::resource::{GatewayLoadBalancer, Tags, TargetGroup};

const ANSWER: Answer = Answer("DescribeLoadBalancers");

pub(super) async fn observe(
    aws: &Aws,
    whose: Whose<'_>,
    balancers: Vec<(SeenBalancer, Tags)>,
) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::GatewayLoadBalancer };
    let mut ours = Vec::new();
    for (balancer, tags) in balancers {
        let arn: GatewayLoadBalancerArn =
            ANSWER.id("LoadBalancerArn", balancer.load_balancer_arn())?;
        if let Some(owner) = seen.owner(sought, &arn.erase(), &tags) {
            ours.push((owner, arn, balancer, tags));
        }
    }
    let details = each(ours.iter().map(|(_, arn, ..)| details(aws, arn)).collect()).await?;
    for ((owner, arn, balancer, tags), details) in ours.into_iter().zip(details) {
        let Some((listeners, attributes)) = details else { continue };
        let id = arn.erase();
        let (mut target_group, mut parts) = (None, BTreeMap::new());
        // It has at most one.
        if let Some(listener) = listeners.first() {
            let answer = Answer("DescribeListeners");
            match group(listener) {
                Some(to) => {
                    let arn: GatewayListenerArn =
                        answer.id("ListenerArn", listener.listener_arn())?;
                    parts.insert(LISTENER.to_owned(), arn.erase());
                    target_group = Some(answer.reference("TargetGroupArn", Some(to))?);
                }
                None => {
                    seen.untold(&owner, &id, "a listener that does not forward to a single group");
                }
            }
        }
        let resource = read(&balancer, target_group, &attributes, tags)?.into();
        let mut computed = with_id(&id);
        computed.insert("arn".to_owned(), Some(id.to_string()));
        let generation = owner.generation;
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(
    balancer: &SeenBalancer,
    target_group: Option<Ref<TargetGroup>>,
    attributes: &[LoadBalancerAttribute],
    tags: Tags,
) -> Result<GatewayLoadBalancer, AnswerError> {
    let subnets = balancer.availability_zones().iter().map(|zone| zone.subnet_id());
    Ok(GatewayLoadBalancer {
        name: Some(ANSWER.parsed("LoadBalancerName", balancer.load_balancer_name())?),
        subnets: ANSWER.references("SubnetId", subnets)?,
        target_group,
        cross_zone: is_on(attributes, "load_balancing.cross_zone.enabled")?,
        deletion_protection: is_on(attributes, "deletion_protection.enabled")?,
        tags: tags::own(tags),
    })
}
