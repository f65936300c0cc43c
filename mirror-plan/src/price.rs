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
    pub const ALL: [Self; 3] = [Self::SessionHour, Self::LoadBalancerHour, Self::CapacityUnitHour];

    const fn name(self) -> &'static str {
        match self {
            Self::SessionHour => "session_hour",
            Self::LoadBalancerHour => "load_balancer_hour",
            Self::CapacityUnitHour => "capacity_unit_hour",
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
