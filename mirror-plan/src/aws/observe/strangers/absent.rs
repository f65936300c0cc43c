//! What is absent: objects that a stack names as those of others, and nobody has.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{TransitGateway, TransitGatewayState};

use crate::aws::observe::{ObserveError, gateway_load_balancer_endpoint, vpc_peering};
use crate::aws::page::{self, FILTER_VALUES, Ids, pages};
use crate::aws::together::together;
use crate::aws::{Aws, listing};
use crate::resource::access::{ArnType, Named, Which};

/// Returns the objects of `wanted` that do not exist for this account, in one call per sort and two hundred objects.
pub(super) async fn find(
    aws: &Aws,
    wanted: &BTreeSet<Named>,
) -> Result<BTreeSet<Named>, ObserveError> {
    let mut names: BTreeMap<ArnType, Vec<&str>> = BTreeMap::new();
    for Named { of, which } in wanted {
        if let Which::One(name) = which {
            names.entry(*of).or_default().push(name);
        }
    }
    let looks = names.into_iter().map(|(of, names)| async move {
        let there = there(aws, of, &names).await?;
        Ok::<_, ObserveError>((of, there))
    });
    let there: BTreeMap<ArnType, Option<Ids>> =
        together(looks.collect()).await?.into_iter().collect();
    let is_absent = |Named { of, which }: &Named| match (there.get(of), which) {
        (Some(Some(there)), Which::One(name)) => !there.contains(name),
        // This sort was not looked up.
        (Some(None) | None, _) | (_, Which::Any) => false,
    };
    Ok(wanted.iter().filter(|named| is_absent(named)).cloned().collect())
}

/// Returns the objects of `wanted` that exist; `None` for a sort that is not looked up.
async fn there(aws: &Aws, of: ArnType, wanted: &[&str]) -> Result<Option<Ids>, ObserveError> {
    /// The ids of the usable objects in a listing.
    macro_rules! by_id {
        ($list:ident by $field:literal, $id:ident $(if $stands:path)?) => {{
            let there = listing::$list(aws, $field, wanted).await?.into_iter();
            $(let there = there.filter($stands);)?
            there.filter_map(|item| item.$id).collect()
        }};
    }
    Ok(Some(match of {
        ArnType::Image => images(aws, wanted).await?,
        ArnType::KeyPair => key_pairs(aws, wanted).await?,
        ArnType::Vpc => by_id!(vpcs by "vpc-id", vpc_id),
        ArnType::Subnet => by_id!(subnets by "subnet-id", subnet_id),
        ArnType::InternetGateway => {
            by_id!(internet_gateways by "internet-gateway-id", internet_gateway_id)
        }
        ArnType::VpcPeeringConnection => by_id!(
            vpc_peerings by "vpc-peering-connection-id", vpc_peering_connection_id
            if vpc_peering::stands
        ),
        ArnType::TransitGateway => {
            by_id!(transit_gateways by "transit-gateway-id", transit_gateway_id if stands)
        }
        ArnType::VpcEndpoint => by_id!(
            vpc_endpoints by "vpc-endpoint-id", vpc_endpoint_id
            if gateway_load_balancer_endpoint::stands
        ),
        ArnType::SecurityGroup => by_id!(security_groups by "group-id", group_id),
        ArnType::NetworkInterface => {
            by_id!(network_interfaces by "network-interface-id", network_interface_id)
        }
        ArnType::TrafficMirrorFilter => {
            by_id!(mirror_filters by "traffic-mirror-filter-id", traffic_mirror_filter_id)
        }
        _ => return Ok(None),
    }))
}

/// Returns whether routes can lead to a transit gateway: AWS keeps showing a deleted one for a while.
fn stands(gateway: &TransitGateway) -> bool {
    use TransitGatewayState as State;
    !matches!(gateway.state(), Some(State::Deleting | State::Deleted))
}

async fn images(aws: &Aws, wanted: &[&str]) -> Result<Ids, ObserveError> {
    let mut there = Ids::new();
    for some in wanted.chunks(FILTER_VALUES) {
        // A deprecated image can still be launched.
        let request = aws.ec2().describe_images().include_deprecated(true);
        let request =
            request.filters(page::filter("image-id", some.iter().map(ToString::to_string)));
        let images = pages!(aws, "DescribeImages", request, images);
        there.extend(images.into_iter().filter_map(|image| image.image_id));
    }
    Ok(there)
}

async fn key_pairs(aws: &Aws, wanted: &[&str]) -> Result<Ids, ObserveError> {
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
