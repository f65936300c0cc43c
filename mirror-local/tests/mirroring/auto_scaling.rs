//! Auto Scaling groups: what they launch, keep, replace and terminate.

use crate::client::Client;
use insta::assert_snapshot;
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
        let client = Client::new();
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

    /// Lets the health check of the target group in.
    fn open(&self) {
        let group = self.client.ec2("DescribeSecurityGroups").text("groupId");
        self.client.ec2(format!(
            "AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
             &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
        ));
    }

    /// The call that makes a group in both subnets; the rest of it is given.
    fn group(&self, rest: &str) -> String {
        format!(
            "CreateAutoScalingGroup&AutoScalingGroupName=g&LaunchTemplate.LaunchTemplateId={}\
             &LaunchTemplate.Version=$Default&VPCZoneIdentifier={},{}{rest}",
            self.template, self.subnets[0], self.subnets[1]
        )
    }

    /// The rest of a call that makes a group which goes by what the target group says, with two tags.
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
