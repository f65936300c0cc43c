//! Marks: what happens to a box, or in it, as a word and in colors.

use crate::plan::Action;

/// What happens to what a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It gets another address.
    Move,
    /// It is replaced by a new one.
    Replace,
    /// It is deleted.
    Delete,
    /// The box does not stand for an object: mirrored packets are lost here.
    Stopped,
}

impl Mark {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Move, Self::Replace, Self::Delete, Self::Stopped];

    /// The mark of an action; `None` for one that does nothing.
    #[must_use]
    pub const fn of(action: Action) -> Option<Self> {
        match action {
            Action::NoOp => None,
            Action::Move => Some(Self::Move),
            Action::Create => Some(Self::Create),
            Action::Update => Some(Self::Update),
            Action::Replace(_) => Some(Self::Replace),
            Action::Delete => Some(Self::Delete),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Move => "move",
            Self::Replace => "replace",
            Self::Delete => "destroy",
            Self::Stopped => "stopped",
        }
    }

    /// Its color on white paper.
    pub(super) const fn fill(self) -> &'static str {
        match self {
            Self::Create => "#dafbe1",
            Self::Update => "#fff8c5",
            Self::Move => "#ddf4ff",
            Self::Replace => "#fbefff",
            Self::Delete | Self::Stopped => "#ffebe9",
        }
    }

    /// The color of its border; text in this color is readable on [`fill`](Self::fill).
    pub(super) const fn stroke(self) -> &'static str {
        match self {
            Self::Create => "#1a7f37",
            Self::Update => "#9a6700",
            Self::Move => "#0969da",
            Self::Replace => "#8250df",
            Self::Delete | Self::Stopped => "#cf222e",
        }
    }
}
