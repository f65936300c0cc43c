//! The planner, run on inventories that are made from stacks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::*;
use crate::attribute::Problems;
use crate::observed::Found;
use crate::resource::{Resource, security_group, tag};
use crate::stack::Declared;
use crate::value::{Origin, Value};

mod accounts;
mod claims;
mod foreign;
mod held;
mod inventory;
mod moves;
mod occupied;
mod replacements;
mod saved;
mod scaling;
mod sharing;
mod traffic;
mod transit;

pub(crate) use inventory::applied;
use inventory::found;

/// A stack; `"@vpc.lab"` refers to a resource.
pub(crate) fn stack(resources: Json) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    for (address, attributes) in resources.as_object().unwrap() {
        let address: Address = address.parse().unwrap();
        let mut problems = Problems::default();
        let value = with_references(Value::from(attributes.clone()));
        let resource = Resource::read(address.kind, &value, &mut problems);
        assert_eq!(problems.into_inner(), [], "{address}");
        builder.declare(address, Declared { resource: resource.unwrap(), place: None });
    }
    builder.build().unwrap().0
}

fn with_references(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('@') {
            Some(address) => Value::Resource(address.parse().unwrap()),
            None => Value::String(text),
        },
        Value::List(items) => Value::List(items.into_iter().map(with_references).collect()),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (name, with_references(value))).collect(),
        ),
        other => other,
    }
}

pub(crate) fn nothing() -> Observed {
    Observed::nothing("123456789012".parse().unwrap(), "eu-west-1".parse().unwrap())
}

/// The plan from `observed` to `stack`: changes that do something, then steps.
fn planned(stack: &Stack, observed: &Observed) -> String {
    shown(&plan(stack, observed, &Request::default()).unwrap())
}

fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        let reasons: Vec<String> = change.reasons.iter().map(ToString::to_string).collect();
        let deposed = change.deposed.map_or(String::new(), |g| format!(" (left over, {g})"));
        let (action, address) = (change.action, &change.address);
        writeln!(text, "{action:?} {address}{deposed}: {}", reasons.join("; ")).unwrap();
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let Step { address, phase: _, generation, call, expects: _, needs } = step;
        let call = match call {
            Call::Operation(operation) => operation.call(),
            Call::Retag { .. } => "tags",
        };
        let needs: Vec<String> = needs.iter().map(usize::to_string).collect();
        let after =
            if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(" ")) };
        writeln!(text, "{index:>2} {call} {address}#{generation}{after}").unwrap();
    }
    text
}

/// The reference stack, without what does not matter to the planner.
pub(crate) fn lab() -> Json {
    json!({
        "vpc.lab": {"cidr": "10.0.0.0/16", "dns_hostnames": true},
        "subnet.source": {"vpc": "@vpc.lab", "cidr": "10.0.1.0/24"},
        "subnet.target": {"vpc": "@vpc.lab", "cidr": "10.0.2.0/24"},
        "internet_gateway.lab": {"vpc": "@vpc.lab"},
        "route_table.public": {
            "vpc": "@vpc.lab",
            "routes": [{"destination": "0.0.0.0/0", "internet_gateway": "@internet_gateway.lab"}],
            "subnets": ["@subnet.source", "@subnet.target"],
        },
        "security_group.target": {
            "vpc": "@vpc.lab",
            "ingress": [{"protocol": "udp", "port": 4789, "cidrs": ["10.0.1.0/24"]}],
        },
        "instance.source": {"instance_type": "t3.micro", "subnet": "@subnet.source"},
        "instance.one": {
            "instance_type": "t3.micro", "subnet": "@subnet.target",
            "security_groups": ["@security_group.target"],
        },
        "target_group.vxlan": {"vpc": "@vpc.lab", "targets": ["@instance.one"]},
        "load_balancer.sensors": {
            "subnets": ["@subnet.target"],
            "listeners": [{"target_group": "@target_group.vxlan"}],
        },
        "mirror_target.nlb": {"load_balancer": "@load_balancer.sensors"},
        "mirror_filter.tcp": {
            "rules": [
                {"number": 10, "action": "reject", "protocol": "tcp", "port": 22},
                {"number": 100, "action": "accept", "protocol": "tcp"},
            ],
        },
        "mirror_session.source": {
            "source": "@instance.source", "target": "@mirror_target.nlb",
            "filter": "@mirror_filter.tcp", "number": 1,
        },
    })
}

/// The lab with one attribute changed.
fn lab_with(address: &str, attribute: &str, value: Json) -> Stack {
    let mut resources = lab();
    resources[address][attribute] = value;
    stack(resources)
}

#[test]
fn a_new_stack_is_made_in_the_order_of_its_references() {
    assert_snapshot!(planned(&stack(lab()), &nothing()), @"
    Create vpc.lab: there is no such object yet
    Create subnet.source: there is no such object yet
    Create subnet.target: there is no such object yet
    Create internet_gateway.lab: there is no such object yet
    Create route_table.public: there is no such object yet
    Create security_group.target: there is no such object yet
    Create instance.one: there is no such object yet
    Create instance.source: there is no such object yet
    Create target_group.vxlan: there is no such object yet
    Create load_balancer.sensors: there is no such object yet
    Create mirror_target.nlb: there is no such object yet
    Create mirror_filter.tcp: there is no such object yet
    Create mirror_session.source: there is no such object yet
     0 CreateVpc vpc.lab#1
     1 ModifyVpcAttribute vpc.lab#1 after 0
     2 CreateSubnet subnet.source#1 after 0
     3 CreateSubnet subnet.target#1 after 0
     4 CreateInternetGateway internet_gateway.lab#1
     5 AttachInternetGateway internet_gateway.lab#1 after 0 4
     6 CreateRouteTable route_table.public#1 after 0
     7 CreateRoute route_table.public#1 after 5 6
     8 AssociateRouteTable route_table.public#1 after 2 7
     9 AssociateRouteTable route_table.public#1 after 3 8
    10 CreateSecurityGroup security_group.target#1 after 0
    11 AuthorizeSecurityGroupIngress security_group.target#1 after 10
    12 RunInstances instance.one#1 after 3 9 11
    13 RunInstances instance.source#1 after 2 9
    14 CreateTargetGroup target_group.vxlan#1 after 0
    15 RegisterTargets target_group.vxlan#1 after 12 14
    16 CreateLoadBalancer load_balancer.sensors#1 after 3
    17 CreateListener load_balancer.sensors#1 after 14 16
    18 CreateTrafficMirrorTarget mirror_target.nlb#1 after 17
    19 CreateTrafficMirrorFilter mirror_filter.tcp#1
    20 CreateTrafficMirrorFilterRule mirror_filter.tcp#1 after 19
    21 CreateTrafficMirrorFilterRule mirror_filter.tcp#1 after 20
    22 CreateTrafficMirrorFilterRule mirror_filter.tcp#1 after 21
    23 CreateTrafficMirrorFilterRule mirror_filter.tcp#1 after 22
    24 CreateTrafficMirrorSession mirror_session.source#1 after 13 15 18 23
    ");
}

#[test]
fn an_applied_stack_plans_nothing() {
    let lab = stack(lab());
    let plan = plan(&lab, &applied(&lab), &Request::default()).unwrap();
    assert!(plan.is_empty(), "{}", shown(&plan));
    assert_eq!(plan.counts(), Counts::default());
}

#[test]
fn a_destroyed_stack_goes_in_the_reverse_order() {
    let lab = stack(lab());
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    assert_snapshot!(shown(&plan(&lab, &applied(&lab), &request).unwrap()), @"
    Delete vpc.lab: the stack is being destroyed
    Delete subnet.source: the stack is being destroyed
    Delete subnet.target: the stack is being destroyed
    Delete internet_gateway.lab: the stack is being destroyed
    Delete route_table.public: the stack is being destroyed
    Delete security_group.target: the stack is being destroyed
    Delete instance.one: the stack is being destroyed
    Delete instance.source: the stack is being destroyed
    Delete target_group.vxlan: the stack is being destroyed
    Delete load_balancer.sensors: the stack is being destroyed
    Delete mirror_target.nlb: the stack is being destroyed
    Delete mirror_filter.tcp: the stack is being destroyed
    Delete mirror_session.source: the stack is being destroyed
     0 DisassociateRouteTable route_table.public#1
     1 DisassociateRouteTable route_table.public#1 after 0
     2 DeleteRouteTable route_table.public#1 after 1
     3 TerminateInstances instance.one#1
     4 DeleteSecurityGroup security_group.target#1 after 3
     5 DeleteTrafficMirrorSession mirror_session.source#1
     6 TerminateInstances instance.source#1 after 5
     7 DeleteSubnet subnet.source#1 after 2 6
     8 DeleteTrafficMirrorTarget mirror_target.nlb#1 after 5
     9 DeleteListener load_balancer.sensors#1 after 8
    10 DeleteLoadBalancer load_balancer.sensors#1 after 9
    11 DeleteSubnet subnet.target#1 after 2 3 10
    12 DetachInternetGateway internet_gateway.lab#1 after 2 3 6 10
    13 DeleteInternetGateway internet_gateway.lab#1 after 12
    14 DeleteVpc vpc.lab#1 after 2 4 7 11 13
    15 DeleteTargetGroup target_group.vxlan#1 after 10
    16 DeleteTrafficMirrorFilterRule mirror_filter.tcp#1 after 5
    17 DeleteTrafficMirrorFilterRule mirror_filter.tcp#1 after 16
    18 DeleteTrafficMirrorFilterRule mirror_filter.tcp#1 after 17
    19 DeleteTrafficMirrorFilterRule mirror_filter.tcp#1 after 18
    20 DeleteTrafficMirrorFilter mirror_filter.tcp#1 after 19
    ");
}

#[test]
fn one_edited_filter_rule_is_one_change_in_place() {
    let edited = lab_with(
        "mirror_filter.tcp",
        "rules",
        json!([
            {"number": 10, "action": "reject", "protocol": "tcp", "port": 2222},
            {"number": 100, "action": "accept", "protocol": "tcp"},
        ]),
    );
    assert_snapshot!(planned(&edited, &applied(&stack(lab()))), @"
    Update mirror_filter.tcp: `rules` differs
     0 ModifyTrafficMirrorFilterRule mirror_filter.tcp#1
     1 ModifyTrafficMirrorFilterRule mirror_filter.tcp#1 after 0
    ");
}

#[test]
fn another_load_balancer_behind_the_target_leaves_no_gap() {
    let edited = lab_with("load_balancer.sensors", "scheme", json!("internet-facing"));
    assert_snapshot!(planned(&edited, &applied(&stack(lab()))), @"
    Replace(CreateThenDelete) target_group.vxlan: load_balancer.sensors is replaced, and a target group serves only one load balancer
    Replace(CreateThenDelete) load_balancer.sensors: `scheme` differs, which AWS cannot change on an existing object
    Replace(CreateThenDelete) mirror_target.nlb: `load_balancer` differs, which AWS cannot change on an existing object
    Update mirror_session.source: `target` differs
     0 CreateTargetGroup target_group.vxlan#2
     1 RegisterTargets target_group.vxlan#2 after 0
     2 CreateLoadBalancer load_balancer.sensors#2
     3 CreateListener load_balancer.sensors#2 after 0 2
     4 CreateTrafficMirrorTarget mirror_target.nlb#2 after 3
     5 ModifyTrafficMirrorSession mirror_session.source#1 after 1 4
     6 DeleteTrafficMirrorTarget mirror_target.nlb#1 after 4 5
     7 DeleteListener load_balancer.sensors#1 after 3 6
     8 DeleteLoadBalancer load_balancer.sensors#1 after 7
     9 DeleteTargetGroup target_group.vxlan#1 after 1 8
    ");
}

#[test]
fn a_target_for_the_same_load_balancer_goes_before_its_replacement_is_made() {
    let edited = lab_with("mirror_target.nlb", "description", json!("sensors"));
    assert_snapshot!(planned(&edited, &applied(&stack(lab()))), @"
    Replace(DeleteThenCreate) mirror_target.nlb: `description` differs, which AWS cannot change on an existing object; AWS allows one mirror target for each load balancer or interface, so the old one is deleted first
    Replace(DeleteThenCreate) mirror_session.source: it cannot exist without mirror_target.nlb, which is deleted before its replacement is created
     0 DeleteTrafficMirrorSession mirror_session.source#1
     1 DeleteTrafficMirrorTarget mirror_target.nlb#1 after 0
     2 CreateTrafficMirrorTarget mirror_target.nlb#2 after 1
     3 CreateTrafficMirrorSession mirror_session.source#2 after 0 2
    ");
}

#[test]
fn what_stands_in_a_replaced_subnet_goes_with_it() {
    let edited = lab_with("subnet.source", "cidr", json!("10.0.3.0/24"));
    assert_snapshot!(planned(&edited, &applied(&stack(lab()))), @"
    Replace(DeleteThenCreate) subnet.source: `cidr` differs, which AWS cannot change on an existing object
    Update route_table.public: `subnets` differs
    Replace(DeleteThenCreate) instance.source: `subnet` differs, which AWS cannot change on an existing object; it cannot exist without subnet.source, which is deleted before its replacement is created
    Replace(DeleteThenCreate) mirror_session.source: `source` differs, which AWS cannot change on an existing object; it cannot exist without instance.source, which is deleted before its replacement is created
     0 DisassociateRouteTable route_table.public#1
     1 DeleteTrafficMirrorSession mirror_session.source#1
     2 TerminateInstances instance.source#1 after 1
     3 DeleteSubnet subnet.source#1 after 2
     4 CreateSubnet subnet.source#2 after 3
     5 AssociateRouteTable route_table.public#1 after 0 4
     6 RunInstances instance.source#2 after 2 4 5
     7 CreateTrafficMirrorSession mirror_session.source#2 after 1 6
    ");
}

#[test]
fn another_type_restarts_the_instance() {
    let edited = lab_with("instance.one", "instance_type", json!("t3.small"));
    assert_snapshot!(planned(&edited, &applied(&stack(lab()))), @"
    Update instance.one: `instance_type` differs
     0 StopInstances instance.one#1
     1 ModifyInstanceAttribute instance.one#1 after 0
     2 StartInstances instance.one#1 after 1
    ");
}

#[test]
fn what_the_stack_no_longer_declares_goes_after_what_uses_it() {
    let mut without = lab();
    without.as_object_mut().unwrap().remove("mirror_session.source");
    without.as_object_mut().unwrap().remove("instance.source");
    assert_snapshot!(planned(&stack(without), &applied(&stack(lab()))), @"
    Delete instance.source: it is not in the stack
    Delete mirror_session.source: it is not in the stack
     0 DeleteTrafficMirrorSession mirror_session.source#1
     1 TerminateInstances instance.source#1 after 0
    ");
}

#[test]
fn groups_that_name_each_other_are_made_and_removed() {
    let pair = stack(json!({
        "security_group.a": {"vpc": "vpc-00000000000000001",
            "ingress": [{"protocol": "tcp", "port": 80, "security_groups": ["@security_group.b"]}]},
        "security_group.b": {"vpc": "vpc-00000000000000001",
            "ingress": [{"protocol": "tcp", "port": 80, "security_groups": ["@security_group.a"]}]},
    }));
    assert_snapshot!(planned(&pair, &nothing()), @"
    Create security_group.a: there is no such object yet
    Create security_group.b: there is no such object yet
     0 CreateSecurityGroup security_group.a#1
     1 CreateSecurityGroup security_group.b#1
     2 AuthorizeSecurityGroupIngress security_group.a#1 after 0 1
     3 AuthorizeSecurityGroupIngress security_group.b#1 after 0 1
    ");
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    assert_snapshot!(shown(&plan(&pair, &applied(&pair), &request).unwrap()), @"
    Delete security_group.a: the stack is being destroyed
    Delete security_group.b: the stack is being destroyed
     0 RevokeSecurityGroupIngress security_group.a#1
     1 RevokeSecurityGroupIngress security_group.b#1
     2 DeleteSecurityGroup security_group.a#1 after 0 1
     3 DeleteSecurityGroup security_group.b#1 after 0 1
    ");
}

#[test]
fn a_left_over_object_goes_and_nothing_else_changes() {
    let lab = stack(lab());
    let mut observed = applied(&lab);
    let address: Address = "mirror_target.nlb".parse().unwrap();
    let old = observed.current(&address).unwrap().clone();
    let new = found(&address, 2, old.resource.clone());
    observed.owned.get_mut(&address).unwrap().push(new);
    // The session still sends to the old target.
    assert_snapshot!(planned(&lab, &observed), @"
    Delete mirror_target.nlb (left over, 1): it is left over from an unfinished replacement
    Update mirror_session.source: `target` differs
     0 ModifyTrafficMirrorSession mirror_session.source#1
     1 DeleteTrafficMirrorTarget mirror_target.nlb#1 after 0
    ");
}

#[test]
fn two_objects_of_one_generation_are_an_error_that_names_both() {
    let lab = stack(lab());
    let mut observed = applied(&lab);
    let address: Address = "vpc.lab".parse().unwrap();
    let mut twin = observed.current(&address).unwrap().clone();
    twin.id = serde_json::from_value(json!("vpc-00000000000000002")).unwrap();
    observed.owned.get_mut(&address).unwrap().push(twin);
    let error = plan(&lab, &observed, &Request::default()).unwrap_err();
    assert_snapshot!(error, @"vpc.lab: error MP0402: vpc-c0f4f0e7efd543461 and vpc-00000000000000002 both claim to be `vpc.lab`");
}

#[test]
fn a_fixed_name_that_prevents_a_replacement_is_said_before_the_first_call() {
    let mut fixed = lab();
    fixed["load_balancer.sensors"]["name"] = json!("sensors");
    let before = applied(&stack(fixed.clone()));
    fixed["load_balancer.sensors"]["scheme"] = json!("internet-facing");
    let error = plan(&stack(fixed), &before, &Request::default()).unwrap_err();
    assert_snapshot!(error, @"load_balancer.sensors: error MP0401: `load_balancer.sensors` must be replaced, but AWS allows no second Network Load Balancer named `sensors`");
}

#[test]
fn only_what_is_targeted_and_what_it_needs_is_planned() {
    let request = Request {
        targets: BTreeSet::from(["subnet.source".parse().unwrap()]),
        ..Request::default()
    };
    assert_snapshot!(shown(&plan(&stack(lab()), &nothing(), &request).unwrap()), @"
    Create vpc.lab: there is no such object yet
    Create subnet.source: there is no such object yet
     0 CreateVpc vpc.lab#1
     1 ModifyVpcAttribute vpc.lab#1 after 0
     2 CreateSubnet subnet.source#1 after 0
    ");
}

#[test]
fn a_requested_replacement_replaces() {
    let lab = stack(lab());
    let request = Request {
        replace: BTreeSet::from(["instance.one".parse().unwrap()]),
        ..Request::default()
    };
    assert_snapshot!(shown(&plan(&lab, &applied(&lab), &request).unwrap()), @"
    Replace(CreateThenDelete) instance.one: its replacement was requested
    Update target_group.vxlan: `targets` differs
     0 RunInstances instance.one#2
     1 RegisterTargets target_group.vxlan#1 after 0
     2 DeregisterTargets target_group.vxlan#1 after 1
     3 TerminateInstances instance.one#1 after 0 2
    ");
}

#[test]
fn the_rule_that_aws_adds_is_no_difference() {
    let group = stack(json!({"security_group.a": {"vpc": "vpc-00000000000000001"}}));
    let Resource::SecurityGroup(declared) = &group.resources.values().next().unwrap().resource
    else {
        unreachable!()
    };
    assert_eq!(declared.egress.0, [security_group::Rule::allow_all_egress()]);
    assert!(declared.tags.contains_key(tag::NAME));
}

#[test]
fn an_output_of_what_stays_survives_a_targeted_destroy() {
    let mut lab = stack(lab());
    for (name, attribute) in [("vpc", "vpc.lab.id"), ("vni", "mirror_session.source.vni")] {
        let (address, attribute) = attribute.rsplit_once('.').unwrap();
        let origin = Origin { address: address.parse().unwrap(), attribute: attribute.to_owned() };
        let value = Value::Unknown(crate::value::Unknown::attribute(origin));
        lab.outputs.insert(name.to_owned(), crate::stack::Output { value, description: None });
    }
    let request = Request {
        mode: Mode::Destroy,
        targets: BTreeSet::from(["mirror_session.source".parse().unwrap()]),
        ..Request::default()
    };
    let plan = plan(&lab, &applied(&lab), &request).unwrap();
    assert_eq!(plan.outputs["vni"].before, Some(Value::integer(4242)));
    assert_eq!(plan.outputs["vni"].after, None);
    assert_eq!(plan.outputs["vpc"].after, plan.outputs["vpc"].before);
    assert!(plan.outputs["vpc"].after.is_some());
}

/// A group that names one in a connected VPC, and itself.
#[test]
fn a_rule_waits_for_the_connection_with_the_vpc_of_the_group_that_it_names() {
    let rule = |of: &str| json!([{ "protocol": "tcp", "port": 80, "security_groups": [of] }]);
    let stack = stack(json!({
        "vpc.a": { "cidr": "10.1.0.0/16" },
        "vpc.b": { "cidr": "10.2.0.0/16" },
        "vpc_peering.ab": { "requester": "@vpc.a", "accepter": "@vpc.b" },
        "security_group.a": {
            "vpc": "@vpc.a", "ingress": rule("@security_group.b"), "egress": rule("@security_group.a"),
        },
        "security_group.b": { "vpc": "@vpc.b" },
    }));
    assert_snapshot!(planned(&stack, &nothing()), @"
    Create vpc.a: there is no such object yet
    Create vpc.b: there is no such object yet
    Create vpc_peering.ab: there is no such object yet
    Create security_group.a: there is no such object yet
    Create security_group.b: there is no such object yet
     0 CreateVpc vpc.a#1
     1 CreateVpc vpc.b#1
     2 CreateVpcPeeringConnection vpc_peering.ab#1 after 0 1
     3 AcceptVpcPeeringConnection vpc_peering.ab#1 after 1 2
     4 CreateSecurityGroup security_group.a#1 after 0
     5 CreateSecurityGroup security_group.b#1 after 1
     6 AuthorizeSecurityGroupIngress security_group.a#1 after 3 4 5
     7 AuthorizeSecurityGroupEgress security_group.a#1 after 6
     8 RevokeSecurityGroupEgress security_group.a#1 after 7
    ");
}

#[test]
fn a_route_waits_for_a_gateway_that_an_interrupted_run_left_unattached() {
    let stack = stack(json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "internet_gateway.lab": { "vpc": "@vpc.lab" },
        "route_table.public": {
            "vpc": "@vpc.lab",
            "routes": [{ "destination": "0.0.0.0/0", "internet_gateway": "@internet_gateway.lab" }],
        },
    }));
    let mut observed = applied(&stack);
    for found in observed.owned.values_mut().flatten() {
        match &mut found.resource {
            Resource::InternetGateway(gateway) => gateway.vpc = None,
            Resource::RouteTable(table) => table.routes.clear(),
            _ => {}
        }
    }
    let plan = plan(&stack, &observed, &Request::default()).unwrap();
    let steps = plan.steps.iter().map(|step| match &step.call {
        Call::Operation(operation) => format!("{} after {:?}", operation.call(), step.needs),
        Call::Retag { .. } => unreachable!("no tag has changed"),
    });
    assert_snapshot!(steps.collect::<Vec<_>>().join("\n"), @"
    AttachInternetGateway after []
    CreateRoute after [0]
    ");
}
