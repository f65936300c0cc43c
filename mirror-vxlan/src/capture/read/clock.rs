//! The units in which an interface of a pcapng file counts time.

use crate::Timestamp;

const SECOND: u64 = 1_000_000_000;

/// Turns the ticks of an interface into a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    ticks_per_second: u64,
    /// Seconds to add.
    offset: i64,
}

impl Clock {
    /// Makes a clock from `if_tsresol` and `if_tsoffset`, or `None` if a tick is too short for it.
    pub(super) fn new(resolution: u8, offset: i64) -> Option<Self> {
        let exponent = u32::from(resolution & 0x7f);
        let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
        base.checked_pow(exponent).map(|ticks_per_second| Self { ticks_per_second, offset })
    }

    /// Returns the time after `ticks`, or the nearest one that can be represented.
    #[inline]
    pub(super) fn time(self, ticks: u64) -> Timestamp {
        let Self { ticks_per_second, offset } = self;
        let nanoseconds = match ticks_per_second {
            SECOND => ticks,
            1_000_000 => ticks.saturating_mul(1000),
            _ => scale(ticks, ticks_per_second),
        };
        let offset_nanoseconds = offset.unsigned_abs().saturating_mul(SECOND);
        Timestamp::from_nanos(if offset < 0 {
            nanoseconds.saturating_sub(offset_nanoseconds)
        } else {
            nanoseconds.saturating_add(offset_nanoseconds)
        })
    }
}

/// `ticks / ticks_per_second * 10^9`, rounded down.
fn scale(ticks: u64, ticks_per_second: u64) -> u64 {
    let nanoseconds = u128::from(ticks) * u128::from(SECOND) / u128::from(ticks_per_second);
    u64::try_from(nanoseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn nanoseconds(resolution: u8, offset: i64, ticks: u64) -> u64 {
        Clock::new(resolution, offset).unwrap().time(ticks).as_nanos()
    }

    #[test]
    fn every_resolution_that_fits_gives_nanoseconds() {
        assert_eq!(nanoseconds(9, 0, 1_500_000_001), 1_500_000_001);
        assert_eq!(nanoseconds(6, 0, 1_500_001), 1_500_001_000);
        assert_eq!(nanoseconds(3, 0, 1_501), 1_501_000_000);
        assert_eq!(nanoseconds(0, 0, 2), 2_000_000_000);
        assert_eq!(nanoseconds(12, 0, 1_000_000_001_999), 1_000_000_001);
        assert_eq!(nanoseconds(0x80 | 1, 0, 3), 1_500_000_000);
        assert_eq!(nanoseconds(0x80 | 63, 0, 1 << 62), 500_000_000);
        assert_eq!(nanoseconds(19, 0, u64::MAX), 1_844_674_407);
        for resolution in [20, 0x7f, 0x80 | 64, 0xff] {
            assert_eq!(Clock::new(resolution, 0), None, "{resolution}");
        }
    }

    #[test]
    fn an_offset_is_added_and_the_ends_of_time_hold() {
        assert_eq!(nanoseconds(9, 3, 7), 3_000_000_007);
        assert_eq!(nanoseconds(9, -1, 3_000_000_007), 2_000_000_007);
        assert_eq!(nanoseconds(9, i64::MIN, 7), 0);
        assert_eq!(nanoseconds(0, i64::MAX, u64::MAX), u64::MAX);
    }
}
