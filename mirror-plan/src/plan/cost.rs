//! What the sessions and load balancers of a plan cost in a month: an estimate at list price.

use std::collections::BTreeMap;

use super::{Change, Plan};
use crate::address::{Address, Kind};
use crate::price::{self, Estimate, Item, MONTH_HOURS};
use crate::scalar::BitRate;
use crate::value::Value;

/// What a month costs before a plan is applied and after, instances not counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonthlyCost {
    /// As it is now.
    pub before: Estimate,
    /// As it will be.
    pub after: Estimate,
    /// How much each session is taken to mirror; `None` for nothing at all.
    pub load: Option<BitRate>,
    /// What it adds afterwards, in US dollars, if all copies cross from one Availability Zone to another
    /// once. They may do so twice: to the load balancer, and from it.
    pub zone_crossing: f64,
}

impl MonthlyCost {
    /// How much more a month costs, in US dollars; less than nothing if it costs less.
    #[must_use]
    pub const fn difference(&self) -> f64 {
        self.after.dollars() - self.before.dollars()
    }
}

/// Bytes of a month, or of an hour.
type Bytes = f64;

impl Plan {
    /// Estimates what the stack costs in a month if each session mirrors so much all the time.
    ///
    /// Capacity units are counted for sessions to load balancers. A target that the stack only uses is
    /// taken for one.
    #[must_use]
    pub fn monthly_cost(&self, load: Option<BitRate>) -> MonthlyCost {
        let (before, _) = self.cost_of(|change| change.before.as_ref(), load);
        let (after, sent) = self.cost_of(|change| change.after.as_ref(), load);
        let zone_crossing = sent * MONTH_HOURS / 1e9 * Item::ZoneCrossingGigabyte.price().dollars;
        MonthlyCost { before, after, load, zone_crossing }
    }

    /// What is there at one moment costs so much and sends so much in an hour.
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
        let (mut sessions, mut balanced) = (0, 0_u32);
        for (_, session) in there(Kind::MirrorSession) {
            sessions += 1;
            balanced += u32::from(targets.may_be_balanced(member(session, "target")));
        }
        let an_hour = load.map_or(0.0, BitRate::bytes_per_hour);
        let all: u32 = u32::try_from(sessions).unwrap_or(u32::MAX);
        let units = price::capacity_units(f64::from(balanced) * an_hour, 0.0, 0.0);
        let balancers = there(Kind::LoadBalancer).count();
        (Estimate::of(sessions, balancers, units), f64::from(all) * an_hour)
    }
}

/// Mirror targets, by what sessions refer to them with; whether each is a network interface.
struct Targets<'p> {
    by_address: BTreeMap<&'p Address, bool>,
    by_id: BTreeMap<&'p str, bool>,
}

impl<'p> Targets<'p> {
    fn of(targets: impl Iterator<Item = (&'p Change, &'p Value)>) -> Self {
        let (mut by_address, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for (change, target) in targets {
            let is_interface = *member(target, "network_interface") != Value::Null;
            by_address.insert(&change.address, is_interface);
            if let Some(id) = &change.id {
                by_id.insert(id.as_str(), is_interface);
            }
        }
        Self { by_address, by_id }
    }

    /// Whether this may lead to a load balancer.
    fn may_be_balanced(&self, target: &Value) -> bool {
        let is_interface = match target {
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
        is_interface != Some(&true)
    }
}

fn member<'v>(object: &'v Value, name: &str) -> &'v Value {
    match object {
        Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}
