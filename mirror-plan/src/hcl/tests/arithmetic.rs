//! Arithmetic, compared with fractions, which are exact.

use dashu_int::ops::{Abs as _, UnsignedAbs as _};
use dashu_int::{IBig, UBig};
use proptest::prelude::*;

use super::evaluate;

/// Arithmetic with its own way of computing the result.
#[derive(Clone, Debug)]
enum Sum {
    Number(i16),
    Negative(Box<Self>),
    Operation(Box<Self>, char, Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>, Box<Self>),
}

/// A fraction.
#[derive(Clone, Debug)]
struct Fraction {
    above: IBig,
    /// Not zero.
    below: UBig,
    made: Made,
}

/// What a fraction was calculated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// Whole numbers, which are never rounded; it is one itself.
    Exactly,
    /// Quotients, which may be.
    Roughly,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nothing {
    DivisionByZero,
    /// It depends on how a result on the way was rounded.
    Undecided,
}

impl Fraction {
    fn of(above: IBig, below: IBig, made: Made) -> Self {
        let sign = if below < IBig::ZERO { IBig::NEG_ONE } else { IBig::ONE };
        Self { above: above * sign, below: below.unsigned_abs(), made }
    }

    fn below(&self) -> IBig {
        self.below.clone().into()
    }

    /// The difference of two, multiplied by their denominators.
    fn beyond(&self, other: &Self) -> IBig {
        &self.above * other.below() - &other.above * self.below()
    }

    fn combined(&self, operator: char, other: &Self) -> Result<Self, Nothing> {
        let made = match (self.made, other.made) {
            (Made::Exactly, Made::Exactly) => Made::Exactly,
            _ => Made::Roughly,
        };
        let below = self.below() * other.below();
        let is_zero = other.above == IBig::ZERO;
        let is_tiny = other.above.clone().abs() * IBig::from(TEN.pow(40)) < other.below();
        match operator {
            '+' => {
                Ok(Self::of(&self.above * other.below() + &other.above * self.below(), below, made))
            }
            '-' => Ok(Self::of(self.beyond(other), below, made)),
            '*' => Ok(Self::of(&self.above * &other.above, below, made)),
            _ if is_zero && other.made == Made::Exactly => Err(Nothing::DivisionByZero),
            // What is nearly zero is divided by only if it is zero itself.
            _ if is_tiny => Err(Nothing::Undecided),
            '/' => Ok(Self::of(
                &self.above * other.below(),
                self.below() * &other.above,
                Made::Roughly,
            )),
            _ if made == Made::Exactly => Ok(Self::of(&self.above % &other.above, IBig::ONE, made)),
            _ => Err(Nothing::Undecided),
        }
    }
}

const TEN: UBig = UBig::from_word(10);

impl Sum {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => format!("({number})"),
            Self::Negative(inner) => format!("(-{})", inner.text()),
            Self::Operation(a, operator, b) => format!("({} {operator} {})", a.text(), b.text()),
            Self::Choice(a, b, c, d) => {
                format!("({} < {} ? {} : {})", a.text(), b.text(), c.text(), d.text())
            }
        }
    }

    fn result(&self) -> Result<Fraction, Nothing> {
        match self {
            Self::Number(number) => Ok(Fraction::of((*number).into(), IBig::ONE, Made::Exactly)),
            Self::Negative(inner) => {
                let Fraction { above, below, made } = inner.result()?;
                Ok(Fraction { above: -above, below, made })
            }
            Self::Operation(a, operator, b) => a.result()?.combined(*operator, &b.result()?),
            Self::Choice(a, b, c, d) => {
                let (a, b) = (a.result()?, b.result()?);
                let beyond = a.beyond(&b);
                if beyond == IBig::ZERO && (a.made, b.made) != (Made::Exactly, Made::Exactly) {
                    return Err(Nothing::Undecided);
                }
                if beyond < IBig::ZERO { c.result() } else { d.result() }
            }
        }
    }
}

fn sum() -> impl Strategy<Value = Sum> {
    let leaf = any::<i16>().prop_map(Sum::Number);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let operator = prop_oneof![Just('+'), Just('-'), Just('*'), Just('/'), Just('%')];
        prop_oneof![
            boxed().prop_map(Sum::Negative),
            (boxed(), operator, boxed()).prop_map(|(a, o, b)| Sum::Operation(a, o, b)),
            (boxed(), boxed(), boxed(), boxed()).prop_map(|(a, b, c, d)| Sum::Choice(a, b, c, d)),
        ]
    })
}

/// Reads what is shown.
fn shown(text: &str) -> Fraction {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let above: IBig = format!("{whole}{rest}").parse().expect("it is a number");
    Fraction::of(above, TEN.pow(rest.len()).into(), Made::Roughly)
}

proptest! {
    /// What nothing was divided for is exact, and the rest is right to 60 digits.
    #[test]
    fn arithmetic_is_right(sum in sum()) {
        let text = evaluate(&sum.text());
        match sum.result() {
            Ok(result) if result.made == Made::Exactly => prop_assert_eq!(text, result.above.to_string()),
            Ok(result) => {
                let apart = shown(&text).beyond(&result).abs() * IBig::from(TEN.pow(60));
                let whole = (result.above.clone().abs() + result.below()) * shown(&text).below();
                prop_assert!(apart <= whole, "{text} for {result:?}");
            }
            Err(Nothing::DivisionByZero) => prop_assert!(text.contains("division by zero"), "{text}"),
            Err(Nothing::Undecided) => {}
        }
    }
}
