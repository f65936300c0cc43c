//! A socket that packets are redirected to before the host's network stack sees them (AF_XDP).
//!
//! The kernel copies each packet into a chunk of memory that it was given before, and puts a
//! description of it into the receive ring. [`XdpSocket::receive`] lends out the packets one after
//! the other and then returns their chunks through the fill ring. A packet longer than a chunk takes
//! several, if the socket was [bound](XdpSocket::bind) that way; it is reassembled here.

use std::ffi::c_int;
use std::io;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{xdp_desc, xdp_mmap_offsets, xdp_ring_offset, xdp_statistics, xdp_umem_reg};

use super::memory::Memory;
use super::option::{self, checked, length_of};

/// The most descriptions taken at once, so that the kernel has chunks back before it needs them.
const BATCH: u32 = 256;

/// Bytes in front of each packet that the kernel keeps free (`XDP_PACKET_HEADROOM`).
const HEADROOM: u32 = 256;

/// Bytes directly in front of a packet in which a program may leave a number.
const MARK_LEN: usize = size_of::<u64>();

/// `AF_XDP`, in the type that addresses use.
const FAMILY: u16 = 44;

const _: () = assert!(FAMILY as c_int == libc::AF_XDP, "the family is that of the socket");

/// The memory of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// Bytes of a chunk: 2048 or 4096.
    pub len: u32,
    /// The number of chunks: a power of two.
    pub count: u32,
}

impl Chunks {
    /// Returns the length in bytes of the longest packet, with its link header, that fits one chunk.
    pub const fn packet_max(self) -> u32 {
        self.len - HEADROOM
    }

    /// Returns the total bytes of all chunks.
    pub const fn bytes(self) -> usize {
        self.len as usize * self.count as usize
    }
}

/// Whether packets that are longer than a chunk are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longer {
    /// They are dropped, and counted.
    Dropped,
    /// They take several chunks; the kernel supports this since Linux 6.6.
    Split,
}

/// A packet, lent until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XdpPacket<'a> {
    /// The number that the program left in front of the packet, unless there is none or it is zero.
    pub mark: Option<u64>,
    /// The packet, from its link header on.
    pub bytes: &'a [u8],
}

/// A socket for one queue of an interface.
#[derive(Debug)]
pub struct XdpSocket {
    chunks: Memory,
    shape: Chunks,
    receive: Ring<xdp_desc>,
    fill: Ring<u64>,
    split: Split,
    /// The last field, so that it is closed after the memory is unmapped.
    socket: OwnedFd,
}

impl XdpSocket {
    /// Makes a socket with memory. It receives nothing before it is [bound](Self::bind).
    ///
    /// # Errors
    ///
    /// `CAP_NET_RAW` or kernel support for AF_XDP is missing, or the memory is not available.
    pub fn open(shape: Chunks) -> io::Result<Self> {
        // SAFETY: the call has no pointers.
        let socket = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        checked(socket)?;
        // SAFETY: the kernel has just opened it and nothing else knows it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let chunks = Memory::private(shape.bytes())?;
        register(socket.as_fd(), &chunks, shape)?;
        let count = c_int::try_from(shape.count).unwrap_or(c_int::MAX);
        // Nothing is sent, but the kernel requires the completion ring.
        for (name, count) in [
            (libc::XDP_UMEM_FILL_RING, count),
            (libc::XDP_UMEM_COMPLETION_RING, 1),
            (libc::XDP_RX_RING, count),
        ] {
            option::set_number(socket.as_fd(), libc::SOL_XDP, name, count)?;
        }
        // SAFETY: the kernel writes numbers, for which any bytes will do.
        let offsets: xdp_mmap_offsets =
            unsafe { option::get(socket.as_fd(), libc::SOL_XDP, libc::XDP_MMAP_OFFSETS)? };
        let fill_at = libc::off_t::try_from(libc::XDP_UMEM_PGOFF_FILL_RING)
            .map_err(|_| io::ErrorKind::Unsupported)?;
        let file = socket.as_fd();
        let receive = Ring::map(file, libc::XDP_PGOFF_RX_RING, &offsets.rx, shape.count)?;
        let fill = Ring::map(file, fill_at, &offsets.fr, shape.count)?;
        for number in 0..shape.count {
            fill.write(number, u64::from(number) * u64::from(shape.len));
        }
        fill.producer().store(shape.count, Ordering::Release);
        Ok(Self { chunks, shape, receive, fill, split: Split::default(), socket })
    }

    /// Binds the socket to a queue; from now on, packets of the queue are copied to it if a program
    /// redirects them.
    ///
    /// # Errors
    ///
    /// The queue has a socket already (`EBUSY`), or the kernel cannot split packets (`EINVAL`).
    pub fn bind(&self, interface: NonZeroU32, queue: u32, longer: Longer) -> io::Result<()> {
        let split = match longer {
            Longer::Dropped => 0,
            Longer::Split => libc::XDP_USE_SG,
        };
        let address = libc::sockaddr_xdp {
            sxdp_family: FAMILY,
            sxdp_flags: libc::XDP_COPY | split,
            sxdp_ifindex: interface.get(),
            sxdp_queue_id: queue,
            sxdp_shared_umem_fd: 0,
        };
        let length = length_of::<libc::sockaddr_xdp>();
        // SAFETY: the kernel reads `length` bytes of the address, which outlives the call.
        checked(unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), length) })
    }

    /// Hands on waiting packets, and returns how many, without blocking.
    pub fn receive(&mut self, mut each: impl FnMut(XdpPacket<'_>)) -> usize {
        let Self { chunks, shape, receive, fill, split, socket: _ } = self;
        let first = receive.consumer().load(Ordering::Relaxed);
        let waiting = receive.producer().load(Ordering::Acquire).wrapping_sub(first).min(BATCH);
        let back = fill.producer().load(Ordering::Relaxed);
        let mut packets = 0;
        for number in 0..waiting {
            let xdp_desc { addr, len, options } = receive.read(first.wrapping_add(number));
            let at = usize::try_from(addr).unwrap_or(usize::MAX);
            // SAFETY: with this description, which states the bytes of the packet, the kernel has
            // given the chunk away, and it does not write to it before the chunk is in the fill
            // ring below the producer. The producer advances below, when nothing is borrowed.
            let bytes = unsafe {
                std::slice::from_raw_parts(chunks.at(at, len as usize).as_ptr(), len as usize)
            };
            let part = if options & libc::XDP_PKT_CONTD == 0 { Part::Last } else { Part::Followed };
            packets += split.add(|| take_mark(chunks, at), bytes, part, &mut each);
            fill.write(back.wrapping_add(number), addr - addr % u64::from(shape.len));
        }
        receive.consumer().store(first.wrapping_add(waiting), Ordering::Release);
        fill.producer().store(back.wrapping_add(waiting), Ordering::Release);
        packets
    }

    /// Returns how many packets the kernel had to drop since the socket was bound.
    ///
    /// The kernel counts packets without a chunk and packets without room in the ring separately;
    /// this is the sum. A third number, how often it found no chunk, would count the same packets
    /// again.
    ///
    /// # Errors
    ///
    /// The kernel could not be asked.
    pub fn dropped(&self) -> io::Result<u64> {
        // SAFETY: the kernel writes numbers, for which any bytes will do.
        let xdp_statistics { rx_dropped, rx_ring_full, .. } =
            unsafe { option::get(self.as_fd(), libc::SOL_XDP, libc::XDP_STATISTICS)? };
        Ok(rx_dropped + rx_ring_full)
    }

    /// Returns the bytes of all chunks.
    pub const fn len(&self) -> usize {
        self.shape.bytes()
    }

    /// Returns whether there are no chunks; there always are.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AsFd for XdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A ring of descriptions or addresses, which one side produces and the other consumes.
#[derive(Debug)]
struct Ring<T> {
    memory: Memory,
    producer: usize,
    consumer: usize,
    items: usize,
    mask: u32,
    item: PhantomData<T>,
}

impl<T: Copy> Ring<T> {
    fn map(
        socket: BorrowedFd<'_>,
        at: libc::off_t,
        offset: &xdp_ring_offset,
        count: u32,
    ) -> io::Result<Self> {
        let place = |offset| usize::try_from(offset).map_err(|_| io::ErrorKind::Unsupported);
        let items = place(offset.desc)?;
        let memory = Memory::shared(socket, at, items + count as usize * size_of::<T>())?;
        Ok(Self {
            memory,
            producer: place(offset.producer)?,
            consumer: place(offset.consumer)?,
            items,
            mask: count - 1,
            item: PhantomData,
        })
    }

    /// Returns how many items were ever produced, modulo 2³².
    fn producer(&self) -> &AtomicU32 {
        self.memory.word(self.producer)
    }

    /// Returns how many items were ever consumed, modulo 2³².
    fn consumer(&self) -> &AtomicU32 {
        self.memory.word(self.consumer)
    }

    /// Reads an item that was produced but not consumed yet.
    fn read(&self, number: u32) -> T {
        // SAFETY: an item consists of numbers, for which any bytes are valid, and its producer does
        // not write to it before it is consumed.
        unsafe { self.item(number).read() }
    }

    /// Writes an item that was consumed but not produced again yet.
    fn write(&self, number: u32, item: T) {
        // SAFETY: its consumer does not read it before it is produced.
        unsafe { self.item(number).write(item) }
    }

    fn item(&self, number: u32) -> NonNull<T> {
        let place = (number & self.mask) as usize;
        self.memory.at(self.items + place * size_of::<T>(), size_of::<T>()).cast()
    }
}

/// A packet that is being reassembled from chunks.
#[derive(Debug, Default)]
struct Split {
    progress: Progress,
    mark: Option<u64>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Progress {
    /// The next chunk begins a packet.
    #[default]
    Complete,
    /// The next chunk continues a packet.
    Begun,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    /// The packet ends with this chunk.
    Last,
    /// The packet continues in the next chunk.
    Followed,
}

impl Split {
    /// Adds the contents of a chunk; hands the packet on if that completes it, and returns how many
    /// packets were handed on.
    fn add(
        &mut self,
        mark: impl FnOnce() -> Option<u64>,
        bytes: &[u8],
        part: Part,
        each: &mut impl FnMut(XdpPacket<'_>),
    ) -> usize {
        match (self.progress, part) {
            (Progress::Complete, Part::Last) => {
                each(XdpPacket { mark: mark(), bytes });
                return 1;
            }
            (Progress::Complete, Part::Followed) => {
                self.mark = mark();
                self.bytes.clear();
            }
            (Progress::Begun, _) => {}
        }
        self.bytes.extend_from_slice(bytes);
        match part {
            Part::Followed => {
                self.progress = Progress::Begun;
                0
            }
            Part::Last => {
                self.progress = Progress::Complete;
                each(XdpPacket { mark: self.mark, bytes: &self.bytes });
                1
            }
        }
    }
}

/// Returns the number in front of a packet, and sets it to zero for the next packet in the chunk.
fn take_mark(chunks: &Memory, packet: usize) -> Option<u64> {
    let mark = chunks.at(packet.checked_sub(MARK_LEN)?, MARK_LEN).cast::<u64>();
    // SAFETY: it lies within the memory. The chunk does not belong to the kernel, as its description
    // was received and the chunk was not given back yet; and no packet is borrowed that it could be
    // part of.
    unsafe {
        let number = mark.read_unaligned();
        mark.write_unaligned(0);
        Some(number).filter(|number| *number > 0)
    }
}

/// Registers the memory with the kernel.
fn register(socket: BorrowedFd<'_>, chunks: &Memory, shape: Chunks) -> io::Result<()> {
    let request = xdp_umem_reg {
        addr: chunks.at(0, 0).as_ptr().expose_provenance() as u64,
        len: chunks.len() as u64,
        chunk_size: shape.len,
        headroom: 0,
        flags: 0,
        tx_metadata_len: 0,
    };
    // SAFETY: the kernel writes to the memory, which is only accessed through pointers, and keeps its
    // pages for as long as it does.
    unsafe { option::set(socket, libc::SOL_XDP, libc::XDP_UMEM_REG, &request) }
}
