//! The two byte orders of capture files, as seen from this machine.

/// Whether the bytes of numbers have to be swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// The file was written on a machine with the same byte order.
    Native,
    /// The file was written on a machine with the other byte order.
    Swapped,
}

impl ByteOrder {
    #[inline]
    pub(super) const fn u16(self, bytes: [u8; 2]) -> u16 {
        let number = u16::from_ne_bytes(bytes);
        match self {
            Self::Native => number,
            Self::Swapped => number.swap_bytes(),
        }
    }

    #[inline]
    pub(super) const fn u32(self, bytes: [u8; 4]) -> u32 {
        let number = u32::from_ne_bytes(bytes);
        match self {
            Self::Native => number,
            Self::Swapped => number.swap_bytes(),
        }
    }

    #[inline]
    pub(super) const fn u64(self, bytes: [u8; 8]) -> u64 {
        let number = u64::from_ne_bytes(bytes);
        match self {
            Self::Native => number,
            Self::Swapped => number.swap_bytes(),
        }
    }

    /// Reads the first `N` words of `L` bytes, which must be at least four times as many.
    #[inline]
    pub(super) fn words<const N: usize, const L: usize>(self, bytes: &[u8; L]) -> [u32; N] {
        const { assert!(4 * N <= L, "each word has four bytes") };
        std::array::from_fn(|n| {
            self.u32([bytes[4 * n], bytes[4 * n + 1], bytes[4 * n + 2], bytes[4 * n + 3]])
        })
    }
}
