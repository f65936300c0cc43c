//! Mirror sessions.

use crate::client::{Client, new_session};
use insta::assert_snapshot;
use mirror_local::Settings;

/// A client with a filter, a target on an interface, and the parameters that name the filter.
fn scene() -> (Client, String, String) {
    let client = Client::new();
    let target = client.target_on(&client.interface());
    let filter = client.filter();
    (client, target, format!("TrafficMirrorFilterId={filter}&SessionNumber="))
}

#[test]
fn a_session_in_full() {
    let (client, target, rest) = scene();
    let source = client.interface();
    let made = client.ec2(new_session(
        &source,
        &target,
        &format!("{rest}7&Description=d&ClientToken=t&PacketLength=100&VirtualNetworkId=5"),
    ));
    assert_snapshot!(made.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <CreateTrafficMirrorSessionResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>624edcd5-f730-4833-a422-844589939efc</requestId>
    <trafficMirrorSession>
    <trafficMirrorSessionId>tms-0f996171ff999d875</trafficMirrorSessionId>
    <trafficMirrorTargetId>tmt-0ebcda425c74142a5</trafficMirrorTargetId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <networkInterfaceId>eni-056f868a06041550d</networkInterfaceId>
    <ownerId>123456789012</ownerId>
    <packetLength>100</packetLength>
    <sessionNumber>7</sessionNumber>
    <virtualNetworkId>5</virtualNetworkId>
    <description>d</description>
    <tagSet>
    </tagSet>
    </trafficMirrorSession>
    <clientToken>t</clientToken>
    </CreateTrafficMirrorSessionResponse>
    "#);
    assert_snapshot!(client.ec2("DescribeTrafficMirrorSessions").lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeTrafficMirrorSessionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>90636be5-d431-4a6e-a8cf-5705991e9950</requestId>
    <trafficMirrorSessionSet>
    <item>
    <trafficMirrorSessionId>tms-0f996171ff999d875</trafficMirrorSessionId>
    <trafficMirrorTargetId>tmt-0ebcda425c74142a5</trafficMirrorTargetId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <networkInterfaceId>eni-056f868a06041550d</networkInterfaceId>
    <ownerId>123456789012</ownerId>
    <packetLength>100</packetLength>
    <sessionNumber>7</sessionNumber>
    <virtualNetworkId>5</virtualNetworkId>
    <description>d</description>
    <tagSet>
    </tagSet>
    </item>
    </trafficMirrorSessionSet>
    </DescribeTrafficMirrorSessionsResponse>
    "#);
}

#[test]
fn an_unset_packet_length_is_8500_behind_a_load_balancer_and_nothing_otherwise() {
    let (client, target, rest) = scene();
    let nlb = client.load_balancer("sensors");
    let make = format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={nlb}");
    let behind = client.ec2(make).text("trafficMirrorTargetId");
    let source = client.interface();
    let made = client.ec2(new_session(&source, &target, &format!("{rest}1")));
    assert_eq!(made.texts("packetLength"), Vec::<String>::new());
    let id = made.text("trafficMirrorSessionId");
    let modify = format!("ModifyTrafficMirrorSession&TrafficMirrorSessionId={id}");
    let moved = client.ec2(format!("{modify}&TrafficMirrorTargetId={behind}"));
    assert_eq!(moved.text("packetLength"), "8500");
    let set = client.ec2(format!("{modify}&PacketLength=64"));
    assert_eq!(set.text("packetLength"), "64");
    let unset = client.ec2(format!("{modify}&RemoveField.1=packet-length"));
    assert_eq!(unset.text("packetLength"), "8500");
    let filter = "DescribeTrafficMirrorSessions&Filter.1.Name=packet-length&Filter.1.Value.1=8500";
    assert_eq!(client.ec2(filter).texts("trafficMirrorSessionId"), [id]);
}

#[test]
fn every_session_without_one_gets_a_virtual_network_of_its_own() {
    let (client, target, rest) = scene();
    let mut drawn: Vec<u32> = Vec::new();
    for _ in 0..9 {
        let source = client.interface();
        let made = client.ec2(new_session(&source, &target, &format!("{rest}1")));
        drawn.push(made.text("virtualNetworkId").parse().unwrap());
    }
    assert!(drawn.iter().all(|id| (1..=0x00ff_ffff).contains(id)), "{drawn:?}");
    let session = client.ec2("DescribeTrafficMirrorSessions").text("trafficMirrorSessionId");
    let redraw = format!(
        "ModifyTrafficMirrorSession&TrafficMirrorSessionId={session}&RemoveField.1=virtual-network-id"
    );
    drawn.push(client.ec2(redraw).text("virtualNetworkId").parse().unwrap());
    drawn.sort_unstable();
    let count = drawn.len();
    drawn.dedup();
    assert_eq!(drawn.len(), count);
}

#[test]
fn numbers_lengths_and_networks_have_ranges() {
    let (client, target, rest) = scene();
    let source = client.interface();
    let cases = [
        "0",
        "32767",
        "-1",
        "",
        "1&PacketLength=0",
        "1&PacketLength=8501",
        "1&VirtualNetworkId=0",
        "1&VirtualNetworkId=16777216",
        "1&VirtualNetworkId=99999999999999999999",
    ];
    for case in cases {
        let call = new_session(&source, &target, &format!("{rest}{case}"));
        assert_eq!(client.ec2_refused(call), "InvalidParameterValue", "{case}");
    }
    let without_number = rest.replace("&SessionNumber=", "");
    let call = new_session(&source, &target, &without_number);
    assert_eq!(client.ec2_refused(call), "MissingParameter");
}

#[test]
fn an_interface_has_three_sessions_with_different_numbers() {
    let (client, target, rest) = scene();
    let source = client.interface();
    let second = client.session(&source, &target, &format!("{rest}1"));
    let again = new_session(&source, &target, &format!("{rest}1"));
    assert_eq!(client.ec2_refused(again), "InvalidParameterValue");
    client.session(&source, &target, &format!("{rest}2"));
    client.session(&source, &target, &format!("{rest}3"));
    let fourth = new_session(&source, &target, &format!("{rest}4"));
    assert_eq!(client.ec2_refused(fourth), "TrafficMirrorSessionsPerInterfaceLimitExceeded");
    let modify = format!("ModifyTrafficMirrorSession&TrafficMirrorSessionId={second}");
    assert_eq!(client.ec2_refused(format!("{modify}&SessionNumber=3")), "InvalidParameterValue");
    assert_eq!(client.ec2(format!("{modify}&SessionNumber=1")).text("sessionNumber"), "1");
}

#[test]
fn an_interface_is_the_target_of_ten_sources() {
    let (client, target, rest) = scene();
    let sources: Vec<String> = (0..10).map(|_| client.interface()).collect();
    for source in &sources {
        client.session(source, &target, &format!("{rest}1"));
    }
    // Another session of one of them does not add a source.
    client.session(&sources[0], &target, &format!("{rest}2"));
    let eleventh = new_session(&client.interface(), &target, &format!("{rest}1"));
    assert_eq!(client.ec2_refused(eleventh), "TrafficMirrorSourcesPerTargetLimitExceeded");
    let other = client.target_on(&client.interface());
    let elsewhere = client.session(&client.interface(), &other, &format!("{rest}1"));
    let moved = format!(
        "ModifyTrafficMirrorSession&TrafficMirrorSessionId={elsewhere}&TrafficMirrorTargetId={target}"
    );
    assert_eq!(client.ec2_refused(moved), "TrafficMirrorSourcesPerTargetLimitExceeded");
}

#[test]
fn what_a_session_refers_to_must_exist() {
    let (client, target, rest) = scene();
    let source = client.interface();
    let call = new_session(&source, &target, &format!("{rest}1"));
    let absent = "0123456789abcdef0";
    let cases = [
        (&*source, format!("eni-{absent}"), "InvalidNetworkInterfaceID.NotFound"),
        (&*target, format!("tmt-{absent}"), "InvalidTrafficMirrorTargetId.NotFound"),
        (&*target, "tmt-x".into(), "InvalidTrafficMirrorTargetId.Malformed"),
    ];
    for (there, absent, code) in cases {
        assert_eq!(client.ec2_refused(call.replace(there, &absent)), code);
    }
}

#[test]
fn deleting_an_interface_deletes_its_sessions() {
    let (client, target, rest) = scene();
    let (source, other) = (client.interface(), client.interface());
    client.session(&source, &target, &format!("{rest}1"));
    client.session(&source, &target, &format!("{rest}2"));
    let stays = client.session(&other, &target, &format!("{rest}1"));
    client.ec2(format!("DeleteNetworkInterface&NetworkInterfaceId={source}"));
    let left = client.ec2("DescribeTrafficMirrorSessions").texts("trafficMirrorSessionId");
    assert_eq!(left, std::slice::from_ref(&stays));
    client.ec2(format!("DeleteTrafficMirrorSession&TrafficMirrorSessionId={stays}"));
    client.ec2(format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}"));
}

#[test]
fn removing_and_setting_a_field_at_once_is_refused() {
    let (client, target, rest) = scene();
    let session = client.session(&client.interface(), &target, &format!("{rest}1"));
    let modify = format!("ModifyTrafficMirrorSession&TrafficMirrorSessionId={session}");
    let both = format!("{modify}&RemoveField.1=description&Description=x");
    assert_eq!(client.ec2_refused(both), "InvalidParameterCombination");
    let unknown = format!("{modify}&RemoveField.1=session-number");
    assert_eq!(client.ec2_refused(unknown), "InvalidParameterValue");
}

#[test]
fn the_interfaces_of_a_service_cannot_be_mirrored() {
    let (client, target, rest) = scene();
    client.load_balancer("sensors");
    let own = "DescribeNetworkInterfaces&Filter.1.Name=interface-type\
               &Filter.1.Value.1=network_load_balancer";
    let node = client.ec2(own).text("networkInterfaceId");
    let call = new_session(&node, &target, &format!("{rest}1"));
    assert_eq!(client.ec2_refused(call), "NetworkInterfaceNotSupported");
}

#[test]
fn sessions_have_a_quota() {
    let mut settings = Settings::default();
    settings.quotas.mirror_sessions = 1;
    let client = Client::with_settings(settings);
    let target = client.target_on(&client.interface());
    let rest = format!("TrafficMirrorFilterId={}&SessionNumber=1", client.filter());
    client.session(&client.interface(), &target, &rest);
    let second = new_session(&client.interface(), &target, &rest);
    assert_eq!(client.ec2_refused(second), "TrafficMirrorSessionLimitExceeded");
}

#[test]
fn documented_filters_select_sessions() {
    let (client, target, rest) = scene();
    let source = client.interface();
    let session = client.session(
        &source,
        &target,
        &format!("{rest}7&Description=seven&VirtualNetworkId=77&PacketLength=700"),
    );
    client.session(&source, &target, &format!("{rest}8"));
    let filters = [
        ("description", "sev*"),
        ("packet-length", "700"),
        ("session-number", "7"),
        ("traffic-mirror-session-id", &session),
        ("virtual-network-id", "77"),
    ];
    for (name, value) in filters {
        let call = format!(
            "DescribeTrafficMirrorSessions&Filter.1.Name={name}&Filter.1.Value.1={value}\
             &Filter.2.Name=network-interface-id&Filter.2.Value.1={source}\
             &Filter.3.Name=traffic-mirror-target-id&Filter.3.Value.1={target}\
             &Filter.4.Name=owner-id&Filter.4.Value.1=123456789012"
        );
        let found = client.ec2(call).texts("trafficMirrorSessionId");
        assert_eq!(found, std::slice::from_ref(&session), "{name}");
    }
}

#[test]
fn what_a_session_has_left_is_free_again() {
    let (client, target, rest) = scene();
    let sink = client.ec2("DescribeTrafficMirrorTargets").text("networkInterfaceId");
    let (source, other_sink) = (client.interface(), client.interface());
    let session = client.session(&source, &target, &format!("{rest}1"));
    let (other, filter) = (client.target_on(&other_sink), client.filter());
    let old = client.ec2("DescribeTrafficMirrorSessions").text("trafficMirrorFilterId");
    client.ec2(format!(
        "ModifyTrafficMirrorSession&TrafficMirrorSessionId={session}\
         &TrafficMirrorTargetId={other}&TrafficMirrorFilterId={filter}"
    ));
    client.ec2(format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}"));
    client.ec2(format!("DeleteTrafficMirrorFilter&TrafficMirrorFilterId={old}"));
    client.target_on(&sink);
    client.ec2(format!("DeleteTrafficMirrorSession&TrafficMirrorSessionId={session}"));
    client.target_on(&source);
}
