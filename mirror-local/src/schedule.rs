//! What happens by itself once it is due.
//!
//! Nothing runs in the background: before a call is handled, everything due by then is done.

use crate::autoscaling;
use crate::ec2::{
    instance, network_interface, transit_gateway, vpc_endpoint, vpc_endpoint_service, vpc_peering,
};
use crate::ram;
use crate::settings::Settings;
use crate::table::{Kind, Row};
use crate::world::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that will happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    event: Event,
    id: String,
}

/// What can happen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A request for a peering connection that nobody has accepted expires.
    ExpirePeering,
    /// A deleted endpoint is no longer described.
    ForgetEndpoint,
    /// A deleted endpoint service is no longer described.
    ForgetEndpointService,
    /// A terminated instance is no longer described.
    ForgetInstance,
    /// A peering connection that has ended is no longer described.
    ForgetPeering,
    /// A deleted resource share is no longer described.
    ForgetResourceShare,
    /// A deleted transit gateway is no longer described.
    ForgetTransitGateway,
    /// A deleted attachment to a transit gateway is no longer described.
    ForgetTransitGatewayAttachment,
    /// What a terminated instance leaves behind is deleted.
    ReleaseInstance,
    /// An interface that AWS had created for something, such as a load balancer, is deleted.
    RemoveInterface,
    /// Auto Scaling groups check their instances.
    Scale,
}

impl Row for Due {
    const KIND: Kind = Kind::INTERNAL;
}

impl Region {
    /// Schedules something.
    pub(crate) fn arrange(&mut self, at: Timestamp, event: Event, id: &str) {
        let key = format!("{} {event:?} {id}", place(at));
        self.schedule.insert(key, Due { event, id: id.to_owned() });
    }

    /// Returns whether such an event is due by then.
    pub(crate) fn is_arranged(&self, event: Event, by: Timestamp) -> bool {
        let limit = format!("{}~", place(by));
        let sooner = self.schedule.iter().take_while(|(key, _)| *key <= limit.as_str());
        sooner.map(|(_, due)| due.event).any(|arranged| arranged == event)
    }

    /// Does what is due, each at its time.
    pub(crate) fn settle(&mut self, settings: &Settings, now: Timestamp) {
        let limit = format!("{}~", place(now));
        while let Some((key, due)) = self.schedule.first() {
            if key > limit.as_str() {
                return;
            }
            let (key, due) = (key.to_owned(), due.clone());
            self.schedule.remove(&key);
            match due.event {
                Event::ExpirePeering => vpc_peering::expire(self, &due.id),
                Event::ForgetEndpoint => vpc_endpoint::forget(self, &due.id),
                Event::ForgetEndpointService => vpc_endpoint_service::forget(self, &due.id),
                Event::ForgetPeering => vpc_peering::forget(self, &due.id),
                Event::ForgetResourceShare => ram::forget(self, &due.id),
                Event::ForgetTransitGateway => transit_gateway::forget(self, &due.id),
                Event::ForgetTransitGatewayAttachment => {
                    transit_gateway::attachment::forget(self, &due.id);
                }
                Event::ForgetInstance => instance::forget(self, &due.id),
                Event::ReleaseInstance => instance::release(self, &due.id),
                Event::RemoveInterface => network_interface::remove(self, &due.id),
                Event::Scale => {
                    let at = time(&key).unwrap_or(now).max(earlier(now, SCALING_MISSED));
                    autoscaling::scale(self, settings, at);
                }
            }
        }
    }
}

/// The key of something in the schedule: zero-padded, so that the table's order is the order of time. Nothing is due
/// before 1970.
fn place(at: Timestamp) -> String {
    format!("{:020}", at.as_nanosecond().max(0))
}

/// Reads the time back from the key of something that is due.
fn time(key: &str) -> Option<Timestamp> {
    let (place, _) = key.split_once(' ')?;
    Timestamp::from_nanosecond(place.parse().ok()?).ok()
}

/// How far back Auto Scaling groups catch up. Instances that never become healthy come and go for as long as a cloud
/// stays in a directory, and nobody wants to wait for a week of that.
const SCALING_MISSED: Duration = Duration::from_secs(600);

/// Returns the time a duration before another, or the beginning of time.
fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Returns the time a duration after another, or the end of time.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
