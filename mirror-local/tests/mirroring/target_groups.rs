//! Target groups, their targets, and the listeners in front of them.

use crate::client::Client;
use insta::assert_snapshot;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn health_checks_are_checked() {
    let client = Client::new();
    let vpc = client.vpc();
    let make =
        |rest: &str| format!("CreateTargetGroup&Name=x&Protocol=UDP&Port=4789&VpcId={vpc}{rest}");
    let cases = [
        ("&HealthCheckProtocol=UDP", "InvalidConfigurationRequest"),
        ("&HealthCheckProtocol=X", "ValidationError"),
        ("&HealthCheckPort=0", "ValidationError"),
        ("&HealthCheckIntervalSeconds=4", "ValidationError"),
        ("&HealthCheckTimeoutSeconds=121", "ValidationError"),
        ("&HealthCheckTimeoutSeconds=60", "ValidationError"),
        ("&HealthyThresholdCount=1", "ValidationError"),
        ("&HealthCheckPath=/", "InvalidConfigurationRequest"),
        ("&HealthCheckProtocol=HTTP&HealthCheckPath=x", "ValidationError"),
        ("&HealthCheckProtocol=HTTP&Matcher.HttpCode=99", "ValidationError"),
        ("&HealthCheckEnabled=false", "InvalidConfigurationRequest"),
        ("&TargetType=lambda", "InvalidConfigurationRequest"),
    ];
    for (rest, code) in cases {
        assert_eq!(client.elb_refused(make(rest)), code, "{rest}");
    }
    let made = client.elb(make("&HealthCheckProtocol=HTTP&HealthCheckPort=80"));
    assert_snapshot!(made.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <CreateTargetGroupResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <CreateTargetGroupResult>
    <TargetGroups>
    <member>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/babfda1da2be0df0</TargetGroupArn>
    <TargetGroupName>x</TargetGroupName>
    <Protocol>UDP</Protocol>
    <Port>4789</Port>
    <VpcId>vpc-0a2211df3ac6c0152</VpcId>
    <HealthCheckProtocol>HTTP</HealthCheckProtocol>
    <HealthCheckPort>80</HealthCheckPort>
    <HealthCheckEnabled>true</HealthCheckEnabled>
    <HealthCheckIntervalSeconds>30</HealthCheckIntervalSeconds>
    <HealthCheckTimeoutSeconds>6</HealthCheckTimeoutSeconds>
    <HealthyThresholdCount>5</HealthyThresholdCount>
    <UnhealthyThresholdCount>2</UnhealthyThresholdCount>
    <HealthCheckPath>/</HealthCheckPath>
    <Matcher>
    <HttpCode>200-399</HttpCode>
    </Matcher>
    <LoadBalancerArns>
    </LoadBalancerArns>
    <TargetType>instance</TargetType>
    <IpAddressType>ipv4</IpAddressType>
    </member>
    </TargetGroups>
    </CreateTargetGroupResult>
    <ResponseMetadata>
    <RequestId>6775b4ff-c833-4711-ac24-d82560b20127</RequestId>
    </ResponseMetadata>
    </CreateTargetGroupResponse>
    "#);
    let arn = made.text("TargetGroupArn");
    let modified = client.elb(format!(
        "ModifyTargetGroup&TargetGroupArn={arn}&HealthCheckProtocol=TCP&HealthyThresholdCount=2"
    ));
    assert_eq!(modified.texts("HealthCheckPath"), Vec::<String>::new());
    assert_eq!(modified.text("HealthyThresholdCount"), "2");
}

/// Returns the call that makes a listener; `rest` names its protocol and port.
fn listener(lb: &str, group: &str, rest: &str) -> String {
    format!(
        "CreateListener&LoadBalancerArn={lb}{rest}&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn={group}"
    )
}

#[test]
fn a_listener_forwards_to_one_target_group() {
    let client = Client::new();
    let (lb, group) = (client.load_balancer("x"), client.target_group("y"));
    let call = listener(&lb, &group, "&Protocol=UDP&Port=4789");
    let made = client.elb(&call);
    assert_snapshot!(made.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <CreateListenerResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <CreateListenerResult>
    <Listeners>
    <member>
    <ListenerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/net/x/e53213d40c88187d/3d5697e42d892089</ListenerArn>
    <LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/x/e53213d40c88187d</LoadBalancerArn>
    <Port>4789</Port>
    <Protocol>UDP</Protocol>
    <DefaultActions>
    <member>
    <Type>forward</Type>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/y/babfda1da2be0df0</TargetGroupArn>
    <ForwardConfig>
    <TargetGroups>
    <member>
    <TargetGroupArn>arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/y/babfda1da2be0df0</TargetGroupArn>
    </member>
    </TargetGroups>
    </ForwardConfig>
    </member>
    </DefaultActions>
    </member>
    </Listeners>
    </CreateListenerResult>
    <ResponseMetadata>
    <RequestId>18b026ec-8d94-458f-aacc-e4205c59c878</RequestId>
    </ResponseMetadata>
    </CreateListenerResponse>
    "#);
    let arn = made.text("ListenerArn");
    assert_eq!(client.elb(&call).text("ListenerArn"), arn);
    let other = client.target_group("z");
    let same_port = listener(&lb, &other, "&Protocol=UDP&Port=4789");
    assert_eq!(client.elb_refused(same_port), "DuplicateListener");
    let tcp = listener(&lb, &other, "&Protocol=TCP&Port=80");
    assert_eq!(client.elb_refused(tcp), "IncompatibleProtocols");
    let tls = listener(&lb, &other, "&Protocol=TLS&Port=443");
    assert_eq!(client.elb_refused(tls), "ValidationError");
    let second = client.load_balancer("w");
    let shared = listener(&second, &group, "&Protocol=UDP&Port=4789");
    assert_eq!(client.elb_refused(shared), "TargetGroupAssociationLimit");
    let delete_group = format!("DeleteTargetGroup&TargetGroupArn={group}");
    assert_eq!(client.elb_refused(&delete_group), "ResourceInUse");
    client.elb(format!("DeleteLoadBalancer&LoadBalancerArn={lb}"));
    let describe = format!("DescribeListeners&ListenerArns.member.1={arn}");
    assert_eq!(client.elb_refused(describe), "ListenerNotFound");
    client.elb(&delete_group);
    client.elb(&delete_group);
}

#[test]
fn a_listener_can_be_pointed_elsewhere() {
    let client = Client::new();
    let (lb, a, b) =
        (client.load_balancer("x"), client.target_group("a"), client.target_group("b"));
    let arn = client.elb(listener(&lb, &a, "&Protocol=UDP&Port=4789")).text("ListenerArn");
    let modified = client.elb(format!(
        "ModifyListener&ListenerArn={arn}&Port=4790&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn={b}"
    ));
    assert_eq!(
        (modified.text("Port"), modified.text("TargetGroupArn")),
        ("4790".into(), b.clone())
    );
    let of_lb = client.elb(format!("DescribeTargetGroups&LoadBalancerArn={lb}"));
    assert_eq!(of_lb.texts("TargetGroupName"), ["b"]);
    let listeners = client.elb(format!("DescribeListeners&LoadBalancerArn={lb}"));
    assert_eq!(listeners.texts("ListenerArn"), [arn]);
}

/// Launches an instance in its own security group in the default VPC; returns both ids.
fn instance(client: &Client) -> (String, String) {
    let vpc = client.vpc();
    let group = client
        .ec2(format!("CreateSecurityGroup&GroupName=g&GroupDescription=g&VpcId={vpc}"))
        .text("groupId");
    let image = client.ec2("DescribeImages").text("imageId");
    let subnet = client.subnets().remove(0);
    let run = format!(
        "RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1\
         &SubnetId={subnet}&SecurityGroupId.1={group}"
    );
    (client.ec2(run).text("instanceId"), group)
}

#[test]
fn targets_go_through_their_states() {
    let client = Client::new();
    let (lb, group) = (client.load_balancer("x"), client.target_group("y"));
    let (instance, security_group) = instance(&client);
    let register = format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id={instance}");
    assert_eq!(client.elb_refused(&register), "InvalidTarget");
    client.wait(SECOND * 2);
    client.elb(&register);
    client.elb(&register);
    let health = || {
        let answer = client.elb(format!("DescribeTargetHealth&TargetGroupArn={group}"));
        let states = answer.texts("State").into_iter();
        let mut reasons = answer.texts("Reason").into_iter();
        states
            .map(|state| format!("{state} {}", reasons.next().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(health(), ["unused Target.NotInUse"]);
    client.elb(listener(&lb, &group, "&Protocol=UDP&Port=4789"));
    assert_eq!(health(), ["initial Elb.InitialHealthChecking"]);
    client.wait(SECOND);
    assert_eq!(health(), ["unhealthy Target.FailedHealthChecks"]);
    client.ec2(format!(
        "AuthorizeSecurityGroupIngress&GroupId={security_group}&IpPermissions.1.IpProtocol=tcp\
         &IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=80\
         &IpPermissions.1.IpRanges.1.CidrIp=172.31.0.0/16"
    ));
    assert_eq!(health(), ["healthy "]);
    client.elb(&register);
    assert_eq!(health(), ["healthy "]);
    let deregister = register.replace("RegisterTargets", "DeregisterTargets");
    client.elb(&deregister);
    assert_eq!(health(), ["draining Target.DeregistrationInProgress"]);
    client.elb(&register);
    assert_eq!(health(), ["initial Elb.InitialHealthChecking"]);
    client.elb(&deregister);
    client.wait(SECOND);
    assert_eq!(health(), Vec::<String>::new());
    let asked = client
        .elb(format!("DescribeTargetHealth&TargetGroupArn={group}&Targets.member.1.Id={instance}"));
    assert_snapshot!(asked.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <DescribeTargetHealthResult>
    <TargetHealthDescriptions>
    <member>
    <Target>
    <Id>i-097b13e5f0783c338</Id>
    <Port>4789</Port>
    </Target>
    <HealthCheckPort>80</HealthCheckPort>
    <TargetHealth>
    <State>unused</State>
    <Reason>Target.NotRegistered</Reason>
    <Description>Target is not registered to the target group</Description>
    </TargetHealth>
    </member>
    </TargetHealthDescriptions>
    </DescribeTargetHealthResult>
    <ResponseMetadata>
    <RequestId>6a3bb5d7-9aaa-4126-ad83-27b556f1fa75</RequestId>
    </ResponseMetadata>
    </DescribeTargetHealthResponse>
    "#);
}

#[test]
fn a_target_in_a_zone_that_is_not_enabled_is_unused() {
    let client = Client::new();
    let (lb, group) = (client.load_balancer("x"), client.target_group("y"));
    let subnets = client.subnets();
    let (instance, _) = instance(&client);
    client.wait(SECOND * 2);
    client.elb(format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id={instance}"));
    client.elb(listener(&lb, &group, "&Protocol=UDP&Port=4789"));
    let moved =
        client.elb(format!("SetSubnets&LoadBalancerArn={lb}&Subnets.member.1={}", subnets[1]));
    assert_eq!(moved.texts("SubnetId"), subnets[1..2]);
    let health = client.elb(format!("DescribeTargetHealth&TargetGroupArn={group}"));
    assert_eq!(
        (health.text("State"), health.text("Reason")),
        ("unused".into(), "Target.NotInUse".into())
    );
}

#[test]
fn addresses_can_be_targets() {
    let client = Client::new();
    let vpc = client.vpc();
    let group = client
        .elb(format!("CreateTargetGroup&Name=x&Protocol=UDP&Port=4789&VpcId={vpc}&TargetType=ip"))
        .text("TargetGroupArn");
    let register = |target: &str| format!("RegisterTargets&TargetGroupArn={group}{target}");
    client.elb(register("&Targets.member.1.Id=172.31.0.9&Targets.member.1.Port=1"));
    client.elb(register("&Targets.member.1.Id=10.9.9.9&Targets.member.1.AvailabilityZone=all"));
    let outside = register("&Targets.member.1.Id=10.9.9.9");
    assert_eq!(client.elb_refused(outside), "InvalidTarget");
    assert_eq!(client.elb_refused(register("&Targets.member.1.Id=i-1")), "ValidationError");
    assert_eq!(client.elb_refused(register("")), "ValidationError");
}

#[test]
fn a_load_balancer_has_so_many_targets_in_all_its_groups() {
    let client = Client::new();
    let (vpc, lb) = (client.vpc(), client.load_balancer("x"));
    let group = |name: &str| {
        let make = format!("CreateTargetGroup&Name={name}&Protocol=UDP&Port=4789&VpcId={vpc}");
        client.elb(make + "&TargetType=ip").text("TargetGroupArn")
    };
    let (a, b) = (group("a"), group("b"));
    let register = |group: &str, target: &str, ports: std::ops::Range<u16>| {
        let of = |port: u16| {
            let member = format!("&Targets.member.{}", port + 1 - ports.start);
            format!(
                "{member}.Id={}{member}.Port={port}",
                target.replace('&', &(member.clone() + "."))
            )
        };
        let targets: String = ports.clone().map(of).collect();
        format!("RegisterTargets&TargetGroupArn={group}{targets}")
    };
    let (inside, outside) = ("172.31.0.9", "10.9.9.9&AvailabilityZone=all");
    let of_a = client.elb(listener(&lb, &a, "&Protocol=UDP&Port=4789")).text("ListenerArn");
    client.elb(register(&a, inside, 1..501));
    assert_eq!(client.elb_refused(register(&a, inside, 501..502)), "TooManyTargets");
    // A group in use by nobody may have as many, but not be used as well: only in place of the other.
    client.elb(register(&b, inside, 1..501));
    let behind_b = listener(&lb, &b, "&Protocol=UDP&Port=4790");
    assert_eq!(client.elb_refused(&behind_b), "TooManyTargets");
    client.elb(format!(
        "ModifyListener&ListenerArn={of_a}&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn={b}"
    ));
    // One that has drained does not count any more.
    client.elb(register(&b, inside, 1..501).replace("RegisterTargets", "DeregisterTargets"));
    client.wait(SECOND * 2);
    client.elb(listener(&lb, &a, "&Protocol=UDP&Port=4790"));
    // Somewhere else there is room, but not across zones.
    let across = |is_on: bool| {
        client.elb(format!(
            "ModifyLoadBalancerAttributes&LoadBalancerArn={lb}\
             &Attributes.member.1.Key=load_balancing.cross_zone.enabled\
             &Attributes.member.1.Value={is_on}"
        ))
    };
    across(true);
    assert_eq!(client.elb_refused(register(&b, outside, 1..2)), "TooManyTargets");
    across(false);
    client.elb(register(&b, outside, 1..2));
}

#[test]
fn a_load_balancer_probes_only_what_its_own_groups_let_out() {
    let client = Client::new();
    let (vpc, group) = (client.vpc(), client.target_group("y"));
    let (instance, guard) = instance(&client);
    let subnet = client.ec2("DescribeInstances").text("subnetId");
    let own = client
        .ec2(format!("CreateSecurityGroup&GroupName=own&GroupDescription=g&VpcId={vpc}"))
        .text("groupId");
    let lb = client
        .elb(format!(
            "CreateLoadBalancer&Name=x&Type=network&Scheme=internal&Subnets.member.1={subnet}\
             &SecurityGroups.member.1={own}"
        ))
        .text("LoadBalancerArn");
    client.ec2(format!(
        "AuthorizeSecurityGroupIngress&GroupId={guard}&IpPermissions.1.IpProtocol=tcp\
         &IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=80\
         &IpPermissions.1.Groups.1.GroupId={own}"
    ));
    client.wait(SECOND * 2);
    client.elb(format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id={instance}"));
    client.elb(listener(&lb, &group, "&Protocol=UDP&Port=4789"));
    client.wait(SECOND);
    let health = format!("DescribeTargetHealth&TargetGroupArn={group}");
    assert_eq!(client.elb(&health).text("State"), "healthy");
    client.ec2(format!(
        "RevokeSecurityGroupEgress&GroupId={own}&IpPermissions.1.IpProtocol=-1\
         &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
    ));
    assert_eq!(client.elb(&health).text("State"), "unhealthy");
}
