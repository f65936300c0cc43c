//! What an account means for bandwidth, load balancers and the bill.

use std::collections::{BTreeMap, BTreeSet};

use super::{Account, AtSession, Bandwidth, Destination, Mirroring, Named};
use crate::price::{Estimate, Usage, Work};

/// The load that a capture stands for, if it goes on like this.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// By interface, as in the [`Mirroring`]; `None` where no packet was seen or no time passed.
    pub rates: Vec<Option<Rates>>,
    /// By load balancer.
    pub served: Vec<Served>,
    /// What it costs in a month.
    pub estimate: Estimate,
}

/// The rates of an interface, in bits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The rate of its own packets, in and out, over the whole capture.
    pub traffic: f64,
    /// The rate of their copies, over the whole capture.
    pub copied: f64,
    /// Both together, in the busiest second.
    pub busiest: f64,
    /// What its instance can carry; `None` if that is not known.
    pub bandwidth: Option<Bandwidth>,
}

/// What a load balancer has to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// The load balancer.
    pub name: Named,
    /// Bytes per hour.
    pub bytes_per_hour: f64,
    /// Concurrent flows: at most 128 for each interface.
    pub flows: u32,
    /// New flows per second.
    pub new_flows_per_second: f64,
    /// The capacity units that are charged.
    pub capacity_units: f64,
}

impl Load {
    /// Returns what `account`, which was made for `mirroring`, stands for.
    #[must_use]
    pub fn of(mirroring: &Mirroring, account: &Account) -> Self {
        let served = served(mirroring, account);
        let estimate = estimate(mirroring, account, &served);
        Self { rates: rates(mirroring, account), served, estimate }
    }
}

fn rates(mirroring: &Mirroring, account: &Account) -> Vec<Option<Rates>> {
    let seconds = account.seconds();
    let interfaces = mirroring.interfaces.iter().zip(&account.interfaces);
    let rates = interfaces.map(|(interface, seen)| {
        // The traffic includes Ethernet headers, so the copies include them too.
        let sent = seen.sent();
        let copied = sent.bytes + 14 * sent.packets;
        (seconds > 0.0 && seen.seen.packets > 0).then(|| Rates {
            traffic: per_second(8 * seen.seen.bytes, seconds),
            copied: per_second(8 * copied, seconds),
            busiest: per_second(seen.busiest.bits(), 1.0),
            bandwidth: interface.instance_type.as_ref().and_then(Bandwidth::of),
        })
    });
    rates.collect()
}

/// The load balancers that the sessions send to.
fn served(mirroring: &Mirroring, account: &Account) -> Vec<Served> {
    let mut all: BTreeMap<&Named, Vec<&AtSession>> = BTreeMap::new();
    for (interface, seen) in mirroring.interfaces.iter().zip(&account.interfaces) {
        for (session, at) in interface.sessions.iter().zip(&seen.sessions) {
            if let Destination::LoadBalancer { name, listening: _ } = &session.target.destination {
                all.entry(name).or_default().push(at);
            }
        }
    }
    let seconds = account.seconds();
    let served = all.into_iter().map(|(name, sessions)| {
        let bytes = sessions.iter().map(|session| session.sent.bytes).sum();
        let flows = sessions.iter().map(|session| session.outer_flows()).sum();
        let [bytes_per_second, new_flows_per_second] = if seconds > 0.0 {
            [per_second(bytes, seconds), per_second(u64::from(flows), seconds)]
        } else {
            [0.0; 2]
        };
        let bytes_per_hour = 3600.0 * bytes_per_second;
        Served {
            name: name.clone(),
            bytes_per_hour,
            flows,
            new_flows_per_second,
            capacity_units: Work {
                bytes: bytes_per_hour,
                flows: f64::from(flows),
                new_flows: new_flows_per_second,
            }
            .capacity_units(),
        }
    });
    served.collect()
}

/// What the sessions, the load balancers and the endpoints cost. The Gateway Load Balancers behind the endpoints
/// belong to whoever offers them.
fn estimate(mirroring: &Mirroring, account: &Account, served: &[Served]) -> Estimate {
    let mut endpoints: BTreeSet<&str> = BTreeSet::new();
    let mut through = 0;
    for (interface, seen) in mirroring.interfaces.iter().zip(&account.interfaces) {
        for (session, at) in interface.sessions.iter().zip(&seen.sessions) {
            if let Destination::GatewayLoadBalancerEndpoint(name) = &session.target.destination {
                endpoints.insert(name);
                through += at.sent.bytes;
            }
        }
    }
    let seconds = account.seconds();
    let endpoint_bytes = if seconds > 0.0 { 3600.0 * per_second(through, seconds) } else { 0.0 };
    Estimate::of(&Usage {
        sessions: mirroring.interfaces.iter().map(|interface| interface.sessions.len()).sum(),
        load_balancers: served.len(),
        capacity_units: served.iter().fold(0.0, |sum, served| sum + served.capacity_units),
        endpoints: endpoints.len(),
        endpoint_bytes,
        ..Usage::default()
    })
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 bytes, the last one does not matter")]
fn per_second(number: u64, seconds: f64) -> f64 {
    number as f64 / seconds
}
