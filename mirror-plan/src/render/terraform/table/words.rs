//! Words: values that the provider writes in another form than the stack file.
//!
//! What is unknown stays unknown.

use super::This;
use crate::scalar::{PortRange, Protocol};
use crate::value::{Unknown, Value};

/// In capitals.
pub(super) fn upper(value: &Value) -> Value {
    on_text(value, |text| Value::String(text.to_ascii_uppercase()))
}

/// A number as its digits.
pub(super) fn as_text(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    }
}

/// A boolean as a text.
pub(super) fn bool_as_text(value: &Value) -> Value {
    match value {
        Value::Bool(bool) => Value::String(bool.to_string()),
        other => other.clone(),
    }
}

/// `true`, whatever the resource.
pub(super) fn yes(_: &Value, _: This<'_>) -> Value {
    Value::Bool(true)
}

/// Tags of a group as blocks: instances get all of them.
pub(super) fn group_tags(tags: &Value) -> Value {
    let Value::Object(tags) = tags else { return tags.clone() };
    let block = |(key, value): (&String, &Value)| {
        let members = [
            ("key", Value::String(key.clone())),
            ("propagate_at_launch", Value::Bool(true)),
            ("value", value.clone()),
        ];
        Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    };
    Value::List(tags.iter().map(block).collect())
}

/// An empty text where there is none.
pub(super) fn or_empty(value: &Value) -> Value {
    match value {
        Value::Null => "".into(),
        other => other.clone(),
    }
}

/// A boolean in the words of EC2 for on and off.
pub(super) fn enabled(value: &Value) -> Value {
    let word = if *value == Value::Bool(true) { "enable" } else { "disable" };
    Value::String(word.to_owned())
}

/// A single value as a list, if the provider accepts several.
pub(super) fn in_a_list(value: &Value) -> Value {
    Value::List(vec![value.clone()])
}

/// Whether a load balancer is only for its VPC.
pub(super) fn is_internal(scheme: &Value) -> Value {
    on_text(scheme, |text| Value::Bool(text == "internal"))
}

/// Whether a metadata service requires a token.
pub(super) fn http_tokens(imdsv2_required: &Value) -> Value {
    match imdsv2_required {
        Value::Bool(true) => "required".into(),
        Value::Bool(false) => "optional".into(),
        other => other.clone(),
    }
}

/// The services of Amazon whose packets a filter mirrors.
pub(super) fn network_services(amazon_dns: &Value) -> Value {
    let dns = (*amazon_dns == Value::Bool(true)).then(|| "amazon-dns".into());
    Value::List(dns.into_iter().collect())
}

/// The number of a protocol; null for all protocols.
pub(super) fn protocol_number(protocol: &Value) -> Value {
    on_text(protocol, |text| match text.parse().ok().and_then(Protocol::number) {
        Some(number) => Value::integer(number),
        None => Value::Null,
    })
}

/// The protocol, with `-1` for all protocols, as EC2 writes it.
pub(super) fn or_minus_one(protocol: &Value) -> Value {
    on_text(protocol, |text| if text == "all" { "-1".into() } else { text.into() })
}

/// A block with both ends, or no block.
pub(super) fn port_range(port: &Value) -> Value {
    let block = |range: PortRange| {
        let ends = [("from_port", range.from()), ("to_port", range.to())];
        Value::Object(ends.map(|(name, port)| (name.to_owned(), Value::integer(port))).into())
    };
    Value::List(range(port).map(block).into_iter().collect())
}

/// The first port that a rule of a security group is for.
pub(super) fn from_port(rule: &Value, _: This<'_>) -> Value {
    port(rule, PortRange::from, [0, -1])
}

/// The last port that a rule of a security group is for.
pub(super) fn to_port(rule: &Value, _: This<'_>) -> Value {
    port(rule, PortRange::to, [65535, -1])
}

/// One end of the port range of a rule. Without ports, it is that end of all ports, that end of all
/// types of ICMP, or 0 for protocols that have neither.
fn port(rule: &Value, end: fn(PortRange) -> u16, [of_ports, of_types]: [i32; 2]) -> Value {
    if let Some(range) = range(member(rule, "port")) {
        return Value::integer(end(range));
    }
    on_text(member(rule, "protocol"), |text| {
        Value::integer(match text {
            "tcp" | "udp" => of_ports,
            "icmp" | "icmpv6" => of_types,
            _ => 0,
        })
    })
}

/// The IPv4 ranges among some ranges of addresses.
pub(super) fn all_v4(ranges: &Value) -> Value {
    only(ranges, |range| !is_v6(range))
}

/// The IPv6 ranges among some ranges of addresses.
pub(super) fn all_v6(ranges: &Value) -> Value {
    only(ranges, is_v6)
}

/// The range of addresses if it is IPv4, otherwise an empty text.
pub(super) fn only_v4(range: &Value) -> Value {
    if is_v6(range) { "".into() } else { range.clone() }
}

/// The range of addresses if it is IPv6, otherwise an empty text.
pub(super) fn only_v6(range: &Value) -> Value {
    if is_v6(range) { range.clone() } else { "".into() }
}

/// The target of a route if its id has this prefix, otherwise an empty text.
pub(super) fn with_prefix(target: &Value, prefix: &str) -> Value {
    match target {
        Value::String(id) if id.starts_with(prefix) => target.clone(),
        _ => "".into(),
    }
}

/// The gateway that a route leads to, an internet gateway or a virtual private one.
pub(super) fn gateway(route: &Value, _: This<'_>) -> Value {
    match (member(route, "internet_gateway"), member(route, "target")) {
        (Value::Null, Value::String(id)) if id.starts_with("igw-") || id.starts_with("vgw-") => {
            id.as_str().into()
        }
        (Value::Null, _) => "".into(),
        (gateway, _) => gateway.clone(),
    }
}

/// The security groups that a rule names, without the group that the rule belongs to.
pub(super) fn other_groups(rule: &Value, this: This<'_>) -> Value {
    only(member(rule, "security_groups"), |group| !is_itself(group, this))
}

/// Whether a rule is for the members of the group that it belongs to.
pub(super) fn names_itself(rule: &Value, this: This<'_>) -> Value {
    let Value::List(groups) = member(rule, "security_groups") else { return Value::Bool(false) };
    Value::Bool(groups.iter().any(|group| is_itself(group, this)))
}

fn is_itself(group: &Value, this: This<'_>) -> bool {
    match group {
        Value::String(id) => Some(id.as_str()) == this.id,
        Value::Unknown(Unknown { origins, .. }) => {
            origins.iter().all(|origin| origin.address == *this.address)
        }
        _ => false,
    }
}

fn on_text(value: &Value, turned: impl FnOnce(&str) -> Value) -> Value {
    match value {
        Value::String(text) => turned(text),
        other => other.clone(),
    }
}

fn only(list: &Value, keeps: impl Fn(&Value) -> bool) -> Value {
    match list {
        Value::List(items) => {
            Value::List(items.iter().filter(|item| keeps(item)).cloned().collect())
        }
        other => other.clone(),
    }
}

fn is_v6(range: &Value) -> bool {
    matches!(range, Value::String(text) if text.contains(':'))
}

fn range(port: &Value) -> Option<PortRange> {
    match port {
        Value::Number(_) | Value::String(_) => as_plain(port).parse().ok(),
        _ => None,
    }
}

/// The text of a number or of a text, without quotes.
fn as_plain(value: &Value) -> String {
    match as_text(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn member<'v>(object: &'v Value, name: &str) -> &'v Value {
    match object {
        Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}
