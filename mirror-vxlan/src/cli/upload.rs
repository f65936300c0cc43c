//! `mirror-vxlan upload`: the process that uploads, for a receiver or by itself.
//!
//! It is a separate process so that the receiver, which reads what anybody may send, has neither
//! credentials nor a TLS library in its memory, and the uploader neither a packet socket nor a
//! device.

pub(crate) mod report;
#[cfg(feature = "upload")]
mod store;

/// The line that a receiver writes to this process's standard input when it ends in order.
pub(crate) const CLOSE: &str = "close";

/// Fails, because this program cannot upload.
#[cfg(not(feature = "upload"))]
pub(crate) fn run(_options: &mirror_vxlan::config::Upload) -> super::Ended {
    Err(WITHOUT.into())
}

/// The message of a program that was built without uploads.
pub(crate) const WITHOUT: &str =
    "this program was built without uploads; build it with `--features upload`";

#[cfg(feature = "upload")]
pub(crate) use attended::run;

#[cfg(feature = "upload")]
mod attended {
    //! Uploading, in a program that was built with it.

    use std::io::{self, Write as _, stdin};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::thread;
    use std::time::Duration;

    use mirror_vxlan::config::{Privileges, Upload};
    use mirror_vxlan::count::UploadCounts;
    use mirror_vxlan::privilege::{self, Needs, Role};
    use mirror_vxlan::upload::{UploadOptions, Uploader};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    use super::super::{Ended, Exit, write_out};
    use super::{CLOSE, report, store};

    /// How often the uploader checks whether a count changed.
    const BEAT: Duration = Duration::from_millis(100);

    /// How long files that a receiver finished at its end are uploaded; the next receiver finds the rest.
    const LAST: Duration = Duration::from_secs(10);

    pub(crate) fn run(options: &Upload) -> Ended {
        let Upload { to, folders, attended, user, privileges } = options;
        if *attended {
            // The receiver says when to end, and this process also ends when the receiver has.
            for signal in [SIGHUP, SIGINT, SIGTERM] {
                signal_hook::flag::register(signal, Arc::<AtomicBool>::default())?;
            }
        }
        let store::Opened { store, key_prefix, written, read } = store::open(to)?;
        if *privileges == Privileges::Drop {
            privilege::give_up(&Needs {
                role: Role::Uploader,
                user: user.clone(),
                folders: folders.clone(),
                written,
                read,
            })?;
        }
        let uploader = Uploader::start(store, UploadOptions::new(folders.clone(), key_prefix))?;
        if *attended { attend(uploader) } else { once(uploader) }
    }

    /// Uploads the files that exist now.
    fn once(uploader: Uploader) -> Ended {
        let UploadCounts { stored, trouble, .. } = uploader.close(Duration::MAX);
        write_out(format!("{} files, {} bytes uploaded\n", stored.count, stored.bytes).as_bytes())?;
        match trouble {
            None => Ok(Exit::Done),
            Some(trouble) => Err(trouble.into()),
        }
    }

    /// Uploads finished files until told to end, and reports every change.
    fn attend(uploader: Uploader) -> Ended {
        let told = told()?;
        let mut last = None;
        loop {
            let counts = uploader.counts();
            if last.as_ref() != Some(&counts) {
                tell(&counts)?;
                last = Some(counts);
            }
            match told.recv_timeout(BEAT) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) => {
                    tell(&uploader.close(LAST))?;
                    return Ok(Exit::Done);
                }
                // The receiver has ended. The next one finds what it left.
                Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Done),
            }
        }
    }

    fn tell(counts: &UploadCounts) -> io::Result<()> {
        writeln!(io::stdout(), "{}", report::line(counts))
    }

    /// Returns a channel that receives the request to end, and is closed if the receiver has ended.
    fn told() -> io::Result<Receiver<()>> {
        let (say, told) = channel();
        thread::Builder::new().name("told".to_owned()).spawn(move || {
            for line in stdin().lines().map_while(Result::ok) {
                if line == CLOSE {
                    say.send(()).ok(); // it ends already
                }
            }
        })?;
        Ok(told)
    }
}
