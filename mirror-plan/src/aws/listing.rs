//! Listings: the objects of a kind that have one of several values in a field.

use aws_sdk_ec2::types::{
    Instance, InternetGateway, NetworkInterface, RouteTable, SecurityGroup, Subnet,
    TrafficMirrorFilter, TrafficMirrorSession, TransitGateway, Vpc, VpcEndpoint,
    VpcPeeringConnection,
};

use super::Aws;
use super::errors::CallError;
use super::page::{self, FILTER_VALUES, pages};

/// The largest page of route tables.
///
/// Source: EC2 API reference, `DescribeRouteTables`.
pub(super) const ROUTE_TABLES: i32 = 100;

/// Generates the functions that list a kind in pages of a given size: one call for as many values as a filter accepts,
/// and none for no values.
macro_rules! listings {
    ($($name:ident -> $item:ident: $call:literal, $describe:ident, $items:ident by $page:expr;)+) => {$(
        pub(super) async fn $name(
            aws: &Aws,
            field: &str,
            values: &[&str],
        ) -> Result<Vec<$item>, CallError> {
            let mut all = Vec::new();
            for some in values.chunks(FILTER_VALUES) {
                let filter = page::filter(field, some.iter().map(|value| (*value).to_owned()));
                let request = aws.ec2().$describe().filters(filter).max_results($page);
                all.extend(pages!(aws, $call, request, $items));
            }
            Ok(all)
        }
    )+};
}

listings! {
    vpcs -> Vpc: "DescribeVpcs", describe_vpcs, vpcs by page::PAGE;
    subnets -> Subnet: "DescribeSubnets", describe_subnets, subnets by page::PAGE;
    internet_gateways -> InternetGateway:
        "DescribeInternetGateways", describe_internet_gateways, internet_gateways by page::PAGE;
    route_tables -> RouteTable:
        "DescribeRouteTables", describe_route_tables, route_tables by ROUTE_TABLES;
    vpc_peerings -> VpcPeeringConnection:
        "DescribeVpcPeeringConnections", describe_vpc_peering_connections, vpc_peering_connections
        by page::PAGE;
    transit_gateways -> TransitGateway:
        "DescribeTransitGateways", describe_transit_gateways, transit_gateways by page::PAGE;
    vpc_endpoints -> VpcEndpoint:
        "DescribeVpcEndpoints", describe_vpc_endpoints, vpc_endpoints by page::PAGE;
    security_groups -> SecurityGroup:
        "DescribeSecurityGroups", describe_security_groups, security_groups by page::PAGE;
    network_interfaces -> NetworkInterface:
        "DescribeNetworkInterfaces", describe_network_interfaces, network_interfaces by page::PAGE;
    mirror_filters -> TrafficMirrorFilter:
        "DescribeTrafficMirrorFilters", describe_traffic_mirror_filters, traffic_mirror_filters
        by page::PAGE;
    mirror_sessions -> TrafficMirrorSession:
        "DescribeTrafficMirrorSessions", describe_traffic_mirror_sessions, traffic_mirror_sessions
        by page::PAGE;
}

/// Does the same for instances, which AWS lists by reservation.
pub(super) async fn instances(
    aws: &Aws,
    field: &str,
    values: &[&str],
) -> Result<Vec<Instance>, CallError> {
    let mut all = Vec::new();
    for some in values.chunks(FILTER_VALUES) {
        let filter = page::filter(field, some.iter().map(|value| (*value).to_owned()));
        let request = aws.ec2().describe_instances().filters(filter).max_results(page::PAGE);
        let reservations = pages!(aws, "DescribeInstances", request, reservations).into_iter();
        all.extend(reservations.flat_map(|it| it.instances.unwrap_or_default()));
    }
    Ok(all)
}
