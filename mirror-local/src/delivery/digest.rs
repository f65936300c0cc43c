//! Digests: numbers that are the same for the same frames, in whatever order they come.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A digest of frames with their VNIs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest {
    count: u64,
    bytes: u64,
    /// The sum of a hash of each: order does not matter, and what comes twice counts twice.
    sum: u64,
}

impl Digest {
    pub(super) fn add(&mut self, vni: u32, frame: &[u8]) {
        let mut hasher = DefaultHasher::new();
        vni.hash(&mut hasher);
        frame.hash(&mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
        self.count += 1;
        self.bytes += u64::try_from(frame.len()).unwrap_or(u64::MAX);
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }
}
