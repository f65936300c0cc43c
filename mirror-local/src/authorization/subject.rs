//! Subjects: what each action is checked on, in the order of the Service Authorization Reference.
//!
//! A row names the type of a resource and the parameter that holds its id. Every action that can change something
//! needs a row, or nobody may call it; see the test.

use crate::request::Service;
use Subject::{Found, Id, Made, MadeBalancer, MadeIfTagged, Name, Tagged};

/// What an action is checked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// One that the call makes.
    Made(&'static str),
    /// The load balancer that the call makes; its type decides what its ARN contains.
    MadeBalancer,
    /// One that the call makes, but only where the call gives it tags.
    MadeIfTagged(&'static str),
    /// The resource whose id is a parameter, or those whose ids are a list.
    Id(&'static str, &'static str),
    /// The key pair whose name is a parameter.
    Name(&'static str),
    /// Resources of any type whose tags change, by their ids.
    Tagged(&'static str),
    /// What only the world knows.
    Found(Find),
}

/// The resources that only the world knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Find {
    /// The VPC of the accepter of a peering connection.
    AccepterOfPeering,
    /// The route table and the subnet of an association.
    Association,
    /// The network ACL and the subnet of an association.
    AclAssociation,
    /// The instance and the interface of an attachment.
    Attachment,
    /// The VPC of an association with a range.
    RangeAssociation,
    /// The mirror filter of a rule.
    FilterOfRule,
    /// The security group that is named by id, or by name in the default VPC.
    Group,
    /// The Auto Scaling group of an instance.
    GroupOfInstance,
    /// The VPC that is named, or the default one.
    Network,
    /// What instances are launched from and into: launch template, subnets, security groups and interfaces.
    Launch,
    /// The launch template that is named by id or by name.
    Template,
}

const ACL: &str = "network-acl";
const TABLE: &str = "route-table";
const GATEWAY: &str = "internet-gateway";
pub(super) const PEERING: &str = "vpc-peering-connection";
const TRANSIT_GATEWAY: &str = "transit-gateway";
const TRANSIT_ATTACHMENT: &str = "transit-gateway-attachment";
const INTERFACE: &str = "network-interface";
const FILTER: &str = "traffic-mirror-filter";
const RULE: &str = "traffic-mirror-filter-rule";
const TARGET: &str = "traffic-mirror-target";
const SESSION: &str = "traffic-mirror-session";

/// What an action of EC2 is checked on; `None` for one that is not in the table.
#[rustfmt::skip] // a row for each action
fn ec2(action: &str) -> Option<&'static [Subject]> {
    Some(match action {
        "AcceptVpcPeeringConnection" => &[Id(PEERING, "VpcPeeringConnectionId"), Found(Find::AccepterOfPeering)],
        "AssociateRouteTable" => &[Id(TABLE, "RouteTableId"), Id("subnet", "SubnetId")],
        "AssociateVpcCidrBlock" | "DeleteVpc" | "ModifyVpcAttribute" | "DescribeVpcAttribute" => &[Id("vpc", "VpcId")],
        "AttachInternetGateway" | "DetachInternetGateway" => &[Id(GATEWAY, "InternetGatewayId"), Id("vpc", "VpcId")],
        "AttachNetworkInterface" => &[Id("instance", "InstanceId"), Id(INTERFACE, "NetworkInterfaceId")],
        "AuthorizeSecurityGroupEgress" | "AuthorizeSecurityGroupIngress" => &[Found(Find::Group), MadeIfTagged("security-group-rule")],
        "CreateInternetGateway" => &[Made(GATEWAY)],
        "CreateKeyPair" | "ImportKeyPair" => &[Made("key-pair")],
        "CreateNetworkAcl" => &[Made(ACL), Id("vpc", "VpcId")],
        "CreateNetworkAclEntry" | "DeleteNetworkAcl" | "DeleteNetworkAclEntry" | "ReplaceNetworkAclEntry" => &[Id(ACL, "NetworkAclId")],
        "CreateNetworkInterface" => &[Made(INTERFACE), Id("subnet", "SubnetId"), Id("security-group", "SecurityGroupId")],
        "CreateRoute" | "DeleteRoute" | "DeleteRouteTable" | "ReplaceRoute" => &[Id(TABLE, "RouteTableId")],
        "CreateRouteTable" => &[Made(TABLE), Id("vpc", "VpcId")],
        "CreateSecurityGroup" => &[Made("security-group"), Found(Find::Network)],
        "CreateSubnet" => &[Made("subnet"), Id("vpc", "VpcId")],
        "CreateTags" | "DeleteTags" => &[Tagged("ResourceId")],
        "CreateTrafficMirrorFilter" => &[Made(FILTER)],
        "CreateTrafficMirrorFilterRule" => &[Id(FILTER, "TrafficMirrorFilterId"), Made(RULE)],
        "CreateTrafficMirrorSession" => &[
            Id(INTERFACE, "NetworkInterfaceId"),
            Id(FILTER, "TrafficMirrorFilterId"),
            Made(SESSION),
            Id(TARGET, "TrafficMirrorTargetId"),
        ],
        "CreateTrafficMirrorTarget" => &[
            Made(TARGET),
            Id(INTERFACE, "NetworkInterfaceId"),
            Id("vpc-endpoint", "GatewayLoadBalancerEndpointId"),
        ],
        "CreateVpc" => &[Made("vpc")],
        "CreateVpcPeeringConnection" => &[Made(PEERING), Id("vpc", "VpcId")],
        "DeleteVpcPeeringConnection" => &[Id(PEERING, "VpcPeeringConnectionId")],
        "DeleteInternetGateway" => &[Id(GATEWAY, "InternetGatewayId")],
        "DeleteKeyPair" => &[Name("KeyName"), Id("key-pair", "KeyPairId")],
        "DeleteNetworkInterface" | "DescribeNetworkInterfaceAttribute" | "ResetNetworkInterfaceAttribute" => &[Id(INTERFACE, "NetworkInterfaceId")],
        "DeleteSecurityGroup" | "RevokeSecurityGroupEgress" | "RevokeSecurityGroupIngress"
        | "UpdateSecurityGroupRuleDescriptionsEgress" | "UpdateSecurityGroupRuleDescriptionsIngress" => &[Found(Find::Group)],
        "DeleteSubnet" | "ModifySubnetAttribute" => &[Id("subnet", "SubnetId")],
        "DeleteTrafficMirrorFilter" | "ModifyTrafficMirrorFilterNetworkServices" => &[Id(FILTER, "TrafficMirrorFilterId")],
        "DeleteTrafficMirrorFilterRule" | "ModifyTrafficMirrorFilterRule" => &[Found(Find::FilterOfRule), Id(RULE, "TrafficMirrorFilterRuleId")],
        "DeleteTrafficMirrorSession" => &[Id(SESSION, "TrafficMirrorSessionId")],
        "DeleteTrafficMirrorTarget" => &[Id(TARGET, "TrafficMirrorTargetId")],
        "DeleteVolume" | "DescribeVolumeAttribute" => &[Id("volume", "VolumeId")],
        "DescribeImageAttribute" => &[Id("image", "ImageId")],
        "DescribeInstanceAttribute" | "ModifyInstanceMetadataOptions" | "MonitorInstances" | "RebootInstances"
        | "StartInstances" | "StopInstances" | "TerminateInstances" | "UnmonitorInstances" => &[Id("instance", "InstanceId")],
        "DetachNetworkInterface" => &[Found(Find::Attachment)],
        "DisassociateRouteTable" => &[Found(Find::Association)],
        "DisassociateVpcCidrBlock" => &[Found(Find::RangeAssociation)],
        "ModifyInstanceAttribute" => &[Id("instance", "InstanceId"), Id("security-group", "GroupId")],
        "ModifyNetworkInterfaceAttribute" => &[Id(INTERFACE, "NetworkInterfaceId"), Id("security-group", "SecurityGroupId")],
        "ModifySecurityGroupRules" => &[Found(Find::Group)],
        "ModifyTrafficMirrorSession" => &[
            Id(SESSION, "TrafficMirrorSessionId"),
            Id(FILTER, "TrafficMirrorFilterId"),
            Id(TARGET, "TrafficMirrorTargetId"),
        ],
        "ReplaceNetworkAclAssociation" => &[Found(Find::AclAssociation), Id(ACL, "NetworkAclId")],
        "ReplaceRouteTableAssociation" => &[Found(Find::Association), Id(TABLE, "RouteTableId")],
        "RunInstances" => &[
            Id("image", "ImageId"),
            Made("instance"),
            Made(INTERFACE),
            Made("volume"),
            Name("KeyName"),
            Found(Find::Launch),
        ],
        _ => return transit(action).or_else(|| endpoints(action)).or_else(|| templates(action)),
    })
}

/// What an action of EC2 on launch templates is checked on.
fn templates(action: &str) -> Option<&'static [Subject]> {
    Some(match action {
        "CreateLaunchTemplate" => &[Made("launch-template")],
        "CreateLaunchTemplateVersion"
        | "DeleteLaunchTemplate"
        | "DeleteLaunchTemplateVersions"
        | "ModifyLaunchTemplate" => &[Found(Find::Template)],
        _ => return None,
    })
}

/// What an action of EC2 on endpoints and their services is checked on.
fn endpoints(action: &str) -> Option<&'static [Subject]> {
    const ENDPOINT: &str = "vpc-endpoint";
    const SERVICE: &str = "vpc-endpoint-service";
    Some(match action {
        "AcceptVpcEndpointConnections"
        | "ModifyVpcEndpointServiceConfiguration"
        | "ModifyVpcEndpointServicePermissions"
        | "RejectVpcEndpointConnections" => &[Id(SERVICE, "ServiceId")],
        "CreateVpcEndpoint" => &[Made(ENDPOINT), Id("vpc", "VpcId"), Id("subnet", "SubnetId")],
        "CreateVpcEndpointServiceConfiguration" => &[Made(SERVICE)],
        "DeleteVpcEndpoints" => &[Id(ENDPOINT, "VpcEndpointId")],
        "DeleteVpcEndpointServiceConfigurations" => &[Id(SERVICE, "ServiceId")],
        "DescribeVpcEndpointServicePermissions" => &[Id(SERVICE, "ServiceId")],
        _ => return None,
    })
}

/// What an action of EC2 on transit gateways is checked on.
fn transit(action: &str) -> Option<&'static [Subject]> {
    Some(match action {
        "CreateTransitGateway" => &[Made(TRANSIT_GATEWAY)],
        "CreateTransitGatewayVpcAttachment" => &[
            Id("subnet", "SubnetIds"),
            Id(TRANSIT_GATEWAY, "TransitGatewayId"),
            Made(TRANSIT_ATTACHMENT),
            Id("vpc", "VpcId"),
        ],
        "DeleteTransitGateway" => &[Id(TRANSIT_GATEWAY, "TransitGatewayId")],
        "DeleteTransitGatewayVpcAttachment" => {
            &[Id(TRANSIT_ATTACHMENT, "TransitGatewayAttachmentId")]
        }
        "ModifyTransitGatewayVpcAttachment" => &[
            Id(TRANSIT_ATTACHMENT, "TransitGatewayAttachmentId"),
            Id("subnet", "AddSubnetIds"),
            Id("subnet", "RemoveSubnetIds"),
        ],
        _ => return None,
    })
}

/// The parameter that holds what an action of Elastic Load Balancing is checked on.
fn balancing(action: &str) -> Option<&'static [Subject]> {
    Some(match action {
        "AddTags" | "RemoveTags" => &[Tagged("ResourceArns")],
        "CreateListener"
        | "DeleteLoadBalancer"
        | "ModifyLoadBalancerAttributes"
        | "SetIpAddressType"
        | "SetSecurityGroups"
        | "SetSubnets" => &[Id("loadbalancer", "LoadBalancerArn")],
        "CreateLoadBalancer" => &[MadeBalancer],
        "CreateTargetGroup" => &[Made("targetgroup")],
        "DeleteListener" | "ModifyListener" | "ModifyListenerAttributes" => {
            &[Id("listener", "ListenerArn")]
        }
        "DeleteTargetGroup"
        | "DeregisterTargets"
        | "ModifyTargetGroup"
        | "ModifyTargetGroupAttributes"
        | "RegisterTargets" => &[Id("targetgroup", "TargetGroupArn")],
        _ => return None,
    })
}

/// What an action of EC2 Auto Scaling is checked on.
fn scaling(action: &str) -> Option<&'static [Subject]> {
    const GROUP: &str = "autoScalingGroup";
    Some(match action {
        "CreateAutoScalingGroup" => &[Made(GROUP)],
        "AttachLoadBalancerTargetGroups"
        | "DeleteAutoScalingGroup"
        | "DetachLoadBalancerTargetGroups"
        | "SetDesiredCapacity"
        | "UpdateAutoScalingGroup" => &[Id(GROUP, "AutoScalingGroupName")],
        "CreateOrUpdateTags" | "DeleteTags" => &[Tagged("Tags")],
        "TerminateInstanceInAutoScalingGroup" => &[Found(Find::GroupOfInstance)],
        _ => return None,
    })
}

/// What an action is checked on; empty for one that is about everything.
pub(super) fn subjects(service: Service, action: &str) -> &'static [Subject] {
    let known = match service {
        Service::Ec2 => ec2(action),
        Service::LoadBalancing => balancing(action),
        Service::AutoScaling => scaling(action),
        Service::Metrics
        | Service::Parameters
        | Service::Sharing
        | Service::Storage
        | Service::Tokens => None,
    };
    known.unwrap_or_default()
}

/// The EC2 actions that Elastic Load Balancing does in the caller's name.
///
/// Source: Elastic Load Balancing user guide, "API permissions", required permissions for common API
/// actions.
pub(super) fn done_in_the_callers_name(service: Service, action: &str) -> &'static [&'static str] {
    match (service, action) {
        (Service::LoadBalancing, "CreateLoadBalancer") => &[
            "ec2:DescribeAccountAttributes",
            "ec2:DescribeAddresses",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        (Service::LoadBalancing, "CreateTargetGroup") => {
            &["ec2:DescribeInternetGateways", "ec2:DescribeVpcs"]
        }
        (Service::LoadBalancing, "RegisterTargets") => &[
            "ec2:DescribeInstances",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        (Service::LoadBalancing, "SetSubnets") => &["ec2:DescribeSubnets"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{action_names, is_mutating};

    #[test]
    fn every_action_that_can_change_something_is_checked_on_something() {
        for service in [Service::AutoScaling, Service::Ec2, Service::LoadBalancing] {
            let changing = action_names(service).into_iter().filter(|a| is_mutating(service, a));
            let unchecked: Vec<_> = changing.filter(|a| subjects(service, a).is_empty()).collect();
            assert_eq!(unchecked, Vec::<&str>::new());
        }
    }
}
