//! Two hosts and a cable: network namespaces with a veth pair, removed when the test ends.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use mirror_vxlan::input::processor;
use mirror_vxlan::socket::option::disable_checksum;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The interface at both ends.
pub(super) const INTERFACE: &str = "cable";

/// The port of VXLAN.
pub(super) const PORT: u16 = 4789;

/// The IP version of the outer packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outer {
    V4,
    V6,
}

impl Outer {
    pub(super) const ALL: [Self; 2] = [Self::V4, Self::V6];

    pub(super) const fn sender(self) -> IpAddr {
        self.host(1)
    }

    pub(super) const fn receiver(self) -> IpAddr {
        self.host(2)
    }

    const fn host(self, number: u8) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::new(10, 98, 0, number)),
            Self::V6 => IpAddr::V6(Ipv6Addr::new(0xfd98, 0, 0, 0, 0, 0, 0, number as u16)),
        }
    }
}

/// The checksum of the outer UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Zero,
    Valid,
}

/// The connection between two namespaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cable {
    pub(super) mtu: u32,
    /// Queues of each end.
    pub(super) queues: u32,
}

/// Two namespaces, connected.
#[derive(Debug)]
pub(crate) struct Network {
    sender: String,
    receiver: String,
    /// The processor that sends everything: the kernel queues packets per processor, so packets from one
    /// arrive in the order sent.
    processor: usize,
}

impl Network {
    /// Connects two new namespaces, or says that the test is skipped.
    pub(crate) fn new() -> Option<Self> {
        Self::with(Cable { mtu: 9_500, queues: 1 })
    }

    /// Connects two new namespaces with the given cable, or says that the test is skipped.
    pub(super) fn with(cable: Cable) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed) as usize;
        let name = |end: &str| format!("mirror-{}-{number}-{end}", std::process::id());
        let processors = processor::allowed().unwrap();
        let network = Self {
            sender: name("sender"),
            receiver: name("receiver"),
            processor: processors[number % processors.len()],
        };
        if !succeeds(&["ip", "netns", "add", &network.sender]) {
            println!("skipped: network namespaces need root and iproute2");
            return None;
        }
        run(&["ip", "netns", "add", &network.receiver]);
        network.connect(cable);
        Some(network)
    }

    /// Runs `work` in the namespace that sends.
    pub(super) fn sender<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.sender, || {
            processor::pin(self.processor).unwrap();
            work()
        })
    }

    /// Runs `work` in the namespace that receives.
    pub(crate) fn receiver<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.receiver, work)
    }

    /// Sends datagrams as AWS does, without a checksum, and returns how many it sent.
    pub(crate) fn send<P: AsRef<[u8]>>(
        &self,
        outer: Outer,
        payloads: impl IntoIterator<Item = P> + Send,
    ) -> u64 {
        self.send_with(Checksum::Zero, outer, payloads)
    }

    /// Sends datagrams, one after the other, and returns how many it sent.
    pub(super) fn send_with<P: AsRef<[u8]>>(
        &self,
        checksum: Checksum,
        outer: Outer,
        payloads: impl IntoIterator<Item = P> + Send,
    ) -> u64 {
        self.sender(|| {
            let socket = UdpSocket::bind((outer.sender(), 0)).unwrap();
            if checksum == Checksum::Zero {
                disable_checksum(&socket).unwrap();
            }
            let target = SocketAddr::new(outer.receiver(), PORT);
            payloads.into_iter().fold(0, |sent, payload| {
                socket.send_to(payload.as_ref(), target).unwrap();
                sent + 1
            })
        })
    }

    /// Returns how many packets were dropped on the way, before any socket saw them: by the interface
    /// that sends, and by the one that receives.
    pub(super) fn dropped_on_the_way(&self) -> [u64; 2] {
        let read = || {
            let devices = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
            let line = devices.lines().find_map(|line| line.trim().strip_prefix("cable:")).unwrap();
            let numbers: Vec<u64> =
                line.split_whitespace().map(|number| number.parse().unwrap()).collect();
            [numbers[11], numbers[3]]
        };
        [self.sender(read)[0], self.receiver(read)[1]]
    }

    /// Returns how many ICMP errors came back to the sender.
    pub(super) fn icmp_errors(&self) -> u64 {
        self.sender(|| {
            let v4 = fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
            let [names, values] = [0, 1].map(|n| {
                let mut lines = v4.lines().filter(|line| line.starts_with("Icmp:"));
                lines.nth(n).unwrap().split_whitespace().collect::<Vec<_>>()
            });
            let place = names.iter().position(|name| *name == "InDestUnreachs").unwrap();
            let v6 = fs::read_to_string("/proc/thread-self/net/snmp6").unwrap();
            let v6 = v6.lines().find_map(|line| line.strip_prefix("Icmp6InDestUnreachs")).unwrap();
            values[place].parse::<u64>().unwrap() + v6.trim().parse::<u64>().unwrap()
        })
    }

    /// Runs `ip` with arguments for both ends; `@` stands for the last part of their addresses.
    pub(super) fn ip_on_both(&self, arguments: &str) {
        for (namespace, own) in [(&self.sender, "1"), (&self.receiver, "2")] {
            let arguments = arguments.replace('@', own);
            let command = ["ip", "-n", namespace].into_iter().chain(arguments.split(' '));
            run(&command.collect::<Vec<_>>());
        }
    }

    /// Runs `ip` with arguments for the receiving end.
    #[track_caller]
    pub(crate) fn ip_on_receiver(&self, arguments: &str) {
        assert!(self.ip_on_receiver_succeeds(arguments), "ip {arguments}");
    }

    /// Runs `ip` with arguments for the receiving end, and returns whether it succeeded.
    pub(super) fn ip_on_receiver_succeeds(&self, arguments: &str) -> bool {
        let command = ["ip", "-n", &self.receiver].into_iter().chain(arguments.split(' '));
        succeeds(&command.collect::<Vec<_>>())
    }

    /// Has the receiving interface merge segments (GRO), or says that the test is skipped.
    pub(super) fn merge_segments(&self) -> Option<()> {
        ethtool(&self.sender, INTERFACE, &["tso", "off", "gso", "off"])?;
        self.set_gro(INTERFACE, "on")?;
        // A segment waits a millisecond for the next ones, even on a fast machine.
        let hold = format!("echo 1000000 > /sys/class/net/{INTERFACE}/gro_flush_timeout");
        run(&["ip", "netns", "exec", &self.receiver, "sh", "-c", &hold]);
        Some(())
    }

    /// Turns GRO of a receiving interface on or off, or says that the test is skipped.
    pub(super) fn set_gro(&self, interface: &str, state: &str) -> Option<()> {
        ethtool(&self.receiver, interface, &["gro", state, "rx-gro-list", "off"])
    }

    /// Sends Ethernet frames as they are, or says that the test is skipped.
    pub(super) fn replay(&self, frames: &[Vec<u8>]) -> Option<()> {
        let mut capture =
            [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_536, 1].map(u32::to_le_bytes).concat();
        for frame in frames {
            let length = u32::try_from(frame.len()).unwrap();
            capture.extend([0, 0, length, length].map(u32::to_le_bytes).concat());
            capture.extend(frame);
        }
        let path = std::env::temp_dir().join(format!("{}.pcap", self.sender));
        fs::write(&path, capture).unwrap();
        let file = path.to_str().unwrap();
        let command = ["ip", "netns", "exec", &self.sender, "tcpreplay", "-q", "-t", "-i"];
        let done = succeeds(&[&command[..], &[INTERFACE, file]].concat());
        fs::remove_file(&path).unwrap();
        if !done {
            println!("skipped: tcpreplay is not installed");
        }
        done.then_some(())
    }

    fn connect(&self, Cable { mtu, queues }: Cable) {
        let Self { sender, receiver, processor: _ } = self;
        let shape = format!("mtu {mtu} numtxqueues {queues} numrxqueues {queues}");
        let command = format!(
            "ip -n {sender} link add {INTERFACE} address 02:00:00:00:00:01 {shape} type veth \
             peer name {INTERFACE} netns {receiver} address 02:00:00:00:00:02 {shape}"
        );
        run(&command.split(' ').collect::<Vec<_>>());
        self.ip_on_both("link set lo up");
        self.ip_on_both("addr add 10.98.0.@/24 dev cable");
        self.ip_on_both("addr add fd98::@/64 dev cable nodad");
        self.ip_on_both("link set cable up");
        // Neighbors are permanent: a packet that waits for its neighbor's address may be dropped.
        for (namespace, peer) in [(sender, "2"), (receiver, "1")] {
            for network in ["10.98.0.", "fd98::"] {
                let [address, link] =
                    [format!("{network}{peer}"), format!("02:00:00:00:00:0{peer}")];
                run(&[
                    "ip",
                    "-n",
                    namespace,
                    "neigh",
                    "replace",
                    &address,
                    "lladdr",
                    &link,
                    "dev",
                    INTERFACE,
                    "nud",
                    "permanent",
                ]);
            }
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in [&self.sender, &self.receiver] {
            succeeds(&["ip", "netns", "delete", name]);
        }
    }
}

/// Runs `work` in a namespace, on a thread that ends there.
fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    let file = File::open(Path::new("/run/netns").join(namespace)).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&file),
                Some(LinkNameSpaceType::Network),
            )
            .unwrap();
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Sets features of an interface, or says that the test is skipped.
fn ethtool(namespace: &str, interface: &str, features: &[&str]) -> Option<()> {
    let command = ["ip", "netns", "exec", namespace, "ethtool", "-K", interface];
    let done = succeeds(&[&command[..], features].concat());
    if !done {
        println!("skipped: ethtool cannot set {features:?}");
    }
    done.then_some(())
}

#[track_caller]
fn run(command: &[&str]) {
    assert!(succeeds(command), "{command:?}");
}

fn succeeds(command: &[&str]) -> bool {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}
