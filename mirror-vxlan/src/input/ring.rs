//! Packets from a packet socket whose memory is shared with the kernel (`TPACKET_V3`).
//!
//! Each worker has two rings, one for IPv4 and one for IPv6. A socket for one network protocol sees
//! a packet exactly once, where the host's own stack would receive it; a socket for all protocols
//! would see it again at every VLAN, bond or bridge that it passes. The sockets see packets without
//! the link header, so that links of all kinds look alike. A [program](super::prefilter) in the
//! kernel keeps everything else out, and another [one](super::steer) gives each flow to one worker.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;

use super::guard::PortGuard;
use super::interface::Interface;
use super::live::{LiveOptions, OpenError};
use super::{Content, Input, Packet, Received};
use crate::decap::Link;
use crate::input::prefilter;
use crate::input::steer::{self, View};
use crate::socket::packet::{Geometry, PacketRing, Protocol, Statistics};

/// Bytes of a block: more than the longest IP packet, but few enough that there are many blocks.
const BLOCK_LEN: u32 = 256 * 1024;

/// The fewest blocks of a worker: with fewer, the kernel has nowhere to write while one is read.
const BLOCKS_MIN: usize = 8;

/// The longest that a packet waits in a block that does not become full.
const HAND_OVER: Duration = Duration::from_millis(40);

/// Packets from the rings of one worker.
#[derive(Debug)]
pub struct RingInput {
    rings: [PacketRing; 2],
    dropped: u64,
    freezes: u64,
    interface: Option<Interface>,
    guard: Arc<PortGuard>,
}

/// Opens an input for each worker.
///
/// # Errors
///
/// Packet sockets are not allowed, the interface does not exist, or there is no memory.
pub fn open(options: &LiveOptions) -> Result<Vec<RingInput>, OpenError> {
    let rings: Vec<[PacketRing; 2]> =
        (0..options.workers.get()).map(|_| open_both(options)).collect::<Result<_, _>>()?;
    let interface = options.interface.as_deref().map(Interface::find).transpose()?;
    let guard = Arc::new(PortGuard::bind(options.ports()).map_err(OpenError::Ring)?);
    for (place, protocol) in PROTOCOLS.into_iter().enumerate() {
        let rings: Vec<&PacketRing> = rings.iter().map(|both| &both[place]).collect();
        start(&rings, protocol, interface.as_ref(), options)?;
    }
    let input = |rings| RingInput {
        rings,
        dropped: 0,
        freezes: 0,
        interface: interface.clone(),
        guard: Arc::clone(&guard),
    };
    Ok(rings.into_iter().map(input).collect())
}

/// The protocols, in the order of an input's rings.
const PROTOCOLS: [Protocol; 2] = [Protocol::Ipv4, Protocol::Ipv6];

fn open_both(options: &LiveOptions) -> Result<[PacketRing; 2], OpenError> {
    let [v4, v6] = PROTOCOLS;
    Ok([open_ring(options, v4)?, open_ring(options, v6)?])
}

fn open_ring(options: &LiveOptions, protocol: Protocol) -> Result<PacketRing, OpenError> {
    let geometry = geometry(options, protocol);
    PacketRing::open(geometry).map_err(|source| match Errno::from_io_error(&source) {
        Some(Errno::NOMEM) => OpenError::RingMemory { bytes: geometry.len(), source },
        Some(Errno::PERM | Errno::ACCESS | Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT) => {
            OpenError::PacketSocket(source)
        }
        _ => OpenError::Ring(source),
    })
}

/// Returns the size of one ring: IPv4 has three quarters, since that is what AWS sends over.
fn geometry(options: &LiveOptions, protocol: Protocol) -> Geometry {
    let bytes = options.ring_bytes / usize::from(options.workers.get());
    let blocks = (bytes / BLOCK_LEN as usize).max(BLOCKS_MIN);
    let blocks = match protocol {
        Protocol::Ipv4 => blocks - blocks / 4,
        Protocol::Ipv6 => blocks / 4,
    };
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    Geometry { block_len: BLOCK_LEN, blocks, hand_over: HAND_OVER }
}

/// Makes the rings of one protocol receive, each its share.
///
/// They drop everything until all of them are bound and have joined the group: a ring that is bound
/// but has not joined yet would also receive packets that another ring receives.
fn start(
    rings: &[&PacketRing],
    protocol: Protocol,
    interface: Option<&Interface>,
    options: &LiveOptions,
) -> Result<(), OpenError> {
    let mut group = None;
    for ring in rings {
        ring.set_filter(&prefilter::nothing()).map_err(OpenError::Ring)?;
        bind(ring, protocol, interface)?;
        if rings.len() > 1 {
            group = Some(ring.join_fanout(group).map_err(OpenError::Ring)?);
        }
    }
    if let [first, _, ..] = rings {
        let geneve_port = options.geneve_port;
        let view = match protocol {
            Protocol::Ipv4 => View::Ipv4 { geneve_port },
            Protocol::Ipv6 => View::Ipv6 { geneve_port },
        };
        let program = steer::among(options.workers, view);
        first.set_fanout_program(&program).map_err(OpenError::Ring)?;
    }
    let ports: Vec<u16> = options.ports().collect();
    let filter = prefilter::datagrams_to(&ports, protocol);
    rings.iter().try_for_each(|ring| ring.set_filter(&filter)).map_err(OpenError::Ring)
}

fn bind(
    ring: &PacketRing,
    protocol: Protocol,
    interface: Option<&Interface>,
) -> Result<(), OpenError> {
    ring.bind(protocol, interface.map(|interface| interface.index)).map_err(
        |source| match interface {
            Some(Interface { name, .. }) => {
                OpenError::Interface { interface: name.clone(), source }
            }
            None => OpenError::Ring(source),
        },
    )
}

impl RingInput {
    /// Returns the total bytes of the rings.
    pub fn buffer_bytes(&self) -> usize {
        self.rings.iter().map(PacketRing::len).sum()
    }

    /// Returns the sockets that keep the host from answering.
    pub fn guard(&self) -> &PortGuard {
        &self.guard
    }

    /// Returns how often a ring became full since the input was opened.
    ///
    /// # Errors
    ///
    /// The kernel could not be asked.
    pub fn freezes(&mut self) -> io::Result<u64> {
        self.count()?;
        Ok(self.freezes)
    }

    /// Hands on the packets of at most one block of each ring.
    fn take(&mut self, each: &mut impl FnMut(Packet<'_>)) -> usize {
        let mut count = 0;
        for ring in &mut self.rings {
            let Some(block) = ring.next_block() else { continue };
            for packet in block.packets() {
                count += 1;
                let content = Content::Packet { link: Link::Ip, bytes: packet.bytes };
                each(Packet { time: packet.time, content });
            }
        }
        count
    }

    /// Waits until a block is handed over, and returns whether one was.
    fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        let wish = PollFlags::IN | PollFlags::ERR;
        let mut rings = self.rings.each_ref().map(|ring| PollFd::new(ring, wish));
        match poll(&mut rings, timeout.as_ref()) {
            Ok(ready) => {
                if rings.iter().any(|ring| ring.revents().contains(PollFlags::ERR)) {
                    self.pass_over_errors()?;
                }
                Ok(ready > 0)
            }
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Clears the errors of the sockets; fails if they are permanent.
    ///
    /// An interface that is down may come up again; one that was removed does not.
    fn pass_over_errors(&self) -> io::Result<()> {
        for ring in &self.rings {
            match (socket_error(ring.as_fd())?, &self.interface) {
                (Ok(()), _) => {}
                (Err(Errno::NETDOWN), Some(interface)) => interface.is_there()?,
                (Err(Errno::NETDOWN), None) => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Adds what the kernel has counted since it was last asked.
    fn count(&mut self) -> io::Result<()> {
        for ring in &self.rings {
            let Statistics { dropped, freezes } = ring.statistics()?;
            self.dropped += u64::from(dropped);
            self.freezes += u64::from(freezes);
        }
        Ok(())
    }
}

impl Input for RingInput {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let mut count = self.take(&mut each);
        if count == 0 && self.wait(timeout)? {
            count = self.take(&mut each);
        }
        Ok(if count == 0 { Received::Nothing } else { Received::Packets(count) })
    }

    fn dropped(&mut self) -> io::Result<u64> {
        self.count()?;
        Ok(self.dropped)
    }
}
