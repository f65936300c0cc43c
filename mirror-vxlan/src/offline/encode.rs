//! Frames on their way into a file of either format.

use std::io::{self, Write};
use std::sync::Arc;

use crate::Timestamp;
use crate::batch::Batch;
use crate::capture::pcapng::{Interface, Section, Statistics};
use crate::capture::{Format, pcap};
use crate::count::Counts;
use crate::frame::{Frame, Session};
use crate::session::{SessionId, Sessions};

/// Room for the frames of everything that a reader hands on at once.
///
/// A reader has at most a little over 1 MiB in memory, and every frame loses more in headers that
/// are taken off than it gains as a block: at least 36 bytes of IP, UDP and VXLAN and 16 of its
/// record, against 32 of a block and 3 of padding.
const ROOM: usize = 2 * 1024 * 1024;

/// Encoded frames that are not written yet.
pub(super) enum Encoder {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Encoder {
    pub(super) fn new(format: Format, sessions: Arc<Sessions>) -> Self {
        match format {
            Format::Pcap => Self::Pcap(Pcap { buffer: pcap::file_header(Batch::FRAME_MAX).into() }),
            Format::Pcapng => Self::Pcapng(Pcapng::new(sessions)),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, id: SessionId, frame: &Frame<'_>) {
        match self {
            Self::Pcap(pcap) => pcap::push_record(&mut pcap.buffer, frame),
            Self::Pcapng(pcapng) => pcapng.push(id, frame),
        }
    }

    /// Writes everything that was pushed.
    pub(super) fn write(
        &mut self,
        out: &mut impl Write,
        name: impl Fn(Session) -> Option<String>,
    ) -> io::Result<()> {
        match self {
            Self::Pcap(Pcap { buffer }) => {
                out.write_all(buffer)?;
                buffer.clear();
                Ok(())
            }
            Self::Pcapng(pcapng) => pcapng.write(out, name),
        }
    }

    /// Writes what comes behind the last frame; everything pushed must have been written.
    pub(super) fn end(&mut self, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Pcap(_) => Ok(()),
            Self::Pcapng(pcapng) => pcapng.end(counts, out),
        }
    }
}

/// Records, the first time behind the header of the file.
pub(super) struct Pcap {
    buffer: Vec<u8>,
}

/// Blocks, and what has to come before and after them.
pub(super) struct Pcapng {
    batch: Batch,
    /// What is to be written before the batch.
    head: Vec<u8>,
    /// Sessions that were described.
    described: u32,
    /// The times of the first and the last frame.
    span: Option<[Timestamp; 2]>,
}

impl Pcapng {
    fn new(sessions: Arc<Sessions>) -> Self {
        let mut head = Vec::new();
        let application = concat!("mirror-vxlan ", env!("CARGO_PKG_VERSION"));
        let (operating_system, hardware) = (std::env::consts::OS, std::env::consts::ARCH);
        Section { application, operating_system, hardware }.encode(&mut head);
        let batch = Batch::with_capacity(ROOM, sessions);
        Self { batch, head, described: 0, span: None }
    }

    #[inline]
    fn push(&mut self, id: SessionId, frame: &Frame<'_>) {
        self.batch.push(id, frame).expect("there is room for all that a reader hands on at once");
        match &mut self.span {
            None => self.span = Some([frame.time; 2]),
            Some([first, last]) => {
                *first = frame.time.min(*first);
                *last = frame.time.max(*last);
            }
        }
    }

    fn write(
        &mut self,
        out: &mut impl Write,
        name: impl Fn(Session) -> Option<String>,
    ) -> io::Result<()> {
        while let Some(session) = self.batch.sessions().get(SessionId::new(self.described)) {
            let name = name(session);
            Interface { name: name.as_deref(), session, snap_length: Batch::FRAME_MAX }
                .encode(&mut self.head);
            self.described += 1;
        }
        if !self.head.is_empty() {
            out.write_all(&self.head)?;
            self.head.clear();
        }
        out.write_all(self.batch.blocks())?;
        self.batch.clear();
        Ok(())
    }

    fn end(&mut self, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
        let [start, end] = self.span.unwrap_or_default();
        for (interface, tally) in (0..self.described).zip(&counts.sessions) {
            let (received, delivered) = (tally.count, tally.count);
            Statistics { interface, start, end, received, dropped: 0, delivered }
                .encode(&mut self.head);
        }
        out.write_all(&self.head)
    }
}
