//! How many flows a set of packets has, from a sample of constant size.

use super::Headers;

/// Flows that are kept. With this number, the estimate of the total is off by 6 per cent on average.
const KEPT: usize = 256;

/// Flows whose headers are kept.
const SHOWN: usize = 3;

/// A sample of the flows among some packets: those with the lowest hashes.
///
/// Hashes are as good as random, so the lowest ones are a fair sample, and how low they are tells how many flows
/// there are. Up to the size of the sample, the number is exact. Which flows are in it depends only on the packets,
/// not on their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowSample {
    /// The lowest hashes, ascending and without duplicates.
    hashes: Vec<u32>,
    /// The headers of the first packets of the flows with the lowest hashes, in their order.
    shown: Vec<(u32, Headers)>,
    is_full: bool,
}

impl FlowSample {
    /// Adds a packet of the flow with this hash, which must be the same for both directions.
    #[inline]
    pub(super) fn add(&mut self, hash: u32, headers: &Headers) {
        if self.hashes.len() == KEPT && self.hashes.last().is_some_and(|last| hash > *last) {
            self.is_full = true;
            return;
        }
        if let Err(at) = self.hashes.binary_search(&hash) {
            self.insert(at, hash, headers);
        }
    }

    #[cold]
    fn insert(&mut self, at: usize, hash: u32, headers: &Headers) {
        if self.hashes.len() == KEPT {
            self.hashes.pop();
            self.is_full = true;
        }
        self.hashes.insert(at, hash);
        if at < SHOWN {
            self.shown.insert(at, (hash, *headers));
            self.shown.truncate(SHOWN);
        }
    }

    /// Returns how many flows there are, exactly or approximately.
    #[must_use]
    pub fn count(&self) -> Flows {
        match self.hashes.last() {
            Some(highest) if self.is_full => {
                // The k lowest of n even spread numbers fill about the fraction k/n of their range.
                let (kept, range) = (KEPT as u64 - 1, u64::from(u32::MAX));
                Flows::About(kept * range / u64::from(*highest).max(1))
            }
            _ => Flows::Exactly(self.hashes.len() as u64),
        }
    }

    /// Returns the headers of a few flows, chosen fairly: for each, those of the packet that was seen first.
    pub fn examples(&self) -> impl Iterator<Item = &Headers> {
        self.shown.iter().map(|(_, headers)| headers)
    }
}

/// A number of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flows {
    /// Counted.
    Exactly(u64),
    /// Estimated from a sample, within a few per cent.
    About(u64),
}

impl Flows {
    /// The number, however it was found.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::About(number) => number,
        }
    }
}
