//! Counts and numbers for many objects at once: how many are expected, and which number each gets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{ScalarError, text_attributes};
use crate::address::serde_as_text;
use crate::attribute::{AttributeType, ProblemSort, Problems, Type};
use crate::value::{Path, Value};

/// What stands between the ends of a range.
const TO: &str = "..";

text_attributes! {
    CountRange: "a range of counts, such as 4..200 or 4..";
}
serde_as_text!(CountRange);

/// A range of counts: `4..200` with both ends included, `4..` without an upper end, or just `4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountRange {
    least: usize,
    most: Option<usize>,
}

impl CountRange {
    /// Any count, including zero.
    pub const ANY: Self = Self { least: 0, most: None };

    /// Whether the range includes `count`.
    #[must_use]
    pub fn holds(self, count: usize) -> bool {
        self.least <= count && self.most.is_none_or(|most| count <= most)
    }
}

impl fmt::Display for CountRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most } = self;
        match most {
            Some(most) if most == least => write!(f, "{least}"),
            Some(most) => write!(f, "{least}{TO}{most}"),
            None => write!(f, "{least}{TO}"),
        }
    }
}

impl FromStr for CountRange {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let wrong = || ScalarError(format!("`{text}` is not a range such as 4..200 or 4.."));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse().map_err(|_| wrong()) } else { Err(wrong()) }
        };
        let (least, most) = text.split_once(TO).unwrap_or((text, text));
        let least = number(least)?;
        let most = if most.is_empty() { None } else { Some(number(most)?) };
        if most.is_some_and(|most| most < least) {
            return Err(ScalarError(format!("`{text}` ends before it begins")));
        }
        Ok(Self { least, most })
    }
}

/// The number that each of many objects gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Allotment<T> {
    /// The same for all.
    Same(T),
    /// A different one for each, from this range, both ends included: `4096..8191`.
    Each {
        /// The lowest.
        first: T,
        /// The highest.
        last: T,
    },
}

impl<T: fmt::Display> fmt::Display for Allotment<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(number) => write!(f, "{number}"),
            Self::Each { first, last } => write!(f, "{first}{TO}{last}"),
        }
    }
}

impl<T: AttributeType + Copy + Ord + fmt::Display> AttributeType for Allotment<T> {
    const TYPE: Type = T::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let ends = match value {
            Value::String(text) => text.split_once(TO),
            _ => None,
        };
        let Some((first, last)) = ends else {
            return T::read(value, at, problems).map(Self::Same);
        };
        let mut end = |text: &str| T::read(&Value::String(text.to_owned()), at, problems);
        let (first, last) = (end(first), end(last));
        let (first, last) = (first?, last?);
        if last < first {
            problems.add(ProblemSort::Value, at, format!("{value} ends before it begins"));
            return None;
        }
        Some(Self::Each { first, last })
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Same(number) => number.to_value(),
            Self::Each { .. } => Value::String(self.to_string()),
        }
    }
}

impl<T: AttributeType + Copy + Ord + fmt::Display> Serialize for Allotment<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de, T: AttributeType + Copy + Ord + fmt::Display> Deserialize<'de> for Allotment<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let mut problems = Problems::default();
        Self::read(&value, &Path::default(), &mut problems).ok_or_else(|| {
            let titles = problems.into_inner().into_iter().map(|problem| problem.title);
            serde::de::Error::custom(titles.collect::<Vec<_>>().join("; "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::SessionNumber;

    #[test]
    fn counts_are_in_a_range_with_or_without_an_end() {
        let range = |text: &str| text.parse::<CountRange>().map_err(|error| error.to_string());
        let (open, closed) = (range("4..").unwrap(), range("4..200").unwrap());
        assert_eq!([3, 4, 200, 201].map(|n| closed.holds(n)), [false, true, true, false]);
        assert_eq!([3, 4, 201].map(|n| open.holds(n)), [false, true, true]);
        assert_eq!((closed.to_string(), open.to_string()), ("4..200".into(), "4..".into()));
        assert_eq!([3, 4, 5].map(|n| range("4").unwrap().holds(n)), [false, true, false]);
        assert_eq!(range("4..4").unwrap().to_string(), "4");
        assert_eq!(range("5..4").unwrap_err(), "`5..4` ends before it begins");
        for wrong in
            ["", "x", "..", "..4", "-1..4", "4...5", "4..+5", "a..b", "4..99999999999999999999"]
        {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_is_for_all_and_a_range_is_for_each() {
        let read = |value: Value| {
            let mut problems = Problems::default();
            let read = Allotment::<SessionNumber>::read(&value, &Path::default(), &mut problems);
            let titles = problems.into_inner().into_iter().map(|problem| problem.title);
            read.ok_or_else(|| titles.collect::<Vec<_>>())
        };
        let number = |number| SessionNumber::new(number).unwrap();
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(read(Value::integer(7)), Ok(Allotment::Same(number(7))));
        let each = Allotment::Each { first: number(1), last: number(9) };
        assert_eq!(read(text("1..9")), Ok(each));
        assert_eq!(read(each.to_value()), Ok(each));
        assert_eq!(read(text("9..1")).unwrap_err(), ["\"9..1\" ends before it begins"]);
        assert_eq!(
            read(text("0..40000")).unwrap_err(),
            ["0 is not between 1 and 32766", "40000 is not between 1 and 32766"]
        );
        assert!(read(text("..9")).is_err() && read(text("1..")).is_err());
    }
}
