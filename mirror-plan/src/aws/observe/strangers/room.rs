//! Room: how much others leave of what AWS takes at most, and of the ranges of networks.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Subnet as SeenSubnet;

use super::own;
use crate::address::Kind;
use crate::aws::Aws;
use crate::aws::answer::Answer;
use crate::aws::errors::AnswerError;
use crate::aws::observe::ObserveError;
use crate::aws::page::{self, Ids, pages};
use crate::observed::{Observed, Shared, StrangeSubnet};
use crate::resource::vpc::VpcId;

const SUBNETS: Answer = Answer("DescribeSubnets");

/// What others have of it.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) subnets: Vec<StrangeSubnet>,
    /// How many objects, but for mirror sessions and targets.
    pub(super) counts: BTreeMap<Kind, usize>,
}

/// Asks for what the stack is about to take some of, and for nothing else.
pub(super) async fn find(
    aws: &Aws,
    observed: &Observed,
    shared: &Shared,
) -> Result<Room, ObserveError> {
    let (subnets, vpcs, gateways, filters) = tokio::try_join!(
        Box::pin(subnets(aws, observed, &shared.networks)),
        Box::pin(counted(shared, Kind::Vpc, vpcs(aws, observed))),
        Box::pin(counted(shared, Kind::InternetGateway, gateways(aws, observed))),
        Box::pin(counted(shared, Kind::MirrorFilter, filters(aws, observed))),
    )?;
    Ok(Room { subnets, counts: [vpcs, gateways, filters].into_iter().flatten().collect() })
}

/// A kind and how many of it others have, if they are to be counted.
async fn counted(
    shared: &Shared,
    kind: Kind,
    count: impl Future<Output = Result<usize, ObserveError>>,
) -> Result<Option<(Kind, usize)>, ObserveError> {
    if shared.counts(kind) { Ok(Some((kind, count.await?))) } else { Ok(None) }
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
        let Some(found) = strange(&subnet)? else { continue };
        if networks.contains(&found.vpc) && !own.contains(found.id.as_str()) {
            strangers.push(found);
        }
    }
    strangers.sort();
    Ok(strangers)
}

/// A subnet as it is in the way of others: one that has only IPv6 takes none of the VPC's range.
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

async fn filters(aws: &Aws, observed: &Observed) -> Result<usize, ObserveError> {
    let own = own(observed);
    let request = aws.ec2().describe_traffic_mirror_filters().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorFilters", request, traffic_mirror_filters);
    let ids = all.iter().filter_map(|filter| filter.traffic_mirror_filter_id());
    Ok(ids.filter(|id| !own.contains(id)).count())
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
