//! Numbers: binary floating point of 512 bits, which is what Terraform calculates with.
//!
//! `0.1 + 0.2` is `0.3`, `1 / 3 * 3` is `1`, and whole numbers of 154 digits are exact. In JSON a number that is not
//! whole has the precision of a double.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, FpResult, Repr};
use dashu_int::ops::{BitTest as _, DivRem as _, UnsignedAbs as _};
use dashu_int::{IBig, Sign, UBig};

/// A number, neither infinite nor minus zero.
///
/// Its magnitude is below 2^16384, which has 4,933 digits; unless it is 0, it is at least 2^-16384.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(Repr<2>);

/// A text that is no number, or one that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It is no number: `ten`, `0x10`.
    #[error("a number is written as digits, as in `10`, `-0.5` or `1e9`")]
    NotANumber,
    /// It is out of the range of a [`Number`].
    #[error("this number is too large or too small")]
    OutOfRange,
}

/// How many bits a result is rounded to.
const BITS: usize = 512;

/// How many bits there are before the point, or behind it up to the first that is set.
const MOST_BITS: isize = 1 << 14;

/// More digits than any number in range has before the point, or zeros behind it.
const MOST_DIGITS: isize = 4_940;

const CONTEXT: Context<HalfEven> = Context::new(BITS);

impl Number {
    fn checked(result: FpResult<FBig<HalfEven, 2>>) -> Option<Self> {
        Self::of(result.ok()?.value().into_repr())
    }

    fn of(repr: Repr<2>) -> Option<Self> {
        if repr.significand().is_zero() {
            return Some(Self(Repr::zero()));
        }
        let number = Self(repr);
        (-MOST_BITS..MOST_BITS).contains(&number.first_bit()).then_some(number)
    }

    /// Returns the sum, rounded to 512 bits; `None` if it is out of range.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Self::checked(CONTEXT.add(&self.0, &other.0))
    }

    /// Returns the difference, rounded to 512 bits; `None` if it is out of range.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        Self::checked(CONTEXT.sub(&self.0, &other.0))
    }

    /// Returns the product, rounded to 512 bits; `None` if it is out of range.
    #[must_use]
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        Self::checked(CONTEXT.mul(&self.0, &other.0))
    }

    /// Returns the quotient, rounded to 512 bits; `None` if it is out of range, or if `other` is 0.
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        Self::checked(CONTEXT.div(&self.0, &other.0))
    }

    /// Returns what is left of it after `other` has been taken away as often as it fits, with the sign that it has;
    /// `None` if `other` is 0.
    #[must_use]
    pub fn checked_rem(&self, other: &Self) -> Option<Self> {
        let times = self.checked_div(other)?.truncated();
        self.checked_sub(&Self::of(times)?.checked_mul(other)?)
    }

    /// Returns the number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        if self.is_zero() { self.clone() } else { Self(-self.0.clone()) }
    }

    /// Returns it without what is behind the point.
    fn truncated(&self) -> Repr<2> {
        let exponent = self.0.exponent();
        if exponent >= 0 {
            return self.0.clone();
        }
        let (sign, magnitude) = self.0.significand().clone().into_parts();
        Repr::new(IBig::from_parts(sign, magnitude >> exponent.unsigned_abs()), 0)
    }

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.significand().is_zero()
    }

    /// Whether it is less than 0.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.significand().sign() == Sign::Negative
    }

    /// Returns it if it is whole; `None` if there is anything behind the point.
    pub(crate) fn to_integer(&self) -> Option<IBig> {
        let exponent = usize::try_from(self.0.exponent()).ok()?;
        Some(self.0.significand().clone() << exponent)
    }

    /// Returns it if it is whole and fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.to_integer()?.try_into().ok()
    }

    /// Returns the double next to it: an infinite one if it is too large.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().value()
    }

    /// Returns the position of its first bit that is set, counted from the point.
    fn first_bit(&self) -> isize {
        let bits = self.magnitude().bit_len();
        self.0.exponent().saturating_add_unsigned(bits) - 1
    }
}

/// The digits of numbers.
impl Number {
    /// Returns its magnitude with so many digits behind the point: `0.10`.
    pub(crate) fn fixed(&self, places: usize) -> String {
        let power = -isize::try_from(places).unwrap_or(isize::MAX);
        positional(&self.nearest(power).to_string(), power)
    }

    /// Returns its magnitude as one digit, the others behind the point, and the power of ten: `1.25e-3`.
    ///
    /// There are so many digits, at least one, or as many as tell it from other numbers.
    pub(crate) fn scientific(&self, digits: Option<usize>) -> String {
        let (digits, power) = match digits {
            Some(number) => self.rounded(number.max(1)),
            None => self.shortest(),
        };
        let power = power.saturating_add_unsigned(digits.len()) - 1;
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{power}")
    }

    /// Returns the fewest digits that tell its magnitude from those of its neighbors, and the power of ten of the last one.
    fn shortest(&self) -> (String, isize) {
        // So many decimal digits tell all numbers of 512 bits apart.
        let (mut few, mut enough) = (1, 156);
        while few < enough {
            let middle = usize::midpoint(few, enough);
            let (digits, power) = self.rounded(middle);
            if self.is_told_by(&digits, power) { enough = middle } else { few = middle + 1 }
        }
        let (digits, power) = self.rounded(few);
        let shown = digits.trim_end_matches('0');
        if shown.is_empty() {
            return ("0".to_owned(), 0);
        }
        (shown.to_owned(), power.saturating_add_unsigned(digits.len() - shown.len()))
    }

    /// Returns so many digits of its magnitude, and the power of ten of the last one.
    fn rounded(&self, number: usize) -> (String, isize) {
        if self.is_zero() {
            return ("0".repeat(number), 1_isize.saturating_sub_unsigned(number));
        }
        // A bit is worth some 0.30103 digits; this is at most one off.
        let first = self.first_bit() * 30_103 / 100_000;
        let mut power = first + 1 - isize::try_from(number).unwrap_or(isize::MAX);
        loop {
            let digits = self.nearest(power).to_string();
            match digits.len().cmp(&number) {
                Ordering::Less => power -= 1,
                Ordering::Equal => return (digits, power),
                Ordering::Greater => power += 1,
            }
        }
    }

    /// Returns how many times this power of ten its magnitude is, rounded; halves are rounded to an even number.
    fn nearest(&self, power: isize) -> UBig {
        let (up, down) = (ten_to(-power), ten_to(power));
        let exponent = self.0.exponent();
        let magnitude = self.magnitude() * up;
        let numerator = magnitude << usize::try_from(exponent).unwrap_or(0);
        let denominator = down << usize::try_from(-exponent).unwrap_or(0);
        let (whole, rest) = (&numerator).div_rem(&denominator);
        let is_odd = whole.bit(0);
        match (rest << 1_usize).cmp(&denominator) {
            Ordering::Greater => whole + UBig::ONE,
            Ordering::Equal if is_odd => whole + UBig::ONE,
            Ordering::Equal | Ordering::Less => whole,
        }
    }

    /// Whether these digits are read as its magnitude.
    fn is_told_by(&self, digits: &str, power: isize) -> bool {
        let read = format!("{digits}e{power}").parse::<Self>();
        let parts = |number: &Self| (number.magnitude(), number.0.exponent());
        read.is_ok_and(|read| parts(&read) == parts(self))
    }

    /// Returns its significant bits as a whole number, without its sign and its power of two.
    fn magnitude(&self) -> UBig {
        self.0.significand().clone().unsigned_abs()
    }
}

/// Ten to this power, or 1 if it is negative.
fn ten_to(power: isize) -> UBig {
    UBig::from(10_u8).pow(usize::try_from(power).unwrap_or(0))
}

/// Digits without an exponent: `0.0125` for 125 and -4.
fn positional(digits: &str, power: isize) -> String {
    let Ok(places) = usize::try_from(-power) else {
        return format!("{digits}{}", "0".repeat(power.unsigned_abs()));
    };
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

/// The fewest digits that tell it from other numbers, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(whole) = self.to_i64() {
            return write!(f, "{whole}");
        }
        let minus = if self.is_negative() { "-" } else { "" };
        let (digits, power) = self.shortest();
        write!(f, "{minus}{}", positional(&digits, power))
    }
}

/// Digits, with a sign, a point and an exponent if it has them, rounded to 512 bits: `-0.5`, `1e9`.
impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (Sign::Negative, rest),
            None => (Sign::Positive, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{rest}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::NotANumber);
        }
        let power = exponent.saturating_sub_unsigned(rest.len());
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self(Repr::zero()));
        }
        let first = power.saturating_add_unsigned(digits.len());
        if !(-MOST_DIGITS..MOST_DIGITS).contains(&first) {
            return Err(NumberError::OutOfRange);
        }
        let magnitude: UBig = digits.parse().map_err(|_| NumberError::NotANumber)?;
        let whole = |number: UBig| Repr::new(IBig::from_parts(sign, number), 0);
        let divisor = Repr::new(ten_to(-power).into(), 0);
        let number = CONTEXT.div(&whole(magnitude * ten_to(power)), &divisor);
        Self::checked(number).ok_or(NumberError::OutOfRange)
    }
}

fn exponent_of(text: &str) -> Result<isize, NumberError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    text.parse().map_err(|_| NumberError::OutOfRange)
}

macro_rules! from_integers {
    ($($integer:ty),+) => {$(
        impl From<$integer> for Number {
            fn from(number: $integer) -> Self {
                Self(Repr::new(number.into(), 0))
            }
        }
    )+};
}

from_integers!(i64, u64);

/// A whole number as one, without `.0`, as every reader of JSON expects, if it fits 64 bits; any other as a double.
impl From<&Number> for serde_json::Value {
    fn from(number: &Number) -> Self {
        let whole = number.to_integer();
        let signed = whole.clone().and_then(|it| i64::try_from(it).ok()).map(Self::from);
        let unsigned = || whole.and_then(|it| u64::try_from(it).ok()).map(Self::from);
        signed.or_else(unsigned).unwrap_or_else(|| number.to_f64().into())
    }
}

/// A double is read as what is written for it: `0.1`.
impl TryFrom<&serde_json::Number> for Number {
    type Error = NumberError;

    fn try_from(number: &serde_json::Number) -> Result<Self, NumberError> {
        number.to_string().parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_are_what_they_are_in_terraform() {
        assert_eq!(number("0.1").checked_add(&number("0.2")), Some(number("0.3")));
        assert_eq!(number("0.7").checked_add(&number("0.1")), Some(number("0.8")));
        assert_eq!(number("100").checked_mul(&number("1.1")), Some(number("110")));
        let third = number("1").checked_div(&number("3")).unwrap();
        assert_eq!(third.checked_mul(&number("3")), Some(number("1")));
        // A product has rounded factors there, too.
        assert_ne!(number("1.1").checked_mul(&number("1.1")), Some(number("1.21")));
    }

    #[test]
    fn what_is_left_has_the_sign_of_what_is_divided() {
        for (a, b, left) in
            [("7", "3", "1"), ("-7", "3", "-1"), ("7", "-3", "1"), ("0.5", "0.2", "0.1")]
        {
            let left_over = number(a).checked_rem(&number(b)).unwrap();
            assert_eq!(left_over.to_f64(), left.parse::<f64>().unwrap(), "{a} % {b}");
        }
        assert_eq!(number("5").checked_rem(&number("0")), None);
        assert_eq!(number("5").checked_div(&number("0")), None);
    }

    #[test]
    fn a_number_is_written_as_short_as_can_be() {
        for (text, written) in [
            ("0", "0"),
            ("-0", "0"),
            ("+5", "5"),
            ("5.", "5"),
            (".5", "0.5"),
            ("0.10", "0.1"),
            ("-12.50", "-12.5"),
            ("1e3", "1000"),
            ("1E-3", "0.001"),
            ("18446744073709551616", "18446744073709551616"),
            ("1e30", "1000000000000000000000000000000"),
            ("0.3333333333333333333333", "0.3333333333333333333333"),
        ] {
            assert_eq!(number(text).to_string(), written);
        }
        let third = number("1").checked_div(&number("3")).unwrap().to_string();
        assert_eq!(third, format!("0.{}5", "3".repeat(154)));
    }

    #[test]
    fn what_is_no_number_or_out_of_range_is_refused() {
        for text in
            ["", "-", ".", "e5", "1e", "1e+", "--1", "0x10", "1_000", "inf", "NaN", "1 ", "١"]
        {
            assert_eq!(text.parse::<Number>(), Err(NumberError::NotANumber), "{text:?}");
        }
        for text in ["1e5000", "1e-5000", "1e999999999999", "1e99999999999999999999"] {
            assert_eq!(text.parse::<Number>(), Err(NumberError::OutOfRange), "{text:?}");
        }
        assert_eq!(number("0e99999"), number("0"));
        let most = number("1e4900");
        assert_eq!(most.checked_mul(&most), None);
        assert_eq!(number("1e-4900").checked_div(&most), None);
    }

    #[test]
    fn digits_are_rounded_to_the_nearest_and_halves_to_even() {
        let fixed = |text: &str, places| number(text).fixed(places);
        for (text, places, written) in [
            ("2.345", 2, "2.34"), // just below, as in Terraform
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("2.5", 0, "2"),
            ("0.125", 2, "0.12"),
            ("9.999", 2, "10.00"),
            ("1e-9", 3, "0.000"),
            ("1e20", 1, "100000000000000000000.0"),
            ("0", 2, "0.00"),
        ] {
            assert_eq!(fixed(text, places), written, "{text}");
        }
        let scientific = |text: &str, digits| number(text).scientific(digits);
        for (text, digits, written) in [
            ("12.5", None, "1.25e1"),
            ("0", None, "0e0"),
            ("0", Some(3), "0.00e0"),
            ("1000", None, "1e3"),
            ("0.00125", Some(2), "1.2e-3"),
            ("9.999", Some(3), "1.00e1"),
            ("1e100", Some(1), "1e100"),
        ] {
            assert_eq!(scientific(text, digits), written, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(a in any::<i64>(), b in 1_i64.., e in -4000_i32..4000) {
            let quotient = Number::from(a).checked_div(&Number::from(b)).unwrap();
            let scaled = quotient.checked_mul(&number(&format!("1e{e}"))).unwrap();
            prop_assert_eq!(number(&scaled.to_string()), scaled);
        }

        #[test]
        fn a_double_keeps_its_value_and_its_text(double in any::<f64>().prop_filter("it is finite", |it| it.is_finite())) {
            let read = number(&double.to_string());
            prop_assert_eq!(read.to_f64(), double);
            prop_assert_eq!(read.to_string(), (double + 0.0).to_string());
        }

        /// The nearest number of 512 bits: the difference, times two, is at most its last bit.
        #[test]
        fn what_is_read_is_the_nearest(digits in 1_u64.., power in 1_usize..600) {
            let read = number(&format!("{digits}e-{power}"));
            let bits = read.magnitude().bit_len();
            let last = read.0.exponent() - isize::try_from(BITS - bits).unwrap();
            // All of it times ten to the power, and two to the exponent of half the last bit.
            let up = usize::try_from(1 - last).unwrap();
            let meant = UBig::from(digits) << up;
            let shift = usize::try_from(read.0.exponent() + 1 - last).unwrap();
            let is = (read.magnitude() << shift) * ten_to(isize::try_from(power).unwrap());
            let difference = if meant > is { meant - is } else { is - meant };
            prop_assert!(difference <= ten_to(isize::try_from(power).unwrap()));
        }
    }
}
