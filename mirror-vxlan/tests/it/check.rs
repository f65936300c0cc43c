//! `check`: what the facts of a machine mean, how they are read, and a run on this machine.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use mirror_vxlan::check::{Facts, InterfaceFacts, Question, judge};
use mirror_vxlan::socket::offload::ReceiveRing;

use crate::program::program;

#[test]
fn a_machine_that_is_well_has_nothing_to_change() {
    assert_snapshot!(told(&well()), @"
    ok    capabilities: CAP_NET_RAW yes (packet-socket ring), CAP_NET_ADMIN yes (TAP device, larger buffers), CAP_BPF yes (AF_XDP), CAP_PERFMON yes (AF_XDP)
    ok    socket buffer: net.core.rmem_max is 67108864, UDP sockets ask for 67108864
    ok    backlog: net.core.netdev_max_backlog is 10000; 0 packets did not fit so far
    ok    MTU: ens5 has 9001: mirrored packets of up to 8947 bytes arrive whole
    ok    ring: ens5 holds 16384 packets; the maximum is 16384
    ok    offloads: ens5 has rx-gro; mirrored traffic is not affected
    ok    VXLAN device: none
    ok    clock: synchronized by a service (/run/systemd/timesync/synchronized)
    ok    disk: 40960 MiB are free in /var/captures
    ok    confinement: seccomp available, Landlock available
    ");
}

#[test]
fn what_is_wrong_is_told_with_the_command_that_sets_it() {
    let facts = Facts {
        capabilities: [].into(),
        receive_buffer_max: Some(212_992),
        backlog: Some(1_000),
        backlog_drops: Some(12),
        interface: Some(InterfaceFacts {
            name: "ens5".to_owned(),
            mtu: Some(1_500),
            ring: Some(ReceiveRing { packets: 1_024, packets_max: 16_384 }),
            features: Some(vec!["rx-gro".to_owned(), "rx-udp-gro-forwarding".to_owned()]),
        }),
        vxlan_devices: vec!["vxlan0".to_owned(), "vxlan1".to_owned()],
        clock: None,
        free: Some(1 << 30),
        seccomp: true,
        landlock: Some(false),
    };
    assert_snapshot!(told(&facts), @"
    warn  capabilities: CAP_NET_RAW no (packet-socket ring), CAP_NET_ADMIN no (TAP device, larger buffers), CAP_BPF no (AF_XDP), CAP_PERFMON no (AF_XDP); UDP sockets are used, which cost more for each packet
          setcap cap_net_raw+ep /usr/bin/mirror-vxlan
    warn  socket buffer: net.core.rmem_max is 212992, UDP sockets ask for 67108864; a burst that does not fit is dropped by the kernel
          sysctl -w net.core.rmem_max=67108864
    warn  backlog: net.core.netdev_max_backlog is 1000; 12 packets did not fit so far; a burst for one processor is dropped before it reaches any socket
          sysctl -w net.core.netdev_max_backlog=10000
    fail  MTU: ens5 has 1500: mirrored packets of up to 1446 bytes arrive whole; even ordinary packets are cut or lost
          ip link set ens5 mtu 9001
    warn  ring: ens5 holds 1024 packets; the maximum is 16384; the interface drops a burst that the host is slow to receive
          ethtool -G ens5 rx 16384
    fail  offloads: ens5 has rx-udp-gro-forwarding; datagrams with a checksum are merged, and their frames cannot be told apart
          ethtool -K ens5 rx-udp-gro-forwarding off
    fail  VXLAN device: vxlan0, vxlan1 may use UDP port 4789; the kernel then receives the packets itself, and GRO merges them
          ip -d link show vxlan0; ip link del vxlan0
    warn  clock: found no service that synchronizes it; times of frames cannot be compared with those of other machines
          systemctl enable --now chrony  # and `server 169.254.169.123` in its file
    warn  disk: 1024 MiB are free in /var/captures; frames are lost when it is full
          mirror-vxlan receive --disk-budget 819MiB
    ok    confinement: seccomp available, Landlock missing
    ");
}

#[test]
fn an_mtu_is_judged_by_the_packets_that_come_whole() {
    let line = |mtu| {
        let mut facts = well();
        facts.interface.as_mut().unwrap().mtu = mtu;
        let told = told(&facts);
        let is_of_interface = |line: &&str| line.contains("MTU") || line.contains("interface:");
        told.lines().find(is_of_interface).unwrap().to_owned()
    };
    let lines = [None, Some(1_500), Some(1_554), Some(8_553), Some(8_554), Some(9_001)].map(line);
    assert_snapshot!(lines.join("\n"), @"
    fail  interface: there is none named ens5; nothing can be received on it
    fail  MTU: ens5 has 1500: mirrored packets of up to 1446 bytes arrive whole; even ordinary packets are cut or lost
    warn  MTU: ens5 has 1554: mirrored packets of up to 1500 bytes arrive whole; longer ones, which a VPC can carry, are cut or lost
    warn  MTU: ens5 has 8553: mirrored packets of up to 8499 bytes arrive whole; longer ones, which a VPC can carry, are cut or lost
    ok    MTU: ens5 has 8554: mirrored packets of up to 8500 bytes arrive whole
    ok    MTU: ens5 has 9001: mirrored packets of up to 8947 bytes arrive whole
    ");
}

#[test]
fn a_backlog_that_was_too_small_is_to_be_doubled() {
    let facts = Facts { backlog: Some(20_000), backlog_drops: Some(1), ..Facts::default() };
    assert!(told(&facts).contains("sysctl -w net.core.netdev_max_backlog=40000"));
    let facts = Facts { backlog_drops: Some(0), ..facts };
    assert!(!told(&facts).contains("sysctl"), "{}", told(&facts));
}

#[test]
fn what_is_not_known_is_not_judged() {
    assert_snapshot!(told(&Facts::default()), @"
    warn  capabilities: CAP_NET_RAW no (packet-socket ring), CAP_NET_ADMIN no (TAP device, larger buffers), CAP_BPF no (AF_XDP), CAP_PERFMON no (AF_XDP); UDP sockets are used, which cost more for each packet
          setcap cap_net_raw+ep /usr/bin/mirror-vxlan
    ok    VXLAN device: none
    warn  clock: found no service that synchronizes it; times of frames cannot be compared with those of other machines
          systemctl enable --now chrony  # and `server 169.254.169.123` in its file
    ok    confinement: seccomp missing, Landlock unknown
    ");
}

#[test]
fn facts_are_read_from_the_files_of_a_machine() {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "proc/net/route",
            "Iface\tDestination\tGateway\nens6\t0000000A\t0\nens5\t00000000\t0100000A\n",
        ),
        ("proc/net/softnet_stat", "00ff 00000010 0\n00aa 00000001 0\n"),
        ("proc/sys/kernel/seccomp/actions_avail", "kill_process\n"),
        ("proc/sys/net/core/netdev_max_backlog", "1000\n"),
        ("proc/sys/net/core/rmem_max", "212992\n"),
        ("run/systemd/timesync/synchronized", ""),
        ("sys/class/net/ens5/mtu", "9001\n"),
        ("sys/class/net/ens5/uevent", "INTERFACE=ens5\n"),
        ("sys/class/net/vxlan0/uevent", "DEVTYPE=vxlan\nINTERFACE=vxlan0\n"),
        ("sys/kernel/security/lsm", "capability,landlock,yama\n"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let expected = Facts {
        receive_buffer_max: Some(212_992),
        backlog: Some(1_000),
        backlog_drops: Some(17),
        interface: Some(InterfaceFacts {
            name: "ens5".to_owned(),
            mtu: Some(9_001),
            ..InterfaceFacts::default()
        }),
        vxlan_devices: vec!["vxlan0".to_owned()],
        clock: Some("run/systemd/timesync/synchronized".into()),
        seccomp: true,
        landlock: Some(true),
        ..Facts::default()
    };
    assert_eq!(Facts::read(&question(), root.path()), expected);
    assert_eq!(Facts::read(&question(), Path::new("/nothing/is/there")), Facts::default());
}

#[test]
fn this_machine_is_looked_at() {
    let output = program().args(["check", "--interface", "lo", "--json"]).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let findings: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let subjects: Vec<&str> = findings.iter().map(|f| f["subject"].as_str().unwrap()).collect();
    for subject in ["capabilities", "MTU", "offloads", "VXLAN device", "clock", "confinement"] {
        assert!(subjects.contains(&subject), "{subject}: {text}");
    }
    let of_mtu = findings.iter().find(|finding| finding["subject"] == "MTU").unwrap();
    assert_eq!(of_mtu["found"], "lo has 65536: mirrored packets of up to 65482 bytes arrive whole");
    assert_eq!(of_mtu["verdict"], "ok");

    let output = program().args(["check", "--interface", "nowhere0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = "fail  interface: there is none named nowhere0; nothing can be received on it\n";
    assert!(text.contains(line), "{text}");
}

/// Returns the whole output for a machine with these facts.
fn told(facts: &Facts) -> String {
    let lines: Vec<String> = judge(&question(), facts).iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn question() -> Question {
    let folder = Some("/var/captures".into());
    Question { interface: None, port: 4789, folder, receive_buffer: 64 << 20 }
}

fn well() -> Facts {
    Facts {
        capabilities: caps::all(),
        receive_buffer_max: Some(64 << 20),
        backlog: Some(10_000),
        backlog_drops: Some(0),
        interface: Some(InterfaceFacts {
            name: "ens5".to_owned(),
            mtu: Some(9_001),
            ring: Some(ReceiveRing { packets: 16_384, packets_max: 16_384 }),
            features: Some(vec!["rx-gro".to_owned(), "tx-checksum-ipv4".to_owned()]),
        }),
        vxlan_devices: Vec::new(),
        clock: Some("run/systemd/timesync/synchronized".into()),
        free: Some(40 << 30),
        seccomp: true,
        landlock: Some(true),
    }
}
