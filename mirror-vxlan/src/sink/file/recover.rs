//! Files whose writer died: cut to their last whole block or record, and finished.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::FileError;
use super::name::{PARTIAL, Prefix, Stage};
use super::partial::compressed;
use crate::batch::Batch;
use crate::capture::Format;

/// Bytes read at a time.
const BUFFER: usize = 1024 * 1024;

/// Finishes every file in the directory that a writer with this prefix left behind.
///
/// A file that a live process is writing is left alone.
pub(super) fn recover(directory: &Path, prefix: &Prefix) -> Result<(), FileError> {
    let unreadable = |source| FileError::Unreadable { path: directory.into(), source };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        match prefix.stage(&path) {
            Some(Stage::Partial) => finish(&path),
            Some(Stage::Compressing) => discard(&path),
            Some(Stage::Finished) | None => continue,
        }
        .map_err(|source| FileError::Recover { path, source })?;
    }
    Ok(())
}

fn finish(path: &Path) -> io::Result<()> {
    let Some(file) = abandoned(path)? else { return Ok(()) };
    let finished = path.with_extension("");
    debug_assert!(path.to_string_lossy().ends_with(PARTIAL), "only the last ending goes");
    if compressed(&finished).try_exists()? {
        return fs::remove_file(path); // the writer died between these two steps
    }
    let is_pcap = finished.extension().is_some_and(|extension| extension == "pcap");
    let format = if is_pcap { Format::Pcap } else { Format::Pcapng };
    let (whole, frames) = whole_length(&file, format)?;
    if frames == 0 {
        return fs::remove_file(path);
    }
    file.set_len(whole)?;
    file.sync_all()?;
    fs::rename(path, finished)
}

fn discard(path: &Path) -> io::Result<()> {
    match abandoned(path)? {
        Some(_locked) => fs::remove_file(path),
        None => Ok(()),
    }
}

/// Opens a file unless a live process is writing it.
fn abandoned(path: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the length of the whole part of a file that we wrote, and the number of frames in it.
fn whole_length(file: &File, format: Format) -> io::Result<(u64, u64)> {
    let length = file.metadata()?.len();
    let mut input = BufReader::with_capacity(BUFFER, file);
    let (mut whole, mut frames) = (0, 0);
    while let Some(piece) = next_piece(&mut input, format, whole, length - whole)? {
        whole += piece.length;
        frames += u64::from(piece.is_frame);
    }
    Ok((whole, frames))
}

/// A block or record that is whole.
struct Piece {
    length: u64,
    is_frame: bool,
}

/// Skips the piece at `position`; `None` if it is not whole within the bytes that are left.
fn next_piece(
    input: &mut BufReader<&File>,
    format: Format,
    position: u64,
    left: u64,
) -> io::Result<Option<Piece>> {
    const ENHANCED_PACKET: u32 = 6;
    const BLOCK_MAX: u32 = Batch::FRAME_MAX + 64 * 1024;
    let (head_length, is_frame, length) = match format {
        Format::Pcap if position == 0 => (0, false, 24),
        Format::Pcap => {
            let Some([_, _, captured, _]) = words(input, left)? else { return Ok(None) };
            if captured > Batch::FRAME_MAX {
                return Ok(None);
            }
            (16, true, u64::from(captured) + 16)
        }
        Format::Pcapng => {
            let Some([kind, length]) = words(input, left)? else { return Ok(None) };
            if length < 12 || length % 4 != 0 || length > BLOCK_MAX {
                return Ok(None);
            }
            (8, kind == ENHANCED_PACKET, u64::from(length))
        }
    };
    if length > left {
        return Ok(None);
    }
    let rest = i64::try_from(length - head_length).expect("a piece has less than a megabyte");
    input.seek_relative(rest)?;
    Ok(Some(Piece { length, is_frame }))
}

/// Reads numbers in the byte order of this machine, which wrote them.
fn words<const N: usize>(input: &mut impl Read, left: u64) -> io::Result<Option<[u32; N]>> {
    if left < 4 * N as u64 {
        return Ok(None);
    }
    let mut words = [0; N];
    for word in &mut words {
        let mut bytes = [0; 4];
        input.read_exact(&mut bytes)?;
        *word = u32::from_ne_bytes(bytes);
    }
    Ok(Some(words))
}
