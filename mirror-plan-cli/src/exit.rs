//! Exit codes, which scripts rely on.

use std::process::ExitCode;

use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostics;

/// How a command ended. `mirror --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// 0: it succeeded.
    Done,
    /// 1: it failed, or did only a part.
    Failed,
    /// 2: `plan --detailed-exitcode` found something to do, `plan --check` a difference, `drift`
    /// drift, `verify` a fault, or `trace --detailed-exitcode` that the plan changes the answer.
    Changes,
    /// 3: a saved or approved plan no longer matches what there is to do; nothing was done.
    Stale,
    /// 4: another run is at work on the stack; nothing was done.
    Locked,
    /// 130: it was interrupted.
    Interrupted,
}

/// The exit codes, as the help prints them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed, refused, or not approved
  2    something to do (plan, trace --detailed-exitcode), a difference (plan --check), drift, or a
       fault (verify)
  3    the saved or approved plan is stale, or was changed; nothing was done
  4    another run is at work on the stack; nothing was done
  130  interrupted";

impl ExitStatus {
    /// The status of a command that ended with these diagnostics.
    pub(crate) fn of(diagnostics: &Diagnostics) -> Self {
        let has = |code| diagnostics.iter().any(|diagnostic| diagnostic.code == code);
        if has(code::STALE_PLAN) || has(code::CHANGED_PLAN) || has(code::NOT_APPROVED_PLAN) {
            Self::Stale
        } else if has(code::LOCKED) {
            Self::Locked
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
            ExitStatus::Locked => 4,
            ExitStatus::Interrupted => 130,
        })
    }
}
