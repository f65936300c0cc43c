//! Classic BPF programs, loaded into the kernel.
//!
//! The kernel verifies a program before it accepts it, so none of these calls can do harm.

use std::ffi::{c_int, c_ushort};
use std::io;
use std::os::fd::AsFd;

use super::option;

/// One instruction, laid out like the kernel's `sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions are skipped if a test holds.
    pub then_skip: u8,
    /// How many instructions are skipped if a test does not hold.
    pub else_skip: u8,
    /// The constant, offset or place that it uses.
    pub operand: u32,
}

const _: () = assert!(
    size_of::<Instruction>() == size_of::<libc::sock_filter>()
        && align_of::<Instruction>() == align_of::<libc::sock_filter>(),
    "an instruction is a sock_filter"
);

/// Lets a socket receive only the packets for which `program` returns more than zero.
///
/// # Errors
///
/// The kernel did not accept the program.
pub fn attach(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program)
}

/// Lets `program` choose among the sockets that share a port: it returns the place of a socket in
/// the order in which they were bound.
///
/// # Errors
///
/// The kernel did not accept the program, or the socket does not share its port.
pub fn attach_to_shared_port(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, program)
}

/// Lets `program` choose among the packet sockets of a fanout group: it returns the place of a
/// socket in the order in which they joined.
///
/// # Errors
///
/// The kernel did not accept the program, or the socket is not in a group that programs steer.
pub fn attach_to_fanout(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    set(socket, libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, program)
}

fn set(socket: impl AsFd, level: c_int, name: c_int, program: &[Instruction]) -> io::Result<()> {
    let len = c_ushort::try_from(program.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the program is too long"))?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `filter` points to `len` instructions, which outlive the call and are laid out as
    // `sock_filter` is (asserted above); the kernel copies them and does not write to them.
    unsafe { option::set(socket.as_fd(), level, name, &program) }
}
