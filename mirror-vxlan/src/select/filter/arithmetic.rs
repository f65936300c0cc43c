//! Numbers computed from a frame, as in `ip[2:2] - ((ip[0] & 15) << 2) > 100`.

use super::predicate::{Bytes, Comparison, Place, Predicate, Size};

/// A comparison of two computed numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    /// What must hold for the frame so that the loaded bytes mean something.
    pub(super) guards: Vec<Predicate>,
    pub(super) left: Number,
    pub(super) comparison: Comparison,
    pub(super) right: Number,
}

/// An unsigned 32-bit number with wrapping arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Constant(u32),
    /// The length of the frame on the mirrored interface.
    Length,
    Load {
        base: Place,
        index: Box<Self>,
        size: Size,
    },
    Binary(Operator, Box<[Self; 2]>),
}

/// An operator that combines two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    And,
    Divide,
    Modulo,
    Multiply,
    Or,
    ShiftLeft,
    ShiftRight,
    Subtract,
    Xor,
}

impl Relation {
    pub(super) fn holds(&self, frame: &Bytes<'_>) -> Option<bool> {
        let Self { guards, left, comparison, right } = self;
        for guard in guards {
            if !guard.holds(frame)? {
                return Some(false);
            }
        }
        Some(comparison.holds(left.value(frame)?, right.value(frame)?))
    }
}

impl Number {
    fn value(&self, frame: &Bytes<'_>) -> Option<u32> {
        match self {
            Self::Constant(number) => Some(*number),
            Self::Length => Some(frame.original_len),
            Self::Load { base, index, size } => {
                frame.load(base.base(frame)?, index.value(frame)?, *size)
            }
            Self::Binary(operator, operands) => {
                let [left, right] = &**operands;
                operator.apply(left.value(frame)?, right.value(frame)?)
            }
        }
    }
}

impl Operator {
    /// The result, or `None` for a division by zero, which rejects a frame.
    pub(super) const fn apply(self, left: u32, right: u32) -> Option<u32> {
        match self {
            Self::Add => Some(left.wrapping_add(right)),
            Self::And => Some(left & right),
            Self::Divide => left.checked_div(right),
            Self::Modulo => left.checked_rem(right),
            Self::Multiply => Some(left.wrapping_mul(right)),
            Self::Or => Some(left | right),
            Self::ShiftLeft => Some(if right < u32::BITS { left << right } else { 0 }),
            Self::ShiftRight => Some(if right < u32::BITS { left >> right } else { 0 }),
            Self::Subtract => Some(left.wrapping_sub(right)),
            Self::Xor => Some(left ^ right),
        }
    }
}
