//! Asking CloudWatch what it has counted for a stack.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answer;
use super::direct::Call as _;
use super::direct::metric_data::{Batch, Page, Returned, StatusCode};
use super::errors::FieldError;
use super::observe::ObserveError;
use super::{Aws, BoxFuture, listing};
use crate::id::NetworkInterfaceId;
use crate::metrics::{Metrics, Series, Window, unknown_interfaces};
use crate::observed::Observed;
use crate::resource::instance::InstanceId;

const ANSWER: Answer = Answer(Batch::NAME);
const INTERFACES: Answer = Answer("DescribeNetworkInterfaces");

/// Asks what was counted in a time window, in one call for each 500 counters; a source has eight.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn metrics<'a>(
    aws: &'a Aws,
    observed: &'a Observed,
    window: Window,
) -> BoxFuture<'a, Result<Metrics, ObserveError>> {
    Box::pin(async move {
        let attached = attached(aws, unknown_interfaces(observed)).await?;
        let mut series = Vec::new();
        let places = Metrics::of(observed, &attached, window).map(|one| {
            series.push(one);
            series.len() - 1
        });
        let mut values = Vec::with_capacity(series.len());
        for batch in series.chunks(Batch::LONGEST) {
            values.extend(ask(aws, batch, window).await?);
        }
        Ok(places.map(|place| series[place].total(&values[place])))
    })
}

/// Returns the values of the data points of each series; one call must accept all of the series.
async fn ask(aws: &Aws, series: &[Series], window: Window) -> Result<Vec<Vec<f64>>, ObserveError> {
    let mut found: Vec<Option<Vec<f64>>> = vec![None; series.len()];
    let mut next_token = None;
    loop {
        let batch = Batch { window, series: series.to_vec(), next_token };
        let page = aws.send(Batch::NAME, aws.shared.metric_data.send(batch)).await?;
        let Page { returned, next_token: next } = page;
        for Returned { place, values, status } in returned {
            if let StatusCode::Failed(why) = status {
                return Err(ANSWER.wrong("StatusCode", FieldError::Unknown(why)).into());
            }
            let of = found.get_mut(place).ok_or_else(|| ANSWER.broken("Id"))?;
            of.get_or_insert_default().extend(values);
        }
        next_token = next;
        if next_token.is_none() {
            break;
        }
    }
    // A series that is missing from the answer was cut off; it is not a series without data.
    let all: Option<Vec<_>> = found.into_iter().collect();
    Ok(all.ok_or_else(|| ANSWER.broken("MetricDataResults"))?)
}

/// Returns the instances that interfaces are attached to.
async fn attached(
    aws: &Aws,
    interfaces: BTreeSet<NetworkInterfaceId>,
) -> Result<BTreeMap<NetworkInterfaceId, InstanceId>, ObserveError> {
    let ids: Vec<&str> = interfaces.iter().map(|id| id.as_str()).collect();
    let mut attached = BTreeMap::new();
    for interface in listing::network_interfaces(aws, "network-interface-id", &ids).await? {
        let id = INTERFACES.id("networkInterfaceId", interface.network_interface_id())?;
        let instance = interface.attachment().and_then(|it| it.instance_id());
        if let Some(instance) = INTERFACES.optional("instanceId", instance)? {
            attached.insert(id, instance);
        }
    }
    Ok(attached)
}
