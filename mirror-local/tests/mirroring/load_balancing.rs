//! Load balancers, and what all of Elastic Load Balancing has in common.

use crate::client::Client;
use insta::assert_snapshot;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_load_balancer_provisions_and_becomes_active() {
    let client = Client::new();
    let arn = client.load_balancer("sensors");
    let describe = format!("DescribeLoadBalancers&LoadBalancerArns.member.1={arn}");
    assert_eq!(client.elb(&describe).text("Code"), "provisioning");
    client.wait(SECOND * 2);
    assert_snapshot!(client.elb(&describe).lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeLoadBalancersResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <DescribeLoadBalancersResult>
    <LoadBalancers>
    <member>
    <LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/sensors/e53213d40c88187d</LoadBalancerArn>
    <DNSName>sensors-e53213d40c88187d.elb.us-east-1.amazonaws.com</DNSName>
    <CanonicalHostedZoneId>Z26RNL4JYFTOTI</CanonicalHostedZoneId>
    <CreatedTime>2026-01-02T03:04:05Z</CreatedTime>
    <LoadBalancerName>sensors</LoadBalancerName>
    <Scheme>internal</Scheme>
    <VpcId>vpc-0a2211df3ac6c0152</VpcId>
    <State>
    <Code>active</Code>
    </State>
    <Type>network</Type>
    <AvailabilityZones>
    <member>
    <ZoneName>us-east-1b</ZoneName>
    <SubnetId>subnet-01e0702d8739f4df8</SubnetId>
    <LoadBalancerAddresses>
    </LoadBalancerAddresses>
    </member>
    </AvailabilityZones>
    <IpAddressType>ipv4</IpAddressType>
    <EnablePrefixForIpv6SourceNat>off</EnablePrefixForIpv6SourceNat>
    </member>
    </LoadBalancers>
    </DescribeLoadBalancersResult>
    <ResponseMetadata>
    <RequestId>388d4d5a-98df-425c-a1d8-cb35d80d2647</RequestId>
    </ResponseMetadata>
    </DescribeLoadBalancersResponse>
    "#);
}

#[test]
fn a_repeated_create_returns_the_first_and_other_settings_are_refused() {
    let client = Client::new();
    let subnets = client.subnets();
    let arn = client.load_balancer("sensors");
    assert_eq!(client.load_balancer("sensors"), arn);
    let other = format!(
        "CreateLoadBalancer&Name=sensors&Type=network&Scheme=internal&Subnets.member.1={}",
        subnets[1]
    );
    assert_eq!(client.elb_refused(other), "DuplicateLoadBalancerName");
    let group = client.target_group("receivers");
    assert_eq!(client.target_group("receivers"), group);
    let vpc = client.vpc();
    let other = format!("CreateTargetGroup&Name=receivers&Protocol=TCP&Port=4789&VpcId={vpc}");
    assert_eq!(client.elb_refused(other), "DuplicateTargetGroupName");
}

#[test]
fn what_cannot_be_a_load_balancer() {
    let client = Client::new();
    let subnets = client.subnets();
    let a = &subnets[0];
    let vpc = client.ec2("CreateVpc&CidrBlock=10.0.0.0/16").text("vpcId");
    let make_subnet = |cidr: &str, zone: &str| {
        let call =
            format!("CreateSubnet&VpcId={vpc}&CidrBlock={cidr}&AvailabilityZone=us-east-1{zone}");
        client.ec2(call).text("subnetId")
    };
    let (far, near) = (make_subnet("10.0.0.0/24", "a"), make_subnet("10.0.1.0/24", "a"));
    let tiny = make_subnet("10.0.2.0/28", "b");
    for _ in 0..4 {
        client.ec2(format!("CreateNetworkInterface&SubnetId={tiny}"));
    }
    let cases = [
        ("&Name=x".to_owned(), "InvalidConfigurationRequest"),
        (format!("&Name=x&Type=gateway&Subnets.member.1={a}&Scheme=internal"), "ValidationError"),
        ("&Name=x&Type=network".to_owned(), "ValidationError"),
        (format!("&Type=network&Subnets.member.1={a}"), "ValidationError"),
        (format!("&Name=internal-x&Type=network&Subnets.member.1={a}"), "ValidationError"),
        ("&Name=x&Type=network&Subnets.member.1=subnet-1".to_owned(), "SubnetNotFound"),
        (
            format!("&Name=x&Type=network&Subnets.member.1={a}&Subnets.member.2={far}"),
            "InvalidConfigurationRequest",
        ),
        (
            format!("&Name=x&Type=network&Subnets.member.1={far}&Subnets.member.2={near}"),
            "InvalidConfigurationRequest",
        ),
        (format!("&Name=x&Type=network&Subnets.member.1={far}"), "InvalidSubnet"),
        (format!("&Name=x&Type=network&Scheme=internal&Subnets.member.1={tiny}"), "InvalidSubnet"),
        (
            format!("&Name=x&Type=network&Subnets.member.1={a}&SecurityGroups.member.1=sg-1"),
            "InvalidSecurityGroup",
        ),
        (
            format!(
                "&Name=x&Type=network&SubnetMappings.member.1.SubnetId={a}\
                     &SubnetMappings.member.1.AllocationId=eipalloc-1"
            ),
            "AllocationIdNotFound",
        ),
        (
            format!("&Name=x&Type=network&IpAddressType=dualstack&Subnets.member.1={a}"),
            "InvalidConfigurationRequest",
        ),
    ];
    for (rest, code) in cases {
        assert_eq!(client.elb_refused(format!("CreateLoadBalancer{rest}")), code, "{rest}");
    }
}

#[test]
fn an_address_can_be_chosen() {
    let client = Client::new();
    let subnet = client.subnets().remove(0);
    let shown = client.ec2(format!("DescribeSubnets&SubnetId.1={subnet}")).text("cidrBlock");
    let address = shown.replace(".0/20", ".77");
    let made = client.elb(format!(
        "CreateLoadBalancer&Name=x&Type=network&Scheme=internal\
         &SubnetMappings.member.1.SubnetId={subnet}\
         &SubnetMappings.member.1.PrivateIPv4Address={address}"
    ));
    assert_eq!(made.text("PrivateIPv4Address"), address);
    let node = format!(
        "DescribeNetworkInterfaces&Filter.1.Name=private-ip-address&Filter.1.Value.1={address}"
    );
    assert_snapshot!(client.ec2(node).lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>388d4d5a-98df-425c-a1d8-cb35d80d2647</requestId>
    <networkInterfaceSet>
    <item>
    <attachment>
    <attachTime>2026-01-02T03:04:05Z</attachTime>
    <attachmentId>ela-attach-05c288809b79abb2d</attachmentId>
    <deleteOnTermination>false</deleteOnTermination>
    <deviceIndex>1</deviceIndex>
    <instanceOwnerId>amazon-aws</instanceOwnerId>
    <networkCardIndex>0</networkCardIndex>
    <status>attached</status>
    </attachment>
    <availabilityZone>us-east-1b</availabilityZone>
    <availabilityZoneId>use1-az2</availabilityZoneId>
    <description>ELB net/x/e53213d40c88187d</description>
    <groupSet>
    </groupSet>
    <interfaceType>network_load_balancer</interfaceType>
    <ipv6AddressesSet>
    </ipv6AddressesSet>
    <macAddress>0a:cb:ee:43:09:1e</macAddress>
    <networkInterfaceId>eni-0a98f2b75d32225f8</networkInterfaceId>
    <ownerId>123456789012</ownerId>
    <privateDnsName>ip-172-31-16-77.ec2.internal</privateDnsName>
    <privateIpAddress>172.31.16.77</privateIpAddress>
    <privateIpAddressesSet>
    <item>
    <primary>true</primary>
    <privateDnsName>ip-172-31-16-77.ec2.internal</privateDnsName>
    <privateIpAddress>172.31.16.77</privateIpAddress>
    </item>
    </privateIpAddressesSet>
    <requesterId>amazon-elb</requesterId>
    <requesterManaged>true</requesterManaged>
    <sourceDestCheck>false</sourceDestCheck>
    <status>in-use</status>
    <subnetId>subnet-01e0702d8739f4df8</subnetId>
    <tagSet>
    </tagSet>
    <vpcId>vpc-0a2211df3ac6c0152</vpcId>
    <operator>
    <managed>false</managed>
    </operator>
    </item>
    </networkInterfaceSet>
    </DescribeNetworkInterfacesResponse>
    "#);
}

#[test]
fn the_interfaces_of_a_deleted_load_balancer_linger() {
    let client = Client::new();
    let vpc = client.ec2("CreateVpc&CidrBlock=10.0.0.0/16").text("vpcId");
    let subnet =
        client.ec2(format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.0.0/24")).text("subnetId");
    let group = client
        .ec2(format!("CreateSecurityGroup&GroupName=g&GroupDescription=g&VpcId={vpc}"))
        .text("groupId");
    let arn = client
        .elb(format!(
            "CreateLoadBalancer&Name=x&Type=network&Scheme=internal&Subnets.member.1={subnet}\
             &SecurityGroups.member.1={group}"
        ))
        .text("LoadBalancerArn");
    let delete = format!("DeleteLoadBalancer&LoadBalancerArn={arn}");
    client.elb(&delete);
    client.elb(&delete);
    let describe = format!("DescribeLoadBalancers&LoadBalancerArns.member.1={arn}");
    assert_eq!(client.elb_refused(describe), "LoadBalancerNotFound");
    let delete_subnet = format!("DeleteSubnet&SubnetId={subnet}");
    let delete_group = format!("DeleteSecurityGroup&GroupId={group}");
    let delete_vpc = format!("DeleteVpc&VpcId={vpc}");
    for call in [&delete_subnet, &delete_group, &delete_vpc] {
        assert_eq!(client.ec2_refused(call), "DependencyViolation");
    }
    let name = arn.split_once("loadbalancer/").unwrap().1;
    let lingering = format!(
        "DescribeNetworkInterfaces&Filter.1.Name=description&Filter.1.Value.1=ELB%20{name}\
         &Filter.2.Name=attachment.instance-owner-id&Filter.2.Value.1=amazon-aws"
    );
    assert_eq!(client.ec2(&lingering).texts("networkInterfaceId").len(), 1);
    client.wait(SECOND);
    assert_eq!(client.ec2(&lingering).texts("networkInterfaceId").len(), 0);
    for call in [&delete_subnet, &delete_group, &delete_vpc] {
        client.ec2(call);
    }
}

#[test]
fn deletion_protection_protects() {
    let client = Client::new();
    let arn = client.load_balancer("x");
    let modify = |key: &str, value: &str| {
        format!(
            "ModifyLoadBalancerAttributes&LoadBalancerArn={arn}&Attributes.member.1.Key={key}\
             &Attributes.member.1.Value={value}"
        )
    };
    client.elb(modify("deletion_protection.enabled", "true"));
    let delete = format!("DeleteLoadBalancer&LoadBalancerArn={arn}");
    assert_eq!(client.elb_refused(&delete), "OperationNotPermitted");
    assert_eq!(client.elb_refused(modify("deletion_protection.enabled", "x")), "ValidationError");
    assert_eq!(client.elb_refused(modify("no.such.key", "x")), "ValidationError");
    client.elb(modify("deletion_protection.enabled", "false"));
    client.elb(delete);
}

#[test]
fn attributes_have_defaults() {
    let client = Client::new();
    let lb = client.load_balancer("x");
    let group = client.target_group("y");
    let of_lb = client.elb(format!("DescribeLoadBalancerAttributes&LoadBalancerArn={lb}"));
    let of_group = client.elb(format!("DescribeTargetGroupAttributes&TargetGroupArn={group}"));
    let pairs = |answer: crate::client::Answer| {
        let pairs = answer.texts("Key").into_iter().zip(answer.texts("Value"));
        pairs.map(|(key, value)| format!("{key}={value}\n")).collect::<String>()
    };
    assert_snapshot!(pairs(of_lb), @r#"
    access_logs.s3.bucket=
    access_logs.s3.enabled=false
    access_logs.s3.prefix=
    deletion_protection.enabled=false
    dns_record.client_routing_policy=any_availability_zone
    ipv6.deny_all_igw_traffic=false
    load_balancing.cross_zone.enabled=false
    secondary_ips.auto_assigned.per_subnet=0
    zonal_shift.config.enabled=false
    "#);
    assert_snapshot!(pairs(of_group), @r#"
    deregistration_delay.connection_termination.enabled=true
    deregistration_delay.timeout_seconds=300
    load_balancing.cross_zone.enabled=use_load_balancer_configuration
    preserve_client_ip.enabled=true
    proxy_protocol_v2.enabled=false
    stickiness.enabled=false
    stickiness.type=source_ip
    target_group_health.dns_failover.minimum_healthy_targets.count=1
    target_group_health.dns_failover.minimum_healthy_targets.percentage=off
    target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=1
    target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage=off
    "#);
    let preserve = format!(
        "ModifyTargetGroupAttributes&TargetGroupArn={group}\
         &Attributes.member.1.Key=preserve_client_ip.enabled&Attributes.member.1.Value=false"
    );
    assert_eq!(client.elb_refused(preserve), "InvalidConfigurationRequest");
}

#[test]
fn security_groups_are_kept_by_those_that_have_any() {
    let client = Client::new();
    let (vpc, subnet) = (client.vpc(), client.subnets().remove(0));
    let group = |name: &str| {
        let call = format!("CreateSecurityGroup&GroupName={name}&GroupDescription=g&VpcId={vpc}");
        client.ec2(call).text("groupId")
    };
    let (a, b) = (group("a"), group("b"));
    let without = client.load_balancer("without");
    let set = |lb: &str, rest: &str| format!("SetSecurityGroups&LoadBalancerArn={lb}{rest}");
    let to_b = format!("&SecurityGroups.member.1={b}");
    assert_eq!(client.elb_refused(set(&without, &to_b)), "InvalidConfigurationRequest");
    let with = client
        .elb(format!(
            "CreateLoadBalancer&Name=with&Type=network&Scheme=internal&Subnets.member.1={subnet}\
             &SecurityGroups.member.1={a}"
        ))
        .text("LoadBalancerArn");
    assert_eq!(client.elb_refused(set(&with, "")), "ValidationError");
    client.elb(set(&with, &to_b));
    client.ec2(format!("DeleteSecurityGroup&GroupId={a}"));
    let delete_b = format!("DeleteSecurityGroup&GroupId={b}");
    assert_eq!(client.ec2_refused(delete_b), "DependencyViolation");
}

#[test]
fn tags_are_added_and_removed() {
    let client = Client::new();
    let (group, lb) = (client.target_group("a"), client.load_balancer("x"));
    let all = format!("ResourceArns.member.1={group}&ResourceArns.member.2={lb}");
    client.elb(format!(
        "AddTags&{all}&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l"
    ));
    client.elb(format!("RemoveTags&{all}&TagKeys.member.1=l"));
    assert_snapshot!(client.elb(format!("DescribeTags&{all}")).lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeTagsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <DescribeTagsResult>
    <TagDescriptions>
    <member>
    <ResourceArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/babfda1da2be0df0</ResourceArn>
    <Tags>
    <member>
    <Key>k</Key>
    <Value>v</Value>
    </member>
    </Tags>
    </member>
    <member>
    <ResourceArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/x/e53213d40c88187d</ResourceArn>
    <Tags>
    <member>
    <Key>k</Key>
    <Value>v</Value>
    </member>
    </Tags>
    </member>
    </TagDescriptions>
    </DescribeTagsResult>
    <ResponseMetadata>
    <RequestId>624edcd5-f730-4833-a422-844589939efc</RequestId>
    </ResponseMetadata>
    </DescribeTagsResponse>
    "#);
    let twice = format!("AddTags&{all}&Tags.member.1.Key=k&Tags.member.2.Key=k");
    assert_eq!(client.elb_refused(twice), "DuplicateTagKeys");
}

#[test]
fn pages_follow_markers() {
    let client = Client::new();
    let arns: Vec<String> = ["a", "b", "c"].map(|name| client.target_group(name)).into();
    let first = client.elb("DescribeTargetGroups&PageSize=2");
    let marker = first.text("NextMarker");
    let second = client.elb(format!("DescribeTargetGroups&PageSize=2&Marker={marker}"));
    let mut seen = first.texts("TargetGroupArn");
    seen.extend(second.texts("TargetGroupArn"));
    assert_eq!(seen, arns);
    assert_eq!(second.texts("NextMarker"), Vec::<String>::new());
    assert_eq!(client.elb_refused("DescribeTargetGroups&PageSize=0"), "ValidationError");
    assert_eq!(client.elb_refused("DescribeTargetGroups&Marker=zz"), "ValidationError");
    assert_snapshot!(client.elb("DescribeAccountLimits&PageSize=2").lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeAccountLimitsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <DescribeAccountLimitsResult>
    <Limits>
    <member>
    <Name>listeners-per-network-load-balancer</Name>
    <Max>50</Max>
    </member>
    <member>
    <Name>network-load-balancers</Name>
    <Max>50</Max>
    </member>
    </Limits>
    <NextMarker>2929d00c343f2e2d3528317736353b3e77383b363b34393f2829</NextMarker>
    </DescribeAccountLimitsResult>
    <ResponseMetadata>
    <RequestId>d4c6440d-7e98-4458-a0fd-7543dccfdd4e</RequestId>
    </ResponseMetadata>
    </DescribeAccountLimitsResponse>
    "#);
}

#[test]
fn a_failure_in_full() {
    let client = Client::new();
    let body = "Version=2015-12-01&Action=DescribeLoadBalancers&Names.member.1=x";
    let (head, ()) = http::Request::post("/").body(()).unwrap().into_parts();
    let response = client.cloud.call(&head, body.as_bytes()).response.unwrap();
    assert_eq!(response.status, 400);
    assert_snapshot!(response.body, @r#"<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>LoadBalancerNotFound</Code><Message>Load balancers &apos;[x]&apos; not found</Message></Error><RequestId>9cd21d4b-c423-476e-a7ee-ca1741350d65</RequestId></ErrorResponse>"#);
}

#[test]
fn an_internet_facing_load_balancer_holds_the_internet_gateway() {
    let client = Client::new();
    let (vpc, subnet) = (client.vpc(), client.subnets().remove(0));
    client.elb(format!("CreateLoadBalancer&Name=x&Type=network&Subnets.member.1={subnet}"));
    let gateway = client.ec2("DescribeInternetGateways").text("internetGatewayId");
    let detach = format!("DetachInternetGateway&InternetGatewayId={gateway}&VpcId={vpc}");
    assert_eq!(client.ec2_refused(detach), "DependencyViolation");
}
