//! CloudWatch: the counters of instances and load balancers, as far as they exist.
//!
//! Nothing counts by itself here: a [`Meter`] counts what a data plane does, and publishes it. Before that, the
//! answers are those that AWS gives about something without data points.

mod datapoint;
mod meter;
mod query;

pub(crate) use datapoint::Datapoint;
pub use meter::Meter;

use crate::action::Action;
use crate::document::Document;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::View;
use query::{Query, Range};
use std::collections::BTreeSet;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] =
    &[&[Action::report("GetMetricData", get_metric_data).without_dry_run()]];

/// Queries that one call accepts.
const QUERIES_MAX: usize = 500;

/// Data points that one answer has, unless fewer are asked for.
const DATA_POINTS_MAX: usize = 100_800;

/// A page begins and ends at data points, which are numbered through all queries.
fn get_metric_data(view: View<'_>, parameters: &Parameters) -> Outcome<Document> {
    parameters.refuse(&["LabelOptions"])?;
    let range = Range::parse(parameters)?;
    let queries = parameters.list("MetricDataQueries").into_iter().map(Query::parse);
    let queries: Vec<Query> = queries.collect::<Outcome<_>>()?;
    check(&queries)?;
    let limit = parameters.parsed("MaxDatapoints")?.unwrap_or(view.settings.metric_data_points);
    let start = start(parameters)?;
    let end = start.saturating_add(limit.clamp(1, DATA_POINTS_MAX));
    let (mut passed, mut results) = (0, Vec::new());
    for query in &queries {
        let points = query.data_points(view.region, &range);
        let from = start.saturating_sub(passed).min(points.len());
        let to = end.saturating_sub(passed).min(points.len());
        passed += points.len();
        let status = if to < points.len() { "PartialData" } else { "Complete" };
        results.push(query.result(&points[from..to], status));
    }
    let mut answer = vec![("MetricDataResults", Document::List(results))];
    if end < passed {
        answer.push(("NextToken", Document::text(format!("{TOKEN}{end}"))));
    }
    answer.push(("Messages", Document::List(Vec::new())));
    Ok(Document::Structure(answer))
}

/// What a token begins with, followed by the number of the next data point.
const TOKEN: &str = "datapoint-";

fn start(parameters: &Parameters) -> Outcome<usize> {
    let Some(token) = parameters.given("NextToken") else { return Ok(0) };
    let next = token.strip_prefix(TOKEN).and_then(|number| number.parse().ok());
    next.ok_or_else(|| Failure::new("InvalidNextToken", "The token is not valid"))
}

fn check(queries: &[Query]) -> Outcome {
    if queries.is_empty() {
        return Err(Failure::missing("MetricDataQueries"));
    }
    if queries.len() > QUERIES_MAX {
        let message = format!("At most {QUERIES_MAX} queries may be given");
        return Err(Failure::new("ValidationError", message));
    }
    let ids: BTreeSet<&str> = queries.iter().map(Query::id).collect();
    if ids.len() < queries.len() {
        return Err(Failure::new("ValidationError", "The ids of queries must differ"));
    }
    Ok(())
}
