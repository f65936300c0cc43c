//! What CloudWatch has counted, as text and as JSON.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value as Json, json};

use super::{TOLD, counted, write_rest};
use crate::address::Address;
use crate::metrics::{Balancer, Group, Metrics, Source, Volume};

/// The text for a counter without a data point, which never counts as zero.
const NOTHING: &str = "no data yet";

/// The counters, to be printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters<'m>(pub(super) &'m Metrics);

impl fmt::Display for Counters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Metrics { window, sources, unattached, balancers } = self.0;
        writeln!(f, "CloudWatch counted from {} to {}:", window.from, window.to)?;
        for source in sources.iter().take(TOLD) {
            write_source(f, source)?;
        }
        write_rest(f, sources.len(), "source")?;
        for (session, interface) in unattached {
            writeln!(
                f,
                "  {session}: {interface} is not attached to an instance, so nothing is counted"
            )?;
        }
        for balancer in balancers {
            write_balancer(f, balancer)?;
        }
        if sources.is_empty() && unattached.is_empty() && balancers.is_empty() {
            writeln!(f, "  nothing: there is no session and no load balancer")?;
        }
        Ok(())
    }
}

fn write_source(f: &mut fmt::Formatter<'_>, source: &Source) -> fmt::Result {
    let Source { instance: _, address: _, sessions, mirrored, skipped } = source;
    let sessions = sessions.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
    writeln!(f, "  {}, mirrored by {sessions}", name(source))?;
    for (what, volume) in [("mirrored", mirrored), ("skipped ", skipped)] {
        let Volume { bytes_in, bytes_out, packets_in, packets_out } = *volume;
        let arrived = volume_words(packets_in, bytes_in);
        let left = volume_words(packets_out, bytes_out);
        if arrived == left && left == NOTHING {
            writeln!(f, "    {what}  {NOTHING}")?;
        } else {
            writeln!(f, "    {what}  in: {arrived}; out: {left}")?;
        }
    }
    Ok(())
}

fn write_balancer(f: &mut fmt::Formatter<'_>, balancer: &Balancer) -> fmt::Result {
    let Balancer { address, bytes, packets, new_flows, active_flows, groups } = balancer;
    writeln!(f, "  {address}")?;
    let carried = listed(&[
        ("packets", packets.map(|count| plural(count, "packet"))),
        ("bytes", bytes.map(|count| format!("{} of UDP", plural(count, "byte")))),
        ("new flows", new_flows.map(|count| plural(count, "new flow"))),
        ("flows", active_flows.map(|count| format!("at most {} at a time", plural(count, "flow")))),
    ]);
    writeln!(f, "    carried   {carried}")?;
    for Group { name, healthy, unhealthy } in groups {
        let health = listed(&[
            ("healthy targets", healthy.map(|count| format!("at least {count} healthy"))),
            ("unhealthy targets", unhealthy.map(|count| format!("at most {count} unhealthy"))),
        ]);
        writeln!(f, "    {name}: {health}")?;
    }
    Ok(())
}

/// What is known, and a list of what is not.
fn listed(parts: &[(&str, Option<String>)]) -> String {
    let known: Vec<&str> = parts.iter().filter_map(|(_, words)| words.as_deref()).collect();
    let absent = parts.iter().filter(|(_, words)| words.is_none()).map(|(noun, _)| *noun);
    let absent: Vec<&str> = absent.collect();
    match (known.is_empty(), absent.is_empty()) {
        (true, _) => NOTHING.to_owned(),
        (false, true) => known.join(", "),
        (false, false) => format!("{}, no data on {}", known.join(", "), absent.join(" and ")),
    }
}

fn volume_words(packets: Option<u64>, bytes: Option<u64>) -> String {
    listed(&[
        ("packets", packets.map(|count| plural(count, "packet"))),
        ("bytes", bytes.map(|count| plural(count, "byte"))),
    ])
}

fn plural(count: u64, noun: &str) -> String {
    usize::try_from(count).map_or_else(|_| format!("{count} {noun}s"), |count| counted(count, noun))
}

/// An instance by its address, if it has one, and its id.
fn name(source: &Source) -> String {
    match &source.address {
        Some(address) => format!("{address} ({})", source.instance),
        None => source.instance.to_string(),
    }
}

/// What a source did not mirror.
pub(super) fn skipped(source: &Source) -> String {
    let skipped = &source.skipped;
    let known = [
        skipped.packets().map(|count| plural(count, "packet")),
        skipped.bytes().map(|count| plural(count, "byte")),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    format!(
        "{} did not mirror {} that its filters accept: other traffic needed its bandwidth",
        name(source),
        known.join(", "),
    )
}

/// The same for programs; a counter without a data point is `null`.
pub(super) fn json(metrics: &Metrics) -> Json {
    let Metrics { window, sources, unattached, balancers } = metrics;
    let unattached = unattached.iter().map(|(session, interface)| {
        json!({ "session": session.to_string(), "interface": interface.to_string() })
    });
    json!({
        "from": window.from.to_string(),
        "to": window.to.to_string(),
        "sources": sources.iter().map(source_json).collect::<Vec<_>>(),
        "unattached": unattached.collect::<Vec<_>>(),
        "load_balancers": balancers.iter().map(balancer_json).collect::<Vec<_>>(),
    })
}

fn source_json(source: &Source) -> Json {
    let Source { instance, address, sessions, mirrored, skipped } = source;
    json!({
        "id": instance.to_string(),
        "instance": address.as_ref().map(ToString::to_string),
        "sessions": sessions.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
        "mirrored": volume_json(mirrored),
        "skipped": volume_json(skipped),
    })
}

fn volume_json(volume: &Volume) -> Json {
    let Volume { bytes_in, bytes_out, packets_in, packets_out } = volume;
    json!({
        "bytes_in": bytes_in, "bytes_out": bytes_out,
        "packets_in": packets_in, "packets_out": packets_out,
    })
}

fn balancer_json(balancer: &Balancer) -> Json {
    let Balancer { address, bytes, packets, new_flows, active_flows, groups } = balancer;
    let groups = groups.iter().map(|Group { name, healthy, unhealthy }| {
        json!({ "target_group": name, "healthy_min": healthy, "unhealthy_max": unhealthy })
    });
    json!({
        "load_balancer": address.to_string(),
        "bytes_udp": bytes,
        "packets": packets,
        "new_flows_udp": new_flows,
        "active_flows_udp_max": active_flows,
        "target_groups": groups.collect::<Vec<_>>(),
    })
}
