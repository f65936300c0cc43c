//! What prevents something from being removed.
//!
//! AWS answers `DependencyViolation` without naming the dependency. But everything in a network has
//! an interface in it, and an interface states what it belongs to.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_sdk_ec2::types::NetworkInterface;

use super::super::wait::limit;
use super::super::{Aws, listing};

/// An object that uses what is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// Its id.
    pub id: String,
    /// Who owns it, or what it belongs to.
    pub owner: Option<String>,
    /// Its own description.
    pub description: Option<String>,
}

impl Blocker {
    pub(super) fn of(interface: &NetworkInterface) -> Self {
        let instance = interface.attachment().and_then(|attachment| attachment.instance_id());
        let owners = [instance, interface.requester_id(), interface.owner_id()];
        let owner = owners.into_iter().flatten().next();
        Self {
            id: interface.network_interface_id().unwrap_or("a network interface").to_owned(),
            owner: owner.map(str::to_owned),
            description: super::super::answer::text(interface.description()),
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, owner, description } = self;
        f.write_str(id)?;
        if let Some(owner) = owner {
            write!(f, " of {owner}")?;
        }
        match description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// `; still used by A, B`, or nothing.
pub(super) fn listed(blockers: &[Blocker]) -> String {
    let all: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    if all.is_empty() { String::new() } else { format!("; still used by {}", all.join(", ")) }
}

/// The objects that were in the way at first and still are.
///
/// Objects that appear later do not count: in a network where they come and go, waiting for them
/// would never end.
#[derive(Debug, Default)]
pub(super) struct InTheWay(Option<BTreeSet<String>>);

impl InTheWay {
    /// Updates the set to what is in the way now; returns whether an object of the set has
    /// disappeared.
    pub(super) fn has_shrunk_to(&mut self, blockers: &[Blocker]) -> bool {
        let now: BTreeSet<String> = blockers.iter().map(|blocker| blocker.id.clone()).collect();
        let Some(left) = &mut self.0 else {
            self.0 = (!now.is_empty()).then_some(now);
            return false;
        };
        let before = left.len();
        left.retain(|id| now.contains(id));
        left.len() < before
    }
}

/// What is being removed, which determines where to look for its users.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Vpc(&'a str),
    /// The internet gateway of a VPC.
    GatewayOf(&'a str),
    Subnet(&'a str),
    SecurityGroup(&'a str),
    /// Something whose users AWS itself names.
    Elsewhere,
}

impl Place<'_> {
    pub(super) fn limit(self) -> Duration {
        match self {
            Self::Vpc(_) => limit::EMPTY,
            Self::GatewayOf(_) | Self::Subnet(_) | Self::SecurityGroup(_) => limit::RELEASED,
            Self::Elsewhere => limit::UNUSED,
        }
    }
}

/// Finds what is in the way; returns nothing if that cannot be seen.
pub(super) async fn blockers(aws: &Aws, place: Place<'_>) -> Vec<Blocker> {
    let (field, id) = match place {
        Place::Vpc(id) | Place::GatewayOf(id) => ("vpc-id", id),
        Place::Subnet(id) => ("subnet-id", id),
        Place::SecurityGroup(id) => ("group-id", id),
        Place::Elsewhere => return Vec::new(),
    };
    let found = listing::network_interfaces(aws, field, &[id]).await;
    let interfaces = match &found {
        Ok(interfaces) => interfaces.as_slice(),
        Err(error) => {
            tracing::debug!(%error, "what blocks it cannot be listed");
            &[]
        }
    };
    let in_the_way = |interface: &&NetworkInterface| match place {
        // Only interfaces with a public address keep a gateway attached.
        Place::GatewayOf(_) => interface.association().is_some(),
        _ => true,
    };
    interfaces.iter().filter(in_the_way).map(Blocker::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_there_and_goes_is_progress() {
        let blockers = |ids: &[&str]| -> Vec<Blocker> {
            let blocker =
                |id: &&str| Blocker { id: (*id).to_owned(), owner: None, description: None };
            ids.iter().map(blocker).collect()
        };
        let mut in_the_way = InTheWay::default();
        for (now, has_shrunk) in [
            (&[][..], false),
            (&["eni-1", "eni-2", "eni-3"], false),
            (&["eni-1", "eni-2", "eni-3"], false),
            (&["eni-1", "eni-3"], true),
            (&["eni-1", "eni-3", "eni-4"], false), // what comes
            (&["eni-1", "eni-3"], false),          // and goes
            (&["eni-1", "eni-2", "eni-3"], false), // or was out of sight
            (&[], true),
            (&["eni-1"], false),
            (&[], false),
        ] {
            assert_eq!(in_the_way.has_shrunk_to(&blockers(now)), has_shrunk, "{now:?}");
        }
    }
}
