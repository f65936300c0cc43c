//! Checks which settings of a machine should be changed for receiving, and with which command.
//!
//! [`Facts`] are read without changing anything; [`judge`] reports what they mean. What cannot be
//! found out is not judged.

#![forbid(unsafe_code)]

mod facts;
mod judge;

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

pub use facts::{Facts, InterfaceFacts};
pub use judge::judge;

/// What is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The interface that mirrored traffic arrives on; that of the default route if none is named.
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    pub port: u16,
    /// The folder that captures are written to.
    pub folder: Option<PathBuf>,
    /// The size in bytes that will be requested for a UDP socket's buffer.
    pub receive_buffer: u64,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub subject: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it should be changed.
    pub verdict: Verdict,
}

/// Whether something should be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is fine as it is.
    Good,
    /// It costs something, or loses frames in a burst.
    Warning(Change),
    /// It loses frames, cuts them or changes them.
    Failure(Change),
}

/// What should be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it costs to leave it unchanged.
    pub why: &'static str,
    /// The command that changes it.
    pub command: String,
}

impl Finding {
    const fn good(subject: &'static str, found: String) -> Self {
        Self { subject, found, verdict: Verdict::Good }
    }

    fn warn(self, why: &'static str, command: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning(Change { why, command: command.into() }), ..self }
    }

    fn fail(self, why: &'static str, command: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failure(Change { why, command: command.into() }), ..self }
    }

    /// Returns the finding as a JSON object.
    pub fn json(&self) -> Value {
        let Self { subject, found, verdict } = self;
        let (word, change) = verdict.parts();
        let (why, command) = (change.map(|c| c.why), change.map(|c| &c.command));
        json!({
            "subject": subject, "found": found, "verdict": word, "why": why, "command": command,
        })
    }
}

impl Verdict {
    const fn parts(&self) -> (&'static str, Option<&Change>) {
        match self {
            Self::Good => ("ok", None),
            Self::Warning(change) => ("warn", Some(change)),
            Self::Failure(change) => ("fail", Some(change)),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, found, verdict } = self;
        let (word, change) = verdict.parts();
        write!(f, "{word:<4}  {subject}: {found}")?;
        match change {
            None => Ok(()),
            Some(Change { why, command }) => write!(f, "; {why}\n      {command}"),
        }
    }
}
