//! Mistakes that how-to pages teach: what they say of Traffic Mirroring and AWS does not.
//!
//! The reader says what is meant and goes on with it, so that one such mistake hides no other.

use crate::address::Kind;
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::scalar::{HealthProtocol, PacketLength};

/// The attribute that is meant by one that a block does not have.
///
/// "The target is an EC2 instance": it is an interface, a Network Load Balancer or an endpoint.
pub(super) fn meant(block: &str, attribute: &str) -> Option<&'static str> {
    (block == Kind::MirrorTarget.title() && attribute == "instance").then_some("network_interface")
}

/// Says that a target is no instance.
pub(super) fn not_an_attribute(name: &str, meant: &str, at: Span) -> Diagnostic {
    Diagnostic::error(code::TARGET_IS_AN_INSTANCE, format!("a mirror target is no {name}"))
        .at(at.clone(), "")
        .note("it is an interface, a Network Load Balancer or a Gateway Load Balancer endpoint")
        .help_patch("an instance there stands for its primary interface", at, meant)
}

/// Adds what is meant by the value at `at`, where AWS does not take it and one is near.
///
/// "Leave the packet length at 65535": AWS mirrors 8500 bytes of a packet at most, and takes no larger number.
/// "Check health over UDP": nothing would answer.
pub(super) fn with_edit(diagnostic: Diagnostic, at: Span) -> Diagnostic {
    let most = PacketLength::MAX;
    let is_more = |text: &str| text.parse::<u64>().is_ok_and(|n| n > u64::from(most.get()));
    if diagnostic.code == code::PACKET_LENGTH && is_more(at.text()) {
        diagnostic.help_patch("this is the most that AWS mirrors of a packet", at, most.to_string())
    } else if diagnostic.code == code::HEALTH_CHECK_PROTOCOL && at.text().starts_with('"') {
        let tcp = format!("\"{}\"", HealthProtocol::Tcp);
        diagnostic.help_patch("a connection over TCP is enough to tell health", at, tcp)
    } else {
        diagnostic
    }
}
