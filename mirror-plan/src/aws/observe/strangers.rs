//! Sessions of others on the interfaces that a stack mirrors: they may take packets before it does.

use std::collections::BTreeSet;
use std::fmt;

use super::super::Aws;
use super::super::answer::{Answer, text};
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::ObserveError;
use crate::attribute::Ref;
use crate::id::NetworkInterfaceId;
use crate::observed::Observed;
use crate::resource::mirror_session::MirrorSessionId;
use crate::resource::{MirrorSession, Resource, tag};
use crate::scalar::SessionNumber;
use crate::value::Value;

const ANSWER: Answer = Answer("DescribeTrafficMirrorSessions");

/// A session that is not of the stack, on an interface that the stack mirrors.
///
/// A packet goes to one session only: the first whose filter takes it, by their numbers.
/// Source: AWS Traffic Mirroring guide, "Traffic mirror sessions".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// The interface.
    pub source: NetworkInterfaceId,
    /// Its number: of all sessions of an interface the lowest is asked first.
    pub number: SessionNumber,
    /// The session.
    pub id: MirrorSessionId,
    /// The stack that it is of, if it is of any.
    pub stack: Option<String>,
    /// Its tag `Name`.
    pub name: Option<String>,
}

/// Finds the sessions of others on the interfaces that a stack mirrors, by interface and number. A
/// call for each page of them.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub async fn strangers(aws: &Aws, observed: &Observed) -> Result<Vec<Stranger>, ObserveError> {
    let owned = || observed.owned.values().flatten();
    let sources: BTreeSet<&NetworkInterfaceId> = owned()
        .filter_map(|found| match &found.resource {
            Resource::MirrorSession(MirrorSession { source: Ref::Id(id), .. }) => Some(id),
            _ => None,
        })
        .collect();
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let own: BTreeSet<&str> = owned().map(|found| found.id.as_str()).collect();
    let ids: Ids = sources.iter().map(ToString::to_string).collect();
    let request = aws
        .ec2()
        .describe_traffic_mirror_sessions()
        .set_filters(page::only("network-interface-id", &ids))
        .max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorSessions", request, traffic_mirror_sessions);
    let mut strangers = Vec::new();
    for session in all {
        let source = ANSWER.id("networkInterfaceId", session.network_interface_id())?;
        let id: MirrorSessionId =
            ANSWER.id("trafficMirrorSessionId", session.traffic_mirror_session_id())?;
        if !sources.contains(&source) || own.contains(id.as_str()) {
            continue;
        }
        let number = ANSWER.number("sessionNumber", session.session_number())?;
        let its = tags::from_ec2(session.tags());
        let stack = its.get(tag::STACK).cloned();
        let name = text(its.get(tag::NAME).map(String::as_str));
        strangers.push(Stranger { source, number, id, stack, name });
    }
    strangers.sort();
    Ok(strangers)
}

/// `session tms-... "name" of stack x mirrors eni-... too, with number 3`.
impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, number, id, stack, name } = self;
        write!(f, "session {id}")?;
        if let Some(name) = name {
            write!(f, " {}", Value::String(name.clone()))?;
        }
        if let Some(stack) = stack {
            write!(f, " of stack {}", Value::String(stack.clone()))?;
        }
        write!(f, " mirrors {source} too, with number {number}")
    }
}
