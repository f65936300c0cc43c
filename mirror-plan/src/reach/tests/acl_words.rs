//! What is said about network ACLs: which one, of which subnet, and the rule that decides.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::words::{lab, lines};
use crate::address::Address;
use crate::attribute::Ref;
use crate::observed::{Found, NetworkAcl, Observed};
use crate::plan::tests::{applied, stack};
use crate::plan::{Plan, Request, plan};
use crate::reach::{Network, Reach};
use crate::render::reach::{Hops, of_plan};
use crate::resource::{Resource, Subnet};
use crate::stack::Stack;

/// The lab with its receivers in a subnet of their own.
fn apart() -> Stack {
    let mut lab = lab();
    lab["subnet.receivers"] = json!({ "vpc": "@vpc.lab", "cidr": "10.0.3.0/24" });
    for subnet in ["sensors", "receivers"] {
        lab[format!("subnet.{subnet}")]["availability_zone"] = json!("eu-west-1a");
    }
    for at in 0..2 {
        lab[format!("instance.sensor[{at}]")]["subnet"] = json!("@subnet.receivers");
    }
    for other in ["far", "other"] {
        lab.as_object_mut().unwrap().remove(&format!("mirror_session.{other}"));
    }
    stack(lab)
}

/// A rule: `in 90 deny udp 4789 10.0.0.0/8`, where `*` stands for all ports.
fn rule(text: &str) -> Json {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [direction, number, action, protocol, port, range] = words.try_into().unwrap();
    let direction = if direction == "in" { "ingress" } else { "egress" };
    let mut rule = json!({
        "number": number.parse::<u16>().unwrap(), "direction": direction, "action": action,
        "protocol": protocol, "range": range,
    });
    if port != "*" {
        rule["port"] = serde_json::to_value(port).unwrap();
    }
    rule
}

/// Gives an existing subnet a network ACL with these rules; the other subnets of its VPC get an open one.
pub(super) fn give(observed: &mut Observed, subnet: &str, rules: &[&str]) {
    let address = subnet.parse().unwrap();
    let vpc = |found: &Found| match &found.resource {
        Resource::Subnet(Subnet { vpc: Ref::Id(vpc), .. }) => Some(vpc.clone()),
        _ => None,
    };
    let all = || observed.owned.iter().map(|(address, all)| (address, &all[0]));
    let here = all().find_map(|(at, found)| vpc(found).filter(|_| *at == address)).unwrap();
    let of_vpc = all().filter(|(_, found)| vpc(found).as_ref() == Some(&here));
    let (special, others): (Vec<_>, Vec<_>) = of_vpc.partition(|(at, _)| **at == address);
    let open = ["in 100 allow all * 0.0.0.0/0", "out 100 allow all * 0.0.0.0/0"];
    let acl = |is_default: bool, rules: &[&str], of: Vec<(&Address, &Found)>| NetworkAcl {
        vpc: here.clone(),
        is_default,
        rules: rules.iter().map(|text| serde_json::from_value(rule(text)).unwrap()).collect(),
        subnets: of.into_iter().map(|(_, found)| found.id.of().unwrap()).collect(),
    };
    let all = [acl(false, rules, special), acl(true, &open, others)];
    let ids = ["acl-0123456789abcdef0", "acl-0123456789abcdef1"].map(|id| id.parse().unwrap());
    observed.network_acls = ids.into_iter().zip(all).collect();
}

/// The line of the session when a subnet has a network ACL with these rules.
fn line(subnet: &str, rules: &[&str]) -> String {
    let stack = apart();
    let mut observed = applied(&stack);
    give(&mut observed, subnet, rules);
    lines(Network::of_stack(&stack).using(&observed))
}

#[test]
fn the_first_rule_that_matches_decides() {
    let open = ["in 100 allow all * 0.0.0.0/0", "out 100 allow all * 0.0.0.0/0"];
    let with = |first: &str| line("subnet.sensors", &[&[first], &open[..]].concat());
    let told = [
        with("in 90 deny udp 4789 10.0.1.0/24"),
        with("in 110 deny udp 4789 10.0.1.0/24"),
        with("in 90 deny udp 4790 10.0.1.0/24"),
        with("in 90 deny tcp * 10.0.1.0/24"),
        with("in 90 deny udp * 10.0.1.128/25"),
        with("in 90 deny all * ::/0"),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef0 of subnet.sensors refuses udp 4789 from subnet.source (rule 90 denies it)

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.web: not known: instance.web -? the network ACL acl-0123456789abcdef0 of subnet.sensors lets some of udp 4789 from subnet.source through (rule 100 allows it) and refuses some (rule 90 denies it)

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]
    "#);
}

#[test]
fn each_subnet_has_its_own() {
    let udp = "allow udp 4789 10.0.0.0/8";
    let (comes, goes) = (format!("in 100 {udp}"), format!("out 100 {udp}"));
    let told = [
        line("subnet.source", &[&comes]),
        line("subnet.source", &[&goes]),
        line("subnet.sensors", &[&goes]),
        line("subnet.sensors", &[&comes]),
        line("subnet.receivers", &[&goes]),
        line("subnet.receivers", &["in 100 allow udp 4789 10.0.2.0/24"]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef0 of subnet.source refuses udp 4789 to subnet.sensors (no rule allows it)

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef0 of subnet.sensors refuses udp 4789 from subnet.source (no rule allows it)

    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.sensors refuses udp 4789 to subnet.receivers (no rule allows it)

    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.receivers refuses udp 4789 from subnet.source (no rule allows it)

    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.receivers refuses udp 4789 from subnet.source (no rule allows it)
    "#);
}

/// Answers to health checks need a rule too, for the ports that they go to.
#[test]
fn a_health_check_needs_a_way_back() {
    let comes = ["in 100 allow udp 4789 10.0.1.0/24", "in 110 allow tcp 80 10.0.2.0/24"];
    let with = |back: &str| line("subnet.receivers", &[&comes[..], &[back]].concat());
    let told = [
        with("out 100 allow udp * 0.0.0.0/0"),
        with("out 100 allow tcp 1024-65535 10.0.1.0/24"),
        with("out 100 allow tcp 32768-60999 10.0.2.0/24"),
        with("out 100 allow tcp 1024-65535 10.0.2.0/24"),
        line("subnet.receivers", &comes[..1]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.receivers refuses tcp 1024-65535 to subnet.sensors, the answers to health checks (no rule allows it)

    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.receivers refuses tcp 1024-65535 to subnet.sensors, the answers to health checks (no rule allows it)

    mirror_session.web: not known: instance.web -> load_balancer.sensors -> target_group.sensors -? the network ACL acl-0123456789abcdef0 of subnet.receivers lets some of tcp 1024-65535 to subnet.sensors, the answers to health checks through (rule 100 allows it) and refuses some (no rule allows it)

    mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]

    mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| the network ACL acl-0123456789abcdef0 of subnet.receivers refuses tcp 80 from subnet.sensors, the health checks (no rule allows it)
    "#);
}

/// The checks of each node are lost, each in a different place.
#[test]
fn no_node_gets_a_health_check_and_its_answer_back() {
    let mut stack = apart();
    let mut nodes = lab();
    nodes["subnet.nodes"] =
        json!({ "vpc": "@vpc.lab", "cidr": "10.0.4.0/24", "availability_zone": "eu-west-1b" });
    nodes["load_balancer.sensors"]["subnets"] = json!(["@subnet.sensors", "@subnet.nodes"]);
    nodes["load_balancer.sensors"]["cross_zone"] = json!(true);
    let nodes = self::stack(nodes).resources;
    let new = ["subnet.nodes", "load_balancer.sensors"].map(|address| address.parse().unwrap());
    stack.resources.extend(nodes.into_iter().filter(|(address, _)| new.contains(address)));
    let mut observed = applied(&stack);
    // The group admits the nodes in 10.0.2.0/24 only.
    let open = ["in 100 allow all * 0.0.0.0/0", "out 100 allow all * 0.0.0.0/0"];
    let rules = [&["in 90 deny tcp 80 10.0.2.0/24"], &open[..]].concat();
    give(&mut observed, "subnet.receivers", &rules);
    assert_snapshot!(lines(Network::of_stack(&stack).using(&observed)), @"mirror_session.web: stopped: instance.web -> load_balancer.sensors -> target_group.sensors -| no node of load_balancer.sensors gets a health check to instance.sensor[0] and its answer back");
}

#[test]
fn all_hops_through_network_acls() {
    let stack = apart();
    let mut observed = applied(&stack);
    let rules = [
        "in 100 allow udp 4789 10.0.1.0/24",
        "in 110 allow tcp 80 10.0.2.0/24",
        "out 100 allow tcp 1024-65535 10.0.2.0/24",
    ];
    give(&mut observed, "subnet.receivers", &rules);
    let reach = Reach::over(Network::of_stack(&stack).using(&observed));
    let path = reach.ways().iter().next().unwrap().decisive().unwrap();
    assert_snapshot!(Hops(&path), @r#"
    passes     mirror_filter.all accepts packets
    passes     the local route of vpc.lab
    passes     the network ACL of subnet.source, which AWS created with its VPC, lets everything through
    passes     the network ACL of subnet.sensors, which AWS created with its VPC, lets everything through
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     load_balancer.sensors listens on udp 4789
    passes     load_balancer.sensors forwards to target_group.sensors
    passes     instance.sensor[0] is in vpc.lab too
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     the network ACL of subnet.sensors, which AWS created with its VPC, lets everything through
    passes     the network ACL acl-0123456789abcdef0 of subnet.receivers lets udp 4789 from subnet.source through (rule 100 allows it)
    passes     security_group.sensor admits udp 4789 from subnet.source
    passes     load_balancer.sensors has no security groups and lets everything through
    passes     security_group.sensor admits tcp 80 from subnet.sensors
    passes     the network ACLs of subnet.sensors and subnet.receivers let the health checks (tcp 80) and their answers through
    "#);
}

/// A new subnet gets the default network ACL of its VPC, with the rules that it has by now.
#[test]
fn a_subnet_that_is_not_there_yet_gets_the_default_one() {
    let stack = apart();
    let mut observed = applied(&stack);
    give(&mut observed, "subnet.sensors", &[]);
    let default = observed.network_acls.values_mut().find(|acl| acl.is_default).unwrap();
    default.rules.push(serde_json::from_value(rule("in 50 deny udp * 10.0.0.0/8")).unwrap());
    observed.owned.remove(&"subnet.sensors".parse().unwrap());
    assert_snapshot!(lines(Network::of_stack(&stack).using(&observed)), @"mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef1 of subnet.sensors refuses udp 4789 from subnet.source (rule 50 denies it)");
    // As long as nobody has looked, it is assumed to be as AWS creates it.
    observed.network_acls.clear();
    assert_snapshot!(lines(Network::of_stack(&stack).using(&observed)), @"mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor[0], instance.sensor[1]");
}

/// What a stack uses but did not create is known as well as its own objects, once it was looked up.
#[test]
fn subnets_of_others_have_theirs() {
    let others = stack(json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.source": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "subnet.sensors": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24" },
    }));
    let line = |rules: &[&str]| {
        let mut observed = applied(&others);
        give(&mut observed, "subnet.sensors", rules);
        for (address, found) in std::mem::take(&mut observed.owned) {
            observed.existing.extend(found.into_iter().map(|found| (address.clone(), found)));
        }
        let id = |at: &str| json!(observed.existing[&at.parse().unwrap()].id.to_string());
        let machine = |subnet: &str| {
            json!({
                "instance_type": "m5.large", "subnet": id(subnet),
                "security_groups": ["@security_group.open"],
            })
        };
        let open = json!([{ "protocol": "udp", "port": 4789, "cidrs": ["10.0.0.0/8"] }]);
        let own = stack(json!({
            "security_group.open": { "vpc": id("vpc.lab"), "ingress": open },
            "instance.web": machine("subnet.source"),
            "instance.sensor": machine("subnet.sensors"),
            "mirror_target.sensor": { "network_interface": "@instance.sensor" },
            "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
            "mirror_session.web": {
                "source": "@instance.web", "target": "@mirror_target.sensor",
                "filter": "@mirror_filter.all", "number": 1,
            },
        }));
        lines(Network::of_stack(&own).using(&observed))
    };
    let told = [
        line(&["in 100 allow udp 4789 10.0.1.0/24"]),
        line(&["in 100 allow udp 4789 10.0.2.0/24"]),
        line(&["in 100 allow all * 0.0.0.0/0"]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    mirror_session.web: carries: instance.web -> instance.sensor

    mirror_session.web: stopped: instance.web -| the network ACL acl-0123456789abcdef0 of subnet.sensors refuses udp 4789 from subnet.source (no rule allows it)

    mirror_session.web: carries: instance.web -> instance.sensor
    "#);
}

/// Pictures of a plan say what its findings say. A plan is unchanged if nothing is in the way.
#[test]
fn a_plan_keeps_the_network_acls_that_are_in_the_way() {
    let stack = apart();
    let mut observed = applied(&stack);
    let planned = |observed: &Observed| plan(&stack, observed, &Request::default()).unwrap();
    let before = planned(&observed);
    give(
        &mut observed,
        "subnet.sensors",
        &["in 100 allow all * 0.0.0.0/0", "out 100 allow all * 0.0.0.0/0"],
    );
    assert_eq!(planned(&observed), before);
    give(&mut observed, "subnet.sensors", &["in 90 deny udp 4789 10.0.0.0/8"]);
    let plan = planned(&observed);
    assert_eq!(of_plan(&plan), lines(Network::of_observed(&observed)));
    assert_ne!(of_plan(&plan), of_plan(&before));
    assert_eq!(Plan::from_saved(plan.to_saved().as_bytes()).unwrap(), plan);
    let mut others = observed.clone();
    for acl in others.network_acls.values_mut() {
        acl.subnets.insert("subnet-0a1b2c3d4e5f67890".parse().unwrap());
    }
    assert_eq!(planned(&others), plan);
}

#[test]
fn an_inventory_has_them_and_an_old_one_has_none() {
    let mut observed = applied(&apart());
    let without = serde_json::to_string(&observed).unwrap();
    assert!(!without.contains("network_acls"), "{without}");
    assert_eq!(Observed::from_inventory(&without).unwrap(), observed);
    give(&mut observed, "subnet.sensors", &["in 90 deny udp 4789 10.0.0.0/8"]);
    let text = serde_json::to_string(&observed).unwrap();
    assert_eq!(Observed::from_inventory(&text).unwrap(), observed);
    assert_snapshot!(serde_json::to_string(&observed.network_acls.values().next()).unwrap(), @r#"{"vpc":"vpc-c0f4f0e7efd543461","is_default":false,"rules":[{"number":90,"direction":"ingress","action":"deny","protocol":"udp","range":"10.0.0.0/8","port":4789}],"subnets":["subnet-b7270dbf32b7f5a64"]}"#);
    let cut = text.replace("acl-0123456789abcdef0", "acl-01");
    assert!(Observed::from_inventory(&cut).is_err());
}

/// Network ACLs are requested for VPCs with a subnet that is involved in a session, and for no others.
#[test]
fn vpcs_are_asked_about_where_their_subnets_are_on_the_way() {
    let stack = apart();
    let vpcs = |stack: &Stack, observed: &Observed| observed.vpcs_on_the_way(stack).len();
    assert_eq!(vpcs(&stack, &crate::plan::tests::nothing()), 0);
    let mut observed = applied(&stack);
    assert_eq!(vpcs(&stack, &observed), 2);
    observed.owned.retain(|address, _| address.kind != crate::address::Kind::Subnet);
    assert_eq!(vpcs(&stack, &observed), 0, "the ACL of a VPC of the stack is as AWS makes it");
    let mut idle = apart();
    idle.resources.retain(|address, _| address.kind != crate::address::Kind::MirrorSession);
    assert_eq!(vpcs(&idle, &applied(&idle)), 0, "nothing is mirrored");
    // A VPC that belongs to others may have any network ACLs.
    let guest = json!({
        "subnet.guest": { "vpc": "vpc-0a1b2c3d4e5f67890", "cidr": "10.0.2.0/24" },
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
        "mirror_session.web": {
            "source": "eni-0a1b2c3d4e5f67890", "target": "tmt-0a1b2c3d4e5f67890",
            "filter": "@mirror_filter.all", "number": 1,
        },
    });
    assert_eq!(vpcs(&crate::plan::tests::stack(guest), &crate::plan::tests::nothing()), 1);
}
