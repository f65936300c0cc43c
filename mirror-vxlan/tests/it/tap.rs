//! The TAP device, as tcpdump sees it in a network namespace of the test's own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::tap::{DeviceName, MTU, Tap};
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink as _};
use rustix::thread::UnshareFlags;
#[expect(deprecated, reason = "its successor is unsafe for flags that are not used here")]
use rustix::thread::unshare;

use crate::files::numbers;
use crate::payloads::{NOW, batch};

/// Runs a test in a network namespace that ends with its thread, or says that it cannot.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
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
        let ip = |arguments: &[&str]| {
            let done = Command::new("ip").args(arguments).status();
            done.is_ok_and(|status| status.success())
        };
        for (action, wrong) in [
            (&["link", "set", "mirror0", "down"][..], "Input/output error"),
            (&["link", "delete", "mirror0"], "File descriptor in bad state"),
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

#[test]
fn a_frame_without_a_header_is_refused_and_no_trouble() {
    use mirror_vxlan::batch::Batch;
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
