//! The error of a refused packet: the reason, and its place in the packet.

use crate::reason::DropReason;
use crate::wire::{Layer, LenError};

/// Why a packet gave no frame, and the place in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// A layer needs more bytes than there are.
    #[error("{reason}: {length}")]
    Short {
        /// The counter that it belongs to.
        reason: DropReason,
        /// What is missing, with its place in the whole packet.
        length: LenError,
    },
    /// A layer is complete, but contains something that is not received.
    #[error("{reason}: the {layer} at offset {offset} is refused")]
    Refused {
        /// The counter that it belongs to.
        reason: DropReason,
        /// The layer that contains it.
        layer: Layer,
        /// Where that layer starts in the packet.
        offset: usize,
    },
}

impl PacketError {
    /// Returns the counter that the packet belongs to.
    pub const fn reason(&self) -> DropReason {
        match self {
            Self::Short { reason, .. } | Self::Refused { reason, .. } => *reason,
        }
    }
}
