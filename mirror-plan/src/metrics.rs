//! Metrics: what CloudWatch has counted for a stack, that is, what its sources mirrored and left out, and what its load
//! balancers carried.
//!
//! [`Metrics::of`] determines which series of data points to ask for, and [`Metrics::map`] replaces them with the
//! answers. A counter for which CloudWatch has no data point is `None`, which is not the same as zero: data points are
//! minutes late, and a load balancer has some only while it carries packets.
//!
//! Sources: Traffic Mirroring guide, "Monitor mirrored traffic using Amazon CloudWatch"; EC2 user guide,
//! "CloudWatch metrics that are available for your instances"; Network Load Balancer guide, "CloudWatch metrics
//! for your Network Load Balancer".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::id::NetworkInterfaceId;
use crate::observed::{Found, Observed};
use crate::resource::instance::InstanceId;
use crate::resource::{LoadBalancer, MirrorSession, Resource};

mod series;
#[cfg(test)]
pub(crate) mod tests;

pub use series::{Dimension, Series, Statistic};

/// A span of time, from its beginning up to, but not including, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment of the window.
    pub from: Timestamp,
    /// The first moment after the window.
    pub to: Timestamp,
}

/// What was counted; with [`Series`] in place of the counters, what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics<C = Option<u64>> {
    /// The window in which it was counted.
    pub window: Window,
    /// The instances whose interfaces the sessions mirror.
    pub sources: Vec<Source<C>>,
    /// By session: the interfaces that are attached to no instance, for which nothing is counted.
    pub unattached: BTreeMap<Address, NetworkInterfaceId>,
    /// The load balancers that the stack makes or uses.
    pub balancers: Vec<Balancer<C>>,
}

/// An instance whose interfaces are mirrored. Its counters cover all of its interfaces and sessions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<C = Option<u64>> {
    /// The instance.
    pub instance: InstanceId,
    /// The address of the instance, if the stack makes or uses it.
    pub address: Option<Address>,
    /// The sessions of its interfaces.
    pub sessions: BTreeSet<Address>,
    /// What was mirrored.
    pub mirrored: Volume<C>,
    /// What the rules accept but was left out, because the instance had more traffic than it is allowed.
    pub skipped: Volume<C>,
}

/// How much passed in each direction, as seen from the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume<C = Option<u64>> {
    /// Incoming bytes.
    pub bytes_in: C,
    /// Outgoing bytes.
    pub bytes_out: C,
    /// Incoming packets. Only instances with basic monitoring count packets.
    pub packets_in: C,
    /// Outgoing packets.
    pub packets_out: C,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer<C = Option<u64>> {
    /// Its address.
    pub address: Address,
    /// Bytes of UDP that it carried.
    pub bytes: C,
    /// Packets that it carried.
    pub packets: C,
    /// New UDP flows.
    pub new_flows: C,
    /// The largest number of concurrent UDP flows.
    pub active_flows: C,
    /// The target groups that it forwards to.
    pub groups: Vec<Group<C>>,
}

/// A target group of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<C = Option<u64>> {
    /// Its name: its address, or its ARN if it does not belong to the stack.
    pub name: String,
    /// The smallest number of healthy targets.
    pub healthy: C,
    /// The largest number of unhealthy targets.
    pub unhealthy: C,
}

impl Window {
    /// Returns the last minutes before a time, to the second, extended to begin with a whole period: instances with
    /// basic monitoring have one data point for every five minutes.
    #[must_use]
    pub fn before(now: Timestamp, minutes: u16) -> Self {
        let to = now.as_second();
        let since = to - i64::from(minutes) * 60;
        let from = since - since.rem_euclid(i64::from(series::BASIC));
        let whole = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN);
        Self { from: whole(from), to: whole(to) }
    }
}

impl Metrics<Series> {
    /// Returns what to ask for about a stack, as it was observed. `attached` are the instances of those interfaces for
    /// which `observed` does not show the instance; see [`unknown_interfaces`].
    #[must_use]
    pub fn of(
        observed: &Observed,
        attached: &BTreeMap<NetworkInterfaceId, InstanceId>,
        window: Window,
    ) -> Self {
        let known = instances(observed);
        let mut by_instance: BTreeMap<InstanceId, BTreeSet<Address>> = BTreeMap::new();
        let mut unattached = BTreeMap::new();
        for (session, interface) in sessions(observed) {
            match known.get(interface).or_else(|| attached.get(interface)) {
                Some(instance) => {
                    by_instance.entry(instance.clone()).or_default().insert(session.clone());
                }
                None => {
                    unattached.insert(session.clone(), interface.clone());
                }
            }
        }
        let named: BTreeMap<&str, &Address> = of_kind(observed, Kind::Instance)
            .map(|(address, found)| (found.id.as_str(), address))
            .collect();
        let source = |(instance, sessions): (InstanceId, BTreeSet<Address>)| Source {
            address: named.get(instance.as_str()).map(|address| (*address).clone()),
            mirrored: Volume::mirrored(&instance),
            skipped: Volume::skipped(&instance),
            instance,
            sessions,
        };
        let sources = by_instance.into_iter().map(source).collect();
        let balancers = of_kind(observed, Kind::LoadBalancer).filter_map(|(address, found)| {
            let Resource::LoadBalancer(balancer) = &found.resource else { return None };
            Some(Balancer::of(observed, (address, found), balancer))
        });
        Self { window, sources, unattached, balancers: balancers.collect() }
    }
}

/// Returns the mirrored interfaces for which `observed` does not show the instance that they are attached to.
#[must_use]
pub fn unknown_interfaces(observed: &Observed) -> BTreeSet<NetworkInterfaceId> {
    let known = instances(observed);
    let mirrored = sessions(observed).map(|(_, interface)| interface);
    mirrored.filter(|interface| !known.contains_key(*interface)).cloned().collect()
}

/// Returns the objects of a kind that the stack makes or uses.
fn of_kind(observed: &Observed, kind: Kind) -> impl Iterator<Item = (&Address, &Found)> {
    let current = observed.owned.keys().filter_map(|at| Some((at, observed.current(at)?)));
    current.chain(&observed.existing).filter(move |(address, _)| address.kind == kind)
}

/// Returns the existing sessions, each with the interface that it mirrors.
fn sessions(observed: &Observed) -> impl Iterator<Item = (&Address, &NetworkInterfaceId)> {
    of_kind(observed, Kind::MirrorSession).filter_map(|(address, found)| match &found.resource {
        Resource::MirrorSession(MirrorSession { source: Ref::Id(interface), .. }) => {
            Some((address, interface))
        }
        _ => None,
    })
}

/// Returns the instances of interfaces, as far as they were seen.
fn instances(observed: &Observed) -> BTreeMap<NetworkInterfaceId, InstanceId> {
    let primary = of_kind(observed, Kind::Instance).filter_map(|(_, found)| {
        let interface = found.computed.get("network_interface")?.as_ref()?;
        Some((interface.parse().ok()?, found.id.as_str().parse().ok()?))
    });
    let sighted = observed.sources.values().flat_map(|sighting| &sighting.interfaces);
    let sighted = sighted
        .filter_map(|(id, interface)| Some((id.clone(), interface.instance.as_ref()?.id.clone())));
    primary.chain(sighted).collect()
}

impl Volume<Series> {
    fn mirrored(instance: &InstanceId) -> Self {
        Self {
            bytes_in: Series::of_instance("NetworkMirrorIn", instance),
            bytes_out: Series::of_instance("NetworkMirrorOut", instance),
            packets_in: Series::of_instance("NetworkPacketsMirrorIn", instance),
            packets_out: Series::of_instance("NetworkPacketsMirrorOut", instance),
        }
    }

    fn skipped(instance: &InstanceId) -> Self {
        Self {
            bytes_in: Series::of_instance("NetworkSkipMirrorIn", instance),
            bytes_out: Series::of_instance("NetworkSkipMirrorOut", instance),
            packets_in: Series::of_instance("NetworkPacketsSkipMirrorIn", instance),
            packets_out: Series::of_instance("NetworkPacketsSkipMirrorOut", instance),
        }
    }
}

impl Balancer<Series> {
    fn of(observed: &Observed, (address, found): (&Address, &Found), is: &LoadBalancer) -> Self {
        let named: BTreeMap<&str, &Address> = of_kind(observed, Kind::TargetGroup)
            .map(|(address, found)| (found.id.as_str(), address))
            .collect();
        let arns: BTreeSet<String> = is
            .listeners
            .iter()
            .filter_map(|listener| match &listener.target_group {
                Ref::Id(arn) => Some(arn.as_str().to_owned()),
                Ref::To(address) => Some(observed.current(address)?.id.as_str().to_owned()),
            })
            .collect();
        let own = found.id.as_str();
        let group = |arn: String| Group {
            name: named.get(arn.as_str()).map_or_else(|| arn.clone(), ToString::to_string),
            healthy: Series::of_group("HealthyHostCount", Statistic::Minimum, (own, &arn)),
            unhealthy: Series::of_group("UnHealthyHostCount", Statistic::Maximum, (own, &arn)),
        };
        Self {
            address: address.clone(),
            bytes: Series::of_balancer("ProcessedBytes_UDP", Statistic::Sum, own),
            packets: Series::of_balancer("ProcessedPackets", Statistic::Sum, own),
            new_flows: Series::of_balancer("NewFlowCount_UDP", Statistic::Sum, own),
            active_flows: Series::of_balancer("ActiveFlowCount_UDP", Statistic::Maximum, own),
            groups: arns.into_iter().map(group).collect(),
        }
    }
}

impl<C> Metrics<C> {
    /// Returns the same metrics with every counter replaced by what `each` returns for it. The counters are always
    /// visited in the same order.
    pub fn map<D>(self, mut each: impl FnMut(C) -> D) -> Metrics<D> {
        let Self { window, sources, unattached, balancers } = self;
        let each = &mut each;
        Metrics {
            window,
            sources: sources.into_iter().map(|source| source.map(each)).collect(),
            unattached,
            balancers: balancers.into_iter().map(|balancer| balancer.map(each)).collect(),
        }
    }
}

impl<C> Source<C> {
    fn map<D>(self, each: &mut impl FnMut(C) -> D) -> Source<D> {
        let Self { instance, address, sessions, mirrored, skipped } = self;
        let (mirrored, skipped) = (mirrored.map(each), skipped.map(each));
        Source { instance, address, sessions, mirrored, skipped }
    }
}

impl<C> Volume<C> {
    fn map<D>(self, each: &mut impl FnMut(C) -> D) -> Volume<D> {
        let Self { bytes_in, bytes_out, packets_in, packets_out } = self;
        Volume {
            bytes_in: each(bytes_in),
            bytes_out: each(bytes_out),
            packets_in: each(packets_in),
            packets_out: each(packets_out),
        }
    }
}

impl<C> Balancer<C> {
    fn map<D>(self, each: &mut impl FnMut(C) -> D) -> Balancer<D> {
        let Self { address, bytes, packets, new_flows, active_flows, groups } = self;
        Balancer {
            address,
            bytes: each(bytes),
            packets: each(packets),
            new_flows: each(new_flows),
            active_flows: each(active_flows),
            groups: groups.into_iter().map(|group| group.map(each)).collect(),
        }
    }
}

impl<C> Group<C> {
    fn map<D>(self, each: &mut impl FnMut(C) -> D) -> Group<D> {
        let Self { name, healthy, unhealthy } = self;
        Group { name, healthy: each(healthy), unhealthy: each(unhealthy) }
    }
}

impl Volume {
    /// Returns the packets of both directions; `None` if neither was counted.
    #[must_use]
    pub fn packets(&self) -> Option<u64> {
        sum(self.packets_in, self.packets_out)
    }

    /// Returns the bytes of both directions; `None` if neither was counted.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        sum(self.bytes_in, self.bytes_out)
    }

    /// Returns whether any count is not zero.
    #[must_use]
    pub fn is_something(&self) -> bool {
        [self.packets(), self.bytes()].into_iter().flatten().any(|count| count > 0)
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (count, None) | (None, count) => count,
    }
}
