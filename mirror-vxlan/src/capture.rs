//! Capture files: pcap and pcapng, read and written.
//!
//! The writers are plain encoders into a `Vec<u8>`; what happens to the bytes is the caller's.

#![forbid(unsafe_code)]

pub mod compress;
pub mod pcap;
pub mod pcapng;
pub mod read;

/// A format of capture files that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The classic format with times in nanoseconds; it does not tell sessions apart.
    Pcap,
    /// Blocks: each session is an interface with a name, and drops are told.
    Pcapng,
}

/// The link type of Ethernet, in both formats.
const LINKTYPE_ETHERNET: u16 = 1;
