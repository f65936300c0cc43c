//! Packets from the network, by the best method that this host allows.
//!
//! There are three methods. A [ring] receives packets before the host's own network stack has
//! done anything with them; it needs `CAP_NET_RAW`. [Sockets of UDP](super::udp) need no privilege.
//! [AF_XDP](super::xdp) is used only on request: it takes packets away from the rest of the host, is
//! faster, and steers flows to workers less well.
//! All of them guarantee that every packet that the interface accepted is handed on or counted as
//! dropped by the kernel. `ip -s link` shows what the interface itself had to drop.
//!
//! ```no_run
//! use mirror_vxlan::input::live::{LiveOptions, Method, open};
//!
//! let live = open(&LiveOptions::default(), Method::Best)?;
//! println!("receiving {}", live.choice);
//! for input in live.inputs {
//!     // Each to a thread of its own.
//! }
//! # Ok::<(), mirror_vxlan::input::live::OpenError>(())
//! ```

#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::num::NonZeroU16;
use std::time::Duration;

use rustix::io::Errno;

use super::guard::PortGuard;
use super::ring::{self, RingInput};
use super::udp::{self, UdpInput};
use super::xdp::{self, HandOver, XdpInput};
use super::{Input, Packet, Received};
use crate::wire;

/// What is received, and with how much memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// The UDP port of VXLAN.
    pub vxlan_port: u16,
    /// The UDP port of GENEVE, behind a Gateway Load Balancer.
    pub geneve_port: Option<u16>,
    /// The interface to receive on; all of them if none is named.
    pub interface: Option<String>,
    /// How many inputs share the packets, each flow staying with one input; with AF_XDP, each queue.
    pub workers: NonZeroU16,
    /// Total bytes of all rings, or of the memory of AF_XDP.
    pub ring_bytes: usize,
    /// Bytes of waiting packets that each UDP socket asks the kernel to hold.
    pub receive_buffer_bytes: usize,
    /// Bytes of the longest datagram that a UDP socket receives whole.
    pub slot_bytes: usize,
}

impl LiveOptions {
    /// The default total bytes of all rings: half of what the program may use.
    pub const RING_BYTES: usize = 32 << 20;

    /// The default bytes that a socket asks for: some hundred milliseconds of a flood. The kernel
    /// grants what its limit allows, from its own memory rather than the program's.
    pub const RECEIVE_BUFFER_BYTES: usize = 64 << 20;

    /// The default bytes of the longest datagram; the jumbo frames of a VPC have 9001 bytes.
    pub const SLOT_BYTES: usize = 9216;

    /// Returns the ports that are received.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        [self.vxlan_port].into_iter().chain(self.geneve_port)
    }
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            vxlan_port: wire::UDP_PORT,
            geneve_port: None,
            interface: None,
            workers: NonZeroU16::MIN,
            ring_bytes: Self::RING_BYTES,
            receive_buffer_bytes: Self::RECEIVE_BUFFER_BYTES,
            slot_bytes: Self::SLOT_BYTES,
        }
    }
}

/// The requested method of receiving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// A ring if packet sockets are allowed, UDP sockets if they are not.
    #[default]
    Best,
    /// A ring, or nothing.
    Ring,
    /// UDP sockets.
    Udp,
    /// AF_XDP, on an interface that is named.
    Xdp,
}

/// The method of receiving that was chosen, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A ring.
    Ring,
    /// UDP sockets, since they were requested.
    UdpAsAsked,
    /// UDP sockets, since the process lacks `CAP_NET_RAW`.
    UdpWithoutCapability,
    /// UDP sockets, since this kernel has no packet sockets.
    UdpWithoutPacketSockets,
    /// AF_XDP, in this way.
    Xdp(HandOver),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Xdp(hand_over) => return write!(f, "by AF_XDP {hand_over}"),
            Self::Ring => "from a packet-socket ring",
            Self::UdpAsAsked => "from UDP sockets, as requested",
            Self::UdpWithoutCapability => {
                "from UDP sockets: a packet-socket ring needs CAP_NET_RAW"
            }
            Self::UdpWithoutPacketSockets => {
                "from UDP sockets: this kernel has no packet sockets (CONFIG_PACKET)"
            }
        };
        f.pad(text)
    }
}

/// Inputs that are open and receiving.
#[derive(Debug)]
pub struct Live {
    /// One for each worker; with AF_XDP, no more than there are queues.
    pub inputs: Vec<LiveInput>,
    /// How they receive.
    pub choice: Choice,
    /// Bytes that the kernel granted each input for packets that wait.
    pub buffer_bytes: usize,
}

/// An input from the network.
#[derive(Debug)]
pub enum LiveInput {
    /// From a packet-socket ring.
    Ring(RingInput),
    /// From UDP sockets.
    Udp(UdpInput),
    /// From AF_XDP sockets.
    Xdp(XdpInput),
}

impl Input for LiveInput {
    fn receive(&mut self, timeout: Duration, each: impl FnMut(Packet<'_>)) -> io::Result<Received> {
        match self {
            Self::Ring(input) => input.receive(timeout, each),
            Self::Udp(input) => input.receive(timeout, each),
            Self::Xdp(input) => input.receive(timeout, each),
        }
    }

    fn dropped(&mut self) -> io::Result<u64> {
        match self {
            Self::Ring(input) => input.dropped(),
            Self::Udp(input) => input.dropped(),
            Self::Xdp(input) => input.dropped(),
        }
    }
}

/// Why no packets can be received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no interface of that name, or packets cannot be received on it.
    #[error("cannot receive on interface `{interface}`; `ip link` lists the existing ones")]
    Interface {
        /// The name given.
        interface: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The process may not open packet sockets.
    #[error(
        "cannot open a packet socket; give the program CAP_NET_RAW or receive from UDP sockets"
    )]
    PacketSocket(#[source] io::Error),
    /// There is no memory for the ring.
    #[error("cannot allocate a ring of {bytes} bytes; set a smaller --receive-buffer")]
    RingMemory {
        /// Its size.
        bytes: usize,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The memory that the interface's driver writes to exceeds what this process may lock.
    #[error(
        "cannot lock {bytes} bytes of memory; raise the limit (`ulimit -l`, or LimitMEMLOCK= of a \
         systemd unit) or set a smaller --receive-buffer"
    )]
    LockedMemory {
        /// How many bytes.
        bytes: usize,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel did not accept something that it should have.
    #[error("cannot set up the packet-socket ring")]
    Ring(#[source] io::Error),
    /// AF_XDP receives on one interface, and none was named.
    #[error("AF_XDP needs an interface; name one with --interface")]
    XdpInterface,
    /// The process lacks the privileges that AF_XDP needs.
    #[error(
        "cannot receive by AF_XDP; give the program CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and \
         CAP_PERFMON, or receive from a packet-socket ring"
    )]
    XdpPrivilege(#[source] io::Error),
    /// Another program already receives by AF_XDP.
    #[error(
        "cannot receive by AF_XDP on `{interface}`, where another program already does; \
         `ip link show dev {interface}` shows its XDP program"
    )]
    XdpTaken {
        /// The interface.
        interface: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel cannot receive packets as long as the MTU allows.
    #[error(
        "cannot receive by AF_XDP on `{interface}` at an MTU of {mtu}, which needs Linux 6.6; lower \
         the MTU with `ip link set {interface} mtu {max}`, or receive from a packet-socket ring",
        max = xdp::WHOLE_MTU_MAX
    )]
    XdpMtu {
        /// The interface.
        interface: String,
        /// Its MTU.
        mtu: u32,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel does not support it, or did not accept something that it should have.
    #[error(
        "cannot receive by AF_XDP on `{interface}`; that needs Linux 6.1 or later, built with \
         CONFIG_XDP_SOCKETS: if this kernel has both, the cause is below, and a packet-socket ring \
         needs neither"
    )]
    Xdp {
        /// The interface.
        interface: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// Another program receives on the port.
    #[error("cannot receive on UDP port {port}, which is in use; `ss -lunp` shows by whom")]
    PortTaken {
        /// The port.
        port: u16,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel did not let a socket be opened.
    #[error("cannot receive on UDP port {port}")]
    Socket {
        /// The port.
        port: u16,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Opens as many inputs as there are workers.
///
/// They receive from the moment that this function returns.
///
/// # Errors
///
/// The requested method is not allowed, or the interface, port or memory is not available.
pub fn open(options: &LiveOptions, method: Method) -> Result<Live, OpenError> {
    match method {
        Method::Udp => open_udp(options, Choice::UdpAsAsked),
        Method::Ring => open_ring(options),
        Method::Xdp => open_xdp(options),
        Method::Best => match open_ring(options) {
            Err(OpenError::PacketSocket(error)) => open_udp(options, instead_of_ring(&error)),
            opened => opened,
        },
    }
}

fn open_ring(options: &LiveOptions) -> Result<Live, OpenError> {
    let inputs = ring::open(options)?;
    let buffer_bytes = inputs.first().map_or(0, RingInput::buffer_bytes);
    let inputs = inputs.into_iter().map(LiveInput::Ring).collect();
    Ok(Live { inputs, choice: Choice::Ring, buffer_bytes })
}

fn open_udp(options: &LiveOptions, choice: Choice) -> Result<Live, OpenError> {
    let inputs = udp::open(options)?;
    let buffer_bytes = inputs.first().map_or(0, UdpInput::buffer_bytes);
    let inputs = inputs.into_iter().map(LiveInput::Udp).collect();
    Ok(Live { inputs, choice, buffer_bytes })
}

fn open_xdp(options: &LiveOptions) -> Result<Live, OpenError> {
    let (inputs, hand_over) = xdp::open(options)?;
    let buffer_bytes = inputs.first().map_or(0, XdpInput::buffer_bytes);
    let inputs = inputs.into_iter().map(LiveInput::Xdp).collect();
    Ok(Live { inputs, choice: Choice::Xdp(hand_over), buffer_bytes })
}

/// Returns the choice of UDP sockets, by the reason why packet sockets cannot be opened.
fn instead_of_ring(error: &io::Error) -> Choice {
    match Errno::from_io_error(error) {
        Some(Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT) => Choice::UdpWithoutPacketSockets,
        _ => Choice::UdpWithoutCapability,
    }
}

impl LiveInput {
    /// Returns the guard that keeps the host from answering, if the method needs one.
    pub fn guard(&self) -> Option<&PortGuard> {
        match self {
            Self::Ring(input) => Some(input.guard()),
            Self::Xdp(input) => Some(input.guard()),
            Self::Udp(_) => None,
        }
    }
}
