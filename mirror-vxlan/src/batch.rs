//! Batches of frames, copied off the input and passed from a receiving thread to the sinks.
//!
//! A batch is written once and then read by all sinks at the same time. It holds pcapng Enhanced
//! Packet Blocks in the machine's byte order, back to back, with the [`SessionId`] as the interface.
//! A sink that writes pcapng writes it unchanged; the others iterate over its
//! [frames](Batch::frames).

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::Timestamp;
use crate::capture::pcapng;
use crate::frame::Frame;
use crate::session::{SessionId, Sessions};

/// A bounded number of frames, in the order in which they were received.
#[derive(Clone, Debug)]
pub struct Batch {
    sessions: Arc<Sessions>,
    blocks: Vec<u8>,
    capacity: usize,
    frames: u64,
    bytes: u64,
}

/// The batch has no room for the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is full")]
pub struct Full;

impl Batch {
    /// The default capacity of a batch, in bytes.
    ///
    /// A batch of this size stays within the processor's second-level cache, so that a sink still finds
    /// there what the receiving thread wrote.
    pub const CAPACITY: usize = 256 * 1024;

    /// The most bytes of one frame that a batch keeps; no link that VXLAN crosses carries longer frames.
    pub const FRAME_MAX: u32 = 256 * 1024;

    /// Makes an empty batch that holds `capacity` bytes of blocks, or one frame of any size.
    pub fn with_capacity(capacity: usize, sessions: Arc<Sessions>) -> Self {
        Self { sessions, blocks: Vec::with_capacity(capacity), capacity, frames: 0, bytes: 0 }
    }

    /// Copies a frame to the end; a longer frame is cut to [`Self::FRAME_MAX`] bytes.
    ///
    /// `id` is the number of the frame's session.
    ///
    /// # Errors
    ///
    /// The batch has no room for the frame and is not empty.
    pub fn push(&mut self, id: SessionId, frame: &Frame<'_>) -> Result<(), Full> {
        let captured = u32::try_from(frame.bytes.len())
            .map_or(Self::FRAME_MAX, |length| length.min(Self::FRAME_MAX));
        let length = pcapng::packet_len(captured) as usize;
        if self.blocks.len() + length > self.capacity && self.frames > 0 {
            return Err(Full);
        }
        pcapng::push_packet(&mut self.blocks, id.get(), frame);
        self.frames += 1;
        self.bytes += u64::from(captured);
        Ok(())
    }

    /// Empties the batch, which keeps its memory.
    pub fn clear(&mut self) {
        let Self { sessions: _, blocks, capacity: _, frames, bytes } = self;
        blocks.clear();
        *frames = 0;
        *bytes = 0;
    }

    /// Returns the number of frames.
    pub const fn len(&self) -> u64 {
        self.frames
    }

    /// Returns whether there are no frames.
    pub const fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Returns the bytes of all frames, without the blocks around them.
    pub const fn frame_bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the frames as the body of a pcapng file in the machine's byte order.
    ///
    /// Interface `n` of that file must be the session with number `n`, with times in nanoseconds.
    pub fn blocks(&self) -> &[u8] {
        &self.blocks
    }

    /// Returns the sessions that the numbers stand for.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Returns the session number of each frame, in order, without reading anything else.
    pub fn session_ids(&self) -> impl Iterator<Item = SessionId> {
        let mut rest = self.blocks.as_slice();
        std::iter::from_fn(move || {
            let [_, length, id, ..] = words(rest.first_chunk()?);
            rest = rest.get(length as usize..)?;
            Some(SessionId::new(id))
        })
    }

    /// Returns the frames in order, each with the number of its session.
    pub fn frames(&self) -> impl Iterator<Item = (SessionId, Frame<'_>)> {
        let mut rest = self.blocks.as_slice();
        std::iter::from_fn(move || {
            let (head, behind) = rest.split_first_chunk::<{ pcapng::PACKET_HEAD as usize }>()?;
            let [_, length, id, high, low, captured, original_len] = words(head);
            let frame = behind.get(..captured as usize)?;
            rest = rest.get(length as usize..)?;
            let id = SessionId::new(id);
            let session = self.sessions.get(id)?;
            let time = Timestamp::from_nanos(u64::from(high) << 32 | u64::from(low));
            Some((id, Frame { time, session, bytes: frame, original_len }))
        })
    }
}

/// The seven words of a block's head.
fn words(head: &[u8; pcapng::PACKET_HEAD as usize]) -> [u32; 7] {
    std::array::from_fn(|n| {
        u32::from_ne_bytes([head[4 * n], head[4 * n + 1], head[4 * n + 2], head[4 * n + 3]])
    })
}
