//! Objects that stay and hold others that would be deleted, and load balancers that cannot follow their subnets.

use insta::assert_snapshot;
use serde_json::json;

use super::*;

/// The outcome of planning: what the plan does, or why there is no plan.
fn told(end: Result<Plan, Diagnostics>) -> String {
    match end {
        Ok(plan) => format!("{}\n", plan.counts()),
        Err(found) => found.iter().map(|found| format!("{found}\n")).collect(),
    }
}

/// The outcome of planning `resources` where `there` exists.
fn end(resources: &Json, there: &Json) -> String {
    let (resources, there) = (stack(resources.clone()), applied(&stack(there.clone())));
    told(plan(&resources, &there, &Request::default()))
}

fn without(resources: &Json, address: &str) -> Json {
    let mut resources = resources.clone();
    resources.as_object_mut().unwrap().remove(address).expect("it was there");
    resources
}

#[test]
fn a_group_that_goes_is_not_kept_by_an_instance_that_names_none_any_more() {
    let there = json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "security_group.web": { "vpc": "@vpc.lab", "description": "as it was" },
        "security_group.other": { "vpc": "@vpc.lab" },
        "instance.web": {
            "instance_type": "t3.micro", "subnet": "@subnet.a",
            "security_groups": ["@security_group.web"],
        },
    });
    let mut unnamed = there.clone();
    unnamed["instance.web"].as_object_mut().unwrap().remove("security_groups");
    // As long as the group stays, the instance keeps it.
    assert_snapshot!(end(&unnamed, &there), @"0 to add, 0 to change, 0 to destroy");
    assert_snapshot!(end(&without(&unnamed, "security_group.web"), &there), @"instance.web: error MP0419: `security_group.web` would be removed, but `instance.web` stays and holds it");
    let mut replaced = unnamed.clone();
    replaced["security_group.web"]["description"] = json!("as it will be");
    assert_snapshot!(end(&replaced, &there), @"instance.web: error MP0419: `security_group.web` would be removed, but `instance.web` stays and holds it");
    // It is not an error if the instance is deleted too, is recreated, or gets another group.
    let gone = without(&without(&unnamed, "security_group.web"), "instance.web");
    assert_snapshot!(end(&gone, &there), @"0 to add, 0 to change, 2 to destroy");
    let mut elsewhere = without(&unnamed, "security_group.web");
    elsewhere["instance.web"]["security_groups"] = json!(["@security_group.other"]);
    assert_snapshot!(end(&elsewhere, &there), @"0 to add, 1 to change, 1 to destroy");
    let mut anew = without(&unnamed, "security_group.web");
    anew["instance.web"]["key_name"] = json!("operator");
    assert_snapshot!(end(&anew, &there), @"1 to add, 0 to change, 2 to destroy");
}

/// A load balancer of each type, in one of two VPCs.
fn balanced(vpc: &str, subnet: &str) -> Json {
    let subnet = format!("@subnet.{subnet}");
    json!({
        "vpc.a": { "cidr": "10.1.0.0/16" },
        "vpc.b": { "cidr": "10.2.0.0/16" },
        "subnet.a": { "vpc": "@vpc.a", "cidr": "10.1.1.0/24" },
        "subnet.a2": { "vpc": "@vpc.a", "cidr": "10.1.2.0/24" },
        "subnet.b": { "vpc": "@vpc.b", "cidr": "10.2.1.0/24" },
        "target_group.udp": {
            "vpc": format!("@vpc.{vpc}"), "health_check": { "port": "80" },
        },
        "load_balancer.udp": {
            "subnets": [subnet],
            "listeners": [{ "port": 4789, "target_group": "@target_group.udp" }],
        },
        "gateway_load_balancer.geneve": { "subnets": [subnet] },
    })
}

#[test]
fn a_load_balancer_that_is_to_be_in_another_vpc_is_replaced() {
    let there = balanced("a", "a");
    let planned = |resources: Json| planned(&stack(resources), &applied(&stack(there.clone())));
    assert_snapshot!(planned(balanced("a", "a2")), @"
    Update load_balancer.udp: `subnets` differs
    Update gateway_load_balancer.geneve: `subnets` differs
     0 SetSubnets load_balancer.udp#1
     1 SetSubnets gateway_load_balancer.geneve#1
    ");
    assert_snapshot!(planned(balanced("b", "b")), @"
    Replace(CreateThenDelete) target_group.udp: `vpc` differs, which AWS cannot change on an existing object; load_balancer.udp is replaced, and a target group serves only one load balancer
    Replace(CreateThenDelete) load_balancer.udp: `subnets` differs, which AWS cannot change on an existing object
    Replace(CreateThenDelete) gateway_load_balancer.geneve: `subnets` differs, which AWS cannot change on an existing object
     0 CreateTargetGroup target_group.udp#2
     1 CreateLoadBalancer load_balancer.udp#2
     2 CreateListener load_balancer.udp#2 after 0 1
     3 DeleteListener load_balancer.udp#1 after 2
     4 DeleteLoadBalancer load_balancer.udp#1 after 3
     5 DeleteTargetGroup target_group.udp#1 after 0 4
     6 CreateLoadBalancer gateway_load_balancer.geneve#2
     7 DeleteLoadBalancer gateway_load_balancer.geneve#1 after 6
    ");
    // A subnet that does not exist yet counts as in the VPC where it will be created.
    let mut new = balanced("b", "new");
    new["subnet.new"] = json!({ "vpc": "@vpc.b", "cidr": "10.2.2.0/24" });
    assert_snapshot!(planned(new), @"
    Create subnet.new: there is no such object yet
    Replace(CreateThenDelete) target_group.udp: `vpc` differs, which AWS cannot change on an existing object; load_balancer.udp is replaced, and a target group serves only one load balancer
    Replace(CreateThenDelete) load_balancer.udp: `subnets` differs, which AWS cannot change on an existing object
    Replace(CreateThenDelete) gateway_load_balancer.geneve: `subnets` differs, which AWS cannot change on an existing object
     0 CreateSubnet subnet.new#1
     1 CreateTargetGroup target_group.udp#2
     2 CreateLoadBalancer load_balancer.udp#2 after 0
     3 CreateListener load_balancer.udp#2 after 1 2
     4 DeleteListener load_balancer.udp#1 after 3
     5 DeleteLoadBalancer load_balancer.udp#1 after 4
     6 DeleteTargetGroup target_group.udp#1 after 1 5
     7 CreateLoadBalancer gateway_load_balancer.geneve#2 after 0
     8 DeleteLoadBalancer gateway_load_balancer.geneve#1 after 7
    ");
}

/// The outcome of planning a part of the lab.
fn end_of_part(edit: impl FnOnce(&mut Json), target: &str) -> String {
    let (mut resources, there) = (lab(), applied(&stack(lab())));
    edit(&mut resources);
    let request = Request { targets: [target.parse().unwrap()].into(), ..Request::default() };
    told(plan(&stack(resources), &there, &request))
}

#[test]
fn what_a_part_of_the_stack_replaces_is_not_held_by_another() {
    let range = |to: &'static str| {
        move |resources: &mut Json| resources["subnet.source"]["cidr"] = json!(to)
    };
    assert_snapshot!(end_of_part(range("10.0.7.0/24"), "subnet.source"), @"instance.source: error MP0419: `subnet.source` would be removed, but `instance.source` stays and holds it");
    assert_snapshot!(end_of_part(range("10.0.7.0/24"), "route_table.public"), @"instance.source: error MP0419: `subnet.source` would be removed, but `instance.source` stays and holds it");
    assert_snapshot!(end_of_part(range("10.0.7.0/24"), "mirror_session.source"), @"3 to add, 0 to change, 3 to destroy");
    let vpc = |resources: &mut Json| resources["vpc.lab"]["cidr"] = json!("10.0.0.0/17");
    assert_snapshot!(end_of_part(vpc, "subnet.source"), @"
    subnet.target: error MP0419: `vpc.lab` would be removed, but `subnet.target` stays and holds it
    internet_gateway.lab: error MP0419: `vpc.lab` would be removed, but `internet_gateway.lab` stays and holds it
    route_table.public: error MP0419: `vpc.lab` would be removed, but `route_table.public` stays and holds it
    security_group.target: error MP0419: `vpc.lab` would be removed, but `security_group.target` stays and holds it
    instance.source: error MP0419: `subnet.source` would be removed, but `instance.source` stays and holds it
    ");
}

#[test]
fn what_a_part_of_the_stack_claims_is_not_of_another() {
    let renamed = |from: &'static str, to: &'static str| {
        move |resources: &mut Json| {
            let resource = resources.as_object_mut().unwrap().remove(from).unwrap();
            resources[to] = resource;
        }
    };
    assert_snapshot!(end_of_part(renamed("mirror_session.source", "mirror_session.new"), "mirror_session.new"), @"mirror_session.new: error MP0418: `mirror_session.source` holds what `mirror_session.new` needs: AWS allows one session with number 1 on eni-c3997683ddc2a7f90");
    let subnet = |resources: &mut Json| {
        resources["subnet.new"] =
            json!({ "vpc": "@vpc.lab", "cidr": resources["subnet.source"]["cidr"] });
        resources["subnet.source"]["cidr"] = json!("10.0.7.0/24");
    };
    assert_snapshot!(end_of_part(subnet, "subnet.new"), @"subnet.new: error MP0418: `subnet.source` holds what `subnet.new` needs: AWS allows no two subnets of vpc-c0f4f0e7efd543461 whose addresses overlap");
}

#[test]
fn a_gateway_does_not_leave_public_addresses_alone() {
    let (resources, mut there) = (lab(), applied(&stack(lab())));
    let request =
        Request { replace: ["internet_gateway.lab".parse().unwrap()].into(), ..Request::default() };
    let end =
        |resources: &Json, there: &Observed| told(plan(&stack(resources.clone()), there, &request));
    let public = |there: &mut Observed, address: Option<&str>| {
        for name in ["instance.source", "instance.one"] {
            let all = there.owned.get_mut(&name.parse().unwrap()).unwrap();
            all[0].computed.insert("public_ip".to_owned(), address.map(str::to_owned));
        }
    };
    public(&mut there, None);
    assert_snapshot!(end(&resources, &there), @"1 to add, 1 to change, 1 to destroy");
    public(&mut there, Some("198.51.100.7"));
    assert_snapshot!(end(&resources, &there), @"
    instance.one: error MP0419: `internet_gateway.lab` would be removed, but `instance.one` stays and holds it
    instance.source: error MP0419: `internet_gateway.lab` would be removed, but `instance.source` stays and holds it
    ");
    // An instance that is deleted or recreated releases its address.
    let mut private = resources.clone();
    private["instance.source"]["key_name"] = json!("operator");
    private["instance.one"]["key_name"] = json!("operator");
    assert_snapshot!(end(&private, &there), @"4 to add, 2 to change, 4 to destroy");
}

/// AWS creates an internet-facing load balancer only where a gateway exists.
#[test]
fn a_part_with_a_public_load_balancer_has_the_gateway_in_it() {
    let public = |scheme: &'static str| {
        move |resources: &mut Json| resources["load_balancer.sensors"]["scheme"] = json!(scheme)
    };
    let part = |edit: &dyn Fn(&mut Json)| {
        let mut resources = lab();
        edit(&mut resources);
        let targets = ["load_balancer.sensors".parse().unwrap()].into();
        let request = Request { targets, ..Request::default() };
        let plan = plan(&stack(resources), &nothing(), &request).unwrap();
        plan.changes.iter().any(|change| change.address.kind == Kind::InternetGateway)
    };
    assert!(part(&public("internet-facing")));
    assert!(!part(&public("internal")));
}
