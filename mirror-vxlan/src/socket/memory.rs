//! Memory that is shared with the kernel, which also reads and writes it.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU32;

/// A mapping that starts at a page. Its contents are accessed only through pointers.
#[derive(Debug)]
pub(super) struct Memory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory does not belong to a thread; atomic words tell what the kernel does in it.
unsafe impl Send for Memory {}

impl Memory {
    /// Maps memory that a socket shares; the offset selects which.
    pub(super) fn shared(
        socket: BorrowedFd<'_>,
        offset: libc::off_t,
        len: usize,
    ) -> io::Result<Self> {
        Self::map(len, libc::MAP_SHARED, socket.as_raw_fd(), offset)
    }

    /// Maps private, zeroed memory.
    pub(super) fn private(len: usize) -> io::Result<Self> {
        Self::map(len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    }

    fn map(len: usize, kind: c_int, file: c_int, offset: libc::off_t) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, touches no memory of ours.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, kind, file, offset) };
        match NonNull::new(start.cast::<u8>()) {
            Some(memory) if start != libc::MAP_FAILED => Ok(Self { start: memory, len }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Returns how many bytes there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Returns a pointer to `len` bytes at `offset`; panics if they are not within the memory.
    pub(super) fn at(&self, offset: usize, len: usize) -> NonNull<u8> {
        let end = offset.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len), "the bytes lie within the memory");
        // SAFETY: the offset is within the mapping.
        unsafe { self.start.add(offset) }
    }

    /// Returns the word at `offset`, which both sides access only atomically.
    pub(super) fn word(&self, offset: usize) -> &AtomicU32 {
        let word = self.at(offset, size_of::<AtomicU32>()).cast::<AtomicU32>();
        assert!(word.is_aligned(), "the word is aligned");
        // SAFETY: it lies within the mapping, is aligned, and is accessed only atomically; the
        // mapping lives as long as `self`.
        unsafe { word.as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made by `map`, and nothing borrows from it any more.
        let status = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        debug_assert_eq!(status, 0, "the mapping was ours");
    }
}
