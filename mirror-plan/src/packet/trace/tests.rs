//! Laws of traces: the tracer agrees with a literal reading of the guide, and accounts balance.

use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::packet::tests::{direction, packets, rules};
use crate::resource::mirror_filter::{Rule, Rules};
use crate::scalar::{PacketLength, RuleAction, SessionNumber};

mod moments;

/// The addresses of the interfaces, and some that have a special meaning to AWS.
const ADDRESSES: [&str; 14] = [
    "10.0.0.6",
    "10.0.0.7",
    "10.128.0.0",
    "2001:db8::",
    "10.0.0.2",
    "169.254.169.253",
    "169.254.169.254",
    "169.254.169.123",
    "169.254.169.250",
    "169.254.170.2",
    "192.0.2.1",
    "fd00:ec2::253",
    "fd00:ec2::254",
    "2001:db8::1",
];

/// How many of the addresses, from the first, belong to interfaces.
const OWN: usize = 4;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn destination() -> impl Strategy<Value = Destination> {
    let name = Named::Id("somewhere".to_owned());
    prop_oneof![
        Just(Destination::LoadBalancer { name: name.clone(), listening: Listening::Yes }),
        Just(Destination::NetworkInterface(name)),
        Just(Destination::GatewayLoadBalancerEndpoint("vpce-0".to_owned())),
        Just(Destination::Unseen),
    ]
}

fn session() -> impl Strategy<Value = Session> {
    let length = proptest::option::of((1..=8500_u16).prop_map(|n| PacketLength::new(n).unwrap()));
    (1..=9_u16, rules(), any::<bool>(), length, destination()).prop_map(
        |(number, Rules(mut rules), amazon_dns, packet_length, destination)| {
            rules.sort_by_key(Rule::key);
            Session {
                address: format!("mirror_session.s{number}").parse().unwrap(),
                number: SessionNumber::new(number).unwrap(),
                vni: None,
                packet_length,
                filter: Filter { address: "mirror_filter.f".parse().unwrap(), rules, amazon_dns },
                target: Target { name: Named::Id("tmt-0".to_owned()), destination },
            }
        },
    )
}

/// Some of the interfaces, each with up to three sessions.
fn mirroring() -> impl Strategy<Value = Mirroring> {
    vec(proptest::option::weighted(0.8, vec(session(), 0..4)), OWN).prop_map(|all| {
        let interfaces = all.into_iter().zip(ADDRESSES).filter_map(|(sessions, own)| {
            let mut sessions = sessions?;
            sessions.sort_by_key(|session| session.number);
            sessions.dedup_by_key(|session| session.number);
            Some(Interface {
                name: own.to_owned(),
                id: None,
                addresses: vec![address(own)],
                subnet: None,
                resolvers: ["10.0.0.2", "169.254.169.253", "fd00:ec2::253"].map(address).to_vec(),
                instance_type: None,
                sessions,
            })
        });
        Mirroring { interfaces: interfaces.collect() }
    })
}

/// Headers that often enough involve interfaces, DNS servers and traffic that is never mirrored.
fn headers() -> impl Strategy<Value = Headers> {
    let known = (0..ADDRESSES.len(), 0..ADDRESSES.len())
        .prop_map(|(a, b)| (address(ADDRESSES[a]), address(ADDRESSES[b])))
        .prop_filter("of one family", |(a, b)| a.is_ipv4() == b.is_ipv4());
    let port =
        || prop_oneof![Just(53), Just(67), Just(68), Just(546), Just(22), Just(443), any::<u16>()];
    (known, proptest::sample::select(vec![0, 1, 6, 17, 17, 255]), any::<bool>(), port(), port())
        .prop_map(|((source, destination), protocol, whole, from, to)| {
            let ports = (whole && matches!(protocol, 6 | 17)).then_some([from, to]);
            Headers { protocol, source, destination, ports }
        })
}

/// What happens to a packet according to the guide: which session copies it, by which rule (`None`:
/// the network service); or why there is no copy. It is written to be read beside the guide, and
/// shares nothing with the tracer.
#[derive(Debug, PartialEq)]
enum Fate {
    Copy { session: u16, rule: Option<Rule> },
    RejectedBy { session: u16, rule: Rule },
    Nothing,
    NotAsked,
    Excluded,
    NoSessions,
}

fn fate(interface: &Interface, direction: Direction, packet: &Headers) -> Fate {
    if interface.sessions.is_empty() {
        return Fate::NoSessions;
    }
    let ends = [packet.source.to_string(), packet.destination.to_string()];
    let touches = |address: &str| ends.iter().any(|end| end == address);
    let local = ["169.254.169.254", "169.254.169.123", "169.254.169.250", "fd00:ec2::254"];
    let dhcp =
        [[67, 67], [67, 68], [68, 67], [68, 68], [546, 546], [546, 547], [547, 546], [547, 547]];
    let is_dhcp = packet.protocol == 17 && packet.ports.is_some_and(|ports| dhcp.contains(&ports));
    if is_dhcp || local.into_iter().any(touches) {
        return Fate::Excluded;
    }
    // Queries go to port 53 of the DNS server, and answers come from it.
    let servers = ["10.0.0.2", "169.254.169.253", "fd00:ec2::253"];
    let asks = |end: usize| {
        let port = packet.ports.is_none_or(|ports| ports[end] == 53);
        servers.contains(&ends[end].as_str()) && port && [6, 17].contains(&packet.protocol)
    };
    let is_dns = asks(0) || asks(1);
    let mut sessions: Vec<(usize, &Session)> = interface.sessions.iter().enumerate().collect();
    sessions.sort_by_key(|(_, session)| session.number.get());
    let mut rejected = None;
    for (place, session) in sessions {
        let place = u16::try_from(place).unwrap();
        if is_dns {
            if session.filter.amazon_dns {
                return Fate::Copy { session: place, rule: None };
            }
            continue;
        }
        let in_direction = session.filter.rules.iter().filter(|rule| rule.direction == direction);
        let matching = in_direction.filter(|rule| says(rule, packet));
        match matching.min_by_key(|rule| rule.number.get()) {
            Some(rule) if rule.action == RuleAction::Accept => {
                return Fate::Copy { session: place, rule: Some(rule.clone()) };
            }
            Some(rule) if rejected.is_none() => {
                rejected = Some(Fate::RejectedBy { session: place, rule: rule.clone() });
            }
            Some(_) | None => {}
        }
    }
    rejected.unwrap_or(if is_dns { Fate::NotAsked } else { Fate::Nothing })
}

/// Whether a rule matches a packet.
fn says(rule: &Rule, packet: &Headers) -> bool {
    let port = |range: Option<crate::scalar::PortRange>, end: usize| match (range, packet.ports) {
        (None, _) => true,
        (Some(range), Some(ports)) => (range.from()..=range.to()).contains(&ports[end]),
        (Some(range), None) => range.from() == 0 && range.to() == 65535,
    };
    rule.source.net().contains(&packet.source)
        && rule.destination.net().contains(&packet.destination)
        && rule.protocol.number().is_none_or(|number| number == packet.protocol)
        && port(rule.source_port, 0)
        && port(rule.destination_port, 1)
}

/// The tracer's verdict as a fate.
fn told(interface: &Interface, verdict: Verdict) -> Fate {
    let rule = |session: u16, rule: u16| {
        interface.sessions[usize::from(session)].filter.rules[usize::from(rule)].clone()
    };
    match verdict {
        Verdict::Mirrored { session, by: By::Rule(at) } => {
            Fate::Copy { session, rule: Some(rule(session, at)) }
        }
        Verdict::Mirrored { session, by: By::AmazonDns } => Fate::Copy { session, rule: None },
        Verdict::Rejected { session, rule: at } => {
            Fate::RejectedBy { session, rule: rule(session, at) }
        }
        Verdict::NoRule => Fate::Nothing,
        Verdict::AmazonDnsUnasked => Fate::NotAsked,
        Verdict::Never(_) => Fate::Excluded,
        Verdict::NoSession => Fate::NoSessions,
    }
}

fn offered() -> impl Strategy<Value = Vec<Offered>> {
    let content = prop_oneof![
        16 => headers().prop_map(Content::Internet),
        1 => Just(Content::Arp),
        1 => Just(Content::Other),
    ];
    vec((0..5_000_000_000_u64, 14..9100_u32, any::<u32>(), content), 0..120).prop_map(|all| {
        let offered = all.into_iter();
        offered
            .map(|(time, length, flow, content)| Offered { time, length, flow, content })
            .collect()
    })
}

fn account_of(mirroring: &Mirroring, offered: &[Offered]) -> Account {
    let tracer = Tracer::new(mirroring, 9001);
    let mut account = Account::new(mirroring);
    offered.iter().for_each(|offered| account.add(&tracer, offered));
    account
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_packet_meets_the_fate_that_the_guide_has_for_it(
        mirroring in mirroring(),
        packets in packets(),
        more in vec((direction(), headers()), 60),
    ) {
        let tracer = Tracer::new(&mirroring, 9001);
        let corners = packets.iter().map(|packet| {
            let has_ports = matches!(packet.protocol, 6 | 17);
            let headers = Headers {
                protocol: packet.protocol,
                source: packet.source,
                destination: packet.destination,
                ports: has_ports.then_some([packet.source_port, packet.destination_port]),
            };
            (packet.direction, headers)
        });
        for (direction, headers) in corners.chain(more) {
            for (place, interface) in mirroring.interfaces.iter().enumerate() {
                let verdict = tracer.decide(place, direction, &headers);
                prop_assert_eq!(
                    told(interface, verdict),
                    fate(interface, direction, &headers),
                    "{:?} {:?}", direction, headers
                );
            }
        }
    }

    #[test]
    fn an_account_has_each_packet_in_one_place(mirroring in mirroring(), offered in offered()) {
        let account = account_of(&mirroring, &offered);
        let Account { packets, arp, other, strangers, twice, .. } = &account;
        let sum = |counts: &[Count]| counts.iter().fold((0, 0), |(packets, bytes), count| {
            (packets + count.packets, bytes + count.bytes)
        });
        prop_assert_eq!(packets.packets, offered.len() as u64);
        prop_assert_eq!(packets.bytes, offered.iter().map(|it| u64::from(it.length)).sum::<u64>());
        let seen: Vec<Count> = account.interfaces.iter().map(|it| it.seen).collect();
        let elsewhere = sum(&[*arp, *other, *strangers]);
        let (seen, all, twice) = (sum(&seen), sum(&[*packets]), sum(&[*twice]));
        prop_assert_eq!(seen.0 + elsewhere.0, all.0 + twice.0);
        prop_assert_eq!(seen.1 + elsewhere.1, all.1 + twice.1);
        for at in &account.interfaces {
            let cells = at.sessions.iter().flat_map(|it| it.rules.iter().chain([&it.amazon_dns]));
            let cells: Vec<Count> = cells.map(|cell| cell.count).collect();
            let rest = [at.no_rule, at.amazon_dns_unasked, at.no_session];
            prop_assert_eq!(sum(&[&cells[..], &rest, &at.never].concat()), sum(&[at.seen]));
        }
    }

    #[test]
    fn a_session_sends_what_its_rules_accept_and_no_more_of_it_than_it_may(
        mirroring in mirroring(),
        offered in offered(),
    ) {
        let account = account_of(&mirroring, &offered);
        for (interface, at) in mirroring.interfaces.iter().zip(&account.interfaces) {
            for (session, at) in interface.sessions.iter().zip(&at.sessions) {
                let accepted = session.filter.rules.iter().zip(&at.rules);
                let accepted = accepted.filter(|(rule, _)| rule.action == RuleAction::Accept);
                let cells: Vec<&Cell> =
                    accepted.map(|(_, cell)| cell).chain([&at.amazon_dns]).collect();
                let packets: u64 = cells.iter().map(|cell| cell.count.packets).sum();
                let bytes: u64 = cells.iter().map(|cell| cell.count.bytes).sum();
                prop_assert_eq!(at.sent.packets, packets);
                prop_assert_eq!(at.sent.bytes, at.frame_bytes + 36 * packets);
                prop_assert!(at.frame_bytes <= bytes);
                let is_cut = cells.iter().any(|cell| cell.cut > 0);
                prop_assert_eq!(at.frame_bytes < bytes, is_cut);
                if let Some(length) = session.packet_length {
                    prop_assert!(at.frame_bytes <= packets * u64::from(length.get()));
                }
                prop_assert!(at.outer_flows() <= 128);
            }
        }
    }

    #[test]
    fn the_number_of_flows_is_exact_while_they_are_few_and_near_when_they_are_many(
        few in proptest::collection::btree_set(any::<u32>(), 0..=256),
        many in 1_000..20_000_u32,
        seed in any::<u32>(),
    ) {
        let headers = Headers {
            protocol: 6,
            source: address("10.0.0.1"),
            destination: address("10.0.0.2"),
            ports: None,
        };
        let mut sample = FlowSample::default();
        for hash in few.iter().chain(few.iter().rev()) {
            sample.add(*hash, &headers);
        }
        prop_assert_eq!(sample.count(), Flows::Exactly(few.len() as u64));
        prop_assert_eq!(sample.examples().count(), few.len().min(3));
        let mut sample = FlowSample::default();
        for number in 0..many {
            // An odd multiplier yields every number exactly once.
            sample.add((number ^ seed).wrapping_mul(0x9e37_79b1).rotate_left(16).wrapping_mul(0x85eb_ca6b), &headers);
        }
        let (about, many) = (sample.count().number(), u64::from(many));
        prop_assert!(matches!(sample.count(), Flows::About(_)));
        prop_assert!(about.abs_diff(many) * 3 < many, "{} for {}", about, many);
    }
}

#[test]
fn frames_are_cut_where_aws_cuts_them() {
    let any: Rules = serde_json::from_value(serde_json::json!([
        { "direction": "egress", "number": 1, "action": "accept", "protocol": "all",
          "source": "0.0.0.0/0", "destination": "0.0.0.0/0" },
    ]))
    .unwrap();
    let name = || Named::Id("somewhere".to_owned());
    let balancer = Destination::LoadBalancer { name: name(), listening: Listening::Yes };
    let nic = Destination::NetworkInterface(name());
    let endpoint = Destination::GatewayLoadBalancerEndpoint("vpce-0".to_owned());
    let cases = [
        (&balancer, None, "whole to 8500 by LoadBalancer, whole to 8500 by LoadBalancer"),
        (&balancer, Some(100), "whole to 100 by PacketLength, whole to 100 by PacketLength"),
        (&nic, None, "whole to 8961 by Mtu, whole to 8941 by Mtu"),
        (&nic, Some(8500), "whole to 8500 by PacketLength, whole to 8500 by PacketLength"),
        (&endpoint, None, "whole to 8460 by Mtu, whole to 8440 by Mtu"),
        (&endpoint, Some(8500), "whole to 8460 by Mtu, whole to 8440 by Mtu"),
        (&Destination::Unseen, None, "whole, whole"),
    ];
    for (destination, length, expected) in cases {
        let interface = Interface {
            name: "eni-1".to_owned(),
            id: None,
            addresses: Vec::new(),
            subnet: None,
            resolvers: Vec::new(),
            instance_type: None,
            sessions: vec![Session {
                address: "mirror_session.s".parse().unwrap(),
                number: SessionNumber::MIN,
                vni: None,
                packet_length: length.and_then(PacketLength::new),
                filter: Filter {
                    address: "mirror_filter.f".parse().unwrap(),
                    rules: any.0.clone(),
                    amazon_dns: false,
                },
                target: Target { name: name(), destination: destination.clone() },
            }],
        };
        let tracer = Tracer::new(&Mirroring { interfaces: vec![interface] }, 9001);
        let limit = |source: &str| {
            let source = address(source);
            let headers = Headers { protocol: 6, source, destination: source, ports: None };
            match tracer.limit(0, 0, &headers) {
                None => "whole".to_owned(),
                Some((limit, by)) => {
                    let whole = Cut { length: limit, by: None };
                    assert_eq!(tracer.cut(0, 0, &headers, limit), whole);
                    let cut = Cut { length: limit, by: Some(by) };
                    assert_eq!(tracer.cut(0, 0, &headers, limit + 1), cut);
                    format!("whole to {limit} by {by:?}")
                }
            }
        };
        assert_eq!(format!("{}, {}", limit("10.0.0.1"), limit("::1")), expected);
    }
}
