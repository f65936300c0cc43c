//! Socket options that socket2 does not have.

use std::ffi::c_int;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

/// The place of the drop counter among the numbers of `SO_MEMINFO` (`SK_MEMINFO_DROPS`).
const MEMORY_INFO_DROPS: usize = 8;

/// How many numbers `SO_MEMINFO` returns (`SK_MEMINFO_VARS`).
const MEMORY_INFO_LEN: usize = 9;

/// `UDP_NO_CHECK6_TX` from `linux/udp.h`.
const UDP_NO_CHECK6_TX: c_int = 101;

/// `UDP_NO_CHECK6_RX` from `linux/udp.h`.
const UDP_NO_CHECK6_RX: c_int = 102;

/// Asks for room for `bytes` of waiting packets and returns the size granted, as the kernel counts
/// it: about twice the bytes of the packets themselves.
///
/// With `CAP_NET_ADMIN` the whole size is granted; without it, at most `net.core.rmem_max`.
///
/// # Errors
///
/// The kernel refused to set or to report the size.
pub fn set_receive_buffer(socket: impl AsFd, bytes: usize) -> io::Result<usize> {
    let socket = socket.as_fd();
    let wish = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set_number(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, wish)
        .or_else(|_| set_number(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, wish))?;
    let granted = get_number(socket, libc::SOL_SOCKET, libc::SO_RCVBUF)?;
    Ok(usize::try_from(granted).unwrap_or(0))
}

/// Returns how many packets the socket had to drop since it was made, modulo 2³².
///
/// Unlike the count that comes with packets (`SO_RXQ_OVFL`), this includes packets dropped after the
/// last packet that was received.
///
/// # Errors
///
/// The kernel could not be asked; it supports the option since Linux 4.12.
pub fn dropped(socket: impl AsFd) -> io::Result<u32> {
    let mut numbers = [0_u32; MEMORY_INFO_LEN];
    let mut length = length_of::<[u32; MEMORY_INFO_LEN]>();
    // SAFETY: the kernel writes at most `length` bytes to `numbers`, for which any bytes are valid.
    let status = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            numbers.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    checked(status)?;
    Ok(numbers[MEMORY_INFO_DROPS])
}

/// Makes the kernel report with each packet when it arrived, in nanoseconds.
///
/// # Errors
///
/// The kernel refused.
pub fn enable_timestamps(socket: impl AsFd) -> io::Result<()> {
    set_number(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
}

/// Lets an IPv6 UDP socket receive datagrams with the checksum zero, which VXLAN may have.
///
/// # Errors
///
/// The kernel refused; it is no socket of UDP.
pub fn accept_without_checksum(socket: impl AsFd) -> io::Result<()> {
    set_number(socket.as_fd(), libc::SOL_UDP, UDP_NO_CHECK6_RX, 1)
}

/// Makes a UDP socket send with the checksum zero, as RFC 7348 asks of a VXLAN sender.
///
/// # Errors
///
/// The kernel refused; it is no socket of UDP.
pub fn disable_checksum(socket: impl AsFd) -> io::Result<()> {
    let socket = socket.as_fd();
    set_number(socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)?;
    match get_number(socket, libc::SOL_SOCKET, libc::SO_DOMAIN)? {
        libc::AF_INET6 => set_number(socket, libc::SOL_UDP, UDP_NO_CHECK6_TX, 1),
        _ => Ok(()),
    }
}

/// Sets an option that is a number.
pub(super) fn set_number(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    // SAFETY: a number holds no pointer, so whatever the option is, the kernel reads only `value`.
    unsafe { set(socket, level, name, &value) }
}

/// Returns an option that is a number.
pub(super) fn get_number(socket: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    // SAFETY: every value of a `c_int` is valid.
    unsafe { get(socket, level, name) }
}

/// Sets an option that has its own type.
///
/// # Safety
///
/// If `value` holds pointers, they must be valid for what the kernel does with this option.
pub(super) unsafe fn set<T>(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &T,
) -> io::Result<()> {
    let length = length_of::<T>();
    let value = (&raw const *value).cast();
    // SAFETY: `value` is `length` bytes of a live value; the caller vouches for what it points to.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, length) })
}

/// Returns an option that has its own type.
///
/// # Safety
///
/// Zero bytes, and whatever the kernel writes over them for this option, must be a valid `T`.
pub(super) unsafe fn get<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = length_of::<T>();
    let place = value.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `length` bytes, which `value` has.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, place, &raw mut length) })?;
    // SAFETY: the caller vouches for zeros overwritten by the kernel.
    Ok(unsafe { value.assume_init() })
}

/// Returns the length of a type, in the type that the kernel expects.
pub(super) const fn length_of<T>() -> libc::socklen_t {
    assert!(size_of::<T>() < 4096, "options and addresses are small");
    #[expect(clippy::cast_possible_truncation, reason = "the line above checks it")]
    let length = size_of::<T>() as libc::socklen_t;
    length
}

/// Turns the result of a system call into that of a function.
pub(super) fn checked(status: c_int) -> io::Result<()> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
