//! Unhealthy instances are replaced.

use super::{SECOND, Stage};

/// The instances of a group that is in service, as text.
const STEADY: [&str; 2] = ["us-east-1a InService Healthy", "us-east-1b InService Healthy"];

#[test]
fn an_instance_that_a_user_terminates_or_stops_is_replaced_in_its_zone() {
    let stage = Stage::new();
    stage.open();
    let client = &stage.client;
    client.scaling(stage.group(&stage.watched("&MinSize=2&MaxSize=2")));
    stage.settle();
    for end in ["TerminateInstances", "StopInstances"] {
        let before = stage.ids();
        client.ec2(format!("{end}&InstanceId.1={}", before[0]));
        assert_eq!(stage.instances(), STEADY, "it has not been noticed yet");
        client.wait(SECOND);
        let noticed = ["us-east-1a Pending Healthy", "us-east-1a Terminating Unhealthy", STEADY[1]];
        assert_eq!(stage.instances(), noticed, "{end}");
        stage.settle();
        let after = stage.ids();
        assert_ne!(after[0], before[0]);
        assert_eq!(after[1], before[1]);
        assert_eq!(stage.instances(), STEADY);
        assert_eq!(stage.health(), ["healthy"; 2]);
        let told = client.ec2(format!("DescribeInstances&InstanceId.1={}", before[0]));
        assert!(told.text("instanceState").contains("terminated"));
    }
}

#[test]
fn one_that_its_target_group_finds_unwell_is_replaced_after_the_grace_period() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group(&stage.watched("&MinSize=2&MaxSize=2")));
    // The instances are in service after two seconds, but no rule lets the health check in.
    client.wait(30 * SECOND);
    // Any call makes the group look at its instances; for now it leaves them alone.
    client.ec2("CreateInternetGateway");
    client.wait(SECOND);
    let before = stage.ids();
    assert_eq!(
        (stage.health(), stage.instances()),
        (vec!["unhealthy".into(); 2], STEADY.map(String::from).into())
    );
    client.wait(SECOND);
    let replaced = [
        "us-east-1a Pending Healthy",
        "us-east-1a Terminating Unhealthy",
        "us-east-1b Pending Healthy",
        "us-east-1b Terminating Unhealthy",
    ];
    assert_eq!(stage.instances(), replaced);
    stage.open();
    stage.settle();
    let after = stage.ids();
    assert!(before.iter().all(|id| !after.contains(id)));
    client.wait(60 * SECOND);
    assert_eq!(stage.ids(), after);
}

#[test]
fn a_group_that_asks_only_ec2_keeps_what_its_target_group_finds_unwell() {
    let stage = Stage::new();
    let client = &stage.client;
    let rest = format!("&MinSize=2&MaxSize=2&TargetGroupARNs.member.1={}", stage.target_group);
    client.scaling(stage.group(&rest));
    client.wait(600 * SECOND);
    let ids = stage.ids();
    assert_eq!(
        (stage.health(), stage.instances()),
        (vec!["unhealthy".into(); 2], STEADY.map(String::from).into())
    );
    stage.update("&HealthCheckType=ELB");
    client.wait(SECOND);
    assert!(stage.ids().iter().any(|id| !ids.contains(id)));
}

#[test]
fn what_cannot_be_launched_is_told_and_tried_again_when_something_has_changed() {
    let stage = Stage::new();
    let client = &stage.client;
    client.scaling(stage.group("&MinSize=1&MaxSize=2"));
    stage.settle();
    client.ec2(format!("DeleteLaunchTemplate&LaunchTemplateId={}", stage.template));
    client.scaling("SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity=2");
    client.wait(60 * SECOND);
    let activities = client.scaling("DescribeScalingActivities&AutoScalingGroupName=g");
    assert_eq!(activities.texts("StatusCode"), ["Failed", "Successful"]);
    insta::assert_snapshot!(activities.text("StatusMessage"), @"The specified launch template, with template ID lt-0056efcaf8f7a4e4f, does not exist. Launching EC2 instance failed.");
    assert_eq!(stage.instances().len(), 1);
    let other = client.ec2(format!(
        "CreateLaunchTemplate&LaunchTemplateName=other&LaunchTemplateData.ImageId={}",
        client.ec2("DescribeImages").text("imageId")
    ));
    stage.update(&format!("&LaunchTemplate.LaunchTemplateId={}", other.text("launchTemplateId")));
    stage.settle();
    assert_eq!(stage.instances().len(), 2);
}
