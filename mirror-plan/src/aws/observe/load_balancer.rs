//! Reading load balancers.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    Listener as SeenListener, LoadBalancer as SeenBalancer, LoadBalancerAttribute,
};

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::errors::AnswerError;
use super::super::page::{self, marked_pages};
use super::super::tags;
use super::target_group::word;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::id::{Id, Identified, ListenerArn, ObjectId};
use crate::observed::Found;
use crate::resource::load_balancer::{Listener, LoadBalancerArn};
use crate::resource::{LoadBalancer, Tags};

const ANSWER: Answer = Answer("DescribeLoadBalancers");

pub(super) async fn observe(
    aws: &Aws,
    whose: Whose<'_>,
    balancers: Vec<(SeenBalancer, Tags)>,
) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    let sought = Sought { whose, kind: Kind::LoadBalancer };
    let mut ours = Vec::new();
    for (balancer, tags) in balancers {
        let arn: LoadBalancerArn = ANSWER.id("LoadBalancerArn", balancer.load_balancer_arn())?;
        if let Some(owner) = seen.owner(sought, &arn.erase(), &tags) {
            ours.push((owner, arn, balancer, tags));
        }
    }
    let details = ours.iter().map(|(_, arn, ..)| details(aws, arn)).collect();
    let details = each(details).await?;
    for ((owner, arn, balancer, tags), details) in ours.into_iter().zip(details) {
        let Some((listeners, attributes)) = details else { continue };
        let id = arn.erase();
        let (mut told, mut parts) = (Vec::new(), BTreeMap::new());
        for seen_listener in &listeners {
            match listener(seen_listener)? {
                Some((part, listener)) => {
                    parts.insert(listener.port.to_string(), part);
                    told.push(listener);
                }
                None => {
                    seen.untold(&owner, &id, "a listener that does not forward to a single group");
                }
            }
        }
        told.sort_by_key(|listener| listener.port);
        let resource = read(&balancer, told, &attributes, tags)?.into();
        let mut computed = with_id(&id);
        computed.insert("arn".to_owned(), Some(id.to_string()));
        computed.insert("dns_name".to_owned(), text(balancer.dns_name()));
        let generation = owner.generation;
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// Reads what AWS returns for only one load balancer at a time.
pub(super) async fn details<T: Identified>(
    aws: &Aws,
    arn: &Id<T>,
) -> Result<(Vec<SeenListener>, Vec<LoadBalancerAttribute>), ObserveError> {
    tokio::try_join!(listeners(aws, arn), attributes(aws, arn))
}

async fn listeners<T: Identified>(
    aws: &Aws,
    arn: &Id<T>,
) -> Result<Vec<SeenListener>, ObserveError> {
    let request =
        aws.elb().describe_listeners().load_balancer_arn(arn.as_str()).page_size(page::ELB_PAGE);
    Ok(marked_pages!(aws, "DescribeListeners", request, listeners))
}

async fn attributes<T: Identified>(
    aws: &Aws,
    arn: &Id<T>,
) -> Result<Vec<LoadBalancerAttribute>, ObserveError> {
    let request = aws.elb().describe_load_balancer_attributes().load_balancer_arn(arn.as_str());
    let answer = aws.send("DescribeLoadBalancerAttributes", request.send()).await?;
    Ok(answer.attributes.unwrap_or_default())
}

/// Returns a listener with its ARN; `None` if it does anything but forward to one group.
fn listener(seen: &SeenListener) -> Result<Option<(ObjectId, Listener)>, AnswerError> {
    let answer = Answer("DescribeListeners");
    let arn: ListenerArn = answer.id("ListenerArn", seen.listener_arn())?;
    let (Some(group), Some(protocol)) = (group(seen), word(seen.protocol())) else {
        return Ok(None);
    };
    let listener = Listener {
        port: answer.number("Port", seen.port())?,
        protocol: answer.parsed("Protocol", Some(&protocol))?,
        target_group: answer.reference("TargetGroupArn", Some(group))?,
    };
    Ok(Some((arn.erase(), listener)))
}

/// Returns the one group that a listener forwards to.
pub(super) fn group(seen: &SeenListener) -> Option<&str> {
    let [action] = seen.default_actions() else { return None };
    let weighted = action.forward_config().map(|config| config.target_groups());
    match (action.target_group_arn(), weighted) {
        (_, Some([only])) => only.target_group_arn(),
        (only @ Some(_), None | Some([])) => only,
        _ => None,
    }
}

/// Returns whether an attribute is switched on.
pub(super) fn is_on(
    attributes: &[LoadBalancerAttribute],
    name: &'static str,
) -> Result<bool, AnswerError> {
    let found = attributes.iter().find(|attribute| attribute.key() == Some(name));
    let found = found.and_then(|attribute| attribute.value());
    let answer = Answer("DescribeLoadBalancerAttributes");
    answer.present(name, found).map(|value| value == "true")
}

fn read(
    balancer: &SeenBalancer,
    listeners: Vec<Listener>,
    attributes: &[LoadBalancerAttribute],
    tags: Tags,
) -> Result<LoadBalancer, AnswerError> {
    let subnets = balancer.availability_zones().iter().map(|zone| zone.subnet_id());
    let groups = balancer.security_groups().iter().map(|group| Some(group.as_str()));
    let scheme = balancer.scheme().map(|scheme| scheme.as_str());
    Ok(LoadBalancer {
        name: Some(ANSWER.parsed("LoadBalancerName", balancer.load_balancer_name())?),
        scheme: ANSWER.parsed("Scheme", scheme)?,
        subnets: ANSWER.references("SubnetId", subnets)?,
        security_groups: ANSWER.references("SecurityGroups", groups)?,
        cross_zone: is_on(attributes, "load_balancing.cross_zone.enabled")?,
        deletion_protection: is_on(attributes, "deletion_protection.enabled")?,
        listeners,
        tags: tags::own(tags),
    })
}
