//! TAP devices in the tests' own network namespaces: what tcpdump sees on one that is written to, and what
//! the host sends into one that is read.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use mirror_vxlan::Timestamp;
use mirror_vxlan::batch::Batch;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::input::tap::TapInput;
use mirror_vxlan::input::{Content, Input, Packet, Received};
use mirror_vxlan::receive::{Everything, Options, Receiver};
use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::file::{FileOptions, Files};
use mirror_vxlan::sink::tap::Tap;
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink, Unnamed};
use mirror_vxlan::tap::{DeviceName, MTU};
use rustix::thread::UnshareFlags;
#[expect(deprecated, reason = "its successor is unsafe for flags that are not used here")]
use rustix::thread::unshare;

use crate::files::{files_in, numbers};
use crate::payloads::{NOW, Payloads, batch, frame, payload};

/// Runs a test in a network namespace that ends with its thread, or prints that it cannot.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let run = move || {
        #[expect(deprecated, reason = "its successor is unsafe for flags that are not used here")]
        let unshared = unshare(UnshareFlags::NEWNET);
        if unshared.is_err() || !std::path::Path::new("/dev/net/tun").exists() {
            println!("skipped: no network namespace or no /dev/net/tun; run as root");
            return;
        }
        test();
    };
    thread::spawn(run).join().unwrap();
}

/// A child that does not outlive the test.
struct Tcpdump(Child);

impl Drop for Tcpdump {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Tcpdump {
    /// Starts tcpdump on the device and waits until it listens.
    fn listen(device: &str, count: u64, output: &std::path::Path) -> Option<Self> {
        let child = Command::new("tcpdump")
            .args(["-i", device, "-n", "-B", "65536", "-c", &count.to_string(), "-w"])
            .arg(output)
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: tcpdump is not installed");
            return None;
        };
        let said = BufReader::new(child.stderr.take().unwrap());
        let listens = said.lines().map_while(Result::ok).any(|line| line.contains("listening on"));
        assert!(listens, "tcpdump does not listen on {device}");
        Some(Self(child))
    }
}

fn ip(arguments: &str) -> bool {
    let done = Command::new("ip").args(arguments.split(' ')).status();
    done.is_ok_and(|status| status.success())
}

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

#[test]
fn tcpdump_sees_every_frame_of_the_tap_device_in_order() {
    in_namespace(|| {
        let mut tap = Tap::open(name("mirror0"), MTU).unwrap();
        let devices = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
        assert!(devices.contains("mirror0"), "{devices}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen.pcap");
        let Some(mut tcpdump) = Tcpdump::listen("mirror0", 2000, &path) else { return };
        let sessions = Arc::new(Sessions::default());
        for batch in [batch(&sessions, 0, 1000, 64), batch(&sessions, 1000, 1000, 9000)] {
            assert_eq!(tap.deliver(&batch), Delivery::whole(&batch));
        }
        assert_eq!(tap.trouble(), None);
        tcpdump.0.wait().unwrap();
        assert_eq!(numbers(&path), (0..2000).collect::<Vec<u64>>());
    });
}

#[test]
fn what_the_device_does_not_take_is_refused_and_a_device_that_was_deleted_is_made_again() {
    in_namespace(|| {
        let mut tap = Tap::open(name("mirror0"), 1500).unwrap();
        let sessions = Arc::new(Sessions::default());
        let whole = batch(&sessions, 0, 5, 100);
        assert!(Tap::open(name("mirror0"), 1500).is_err(), "it is in use");
        for (action, wrong) in [
            ("link set mirror0 down", "Input/output error"),
            ("link delete mirror0", "File descriptor in bad state"),
        ] {
            assert_eq!(tap.deliver(&whole), Delivery::whole(&whole));
            if !ip(action) {
                println!("skipped: ip is not installed");
                return;
            }
            assert_eq!(tap.deliver(&whole), Delivery::none(&whole, LossReason::Refused));
            let trouble = tap.trouble().expect("the device takes nothing");
            assert!(trouble.message.contains(wrong), "{trouble:?}");
            tap.tick(NOW, Ahead::default());
            assert_eq!(tap.trouble(), None);
        }
        assert_eq!(tap.deliver(&whole), Delivery::whole(&whole));
    });
}

/// The maximum number of frames on their way to the files: two batches of the test.
const ON_THE_WAY: u64 = 280;

/// Hands packets on as fast as the files accept them.
struct AtThePace(Payloads, Arc<AtomicU64>);

impl Input for AtThePace {
    fn receive(&mut self, wait: Duration, each: impl FnMut(Packet<'_>)) -> io::Result<Received> {
        while self.0.position as u64 > self.1.load(Ordering::Acquire) + ON_THE_WAY {
            thread::yield_now();
        }
        self.0.receive(wait, each)
    }

    fn dropped(&mut self) -> io::Result<u64> {
        self.0.dropped()
    }
}

/// Files that report how many frames they have.
struct CountedFiles(Box<Files>, Arc<AtomicU64>);

impl Sink for CountedFiles {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let delivery = self.0.deliver(batch);
        self.1.fetch_add(delivery.frames, Ordering::Release);
        delivery
    }

    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        self.0.tick(now, ahead);
    }

    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        self.0.close()
    }
}

/// A device that needs a moment for every batch.
struct SlowTap(Tap);

impl Sink for SlowTap {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        thread::sleep(Duration::from_millis(20));
        self.0.deliver(batch)
    }
}

#[test]
fn a_slow_device_loses_what_its_queue_cannot_hold_and_no_other_sink_loses_anything() {
    in_namespace(|| {
        let folder = tempfile::tempdir().unwrap();
        let files = Box::new(Files::open(FileOptions::new(folder.path()), Unnamed).unwrap());
        let written = Arc::default();
        let tap = SlowTap(Tap::open(name("mirror0"), MTU).unwrap());
        let payloads = (0..20_000).map(|number| payload(1, &frame(number, 100))).collect();
        let payloads = Payloads { at_a_time: 20, ..Payloads::new(payloads) };
        let account = Receiver::new(Decapsulator::default(), Everything)
            .input("memory", AtThePace(payloads, Arc::clone(&written)))
            .sink("files", CountedFiles(files, written))
            .sink("tap", tap)
            .options(Options {
                batch_capacity: 20_000,
                queue_depth: 4.try_into().unwrap(),
                ..Options::default()
            })
            .start()
            .unwrap()
            .join();
        assert!(account.balances(), "{account:#?}");
        let [files, tap] = &account.sinks[..] else { panic!("two sinks") };
        assert_eq!(files.counts.delivered.count, 20_000);
        let lost = tap.counts.lost[LossReason::Queue.index()];
        assert!(lost > 0 && tap.counts.delivered.count > 0, "{tap:?}");
        assert_eq!(tap.counts.delivered.count + lost, 20_000, "{tap:?}");
        let [path] = &files_in(folder.path())[..] else { panic!("one file") };
        assert_eq!(numbers(path), (0..20_000).collect::<Vec<u64>>());
    });
}

#[test]
fn a_frame_without_a_header_is_refused_and_no_trouble() {
    use mirror_vxlan::frame::{Frame, Session};
    use mirror_vxlan::session::SessionId;
    in_namespace(|| {
        let mut tap = Tap::open(name("mirror0"), 1500).unwrap();
        let session = Session { vni: mirror_vxlan::Vni::MIN, source: [10, 0, 0, 7].into() };
        let sessions = Arc::new(Sessions::default());
        assert_eq!(sessions.number(session), Some(SessionId::new(0)));
        let mut runt = Batch::with_capacity(1000, sessions);
        let frame = Frame { time: NOW, session, bytes: &[1; 13], original_len: 13 };
        runt.push(SessionId::new(0), &frame).unwrap();
        assert_eq!(tap.deliver(&runt), Delivery::none(&runt, LossReason::Refused));
        assert_eq!(tap.trouble(), None);
    });
}

/// Returns the number that the datagram in a frame carries.
fn carried(packet: &Packet<'_>) -> u64 {
    let Content::Packet { bytes, .. } = packet.content else { panic!("{packet:?}") };
    let frame = etherparse::SlicedPacket::from_ethernet(bytes).expect("the host sends whole ones");
    let Some(etherparse::TransportSlice::Udp(udp)) = frame.transport else { panic!("{frame:?}") };
    u64::from_be_bytes(udp.payload().try_into().expect("a number"))
}

#[test]
fn what_the_host_sends_into_a_device_is_read_in_order_or_counted_as_dropped() {
    in_namespace(|| {
        // With IPv6 the host would also send packets to find its neighbours.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").ok();
        let mut tap = TapInput::open(name("mirror0"), MTU).unwrap();
        if !ip("address add 10.9.0.1/24 dev mirror0") {
            println!("skipped: ip is not installed");
            return;
        }
        let socket = std::net::UdpSocket::bind("10.9.0.1:0").unwrap();
        let send = |numbers: std::ops::Range<u64>| {
            for number in numbers {
                socket.send_to(&number.to_be_bytes(), "10.9.0.2:9").unwrap();
            }
        };
        let wait = Duration::from_millis(50);
        let mut read = Vec::new();
        let mut all = |tap: &mut TapInput| {
            while tap.receive(wait, |packet| read.push(carried(&packet))).unwrap()
                != Received::Nothing
            {}
            read.clone()
        };
        send(0..3);
        assert_eq!((all(&mut tap), tap.dropped().unwrap()), (vec![0, 1, 2], 0));
        send(3..10_000);
        let read = all(&mut tap);
        assert!(read.len() > 8_000 && read.is_sorted(), "{} were read", read.len());
        let dropped = tap.dropped().unwrap();
        assert_eq!((dropped > 0, read.len() as u64 + dropped), (true, 10_000));
        assert!(ip("link delete mirror0"));
        assert!(tap.receive(wait, |_| {}).is_err() && tap.dropped().is_err(), "it is gone");
    });
}
