//! Packets that the interface's driver hands over before the host's network stack sees them
//! (AF_XDP, copying).
//!
//! A [program](super::ebpf) on the interface redirects the datagrams of the tunnels, chosen by the
//! same rules as for a [ring](super::ring), to the socket of the queue that they arrived on, and
//! lets everything else pass. The host does no other work for them, which makes this the fastest
//! method. There is one socket for each queue, and the queues are divided among the workers. The
//! interface chooses the queue by the outer headers: unlike the other methods, this one does not
//! bring both directions of a flow to the same worker. If you need that, use one worker.
//!
//! If the driver does not accept the program, it runs at the start of the network stack, which costs
//! more but has no other drawback. The longest packet that is received whole depends on the MTU: up to
//! [`WHOLE_MTU_MAX`] a packet takes one piece of memory, which every kernel supports. With a larger
//! MTU it takes several, which Linux supports since 6.6, and not every driver does.

#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};

use super::bpf::{Assemble as _, Place::At, Size::Half, Test::Equals};
use super::ebpf::Assembler;
use super::guard::PortGuard;
use super::interface::Interface;
use super::live::{LiveOptions, OpenError};
use super::{Content, Input, Packet, Received, prefilter};
use crate::Timestamp;
use crate::decap::Link;
use crate::socket::device::{self, DeviceName};
use crate::socket::ebpf::{Attachment, Instruction, Place, Program, Reach, SocketMap};
use crate::socket::packet::Protocol;
use crate::socket::xdp::{Chunks, Longer, XdpPacket, XdpSocket};

/// Bytes of the header of a link with two VLAN tags.
const LINK_HEADER_MAX: u32 = 14 + 2 * 4;

/// The lengths of a chunk that the kernel accepts, if pages have 4096 bytes.
const CHUNK_LENS: [u32; 2] = [2048, 4096];

/// The longest IP packet that takes one piece of memory.
pub const WHOLE_MTU_MAX: u32 =
    Chunks { len: CHUNK_LENS[1], count: 1 }.packet_max() - LINK_HEADER_MAX;

/// The fewest chunks of a queue: the kernel hands packets over in groups of 64.
const CHUNKS_MIN: usize = 256;

/// How long a worker that has just emptied its sockets lets them fill again; see the same constant
/// for [UDP sockets](super::udp). The least memory of a queue holds a million packets a second for
/// half as long.
const NAP: Duration = Duration::from_micros(500);

/// How often binding to a queue in use is tried again: the kernel releases the queue of a closed
/// socket only a little later, as when a receiver is restarted.
const RELEASE_TRIES: u32 = 50;

/// The pause between two tries.
const RELEASE_PAUSE: Duration = Duration::from_millis(20);

/// Packets from the sockets of a worker.
#[derive(Debug)]
pub struct XdpInput {
    sockets: Vec<XdpSocket>,
    interface: Interface,
    /// Whether more packets are expected right away.
    pace: Pace,
    guard: Arc<PortGuard>,
    _attachment: Arc<Attachment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The last check found some.
    Busy,
    /// The last check found none.
    Idle,
}

/// How packets are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Where the program runs.
    pub place: Where,
    /// How many queues the interface has.
    pub queues: u32,
    /// The MTU of the interface.
    pub mtu: u32,
    /// Whether packets of this MTU take one piece of memory or several.
    pub pieces: Pieces,
}

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the interface's driver.
    Driver,
    /// In the network stack, since the driver refused the program with this error number.
    Stack(i32),
}

/// How many pieces of memory the longest packet takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// One.
    One,
    /// Several.
    Several,
}

impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, queues, mtu, pieces } = *self;
        match place {
            Where::Driver => write!(f, "in the driver")?,
            Where::Stack(number) => {
                let error = io::Error::from_raw_os_error(number);
                write!(f, "at the start of the network stack (the driver refused: {error})")?;
            }
        }
        write!(f, ", {queues} {}", if queues == 1 { "queue" } else { "queues" })?;
        match pieces {
            Pieces::One => write!(f, ", MTU {mtu} of at most {WHOLE_MTU_MAX}"),
            Pieces::Several => write!(f, ", MTU {mtu} in several pieces"),
        }
    }
}

/// Opens inputs for at most as many workers as asked for, and no more than there are queues.
///
/// # Errors
///
/// No interface is named, it does not exist or is in use, or something is not allowed.
pub fn open(options: &LiveOptions) -> Result<(Vec<XdpInput>, HandOver), OpenError> {
    let name = options.interface.as_deref().ok_or(OpenError::XdpInterface)?;
    let interface = Interface::find(name)?;
    let failed = |source| OpenError::Interface { interface: name.to_owned(), source };
    let device: DeviceName =
        name.parse().map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let mtu = device::mtu(&device).map_err(failed)?;
    let queues = device::receive_queues(&device).map_err(failed)?;
    let pieces = if mtu <= WHOLE_MTU_MAX { Pieces::One } else { Pieces::Several };

    let setup = |source| failure(&interface, source);
    let map = SocketMap::new(queues).map_err(setup)?;
    let chunks = chunks(options.ring_bytes, queues, mtu);
    let sockets: Vec<XdpSocket> = (0..queues)
        .map(|queue| {
            let socket = open_socket(&interface, chunks)?;
            bind(&socket, &interface, queue, mtu)?;
            map.insert(queue, &socket).map_err(setup)?;
            Ok(socket)
        })
        .collect::<Result<_, _>>()?;
    let guard = Arc::new(PortGuard::bind(options.ports()).map_err(setup)?);

    let reach = match pieces {
        Pieces::One => Reach::Whole,
        Pieces::Several => Reach::Start,
    };
    let ports: Vec<u16> = options.ports().collect();
    let program = Program::load(&program(&ports, &map), reach).map_err(setup)?;
    let (attachment, place) = attach(&program, &interface)?;
    let attachment = Arc::new(attachment);

    let workers = queues.min(options.workers.get().into()) as usize;
    let mut inputs: Vec<XdpInput> = (0..workers)
        .map(|_| XdpInput {
            sockets: Vec::new(),
            interface: interface.clone(),
            pace: Pace::Idle,
            guard: Arc::clone(&guard),
            _attachment: Arc::clone(&attachment),
        })
        .collect();
    for (queue, socket) in sockets.into_iter().enumerate() {
        inputs[queue % workers].sockets.push(socket);
    }
    Ok((inputs, HandOver { place, queues, mtu, pieces }))
}

/// Divides the memory among the queues, in chunks that hold a packet of this MTU, or in small ones
/// if no chunk length does.
fn chunks(bytes: usize, queues: u32, mtu: u32) -> Chunks {
    let holds = |len: &u32| Chunks { len: *len, count: 1 }.packet_max() >= mtu + LINK_HEADER_MAX;
    let len = CHUNK_LENS.into_iter().find(holds).unwrap_or(CHUNK_LENS[0]);
    let count = (bytes / queues as usize / len as usize).max(CHUNKS_MIN);
    // Rounded down to a power of two; the kernel supports no other ring sizes.
    let count = u32::try_from(count).map_or(1 << 31, |count| 1 << count.ilog2());
    Chunks { len, count }
}

fn open_socket(interface: &Interface, chunks: Chunks) -> Result<XdpSocket, OpenError> {
    XdpSocket::open(chunks).map_err(|source| match Errno::from_io_error(&source) {
        Some(Errno::NOMEM) => OpenError::RingMemory { bytes: chunks.bytes(), source },
        Some(Errno::NOBUFS) => OpenError::LockedMemory { bytes: chunks.bytes(), source },
        _ => failure(interface, source),
    })
}

fn bind(socket: &XdpSocket, interface: &Interface, queue: u32, mtu: u32) -> Result<(), OpenError> {
    let longer = if mtu <= WHOLE_MTU_MAX { Longer::Dropped } else { Longer::Split };
    let mut bound = socket.bind(interface.index, queue, longer);
    for _ in 0..RELEASE_TRIES {
        let Err(error) = &bound else { break };
        if error.kind() != io::ErrorKind::ResourceBusy {
            break;
        }
        thread::sleep(RELEASE_PAUSE);
        bound = socket.bind(interface.index, queue, longer);
    }
    bound.map_err(|source| match (longer, Errno::from_io_error(&source)) {
        (Longer::Split, Some(Errno::INVAL)) => {
            OpenError::XdpMtu { interface: interface.name.clone(), mtu, source }
        }
        _ => failure(interface, source),
    })
}

/// Attaches the program in the driver, or else at the start of the network stack.
fn attach(program: &Program, interface: &Interface) -> Result<(Attachment, Where), OpenError> {
    let refused = match program.attach(interface.index, Place::Driver) {
        Ok(attachment) => return Ok((attachment, Where::Driver)),
        Err(error) => error,
    };
    match Errno::from_io_error(&refused) {
        Some(Errno::PERM | Errno::ACCESS | Errno::BUSY | Errno::NODEV) | None => {
            return Err(failure(interface, refused));
        }
        Some(_) => {}
    }
    let attachment = program.attach(interface.index, Place::Stack);
    let attachment = attachment.map_err(|source| failure(interface, source))?;
    Ok((attachment, Where::Stack(refused.raw_os_error().unwrap_or(0))))
}

fn failure(interface: &Interface, source: io::Error) -> OpenError {
    match Errno::from_io_error(&source) {
        Some(Errno::PERM | Errno::ACCESS) => OpenError::XdpPrivilege(source),
        Some(Errno::BUSY) => OpenError::XdpTaken { interface: interface.name.clone(), source },
        _ => OpenError::Xdp { interface: interface.name.clone(), source },
    }
}

/// The program, which redirects datagrams to the ports, behind up to two VLAN tags, to the sockets.
fn program(ports: &[u16], sockets: &SocketMap) -> Vec<Instruction> {
    const TAGS: [u32; 2] = [0x8100, 0x88a8];
    const ETHER_TYPE: u32 = 12;
    let mut assembler = Assembler::new();
    let untagged = assembler.label();
    for _ in 0..2 {
        let tagged = assembler.label();
        assembler.load(Half, At(ETHER_TYPE));
        for tag in TAGS {
            assembler.jump_if(Equals(tag), tagged);
        }
        assembler.go_to(untagged);
        assembler.place(tagged);
        assembler.advance(4);
    }
    assembler.load(Half, At(ETHER_TYPE));
    assembler.place(untagged);
    assembler.advance(14);
    let [v4, v6] = [assembler.label(), assembler.label()];
    assembler.jump_if(Equals(0x0800), v4);
    assembler.jump_if(Equals(0x86dd), v6);
    assembler.give(0);
    for (protocol, place) in [(Protocol::Ipv4, v4), (Protocol::Ipv6, v6)] {
        assembler.place(place);
        prefilter::let_through(&mut assembler, ports, protocol);
    }
    assembler.finish(sockets)
}

impl XdpInput {
    /// Returns the bytes of the memory that packets wait in.
    pub fn buffer_bytes(&self) -> usize {
        self.sockets.iter().map(XdpSocket::len).sum()
    }

    /// Returns the sockets that keep the host from answering packets that pass.
    pub fn guard(&self) -> &PortGuard {
        &self.guard
    }

    /// Hands on packets that are waiting.
    fn take(&mut self, each: &mut impl FnMut(Packet<'_>)) -> usize {
        let times = Times::now();
        let mut hand_on = |XdpPacket { mark, bytes }: XdpPacket<'_>| {
            let content = Content::Packet { link: Link::Ethernet, bytes };
            each(Packet { time: times.real(mark), content });
        };
        let count = self.sockets.iter_mut().map(|socket| socket.receive(&mut hand_on)).sum();
        self.pace = if count == 0 { Pace::Idle } else { Pace::Busy };
        count
    }

    /// Waits until packets come, and returns whether they did; fails if they never can.
    fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        let mut sockets: Vec<PollFd<'_>> =
            self.sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        let ready = match poll(&mut sockets, timeout.as_ref()) {
            Ok(_) => sockets.iter().any(|socket| socket.revents().contains(PollFlags::IN)),
            Err(Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        if !ready {
            self.interface.is_there()?;
        }
        Ok(ready)
    }
}

impl Input for XdpInput {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let before = self.pace;
        let mut count = self.take(&mut each);
        if count == 0 && before == Pace::Busy {
            thread::sleep(NAP.min(timeout));
            count = self.take(&mut each);
        }
        if count == 0 && self.wait(timeout)? {
            count = self.take(&mut each);
        }
        Ok(if count == 0 { Received::Nothing } else { Received::Packets(count) })
    }

    fn dropped(&mut self) -> io::Result<u64> {
        self.sockets.iter().map(XdpSocket::dropped).sum()
    }
}

/// The time of day, and how far ahead of it International Atomic Time is, in which packets are marked.
///
/// The difference is a whole number of seconds, even if the clock is set in between.
#[derive(Clone, Copy, Debug)]
struct Times {
    now: Timestamp,
    ahead: u64,
}

impl Times {
    fn now() -> Self {
        let real = timestamp(clock_gettime(ClockId::Realtime));
        let atomic = clock_gettime_dynamic(DynamicClockId::Tai).map_or(real, timestamp);
        let second = Timestamp::from_parts(1, 0).as_nanos();
        // The second clock was read a little later.
        let ahead = atomic.as_nanos().saturating_sub(real.as_nanos()) / second * second;
        Self { now: real, ahead }
    }

    fn real(self, mark: Option<u64>) -> Timestamp {
        match mark {
            Some(atomic) => Timestamp::from_nanos(atomic.saturating_sub(self.ahead)),
            None => self.now,
        }
    }
}

fn timestamp(time: Timespec) -> Timestamp {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Timestamp::from_parts(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_a_packet_of_the_mtu_and_fill_the_memory_by_powers_of_two() {
        let of = |bytes, queues, mtu| {
            let Chunks { len, count } = chunks(bytes, queues, mtu);
            (len, count)
        };
        assert_eq!(of(32 << 20, 1, 1500), (2048, 16_384));
        assert_eq!(of(32 << 20, 1, 1770), (2048, 16_384));
        assert_eq!(of(32 << 20, 1, 1771), (4096, 8_192));
        assert_eq!(of(32 << 20, 3, WHOLE_MTU_MAX), (4096, 2_048));
        assert_eq!(of(32 << 20, 1, WHOLE_MTU_MAX + 1), (2048, 16_384));
        assert_eq!(of(0, 8, 9001), (2048, 256));
    }

    #[test]
    fn how_packets_are_handed_over_is_told_with_the_mtu_that_it_takes() {
        let driver = HandOver { place: Where::Driver, queues: 2, mtu: 1500, pieces: Pieces::One };
        assert_eq!(driver.to_string(), "in the driver, 2 queues, MTU 1500 of at most 3818");
        let stack = HandOver {
            place: Where::Stack(Errno::OPNOTSUPP.raw_os_error()),
            queues: 1,
            mtu: 9001,
            pieces: Pieces::Several,
        };
        assert_eq!(
            stack.to_string(),
            "at the start of the network stack (the driver refused: Operation not supported \
             (os error 95)), 1 queue, MTU 9001 in several pieces"
        );
    }
}
