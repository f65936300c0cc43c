//! The receiving end of AWS VPC Traffic Mirroring: VXLAN datagrams in, mirrored frames out.
//!
//! A mirror session copies what an elastic network interface sends and receives, wraps every
//! frame in VXLAN (RFC 7348) and sends it to UDP port 4789 of the mirror target. This crate holds
//! the wire format: [`wire::parse`] takes the payload of such a datagram and lends back the
//! mirrored frame with the [`Vni`] of its session.
//!
//! ```
//! use mirror_vxlan::{Vni, wire};
//!
//! // A UDP payload as AWS sends it: the I flag, a VNI between reserved zeros, then the frame.
//! let payload = [
//!     0x08, 0, 0, 0, 0x54, 0xfa, 0x11, 0, // VXLAN
//!     2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, // Ethernet
//! ];
//!
//! let datagram = wire::parse(&payload)?;
//! assert_eq!(datagram.header.vni, Vni::try_from(5_569_041)?);
//! assert!(datagram.header.reserved.is_zero());
//! assert_eq!(datagram.frame, &payload[wire::HEADER_LEN..]);
//!
//! // And the way back, into a buffer of the caller's.
//! let mut buffer = [0; 64];
//! assert_eq!(datagram.emit(&mut buffer)?, payload);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Bytes go in, borrowed slices come out. Nothing in [`wire`] and [`decap`] performs I/O, allocates
//! on success or failure, or panics, whatever the bytes are.

#![cfg_attr(not(feature = "std"), no_std)]

pub mod decap;
pub mod flow;
pub mod frame;
mod label;
pub mod reason;
mod time;
mod vni;
pub mod wire;

#[cfg(feature = "std")]
pub mod batch;
#[cfg(feature = "std")]
pub mod capture;
#[cfg(all(feature = "program", target_os = "linux"))]
pub mod check;
#[cfg(feature = "std")]
pub mod clock;
#[cfg(feature = "program")]
pub mod config;
#[cfg(feature = "std")]
pub mod count;
#[cfg(feature = "program")]
pub mod health;
#[cfg(feature = "std")]
pub mod input;
#[cfg(feature = "program")]
pub mod metrics;
#[cfg(feature = "std")]
pub mod offline;
#[cfg(all(feature = "program", target_os = "linux"))]
pub mod privilege;
#[cfg(feature = "std")]
mod queue;
#[cfg(feature = "std")]
pub mod receive;
#[cfg(feature = "std")]
pub mod select;
#[cfg(feature = "std")]
pub mod session;
#[cfg(feature = "std")]
pub mod sink;
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod socket;
#[cfg(feature = "program")]
pub mod summary;

#[cfg(feature = "upload")]
pub mod upload;

pub use time::Timestamp;
pub use vni::{ParseVniError, Vni, VniRangeError};

// The examples in the book run with this crate's own.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/receiver.md")]
#[doc = include_str!("../../docs/src/receiver/handover.md")]
struct TheBook;
