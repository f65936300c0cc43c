//! Endpoints: what gets through one to the receivers behind it.

use insta::assert_snapshot;
use serde_json::json;

use super::acl_words::give;
use super::words::lines;
use crate::plan::tests::{applied, stack};
use crate::reach::Network;

/// A stack with an endpoint; each entry of `edits` gives an attribute another value.
fn chain(edits: &[(&str, &str, serde_json::Value)]) -> String {
    lines(Network::of_stack(&stack(declared(edits))))
}

fn declared(edits: &[(&str, &str, serde_json::Value)]) -> serde_json::Value {
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
    declared
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

/// Packets to the endpoint are VXLAN; those from the node to a receiver are GENEVE, with the address of the node.
#[test]
fn network_acls_see_what_is_wrapped_as_it_is() {
    let mut declared = declared(&[("instance.sensor", "subnet", json!("@subnet.c"))]);
    declared["subnet.c"] =
        json!({ "vpc": "@vpc.b", "cidr": "10.2.2.0/24", "availability_zone": "eu-west-1a" });
    declared["instance.web"]["subnet"] = json!("@subnet.web");
    declared["subnet.web"] = json!({ "vpc": "@vpc.a", "cidr": "10.1.2.0/24" });
    let stack = stack(declared);
    let with = |subnet: &str, rules: &[&str]| {
        let mut observed = applied(&stack);
        give(&mut observed, subnet, rules);
        lines(Network::of_stack(&stack).using(&observed))
    };
    let health = ["in 200 allow tcp 80 10.2.1.0/24", "out 200 allow tcp 1024-65535 10.2.1.0/24"];
    let told = [
        with("subnet.a", &["in 100 allow udp 6081 10.0.0.0/8"]),
        with("subnet.a", &["in 100 allow udp 4789 10.1.2.0/24"]),
        with("subnet.c", &[&["in 100 allow udp 4789 10.0.0.0/8"], &health[..]].concat()),
        with("subnet.c", &[&["in 100 allow udp 6081 10.1.0.0/16"], &health[..]].concat()),
        with("subnet.c", &[&["in 100 allow udp 6081 10.2.1.0/24"], &health[..]].concat()),
        with("subnet.b", &["out 100 allow udp 6081 10.2.2.0/24"]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef0 of subnet.a refuses udp 4789 from subnet.web (no rule allows it)

    mirror_session.web: carries: instance.web -> gateway_load_balancer.g -> target_group.g -> instance.sensor

    mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -> target_group.g -| the network ACL acl-0123456789abcdef0 of subnet.c refuses udp 6081 from subnet.b (no rule allows it)

    mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -> target_group.g -| the network ACL acl-0123456789abcdef0 of subnet.c refuses udp 6081 from subnet.b (no rule allows it)

    mirror_session.web: carries: instance.web -> gateway_load_balancer.g -> target_group.g -> instance.sensor

    mirror_session.web: stopped: instance.web -> gateway_load_balancer.g -> target_group.g -| the network ACL acl-0123456789abcdef0 of subnet.b refuses tcp 80 to subnet.c, the health checks (no rule allows it)
    "#);
}
