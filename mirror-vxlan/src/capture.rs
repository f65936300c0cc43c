//! Capture files: pcap and pcapng, read and written.
//!
//! The writers are plain encoders into a `Vec<u8>`; what happens to the bytes is the caller's.

#![forbid(unsafe_code)]

pub mod compress;
pub mod pcap;
pub mod pcapng;
pub mod read;

/// The link type of Ethernet, in both formats.
const LINKTYPE_ETHERNET: u16 = 1;
