//! Giving up what a running receiver does not need: user, capabilities, system calls, paths.
//!
//! Call it once, when sockets, devices and folders are open and before any thread is started:
//! capabilities and Landlock rules belong to a thread and are inherited by the threads it starts.

#![forbid(unsafe_code)]

mod calls;

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

/// What the process keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// What the process is for.
    pub role: Role,
    /// The user to become; the current one if none is named.
    pub user: Option<String>,
    /// The folders of captures, which are written to, and whose owner the user becomes. They must exist.
    pub folders: Vec<PathBuf>,
    /// Other folders that are written to; they keep their owner.
    pub written: Vec<PathBuf>,
    /// What an uploader reads besides the folders above and those of the system.
    pub read: Vec<PathBuf>,
}

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It receives packets and may accept connections.
    Receiver,
    /// It uploads: it only opens connections, and reads nothing but what is named.
    Uploader,
}

/// The folders in which a system keeps its libraries, its settings and information about itself.
const SYSTEM_FOLDERS: [&str; 8] =
    ["/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sys", "/usr"];

/// What was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// How far the kernel confines writing to the folders.
    pub paths: Confinement,
}

/// How far the kernel enforces a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// Completely.
    Full,
    /// As far as this kernel is able to.
    Partial,
    /// Not at all: this kernel has no Landlock.
    None,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = match self.paths {
            Confinement::Full => "writing only where captures go",
            Confinement::Partial => {
                "writing only where captures go, as far as this kernel can enforce it"
            }
            Confinement::None => "writing wherever the user may: this kernel has no Landlock",
        };
        write!(f, "no capability, no new privileges, only needed system calls, {paths}")
    }
}

/// Why something could not be given up; the program should not go on.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There is no such user.
    #[error("cannot become user `{name}`: there is no such user")]
    NoUser {
        /// The name given.
        name: String,
    },
    /// The kernel did not let the process become another user.
    #[error("cannot become user `{name}`; start as root to use --user")]
    User {
        /// The name given.
        name: String,
        /// Why.
        #[source]
        source: nix::Error,
    },
    /// A folder could not be given to the user.
    #[error("cannot give the folder `{path}` to user `{name}`")]
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
    #[error("cannot drop capabilities")]
    Capabilities(#[source] caps::errors::CapsError),
    /// A folder cannot be opened, or a Landlock rule cannot be made.
    #[error("cannot confine writing to the folders of captures")]
    Paths(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// System calls could not be confined.
    #[error("cannot confine system calls (seccomp); --privileges keep runs without confinement")]
    SystemCalls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Gives up everything that is not needed, for good.
///
/// # Errors
///
/// Something that this kernel can revoke could not be given up.
pub fn give_up(needs: &Needs) -> Result<Given, PrivilegeError> {
    // Only a process that may set capabilities may do this, and only such a process needs it.
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false) {
        caps::clear(None, CapSet::Bounding).map_err(PrivilegeError::Capabilities)?;
    }
    if let Some(name) = &needs.user {
        become_user(name, &needs.folders)?;
    }
    for set in [CapSet::Ambient, CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(PrivilegeError::Capabilities)?;
    }
    let paths = confine_paths(needs).map_err(|error| PrivilegeError::Paths(Box::new(error)))?;
    confine_system_calls(needs.role).map_err(PrivilegeError::SystemCalls)?;
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

/// Confines writing, as far as this kernel can, and rules out that privileges are gained again.
fn confine_paths(needs: &Needs) -> Result<Confinement, landlock::RulesetError> {
    let abi = ABI::V5;
    let (read, write) = (AccessFs::ReadFile | AccessFs::ReadDir, AccessFs::from_write(abi));
    let (read_only, allowed) = match needs.role {
        Role::Receiver => (Vec::new(), write),
        Role::Uploader => (readable(needs), write | read),
    };
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(allowed | AccessFs::Execute)?
        .create()?;
    let written = needs.folders.iter().chain(&needs.written).map(|folder| (folder, allowed));
    let read = read_only.iter().map(|folder| (folder, read));
    let rules = written.chain(read).try_fold(rules, |rules, (folder, access)| {
        // A folder that cannot be opened is not used; the code that needs it reports why.
        match PathFd::new(folder) {
            Ok(there) => rules.add_rule(PathBeneath::new(there, access)),
            Err(_) => Ok(rules),
        }
    })?;
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Confinement::Full,
        RulesetStatus::PartiallyEnforced => Confinement::Partial,
        RulesetStatus::NotEnforced => Confinement::None,
    })
}

/// What an uploader may read.
fn readable(needs: &Needs) -> Vec<PathBuf> {
    SYSTEM_FOLDERS.into_iter().map(PathBuf::from).chain(needs.read.clone()).collect()
}

fn confine_system_calls(role: Role) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls::of(role).map(|call| (call, Vec::new())).collect();
    let families = calls::SOCKET_FAMILIES.map(|family| {
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
