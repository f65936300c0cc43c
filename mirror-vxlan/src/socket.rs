//! Linux's socket calls that nobody else wraps safely: the one place of `unsafe` code.
//!
//! Each type here is sound for any caller and decides nothing: what is received, from where and
//! how much of it is for [`input`](crate::input) to say. Everything that rustix or socket2 already
//! offer safely is called there, not wrapped again here.

#![expect(unsafe_code, reason = "the kernel's interfaces of shared memory and of pointers")]

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
