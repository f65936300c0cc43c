//! A packet socket that shares its memory with the kernel (`TPACKET_V3`).
//!
//! The memory is a ring of blocks. The kernel fills a block with packets and hands it over; the
//! owner of the ring reads them in place and hands the block back. A [`Block`] represents that
//! loan: packets borrow from it, it borrows from the [`PacketRing`], and dropping it hands it back.
//!
//! ```compile_fail,E0505
//! # fn f(ring: &mut mirror_vxlan::socket::packet::PacketRing) {
//! let block = ring.next_block().unwrap();
//! let packet = block.packets().next().unwrap();
//! drop(block);
//! println!("{:?}", packet.bytes); // no longer ours
//! # }
//! ```

use std::ffi::{c_int, c_uint};
use std::io;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::filter::{self, Instruction};
use super::memory::Memory;
use super::option::{self, checked};
use crate::Timestamp;

/// Where the status of a block is (in `struct tpacket_block_desc`).
const BLOCK_STATUS: usize = 8;

/// Where the rest of a block begins: the number of its packets, then the offset of the first.
const BEHIND_STATUS: usize = BLOCK_STATUS + 4;

/// Bytes of the header of a packet (`struct tpacket3_hdr`).
const PACKET_HEADER: usize = 48;

/// `PACKET_IGNORE_OUTGOING` from `linux/if_packet.h`.
const PACKET_IGNORE_OUTGOING: c_int = 23;

/// `AF_PACKET`, in the type that addresses use.
const FAMILY: libc::sa_family_t = 17;

const _: () = assert!(FAMILY as c_int == libc::AF_PACKET, "the family is that of the socket");

/// The network protocol whose packets a socket receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Protocol {
    const fn number(self) -> u16 {
        match self {
            Self::Ipv4 => 0x0800,
            Self::Ipv6 => 0x86dd,
        }
    }
}

/// The size of a ring, and for how long it may hold packets back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a block: a power of two and at least a page; no packet may be longer.
    pub block_len: u32,
    /// How many blocks there are.
    pub blocks: u32,
    /// The time after which a block that is not full is handed over, in whole milliseconds.
    pub hand_over: Duration,
}

impl Geometry {
    /// Returns the total bytes of all blocks.
    pub const fn len(&self) -> usize {
        self.block_len as usize * self.blocks as usize
    }

    /// Returns whether there is no room at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the kernel has counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets dropped because the ring was full.
    pub dropped: u32,
    /// How often the ring became full.
    pub freezes: u32,
}

/// A packet socket and its ring.
#[derive(Debug)]
pub struct PacketRing {
    memory: Memory,
    block_len: usize,
    blocks: usize,
    next: usize,
    /// The last field, so that it is closed after the memory is unmapped.
    socket: OwnedFd,
}

impl PacketRing {
    /// Makes a socket with a ring. It receives nothing before it is [bound](Self::bind).
    ///
    /// Packets come as the network layer sees them, without the link header, so that links of every
    /// kind look alike.
    ///
    /// # Errors
    ///
    /// `CAP_NET_RAW` is missing, or there is no memory for the ring.
    pub fn open(geometry: Geometry) -> io::Result<Self> {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: the call has no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        checked(socket)?;
        // SAFETY: the kernel has just opened it and nothing else knows it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        option::set_number(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_VERSION, version)?;
        option::set_number(socket.as_fd(), libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
        request_ring(socket.as_fd(), geometry)?;
        let memory = Memory::shared(socket.as_fd(), 0, geometry.len())?;
        let Geometry { block_len, blocks, hand_over: _ } = geometry;
        Ok(Self { memory, block_len: block_len as usize, blocks: blocks as usize, next: 0, socket })
    }

    /// Receives from now on the packets of a protocol that arrive on one interface, or on any.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn bind(&self, protocol: Protocol, interface: Option<NonZeroU32>) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: FAMILY,
            sll_protocol: protocol.number().to_be(),
            sll_ifindex: interface
                .map_or(0, |index| c_int::try_from(index.get()).unwrap_or(c_int::MAX)),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = option::length_of::<libc::sockaddr_ll>();
        // SAFETY: the kernel reads `length` bytes of the address, which outlives the call.
        checked(unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), length) })
    }

    /// Receives only the packets for which `program` returns more than zero.
    ///
    /// # Errors
    ///
    /// The kernel did not accept the program.
    pub fn set_filter(&self, program: &[Instruction]) -> io::Result<()> {
        filter::attach(self, program)
    }

    /// Shares the packets with the other sockets of a group, and returns the group's number.
    ///
    /// Without a number it makes a group with a number that is unused in this network namespace.
    ///
    /// # Errors
    ///
    /// The socket is not bound, or differs from the group in protocol or interface.
    pub fn join_fanout(&self, group: Option<u16>) -> io::Result<u16> {
        let unique = if group.is_none() { libc::PACKET_FANOUT_FLAG_UNIQUEID } else { 0 };
        let kind = libc::PACKET_FANOUT_CBPF | unique;
        let [number, name] = [group.map_or(0, c_int::from), libc::PACKET_FANOUT];
        let wish = number | (kind as c_int) << 16;
        option::set_number(self.as_fd(), libc::SOL_PACKET, name, wish)?;
        let joined = option::get_number(self.as_fd(), libc::SOL_PACKET, name)?;
        let [low, high, ..] = joined.to_le_bytes();
        Ok(u16::from_le_bytes([low, high]))
    }

    /// Lets `program` choose the socket of the group that receives a packet: it returns the place
    /// of a socket in the order in which they joined.
    ///
    /// # Errors
    ///
    /// The kernel did not accept the program, or the socket is not in a group.
    pub fn set_fanout_program(&self, program: &[Instruction]) -> io::Result<()> {
        filter::attach_to_fanout(self, program)
    }

    /// Returns the next block of packets, if the kernel has handed it over.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        let offset = self.next * self.block_len;
        let status = self.memory.word(offset + BLOCK_STATUS);
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        self.next = (self.next + 1) % self.blocks;
        let behind = offset + BEHIND_STATUS;
        // SAFETY: the kernel has handed the block over and writes to it only after `Block::drop`.
        // The bytes lie within the memory; the status is not among them, so what is written
        // atomically is never behind a shared reference to plain bytes.
        let bytes = unsafe {
            let len = self.block_len - BEHIND_STATUS;
            std::slice::from_raw_parts(self.memory.at(behind, len).as_ptr(), len)
        };
        Some(Block { status, bytes, ring: PhantomData })
    }

    /// Returns what the kernel has counted since the last call.
    ///
    /// # Errors
    ///
    /// The kernel could not be asked.
    pub fn statistics(&self) -> io::Result<Statistics> {
        // SAFETY: the kernel writes three numbers, for which any bytes are valid.
        let libc::tpacket_stats_v3 { tp_packets: _, tp_drops, tp_freeze_q_cnt } =
            unsafe { option::get(self.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS)? };
        Ok(Statistics { dropped: tp_drops, freezes: tp_freeze_q_cnt })
    }

    /// Returns the total bytes of the ring.
    pub const fn len(&self) -> usize {
        self.memory.len()
    }

    /// Returns whether the ring has no memory; it always has some.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AsFd for PacketRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A block of packets lent by the kernel; dropping it hands their memory back.
#[derive(Debug)]
pub struct Block<'a> {
    status: &'a AtomicU32,
    /// Everything behind the status.
    bytes: &'a [u8],
    ring: PhantomData<&'a mut PacketRing>,
}

impl Block<'_> {
    /// Returns the packets in the order in which they came.
    pub fn packets(&self) -> impl Iterator<Item = RingPacket<'_>> {
        let mut at = word(self.bytes, 4).saturating_sub(BEHIND_STATUS);
        (0..self.len()).map_while(move |_| {
            let (packet, next) = RingPacket::read(self.bytes.get(at..)?)?;
            at += next;
            Some(packet)
        })
    }

    /// Returns the number of packets.
    pub fn len(&self) -> usize {
        word(self.bytes, 0)
    }

    /// Returns whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

/// One packet in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingPacket<'a> {
    /// When the kernel received it.
    pub time: Timestamp,
    /// The packet from its network header on, as far as a block has room for it.
    pub bytes: &'a [u8],
}

impl<'a> RingPacket<'a> {
    /// Reads the packet at the start of `rest`; returns it with the offset of the next.
    fn read(rest: &'a [u8]) -> Option<(Self, usize)> {
        let header = rest.get(..PACKET_HEADER)?;
        let [next, seconds, nanoseconds, length] = [0, 4, 8, 12].map(|at| word(header, at));
        let start = usize::from(u16::from_ne_bytes([header[24], header[25]]));
        let bytes = rest.get(start..start + length)?;
        let time = Timestamp::from_parts(seconds as u64, u32::try_from(nanoseconds).ok()?);
        Some((Self { time, bytes }, next))
    }
}

/// Returns the number at an offset within the header of a block or packet.
fn word(header: &[u8], at: usize) -> usize {
    u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
}

/// Asks for the memory of a ring.
fn request_ring(socket: BorrowedFd<'_>, geometry: Geometry) -> io::Result<()> {
    let Geometry { block_len, blocks, hand_over } = geometry;
    let request = libc::tpacket_req3 {
        tp_block_size: block_len,
        tp_block_nr: blocks,
        // With variable lengths, a frame is only the unit in which the kernel checks the sizes.
        tp_frame_size: block_len,
        tp_frame_nr: blocks,
        tp_retire_blk_tov: c_uint::try_from(hand_over.as_millis()).unwrap_or(c_uint::MAX),
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    // SAFETY: the request holds no pointers.
    unsafe { option::set(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request) }
}
