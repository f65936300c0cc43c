//! A receiver in service: how it ends, is reloaded and is monitored.

use std::fs;
use std::net::TcpStream;

use serde_json::Value;

use crate::program::{Receiver, free_port};

const ACCEPTED: &str = "mirror_vxlan_accepted_frames_total";

#[test]
fn told_to_stop_it_is_unhealthy_first_and_delivers_what_comes_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let tcp = free_port();
    let health_tcp = format!("--health-tcp={tcp}");
    let receiver = Receiver::start(folder.path(), &["--drain", "2s", &health_tcp]);
    let connects = || TcpStream::connect(("127.0.0.1", tcp)).is_ok();
    receiver.wait_for(|_| connects());
    receiver.send(10);
    receiver.wait_for(|receiver| receiver.metric(ACCEPTED) == Some(10));
    receiver.signal("TERM");
    receiver.wait_for(|receiver| receiver.get("/healthz").starts_with("HTTP/1.1 503"));
    assert!(receiver.get("/healthz").contains("the receiver was told to stop"));
    receiver.wait_for(|_| !connects());
    // The load balancer does not send elsewhere yet.
    receiver.send(5);
    receiver.wait_for(|receiver| receiver.metric(ACCEPTED) == Some(15));
    let output = receiver.ended();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("received=15 accepted=15 balances=true"), "{log}");
    assert!(log.contains(r#"delivered=[("pcapng", 15)] lost=[]"#), "{log}");
}

#[test]
fn told_twice_it_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), &["--drain", "1h"]);
    receiver.signal("INT");
    receiver.wait_for(|receiver| receiver.log().contains("unhealthy from now on"));
    // A reload is not an order to stop.
    receiver.signal("HUP");
    receiver.signal("TERM");
    let output = receiver.ended();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{log}");
    assert!(log.contains("told to stop again"), "{log}");
}

#[test]
fn a_reload_takes_names_and_says_what_needs_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let [config, names] = ["config.toml", "names.toml"].map(|name| folder.path().join(name));
    fs::write(&config, format!("sessions = '{}'\nsnap = 100\n", names.display())).unwrap();
    fs::write(&names, "web = 5569041\n").unwrap();
    let receiver = Receiver::start(folder.path(), &["--config", config.to_str().unwrap()]);
    receiver.send(1);
    let named = |receiver: &Receiver, name: &str| {
        let metrics = receiver.get("/metrics");
        metrics.contains(&format!("{{vni=\"5569041\",source=\"127.0.0.1\",session=\"{name}\"}}"))
    };
    receiver.wait_for(|receiver| named(receiver, "web"));

    fs::write(&names, "shop = 5569041\n").unwrap();
    let text = format!("sessions = '{}'\nrotate-size = '2GiB'\nsummary = '2m'\n", names.display());
    fs::write(&config, text).unwrap();
    receiver.signal("HUP");
    receiver.wait_for(|receiver| named(receiver, "shop"));
    receiver.wait_for(|receiver| receiver.log().contains("operation options were changed"));
    let log = receiver.log();
    assert!(log.contains("output options were changed; they take effect after a restart"));
    assert!(!log.contains("input options were changed"), "{log}");

    // If the names cannot be read, the current ones stay.
    fs::write(&names, "shop = 'x'\n").unwrap();
    receiver.signal("HUP");
    receiver
        .wait_for(|receiver| receiver.log().contains("not reloaded: cannot read the sessions in"));
    assert!(named(&receiver, "shop"));
    receiver.end();
}

#[test]
fn each_interval_has_a_line_of_the_log_which_may_be_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--summary", "200ms", "--log-format", "json", "--filter", "arp"];
    let receiver = Receiver::start(folder.path(), &more);
    receiver.send(7);
    let summaries = |log: &str| -> Vec<Value> {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == "summary").collect()
    };
    let sum = |log: &str, key: &str| -> u64 {
        summaries(log).iter().map(|line| line[key].as_u64().unwrap()).sum()
    };
    receiver.wait_for(|receiver| sum(&receiver.log(), "accepted") == 7);
    let log = receiver.log();
    assert_eq!(sum(&log, "received"), 7);
    assert!(summaries(&log).iter().any(|line| line["packets_per_second"].as_u64() > Some(0)));
    let output = receiver.end();
    // Every line is an object, including the last.
    let log = String::from_utf8(output.stderr).unwrap();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&last["message"], &last["balances"]), (&"ended".into(), &true.into()));
}

#[test]
fn the_metrics_tell_of_every_input_session_reason_and_sink() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), &[]);
    receiver.send(3);
    receiver.wait_for(|receiver| receiver.metric(ACCEPTED) == Some(3));
    let answer = receiver.get("/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let of_input = r#"{input="input-0"}"#;
    for (series, value) in [
        ("mirror_vxlan_healthy".to_owned(), 1),
        (format!("mirror_vxlan_received_packets_total{of_input}"), 3),
        (format!("mirror_vxlan_received_bytes_total{of_input}"), 66),
        (format!("mirror_vxlan_kernel_dropped_packets_total{of_input}"), 0),
        (r#"mirror_vxlan_dropped_packets_total{reason="vni_flag_unset"}"#.to_owned(), 0),
        (r#"mirror_vxlan_excluded_frames_total{reason="filter"}"#.to_owned(), 0),
        (
            r#"mirror_vxlan_session_frames_total{vni="5569041",source="127.0.0.1",session=""}"#
                .to_owned(),
            3,
        ),
    ] {
        let line = format!("{series} {value}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    let of_sinks = text.lines().filter(|line| line.contains(r#"sink="pcapng""#)).count();
    assert!(of_sinks >= 4, "{text}");
    receiver.end();
}
