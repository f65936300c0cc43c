//! A one-line summary of what happened in an interval.

#![forbid(unsafe_code)]

use std::fmt;
use std::time::Duration;

use crate::count::{Counts, Exclusion, FileCounts};
use crate::reason::DropReason;
use crate::receive::Account;
use crate::sink::LossReason;

/// The difference between two accounts of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The time between the accounts.
    pub interval: Duration,
    /// Packets received.
    pub received: u64,
    /// Bytes of packets received.
    pub received_bytes: u64,
    /// Frames handed to the sinks.
    pub accepted: u64,
    /// Packets and frames that did not get through, by place and reason, without zeros.
    pub losses: Vec<(String, u64)>,
    /// Frames delivered, by sink.
    pub delivered: Vec<(String, u64)>,
    /// Finished files that were deleted to stay within the disk budget.
    pub files_removed: u64,
    /// Files uploaded and files waiting for upload; `None` if files are not uploaded.
    pub files_uploaded: Option<(u64, u64)>,
}

impl Summary {
    /// Returns what happened from the `earlier` account to the `later`.
    pub fn between(earlier: &Account, later: &Account) -> Self {
        let (old, new) = (earlier.counts(), later.counts());
        let mut losses = packets_lost(&old, &new);
        let mut delivered = Vec::new();
        for (place, sink) in later.sinks.iter().enumerate() {
            let old = earlier.sinks.get(place).map(|sink| sink.counts).unwrap_or_default();
            let frames = sink.counts.delivered.count.saturating_sub(old.delivered.count);
            delivered.push((sink.name.clone(), frames));
            for reason in LossReason::ALL {
                let lost =
                    sink.counts.lost[reason.index()].saturating_sub(old.lost[reason.index()]);
                losses.push((format!("{}.{reason}", sink.name), lost));
            }
        }
        losses.retain(|(_, count)| *count > 0);
        Self {
            interval: later.time.since(earlier.time),
            received: new.received.count.saturating_sub(old.received.count),
            received_bytes: new.received.bytes.saturating_sub(old.received.bytes),
            accepted: new.accepted.count.saturating_sub(old.accepted.count),
            losses,
            delivered,
            files_removed: 0,
            files_uploaded: None,
        }
    }

    /// Adds what became of finished files between the same two moments.
    #[must_use]
    pub fn with_files(self, earlier: &FileCounts, later: &FileCounts) -> Self {
        let uploaded = |counts: &FileCounts| counts.upload.as_ref().map_or(0, |it| it.stored.count);
        Self {
            files_removed: later.removed.count.saturating_sub(earlier.removed.count),
            files_uploaded: later.upload.as_ref().map(|upload| {
                (uploaded(later).saturating_sub(uploaded(earlier)), upload.waiting.count)
            }),
            ..self
        }
    }

    /// Returns what happened since the receiver started, without rates.
    pub fn whole(account: &Account) -> Self {
        let start = Account { time: account.time, inputs: Vec::new(), sinks: Vec::new() };
        Self::between(&start, account)
    }

    /// Returns the packets received per second.
    pub fn packets_per_second(&self) -> u64 {
        per_second(self.received, self.interval)
    }

    /// Returns the bits received per second.
    pub fn bits_per_second(&self) -> u64 {
        per_second(self.received_bytes.saturating_mul(8), self.interval)
    }
}

/// `received 81234/s 0.41 Gbit/s, accepted 81230/s; delivered pcapng 4873800; lost kernel 12`
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabits = self.bits_per_second() / 1_000_000;
        let (whole, hundredths) = (megabits / 1000, megabits % 1000 / 10);
        write!(f, "received {}/s {whole}.{hundredths:02} Gbit/s", self.packets_per_second())?;
        write!(f, ", accepted {}/s; delivered", per_second(self.accepted, self.interval))?;
        list(f, &self.delivered)?;
        f.write_str("; lost")?;
        list(f, &self.losses)?;
        if self.files_removed > 0 {
            write!(f, "; {} files removed to free space", self.files_removed)?;
        }
        match self.files_uploaded {
            None => Ok(()),
            Some((stored, waiting)) => write!(f, "; {stored} files uploaded, {waiting} waiting"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, entries: &[(String, u64)]) -> fmt::Result {
    if entries.is_empty() {
        return f.write_str(" nothing");
    }
    for (place, (name, count)) in entries.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        write!(f, "{separator} {name} {count}")?;
    }
    Ok(())
}

fn packets_lost(old: &Counts, new: &Counts) -> Vec<(String, u64)> {
    let kernel = new.kernel_dropped.saturating_sub(old.kernel_dropped);
    let mut losses = vec![("kernel".to_owned(), kernel)];
    for reason in DropReason::ALL {
        let place = reason.index();
        let count = new.dropped[place].saturating_sub(old.dropped[place]);
        losses.push((format!("dropped.{reason}"), count));
    }
    for reason in Exclusion::ALL {
        let place = reason.index();
        let count = new.excluded[place].saturating_sub(old.excluded[place]);
        losses.push((format!("excluded.{reason}"), count));
    }
    losses
}

fn per_second(count: u64, interval: Duration) -> u64 {
    let milliseconds = interval.as_millis().max(1);
    u64::try_from(u128::from(count) * 1000 / milliseconds).unwrap_or(u64::MAX)
}
