//! Turns capture files into one capture file of the mirrored frames, for `mirror-vxlan decap`.
//!
//! ```no_run
//! use mirror_vxlan::offline::{Place, Task, decap};
//!
//! let inputs = vec![Place::File("vxlan.pcap.gz".into())];
//! let task = Task::new(inputs, Place::File("frames.pcapng".into()));
//! let report = decap(&task, |frame| Ok(frame.bytes.len()), |_session| None)?;
//! println!("{} frames", report.counts.accepted.count);
//! # Ok::<(), mirror_vxlan::offline::Error>(())
//! ```
//!
//! One thread reads a quarter of a megabyte at a time and copies the frames in it to a buffer of
//! the same size; another thread writes these buffers. The memory in use at a time is small, so that
//! it stays in the processor's second-level cache. What remains are the system's own copies.
//!
//! A file appears under its name only when it is complete. A capture that is damaged or cut off gives
//! all frames before the damage, and the [`Report`] states what is wrong with it.

#![forbid(unsafe_code)]

mod encode;
mod output;
mod writer;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use crate::Timestamp;
use crate::capture::Format;
use crate::capture::compress::Compression;
use crate::capture::read::{CaptureReader, ReadError};
use crate::count::{Counts, Exclusion};
use crate::decap::{Decapsulated, Decapsulator};
use crate::frame::{Frame, Session};
use crate::input::{Content, Packet, Received};
use crate::reason::DropReason;
use crate::session::{Numbers, Sessions};

use self::encode::Encoder;
use self::output::Output;
use self::writer::{Failure, Writer, WriterEnded};

/// What is to be read, what is to be written, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The captures, which are read one after the other.
    pub inputs: Vec<Place>,
    /// Where the frames are written.
    pub output: Place,
    /// The output format; pcap files do not tell sessions apart.
    pub format: Format,
    /// How the output file is compressed as a whole.
    pub compression: Compression,
    /// Whether the file is forced onto the disk.
    pub durability: Durability,
    /// How frames are taken out of packets.
    pub decapsulator: Decapsulator,
    /// The most sessions that are told apart; frames of others are counted as excluded.
    pub session_limit: u32,
}

impl Task {
    /// Makes a task whose format and compression follow from the extension of the output.
    ///
    /// Without such an extension, the output is uncompressed pcapng.
    pub fn new(inputs: Vec<Place>, output: Place) -> Self {
        let (format, compression) = match &output {
            Place::Standard => (None, Compression::None),
            Place::File(path) => (Format::of_path(path), Compression::of_path(path)),
        };
        Self {
            inputs,
            output,
            format: format.unwrap_or(Format::Pcapng),
            compression,
            durability: Durability::default(),
            decapsulator: Decapsulator::default(),
            session_limit: Sessions::LIMIT,
        }
    }
}

/// A file, or a standard stream of the process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Standard input or output.
    Standard,
    /// A file, pipe or device.
    File(PathBuf),
}

/// Reads `-` as the standard stream.
impl From<OsString> for Place {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Standard } else { Self::File(argument.into()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Whether a file is forced onto the disk before it gets its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// The system writes it at some later time; after a power failure it may be missing or empty.
    #[default]
    Cached,
    /// The file and its name are on the disk.
    Synced,
}

/// The result of a task that was completed.
#[derive(Debug, Default)]
pub struct Report {
    /// The account of every packet.
    pub counts: Counts,
    /// Captures that could not be read to their end, and why; the frames before that are written.
    pub damaged: Vec<(Place, ReadError)>,
}

/// Why a task was given up; no file was created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A capture could not be opened, or is not a capture file.
    #[error("cannot open the capture `{place}`")]
    Open {
        /// The capture.
        place: Place,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The output could not be created.
    #[error("cannot create `{place}`")]
    Create {
        /// The output.
        place: Place,
        /// What failed.
        source: io::Error,
    },
    /// The output could not be written, as when the disk is full or the reader of the pipe has ended.
    #[error("cannot write `{place}` after {frames} frames")]
    Write {
        /// The output.
        place: Place,
        /// The number of frames written before.
        frames: u64,
        /// What failed.
        source: io::Error,
    },
}

/// Takes the mirrored frames out of captures and writes them to one capture.
///
/// `select` returns for each frame how many of its bytes are kept, or why it is not wanted. `name`
/// gives the names of sessions for pcapng files.
///
/// # Errors
///
/// A capture cannot be opened, or the output cannot be written. An existing file with the name of
/// the output is left unchanged.
pub fn decap(
    task: &Task,
    select: impl FnMut(&Frame<'_>) -> Result<usize, Exclusion>,
    name: impl Fn(Session) -> Option<String>,
) -> Result<Report, Error> {
    let output = Output::create(&task.output, task.compression, task.durability)
        .map_err(|source| Error::Create { place: task.output.clone(), source })?;
    let failed =
        |Failure { frames, source }| Error::Write { place: task.output.clone(), frames, source };
    thread::scope(|scope| {
        let writer = Writer::start(scope, output);
        let report = split(task, select, name, &writer);
        let output = writer.end().map_err(failed)?;
        let report = match report {
            Ok(report) => report,
            Err(Stop::Input(error)) => return Err(error),
            Err(Stop::Output(WriterEnded)) => unreachable!("a writer ends early by a failure"),
        };
        let frames = report.counts.accepted.count;
        output.finish().map_err(|source| failed(Failure { frames, source }))?;
        Ok(report)
    })
}

/// Reads all inputs and hands their frames to the writer, as long as that can write.
fn split(
    task: &Task,
    select: impl FnMut(&Frame<'_>) -> Result<usize, Exclusion>,
    name: impl Fn(Session) -> Option<String>,
    writer: &Writer<'_>,
) -> Result<Report, Stop> {
    let sessions = Arc::new(Sessions::with_limit(task.session_limit));
    let mut buffer = Vec::new();
    let mut splitter = Splitter {
        decapsulator: &task.decapsulator,
        select,
        numbers: Numbers::new(Arc::clone(&sessions)),
        encoder: Encoder::new(task.format, sessions, name, &mut buffer),
        buffer,
        counts: Counts::default(),
        written: 0,
    };
    let mut damaged = Vec::new();
    for input in &task.inputs {
        let mut reader = open(input)?;
        loop {
            match reader.read(|packet| splitter.packet(&packet)) {
                Ok(Received::Packets(_) | Received::Nothing) => splitter.write(writer)?,
                Ok(Received::End) => break,
                Err(error) => {
                    damaged.push((input.clone(), error));
                    break;
                }
            }
        }
        splitter.counts.kernel_dropped += reader.dropped();
    }
    splitter.encoder.end(&mut splitter.buffer, &splitter.counts);
    splitter.write(writer)?;
    Ok(Report { counts: splitter.counts, damaged })
}

fn open(place: &Place) -> Result<CaptureReader, Stop> {
    let reader = match place {
        Place::Standard => CaptureReader::new(io::stdin()),
        Place::File(path) => CaptureReader::open(path),
    };
    reader.map_err(|source| Stop::Input(Error::Open { place: place.clone(), source }))
}

/// Why reading ended before the end of the inputs.
enum Stop {
    /// An input could not be opened.
    Input(Error),
    /// The writer has ended, and knows why.
    Output(WriterEnded),
}

impl From<WriterEnded> for Stop {
    fn from(ended: WriterEnded) -> Self {
        Self::Output(ended)
    }
}

/// Takes frames out of packets and accounts for each.
struct Splitter<'a, S, N> {
    decapsulator: &'a Decapsulator,
    select: S,
    numbers: Numbers,
    encoder: Encoder<N>,
    /// What is encoded but not written yet.
    buffer: Vec<u8>,
    counts: Counts,
    /// Frames that went to the writer.
    written: u64,
}

impl<S, N> Splitter<'_, S, N>
where
    S: FnMut(&Frame<'_>) -> Result<usize, Exclusion>,
    N: Fn(Session) -> Option<String>,
{
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) {
        self.counts.receive(packet);
        match self.frame(packet) {
            Ok(decapsulated) => {
                self.counts.note(decapsulated.notes);
                if let Err(exclusion) = self.accept(packet.time, &decapsulated) {
                    self.counts.exclude(exclusion);
                }
            }
            Err(reason) => self.counts.drop(reason),
        }
    }

    #[inline]
    fn frame<'p>(&self, packet: &Packet<'p>) -> Result<Decapsulated<'p>, DropReason> {
        match packet.content {
            Content::Packet { link, bytes } => self.decapsulator.packet(link, bytes),
            Content::Datagram { source, port, payload, truncated: _ } => {
                self.decapsulator.datagram(source.ip(), source.port(), port, payload)
            }
        }
    }

    #[inline]
    fn accept(&mut self, time: Timestamp, from: &Decapsulated<'_>) -> Result<(), Exclusion> {
        let Decapsulated { session, frame: bytes, original_len, .. } = *from;
        let mut frame = Frame { time, session, bytes, original_len };
        let kept = (self.select)(&frame)?;
        let id = self.numbers.number(session).ok_or(Exclusion::SessionLimit)?;
        frame.bytes = &bytes[..kept.min(bytes.len())];
        self.encoder.push(&mut self.buffer, id, &frame);
        self.counts.accept(id, frame.bytes.len());
        Ok(())
    }

    /// Hands the encoded frames to the writer, and takes an empty buffer in exchange.
    fn write(&mut self, writer: &Writer<'_>) -> Result<(), Stop> {
        let empty = writer.buffer()?;
        let accepted = self.counts.accepted.count;
        writer.write(mem::replace(&mut self.buffer, empty), accepted - self.written);
        self.written = accepted;
        Ok(())
    }
}
