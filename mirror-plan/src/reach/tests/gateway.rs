//! Endpoints: what gets through one to the receivers behind it.

use insta::assert_snapshot;
use serde_json::json;

use super::words::lines;
use crate::plan::tests::stack;
use crate::reach::Network;

/// A stack with an endpoint, of which each entry of `edits` is an attribute with another value.
fn chain(edits: &[(&str, &str, serde_json::Value)]) -> String {
    let mut declared = json!({
        "vpc.a": { "cidr": "10.1.0.0/16" },
        "vpc.b": { "cidr": "10.2.0.0/16" },
        "subnet.a": { "vpc": "@vpc.a", "cidr": "10.1.1.0/24", "availability_zone": "eu-west-1a" },
        "subnet.b": { "vpc": "@vpc.b", "cidr": "10.2.1.0/24", "availability_zone": "eu-west-1a" },
        "security_group.source": { "vpc": "@vpc.a" },
        "security_group.sensor": { "vpc": "@vpc.b", "ingress": [
            { "protocol": "udp", "port": 6081, "cidrs": ["10.2.1.0/24"] },
            { "protocol": "tcp", "port": 80, "cidrs": ["10.2.1.0/24"] },
        ] },
        "instance.web": {
            "instance_type": "t3.micro", "subnet": "@subnet.a",
            "security_groups": ["@security_group.source"],
        },
        "instance.sensor": {
            "instance_type": "t3.micro", "subnet": "@subnet.b",
            "security_groups": ["@security_group.sensor"],
        },
        "target_group.g": {
            "vpc": "@vpc.b", "protocol": "geneve", "port": 6081,
            "health_check": { "port": 80 }, "targets": ["@instance.sensor"],
        },
        "gateway_load_balancer.g": { "subnets": ["@subnet.b"], "target_group": "@target_group.g" },
        "endpoint_service.s": { "gateway_load_balancers": ["@gateway_load_balancer.g"] },
        "gateway_load_balancer_endpoint.e": {
            "vpc": "@vpc.a", "subnet": "@subnet.a", "service": "@endpoint_service.s",
        },
        "mirror_target.t": {
            "gateway_load_balancer_endpoint": "@gateway_load_balancer_endpoint.e",
        },
        "mirror_filter.f": { "rules": [{ "number": 1, "action": "accept" }] },
        "mirror_session.web": {
            "source": "@instance.web", "target": "@mirror_target.t", "filter": "@mirror_filter.f",
            "number": 1,
        },
    });
    for (address, attribute, value) in edits {
        declared[address][attribute] = value.clone();
    }
    lines(Network::of_stack(&stack(declared)))
}

#[test]
fn packets_get_through_an_endpoint_to_what_admits_geneve() {
    assert_snapshot!(chain(&[]), @"mirror_session.web: carries: instance.web -> gateway_load_balancer.g -> target_group.g -> instance.sensor");
    let of_sources = json!([
        { "protocol": "udp", "port": 6081, "cidrs": ["10.1.1.0/24"] },
        { "protocol": "tcp", "port": 80, "cidrs": ["10.2.1.0/24"] },
    ]);
    assert_snapshot!(chain(&[("security_group.sensor", "ingress", of_sources)]), @"mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -> target_group.g -| no rule of security_group.sensor admits udp 6081 from subnet.b");
    let vxlan = json!([
        { "protocol": "udp", "port": 4789, "cidrs": ["10.2.1.0/24"] },
        { "protocol": "tcp", "port": 80, "cidrs": ["10.2.1.0/24"] },
    ]);
    assert_snapshot!(chain(&[("security_group.sensor", "ingress", vxlan)]), @"mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -> target_group.g -| no rule of security_group.sensor admits udp 6081 from subnet.b");
}

#[test]
fn each_link_can_be_missing() {
    let balancer = "gateway_load_balancer.g";
    assert_snapshot!(chain(&[(balancer, "target_group", json!(null))]), @"mirror_session.web: stopped: instance.web -| gateway_load_balancer.g has no target group");
    assert_snapshot!(chain(&[("target_group.g", "targets", json!([]))]), @"mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -| target_group.g has no targets");
    assert_snapshot!(chain(&[("subnet.b", "availability_zone", json!("eu-west-1b"))]), @"mirror_session.web: stopped: instance.web -| endpoint_service.s has no load balancer in the zone of gateway_load_balancer_endpoint.e");
    let service = json!("vpce-svc-0a1b2c3d4e5f67890");
    assert_snapshot!(chain(&[("gateway_load_balancer_endpoint.e", "service", service)]), @"mirror_session.web: not known: instance.web -? what is behind vpce-svc-0a1b2c3d4e5f67890 is not known");
    let endpoint = json!("vpce-0a1b2c3d4e5f67890");
    assert_snapshot!(chain(&[("mirror_target.t", "gateway_load_balancer_endpoint", endpoint)]), @"mirror_session.web: not known: instance.web -? what is behind vpce-0a1b2c3d4e5f67890 is not known");
}
