//! The classic capture format, with times in nanoseconds: one header, then one record per frame.
//!
//! Everything is in the machine's byte order, which readers recognize by the header. The format has
//! no field for the session; to tell sessions apart, write [pcapng](super::pcapng) or one file for
//! each.

#![forbid(unsafe_code)]

use crate::batch::Batch;
use crate::frame::Frame;

use super::LINKTYPE_ETHERNET;

/// The number that begins a file with times in nanoseconds.
pub(super) const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;

/// Bytes of the header of a file.
pub const FILE_HEADER_LEN: usize = 24;

/// Bytes of the header of a record, before its frame.
pub const RECORD_HEADER_LEN: usize = 16;

/// The major and minor version that every file of the last 25 years has.
pub(super) const VERSION: [u16; 2] = [2, 4];

/// Returns the header of a file of Ethernet frames, each with at most `snap_length` bytes.
pub fn file_header(snap_length: u32) -> [u8; FILE_HEADER_LEN] {
    let [major, minor] = VERSION.map(u16::to_ne_bytes);
    let mut header = [0; FILE_HEADER_LEN];
    header[..4].copy_from_slice(&MAGIC_NANOSECONDS.to_ne_bytes());
    header[4..6].copy_from_slice(&major);
    header[6..8].copy_from_slice(&minor);
    // Time zone and accuracy, bytes 8 to 16, are zero in every file.
    header[16..20].copy_from_slice(&snap_length.to_ne_bytes());
    header[20..].copy_from_slice(&u32::from(LINKTYPE_ETHERNET).to_ne_bytes());
    header
}

/// Appends a frame as a record; a longer frame is cut to [`Batch::FRAME_MAX`] bytes.
///
/// The format has 32 bits for the seconds: a time past the year 2106 becomes the last one that it
/// can represent.
#[inline]
pub fn push_record(out: &mut Vec<u8>, frame: &Frame<'_>) {
    let captured = u32::try_from(frame.bytes.len())
        .map_or(Batch::FRAME_MAX, |length| length.min(Batch::FRAME_MAX));
    let [seconds, nanoseconds] = seconds_and_nanoseconds(frame.time.as_nanos());
    let words = [seconds, nanoseconds, captured, frame.original_len];
    let mut header = [0; RECORD_HEADER_LEN];
    for (place, word) in header.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    out.extend_from_slice(&header);
    out.extend_from_slice(&frame.bytes[..captured as usize]);
}

/// A time as the two words of a record.
fn seconds_and_nanoseconds(nanoseconds: u64) -> [u32; 2] {
    const SECOND: u64 = 1_000_000_000;
    match u32::try_from(nanoseconds / SECOND) {
        Ok(seconds) => [seconds, (nanoseconds % SECOND) as u32],
        Err(_) => [u32::MAX, 999_999_999],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_split_and_the_last_that_fits_is_the_limit() {
        assert_eq!(seconds_and_nanoseconds(1_561_638_405_000_000_007), [1_561_638_405, 7]);
        let last = u64::from(u32::MAX) * 1_000_000_000 + 999_999_999;
        assert_eq!(seconds_and_nanoseconds(last), [u32::MAX, 999_999_999]);
        assert_eq!(seconds_and_nanoseconds(last + 1), [u32::MAX, 999_999_999]);
    }
}
