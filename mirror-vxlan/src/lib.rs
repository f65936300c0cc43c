//! The receiving end of AWS VPC Traffic Mirroring: VXLAN datagrams in, mirrored frames out.
//!
//! A mirror session copies what an elastic network interface sends and receives, wraps every
//! frame in VXLAN (RFC 7348) and sends it to UDP port 4789 of the mirror target. This crate
//! implements the wire format: [`wire::parse`] takes the payload of such a datagram and returns a
//! borrowed mirrored frame with the [`Vni`] of its session.
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
//! Bytes go in, borrowed slices come out. Nothing in [`wire`], [`decap`] and [`flow`] performs I/O,
//! allocates on success or failure, or panics, whatever the bytes are; they need no standard
//! library.
//!
//! # A receiver
//!
//! The other modules, with the feature `std`, are the parts of a receiver. Packets come from an
//! [`Input`](input::Input): the network ([`input::live`]), or a capture file
//! ([`capture::read`]). [`receive`] takes the frames out of them, [`select`] decides which are wanted,
//! and any number of [sinks](sink) deliver those: to capture files, a TAP device, a pipe, other
//! receivers, or a [`Sink`](sink::Sink) of your own. [`count`] keeps the account, in which no packet
//! is missing.
//!
//! ```no_run
//! use mirror_vxlan::decap::Decapsulator;
//! use mirror_vxlan::input::live::{LiveOptions, Method, open};
//! use mirror_vxlan::receive::{Everything, Receiver};
//! use mirror_vxlan::sink::PcapStream;
//!
//! let mut receiver = Receiver::new(Decapsulator::default(), Everything);
//! for input in open(&LiveOptions::default(), Method::Best)?.inputs {
//!     receiver = receiver.input("network", input);
//! }
//! let account = receiver.sink("screen", PcapStream::stdout()?).start()?.join();
//! assert!(account.balances());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The feature `program` adds what else the program `mirror-vxlan` needs: options, health, metrics,
//! and giving up privileges. `upload` adds an uploader of finished files to object stores; with both,
//! the program has `--upload`.

#![cfg_attr(docsrs, feature(doc_cfg))]
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
#[cfg(all(feature = "std", target_os = "linux"))]
pub mod tap;
#[cfg(feature = "upload")]
pub mod upload;

pub use time::Timestamp;
pub use vni::{ParseVniError, Vni, VniRangeError};

// The examples in the book are tested together with those of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/receiver.md")]
#[doc = include_str!("../../docs/src/receiver/handover.md")]
struct TheBook;
