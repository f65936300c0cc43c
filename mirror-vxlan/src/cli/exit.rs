//! Exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a command ended. `mirror-vxlan --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it succeeded.
    Done,
    /// 1: it failed.
    Failed,
    /// 2: its arguments make no sense.
    Usage,
    /// 3: `check` found a setting that loses, cuts or changes frames.
    ToChange,
}

/// 4: it was told to stop twice. The signal handler ends the process with this code.
pub(crate) const LEFT_AT_ONCE: i32 = 4;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::ToChange => 3,
        })
    }
}
