//! A hop: one thing that lets mirrored packets through or stops them.

use std::fmt;

/// One thing on the way of mirrored packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// What sort of thing it is.
    pub sort: Sort,
    /// The part of the way that it is on.
    pub stretch: Stretch,
    /// What becomes of the packets.
    pub outcome: Outcome,
    /// Why, as a clause: `security_group.receiver admits udp 4789 from subnet.source`.
    pub words: String,
}

/// The sorts of hops, in the order of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// The filter of the session.
    Filter,
    /// A route of the source's subnet.
    Route,
    /// A VPC peering, `pcx-`.
    Peering,
    /// A transit gateway, `tgw-`, with its attachments and its own route tables.
    TransitGateway,
    /// Anything else that a route leads to.
    Gateway,
    /// A Gateway Load Balancer endpoint, `vpce-`, and what is behind it.
    Endpoint,
    /// The network ACL of a subnet.
    NetworkAcl,
    /// Security groups: of a load balancer, or of a receiver.
    SecurityGroup,
    /// A listener of the load balancer.
    Listener,
    /// The target group behind it.
    TargetGroup,
    /// The zone of the node and of the receiver.
    Zone,
    /// The VPC of the load balancer and of the receiver.
    Vpc,
    /// Something that is only named by its id.
    Unseen,
    /// Whether the load balancer counts the receiver as healthy.
    HealthCheck,
}

/// A part of the way: from the source to where the mirror target sends, and on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stretch {
    /// At the source: from the interface through the filter.
    Source,
    /// From the source to the load balancer, or to the interface of the receiver.
    Target,
    /// From a listener of the load balancer to its target group.
    Group,
    /// From the target group to a receiver.
    Receiver,
}

/// What becomes of packets at a hop, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// They go on, whatever else is not known.
    Passes,
    /// What decides about them is not known: neither a pass nor a failure.
    Unknown,
    /// They are lost, whatever else is not known.
    Stops,
}

impl Hop {
    pub(super) fn passes(sort: Sort, stretch: Stretch, words: impl Into<String>) -> Self {
        Self { sort, stretch, outcome: Outcome::Passes, words: words.into() }
    }

    pub(super) fn unknown(sort: Sort, stretch: Stretch, words: impl Into<String>) -> Self {
        Self { sort, stretch, outcome: Outcome::Unknown, words: words.into() }
    }

    pub(super) fn stops(sort: Sort, stretch: Stretch, words: impl Into<String>) -> Self {
        Self { sort, stretch, outcome: Outcome::Stops, words: words.into() }
    }
}

impl Outcome {
    /// The worst of several outcomes: packets must get through all hops.
    pub(super) fn worst(of: impl IntoIterator<Item = Self>) -> Self {
        of.into_iter().max().unwrap_or(Self::Passes)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
