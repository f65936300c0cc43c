//! Linux socket calls that no other crate wraps safely: the only place with `unsafe` code.
//!
//! Each type here is sound for any caller and decides nothing: [`input`](crate::input) decides what
//! is received, from where, and how much of it. Everything that rustix or socket2 already offer
//! safely is called there, not wrapped again here.

#![expect(unsafe_code, reason = "the kernel's interfaces are shared memory and pointers")]

pub mod datagrams;
pub mod device;
pub mod ebpf;
pub mod filter;
mod memory;
pub mod offload;
pub mod option;
pub mod packet;
pub mod tap;
pub mod xdp;
