//! Data points: what was counted for one thing in one period.

use crate::table::{Kind, Row};
use crate::world::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The samples of a period, aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Datapoint {
    /// When the period began, in seconds since 1970.
    pub(super) at: i64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
    pub(super) samples: f64,
}

impl Row for Datapoint {
    const KIND: Kind = Kind::INTERNAL;
}

impl Datapoint {
    /// Both combined.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            at: self.at.min(other.at),
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
            samples: self.samples + other.samples,
        }
    }
}

/// A metric of something, with its dimensions in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: Vec<(String, String)>,
}

impl Metric {
    pub(super) fn new(
        namespace: &str,
        name: &str,
        dimensions: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut dimensions: Vec<(String, String)> = dimensions.into_iter().collect();
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }

    /// What the keys of its data points begin with. Names have no tabs.
    fn prefix(&self) -> String {
        let Self { namespace, name, dimensions } = self;
        let dimensions = dimensions.iter().map(|(name, value)| format!("{name}\t{value}\t"));
        format!("{namespace}\t{name}\t{}\t", dimensions.collect::<String>())
    }

    /// Its data points, in order of time.
    pub(super) fn data_points(&self, region: &Region) -> Vec<Datapoint> {
        let prefix = self.prefix();
        region.datapoints.starting_with(&prefix).map(|(_, point)| *point).collect()
    }

    /// Adds a sample to the period, of so many seconds, that contains a time.
    pub(super) fn add(&self, region: &mut Region, (time, period): (Timestamp, i64), sample: f64) {
        let at = time.as_second() - time.as_second().rem_euclid(period);
        let key = format!("{}{:012}", self.prefix(), at.max(0));
        let new = Datapoint { at, sum: sample, minimum: sample, maximum: sample, samples: 1.0 };
        let before = region.datapoints.get(&key).copied();
        region.datapoints.insert(key, before.map_or(new, |before| before.and(new)));
    }
}
