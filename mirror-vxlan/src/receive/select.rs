//! The selection of frames: which are wanted, and how much of each.

use crate::count::Exclusion;
use crate::frame::Frame;

/// Decides about every frame of one receiving thread.
///
/// Each thread has its own clone, so that a selection can keep state without a lock. A closure that
/// takes a frame and returns the same as `select` is a selection too.
pub trait Select: Send {
    /// Returns the most bytes of the frame to keep; `usize::MAX` keeps them all.
    ///
    /// # Errors
    ///
    /// The frame is not wanted, for the reason returned.
    fn select(&mut self, frame: &Frame<'_>) -> Result<usize, Exclusion>;
}

impl<F: FnMut(&Frame<'_>) -> Result<usize, Exclusion> + Send> Select for F {
    fn select(&mut self, frame: &Frame<'_>) -> Result<usize, Exclusion> {
        self(frame)
    }
}

/// Selects every frame whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Everything;

impl Select for Everything {
    fn select(&mut self, _frame: &Frame<'_>) -> Result<usize, Exclusion> {
        Ok(usize::MAX)
    }
}
