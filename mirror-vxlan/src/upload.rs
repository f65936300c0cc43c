//! Uploads finished capture files to an object store, and deletes them here once they are stored.
//!
//! The files on the disk are the queue: the next receiver finds what one that ended or died did not
//! upload. A file is deleted only after the store, when asked, reported that it has the file, with
//! its length and with the tag that it returned for the upload. While the store refuses, the files
//! stay within the [budget](crate::sink::file::Budget) of the sink that writes them.
//!
//! The uploads run on one thread with its own async runtime; nothing else in this crate has one.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutResult, WriteMultipart};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::count::{Tally, UploadCounts};
use crate::sink::file::{Inventory, Prefix, StoredFile};

/// Bytes of each part of an upload; S3 accepts at most 10,000 parts of at least 5 MiB, so a file may
/// have 80 GiB.
const PART: usize = 8 * 1024 * 1024;

/// Parts in flight at a time; together with [`PART`], this bounds the memory.
const PARTS_AT_ONCE: usize = 2;

/// Where finished files are found, where they are stored, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadOptions {
    /// The directories of the sinks that write the files.
    pub directories: Vec<PathBuf>,
    /// The prefix of their names.
    pub prefix: Prefix,
    /// The prefix of the key of each object; it must be unique to this receiver, or one receiver
    /// overwrites what another stored.
    pub key_prefix: String,
    /// How often the directories are scanned, and the first pause after a failure.
    pub interval: Duration,
    /// The longest pause after failures; each pause is twice as long as the one before.
    pub pause_max: Duration,
}

impl UploadOptions {
    /// Makes options to scan every second, and at least every minute while the store refuses.
    pub fn new(directories: Vec<PathBuf>, key_prefix: impl Into<String>) -> Self {
        Self {
            directories,
            prefix: Prefix::default(),
            key_prefix: key_prefix.into(),
            interval: Duration::from_secs(1),
            pause_max: Duration::from_secs(60),
        }
    }
}

/// Uploads files until it is closed.
#[derive(Debug)]
pub struct Uploader {
    close: Option<oneshot::Sender<Duration>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Mutex<UploadCounts>>,
}

impl Uploader {
    /// Starts to upload.
    ///
    /// # Errors
    ///
    /// The thread or its runtime could not be started.
    pub fn start(store: Arc<dyn ObjectStore>, options: UploadOptions) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counts = Arc::<Mutex<UploadCounts>>::default();
        let upload = Upload { store, options, counts: Arc::clone(&counts) };
        let (close, closed) = oneshot::channel();
        let run = move || runtime.block_on(upload.run(closed));
        let thread = thread::Builder::new().name("upload".into()).spawn(run)?;
        Ok(Self { close: Some(close), thread: Some(thread), counts })
    }

    /// Copies the counts out.
    pub fn counts(&self) -> UploadCounts {
        lock(&self.counts).clone()
    }

    /// Uploads the files that are finished by now, for at most `limit`, and ends.
    ///
    /// Files that are not uploaded by then stay, and the next uploader finds them.
    pub fn close(mut self, limit: Duration) -> UploadCounts {
        if let Some(close) = self.close.take() {
            close.send(limit).ok(); // it has ended already if nobody listens
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("an upload does not panic");
        }
        self.counts()
    }
}

/// The state of the thread.
struct Upload {
    store: Arc<dyn ObjectStore>,
    options: UploadOptions,
    counts: Arc<Mutex<UploadCounts>>,
}

/// Why a file was not uploaded.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    #[error("cannot read `{path}`: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot store `{key}`: {source}")]
    Store { key: Key, source: object_store::Error },
    #[error("cannot store `{key}`: the store has {stored} of {sent} bytes, or another object")]
    Differs { key: Key, sent: u64, stored: u64 },
    #[error("cannot delete `{path}`, which is stored: {source}")]
    Delete { path: PathBuf, source: io::Error },
}

impl Upload {
    async fn run(self, mut closed: oneshot::Receiver<Duration>) {
        let mut pause = self.options.interval;
        let limit = loop {
            tokio::select! {
                limit = &mut closed => break limit,
                () = sleep(pause) => (),
            }
            tokio::select! {
                limit = &mut closed => break limit,
                passed = self.pass() => pause = match passed {
                    Ok(()) => self.options.interval,
                    Err(()) => (pause * 2).min(self.options.pause_max),
                },
            }
        };
        if let Ok(limit) = limit {
            // The next uploader finds what this pass does not reach.
            timeout(limit, self.pass()).await.ok();
        }
    }

    /// Uploads every finished file, the oldest of each directory first, until one fails.
    async fn pass(&self) -> Result<(), ()> {
        let UploadOptions { directories, prefix, .. } = &self.options;
        let mut files = Vec::new();
        for directory in directories {
            let scanned = Inventory::scan(directory, prefix)
                .map_err(|source| UploadError::Read { path: directory.clone(), source });
            files.extend(self.note(scanned)?.finished);
        }
        let waiting =
            Tally { count: files.len() as u64, bytes: files.iter().map(|file| file.bytes).sum() };
        lock(&self.counts).waiting = waiting;
        for file in files {
            let stored = self.note(self.upload(&file).await)?;
            let mut counts = lock(&self.counts);
            counts.stored.count += u64::from(stored.is_some());
            counts.stored.bytes += stored.unwrap_or(0);
            counts.waiting.count -= 1;
            counts.waiting.bytes -= file.bytes;
            counts.trouble = None;
        }
        lock(&self.counts).trouble = None;
        Ok(())
    }

    /// Counts a failure and keeps its description until something was stored or nothing is to be stored.
    fn note<T>(&self, result: Result<T, UploadError>) -> Result<T, ()> {
        result.map_err(|error| {
            let mut counts = lock(&self.counts);
            counts.trouble = Some(in_words(&error));
            counts.failures += 1;
        })
    }

    /// Stores a file, verifies that it is stored, and deletes it; returns its length.
    ///
    /// There is nothing to store if the budget of its sink has deleted it.
    async fn upload(
        &self,
        StoredFile { path, .. }: &StoredFile,
    ) -> Result<Option<u64>, UploadError> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let key = Key::from(format!("{}/{name}", self.options.key_prefix));
        let at_file = |source| UploadError::Read { path: path.clone(), source };
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(at_file)?,
        };
        let at_store = |source| UploadError::Store { key: key.clone(), source };
        let upload = self.store.put_multipart(&key).await.map_err(at_store)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let sent = match send(&mut file, &mut writer).await {
            Ok(sent) => sent,
            Err(error) => {
                writer.abort().await.ok(); // a rule of the bucket removes what is left of it
                return Err(match error {
                    SendError::Read(source) => at_file(source),
                    SendError::Store(source) => at_store(source),
                });
            }
        };
        let answer = writer.finish().await.map_err(at_store)?;
        self.verify(&key, sent, &answer).await?;
        fs::remove_file(path)
            .or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })
            .map_err(|source| UploadError::Delete { path: path.clone(), source })?;
        Ok(Some(sent))
    }

    /// Asks the store whether it has what was sent.
    async fn verify(&self, key: &Key, sent: u64, answer: &PutResult) -> Result<(), UploadError> {
        let at_store = |source| UploadError::Store { key: key.clone(), source };
        let stored = self.store.head(key).await.map_err(at_store)?;
        let same = answer.e_tag.is_none() || answer.e_tag == stored.e_tag;
        if stored.size == sent && same {
            return Ok(());
        }
        Err(UploadError::Differs { key: key.clone(), sent, stored: stored.size })
    }
}

/// Why the bytes of a file did not reach the store.
enum SendError {
    Read(io::Error),
    Store(object_store::Error),
}

async fn send(file: &mut File, writer: &mut WriteMultipart) -> Result<u64, SendError> {
    let mut part = vec![0; PART];
    let mut sent = 0;
    loop {
        let read = file.read(&mut part).map_err(SendError::Read)?;
        if read == 0 {
            return Ok(sent);
        }
        writer.wait_for_capacity(PARTS_AT_ONCE).await.map_err(SendError::Store)?;
        writer.write(&part[..read]);
        sent += read as u64;
    }
}

/// The message of an error and its causes, without repetitions.
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = error.source();
    }
    words
}

fn lock(counts: &Mutex<UploadCounts>) -> MutexGuard<'_, UploadCounts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
