//! Many datagrams received by one system call (`recvmmsg`).

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd as _};
use std::ptr::NonNull;

use super::option::length_of;
use crate::Timestamp;

/// The most datagrams that the kernel returns from one call (`UIO_MAXIOV`).
const COUNT_MAX: usize = 1024;

/// Space for the control messages of a datagram; there is one, a time of 16 bytes.
type Control = [u64; 8];

/// Buffers for a number of datagrams, filled by one system call and read until the next.
pub struct Datagrams {
    bytes: Buffer<u8>,
    slot_len: usize,
    addresses: Buffer<libc::sockaddr_storage>,
    controls: Buffer<Control>,
    vectors: Buffer<libc::iovec>,
    headers: Buffer<libc::mmsghdr>,
    received: usize,
}

// SAFETY: the pointers lead only to buffers that the same value owns.
unsafe impl Send for Datagrams {}

impl Datagrams {
    /// Makes buffers for `count` datagrams (at most 1024) of `slot_len` bytes each.
    pub fn with_slots(count: usize, slot_len: usize) -> Self {
        let count = count.clamp(1, COUNT_MAX);
        let bytes = Buffer::<u8>::zeroed(count * slot_len);
        let addresses = Buffer::zeroed(count);
        let controls = Buffer::zeroed(count);
        let vectors = Buffer::from_fn(count, |slot| libc::iovec {
            iov_base: bytes.at(slot * slot_len).as_ptr().cast(),
            iov_len: slot_len,
        });
        // SAFETY: zeros are a valid header: null pointers and no bytes.
        let headers = Buffer::from_fn(count, |_| unsafe { std::mem::zeroed() });
        Self { bytes, slot_len, addresses, controls, vectors, headers, received: count }.prepared()
    }

    /// Receives the waiting datagrams and returns their number, without blocking.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if none is waiting; any other error is a failure of the socket.
    pub fn receive(&mut self, socket: impl AsFd) -> io::Result<usize> {
        self.prepare();
        let count = libc::c_uint::try_from(self.headers.len).unwrap_or(libc::c_uint::MAX);
        // SAFETY: each of the `count` headers points to buffers of the lengths that it states, which
        // this value owns and to which there is no reference while it is borrowed mutably.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_fd().as_raw_fd(),
                self.headers.at(0).as_ptr(),
                count,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        match usize::try_from(received) {
            Ok(received) => {
                self.received = received;
                Ok(received)
            }
            Err(_) => Err(io::Error::last_os_error()),
        }
    }

    /// Returns the datagrams of the last call of `receive`, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.received).map(|slot| {
            // SAFETY: the kernel filled the header of each slot below `received`, and writes to
            // these buffers only in `receive`, which borrows mutably.
            let (message, address, bytes) = unsafe {
                let message = self.headers.at(slot).as_ref();
                let len = (message.msg_len as usize).min(self.slot_len);
                let start = self.bytes.at(slot * self.slot_len).as_ptr();
                (message, self.addresses.at(slot).as_ref(), std::slice::from_raw_parts(start, len))
            };
            Datagram {
                source: source(address),
                time: time(&message.msg_hdr),
                truncated: message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
                bytes,
            }
        })
    }

    fn prepared(mut self) -> Self {
        self.prepare();
        self.received = 0;
        self
    }

    /// Prepares the headers that the last call used again: the kernel writes lengths to them.
    fn prepare(&mut self) {
        for slot in 0..std::mem::take(&mut self.received) {
            // SAFETY: zeros are a valid header: null pointers and no bytes.
            let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
            header.msg_name = self.addresses.at(slot).as_ptr().cast();
            header.msg_namelen = length_of::<libc::sockaddr_storage>();
            header.msg_iov = self.vectors.at(slot).as_ptr();
            header.msg_iovlen = 1;
            header.msg_control = self.controls.at(slot).as_ptr().cast();
            header.msg_controllen = size_of::<Control>() as _;
            // SAFETY: the slot is one of the headers, and `self` is borrowed mutably.
            unsafe {
                self.headers.at(slot).write(libc::mmsghdr { msg_hdr: header, msg_len: 0 });
            }
        }
    }
}

impl fmt::Debug for Datagrams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagrams")
            .field("slots", &self.headers.len)
            .field("slot_len", &self.slot_len)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// One datagram received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The sender; an IPv4 address stays one even if an IPv6 socket received it.
    pub source: SocketAddr,
    /// When the kernel received it, if the socket reports that.
    pub time: Option<Timestamp>,
    /// Whether it was longer than its slot.
    pub truncated: bool,
    /// The payload, as far as the slot has room for it.
    pub bytes: &'a [u8],
}

/// Memory that the kernel writes to through pointers, and that is read through other pointers.
///
/// A `Box` would claim to be the only access to it.
struct Buffer<T> {
    start: NonNull<T>,
    len: usize,
}

impl<T: Copy> Buffer<T> {
    fn from_fn(len: usize, each: impl FnMut(usize) -> T) -> Self {
        let values: Box<[T]> = (0..len).map(each).collect();
        let start = NonNull::from(Box::leak(values)).cast();
        Self { start, len }
    }

    /// Makes a buffer of zero bytes.
    fn zeroed(len: usize) -> Self
    where
        T: Plain,
    {
        // SAFETY: `Plain` types are valid as zeros.
        let values = unsafe { Box::<[T]>::new_zeroed_slice(len).assume_init() };
        let start = NonNull::from(Box::leak(values)).cast();
        Self { start, len }
    }
}

impl<T> Buffer<T> {
    fn at(&self, place: usize) -> NonNull<T> {
        assert!(place <= self.len, "the place is within the buffer");
        // SAFETY: the place is within the buffer, or just behind it.
        unsafe { self.start.add(place) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let values = NonNull::slice_from_raw_parts(self.start, self.len);
        // SAFETY: this is the box that was leaked when the buffer was made.
        drop(unsafe { Box::from_raw(values.as_ptr()) });
    }
}

/// Types for which any bytes are valid.
///
/// # Safety
///
/// Every bit pattern, zeros among them, is a value of the type.
unsafe trait Plain {}

// SAFETY: numbers.
unsafe impl Plain for u8 {}
// SAFETY: numbers.
unsafe impl Plain for Control {}
// SAFETY: a structure of numbers.
unsafe impl Plain for libc::sockaddr_storage {}

/// Returns the address that the kernel wrote.
fn source(address: &libc::sockaddr_storage) -> SocketAddr {
    let start = (&raw const *address).cast::<u8>();
    if libc::c_int::from(address.ss_family) == libc::AF_INET {
        // SAFETY: the storage is larger than any address and aligned for each; any bytes are valid.
        let v4 = unsafe { start.cast::<libc::sockaddr_in>().read() };
        let ip = u32::from_be(v4.sin_addr.s_addr).into();
        return SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into();
    }
    // SAFETY: as above. No other family can come from a UDP socket.
    let v6 = unsafe { start.cast::<libc::sockaddr_in6>().read() };
    let (ip, port) = (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port));
    match ip.to_ipv4_mapped() {
        Some(mapped) => SocketAddrV4::new(mapped, port).into(),
        None => SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into(),
    }
}

/// Returns the time among the control messages of a datagram.
fn time(header: &libc::msghdr) -> Option<Timestamp> {
    // SAFETY: the kernel wrote `msg_controllen` bytes of control messages to the buffer, and the
    // macros walk within them.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = message.as_ref() {
            if control.cmsg_level == libc::SOL_SOCKET && control.cmsg_type == libc::SCM_TIMESTAMPNS
            {
                let time = libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned();
                let seconds = u64::try_from(time.tv_sec).ok()?;
                return Some(Timestamp::from_parts(seconds, u32::try_from(time.tv_nsec).ok()?));
            }
            message = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}
