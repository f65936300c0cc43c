//! How the counters of CloudWatch are shown.

use insta::{assert_json_snapshot, assert_snapshot};

use super::*;
use crate::metrics::tests::{counted, lab};
use crate::plan::{Request, plan};
use crate::verify::TargetGroups;

/// Returns what is shown for the laboratory with these counters, which are given by metric name.
fn shown(counters: &[(&str, u64)]) -> (String, Json, bool) {
    let (stack, observed) = lab();
    let plan = plan(&stack, &observed, &Request::default()).unwrap();
    let found = Verification::of(&plan, &observed, TargetGroups::default());
    let before = found.faults.len();
    let found = found.with_metrics(counted(&observed, counters));
    let document = json(&found, Probe::Unasked);
    let text = Text::new(&found).to_string();
    let start = text.find("CloudWatch").unwrap();
    let counters = text[start..].split("\n\n").next().unwrap().to_owned();
    let faults = document["faults"].as_array().unwrap();
    let faults: Vec<&str> = faults[before..].iter().map(|it| it.as_str().unwrap()).collect();
    (format!("{counters}\n{}", faults.join("\n")), document["metrics"].clone(), found.is_well())
}

/// One of each.
const ALL: [(&str, u64); 12] = [
    ("NetworkMirrorIn", 123_456),
    ("NetworkMirrorOut", 1),
    ("NetworkPacketsMirrorIn", 100),
    ("NetworkPacketsMirrorOut", 1),
    ("NetworkSkipMirrorIn", 0),
    ("NetworkPacketsSkipMirrorIn", 0),
    ("ProcessedBytes_UDP", 130_000),
    ("ProcessedPackets", 101),
    ("NewFlowCount_UDP", 1),
    ("ActiveFlowCount_UDP", 7),
    ("HealthyHostCount", 2),
    ("UnHealthyHostCount", 0),
];

#[test]
fn what_was_counted_is_told_and_what_was_not_is_no_zero() {
    assert_snapshot!(shown(&[]).0, @"
    CloudWatch counted from 2026-11-27T17:35:00Z to 2026-11-27T17:53:07Z:
      instance.source (i-c3997683ddc2a7f90), mirrored by mirror_session.one
        mirrored  no data yet
        skipped   no data yet
      mirror_session.two: eni-0a1b2c3d4e5f67890 is not attached to an instance, so nothing is counted
      load_balancer.sensors
        carried   no data yet
        target_group.sensors: no data yet
    ");
    assert_snapshot!(shown(&ALL).0, @"
    CloudWatch counted from 2026-11-27T17:35:00Z to 2026-11-27T17:53:07Z:
      instance.source (i-c3997683ddc2a7f90), mirrored by mirror_session.one
        mirrored  in: 100 packets, 123456 bytes; out: 1 packet, 1 byte
        skipped   in: 0 packets, 0 bytes; out: no data yet
      mirror_session.two: eni-0a1b2c3d4e5f67890 is not attached to an instance, so nothing is counted
      load_balancer.sensors
        carried   101 packets, 130000 bytes of UDP, 1 new flow, at most 7 flows at a time
        target_group.sensors: at least 2 healthy, at most 0 unhealthy
    ");
    // With detailed monitoring, packets are not counted.
    let bytes = [("NetworkMirrorIn", 2_000_000), ("NetworkMirrorOut", 0), ("ProcessedPackets", 3)];
    assert_snapshot!(shown(&bytes).0, @"
    CloudWatch counted from 2026-11-27T17:35:00Z to 2026-11-27T17:53:07Z:
      instance.source (i-c3997683ddc2a7f90), mirrored by mirror_session.one
        mirrored  in: 2000000 bytes, no data on packets; out: 0 bytes, no data on packets
        skipped   no data yet
      mirror_session.two: eni-0a1b2c3d4e5f67890 is not attached to an instance, so nothing is counted
      load_balancer.sensors
        carried   3 packets, no data on bytes and new flows and flows
        target_group.sensors: no data yet
    ");
}

#[test]
fn programs_get_every_counter() {
    assert_json_snapshot!(shown(&ALL).1, @r#"
    {
      "from": "2026-11-27T17:35:00Z",
      "load_balancers": [
        {
          "active_flows_udp_max": 7,
          "bytes_udp": 130000,
          "load_balancer": "load_balancer.sensors",
          "new_flows_udp": 1,
          "packets": 101,
          "target_groups": [
            {
              "healthy_min": 2,
              "target_group": "target_group.sensors",
              "unhealthy_max": 0
            }
          ]
        }
      ],
      "sources": [
        {
          "id": "i-c3997683ddc2a7f90",
          "instance": "instance.source",
          "mirrored": {
            "bytes_in": 123456,
            "bytes_out": 1,
            "packets_in": 100,
            "packets_out": 1
          },
          "sessions": [
            "mirror_session.one"
          ],
          "skipped": {
            "bytes_in": 0,
            "bytes_out": null,
            "packets_in": 0,
            "packets_out": null
          }
        }
      ],
      "to": "2026-11-27T17:53:07Z",
      "unattached": [
        {
          "interface": "eni-0a1b2c3d4e5f67890",
          "session": "mirror_session.two"
        }
      ]
    }
    "#);
}

#[test]
fn a_counter_without_data_is_null() {
    let (_, json, _) = shown(&[]);
    let Json::Object(balancer) = &json["load_balancers"][0] else { panic!("{json:#}") };
    let Json::Object(volume) = &json["sources"][0]["skipped"] else { panic!("{json:#}") };
    let group = &balancer["target_groups"][0];
    let counters = volume
        .iter()
        .chain(balancer)
        .filter(|(name, _)| !["load_balancer", "target_groups"].contains(&name.as_str()));
    let counters: Vec<&Json> = counters.map(|(_, counter)| counter).collect();
    assert_eq!(counters, vec![&Json::Null; 8]);
    assert_eq!((&group["healthy_min"], &group["unhealthy_max"]), (&Json::Null, &Json::Null));
}

#[test]
fn what_a_source_leaves_out_is_a_fault_whatever_counts_it() {
    for skipped in [
        ("NetworkSkipMirrorIn", 9),
        ("NetworkSkipMirrorOut", 9),
        ("NetworkPacketsSkipMirrorIn", 9),
        ("NetworkPacketsSkipMirrorOut", 9),
    ] {
        assert!(!shown(&[skipped]).2, "{skipped:?}");
        assert!(shown(&[skipped]).0.contains("did not mirror 9 "), "{skipped:?}");
    }
    let (text, ..) = shown(&[("NetworkSkipMirrorIn", 1500), ("NetworkPacketsSkipMirrorIn", 1)]);
    assert_snapshot!(text, @"
    CloudWatch counted from 2026-11-27T17:35:00Z to 2026-11-27T17:53:07Z:
      instance.source (i-c3997683ddc2a7f90), mirrored by mirror_session.one
        mirrored  no data yet
        skipped   in: 1 packet, 1500 bytes; out: no data yet
      mirror_session.two: eni-0a1b2c3d4e5f67890 is not attached to an instance, so nothing is counted
      load_balancer.sensors
        carried   no data yet
        target_group.sensors: no data yet
    instance.source (i-c3997683ddc2a7f90) did not mirror 1 packet, 1500 bytes that its filters accept: other traffic needed its bandwidth
    ");
}
