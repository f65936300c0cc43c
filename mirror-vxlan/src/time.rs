//! The time of a packet: nanoseconds since 1970, as capture files and the kernel count them.

#![forbid(unsafe_code)]

use core::time::Duration;

/// A point in time, in nanoseconds since 1970-01-01 00:00 UTC without leap seconds.
///
/// It reaches to the year 2554.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Makes a time from nanoseconds since 1970.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Makes a time from seconds since 1970 and additional nanoseconds.
    ///
    /// A time past the year 2554 becomes the last one that can be represented.
    pub const fn from_parts(seconds: u64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds as u64))
    }

    /// Returns the nanoseconds since 1970.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns how long `self` is after `earlier`; zero if it is not later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
