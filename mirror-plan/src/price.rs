//! Prices: what AWS asks for, as of a date.
//!
//! They are list prices of one Region, kept in `price.txt`, and what is made from them is an estimate that
//! says so.

/// Hours of the month that AWS's own calculator has: a twelfth of a year.
pub const MONTH_HOURS: f64 = 730.0;

/// The Region whose prices these are.
pub const REGION: &str = "us-east-2";

const TABLE: &str = include_str!("price.txt");

/// What costs money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A mirror session, for an hour, whatever its source does.
    SessionHour,
    /// A Network Load Balancer, for an hour.
    LoadBalancerHour,
    /// A capacity unit of a Network Load Balancer, for an hour.
    CapacityUnitHour,
    /// 1,000,000,000 bytes that cross from one Availability Zone to another, once: both ends pay.
    ZoneCrossingGigabyte,
}

/// A price in US dollars, and when it was that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// How much.
    pub dollars: f64,
    /// The day, as in `2026-09-20`.
    pub as_of: &'static str,
}

impl Item {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SessionHour,
        Self::LoadBalancerHour,
        Self::CapacityUnitHour,
        Self::ZoneCrossingGigabyte,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::SessionHour => "session_hour",
            Self::LoadBalancerHour => "load_balancer_hour",
            Self::CapacityUnitHour => "capacity_unit_hour",
            Self::ZoneCrossingGigabyte => "zone_crossing_gigabyte",
        }
    }

    /// What it costs.
    #[must_use]
    pub fn price(self) -> Price {
        let mut rows = TABLE.lines().filter_map(|line| row(line, self.name()));
        rows.next().expect("a test finds every item in the table")
    }
}

/// The price in a line, if it is the line of this item.
fn row(line: &'static str, name: &str) -> Option<Price> {
    let mut words = line.split(' ');
    let is_meant = words.next()? == name;
    let dollars = words.next()?.parse().ok()?;
    is_meant.then_some(Price { dollars, as_of: words.next()? })
}

/// What a month costs, in US dollars at list price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mirror sessions.
    pub sessions: usize,
    /// For the sessions.
    pub session_dollars: f64,
    /// Load balancers that get copies.
    pub load_balancers: usize,
    /// For the load balancers by the hour.
    pub load_balancer_dollars: f64,
    /// For their capacity units.
    pub capacity_dollars: f64,
    /// The day of the oldest price in it.
    pub as_of: &'static str,
}

impl Estimate {
    /// So many of each, and no prices but the list's.
    #[must_use]
    pub fn of(sessions: usize, load_balancers: usize, capacity_units: f64) -> Self {
        let items = [Item::SessionHour, Item::LoadBalancerHour, Item::CapacityUnitHour];
        let prices = items.map(Item::price);
        let [session, balancer, unit] = prices.map(|Price { dollars, .. }| dollars * MONTH_HOURS);
        Self {
            sessions,
            session_dollars: many(sessions) * session,
            load_balancers,
            load_balancer_dollars: many(load_balancers) * balancer,
            capacity_dollars: capacity_units * unit,
            as_of: prices.map(|price| price.as_of).into_iter().min().unwrap_or_default(),
        }
    }

    /// All of it.
    #[must_use]
    pub const fn dollars(&self) -> f64 {
        self.session_dollars + self.load_balancer_dollars + self.capacity_dollars
    }
}

/// What one capacity unit holds of UDP, in an hour: bytes, flows at a time, new flows a second.
///
/// Source: Elastic Load Balancing pricing, "Network Load Balancer": 1 GB, 50,000 and 400.
const CAPACITY_UNIT: [f64; 3] = [1e9, 50_000.0, 400.0];

/// The capacity units that are charged for so much UDP: whichever of the three needs most.
#[must_use]
pub fn capacity_units(bytes_per_hour: f64, flows: f64, new_flows_per_second: f64) -> f64 {
    let measured = [bytes_per_hour, flows, new_flows_per_second];
    let units = measured.iter().zip(CAPACITY_UNIT).map(|(measured, unit)| measured / unit);
    units.fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "objects of an account are few")]
const fn many(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_price_and_a_day() {
        for item in Item::ALL {
            let Price { dollars, as_of } = item.price();
            assert!(0.0 < dollars && dollars < 1.0, "{item:?}");
            assert!(as_of.parse::<jiff::civil::Date>().is_ok(), "{item:?}");
        }
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), Item::ALL.len());
        assert!(TABLE.contains(REGION));
    }
}
