//! The cost of a packet before any sink sees it: headers are checked and removed, in memory.
//!
//! The peer is `memcpy` of the same bytes in the same run: the minimum cost for a receiver that keeps
//! the frames. Run it as `cargo bench -p mirror-vxlan --bench core --profile datapath`.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use mirror_vxlan::decap::{Decapsulator, Link};
use mirror_vxlan::flow::{Flow, identity};

#[path = "../tests/it/traffic.rs"]
#[expect(dead_code, reason = "the tests make more kinds of traffic")]
mod traffic;

/// Numbers of packets: few enough for the second-level cache, as after a system call, and more than
/// any cache holds.
const SIZES: [(&str, usize); 2] = [("hot", 1_000), ("cold", 200_000)];

fn core(criterion: &mut Criterion) {
    for (name, count) in SIZES {
        let packets: Vec<Vec<u8>> = traffic::imix(1).take(count).map(|it| it.packet).collect();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(count as u64));
        run(&mut group, &packets);
        group.finish();
    }
}

fn run(group: &mut BenchmarkGroup<'_, WallTime>, packets: &[Vec<u8>]) {
    let decapsulator = Decapsulator::default();
    let frame = |packet| decapsulator.packet(Link::Ethernet, packet).map(|it| it.frame);
    let frames: Vec<&[u8]> =
        packets.iter().map(|packet| frame(packet).expect("it was made valid")).collect();

    group.bench_function("decapsulate", |bencher| {
        bencher.iter(|| {
            for packet in packets {
                // Passed by reference: a copy of the result would be timed as well.
                black_box(&decapsulator.packet(Link::Ethernet, black_box(packet)));
            }
        });
    });
    group.bench_function("memcpy", |bencher| {
        let mut copy = [0; 2048];
        bencher.iter(|| {
            for packet in packets {
                copy[..packet.len()].copy_from_slice(black_box(packet));
                black_box(&copy);
            }
        });
    });
    group.bench_function("flow hash", |bencher| {
        bencher.iter(|| {
            for frame in &frames {
                black_box(Flow::of(black_box(frame)).hash());
            }
        });
    });
    group.bench_function("identity", |bencher| {
        bencher.iter(|| {
            for frame in &frames {
                black_box(identity(black_box(frame), 1));
            }
        });
    });
}

criterion_group!(benches, core);
criterion_main!(benches);
