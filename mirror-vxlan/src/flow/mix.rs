//! The multiplication that spreads the bits of hashes.

/// Numbers without structure: the first bits of the fraction of pi.
pub(super) const SPREAD: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89];

/// Multiplies to the full width and folds the halves, so that each bit of the result depends on all
/// bits.
#[inline]
pub(super) const fn mix(a: u64, b: u64) -> u64 {
    let [upper, lower] = halves((a as u128) * (b as u128));
    upper ^ lower
}

/// The upper and the lower half of a number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it splits numbers into their halves")]
pub(super) const fn halves(number: u128) -> [u64; 2] {
    [(number >> 64) as u64, number as u64]
}
