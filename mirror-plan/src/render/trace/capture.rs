//! What becomes of a capture: a matrix for each interface, the load and the cost.

use std::fmt;

use super::table::Table;
use super::{AFTER, NOW, NOW_AND_AFTER, named, numbered, rule_line, target, vni};
use crate::packet::trace::{
    Account, AtInterface, AtSession, Bandwidth, Cell, Count, Flows, Interface, Load, Mirroring,
    Never, Rates, Served, Session,
};
use crate::price::{self, Estimate};
use crate::render::Palette;

/// A capture at one moment: who mirrors what, and what becomes of its packets.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// Who mirrors what.
    pub mirroring: Mirroring,
    /// What became of the packets.
    pub account: Account,
}

/// What becomes of a capture before and after a plan, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct CaptureText<'t> {
    name: &'t str,
    before: &'t Captured,
    /// `None` if it is the same as before.
    after: Option<&'t Captured>,
    palette: Palette,
}

impl<'t> CaptureText<'t> {
    /// What becomes of the capture `name` before and after a plan, as plain text; `None` for the same.
    #[must_use]
    pub const fn new(name: &'t str, before: &'t Captured, after: Option<&'t Captured>) -> Self {
        Self { name, before, after, palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for CaptureText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, before, after, palette } = self;
        let (strong, account) = (palette.strong, &before.account);
        let Count { packets, bytes } = account.packets;
        let seconds = account.seconds();
        writeln!(f, "{strong}{name}{strong:#}: {packets} packets, {bytes} bytes, {seconds:.3} s")?;
        if account.unsplit > 0 {
            writeln!(
                f,
                "{} packets are longer than any in a VPC: captured before the sender's network card split them.\n\
                 Capture with segmentation offload off to get them as they are mirrored.",
                account.unsplit
            )?;
        }
        match after {
            None => self.write_moment(f, NOW_AND_AFTER, before),
            Some(after) => {
                self.write_moment(f, NOW, before)?;
                self.write_moment(f, AFTER, after)
            }
        }
    }
}

impl CaptureText<'_> {
    fn write_moment(
        &self,
        f: &mut fmt::Formatter<'_>,
        moment: &str,
        captured: &Captured,
    ) -> fmt::Result {
        let strong = self.palette.strong;
        let Captured { mirroring, account } = captured;
        writeln!(f, "\n{strong}{moment}{strong:#}")?;
        for (interface, seen) in mirroring.interfaces.iter().zip(&account.interfaces) {
            // An interface that has no session and saw nothing is left out.
            if seen.seen.packets > 0 || !interface.sessions.is_empty() {
                self.write_interface(f, interface, seen)?;
            }
        }
        write_outside(f, account)?;
        write_load(f, mirroring, &Load::of(mirroring, account))
    }

    fn write_interface(
        &self,
        f: &mut fmt::Formatter<'_>,
        interface: &Interface,
        seen: &AtInterface,
    ) -> fmt::Result {
        let strong = self.palette.strong;
        writeln!(f, "\n  {strong}{}{strong:#}", named(interface))?;
        for session in &interface.sessions {
            writeln!(f, "    {}, {}, to {}", numbered(session), vni(session), target(session))?;
        }
        if interface.addresses.is_empty() {
            return writeln!(
                f,
                "    its address is not known, so none of its packets can be recognized"
            );
        }
        writeln!(f)?;
        Table { heads: ["packets", "bytes", "flows", "cut"], rows: rows(interface, seen) }
            .write(f, 4)
    }
}

/// A label and its numbers.
type Row = (String, [String; 4]);

/// What became of everything that an interface saw, each packet in one row; and what its sessions send.
fn rows(interface: &Interface, seen: &AtInterface) -> Vec<Row> {
    let AtInterface { seen: all, no_rule, amazon_dns_unasked, no_session, never, .. } = seen;
    let sessions = interface.sessions.iter().zip(&seen.sessions);
    let decided = sessions.clone().flat_map(|(session, at)| decided_rows(session, at));
    let rest = [
        ("no rule matches".to_owned(), *no_rule),
        ("traffic with Amazon's DNS server, not asked for".to_owned(), *amazon_dns_unasked),
        ("no session".to_owned(), *no_session),
    ];
    let never = Never::ALL.into_iter().zip(never);
    let never = never.map(|(class, count)| (format!("never mirrored: {}", class.words()), *count));
    let rest = rest.into_iter().chain(never).filter(|(_, count)| count.packets > 0);
    let all = [("all of it".to_owned(), *all)];
    let sent =
        sessions.map(|(session, at)| (format!("{}: sent, wrapped", session.number), at.sent));
    let counts = rest.chain(all).chain(sent);
    decided.chain(counts.map(|(label, count)| (label, count_numbers(count)))).collect()
}

/// The rules of a session and its network service, with what each decided.
fn decided_rows(session: &Session, at: &AtSession) -> Vec<Row> {
    let dns = session.filter.amazon_dns.then(|| ("amazon-dns".to_owned(), &at.amazon_dns));
    let rules = session.filter.rules.iter().map(rule_line).zip(&at.rules);
    let row = |(rule, cell)| (format!("{}: {rule}", session.number), cell_numbers(cell));
    rules.chain(dns).map(row).collect()
}

fn cell_numbers(cell: &Cell) -> [String; 4] {
    let Cell { count: Count { packets, bytes }, cut, flows } = cell;
    let flows = match flows.count() {
        Flows::Exactly(number) => number.to_string(),
        Flows::About(number) => format!("~{number}"),
    };
    [packets.to_string(), bytes.to_string(), flows, cut.to_string()]
}

fn count_numbers(Count { packets, bytes }: Count) -> [String; 4] {
    [packets.to_string(), bytes.to_string(), String::new(), String::new()]
}

/// What no interface of the stack saw.
fn write_outside(f: &mut fmt::Formatter<'_>, account: &Account) -> fmt::Result {
    let outside = [
        (account.strangers, "between others"),
        (account.arp, "ARP, which is never mirrored"),
        (account.other, "not IP, or too short to tell"),
    ];
    let outside = outside.into_iter().filter(|(count, _)| count.packets > 0);
    let mut outside: Vec<String> =
        outside.map(|(count, what)| format!("{} {what}", count.packets)).collect();
    if account.twice.packets > 0 {
        let twice = account.twice.packets;
        outside.push(format!("{twice} counted at both of their interfaces"));
    }
    if outside.is_empty() { Ok(()) } else { writeln!(f, "\n  Packets: {}", outside.join("; ")) }
}

fn write_load(f: &mut fmt::Formatter<'_>, mirroring: &Mirroring, load: &Load) -> fmt::Result {
    let Load { rates, served, estimate } = load;
    let rates = mirroring.interfaces.iter().zip(rates);
    let rates: Vec<_> = rates.filter_map(|(it, rates)| Some((it, rates.as_ref()?))).collect();
    if estimate.sessions == 0 {
        return Ok(());
    }
    writeln!(f, "\n  Load, if traffic goes on like this")?;
    for (interface, rates) in rates {
        write_rates(f, interface, rates)?;
    }
    for Served { name, bytes_per_hour, flows, new_flows_per_second, capacity_units } in served {
        let gigabytes = bytes_per_hour / 1e9;
        writeln!(
            f,
            "    {name}: {gigabytes:.3} GB an hour, {flows} flows, {new_flows_per_second:.1} new a second: \
             {capacity_units:.3} capacity units"
        )?;
    }
    write_estimate(f, estimate)
}

fn write_rates(f: &mut fmt::Formatter<'_>, interface: &Interface, rates: &Rates) -> fmt::Result {
    let Rates { traffic, copied, busiest, bandwidth } = rates;
    let needed = traffic + copied;
    writeln!(
        f,
        "    {}: own traffic {}, copies {}, in the busiest second {} together",
        interface.name,
        bits(*traffic),
        bits(*copied),
        bits(*busiest)
    )?;
    match (bandwidth, &interface.instance_type) {
        (Some(Bandwidth { baseline, peak }), Some(instance_type)) => {
            let [baseline, peak] = [baseline, peak].map(|megabits| 1e6 * f64::from(*megabits));
            let verdict = if needed > baseline { "too little for this" } else { "enough for this" };
            let share = 100.0 * needed / baseline;
            let [baseline, peak] = [baseline, peak].map(bits);
            writeln!(
                f,
                "      {instance_type} carries {baseline} sustained and {peak} at peak: {verdict} ({share:.1} %)"
            )
        }
        (None, Some(instance_type)) => {
            writeln!(f, "      what {instance_type} carries is not known")
        }
        (_, None) => Ok(()),
    }
}

fn write_estimate(f: &mut fmt::Formatter<'_>, estimate: &Estimate) -> fmt::Result {
    let Estimate { sessions, load_balancers, session_dollars, .. } = estimate;
    let Estimate { load_balancer_dollars, capacity_dollars, as_of, .. } = estimate;
    let Estimate { endpoints, endpoint_dollars, endpoint_data_dollars, .. } = estimate;
    let plural =
        |number: usize, noun| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let sessions = plural(*sessions, "session");
    write!(
        f,
        "    cost: about ${:.2} a month: {sessions} ${session_dollars:.2}",
        estimate.dollars()
    )?;
    if *load_balancers > 0 {
        let balancers = plural(*load_balancers, "load balancer");
        write!(
            f,
            ", {balancers} ${load_balancer_dollars:.2}, capacity units ${capacity_dollars:.2}"
        )?;
    }
    if *endpoints > 0 {
        let endpoints = plural(*endpoints, "endpoint");
        write!(
            f,
            ", {endpoints} ${endpoint_dollars:.2}, data processed ${endpoint_data_dollars:.2}"
        )?;
    }
    writeln!(
        f,
        "\n      an estimate at list prices of {} as of {as_of}, without instances, storage and traffic \
         between zones",
        price::REGION
    )
}

/// Bits per second, with three digits.
fn bits(number: f64) -> String {
    let (number, unit) = match number {
        n if n >= 1e9 => (n / 1e9, "Gbit/s"),
        n if n >= 1e6 => (n / 1e6, "Mbit/s"),
        n => (n / 1e3, "kbit/s"),
    };
    match number {
        n if n >= 100.0 => format!("{n:.0} {unit}"),
        n if n >= 10.0 => format!("{n:.1} {unit}"),
        n => format!("{n:.2} {unit}"),
    }
}
