//! The account of every packet: what was received and what became of it.

#![forbid(unsafe_code)]

use crate::input::Packet;
use crate::label::labels;
use crate::reason::{DropReason, Note, Notes};
use crate::session::SessionId;
use crate::sink::{Delivery, LossReason};

labels! {
    /// Why a frame that could be delivered was not wanted.
    Exclusion {
        Source "source" "The outer source address is not on the list of allowed sources.",
        Session "session" "The session is not on the list of allowed sessions.",
        SessionLimit "session_limit" "The frame belongs to a session beyond the limit.",
        Filter "filter" "The frame does not match the filter.",
        Sample "sample" "The flow is not in the sample.",
        Duplicate "duplicate" "The same packet was mirrored at its other end a moment earlier.",
        Failed "failed" "The selection panicked on the frame, which ended the receiving thread.",
    }
}

/// A number of packets or frames, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their total number of bytes.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more, of `bytes` bytes.
    pub const fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}

/// What one receiving thread has counted; plain numbers, copied out from time to time.
///
/// After every packet `received` is the sum of `dropped`, `excluded` and `accepted`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets that the input handed over.
    pub received: Tally,
    /// Packets that gave no frame, by [`DropReason::index`].
    pub dropped: [u64; DropReason::COUNT],
    /// Packets that gave a frame and were odd, by [`Note::index`].
    pub noted: [u64; Note::COUNT],
    /// Frames that were not wanted, by [`Exclusion::index`].
    pub excluded: [u64; Exclusion::COUNT],
    /// Frames handed to the sinks.
    pub accepted: Tally,
    /// The accepted frames of each session, indexed by the session's number.
    pub sessions: Vec<Tally>,
    /// Packets that the kernel dropped before the input saw them.
    pub kernel_dropped: u64,
}

impl Counts {
    /// Counts a packet that was received.
    pub const fn receive(&mut self, packet: &Packet<'_>) {
        self.received.add(packet.content.len());
    }

    /// Counts a packet that gave no frame.
    pub const fn drop(&mut self, reason: DropReason) {
        self.dropped[reason.index()] += 1;
    }

    /// Counts what was odd about a packet.
    pub fn note(&mut self, notes: Notes) {
        if !notes.is_empty() {
            for note in notes.iter() {
                self.noted[note.index()] += 1;
            }
        }
    }

    /// Counts a frame that was not wanted.
    pub const fn exclude(&mut self, exclusion: Exclusion) {
        self.excluded[exclusion.index()] += 1;
    }

    /// Counts a frame handed to the sinks.
    pub fn accept(&mut self, id: SessionId, bytes: usize) {
        self.accepted.add(bytes);
        if self.sessions.len() <= id.index() {
            self.sessions.resize(id.index() + 1, Tally::default());
        }
        self.sessions[id.index()].add(bytes);
    }

    /// Adds what another thread has counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { received, dropped, noted, excluded, accepted, sessions, kernel_dropped } = other;
        merge(&mut self.received, received);
        merge(&mut self.accepted, accepted);
        sum(&mut self.dropped, dropped);
        sum(&mut self.noted, noted);
        sum(&mut self.excluded, excluded);
        self.kernel_dropped += kernel_dropped;
        if self.sessions.len() < sessions.len() {
            self.sessions.resize(sessions.len(), Tally::default());
        }
        for (mine, theirs) in self.sessions.iter_mut().zip(sessions) {
            merge(mine, theirs);
        }
    }

    /// Returns whether every packet received is accounted for.
    pub fn balances(&self) -> bool {
        let dropped: u64 = self.dropped.iter().sum();
        let excluded: u64 = self.excluded.iter().sum();
        self.received.count == dropped + excluded + self.accepted.count
    }
}

/// What became of finished capture files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// Files that were deleted to stay within a budget, and their bytes.
    pub removed: Tally,
    /// The counts of uploads; `None` if files are not uploaded.
    pub upload: Option<UploadCounts>,
}

/// What became of the finished files of captures that are to be uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadCounts {
    /// Files that are in the store, and their bytes.
    pub stored: Tally,
    /// Attempts that failed.
    pub failures: u64,
    /// Finished files that were waiting when the directories were last read, and their bytes.
    pub waiting: Tally,
    /// Why the last attempt failed, in words; `None` if it succeeded.
    pub trouble: Option<String>,
}

/// What became of the frames handed to one sink.
///
/// When the sink has ended, `delivered` and `lost` add up to the frames accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Frames delivered.
    pub delivered: Tally,
    /// Frames lost, by [`LossReason::index`].
    pub lost: [u64; LossReason::COUNT],
}

impl SinkCounts {
    /// Counts the frames of a batch.
    pub fn deliver(&mut self, delivery: Delivery) {
        let Delivery { frames, bytes, lost } = delivery;
        self.delivered.count += frames;
        self.delivered.bytes += bytes;
        sum(&mut self.lost, &lost);
    }

    /// Recounts as lost frames that were already counted as delivered.
    ///
    /// The bytes delivered stay, since the lengths of these frames are no longer known.
    pub fn withdraw(&mut self, lost: [u64; LossReason::COUNT]) {
        for (counter, lost) in self.lost.iter_mut().zip(lost) {
            let lost = lost.min(self.delivered.count);
            self.delivered.count -= lost;
            *counter += lost;
        }
    }

    /// Returns the number of frames lost, for all reasons together.
    pub fn losses(&self) -> u64 {
        self.lost.iter().sum()
    }
}

fn merge(into: &mut Tally, from: &Tally) {
    let Tally { count, bytes } = from;
    into.count += count;
    into.bytes += bytes;
}

fn sum(into: &mut [u64], from: &[u64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}
