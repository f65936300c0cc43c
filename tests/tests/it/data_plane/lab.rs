//! The reference stack with traffic to real receivers: what is promised about packets, packet by packet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_ec2::Client as Ec2;
use mirror_local::data_plane::{Carried, DataPlane, Fate, Loss, Sighting, Unmirrored};
use mirror_local::delivery::{Delivered, Delivery};
use mirror_local::traffic::{Host, Mix, Timed};
use mirror_local::{Cloud, Durations, Settings};
use mirror_plan::event::{Event, Reporter};
use mirror_tests::{REGION, Rig, config, stack, transit_gateway};

const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The lab as applied, running receivers, and what has become of the frames so far.
struct Lab {
    rig: Rig,
    plane: DataPlane,
    delivery: Delivery,
    host: Host,
    counts: Counts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    mirrored: u64,
    /// By the place of the receiver.
    carried: BTreeMap<usize, u64>,
    lost: BTreeMap<Loss, u64>,
    unmirrored: BTreeMap<Unmirrored, u64>,
}

impl Counts {
    fn lost(&self) -> u64 {
        self.lost.values().sum()
    }

    fn carried(&self) -> u64 {
        self.carried.values().sum()
    }
}

impl Lab {
    async fn of(text: &str) -> Self {
        Self::on(Rig::instant(), text).await
    }

    async fn on(rig: Rig, text: &str) -> Self {
        rig.converge(&stack(text)).await;
        let plane = DataPlane::of(&rig.cloud, REGION, 9001).unwrap();
        let delivery = Delivery::start(&plane).unwrap();
        let source = plane.interfaces().iter().find(|it| !it.sessions().is_empty()).unwrap();
        let host = Host { address: source.primary(), resolver: [10, 0, 0, 2].into() };
        Self { rig, plane, delivery, host, counts: Counts::default() }
    }

    fn offer(&mut self, time: u64, frame: &[u8]) {
        let Self { plane, delivery, counts, .. } = self;
        plane.offer(time, frame, |Sighting { fate, .. }| match fate {
            Fate::Unmirrored(why) => *counts.unmirrored.entry(why).or_default() += 1,
            Fate::Mirrored(copy) => {
                counts.mirrored += 1;
                match copy.carried {
                    Carried::Lost(loss) => *counts.lost.entry(loss).or_default() += 1,
                    Carried::To(receiver) => {
                        *counts.carried.entry(receiver).or_default() += 1;
                        delivery.send(receiver, &copy).unwrap();
                    }
                }
            }
        });
    }

    fn offer_all(&mut self, frames: impl Iterator<Item = Timed>) {
        frames.for_each(|Timed { time, frame }| self.offer(time, &frame));
    }

    /// The mix of a seed, beginning at the time `from`.
    fn mix(&self, seed: u64, from: u64) -> impl Iterator<Item = Timed> + use<> {
        Mix::new(seed, vec![self.host])
            .map(move |Timed { time, frame }| Timed { time: from + time, frame })
    }

    /// Ends the receivers, and asserts that each delivered what it was sent, and lost nothing.
    fn end(self) -> (Counts, Vec<Delivered>) {
        let Self { delivery, counts, .. } = self;
        let delivered = delivery.end();
        for (place, at) in delivered.iter().enumerate() {
            assert!(at.account.balances());
            assert_eq!((at.missed, at.dropped()), (0, 0));
            assert!(at.is_identical, "receiver {place} delivered other frames than it was sent");
            assert_eq!(at.delivered(), counts.carried.get(&place).copied().unwrap_or_default());
        }
        assert_eq!(counts.mirrored, counts.carried() + counts.lost());
        (counts, delivered)
    }
}

/// Selects the frames of a mix that are packets with this TCP or UDP port at either end.
fn with_port(port: u16) -> impl Fn(&Timed) -> bool {
    move |Timed { frame, .. }| {
        let is_ip = frame[12..14] == [0x08, 0x00] && matches!(frame[23], 6 | 17);
        let at = |from: usize| u16::from_be_bytes([frame[from], frame[from + 1]]);
        is_ip && (at(34) == port || at(36) == port)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_frame_arrives_as_it_was_and_both_receivers_get_their_share() {
    let mut lab = Lab::of(LAB).await;
    lab.offer_all(lab.mix(1, 0).take(10_000));
    let (counts, delivered) = lab.end();
    assert_eq!(counts.lost(), 0);
    let shares: Vec<u64> = delivered.iter().map(Delivered::delivered).collect();
    assert_eq!(shares.iter().sum::<u64>(), counts.mirrored);
    // With 128 flows and a fair hash, a third is nearly four standard deviations below a half.
    assert_eq!(shares.len(), 2);
    assert!(shares.iter().all(|share| 3 * share > counts.mirrored), "{shares:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn port_22_is_let_in_and_does_not_arrive() {
    let mut lab = Lab::of(LAB).await;
    lab.offer_all(lab.mix(2, 0).filter(with_port(22)).take(200));
    let (counts, _) = lab.end();
    assert_eq!(counts.mirrored, 0);
    let rejected = counts.unmirrored.iter();
    let rejected: Vec<u64> = rejected
        .filter_map(|(why, count)| matches!(why, Unmirrored::Rejected { .. }).then_some(*count))
        .collect();
    // Rejected by one rule in each direction.
    assert_eq!((rejected.len(), rejected.iter().sum::<u64>()), (2, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_security_groups_keep_out_is_not_mirrored() {
    let mut lab = Lab::of(LAB).await;
    // Nobody is let in on port 443.
    let host = lab.host.address.octets();
    let is_served = move |Timed { frame, .. }: &Timed| {
        frame[26..30] == host && frame[34..36] == [1, 187]
            || frame[30..34] == host && frame[36..38] == [1, 187]
    };
    lab.offer_all(lab.mix(2, 0).filter(with_port(443)).filter(is_served).take(200));
    let (counts, _) = lab.end();
    assert_eq!(counts.mirrored, 0);
    assert_eq!(counts.unmirrored, [(Unmirrored::Refused, 200)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_arrives_only_with_amazon_dns() {
    let mut lab = Lab::of(LAB).await;
    let to_resolver = |Timed { frame, .. }: &Timed| {
        frame[26..30] == [10, 0, 0, 2] || frame[30..34] == [10, 0, 0, 2]
    };
    lab.offer_all(lab.mix(3, 0).filter(with_port(53)).filter(to_resolver).take(100));
    let (counts, _) = lab.end();
    assert_eq!(counts.unmirrored, [(Unmirrored::AmazonDnsUnasked, 100)].into());

    let with_dns = LAB.replace("  rules = [\n", "  amazon_dns = true\n  rules = [\n");
    let mut lab = Lab::of(&with_dns).await;
    lab.offer_all(lab.mix(3, 0).filter(with_port(53)).filter(to_resolver).take(100));
    let (counts, _) = lab.end();
    assert_eq!((counts.mirrored, counts.lost()), (100, 0));
}

/// The capture of the examples: what the lab's source sends and receives, up to 96 bytes of each packet.
fn example() -> Vec<u8> {
    const SNAP_LENGTH: usize = 96;
    let host = Host { address: [10, 0, 1, 10].into(), resolver: [10, 0, 0, 2].into() };
    let mut file: Vec<u8> =
        [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 96, 1].map(u32::to_le_bytes).concat();
    for Timed { time, frame } in Mix::new(7, vec![host]).take(200) {
        let captured = frame.len().min(SNAP_LENGTH);
        let seconds = [time / SECOND, time % SECOND / 1_000];
        let lengths = [captured, frame.len()].map(|length| u64::try_from(length).unwrap());
        for word in seconds.into_iter().chain(lengths) {
            file.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        file.extend(&frame[..captured]);
    }
    file
}

#[test]
fn the_capture_of_the_examples_is_made_up_from_a_seed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lab.pcap");
    if std::env::var_os("MIRROR_WRITE_EXAMPLE").is_some() {
        std::fs::write(path, example()).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == example(), "write it with MIRROR_WRITE_EXAMPLE=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_receiver_loses_its_flows_until_they_pause() {
    let mut lab = Lab::of(LAB).await;
    lab.offer_all(lab.mix(4, 0).take(1_000));
    assert_eq!(lab.counts.lost(), 0);

    let dead = lab.plane.receivers()[0].instance().unwrap().to_owned();
    let ec2 = Ec2::new(&config(&lab.rig.cloud));
    ec2.stop_instances().instance_ids(dead).send().await.unwrap();
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    lab.delivery.stop(0);

    // The same flows again, a moment later: those of the dead receiver still go to it.
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(4, 15 * SECOND).take(1_000));
    assert_eq!(lab.counts.lost[&Loss::TargetDown], before.carried[&0]);
    assert_eq!(lab.counts.carried[&0], before.carried[&0]);
    assert_eq!(lab.counts.carried[&1], 2 * before.carried[&1]);

    // And once more, after the two minutes for which a UDP flow may pause.
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(4, 300 * SECOND).take(1_000));
    assert_eq!(lab.counts.lost, before.lost);
    let moved = lab.counts.carried[&1] - before.carried[&1];
    assert_eq!(moved, lab.counts.mirrored - before.mirrored);
    lab.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_cross_a_peering_connection_while_it_stands() {
    let mut lab = Lab::of(include_str!("../../../../examples/peering.mirror.hcl")).await;
    lab.offer_all(lab.mix(7, 0).take(1_000));
    assert!(lab.counts.carried() > 0 && lab.counts.lost() == 0, "{:?}", lab.counts);

    let ec2 = Ec2::new(&config(&lab.rig.cloud));
    let all = ec2.describe_vpc_peering_connections().send().await.unwrap();
    let id = all.vpc_peering_connections()[0].vpc_peering_connection_id().unwrap();
    ec2.delete_vpc_peering_connection().vpc_peering_connection_id(id).send().await.unwrap();
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(8, 10 * SECOND).take(1_000));
    assert_eq!(lab.counts.carried, before.carried);
    assert_eq!(lab.counts.lost[&Loss::NoRoute], lab.counts.mirrored - before.mirrored);
    lab.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_cross_a_transit_gateway_while_both_vpcs_are_attached() {
    let rig = Rig::instant();
    let gateway = transit_gateway(&rig.cloud).await;
    let text = include_str!("../../../../examples/transit-gateway.mirror.hcl");
    let mut lab = Lab::on(rig, &text.replace("tgw-0a1b2c3d4e5f67890", &gateway)).await;
    lab.offer_all(lab.mix(7, 0).take(1_000));
    assert!(lab.counts.carried() > 0 && lab.counts.lost() == 0, "{:?}", lab.counts);

    let ec2 = Ec2::new(&config(&lab.rig.cloud));
    let all = ec2.describe_transit_gateway_vpc_attachments().send().await.unwrap();
    let id = all.transit_gateway_vpc_attachments()[0].transit_gateway_attachment_id().unwrap();
    let delete = ec2.delete_transit_gateway_vpc_attachment().transit_gateway_attachment_id(id);
    delete.send().await.unwrap();
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(8, 10 * SECOND).take(1_000));
    assert_eq!(lab.counts.carried, before.carried);
    assert_eq!(lab.counts.lost[&Loss::NoRoute], lab.counts.mirrored - before.mirrored);
    lab.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_through_an_endpoint_to_receivers_that_admit_geneve() {
    const TEXT: &str = include_str!("../../../../examples/gateway-load-balancer.mirror.hcl");
    let mut lab = Lab::of(TEXT).await;
    lab.offer_all(lab.mix(7, 0).take(1_000));
    assert!(lab.counts.carried() > 0 && lab.counts.lost() == 0, "{:?}", lab.counts);

    // VXLAN never arrives without GENEVE around it.
    let shut = TEXT.replace("\"udp\", port = 6081", "\"udp\", port = 4789");
    lab.rig.converge(&stack(&shut)).await;
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(8, 10 * SECOND).take(1_000));
    assert_eq!(lab.counts.carried, before.carried);
    assert_eq!(lab.counts.lost[&Loss::RefusedByTarget], lab.counts.mirrored - before.mirrored);

    let without = TEXT.replace("  target_group = target_group.sensors\n", "");
    lab.rig.converge(&stack(&without)).await;
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    let before = lab.counts.clone();
    lab.offer_all(lab.mix(9, 20 * SECOND).take(1_000));
    assert_eq!(lab.counts.carried, before.carried);
    let lost = lab.counts.lost[&Loss::NoTarget];
    assert_eq!(lost, lab.counts.mirrored - before.mirrored);
    lab.end();
}

/// Offers a few frames at every event of an apply.
struct Traffic {
    lab: Arc<Mutex<Lab>>,
    frames: Box<dyn Iterator<Item = Timed> + Send>,
}

impl Reporter for Traffic {
    fn report(&mut self, _event: &Event) {
        let mut lab = self.lab.lock().unwrap();
        let cloud = lab.rig.cloud.clone();
        let Lab { plane, delivery, .. } = &mut *lab;
        plane.refresh(&cloud).unwrap();
        delivery.catch_up(plane).unwrap();
        lab.offer_all(self.frames.by_ref().take(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_swapped_without_a_loss() {
    const CHECKED_AFTER: Duration = Duration::from_secs(1);
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.durations.target_initial = CHECKED_AFTER;
    let mut lab = Lab::on(Rig::over(Cloud::in_memory().with_settings(settings)), LAB).await;
    tokio::time::sleep(CHECKED_AFTER).await;
    lab.plane.refresh(&lab.rig.cloud).unwrap();
    lab.offer_all(lab.mix(5, 0).take(500));
    let before = lab.counts.mirrored;
    let edited = stack(&LAB.replace("\"internal\"", "\"internet-facing\""));
    let (rig, frames) = (lab.rig.clone(), Box::new(lab.mix(6, 10 * SECOND)));
    let lab = Arc::new(Mutex::new(lab));
    let plan = rig.plan(&edited).await;
    let mut traffic = Traffic { lab: Arc::clone(&lab), frames };
    let report = rig.apply_with(&plan, &mut traffic).await;
    assert!(report.is_complete());
    drop(traffic);
    let lab = Arc::into_inner(lab).unwrap().into_inner().unwrap();
    assert!(lab.counts.mirrored > before, "there was traffic all the while");
    let (counts, _) = lab.end();
    assert_eq!(counts.lost, BTreeMap::new());
}
