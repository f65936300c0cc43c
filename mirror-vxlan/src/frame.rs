//! A mirrored frame and the session that it belongs to, the central types of the receiver.

#![forbid(unsafe_code)]

use core::net::IpAddr;

use crate::{Timestamp, Vni};

/// The identity of a mirror session on one receiver.
///
/// AWS keeps a VNI unique only within one account, so the address of the mirrored interface is part
/// of the identity.
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
    /// The bytes of the frame that arrived, without its frame check sequence.
    pub bytes: &'a [u8],
    /// The length of the frame on the mirrored interface, in bytes; never less than that of `bytes`.
    ///
    /// It is more if the packet length of the session, or a snap length, cut the frame.
    pub original_len: u32,
}
