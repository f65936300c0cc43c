//! The uploading process, as seen by the receiver that started it.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use mirror_vxlan::config::{Destination, OperateArgs, OutputArgs, Privileges};
use mirror_vxlan::count::UploadCounts;
use tracing::{info, warn};

use super::upload::{CLOSE, WITHOUT, report};

/// What the process has reported, for anyone to read.
#[derive(Debug, Default)]
pub(crate) struct Told {
    counts: Mutex<UploadCounts>,
    closing: AtomicBool,
    ended: AtomicBool,
}

impl Told {
    pub(crate) fn counts(&self) -> UploadCounts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the process ended by itself, so that nothing is uploaded any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn hear(&self, counts: UploadCounts) {
        let mut last = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match (&last.trouble, &counts.trouble) {
            (Some(_), None) => info!("uploads work again"),
            (before, Some(trouble)) if before.as_ref() != Some(trouble) => {
                warn!("upload failed and will be retried: {trouble}");
            }
            (_, _) => {}
        }
        *last = counts;
    }
}

/// The process, started before anything exists that it could inherit.
pub(crate) struct Started {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The process, and the thread that reads its reports.
pub(crate) struct Uploader {
    input: ChildStdin,
    heard: JoinHandle<()>,
    told: Arc<Told>,
}

/// Starts the process and waits until it has opened its store.
pub(crate) fn start(
    to: &Destination,
    output: &OutputArgs,
    operate: &OperateArgs,
) -> Result<Started, Box<dyn Error>> {
    if !cfg!(feature = "upload") {
        return Err(WITHOUT.into());
    }
    let folders = output.folders();
    if folders.is_empty() {
        return Err("--upload needs files: add --pcapng or --pcap".into());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["upload", "--attended"]);
    if let Some(user) = &operate.user {
        command.arg("--user").arg(user);
    }
    if operate.privileges == Privileges::Keep {
        command.args(["--privileges", "keep"]);
    }
    command.arg("--").arg(to.to_string()).args(folders);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    output.read_line(&mut first)?;
    if report::counts(&first).is_none() {
        child.wait()?;
        return Err(format!("the upload process for {to} did not start").into());
    }
    Ok(Started { input: child.stdin.take().expect("it is piped"), output })
}

impl Started {
    /// Starts a thread that reads the reports of the process.
    pub(crate) fn hear(self, told: &Arc<Told>) -> Result<Uploader, Box<dyn Error>> {
        let Self { input, output } = self;
        let hearing = Arc::clone(told);
        let heard = thread::Builder::new().name("uploads".to_owned()).spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(counts) = report::counts(&line) {
                    hearing.hear(counts);
                }
            }
            hearing.ended.store(true, Ordering::Relaxed);
            if !hearing.closing.load(Ordering::Relaxed) {
                warn!("the upload process has ended; restart the receiver to start it again");
            }
        })?;
        Ok(Uploader { input, heard, told: Arc::clone(told) })
    }
}

impl Uploader {
    /// Has finished files uploaded, within the process's own time limit, and waits for it to end.
    pub(crate) fn close(mut self) {
        self.told.closing.store(true, Ordering::Relaxed);
        // If it has ended already, there is nobody to tell.
        drop(writeln!(self.input, "{CLOSE}"));
        drop(self.input);
        drop(self.heard.join());
    }
}
