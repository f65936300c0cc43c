//! Exit codes, which scripts rely on.

use std::process::ExitCode;

use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostics;

/// How a command ended. `mirror --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// 0: it did what it should.
    Done,
    /// 1: it did not, or not all of it.
    Failed,
    /// 2: `plan --detailed-exitcode` found something to do.
    Changes,
    /// 3: a saved plan is not what the cloud looks like any more; nothing was done.
    Stale,
    /// 130: it was interrupted.
    Interrupted,
}

/// The codes, as the help prints them. 4 is kept for a lock that somebody else holds.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed, refused, or not approved
  2    there is something to do (plan --detailed-exitcode)
  3    the saved plan is stale; nothing was done
  4    somebody else holds the lock (reserved)
  130  interrupted";

impl ExitStatus {
    /// The code of a command that ended with these.
    pub(crate) fn of(diagnostics: &Diagnostics) -> Self {
        if diagnostics.iter().any(|diagnostic| diagnostic.code == code::STALE_PLAN) {
            Self::Stale
        } else {
            Self::Failed
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::Failed => 1,
            ExitStatus::Changes => 2,
            ExitStatus::Stale => 3,
            ExitStatus::Interrupted => 130,
        })
    }
}
