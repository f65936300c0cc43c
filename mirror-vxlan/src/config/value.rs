//! Values of options: sizes and spans of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The units of sizes, longer names first.
const SIZES: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// The units of time, in milliseconds, longer names first.
const SPANS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A number of bytes, written as `64MiB` or `1GB`; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// Returns the number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Why a text is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is a whole number with a unit, such as 64MiB, 1GiB, 500MB or 4096B")]
pub struct ParseSizeError;

impl FromStr for Size {
    type Err = ParseSizeError;

    fn from_str(text: &str) -> Result<Self, ParseSizeError> {
        let bytes = scaled(text, &SIZES).or_else(|| digits(text)).ok_or(ParseSizeError)?;
        if bytes == 0 { Err(ParseSizeError) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZES[..4].iter().rev().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        let (unit, bytes) = binary.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

/// A span of time, written as `30s`, `5m` or `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// Returns the span.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

/// Why a text is not a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is a whole number with a unit, such as 250ms, 30s, 5m, 1h or 1d")]
pub struct ParseSpanError;

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let milliseconds = scaled(text, &SPANS).ok_or(ParseSpanError)?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

/// The number that a number with a unit stands for.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) =
        units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    digits(number)?.checked_mul(*unit)
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_fits() {
        let bytes = |text: &str| text.parse().map(Size::bytes);
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1GB"), Ok(1_000_000_000));
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("7B"), Ok(7));
        for text in ["", "0", "0MiB", "MiB", "1.5GiB", "-1B", "+1B", "64mib", "99999999TiB", "1 GB"]
        {
            assert_eq!(bytes(text), Err(ParseSizeError), "{text:?}");
        }
    }

    #[test]
    fn a_size_is_shown_as_it_is_read() {
        for text in ["64MiB", "1GiB", "4097B", "3KiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_span_has_a_unit() {
        let span = |text: &str| text.parse().map(Span::duration);
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("0s"), Ok(Duration::ZERO));
        assert_eq!(span("5m"), Ok(Duration::from_secs(300)));
        for text in ["", "5", "s", "1.5s", "5 s", "99999999999999999999d", "18446744073709551615d"]
        {
            assert_eq!(span(text), Err(ParseSpanError), "{text:?}");
        }
    }
}
