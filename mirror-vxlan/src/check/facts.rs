//! Facts about a machine, from its `/proc`, `/sys` and `/run`, and from the kernel's answers.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};

use super::Question;
use crate::socket::device::DeviceName;
use crate::socket::offload::{self, ReceiveRing};

/// Files that exist while a service synchronizes the clock.
const CLOCK_MARKS: [&str; 3] =
    ["run/systemd/timesync/synchronized", "run/chrony/chronyd.pid", "run/ntpd.pid"];

/// What is known of a machine; `None` is what could not be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The capabilities of this process.
    pub capabilities: HashSet<Capability>,
    /// `net.core.rmem_max`: the largest buffer that a socket may have without `CAP_NET_ADMIN`.
    pub receive_buffer_max: Option<u64>,
    /// `net.core.netdev_max_backlog`: packets that may wait for one processor.
    pub backlog: Option<u64>,
    /// Packets dropped since the machine started because that backlog was full.
    pub backlog_drops: Option<u64>,
    /// The interface that mirrored traffic arrives on.
    pub interface: Option<InterfaceFacts>,
    /// The VXLAN devices of the kernel.
    pub vxlan_devices: Vec<String>,
    /// The file that shows that a service synchronizes the clock.
    pub clock: Option<PathBuf>,
    /// Free bytes where captures are written.
    pub free: Option<u64>,
    /// Whether the kernel filters system calls.
    pub seccomp: bool,
    /// Whether the kernel can confine access to paths.
    pub landlock: Option<bool>,
}

/// What is known of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// Its name.
    pub name: String,
    /// The longest packet that it accepts, in bytes.
    pub mtu: Option<u64>,
    /// Its ring for incoming packets.
    pub ring: Option<ReceiveRing>,
    /// The features that are on, as `ethtool -k` names them.
    pub features: Option<Vec<String>>,
}

impl Facts {
    /// Reads the facts of this machine.
    pub fn of_this_machine(question: &Question) -> Self {
        let mut facts = Self::read(question, Path::new("/"));
        facts.capabilities = caps::read(None, CapSet::Effective).unwrap_or_default();
        facts.free = question.folder.as_deref().and_then(free);
        if let Some(interface) = &mut facts.interface
            && let Ok(name) = interface.name.parse::<DeviceName>()
        {
            interface.ring = offload::receive_ring(&name).ok().flatten();
            interface.features = offload::features(&name).ok();
        }
        facts
    }

    /// Reads the facts that files contain; `root` is `/`, or a copy of its `proc`, `sys` and `run`.
    pub fn read(question: &Question, root: &Path) -> Self {
        let files = Files { root };
        let name = question.interface.clone().or_else(|| files.default_interface());
        Self {
            capabilities: HashSet::new(),
            receive_buffer_max: files.number("proc/sys/net/core/rmem_max"),
            backlog: files.number("proc/sys/net/core/netdev_max_backlog"),
            backlog_drops: files.backlog_drops(),
            interface: name.map(|name| InterfaceFacts {
                mtu: files.number(&format!("sys/class/net/{name}/mtu")),
                ring: None,
                features: None,
                name,
            }),
            vxlan_devices: files.vxlan_devices(),
            clock: CLOCK_MARKS.iter().map(PathBuf::from).find(|mark| root.join(mark).exists()),
            free: None,
            seccomp: root.join("proc/sys/kernel/seccomp/actions_avail").exists(),
            landlock: files.text("sys/kernel/security/lsm").map(|all| all.contains("landlock")),
        }
    }
}

struct Files<'a> {
    root: &'a Path,
}

impl Files<'_> {
    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.trim().parse().ok()
    }

    fn default_interface(&self) -> Option<String> {
        self.text("proc/net/route")?.lines().skip(1).find_map(|line| {
            let mut columns = line.split_whitespace();
            let interface = columns.next()?;
            (columns.next()? == "00000000").then(|| interface.to_owned())
        })
    }

    /// The sum over all processors of the second column of their lines, which is hexadecimal.
    fn backlog_drops(&self) -> Option<u64> {
        let text = self.text("proc/net/softnet_stat")?;
        let drops = text.lines().map(|line| line.split_whitespace().nth(1));
        drops.map(|number| u64::from_str_radix(number?, 16).ok()).sum()
    }

    fn vxlan_devices(&self) -> Vec<String> {
        let mut devices: Vec<String> = fs::read_dir(self.root.join("sys/class/net"))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| {
                let uevent = fs::read_to_string(entry.path().join("uevent")).unwrap_or_default();
                uevent.lines().any(|line| line == "DEVTYPE=vxlan")
            })
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        devices.sort();
        devices
    }
}

fn free(folder: &Path) -> Option<u64> {
    let there = rustix::fs::statvfs(folder).ok()?;
    Some(there.f_bavail.saturating_mul(there.f_frsize))
}
