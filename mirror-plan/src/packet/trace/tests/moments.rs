//! Who mirrors what before and after a plan, tested with stacks.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::super::*;
use crate::observed::Observed;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Plan, Request, plan};

/// A network, a source and its session; `rules` are those of the filter.
fn sensor(rules: &Json, private_ip: &Json) -> Json {
    json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.source": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "instance.web": {
            "instance_type": "t3.micro", "subnet": "@subnet.source", "private_ip": private_ip,
        },
        "target_group.sensors": { "vpc": "@vpc.lab" },
        "load_balancer.sensors": {
            "subnets": ["@subnet.source"],
            "listeners": [{ "target_group": "@target_group.sensors" }],
        },
        "mirror_target.sensors": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.web": { "rules": rules },
        "mirror_session.web": {
            "source": "@instance.web", "target": "@mirror_target.sensors",
            "filter": "@mirror_filter.web", "number": 1,
        },
    })
}

fn one_rule() -> Json {
    json!([{ "number": 10, "action": "accept", "protocol": "tcp", "port": 443 }])
}

fn planned(before: Option<&Json>, after: &Json) -> (Plan, Observed) {
    let observed = before.map_or_else(nothing, |before| applied(&stack(before.clone())));
    let plan = plan(&stack(after.clone()), &observed, &Request::default()).unwrap();
    (plan, observed)
}

/// Everything that a moment contains, in short form.
fn shown(moment: Moment, (plan, observed): &(Plan, Observed)) -> String {
    let mut text = String::new();
    for interface in Mirroring::at(moment, plan, observed).unwrap().interfaces {
        let Interface { name, id, addresses, subnet, resolvers, instance_type, sessions } =
            interface;
        let id = if id.is_some() { "made" } else { "to be made" };
        let instance_type = instance_type.map(|it| it.to_string()).unwrap_or_default();
        writeln!(
            text,
            "{name} {id} {instance_type} {addresses:?} in {subnet:?}, DNS {resolvers:?}"
        )
        .unwrap();
        for Session { address, number, vni, packet_length, filter, target } in sessions {
            let rules: Vec<_> = filter.rules.iter().map(|rule| rule.key().to_string()).collect();
            let (vni, length) = (
                vni.map(crate::scalar::Vni::get),
                packet_length.map(crate::scalar::PacketLength::get),
            );
            writeln!(
                text,
                "  {number} {address}, VNI {vni:?}, {length:?} bytes, {}: {rules:?}",
                filter.address
            )
            .unwrap();
            writeln!(text, "  to {} -> {}", target.name, target.destination).unwrap();
        }
    }
    text
}

#[test]
fn before_the_first_apply_there_is_nothing_and_after_it_what_the_stack_says() {
    let first = planned(None, &sensor(&one_rule(), &Json::Null));
    assert_snapshot!(shown(Moment::Before, &first), @"");
    assert_snapshot!(shown(Moment::After, &first), @r#"
    instance.web to be made t3.micro [] in Some(10.0.1.0/24), DNS [10.0.0.2, 169.254.169.253, fd00:ec2::253]
      1 mirror_session.web, VNI None, None bytes, mirror_filter.web: ["ingress 10", "egress 10"]
      to mirror_target.sensors -> load_balancer.sensors
    "#);
}

#[test]
fn a_change_of_rules_is_between_before_and_after() {
    let before = sensor(&one_rule(), &json!("10.0.1.5"));
    let mut after = before.clone();
    after["mirror_filter.web"]["rules"][0]["number"] = 20.into();
    after["mirror_session.web"]["packet_length"] = 128.into();
    let change = planned(Some(&before), &after);
    assert_snapshot!(shown(Moment::Before, &change), @r#"
    instance.web made t3.micro [10.0.1.5] in Some(10.0.1.0/24), DNS [10.0.0.2, 169.254.169.253, fd00:ec2::253]
      1 mirror_session.web, VNI Some(4242), Some(8500) bytes, mirror_filter.web: ["ingress 10", "egress 10"]
      to mirror_target.sensors -> load_balancer.sensors
    "#);
    assert_snapshot!(shown(Moment::After, &change), @r#"
    instance.web made t3.micro [10.0.1.5] in Some(10.0.1.0/24), DNS [10.0.0.2, 169.254.169.253, fd00:ec2::253]
      1 mirror_session.web, VNI Some(4242), Some(128) bytes, mirror_filter.web: ["ingress 20", "egress 20"]
      to mirror_target.sensors -> load_balancer.sensors
    "#);
    let same = planned(Some(&before), &before);
    let [was, is] =
        [Moment::Before, Moment::After].map(|moment| Mirroring::at(moment, &same.0, &same.1));
    assert_eq!(was, is);
}

#[test]
fn sessions_are_asked_in_the_order_of_their_numbers_whatever_their_names() {
    let mut resources = sensor(&one_rule(), &json!("10.0.1.5"));
    resources["mirror_session.a"] = resources["mirror_session.web"].clone();
    resources["mirror_session.a"]["number"] = 2.into();
    let (plan, observed) = planned(None, &resources);
    let mirroring = Mirroring::at(Moment::After, &plan, &observed).unwrap();
    let sessions = mirroring.interfaces[0].sessions.iter();
    let names: Vec<String> = sessions.map(|session| session.address.to_string()).collect();
    assert_eq!(names, ["mirror_session.web", "mirror_session.a"]);
}

#[test]
fn what_a_stack_only_names_is_named_and_its_filter_is_an_error() {
    let only_named = json!({
        "mirror_filter.web": { "rules": one_rule() },
        "mirror_session.web": {
            "source": "eni-0a1b2c3d4e5f67890", "target": "tmt-0a1b2c3d4e5f67890",
            "filter": "@mirror_filter.web", "number": 1,
        },
    });
    assert_snapshot!(shown(Moment::After, &planned(None, &only_named)), @r#"
    eni-0a1b2c3d4e5f67890 made  [] in None, DNS [169.254.169.253, fd00:ec2::253]
      1 mirror_session.web, VNI None, None bytes, mirror_filter.web: ["ingress 10", "egress 10"]
      to tmt-0a1b2c3d4e5f67890 -> unknown
    "#);
    let mut unseen = only_named;
    unseen["mirror_session.web"]["filter"] = "tmf-0a1b2c3d4e5f67890".into();
    let (plan, observed) = planned(None, &unseen);
    let errors = Mirroring::at(Moment::After, &plan, &observed).unwrap_err();
    assert_snapshot!(errors[0], @"mirror_session.web uses a mirror filter that the stack does not know: `tmf-0a1b2c3d4e5f67890`");
}

#[test]
fn a_packet_is_seen_by_whoever_has_its_address_or_may_get_it() {
    let seen = |private_ip: &Json, from: &str, to: &str| {
        let (plan, observed) = planned(None, &sensor(&one_rule(), private_ip));
        let mirroring = Mirroring::at(Moment::After, &plan, &observed).unwrap();
        let headers = Headers {
            protocol: 6,
            source: from.parse().unwrap(),
            destination: to.parse().unwrap(),
            ports: Some([50_000, 443]),
        };
        let seen = mirroring.sightings(&headers).into_iter();
        seen.map(|it| format!("{} {:?}", it.direction, it.certainty)).collect::<Vec<_>>().join(", ")
    };
    let fixed = json!("10.0.1.5");
    assert_eq!(seen(&fixed, "10.0.1.5", "192.0.2.1"), "egress Known");
    assert_eq!(seen(&fixed, "192.0.2.1", "10.0.1.5"), "ingress Known");
    assert_eq!(seen(&fixed, "192.0.2.1", "10.0.1.6"), "");
    assert_eq!(seen(&Json::Null, "192.0.2.1", "10.0.1.6"), "ingress Possible");
    assert_eq!(seen(&Json::Null, "10.0.1.6", "10.0.1.7"), "egress Possible, ingress Possible");
    assert_eq!(seen(&Json::Null, "192.0.2.1", "10.0.2.6"), "");
}
