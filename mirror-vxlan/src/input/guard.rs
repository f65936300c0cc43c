//! Sockets that keep the host from answering what a ring receives.
//!
//! A ring only watches: the host's network stack handles the same packets once more, and if nothing
//! listens on their port, it answers each with an ICMP error to the mirrored interface. So a socket
//! listens there and drops everything before it is queued or copied.

#![forbid(unsafe_code)]

use std::io;

use socket2::Socket;

use super::prefilter;
use super::udp::{self, Sharing};
use crate::socket::filter;

/// Sockets that listen on the ports of a ring and drop everything.
#[derive(Debug)]
pub struct PortGuard {
    /// Held open, never read.
    sockets: Vec<Socket>,
    taken: Vec<u16>,
}

impl PortGuard {
    /// Listens on `ports`.
    ///
    /// # Errors
    ///
    /// The kernel does not provide a socket, for a reason other than that a port is taken.
    pub fn bind(ports: impl Iterator<Item = u16>) -> io::Result<Self> {
        let mut guard = Self { sockets: Vec::new(), taken: Vec::new() };
        for port in ports {
            match udp::bind(port, None, Sharing::Exclusive, |socket| {
                filter::attach(socket, &prefilter::nothing())
            }) {
                Ok(socket) => guard.sockets.push(socket),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => guard.taken.push(port),
                Err(error) => return Err(error),
            }
        }
        Ok(guard)
    }

    /// Returns the ports on which something else listens.
    ///
    /// The host does not answer on these ports either, as long as that listener exists. If it is the
    /// kernel's own vxlan device, it may merge packets before the ring sees them.
    pub fn taken(&self) -> &[u16] {
        &self.taken
    }
}
