//! Meters: they count what a data plane does, as the instances and load balancers of AWS do.

use super::datapoint::Metric;
use crate::cloud::Cloud;
use crate::data_plane::{
    Carried, DataPlane, Direction, Fate, Loss, Mirrored, Sighting, VXLAN_PORT,
};
use crate::ec2::traffic_mirror::target::Destination;
use crate::elbv2::{self, Standing};
use crate::store::StoreError;
use crate::world::View;
use std::collections::{BTreeMap, BTreeSet};

/// Counts what a data plane does, until it is published.
///
/// ```
/// use mirror_local::data_plane::DataPlane;
/// use mirror_local::{Cloud, Meter};
///
/// let cloud = Cloud::in_memory();
/// let mut plane = DataPlane::of(&cloud, "eu-west-1", 9001)?;
/// let mut meter = Meter::default();
/// let frame = [0; 60];
/// plane.offer(0, &frame, |sighting| meter.see(&sighting, frame.len()));
/// meter.publish(&plane, &cloud)?;
/// # Ok::<(), mirror_local::StoreError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// By the indices of interface and session, and the direction.
    mirrored: BTreeMap<(usize, usize, Direction), Tally>,
    /// What reached the mirror target, by the indices of interface and session; only load balancers count it.
    arrived: BTreeMap<(usize, usize), Arrived>,
    /// By the index of the interface, and the direction.
    skipped: BTreeMap<(usize, Direction), Tally>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    bytes: f64,
    packets: f64,
}

#[derive(Debug, Clone, Default)]
struct Arrived {
    tally: Tally,
    /// The source ports, each of which is a flow.
    flows: BTreeSet<u16>,
}

impl Tally {
    fn add(&mut self, bytes: usize) {
        // No frame is longer.
        self.bytes += f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.packets += 1.0;
    }

    fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, packets: self.packets + other.packets }
    }
}

/// One sample of a metric that has periods of so many seconds.
struct Sample {
    metric: Metric,
    period: i64,
    value: f64,
}

/// The length of a period of basic monitoring, and of a load balancer, in seconds.
///
/// Sources: EC2 user guide, "Manage detailed monitoring"; Network Load Balancer guide, "CloudWatch metrics".
const BASIC: i64 = 300;
const BALANCING: i64 = 60;

impl Meter {
    /// Counts a frame of a length at an interface.
    pub fn see(&mut self, sighting: &Sighting<'_>, length: usize) {
        let Sighting { interface, direction, fate } = *sighting;
        let Fate::Mirrored(Mirrored { session, packet, wrapped, carried, .. }) = fate else {
            return;
        };
        self.mirrored.entry((interface, session, direction)).or_default().add(length);
        match carried {
            // It did not reach the load balancer, or was not let in.
            Carried::Lost(
                Loss::NoRoute
                | Loss::RefusedByNetworkAcl
                | Loss::TargetGone
                | Loss::OtherAccount
                | Loss::NotShared
                | Loss::NoListener
                | Loss::RefusedByLoadBalancer,
            ) => {}
            Carried::To(_)
            | Carried::Lost(
                Loss::TargetDown
                | Loss::NoTarget
                | Loss::RefusedBehindLoadBalancer
                | Loss::RefusedByTarget,
            ) => {
                let arrived = self.arrived.entry((interface, session)).or_default();
                arrived.tally.add(packet.len());
                arrived.flows.insert(wrapped.source_port);
            }
        }
    }

    /// Counts a frame that an instance leaves out because it has too much to carry. The data plane carries everything:
    /// a caller that simulates this reports it here.
    pub fn skip(&mut self, interface: usize, direction: Direction, length: usize) {
        self.skipped.entry((interface, direction)).or_default().add(length);
    }

    /// Publishes what was counted, as of now: for each instance whose interfaces have sessions, and for each load
    /// balancer that the sessions lead to, with the health of its targets.
    ///
    /// # Errors
    ///
    /// Fails if the cloud's directory cannot be used.
    pub fn publish(self, plane: &DataPlane, cloud: &Cloud) -> Result<(), StoreError> {
        cloud.change(plane.place(), |call| {
            let mut samples = self.of_instances(plane, call.view());
            samples.extend(self.of_balancers(plane, call.view()));
            for Sample { metric, period, value } in samples {
                metric.add(call.region, (call.now, period), value);
            }
        })
    }

    fn of_instances(&self, plane: &DataPlane, view: View<'_>) -> Vec<Sample> {
        let mut counted: BTreeMap<&str, [[Tally; 2]; 2]> = BTreeMap::new();
        for (place, interface) in plane.interfaces().iter().enumerate() {
            let row = view.region.network_interfaces.get(interface.id());
            let attachment = row.and_then(|row| row.attachment.as_ref());
            let instance = attachment.and_then(|it| it.instance_id.as_deref());
            let (Some(instance), false) = (instance, interface.sessions().is_empty()) else {
                continue;
            };
            let [mirrored, skipped] = counted.entry(instance).or_default();
            for (at, direction) in [Direction::Ingress, Direction::Egress].into_iter().enumerate() {
                let skips = self.skipped.get(&(place, direction)).copied().unwrap_or_default();
                skipped[at] = skipped[at].and(skips);
                let sessions = 0..interface.sessions().len();
                let counts = sessions.filter_map(|it| self.mirrored.get(&(place, it, direction)));
                mirrored[at] = counts.fold(mirrored[at], |sum, count| sum.and(*count));
            }
        }
        let counted = counted.into_iter();
        counted
            .flat_map(|(instance, [mirrored, skipped])| {
                let of = [("InstanceId".to_owned(), instance.to_owned())];
                let mut samples = Vec::new();
                for (what, counts) in [("Mirror", mirrored), ("SkipMirror", skipped)] {
                    for (way, Tally { bytes, packets }) in ["In", "Out"].into_iter().zip(counts) {
                        for (unit, value) in [("", bytes), ("Packets", packets)] {
                            let name = format!("Network{unit}{what}{way}");
                            let metric = Metric::new("AWS/EC2", &name, of.clone());
                            samples.push(Sample { metric, period: BASIC, value });
                        }
                    }
                }
                samples
            })
            .collect()
    }

    fn of_balancers(&self, plane: &DataPlane, view: View<'_>) -> Vec<Sample> {
        let mut counted: BTreeMap<&str, (Tally, f64)> = BTreeMap::new();
        for (place, interface) in plane.interfaces().iter().enumerate() {
            for (session, of) in interface.sessions().iter().enumerate() {
                let target = view.region.mirror_sessions.get(of.id()).map(|it| &it.target_id);
                let target = target.and_then(|id| view.region.mirror_targets.get(id));
                let Some(Destination::LoadBalancer(arn)) = target.map(|it| &it.destination) else {
                    continue;
                };
                let (sum, flows) = counted.entry(arn).or_default();
                if let Some(sent) = self.arrived.get(&(place, session)) {
                    *sum = sum.and(sent.tally);
                    *flows += sent.flows.iter().map(|_| 1.0).sum::<f64>();
                }
            }
        }
        let counted = counted.into_iter();
        counted.flat_map(|(arn, (sum, flows))| of_balancer(view, arn, (sum, flows))).collect()
    }
}

/// What a load balancer reports about itself and the targets behind it. If it carries nothing, that is only the health
/// of the targets.
fn of_balancer(
    view: View<'_>,
    arn: &str,
    (Tally { bytes, packets }, flows): (Tally, f64),
) -> Vec<Sample> {
    let Some(balancer) = view.region.load_balancers.get(arn) else { return Vec::new() };
    let of = ("LoadBalancer".to_owned(), balancer.path().to_owned());
    let sample = |name: &str, dimensions: Vec<(String, String)>, value| Sample {
        metric: Metric::new("AWS/NetworkELB", name, dimensions),
        period: BALANCING,
        value,
    };
    let mut samples = Vec::new();
    if packets > 0.0 {
        let counts = [
            ("ProcessedBytes_UDP", bytes),
            ("ProcessedPackets", packets),
            ("NewFlowCount_UDP", flows),
            ("ActiveFlowCount_UDP", flows),
        ];
        samples.extend(counts.map(|(name, value)| sample(name, vec![of.clone()], value)));
    }
    let Some(group) = elbv2::behind(view.region, balancer, VXLAN_PORT) else { return samples };
    let path = group.arn.rsplit(':').next().unwrap_or_default();
    let dimensions = vec![of, ("TargetGroup".to_owned(), path.to_owned())];
    let (mut healthy, mut unhealthy) = (0.0, 0.0);
    for (_, standing) in elbv2::standings(view, group) {
        match standing {
            Standing::Healthy => healthy += 1.0,
            Standing::Failing => unhealthy += 1.0,
            Standing::Draining | Standing::Down | Standing::Starting | Standing::Unused => {}
        }
    }
    samples.push(sample("HealthyHostCount", dimensions.clone(), healthy));
    samples.push(sample("UnHealthyHostCount", dimensions, unhealthy));
    samples
}
