//! The account as Prometheus metrics.
//!
//! The text has the exposition format 0.0.4. Counters hold what the receiver has counted since it
//! started. Every reason has a series from the start, even while it is zero, so that an alert on it
//! works before it is needed.

#![forbid(unsafe_code)]

use std::fmt::{self, Write as _};

use crate::count::{Counts, Exclusion, FileCounts, UploadCounts};
use crate::frame::Session;
use crate::reason::{DropReason, Note};
use crate::receive::{Account, InputState, SinkState};
use crate::sink::LossReason;

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most sessions that have series of their own; the traffic of others is in the sums only.
///
/// Otherwise anyone who may send could make a scrape as large as the table of sessions.
const SESSIONS_MAX: usize = 1000;

/// A session that has series of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The session.
    pub session: Session,
    /// The name of the session, if it has one.
    pub name: Option<String>,
}

/// Writes the account. `sessions` are the sessions in its counts, in the order of their numbers,
/// `files` the counts of finished files, and `ailments` the reasons why packets cannot be accepted.
pub fn render(
    account: &Account,
    sessions: &[Labelled],
    files: &FileCounts,
    ailments: &[String],
) -> String {
    let mut text = Exposition(String::with_capacity(8 * 1024));
    let counts = account.counts();
    text.family("healthy", "gauge", "Whether packets can be accepted.");
    text.sample("healthy", &[], u64::from(ailments.is_empty()));
    packets(&mut text, account, &counts);
    per_session(&mut text, &counts, sessions);
    sinks(&mut text, account);
    finished_files(&mut text, files);
    text.0
}

fn packets(text: &mut Exposition, account: &Account, counts: &Counts) {
    text.family("received_packets_total", "counter", "Packets received, by input.");
    for input in &account.inputs {
        let labels = [("input", input.name.as_str())];
        text.sample("received_packets_total", &labels, input.counts.received.count);
    }
    text.family("received_bytes_total", "counter", "Bytes of packets received, by input.");
    for input in &account.inputs {
        let labels = [("input", input.name.as_str())];
        text.sample("received_bytes_total", &labels, input.counts.received.bytes);
    }
    text.family(
        "kernel_dropped_packets_total",
        "counter",
        "Packets that the kernel dropped before they were received, by input.",
    );
    for input in &account.inputs {
        let labels = [("input", input.name.as_str())];
        text.sample("kernel_dropped_packets_total", &labels, input.counts.kernel_dropped);
    }
    text.family("input_up", "gauge", "Whether the input is being read.");
    for input in &account.inputs {
        let is_up = input.state == InputState::Receiving;
        text.sample("input_up", &[("input", &input.name)], u64::from(is_up));
    }
    let name = "dropped_packets_total";
    text.family(name, "counter", "Packets that yielded no frame, by reason.");
    for reason in DropReason::ALL {
        text.sample(name, &[("reason", reason.label())], counts.dropped[reason.index()]);
    }
    let name = "noted_packets_total";
    text.family(name, "counter", "Irregular packets that yielded a frame, by irregularity.");
    for note in Note::ALL {
        text.sample(name, &[("note", note.label())], counts.noted[note.index()]);
    }
    let name = "excluded_frames_total";
    text.family(name, "counter", "Frames that were excluded, by reason.");
    for reason in Exclusion::ALL {
        text.sample(name, &[("reason", reason.label())], counts.excluded[reason.index()]);
    }
    text.family("accepted_frames_total", "counter", "Frames handed to the sinks.");
    text.sample("accepted_frames_total", &[], counts.accepted.count);
    text.family("accepted_bytes_total", "counter", "Bytes of frames handed to the sinks.");
    text.sample("accepted_bytes_total", &[], counts.accepted.bytes);
}

fn per_session(text: &mut Exposition, counts: &Counts, sessions: &[Labelled]) {
    let rows: Vec<_> = counts.sessions.iter().zip(sessions).take(SESSIONS_MAX).collect();
    for (family, help) in [
        ("session_frames_total", "Frames handed to the sinks, by session."),
        ("session_bytes_total", "Bytes of frames handed to the sinks, by session."),
    ] {
        text.family(family, "counter", help);
        for (tally, Labelled { session, name }) in &rows {
            let (vni, source) = (session.vni.to_string(), session.source.to_string());
            let name = name.as_deref().unwrap_or_default();
            let labels = [("vni", vni.as_str()), ("source", &source), ("session", name)];
            let value = if family.contains("bytes") { tally.bytes } else { tally.count };
            text.sample(family, &labels, value);
        }
    }
    text.family("sessions", "gauge", "Sessions seen.");
    text.sample("sessions", &[], counts.sessions.len() as u64);
}

fn sinks(text: &mut Exposition, account: &Account) {
    let name = "sink_delivered_frames_total";
    text.family(name, "counter", "Frames delivered, by sink.");
    for sink in &account.sinks {
        text.sample(name, &[("sink", &sink.name)], sink.counts.delivered.count);
    }
    let name = "sink_delivered_bytes_total";
    text.family(name, "counter", "Bytes of frames delivered, by sink.");
    for sink in &account.sinks {
        text.sample(name, &[("sink", &sink.name)], sink.counts.delivered.bytes);
    }
    let name = "sink_lost_frames_total";
    text.family(name, "counter", "Frames lost, by sink and reason.");
    for sink in &account.sinks {
        for reason in LossReason::ALL {
            let labels = [("sink", sink.name.as_str()), ("reason", reason.label())];
            text.sample(name, &labels, sink.counts.lost[reason.index()]);
        }
    }
    text.family("sink_queued_batches", "gauge", "Batches waiting for the sink.");
    for sink in &account.sinks {
        text.sample("sink_queued_batches", &[("sink", &sink.name)], sink.queued as u64);
    }
    text.family("sink_queue_batches", "gauge", "Batches that fit into the queue of the sink.");
    for sink in &account.sinks {
        text.sample("sink_queue_batches", &[("sink", &sink.name)], sink.queue_depth as u64);
    }
    text.family("sink_up", "gauge", "Whether the sink accepts frames without losing any.");
    for sink in &account.sinks {
        let is_up = sink.state == SinkState::Running && sink.trouble.is_none();
        text.sample("sink_up", &[("sink", &sink.name)], u64::from(is_up));
    }
}

fn finished_files(text: &mut Exposition, FileCounts { removed, upload }: &FileCounts) {
    let families = [
        (
            "budget_removed_files_total",
            "Finished files removed to stay within the disk budget.",
            removed.count,
        ),
        (
            "budget_removed_bytes_total",
            "Bytes of files removed to stay within the disk budget.",
            removed.bytes,
        ),
    ];
    for (name, help, value) in families {
        text.family(name, "counter", help);
        text.sample(name, &[], value);
    }
    let Some(UploadCounts { stored, failures, waiting, trouble }) = upload else { return };
    for (name, kind, help, value) in [
        ("upload_files_total", "counter", "Files uploaded and found in the store.", stored.count),
        ("upload_bytes_total", "counter", "Bytes of files uploaded.", stored.bytes),
        ("upload_failures_total", "counter", "Upload attempts that failed.", *failures),
        ("upload_waiting_files", "gauge", "Finished files waiting for upload.", waiting.count),
        ("upload_waiting_bytes", "gauge", "Bytes of files waiting for upload.", waiting.bytes),
        (
            "upload_up",
            "gauge",
            "Whether uploads work: 0 after a failed attempt.",
            u64::from(trouble.is_none()),
        ),
    ] {
        text.family(name, kind, help);
        text.sample(name, &[], value);
    }
}

/// Text in the exposition format.
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!("# HELP mirror_vxlan_{name} {help}\n"));
        self.write(format_args!("# TYPE mirror_vxlan_{name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.write(format_args!("mirror_vxlan_{name}"));
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            self.write(format_args!("{before}{label}=\"{}\"", Escaped(text)));
        }
        let behind = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{behind} {value}\n"));
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a string takes any text");
    }
}

/// The value of a label, with the characters escaped that would end it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
