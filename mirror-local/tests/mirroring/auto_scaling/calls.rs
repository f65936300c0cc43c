//! What the calls of EC2 Auto Scaling return and refuse.

use super::{SECOND, Stage};
use insta::assert_snapshot;

#[test]
fn a_group_that_cannot_be_is_refused() {
    let stage = Stage::new();
    let client = &stage.client;
    let sizes = "&MinSize=1&MaxSize=2";
    let subnets = format!("&VPCZoneIdentifier={}", stage.subnets[0]);
    let template = format!("&LaunchTemplate.LaunchTemplateId={}", stage.template);
    let vpc = client.ec2("CreateVpc&CidrBlock=10.0.0.0/16").text("vpcId");
    let far = client.ec2(format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24"));
    let far = far.text("subnetId");
    let long = "x".repeat(256);
    let cases = [
        format!("{sizes}{subnets}{template}"),
        format!("&AutoScalingGroupName={long}{sizes}{subnets}{template}"),
        format!("&AutoScalingGroupName=a:b{sizes}{subnets}{template}"),
        format!("&AutoScalingGroupName=a+b{sizes}{subnets}{template}"),
        format!("&AutoScalingGroupName=%C3%A4{sizes}{subnets}{template}"),
        format!("&AutoScalingGroupName=h&MaxSize=2{subnets}{template}"),
        format!("&AutoScalingGroupName=h&MinSize=2{subnets}{template}"),
        format!("&AutoScalingGroupName=h&MinSize=3&MaxSize=2{subnets}{template}"),
        format!("&AutoScalingGroupName=h{sizes}&DesiredCapacity=3{subnets}{template}"),
        format!("&AutoScalingGroupName=h{sizes}&DesiredCapacity=0{subnets}{template}"),
        format!("&AutoScalingGroupName=h&MinSize=-1&MaxSize=2{subnets}{template}"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}"),
        format!("&AutoScalingGroupName=h{sizes}{template}"),
        format!("&AutoScalingGroupName=h{sizes}{template}{subnets},subnet-00000000000000000"),
        format!("&AutoScalingGroupName=h{sizes}{template}{subnets},{far}"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}{template}&LaunchTemplate.Version=7"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}&LaunchTemplate.LaunchTemplateName=none"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}{template}&HealthCheckType=elb"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}{template}&Tags.member.1.Key=aws:x"),
        format!("&AutoScalingGroupName=h{sizes}{subnets}{template}&HealthCheckGracePeriod=soon"),
    ];
    for rest in cases {
        let refused = client.scaling_refused(format!("CreateAutoScalingGroup{rest}"));
        assert_eq!(refused, "ValidationError", "{rest}");
    }
    let foreign =
        format!("&AutoScalingGroupName=h{sizes}{subnets}{template}&CapacityRebalance=true");
    let refused = client.scaling_refused(format!("CreateAutoScalingGroup{foreign}"));
    assert_eq!(refused, "UnsupportedOperation");
    client.scaling(format!(
        "CreateAutoScalingGroup&AutoScalingGroupName=h{sizes}{subnets}{template}\
         &AvailabilityZoneDistribution.CapacityDistributionStrategy=balanced-best-effort"
    ));
    let groups = client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName");
    assert_eq!(groups, ["h"]);
}

#[test]
fn a_template_that_nothing_can_be_launched_from_makes_no_group() {
    let stage = Stage::new();
    let client = &stage.client;
    let image = client.ec2("DescribeImages").text("imageId");
    for (number, data) in [
        "ImageId=ami-00000000000000000".to_owned(),
        "InstanceType=t3.micro".to_owned(),
        format!("ImageId={image}&LaunchTemplateData.InstanceType=t3.enormous"),
        format!("ImageId={image}&LaunchTemplateData.SecurityGroupId.1=sg-00000000000000000"),
        format!("ImageId={image}&LaunchTemplateData.KeyName=nobodys"),
    ]
    .into_iter()
    .enumerate()
    {
        client.ec2(format!(
            "CreateLaunchTemplate&LaunchTemplateName=bad{number}&LaunchTemplateData.{data}"
        ));
        let create = stage.group("&MinSize=1&MaxSize=1").replace(
            &format!("LaunchTemplateId={}", stage.template),
            &format!("LaunchTemplateName=bad{number}"),
        );
        assert_eq!(client.scaling_refused(create), "ValidationError", "{data}");
    }
    assert_eq!(client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName").len(), 0);
    assert_eq!(client.ec2("DescribeInstances").texts("instanceId").len(), 0);
}

#[test]
fn every_call_on_a_group_wants_one_that_is_there_and_stays() {
    let stage = Stage::new();
    let client = &stage.client;
    let calls = [
        "UpdateAutoScalingGroup&AutoScalingGroupName=g&MinSize=0".to_owned(),
        "SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity=1".to_owned(),
        format!(
            "AttachLoadBalancerTargetGroups&AutoScalingGroupName=g&TargetGroupARNs.member.1={}",
            stage.target_group
        ),
    ];
    let reads = [
        "DescribeLoadBalancerTargetGroups&AutoScalingGroupName=g",
        "DescribeScalingActivities&AutoScalingGroupName=g",
        "DeleteAutoScalingGroup&AutoScalingGroupName=g&ForceDelete=true",
    ];
    for call in calls.iter().map(String::as_str).chain(reads) {
        assert_eq!(client.scaling_refused(call), "ValidationError", "{call}");
    }
    let create = stage.group("&MinSize=1&MaxSize=2");
    client.scaling(&create);
    stage.settle();
    for call in &calls {
        client.scaling(call);
    }
    let delete = "DeleteAutoScalingGroup&AutoScalingGroupName=g&ForceDelete=true";
    client.scaling(delete);
    client.scaling(delete);
    for call in &calls {
        assert_eq!(client.scaling_refused(call), "ValidationError", "{call}");
    }
    assert_eq!(client.scaling_refused(&create), "AlreadyExists");
    client.wait(10 * SECOND);
    client.scaling(&create);
}

#[test]
fn a_group_with_instances_goes_only_by_force() {
    let stage = Stage::new();
    let client = &stage.client;
    let delete = "DeleteAutoScalingGroup&AutoScalingGroupName=g";
    client.scaling(stage.group("&MinSize=0&MaxSize=2&DesiredCapacity=1"));
    assert_eq!(stage.instances().len(), 1);
    assert_eq!(client.scaling_refused(delete), "ScalingActivityInProgress");
    stage.settle();
    assert_eq!(client.scaling_refused(delete), "ResourceInUse");
    stage.update("&DesiredCapacity=0");
    assert_eq!(stage.instances().len(), 1);
    assert_eq!(client.scaling_refused(delete), "ScalingActivityInProgress");
    client.wait(10 * SECOND);
    client.scaling(delete);
    assert_eq!(client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName").len(), 0);
}

#[test]
fn the_capacity_stays_within_its_bounds() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=1&MaxSize=2"));
    let set = |n: &str| format!("SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity={n}");
    assert_eq!(client.scaling_refused(set("3")), "ValidationError");
    assert_eq!(client.scaling_refused(set("0")), "ValidationError");
    assert_eq!(client.scaling_refused(set("")), "ValidationError");
    assert_eq!(stage.instances().len(), 1);
    let honored = format!("{}&HonorCooldown=true", set("2"));
    assert_eq!(client.scaling_refused(&honored), "ScalingActivityInProgress");
    stage.settle();
    client.scaling(honored);
    for rest in ["&MinSize=3", "&DesiredCapacity=3", "&MaxSize=1&DesiredCapacity=2"] {
        let call = format!("UpdateAutoScalingGroup&AutoScalingGroupName=g{rest}");
        assert_eq!(client.scaling_refused(call), "ValidationError", "{rest}");
    }
    stage.update("&MaxSize=1");
}

#[test]
fn an_instance_can_be_terminated_with_or_without_another_one() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=1&MaxSize=2&DesiredCapacity=2"));
    stage.settle();
    let terminate = |id: &str, decrement: &str| {
        format!(
            "TerminateInstanceInAutoScalingGroup&InstanceId={id}\
             &ShouldDecrementDesiredCapacity={decrement}"
        )
    };
    let first = stage.ids().remove(0);
    let activity = client.scaling(terminate(&first, "false"));
    assert_snapshot!(activity.outline("Activity").replace(&first, "ID"), @"
    ActivityId c6026222-d31c-4a97-acc4-c1d6072dc22b
    AutoScalingGroupName g
    Description Terminating EC2 instance: ID
    Cause At 2026-01-02T03:04:25Z an instance was taken out of service in response to a user request.
    StartTime 2026-01-02T03:04:25Z
    StatusCode WaitingForELBConnectionDraining
    Progress 20
    Details {}
    AutoScalingGroupARN arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:fbeb05b7-1f10-42a3-a96c-d8468ed860ee:autoScalingGroupName/g
    ");
    stage.settle();
    assert_eq!((stage.ids().len(), stage.ids().contains(&first)), (2, false));
    let second = stage.ids().remove(0);
    client.scaling(terminate(&second, "true"));
    stage.settle();
    assert_eq!((stage.ids().len(), stage.ids().contains(&second)), (1, false));
    let last = stage.ids().remove(0);
    assert_eq!(client.scaling_refused(terminate(&last, "true")), "ValidationError");
    assert_eq!(client.scaling_refused(terminate(&first, "false")), "ValidationError");
    let vague = format!("TerminateInstanceInAutoScalingGroup&InstanceId={last}");
    assert_eq!(client.scaling_refused(vague), "ValidationError");
}

#[test]
fn groups_and_instances_are_found_by_name_by_tag_and_in_pages() {
    let stage = Stage::new();
    let client = &stage.client;
    for name in ["a", "b", "c"] {
        let tags = format!("&MinSize=1&MaxSize=1&Tags.member.1.Key=k&Tags.member.1.Value={name}");
        client.scaling(stage.group(&tags).replace("Name=g&", &format!("Name={name}&")));
    }
    let names = |rest: &str| {
        let told = client.scaling(format!("DescribeAutoScalingGroups{rest}"));
        told.texts("AutoScalingGroupName")
    };
    assert_eq!(names(""), ["a", "b", "c"]);
    assert_eq!(names("&AutoScalingGroupNames.member.1=b&AutoScalingGroupNames.member.2=x"), ["b"]);
    let filter = "&Filters.member.1.Values.member.1=b&Filters.member.1.Name=";
    assert_eq!(names(&format!("{filter}tag:k")), ["b"]);
    assert_eq!(names(&format!("{filter}tag:other")), Vec::<String>::new());
    assert_eq!(names(&format!("{filter}tag-value")), ["b"]);
    assert_eq!(names(&format!("{filter}tag-key")), Vec::<String>::new());
    let page = client.scaling("DescribeAutoScalingGroups&MaxRecords=2");
    assert_eq!(page.texts("AutoScalingGroupName"), ["a", "b"]);
    assert_eq!(names(&format!("&MaxRecords=2&NextToken={}", page.text("NextToken"))), ["c"]);
    let bare = client.scaling("DescribeAutoScalingGroups&IncludeInstances=false");
    assert_eq!(bare.texts("InstanceId"), Vec::<String>::new());
    for (rest, code) in [
        (format!("{filter}name"), "ValidationError"),
        ("&MaxRecords=101".to_owned(), "ValidationError"),
        ("&MaxRecords=0".to_owned(), "ValidationError"),
        ("&NextToken=x".to_owned(), "InvalidNextToken"),
    ] {
        let call = format!("DescribeAutoScalingGroups{rest}");
        assert_eq!(client.scaling_refused(call), code, "{rest}");
    }
    let instances = client.scaling("DescribeAutoScalingInstances&MaxRecords=2");
    assert_eq!(instances.texts("InstanceId").len(), 2);
    let one = instances.text("InstanceId");
    let told = client.scaling(format!(
        "DescribeAutoScalingInstances&InstanceIds.member.1={one}&InstanceIds.member.2=i-0"
    ));
    assert_snapshot!(told.outline("AutoScalingInstances").replace(&one, "ID"), @"
    member
      AutoScalingGroupName b
      InstanceId ID
      InstanceType t3.micro
      AvailabilityZone us-east-1b
      AvailabilityZoneId use1-az2
      LifecycleState Pending
      HealthStatus HEALTHY
      LaunchTemplate
        LaunchTemplateId lt-0056efcaf8f7a4e4f
        LaunchTemplateName sensor
        Version 1
      ImageId ami-02aecb989086f735e
      ProtectedFromScaleIn false
    ");
}

#[test]
fn tags_of_a_group_are_its_own_and_reach_new_instances() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=1&MaxSize=2"));
    stage.settle();
    let tag = |action: &str, rest: &str| {
        format!(
            "{action}&Tags.member.1.ResourceId=g&Tags.member.1.ResourceType=auto-scaling-group\
             &Tags.member.1.Key=role{rest}"
        )
    };
    let set = |rest: &str| tag("CreateOrUpdateTags", &format!("&Tags.member.1.Value=x{rest}"));
    client.scaling(set("&Tags.member.1.PropagateAtLaunch=true"));
    stage.update("&DesiredCapacity=2");
    stage.settle();
    let tagged = "DescribeInstances&Filter.1.Name=tag:role&Filter.1.Value.1=x";
    assert_eq!(client.ec2(tagged).texts("instanceId").len(), 1);
    let described = client
        .scaling("DescribeTags&Filters.member.1.Name=key&Filters.member.1.Values.member.1=role");
    assert_snapshot!(described.outline("Tags"), @"
    member
      ResourceId g
      ResourceType auto-scaling-group
      Key role
      Value x
      PropagateAtLaunch true
    ");
    client.scaling(set(""));
    let propagated = "DescribeTags&Filters.member.1.Name=propagate-at-launch&Filters.member.1.Values.member.1=true";
    assert_eq!(client.scaling(propagated).texts("Key"), Vec::<String>::new());
    client.scaling(tag("DeleteTags", ""));
    assert_eq!(client.scaling("DescribeTags").texts("Key"), Vec::<String>::new());
    let all =
        client.ec2("DescribeTags&Filter.1.Name=resource-type&Filter.1.Value.1=auto-scaling-group");
    assert_eq!(all.texts("key"), Vec::<String>::new());
    for call in [
        set("").replace("ResourceId=g", "ResourceId=h"),
        set("").replace("auto-scaling-group", "instance"),
        set("").replace("Key=role", "Key=aws:role"),
        tag("DeleteTags", "").replace("Key=role", "Key=aws:role"),
        "CreateOrUpdateTags".to_owned(),
    ] {
        assert_eq!(client.scaling_refused(&call), "ValidationError", "{call}");
    }
    let id = stage.ids().remove(0);
    let forged = format!("CreateTags&ResourceId.1={id}&Tag.1.Key=aws:autoscaling:groupName");
    assert_eq!(client.ec2_refused(forged), "InvalidParameterValue");
}

#[test]
fn activities_say_what_was_done_and_why() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=0&MaxSize=1&DesiredCapacity=1"));
    let id = stage.ids().remove(0);
    let told = |rest: &str| client.scaling(format!("DescribeScalingActivities{rest}"));
    assert_eq!(told("").text("StatusCode"), "PreInService");
    stage.settle();
    stage.update("&DesiredCapacity=0");
    client.wait(10 * SECOND);
    assert_snapshot!(told("").outline("Activities").replace(&id, "ID"), @"
    member
      ActivityId ac0228fd-43db-451d-a71c-95801c77de70
      AutoScalingGroupName g
      Description Terminating EC2 instance: ID
      Cause At 2026-01-02T03:04:25Z an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from 1 to 0.
      StartTime 2026-01-02T03:04:25Z
      EndTime 2026-01-02T03:04:27Z
      StatusCode Successful
      Progress 100
      Details {}
      AutoScalingGroupARN arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:fbeb05b7-1f10-42a3-a96c-d8468ed860ee:autoScalingGroupName/g
    member
      ActivityId d60f4a9a-966c-47d3-ac6e-da8019a8eb9e
      AutoScalingGroupName g
      Description Launching a new EC2 instance: ID
      Cause At 2026-01-02T03:04:15Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 1.
      StartTime 2026-01-02T03:04:15Z
      EndTime 2026-01-02T03:04:17Z
      StatusCode Successful
      Progress 100
      Details {}
      AutoScalingGroupARN arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:fbeb05b7-1f10-42a3-a96c-d8468ed860ee:autoScalingGroupName/g
    ");
    let page = told("&MaxRecords=1");
    assert!(page.text("Description").starts_with("Terminating"));
    let next = told(&format!("&MaxRecords=1&NextToken={}", page.text("NextToken")));
    assert!(next.text("Description").starts_with("Launching"));
    let one = told(&format!("&ActivityIds.member.1={}", next.text("ActivityId")));
    assert_eq!(one.texts("ActivityId"), next.texts("ActivityId"));
    let unknown = "DescribeScalingActivities&ActivityIds.member.1=x";
    assert_eq!(client.scaling_refused(unknown), "ValidationError");
    client.scaling("DeleteAutoScalingGroup&AutoScalingGroupName=g");
    client.wait(SECOND);
    assert_eq!(told("").texts("ActivityId").len(), 0);
    let deleted = told("&IncludeDeletedGroups=true&AutoScalingGroupName=g");
    assert_eq!(deleted.texts("AutoScalingGroupState"), ["Deleted"; 2]);
}
