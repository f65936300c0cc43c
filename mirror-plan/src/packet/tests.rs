//! The laws of packet sets, checked against packets that are tried one by one.

use std::net::IpAddr;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::resource::mirror_filter::{Rule, Rules};
use crate::scalar::{Direction, PortRange, Protocol, RuleAction, RuleNumber};

const V4: [&str; 6] =
    ["0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "10.0.0.7/32", "10.0.0.6/31", "255.0.0.0/8"];
const V6: [&str; 4] = ["::/0", "2001:db8::/32", "2001:db8:8000::/33", "ffff::/16"];
const PORTS: [Option<(u16, u16)>; 6] = [
    None,
    Some((0, 65535)),
    Some((22, 22)),
    Some((20, 80)),
    Some((443, 443)),
    Some((65535, 65535)),
];

/// Whether a rule matches a single packet: the oracle shares nothing with the sets.
fn matches(rule: &Rule, packet: &Packet) -> bool {
    let within = |range: Option<PortRange>, port: u16| {
        range.is_none_or(|range| range.from() <= port && port <= range.to())
    };
    rule.direction == packet.direction
        && rule.protocol.number().is_none_or(|number| number == packet.protocol)
        && rule.source.net().contains(&packet.source)
        && rule.destination.net().contains(&packet.destination)
        && within(rule.source_port, packet.source_port)
        && within(rule.destination_port, packet.destination_port)
}

/// The first matching rule by number, as the guide states.
fn first_match<'r>(rules: &'r Rules, packet: &Packet) -> Option<&'r Rule> {
    rules.0.iter().filter(|rule| matches(rule, packet)).min_by_key(|rule| rule.number)
}

fn accepts(rules: &Rules, packet: &Packet) -> bool {
    first_match(rules, packet).is_some_and(|rule| rule.action == RuleAction::Accept)
}

fn range(text: &str) -> crate::scalar::IpRange {
    text.parse().unwrap()
}

pub(super) fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)]
}

fn rule() -> impl Strategy<Value = Rule> {
    let v4 = (proptest::sample::select(&V4[..]), proptest::sample::select(&V4[..]));
    let v6 = (proptest::sample::select(&V6[..]), proptest::sample::select(&V6[..]));
    let protocol = proptest::sample::select(vec![0_u8, 1, 6, 17, 255]);
    let ports = (proptest::sample::select(&PORTS[..]), proptest::sample::select(&PORTS[..]));
    (direction(), 1..=8_u16, any::<bool>(), protocol, prop_oneof![3 => v4, 1 => v6], ports)
        .prop_map(|(direction, number, accept, protocol, (source, destination), (from, to))| {
            let protocol = if protocol == 0 { Protocol::All } else { Protocol::Number(protocol) };
            let port = |range: Option<(u16, u16)>| {
                let (from, to) = range.filter(|_| protocol.has_ports())?;
                PortRange::new(from, to)
            };
            Rule {
                direction,
                number: RuleNumber::new(number).unwrap(),
                action: if accept { RuleAction::Accept } else { RuleAction::Reject },
                protocol,
                source: range(source),
                destination: range(destination),
                source_port: port(from),
                destination_port: port(to),
                description: None,
            }
        })
}

/// Rules whose numbers are unique within each direction.
pub(super) fn rules() -> impl Strategy<Value = Rules> {
    proptest::collection::vec(rule(), 0..7).prop_map(|rules| {
        let mut seen = std::collections::BTreeSet::new();
        Rules(rules.into_iter().filter(|rule| seen.insert(rule.key())).collect())
    })
}

/// The packets on which two lists of rules can differ: one for each combination of values that are
/// the first or the last of a range, or the first after it.
fn corners() -> Vec<Packet> {
    let ends = |texts: &[&str]| {
        let mut all: Vec<IpAddr> = Vec::new();
        for text in texts {
            let net = range(text).net();
            all.extend([net.network(), net.broadcast()]);
            all.extend(after(net.broadcast()));
        }
        all.sort_unstable();
        all.dedup();
        all
    };
    let (v4, v6) = (ends(&V4), ends(&V6));
    let pairs = |all: &[IpAddr]| -> Vec<(IpAddr, IpAddr)> {
        all.iter().flat_map(|a| all.iter().map(|b| (*a, *b))).collect()
    };
    let addresses: Vec<_> = pairs(&v4).into_iter().chain(pairs(&v6)).collect();
    let ports = [0, 19, 20, 22, 23, 80, 81, 443, 444, 65535];
    let mut packets = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        for (source, destination) in &addresses {
            for protocol in [0, 1, 2, 6, 17, 255] {
                let ports = if matches!(protocol, 6 | 17) { &ports[..] } else { &[0][..] };
                for source_port in ports {
                    for destination_port in ports {
                        packets.push(Packet {
                            direction,
                            protocol,
                            source: *source,
                            destination: *destination,
                            source_port: *source_port,
                            destination_port: *destination_port,
                        });
                    }
                }
            }
        }
    }
    packets
}

/// The next address, if there is one.
fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            Some(std::net::Ipv4Addr::from(u32::from(address).checked_add(1)?).into())
        }
        IpAddr::V6(address) => {
            Some(std::net::Ipv6Addr::from(u128::from(address).checked_add(1)?).into())
        }
    }
}

fn some_corner() -> impl Strategy<Value = Packet> {
    proptest::sample::select(corners())
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let v4 = any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    let v6 = any::<([u16; 8], [u16; 8])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    (direction(), any::<u8>(), prop_oneof![v4, v6], any::<(u16, u16)>()).prop_map(
        |(direction, protocol, (source, destination), (from, to))| {
            let has_ports = matches!(protocol, 6 | 17);
            let (source_port, destination_port) = if has_ports { (from, to) } else { (0, 0) };
            Packet { direction, protocol, source, destination, source_port, destination_port }
        },
    )
}

pub(super) fn packets() -> impl Strategy<Value = Vec<Packet>> {
    proptest::collection::vec(prop_oneof![4 => some_corner(), 1 => any_packet()], 200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_packet_is_mirrored_if_the_first_rule_that_matches_accepts(
        rules in rules(),
        packets in packets(),
    ) {
        let mirrored = mirrored(&rules);
        for packet in &packets {
            prop_assert_eq!(deciding(&rules, packet), first_match(&rules, packet));
            prop_assert_eq!(mirrored.contains(packet), accepts(&rules, packet), "{:?}", packet);
        }
    }

    #[test]
    fn sets_do_with_packets_what_logic_does(a in rules(), b in rules(), packets in packets()) {
        let (a, b) = (mirrored(&a), mirrored(&b));
        let (minus, union) = (a.clone().minus(&b), a.clone().union(&b));
        let both = a.intersection(&b);
        for packet in &packets {
            let (in_a, in_b) = (a.contains(packet), b.contains(packet));
            prop_assert_eq!(minus.contains(packet), in_a && !in_b);
            prop_assert_eq!(union.contains(packet), in_a || in_b);
            prop_assert_eq!(both.contains(packet), in_a && in_b);
            prop_assert_eq!(a.towards(packet.direction).contains(packet), in_a);
        }
        prop_assert!(minus.clone().union(&both).is_same(&a));
        prop_assert_eq!(a.overlaps(&b), !both.is_empty());
        prop_assert_eq!(a.covers(&b), b.minus(&a).is_empty());
    }

    #[test]
    fn each_packet_goes_to_the_first_session_that_takes_it(
        filters in proptest::collection::vec(rules(), 1..4),
        packets in packets(),
    ) {
        let all: Vec<Mirrored> = filters
            .iter()
            .map(|rules| Mirrored { packets: mirrored(rules), amazon_dns: false })
            .collect();
        let takes = first_takers(&all.iter().collect::<Vec<_>>());
        for packet in &packets {
            let first = filters.iter().position(|rules| accepts(rules, packet));
            let taken: Vec<usize> =
                (0..takes.len()).filter(|at| takes[*at].packets.contains(packet)).collect();
            prop_assert_eq!(taken, first.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn lines_are_few_and_say_the_whole_set(a in rules(), b in rules()) {
        let set = mirrored(&a).minus(&mirrored(&b));
        let lines = set.lines();
        prop_assert_eq!(lines.is_empty(), set.is_empty());
        let mut unique = lines.clone();
        unique.dedup();
        prop_assert_eq!(unique, lines);
    }
}

proptest! {
    // Every combination that can matter is tried, so even a few lists make many packets.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_rule_is_shadowed_if_it_decides_no_packet_at_all(rules in rules()) {
        let corners = corners();
        let idle: Vec<_> = shadowed(&rules).into_iter().map(|shadowed| shadowed.rule.key()).collect();
        let mut seen = std::collections::BTreeSet::new();
        for packet in &corners {
            seen.extend(first_match(&rules, packet).map(Rule::key));
        }
        for rule in &rules.0 {
            prop_assert_eq!(idle.contains(&rule.key()), !seen.contains(&rule.key()), "{:?}", rule);
        }
        for Shadowed { rule, by } in shadowed(&rules) {
            prop_assert!(by.iter().all(|other| other.number < rule.number));
            for packet in corners.iter().filter(|packet| matches(rule, packet)) {
                prop_assert!(by.iter().any(|other| matches(other, packet)));
            }
        }
    }
}

fn rules_of(json: serde_json::Value) -> Rules {
    serde_json::from_value(json).unwrap()
}

fn accept(number: u16, protocol: &str, source: &str) -> serde_json::Value {
    let any = if source.contains(':') { "::/0" } else { "0.0.0.0/0" };
    serde_json::json!({
        "direction": "ingress", "number": number, "action": "accept", "protocol": protocol,
        "source": source, "destination": any,
    })
}

#[test]
fn sets_read_as_a_person_would_say_them() {
    let mut ssh = accept(1, "tcp", "10.0.0.0/8");
    ssh["action"] = "reject".into();
    ssh["destination_port"] = 22.into();
    let rules = rules_of(serde_json::json!([
        ssh,
        accept(2, "tcp", "0.0.0.0/0"),
        accept(3, "icmp", "10.0.0.7/32"),
        accept(4, "all", "2001:db8::/32"),
    ]));
    assert_snapshot!(mirrored(&rules).lines().join("\n"), @"
    ingress icmp from 10.0.0.7/32 to any
    ingress tcp from 0.0.0.0-9.255.255.255 to any
    ingress tcp from 10.0.0.0/8 to any port 0-21
    ingress tcp from 10.0.0.0/8 to any port 23-65535
    ingress tcp from 11.0.0.0-255.255.255.255 to any
    ingress any protocol from 2001:db8::/32 to any IPv6 address
    ");
}

#[test]
fn blocks_that_touch_are_one_line() {
    let halves = rules_of(serde_json::json!([
        accept(1, "udp", "10.0.0.0/9"),
        accept(2, "udp", "10.128.0.0/9"),
    ]));
    assert_eq!(mirrored(&halves).lines(), ["ingress udp from 10.0.0.0/8 to any"]);
    let whole = rules_of(serde_json::json!([accept(1, "udp", "10.0.0.0/8")]));
    assert!(mirrored(&halves).is_same(&mirrored(&whole)));
}

#[test]
fn two_rules_together_shadow_a_third() {
    let rules = rules_of(serde_json::json!([
        accept(1, "udp", "10.0.0.0/9"),
        accept(2, "udp", "10.128.0.0/9"),
        accept(3, "tcp", "0.0.0.0/0"),
        accept(4, "udp", "10.0.0.0/8"),
        accept(5, "tcp", "10.0.0.0/8"),
    ]));
    let numbers = |rules: &[&Rule]| -> Vec<u16> { rules.iter().map(|r| r.number.get()).collect() };
    let found: Vec<_> =
        shadowed(&rules).iter().map(|s| (s.rule.number.get(), numbers(&s.by))).collect();
    assert_eq!(found, [(4, vec![1, 2]), (5, vec![3])]);
}
