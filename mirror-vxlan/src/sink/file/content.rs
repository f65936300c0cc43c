//! What a capture file holds: the encoding of batches, and the statistics at its end.

use std::env::consts::{ARCH, OS};
use std::sync::Arc;

use crate::Timestamp;
use crate::batch::Batch;
use crate::capture::Format;
use crate::capture::pcap;
use crate::capture::pcapng::{Interface, Section, Statistics};
use crate::session::{SessionId, Sessions};
use crate::sink::Ahead;
use crate::sink::names::SessionNames;

/// The content of one file that was encoded so far.
pub(super) struct Content {
    format: Format,
    names: Arc<dyn SessionNames>,
    begun: Timestamp,
    /// What was lost ahead of the sink when the file was begun.
    lost_ahead: u64,
    /// How many sessions the file describes, and how many it will with what was encoded last.
    described: Described,
    /// What became of the frames of each session.
    fates: Vec<Fate>,
    /// The buffer for encoded blocks that cannot be copied from the batch unchanged.
    buffer: Vec<u8>,
}

/// How many sessions are described.
#[derive(Clone, Copy, Default)]
struct Described {
    in_file: u32,
    encoded: u32,
}

/// What became of the frames of a session.
#[derive(Clone, Copy, Default)]
struct Fate {
    written: u64,
    lost: u64,
}

impl Content {
    /// Begins a file.
    pub(super) fn new(
        format: Format,
        names: Arc<dyn SessionNames>,
        begun: Timestamp,
        ahead: Ahead,
    ) -> Self {
        let lost_ahead = ahead.total();
        let described = Described::default();
        Self { format, names, begun, lost_ahead, described, fates: Vec::new(), buffer: Vec::new() }
    }

    /// Returns what a file begins with.
    pub(super) fn header(&mut self) -> &[u8] {
        self.buffer.clear();
        match self.format {
            Format::Pcap => {
                self.buffer.extend_from_slice(&pcap::file_header(Batch::FRAME_MAX));
            }
            Format::Pcapng => {
                let application = concat!("mirror-vxlan ", env!("CARGO_PKG_VERSION"));
                Section { application, operating_system: OS, hardware: ARCH }
                    .encode(&mut self.buffer);
            }
        }
        &self.buffer
    }

    /// Returns what is to be written for a batch, in two parts.
    ///
    /// The result stays the same until the batch was [written](Self::written).
    pub(super) fn encode<'a>(&'a mut self, batch: &'a Batch) -> [&'a [u8]; 2] {
        self.buffer.clear();
        match self.format {
            Format::Pcap => {
                for (_, frame) in batch.frames() {
                    pcap::push_record(&mut self.buffer, &frame);
                }
                [&self.buffer, &[]]
            }
            Format::Pcapng => {
                self.describe(batch.sessions());
                [&self.buffer, batch.blocks()]
            }
        }
    }

    /// Notes that what was encoded last is in the file.
    pub(super) fn written(&mut self, batch: &Batch) {
        self.described.in_file = self.described.encoded;
        self.count(batch, |fate| fate.written += 1);
    }

    /// Notes that the frames of a batch are missing from the file.
    pub(super) fn lost(&mut self, batch: &Batch) {
        self.count(batch, |fate| fate.lost += 1);
    }

    /// Returns what a file ends with, as of the time `now`.
    ///
    /// The sessions of what was lost ahead are unknown, so every interface reports all of it.
    pub(super) fn trailer(&mut self, now: Timestamp, ahead: Ahead) -> &[u8] {
        let lost_ahead = ahead.total().saturating_sub(self.lost_ahead);
        self.buffer.clear();
        if self.format == Format::Pcapng {
            for interface in 0..self.described.in_file {
                let fate = self.fates.get(SessionId::new(interface).index());
                let Fate { written, lost } = fate.copied().unwrap_or_default();
                let statistics = Statistics {
                    interface,
                    start: self.begun,
                    end: now.max(self.begun),
                    received: written + lost,
                    dropped: lost,
                    delivered: written,
                };
                statistics.encode_behind(lost_ahead, &mut self.buffer);
            }
        }
        &self.buffer
    }

    /// Encodes the description of every session that the file does not describe yet.
    fn describe(&mut self, sessions: &Sessions) {
        self.described.encoded = self.described.in_file;
        while let Some(session) = sessions.get(SessionId::new(self.described.encoded)) {
            self.described.encoded += 1;
            let name = self.names.name(session);
            Interface { name: name.as_deref(), session, snap_length: 0 }.encode(&mut self.buffer);
        }
    }

    fn count(&mut self, batch: &Batch, mut each: impl FnMut(&mut Fate)) {
        if self.format == Format::Pcapng {
            for id in batch.session_ids() {
                if self.fates.len() <= id.index() {
                    self.fates.resize(id.index() + 1, Fate::default());
                }
                each(&mut self.fates[id.index()]);
            }
        }
    }
}
