//! Options of an apply that is of sessions over sources only.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use mirror_plan::resource::instance::InstanceId;

/// Sessions over sources, and nothing else.
#[derive(Debug, Args)]
pub(crate) struct PartArgs {
    /// Only create and delete sessions over sources, and change nothing else. Sessions are created on
    /// interfaces of these instances only: `i-...,i-...`, or `all`.
    #[arg(
        long,
        value_name = "INSTANCES",
        value_parser = instances,
        conflicts_with_all = ["target", "replace", "approved", "expect"]
    )]
    pub(crate) sources: Option<Instances>,
    /// Repeat until interrupted, with this pause between runs, such as 60s.
    #[arg(
        long,
        value_name = "PAUSE",
        value_parser = pause,
        conflicts_with_all = ["target", "replace", "approved", "expect"]
    )]
    pub(crate) watch: Option<Duration>,
    /// With --watch: answer HTTP health checks on this address.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "watch")]
    pub(crate) health: Option<SocketAddr>,
}

/// Instances that are named; none for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instances(pub(crate) BTreeSet<InstanceId>);

fn instances(text: &str) -> Result<Instances, String> {
    if text == "all" {
        return Ok(Instances::default());
    }
    let ids = text.split(',').map(|id| id.trim().parse::<InstanceId>());
    ids.collect::<Result<_, _>>().map(Instances).map_err(|error| error.to_string())
}

/// A pause of at least a second: less would be one call after the other.
fn pause(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a pause of a second or more, such as 60s or 5m");
    let pause = text.parse::<jiff::SignedDuration>().map_err(|_| wrong())?;
    let pause = Duration::try_from(pause).map_err(|_| wrong())?;
    if pause >= Duration::from_secs(1) { Ok(pause) } else { Err(wrong()) }
}
