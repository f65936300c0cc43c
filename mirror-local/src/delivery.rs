//! Delivery: copies sent as real UDP datagrams to real receivers on loopback addresses.
//!
//! Each receiver of a [`DataPlane`] is a separate `mirror-vxlan`, with its own address in 127.0.0.0/8 and the port
//! that the data plane gives. A datagram comes from an address that stands for the mirrored interface, and from the
//! same source port that AWS would use; after the UDP header it carries what AWS would send, to the byte. Behind a
//! Gateway Load Balancer that is the whole packet in GENEVE. The IPv4 and UDP headers are the kernel's, because
//! writing them takes privileges.
//!
//! A datagram is sent only when the kernel has room for it, so none is lost unless its receiver is not there. Whether
//! a receiver delivered what was sent is known to the byte: see [`Delivered::is_identical`].

mod digest;
mod geneve;
mod input;
mod recording;
mod witness;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::receive::{Account, Everything, Receiver as Program, Running};
use mirror_vxlan::sink::file::{FileError, Files};

use crate::data_plane::{DataPlane, Mirrored, Receiver, Wrapping};
use digest::Digest;
use input::{Intake, LoopbackInput};
pub use recording::Recording;
use recording::{Names, Recorder};
use witness::{Frames, Seen, Witness};

/// Bytes of the IPv4 and UDP headers, which the kernel writes itself.
const OUTER_LEN: usize = 20 + 8;

/// Bytes that may be in flight to a receiver, as the kernel counts them: less than the smallest buffer that Linux
/// gives a socket by default.
const ON_THE_WAY_MAX: u64 = 100_000;

/// The most that the kernel counts for a datagram in addition to its bytes.
const BESIDES: u64 = 1_300;

/// How often to check whether a receiver has taken what is in flight, and how long to wait each time.
const LOOKS: u32 = 20_000;
const LOOK: Duration = Duration::from_micros(100);

/// Sockets kept open to send from, out of the 1024 files that a process may usually have open.
const SENDERS_MAX: usize = 256;

/// Addresses of a block: 127.N.0.0/16, receivers in its lower half, mirrored interfaces in the upper.
const HALF: u32 = 1 << 15;

/// Blocks that are tried: 127.1.0.0/16 to 127.250.0.0/16.
const BLOCKS: u32 = 250;

/// Where the search for the next block starts, so that two deliveries in one process do not meet.
static NEXT_BLOCK: AtomicU32 = AtomicU32::new(0);

/// Why copies cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The loopback address of a receiver cannot be used.
    #[error("cannot receive on {address}")]
    Receive {
        /// The address.
        address: SocketAddrV4,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The system has no thread for a receiver.
    #[error("cannot start a receiver")]
    Start(#[source] io::Error),
    /// A receiver cannot keep what it delivers.
    #[error("cannot keep what receivers deliver")]
    Record(#[from] FileError),
    /// The loopback address that stands for a mirrored interface cannot be used, or nothing can be sent from it.
    #[error("cannot send from {address}")]
    Send {
        /// The address.
        address: SocketAddrV4,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

/// Receivers, and what is sent to them.
#[derive(Debug)]
pub struct Delivery {
    /// The first address of the block.
    block: u32,
    posts: Vec<Post>,
    sources: HashMap<Ipv4Addr, Ipv4Addr>,
    senders: HashMap<SocketAddrV4, UdpSocket>,
    recorder: Option<Recorder>,
}

/// A receiver, and what was sent to it.
#[derive(Debug)]
struct Post {
    address: SocketAddrV4,
    wrapping: Wrapping,
    /// `None` once it has been stopped.
    running: Option<Running>,
    ended: Option<Account>,
    intake: Arc<Intake>,
    seen: Arc<Seen>,
    sent: Digest,
    /// The bytes sent, as the kernel counts them.
    weight: u64,
}

/// What became of the copies for one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Datagrams sent to it.
    pub sent: u64,
    /// Datagrams that never reached it, because it was not there or had no room.
    pub missed: u64,
    /// The receiver's own account.
    pub account: Account,
    /// Whether the frames that it delivered, with their VNIs, are those that were sent: the same to the byte, and each
    /// as often, in any order.
    pub is_identical: bool,
    /// How many frames of each session it delivered, by the primary address of the mirrored interface and the VNI.
    pub sessions: BTreeMap<(Ipv4Addr, u32), u64>,
}

impl Delivered {
    /// Returns how many frames it delivered.
    pub fn delivered(&self) -> u64 {
        self.account.sinks.iter().map(|sink| sink.counts.delivered.count).sum()
    }

    /// Returns how many it received but did not deliver, for reasons of its own.
    pub fn dropped(&self) -> u64 {
        self.account.counts().received.count - self.delivered()
    }
}

impl Delivery {
    /// Starts a receiver for each one that the data plane knows.
    ///
    /// # Errors
    ///
    /// Fails if there is no room on the loopback interface or the system has no threads.
    pub fn start(plane: &DataPlane) -> Result<Self, DeliveryError> {
        Self::start_with(plane, None)
    }

    /// Starts the receivers and keeps what they deliver. What a receiver cannot keep, it does not deliver.
    ///
    /// # Errors
    ///
    /// Fails as [`start`](Self::start) does, or if the folder cannot be used.
    pub fn recording(plane: &DataPlane, recording: Recording) -> Result<Self, DeliveryError> {
        Self::start_with(plane, Some(Recorder::new(recording)))
    }

    fn start_with(plane: &DataPlane, recorder: Option<Recorder>) -> Result<Self, DeliveryError> {
        let mut delivery = Self {
            block: free_block()?,
            posts: Vec::new(),
            sources: HashMap::new(),
            senders: HashMap::new(),
            recorder,
        };
        delivery.catch_up(plane)?;
        Ok(delivery)
    }

    /// Starts the receivers that the data plane has learned of since.
    ///
    /// # Errors
    ///
    /// Fails as [`start`](Self::start) does.
    pub fn catch_up(&mut self, plane: &DataPlane) -> Result<(), DeliveryError> {
        let names = self.names(plane);
        for receiver in &plane.receivers()[self.posts.len()..] {
            let place = u32::try_from(self.posts.len()).unwrap_or(u32::MAX);
            let address = Ipv4Addr::from_bits(self.block + 1 + place % (HALF - 1));
            let files = self.recorder.as_mut().map(|recorder| recorder.open(receiver, &names));
            self.posts.push(Post::start(receiver, address, files.transpose()?)?);
        }
        Ok(())
    }

    /// The names of the sessions in the files, if there are any files.
    fn names(&mut self, plane: &DataPlane) -> Names {
        let Some(recorder) = self.recorder.take() else { return Names::default() };
        let names = recorder.names(plane, |source| self.stand_in(source));
        self.recorder = Some(recorder);
        names
    }

    /// Sends a copy to the receiver at an index, once there is room for it.
    ///
    /// # Errors
    ///
    /// Fails if the loopback interface does not accept it.
    pub fn send(&mut self, receiver: usize, copy: &Mirrored<'_>) -> Result<(), DeliveryError> {
        let Mirrored { packet, wrapped, .. } = copy;
        let source = Ipv4Addr::new(packet[12], packet[13], packet[14], packet[15]);
        let payload = match self.posts[receiver].wrapping {
            Wrapping::Vxlan => Cow::Borrowed(&packet[OUTER_LEN..]),
            Wrapping::Geneve => Cow::Owned(geneve::wrap(packet)),
        };
        let from = SocketAddrV4::new(self.stand_in(source), wrapped.source_port);
        let post = &mut self.posts[receiver];
        post.wait_for_room();
        let to = post.address;
        let failed = |source| DeliveryError::Send { address: from, source };
        let sender = sender(&mut self.senders, from).map_err(failed)?;
        sender.send_to(&payload, to).map_err(failed)?;
        post.count(&packet[OUTER_LEN..], payload.len());
        Ok(())
    }

    /// Stops a receiver, as if its machine were switched off; what is sent to it from now on is missed.
    pub fn stop(&mut self, receiver: usize) {
        self.posts[receiver].stop();
    }

    /// Stops all receivers and returns what became of the copies for each, in order.
    pub fn end(self) -> Vec<Delivered> {
        let Self { block: _, posts, sources, senders: _, recorder: _ } = self;
        // What arrives in GENEVE still has the address of its source.
        let stood_in: HashMap<IpAddr, Ipv4Addr> = sources
            .into_iter()
            .flat_map(|(source, stand_in)| [stand_in, source].map(|it| (it.into(), source)))
            .collect();
        posts.into_iter().map(|post| post.end(&stood_in)).collect()
    }

    /// The loopback address that stands for a mirrored interface.
    fn stand_in(&mut self, source: Ipv4Addr) -> Ipv4Addr {
        let place = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let next = self.block + HALF + 1 + place % (HALF - 2);
        *self.sources.entry(source).or_insert_with(|| Ipv4Addr::from_bits(next))
    }
}

/// The socket that sends from an address.
fn sender(
    senders: &mut HashMap<SocketAddrV4, UdpSocket>,
    from: SocketAddrV4,
) -> io::Result<&UdpSocket> {
    if senders.len() >= SENDERS_MAX && !senders.contains_key(&from) {
        senders.clear();
    }
    match senders.entry(from) {
        std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
        std::collections::hash_map::Entry::Vacant(new) => {
            let socket = UdpSocket::bind(from)?;
            socket.set_ttl(255)?;
            Ok(new.insert(socket))
        }
    }
}

/// The first address of a block in which nobody receives.
fn free_block() -> Result<u32, DeliveryError> {
    let first = std::process::id().wrapping_mul(7) + NEXT_BLOCK.fetch_add(1, Ordering::Relaxed);
    let mut failed = None;
    for attempt in 0..BLOCKS {
        let block = u32::from_be_bytes([127, 0, 0, 0]) + ((1 + (first + attempt) % BLOCKS) << 16);
        // A delivery that claims a block holds this socket for a moment, and then those of its receivers.
        let address =
            SocketAddrV4::new(Ipv4Addr::from_bits(block + 1), crate::data_plane::VXLAN_PORT);
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(block),
            Err(source) => failed = Some(DeliveryError::Receive { address, source }),
        }
    }
    Err(failed.expect("there are blocks to try"))
}

impl Post {
    fn start(
        receiver: &Receiver,
        address: Ipv4Addr,
        files: Option<Files>,
    ) -> Result<Self, DeliveryError> {
        let address = SocketAddrV4::new(address, receiver.port());
        let (intake, seen) = (Arc::new(Intake::default()), Arc::new(Seen::default()));
        let input = LoopbackInput::bind(address, Arc::clone(&intake))
            .map_err(|source| DeliveryError::Receive { address, source })?;
        let decapsulator = match receiver.wrapping() {
            Wrapping::Vxlan => {
                Decapsulator { vxlan_port: receiver.port(), ..Decapsulator::default() }
            }
            Wrapping::Geneve => geneve::decapsulator(receiver.port()),
        };
        let program = Program::new(decapsulator, Everything)
            .input(receiver.interface(), input)
            .sink("witness", Witness::new(Arc::clone(&seen), files));
        let running = Some(program.start().map_err(DeliveryError::Start)?);
        let (sent, weight) = (Digest::default(), 0);
        let wrapping = receiver.wrapping();
        Ok(Self { address, wrapping, running, ended: None, intake, seen, sent, weight })
    }

    /// Counts what was sent: the VXLAN header and the frame, in a payload of this length.
    fn count(&mut self, vxlan: &[u8], length: usize) {
        let (header, frame) = vxlan.split_at(8);
        let vni = u32::from_be_bytes([0, header[4], header[5], header[6]]);
        self.sent.add(vni, frame);
        self.weight += input::weight(length);
    }

    /// Waits until the kernel has room for another datagram, that is, until what is in flight has been taken in.
    fn wait_for_room(&self) {
        self.wait_until_less_than(ON_THE_WAY_MAX);
    }

    fn wait_until_less_than(&self, limit: u64) {
        for _ in 0..LOOKS {
            let on_the_way = self.weight - self.intake.weight();
            if self.running.is_none() || on_the_way < limit {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn stop(&mut self) {
        self.wait_until_less_than(1);
        if let Some(running) = self.running.take() {
            running.stop();
            self.ended = Some(running.join());
        }
    }

    fn end(mut self, stood_in: &HashMap<IpAddr, Ipv4Addr>) -> Delivered {
        self.stop();
        let account = self.ended.expect("it was stopped");
        let sent = self.sent.count();
        let missed = sent - account.counts().received.count;
        let Frames { digest, sessions } = self.seen.frames();
        let sessions = sessions
            .into_iter()
            .filter_map(|((address, vni), count)| Some(((*stood_in.get(&address)?, vni), count)));
        let sessions = sessions.collect();
        Delivered { sent, missed, account, is_identical: digest == self.sent, sessions }
    }
}
