//! Prices: what AWS charges, as of a date.
//!
//! These are list prices of one Region, kept in `price.txt`. What is calculated from them is an estimate, and is called
//! one.

/// The hours of a month in AWS's own calculator: a twelfth of a year.
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
    /// 1,000,000,000 bytes that cross once from one Availability Zone to another: both ends pay.
    ZoneCrossingGigabyte,
    /// A Gateway Load Balancer, per hour and Availability Zone.
    GatewayLoadBalancerHour,
    /// A capacity unit of a Gateway Load Balancer, for an hour.
    GatewayCapacityUnitHour,
    /// An endpoint of a Gateway Load Balancer, for an hour.
    EndpointHour,
    /// 1,000,000,000 bytes that go through such an endpoint.
    EndpointGigabyte,
}

/// A price in US dollars, and the day on which it applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// How much.
    pub dollars: f64,
    /// The day, as in `2026-09-20`.
    pub as_of: &'static str,
}

impl Item {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SessionHour,
        Self::LoadBalancerHour,
        Self::CapacityUnitHour,
        Self::ZoneCrossingGigabyte,
        Self::GatewayLoadBalancerHour,
        Self::GatewayCapacityUnitHour,
        Self::EndpointHour,
        Self::EndpointGigabyte,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::SessionHour => "session_hour",
            Self::LoadBalancerHour => "load_balancer_hour",
            Self::CapacityUnitHour => "capacity_unit_hour",
            Self::ZoneCrossingGigabyte => "zone_crossing_gigabyte",
            Self::GatewayLoadBalancerHour => "gateway_load_balancer_hour",
            Self::GatewayCapacityUnitHour => "gateway_capacity_unit_hour",
            Self::EndpointHour => "endpoint_hour",
            Self::EndpointGigabyte => "endpoint_gigabyte",
        }
    }

    /// Returns what it costs.
    #[must_use]
    pub fn price(self) -> Price {
        let mut rows = TABLE.lines().filter_map(|line| row(line, self.name()));
        rows.next().expect("a test finds every item in the table")
    }
}

/// Returns the price in a line, if the line is for this item.
fn row(line: &'static str, name: &str) -> Option<Price> {
    let mut words = line.split(' ');
    let is_meant = words.next()? == name;
    let dollars = words.next()?.parse().ok()?;
    is_meant.then_some(Price { dollars, as_of: words.next()? })
}

/// What is to be paid for, in the hours of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Mirror sessions.
    pub sessions: usize,
    /// Network Load Balancers.
    pub load_balancers: usize,
    /// Their capacity units.
    pub capacity_units: f64,
    /// Gateway Load Balancers.
    pub gateway_load_balancers: usize,
    /// The total number of their Availability Zones.
    pub gateway_zones: usize,
    /// Their capacity units.
    pub gateway_capacity_units: f64,
    /// Endpoints of Gateway Load Balancers.
    pub endpoints: usize,
    /// Bytes that pass through them in an hour.
    pub endpoint_bytes: f64,
}

/// What a month costs, in US dollars at list price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mirror sessions.
    pub sessions: usize,
    /// For the sessions.
    pub session_dollars: f64,
    /// Load balancers that receive copies, of both types.
    pub load_balancers: usize,
    /// For the load balancers, by the hour.
    pub load_balancer_dollars: f64,
    /// For their capacity units.
    pub capacity_dollars: f64,
    /// Endpoints of Gateway Load Balancers that receive copies.
    pub endpoints: usize,
    /// For the endpoints, by the hour.
    pub endpoint_dollars: f64,
    /// For the data that passes through them.
    pub endpoint_data_dollars: f64,
    /// The day of the oldest price in the estimate.
    pub as_of: &'static str,
}

impl Estimate {
    /// Returns what this usage costs in a month.
    #[must_use]
    pub fn of(usage: &Usage) -> Self {
        let Usage { sessions, load_balancers, capacity_units, .. } = *usage;
        let Usage { gateway_load_balancers, gateway_zones, gateway_capacity_units, .. } = *usage;
        let Usage { endpoints, endpoint_bytes, .. } = *usage;
        let mut as_of = Item::SessionHour.price().as_of;
        let mut month = |item: Item, number: f64| {
            let Price { dollars, as_of: day } = item.price();
            if number > 0.0 {
                as_of = as_of.min(day);
            }
            number * (dollars * MONTH_HOURS)
        };
        Self {
            sessions,
            session_dollars: month(Item::SessionHour, many(sessions)),
            load_balancers: load_balancers + gateway_load_balancers,
            load_balancer_dollars: month(Item::LoadBalancerHour, many(load_balancers))
                + month(Item::GatewayLoadBalancerHour, many(gateway_zones)),
            capacity_dollars: month(Item::CapacityUnitHour, capacity_units)
                + month(Item::GatewayCapacityUnitHour, gateway_capacity_units),
            endpoints,
            endpoint_dollars: month(Item::EndpointHour, many(endpoints)),
            endpoint_data_dollars: month(Item::EndpointGigabyte, endpoint_bytes / 1e9),
            as_of,
        }
    }

    /// Returns the total.
    #[must_use]
    pub const fn dollars(&self) -> f64 {
        self.session_dollars
            + self.load_balancer_dollars
            + self.capacity_dollars
            + self.endpoint_dollars
            + self.endpoint_data_dollars
    }
}

/// What one capacity unit covers of UDP, in an hour: bytes, concurrent flows, new flows a second.
///
/// Source: Elastic Load Balancing pricing, "Network Load Balancer": 1 GB, 50,000 and 400.
const CAPACITY_UNIT: [f64; 3] = [1e9, 50_000.0, 400.0];

/// What one capacity unit of a Gateway Load Balancer covers, likewise.
///
/// Source: Elastic Load Balancing pricing, "Gateway Load Balancer": 1 GB, 60,000 and 600.
const GATEWAY_CAPACITY_UNIT: [f64; 3] = [1e9, 60_000.0, 600.0];

/// What a load balancer has to process in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Bytes an hour.
    pub bytes: f64,
    /// Concurrent flows.
    pub flows: f64,
    /// New flows a second.
    pub new_flows: f64,
}

impl Work {
    /// Returns the capacity units that a Network Load Balancer is charged for if all of the work is UDP.
    #[must_use]
    pub fn capacity_units(self) -> f64 {
        self.units(CAPACITY_UNIT)
    }

    /// Returns the capacity units that a Gateway Load Balancer is charged for.
    #[must_use]
    pub fn gateway_capacity_units(self) -> f64 {
        self.units(GATEWAY_CAPACITY_UNIT)
    }

    /// Returns the units for whichever of the three needs the most.
    fn units(self, unit: [f64; 3]) -> f64 {
        let Self { bytes, flows, new_flows } = self;
        let units = [bytes, flows, new_flows].into_iter().zip(unit).map(|(done, unit)| done / unit);
        units.fold(0.0, f64::max)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an account has far fewer objects than 2^53")]
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
