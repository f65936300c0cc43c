//! Extended BPF programs, loaded into the kernel and attached to a network interface (XDP).
//!
//! The kernel verifies a program before it accepts it, so none of these calls can do harm.
//! Program and map live as long as something refers to them. When an [`Attachment`] is dropped, at
//! the latest by the end of the process, the interface is again as it was.

use std::ffi::c_int;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

/// One instruction, laid out like the kernel's `bpf_insn` on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What it does.
    pub code: u8,
    /// The register it writes in the lower half, the one it reads in the upper half; on big-endian
    /// machines the other way round.
    registers: u8,
    /// How many instructions a jump skips, or an offset in memory.
    pub offset: i16,
    /// The constant that it uses.
    pub constant: i32,
}

impl Instruction {
    /// Makes an instruction; a register is a number from 0 to 10.
    pub const fn new(code: u8, to: u8, from: u8, offset: i16, constant: i32) -> Self {
        let registers =
            if cfg!(target_endian = "little") { to | from << 4 } else { from | to << 4 };
        Self { code, registers, offset, constant }
    }
}

// From `linux/bpf.h`.
const MAP_CREATE: c_int = 0;
const MAP_UPDATE_ELEMENT: c_int = 2;
const PROGRAM_LOAD: c_int = 5;
const LINK_CREATE: c_int = 28;
const MAP_TYPE_XSKMAP: u32 = 17;
const PROGRAM_TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
const HAS_FRAGMENTS: u32 = 1 << 5;
const IN_STACK: u32 = 1 << 1;
const IN_DRIVER: u32 = 1 << 2;

/// The name that `bpftool` and `ip link` show, ended by zeros.
const NAME: [u8; 16] = *b"mirror_vxlan\0\0\0\0";

/// Sockets by the number of the queue that they receive from.
#[derive(Debug)]
pub struct SocketMap(OwnedFd);

impl SocketMap {
    /// Makes a map for the queues below `queues`, without sockets.
    ///
    /// # Errors
    ///
    /// `CAP_BPF` and `CAP_NET_ADMIN`, or kernel support for AF_XDP, are missing.
    pub fn new(queues: u32) -> io::Result<Self> {
        #[repr(C)]
        struct Request {
            kind: u32,
            key_len: u32,
            value_len: u32,
            entries: u32,
            flags: u32,
            inner_map: u32,
            numa_node: u32,
            name: [u8; 16],
        }
        let request = Request {
            kind: MAP_TYPE_XSKMAP,
            key_len: 4,
            value_len: 4,
            entries: queues,
            flags: 0,
            inner_map: 0,
            numa_node: 0,
            name: NAME,
        };
        // SAFETY: the request holds no pointers.
        unsafe { make(MAP_CREATE, &request) }.map(Self)
    }

    /// Lets a socket receive what a program redirects to this map for a queue.
    ///
    /// # Errors
    ///
    /// It is not an AF_XDP socket, or the queue does not exist.
    pub fn insert(&self, queue: u32, socket: impl AsFd) -> io::Result<()> {
        #[repr(C)]
        struct Request {
            map: RawFd,
            padding: u32,
            key: u64,
            value: u64,
            flags: u64,
        }
        let file = socket.as_fd().as_raw_fd();
        let request = Request {
            map: self.0.as_raw_fd(),
            padding: 0,
            key: address(&raw const queue),
            value: address(&raw const file),
            flags: 0,
        };
        // SAFETY: key and value have the four bytes that the map was made for, and outlive the call.
        unsafe { call(MAP_UPDATE_ELEMENT, &request) }.map(drop)
    }

    /// Returns the number by which a program's instructions name the map.
    pub fn number(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// Whether a program can work with only the start of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It sees whole packets, and does not see longer ones at all.
    Whole,
    /// It sees the first buffer of a packet in several buffers.
    Start,
}

/// A program that decides what becomes of a packet.
#[derive(Debug)]
pub struct Program(OwnedFd);

impl Program {
    /// Loads a program into the kernel, which verifies it.
    ///
    /// # Errors
    ///
    /// `CAP_BPF`, `CAP_NET_ADMIN` or `CAP_PERFMON` is missing (a program that reads the packet at a
    /// computed place needs the last), or the kernel is too old for the program.
    pub fn load(instructions: &[Instruction], reach: Reach) -> io::Result<Self> {
        #[repr(C)]
        struct Request {
            kind: u32,
            len: u32,
            instructions: u64,
            license: u64,
            log_level: u32,
            log_len: u32,
            log: u64,
            kernel_version: u32,
            flags: u32,
            name: [u8; 16],
            interface: u32,
            attach: u32,
        }
        let license = c"MIT";
        let flags = match reach {
            Reach::Whole => 0,
            Reach::Start => HAS_FRAGMENTS,
        };
        let request = Request {
            kind: PROGRAM_TYPE_XDP,
            len: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
            instructions: address(instructions.as_ptr()),
            license: address(license.as_ptr()),
            log_level: 0,
            log_len: 0,
            log: 0,
            kernel_version: 0,
            flags,
            name: NAME,
            interface: 0,
            attach: ATTACH_XDP,
        };
        // SAFETY: the kernel reads `len` instructions and a text that ends with a zero; both outlive
        // the call.
        unsafe { make(PROGRAM_LOAD, &request) }.map(Self)
    }

    /// Runs the program on every packet that an interface receives, until the attachment is dropped.
    ///
    /// # Errors
    ///
    /// Another program is attached (`EBUSY`), or a program cannot be attached at this place.
    pub fn attach(&self, interface: NonZeroU32, at: Place) -> io::Result<Attachment> {
        #[repr(C)]
        struct Request {
            program: RawFd,
            interface: u32,
            attach: u32,
            flags: u32,
        }
        let flags = match at {
            Place::Driver => IN_DRIVER,
            Place::Stack => IN_STACK,
        };
        let request = Request {
            program: self.0.as_raw_fd(),
            interface: interface.get(),
            attach: ATTACH_XDP,
            flags,
        };
        // SAFETY: the request holds no pointers.
        unsafe { make(LINK_CREATE, &request) }.map(Attachment)
    }
}

/// Where a program processes the packets of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the interface's driver, before anything was allocated for them.
    Driver,
    /// At the start of the host's network stack, independent of the driver.
    Stack,
}

/// A program on an interface, for as long as this lives.
#[derive(Debug)]
pub struct Attachment(#[expect(dead_code, reason = "it keeps the program attached")] OwnedFd);

fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

/// Creates an object that the kernel returns as a file.
///
/// # Safety
///
/// As for [`call`].
unsafe fn make<T>(command: c_int, request: &T) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the request; these commands return a file that is new.
    unsafe { Ok(OwnedFd::from_raw_fd(call(command, request)?)) }
}

/// Calls `bpf(2)`.
///
/// # Safety
///
/// The request must have the kernel's layout for this command, and its addresses must be valid for
/// what the kernel does with them.
unsafe fn call<T>(command: c_int, request: &T) -> io::Result<RawFd> {
    // SAFETY: the kernel reads the request, and knows by its size how much of it there is. The
    // commands used here write nothing to it.
    let status =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *request, size_of::<T>()) };
    RawFd::try_from(status).ok().filter(|file| *file >= 0).ok_or_else(io::Error::last_os_error)
}

/// Lends the file of a map.
impl AsFd for SocketMap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
