//! The condition that a filter sets for a frame: a tree of comparisons with bytes of it.

use super::arithmetic::Relation;

/// A frame as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) original_len: u32,
}

/// A condition that holds for a frame or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    /// All of them hold; they are tried in order until one does not.
    All(Vec<Self>),
    /// One of them holds; they are tried in order until one does.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A comparison of a number in the frame with a constant.
    Field(Field),
    /// A comparison of two computed numbers.
    Relation(Box<Relation>),
}

/// A comparison of a number in the frame with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) place: Place,
    pub(super) size: Size,
    pub(super) mask: u32,
    pub(super) comparison: Comparison,
    pub(super) value: u32,
}

/// Where in a frame a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This many bytes from the start.
    At(u32),
    /// `offset` bytes behind the end of the IPv4 header, of any length, that starts at `header`.
    BehindIpv4 { header: u32, offset: u32 },
}

/// How many bytes a number has; they are in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Byte,
    Half,
    Word,
}

/// How two numbers compare; they are unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Predicate {
    /// Returns whether it holds, or `None` if that depends on a missing byte.
    pub(super) fn holds(&self, frame: &Bytes<'_>) -> Option<bool> {
        match self {
            Self::All(tests) => {
                for test in tests {
                    if !test.holds(frame)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Self::Any(tests) => {
                for test in tests {
                    if test.holds(frame)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Self::Not(test) => Some(!test.holds(frame)?),
            Self::Field(field) => field.holds(frame),
            Self::Relation(relation) => relation.holds(frame),
        }
    }

    /// Both hold.
    pub(super) fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut tests) => {
                tests.push(other);
                Self::All(tests)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// One of them holds.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut tests) => {
                tests.push(other);
                Self::Any(tests)
            }
            first => Self::Any(vec![first, other]),
        }
    }
}

impl Field {
    fn holds(&self, frame: &Bytes<'_>) -> Option<bool> {
        let number = frame.load(self.place.base(frame)?, 0, self.size)?;
        Some(self.comparison.holds(number & self.mask, self.value))
    }
}

impl Place {
    /// The offset from the start of the frame.
    pub(super) fn base(self, frame: &Bytes<'_>) -> Option<u32> {
        match self {
            Self::At(offset) => Some(offset),
            Self::BehindIpv4 { header, offset } => {
                let words = frame.load(header, 0, Size::Byte)? & 0x0f;
                header.checked_add(4 * words)?.checked_add(offset)
            }
        }
    }
}

impl Bytes<'_> {
    /// Returns the number at `base + index`, a sum that wraps as in the machine of BPF.
    pub(super) fn load(&self, base: u32, index: u32, size: Size) -> Option<u32> {
        let rest = self.bytes.get(base.wrapping_add(index) as usize..)?;
        match size {
            Size::Byte => rest.first().map(|byte| u32::from(*byte)),
            Size::Half => rest.first_chunk().map(|bytes| u32::from(u16::from_be_bytes(*bytes))),
            Size::Word => rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)),
        }
    }
}

impl Comparison {
    pub(super) const fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}
