//! Auto Scaling groups: what they launch, keep, replace and terminate.

mod calls;
mod health;
mod laws;
mod targets;

use crate::client::Client;
use insta::assert_snapshot;
use mirror_local::{Cloud, Durations, Settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A cloud with a launch template and a target group behind a load balancer in two zones of the default VPC.
struct Stage {
    client: Client,
    template: String,
    target_group: String,
    subnets: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        Self::of(Client::new())
    }

    fn of(client: Client) -> Self {
        let image = client.ec2("DescribeImages&Owner.1=amazon").text("imageId");
        let template = client.ec2(format!(
            "CreateLaunchTemplate&LaunchTemplateName=sensor&LaunchTemplateData.ImageId={image}\
             &LaunchTemplateData.InstanceType=t3.micro"
        ));
        let template = template.text("launchTemplateId");
        let subnets: Vec<String> = client.subnets().into_iter().take(2).collect();
        let target_group = client.target_group("sensors");
        let lb = client.elb(format!(
            "CreateLoadBalancer&Name=lb&Type=network&Scheme=internal&Subnets.member.1={}\
             &Subnets.member.2={}",
            subnets[0], subnets[1]
        ));
        let lb = lb.text("LoadBalancerArn");
        client.elb(format!(
            "CreateListener&LoadBalancerArn={lb}&Protocol=UDP&Port=4789\
             &DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={target_group}"
        ));
        client.wait(10 * SECOND);
        Self { client, template, target_group, subnets }
    }

    /// Opens the security group to the health check of the target group.
    fn open(&self) {
        let group = self.client.ec2("DescribeSecurityGroups").text("groupId");
        self.client.ec2(format!(
            "AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
             &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
        ));
    }

    /// Returns the call that makes a group in both subnets; `rest` is appended to it.
    fn group(&self, rest: &str) -> String {
        format!(
            "CreateAutoScalingGroup&AutoScalingGroupName=g&LaunchTemplate.LaunchTemplateId={}\
             &LaunchTemplate.Version=$Default&VPCZoneIdentifier={},{}{rest}",
            self.template, self.subnets[0], self.subnets[1]
        )
    }

    /// Extends the rest of a call that makes a group: the group follows the health that the target group reports, and
    /// has two tags.
    fn watched(&self, rest: &str) -> String {
        format!(
            "{rest}&HealthCheckType=ELB&HealthCheckGracePeriod=30&TargetGroupARNs.member.1={}\
             &Tags.member.1.Key=role&Tags.member.1.Value=sensor\
             &Tags.member.1.PropagateAtLaunch=true&Tags.member.2.Key=own",
            self.target_group
        )
    }

    /// The instances of the group: zone, state and health, in the order of the zones.
    fn instances(&self) -> Vec<String> {
        let told = self.client.scaling("DescribeAutoScalingGroups");
        let texts = |name| told.texts(name).into_iter();
        let all = texts("AvailabilityZone").zip(texts("LifecycleState")).zip(texts("HealthStatus"));
        let mut all: Vec<String> =
            all.map(|((zone, state), health)| format!("{zone} {state} {health}")).collect();
        all.sort();
        all
    }

    /// The ids of the instances of the group, in the order of the zones.
    fn ids(&self) -> Vec<String> {
        let told = self.client.scaling("DescribeAutoScalingInstances");
        let mut all: Vec<(String, String)> =
            told.texts("AvailabilityZone").into_iter().zip(told.texts("InstanceId")).collect();
        all.sort();
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// Changes the group; `rest` is appended to the call.
    fn update(&self, rest: &str) {
        self.client.scaling(format!("UpdateAutoScalingGroup&AutoScalingGroupName=g{rest}"));
    }

    /// Waits until every instance is in service.
    fn settle(&self) {
        self.client.wait(10 * SECOND);
        let told = self.client.scaling("DescribeAutoScalingInstances").texts("LifecycleState");
        assert!(told.iter().all(|state| state == "InService"), "{told:?}");
    }

    /// The health that the target group reports for its targets.
    fn health(&self) -> Vec<String> {
        let call = format!("DescribeTargetHealth&TargetGroupArn={}", self.target_group);
        self.client.elb(call).texts("State")
    }
}

#[test]
fn a_group_launches_registers_drains_and_goes() {
    let stage = Stage::new();
    stage.open();
    let client = &stage.client;
    let create = stage.group(&stage.watched("&MinSize=2&MaxSize=4"));
    client.scaling(&create);
    assert_eq!(client.scaling_refused(&create), "AlreadyExists");
    assert_eq!(stage.instances(), ["us-east-1a Pending Healthy", "us-east-1b Pending Healthy"]);
    assert_eq!(stage.health(), Vec::<String>::new());
    client.wait(2 * SECOND);
    assert_eq!(stage.instances(), ["us-east-1a InService Healthy", "us-east-1b InService Healthy"]);
    assert_eq!(stage.health(), ["initial"; 2]);
    client.wait(SECOND);
    assert_eq!(stage.health(), ["healthy"; 2]);

    let delete = "DeleteAutoScalingGroup&AutoScalingGroupName=g";
    assert_eq!(client.scaling_refused(delete), "ResourceInUse");
    client.scaling(format!("{delete}&ForceDelete=true"));
    let leaving = ["us-east-1a Terminating Healthy", "us-east-1b Terminating Healthy"];
    assert_eq!(stage.instances(), leaving);
    assert_eq!(client.scaling("DescribeAutoScalingGroups").text("Status"), "Delete in progress");
    assert_eq!(stage.health(), ["draining"; 2]);
    let states = || client.ec2("DescribeInstances").texts("instanceState").concat();
    assert!(states().contains("running"));
    client.wait(SECOND);
    assert_eq!(stage.health(), Vec::<String>::new());
    assert!(states().contains("shutting-down"));
    let subnet = format!("DeleteSubnet&SubnetId={}", stage.subnets[0]);
    assert_eq!(client.ec2_refused(&subnet), "DependencyViolation");
    client.wait(2 * SECOND);
    assert!(states().contains("terminated"));
    assert_eq!(stage.instances(), Vec::<String>::new());
    assert_eq!(client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName").len(), 0);
    assert_eq!(client.scaling_refused(delete), "ValidationError");
}

#[test]
fn a_group_tells_what_it_is_and_what_it_has() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group(&stage.watched("&MinSize=1&MaxSize=4")));
    client.wait(2 * SECOND);
    let described = client.scaling("DescribeAutoScalingGroups");
    assert_snapshot!(described.outline("AutoScalingGroups"), @"
    member
      AutoScalingGroupName g
      AutoScalingGroupARN arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:fbeb05b7-1f10-42a3-a96c-d8468ed860ee:autoScalingGroupName/g
      LaunchTemplate
        LaunchTemplateId lt-0056efcaf8f7a4e4f
        LaunchTemplateName sensor
        Version $Default
      MinSize 1
      MaxSize 4
      DesiredCapacity 1
      DefaultCooldown 300
      AvailabilityZones
        member us-east-1a
        member us-east-1b
      LoadBalancerNames
      TargetGroupARNs
        member arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sensors/babfda1da2be0df0
      HealthCheckType ELB
      HealthCheckGracePeriod 30
      Instances
        member
          InstanceId i-097b13e5f0783c338
          InstanceType t3.micro
          AvailabilityZone us-east-1b
          AvailabilityZoneId use1-az2
          LifecycleState InService
          HealthStatus Healthy
          LaunchTemplate
            LaunchTemplateId lt-0056efcaf8f7a4e4f
            LaunchTemplateName sensor
            Version 1
          ImageId ami-02aecb989086f735e
          ProtectedFromScaleIn false
      CreatedTime 2026-01-02T03:04:15Z
      SuspendedProcesses
      VPCZoneIdentifier subnet-01e0702d8739f4df8,subnet-03422f20645116b59
      EnabledMetrics
      Tags
        member
          ResourceId g
          ResourceType auto-scaling-group
          Key own
          Value
          PropagateAtLaunch false
        member
          ResourceId g
          ResourceType auto-scaling-group
          Key role
          Value sensor
          PropagateAtLaunch true
      TerminationPolicies
        member Default
      NewInstancesProtectedFromScaleIn false
      ServiceLinkedRoleARN arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling
      AvailabilityZoneDistribution
        CapacityDistributionStrategy balanced-best-effort
      CapacityReservationSpecification
        CapacityReservationPreference default
      TrafficSources
        member
          Identifier arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sensors/babfda1da2be0df0
          Type elbv2
    ");
}

#[test]
fn an_instance_has_the_tags_of_its_group_that_are_for_it() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group(&stage.watched("&MinSize=1&MaxSize=1")));
    let instance = client.ec2("DescribeInstances");
    assert_snapshot!(instance.outline("tagSet"), @"
    item
      key aws:autoscaling:groupName
      value g
    item
      key aws:ec2launchtemplate:id
      value lt-0056efcaf8f7a4e4f
    item
      key aws:ec2launchtemplate:version
      value 1
    item
      key role
      value sensor
    ");
}

#[test]
fn a_group_grows_and_shrinks_evenly_and_its_bounds_move_it() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=0&MaxSize=5&DesiredCapacity=3"));
    stage.settle();
    let zones = || -> Vec<usize> {
        let told = client.scaling("DescribeAutoScalingInstances").texts("AvailabilityZone");
        ["us-east-1a", "us-east-1b"].map(|zone| told.iter().filter(|it| *it == zone).count()).into()
    };
    let size = || zones().iter().sum::<usize>();
    assert_eq!((size(), zones().iter().max()), (3, Some(&2)));
    client.scaling("SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity=4");
    assert_eq!(zones(), [2, 2]);
    stage.settle();
    client.scaling("SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity=2");
    stage.settle();
    assert_eq!(zones(), [1, 1]);
    stage.update("&MinSize=3");
    let desired = || client.scaling("DescribeAutoScalingGroups").text("DesiredCapacity");
    assert_eq!(desired(), "3");
    stage.update("&MinSize=0&MaxSize=1");
    assert_eq!(desired(), "1");
    stage.settle();
    assert_eq!(size(), 1);
    stage.update("&MinSize=0&MaxSize=0&DesiredCapacity=0");
    stage.settle();
    client.scaling("DeleteAutoScalingGroup&AutoScalingGroupName=g");
    let groups = client.scaling("DescribeAutoScalingGroups");
    assert_eq!(groups.texts("AutoScalingGroupName"), Vec::<String>::new());
}

#[test]
fn as_many_as_are_missing_come_at_once_and_go_at_once() {
    let stage = Stage::new();
    stage.client.scaling(stage.group("&MinSize=0&MaxSize=40&DesiredCapacity=40"));
    assert_eq!(stage.instances().concat().matches("Pending").count(), 40);
    stage.settle();
    assert_eq!(stage.instances().concat().matches("us-east-1a").count(), 20);
    stage.update("&DesiredCapacity=3");
    assert_eq!(stage.instances().concat().matches("Terminating").count(), 37);
    stage.settle();
    assert_eq!(stage.instances().len(), 3);
}

#[test]
fn a_new_default_version_is_for_those_to_come_and_the_others_go_first() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=2&MaxSize=3"));
    stage.settle();
    let before = stage.ids();
    client.ec2(format!(
        "CreateLaunchTemplateVersion&LaunchTemplateId={0}&SourceVersion=1\
         &LaunchTemplateData.InstanceType=t3.small",
        stage.template
    ));
    let types = || client.scaling("DescribeAutoScalingInstances").texts("InstanceType");
    client.ec2(format!(
        "ModifyLaunchTemplate&LaunchTemplateId={}&SetDefaultVersion=2",
        stage.template
    ));
    stage.settle();
    assert_eq!((stage.ids(), types()), (before.clone(), vec!["t3.micro".to_owned(); 2]));
    stage.update("&DesiredCapacity=3");
    stage.settle();
    stage.update("&DesiredCapacity=2");
    stage.settle();
    let mut now = types();
    now.sort();
    assert_eq!(now, ["t3.micro", "t3.small"]);
    // Of the two instances in one zone, the older one was terminated.
    assert_eq!(stage.ids().iter().filter(|id| before.contains(id)).count(), 1);
}

#[test]
fn instances_move_to_the_subnets_that_the_group_has() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=2&MaxSize=2"));
    stage.settle();
    let moved = client.subnets().swap_remove(2);
    stage.update(&format!("&VPCZoneIdentifier={},{moved}", stage.subnets[0]));
    // A new instance is launched before an old one is terminated.
    assert_eq!(stage.instances().len(), 3);
    stage.settle();
    let told =
        client.ec2("DescribeInstances&Filter.1.Name=instance-state-name&Filter.1.Value.1=running");
    let mut subnets = told.texts("subnetId");
    subnets.sort();
    subnets.dedup();
    let mut expected = vec![stage.subnets[0].clone(), moved];
    expected.sort();
    assert_eq!((subnets, stage.ids().len()), (expected, 2));
}

#[test]
fn a_group_in_a_directory_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Client::of(Cloud::open(directory.path()).unwrap());
    let stage = Stage::of(open());
    stage.client.scaling(stage.group("&MinSize=2&MaxSize=2"));
    let pending = stage.instances();
    assert_eq!(pending, ["us-east-1a Pending Healthy", "us-east-1b Pending Healthy"]);
    let ids = stage.ids();
    let stage = Stage { client: open(), ..stage };
    assert_eq!(stage.instances(), pending);
    stage.client.wait(60 * SECOND);
    assert_eq!(stage.instances(), ["us-east-1a InService Healthy", "us-east-1b InService Healthy"]);
    let stage = Stage { client: open(), ..stage };
    stage.client.wait(60 * SECOND);
    assert_eq!(stage.ids(), ids);
}

#[test]
fn where_nothing_takes_time_a_group_is_there_at_once_and_one_that_is_never_well_ends() {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    let stage = Stage::of(Client::with_settings(settings));
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=2&MaxSize=2"));
    assert_eq!(stage.instances(), ["us-east-1a InService Healthy", "us-east-1b InService Healthy"]);
    let unwell = format!(
        "&HealthCheckType=ELB&MinSize=1&MaxSize=1&TargetGroupARNs.member.1={}",
        stage.target_group
    );
    client.scaling(stage.group(&unwell).replace("Name=g&", "Name=unwell&"));
    let seconds = 24 * 60 * 60;
    client.wait(seconds * SECOND);
    let groups = client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName");
    assert_eq!(groups, ["g", "unwell"]);
    client.scaling("DeleteAutoScalingGroup&AutoScalingGroupName=unwell&ForceDelete=true");
    let groups = client.scaling("DescribeAutoScalingGroups").texts("AutoScalingGroupName");
    assert_eq!(groups, ["g"]);
}
