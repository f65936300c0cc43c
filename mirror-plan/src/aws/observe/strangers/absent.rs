//! What is absent: what a stack names of others, and nobody has.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::observe::ObserveError;
use crate::aws::page::{self, FILTER_VALUES, Ids, pages};
use crate::aws::{Aws, listing};
use crate::resource::access::{ArnType, Named, Which};

/// Those of `wanted` that are not there for this account, in a call for each sort of them and two hundred.
pub(super) async fn find(
    aws: &Aws,
    wanted: &BTreeSet<Named>,
) -> Result<BTreeSet<Named>, ObserveError> {
    let all = tokio::try_join!(
        Box::pin(images(aws, names(wanted, ArnType::Image))),
        Box::pin(key_pairs(aws, names(wanted, ArnType::KeyPair))),
        Box::pin(vpcs(aws, names(wanted, ArnType::Vpc))),
        Box::pin(subnets(aws, names(wanted, ArnType::Subnet))),
        Box::pin(security_groups(aws, names(wanted, ArnType::SecurityGroup))),
        Box::pin(network_interfaces(aws, names(wanted, ArnType::NetworkInterface))),
        Box::pin(mirror_filters(aws, names(wanted, ArnType::TrafficMirrorFilter))),
    )?;
    let (images, key_pairs, vpcs, subnets, security_groups, interfaces, filters) = all;
    let there = BTreeMap::from([
        (ArnType::Image, images),
        (ArnType::KeyPair, key_pairs),
        (ArnType::Vpc, vpcs),
        (ArnType::Subnet, subnets),
        (ArnType::SecurityGroup, security_groups),
        (ArnType::NetworkInterface, interfaces),
        (ArnType::TrafficMirrorFilter, filters),
    ]);
    let is_there = |Named { of, which }: &Named| match (there.get(of), which) {
        (Some(there), Which::One(name)) => there.contains(name),
        // Nobody has looked.
        (None, _) | (_, Which::Any) => true,
    };
    Ok(wanted.iter().filter(|named| !is_there(named)).cloned().collect())
}

fn names(wanted: &BTreeSet<Named>, sort: ArnType) -> Vec<&str> {
    let of_sort = wanted.iter().filter(|named| named.of == sort);
    let names = of_sort.filter_map(|named| match &named.which {
        Which::One(name) => Some(name.as_str()),
        Which::Any => None,
    });
    names.collect()
}

/// Makes the functions that look for a sort by its ids.
macro_rules! by_id {
    ($($list:ident by $field:literal, $id:ident;)+) => {$(
        async fn $list(aws: &Aws, wanted: Vec<&str>) -> Result<Ids, ObserveError> {
            let there = listing::$list(aws, $field, &wanted).await?;
            Ok(there.into_iter().filter_map(|item| item.$id).collect())
        }
    )+};
}

by_id! {
    vpcs by "vpc-id", vpc_id;
    subnets by "subnet-id", subnet_id;
    security_groups by "group-id", group_id;
    network_interfaces by "network-interface-id", network_interface_id;
    mirror_filters by "traffic-mirror-filter-id", traffic_mirror_filter_id;
}

async fn images(aws: &Aws, wanted: Vec<&str>) -> Result<Ids, ObserveError> {
    let mut there = Ids::new();
    for some in wanted.chunks(FILTER_VALUES) {
        // One that is deprecated can be launched still.
        let request = aws.ec2().describe_images().include_deprecated(true);
        let request =
            request.filters(page::filter("image-id", some.iter().map(ToString::to_string)));
        let images = pages!(aws, "DescribeImages", request, images);
        there.extend(images.into_iter().filter_map(|image| image.image_id));
    }
    Ok(there)
}

async fn key_pairs(aws: &Aws, wanted: Vec<&str>) -> Result<Ids, ObserveError> {
    let mut there = Ids::new();
    for some in wanted.chunks(FILTER_VALUES) {
        let request = aws.ec2().describe_key_pairs();
        let request =
            request.filters(page::filter("key-name", some.iter().map(ToString::to_string)));
        let answer = aws.send("DescribeKeyPairs", request.send()).await?;
        there.extend(answer.key_pairs.unwrap_or_default().into_iter().filter_map(|it| it.key_name));
    }
    Ok(there)
}
