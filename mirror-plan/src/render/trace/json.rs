//! Traces as JSON: one document.

use serde_json::{Value as Json, json};

use super::{Captured, rule_line};
use crate::packet::trace::Destination;
use crate::packet::trace::{
    Answer, AtInterface, AtSession, By, Cell, Certainty, Count, Flows, Headers, Interface, Limit,
    Listening, Load, Never, Rates, Sent, Served, Session, Verdict,
};
use crate::price::{self, Estimate};
use crate::resource::mirror_filter::Rule;

/// What becomes of a packet before and after a plan.
#[must_use]
pub fn packet(headers: &Headers, before: &[Answer<'_>], after: &[Answer<'_>]) -> Json {
    let moment = |answers: &[Answer<'_>]| -> Json { answers.iter().map(answer).collect() };
    json!({
        "packet": headers_of(headers),
        "before": moment(before),
        "after": moment(after),
        "changes": before != after,
    })
}

/// What becomes of a capture before and after a plan.
#[must_use]
pub fn capture(name: &str, before: &Captured, after: &Captured) -> Json {
    let account = &before.account;
    json!({
        "capture": name,
        "packets": account.packets.packets,
        "bytes": account.packets.bytes,
        "seconds": account.seconds(),
        "longer_than_any_in_a_vpc": account.unsplit,
        "before": captured(before),
        "after": captured(after),
        "changes": before.mirroring != after.mirroring,
    })
}

fn headers_of(headers: &Headers) -> Json {
    let Headers { protocol, source, destination, ports } = headers;
    json!({
        "protocol": protocol,
        "source": source,
        "source_port": ports.map(|ports| ports[0]),
        "destination": destination,
        "destination_port": ports.map(|ports| ports[1]),
    })
}

fn answer(answer: &Answer<'_>) -> Json {
    let Answer { interface, sighting, verdict, opinions: _, sent } = answer;
    let direction = sighting.direction.word();
    let mut document = json!({
        "interface": interface.name,
        "id": interface.id,
        "direction": direction,
        "certain": sighting.certainty == Certainty::Known,
        "verdict": word(*verdict),
    });
    let rule = |session: u16, rule: u16| {
        rule_of(&interface.sessions[usize::from(session)].filter.rules[usize::from(rule)])
    };
    match *verdict {
        Verdict::Mirrored { session, by } => {
            document["by"] = match by {
                By::Rule(at) => rule(session, at),
                By::AmazonDns => "amazon_dns".into(),
            };
        }
        Verdict::Rejected { session, rule: at } => {
            document["session"] = session_of(&interface.sessions[usize::from(session)]);
            document["by"] = rule(session, at);
        }
        Verdict::Never(class) => document["class"] = class_word(class).into(),
        Verdict::NoRule | Verdict::AmazonDnsUnasked | Verdict::NoSession => {}
    }
    if let Some(Sent { session, limit, cut }) = sent {
        document["session"] = session_of(session);
        document["limit"] =
            limit.map_or(Json::Null, |(bytes, by)| json!({ "bytes": bytes, "by": limit_word(by) }));
        document["sent_bytes"] = cut.map_or(Json::Null, |cut| cut.length.into());
    }
    document
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Mirrored { .. } => "mirrored",
        Verdict::Rejected { .. } => "rejected",
        Verdict::NoRule => "no_rule",
        Verdict::AmazonDnsUnasked => "amazon_dns_unasked",
        Verdict::Never(_) => "never",
        Verdict::NoSession => "no_session",
    }
}

const fn class_word(class: Never) -> &'static str {
    match class {
        Never::Dhcp => "dhcp",
        Never::InstanceMetadata => "instance_metadata",
        Never::TimeSync => "time_sync",
        Never::WindowsActivation => "windows_activation",
    }
}

const fn limit_word(limit: Limit) -> &'static str {
    match limit {
        Limit::PacketLength => "packet_length",
        Limit::LoadBalancer => "load_balancer",
        Limit::Mtu => "mtu",
    }
}

fn rule_of(rule: &Rule) -> Json {
    json!({
        "direction": rule.direction.word(),
        "number": rule.number,
        "action": rule.action.word(),
        "text": rule_line(rule),
    })
}

fn session_of(session: &Session) -> Json {
    let listening = match &session.target.destination {
        Destination::LoadBalancer { name: _, listening } => match listening {
            Listening::Yes => Some(true),
            Listening::No => Some(false),
            Listening::Unseen => None,
        },
        Destination::NetworkInterface(_)
        | Destination::GatewayLoadBalancerEndpoint(_)
        | Destination::Unseen => None,
    };
    json!({
        "address": session.address.to_string(),
        "number": session.number,
        "vni": session.vni,
        "target": session.target.name.to_string(),
        "destination": session.target.destination.to_string(),
        "listens": listening,
    })
}

fn captured(captured: &Captured) -> Json {
    let Captured { mirroring, account } = captured;
    let Load { rates, served, estimate } = Load::of(mirroring, account);
    let interfaces = mirroring.interfaces.iter().zip(&account.interfaces).zip(&rates);
    let interfaces: Vec<Json> = interfaces
        .map(|((interface, seen), rates)| at_interface(interface, seen, rates.as_ref()))
        .collect();
    json!({
        "interfaces": interfaces,
        "arp": count(account.arp),
        "other": count(account.other),
        "strangers": count(account.strangers),
        "twice": count(account.twice),
        "load_balancers": served.iter().map(load_balancer).collect::<Vec<_>>(),
        "month": month(&estimate),
    })
}

fn at_interface(interface: &Interface, seen: &AtInterface, rates: Option<&Rates>) -> Json {
    let sessions = interface.sessions.iter().zip(&seen.sessions);
    let sessions: Vec<Json> = sessions.map(|(session, at)| at_session(session, at)).collect();
    let never = Never::ALL.into_iter().zip(&seen.never);
    let never: serde_json::Map<String, Json> =
        never.map(|(class, it)| (class_word(class).to_owned(), count(*it))).collect();
    json!({
        "interface": interface.name,
        "id": interface.id,
        "addresses": interface.addresses,
        "seen": count(seen.seen),
        "sessions": sessions,
        "no_rule": count(seen.no_rule),
        "amazon_dns_unasked": count(seen.amazon_dns_unasked),
        "no_session": count(seen.no_session),
        "never": never,
        "bits_per_second": rates.map(|rates| json!({
            "traffic": rates.traffic,
            "copies": rates.copied,
            "busiest_second": rates.busiest,
            "baseline": rates.bandwidth.map(|it| u64::from(it.baseline) * 1_000_000),
            "peak": rates.bandwidth.map(|it| u64::from(it.peak) * 1_000_000),
        })),
    })
}

fn at_session(session: &Session, at: &AtSession) -> Json {
    let mut document = session_of(session);
    let rules = session.filter.rules.iter().zip(&at.rules).map(|(rule, decided)| {
        let mut document = rule_of(rule);
        add_cell(&mut document, decided);
        document
    });
    document["rules"] = rules.collect();
    if session.filter.amazon_dns {
        let mut dns = json!({});
        add_cell(&mut dns, &at.amazon_dns);
        document["amazon_dns"] = dns;
    }
    document["sent"] = count(at.sent);
    document["flows_to_target"] = at.outer_flows().into();
    document
}

fn add_cell(document: &mut Json, cell: &Cell) {
    let Cell { count: Count { packets, bytes }, cut, flows } = cell;
    document["packets"] = (*packets).into();
    document["bytes"] = (*bytes).into();
    document["cut"] = (*cut).into();
    document["flows"] = flows.count().number().into();
    document["flows_estimated"] = matches!(flows.count(), Flows::About(_)).into();
    document["flow_examples"] = flows.examples().map(headers_of).collect();
}

fn count(Count { packets, bytes }: Count) -> Json {
    json!({ "packets": packets, "bytes": bytes })
}

fn load_balancer(served: &Served) -> Json {
    let Served { name, bytes_per_hour, flows, new_flows_per_second, capacity_units } = served;
    json!({
        "load_balancer": name.to_string(),
        "bytes_per_hour": bytes_per_hour,
        "flows": flows,
        "new_flows_per_second": new_flows_per_second,
        "capacity_units": capacity_units,
    })
}

fn month(estimate: &Estimate) -> Json {
    let Estimate {
        sessions,
        session_dollars,
        load_balancers,
        load_balancer_dollars,
        capacity_dollars,
        endpoints,
        endpoint_dollars,
        endpoint_data_dollars,
        as_of,
    } = estimate;
    json!({
        "estimate": true,
        "dollars": estimate.dollars(),
        "sessions": sessions,
        "session_dollars": session_dollars,
        "load_balancers": load_balancers,
        "load_balancer_dollars": load_balancer_dollars,
        "capacity_dollars": capacity_dollars,
        "endpoints": endpoints,
        "endpoint_dollars": endpoint_dollars,
        "endpoint_data_dollars": endpoint_data_dollars,
        "prices_of": price::REGION,
        "prices_as_of": as_of,
    })
}
