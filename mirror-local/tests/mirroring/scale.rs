//! As many sessions as an account may have.

use crate::client::{Client, new_session};
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
