//! Why a journal cannot be used, and who holds it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use super::Holder;

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run holds it.
    #[error("another run is at work on this stack: {0}")]
    Held(Held),
    /// Another run has taken over the journal, because this one did not renew its lease in time.
    #[error("another run has taken over this stack: {0}")]
    Lost(Held),
    /// A file cannot be used.
    #[error("the journal `{}` cannot be {what}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What could not be done with it.
        what: &'static str,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// An object of S3 cannot be used.
    #[cfg(feature = "s3")]
    #[error("the journal `{object}` cannot be {what}")]
    Object {
        /// The object: `s3://bucket/key`.
        object: String,
        /// What could not be done with it.
        what: &'static str,
        /// Why.
        #[source]
        error: Box<crate::aws::CallError>,
    },
    /// The store writes an object even though the condition of the call does not hold.
    #[cfg(feature = "s3")]
    #[error("the store of `{object}` ignores {condition} of a PutObject")]
    Unconditional {
        /// The object: `s3://bucket/key`.
        object: String,
        /// The condition: `If-Match`.
        condition: &'static str,
    },
}

/// Who holds a journal, as far as that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The holder.
    pub holder: Option<Holder>,
    /// Until when it is held, by the holder's clock, unless the lease is renewed; `None` if the
    /// operating system holds the lock for as long as the process lives.
    pub until: Option<Timestamp>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, until } = self;
        match holder {
            None => f.write_str("its record cannot be read")?,
            Some(Holder { command, user, host, process, since }) => {
                write!(f, "`{command}`")?;
                if let Some(user) = user {
                    write!(f, " by {user}")?;
                }
                if let Some(host) = host {
                    write!(f, " on {host}")?;
                }
                write!(f, ", process {process}, since {since}")?;
            }
        }
        match until {
            None => Ok(()),
            Some(until) => {
                write!(f, "; its lease is renewed as long as it runs, currently until {until}")
            }
        }
    }
}
