//! VPCs, subnets, gateways, routes and groups: where AWS is strict.

use crate::client::{Client, all, first};
use std::time::Duration;

#[test]
fn a_vpc_is_pending_then_available_and_its_block_is_canonical() {
    let client = Client::new();
    let made = client.ok("CreateVpc&CidrBlock=10.0.5.7/16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=a%26b");
    insta::assert_snapshot!(made, @r#"<CreateVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpc><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item><associationId>vpc-cidr-assoc-005ffec495562e21d</associationId><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet><dhcpOptionsId>dopt-0e3be718e28a7c797</dhcpOptionsId><instanceTenancy>default</instanceTenancy><isDefault>false</isDefault><ownerId>123456789012</ownerId><state>pending</state><tagSet><item><key>Name</key><value>a&amp;b</value></item></tagSet><vpcId>vpc-03d4760a8dfd3f73a</vpcId></vpc></CreateVpcResponse>"#);
    let id = first(&made, "vpcId");
    client.advance(Duration::from_secs(1));
    let seen = client.ok(&format!("DescribeVpcs&VpcId.1={id}"));
    assert_eq!(first(&seen, "state"), "associated");
    assert!(seen.contains("<state>available</state>"));
}

#[test]
fn every_region_starts_with_the_default_network() {
    let client = Client::new();
    let count = |action: &str, element: &str| all(&client.ok(action), element).len();
    assert_eq!(count("DescribeVpcs", "vpcId"), 1);
    assert_eq!(count("DescribeSubnets", "subnetArn"), 3);
    assert_eq!(count("DescribeInternetGateways", "internetGatewayId"), 1);
    assert_eq!(count("DescribeSecurityGroups", "securityGroupArn"), 1);
    let routes = client.ok("DescribeRouteTables");
    assert_eq!(all(&routes, "destinationCidrBlock"), ["172.31.0.0/16", "0.0.0.0/0"]);
}

#[test]
fn an_unknown_action_is_refused_by_name() {
    let response = Client::new().send("CreateNatGateway&SubnetId=x");
    insta::assert_snapshot!(response.body.replace(&response.request_id, "R"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response><Errors><Error><Code>InvalidAction</Code><Message>The action CreateNatGateway is not valid for this web service: mirror-local does not implement it</Message></Error></Errors><RequestID>R</RequestID></Response>
    "#);
}

#[test]
fn an_unknown_filter_is_refused() {
    let client = Client::new();
    assert_eq!(
        client.refused("DescribeVpcs&Filter.1.Name=colour&Filter.1.Value.1=red"),
        "400 InvalidParameterValue"
    );
}

#[test]
fn a_dry_run_changes_nothing_and_still_checks_parameters() {
    let client = Client::new();
    assert_eq!(
        client.refused("CreateVpc&CidrBlock=10.0.0.0/16&DryRun=true"),
        "412 DryRunOperation"
    );
    assert_eq!(
        client.refused("CreateVpc&CidrBlock=nonsense&DryRun=true"),
        "400 InvalidParameterValue"
    );
    assert_eq!(all(&client.ok("DescribeVpcs"), "vpcId").len(), 1);
    let dry = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let plain = first(&Client::new().ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    assert_eq!(dry, plain, "not even the sequence of ids has moved");
}

#[test]
fn a_client_token_is_for_one_set_of_parameters() {
    let client = Client::new();
    let vpc = first(&client.ok("DescribeVpcs"), "vpcId");
    let create = format!("CreateRouteTable&VpcId={vpc}&ClientToken=t");
    let table = first(&client.ok(&create), "routeTableId");
    assert_eq!(first(&client.ok(&create), "routeTableId"), table);
    let other = format!(
        "{create}&TagSpecification.1.ResourceType=route-table&TagSpecification.1.Tag.1.Key=a"
    );
    assert_eq!(client.refused(&other), "400 IdempotentParameterMismatch");
    client.advance(Duration::from_secs(25 * 3600));
    assert_ne!(first(&client.ok(&create), "routeTableId"), table);
}

#[test]
fn subnets_lie_inside_their_vpc_and_apart() {
    let client = Client::new();
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let create = |block: &str| format!("CreateSubnet&VpcId={vpc}&CidrBlock={block}");
    client.ok(&create("10.0.1.0/24"));
    assert_eq!(client.refused(&create("10.0.1.128/25")), "400 InvalidSubnet.Conflict");
    assert_eq!(client.refused(&create("10.0.0.0/16")), "400 InvalidSubnet.Conflict");
    assert_eq!(client.refused(&create("10.1.0.0/24")), "400 InvalidSubnet.Range");
    assert_eq!(client.refused(&create("10.0.2.0/29")), "400 InvalidSubnet.Range");
    assert_eq!(client.refused(&create("10.0.2.0")), "400 InvalidParameterValue");
}

#[test]
fn a_subnet_for_an_empty_zone_is_one_for_no_zone_in_particular() {
    let client = Client::new();
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let create = |form: &str| format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24&{form}");
    let elsewhere = client.refused(&create("AvailabilityZone=eu-west-1z"));
    assert_eq!(elsewhere, "400 InvalidParameterValue");
    let made = client.ok(&create("AvailabilityZone=&AvailabilityZoneId="));
    assert_eq!(first(&made, "availabilityZone"), "us-east-1a");
}

#[test]
fn addresses_come_from_the_subnet_until_none_is_left() {
    let client = Client::new();
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let subnet =
        first(&client.ok(&format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.0.0/28")), "subnetId");
    let create = format!("CreateNetworkInterface&SubnetId={subnet}");
    let mut addresses: Vec<String> = Vec::new();
    for n in 0..11 {
        let made = client.ok(&format!("{create}&ClientToken=t{n}"));
        addresses.push(first(&made, "privateIpAddress"));
    }
    addresses.sort_by_key(|address| address.parse::<std::net::Ipv4Addr>().unwrap());
    let expected: Vec<String> = (4..15).map(|n| format!("10.0.0.{n}")).collect();
    assert_eq!(addresses, expected);
    assert_eq!(client.refused(&create), "400 InsufficientFreeAddressesInSubnet");
    let seen = client.ok(&format!("DescribeSubnets&SubnetId.1={subnet}"));
    assert_eq!(first(&seen, "availableIpAddressCount"), "0");
}

#[test]
fn a_group_that_another_one_names_stays() {
    let client = Client::new();
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let group = |name: &str| {
        let form = format!("CreateSecurityGroup&GroupName={name}&GroupDescription=d&VpcId={vpc}");
        first(&client.ok(&form), "groupId")
    };
    let (one, other) = (group("one"), group("other"));
    let allow = format!(
        "GroupId={one}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=1&IpPermissions.1.ToPort=2&IpPermissions.1.Groups.1.GroupId={other}"
    );
    client.ok(&format!("AuthorizeSecurityGroupIngress&{allow}"));
    assert_eq!(
        client.refused(&format!("AuthorizeSecurityGroupIngress&{allow}")),
        "400 InvalidPermission.Duplicate"
    );
    assert_eq!(
        client.refused(&format!("DeleteSecurityGroup&GroupId={other}")),
        "400 DependencyViolation"
    );
    client.ok(&format!("RevokeSecurityGroupIngress&{allow}"));
    assert_eq!(
        client.refused(&format!("RevokeSecurityGroupIngress&{allow}")),
        "400 InvalidPermission.NotFound"
    );
    client.ok(&format!("DeleteSecurityGroup&GroupId={other}"));
    assert_eq!(client.refused(&format!("DeleteVpc&VpcId={vpc}")), "400 DependencyViolation");
    client.ok(&format!("DeleteSecurityGroup&GroupId={one}"));
    client.ok(&format!("DeleteVpc&VpcId={vpc}"));
}

#[test]
fn tags_of_all_kinds_are_described_together() {
    let client = Client::new();
    let vpc = first(&client.ok("DescribeVpcs"), "vpcId");
    let group = first(&client.ok("DescribeSecurityGroups"), "groupId");
    client.ok(&format!(
        "CreateTags&ResourceId.1={vpc}&ResourceId.2={group}&Tag.1.Key=k&Tag.1.Value=v"
    ));
    let listed = client.ok("DescribeTags&Filter.1.Name=tag:k&Filter.1.Value.1=v");
    assert_eq!(all(&listed, "resourceType"), ["security-group", "vpc"]);
    let seen = client.ok("DescribeVpcs&Filter.1.Name=tag:k&Filter.1.Value.1=v*");
    assert_eq!(all(&seen, "vpcId"), [vpc.as_str()]);
    client.ok(&format!("DeleteTags&ResourceId.1={vpc}&Tag.1.Key=k&Tag.1.Value=other"));
    client.ok(&format!("DeleteTags&ResourceId.1={group}&Tag.1.Key=k"));
    assert_eq!(all(&client.ok("DescribeTags"), "resourceId"), [vpc]);
    assert_eq!(client.refused("CreateTags&ResourceId.1=nothing&Tag.1.Key=k"), "400 InvalidID");
}

#[test]
fn a_peering_connection_is_asked_for_accepted_and_ended() {
    let client = Client::new();
    let vpc = |block: &str| first(&client.ok(&format!("CreateVpc&CidrBlock={block}")), "vpcId");
    let (one, other) = (vpc("10.0.0.0/16"), vpc("10.1.0.0/16"));
    let ask = format!("CreateVpcPeeringConnection&VpcId={one}&PeerVpcId={other}");
    let id = first(&client.ok(&ask), "vpcPeeringConnectionId");
    let describe = format!("DescribeVpcPeeringConnections&VpcPeeringConnectionId.1={id}");
    let code = || first(&client.ok(&describe), "code");
    let accept = format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}");
    assert_eq!(code(), "initiating-request");
    assert_eq!(client.refused(&accept), "400 InvalidStateTransition");
    client.advance(Duration::from_secs(1));
    insta::assert_snapshot!(client.ok(&describe), @r#"<DescribeVpcPeeringConnectionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcPeeringConnectionSet><item><accepterVpcInfo><ownerId>123456789012</ownerId><region>us-east-1</region><vpcId>vpc-0f7e70c567bd530fc</vpcId></accepterVpcInfo><expirationTime>2026-01-08T00:00:00Z</expirationTime><requesterVpcInfo><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockSet><item><cidrBlock>10.0.0.0/16</cidrBlock></item></cidrBlockSet><peeringOptions><allowDnsResolutionFromRemoteVpc>false</allowDnsResolutionFromRemoteVpc><allowEgressFromLocalClassicLinkToRemoteVpc>false</allowEgressFromLocalClassicLinkToRemoteVpc><allowEgressFromLocalVpcToRemoteClassicLink>false</allowEgressFromLocalVpcToRemoteClassicLink></peeringOptions><ownerId>123456789012</ownerId><region>us-east-1</region><vpcId>vpc-03d4760a8dfd3f73a</vpcId></requesterVpcInfo><status><code>pending-acceptance</code><message>Pending Acceptance by 123456789012</message></status><tagSet></tagSet><vpcPeeringConnectionId>pcx-0107873bbd817bb98</vpcPeeringConnectionId></item></vpcPeeringConnectionSet></DescribeVpcPeeringConnectionsResponse>"#);
    // A second request for the pair returns the same connection; the other way round, it is another connection.
    assert_eq!(first(&client.ok(&ask), "vpcPeeringConnectionId"), id);
    client.ok(&accept);
    client.advance(Duration::from_secs(1));
    assert_eq!(code(), "active");
    let turned = format!("CreateVpcPeeringConnection&VpcId={other}&PeerVpcId={one}");
    let turned = first(&client.ok(&turned), "vpcPeeringConnectionId");
    client.advance(Duration::from_secs(1));
    let accept = format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={turned}");
    assert_eq!(client.refused(&accept), "400 VpcPeeringConnectionAlreadyExists");
    assert_eq!(client.refused(&format!("DeleteVpc&VpcId={other}")), "400 DependencyViolation");
    let delete = format!("DeleteVpcPeeringConnection&VpcPeeringConnectionId={id}");
    client.ok(&delete);
    assert_eq!(code(), "deleted");
    assert_eq!(client.refused(&delete), "400 InvalidStateTransition");
    client.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(client.refused(&describe), "400 InvalidVpcPeeringConnectionID.NotFound");
    client.advance(Duration::from_secs(5 * 24 * 60 * 60));
    let describe = format!("DescribeVpcPeeringConnections&VpcPeeringConnectionId.1={turned}");
    assert_eq!(first(&client.ok(&describe), "code"), "pending-acceptance");
    client.advance(Duration::from_secs(47 * 60 * 60));
    assert_eq!(first(&client.ok(&describe), "code"), "expired");
    client.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(client.refused(&accept), "400 InvalidVpcPeeringConnectionID.NotFound");
}

#[test]
fn a_peering_connection_of_overlapping_ranges_has_failed() {
    let client = Client::new();
    let vpc = |block: &str| first(&client.ok(&format!("CreateVpc&CidrBlock={block}")), "vpcId");
    let (one, other) = (vpc("10.0.0.0/16"), vpc("10.0.128.0/17"));
    let ask = format!("CreateVpcPeeringConnection&VpcId={one}&PeerVpcId={other}");
    let answer = client.ok(&ask);
    assert_eq!(first(&answer, "code"), "failed");
}

#[test]
fn a_route_over_a_peering_connection_leads_somewhere_once_it_is_accepted() {
    let client = Client::new();
    let vpc = |block: &str| first(&client.ok(&format!("CreateVpc&CidrBlock={block}")), "vpcId");
    let (one, other, third) = (vpc("10.0.0.0/16"), vpc("10.1.0.0/16"), vpc("10.2.0.0/16"));
    let ask = format!("CreateVpcPeeringConnection&VpcId={one}&PeerVpcId={other}");
    let id = first(&client.ok(&ask), "vpcPeeringConnectionId");
    client.advance(Duration::from_secs(1));
    let table =
        |vpc: &str| first(&client.ok(&format!("CreateRouteTable&VpcId={vpc}")), "routeTableId");
    let route = |table: &str| {
        format!(
            "CreateRoute&RouteTableId={table}&DestinationCidrBlock=10.1.0.0/16\
             &VpcPeeringConnectionId={id}"
        )
    };
    let own = table(&one);
    client.ok(&route(&own));
    assert_eq!(client.refused(&route(&table(&third))), "400 InvalidParameterValue");
    let states =
        || all(&client.ok(&format!("DescribeRouteTables&RouteTableId.1={own}")), "state").concat();
    assert!(states().contains("blackhole"), "{}", states());
    client.ok(&format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}"));
    assert!(!states().contains("blackhole"), "{}", states());
    client.ok(&format!("DeleteVpcPeeringConnection&VpcPeeringConnectionId={id}"));
    assert!(states().contains("blackhole"), "{}", states());
}

/// A gateway that VPCs can be attached to.
fn transit_gateway(client: &Client, options: &str) -> String {
    let id = first(&client.ok(&format!("CreateTransitGateway{options}")), "transitGatewayId");
    client.advance(Duration::from_secs(2));
    id
}

/// A VPC and subnets of it in two zones.
fn zoned(client: &Client, second: u8) -> (String, [String; 2]) {
    let vpc = format!("CreateVpc&CidrBlock=10.{second}.0.0/16");
    let vpc = first(&client.ok(&vpc), "vpcId");
    let subnets = [("a", 1), ("b", 2)].map(|(zone, third)| {
        let subnet = format!(
            "CreateSubnet&VpcId={vpc}&CidrBlock=10.{second}.{third}.0/24&AvailabilityZone=us-east-1{zone}"
        );
        first(&client.ok(&subnet), "subnetId")
    });
    (vpc, subnets)
}

fn attach(gateway: &str, vpc: &str, subnet: &str) -> String {
    format!(
        "CreateTransitGatewayVpcAttachment&TransitGatewayId={gateway}&VpcId={vpc}&SubnetIds.1={subnet}"
    )
}

#[test]
fn a_vpc_is_attached_to_a_transit_gateway_changed_and_detached() {
    let client = Client::new();
    let gateway = transit_gateway(&client, "");
    let (vpc, [a, b]) = zoned(&client, 1);
    let ask = attach(&gateway, &vpc, &a);
    let tags = "&TagSpecifications.1.ResourceType=transit-gateway-attachment\
                &TagSpecifications.1.Tag.1.Key=Name&TagSpecifications.1.Tag.1.Value=on";
    let id = first(&client.ok(&format!("{ask}{tags}")), "transitGatewayAttachmentId");
    let describe =
        format!("DescribeTransitGatewayVpcAttachments&TransitGatewayAttachmentIds.1={id}");
    let state = || first(&client.ok(&describe), "state");
    let modify = format!("ModifyTransitGatewayVpcAttachment&TransitGatewayAttachmentId={id}");
    assert_eq!(state(), "pending");
    assert_eq!(client.refused(&modify), "400 IncorrectState");
    assert_eq!(client.refused(&ask), "400 DuplicateTransitGatewayAttachment");
    client.advance(Duration::from_secs(2));
    insta::assert_snapshot!(client.ok(&describe), @r#"<DescribeTransitGatewayVpcAttachmentsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><transitGatewayVpcAttachments><item><creationTime>2026-01-01T00:00:02Z</creationTime><options><applianceModeSupport>disable</applianceModeSupport><dnsSupport>enable</dnsSupport><ipv6Support>disable</ipv6Support><securityGroupReferencingSupport>enable</securityGroupReferencingSupport></options><state>available</state><subnetIds><item>subnet-00843354c3f090ba1</item></subnetIds><tagSet><item><key>Name</key><value>on</value></item></tagSet><transitGatewayAttachmentId>tgw-attach-0ad925220f7699278</transitGatewayAttachmentId><transitGatewayId>tgw-075f81932fe7250c1</transitGatewayId><vpcId>vpc-03d4760a8dfd3f73a</vpcId><vpcOwnerId>123456789012</vpcOwnerId></item></transitGatewayVpcAttachments></DescribeTransitGatewayVpcAttachmentsResponse>"#);
    client.ok(&format!("{modify}&AddSubnetIds.1={b}&Options.ApplianceModeSupport=enable"));
    assert_eq!(state(), "modifying");
    client.advance(Duration::from_secs(2));
    let twice = format!("{modify}&AddSubnetIds.1={b}");
    assert_eq!(client.refused(&twice), "400 DuplicateSubnetsInSameZone");
    client.ok(&format!("{modify}&RemoveSubnetIds.1={a}"));
    client.advance(Duration::from_secs(2));
    let last = format!("{modify}&RemoveSubnetIds.1={b}");
    assert_eq!(client.refused(&last), "400 InvalidParameterValue");
    client.ok(&format!("DeleteSubnet&SubnetId={a}"));
    assert_eq!(client.refused(&format!("DeleteSubnet&SubnetId={b}")), "400 DependencyViolation");
    let delete_gateway = format!("DeleteTransitGateway&TransitGatewayId={gateway}");
    assert_eq!(client.refused(&delete_gateway), "400 IncorrectState");
    let delete = format!("DeleteTransitGatewayVpcAttachment&TransitGatewayAttachmentId={id}");
    client.ok(&delete);
    assert_eq!(state(), "deleting");
    let again = attach(&gateway, &vpc, &b);
    assert_eq!(client.refused(&again), "400 DuplicateTransitGatewayAttachment");
    client.advance(Duration::from_secs(2));
    assert_eq!(state(), "deleted");
    assert_eq!(client.refused(&delete), "400 InvalidTransitGatewayAttachmentID.NotFound");
    client.ok(&format!("DeleteSubnet&SubnetId={b}"));
    client.ok(&delete_gateway);
    client.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(client.refused(&describe), "400 InvalidTransitGatewayAttachmentID.NotFound");
    client.ok(&format!("DeleteVpc&VpcId={vpc}"));
}

#[test]
fn an_attachment_has_one_subnet_of_its_vpc_in_each_zone() {
    let client = Client::new();
    let gateway = transit_gateway(&client, "");
    let (vpc, [a, _]) = zoned(&client, 1);
    let (_, [theirs, _]) = zoned(&client, 2);
    let third =
        format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.1.3.0/24&AvailabilityZone=us-east-1a");
    let third = first(&client.ok(&third), "subnetId");
    let twice = format!("{}&SubnetIds.2={third}", attach(&gateway, &vpc, &a));
    assert_eq!(client.refused(&twice), "400 DuplicateSubnetsInSameZone");
    assert_eq!(client.refused(&attach(&gateway, &vpc, &theirs)), "400 InvalidParameterValue");
    let nowhere = attach("tgw-0a1b2c3d4e5f67890", &vpc, &a);
    assert_eq!(client.refused(&nowhere), "400 InvalidTransitGatewayID.NotFound");
}

#[test]
fn a_route_over_a_transit_gateway_takes_an_attachment_that_is_available() {
    let client = Client::new();
    let gateway = transit_gateway(&client, "");
    let (vpc, [subnet, _]) = zoned(&client, 1);
    let table = first(&client.ok(&format!("CreateRouteTable&VpcId={vpc}")), "routeTableId");
    let route = format!(
        "CreateRoute&RouteTableId={table}&DestinationCidrBlock=10.2.0.0/16&TransitGatewayId={gateway}"
    );
    assert_eq!(client.refused(&route), "400 InvalidTransitGatewayID.NotFound");
    let id = first(&client.ok(&attach(&gateway, &vpc, &subnet)), "transitGatewayAttachmentId");
    assert_eq!(client.refused(&route), "400 InvalidTransitGatewayID.NotFound");
    client.advance(Duration::from_secs(2));
    client.ok(&route);
    let by = format!(
        "DescribeRouteTables&Filter.1.Name=route.transit-gateway-id&Filter.1.Value.1={gateway}"
    );
    let states = || all(&client.ok(&by), "state");
    assert_eq!(states(), ["active", "active"]);
    client.ok(&format!("DeleteTransitGatewayVpcAttachment&TransitGatewayAttachmentId={id}"));
    assert_eq!(states(), ["active", "blackhole"]);
}

#[test]
fn attachments_propagate_to_the_default_route_table_unless_ranges_overlap() {
    let client = Client::new();
    let gateway = transit_gateway(&client, "");
    let tables = "DescribeTransitGatewayRouteTables";
    let table = first(&client.ok(tables), "transitGatewayRouteTableId");
    let search = format!(
        "SearchTransitGatewayRoutes&TransitGatewayRouteTableId={table}&Filter.1.Name=type&Filter.1.Value.1=propagated"
    );
    let destinations = || all(&client.ok(&search), "destinationCidrBlock");
    for (second, expected) in [(1, 1), (2, 2), (1, 2)] {
        let (vpc, [subnet, _]) = zoned(&client, second);
        client.ok(&attach(&gateway, &vpc, &subnet));
        assert_eq!(destinations().len(), expected);
    }
    let closed = "&Options.DefaultRouteTableAssociation=disable&Options.DefaultRouteTablePropagation=disable";
    transit_gateway(&client, closed);
    assert_eq!(all(&client.ok(tables), "transitGatewayRouteTableId"), [table]);
}
