//! What the facts of a machine mean for receiving. Nothing here looks at the machine.

use caps::Capability;

use super::facts::{Facts, InterfaceFacts};
use super::{Finding, Question};

/// The longest packet that a VPC carries; it holds a mirrored packet of up to 8947 bytes whole.
const MTU: u64 = 9001;

/// Bytes that VXLAN adds to a mirrored IPv4 packet (AWS Traffic Mirroring guide, "Considerations").
const OVERHEAD: u64 = 54;

/// The longest frame that a load balancer passes on to a target (AWS API reference,
/// `CreateTrafficMirrorSession`, `PacketLength`).
const LOAD_BALANCER_FRAME: u64 = 8500;

/// The length of packets from nearly every sender outside a VPC.
const INTERNET_PACKET: u64 = 1500;

/// Free space below which captures will soon end: a few minutes of a busy interface.
const FREE_MIN: u64 = 10 << 30;

/// Packets that one processor should be able to queue; with fewer, a burst is dropped before it
/// reaches the socket.
const BACKLOG: u64 = 10_000;

/// The feature that merges VXLAN datagrams with checksums before they can be received.
const MERGES_DATAGRAMS: &str = "rx-udp-gro-forwarding";

/// Features that merge incoming packets, but not datagrams without a checksum.
const MERGES_OTHERS: [&str; 3] = ["rx-gro", "rx-gro-hw", "rx-lro"];

/// Reports for each known fact whether it should be changed; unknown ones are passed over.
pub fn judge(question: &Question, facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![capabilities(facts)];
    findings.extend(receive_buffer(question, facts));
    findings.extend(backlog(facts));
    if let Some(interface) = &facts.interface {
        findings.extend(presence(interface));
        findings.extend(mtu(interface));
        findings.extend(ring(interface));
        findings.extend(merging(interface));
    }
    findings.push(vxlan_devices(question, facts));
    findings.push(clock(facts));
    findings.extend(free(question, facts));
    findings.push(confinement(facts));
    findings
}

fn capabilities(facts: &Facts) -> Finding {
    let subject = "capabilities";
    let named = [
        (Capability::CAP_NET_RAW, "packet-socket ring"),
        (Capability::CAP_NET_ADMIN, "TAP device, larger buffers"),
        (Capability::CAP_BPF, "AF_XDP"),
        (Capability::CAP_PERFMON, "AF_XDP"),
    ];
    let has = |capability| facts.capabilities.contains(&capability);
    let list = named.map(|(capability, purpose)| {
        let word = if has(capability) { "yes" } else { "no" };
        format!("{capability} {word} ({purpose})")
    });
    let finding = Finding::good(subject, list.join(", "));
    if has(Capability::CAP_NET_RAW) {
        finding
    } else {
        finding.warn(
            "UDP sockets are used, which cost more for each packet",
            "setcap cap_net_raw+ep /usr/bin/mirror-vxlan",
        )
    }
}

fn receive_buffer(question: &Question, facts: &Facts) -> Option<Finding> {
    let (max, wanted) = (facts.receive_buffer_max?, question.receive_buffer);
    let found = format!("net.core.rmem_max is {max}, UDP sockets ask for {wanted}");
    let finding = Finding::good("socket buffer", found);
    let is_bound = !facts.capabilities.contains(&Capability::CAP_NET_ADMIN);
    Some(if max < wanted && is_bound {
        let command = format!("sysctl -w net.core.rmem_max={wanted}");
        finding.warn("a burst that does not fit is dropped by the kernel", command)
    } else {
        finding
    })
}

fn backlog(facts: &Facts) -> Option<Finding> {
    let (backlog, drops) = (facts.backlog?, facts.backlog_drops.unwrap_or(0));
    let found =
        format!("net.core.netdev_max_backlog is {backlog}; {drops} packets did not fit so far");
    let finding = Finding::good("backlog", found);
    let wanted = if drops > 0 { BACKLOG.max(backlog.saturating_mul(2)) } else { BACKLOG };
    Some(if backlog < wanted {
        let why = "a burst for one processor is dropped before it reaches any socket";
        finding.warn(why, format!("sysctl -w net.core.netdev_max_backlog={wanted}"))
    } else {
        finding
    })
}

fn presence(InterfaceFacts { name, mtu, .. }: &InterfaceFacts) -> Option<Finding> {
    let finding = Finding::good("interface", format!("there is none named {name}"));
    mtu.is_none().then(|| finding.fail("nothing can be received on it", "ip link"))
}

fn mtu(InterfaceFacts { name, mtu, .. }: &InterfaceFacts) -> Option<Finding> {
    let mtu = (*mtu)?;
    let whole = mtu.saturating_sub(OVERHEAD);
    let found = format!("{name} has {mtu}: mirrored packets of up to {whole} bytes arrive whole");
    let finding = Finding::good("MTU", found);
    let command = format!("ip link set {name} mtu {MTU}");
    Some(if whole < INTERNET_PACKET {
        finding.fail("even ordinary packets are cut or lost", command)
    } else if whole < LOAD_BALANCER_FRAME {
        finding.warn("longer ones, which a VPC can carry, are cut or lost", command)
    } else {
        finding
    })
}

fn ring(InterfaceFacts { name, ring, .. }: &InterfaceFacts) -> Option<Finding> {
    let ring = (*ring)?;
    let (packets, max) = (ring.packets, ring.packets_max);
    let found = format!("{name} holds {packets} packets; the maximum is {max}");
    let finding = Finding::good("ring", found);
    Some(if packets < max {
        let why = "the interface drops a burst that the host is slow to receive";
        finding.warn(why, format!("ethtool -G {name} rx {max}"))
    } else {
        finding
    })
}

fn merging(InterfaceFacts { name, features, .. }: &InterfaceFacts) -> Option<Finding> {
    let subject = "offloads";
    let is_on =
        |feature: &str| features.as_ref().is_some_and(|all| all.iter().any(|f| f == feature));
    features.as_ref()?;
    if is_on(MERGES_DATAGRAMS) {
        let why = "datagrams with a checksum are merged, and their frames cannot be told apart";
        let command = format!("ethtool -K {name} {MERGES_DATAGRAMS} off");
        return Some(
            Finding::good(subject, format!("{name} has {MERGES_DATAGRAMS}")).fail(why, command),
        );
    }
    let others: Vec<&str> = MERGES_OTHERS.into_iter().filter(|feature| is_on(feature)).collect();
    Some(Finding::good(
        subject,
        if others.is_empty() {
            format!("{name} merges nothing")
        } else {
            format!("{name} has {}; mirrored traffic is not affected", others.join(", "))
        },
    ))
}

/// A VXLAN device of the kernel consumes the datagrams before a socket sees them.
fn vxlan_devices(question: &Question, facts: &Facts) -> Finding {
    let (subject, devices) = ("VXLAN device", &facts.vxlan_devices);
    let Some(first) = devices.first() else { return Finding::good(subject, "none".to_owned()) };
    let found = format!("{} may use UDP port {}", devices.join(", "), question.port);
    Finding::good(subject, found).fail(
        "the kernel then receives the packets itself, and GRO merges them",
        format!("ip -d link show {first}; ip link del {first}"),
    )
}

fn clock(facts: &Facts) -> Finding {
    let subject = "clock";
    match &facts.clock {
        Some(mark) => {
            Finding::good(subject, format!("synchronized by a service (/{})", mark.display()))
        }
        None => Finding::good(subject, "found no service that synchronizes it".to_owned()).warn(
            "times of frames cannot be compared with those of other machines",
            "systemctl enable --now chrony  # and `server 169.254.169.123` in its file",
        ),
    }
}

fn free(question: &Question, facts: &Facts) -> Option<Finding> {
    let (folder, free) = (question.folder.as_ref()?, facts.free?);
    let found = format!("{} MiB are free in {}", free >> 20, folder.display());
    let finding = Finding::good("disk", found);
    Some(if free < FREE_MIN {
        let budget = (free >> 20) * 8 / 10;
        let command = format!("mirror-vxlan receive --disk-budget {budget}MiB");
        finding.warn("frames are lost when it is full", command)
    } else {
        finding
    })
}

fn confinement(facts: &Facts) -> Finding {
    let word = |there: bool| if there { "available" } else { "missing" };
    let landlock = facts.landlock.map_or("unknown", word);
    let found = format!("seccomp {}, Landlock {landlock}", word(facts.seccomp));
    Finding::good("confinement", found)
}
