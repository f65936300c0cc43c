//! Queries of `GetMetricData`: a statistic of a metric, over a time range.

use super::datapoint::{Datapoint, Metric};
use crate::document::Document;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::Region;
use jiff::Timestamp;

/// One query.
pub(super) struct Query {
    id: String,
    label: Option<String>,
    metric: Metric,
    period: i64,
    statistic: Statistic,
}

/// The time range that is asked for, in seconds, and the order of the answer.
pub(super) struct Range {
    from: i64,
    to: i64,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistic {
    Sum,
    Average,
    Minimum,
    Maximum,
    SampleCount,
}

/// The statistics by their names in a call.
const STATISTICS: [(Statistic, &str); 5] = [
    (Statistic::Sum, "Sum"),
    (Statistic::Average, "Average"),
    (Statistic::Minimum, "Minimum"),
    (Statistic::Maximum, "Maximum"),
    (Statistic::SampleCount, "SampleCount"),
];

impl Range {
    pub(super) fn parse(parameters: &Parameters) -> Outcome<Self> {
        let (from, to) = (time(parameters, "StartTime")?, time(parameters, "EndTime")?);
        if from >= to {
            let message = "The parameter StartTime must be less than the parameter EndTime.";
            return Err(Failure::new("ValidationError", message));
        }
        let order = parameters.one_of("ScanBy", &["TimestampAscending", "TimestampDescending"])?;
        let order = match order {
            Some("TimestampAscending") => Order::Ascending,
            _ => Order::Descending,
        };
        // To the minute: CloudWatch API reference, `GetMetricData`, `StartTime`.
        Ok(Self { from: from - from.rem_euclid(60), to, order })
    }
}

/// A time: a text, or a number of seconds as in JSON.
fn time(parameters: &Parameters, name: &str) -> Outcome<i64> {
    let text = parameters.required(name)?;
    let of_seconds = || {
        let seconds = text.split('.').next()?.parse().ok()?;
        Timestamp::from_second(seconds).ok()
    };
    let time = text.parse().ok().or_else(of_seconds);
    let time: Timestamp = time.ok_or_else(|| {
        Failure::invalid(text, &parameters.full_name(name), "The value is no time")
    })?;
    Ok(time.as_second())
}

impl Query {
    pub(super) fn parse(given: &Parameters) -> Outcome<Self> {
        given.refuse(&["Expression", "AccountId"])?;
        if given.boolean("ReturnData")? == Some(false) {
            let message = "mirror-local does not implement queries that return no data";
            return Err(Failure::new("UnsupportedOperation", message));
        }
        let id = given.required("Id")?;
        if !is_id(id) {
            let why = "It must begin with a small letter, and have letters, digits and _";
            return Err(Failure::invalid(id, &given.full_name("Id"), why));
        }
        let missing = |name: &str| Failure::missing(&given.full_name(name));
        let stat = given.structure("MetricStat").ok_or_else(|| missing("MetricStat"))?;
        stat.refuse(&["Unit"])?;
        let of = stat.structure("Metric").ok_or_else(|| missing("MetricStat.Metric"))?;
        let dimensions = of
            .list("Dimensions")
            .into_iter()
            .map(|it| Ok((it.required("Name")?.to_owned(), it.required("Value")?.to_owned())));
        let dimensions: Vec<_> = dimensions.collect::<Outcome<_>>()?;
        let metric = Metric::new(of.required("Namespace")?, of.required("MetricName")?, dimensions);
        let period: i64 = stat.required_parsed("Period")?;
        if period < 60 || period % 60 != 0 {
            let name = stat.full_name("Period");
            let why = "It must be a multiple of 60";
            return Err(Failure::invalid(&period.to_string(), &name, why));
        }
        let word = stat.required("Stat")?;
        let statistic = STATISTICS.iter().find(|(_, known)| *known == word);
        let statistic = statistic.map(|(statistic, _)| *statistic).ok_or_else(|| {
            let why = "mirror-local does not implement this statistic";
            Failure::invalid(word, &stat.full_name("Stat"), why)
        })?;
        let label = given.given("Label").map(str::to_owned);
        Ok(Self { id: id.to_owned(), label, metric, period, statistic })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The data points of its periods within a time range, in the order that was asked for.
    pub(super) fn data_points(&self, region: &Region, range: &Range) -> Vec<Datapoint> {
        let mut points: Vec<Datapoint> = Vec::new();
        let there = self.metric.data_points(region).into_iter();
        for mut point in there.filter(|point| (range.from..range.to).contains(&point.at)) {
            point.at -= point.at.rem_euclid(self.period);
            match points.last_mut() {
                Some(last) if last.at == point.at => *last = last.and(point),
                _ => points.push(point),
            }
        }
        if range.order == Order::Descending {
            points.reverse();
        }
        points
    }

    pub(super) fn result(&self, points: &[Datapoint], status: &'static str) -> Document {
        let time = |point: &Datapoint| Timestamp::from_second(point.at).unwrap_or(Timestamp::MAX);
        let times = points.iter().map(|point| Document::Time(time(point)));
        let values = points.iter().map(|point| Document::Number(self.statistic.of(point)));
        Document::Structure(vec![
            ("Id", Document::text(&self.id)),
            ("Label", Document::text(self.label.as_ref().unwrap_or(&self.metric.name))),
            ("Timestamps", Document::List(times.collect())),
            ("Values", Document::List(values.collect())),
            ("StatusCode", Document::text(status)),
        ])
    }
}

/// Source: CloudWatch API reference, `MetricDataQuery`, `Id`.
fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && id.len() <= 255
}

impl Statistic {
    fn of(self, point: &Datapoint) -> f64 {
        let Datapoint { at: _, sum, minimum, maximum, samples } = *point;
        match self {
            Self::Sum => sum,
            Self::Average => sum / samples,
            Self::Minimum => minimum,
            Self::Maximum => maximum,
            Self::SampleCount => samples,
        }
    }
}
