//! Forwards frames in VXLAN to workers on this host or others, each flow always to the same one.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;

use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};

use crate::batch::Batch;
use crate::frame::Frame;
use crate::sink::{Delivery, LossReason, Sink, Trouble};
use crate::wire::{HEADER_LEN, Header};

/// Datagrams sent by one system call; with this many, its cost per datagram is small.
const AT_ONCE: usize = 64;

/// The default number of source ports for each destination.
///
/// The receiving host spreads datagrams over its queues and workers by their ports.
pub const SOURCE_PORTS: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");

/// Returns a hash of the flow that a frame belongs to, the same in both directions.
pub type FlowHash = fn(frame: &[u8]) -> u32;

/// Why frames could not be forwarded.
#[derive(Debug, thiserror::Error)]
pub enum VxlanError {
    /// There is no destination to send to.
    #[error("there is no destination to forward frames to; name at least one")]
    NoDestination,
    /// No socket could be opened to a destination.
    #[error("cannot open a UDP socket to {destination}")]
    Socket {
        /// The destination.
        destination: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Forwards frames with the VNI that they came with.
pub struct Vxlan {
    lanes: Vec<Lane>,
    flow_hash: FlowHash,
    trouble: Option<Trouble>,
}

/// One socket: a destination and a source port.
struct Lane {
    socket: UdpSocket,
    destination: SocketAddr,
}

impl Vxlan {
    /// Opens `source_ports` sockets to each destination; flows are spread over all of them.
    ///
    /// # Errors
    ///
    /// There is no destination, or a socket cannot be opened.
    pub fn open(
        destinations: &[SocketAddr],
        source_ports: NonZeroUsize,
        flow_hash: FlowHash,
    ) -> Result<Self, VxlanError> {
        let lanes = destinations
            .iter()
            .flat_map(|destination| std::iter::repeat_n(*destination, source_ports.get()))
            .map(Lane::open)
            .collect::<Result<Vec<_>, _>>()?;
        if lanes.is_empty() {
            return Err(VxlanError::NoDestination);
        }
        Ok(Self { lanes, flow_hash, trouble: None })
    }
}

impl Sink for Vxlan {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let mut letters: Vec<Vec<Letter<'_>>> = self.lanes.iter().map(|_| Vec::new()).collect();
        for (_, frame) in batch.frames() {
            let hash = (self.flow_hash)(frame.bytes);
            letters[hash as usize % self.lanes.len()].push(Letter::new(&frame));
        }
        let mut delivery = Delivery::default();
        self.trouble = None;
        for (lane, letters) in self.lanes.iter().zip(letters) {
            for letters in letters.chunks(AT_ONCE) {
                if let Err(error) = lane.send(letters, &mut delivery) {
                    let message = format!("cannot send to {}: {error}", lane.destination);
                    self.trouble = Some(Trouble { reason: LossReason::Refused, message });
                }
            }
        }
        delivery
    }

    fn tick(&mut self, _now: crate::Timestamp, _ahead: crate::sink::Ahead) {
        self.trouble = None; // only the next frame tells whether somebody listens by now
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}

impl fmt::Debug for Vxlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let destinations: Vec<_> = self.lanes.iter().map(|lane| lane.destination).collect();
        f.debug_struct("Vxlan").field("destinations", &destinations).finish_non_exhaustive()
    }
}

/// A frame and the header in front of it.
struct Letter<'a> {
    header: [u8; HEADER_LEN],
    frame: &'a [u8],
}

impl<'a> Letter<'a> {
    fn new(frame: &Frame<'a>) -> Self {
        Self { header: Header::new(frame.session.vni).to_bytes(), frame: frame.bytes }
    }
}

impl Lane {
    fn open(destination: SocketAddr) -> Result<Self, VxlanError> {
        let any: SocketAddr = match destination {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let opened = UdpSocket::bind(any).and_then(|socket| {
            socket.connect(destination)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => Ok(Self { socket, destination }),
            Err(source) => Err(VxlanError::Socket { destination, source }),
        }
    }

    /// Sends at most [`AT_ONCE`] letters and counts them; returns the last error.
    fn send(&self, letters: &[Letter<'_>], delivery: &mut Delivery) -> io::Result<()> {
        let slices: Vec<[IoSlice<'_>; 2]> = letters
            .iter()
            .map(|letter| [IoSlice::new(&letter.header), IoSlice::new(letter.frame)])
            .collect();
        let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> =
            letters.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let mut messages: Vec<MMsgHdr<'_>> = slices
            .iter()
            .zip(&mut controls)
            .map(|(slices, control)| MMsgHdr::new(slices, control))
            .collect();
        let (mut done, mut result) = (0, Ok(()));
        while done < letters.len() {
            match sendmmsg(&self.socket, &mut messages[done..], SendFlags::empty()) {
                Ok(sent) => {
                    delivery.frames += sent as u64;
                    let sent = &letters[done..][..sent];
                    delivery.bytes +=
                        sent.iter().map(|letter| letter.frame.len() as u64).sum::<u64>();
                    done += sent.len();
                }
                Err(rustix::io::Errno::INTR) => (),
                Err(errno) => {
                    // The error concerns the first message, which is not sent.
                    delivery.lost[LossReason::Refused.index()] += 1;
                    done += 1;
                    result = Err(errno.into());
                }
            }
        }
        result
    }
}
