//! Traces as text: what becomes of one packet, and the matrix of a capture.

use std::fmt;

use super::Palette;
use crate::packet::PacketSet;
use crate::packet::trace::{
    Answer, By, Certainty, Destination, Headers, Interface, Limit, Listening, Opinion, Sent,
    Session, Verdict,
};
use crate::resource::mirror_filter::Rule;
use crate::scalar::{Direction, Protocol};

mod capture;
pub mod json;
mod table;
pub use capture::{CaptureText, Captured};

/// What becomes of a packet before and after a plan, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct PacketText<'t> {
    headers: &'t Headers,
    /// The answers before the plan, and after it.
    answers: [&'t [Answer<'t>]; 2],
    palette: Palette,
}

impl<'t> PacketText<'t> {
    /// The answers about a packet before and after a plan, as plain text.
    #[must_use]
    pub const fn new(
        headers: &'t Headers,
        before: &'t [Answer<'t>],
        after: &'t [Answer<'t>],
    ) -> Self {
        Self { headers, answers: [before, after], palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for PacketText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headers, answers: [before, after], palette } = self;
        let (strong, source, destination) = (palette.strong, headers.source, headers.destination);
        let [from, to] = headers.ports.map_or([String::new(), String::new()], |ports| {
            ports.map(|port| format!(" port {port}"))
        });
        let protocol = protocol(headers.protocol);
        writeln!(f, "{strong}{protocol} from {source}{from} to {destination}{to}{strong:#}")?;
        if before == after {
            return self.write_moment(f, NOW_AND_AFTER, before);
        }
        self.write_moment(f, NOW, before)?;
        self.write_moment(f, AFTER, after)
    }
}

/// The headings of the moments.
const NOW: &str = "Now";
const AFTER: &str = "After the plan";
const NOW_AND_AFTER: &str = "Now and after the plan";

impl PacketText<'_> {
    fn write_moment(
        &self,
        f: &mut fmt::Formatter<'_>,
        moment: &str,
        answers: &[Answer<'_>],
    ) -> fmt::Result {
        let strong = self.palette.strong;
        writeln!(f, "\n{strong}{moment}:{strong:#}")?;
        if answers.is_empty() {
            writeln!(f, "  no interface of the stack sees it")?;
        }
        answers.iter().try_for_each(|answer| self.write_answer(f, answer))
    }

    fn write_answer(&self, f: &mut fmt::Formatter<'_>, answer: &Answer<'_>) -> fmt::Result {
        let Answer { interface, sighting, verdict, opinions, sent } = answer;
        let verb = match sighting.direction {
            Direction::Ingress => "arrives at",
            Direction::Egress => "leaves",
        };
        let (certainty, palette) = (possibly(sighting.certainty), self.palette);
        let (style, fate) = match verdict {
            Verdict::Mirrored { .. } => (palette.create, "mirrored"),
            _ => (palette.delete, "not mirrored"),
        };
        writeln!(f, "  it {verb} {}{certainty}: {style}{fate}{style:#}", named(interface))?;
        match (verdict, sent) {
            (Verdict::Mirrored { by, .. }, Some(sent)) => {
                write_refusals(f, interface, opinions)?;
                write_sent(f, *by, sent)
            }
            (Verdict::Never(class), _) => {
                writeln!(f, "    AWS never mirrors it: {}", class.words())
            }
            (Verdict::NoSession, _) => writeln!(f, "    no session mirrors this interface"),
            _ => write_refusals(f, interface, opinions),
        }
    }
}

/// Writes why each session before the one that takes the packet does not take it.
fn write_refusals(
    f: &mut fmt::Formatter<'_>,
    interface: &Interface,
    opinions: &[Opinion],
) -> fmt::Result {
    for (session, opinion) in interface.sessions.iter().zip(opinions) {
        let why = match opinion {
            Opinion::Accepts(_) => return Ok(()),
            Opinion::Rejects(rule) => {
                format!("rejected by {}", rule_line(&session.filter.rules[usize::from(*rule)]))
            }
            Opinion::NoRule if session.filter.rules.is_empty() => {
                "its filter has no rules".to_owned()
            }
            Opinion::NoRule => "no rule matches".to_owned(),
            Opinion::AmazonDnsUnasked => {
                "traffic with Amazon's DNS server, and its filter has no `amazon_dns`".to_owned()
            }
        };
        writeln!(f, "    {}: {why}", numbered(session))?;
    }
    Ok(())
}

fn write_sent(f: &mut fmt::Formatter<'_>, by: By, sent: &Sent<'_>) -> fmt::Result {
    let Sent { session, limit, cut } = sent;
    let rule = match by {
        By::Rule(rule) => rule_line(&session.filter.rules[usize::from(rule)]),
        By::AmazonDns => "network service amazon-dns".to_owned(),
    };
    let whole = match limit {
        None => "whole".to_owned(),
        Some((length, by)) => format!("whole up to {length} bytes: {}", reason(*by)),
    };
    let size = match cut {
        None => whole,
        Some(cut) => match cut.by {
            None => format!("whole, {} bytes", cut.length),
            Some(by) => format!("cut to {} bytes: {}", cut.length, reason(by)),
        },
    };
    let vni = vni(session);
    writeln!(f, "    session  {}, {vni}", numbered(session))?;
    writeln!(f, "    rule     {rule}")?;
    writeln!(f, "    frame    {size}")?;
    writeln!(f, "    target   {}", target(session))
}

/// A session's target in words, with what is wrong with it.
fn target(session: &Session) -> String {
    let target = &session.target;
    let lost = match &target.destination {
        Destination::LoadBalancer { name: _, listening: Listening::No } => {
            ", which has no UDP listener on port 4789: every packet is lost"
        }
        Destination::LoadBalancer { .. }
        | Destination::NetworkInterface(_)
        | Destination::GatewayLoadBalancerEndpoint(_)
        | Destination::Unseen => "",
    };
    match target.destination {
        Destination::Unseen => format!("{}, which the stack knows only by its id", target.name),
        _ => format!("{} -> {}{lost}", target.name, target.destination),
    }
}

fn numbered(session: &Session) -> String {
    format!("{} (number {})", session.address, session.number)
}

fn vni(session: &Session) -> String {
    session.vni.map_or_else(|| "VNI known after apply".to_owned(), |vni| format!("VNI {vni}"))
}

/// An interface with its id and addresses, as far as it has any.
fn named(interface: &Interface) -> String {
    let id = interface.id.iter().filter(|id| **id != interface.name).cloned();
    let all: Vec<String> = id.chain(interface.addresses.iter().map(ToString::to_string)).collect();
    if all.is_empty() {
        interface.name.clone()
    } else {
        format!("{} ({})", interface.name, all.join(", "))
    }
}

const fn possibly(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Known => "",
        Certainty::Possible => ", if the interface gets this address",
    }
}

const fn reason(limit: Limit) -> &'static str {
    match limit {
        Limit::PacketLength => "packet length of the session",
        Limit::LoadBalancer => "packet length behind a load balancer",
        Limit::Mtu => "MTU of the target",
    }
}

/// A rule as a person would say it: `egress 10 reject tcp from any to any port 22`.
fn rule_line(rule: &Rule) -> String {
    let matched = PacketSet::matched_by(rule).lines().pop();
    let matched = matched.unwrap_or_else(|| format!("{} nothing", rule.direction));
    let matched = matched.split_once(' ').map_or("", |(_, matched)| matched);
    format!("{} {} {matched}", rule.key(), rule.action)
}

fn protocol(number: u8) -> String {
    if number == 0 { "protocol 0".to_owned() } else { Protocol::Number(number).to_string() }
}
