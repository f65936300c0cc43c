//! A rehearsal as text.

use std::fmt;

use mirror_local::data_plane::{Direction, Reserved};
use mirror_plan::plan::Counts;
use mirror_plan::render::report::counts;

use super::account::{Account, AtReceiver, AtSession, AtSource, Count, Rehearsed, Traffic};

/// A rehearsal, to be printed.
pub(super) struct Text<'r>(pub(super) &'r Rehearsed);

/// A line with numbers behind it.
type Row = (String, [String; 2]);

/// The indentation of the lines of an interface, in columns.
const INDENT: usize = 4;

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rehearsed { stack, traffic, account, report } = self.0;
        let Counts { add, change, destroy, moved } = counts(report);
        write!(f, "Applied to a local AWS: ")?;
        if moved > 0 {
            write!(f, "{moved} moved, ")?;
        }
        writeln!(f, "{add} added, {change} changed, {destroy} destroyed.\n")?;
        let Count { packets, bytes } = account.read;
        let seconds = std::time::Duration::from_nanos(account.nanoseconds).as_secs_f64();
        let traffic = match traffic {
            Traffic::Capture(path) => path.display().to_string(),
            Traffic::Tap { device, .. } => format!("TAP device {device}"),
            Traffic::MadeUp { seed, .. } => format!("generated traffic, seed {seed}"),
        };
        writeln!(f, "Stack {stack}, {traffic}: {packets} packets, {bytes} bytes, {seconds:.3} s")?;
        if account.unread > 0 {
            writeln!(f, "{} more arrived faster than they could be rehearsed", account.unread)?;
        }
        account.sources.values().try_for_each(|source| self.write_source(f, source))?;
        self.write_receivers(f, account)?;
        self.write_sums(f, account)
    }
}

impl Text<'_> {
    fn write_source(&self, f: &mut fmt::Formatter<'_>, source: &AtSource) -> fmt::Result {
        let addresses: Vec<String> = source.addresses.iter().map(ToString::to_string).collect();
        writeln!(f, "\n  {} ({})", source.name, addresses.join(", "))?;
        for session in &source.sessions {
            let AtSession { name, number, vni, .. } = session;
            writeln!(f, "    {number}: {name}, VNI {vni}")?;
        }
        writeln!(f)?;
        let mut rows: Vec<Row> = Vec::new();
        for session in &source.sessions {
            rows.extend(rules(session));
        }
        let mut row = |label: &str, count: Count| rows.push(counted(label.to_owned(), count));
        for (class, count) in &source.reserved {
            row(&format!("never mirrored: {}", reserved(*class)), *count);
        }
        row("no rule", source.no_rule);
        row("traffic with Amazon's DNS server, not asked for", source.amazon_dns_unasked);
        row("refused by its own security groups", source.refused);
        row("refused by the network ACL of its subnet", source.refused_by_network_acl);
        row("all of it", source.offered);
        rows.retain(|(label, cells)| label == "all of it" || cells[0] != "0");
        write_table(f, ["packets", "bytes"], &rows)?;
        writeln!(f)?;
        let copies: Vec<Row> = source.sessions.iter().flat_map(copies).collect();
        write_table(f, ["copies", ""], &copies)
    }

    fn write_receivers(&self, f: &mut fmt::Formatter<'_>, account: &Account) -> fmt::Result {
        if account.receivers.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n  Receivers\n")?;
        let rows: Vec<Row> = account
            .receivers
            .iter()
            .map(|receiver| {
                let AtReceiver { name, address, sent, delivered, .. } = receiver;
                (format!("{name} ({address})"), [sent, delivered].map(u64::to_string))
            })
            .collect();
        write_table(f, ["sent to it", "delivered"], &rows)
    }

    /// The sums, each of which is checked.
    fn write_sums(&self, f: &mut fmt::Formatter<'_>, account: &Account) -> fmt::Result {
        let Account { read, arp, other, nobody, once, twice, .. } = account;
        let offered = account.offered().packets;
        let sum = |part: fn(&AtSource) -> Count| -> u64 {
            account.sources.values().map(|source| part(source).packets).sum()
        };
        let [mirrored, rejected] = [sum(AtSource::mirrored), sum(AtSource::rejected)];
        let unmirrorable = sum(AtSource::unmirrorable);
        let cut: u64 = account.sessions().map(|session| session.cut).sum();
        let (delivered, lost) = (account.delivered(), account.lost());
        writeln!(f)?;
        writeln!(
            f,
            "  Packets   {} = {once} at one interface + {twice} at two + {nobody} between others + {arp} ARP + {other} other",
            read.packets
        )?;
        writeln!(
            f,
            "  Offered   {offered} = {mirrored} mirrored + {rejected} rejected by rule + {unmirrorable} not mirrorable"
        )?;
        writeln!(
            f,
            "  Mirrored  {mirrored} = {delivered} delivered + {lost} lost; {cut} of them cut"
        )?;
        self.write_verdicts(f, account)
    }

    fn write_verdicts(&self, f: &mut fmt::Formatter<'_>, account: &Account) -> fmt::Result {
        let mut line =
            |is_so: bool, so: &str, not: &str| writeln!(f, "  {}", if is_so { so } else { not });
        line(
            account.balances(),
            "Every packet is accounted for.",
            "The numbers do not add up: this is a bug in mirror, please report it.",
        )?;
        line(
            account.is_identical(),
            "Receivers delivered exactly what was sent, to the byte.",
            "Receivers delivered other frames than those sent: please report it.",
        )?;
        line(
            account.not_foretold == 0,
            &format!("`mirror trace` predicts the same for all {} decisions.", account.foretold),
            &format!(
                "`mirror trace` predicts something else for {} decisions: please report it.",
                account.not_foretold
            ),
        )
    }
}

/// A row for each rule of a session, and one for Amazon's DNS.
fn rules(session: &AtSession) -> Vec<Row> {
    let number = session.number;
    let mut rows: Vec<Row> = Vec::new();
    for rule in &session.rules {
        let action = if rule.accepts { "accepted" } else { "rejected" };
        let direction = match rule.direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        };
        rows.push(counted(
            format!("{number}: {action} by rule {direction} {}", rule.number),
            rule.count,
        ));
    }
    rows.push(counted(format!("{number}: traffic with Amazon's DNS server"), session.amazon_dns));
    rows
}

/// What became of the copies of a session.
fn copies(session: &AtSession) -> Vec<Row> {
    let AtSession { number, mirrored, cut, delivered, lost, lost_by_receivers, .. } = session;
    let one =
        |what: &str, count: u64| (format!("{number}: {what}"), [count.to_string(), String::new()]);
    let mut rows = vec![one("mirrored", mirrored.packets)];
    if *cut > 0 {
        rows.push(one("  of them cut", *cut));
    }
    rows.push(one("delivered", *delivered));
    for (loss, count) in lost {
        rows.push(one(&format!("lost: {}", loss.words()), *count));
    }
    if *lost_by_receivers > 0 {
        rows.push(one("lost: by a receiver, or for want of one", *lost_by_receivers));
    }
    rows
}

pub(super) const fn reserved(class: Reserved) -> &'static str {
    match class {
        Reserved::Dhcp => "DHCP",
        Reserved::InstanceMetadata => "instance metadata",
        Reserved::TimeSync => "Amazon Time Sync",
        Reserved::WindowsActivation => "Windows activation",
    }
}

fn counted(label: String, count: Count) -> Row {
    (label, [count.packets.to_string(), count.bytes.to_string()])
}

/// Writes rows under headings: words to the left, numbers to the right.
fn write_table(f: &mut fmt::Formatter<'_>, heads: [&str; 2], rows: &[Row]) -> fmt::Result {
    let labels = rows.iter().map(|(label, _)| label.chars().count());
    let label_width = labels.max().unwrap_or(0);
    let widths: [usize; 2] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|(_, cells)| cells[column].len());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    });
    let heads = (String::new(), heads.map(str::to_owned));
    for (label, [first, second]) in std::iter::once(&heads).chain(rows) {
        let [one, other] = widths;
        let line = format!("{label:label_width$}  {first:>one$}  {second:>other$}");
        writeln!(f, "{:INDENT$}{}", "", line.trim_end())?;
    }
    Ok(())
}
