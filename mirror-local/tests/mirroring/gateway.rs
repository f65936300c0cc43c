//! Gateway Load Balancers: load balancer, endpoint service, endpoint and mirror target, each a link of a chain that
//! can be taken apart from one end only.

use crate::client::{Answer, Client};
use insta::assert_snapshot;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The chain in the default VPC.
struct Chain {
    client: Client,
    balancer: String,
    group: String,
    service: String,
    endpoint: String,
}

fn balancer(client: &Client, name: &str) -> String {
    let subnet = client.subnets().remove(0);
    let call = format!("CreateLoadBalancer&Name={name}&Type=gateway&Subnets.member.1={subnet}");
    client.elb(call).text("LoadBalancerArn")
}

fn group(client: &Client, name: &str, rest: &str) -> String {
    let vpc = client.vpc();
    let call = format!("CreateTargetGroup&Name={name}&Protocol=GENEVE&Port=6081&VpcId={vpc}{rest}");
    client.elb(call).text("TargetGroupArn")
}

/// `acceptance` is `true` or `false`.
fn service(client: &Client, balancer: &str, acceptance: &str) -> Answer {
    client.ec2(format!(
        "CreateVpcEndpointServiceConfiguration&AcceptanceRequired={acceptance}\
         &GatewayLoadBalancerArn.1={balancer}&ClientToken=once"
    ))
}

fn new_endpoint(client: &Client, service: &str, subnet: usize) -> String {
    let (vpc, subnet) = (client.vpc(), client.subnets().remove(subnet));
    format!(
        "CreateVpcEndpoint&VpcEndpointType=GatewayLoadBalancer&VpcId={vpc}&SubnetId.1={subnet}\
         &ServiceName=com.amazonaws.vpce.us-east-1.{service}"
    )
}

fn chain() -> Chain {
    let client = Client::new();
    let (balancer, group) = (balancer(&client, "sensors"), group(&client, "sensors", ""));
    client.wait(SECOND * 2);
    client.elb(format!(
        "CreateListener&LoadBalancerArn={balancer}&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn={group}"
    ));
    let service = service(&client, &balancer, "false").text("serviceId");
    client.wait(SECOND);
    let endpoint = client.ec2(new_endpoint(&client, &service, 0)).text("vpcEndpointId");
    client.wait(SECOND);
    Chain { client, balancer, group, service, endpoint }
}

#[test]
fn the_load_balancer_is_described() {
    let Chain { client, balancer, .. } = chain();
    let told = client.elb(format!("DescribeLoadBalancers&LoadBalancerArns.member.1={balancer}"));
    assert_snapshot!(told.inside("LoadBalancers"), @r#"
    <member>
    <LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/sensors/e53213d40c88187d</LoadBalancerArn>
    <CreatedTime>2026-01-02T03:04:05Z</CreatedTime>
    <LoadBalancerName>sensors</LoadBalancerName>
    <VpcId>vpc-0a2211df3ac6c0152</VpcId>
    <State>
    <Code>active</Code>
    </State>
    <Type>gateway</Type>
    <AvailabilityZones>
    <member>
    <ZoneName>us-east-1b</ZoneName>
    <SubnetId>subnet-01e0702d8739f4df8</SubnetId>
    <LoadBalancerAddresses>
    </LoadBalancerAddresses>
    </member>
    </AvailabilityZones>
    <IpAddressType>ipv4</IpAddressType>
    </member>
    "#);
    let told = client.elb(format!("DescribeListeners&LoadBalancerArn={balancer}"));
    assert_snapshot!(told.inside("Listeners"), @r#"
    <member>
    <ListenerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/gwy/sensors/e53213d40c88187d/3d5697e42d892089</ListenerArn>
    <LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/sensors/e53213d40c88187d</LoadBalancerArn>
    <DefaultActions>
    <member>
    <Type>forward</Type>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sensors/babfda1da2be0df0</TargetGroupArn>
    <ForwardConfig>
    <TargetGroups>
    <member>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sensors/babfda1da2be0df0</TargetGroupArn>
    </member>
    </TargetGroups>
    </ForwardConfig>
    </member>
    </DefaultActions>
    </member>
    "#);
}

#[test]
fn the_target_group_is_described() {
    let Chain { client, group, .. } = chain();
    let told = client.elb(format!("DescribeTargetGroups&TargetGroupArns.member.1={group}"));
    assert_snapshot!(told.inside("TargetGroups"), @r#"
    <member>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sensors/babfda1da2be0df0</TargetGroupArn>
    <TargetGroupName>sensors</TargetGroupName>
    <Protocol>GENEVE</Protocol>
    <Port>6081</Port>
    <VpcId>vpc-0a2211df3ac6c0152</VpcId>
    <HealthCheckProtocol>TCP</HealthCheckProtocol>
    <HealthCheckPort>80</HealthCheckPort>
    <HealthCheckEnabled>true</HealthCheckEnabled>
    <HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds>
    <HealthCheckTimeoutSeconds>5</HealthCheckTimeoutSeconds>
    <HealthyThresholdCount>5</HealthyThresholdCount>
    <UnhealthyThresholdCount>2</UnhealthyThresholdCount>
    <LoadBalancerArns>
    <member>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/sensors/e53213d40c88187d</member>
    </LoadBalancerArns>
    <TargetType>instance</TargetType>
    <IpAddressType>ipv4</IpAddressType>
    </member>
    "#);
}

#[test]
fn service_and_endpoint_are_described() {
    let Chain { client, service, endpoint, .. } = chain();
    let told =
        client.ec2(format!("DescribeVpcEndpointServiceConfigurations&ServiceId.1={service}"));
    assert_snapshot!(told.inside("serviceConfigurationSet"), @r#"
    <item>
    <serviceType>
    <item>
    <serviceType>GatewayLoadBalancer</serviceType>
    </item>
    </serviceType>
    <serviceId>vpce-svc-0c11df6b56de18b44</serviceId>
    <serviceName>com.amazonaws.vpce.us-east-1.vpce-svc-0c11df6b56de18b44</serviceName>
    <serviceState>Available</serviceState>
    <availabilityZoneSet>
    <item>us-east-1b</item>
    </availabilityZoneSet>
    <acceptanceRequired>false</acceptanceRequired>
    <managesVpcEndpoints>false</managesVpcEndpoints>
    <gatewayLoadBalancerArnSet>
    <item>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/sensors/e53213d40c88187d</item>
    </gatewayLoadBalancerArnSet>
    <supportedIpAddressTypeSet>
    <item>ipv4</item>
    </supportedIpAddressTypeSet>
    <baseEndpointDnsNameSet>
    <item>vpce-svc-0c11df6b56de18b44.us-east-1.vpce.amazonaws.com</item>
    </baseEndpointDnsNameSet>
    <tagSet>
    </tagSet>
    </item>
    "#);
    let told = client.ec2(format!("DescribeVpcEndpoints&VpcEndpointId.1={endpoint}"));
    assert_snapshot!(told.inside("vpcEndpointSet"), @r#"
    <item>
    <vpcEndpointId>vpce-0767dfccc8d2ffd7e</vpcEndpointId>
    <vpcEndpointType>GatewayLoadBalancer</vpcEndpointType>
    <vpcId>vpc-0a2211df3ac6c0152</vpcId>
    <serviceName>com.amazonaws.vpce.us-east-1.vpce-svc-0c11df6b56de18b44</serviceName>
    <state>available</state>
    <routeTableIdSet>
    </routeTableIdSet>
    <subnetIdSet>
    <item>subnet-01e0702d8739f4df8</item>
    </subnetIdSet>
    <groupSet>
    </groupSet>
    <ipAddressType>ipv4</ipAddressType>
    <privateDnsEnabled>false</privateDnsEnabled>
    <requesterManaged>false</requesterManaged>
    <networkInterfaceIdSet>
    <item>eni-056f868a06041550d</item>
    </networkInterfaceIdSet>
    <dnsEntrySet>
    </dnsEntrySet>
    <creationTimestamp>2026-01-02T03:04:08Z</creationTimestamp>
    <tagSet>
    </tagSet>
    <ownerId>123456789012</ownerId>
    <serviceRegion>us-east-1</serviceRegion>
    </item>
    "#);
}

#[test]
fn attributes_are_those_of_its_type() {
    let Chain { client, balancer, group, .. } = chain();
    let attributes = |call: String| {
        let told = client.elb(call);
        let pairs = told.texts("Key").into_iter().zip(told.texts("Value"));
        pairs.map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join("\n")
    };
    let call = format!("DescribeLoadBalancerAttributes&LoadBalancerArn={balancer}");
    assert_snapshot!(attributes(call), @r#"
    deletion_protection.enabled = false
    load_balancing.cross_zone.enabled = false
    "#);
    let call = format!("DescribeTargetGroupAttributes&TargetGroupArn={group}");
    assert_snapshot!(attributes(call), @r#"
    deregistration_delay.timeout_seconds = 300
    stickiness.enabled = false
    stickiness.type = source_ip_dest_ip
    target_failover.on_deregistration = no_rebalance
    target_failover.on_unhealthy = no_rebalance
    "#);
}

#[test]
fn the_chain_comes_apart_from_the_mirror_target_on() {
    let Chain { client, balancer, group, service, endpoint } = chain();
    let target = client
        .ec2(format!("CreateTrafficMirrorTarget&GatewayLoadBalancerEndpointId={endpoint}"))
        .text("trafficMirrorTargetId");
    let told = client.ec2(format!("DescribeTrafficMirrorTargets&TrafficMirrorTargetId.1={target}"));
    assert_eq!(told.text("gatewayLoadBalancerEndpointId"), endpoint);
    assert_eq!(told.text("type"), "gateway-load-balancer-endpoint");
    let balancer = format!("DeleteLoadBalancer&LoadBalancerArn={balancer}");
    let service = format!("DeleteVpcEndpointServiceConfigurations&ServiceId.1={service}");
    let endpoint = format!("DeleteVpcEndpoints&VpcEndpointId.1={endpoint}");
    assert_eq!(
        client.elb_refused(format!("DeleteTargetGroup&TargetGroupArn={group}")),
        "ResourceInUse"
    );
    assert_eq!(client.elb_refused(&balancer), "ResourceInUse");
    assert_eq!(client.ec2(&service).texts("code"), ["ExistingVpcEndpointConnections"]);
    assert_eq!(client.ec2(&endpoint).texts("code"), ["InvalidParameter"]);
    client.ec2(format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}"));
    let none: [&str; 0] = [];
    assert_eq!(client.ec2(&endpoint).texts("code"), none);
    // The endpoint exists until its interface is deleted.
    assert_eq!(client.ec2("DescribeVpcEndpoints").texts("state"), ["deleting"]);
    assert_eq!(client.ec2(&service).texts("code"), ["ExistingVpcEndpointConnections"]);
    client.wait(SECOND);
    assert_eq!(client.ec2("DescribeVpcEndpoints").texts("state"), none);
    let interfaces = client
        .ec2("DescribeNetworkInterfaces&Filter.1.Name=interface-type&Filter.1.Value.1=*endpoint");
    assert_eq!(interfaces.texts("networkInterfaceId"), none);
    assert_eq!(client.ec2(&service).texts("code"), none);
    assert_eq!(client.elb_refused(&balancer), "ResourceInUse");
    client.wait(SECOND);
    client.elb(&balancer);
    client.elb(format!("DeleteTargetGroup&TargetGroupArn={group}"));
    assert_eq!(client.ec2(&endpoint).texts("code"), ["InvalidVpcEndpoint.NotFound"]);
    assert_eq!(client.ec2_refused(&service), "InvalidVpcEndpointServiceId.NotFound");
}

#[test]
fn an_endpoint_waits_for_the_owner_of_its_service() {
    let client = Client::new();
    let balancer = balancer(&client, "sensors");
    let made = service(&client, &balancer, "true");
    // A call with the same token returns the service that the first one made.
    assert_eq!(service(&client, &balancer, "true").text("serviceId"), made.text("serviceId"));
    let service = made.text("serviceId");
    let early = client.ec2_refused(new_endpoint(&client, &service, 0));
    assert_eq!(early, "InvalidServiceName");
    client.wait(SECOND);
    let endpoint = client.ec2(new_endpoint(&client, &service, 0)).text("vpcEndpointId");
    let state = || client.ec2("DescribeVpcEndpoints").text("state");
    client.wait(SECOND * 9);
    assert_eq!(state(), "pendingAcceptance");
    let answer = |verb: &str| {
        let call =
            format!("{verb}VpcEndpointConnections&ServiceId={service}&VpcEndpointId.1={endpoint}");
        client.ec2(call).texts("code")
    };
    assert_eq!(answer("Accept"), Vec::<String>::new());
    assert_eq!(answer("Accept"), ["InvalidState"]);
    assert_eq!(state(), "pending");
    client.wait(SECOND);
    assert_eq!(state(), "available");
    answer("Reject");
    assert_eq!(state(), "rejected");
    let delete = format!("DeleteVpcEndpointServiceConfigurations&ServiceId.1={service}");
    assert_eq!(client.ec2(delete).texts("code"), Vec::<String>::new());
}

#[test]
fn a_service_is_changed_in_place() {
    let Chain { client, balancer: first, service, .. } = chain();
    let second = balancer(&client, "others");
    let modify =
        |rest: &str| format!("ModifyVpcEndpointServiceConfiguration&ServiceId={service}&{rest}");
    client.ec2(modify(&format!("AddGatewayLoadBalancerArn.1={second}&AcceptanceRequired=true")));
    client.ec2(modify(&format!("RemoveGatewayLoadBalancerArn.1={first}")));
    let last = modify(&format!("RemoveGatewayLoadBalancerArn.1={second}"));
    assert_eq!(client.ec2_refused(last), "InvalidParameter");
    let told = client.ec2("DescribeVpcEndpointServiceConfigurations");
    assert!(told.0.contains(&format!("<item>{second}</item>")), "{}", told.0);
    assert_eq!(told.text("acceptanceRequired"), "true");
    let permissions = format!("ModifyVpcEndpointServicePermissions&ServiceId={service}");
    let root = "arn:aws:iam::210987654321:root";
    client.ec2(format!("{permissions}&AddAllowedPrincipals.1={root}&AddAllowedPrincipals.2=*"));
    let describe = format!("DescribeVpcEndpointServicePermissions&ServiceId={service}");
    assert_eq!(client.ec2(&describe).texts("principal"), ["*", root]);
    assert_eq!(client.ec2(&describe).texts("principalType"), ["All", "Account"]);
    client.ec2(format!("{permissions}&RemoveAllowedPrincipals.1=*"));
    assert_eq!(client.ec2(&describe).texts("principal"), [root]);
    assert_eq!(
        client.ec2_refused(format!("{permissions}&AddAllowedPrincipals.1=me")),
        "InvalidPrincipal"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let Chain { client, balancer, group, service, .. } = chain();
    let subnet = client.subnets().remove(1);
    let create = format!("CreateLoadBalancer&Name=x&Type=gateway&Subnets.member.1={subnet}");
    let udp = client.target_group("udp");
    let network = client.load_balancer("network");
    let listener = |on: &str, to: &str, rest: &str| {
        format!(
            "CreateListener&LoadBalancerArn={on}&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={to}{rest}"
        )
    };
    let vpc = client.vpc();
    let geneve = format!("CreateTargetGroup&Name=y&Protocol=GENEVE&VpcId={vpc}");
    let stickiness =
        format!("ModifyTargetGroupAttributes&TargetGroupArn={group}&Attributes.member.1.Key=");
    let cases = [
        (format!("{create}&Scheme=internal"), "ValidationError"),
        (format!("{create}&SecurityGroups.member.1=sg-1"), "InvalidConfigurationRequest"),
        (listener(&balancer, &group, "&Port=6081"), "ValidationError"),
        (listener(&balancer, &group, "&Protocol=UDP"), "ValidationError"),
        (listener(&balancer, &udp, ""), "DuplicateListener"),
        (listener(&network, &group, "&Protocol=UDP&Port=4789"), "IncompatibleProtocols"),
        (format!("{geneve}&Port=4789"), "InvalidConfigurationRequest"),
        (
            format!("{stickiness}stickiness.type&Attributes.member.1.Value=source_ip"),
            "InvalidConfigurationRequest",
        ),
        (
            format!("{stickiness}proxy_protocol_v2.enabled&Attributes.member.1.Value=true"),
            "ValidationError",
        ),
        (
            format!("{stickiness}target_failover.on_unhealthy&Attributes.member.1.Value=rebalance"),
            "InvalidConfigurationRequest",
        ),
        (
            format!("SetSubnets&LoadBalancerArn={balancer}&Subnets.member.1={subnet}"),
            "InvalidConfigurationRequest",
        ),
    ];
    for (call, code) in cases {
        assert_eq!(client.elb_refused(&call), code, "{call}");
    }
    let endpoint = new_endpoint(&client, &service, 0);
    let cases = [
        // An endpoint can only be in the load balancer's zone.
        (new_endpoint(&client, &service, 1), "InvalidParameter"),
        (format!("{endpoint}&SubnetId.2={subnet}"), "InvalidParameter"),
        (format!("{endpoint}&SecurityGroupId.1=sg-1"), "InvalidParameter"),
        (endpoint.replace("GatewayLoadBalancer&", "Interface&"), "UnsupportedOperation"),
        (endpoint.replace("vpce-svc-", "vpce-svc-0"), "InvalidServiceName"),
        (
            format!("CreateVpcEndpointServiceConfiguration&GatewayLoadBalancerArn.1={network}"),
            "InvalidParameter",
        ),
        (
            format!("CreateVpcEndpointServiceConfiguration&GatewayLoadBalancerArn.1={balancer}"),
            "InvalidParameter",
        ),
        ("CreateVpcEndpointServiceConfiguration".to_owned(), "MissingParameter"),
        (
            "CreateTrafficMirrorTarget&GatewayLoadBalancerEndpointId=vpce-0123456789abcdef0"
                .to_owned(),
            "InvalidVpcEndpointId.NotFound",
        ),
    ];
    for (call, code) in cases {
        assert_eq!(client.ec2_refused(&call), code, "{call}");
    }
}
