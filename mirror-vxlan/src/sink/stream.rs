//! A stream of pcap records, for `tcpdump -r -` and anything else that reads a pipe.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;

use crate::batch::Batch;
use crate::capture::pcap;
use crate::sink::{Delivery, LossReason, Sink, Trouble};

/// Writes the classic capture format with times in nanoseconds.
///
/// When the reader closes the pipe, the stream is over: frames are refused from then on, and
/// [`trouble`](Sink::trouble) says so.
pub struct PcapStream<W> {
    writer: W,
    buffer: Vec<u8>,
    over: Option<Trouble>,
}

impl<W: Write + Send> PcapStream<W> {
    /// Begins a stream; every batch is one write, so `writer` needs no buffer.
    pub fn new(writer: W) -> Self {
        let buffer = pcap::file_header(Batch::FRAME_MAX).to_vec();
        Self { writer, buffer, over: None }
    }
}

impl PcapStream<File> {
    /// Begins a stream to standard output, bypassing the buffer of [`io::stdout`].
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub fn stdout() -> io::Result<Self> {
        Ok(Self::new(io::stdout().as_fd().try_clone_to_owned()?.into()))
    }
}

impl<W: Write + Send> Sink for PcapStream<W> {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        if self.over.is_some() {
            return Delivery::none(batch, LossReason::Refused);
        }
        for (_, frame) in batch.frames() {
            pcap::push_record(&mut self.buffer, &frame);
        }
        let written = self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush());
        self.buffer.clear();
        match written {
            Ok(()) => Delivery::whole(batch),
            Err(error) => {
                // A part of a record may have been written: nothing can follow it.
                let message = match error.kind() {
                    io::ErrorKind::BrokenPipe => "the reader has closed the stream".to_owned(),
                    _ => format!("cannot write to the stream: {error}"),
                };
                self.over = Some(Trouble { reason: LossReason::Refused, message });
                Delivery::none(batch, LossReason::Refused)
            }
        }
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.over.as_ref()
    }

    fn close(mut self: Box<Self>) -> [u64; LossReason::COUNT] {
        if self.over.is_none() {
            // If there was no frame, the header still has to be written; a failure does not matter.
            self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush()).ok();
        }
        [0; LossReason::COUNT]
    }
}

impl<W> fmt::Debug for PcapStream<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapStream").field("over", &self.over).finish_non_exhaustive()
    }
}
