//! Auto Scaling groups as receivers: what their templates and subnets let through, before any instance exists.

use insta::assert_snapshot;
use serde_json::json;

use super::words::lines;
use crate::plan::tests::{applied, stack};
use crate::reach::Network;
use crate::stack::Stack;

/// A group in two zones behind a load balancer; each entry of `edits` gives an attribute another value.
fn receivers(edits: &[(&str, &str, serde_json::Value)]) -> Stack {
    let mut declared = json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24", "availability_zone": "eu-west-1a" },
        "subnet.b": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24", "availability_zone": "eu-west-1b" },
        "security_group.source": { "vpc": "@vpc.lab" },
        "security_group.sensor": { "vpc": "@vpc.lab", "ingress": [
            { "protocol": "udp", "port": 4789, "cidrs": ["10.0.0.0/16"] },
            { "protocol": "tcp", "port": 8080, "cidrs": ["10.0.0.0/16"] },
        ] },
        "instance.web": {
            "instance_type": "t3.micro", "subnet": "@subnet.a", "private_ip": "10.0.1.10",
            "security_groups": ["@security_group.source"],
        },
        "launch_template.sensor": {
            "instance_type": "c6i.large", "security_groups": ["@security_group.sensor"],
        },
        "target_group.sensors": { "vpc": "@vpc.lab", "health_check": { "port": 8080 } },
        "autoscaling_group.sensors": {
            "launch_template": "@launch_template.sensor", "subnets": ["@subnet.a", "@subnet.b"],
            "min": 2, "max": 6, "target_groups": ["@target_group.sensors"],
        },
        "load_balancer.sensors": {
            "subnets": ["@subnet.a", "@subnet.b"],
            "listeners": [{ "protocol": "udp", "port": 4789, "target_group": "@target_group.sensors" }],
        },
        "mirror_target.sensors": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
        "mirror_session.web": {
            "source": "@instance.web", "target": "@mirror_target.sensors",
            "filter": "@mirror_filter.all", "number": 1,
        },
    });
    for (address, attribute, value) in edits {
        declared[address][attribute] = value.clone();
    }
    stack(declared)
}

/// The way through a stack; just as much is known about it once the stack is applied.
fn way(edits: &[(&str, &str, serde_json::Value)]) -> String {
    let stack = receivers(edits);
    let declared = lines(Network::of_stack(&stack));
    let verdict = |lines: &str| lines.split(": ").nth(1).map(str::to_owned);
    let standing = lines(Network::of_observed(&applied(&stack)));
    assert_eq!(verdict(&standing), verdict(&declared), "{standing}{declared}");
    declared
}

#[test]
fn packets_get_to_a_group_whose_template_admits_them() {
    assert_snapshot!(way(&[]), @"mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> autoscaling_group.sensors");
    let closed = json!([{ "protocol": "tcp", "port": 8080, "cidrs": ["10.0.0.0/16"] }]);
    assert_snapshot!(way(&[("security_group.sensor", "ingress", closed)]), @"mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits udp 4789 from 10.0.1.10");
    assert_snapshot!(way(&[("launch_template.sensor", "security_groups", json!([]))]), @"mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| without a security group it is in the default one of vpc.lab, which admits its members only: no udp 4789 from 10.0.1.10");
    let elsewhere = json!("lt-0a1b2c3d4e5f67890");
    assert_snapshot!(way(&[("autoscaling_group.sensors", "launch_template", elsewhere)]), @"mirror_session.web: not known: instance.web -> load_balancer.sensors -> target_group.sensors -? its security groups are not known; one more hop is not known");
}

#[test]
fn a_group_is_in_the_zones_of_its_subnets_as_far_as_its_instances_go_round() {
    let group = "autoscaling_group.sensors";
    assert_snapshot!(way(&[(group, "subnets", json!(["@subnet.b"]))]), @"mirror_session.web: stopped in part: instance.web -> load_balancer.sensors -| the node in eu-west-1a (subnet.a) has no receiver in its zone, and sends to no other zone");
    assert_snapshot!(way(&[(group, "min", json!(1)), (group, "desired", json!(1))]), @"mirror_session.web: not known: instance.web -> load_balancer.sensors -? whether the node in eu-west-1a (subnet.a) has a receiver in its zone is not known");
    let every_zone = ("load_balancer.sensors", "cross_zone", json!(true));
    assert_snapshot!(way(&[(group, "min", json!(1)), (group, "desired", json!(1)), every_zone.clone()]), @"mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> autoscaling_group.sensors");
    assert_snapshot!(way(&[(group, "min", json!(0)), (group, "desired", json!(0)), every_zone]), @"mirror_session.web: stopped: instance.web -> load_balancer.sensors -| target_group.sensors has no targets");
}
