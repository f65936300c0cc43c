//! What becomes of a frame: the vocabulary of the data plane's answers.

use super::encapsulation::Wrapped;
use super::reserved::Reserved;

/// Which way a packet goes, seen from an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It arrives.
    Ingress,
    /// It leaves.
    Egress,
}

/// Who saw a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// Nobody, because it is ARP, which AWS never mirrors.
    Arp,
    /// Nobody, because it holds no IP packet, or too little of one to tell.
    Other,
    /// No interface: neither end is one.
    Nobody,
    /// The interface at one end.
    Once,
    /// The interfaces at both ends.
    Twice,
}

/// A frame at an interface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting<'p> {
    /// The index of the interface among those of the data plane.
    pub interface: usize,
    /// Which way the frame goes, seen from there.
    pub direction: Direction,
    /// What becomes of it.
    pub fate: Fate<'p>,
}

/// What becomes of a frame at an interface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate<'p> {
    /// Nothing: it is not mirrored.
    Unmirrored(Unmirrored),
    /// A session sends a copy.
    Mirrored(Mirrored<'p>),
}

/// Why a frame is not mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unmirrored {
    /// The interface has no session.
    NoSession,
    /// The interface's own security groups do not let it through.
    Refused,
    /// The network ACL of the interface's subnet does not let it in, or not out.
    RefusedByNetworkAcl,
    /// It is of a class that is never mirrored.
    Reserved(Reserved),
    /// It is traffic with Amazon's DNS server, which no session has asked for.
    AmazonDnsUnasked,
    /// No rule of any session matches it.
    NoRule,
    /// No session mirrors it, and this one is the first that has a rule against it.
    Rejected {
        /// The index of the session among those of the interface.
        session: usize,
        /// The index of the rule among those of the session.
        rule: usize,
    },
}

/// A copy of a frame, and where it ends up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mirrored<'p> {
    /// The index of the session among those of the interface.
    pub session: usize,
    /// What made the session take the frame.
    pub by: By,
    /// The IPv4 packet that leaves the interface.
    pub packet: &'p [u8],
    /// How the frame was wrapped.
    pub wrapped: Wrapped,
    /// Where the packet ends up.
    pub carried: Carried,
}

/// What makes a session take a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The rule at this index among those of the session.
    Rule(usize),
    /// The network service `amazon-dns`.
    AmazonDns,
}

/// Where a copy ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carried {
    /// The receiver at this index among those of the data plane.
    To(usize),
    /// Nowhere.
    Lost(Loss),
}

/// Why a copy is lost. AWS reports none of these reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// The route table of the source's subnet leads to no such target.
    NoRoute,
    /// The network ACL of the source's subnet does not let it out, or that of the target's subnet does not let it in.
    RefusedByNetworkAcl,
    /// What was behind the mirror target no longer exists, or is attached to nothing.
    TargetGone,
    /// The mirror target belongs to another account, of which a data plane knows nothing.
    OtherAccount,
    /// The mirror target belongs to another account, which no longer shares it: the session is inactive.
    NotShared,
    /// The instance that it goes to is not running.
    TargetDown,
    /// The load balancer has no UDP listener on port 4789.
    NoListener,
    /// The security groups of the load balancer do not let it in, or not out again.
    RefusedByLoadBalancer,
    /// The load balancer has no target that could receive it.
    NoTarget,
    /// The network ACL of the load balancer's subnet does not let it out to the target, or that of the target's subnet
    /// does not let it in.
    RefusedBehindLoadBalancer,
    /// The security groups of the target do not let it in.
    RefusedByTarget,
}

impl Loss {
    /// Every reason, in order.
    pub const ALL: [Self; 11] = [
        Self::NoRoute,
        Self::RefusedByNetworkAcl,
        Self::TargetGone,
        Self::OtherAccount,
        Self::NotShared,
        Self::TargetDown,
        Self::NoListener,
        Self::RefusedByLoadBalancer,
        Self::NoTarget,
        Self::RefusedBehindLoadBalancer,
        Self::RefusedByTarget,
    ];

    /// Describes the reason to a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRoute => "no route to the target",
            Self::RefusedByNetworkAcl => "refused by a network ACL",
            Self::TargetGone => "the target is gone",
            Self::OtherAccount => "goes to a target of another account",
            Self::NotShared => "the target is not shared any more",
            Self::TargetDown => "the target does not run",
            Self::NoListener => "no UDP listener on port 4789",
            Self::RefusedByLoadBalancer => "refused by the load balancer's security groups",
            Self::NoTarget => "no target behind the load balancer",
            Self::RefusedBehindLoadBalancer => "refused by a network ACL behind the load balancer",
            Self::RefusedByTarget => "refused by the target's security groups",
        }
    }
}
