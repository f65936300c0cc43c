//! What the sessions, load balancers and endpoints of a plan cost in a month: an estimate at list price.

use std::collections::BTreeMap;

use super::{Change, Plan};
use crate::address::{Address, Kind};
use crate::price::{Estimate, Item, MONTH_HOURS, Usage, Work};
use crate::scalar::BitRate;
use crate::value::Value;

/// What a month costs before a plan is applied and after, instances not counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonthlyCost {
    /// As it is now.
    pub before: Estimate,
    /// As it will be.
    pub after: Estimate,
    /// How much each session is assumed to mirror; `None` for nothing at all.
    pub load: Option<BitRate>,
    /// What is added after the apply, in US dollars, if all copies cross from one Availability Zone
    /// to another once. They may do so twice: to the load balancer, and from it.
    pub zone_crossing: f64,
}

impl MonthlyCost {
    /// How much more a month costs, in US dollars; negative if it costs less.
    #[must_use]
    pub const fn difference(&self) -> f64 {
        self.after.dollars() - self.before.dollars()
    }

    /// The day of the oldest price in either estimate.
    #[must_use]
    pub fn as_of(&self) -> &'static str {
        self.before.as_of.min(self.after.as_of)
    }
}

/// Bytes of a month, or of an hour.
type Bytes = f64;

impl Plan {
    /// Estimates what the stack costs in a month if each session mirrors `load` all the time.
    ///
    /// For sessions to load balancers capacity units are counted. For those to endpoints the data
    /// that passes through is counted, and the capacity units of the Gateway Load Balancer if it is
    /// one of the stack's own. A target that the stack only uses is assumed to be a Network Load
    /// Balancer, and a Gateway Load Balancer whose subnets are not known is assumed to be in one
    /// zone.
    #[must_use]
    pub fn monthly_cost(&self, load: Option<BitRate>) -> MonthlyCost {
        let (before, _) = self.cost_of(|change| change.before.as_ref(), load);
        let (after, sent) = self.cost_of(|change| change.after.as_ref(), load);
        let zone_crossing = sent * MONTH_HOURS / 1e9 * Item::ZoneCrossingGigabyte.price().dollars;
        MonthlyCost { before, after, load, zone_crossing }
    }

    /// What the objects at one moment cost in a month, and how much they send in an hour.
    fn cost_of<'p>(
        &'p self,
        at: impl Fn(&'p Change) -> Option<&'p Value>,
        load: Option<BitRate>,
    ) -> (Estimate, Bytes) {
        let there = |kind| {
            let changes = self.changes.iter().filter(move |change| change.kind() == kind);
            changes.filter_map(|change| Some((change, at(change)?)))
        };
        let targets = Targets::of(there(Kind::MirrorTarget));
        let mut sessions = Sessions::default();
        for (_, session) in there(Kind::MirrorSession) {
            sessions.add(targets.sort_of(member(session, "target")));
        }
        let an_hour = load.map_or(0.0, BitRate::bytes_per_hour);
        let Sessions { to_balancers, to_endpoints, to_interfaces } = sessions;
        let sent = |sessions: u32| f64::from(sessions) * an_hour;
        let work = |sessions: u32| Work { bytes: sent(sessions), ..Work::default() };
        let zones = there(Kind::GatewayLoadBalancer).map(|(_, balancer)| zones_of(balancer));
        let all = to_balancers + to_endpoints + to_interfaces;
        let usage = Usage {
            sessions: all as usize,
            load_balancers: there(Kind::LoadBalancer).count(),
            capacity_units: work(to_balancers).capacity_units(),
            gateway_load_balancers: there(Kind::GatewayLoadBalancer).count(),
            gateway_zones: zones.sum(),
            // One that belongs to others is paid for by its owner.
            gateway_capacity_units: match there(Kind::GatewayLoadBalancer).next() {
                Some(_) => work(to_endpoints).gateway_capacity_units(),
                None => 0.0,
            },
            endpoints: there(Kind::GatewayLoadBalancerEndpoint).count(),
            endpoint_bytes: sent(to_endpoints),
        };
        (Estimate::of(&usage), sent(all))
    }
}

/// A Gateway Load Balancer has one subnet in each of its zones.
fn zones_of(balancer: &Value) -> usize {
    match member(balancer, "subnets") {
        Value::List(subnets) => subnets.len().max(1),
        _ => 1,
    }
}

/// How many sessions there are to each sort of target.
#[derive(Default)]
struct Sessions {
    to_balancers: u32,
    to_endpoints: u32,
    to_interfaces: u32,
}

impl Sessions {
    const fn add(&mut self, sort: Sort) {
        match sort {
            Sort::LoadBalancer => self.to_balancers += 1,
            Sort::Endpoint => self.to_endpoints += 1,
            Sort::Interface => self.to_interfaces += 1,
        }
    }
}

/// What a mirror target leads to.
#[derive(Clone, Copy)]
enum Sort {
    LoadBalancer,
    Endpoint,
    Interface,
}

impl Sort {
    fn of(target: &Value) -> Self {
        if *member(target, "network_interface") != Value::Null {
            Self::Interface
        } else if *member(target, "gateway_load_balancer_endpoint") != Value::Null {
            Self::Endpoint
        } else {
            Self::LoadBalancer
        }
    }
}

/// Mirror targets, by the address or id with which sessions refer to them.
struct Targets<'p> {
    by_address: BTreeMap<&'p Address, Sort>,
    by_id: BTreeMap<&'p str, Sort>,
}

impl<'p> Targets<'p> {
    fn of(targets: impl Iterator<Item = (&'p Change, &'p Value)>) -> Self {
        let (mut by_address, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for (change, target) in targets {
            let sort = Sort::of(target);
            by_address.insert(&change.address, sort);
            if let Some(id) = &change.id {
                by_id.insert(id.as_str(), sort);
            }
        }
        Self { by_address, by_id }
    }

    /// What `target` leads to; if that is not known, it is taken for a load balancer, which costs
    /// most.
    fn sort_of(&self, target: &Value) -> Sort {
        let sort = match target {
            Value::String(id) => self.by_id.get(id.as_str()),
            Value::Resource(address) => self.by_address.get(address),
            Value::Unknown(unknown) => {
                let mut origins = unknown.origins.iter();
                origins.find_map(|origin| self.by_address.get(&origin.address))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Object(_)
            | Value::Secret(_) => None,
        };
        sort.copied().unwrap_or(Sort::LoadBalancer)
    }
}

fn member<'v>(object: &'v Value, name: &str) -> &'v Value {
    match object {
        Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}
