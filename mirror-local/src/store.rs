//! The world kept in a directory: an append-only log of changed rows.
//!
//! Each call that changes something appends one line: a checksum and the rows it changed. A line
//! that a killed process left half-written is cut off by the next one. Several processes may share
//! a directory: each call takes the lock, reads what others have appended, and appends its own.
//! When most of the log is history, a new log is written beside it and renamed over it.
//!
//! A killed process loses nothing. After a power cut the last calls may be missing, but what is
//! there is whole.

use crate::place::Place;
use crate::world::{Region, World};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The log is rewritten once it has grown by this much and to twice its former size.
const GROWTH_MIN: u64 = 8 << 20;

/// Rows in one line of a rewritten log.
const ROWS_PER_LINE: usize = 500;

/// Why a directory cannot serve as a cloud.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    Access {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The log is damaged somewhere other than at its end.
    #[error("{} is damaged at byte {at}", path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Where the damage begins.
        at: u64,
    },
    /// The log was written by another version.
    #[error("{} is not a log of this version", path.display())]
    Foreign {
        /// The log.
        path: PathBuf,
    },
}

/// A directory that holds a world.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    lock: File,
    /// Which rewritten log has been read, and how far.
    generation: u64,
    offset: u64,
    size_rewritten: u64,
}

/// The changed rows of one call.
#[derive(Deserialize)]
struct Line<'a> {
    calls: u64,
    region: &'a str,
    #[serde(borrow)]
    rows: Vec<(&'a str, String, Option<&'a RawValue>)>,
}

/// The content of the first line of a log.
struct Header {
    generation: u64,
    seed: u64,
    length: u64,
}

impl Store {
    /// Opens a directory, which is created if needed.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let path = directory.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        let directory = directory.to_owned();
        Ok(Self { directory, lock, generation: 0, offset: 0, size_rewritten: 0 })
    }

    /// Locks the directory for one call; nobody else can use it until [`Store::release`].
    pub(crate) fn acquire(&self) -> Result<(), StoreError> {
        self.lock.lock().map_err(at(&self.directory.join("lock")))
    }

    /// Unlocks the directory.
    pub(crate) fn release(&self) {
        // A failed unlock is made good when the file is closed.
        self.lock.unlock().ok();
    }

    /// Updates the world with what others have written.
    pub(crate) fn catch_up(&mut self, world: &mut World) -> Result<(), StoreError> {
        let path = self.log_path();
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *world = world.afresh();
                return self.rewrite(world);
            }
            Err(error) => return Err(at(&path)(error)),
        };
        let size = file.metadata().map_err(at(&path))?.len();
        let Some(header) = read_header(&mut file, &path)? else {
            *world = world.afresh();
            return self.rewrite(world);
        };
        if header.generation != self.generation || size < self.offset {
            *world = world.afresh();
            world.seed = header.seed;
            self.generation = header.generation;
            self.offset = header.length;
            self.size_rewritten = size;
        }
        if size == self.offset {
            return Ok(());
        }
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.offset)).map_err(at(&path))?;
        file.read_to_end(&mut text).map_err(at(&path))?;
        let whole = self.replay(world, &text)?;
        if whole < text.len() {
            file.set_len(self.offset).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Appends what one call has changed.
    pub(crate) fn append(&mut self, world: &mut World) -> Result<(), StoreError> {
        let mut text = String::new();
        for region in world.regions() {
            let mut rows = Vec::new();
            for (table, contents) in region.tables() {
                contents.changes(&mut |id, row| rows.push(entry(table, id, row.as_deref())));
            }
            write_lines(&mut text, (world.calls, region), &rows);
        }
        world.commit();
        if text.is_empty() {
            return Ok(());
        }
        let path = self.log_path();
        let mut file = OpenOptions::new().append(true).open(&path).map_err(at(&path))?;
        if let Err(error) = file.write_all(text.as_bytes()) {
            // What is on disk counts: the next call reads all of it again.
            self.generation = 0;
            return Err(at(&path)(error));
        }
        self.offset += text.len() as u64;
        let grown = self.offset - self.size_rewritten.min(self.offset);
        if grown > GROWTH_MIN && grown > self.size_rewritten {
            self.rewrite(world)?;
        }
        Ok(())
    }

    /// Writes the world into a new log and puts it in the place of the old one.
    pub(crate) fn rewrite(&mut self, world: &mut World) -> Result<(), StoreError> {
        let path = self.log_path();
        let old = File::open(&path).ok();
        let old = old.and_then(|mut file| read_header(&mut file, &path).ok().flatten());
        let generation = old.map_or(0, |header| header.generation).max(self.generation) + 1;
        let mut text = header_line(generation, world.seed);
        for region in world.regions() {
            write_lines(&mut text, (world.calls, region), &everything(region));
        }
        let beside = self.directory.join("world.log.new");
        let mut file = File::create(&beside).map_err(at(&beside))?;
        file.write_all(text.as_bytes()).map_err(at(&beside))?;
        file.sync_all().map_err(at(&beside))?;
        fs::rename(&beside, &path).map_err(at(&path))?;
        world.commit();
        self.generation = generation;
        self.offset = text.len() as u64;
        self.size_rewritten = self.offset;
        Ok(())
    }

    /// Returns where the log of calls is kept.
    pub(crate) fn calls_path(&self) -> PathBuf {
        self.directory.join("calls.log")
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("world.log")
    }

    /// Applies whole lines; returns how many bytes they make up.
    fn replay(&mut self, world: &mut World, text: &[u8]) -> Result<usize, StoreError> {
        let mut whole = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if replay_line(world, line).is_none() {
                if whole + line.len() < text.len() {
                    let at = self.offset;
                    return Err(StoreError::Damaged { path: self.log_path(), at });
                }
                break;
            }
            whole += line.len();
            self.offset += line.len() as u64;
        }
        Ok(whole)
    }
}

fn replay_line(world: &mut World, line: &[u8]) -> Option<()> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, json) = line.split_once(' ')?;
    if u64::from_str_radix(sum, 16).ok()? != checksum(json) {
        return None;
    }
    let line: Line<'_> = serde_json::from_str(json).ok()?;
    world.calls = line.calls;
    let region = world.stored_region(Place::from(line.region));
    for (name, id, row) in line.rows {
        region.table_mut(name)?.load(&id, row.map(RawValue::get)).ok()?;
    }
    Some(())
}

fn entry(table: &str, id: &str, row: Option<&str>) -> String {
    let id = serde_json::Value::from(id);
    format!("[\"{table}\",{id},{}]", row.unwrap_or("null"))
}

fn everything(region: &Region) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, contents) in region.tables() {
        contents.everything(&mut |id, row| rows.push(entry(table, id, Some(&row.to_string()))));
    }
    rows
}

/// Writes rows as checksummed lines.
///
/// The rows of one call stay on one line, so that a call is either wholly there or not at all; only
/// a rewritten log, which nobody sees before it is complete, has more rows than fit on one line.
fn write_lines(text: &mut String, (calls, region): (u64, &Region), rows: &[String]) {
    let rewriting = text.starts_with(MAGIC);
    let place = region.place();
    let size = if rewriting { ROWS_PER_LINE } else { rows.len().max(1) };
    for rows in rows.chunks(size) {
        let rows = rows.join(",");
        let json = format!("{{\"calls\":{calls},\"region\":\"{place}\",\"rows\":[{rows}]}}");
        let _ = writeln!(text, "{:016x} {json}", checksum(&json));
    }
}

const MAGIC: &str = "mirror-local-world 1 ";

fn header_line(generation: u64, seed: u64) -> String {
    format!("{MAGIC}{generation:016x} {seed:016x}\n")
}

/// Reads the first line; `None` if it is incomplete.
fn read_header(file: &mut File, path: &Path) -> Result<Option<Header>, StoreError> {
    let length = header_line(0, 0).len() as u64;
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text).map_err(at(path))?;
    if (text.len() as u64) < length {
        return Ok(None);
    }
    let numbers = std::str::from_utf8(&text).ok().and_then(|text| {
        let (generation, seed) = text.strip_prefix(MAGIC)?.trim_end().split_once(' ')?;
        Some((u64::from_str_radix(generation, 16).ok()?, u64::from_str_radix(seed, 16).ok()?))
    });
    let Some((generation, seed)) = numbers else {
        return Err(StoreError::Foreign { path: path.to_owned() });
    };
    Ok(Some(Header { generation, seed, length }))
}

/// FNV-1a over 64 bits: against torn writes, not against adversaries.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Access { path, source }
}
