//! Traces: what becomes of one packet, or of a whole capture, at the interfaces of a stack.
//!
//! [`Mirroring`] is who mirrors what at one [`Moment`] of a plan: before it, or after it. A [`Tracer`] is made from
//! it once, and then decides what becomes of each packet, in some tens of nanoseconds and without allocating. An
//! [`Account`] adds up these verdicts, in a space that does not depend on the number of packets, and a [`Load`] is
//! what the totals mean for bandwidth and cost.
//!
//! The rules are AWS's. Each direction of an interface has its own list of rules, where the direction is seen from
//! the interface. The rule with the lowest number that matches decides; if none matches, nothing is mirrored.
//! Sessions are tried in the order of their numbers, and the first that accepts a packet gets the only copy. Some
//! classes of packets are never mirrored. Traffic with Amazon's DNS server is mirrored only by the network service
//! `amazon-dns`, which no rule can replace.
//!
//! ```
//! use mirror_plan::diagnostic::Source;
//! use mirror_plan::hcl::{Inputs, StackFile};
//! use mirror_plan::observed::Observed;
//! use mirror_plan::packet::trace::{By, Headers, Mirroring, Moment, Tracer, Verdict};
//! use mirror_plan::plan::{Request, plan};
//! use mirror_plan::scalar::Direction;
//!
//! let text = r#"
//! stack "web" {}
//! mirror_target "sensor" { network_interface = "eni-0a1b2c3d4e5f67890" }
//! mirror_filter "web" {
//!   rules = [{ number = 10, action = "accept", protocol = "tcp", port = 443 }]
//! }
//! mirror_session "web" {
//!   source = "eni-0a1b2c3d4e5f67891"
//!   target = mirror_target.sensor
//!   filter = mirror_filter.web
//!   number = 1
//! }
//! "#;
//! let file = StackFile::parse(Source { name: "web.mirror.hcl".into(), text: text.into() })?;
//! let (stack, _warnings) = file.stack(&Inputs::new())?;
//! let observed = Observed::nothing("123456789012".parse()?, "eu-west-1".parse()?);
//! let plan = plan(&stack, &observed, &Request::default())?;
//!
//! let after = Mirroring::at(Moment::After, &plan, &observed).map_err(|all| all[0].clone())?;
//! let tracer = Tracer::new(&after, 9001);
//! let answer = Headers {
//!     protocol: 6,
//!     source: "10.0.1.5".parse()?,
//!     destination: "192.0.2.1".parse()?,
//!     ports: Some([443, 50_000]),
//! };
//! // The rule stands for both directions: it is the first towards the interface, then the one from it.
//! let mirrored = Verdict::Mirrored { session: 0, by: By::Rule(1) };
//! assert_eq!(tracer.decide(0, Direction::Egress, &answer), mirrored);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: AWS Traffic Mirroring guide, "Filters", "Sessions" and "Considerations". Where the guide is silent, we
//! assume that a packet that a session rejects is left to the next session, and that a fragment matches only rules
//! that do not look at ports.

use std::net::IpAddr;

use crate::scalar::Direction;

mod account;
mod answer;
mod bandwidth;
mod compiled;
mod flows;
mod load;
mod mirroring;
mod moment;
mod never;
mod sighting;
#[cfg(test)]
mod tests;

pub use account::{Account, AtInterface, AtSession, Cell, Count, Offered, Second};
pub use answer::{Answer, Sent, answers};
pub use bandwidth::Bandwidth;
pub use compiled::{Cut, Limit, Opinion, Tracer};
pub use flows::{FlowSample, Flows};
pub use load::{Load, Rates, Served};
pub use mirroring::{
    Destination, Filter, Interface, InterfaceError, Listening, Mirroring, Named, Session, Target,
    Untraceable,
};
pub use moment::Moment;
pub use never::Never;
pub use sighting::{Certainty, Sighting};

/// The headers of an IP packet, as far as mirroring looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Headers {
    /// The IANA number of the protocol.
    pub protocol: u8,
    /// The address it comes from.
    pub source: IpAddr,
    /// The address it goes to, of the same family as `source`.
    pub destination: IpAddr,
    /// The ports it comes from and goes to; `None` for a fragment, and for a protocol without ports.
    pub ports: Option<[u16; 2]>,
}

impl Headers {
    /// The address on the interface's side.
    #[must_use]
    pub const fn own(&self, direction: Direction) -> IpAddr {
        match direction {
            Direction::Ingress => self.destination,
            Direction::Egress => self.source,
        }
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An IP packet.
    Internet(Headers),
    /// An ARP packet, which is never mirrored.
    Arp,
    /// Anything else, or a frame that is too short to tell: no rule matches it.
    Other,
}

/// What becomes of a packet at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The session at this position among those of the interface gets the copy.
    Mirrored {
        /// The position of the session, in the order of the session numbers.
        session: u16,
        /// What accepts it.
        by: By,
    },
    /// No session accepts it, and this session is the first that has a rule against it.
    Rejected {
        /// The position of the session.
        session: u16,
        /// The position of the rule among those of its filter.
        rule: u16,
    },
    /// No rule of any session matches it.
    NoRule,
    /// It is traffic with Amazon's DNS server, and no session has the network service that mirrors it.
    AmazonDnsUnasked,
    /// It belongs to a class that AWS never mirrors.
    Never(Never),
    /// The interface has no session.
    NoSession,
}

/// What makes a session accept a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The rule at this position among those of its filter.
    Rule(u16),
    /// The network service `amazon-dns`.
    AmazonDns,
}
