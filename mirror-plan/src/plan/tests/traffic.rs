//! What a plan says about the packets that it newly mirrors, and those that it stops mirroring.

use super::*;
use crate::packet::TrafficChange;

/// The packets of every change, one line for each block.
fn traffic(desired: &Stack, observed: &Observed) -> String {
    let plan = plan(desired, observed, &Request::default()).unwrap();
    let mut text = String::new();
    for change in &plan.changes {
        let Some(TrafficChange { begins, ends }) = TrafficChange::of(&plan, change) else {
            continue;
        };
        for (sign, packets) in [('+', begins), ('-', ends)] {
            for line in packets.lines() {
                writeln!(text, "{}: {sign} {line}", change.address).unwrap();
            }
        }
    }
    text
}

fn lab_with_rules(rules: Json) -> Stack {
    lab_with("mirror_filter.tcp", "rules", rules)
}

#[test]
fn an_edited_rule_says_which_packets_come_and_go() {
    let before = applied(&stack(lab()));
    let edited = lab_with_rules(json!([
        {"number": 10, "action": "reject", "protocol": "tcp", "port": "23-24"},
        {"number": 100, "action": "accept", "protocol": "tcp"},
    ]));
    assert_snapshot!(traffic(&edited, &before), @"
    mirror_filter.tcp: + ingress tcp from any to any port 22
    mirror_filter.tcp: + egress tcp from any port 22 to any
    mirror_filter.tcp: - ingress tcp from any to any port 23-24
    mirror_filter.tcp: - egress tcp from any port 23-24 to any
    ");
}

#[test]
fn rules_that_are_only_written_otherwise_mirror_the_same() {
    let before = applied(&stack(lab()));
    let same = lab_with_rules(json!([
        {"number": 1, "action": "accept", "protocol": "tcp", "port": "0-21"},
        {"number": 2, "action": "accept", "protocol": "tcp", "port": "23-65535"},
    ]));
    assert_eq!(plan(&same, &before, &Request::default()).unwrap().counts().change, 1);
    assert_eq!(traffic(&same, &before), "");
}

#[test]
fn a_session_that_gets_another_filter_says_what_that_means() {
    let before = applied(&stack(lab()));
    let mut resources = lab();
    resources["mirror_filter.dns"] = json!({
        "amazon_dns": true,
        "rules": [{"number": 1, "action": "accept", "protocol": "tcp", "direction": "ingress"}],
    });
    resources["mirror_session.source"]["filter"] = json!("@mirror_filter.dns");
    assert_snapshot!(traffic(&stack(resources), &before), @"
    mirror_session.source: + ingress tcp from any to any port 22
    mirror_session.source: + traffic with Amazon's DNS server
    mirror_session.source: - egress tcp from any port 0-21 to any
    mirror_session.source: - egress tcp from any port 23-65535 to any
    ");
}
