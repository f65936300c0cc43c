//! The target groups of Auto Scaling groups.

use super::{SECOND, Stage};
use crate::client::Client;
use mirror_local::DEFAULT_REGION;
use mirror_local::data_plane::DataPlane;
use std::collections::BTreeSet;

fn call(action: &str, target_group: &str) -> String {
    format!(
        "{action}LoadBalancerTargetGroups&AutoScalingGroupName=g&TargetGroupARNs.member.1={target_group}"
    )
}

/// The states of the target groups of the Auto Scaling group.
fn states(client: &Client) -> Vec<String> {
    client.scaling("DescribeLoadBalancerTargetGroups&AutoScalingGroupName=g").texts("State")
}

#[test]
fn target_groups_come_and_go_with_the_instances_staying() {
    let stage = Stage::new();
    stage.open();
    let (client, target_group) = (&stage.client, &*stage.target_group);
    client.scaling(stage.group("&MinSize=2&MaxSize=2&HealthCheckType=ELB"));
    stage.settle();
    let ids = stage.ids();
    client.scaling(call("Attach", target_group));
    client.scaling(call("Attach", target_group));
    assert_eq!((states(client), stage.health()), (vec!["Added".into()], vec!["initial".into(); 2]));
    client.wait(2 * SECOND);
    assert_eq!(
        (states(client), stage.health()),
        (vec!["InService".into()], vec!["healthy".into(); 2])
    );
    client.scaling(call("Detach", target_group));
    assert_eq!(
        (states(client), stage.health()),
        (vec!["Removing".into()], vec!["draining".into(); 2])
    );
    client.wait(SECOND);
    assert_eq!((states(client), stage.health()), (vec![], vec![]));
    assert_eq!(stage.ids(), ids);
    assert_eq!(client.scaling_refused(call("Detach", target_group)), "ValidationError");
}

#[test]
fn a_target_group_that_was_attached_later_is_believed_once_it_has_found_one_well() {
    let stage = Stage::new();
    let (client, target_group) = (&stage.client, &*stage.target_group);
    client.scaling(stage.group("&MinSize=2&MaxSize=2&HealthCheckType=ELB"));
    stage.settle();
    let ids = stage.ids();
    client.scaling(call("Attach", target_group));
    client.wait(600 * SECOND);
    assert_eq!((states(client), stage.ids()), (vec!["Added".into()], ids.clone()));
    stage.open();
    client.wait(SECOND);
    assert_eq!((states(client), stage.ids()), (vec!["InService".into()], ids.clone()));
    let group = client.ec2("DescribeSecurityGroups").text("groupId");
    client.ec2(format!(
        "RevokeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
         &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
    ));
    client.wait(SECOND);
    assert!(stage.ids().iter().any(|id| !ids.contains(id)));
}

#[test]
fn only_target_groups_for_instances_of_the_vpc_can_be_attached() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=0&MaxSize=2"));
    let other = client.ec2("CreateVpc&CidrBlock=10.0.0.0/16").text("vpcId");
    let make = |rest: &str| {
        let call = format!("CreateTargetGroup&Protocol=UDP&Port=4789&HealthCheckPort=80{rest}");
        client.elb(call).text("TargetGroupArn")
    };
    let elsewhere = make(&format!("&Name=elsewhere&VpcId={other}"));
    let addresses = make(&format!("&Name=addresses&TargetType=ip&VpcId={}", client.vpc()));
    let gone = client.target_group("gone");
    client.elb(format!("DeleteTargetGroup&TargetGroupArn={gone}"));
    for arn in [elsewhere, addresses, gone] {
        assert_eq!(client.scaling_refused(call("Attach", &arn)), "ValidationError", "{arn}");
        let create = stage.group(&format!("&MinSize=0&MaxSize=1&TargetGroupARNs.member.1={arn}"));
        let create = create.replace("Name=g&", "Name=h&");
        assert_eq!(client.scaling_refused(create), "ValidationError", "{arn}");
    }
    let nothing = "AttachLoadBalancerTargetGroups&AutoScalingGroupName=g";
    assert_eq!(client.scaling_refused(nothing), "ValidationError");
    client.scaling(call("Attach", &stage.target_group));
}

#[test]
fn a_target_group_may_go_and_then_nothing_can_be_launched() {
    let stage = Stage::new();
    let client = &stage.client;
    let loose = client.target_group("loose");
    client.scaling(stage.group(&format!("&MinSize=1&MaxSize=2&TargetGroupARNs.member.1={loose}")));
    stage.settle();
    client.elb(format!("DeleteTargetGroup&TargetGroupArn={loose}"));
    stage.update("&DesiredCapacity=2");
    client.wait(10 * SECOND);
    assert_eq!(stage.instances().len(), 1);
    let activities = client.scaling("DescribeScalingActivities");
    insta::assert_snapshot!(activities.text("StatusMessage"), @"One or more target groups not found. Validating load balancer configuration failed.");
    client.scaling(call("Detach", &loose));
    stage.settle();
    assert_eq!(stage.instances().len(), 2);
}

#[test]
fn copies_go_to_the_instances_of_the_group_as_they_come_and_go() {
    let stage = Stage::new();
    stage.open();
    let client = &stage.client;
    client.scaling(stage.group(&stage.watched("&MinSize=0&MaxSize=3&DesiredCapacity=2")));
    stage.settle();
    let balancer = client.elb("DescribeLoadBalancers").text("LoadBalancerArn");
    client.elb(format!(
        "ModifyLoadBalancerAttributes&LoadBalancerArn={balancer}\
         &Attributes.member.1.Key=load_balancing.cross_zone.enabled&Attributes.member.1.Value=true"
    ));
    let target = client.ec2(format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={balancer}"));
    let source = client.ec2(format!(
        "RunInstances&ImageId={}&InstanceType=t3.micro&MinCount=1&MaxCount=1",
        client.ec2("DescribeImages").text("imageId")
    ));
    let rest = format!("TrafficMirrorFilterId={}&SessionNumber=1", client.filter());
    let target = target.text("trafficMirrorTargetId");
    client.session(&source.text("networkInterfaceId"), &target, &rest);
    client.wait(SECOND);
    let receivers = || {
        let plane = DataPlane::of(&client.cloud, DEFAULT_REGION, 9001).expect("it is in memory");
        let instances = plane.receivers().iter().filter_map(|receiver| receiver.instance());
        instances.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let members = || stage.ids().into_iter().collect();
    assert_eq!((receivers(), receivers().len()), (members(), 2));
    stage.update("&DesiredCapacity=3");
    stage.settle();
    assert_eq!((receivers(), receivers().len()), (members(), 3));
    stage.update("&DesiredCapacity=1");
    stage.settle();
    assert_eq!((receivers(), receivers().len()), (members(), 1));
}
