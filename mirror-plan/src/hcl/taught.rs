//! Mistakes that how-to pages teach: what they claim about Traffic Mirroring and AWS does not
//! confirm.
//!
//! The reader reports what is meant and continues with it, so that one such mistake hides no other.

use crate::address::Kind;
use crate::attribute::{Problem, Problems};
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::resource::Resource;
use crate::scalar::{HealthProtocol, PacketLength, SessionNumber};
use crate::value::{Path, Segment, Value};

/// Returns the attribute that is meant by one that a block does not have.
///
/// "The target is an EC2 instance": it is an interface, a Network Load Balancer or an endpoint.
pub(super) fn meant(block: &str, attribute: &str) -> Option<&'static str> {
    (block == Kind::MirrorTarget.title() && attribute == "instance").then_some("network_interface")
}

/// Reports that a target is not an instance.
pub(super) fn not_an_attribute(name: &str, meant: &str, at: Span) -> Diagnostic {
    Diagnostic::error(code::TARGET_IS_AN_INSTANCE, format!("a mirror target is not an {name}"))
        .at(at.clone(), "")
        .note("it is an interface, a Network Load Balancer or a Gateway Load Balancer endpoint")
        .help_patch("an instance there stands for its primary interface", at, meant)
}

/// Adds what is meant by the value at `at`, if AWS does not accept it and an acceptable one is near.
///
/// "Leave the packet length at 65535": AWS mirrors at most 8500 bytes of a packet, and accepts no larger number.
/// "Check health over UDP": nothing would answer.
pub(super) fn with_edit(diagnostic: Diagnostic, at: Span) -> Diagnostic {
    let most = PacketLength::MAX;
    let is_more = |text: &str| text.parse::<u64>().is_ok_and(|n| n > u64::from(most.get()));
    if diagnostic.code == code::PACKET_LENGTH && is_more(at.text()) {
        diagnostic.help_patch("this is the most that AWS mirrors of a packet", at, most.to_string())
    } else if diagnostic.code == code::HEALTH_CHECK_PROTOCOL && at.text().starts_with('"') {
        let tcp = format!("\"{}\"", HealthProtocol::Tcp);
        diagnostic.help_patch("a TCP connection is enough to check health", at, tcp)
    } else {
        diagnostic
    }
}

/// Returns the resource of `kind` as it would be without its `problems`, if all of them are in the catalogue.
pub(super) fn mended(kind: Kind, mut value: Value, problems: &[Problem]) -> Option<Resource> {
    let is_catalogued = |problem: &Problem| {
        code::explain(problem.code(kind).0).is_some_and(|entry| entry.finding.is_some())
    };
    if problems.is_empty() || !problems.iter().all(is_catalogued) {
        return None;
    }
    // From the end, so that earlier elements of a list keep their places.
    // A number that appears twice is a problem of the list, which is as good without an edit.
    let of_list = |problem: &&Problem| kind == Kind::MirrorFilter && problem.path.0.len() == 1;
    let parts = problems.iter().filter(|problem| !of_list(problem));
    let mut paths: Vec<&[Segment]> = parts.map(|problem| part(kind, &problem.path)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths.into_iter().rev() {
        without(&mut value, path);
    }
    if problems.iter().any(|problem| problem.code(kind) == code::SESSION_NUMBER)
        && let Value::Object(members) = &mut value
    {
        let last = i64::from(SessionNumber::MAX);
        members.insert("number".to_owned(), Value::integer(last));
    }
    let mut others = Problems::default();
    let mended = Resource::read(kind, &value, &mut others)?;
    others.into_inner().iter().all(is_catalogued).then_some(mended)
}

/// Returns what is removed with a problem: a filter rule as a whole, since it would decide about more without its
/// ports.
fn part(kind: Kind, path: &Path) -> &[Segment] {
    match path.0.as_slice() {
        [_, _, _, ..] if kind == Kind::MirrorFilter => &path.0[..2],
        all => all,
    }
}

/// Removes what is at `path` from a value.
fn without(value: &mut Value, path: &[Segment]) {
    match (value, path) {
        (Value::Object(members), [Segment::Member(name)]) => {
            members.remove(name);
        }
        (Value::List(items), [Segment::Index(index)]) if *index < items.len() => {
            items.remove(*index);
        }
        (Value::Object(members), [Segment::Member(name), rest @ ..]) => {
            if let Some(member) = members.get_mut(name) {
                without(member, rest);
            }
        }
        (Value::List(items), [Segment::Index(index), rest @ ..]) => {
            if let Some(item) = items.get_mut(*index) {
                without(item, rest);
            }
        }
        _ => {}
    }
}
