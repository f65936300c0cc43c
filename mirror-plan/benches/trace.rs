//! How long it takes to decide about one packet, and to add it to the account.
//!
//! `cargo bench -p mirror-plan --no-default-features --bench trace`

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mirror_plan::packet::trace::{
    Account, Content, Destination, Filter, Headers, Interface, Listening, Mirroring, Named,
    Offered, Session, Target, Tracer, Verdict,
};
use mirror_plan::resource::mirror_filter::Rules;
use mirror_plan::scalar::{Direction, SessionNumber};
use serde_json::json;

const PACKETS: u32 = 10_000;

/// An interface with as many sessions and rules as AWS allows. Only the last rule of the last session
/// matches the packets.
fn fullest() -> Mirroring {
    let sessions = (1..=3).map(|number| {
        let rules: Vec<_> = (1..=10)
            .map(|rule| {
                let matches = number == 3 && rule == 10;
                json!({
                    "direction": "ingress", "number": rule, "action": "accept", "protocol": "tcp",
                    "source": if matches { "0.0.0.0/0" } else { "192.0.2.0/24" },
                    "destination": "0.0.0.0/0", "destination_port": 443,
                })
            })
            .collect();
        let Rules(rules) = serde_json::from_value(json!(rules)).expect("these are rules");
        let name = Named::Id("sensors".to_owned());
        Session {
            address: format!("mirror_session.s{number}").parse().expect("an address"),
            number: SessionNumber::new(number).expect("a number of a session"),
            vni: None,
            packet_length: None,
            filter: Filter {
                address: "mirror_filter.f".parse().expect("an address"),
                rules,
                amazon_dns: false,
            },
            target: Target {
                destination: Destination::LoadBalancer {
                    name: name.clone(),
                    listening: Listening::Yes,
                },
                name,
            },
        }
    });
    Mirroring {
        interfaces: vec![Interface {
            name: "instance.web".to_owned(),
            id: None,
            addresses: vec![IpAddr::V4(Ipv4Addr::new(10, 0, 1, 5))],
            subnet: None,
            resolvers: vec![IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))],
            instance_type: None,
            sessions: sessions.collect(),
        }],
    }
}

/// Packets of many flows to the interface.
fn packets() -> Vec<Offered> {
    let offered = (0..PACKETS).map(|number| {
        let flow = number.wrapping_mul(0x9e37_79b1);
        let [_, a, b, c] = (flow % 1024).to_be_bytes();
        let [_, _, d, e] = flow.to_be_bytes();
        Offered {
            time: u64::from(number) * 1000,
            length: 590,
            flow: flow % 1024 * 0x0040_0001,
            content: Content::Internet(Headers {
                protocol: 6,
                source: IpAddr::V4(Ipv4Addr::new(198, a, b, c)),
                destination: IpAddr::V4(Ipv4Addr::new(10, 0, 1, 5)),
                ports: Some([u16::from_be_bytes([d, e]), 443]),
            }),
        }
    });
    offered.collect()
}

fn benchmarks(criterion: &mut Criterion) {
    let (mirroring, packets) = (fullest(), packets());
    let tracer = Tracer::new(&mirroring, 9001);
    let mut group = criterion.benchmark_group("trace");
    group.throughput(Throughput::Elements(PACKETS.into()));
    group.bench_function("decide, 30 rules", |b| {
        b.iter(|| {
            let verdicts = packets.iter().filter(|offered| match &offered.content {
                Content::Internet(headers) => {
                    let verdict = tracer.decide(0, Direction::Ingress, black_box(headers));
                    matches!(verdict, Verdict::Mirrored { .. })
                }
                Content::Arp | Content::Other => false,
            });
            verdicts.count()
        });
    });
    group.bench_function("account, 30 rules", |b| {
        let mut account = Account::new(&mirroring);
        b.iter(|| packets.iter().for_each(|offered| account.add(&tracer, black_box(offered))));
        assert!(account.interfaces[0].sessions[2].rules[9].count.packets > 0);
    });
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
