//! The log of calls: every call in the order in which it was handled.

use crate::place::ACCOUNT;
use crate::request::{Request, Service};
use crate::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// One call, as it was made and as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedCall {
    /// When it was handled.
    pub at: Timestamp,
    /// The service, by its name in a signature: `ec2`.
    pub service: String,
    /// The account that it belongs to.
    #[serde(default = "default_account", skip_serializing_if = "is_default_account")]
    pub account: String,
    /// The Region.
    pub region: String,
    /// The action.
    pub action: String,
    /// The parameters as they arrived: form text, or JSON. User data is removed, as CloudTrail does.
    pub parameters: String,
    /// The HTTP status of the answer; absent where the connection was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error code, where the call was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The request id of the answer.
    pub request_id: String,
}

fn default_account() -> String {
    ACCOUNT.to_owned()
}

fn is_default_account(account: &str) -> bool {
    account == ACCOUNT
}

impl LoggedCall {
    /// Records a call with the answer that was sent, if any.
    pub(crate) fn new(
        at: Timestamp,
        request: &Request,
        response: Option<&Response>,
        request_id: String,
    ) -> Self {
        Self {
            at,
            service: service_name(request.service),
            account: request.account.clone(),
            region: request.region.clone(),
            action: request.action.clone(),
            parameters: without_user_data(&request.body),
            status: response.map(|response| response.status),
            error: response.and_then(|response| response.error.clone()),
            request_id,
        }
    }
}

/// The parameters with the mark that CloudTrail puts in place of user data.
///
/// Source: CloudTrail user guide, examples of `RunInstances`: `"userData": "<sensitiveDataRemoved>"`.
fn without_user_data(body: &str) -> String {
    let parts = body.split('&').map(|part| match part.split_once('=') {
        Some((name @ ("UserData" | "UserData.Value" | "LaunchTemplateData.UserData"), _)) => {
            format!("{name}=%3CsensitiveDataRemoved%3E")
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

fn service_name(service: Service) -> String {
    service.signing_name().to_owned()
}

/// Where calls are logged.
#[derive(Debug)]
pub(crate) enum CallLog {
    File { path: PathBuf, file: File },
    Memory(Vec<LoggedCall>),
}

impl CallLog {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::File { path: path.to_owned(), file })
    }

    pub(crate) fn append(&mut self, call: LoggedCall) -> io::Result<()> {
        match self {
            Self::Memory(calls) => {
                calls.push(call);
                Ok(())
            }
            Self::File { file, .. } => {
                let mut line = serde_json::to_string(&call).map_err(io::Error::other)?;
                line.push('\n');
                file.write_all(line.as_bytes())
            }
        }
    }

    /// Returns every call. A line that a killed process left half-written is skipped.
    pub(crate) fn read(&self) -> io::Result<Vec<LoggedCall>> {
        match self {
            Self::Memory(calls) => Ok(calls.clone()),
            Self::File { path, .. } => {
                let text = fs::read(path)?;
                let lines = text.split(|byte| *byte == b'\n');
                Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
            }
        }
    }

    pub(crate) fn clear(&mut self) -> io::Result<()> {
        match self {
            Self::Memory(calls) => calls.clear(),
            Self::File { file, .. } => file.set_len(0)?,
        }
        Ok(())
    }
}
