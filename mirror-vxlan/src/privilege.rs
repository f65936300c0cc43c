//! Giving up what a running receiver does not need: user, capabilities, system calls, paths.
//!
//! It is called once, when sockets, devices and folders are open and before any thread is started:
//! capabilities and Landlock belong to a thread and are inherited by those that it starts.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use caps::CapSet;
use landlock::{
    ABI, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus,
};
use nix::unistd::{self, User};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// The system calls of a receiver: its threads, sockets that are open, files, and time.
///
/// Any other fails as not permitted. Starting a program is not among them.
const SYSTEM_CALLS: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_connect,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getpeername,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_ioctl,
    libc::SYS_listen,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mkdirat,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_prctl,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendfile,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_socketpair,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sync_file_range,
    libc::SYS_tgkill,
    libc::SYS_uname,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
];

/// The older names of some of them, which only this architecture has.
#[cfg(target_arch = "x86_64")]
const OLDER_SYSTEM_CALLS: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_epoll_wait,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_SYSTEM_CALLS: &[i64] = &[];

/// The families of sockets that may still be opened: those of the Internet and of this machine.
const SOCKET_FAMILIES: [i32; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX];

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The user to become; the present one if none is named.
    pub user: Option<String>,
    /// The folders that are written to. They have to be there.
    pub folders: Vec<PathBuf>,
}

/// What was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// How far the kernel keeps writing within the folders.
    pub paths: Confinement,
}

/// How far the kernel enforces a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// All of it.
    Full,
    /// As far as this kernel can.
    Partial,
    /// Not at all: this kernel has no Landlock.
    None,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = match self.paths {
            Confinement::Full => "writing only where captures go",
            Confinement::Partial => {
                "writing only where captures go, as far as this kernel can tell"
            }
            Confinement::None => "writing where the user may: this kernel has no Landlock",
        };
        write!(f, "no capability, no new privileges, only needed system calls, {paths}")
    }
}

/// Why something could not be given up; the program should not go on.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There is no such user.
    #[error("become user `{name}`: there is no such user")]
    NoUser {
        /// The name given.
        name: String,
    },
    /// The kernel did not let the process become another user.
    #[error("become user `{name}`; start as root to use --user")]
    User {
        /// The name given.
        name: String,
        /// Why.
        #[source]
        source: nix::Error,
    },
    /// A folder could not be given to the user.
    #[error("give the folder `{path}` to user `{name}`")]
    Owner {
        /// The folder.
        path: PathBuf,
        /// The name of the user.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Capabilities could not be dropped.
    #[error("drop capabilities")]
    Capabilities(#[source] caps::errors::CapsError),
    /// A folder cannot be opened, or a Landlock rule cannot be made.
    #[error("confine writing to the folders of captures")]
    Paths(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// System calls could not be confined.
    #[error("confine system calls (seccomp); --privileges keep goes on without")]
    SystemCalls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Gives up everything that is not needed, for good.
///
/// # Errors
///
/// Something could not be given up that this kernel can take.
pub fn give_up(needs: &Needs) -> Result<Given, PrivilegeError> {
    // Only who may set capabilities may do this, and only they need it.
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false) {
        caps::clear(None, CapSet::Bounding).map_err(PrivilegeError::Capabilities)?;
    }
    if let Some(name) = &needs.user {
        become_user(name, &needs.folders)?;
    }
    for set in [CapSet::Ambient, CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(PrivilegeError::Capabilities)?;
    }
    let paths =
        confine_paths(&needs.folders).map_err(|error| PrivilegeError::Paths(Box::new(error)))?;
    confine_system_calls().map_err(PrivilegeError::SystemCalls)?;
    Ok(Given { paths })
}

fn become_user(name: &str, folders: &[PathBuf]) -> Result<(), PrivilegeError> {
    let failed = |source| PrivilegeError::User { name: name.to_owned(), source };
    let user = User::from_name(name).map_err(failed)?;
    let Some(User { uid, gid, .. }) = user else {
        return Err(PrivilegeError::NoUser { name: name.to_owned() });
    };
    for path in folders {
        chown(path, Some(uid.as_raw()), Some(gid.as_raw())).map_err(|source| {
            PrivilegeError::Owner { path: path.clone(), name: name.to_owned(), source }
        })?;
    }
    unistd::setgroups(&[gid]).map_err(failed)?;
    unistd::setresgid(gid, gid, gid).map_err(failed)?;
    unistd::setresuid(uid, uid, uid).map_err(failed)
}

/// Confines writing, as far as this kernel can; sets that no privilege can be gained again.
fn confine_paths(folders: &[PathBuf]) -> Result<Confinement, landlock::RulesetError> {
    let abi = ABI::V5;
    let write = AccessFs::from_write(abi);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(write | AccessFs::Execute)?
        .create()?;
    for folder in folders {
        // A folder that cannot be opened is not written to; the sink says why.
        if let Ok(folder) = PathFd::new(folder) {
            rules = rules.add_rule(PathBeneath::new(folder, write))?;
        }
    }
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Confinement::Full,
        RulesetStatus::PartiallyEnforced => Confinement::Partial,
        RulesetStatus::NotEnforced => Confinement::None,
    })
}

fn confine_system_calls() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        SYSTEM_CALLS.iter().chain(OLDER_SYSTEM_CALLS).map(|call| (*call, Vec::new())).collect();
    let families = SOCKET_FAMILIES.map(|family| {
        let family = u64::from(family.unsigned_abs());
        let is_it = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family)?;
        SeccompRule::new(vec![is_it])
    });
    rules.insert(libc::SYS_socket, families.into_iter().collect::<Result<_, _>>()?);
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture)?;
    seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    Ok(())
}
