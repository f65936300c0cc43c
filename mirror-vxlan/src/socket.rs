//! Linux's socket calls that nobody else wraps safely: the one place of `unsafe` code.

#![expect(unsafe_code, reason = "the kernel's interfaces of shared memory and of pointers")]

pub mod tap;
