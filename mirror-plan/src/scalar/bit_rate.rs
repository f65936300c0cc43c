//! Bits a second.

use std::fmt;
use std::str::FromStr;

/// A rate in bits a second: `500kbit`, `10mbit`, `2gbit`, as `tc` writes rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BitRate(u64);

/// The units, the greatest first.
const UNITS: [(&str, u64); 4] =
    [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// A text that is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate such as 500kbit, 10mbit or 2gbit")]
pub struct BitRateError(String);

impl BitRate {
    /// The number of bytes in an hour at this rate.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^53 bits, the last one does not matter"
    )]
    pub const fn bytes_per_hour(self) -> f64 {
        self.0 as f64 / 8.0 * 3600.0
    }
}

impl FromStr for BitRate {
    type Err = BitRateError;

    fn from_str(text: &str) -> Result<Self, BitRateError> {
        let wrong = || BitRateError(text.to_owned());
        let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(wrong)?;
        let number: u64 = text[..text.len() - unit.0.len()].parse().map_err(|_| wrong())?;
        number.checked_mul(unit.1).map(Self).ok_or_else(wrong)
    }
}

/// Written in the greatest unit that leaves no remainder.
impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, bits)| self.0.is_multiple_of(*bits));
        let (unit, bits) = unit.expect("every number is so many bits");
        write!(f, "{}{unit}", self.0 / bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written_with_their_unit() {
        for text in ["7bit", "500kbit", "10mbit", "1500kbit", "2gbit"] {
            assert_eq!(text.parse::<BitRate>().unwrap().to_string(), text);
        }
        assert_eq!("1000kbit".parse::<BitRate>().unwrap().to_string(), "1mbit");
        for wrong in ["", "bit", "10", "10 mbit", "1.5gbit", "-1kbit", "99999999999999999gbit"] {
            let said = wrong.parse::<BitRate>().unwrap_err().to_string();
            assert_eq!(said, format!("`{wrong}` is not a rate such as 500kbit, 10mbit or 2gbit"));
        }
        assert!(("8bit".parse::<BitRate>().unwrap().bytes_per_hour() - 3600.0).abs() < 1e-9);
    }
}
