//! Room: how much others leave of what AWS takes at most, and of the ranges of networks.

use std::collections::{BTreeMap, BTreeSet};

use super::{SESSIONS, own};
use crate::address::Kind;
use crate::aws::Aws;
use crate::aws::answer::Answer;
use crate::aws::observe::ObserveError;
use crate::aws::page::{self, Ids, pages};
use crate::id::NetworkInterfaceId;
use crate::observed::{Observed, Shared, StrangeSubnet};
use crate::resource::mirror_session::MirrorSessionId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::vpc::VpcId;

const SUBNETS: Answer = Answer("DescribeSubnets");

/// What others have of it.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) subnets: Vec<StrangeSubnet>,
    pub(super) sources: BTreeMap<MirrorTargetId, BTreeSet<NetworkInterfaceId>>,
    pub(super) vpcs: usize,
    pub(super) internet_gateways: usize,
}

/// Asks for what the stack is about to take some of, and for nothing else.
pub(super) async fn find(
    aws: &Aws,
    observed: &Observed,
    shared: &Shared,
) -> Result<Room, ObserveError> {
    let makes = |kind: Kind| shared.makes.contains(&kind);
    let (subnets, sources, vpcs, internet_gateways) = tokio::try_join!(
        Box::pin(subnets(aws, observed, &shared.networks)),
        Box::pin(sources(aws, observed, &shared.targets)),
        Box::pin(async { if makes(Kind::Vpc) { vpcs(aws, observed).await } else { Ok(0) } }),
        Box::pin(async {
            if makes(Kind::InternetGateway) { gateways(aws, observed).await } else { Ok(0) }
        }),
    )?;
    Ok(Room { subnets, sources, vpcs, internet_gateways })
}

async fn subnets(
    aws: &Aws,
    observed: &Observed,
    networks: &BTreeSet<VpcId>,
) -> Result<Vec<StrangeSubnet>, ObserveError> {
    if networks.is_empty() {
        return Ok(Vec::new());
    }
    let own = own(observed);
    let ids: Ids = networks.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_subnets()
        .set_filters(page::only("vpc-id", &ids))
        .max_results(page::PAGE);
    let mut strangers = Vec::new();
    for subnet in pages!(aws, "DescribeSubnets", request, subnets) {
        let (vpc, id) =
            (SUBNETS.id("vpcId", subnet.vpc_id())?, SUBNETS.id("subnetId", subnet.subnet_id())?);
        let found =
            StrangeSubnet { vpc, id, cidr: SUBNETS.parsed("cidrBlock", subnet.cidr_block())? };
        if networks.contains(&found.vpc) && !own.contains(found.id.as_str()) {
            strangers.push(found);
        }
    }
    strangers.sort();
    Ok(strangers)
}

async fn sources(
    aws: &Aws,
    observed: &Observed,
    targets: &BTreeSet<MirrorTargetId>,
) -> Result<BTreeMap<MirrorTargetId, BTreeSet<NetworkInterfaceId>>, ObserveError> {
    let mut strangers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    if targets.is_empty() {
        return Ok(strangers);
    }
    let own = own(observed);
    let ids: Ids = targets.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_traffic_mirror_sessions()
        .set_filters(page::only("traffic-mirror-target-id", &ids))
        .max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions);
    for session in all {
        let id: MirrorSessionId =
            SESSIONS.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        let target = SESSIONS.id("trafficMirrorTargetId", session.traffic_mirror_target_id())?;
        if targets.contains(&target) && !own.contains(id.as_str()) {
            let source = SESSIONS.id("networkInterfaceId", session.network_interface_id())?;
            strangers.entry(target).or_default().insert(source);
        }
    }
    Ok(strangers)
}

async fn vpcs(aws: &Aws, observed: &Observed) -> Result<usize, ObserveError> {
    let own = own(observed);
    let request = aws.ec2().describe_vpcs().max_results(page::PAGE);
    let all = pages!(aws, "DescribeVpcs", request, vpcs);
    let strange = all.iter().filter_map(|vpc| vpc.vpc_id()).filter(|id| !own.contains(id));
    Ok(strange.count())
}

async fn gateways(aws: &Aws, observed: &Observed) -> Result<usize, ObserveError> {
    let own = own(observed);
    let request = aws.ec2().describe_internet_gateways().max_results(page::PAGE);
    let all = pages!(aws, "DescribeInternetGateways", request, internet_gateways);
    let ids = all.iter().filter_map(|gateway| gateway.internet_gateway_id());
    Ok(ids.filter(|id| !own.contains(id)).count())
}
