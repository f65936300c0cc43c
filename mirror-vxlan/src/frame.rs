//! A mirrored frame and the session that it belongs to: what the receiver is about.

#![forbid(unsafe_code)]

use core::net::IpAddr;

use crate::{Timestamp, Vni};

/// What tells mirror sessions apart on one receiver.
///
/// AWS keeps a VNI unique only within one account, so that the address of the mirrored interface
/// belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The session's VXLAN network identifier.
    pub vni: Vni,
    /// The outer source address: the primary address of the mirrored network interface.
    pub source: IpAddr,
}

/// One mirrored Ethernet frame, lent by the input or by a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the packet that carried it was received.
    pub time: Timestamp,
    /// The session that mirrored it.
    pub session: Session,
    /// The frame without its frame check sequence, as far as it came.
    pub bytes: &'a [u8],
    /// How long the frame was on the mirrored interface, in bytes; never less than `bytes` is.
    ///
    /// It is more where the packet length of the session, or a snap length, cut the frame.
    pub original_len: u32,
}
