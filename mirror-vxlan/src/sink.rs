//! Where frames go: the one trait that a user of the library implements.
//!
//! Each sink runs on a thread of its own behind a bounded queue of [batches](Batch). If a sink is
//! slow, fails or hangs, frames that its queue has no room for are counted as its loss, and neither
//! the other sinks nor the receiving threads wait for it.

#![forbid(unsafe_code)]

pub mod file;
mod names;
mod null;
mod stream;
pub mod tap;
pub mod vxlan;

pub use names::{SessionNames, Unnamed};
pub use null::Null;
pub use stream::PcapStream;

use crate::Timestamp;
use crate::batch::Batch;
use crate::label::labels;

labels! {
    /// Why a frame that was received did not get through a sink.
    LossReason {
        Queue "queue" "The queue of the sink was full.",
        Budget "budget" "The sink has used up the space it may use.",
        StorageFull "storage_full" "The file system has no space left.",
        Failed "failed" "The sink could not write, for another reason.",
        Refused "refused" "The device or peer did not accept the frame.",
        Abandoned "abandoned" "The sink did not end in time when the receiver stopped.",
    }
}

/// What became of the frames of a batch in a sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "frames that are not counted are lost without a trace"]
pub struct Delivery {
    /// Frames delivered.
    pub frames: u64,
    /// Bytes of the frames delivered.
    pub bytes: u64,
    /// Frames lost, by [`LossReason::index`].
    pub lost: [u64; LossReason::COUNT],
}

impl Delivery {
    /// Returns the delivery of a batch in which every frame was delivered.
    pub const fn whole(batch: &Batch) -> Self {
        Self { frames: batch.len(), bytes: batch.frame_bytes(), lost: [0; LossReason::COUNT] }
    }

    /// Returns the delivery of a batch in which every frame was lost.
    pub const fn none(batch: &Batch, reason: LossReason) -> Self {
        let mut lost = [0; LossReason::COUNT];
        lost[reason.index()] = batch.len();
        Self { frames: 0, bytes: 0, lost }
    }
}

/// What was lost ahead of a sink since the receiver started; it is unknown from which sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Packets that the kernel dropped before they were received.
    pub kernel: u64,
    /// Frames that the queue of the sink had no room for.
    pub queue: u64,
}

impl Ahead {
    /// Returns the sum of both.
    pub const fn total(self) -> u64 {
        self.kernel + self.queue
    }
}

/// Why a sink is losing frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What the frames are counted as.
    pub reason: LossReason,
    /// What failed, where and why, in words.
    pub message: String,
}

/// Delivers batches of frames to a destination.
pub trait Sink: Send {
    /// Delivers a batch, and accounts for each of its frames.
    ///
    /// It may block: only this sink's queue fills meanwhile.
    fn deliver(&mut self, batch: &Batch) -> Delivery;

    /// Receives the time: it is called before the first batch, about once a second between batches,
    /// and before [`close`](Self::close).
    ///
    /// This is the place to rotate files by time and to try peers again.
    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        let _ = (now, ahead);
    }

    /// Returns why frames are being lost, or `None` if all is well.
    ///
    /// It is called after every other call; health and logs report each change once.
    fn trouble(&self) -> Option<&Trouble> {
        None
    }

    /// Ends the sink: writes what it still holds, and returns as lost the frames that were counted
    /// as delivered but got lost afterwards.
    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        [0; LossReason::COUNT]
    }
}
