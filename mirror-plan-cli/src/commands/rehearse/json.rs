//! A rehearsal as JSON.

use mirror_local::data_plane::Direction;
use mirror_plan::apply::report::{Outcome, Report};
use mirror_plan::plan::Counts;
use mirror_plan::render::report::counts;
use serde_json::{Value, json};

use super::account::{Account, AtReceiver, AtRule, AtSession, AtSource, Count, Rehearsed, Traffic};
use super::text;

/// The whole rehearsal in one document.
pub(super) fn rehearsed(rehearsed: &Rehearsed) -> Value {
    let Rehearsed { stack, traffic, report, account } = rehearsed;
    let Counts { add, change, destroy, moved } = counts(report);
    json!({
        "stack": stack,
        "traffic": match traffic {
            Traffic::Capture(path) => json!({ "capture": path.display().to_string() }),
            Traffic::Tap { device, .. } => json!({ "tap": device }),
            Traffic::MadeUp { seed, .. } => json!({ "seed": seed }),
        },
        "apply": {
            "complete": report.is_complete(),
            "refused": refused(report),
            "added": add, "changed": change, "destroyed": destroy, "moved": moved,
        },
        "packets": packets(account),
        "sources": account.sources.values().map(source).collect::<Vec<_>>(),
        "receivers": account.receivers.iter().map(receiver).collect::<Vec<_>>(),
        "sums": sums(account),
    })
}

/// What AWS would refuse.
fn refused(report: &Report) -> Vec<Value> {
    let failed = report.outcomes.iter().filter_map(|change| match &change.outcome {
        Outcome::Failed(failure) => {
            Some(json!({ "address": change.address.to_string(), "why": failure.to_string() }))
        }
        _ => None,
    });
    failed.collect()
}

fn packets(account: &Account) -> Value {
    let Account { read, nanoseconds, unread, arp, other, nobody, once, twice, elsewhere, .. } =
        account;
    json!({
        "packets": read.packets, "bytes": read.bytes, "nanoseconds": nanoseconds, "unread": unread,
        "at_one_interface": once, "at_two_interfaces": twice, "between_others": nobody,
        "arp": arp, "other": other, "at_interfaces_not_mirrored": elsewhere,
    })
}

fn source(source: &AtSource) -> Value {
    let AtSource {
        name,
        addresses,
        offered,
        refused,
        refused_by_network_acl,
        reserved,
        amazon_dns_unasked,
        no_rule,
        sessions,
    } = source;
    let reserved: serde_json::Map<String, Value> = reserved
        .iter()
        .map(|(class, it)| (text::reserved(*class).to_owned(), count(*it)))
        .collect();
    json!({
        "interface": name,
        "addresses": addresses,
        "offered": count(*offered),
        "mirrored": count(source.mirrored()),
        "rejected": count(source.rejected()),
        "not_mirrorable": {
            "all": count(source.unmirrorable()),
            "never": reserved,
            "no_rule": count(*no_rule),
            "amazon_dns_unasked": count(*amazon_dns_unasked),
            "refused_by_security_groups": count(*refused),
            "refused_by_network_acl": count(*refused_by_network_acl),
        },
        "sessions": sessions.iter().map(session).collect::<Vec<_>>(),
    })
}

fn session(session: &AtSession) -> Value {
    let AtSession {
        name,
        number,
        vni,
        rules,
        amazon_dns,
        mirrored,
        cut,
        delivered,
        lost,
        lost_by_receivers,
        ..
    } = session;
    let lost: serde_json::Map<String, Value> = lost
        .iter()
        .map(|(loss, count)| (loss.words().to_owned(), (*count).into()))
        .chain(
            (*lost_by_receivers > 0)
                .then(|| ("by receivers".to_owned(), (*lost_by_receivers).into())),
        )
        .collect();
    json!({
        "session": name, "number": number, "vni": vni,
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "amazon_dns": count(*amazon_dns),
        "mirrored": count(*mirrored), "cut": cut, "delivered": delivered, "lost": lost,
    })
}

fn rule(rule: &AtRule) -> Value {
    let AtRule { direction, number, accepts, count: counted } = rule;
    json!({
        "direction": match direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        },
        "number": number,
        "action": if *accepts { "accept" } else { "reject" },
        "decided": count(*counted),
    })
}

fn receiver(receiver: &AtReceiver) -> Value {
    let AtReceiver { name, address, sent, missed, dropped, delivered, is_identical, .. } = receiver;
    json!({
        "interface": name, "address": address,
        "sent": sent, "missed": missed, "dropped": dropped, "delivered": delivered,
        "identical": is_identical,
    })
}

fn sums(account: &Account) -> Value {
    json!({
        "offered": account.offered().packets,
        "mirrored": account.mirrored_packets(),
        "delivered": account.delivered(),
        "lost": account.lost(),
        "balance": account.balances(),
        "identical": account.is_identical(),
        "foretold": account.foretold,
        "not_foretold": account.not_foretold,
    })
}

fn count(Count { packets, bytes }: Count) -> Value {
    json!({ "packets": packets, "bytes": bytes })
}
