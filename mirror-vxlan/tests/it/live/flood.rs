//! Sent = delivered + refused by reason + dropped by the kernel + by the queue + by the budget.

use std::thread;
use std::time::Duration;

use mirror_vxlan::Timestamp;
use mirror_vxlan::batch::Batch;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::input::live::{LiveOptions, Method};
use mirror_vxlan::reason::DropReason;
use mirror_vxlan::receive::{Everything, Options, Receiver};
use mirror_vxlan::sink::file::{Budget, BudgetPolicy, FileOptions, Files};
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink, Unnamed};

use super::network::{Network, Outer};
use super::{METHODS, open_one};

const SENT: u32 = 30_000;

/// A disk that takes a moment for every batch.
struct SlowDisk(Box<Files>);

impl Sink for SlowDisk {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        thread::sleep(Duration::from_millis(3));
        self.0.deliver(batch)
    }

    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        self.0.tick(now, ahead);
    }

    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        self.0.close()
    }
}

/// Returns datagrams, every tenth without the I flag, with a pause after every hundred.
fn datagrams(pause: Duration) -> impl Iterator<Item = [u8; 100]> + Send {
    (0..SENT).map(move |number| {
        if number % 100 == 99 && !pause.is_zero() {
            thread::sleep(pause);
        }
        let mut payload = [0; 100];
        payload[0] = if number % 10 == 0 { 0 } else { 0x08 };
        payload[6] = 42;
        payload[40..44].copy_from_slice(&number.to_be_bytes());
        payload
    })
}

#[test]
fn what_a_slow_disk_and_a_small_budget_cannot_take_is_accounted_for_at_three_rates() {
    let Some(network) = Network::new() else { return };
    for method in METHODS {
        let mut losses = Vec::new();
        for pause in [4_000, 1_000, 0].map(Duration::from_micros) {
            let before = network.dropped_on_the_way();
            let input = open_one(&network, &LiveOptions::default(), method);
            let directory = tempfile::tempdir().unwrap();
            let budget = Budget { bytes: 600_000, policy: BudgetPolicy::RefuseFrames };
            let files = FileOptions {
                bytes_max: 100_000,
                budget: Some(budget),
                ..FileOptions::new(directory.path())
            };
            let disk = SlowDisk(Box::new(Files::open(files, Unnamed).unwrap()));
            let running = Receiver::new(Decapsulator::default(), Everything)
                .input("network", input)
                .sink("disk", disk)
                .options(Options {
                    batch_capacity: 20_000,
                    queue_depth: 2.try_into().unwrap(),
                    ..Options::default()
                })
                .start()
                .unwrap();
            let sent = network.send(Outer::V4, datagrams(pause));
            running.stop();
            let account = running.join();
            assert!(account.balances(), "{account:#?}");

            let (counts, disk) = (account.counts(), &account.sinks[0].counts);
            let refused = counts.dropped[DropReason::VniFlagUnset.index()];
            let [queue, spent] =
                [LossReason::Queue, LossReason::Budget].map(|reason| disk.lost[reason.index()]);
            let [by_sender, by_interface] = network.dropped_on_the_way();
            let by_interface = match method {
                Method::Xdp => 0, // the same packets as the socket counts
                Method::Best | Method::Ring | Method::Udp => by_interface - before[1],
            };
            let kernel = counts.kernel_dropped + by_sender - before[0] + by_interface;
            let parts = [disk.delivered.count, refused, kernel, queue, spent];
            assert_eq!(sent, parts.iter().sum::<u64>(), "{method:?} {pause:?}: {parts:?}");
            assert!(refused > 0 && disk.delivered.count > 0, "{method:?} {pause:?}: {parts:?}");
            losses.push([kernel + queue, spent]);
        }
        let [[_, spent], _, [too_much, _]] = losses[..] else { unreachable!("three rates") };
        assert!(spent > 0 && too_much > 0, "{method:?}: {losses:?}");
    }
}
