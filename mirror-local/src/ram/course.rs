//! The course of something that enters a share and leaves it.

use crate::schedule::later;
use crate::world::View;
use jiff::Timestamp;

/// How far an association has progressed, given what both sides have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// The invited account has not answered.
    Asked,
    /// It holds.
    Begun(Timestamp),
    /// The invitation was rejected, or has expired.
    Declined(Timestamp),
    /// It no longer holds.
    Ended(Timestamp),
}

/// The state of an association: AWS RAM API reference, `ResourceShareAssociation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Associating,
    Associated,
    Failed,
    Disassociating,
    Disassociated,
}

impl Course {
    /// Returns the state at the time of a call. For a declined invitation, no document gives it.
    pub(super) fn status(self, view: View<'_>) -> Status {
        match self {
            Self::Asked => Status::Associating,
            Self::Begun(at) if changes(view, at) => Status::Associating,
            Self::Begun(_) => Status::Associated,
            Self::Declined(_) => Status::Failed,
            Self::Ended(at) if changes(view, at) => Status::Disassociating,
            Self::Ended(_) => Status::Disassociated,
        }
    }

    /// Returns when it last changed, if it has since the beginning.
    pub(super) const fn changed(self) -> Option<Timestamp> {
        match self {
            Self::Asked => None,
            Self::Begun(at) | Self::Declined(at) | Self::Ended(at) => Some(at),
        }
    }

    /// Whether it holds or may come to hold.
    pub(super) const fn stands(self) -> bool {
        match self {
            Self::Asked | Self::Begun(_) => true,
            Self::Declined(_) | Self::Ended(_) => false,
        }
    }
}

/// Whether what has changed at a time is still changing.
pub(super) fn changes(view: View<'_>, since: Timestamp) -> bool {
    view.now < later(since, view.settings.durations.resource_share_changing)
}

impl Status {
    /// Returns the word on the wire.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Associating => "ASSOCIATING",
            Self::Associated => "ASSOCIATED",
            Self::Failed => "FAILED",
            Self::Disassociating => "DISASSOCIATING",
            Self::Disassociated => "DISASSOCIATED",
        }
    }
}
