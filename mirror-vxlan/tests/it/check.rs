//! `check`: a machine that is well, and one that is not, each a folder with its `/proc` and `/sys`.

use std::fs;
use std::path::Path;

use mirror_vxlan::check::{Question, Verdict, check};

#[test]
fn what_is_wrong_is_found_with_the_command_that_sets_it() {
    let root = machine("1500", "1000", Some("vxlan0"));
    let told = findings(root.path());
    assert!(
        told.contains(&("backlog", Some("sysctl -w net.core.netdev_max_backlog=10000".into())))
    );
    assert!(told.contains(&("MTU", Some("ip link set ens5 mtu 9001".into()))));
    let vxlan = "ip -d link show vxlan0; ip link del vxlan0";
    assert!(told.contains(&("VXLAN device", Some(vxlan.into()))));
    assert!(told.iter().any(|(subject, command)| *subject == "clock" && command.is_some()));
}

#[test]
fn a_machine_that_is_well_has_nothing_to_change() {
    let root = machine("9001", "20000", None);
    write(root.path(), "run/systemd/timesync/synchronized", "");
    let told = findings(root.path());
    for subject in ["socket buffer", "backlog", "MTU", "VXLAN device", "clock"] {
        assert!(told.contains(&(subject, None)), "{subject}: {told:?}");
    }
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    let root = tempfile::tempdir().unwrap();
    let told = findings(root.path());
    assert!(told.iter().all(|(subject, _)| !["MTU", "socket buffer", "backlog"].contains(subject)));
}

fn findings(root: &Path) -> Vec<(&'static str, Option<String>)> {
    let question = Question { interface: None, port: 4789, folder: None, receive_buffer: 64 << 20 };
    let findings = check(&question, root).into_iter();
    findings
        .map(|finding| match finding.verdict {
            Verdict::Good => (finding.subject, None),
            Verdict::Change { command, .. } => (finding.subject, Some(command)),
        })
        .collect()
}

fn machine(mtu: &str, backlog: &str, vxlan: Option<&str>) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let route = "Iface\tDestination\tGateway\nens6\t0000000A\t0\nens5\t00000000\t0100000A\n";
    write(root.path(), "proc/net/route", route);
    write(root.path(), "proc/sys/net/core/rmem_max", "67108864\n");
    write(root.path(), "proc/sys/net/core/netdev_max_backlog", backlog);
    write(root.path(), "sys/class/net/ens5/mtu", mtu);
    write(root.path(), "sys/class/net/ens5/uevent", "INTERFACE=ens5\n");
    if let Some(device) = vxlan {
        write(root.path(), &format!("sys/class/net/{device}/uevent"), "DEVTYPE=vxlan\n");
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
