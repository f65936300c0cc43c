//! A part of a packet that knows its place: what one layer passes to the next.

use crate::decap::PacketError;
use crate::reason::DropReason;
use crate::wire::{Layer, LenError};

/// The bytes of a packet from some layer on, as far as they were captured.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    /// The bytes.
    pub(crate) bytes: &'a [u8],
    /// Where they start in the packet.
    pub(crate) offset: usize,
    /// How many more bytes there were before a snap length cut them, by the lengths in the headers.
    pub(crate) missing: usize,
}

impl<'a> Part<'a> {
    /// Makes a part of a whole packet, of which nothing is known to be missing.
    #[inline]
    pub(crate) const fn whole(packet: &'a [u8]) -> Self {
        Self { bytes: packet, offset: 0, missing: 0 }
    }

    /// Splits off a header of `N` bytes.
    #[inline]
    pub(crate) fn split<const N: usize>(
        self,
        layer: Layer,
    ) -> Result<(&'a [u8; N], Self), PacketError> {
        match self.bytes.split_first_chunk() {
            Some((header, bytes)) => Ok((header, Self { bytes, offset: self.offset + N, ..self })),
            None => Err(self.short(DropReason::OuterTruncated, layer, N)),
        }
    }

    /// Skips the first `length` bytes.
    #[inline]
    pub(crate) fn skip(self, layer: Layer, length: usize) -> Result<Self, PacketError> {
        match self.bytes.get(length..) {
            Some(bytes) => Ok(Self { bytes, offset: self.offset + length, ..self }),
            None => Err(self.short(DropReason::OuterTruncated, layer, length)),
        }
    }

    /// Ends the part after `length` bytes, as a header states: bytes behind that are padding, and
    /// bytes that are not there count as missing.
    #[inline]
    pub(crate) fn limit(self, length: usize) -> Self {
        let there = self.bytes.len().min(length);
        Self { bytes: &self.bytes[..there], missing: length - there, ..self }
    }

    /// Returns the error that `layer`, which starts here, needs `required` bytes.
    #[inline]
    pub(crate) const fn short(
        self,
        reason: DropReason,
        layer: Layer,
        required: usize,
    ) -> PacketError {
        let Self { bytes, offset, missing: _ } = self;
        let length = LenError { layer, offset, required, actual: bytes.len() };
        PacketError::Short { reason, length }
    }

    /// Returns the error that `layer`, which starts here, is not received.
    #[inline]
    pub(crate) const fn refused(self, reason: DropReason, layer: Layer) -> PacketError {
        PacketError::Refused { reason, layer, offset: self.offset }
    }
}
