//! Which metrics are requested for a stack, and what the answers come to.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::plan::tests::{applied, stack};
use crate::stack::Stack;

/// A source with two sessions, a receiver behind a load balancer, and the cloud that has them.
pub(crate) fn lab() -> (Stack, Observed) {
    let stack = stack(json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "instance.source": { "subnet": "@subnet.a", "instance_type": "t3.nano", "ami": "ami-00000000000000001" },
        "instance.sensor": { "subnet": "@subnet.a", "instance_type": "t3.nano", "ami": "ami-00000000000000001" },
        "target_group.sensors": { "vpc": "@vpc.lab", "targets": ["@instance.sensor"] },
        "load_balancer.sensors": { "subnets": ["@subnet.a"],
            "listeners": [{ "target_group": "@target_group.sensors" }] },
        "mirror_target.sensors": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.all": { "rules": [
            { "number": 10, "action": "accept", "direction": "ingress", "protocol": "all" }] },
        "mirror_session.one": { "source": "@instance.source", "target": "@mirror_target.sensors",
            "filter": "@mirror_filter.all", "number": 1 },
        "mirror_session.two": { "source": "eni-0a1b2c3d4e5f67890", "target": "@mirror_target.sensors",
            "filter": "@mirror_filter.all", "number": 1 },
    }));
    let observed = applied(&stack);
    (stack, observed)
}

fn window() -> Window {
    Window::before("2026-11-27T17:53:07Z".parse().unwrap(), 15)
}

/// The metrics of the lab with these counters, by metric name; other metrics have no data points.
pub(crate) fn counted(observed: &Observed, counters: &[(&str, u64)]) -> Metrics {
    Metrics::of(observed, &BTreeMap::new(), window()).map(|series| {
        let found = counters.iter().find(|(name, _)| *name == series.name);
        found.map(|(_, count)| *count)
    })
}

fn line(series: &Series) -> String {
    let Series { namespace, name, dimensions, period, statistic } = series;
    let of: Vec<String> = dimensions.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
    format!("{namespace} {name} {} of {} for {period} s", statistic.name(), of.join(", "))
}

#[test]
fn each_source_and_each_load_balancer_is_asked_about_by_its_dimensions() {
    let (_, observed) = lab();
    let mut lines = Vec::new();
    let _counted =
        Metrics::of(&observed, &BTreeMap::new(), window()).map(|one| lines.push(line(&one)));
    assert_snapshot!(lines.join("\n"), @"
    AWS/EC2 NetworkMirrorIn Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkMirrorOut Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkPacketsMirrorIn Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkPacketsMirrorOut Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkSkipMirrorIn Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkSkipMirrorOut Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkPacketsSkipMirrorIn Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/EC2 NetworkPacketsSkipMirrorOut Sum of InstanceId=i-c3997683ddc2a7f90 for 300 s
    AWS/NetworkELB ProcessedBytes_UDP Sum of LoadBalancer=net/picked/70e517314e03133df for 60 s
    AWS/NetworkELB ProcessedPackets Sum of LoadBalancer=net/picked/70e517314e03133df for 60 s
    AWS/NetworkELB NewFlowCount_UDP Sum of LoadBalancer=net/picked/70e517314e03133df for 60 s
    AWS/NetworkELB ActiveFlowCount_UDP Maximum of LoadBalancer=net/picked/70e517314e03133df for 60 s
    AWS/NetworkELB HealthyHostCount Minimum of LoadBalancer=net/picked/70e517314e03133df, TargetGroup=targetgroup/picked/0a3fae6bf8b2e7875 for 60 s
    AWS/NetworkELB UnHealthyHostCount Maximum of LoadBalancer=net/picked/70e517314e03133df, TargetGroup=targetgroup/picked/0a3fae6bf8b2e7875 for 60 s
    ");
}

#[test]
fn sessions_of_one_instance_share_its_counters_and_an_unknown_interface_has_none() {
    let (_, observed) = lab();
    let foreign: NetworkInterfaceId = "eni-0a1b2c3d4e5f67890".parse().unwrap();
    assert_eq!(unknown_interfaces(&observed), BTreeSet::from([foreign.clone()]));
    let metrics = counted(&observed, &[]);
    let session = |name: &str| name.parse::<Address>().unwrap();
    assert_eq!(
        metrics.unattached,
        BTreeMap::from([(session("mirror_session.two"), foreign.clone())])
    );
    let [source] = metrics.sources.as_slice() else { panic!("{metrics:?}") };
    assert_eq!(source.address, Some("instance.source".parse().unwrap()));
    // A second interface of the same instance.
    let attached = BTreeMap::from([(foreign, source.instance.clone())]);
    let metrics = Metrics::of(&observed, &attached, window());
    let [source] = metrics.sources.as_slice() else { panic!("{metrics:?}") };
    let both = [session("mirror_session.one"), session("mirror_session.two")];
    assert_eq!(source.sessions, BTreeSet::from(both));
    assert_eq!(metrics.unattached, BTreeMap::new());
}

#[test]
fn a_window_begins_with_a_whole_period_and_ends_now() {
    let shown = |now: &str, minutes| {
        let window = Window::before(now.parse().unwrap(), minutes);
        format!("{} {}", window.from, window.to)
    };
    assert_eq!(shown("2026-11-27T17:53:07.9Z", 15), "2026-11-27T17:35:00Z 2026-11-27T17:53:07Z");
    assert_eq!(shown("2026-11-27T17:50:00Z", 15), "2026-11-27T17:35:00Z 2026-11-27T17:50:00Z");
    assert_eq!(shown("1969-12-31T23:59:59Z", 1), "1969-12-31T23:55:00Z 1969-12-31T23:59:59Z");
}

#[test]
fn data_points_come_to_one_number_and_none_to_nothing() {
    let series = |statistic| {
        let instance = "i-0a1b2c3d".parse().unwrap();
        Series { statistic, ..Series::of_instance("NetworkMirrorIn", &instance) }
    };
    let all = [Statistic::Sum, Statistic::Minimum, Statistic::Maximum];
    assert_eq!(all.map(|it| series(it).total(&[3.0, 1.0, 2.0])), [Some(6), Some(1), Some(3)]);
    assert_eq!(all.map(|it| series(it).total(&[0.0])), [Some(0); 3]);
    assert_eq!(all.map(|it| series(it).total(&[])), [None; 3]);
    assert_eq!(series(Statistic::Sum).total(&[1e15, 0.6]), Some(1_000_000_000_000_001));
}
