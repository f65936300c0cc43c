//! Room: what others leave of AWS's quotas, and of the address ranges of networks.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Subnet as SeenSubnet;

use super::Own;
use crate::address::Kind;
use crate::aws::Aws;
use crate::aws::answer::Answer;
use crate::aws::errors::AnswerError;
use crate::aws::observe::ObserveError;
use crate::aws::page::{self, Ids, pages};
use crate::aws::tags;
use crate::observed::{Shared, StrangeSubnet};
use crate::resource::vpc::VpcId;

const SUBNETS: Answer = Answer("DescribeSubnets");

/// What others have taken.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) subnets: Vec<StrangeSubnet>,
    /// The number of objects by kind, except for mirror sessions and targets.
    pub(super) counts: BTreeMap<Kind, usize>,
}

/// Reads only what the stack is about to take some of.
pub(super) async fn find(aws: &Aws, own: &Own<'_>, shared: &Shared) -> Result<Room, ObserveError> {
    let (subnets, vpcs, gateways, filters) = tokio::try_join!(
        Box::pin(subnets(aws, own, &shared.networks)),
        Box::pin(counted(shared, Kind::Vpc, vpcs(aws, own))),
        Box::pin(counted(shared, Kind::InternetGateway, gateways(aws, own))),
        Box::pin(counted(shared, Kind::MirrorFilter, filters(aws, own))),
    )?;
    Ok(Room { subnets, counts: [vpcs, gateways, filters].into_iter().flatten().collect() })
}

/// Returns a kind and how many objects of it others have, if they are to be counted.
async fn counted(
    shared: &Shared,
    kind: Kind,
    count: impl Future<Output = Result<usize, ObserveError>>,
) -> Result<Option<(Kind, usize)>, ObserveError> {
    if shared.counts(kind) { Ok(Some((kind, count.await?))) } else { Ok(None) }
}

async fn subnets(
    aws: &Aws,
    own: &Own<'_>,
    networks: &BTreeSet<VpcId>,
) -> Result<Vec<StrangeSubnet>, ObserveError> {
    if networks.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Ids = networks.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_subnets()
        .set_filters(page::only("vpc-id", &ids))
        .max_results(page::PAGE);
    let mut strangers = Vec::new();
    for subnet in pages!(aws, "DescribeSubnets", request, subnets) {
        let Some(found) = strange(&subnet)? else { continue };
        let its = tags::from_ec2(subnet.tags());
        if networks.contains(&found.vpc) && !own.has(found.id.as_str(), &its) {
            strangers.push(found);
        }
    }
    strangers.sort();
    Ok(strangers)
}

/// Returns a subnet as an obstacle for others; `None` for one that has only IPv6, which takes nothing
/// of the VPC's range.
fn strange(subnet: &SeenSubnet) -> Result<Option<StrangeSubnet>, AnswerError> {
    let Some(cidr) = subnet.cidr_block().filter(|cidr| !cidr.is_empty()) else {
        return Ok(None);
    };
    Ok(Some(StrangeSubnet {
        vpc: SUBNETS.id("vpcId", subnet.vpc_id())?,
        id: SUBNETS.id("subnetId", subnet.subnet_id())?,
        cidr: SUBNETS.parsed("cidrBlock", Some(cidr))?,
    }))
}

async fn vpcs(aws: &Aws, own: &Own<'_>) -> Result<usize, ObserveError> {
    let request = aws.ec2().describe_vpcs().max_results(page::PAGE);
    let all = pages!(aws, "DescribeVpcs", request, vpcs);
    let all = all.iter().filter_map(|vpc| Some((vpc.vpc_id()?, vpc.tags())));
    Ok(all.filter(|(id, its)| !own.has(id, &tags::from_ec2(its))).count())
}

async fn gateways(aws: &Aws, own: &Own<'_>) -> Result<usize, ObserveError> {
    let request = aws.ec2().describe_internet_gateways().max_results(page::PAGE);
    let all = pages!(aws, "DescribeInternetGateways", request, internet_gateways);
    let all =
        all.iter().filter_map(|gateway| Some((gateway.internet_gateway_id()?, gateway.tags())));
    Ok(all.filter(|(id, its)| !own.has(id, &tags::from_ec2(its))).count())
}

async fn filters(aws: &Aws, own: &Own<'_>) -> Result<usize, ObserveError> {
    let request = aws.ec2().describe_traffic_mirror_filters().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorFilters", request, traffic_mirror_filters);
    let all =
        all.iter().filter_map(|filter| Some((filter.traffic_mirror_filter_id()?, filter.tags())));
    Ok(all.filter(|(id, its)| !own.has(id, &tags::from_ec2(its))).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_without_ipv4_takes_none_of_the_range() {
        let seen = SeenSubnet::builder().vpc_id("vpc-0a1b2c3d4e5f67890");
        let seen = seen.subnet_id("subnet-0a1b2c3d4e5f67890").ipv6_native(true);
        assert_eq!(strange(&seen.clone().build()).unwrap(), None);
        assert_eq!(strange(&seen.clone().cidr_block("").build()).unwrap(), None);
        let taken = strange(&seen.clone().cidr_block("10.0.9.0/24").build()).unwrap().unwrap();
        assert_eq!(taken.cidr.to_string(), "10.0.9.0/24");
        strange(&seen.cidr_block("10.0.9").build()).unwrap_err();
    }
}
