//! Exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a command ended. `mirror-vxlan --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it did what it should.
    Done,
    /// 1: it did not.
    Failed,
    /// 2: it was told something that makes no sense.
    Usage,
    /// 3: `check` found what loses, cuts or changes frames.
    ToChange,
}

/// 4: told to stop twice. The signal handler ends the process with it.
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
