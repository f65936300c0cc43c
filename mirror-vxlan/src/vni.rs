//! The VXLAN network identifier: which mirror session a frame belongs to.
//!
//! A `Vni` always has 24 bits, by construction: it holds the three bytes from the wire, and a wider
//! number enters only through a checked conversion.

#![forbid(unsafe_code)]

use core::fmt;
use core::str::FromStr;

/// A VXLAN network identifier, held as its three bytes in network order.
///
/// AWS keeps a VNI unique only within one account: a receiver that serves several accounts tells
/// sessions apart by the VNI together with the outer source address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vni([u8; 3]);

impl Vni {
    /// The smallest VNI, zero.
    pub const MIN: Self = Self([0; 3]);

    /// The largest VNI, 16777215.
    pub const MAX: Self = Self([u8::MAX; 3]);

    /// Makes a VNI from its three bytes on the wire; every value is valid.
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    /// Returns the three bytes as they are on the wire.
    pub const fn to_bytes(self) -> [u8; 3] {
        self.0
    }
}

impl From<Vni> for u32 {
    fn from(vni: Vni) -> Self {
        let [high, middle, low] = vni.0;
        Self::from_be_bytes([0, high, middle, low])
    }
}

impl TryFrom<u32> for Vni {
    type Error = VniRangeError;

    fn try_from(number: u32) -> Result<Self, VniRangeError> {
        match number.to_be_bytes() {
            [0, high, middle, low] => Ok(Self([high, middle, low])),
            _ => Err(VniRangeError { number }),
        }
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        u32::from(*self).fmt(f)
    }
}

impl fmt::Debug for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vni({self})")
    }
}

/// Parses what `Display` writes and nothing else: decimal digits, with leading zeros allowed.
///
/// A sign, a blank or a `0x` is refused, so that one session has one spelling in a configuration.
impl FromStr for Vni {
    type Err = ParseVniError;

    fn from_str(text: &str) -> Result<Self, ParseVniError> {
        if text.is_empty() {
            return Err(ParseVniError::Empty);
        }
        if let Some((offset, character)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
            return Err(ParseVniError::NotADigit { character, offset });
        }
        // Digits alone fail to parse only if there are too many, which is out of range as well.
        let number = text.parse::<u32>().map_err(|_| ParseVniError::TooLarge)?;
        Self::try_from(number).map_err(|VniRangeError { .. }| ParseVniError::TooLarge)
    }
}

/// A number that does not fit into 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{number} is not a VNI: the largest is {}", Vni::MAX)]
pub struct VniRangeError {
    /// The number given.
    pub number: u32,
}

/// Why a text is not a VNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseVniError {
    /// The text is empty.
    #[error("a VNI is a decimal number, not an empty text")]
    Empty,
    /// The text contains something other than the digits 0 to 9.
    #[error("a VNI is a decimal number: {character:?} at offset {offset} is not a digit")]
    NotADigit {
        /// The first character that is not a digit.
        character: char,
        /// Its offset, in bytes.
        offset: usize,
    },
    /// The number does not fit into 24 bits.
    #[error("the largest VNI is {}", Vni::MAX)]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vni(number: u32) -> Vni {
        Vni::try_from(number).unwrap()
    }

    #[test]
    fn the_bytes_are_the_number_in_network_order() {
        let vni = Vni::from_bytes([0x54, 0xfa, 0x11]);
        assert_eq!(u32::from(vni), 5_569_041);
        assert_eq!(Vni::try_from(5_569_041), Ok(vni));
        assert_eq!(vni.to_bytes(), [0x54, 0xfa, 0x11]);
    }

    #[test]
    fn a_number_of_25_bits_is_refused() {
        assert_eq!(Vni::try_from(0xff_ffff), Ok(Vni::MAX));
        let error = Vni::try_from(0x100_0000).unwrap_err();
        assert_eq!(error, VniRangeError { number: 0x100_0000 });
        assert_eq!(error.to_string(), "16777216 is not a VNI: the largest is 16777215");
    }

    #[test]
    fn display_pads_and_debug_names_the_type() {
        let text = format!("{0}|{0:>8}|{0:?}", vni(100));
        assert_eq!(text, "100|     100|Vni(100)");
    }

    #[test]
    fn the_order_is_the_order_of_the_numbers() {
        assert!(vni(255) < vni(256));
        assert!(Vni::MIN < vni(1) && vni(0xffff) < Vni::MAX);
    }

    #[test]
    fn a_text_is_read_only_as_display_writes_it() {
        let cases = [
            ("0", Ok(Vni::MIN)),
            ("0042", Ok(vni(42))),
            ("16777215", Ok(Vni::MAX)),
            ("16777216", Err(ParseVniError::TooLarge)),
            ("99999999999999999999", Err(ParseVniError::TooLarge)),
            ("", Err(ParseVniError::Empty)),
            ("+1", Err(ParseVniError::NotADigit { character: '+', offset: 0 })),
            ("12 ", Err(ParseVniError::NotADigit { character: ' ', offset: 2 })),
            ("0x10", Err(ParseVniError::NotADigit { character: 'x', offset: 1 })),
            ("1٣", Err(ParseVniError::NotADigit { character: '٣', offset: 1 })),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Vni>(), expected, "{text:?}");
        }
    }
}
