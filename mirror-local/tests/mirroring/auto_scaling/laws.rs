//! What holds for a group once nothing happens any more, whatever has happened to it before.

use super::{SECOND, Stage};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens to a group.
#[derive(Debug, Clone)]
enum Step {
    Capacity(u32),
    /// Each bit selects a subnet of the default VPC; no bits at all select the first one.
    Move(u8),
    Stop(usize),
    TargetGroup(&'static str),
    Terminate(usize),
    TerminateFewer(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0..6_usize;
    prop_oneof![
        (0..6_u32).prop_map(Step::Capacity),
        (0..8_u8).prop_map(Step::Move),
        one.clone().prop_map(Step::Stop),
        prop::sample::select(vec!["Attach", "Detach"]).prop_map(Step::TargetGroup),
        one.clone().prop_map(Step::Terminate),
        one.prop_map(Step::TerminateFewer),
        (0..5_000_u64).prop_map(Step::Wait),
    ]
}

impl Stage {
    /// Does what a step says, unless it is refused.
    fn take(&self, step: Step) {
        let (ec2, scaling) = ("2016-11-15", "2011-01-01");
        let one = |place: usize| self.ids().get(place).cloned().unwrap_or_default();
        let (version, call) = match step {
            Step::Capacity(n) => {
                (scaling, format!("SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity={n}"))
            }
            Step::Move(bits) => {
                let subnets = self.client.subnets();
                let chosen =
                    subnets.iter().take(3).enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                let mut chosen: Vec<&str> = chosen.map(|(_, subnet)| &**subnet).collect();
                if chosen.is_empty() {
                    chosen.push(&subnets[0]);
                }
                let chosen = chosen.join(",");
                let call = "UpdateAutoScalingGroup&AutoScalingGroupName=g&VPCZoneIdentifier";
                (scaling, format!("{call}={chosen}"))
            }
            Step::Stop(place) => (ec2, format!("StopInstances&InstanceId.1={}", one(place))),
            Step::TargetGroup(action) => (
                scaling,
                format!(
                    "{action}LoadBalancerTargetGroups&AutoScalingGroupName=g\
                     &TargetGroupARNs.member.1={}",
                    self.target_group
                ),
            ),
            Step::Terminate(place) => {
                (ec2, format!("TerminateInstances&InstanceId.1={}", one(place)))
            }
            Step::TerminateFewer(place) => (
                scaling,
                format!(
                    "TerminateInstanceInAutoScalingGroup&InstanceId={}\
                     &ShouldDecrementDesiredCapacity=true",
                    one(place)
                ),
            ),
            Step::Wait(millis) => {
                return self.client.wait(std::time::Duration::from_millis(millis));
            }
        };
        self.client.call(version, &call).ok();
    }

    /// The values of an element for the running instances of the group.
    fn running(&self, name: &str) -> Vec<String> {
        let told = self.client.ec2(
            "DescribeInstances&Filter.1.Name=tag:aws:autoscaling:groupName&Filter.1.Value.1=g\
             &Filter.2.Name=instance-state-name&Filter.2.Value.1=running",
        );
        told.texts("instancesSet").iter().filter_map(|it| first(it, name)).collect()
    }
}

fn first(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_group_comes_to_rest_as_it_is_told_to_be(steps in prop::collection::vec(step(), 1..24)) {
        let stage = Stage::new();
        stage.open();
        let client = &stage.client;
        client.scaling(stage.group(&stage.watched("&MinSize=0&MaxSize=6&DesiredCapacity=2")));
        for step in steps {
            stage.take(step);
        }
        client.wait(120 * SECOND);
        let group = client.scaling("DescribeAutoScalingGroups");
        let desired: usize = group.text("DesiredCapacity").parse().unwrap();
        let members: BTreeSet<String> = stage.ids().into_iter().collect();
        let running: BTreeSet<String> = stage.running("instanceId").into_iter().collect();
        prop_assert_eq!(members.len(), desired);
        prop_assert_eq!(&members, &running, "nothing of the group runs that is not in it");
        prop_assert!(stage.instances().iter().all(|it| it.ends_with("InService Healthy")));

        let subnets = group.text("VPCZoneIdentifier");
        let there = stage.running("subnetId");
        let counts: Vec<usize> =
            subnets.split(',').map(|one| there.iter().filter(|it| *it == one).count()).collect();
        prop_assert_eq!(counts.iter().sum::<usize>(), desired, "all are in its subnets");
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        prop_assert!(most - least <= 1, "{:?}", counts);

        let attached = !group.texts("TargetGroupARNs").concat().is_empty();
        let targets = client.elb(format!("DescribeTargetHealth&TargetGroupArn={}", stage.target_group));
        let targets: BTreeSet<String> = targets.texts("Id").into_iter().collect();
        prop_assert_eq!(targets, if attached { members } else { BTreeSet::new() });
    }
}
