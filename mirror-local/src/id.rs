//! Ids in AWS's format, drawn in an order that is the same every time.
//!
//! Each kind has its own sequence, so that creating a subnet does not change the id that the next
//! instance gets: two histories that differ only in what ran concurrently give the same ids.

use crate::table::{Kind, Row};
use crate::world::Region;
use serde::{Deserialize, Serialize};

/// How many ids of a kind have been drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Counter(u64);

impl Row for Counter {
    const KIND: Kind = Kind::INTERNAL;
}

impl Region {
    /// Draws an id such as `vpc-0123456789abcdef0`.
    pub(crate) fn draw_id(&mut self, prefix: &str) -> String {
        format!("{prefix}0{:016x}", self.draw(prefix))
    }

    /// Draws an id of the shape of a UUID.
    pub(crate) fn draw_uuid(&mut self, sequence: &str) -> String {
        uuid(self.draw(sequence), self.draw(sequence))
    }

    /// Draws a number from the sequence of the given name.
    pub(crate) fn draw(&mut self, sequence: &str) -> u64 {
        let drawn = self.counters.get(sequence).copied().unwrap_or_default().0 + 1;
        self.counters.insert(sequence, Counter(drawn));
        let place = self.place().to_string();
        let start = hash(self.seed, &[&place, sequence]);
        mix(start.wrapping_add(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

/// Returns the id of something that AWS offers, which is the same in every world.
pub(crate) fn fixed_id(prefix: &str, (region, name): (&str, &str)) -> String {
    format!("{prefix}0{:016x}", mix(hash(0, &[prefix, region, name])))
}

/// FNV-1a over several texts.
fn hash(seed: u64, texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns the id of the n-th call of a world.
pub(crate) fn request_id(seed: u64, call: u64) -> String {
    let high = mix(seed ^ mix(call.wrapping_mul(2)));
    let low = mix(seed ^ mix(call.wrapping_mul(2).wrapping_add(1)));
    uuid(high, low)
}

/// Writes two numbers in the shape of a random UUID.
fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// The finaliser of SplitMix64: similar numbers in, unrelated numbers out.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_repeatable_sequence() {
        let (mut a, mut b) = (Region::default(), Region::default());
        let first = a.draw_id("vpc-");
        b.draw_id("subnet-");
        assert_eq!(first, b.draw_id("vpc-"));
        assert_ne!(first, a.draw_id("vpc-"));
        assert_eq!(first.len(), "vpc-".len() + 17);
    }
}
