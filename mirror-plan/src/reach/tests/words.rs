//! What is said about ways, in full, and about what was seen in an account.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::observed::Observed;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Request, plan};
use crate::reach::{Condition, Health, Network, Reach, Verdict};
use crate::render::reach::{Hops, Lines, of_plan};
use crate::stack::Stack;

/// A source in each of two VPCs, and receivers behind a load balancer in one of them.
pub(super) fn lab() -> Json {
    let machine = |subnet: &str, group: &str| {
        json!({
            "instance_type": "m5.large", "subnet": format!("@subnet.{subnet}"),
            "security_groups": [format!("@security_group.{group}")],
        })
    };
    let session = |source: &str| {
        json!({
            "source": source, "target": "@mirror_target.sensors", "filter": "@mirror_filter.all",
            "number": 1,
        })
    };
    json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "vpc.far": { "cidr": "10.1.0.0/16" },
        "subnet.source": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "subnet.sensors": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24" },
        "subnet.far": { "vpc": "@vpc.far", "cidr": "10.1.1.0/24" },
        "route_table.far": {
            "vpc": "@vpc.far", "subnets": ["@subnet.far"],
            "routes": [{ "destination": "10.0.0.0/16", "transit_gateway": "tgw-0a1b2c3d4e5f67890" }],
        },
        "security_group.source": { "vpc": "@vpc.lab" },
        "security_group.far": { "vpc": "@vpc.far" },
        "security_group.sensor": { "vpc": "@vpc.lab", "ingress": [
            { "protocol": "udp", "port": 4789, "cidrs": ["10.0.0.0/8"] },
            { "protocol": "tcp", "port": 80, "cidrs": ["10.0.2.0/24"] },
        ] },
        "instance.web": machine("source", "source"),
        "instance.far": machine("far", "far"),
        "instance.sensor[0]": machine("sensors", "sensor"),
        "instance.sensor[1]": machine("sensors", "sensor"),
        "target_group.sensors": {
            "vpc": "@vpc.lab", "health_check": { "port": 80 },
            "targets": ["@instance.sensor[0]", "@instance.sensor[1]"],
        },
        "load_balancer.sensors": {
            "subnets": ["@subnet.sensors"], "listeners": [{ "target_group": "@target_group.sensors" }],
        },
        "mirror_target.sensors": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
        "mirror_session.web": session("@instance.web"),
        "mirror_session.far": session("@instance.far"),
        "mirror_session.other": session("eni-0a1b2c3d4e5f67890"),
    })
}

pub(super) fn lines(network: Network<'_>) -> String {
    Lines(&Reach::over(network)).to_string()
}

fn edited(edit: impl FnOnce(&mut Json)) -> Stack {
    let mut lab = lab();
    edit(&mut lab);
    stack(lab)
}

#[test]
fn each_session_has_a_line() {
    assert_snapshot!(lines(Network::of_stack(&stack(lab()))), @r#"
    mirror_session.far: not known: instance.far -? whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]
    "#);
}

#[test]
fn a_line_ends_where_packets_do() {
    let of = |edit: fn(&mut Json)| lines(Network::of_stack(&edited(edit)));
    let told = [
        of(|lab| lab["mirror_filter.all"]["rules"] = json!([])),
        of(|lab| lab["route_table.far"]["routes"] = json!([])),
        of(|lab| lab["load_balancer.sensors"]["listeners"][0]["port"] = json!(4790)),
        of(|lab| lab["target_group.sensors"]["targets"] = json!([])),
        of(|lab| lab["security_group.sensor"]["ingress"][0]["port"] = json!(4790)),
        of(|lab| lab["security_group.sensor"]["ingress"][1]["port"] = json!(81)),
        of(|lab| lab["instance.sensor[0]"]["security_groups"] = json!(["@security_group.source"])),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.far: stopped: instance.far -| mirror_filter.all accepts no packets
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -| mirror_filter.all accepts no packets
    mirror_session.web: stopped: instance.web -| mirror_filter.all accepts no packets

    mirror_session.far: stopped: instance.far -| route_table.far has no route to subnet.sensors, which is in another VPC
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.far: stopped: instance.far -| load_balancer.sensors has no listener on udp 4789
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -| load_balancer.sensors has no listener on udp 4789
    mirror_session.web: stopped: instance.web -| load_balancer.sensors has no listener on udp 4789

    mirror_session.far: stopped: instance.far -> load_balancer.sensors -| target_group.sensors has no targets
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -> load_balancer.sensors -| target_group.sensors has no targets
    mirror_session.web: stopped: instance.web -> load_balancer.sensors -| target_group.sensors has no targets

    mirror_session.far: stopped: instance.far -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits udp 4789 from subnet.far
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits udp 4789 from an interface in an unknown subnet
    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits udp 4789 from subnet.source

    mirror_session.far: stopped: instance.far -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits tcp 80 from subnet.sensors
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits tcp 80 from subnet.sensors
    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| no rule of security_group.sensor admits tcp 80 from subnet.sensors

    mirror_session.far: not known: instance.far -? whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[1]
    "#);
}

#[test]
fn all_hops_of_a_path() {
    let stack = stack(lab());
    let reach = Reach::over(Network::of_stack(&stack));
    let ways = reach.ways();
    let far = ways.iter().next().unwrap();
    assert_snapshot!(Hops(&far.decisive().unwrap()), @r#"
    passes     mirror_filter.all accepts packets
    passes     route_table.far sends 10.0.0.0/16 to tgw-0a1b2c3d4e5f67890
    not known  whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    passes     the network ACL of subnet.far, which AWS created with its VPC, lets everything through
    passes     the network ACL of subnet.sensors, which AWS created with its VPC, lets everything through
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     load_balancer.sensors listens on udp 4789
    passes     load_balancer.sensors forwards to target_group.sensors
    passes     instance.sensor[0] is in vpc.lab too
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     security_group.sensor admits udp 4789 from subnet.far
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     security_group.sensor admits tcp 80 from subnet.sensors
    "#);
}

/// A plan says the same about a stack as the stack itself does.
#[test]
fn a_plan_has_the_lines_of_its_stack() {
    let stack = stack(lab());
    let plan = plan(&stack, &nothing(), &Request::default()).unwrap();
    assert_eq!(of_plan(&plan), lines(Network::of_stack(&stack)));
}

/// An applied stack is known as it was declared, and better: its addresses are known too.
#[test]
fn an_account_is_looked_at_as_a_stack_is() {
    let stack = stack(lab());
    let observed = applied(&stack);
    assert_snapshot!(lines(Network::of_observed(&observed)), @r#"
    mirror_session.far: not known: instance.far -? whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]
    "#);
}

#[test]
fn a_receiver_that_is_ill_gets_nothing() {
    let stack = stack(lab());
    let observed = applied(&stack);
    let health = |conditions: [Condition; 2]| {
        let id =
            |address: &str| observed.current(&address.parse().unwrap()).unwrap().id.to_string();
        let of = |at: usize| {
            let receiver = id(&format!("instance.sensor[{at}]")).parse().unwrap();
            (id("target_group.sensors").parse().unwrap(), receiver)
        };
        Health(conditions.into_iter().enumerate().map(|(at, it)| (of(at), it)).collect())
    };
    let ill = || Condition::Ill("Target.FailedHealthChecks".to_owned());
    let of = |conditions: [Condition; 2]| {
        lines(Network::of_observed(&observed).with_health(health(conditions)))
    };
    let told = [
        of([Condition::Healthy, Condition::Healthy]),
        of([ill(), Condition::Healthy]),
        of([ill(), ill()]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.far: not known: instance.far -? whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.far: not known: instance.far -? whether vpc.far is attached to tgw-0a1b2c3d4e5f67890 is not known
    mirror_session.other: not known: eni-0a1b2c3d4e5f67890 -? the subnet of the source is not known, and so neither is the route; one more hop is not known
    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[1]

    mirror_session.far: stopped: instance.far -> load_balancer.sensors -> target_group.sensors -| instance.sensor[1] is not healthy in target_group.sensors: Target.FailedHealthChecks
    mirror_session.other: stopped: eni-0a1b2c3d4e5f67890 -> load_balancer.sensors -> target_group.sensors -| instance.sensor[1] is not healthy in target_group.sensors: Target.FailedHealthChecks
    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| instance.sensor[1] is not healthy in target_group.sensors: Target.FailedHealthChecks
    "#);
}

/// A stack file cannot say everything about groups and tables that belong to others: what was seen of them lets
/// packets through, and stops nothing.
#[test]
fn what_was_seen_of_others_lets_through_and_stops_nothing() {
    let others = stack(json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.sensors": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24" },
        "security_group.sensor": { "vpc": "@vpc.lab", "ingress": [
            { "protocol": "udp", "port": 4789, "cidrs": ["10.0.1.0/24"] },
        ] },
    }));
    let mut observed: Observed = applied(&others);
    for (address, found) in std::mem::take(&mut observed.owned) {
        observed.existing.extend(found.into_iter().map(|found| (address.clone(), found)));
    }
    let id = |address: &str| json!(observed.existing[&address.parse().unwrap()].id.to_string());
    let stack = stack(json!({
            "subnet.source": { "vpc": id("vpc.lab"), "cidr": "10.0.1.0/24" },
            "security_group.own": { "vpc": id("vpc.lab") },
            "instance.web": {
                "instance_type": "m5.large", "subnet": "@subnet.source",
                "security_groups": ["@security_group.own"],
            },
            "instance.sensor": {
                "instance_type": "m5.large", "subnet": id("subnet.sensors"),
                "security_groups": [id("security_group.sensor")],
            },
            "mirror_target.sensor": { "network_interface": "@instance.sensor" },
            "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
            "mirror_session.web": {
                "source": "@instance.web", "target": "@mirror_target.sensor",
                "filter": "@mirror_filter.all", "number": 1,
            },
    }));
    let reach = Reach::over(Network::of_stack(&stack).using(&observed));
    let ways = reach.ways();
    let path = ways.iter().next().unwrap().decisive().unwrap();
    assert_snapshot!(Hops(&path), @r#"
    passes     mirror_filter.all accepts packets
    passes     the local route of vpc.lab
    not known  which network ACL subnet.source has is not known
    not known  which network ACL subnet.sensors has is not known
    passes     security_group.sensor admits udp 4789 from subnet.source
    "#);
    assert_eq!(ways.iter().next().unwrap().verdict(), Verdict::Unknown);
}
