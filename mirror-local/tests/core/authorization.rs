//! What authorization checks in calls, and how refusals read.

use crate::client::{Client, all, first};
use insta::assert_snapshot;
use mirror_local::Policy;
use serde_json::{Value, json};

/// The permissions that a call needs, one per line: found by adding a statement for what each refusal names, until
/// the call succeeds.
fn needs(client: &Client, form: &str) -> String {
    let mut statements: Vec<Value> = Vec::new();
    let mut lines = Vec::new();
    loop {
        attach(client, &statements);
        let response = client.send(form);
        if response.status != 403 {
            client.cloud.set_policies(Vec::new());
            assert_eq!(response.status, 200, "{form}: {}", response.body);
            return lines.join("\n");
        }
        let body = response.body;
        let (_, needed) = body.split_once("to perform: ").expect("it says what is missing");
        let (needed, _) = needed.split_once(" because no").expect("it says why");
        let (action, resource) = needed.split_once(" on resource: ").unwrap_or((needed, "*"));
        let needed = format!("{action} on {resource}");
        assert!(!lines.contains(&needed), "{needed} is not enough");
        lines.push(needed);
        statements.push(json!({ "Effect": "Allow", "Action": action, "Resource": resource }));
    }
}

/// Gives callers a policy with these statements.
fn attach(client: &Client, statements: &[Value]) {
    let nothing = json!([{ "Effect": "Deny", "Action": "none:*", "Resource": "*" }]);
    let statements = if statements.is_empty() { nothing } else { statements.into() };
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    client.cloud.set_policies(vec![policy.parse::<Policy>().expect("this is a policy")]);
}

/// Creates a VPC with a subnet, and a key pair. Returns the ids of the VPC, of the subnet and of an image.
fn network(client: &Client) -> [String; 3] {
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let subnet = format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24");
    let subnet = first(&client.ok(&subnet), "subnetId");
    client.ok("CreateKeyPair&KeyName=me");
    [vpc, subnet, first(&client.ok("DescribeImages"), "imageId")]
}

/// Shows ids by their kind and position, since their digits mean nothing.
fn shown(needs: &str, ids: &[&str]) -> String {
    let named = ids
        .iter()
        .enumerate()
        .fold(needs.to_owned(), |text, (i, id)| text.replace(id, &format!("ID{i}")));
    named.replace("arn:aws:ec2:us-east-1:123456789012:", "")
}

#[test]
fn a_launch_is_checked_on_all_that_it_makes_and_names() {
    let client = Client::new();
    let [vpc, subnet, image] = network(&client);
    let groups = format!("DescribeSecurityGroups&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}");
    let group = first(&client.ok(&groups), "groupId");
    let tags = "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a";
    let run = format!(
        "RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1&KeyName=me\
         &NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId={subnet}&{tags}"
    );
    // If no group is named, the default group of the VPC is used.
    assert_snapshot!(shown(&needs(&client, &run), &[&subnet, &image, &group]), @"
    ec2:RunInstances on arn:aws:ec2:us-east-1::image/ID1
    ec2:RunInstances on instance/*
    ec2:RunInstances on network-interface/*
    ec2:RunInstances on volume/*
    ec2:RunInstances on key-pair/me
    ec2:RunInstances on security-group/ID2
    ec2:RunInstances on subnet/ID0
    ec2:CreateTags on instance/*
    ");
}

#[test]
fn network_acls_are_checked_with_what_they_are_for() {
    let client = Client::new();
    let [vpc, subnet, _] = network(&client);
    let of_vpc = format!("DescribeNetworkAcls&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}");
    let told = client.ok(&of_vpc);
    let [default, association] =
        ["networkAclId", "networkAclAssociationId"].map(|name| first(&told, name));
    let create = format!(
        "CreateNetworkAcl&VpcId={vpc}&TagSpecification.1.ResourceType=network-acl\
         &TagSpecification.1.Tag.1.Key=a"
    );
    let made = needs(&client, &create);
    let custom = client.ok(&format!("{of_vpc}&Filter.2.Name=default&Filter.2.Value.1=false"));
    let acl = first(&custom, "networkAclId");
    let entry = format!(
        "CreateNetworkAclEntry&NetworkAclId={acl}&RuleNumber=1&Egress=true&Protocol=-1\
         &RuleAction=allow&CidrBlock=0.0.0.0/0"
    );
    let replace =
        format!("ReplaceNetworkAclAssociation&AssociationId={association}&NetworkAclId={acl}");
    let all = [made, needs(&client, &entry), needs(&client, &replace)].join("\n");
    assert_snapshot!(shown(&all, &[&vpc, &subnet, &default, &acl]), @"
    ec2:CreateNetworkAcl on network-acl/*
    ec2:CreateNetworkAcl on vpc/ID0
    ec2:CreateTags on network-acl/*
    ec2:CreateNetworkAclEntry on network-acl/ID3
    ec2:ReplaceNetworkAclAssociation on network-acl/ID2
    ec2:ReplaceNetworkAclAssociation on subnet/ID1
    ec2:ReplaceNetworkAclAssociation on network-acl/ID3
    ");
}

#[test]
fn parts_are_checked_on_their_wholes_as_well() {
    let client = Client::new();
    let [vpc, subnet, _] = network(&client);
    let filter = first(&client.ok("CreateTrafficMirrorFilter"), "trafficMirrorFilterId");
    let rule = format!(
        "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&TrafficDirection=ingress\
         &RuleNumber=1&RuleAction=accept&SourceCidrBlock=0.0.0.0/0&DestinationCidrBlock=0.0.0.0/0"
    );
    let made = needs(&client, &rule);
    let rules = client.ok("DescribeTrafficMirrorFilterRules");
    let rule = first(&rules, "trafficMirrorFilterRuleId");
    let delete = format!("DeleteTrafficMirrorFilterRule&TrafficMirrorFilterRuleId={rule}");
    let table = first(&client.ok(&format!("CreateRouteTable&VpcId={vpc}")), "routeTableId");
    let associate = format!("AssociateRouteTable&RouteTableId={table}&SubnetId={subnet}");
    let association = first(&client.ok(&associate), "associationId");
    let disassociate = format!("DisassociateRouteTable&AssociationId={association}");
    let all = [made, needs(&client, &delete), needs(&client, &disassociate)].join("\n");
    assert_snapshot!(shown(&all, &[&filter, &rule, &table, &subnet]), @"
    ec2:CreateTrafficMirrorFilterRule on traffic-mirror-filter/ID0
    ec2:CreateTrafficMirrorFilterRule on traffic-mirror-filter-rule/*
    ec2:DeleteTrafficMirrorFilterRule on traffic-mirror-filter/ID0
    ec2:DeleteTrafficMirrorFilterRule on traffic-mirror-filter-rule/ID1
    ec2:DisassociateRouteTable on route-table/ID2
    ec2:DisassociateRouteTable on subnet/ID3
    ");
}

#[test]
fn elastic_load_balancing_reads_in_the_callers_name_and_makes_its_role_once() {
    let client = Client::new();
    let [_, subnet, _] = network(&client);
    let create = |name: &str| {
        format!(
            "CreateLoadBalancer&Version=2015-12-01&Name={name}&Type=network&Scheme=internal\
             &Subnets.member.1={subnet}&Tags.member.1.Key=team"
        )
    };
    assert_snapshot!(shown(&needs(&client, &create("a")), &[]), @"
    elasticloadbalancing:CreateLoadBalancer on arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/*
    elasticloadbalancing:AddTags on arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/*
    ec2:DescribeAccountAttributes on *
    ec2:DescribeAddresses on *
    ec2:DescribeInternetGateways on *
    ec2:DescribeSecurityGroups on *
    ec2:DescribeSubnets on *
    ec2:DescribeVpcs on *
    iam:CreateServiceLinkedRole on arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing
    ");
    let role = "iam:CreateServiceLinkedRole";
    assert!(!needs(&client, &create("b")).contains(role));
}

/// Makes a launch template with an image and with tags for instances; returns its id.
fn template(client: &Client, image: &str) -> String {
    let made = client.ok(&format!(
        "CreateLaunchTemplate&LaunchTemplateName=sensor&LaunchTemplateData.ImageId={image}\
         &LaunchTemplateData.InstanceType=t3.micro\
         &LaunchTemplateData.TagSpecification.1.ResourceType=instance\
         &LaunchTemplateData.TagSpecification.1.Tag.1.Key=a"
    ));
    first(&made, "launchTemplateId")
}

#[test]
fn launch_templates_are_checked_by_id_or_name_and_a_launch_on_what_they_say() {
    let client = Client::new();
    let [_, subnet, image] = network(&client);
    let create = "CreateLaunchTemplate&LaunchTemplateName=one&LaunchTemplateData.ImageId=x\
                  &TagSpecification.1.ResourceType=launch-template&TagSpecification.1.Tag.1.Key=a";
    assert_snapshot!(shown(&needs(&client, create), &[]), @"
    ec2:CreateLaunchTemplate on launch-template/*
    ec2:CreateTags on launch-template/*
    ");
    let id = template(&client, &image);
    let version = "CreateLaunchTemplateVersion&LaunchTemplateName=sensor\
                   &LaunchTemplateData.KeyName=me&SourceVersion=1";
    assert_snapshot!(shown(&needs(&client, version), &[&id]), @"ec2:CreateLaunchTemplateVersion on launch-template/ID0");
    let run = format!(
        "RunInstances&MinCount=1&MaxCount=1&SubnetId={subnet}&LaunchTemplate.LaunchTemplateId={id}\
         &LaunchTemplate.Version=$Latest"
    );
    let groups =
        client.ok("DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=default");
    let group = all(&groups, "groupId");
    let ids: Vec<&str> = [&subnet, &image, &id].into_iter().chain(&group).map(|id| &**id).collect();
    assert_snapshot!(shown(&needs(&client, &run), &ids), @"
    ec2:RunInstances on arn:aws:ec2:us-east-1::image/ID1
    ec2:RunInstances on instance/*
    ec2:RunInstances on network-interface/*
    ec2:RunInstances on volume/*
    ec2:RunInstances on key-pair/me
    ec2:RunInstances on launch-template/ID2
    ec2:RunInstances on security-group/ID5
    ec2:RunInstances on subnet/ID0
    ec2:CreateTags on instance/*
    ");
    let delete = format!("DeleteLaunchTemplate&LaunchTemplateId={id}");
    assert_snapshot!(shown(&needs(&client, &delete), &[&id]), @"ec2:DeleteLaunchTemplate on launch-template/ID0");
}

#[test]
fn an_auto_scaling_group_is_checked_by_name_and_who_makes_it_may_launch() {
    let client = Client::new();
    let [_, subnet, image] = network(&client);
    let id = template(&client, &image);
    let create = |name: &str| {
        format!(
            "CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName={name}&MinSize=0\
             &MaxSize=1&LaunchTemplate.LaunchTemplateId={id}&VPCZoneIdentifier={subnet}\
             &Tags.member.1.Key=team&Tags.member.1.Value=net"
        )
    };
    let allow = |action: &str, resource: &str| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let named =
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/g";
    let mut statements = vec![allow("autoscaling:*", named)];
    attach(&client, &statements);
    let role = client.send(&create("g")).body;
    assert!(role.contains("iam:CreateServiceLinkedRole"), "{role}");
    statements.push(allow("iam:CreateServiceLinkedRole", "*"));
    attach(&client, &statements);
    let refused = client.send(&create("g"));
    let message = format!("You are not authorized to use launch template: {id}");
    assert_eq!((refused.status, first(&refused.body, "Message")), (403, message));
    statements.push(allow("ec2:RunInstances", "*"));
    attach(&client, &statements);
    assert_eq!(client.refused(&create("g")), "403 AccessDenied");
    statements.push(allow("ec2:CreateTags", "*"));
    attach(&client, &statements);
    client.ok(&create("g"));
    assert_eq!(client.refused(&create("h")), "403 AccessDenied");

    let on_teams = |team: &str| {
        let condition = json!({ "StringEquals": { "autoscaling:ResourceTag/team": team } });
        json!({ "Effect": "Allow", "Action": "autoscaling:*", "Resource": "*", "Condition": condition })
    };
    let tags = "CreateOrUpdateTags&Version=2011-01-01&Tags.member.1.ResourceId=g\
                &Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=a";
    let calls = [
        "UpdateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=g&MinSize=0",
        "SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=g&DesiredCapacity=0",
        tags,
        "DeleteAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=g",
    ];
    for call in calls {
        attach(&client, &[on_teams("other")]);
        assert_eq!(client.refused(call), "403 AccessDenied", "{call}");
        attach(&client, &[on_teams("net")]);
        client.ok(call);
    }
}

#[test]
fn conditions_see_the_tags_of_what_is_made_and_of_what_is_there() {
    let client = Client::new();
    let tagged = |stack: &str| {
        format!(
            "CreateVpc&CidrBlock=10.0.0.0/16&TagSpecification.1.ResourceType=vpc\
             &TagSpecification.1.Tag.1.Key=stack&TagSpecification.1.Tag.1.Value={stack}"
        )
    };
    let [mine, other] = ["lab", "other"].map(|stack| first(&client.ok(&tagged(stack)), "vpcId"));
    let equals = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
    let allow = |action: &str, condition: Value| json!({ "Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition });
    attach(
        &client,
        &[
            allow("ec2:CreateVpc", equals("aws:RequestTag/stack", "lab")),
            allow("ec2:CreateTags", equals("ec2:CreateAction", "CreateVpc")),
            allow("ec2:DeleteVpc", equals("aws:ResourceTag/stack", "lab")),
        ],
    );
    let refused = "403 UnauthorizedOperation";
    client.ok(&tagged("lab"));
    assert_eq!(client.refused(&tagged("other")), refused);
    assert_eq!(client.refused("CreateVpc&CidrBlock=10.0.0.0/16"), refused);
    let tag = format!("CreateTags&ResourceId.1={other}&Tag.1.Key=stack&Tag.1.Value=lab");
    assert_eq!(client.refused(&tag), refused);
    assert_eq!(client.refused(&format!("DeleteVpc&VpcId={other}")), refused);
    // A dry run reports this beforehand.
    assert_eq!(client.refused(&format!("DeleteVpc&DryRun=true&VpcId={other}")), refused);
    let allowed = client.refused(&format!("DeleteVpc&DryRun=true&VpcId={mine}"));
    assert_eq!(allowed, "412 DryRunOperation");
    client.ok(&format!("DeleteVpc&VpcId={mine}"));
    // A missing object has no tags, and the action itself reports that it is missing.
    let gone = client.refused(&format!("DeleteVpc&VpcId={mine}"));
    assert_eq!(gone, "400 InvalidVpcID.NotFound");
}

/// The message of a refusal, and its encoded part.
fn refusal(client: &Client, form: &str) -> (String, Option<String>) {
    let message = first(&client.send(form).body, "Message");
    match message.split_once(" Encoded authorization failure message: ") {
        Some((said, encoded)) => (said.to_owned(), Some(encoded.to_owned())),
        None => (message, None),
    }
}

const DECODE: &str = "DecodeAuthorizationMessage&Version=2011-06-15&EncodedMessage=";

#[test]
fn the_details_of_a_refusal_are_for_those_who_may_decode_them() {
    let client = Client::new();
    let allow = |action: &str| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    let deny =
        json!({ "Sid": "NoVpc", "Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*" });
    let create = "CreateVpc&CidrBlock=10.0.0.0/16&TagSpecification.1.ResourceType=vpc\
                  &TagSpecification.1.Tag.1.Key=Team&TagSpecification.1.Tag.1.Value=net";
    attach(&client, &[]);
    let (said, encoded) = refusal(&client, create);
    assert_snapshot!(said, @"You are not authorized to perform this operation. User: arn:aws:iam::123456789012:root is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.");
    let decode = format!("{DECODE}{}", encoded.expect("EC2 tells those who may know"));
    // Nobody may decode it without permission.
    let refused = "403 AccessDenied";
    assert_eq!(client.refused(&decode), refused);
    attach(&client, &[allow("sts:DecodeAuthorizationMessage")]);
    let decoded = first(&client.send(&decode).body, "DecodedMessage").replace("&quot;", "\"");
    assert_snapshot!(decoded, @r#"{"allowed":false,"context":{"action":"ec2:CreateVpc","conditions":{"items":[{"key":"aws:RequestedRegion","values":{"items":[{"value":"us-east-1"}]}},{"key":"aws:RequestTag/Team","values":{"items":[{"value":"net"}]}},{"key":"aws:TagKeys","values":{"items":[{"value":"Team"}]}}]},"principal":{"arn":"arn:aws:iam::123456789012:root","id":"123456789012"},"resource":"arn:aws:ec2:us-east-1:123456789012:vpc/*"},"explicitDeny":false,"failures":{"items":[]},"matchedStatements":{"items":[]}}"#);
    // An explicit deny is distinguished from a missing allow, and its statement is named.
    attach(&client, &[allow("*"), deny]);
    let (said, encoded) = refusal(&client, create);
    assert!(said.contains("with an explicit deny in an identity-based policy"), "{said}");
    let decode = format!("{DECODE}{}", encoded.expect("EC2 tells those who may know"));
    let decoded = first(&client.send(&decode).body, "DecodedMessage").replace("&quot;", "\"");
    for part in [r#""explicitDeny":true"#, r#""effect":"DENY""#, r#""statementId":"NoVpc""#] {
        assert!(decoded.contains(part), "{decoded}");
    }
    // Text that is not an encoded message is refused, and so is an empty one.
    let nonsense = client.refused(&format!("{DECODE}nonsense"));
    assert_eq!(nonsense, "400 InvalidAuthorizationMessageException");
    assert_eq!(client.refused(DECODE), "400 MissingParameter");
}

#[test]
fn an_action_about_everything_gives_no_details() {
    let client = Client::new();
    attach(&client, &[]);
    let (said, encoded) = refusal(&client, "DescribeVpcs");
    assert_eq!(encoded, None);
    let why =
        "ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action";
    assert!(said.ends_with(why), "{said}");
}

#[test]
fn a_dry_run_asks_what_the_caller_may_and_not_what_is_in_the_way() {
    let client = Client::new();
    let [vpc, subnet, _] = network(&client);
    let delete = |dry: &str| format!("DeleteVpc&VpcId={vpc}{dry}");
    let again = |dry: &str| format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24{dry}");
    assert_eq!(client.refused(&delete("")), "400 DependencyViolation");
    assert_eq!(client.refused(&again("")), "400 InvalidSubnet.Conflict");
    for dry in [delete("&DryRun=true"), again("&DryRun=true")] {
        assert_eq!(client.refused(&dry), "412 DryRunOperation");
    }
    // Parameters are checked nevertheless.
    let other = format!("CreateSubnet&VpcId={vpc}&CidrBlock=nonsense&DryRun=true");
    assert_eq!(client.refused(&other), "400 InvalidParameterValue");
    let gone = "DeleteVpc&VpcId=vpc-0123456789abcdef0&DryRun=true";
    assert_eq!(client.refused(gone), "400 InvalidVpcID.NotFound");
    // This action has no such parameter: a call with it is refused, and one without it takes effect.
    let attribute =
        format!("ModifySubnetAttribute&SubnetId={subnet}&MapPublicIpOnLaunch.Value=true");
    assert_eq!(client.refused(&format!("{attribute}&DryRun=true")), "400 UnknownParameter");
    client.ok(&attribute);
}

#[test]
fn each_service_refuses_in_its_own_words() {
    let client = Client::new();
    attach(&client, &[]);
    assert_eq!(client.refused("DescribeVpcs"), "403 UnauthorizedOperation");
    let balancers = "DescribeLoadBalancers&Version=2015-12-01";
    assert_eq!(client.refused(balancers), "403 AccessDenied");
    assert_eq!(client.send("GetCallerIdentity&Version=2011-06-15").error, None);
    client.cloud.set_policies(Vec::new());
    client.ok("DescribeVpcs");
}
