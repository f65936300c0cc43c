//! Frames on their way into a file of either format.

use std::sync::Arc;

use crate::Timestamp;
use crate::batch::Batch;
use crate::capture::pcapng::{Interface, Section, Statistics};
use crate::capture::{Format, pcap, pcapng};
use crate::count::{Counts, Tally};
use crate::frame::{Frame, Session};
use crate::session::{SessionId, Sessions};

/// Turns frames into the bytes of a file.
pub(super) enum Encoder<N> {
    Pcap,
    Pcapng(Interfaces<N>),
}

impl<N: Fn(Session) -> Option<String>> Encoder<N> {
    /// Makes an encoder, with the start of the file in `out`.
    ///
    /// The frames belong to sessions in `sessions`, and `name` gives their names.
    pub(super) fn new(format: Format, sessions: Arc<Sessions>, name: N, out: &mut Vec<u8>) -> Self {
        match format {
            Format::Pcap => {
                out.extend_from_slice(&pcap::file_header(Batch::FRAME_MAX));
                Self::Pcap
            }
            Format::Pcapng => {
                let application = concat!("mirror-vxlan ", env!("CARGO_PKG_VERSION"));
                let (operating_system, hardware) = (std::env::consts::OS, std::env::consts::ARCH);
                Section { application, operating_system, hardware }.encode(out);
                Self::Pcapng(Interfaces { sessions, name, described: 0, span: None })
            }
        }
    }

    /// Appends a frame.
    #[inline]
    pub(super) fn push(&mut self, out: &mut Vec<u8>, id: SessionId, frame: &Frame<'_>) {
        match self {
            Self::Pcap => pcap::push_record(out, frame),
            Self::Pcapng(interfaces) => {
                interfaces.see(out, id, frame.time);
                pcapng::push_packet(out, id.get(), frame);
            }
        }
    }

    /// Appends what follows the last frame.
    pub(super) fn end(&self, out: &mut Vec<u8>, counts: &Counts) {
        match self {
            Self::Pcap => {}
            Self::Pcapng(interfaces) => interfaces.end(out, &counts.sessions),
        }
    }
}

/// The interfaces of a pcapng file, each of which is a session.
pub(super) struct Interfaces<N> {
    sessions: Arc<Sessions>,
    name: N,
    /// How many sessions were described.
    described: u32,
    /// The times of the first and the last frame.
    span: Option<[Timestamp; 2]>,
}

impl<N: Fn(Session) -> Option<String>> Interfaces<N> {
    #[inline]
    fn see(&mut self, out: &mut Vec<u8>, id: SessionId, time: Timestamp) {
        if id.get() >= self.described {
            self.describe(out);
        }
        let [first, last] = self.span.get_or_insert([time; 2]);
        *first = time.min(*first);
        *last = time.max(*last);
    }

    /// Describes all sessions that are new.
    #[cold]
    fn describe(&mut self, out: &mut Vec<u8>) {
        while let Some(session) = self.sessions.get(SessionId::new(self.described)) {
            let name = (self.name)(session);
            Interface { name: name.as_deref(), session, snap_length: Batch::FRAME_MAX }.encode(out);
            self.described += 1;
        }
    }

    fn end(&self, out: &mut Vec<u8>, sessions: &[Tally]) {
        let [start, end] = self.span.unwrap_or_default();
        for (interface, &Tally { count, .. }) in (0..self.described).zip(sessions) {
            Statistics { interface, start, end, received: count, dropped: 0, delivered: count }
                .encode(out);
        }
    }
}
