//! Packets as mirror filters see them: exact sets of packets, and what a filter, a chain of sessions or a change to
//! either does with them. [`trace`] follows one packet, or a whole capture.
//!
//! A filter's rules are an ordered list, and what it mirrors is a set: this module turns one into the other.
//! Everything is exact, so that "this rule never decides anything" and "this change newly mirrors these packets"
//! are facts, not guesses.
//!
//! ```
//! use mirror_plan::packet::{Packet, decisions, mirrored};
//! use mirror_plan::resource::mirror_filter::Rules;
//! use mirror_plan::scalar::Direction;
//!
//! let rules: Rules = serde_json::from_value(serde_json::json!([
//!     { "direction": "ingress", "number": 10, "action": "reject", "protocol": "tcp",
//!       "source": "0.0.0.0/0", "destination": "0.0.0.0/0", "destination_port": 22 },
//!     { "direction": "ingress", "number": 100, "action": "accept", "protocol": "tcp",
//!       "source": "0.0.0.0/0", "destination": "0.0.0.0/0" },
//! ]))?;
//! let to_port = |destination_port| Packet {
//!     direction: Direction::Ingress,
//!     protocol: 6,
//!     source: [192, 0, 2, 1].into(),
//!     destination: [10, 0, 1, 5].into(),
//!     source_port: 51000,
//!     destination_port,
//! };
//! assert!(mirrored(&rules).contains(&to_port(443)));
//! assert!(!mirrored(&rules).contains(&to_port(22)));
//! assert!(decisions(&rules).iter().all(|decided| !decided.packets.is_empty()));
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::net::IpAddr;

use crate::scalar::Direction;

mod change;
mod filter;
mod set;
#[cfg(test)]
mod tests;
pub mod trace;
mod words;

pub use change::TrafficChange;
pub use filter::{
    Decided, Mirrored, Shadowed, deciding, decisions, first_takers, mirrored, shadowed,
};
pub use set::PacketSet;

/// The most rules of a filter whose packets are worked out. AWS allows 10 in a filter; a list of hundreds, which it
/// refuses anyway, would take too long.
///
/// Source: AWS Traffic Mirroring guide, "Quotas".
pub const RULES_MAX: usize = 40;

/// A packet at a mirrored interface, with the fields that filter rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// Which way it goes, seen from the interface.
    pub direction: Direction,
    /// The IANA number of its protocol.
    pub protocol: u8,
    /// The address it comes from.
    pub source: IpAddr,
    /// The address it goes to, of the same family as `source`.
    pub destination: IpAddr,
    /// The port it comes from; 0 where its protocol has none.
    pub source_port: u16,
    /// The port it goes to; 0 where its protocol has none.
    pub destination_port: u16,
}
