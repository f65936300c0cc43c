//! A way: what becomes of the packets of one session, and by which hops.

use std::fmt;

use super::approach::{Approach, Branch, Leads};
use super::delivery::Delivery;
use super::hop::{Hop, Outcome};
use super::network::Mention;
use super::{Journey, Reach};
use crate::address::Address;

/// What becomes of the mirrored packets of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All of them reach a receiver, as far as the network decides that.
    Carries,
    /// They are lost.
    Stopped(Extent),
    /// What decides about them is not known: neither a pass nor a failure.
    Unknown,
}

/// How many of the packets are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// All packets of the session.
    Whole,
    /// The packets that one node of the load balancer gets, or that one receiver would get. AWS decides which ones
    /// these are.
    Part,
}

/// The way of the packets of one session.
#[derive(Debug)]
pub struct Way<'r, 's> {
    pub(super) reach: &'r Reach<'s>,
    pub(super) journey: &'r Journey<'s>,
    pub(super) filter: &'r Hop,
}

/// One of the paths of a way, through one node of the load balancer to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The load balancer, if there is one: its address or ARN.
    pub load_balancer: Option<String>,
    /// The subnet of its node.
    pub node: Option<String>,
    /// The target group.
    pub target_group: Option<String>,
    /// The receiver.
    pub receiver: Option<String>,
    /// The hops, in order, from the filter on.
    pub hops: Vec<Hop>,
}

impl Path {
    /// Returns what becomes of packets on this path.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::worst(self.hops.iter().map(|hop| hop.outcome))
    }

    /// Returns the first hop that stops the packets; if none does, the first that is not known.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Hop> {
        let worst = self.outcome();
        self.hops.iter().find(|hop| hop.outcome == worst && worst != Outcome::Passes)
    }
}

impl<'s> Way<'_, 's> {
    /// Returns the session; for sessions over sources that are not counted yet, their block.
    #[must_use]
    pub const fn session(&self) -> &'s Address {
        self.journey.session
    }

    /// Whether this is the way of all sessions of a block over sources that have not been counted yet.
    #[must_use]
    pub const fn is_of_sources(&self) -> bool {
        self.journey.source.is_none()
    }

    /// The source: the address of an instance, or the id of an interface.
    #[must_use]
    pub fn source(&self) -> String {
        match self.journey.source {
            Some(source) => source.to_string(),
            None => "its sources".to_owned(),
        }
    }

    /// The mirror target: its address or its id.
    #[must_use]
    pub fn target(&self) -> String {
        self.journey.target.to_string()
    }

    /// The mirror filter: its address or its id.
    #[must_use]
    pub fn filter(&self) -> String {
        self.journey.filter.to_string()
    }

    /// What becomes of its packets.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.filter.outcome, self.approach().verdict) {
            (Outcome::Stops, _) => Verdict::Stopped(Extent::Whole),
            (Outcome::Unknown, Verdict::Carries) => Verdict::Unknown,
            (Outcome::Unknown | Outcome::Passes, verdict) => verdict,
        }
    }

    /// Returns every path that its packets may take, each with all hops. Behind a load balancer, there is one for
    /// each of its nodes and each receiver that may get packets from the node.
    #[must_use]
    pub fn paths(&self) -> Vec<Path> {
        self.legs().map(Path::from).collect()
    }

    /// Returns the path that decides the verdict.
    #[must_use]
    pub fn decisive(&self) -> Option<Path> {
        let branch = self.approach().decisive(self.delivery());
        branch.map(|branch| self.leg(branch).into())
    }

    /// The paths, without copying anything.
    pub(crate) fn legs(&self) -> impl Iterator<Item = Leg<'_, 's>> {
        let branches = self.approach().branches(self.delivery());
        branches.into_iter().map(|branch| self.leg(branch))
    }

    /// What is the same for all ways that differ only in their session and source.
    pub(crate) const fn likeness(&self) -> (usize, Mention<'s>, Mention<'s>) {
        (self.journey.class, self.journey.target, self.journey.filter)
    }

    fn approach(&self) -> &Approach {
        self.reach.approach(self.journey)
    }

    fn delivery(&self) -> &Delivery<'s> {
        &self.reach.deliveries[&self.journey.target]
    }

    fn leg(&self, branch: Branch) -> Leg<'_, 's> {
        let to = self.delivery();
        let hops = [self.filter].into_iter().chain(self.approach().hops(to, branch)).collect();
        let none =
            Leg { load_balancer: None, node: None, target_group: None, receiver: None, hops };
        match to {
            Delivery::Balanced(balanced) => {
                let (part, receiver) = match branch.leads {
                    Leads::To(at) => (Some(balanced.receivers[at].part), Some(at)),
                    Leads::Into(part) => (Some(part), None),
                    Leads::Nowhere | Leads::MaybeNowhere | Leads::Unseen => (None, None),
                };
                Leg {
                    load_balancer: Some(balanced.name),
                    node: Some(balanced.nodes[branch.node].subnet),
                    target_group: part.map(|part| balanced.parts[part].name),
                    receiver: receiver.map(|at| balanced.receivers[at].name),
                    ..none
                }
            }
            Delivery::Interface(receiver) => Leg { receiver: Some(receiver.name), ..none },
            Delivery::Unseen(_) => none,
        }
    }
}

/// A path as it is worked out.
pub(crate) struct Leg<'w, 's> {
    pub(crate) load_balancer: Option<Mention<'s>>,
    pub(crate) node: Option<Mention<'s>>,
    pub(crate) target_group: Option<Mention<'s>>,
    pub(crate) receiver: Option<Mention<'s>>,
    pub(crate) hops: Vec<&'w Hop>,
}

impl From<Leg<'_, '_>> for Path {
    fn from(leg: Leg<'_, '_>) -> Self {
        let Leg { load_balancer, node, target_group, receiver, hops } = leg;
        let text = |mention: Option<Mention<'_>>| mention.map(|mention| mention.to_string());
        Self {
            load_balancer: text(load_balancer),
            node: text(node),
            target_group: text(target_group),
            receiver: text(receiver),
            hops: hops.into_iter().cloned().collect(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Carries => "carries",
            Self::Stopped(Extent::Whole) => "stopped",
            Self::Stopped(Extent::Part) => "stopped in part",
            Self::Unknown => "not known",
        })
    }
}
