//! AWS on a different day for each seed: how late it shows what it has made, and what it throttles.

use std::time::Duration;

use mirror_local::{Calls, Faults, Share};

/// How soon AWS shows what it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Four of five new objects within a second, most of the others within half a minute, and one
    /// of fifty within two minutes.
    Usual,
    /// Each after half a minute to two minutes.
    Late,
}

impl Sight {
    /// One or the other.
    fn of(seed: u64) -> Self {
        if seed.is_multiple_of(2) { Self::Late } else { Self::Usual }
    }

    fn lag(self, random: &mut fastrand::Rng) -> Duration {
        let milliseconds = match (self, random.u8(0..100)) {
            (Self::Usual, 0..80) => 0..1_000,
            (Self::Usual, 80..98) => 1_000..30_000,
            (Self::Usual, _) | (Self::Late, _) => 30_000..120_000,
        };
        Duration::from_millis(random.u64(milliseconds))
    }
}

/// Throttles this percentage of calls, and shows new objects late: Elastic Load Balancing even later
/// than EC2 in every other pair of seeds. With every third seed, a call is answered only after a while, so that the
/// outcome of several is unknown at once.
pub(crate) fn weather(seed: u64, throttled: u8) -> Faults {
    let mut random = fastrand::Rng::with_seed(seed);
    let lags: Vec<Duration> = (0..97).map(|_| Sight::of(seed).lag(&mut random)).collect();
    let share = Share { percent: throttled, seed };
    let behind = if seed % 4 < 2 { 0 } else { random.u64(0..60) };
    let late = Faults::none().unseen_during(lags).elb_behind(Duration::from_secs(behind));
    let latency = if seed % 3 == 2 { random.u64(20..900) } else { 0 };
    late.throttle_share(Calls::All, share).delay(Calls::All, Duration::from_millis(latency))
}

/// The weather of a run after that of `seed`: the usual one, since what appears late was made earlier.
pub(crate) fn weather_after(seed: u64) -> Faults {
    weather(2 * seed + 1_001, 3)
}

/// How long it takes until somebody runs the command again: at once, or within ten minutes.
pub(crate) fn pause(seed: u64, number: usize) -> Duration {
    let mut random = fastrand::Rng::with_seed(seed ^ ((number as u64) << 32));
    if random.bool() { Duration::ZERO } else { Duration::from_secs(random.u64(0..600)) }
}
