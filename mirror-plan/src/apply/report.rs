//! The report of an apply: how each planned change ended, with none left out.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::address::Address;
use crate::id::ObjectId;
use crate::plan::{Action, Wait};
use crate::value::Origin;

/// How an apply ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Every change that was not a no-op, in the plan's order.
    pub outcomes: Vec<ChangeOutcome>,
    /// Whether the user stopped it.
    pub stopped: bool,
    /// What has become known about the objects that were created or changed.
    #[serde(skip)]
    pub learned: BTreeMap<Origin, Option<String>>,
    /// How long each successful call took, by what it waits for.
    #[serde(skip)]
    pub took: BTreeMap<Wait, Vec<Duration>>,
}

impl Report {
    /// Returns whether everything that was planned is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|change| matches!(change.outcome, Outcome::Applied { .. }))
    }
}

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeOutcome {
    /// The resource.
    pub address: Address,
    /// For an object that an unfinished replacement left behind: its generation.
    pub deposed: Option<u32>,
    /// The address that its object had before, if it has moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Address>,
    /// What was planned for it.
    pub action: Action,
    /// The object that was created for it, if the change is not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<ObjectId>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a change ended; every change has exactly one outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All its calls are done.
    Applied {
        /// The id of the object that is there now; `None` after a delete.
        id: Option<ObjectId>,
    },
    /// A call failed. The calls of this change that came before it are done.
    Failed(Failure),
    /// The change was not begun, or not finished, because something it needs failed.
    Skipped {
        /// What failed.
        because_of: Address,
    },
    /// The change was not begun, or not finished, because the user stopped the run.
    NotStarted,
}

/// A call that failed, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The call: `CreateVpc`.
    pub call: String,
    /// AWS's error code; `None` if no answer came.
    pub code: Option<String>,
    /// AWS's message, or what went wrong on the way.
    pub message: String,
    /// AWS's request id, for AWS support.
    pub request_id: Option<String>,
    /// What to do about it, if that is known.
    pub help: Option<String>,
}

/// `CreateVpc: VpcLimitExceeded: the maximum number of VPCs has been reached (request id ...)`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, code, message, request_id, help: _ } = self;
        write!(f, "{call}: ")?;
        if let Some(code) = code {
            write!(f, "{code}: ")?;
        }
        write!(f, "{message}")?;
        match request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}
