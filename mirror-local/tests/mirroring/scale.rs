//! As many sessions as an account may have, and what remains of them in a directory.

use crate::client::{Client, new_session};
use mirror_local::Cloud;
use std::collections::BTreeSet;

#[test]
fn ten_thousand_sessions_are_ten_pages() {
    let client = Client::new();
    let nlb = client.load_balancer("sensors");
    let target = client.ec2(format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={nlb}"));
    let target = target.text("trafficMirrorTargetId");
    let filter = client.filter();
    let subnet = client.subnets().remove(0);
    let mut sources = Vec::new();
    for number in 0..10_000 {
        if number % 3 == 0 {
            let made = client.ec2(format!("CreateNetworkInterface&SubnetId={subnet}"));
            sources.push(made.text("networkInterfaceId"));
        }
        let source = sources.last().expect("the first number makes one");
        let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber={}", number % 3 + 1);
        client.session(source, &target, &rest);
    }
    let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=9");
    let one_more = new_session(&client.interface(), &target, &rest);
    assert_eq!(client.ec2_refused(one_more), "TrafficMirrorSessionLimitExceeded");
    let mut networks = BTreeSet::new();
    let mut next = String::new();
    for page in 1..=10 {
        let call = format!("DescribeTrafficMirrorSessions&MaxResults=1000{next}");
        let answer = client.ec2(call);
        networks.extend(answer.texts("virtualNetworkId"));
        assert_eq!(networks.len(), page * 1000);
        next =
            answer.texts("nextToken").pop().map_or_else(String::new, |t| format!("&NextToken={t}"));
    }
    assert_eq!(next, "");
    client.ec2(format!("DeleteNetworkInterface&NetworkInterfaceId={}", sources[0]));
    let of_target = format!(
        "DescribeTrafficMirrorSessions&Filter.1.Name=traffic-mirror-target-id&Filter.1.Value.1={target}"
    );
    assert_eq!(client.ec2(of_target).texts("nextToken").len(), 1);
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let directory = tempfile::tempdir().expect("there is a directory for temporary files");
    let open = || Client::of(Cloud::open(directory.path()).expect("the directory is the cloud's"));
    let client = open();
    let (lb, group, source) =
        (client.load_balancer("x"), client.target_group("y"), client.interface());
    client.elb(format!(
        "CreateListener&LoadBalancerArn={lb}&Protocol=UDP&Port=4789\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
    ));
    let target = client.ec2(format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={lb}"));
    let target = target.text("trafficMirrorTargetId");
    let filter = client.filter();
    client.session(&source, &target, &format!("TrafficMirrorFilterId={filter}&SessionNumber=1"));
    let look = |client: &Client| {
        let mirrors = ["Sessions", "Targets", "Filters"];
        let ec2 = mirrors.map(|kind| client.ec2(format!("DescribeTrafficMirror{kind}")));
        let listeners = client.elb(format!("DescribeListeners&LoadBalancerArn={lb}"));
        let balancers = client.elb("DescribeLoadBalancers");
        let set = |answer: &str| answer.split_once("Set>").map(|(_, rest)| rest.to_owned());
        let members = |answer: &str| answer.split("</member>").next().map(str::to_owned);
        (ec2.map(|answer| set(&answer.0)), members(&listeners.0), members(&balancers.0))
    };
    let before = look(&client);
    drop(client);
    let again = open();
    assert_eq!(look(&again), before);
    let delete = format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}");
    assert_eq!(again.ec2_refused(delete), "TrafficMirrorTargetInUse");
}
