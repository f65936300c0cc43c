//! Input from a loopback address, for a receiver among several on one machine.

use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mirror_vxlan::Timestamp;
use mirror_vxlan::input::{Content, Input, Packet, Received};

/// Bytes of the longest datagram.
const DATAGRAM_MAX: usize = 65_536;

/// The shortest wait; a wait of zero would be endless.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// The most that the kernel counts for a datagram waiting in a socket: twice its bytes, because memory comes in pages,
/// plus its management.
pub(super) fn weight(len: usize) -> u64 {
    2 * u64::try_from(len).unwrap_or(u64::MAX) + super::BESIDES
}

/// What an input has taken in.
#[derive(Debug, Default)]
pub(super) struct Intake(AtomicU64);

impl Intake {
    /// The [`weight`] of all of it.
    pub(super) fn weight(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Datagrams that come to one loopback address.
#[derive(Debug)]
pub(super) struct LoopbackInput {
    socket: UdpSocket,
    port: u16,
    timeout: Duration,
    buffer: Vec<u8>,
    intake: Arc<Intake>,
}

impl LoopbackInput {
    pub(super) fn bind(address: SocketAddrV4, intake: Arc<Intake>) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let (port, buffer) = (address.port(), vec![0; DATAGRAM_MAX]);
        Ok(Self { socket, port, timeout: Duration::ZERO, buffer, intake })
    }
}

impl Input for LoopbackInput {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let timeout = timeout.max(TIMEOUT_MIN);
        if timeout != self.timeout {
            self.socket.set_read_timeout(Some(timeout))?;
            self.timeout = timeout;
        }
        match self.socket.recv_from(&mut self.buffer) {
            Ok((length, source)) => {
                let payload = &self.buffer[..length];
                let (port, truncated) = (self.port, false);
                let content = Content::Datagram { source, port, payload, truncated };
                each(Packet { time: now(), content });
                self.intake.0.fetch_add(weight(length), Ordering::Release);
                Ok(Received::Packets(1))
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(Received::Nothing),
                _ => Err(error),
            },
        }
    }

    /// The kernel reports nothing to this input; the sender knows what is missing.
    fn dropped(&mut self) -> io::Result<u64> {
        Ok(0)
    }
}

fn now() -> Timestamp {
    let now = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanos(u64::try_from(now).unwrap_or_default())
}
