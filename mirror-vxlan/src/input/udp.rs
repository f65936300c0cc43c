//! Datagrams from UDP sockets, many at a time; this needs no privilege.
//!
//! The kernel removes the outer headers and reassembles fragments. Workers share the port: each has
//! its own socket, and a [program](super::steer) gives each flow to one of them.

#![forbid(unsafe_code)]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::live::{LiveOptions, OpenError};
use super::{Content, Input, Packet, Received};
use crate::Timestamp;
use crate::input::steer::{self, View};
use crate::socket::datagrams::{Datagram, Datagrams};
use crate::socket::filter::{self, Instruction};
use crate::socket::option;

/// Datagrams received by one system call.
///
/// With more, the call itself is no longer a significant part of the cost of a datagram.
const BATCH: usize = 128;

/// How long a worker that has just emptied its sockets lets them fill again.
///
/// Waking up costs more than receiving, so waking up for each of many datagrams is not worth it.
/// If the worker slept longer, the smallest buffers that kernels grant would overflow in a flood.
const NAP: Duration = Duration::from_micros(200);

/// Datagrams from one socket for each port.
#[derive(Debug)]
pub struct UdpInput {
    ports: Vec<Port>,
    datagrams: Datagrams,
    buffer_bytes: usize,
    pace: Pace,
}

/// Whether more datagrams are expected right away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The last check found some.
    Busy,
    /// The last check found none.
    Idle,
}

/// One socket and the port that it is bound to.
#[derive(Debug)]
struct Port {
    socket: Socket,
    number: u16,
    dropped: u64,
    /// The kernel's count when it was last asked; it has 32 bits and starts again from zero.
    dropped_before: u32,
}

/// Whether other sockets may be bound to the same port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// No other.
    Exclusive,
    /// Others of the same user that also share the port.
    Shared,
}

/// Opens an input for each worker.
///
/// # Errors
///
/// A port is taken, or the kernel does not provide a socket.
pub fn open(options: &LiveOptions) -> Result<Vec<UdpInput>, OpenError> {
    let mut inputs: Vec<UdpInput> = (0..options.workers.get())
        .map(|_| UdpInput {
            ports: Vec::new(),
            datagrams: Datagrams::with_slots(BATCH, options.slot_bytes),
            buffer_bytes: 0,
            pace: Pace::Idle,
        })
        .collect();
    for number in options.ports() {
        let failed = |source| failure(options, number, source);
        // Another program of the same user that shares the port would receive a part of the
        // packets, so the port must be free.
        drop(bind(number, None, Sharing::Exclusive, |_| Ok(())).map_err(failed)?);
        let view = if number == options.vxlan_port { View::Vxlan } else { View::Geneve };
        // The first socket brings the program; the others only join.
        let mut program = Some(steer::among(options.workers, view));
        for input in &mut inputs {
            input.add(options, number, program.take()).map_err(failed)?;
        }
    }
    Ok(inputs)
}

/// Returns the error that states what could not be opened.
fn failure(options: &LiveOptions, port: u16, source: io::Error) -> OpenError {
    match (Errno::from_io_error(&source), &options.interface) {
        (Some(Errno::ADDRINUSE), _) => OpenError::PortTaken { port, source },
        (Some(Errno::NODEV), Some(interface)) => {
            OpenError::Interface { interface: interface.clone(), source }
        }
        _ => OpenError::Socket { port, source },
    }
}

/// Binds a socket to a port on all addresses: of IPv6 and IPv4, or of IPv4 alone if the host has
/// no IPv6.
pub(super) fn bind(
    port: u16,
    interface: Option<&str>,
    sharing: Sharing,
    prepare: impl Fn(&Socket) -> io::Result<()>,
) -> io::Result<Socket> {
    let bind = |domain, address: SocketAddr| {
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(false)?;
            option::accept_without_checksum(&socket)?;
        }
        socket.set_reuse_port(sharing == Sharing::Shared)?;
        if let Some(interface) = interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        prepare(&socket)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if lacks_ipv6(&error) => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL))
}

impl UdpInput {
    /// Returns the bytes that the kernel granted for packets that wait, on each of the ports.
    pub const fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    /// Binds a socket to a port; the first socket that shares it sets the program.
    fn add(
        &mut self,
        options: &LiveOptions,
        number: u16,
        program: Option<Vec<Instruction>>,
    ) -> io::Result<()> {
        let sharing = if options.workers.get() > 1 { Sharing::Shared } else { Sharing::Exclusive };
        let socket = bind(number, options.interface.as_deref(), sharing, |socket| {
            option::enable_timestamps(socket)?;
            option::set_receive_buffer(socket, options.receive_buffer_bytes)?;
            match (sharing, &program) {
                (Sharing::Shared, Some(program)) => filter::attach_to_shared_port(socket, program),
                (Sharing::Exclusive, _) | (_, None) => Ok(()),
            }
        })?;
        self.buffer_bytes = socket.recv_buffer_size()?;
        self.ports.push(Port { socket, number, dropped: 0, dropped_before: 0 });
        Ok(())
    }

    /// Hands on what is waiting.
    fn take(&mut self, each: &mut impl FnMut(Packet<'_>)) -> io::Result<usize> {
        let Self { ports, datagrams, buffer_bytes: _, pace } = self;
        let mut count = 0;
        for Port { socket, number, .. } in ports {
            match datagrams.receive(&*socket) {
                Ok(received) => count += received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            datagrams.iter().for_each(|datagram| each(packet(datagram, *number)));
        }
        *pace = if count == 0 { Pace::Idle } else { Pace::Busy };
        Ok(count)
    }

    /// Waits until something comes, and returns whether it did.
    fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        let mut ports: Vec<PollFd<'_>> =
            self.ports.iter().map(|port| PollFd::new(&port.socket, PollFlags::IN)).collect();
        match poll(&mut ports, timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Input for UdpInput {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let before = self.pace;
        let mut count = self.take(&mut each)?;
        if count == 0 && before == Pace::Busy {
            thread::sleep(NAP.min(timeout));
            count = self.take(&mut each)?;
        }
        if count == 0 && self.wait(timeout)? {
            count = self.take(&mut each)?;
        }
        Ok(if count == 0 { Received::Nothing } else { Received::Packets(count) })
    }

    fn dropped(&mut self) -> io::Result<u64> {
        for port in &mut self.ports {
            let dropped = option::dropped(&port.socket)?;
            port.dropped += u64::from(dropped.wrapping_sub(port.dropped_before));
            port.dropped_before = dropped;
        }
        Ok(self.ports.iter().map(|port| port.dropped).sum())
    }
}

fn packet(datagram: Datagram<'_>, port: u16) -> Packet<'_> {
    let Datagram { source, time, truncated, bytes } = datagram;
    Packet {
        time: time.unwrap_or_else(now),
        content: Content::Datagram { source, port, payload: bytes, truncated },
    }
}

/// Returns the time for a datagram that came without one, although the kernel was told to add it.
#[cold]
fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a datagram is timed where it enters")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs(), since.subsec_nanos())
}
