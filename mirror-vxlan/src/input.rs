//! Where packets come from: sockets and capture files behind one trait.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod bpf;
#[cfg(target_os = "linux")]
pub mod ebpf;
#[cfg(target_os = "linux")]
pub mod guard;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(target_os = "linux")]
pub mod prefilter;
#[cfg(target_os = "linux")]
pub mod processor;
#[cfg(target_os = "linux")]
pub mod ring;
#[cfg(target_os = "linux")]
pub mod steer;
#[cfg(target_os = "linux")]
pub mod tap;
#[cfg(target_os = "linux")]
pub mod udp;
#[cfg(target_os = "linux")]
pub mod xdp;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::Timestamp;
use crate::decap::Link;

/// One packet as an input received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was received.
    pub time: Timestamp,
    /// The part of the packet that was received.
    pub content: Content<'a>,
}

/// How much of the outer headers a packet still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// All of them: from a packet socket or a capture file.
    Packet {
        /// What the first byte belongs to.
        link: Link,
        /// The packet, as far as it was captured.
        bytes: &'a [u8],
    },
    /// None: from a UDP socket.
    Datagram {
        /// Who sent it.
        source: SocketAddr,
        /// The port that it was sent to.
        port: u16,
        /// The payload, as far as the buffer had room for it.
        payload: &'a [u8],
        /// Whether the buffer was too short for the payload.
        truncated: bool,
    },
}

impl Content<'_> {
    /// Returns how many bytes of the packet there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Packet { bytes, .. } => bytes.len(),
            Self::Datagram { payload, .. } => payload.len(),
        }
    }

    /// Returns whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a call of [`Input::receive`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many packets were handed on; there may be more.
    Packets(usize),
    /// No packet came within the given time.
    Nothing,
    /// There will be no more.
    End,
}

/// A source of packets, owned by one receiving thread.
pub trait Input {
    /// Hands the available packets to `each`, waiting at most `timeout` for the first.
    ///
    /// # Errors
    ///
    /// The socket or file failed permanently.
    fn receive(&mut self, timeout: Duration, each: impl FnMut(Packet<'_>)) -> io::Result<Received>;

    /// Returns exactly how many packets the kernel had to drop since the input was opened.
    ///
    /// # Errors
    ///
    /// The kernel could not be asked.
    fn dropped(&mut self) -> io::Result<u64>;
}
