//! Finding what a create call has created, by its ownership tags.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::observe::{
    autoscaling_group, elb, endpoint_service, gateway_load_balancer_endpoint, instance,
    resource_share, transit_gateway_attachment, vpc_peering,
};
use super::super::page::{self, pages};
use super::super::tags;
use super::ActError;
use super::acting::{Acting, unless_absent};
use crate::address::Kind;
use crate::id::{Identified, ObjectId};
use crate::resource::access::Service;
use crate::resource::{self, Tags, tag};

pub(super) async fn created(
    aws: &Aws,
    kind: Kind,
    tags: &Tags,
) -> Result<Option<ObjectId>, ActError> {
    match Service::of(kind) {
        Service::Ec2 => by_address(aws, kind, tags).await,
        Service::LoadBalancing => Ok(balanced(aws, kind, tags).await?),
        Service::Autoscaling => Ok(group(aws, tags).await?),
        Service::Sharing => Ok(share(aws, tags).await?),
    }
}

/// Returns the id of the object that has all three tags: the stack's, the address's and the
/// generation's.
async fn by_address(aws: &Aws, kind: Kind, tags: &Tags) -> Result<Option<ObjectId>, ActError> {
    let owned = |key: &str| tags.get(key).cloned().unwrap_or_default();
    let request = aws
        .ec2()
        .describe_tags()
        .filters(page::filter("resource-type", [kind.tag_type().to_owned()]))
        .filters(page::filter("key", [tag::ADDRESS.to_owned()]))
        .filters(page::filter("value", [owned(tag::ADDRESS)]));
    let candidates = pages!(aws, "DescribeTags", request, tags);
    for candidate in candidates {
        let id = Answer("DescribeTags").present("resourceId", candidate.resource_id())?;
        let request =
            aws.ec2().describe_tags().filters(page::filter("resource-id", [id.to_owned()]));
        let all = pages!(aws, "DescribeTags", request, tags);
        let has = |key: &str| {
            all.iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(&owned(key)))
        };
        // A filter treats `*` and `?` in a value as wildcards; this comparison does not.
        let is_it = has(tag::STACK) && has(tag::ADDRESS) && has(tag::GENERATION);
        if is_it && !has_ended(aws, kind, id).await? {
            return object(kind, id).map(Some);
        }
    }
    Ok(None)
}

/// Returns whether an object has ended that AWS still shows with its tags: a later object may have
/// the same tags.
async fn has_ended(aws: &Aws, kind: Kind, id: &str) -> Result<bool, ActError> {
    let ec2 = aws.ec2();
    let stands = match kind {
        Kind::Instance => {
            let request = ec2.describe_instances().instance_ids(id);
            let answer = aws.send("DescribeInstances", request.send()).await;
            let seen =
                unless_absent(answer)?.and_then(|it| it.reservations?.pop()?.instances?.pop());
            seen.map(|it| instance::stands(&it))
        }
        Kind::VpcPeering => {
            let request = ec2.describe_vpc_peering_connections().vpc_peering_connection_ids(id);
            let answer = aws.send("DescribeVpcPeeringConnections", request.send()).await;
            let seen = unless_absent(answer)?.and_then(|it| it.vpc_peering_connections?.pop());
            seen.map(|it| vpc_peering::stands(&it))
        }
        Kind::TransitGatewayAttachment => {
            let request = ec2.describe_transit_gateway_vpc_attachments();
            let request = request.transit_gateway_attachment_ids(id);
            let answer = aws.send("DescribeTransitGatewayVpcAttachments", request.send()).await;
            let seen =
                unless_absent(answer)?.and_then(|it| it.transit_gateway_vpc_attachments?.pop());
            seen.map(|it| transit_gateway_attachment::stands(&it))
        }
        Kind::EndpointService => {
            let request = ec2.describe_vpc_endpoint_service_configurations().service_ids(id);
            let answer = aws.send("DescribeVpcEndpointServiceConfigurations", request.send()).await;
            let seen = unless_absent(answer)?.and_then(|it| it.service_configurations?.pop());
            seen.map(|it| endpoint_service::stands(&it))
        }
        Kind::GatewayLoadBalancerEndpoint => {
            let request = ec2.describe_vpc_endpoints().vpc_endpoint_ids(id);
            let answer = aws.send("DescribeVpcEndpoints", request.send()).await;
            let seen = unless_absent(answer)?.and_then(|it| it.vpc_endpoints?.pop());
            seen.map(|it| gateway_load_balancer_endpoint::stands(&it))
        }
        _ => return Ok(false),
    };
    Ok(stands == Some(false))
}

async fn balanced(aws: &Aws, kind: Kind, tags: &Tags) -> Result<Option<ObjectId>, ActError> {
    let all = match kind {
        Kind::LoadBalancer => elb::load_balancer_arns(aws, &LoadBalancerTypeEnum::Network).await?,
        Kind::GatewayLoadBalancer => {
            elb::load_balancer_arns(aws, &LoadBalancerTypeEnum::Gateway).await?
        }
        _ => elb::target_group_arns(aws).await?,
    };
    let tagged = elb::tags_of(aws, all).await?;
    let found = tagged.into_iter().find(|(_, found)| same_owner(found, tags));
    found.map(|(arn, _)| object(kind, &arn)).transpose()
}

/// Returns the group with the tags of stack, address and generation that is not being deleted.
async fn group(aws: &Aws, tags: &Tags) -> Result<Option<ObjectId>, ActError> {
    let owned = |key: &str| tags.get(key).cloned().unwrap_or_default();
    let all = autoscaling_group::tagged(aws, tag::ADDRESS, &owned(tag::ADDRESS)).await?;
    let found = all.into_iter().find(|(_, found)| same_owner(found, tags));
    found.map(|(group, _)| object(Kind::AutoscalingGroup, arn_of(&group))).transpose()
}

/// Returns the share with the tags of stack, address and generation that is not being deleted.
async fn share(aws: &Aws, tags: &Tags) -> Result<Option<ObjectId>, ActError> {
    let address = tags.get(tag::ADDRESS).cloned().unwrap_or_default();
    let all = resource_share::tagged(aws, tag::ADDRESS, &address).await?;
    let found = all.into_iter().find(|(_, found)| same_owner(found, tags));
    let arn = found.map(|(share, _)| {
        object(Kind::ResourceShare, share.resource_share_arn().unwrap_or_default())
    });
    arn.transpose()
}

fn arn_of(group: &AutoScalingGroup) -> &str {
    group.auto_scaling_group_arn().unwrap_or_default()
}

fn same_owner(found: &Tags, wanted: &Tags) -> bool {
    [tag::STACK, tag::ADDRESS, tag::GENERATION]
        .iter()
        .all(|key| wanted.contains_key(*key) && found.get(*key) == wanted.get(*key))
}

/// Returns an id whose form is checked for its kind.
fn object(kind: Kind, id: &str) -> Result<ObjectId, ActError> {
    fn of<T: Identified>(id: &str) -> Result<ObjectId, ActError> {
        let id = Answer("DescribeTags").id::<T>("resourceId", Some(id))?;
        Ok(id.erase())
    }
    match kind {
        Kind::Vpc => of::<resource::Vpc>(id),
        Kind::Subnet => of::<resource::Subnet>(id),
        Kind::InternetGateway => of::<resource::InternetGateway>(id),
        Kind::VpcPeering => of::<resource::VpcPeering>(id),
        Kind::TransitGatewayAttachment => of::<resource::TransitGatewayAttachment>(id),
        Kind::RouteTable => of::<resource::RouteTable>(id),
        Kind::SecurityGroup => of::<resource::SecurityGroup>(id),
        Kind::Instance => of::<resource::Instance>(id),
        Kind::LaunchTemplate => of::<resource::LaunchTemplate>(id),
        Kind::AutoscalingGroup => of::<resource::AutoscalingGroup>(id),
        Kind::TargetGroup => of::<resource::TargetGroup>(id),
        Kind::LoadBalancer => of::<resource::LoadBalancer>(id),
        Kind::GatewayLoadBalancer => of::<resource::GatewayLoadBalancer>(id),
        Kind::EndpointService => of::<resource::EndpointService>(id),
        Kind::GatewayLoadBalancerEndpoint => of::<resource::GatewayLoadBalancerEndpoint>(id),
        Kind::MirrorTarget => of::<resource::MirrorTarget>(id),
        Kind::MirrorFilter => of::<resource::MirrorFilter>(id),
        Kind::MirrorSession => of::<resource::MirrorSession>(id),
        Kind::ResourceShare => of::<resource::ResourceShare>(id),
    }
}

/// Refuses the object in the answer to a create call of Elastic Load Balancing, if it is not this
/// stack's: if an object with the same name and settings exists, AWS answers with that.
///
/// Source: ELBv2 API reference, `CreateLoadBalancer`: "This operation is idempotent".
pub(super) async fn refuse_foreign(
    acting: &Acting<'_>,
    arn: &ObjectId,
    tags: &Tags,
) -> Result<(), ActError> {
    let mut patience = acting.patience("it is visible", acting.aws.seen());
    let request = acting.aws.elb().describe_tags().resource_arns(arn.as_str());
    loop {
        let answer = acting.aws.send("DescribeTags", request.clone().send()).await;
        let found = unless_absent(answer)?.and_then(|answer| answer.tag_descriptions?.pop());
        let found = found.map(|found| tags::from_elb(found.tags())).unwrap_or_default();
        if same_owner(&found, tags) {
            return Ok(());
        }
        // Its tags may not be visible yet; if it has another owner's tags, they are.
        let taken = found.contains_key(tag::STACK);
        if taken || patience.pause("its tags are not visible yet").await.is_err() {
            return Err(ActError::Foreign(arn.clone()));
        }
    }
}
