//! Discovering: finding what a VPC contains that a stack could own.
//!
//! Each kind is read with one list in pages, however many objects there are. Objects that AWS creates by itself with a
//! VPC, and objects that something else creates and removes as it likes, are not for a stack to own.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerTypeEnum, TargetTypeEnum};
use aws_sdk_ram::types::ResourceShareAssociationType as Associated;

use super::errors::CallError;
use super::observe::{
    ObserveError, autoscaling_group, elb, endpoint_service, gateway_load_balancer_endpoint,
    resource_share, stands,
};
use super::page::{self, pages};
use super::{Aws, BoxFuture, listing};
use crate::address::Kind;
use crate::id::ObjectId;
use crate::resource::{id_of, tag, vpc::VpcId};

/// The objects of a VPC, and what else is in it, one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// What a stack could own, by kind.
    pub objects: BTreeSet<(Kind, ObjectId)>,
    /// What a stack could not own, with the reason.
    pub left: Vec<String>,
}

impl Discovered {
    /// Adds an object. An invalid id cannot be asked for, and is therefore left out.
    fn take(&mut self, kind: Kind, id: Option<&str>) {
        let id = id.and_then(|id| id_of(kind, id).ok());
        self.objects.extend(id.map(|id| (kind, id)));
    }

    fn has(&self, kind: Kind, id: Option<&str>) -> bool {
        let id = id.and_then(|id| id_of(kind, id).ok());
        id.is_some_and(|id| self.objects.contains(&(kind, id)))
    }
}

/// Finds what a VPC contains, including the mirror sessions on its instances and what those sessions use.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn discover<'a>(
    aws: &'a Aws,
    vpc: &'a VpcId,
) -> BoxFuture<'a, Result<Discovered, ObserveError>> {
    Box::pin(async move {
        let mut discovered = Discovered::default();
        discovered.take(Kind::Vpc, Some(vpc.as_str()));
        network(aws, vpc, &mut discovered).await?;
        peerings(aws, vpc, &mut discovered).await?;
        attachments(aws, vpc, &mut discovered).await?;
        let interfaces = instances(aws, vpc, &mut discovered).await?;
        balanced(aws, vpc, &mut discovered).await?;
        groups(aws, &mut discovered).await?;
        endpoints(aws, vpc, &mut discovered).await?;
        mirrors(aws, &interfaces, &mut discovered).await?;
        shares(aws, &mut discovered).await?;
        Ok(discovered)
    })
}

async fn network(aws: &Aws, vpc: &VpcId, discovered: &mut Discovered) -> Result<(), CallError> {
    let vpc = &[vpc.as_str()];
    for subnet in listing::subnets(aws, "vpc-id", vpc).await? {
        discovered.take(Kind::Subnet, subnet.subnet_id());
    }
    for gateway in listing::internet_gateways(aws, "attachment.vpc-id", vpc).await? {
        discovered.take(Kind::InternetGateway, gateway.internet_gateway_id());
    }
    for table in listing::route_tables(aws, "vpc-id", vpc).await? {
        let id = table.route_table_id();
        if table.associations().iter().any(|association| association.main() == Some(true)) {
            let id = id.unwrap_or_default();
            discovered.left.push(format!("{id}: the main route table, which belongs to its VPC"));
        } else {
            discovered.take(Kind::RouteTable, id);
        }
    }
    for group in listing::security_groups(aws, "vpc-id", vpc).await? {
        let id = group.group_id();
        if group.group_name() == Some("default") {
            let id = id.unwrap_or_default();
            discovered
                .left
                .push(format!("{id}: the default security group, which belongs to its VPC"));
        } else {
            discovered.take(Kind::SecurityGroup, id);
        }
    }
    Ok(())
}

/// Adds the peering connections that the VPC has requested. The others belong with the VPC that requested them.
async fn peerings(aws: &Aws, vpc: &VpcId, discovered: &mut Discovered) -> Result<(), CallError> {
    let standing = ["initiating-request", "pending-acceptance", "provisioning", "active"];
    for side in ["requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"] {
        let request = aws
            .ec2()
            .describe_vpc_peering_connections()
            .filters(page::filter(side, [vpc.to_string()]))
            .filters(page::filter("status-code", standing.map(str::to_owned)))
            .max_results(page::PAGE);
        let all = pages!(aws, "DescribeVpcPeeringConnections", request, vpc_peering_connections);
        for peering in all {
            let id = peering.vpc_peering_connection_id();
            let requester = peering.requester_vpc_info().and_then(|info| info.vpc_id());
            if requester == Some(vpc.as_str()) {
                discovered.take(Kind::VpcPeering, id);
            } else {
                let (id, requester) = (id.unwrap_or_default(), requester.unwrap_or_default());
                discovered
                    .left
                    .push(format!("{id}: it belongs to {requester}, which requested it"));
            }
        }
    }
    Ok(())
}

/// Adds the attachments of the VPC to transit gateways.
async fn attachments(aws: &Aws, vpc: &VpcId, discovered: &mut Discovered) -> Result<(), CallError> {
    let request = aws
        .ec2()
        .describe_transit_gateway_vpc_attachments()
        .filters(page::filter("vpc-id", [vpc.to_string()]))
        .max_results(page::PAGE);
    let all = pages!(
        aws,
        "DescribeTransitGatewayVpcAttachments",
        request,
        transit_gateway_vpc_attachments
    );
    for attachment in all.iter().filter(|attachment| stands(attachment)) {
        discovered.take(Kind::TransitGatewayAttachment, attachment.transit_gateway_attachment_id());
    }
    Ok(())
}

/// Adds the instances, except for those that are being terminated; returns the primary interfaces.
async fn instances(
    aws: &Aws,
    vpc: &VpcId,
    discovered: &mut Discovered,
) -> Result<BTreeSet<String>, CallError> {
    let staying = ["pending", "running", "stopping", "stopped"].map(str::to_owned);
    let request = aws
        .ec2()
        .describe_instances()
        .filters(page::filter("vpc-id", [vpc.to_string()]))
        .filters(page::filter("instance-state-name", staying))
        .max_results(page::PAGE);
    let mut interfaces = BTreeSet::new();
    let reservations = pages!(aws, "DescribeInstances", request, reservations);
    for instance in reservations.into_iter().filter_map(|of| of.instances).flatten() {
        let id = instance.instance_id();
        if instance.tags().iter().any(|tag| tag.key() == Some(tag::GROUP)) {
            let id = id.unwrap_or_default();
            discovered.left.push(format!("{id}: its Auto Scaling group creates and deletes it"));
            continue;
        }
        discovered.take(Kind::Instance, id);
        let all = instance.network_interfaces().iter();
        interfaces.extend(all.filter_map(|it| it.network_interface_id().map(str::to_owned)));
    }
    Ok(interfaces)
}

async fn balanced(aws: &Aws, vpc: &VpcId, discovered: &mut Discovered) -> Result<(), CallError> {
    for balancer in elb::load_balancers(aws).await? {
        if balancer.vpc_id() == Some(vpc.as_str()) {
            let is_gateway = elb::is_of(&balancer, &LoadBalancerTypeEnum::Gateway);
            let kind = if is_gateway { Kind::GatewayLoadBalancer } else { Kind::LoadBalancer };
            discovered.take(kind, balancer.load_balancer_arn());
        }
    }
    for group in elb::target_groups(aws).await? {
        let arn = group.target_group_arn();
        match group.target_type() {
            _ if group.vpc_id() != Some(vpc.as_str()) => {}
            Some(TargetTypeEnum::Instance) => discovered.take(Kind::TargetGroup, arn),
            _ => {
                let arn = arn.unwrap_or_default();
                discovered.left.push(format!("{arn}: its targets are not instances"));
            }
        }
    }
    Ok(())
}

/// Adds the Auto Scaling groups in the subnets, and the launch templates that they use.
async fn groups(aws: &Aws, discovered: &mut Discovered) -> Result<(), CallError> {
    for (group, _) in autoscaling_group::all(aws).await? {
        let mut subnets = group.vpc_zone_identifier().unwrap_or_default().split(',');
        if !subnets.any(|subnet| discovered.has(Kind::Subnet, Some(subnet.trim()))) {
            continue;
        }
        match group.launch_template().and_then(|template| template.launch_template_id()) {
            Some(template) => {
                discovered.take(Kind::LaunchTemplate, Some(template));
                discovered.take(Kind::AutoscalingGroup, group.auto_scaling_group_arn());
            }
            None => {
                let name = group.auto_scaling_group_name().unwrap_or_default();
                let why = "it does not start instances from a launch template of its own";
                discovered.left.push(format!("{name}: {why}"));
            }
        }
    }
    Ok(())
}

/// Adds the endpoint services of the Gateway Load Balancers, and the endpoints in the VPC.
async fn endpoints(aws: &Aws, vpc: &VpcId, discovered: &mut Discovered) -> Result<(), CallError> {
    let request = aws.ec2().describe_vpc_endpoint_service_configurations().max_results(page::PAGE);
    let services =
        pages!(aws, "DescribeVpcEndpointServiceConfigurations", request, service_configurations);
    for service in services.iter().filter(|service| endpoint_service::stands(service)) {
        let mut balancers = service.gateway_load_balancer_arns().iter();
        if balancers.any(|arn| discovered.has(Kind::GatewayLoadBalancer, Some(arn))) {
            discovered.take(Kind::EndpointService, service.service_id());
        }
    }
    let request = aws
        .ec2()
        .describe_vpc_endpoints()
        .filters(page::filter("vpc-id", [vpc.to_string()]))
        .max_results(page::PAGE);
    let all = pages!(aws, "DescribeVpcEndpoints", request, vpc_endpoints);
    for endpoint in all.iter().filter(|it| gateway_load_balancer_endpoint::stands(it)) {
        discovered.take(Kind::GatewayLoadBalancerEndpoint, endpoint.vpc_endpoint_id());
    }
    Ok(())
}

/// Adds the sessions on these interfaces, and the targets and filters that they use or that lead here.
async fn mirrors(
    aws: &Aws,
    interfaces: &BTreeSet<String>,
    discovered: &mut Discovered,
) -> Result<(), CallError> {
    let is_here = |interface: Option<&str>| interface.is_some_and(|it| interfaces.contains(it));
    let request = aws.ec2().describe_traffic_mirror_targets().max_results(page::PAGE);
    let targets = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    for target in targets {
        let balancer = target.network_load_balancer_arn();
        let endpoint = target.gateway_load_balancer_endpoint_id();
        if is_here(target.network_interface_id())
            || discovered.has(Kind::LoadBalancer, balancer)
            || discovered.has(Kind::GatewayLoadBalancerEndpoint, endpoint)
        {
            discovered.take(Kind::MirrorTarget, target.traffic_mirror_target_id());
        }
    }
    let request = aws.ec2().describe_traffic_mirror_sessions().max_results(page::PAGE);
    let sessions = pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions);
    for session in sessions.iter().filter(|session| is_here(session.network_interface_id())) {
        discovered.take(Kind::MirrorSession, session.traffic_mirror_session_id());
        discovered.take(Kind::MirrorFilter, session.traffic_mirror_filter_id());
    }
    Ok(())
}

/// Adds the shares that contain the targets.
async fn shares(aws: &Aws, discovered: &mut Discovered) -> Result<(), CallError> {
    if discovered.objects.iter().all(|(kind, _)| *kind != Kind::MirrorTarget) {
        return Ok(());
    }
    for it in resource_share::associations(aws, None, Associated::Resource).await? {
        let target = it.associated_entity().and_then(resource_share::target_in);
        let is_here = discovered.has(Kind::MirrorTarget, target.as_ref().map(|it| it.as_str()));
        if is_here && resource_share::stands(&it) {
            discovered.take(Kind::ResourceShare, it.resource_share_arn());
        }
    }
    Ok(())
}
