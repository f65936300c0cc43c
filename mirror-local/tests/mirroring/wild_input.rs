//! No input breaks the cloud: whatever is sent, an answer comes back, and a refusal changes nothing.

use crate::client::Client;
use mirror_local::{Service, action_names};
use proptest::prelude::*;

/// Names that are parameters of some call, and some that are not.
const NAMES: &[&str] = &[
    "AddNetworkService.1",
    "AllocationId",
    "AssociationId",
    "AttachmentId",
    "Attribute",
    "Attributes.member.1.Key",
    "Attributes.member.1.Value",
    "AutoScalingGroupName",
    "AvailabilityZone",
    "CidrBlock",
    "CidrIp",
    "ClientToken",
    "DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn",
    "DefaultActions.member.1.TargetGroupArn",
    "DefaultActions.member.1.Type",
    "Description",
    "DesiredCapacity",
    "DestinationCidrBlock",
    "DestinationPortRange.FromPort",
    "DestinationPortRange.ToPort",
    "DeviceIndex",
    "DryRun",
    "Filter.1.Name",
    "Filter.1.Value.1",
    "Filters.member.1.Name",
    "ForceDelete",
    "FromPort",
    "GatewayId",
    "GroupDescription",
    "GroupId",
    "GroupName",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckType",
    "ImageId",
    "InstanceId",
    "InstanceId.1",
    "InstanceType",
    "InternetGatewayId",
    "IpPermissions.1.FromPort",
    "IpPermissions.1.IpProtocol",
    "IpPermissions.1.IpRanges.1.CidrIp",
    "IpPermissions.1.ToPort",
    "IpProtocol",
    "KeyName",
    "LaunchTemplate.LaunchTemplateId",
    "LaunchTemplate.Version",
    "LaunchTemplateData.ImageId",
    "LaunchTemplateData.TagSpecification.1.Tag.1.Key",
    "LaunchTemplateId",
    "LaunchTemplateName",
    "LaunchTemplateVersion.1",
    "ListenerArn",
    "LoadBalancerArn",
    "Marker",
    "Matcher.HttpCode",
    "MaxCount",
    "MaxRecords",
    "MaxResults",
    "MaxSize",
    "MinCount",
    "MinSize",
    "Name",
    "Names.member.1",
    "NetworkInterface.1.DeviceIndex",
    "NetworkInterface.1.SubnetId",
    "NetworkInterfaceId",
    "NetworkLoadBalancerArn",
    "NextToken",
    "PacketLength",
    "PageSize",
    "Port",
    "PrivateIpAddress",
    "PrivateIpAddresses.1.PrivateIpAddress",
    "Protocol",
    "PublicKeyMaterial",
    "RemoveField.1",
    "ResourceArns.member.1",
    "ResourceId.1",
    "RouteTableId",
    "RuleAction",
    "RuleNumber",
    "Scheme",
    "SecurityGroupId.1",
    "SecurityGroups.member.1",
    "SessionNumber",
    "SetDefaultVersion",
    "ShouldDecrementDesiredCapacity",
    "SourceCidrBlock",
    "SourcePortRange.FromPort",
    "SourcePortRange.ToPort",
    "SourceVersion",
    "SubnetId",
    "SubnetMappings.member.1.PrivateIPv4Address",
    "SubnetMappings.member.1.SubnetId",
    "Subnets.member.1",
    "Tag.1.Key",
    "TagSpecification.1.ResourceType",
    "TagSpecification.1.Tag.1.Key",
    "Tags.member.1.Key",
    "Tags.member.1.ResourceId",
    "Tags.member.1.ResourceType",
    "TargetGroupARNs.member.1",
    "TargetGroupArn",
    "Targets.member.1.Id",
    "Targets.member.1.Port",
    "ToPort",
    "TrafficDirection",
    "TrafficMirrorFilterId",
    "TrafficMirrorSessionId",
    "TrafficMirrorTargetId",
    "Type",
    "UserData",
    "VPCZoneIdentifier",
    "VirtualNetworkId",
    "VpcId",
    "nothing.1.of..the.kind",
];

const VALUES: &[&str] = &[
    "",
    "%00",
    "%C3%A9%F0%9F%A6%80",
    "*",
    "-1",
    "0",
    "0.0.0.0%2F0",
    "1",
    "10.0.0.0%2F16",
    "172.31.0.7",
    "1e9",
    "4294967296",
    "65535",
    "80",
    "99999999999999999999",
    "%3A%3A%2F0",
    "TCP",
    "UDP",
    "$Default",
    "ELB",
    "accept",
    "auto-scaling-group",
    "ami-0",
    "amazon-dns",
    "arn:aws:elasticloadbalancing:::loadbalancer/net/",
    "arn:aws:elasticloadbalancing:us-east-1:1:listener/net/a/b/c",
    "description",
    "egress",
    "false",
    "forward",
    "ingress",
    "instance",
    "internal",
    "network",
    "packet-length",
    "t3.micro",
    "tag:",
    "tcp",
    "traffic-mirror-filter",
    "true",
    "udp",
    "vpc-id",
    "x",
];

/// A call of any action of EC2, Elastic Load Balancing or EC2 Auto Scaling, with parameters that may not fit it.
fn call(there: Vec<String>) -> impl Strategy<Value = (&'static str, String)> {
    let of = |service, version| {
        action_names(service).into_iter().map(|name| (version, name)).collect::<Vec<_>>()
    };
    let mut actions = of(Service::Ec2, "2016-11-15");
    actions.extend(of(Service::AutoScaling, "2011-01-01"));
    actions.extend(of(Service::LoadBalancing, "2015-12-01"));
    let value = prop_oneof![
        prop::sample::select(VALUES).prop_map(str::to_owned),
        prop::sample::select(there),
    ];
    let parameters = prop::collection::vec((prop::sample::select(NAMES), value), 0..60);
    (prop::sample::select(actions), parameters).prop_map(|((version, action), parameters)| {
        let text = parameters.iter().map(|(name, value)| format!("&{name}={value}"));
        (version, text.fold(action.to_owned(), |call, parameter| call + &parameter))
    })
}

/// Makes one object of each kind that other calls refer to; returns their ids.
fn furnish(client: &Client) -> Vec<String> {
    let (source, sink) = (client.interface(), client.interface());
    let (lb, group, filter) =
        (client.load_balancer("x"), client.target_group("y"), client.filter());
    let image = client.ec2("DescribeImages").text("imageId");
    let template = client.ec2(format!(
        "CreateLaunchTemplate&LaunchTemplateName=xyz&LaunchTemplateData.ImageId={image}"
    ));
    let template = template.text("launchTemplateId");
    client.scaling(format!(
        "CreateAutoScalingGroup&AutoScalingGroupName=x&MinSize=1&MaxSize=1\
         &LaunchTemplate.LaunchTemplateId={template}&VPCZoneIdentifier={}",
        client.subnets()[0]
    ));
    let target = client.target_on(&sink);
    let session = client.session(
        &source,
        &target,
        &format!("TrafficMirrorFilterId={filter}&SessionNumber=1"),
    );
    let mut ids = client.subnets();
    ids.extend([client.vpc(), source, sink, lb, group, filter, target, session, template]);
    ids
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_is_answered(
        calls in prop::collection::vec(call(furnish(&Client::new())), 1..80)
    ) {
        let client = Client::new();
        // Ids are drawn in the same order every time, so these are the ones the calls name.
        furnish(&client);
        for (version, call) in calls {
            if let Ok(answer) = client.call(version, &call) {
                prop_assert!(answer.0.starts_with("<?xml") && answer.0.ends_with('>'), "{}", answer.0);
            }
        }
    }
}
