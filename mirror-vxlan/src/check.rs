//! What on a machine should be set otherwise for receiving, and the command that sets it.
//!
//! It reads `/proc` and `/sys` and changes nothing. What cannot be read is not judged.

#![forbid(unsafe_code)]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use serde_json::{Value, json};

/// The longest packet that a VPC carries; with it comes a mirrored frame of 8947 bytes whole.
const MTU: u64 = 9001;

/// Bytes that VXLAN adds to a mirrored IPv4 packet (AWS Traffic Mirroring guide, "Considerations").
const OVERHEAD: u64 = 54;

/// Free space below which captures will soon end: a few minutes of a busy interface.
const FREE_MIN: u64 = 10 << 30;

/// Packets that one processor may have waiting; below it a burst is dropped before the socket.
const BACKLOG: u64 = 10_000;

/// What is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The interface that mirrored traffic comes in on; that of the default route if none is named.
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    pub port: u16,
    /// The folder that captures go to.
    pub folder: Option<PathBuf>,
    /// The kernel's buffer that will be asked for.
    pub receive_buffer: u64,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it should be otherwise.
    pub verdict: Verdict,
}

/// Whether something should be otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is well as it is.
    Good,
    /// It should be changed.
    Change {
        /// What it costs to leave it.
        why: &'static str,
        /// The command that changes it.
        command: String,
    },
}

impl Finding {
    const fn good(subject: &'static str, found: String) -> Self {
        Self { subject, found, verdict: Verdict::Good }
    }

    const fn change(
        subject: &'static str,
        found: String,
        why: &'static str,
        command: String,
    ) -> Self {
        Self { subject, found, verdict: Verdict::Change { why, command } }
    }

    /// Returns the finding as a JSON object.
    pub fn json(&self) -> Value {
        let Self { subject, found, verdict } = self;
        match verdict {
            Verdict::Good => json!({ "subject": subject, "found": found, "good": true }),
            Verdict::Change { why, command } => json!({
                "subject": subject, "found": found, "good": false, "why": why, "command": command,
            }),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, found, verdict } = self;
        match verdict {
            Verdict::Good => write!(f, "ok      {subject}: {found}"),
            Verdict::Change { why, command } => {
                write!(f, "change  {subject}: {found}; {why}\n          {command}")
            }
        }
    }
}

/// Looks at everything; `root` is `/`, or a copy of its `proc`, `sys` and `run`.
pub fn check(question: &Question, root: &Path) -> Vec<Finding> {
    let machine = Machine { root };
    let interface = question.interface.clone().or_else(|| machine.default_interface());
    let mut findings = Vec::new();
    findings.extend(machine.receive_buffer(question.receive_buffer));
    findings.extend(machine.backlog());
    findings.push(capability());
    if let Some(interface) = &interface {
        findings.extend(machine.mtu(interface));
    }
    findings.push(machine.vxlan_devices(question.port));
    findings.push(machine.clock());
    findings.extend(question.folder.as_deref().and_then(free_space));
    findings.push(machine.seccomp());
    findings
}

struct Machine<'a> {
    root: &'a Path,
}

impl Machine<'_> {
    fn receive_buffer(&self, wanted: u64) -> Option<Finding> {
        let subject = "socket buffer";
        let max: u64 = self.number("proc/sys/net/core/rmem_max")?;
        let found = format!("net.core.rmem_max is {max}, {wanted} will be asked for");
        // Who may administer the network is not bound by it.
        let is_bound = !has(Capability::CAP_NET_ADMIN);
        Some(if max >= wanted || !is_bound {
            Finding::good(subject, found)
        } else {
            let why = "a burst that does not fit is dropped by the kernel";
            Finding::change(subject, found, why, format!("sysctl -w net.core.rmem_max={wanted}"))
        })
    }

    fn backlog(&self) -> Option<Finding> {
        let subject = "backlog";
        let backlog: u64 = self.number("proc/sys/net/core/netdev_max_backlog")?;
        let found = format!("net.core.netdev_max_backlog is {backlog}");
        Some(if backlog >= BACKLOG {
            Finding::good(subject, found)
        } else {
            let why = "a burst steered to another processor (RPS) is dropped";
            let command = format!("sysctl -w net.core.netdev_max_backlog={BACKLOG}");
            Finding::change(subject, found, why, command)
        })
    }

    fn mtu(&self, interface: &str) -> Option<Finding> {
        let subject = "MTU";
        let mtu: u64 = self.number(&format!("sys/class/net/{interface}/mtu"))?;
        let whole = mtu.saturating_sub(OVERHEAD);
        let found = format!("{interface} has {mtu}: mirrored packets up to {whole} come whole");
        Some(if mtu >= MTU {
            Finding::good(subject, found)
        } else {
            let why = "longer ones are cut or lost";
            Finding::change(subject, found, why, format!("ip link set {interface} mtu {MTU}"))
        })
    }

    /// A VXLAN device of the kernel takes the datagrams before a socket sees them.
    fn vxlan_devices(&self, port: u16) -> Finding {
        let subject = "VXLAN device";
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
        match devices.first() {
            None => Finding::good(subject, "none".to_owned()),
            Some(first) => Finding::change(
                subject,
                format!("{} may hold UDP port {port}", devices.join(", ")),
                "the kernel then takes the packets itself, and GRO merges what it takes",
                format!("ip -d link show {first}; ip link del {first}"),
            ),
        }
    }

    fn clock(&self) -> Finding {
        let subject = "clock";
        let marks = ["run/systemd/timesync/synchronized", "run/chrony/chronyd.pid", "run/ntpd.pid"];
        let found = marks.iter().find(|mark| self.root.join(mark).exists());
        match found {
            Some(mark) => Finding::good(subject, format!("kept by a service (/{mark})")),
            None => Finding::change(
                subject,
                "no service is seen that keeps it".to_owned(),
                "times of frames cannot be compared with those of other machines",
                "systemctl enable --now chrony  # and `server 169.254.169.123` in its file"
                    .to_owned(),
            ),
        }
    }

    fn seccomp(&self) -> Finding {
        let subject = "confinement";
        let landlock = fs::read_to_string(self.root.join("sys/kernel/security/lsm"));
        let has_landlock = landlock.map(|modules| modules.contains("landlock"));
        let has_seccomp = self.root.join("proc/sys/kernel/seccomp/actions_avail").exists();
        let word = |there: bool| if there { "there" } else { "missing" };
        let landlock = has_landlock.map_or("not shown", word);
        Finding::good(subject, format!("seccomp {}, Landlock {landlock}", word(has_seccomp)))
    }

    fn default_interface(&self) -> Option<String> {
        let routes = fs::read_to_string(self.root.join("proc/net/route")).ok()?;
        routes.lines().skip(1).find_map(|line| {
            let mut columns = line.split_whitespace();
            let interface = columns.next()?;
            (columns.next()? == "00000000").then(|| interface.to_owned())
        })
    }

    fn number(&self, path: &str) -> Option<u64> {
        fs::read_to_string(self.root.join(path)).ok()?.trim().parse().ok()
    }
}

fn capability() -> Finding {
    let subject = "packet socket";
    if has(Capability::CAP_NET_RAW) {
        Finding::good(subject, "CAP_NET_RAW is there".to_owned())
    } else {
        Finding::change(
            subject,
            "CAP_NET_RAW is missing".to_owned(),
            "UDP sockets are used, which cost more for each packet",
            "setcap cap_net_raw,cap_net_admin+ep /usr/bin/mirror-vxlan".to_owned(),
        )
    }
}

fn has(capability: Capability) -> bool {
    caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false)
}

fn free_space(folder: &Path) -> Option<Finding> {
    let subject = "disk";
    let there = rustix::fs::statvfs(folder).ok()?;
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    let found = format!("{} MiB are free in {}", free >> 20, folder.display());
    Some(if free >= FREE_MIN {
        Finding::good(subject, found)
    } else {
        let why = "frames are lost when it is full";
        let command = format!("mirror-vxlan receive --disk-budget {}MiB", (free >> 20) * 8 / 10);
        Finding::change(subject, found, why, command)
    })
}
