//! Reachability: whether the packets of each session reach a receiver, and what lets them through or stops them.
//!
//! A mirrored packet leaves its source by the routes of its subnet, passes network ACLs and the security groups of
//! a load balancer, and reaches a listener, a target group and a receiver that counts as healthy, whose security
//! groups it must pass as well. Each of these is a [`Hop`], which lets the packets through, stops them, or is not
//! known: nothing is known about an object that is only named by its id, and that is neither a pass nor a failure.
//! A [`Way`] has a [`Verdict`] and, for each node of the load balancer and each receiver, a [`Path`] with all hops.
//!
//! A pass is about the network only: no stack states whether a program runs on the receiver or answers health
//! checks. When all receivers are ill, a load balancer sends packets to all of them; such packets do not count as
//! carried.
//!
//! Sources: Traffic Mirroring guide, "Traffic mirror target concepts" and "Security groups"; Network Load Balancer
//! guide, "Target groups" and "Security groups"; VPC user guide, "Route tables" and "Network ACLs".
//!
//! ```
//! use mirror_plan::attribute::Ref;
//! use mirror_plan::reach::{Network, Reach, Verdict};
//! use mirror_plan::resource::{MirrorFilter, MirrorSession};
//! use mirror_plan::stack::Stack;
//!
//! let mut stack = Stack::builder("lab".parse()?);
//! let session = MirrorSession {
//!     source: Ref::Id("eni-0a1b2c3d".parse()?),
//!     target: Ref::Id("tmt-0a1b2c3d".parse()?),
//!     filter: Ref::Id("tmf-0a1b2c3d".parse()?),
//!     number: 1_i64.try_into()?,
//!     packet_length: None,
//!     vni: None,
//!     description: None,
//!     tags: Default::default(),
//! };
//! stack.add("detect".parse()?, session);
//! let (stack, _warnings) = stack.build()?;
//! let reach = Reach::over(Network::of_stack(&stack));
//! let ways = reach.ways();
//! assert_eq!(ways.iter().next().map(|way| way.verdict()), Some(Verdict::Unknown));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::packet::{Mirrored, RULES_MAX};

mod admission;
mod approach;
mod check;
mod delivery;
mod end;
mod endpoint;
mod health;
mod hop;
mod network;
mod network_acl;
mod routing;
#[cfg(test)]
mod tests;
mod transit;
mod way;

pub(crate) use approach::Approach;
pub(crate) use delivery::{Balanced, Delivery, Receiver, behind};
use end::End;
pub use health::{Condition, Health};
pub use hop::{Hop, Outcome, Sort, Stretch};
pub use network::Network;
pub(crate) use network::{Mention, Whose};
pub(crate) use way::Leg;
pub use way::{Extent, Path, Verdict, Way};

/// The results for a network. Sources that are alike, of which there may be ten thousand, are worked out once.
#[derive(Debug)]
pub struct Reach<'s> {
    network: Network<'s>,
    deliveries: BTreeMap<Mention<'s>, Delivery<'s>>,
    approaches: BTreeMap<(usize, Mention<'s>), Approach>,
    journeys: Vec<Journey<'s>>,
}

/// A session, or all sessions of a block over sources that send to one target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey<'s> {
    pub(crate) session: &'s Address,
    /// The source; `None` for sources that are not counted yet.
    pub(crate) source: Option<Mention<'s>>,
    pub(crate) target: Mention<'s>,
    filter: Mention<'s>,
    /// The class of sources that are alike to which this source belongs.
    pub(crate) class: usize,
}

/// The ways of all sessions, in the order of their addresses.
#[derive(Debug)]
pub struct Ways<'r, 's> {
    reach: &'r Reach<'s>,
    filters: BTreeMap<Mention<'s>, Hop>,
}

impl<'s> Reach<'s> {
    /// Works out what becomes of the packets of all sessions of a network.
    #[must_use]
    pub fn over(network: Network<'s>) -> Self {
        let mut reach = Self {
            deliveries: BTreeMap::new(),
            approaches: BTreeMap::new(),
            journeys: Vec::new(),
            network,
        };
        let mut classes: BTreeMap<End<'s>, usize> = BTreeMap::new();
        for (end, mut journey) in reach.departures() {
            let next = classes.len();
            journey.class = *classes.entry(end).or_insert(next);
            reach.journeys.push(journey);
        }
        let network = &reach.network;
        let declared = network.targets().map(Mention::Of);
        let targets = declared.chain(reach.journeys.iter().map(|journey| journey.target));
        for target in targets {
            reach.deliveries.entry(target).or_insert_with(|| Delivery::of(network, target));
        }
        let ends: BTreeMap<usize, &End<'s>> =
            classes.iter().map(|(end, class)| (*class, end)).collect();
        for Journey { target, class, .. } in &reach.journeys {
            let (end, delivery) = (ends[class], &reach.deliveries[target]);
            let approach = reach.approaches.entry((*class, *target));
            approach.or_insert_with(|| Approach::of(network, end, delivery));
        }
        reach
    }

    /// Where packets start, by session.
    fn departures(&self) -> Vec<(End<'s>, Journey<'s>)> {
        let network = &self.network;
        let single = network.sessions().map(|(address, session)| {
            let journey = Journey {
                session: address,
                source: Some(network.mention(&session.source)),
                target: network.mention(&session.target),
                filter: network.mention(&session.filter),
                class: 0,
            };
            (End::interface(network, &session.source), journey)
        });
        let many = network.fan_outs().flat_map(|(address, fan_out)| {
            let targets = fan_out.target.all().map(|(_, target)| network.mention(target));
            let targets: BTreeSet<Mention<'s>> = targets.collect();
            targets.into_iter().map(move |target| {
                let journey = Journey {
                    session: address,
                    source: None,
                    target,
                    filter: network.mention(&fan_out.filter),
                    class: 0,
                };
                (End::UNKNOWN, journey)
            })
        });
        let mut all: Vec<_> = single.chain(many).collect();
        all.sort_by_key(|(_, journey)| journey.session);
        all
    }

    /// The ways of all sessions.
    #[must_use]
    pub fn ways(&self) -> Ways<'_, 's> {
        let mut filters = BTreeMap::new();
        for journey in &self.journeys {
            let filter = filters.entry(journey.filter);
            filter.or_insert_with(|| through_filter(&self.network, journey.filter));
        }
        Ways { reach: self, filters }
    }

    pub(crate) const fn network(&self) -> &Network<'s> {
        &self.network
    }

    pub(crate) fn journeys(&self) -> &[Journey<'s>] {
        &self.journeys
    }

    /// The journey of a session; for sessions over sources that are not counted yet, a journey to one of their
    /// targets.
    pub(crate) fn journey(&self, session: &Address) -> Option<&Journey<'s>> {
        let at = self.journeys.binary_search_by(|journey| journey.session.cmp(session)).ok()?;
        Some(&self.journeys[at])
    }

    /// What is behind a mirror target.
    pub(crate) fn delivery(&self, target: Mention<'s>) -> Option<&Delivery<'s>> {
        self.deliveries.get(&target)
    }

    /// How the packets of a session get to what is behind its target.
    pub(crate) fn approach(&self, journey: &Journey<'s>) -> &Approach {
        &self.approaches[&(journey.class, journey.target)]
    }

    /// For each class of sources that send to a target, its first session, in the order of the sessions.
    pub(crate) fn arrivals(&self, target: Mention<'s>) -> Vec<(&Journey<'s>, &Approach)> {
        let mut seen = BTreeSet::new();
        let to = self.journeys.iter().filter(|journey| journey.target == target);
        let first = to.filter(|journey| seen.insert(journey.class));
        first.map(|journey| (journey, self.approach(journey))).collect()
    }
}

impl<'r, 's> Ways<'r, 's> {
    /// Each way.
    pub fn iter(&self) -> impl Iterator<Item = Way<'_, 's>> {
        let of = |journey| {
            let journey: &'r Journey<'s> = journey;
            Way { reach: self.reach, journey, filter: &self.filters[&journey.filter] }
        };
        self.reach.journeys.iter().map(of)
    }
}

/// Whether a filter accepts any packets at all.
fn through_filter<'s>(network: &Network<'s>, filter: Mention<'s>) -> Hop {
    let hop = |outcome, words| Hop { sort: Sort::Filter, stretch: Stretch::Source, outcome, words };
    match network.filter(filter) {
        Some(known) if known.it.rules.0.len() > RULES_MAX => hop(
            Outcome::Unknown,
            format!("{filter} has too many rules to work out what it accepts"),
        ),
        Some(known) if Mirrored::by(known.it).is_empty() => {
            hop(Outcome::Stops, format!("{filter} accepts no packets"))
        }
        Some(_) => hop(Outcome::Passes, format!("{filter} accepts packets")),
        None => hop(Outcome::Unknown, format!("what {filter} accepts is not known")),
    }
}
