//! Claims: what only one object can have, but two would have.

use insta::assert_snapshot;
use serde_json::json;

use super::*;

/// The resources with another name for one of them.
fn renamed(resources: &Json, from: &str) -> Json {
    let text = resources.to_string();
    let text = text.replace(&format!("\"@{from}\""), &format!("\"@{from}_new\""));
    let text = text.replace(&format!("\"{from}\":"), &format!("\"{from}_new\":"));
    serde_json::from_str(&text).unwrap()
}

/// The outcome of planning when one block of the stack gets another name: one line for each block.
fn each_renamed(resources: &Json) -> String {
    let observed = applied(&stack(resources.clone()));
    let line = |address: &String| {
        let end = plan(&stack(renamed(resources, address)), &observed, &Request::default());
        let told = match end {
            Ok(plan) => format!("{}", plan.counts()),
            Err(found) => found.iter().map(|one| format!("{}: {}", one.code, one.title)).collect(),
        };
        format!("{address}: {told}\n")
    };
    resources.as_object().unwrap().keys().map(line).collect()
}

/// Kinds that do not occur in the lab.
fn beyond_the_lab() -> Json {
    json!({
        "vpc.a": { "cidr": "10.1.0.0/16" },
        "vpc.b": { "cidr": "10.2.0.0/16" },
        "subnet.a": { "vpc": "@vpc.a", "cidr": "10.1.1.0/24" },
        "vpc_peering.ab": { "requester": "@vpc.a", "accepter": "@vpc.b" },
        "route_table.a": {
            "vpc": "@vpc.a",
            "routes": [
                { "destination": "10.2.0.0/16", "vpc_peering": "@vpc_peering.ab" },
                { "destination": "10.3.0.0/16", "transit_gateway": "tgw-0a1b2c3d4e5f67890" },
            ],
        },
        "transit_gateway_attachment.a": {
            "vpc": "@vpc.a", "transit_gateway": "tgw-0a1b2c3d4e5f67890", "subnets": ["@subnet.a"],
        },
        "instance.fixed": {
            "instance_type": "t3.micro", "subnet": "@subnet.a", "private_ip": "10.1.1.10",
        },
        "launch_template.sensor": { "name": "sensor", "instance_type": "t3.micro" },
        "autoscaling_group.sensors": {
            "name": "sensors", "launch_template": "@launch_template.sensor",
            "subnets": ["@subnet.a"], "min": 1, "max": 2, "target_groups": ["@target_group.gateway"],
        },
        "target_group.gateway": {
            "vpc": "@vpc.a", "protocol": "geneve", "port": 6081, "health_check": { "port": "80" },
        },
        "gateway_load_balancer.sensors": {
            "subnets": ["@subnet.a"], "target_group": "@target_group.gateway",
        },
        "endpoint_service.sensors": {
            "gateway_load_balancers": ["@gateway_load_balancer.sensors"],
        },
        "gateway_load_balancer_endpoint.a": {
            "vpc": "@vpc.a", "subnet": "@subnet.a", "service": "@endpoint_service.sensors",
        },
        "mirror_target.a": {
            "gateway_load_balancer_endpoint": "@gateway_load_balancer_endpoint.a",
        },
        "security_group.named": { "vpc": "@vpc.a", "name": "named" },
    })
}

#[test]
fn a_block_under_another_name_is_made_anew_or_refused_before_the_first_call() {
    assert_snapshot!(each_renamed(&lab()), @"
    instance.one: 1 to add, 1 to change, 1 to destroy
    instance.source: 2 to add, 0 to change, 2 to destroy
    internet_gateway.lab: MP0418: `internet_gateway.lab_new` and `internet_gateway.lab` wait for each other: AWS allows one internet gateway for vpc-c0f4f0e7efd543461
    load_balancer.sensors: MP0418: `load_balancer.sensors_new` and `load_balancer.sensors` wait for each other: AWS allows one load balancer for arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/picked/79885409567d8914f
    mirror_filter.tcp: 1 to add, 1 to change, 1 to destroy
    mirror_session.source: 1 to add, 0 to change, 1 to destroy
    mirror_target.nlb: MP0418: `mirror_target.nlb_new` and `mirror_target.nlb` wait for each other: AWS allows one mirror target for arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/picked/70e517314e03133df
    route_table.public: 1 to add, 0 to change, 1 to destroy
    security_group.target: 1 to add, 1 to change, 1 to destroy
    subnet.source: MP0418: `subnet.source_new` and `subnet.source` wait for each other: AWS allows no two subnets of vpc-c0f4f0e7efd543461 whose addresses overlap
    subnet.target: MP0418: `subnet.target_new` and `subnet.target` wait for each other: AWS allows no two subnets of vpc-c0f4f0e7efd543461 whose addresses overlap
    target_group.vxlan: 1 to add, 1 to change, 1 to destroy
    vpc.lab: 11 to add, 1 to change, 11 to destroy
    ");
    assert_snapshot!(each_renamed(&beyond_the_lab()), @"
    autoscaling_group.sensors: 1 to add, 0 to change, 1 to destroy
    endpoint_service.sensors: MP0418: `endpoint_service.sensors_new` and `endpoint_service.sensors` wait for each other: AWS allows one endpoint service for arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/gwy/picked/f9754f4f8a6bc7c68
    gateway_load_balancer.sensors: MP0418: `gateway_load_balancer.sensors_new` and `gateway_load_balancer.sensors` wait for each other: AWS allows one load balancer for arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/picked/2975bd487e4dea0b1
    gateway_load_balancer_endpoint.a: 2 to add, 1 to change, 2 to destroy
    instance.fixed: 1 to add, 1 to change, 1 to destroy
    launch_template.sensor: MP0418: `launch_template.sensor_new` and `launch_template.sensor` wait for each other: AWS allows one launch template named `sensor`
    mirror_target.a: 1 to add, 1 to change, 1 to destroy
    route_table.a: 1 to add, 1 to change, 1 to destroy
    security_group.named: 1 to add, 1 to change, 1 to destroy
    subnet.a: MP0418: `subnet.a_new` and `subnet.a` wait for each other: AWS allows no two subnets of vpc-7a60653a20e49ff96 whose addresses overlap
    target_group.gateway: 1 to add, 2 to change, 1 to destroy
    transit_gateway_attachment.a: 1 to add, 1 to change, 1 to destroy
    vpc.a: 13 to add, 0 to change, 13 to destroy
    vpc.b: 2 to add, 2 to change, 2 to destroy
    vpc_peering.ab: MP0418: `vpc_peering.ab_new` and `vpc_peering.ab` wait for each other: AWS allows one peering connection between vpc-1d988d85d17c93b2f and vpc-7a60653a20e49ff96
    ");
}

/// New subnets in the place of an unused one, and one beside it.
#[test]
fn what_one_can_have_is_given_up_before_another_takes_it() {
    let subnet = |cidr: &str| json!({ "vpc": "@vpc.lab", "cidr": cidr });
    let vpc = json!({ "cidr": "10.0.0.0/16" });
    let old = stack(json!({ "vpc.lab": vpc, "subnet.old": subnet("10.0.0.0/23") }));
    let new = stack(json!({
        "vpc.lab": vpc, "subnet.a": subnet("10.0.0.0/24"), "subnet.b": subnet("10.0.1.0/24"),
        "subnet.c": subnet("10.0.2.0/24"),
    }));
    assert_snapshot!(planned(&new, &applied(&old)), @"
    Create subnet.a: there is no such object yet
    Create subnet.b: there is no such object yet
    Create subnet.c: there is no such object yet
    Delete subnet.old: it is not in the stack
     0 CreateSubnet subnet.c#1
     1 DeleteSubnet subnet.old#1
     2 CreateSubnet subnet.a#1 after 1
     3 CreateSubnet subnet.b#1 after 1
    ");
}

#[test]
fn a_number_is_handed_over_and_two_are_not_exchanged() {
    let numbered = |resources: &mut Json, name: &str, number: u32| {
        let mut session = lab()["mirror_session.source"].clone();
        session["number"] = json!(number);
        resources[format!("mirror_session.{name}")] = session;
    };
    let (mut first, mut second, mut third) = (lab(), lab(), lab());
    numbered(&mut first, "source", 1);
    numbered(&mut first, "other", 2);
    numbered(&mut second, "source", 3);
    numbered(&mut second, "other", 1);
    numbered(&mut third, "source", 2);
    numbered(&mut third, "other", 1);
    let observed = applied(&stack(first));
    assert_snapshot!(planned(&stack(second), &observed), @"
    Update mirror_session.other: `number` differs
    Update mirror_session.source: `number` differs
     0 ModifyTrafficMirrorSession mirror_session.source#1
     1 ModifyTrafficMirrorSession mirror_session.other#1 after 0
    ");
    assert_snapshot!(plan(&stack(third), &observed, &Request::default()).unwrap_err(), @"mirror_session.source: error MP0418: `mirror_session.source` and `mirror_session.other` wait for each other: AWS allows one session with number 2 on eni-c3997683ddc2a7f90");
}

/// A load balancer in the place of one of another type; in AWS, both types share one set of names.
#[test]
fn another_type_of_load_balancer_needs_another_name() {
    let mut resources = lab();
    resources["load_balancer.sensors"]["name"] = json!("lab-sensors");
    let observed = applied(&stack(resources.clone()));
    resources.as_object_mut().unwrap().remove("load_balancer.sensors");
    resources["gateway_load_balancer.sensors"] = json!({ "subnets": ["@subnet.target"] });
    resources["endpoint_service.sensors"] =
        json!({ "gateway_load_balancers": ["@gateway_load_balancer.sensors"] });
    resources["gateway_load_balancer_endpoint.sensors"] = json!({
        "vpc": "@vpc.lab", "subnet": "@subnet.source", "service": "@endpoint_service.sensors",
    });
    resources["mirror_target.nlb"] =
        json!({ "gateway_load_balancer_endpoint": "@gateway_load_balancer_endpoint.sensors" });
    assert_snapshot!(plan(&stack(resources), &observed, &Request::default()).unwrap_err(), @"gateway_load_balancer.sensors: error MP0418: `gateway_load_balancer.sensors` and `load_balancer.sensors` wait for each other: AWS allows one load balancer named `lab-sensors`");
}

/// Each table gives up its subnet before the other gets it, and nothing else waits for that.
#[test]
fn route_tables_exchange_their_subnets() {
    let tables = |a: &str, b: &str| {
        let subnet = |cidr: &str| json!({ "vpc": "@vpc.lab", "cidr": cidr });
        let table = |of: &str| json!({ "vpc": "@vpc.lab", "subnets": [format!("@subnet.{of}")] });
        stack(json!({
            "vpc.lab": { "cidr": "10.0.0.0/16" },
            "subnet.a": subnet("10.0.1.0/24"), "subnet.b": subnet("10.0.2.0/24"),
            "route_table.a": table(a), "route_table.b": table(b),
        }))
    };
    assert_snapshot!(planned(&tables("b", "a"), &applied(&tables("a", "b"))), @"
    Update route_table.a: `subnets` differs
    Update route_table.b: `subnets` differs
     0 DisassociateRouteTable route_table.a#1
     1 DisassociateRouteTable route_table.b#1
     2 AssociateRouteTable route_table.a#1 after 0 1
     3 AssociateRouteTable route_table.b#1 after 0 1
    ");
    // A new table gets the subnet of one that is deleted.
    let mut renamed = tables("a", "b");
    let table = renamed.resources.remove(&"route_table.a".parse().unwrap()).unwrap();
    renamed.resources.insert("route_table.new".parse().unwrap(), table);
    assert_snapshot!(planned(&renamed, &applied(&tables("a", "b"))), @"
    Delete route_table.a: it is not in the stack
    Create route_table.new: there is no such object yet
     0 DisassociateRouteTable route_table.a#1
     1 DeleteRouteTable route_table.a#1 after 0
     2 CreateRouteTable route_table.new#1
     3 AssociateRouteTable route_table.new#1 after 0 2
    ");
}

/// An interface is either mirrored or the destination of a target.
#[test]
fn a_target_comes_after_the_sessions_on_its_interface_have_gone() {
    let stack_of = |source: &str, target: &str| {
        let instance = || json!({ "instance_type": "t3.micro", "subnet": "@subnet.a" });
        let session = |number: u32, target: &str| {
            json!({
                "source": format!("@instance.{source}"), "target": target, "number": number,
                "filter": "@mirror_filter.tcp",
            })
        };
        let theirs = "tmt-0a1b2c3d4e5f67890";
        let own = if target.is_empty() { theirs } else { "@mirror_target.sensor" };
        let mut resources = json!({
            "vpc.lab": { "cidr": "10.0.0.0/16" },
            "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
            "instance.a": instance(), "instance.b": instance(),
            "mirror_filter.tcp": { "rules": [{ "number": 1, "action": "accept" }] },
            "mirror_session.one": session(1, own), "mirror_session.two": session(2, theirs),
        });
        if !target.is_empty() {
            resources["mirror_target.sensor"] =
                json!({ "network_interface": format!("@instance.{target}") });
        }
        stack(resources)
    };
    assert_snapshot!(planned(&stack_of("b", "a"), &applied(&stack_of("a", ""))), @"
    Create mirror_target.sensor: there is no such object yet
    Replace(DeleteThenCreate) mirror_session.one: `source` differs, which AWS cannot change on an existing object
    Replace(DeleteThenCreate) mirror_session.two: `source` differs, which AWS cannot change on an existing object
     0 DeleteTrafficMirrorSession mirror_session.one#1
     1 DeleteTrafficMirrorSession mirror_session.two#1
     2 CreateTrafficMirrorTarget mirror_target.sensor#1 after 0 1
     3 CreateTrafficMirrorSession mirror_session.one#2 after 0 2
     4 CreateTrafficMirrorSession mirror_session.two#2 after 1
    ");
    assert_snapshot!(planned(&stack_of("b", "a"), &applied(&stack_of("a", "b"))), @"
    Replace(CreateThenDelete) mirror_target.sensor: `network_interface` differs, which AWS cannot change on an existing object
    Replace(DeleteThenCreate) mirror_session.one: `source` differs, which AWS cannot change on an existing object
    Replace(DeleteThenCreate) mirror_session.two: `source` differs, which AWS cannot change on an existing object
     0 DeleteTrafficMirrorSession mirror_session.one#1
     1 DeleteTrafficMirrorSession mirror_session.two#1
     2 CreateTrafficMirrorTarget mirror_target.sensor#2 after 0 1
     3 DeleteTrafficMirrorTarget mirror_target.sensor#1 after 0 2
     4 CreateTrafficMirrorSession mirror_session.one#2 after 0 2 3
     5 CreateTrafficMirrorSession mirror_session.two#2 after 1 3
    ");
}
