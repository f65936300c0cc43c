//! Frames that leave the program: a stream for tcpdump, and datagrams for workers.

use std::fs::File;
use std::io::{Read as _, pipe};
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::receive::{Everything, Receiver};
use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::vxlan::{Vxlan, VxlanError};
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, PcapStream, Sink as _};
use mirror_vxlan::wire;

use crate::payloads::{NOW, Payloads, batch, frame, number, payload};

#[test]
fn tcpdump_reads_the_stream_frame_by_frame_with_nanoseconds() {
    let mut command = Command::new("tcpdump");
    command.args(["-r", "-", "-n", "-tt", "--nano"]).stdin(Stdio::piped());
    let Ok(mut tcpdump) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        println!("skipped: tcpdump is not installed");
        return;
    };
    let mut printed = tcpdump.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        printed.read_to_string(&mut text).unwrap();
        text
    });
    let mut stream = Box::new(PcapStream::new(tcpdump.stdin.take().unwrap()));
    let sessions = Arc::new(Sessions::default());
    for batch in [batch(&sessions, 0, 500, 64), batch(&sessions, 500, 500, 9000)] {
        assert_eq!(stream.deliver(&batch), Delivery::whole(&batch));
    }
    stream.close();
    let text = reader.join().unwrap();
    assert!(tcpdump.wait().unwrap().success());
    let times: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let times: Vec<&str> = times.into_iter().filter(|time| time.contains('.')).collect();
    let expected: Vec<String> =
        (0..1000).map(|n| format!("1795384277.123{:06}", 456_789 + n)).collect();
    assert_eq!(times, expected);
}

#[test]
fn a_stream_whose_reader_is_gone_is_over_and_every_frame_is_counted() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let payloads = (0..1000).map(|n| payload(1, &frame(n, 100))).collect();
    let account = Receiver::new(Decapsulator::default(), Everything)
        .input("memory", Payloads::new(payloads))
        .sink("stdout", PcapStream::new(writer))
        .start()
        .unwrap()
        .join();
    assert!(account.balances());
    let [sink] = &account.sinks[..] else { panic!("one sink") };
    assert_eq!(sink.counts.lost[LossReason::Refused.index()], 1000);
    let trouble = sink.trouble.as_ref().expect("the reader is gone");
    assert_eq!(trouble.message, "the reader has closed the stream");
}

#[test]
fn a_stream_without_a_frame_is_an_empty_capture() {
    let file = tempfile::NamedTempFile::new().unwrap();
    Box::new(PcapStream::new(File::create(file.path()).unwrap())).close();
    assert!(crate::files::numbers(file.path()).is_empty());
}

/// Spreads frames by the number in them.
fn hash(frame: &[u8]) -> u32 {
    u32::try_from(number(frame)).unwrap()
}

#[test]
fn each_flow_is_sent_on_to_one_destination_from_one_port_with_its_vni() {
    let workers: Vec<UdpSocket> = (0..2).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let destinations: Vec<SocketAddr> =
        workers.iter().map(|worker| worker.local_addr().unwrap()).collect();
    let ports = NonZeroUsize::new(2).unwrap();
    let mut sink = Vxlan::open(&destinations, ports, |frame| hash(frame) / 10).unwrap();
    let sessions = Arc::new(Sessions::default());
    let sent = batch(&sessions, 0, 120, 200);
    assert_eq!(sink.deliver(&sent), Delivery::whole(&sent));
    let mut sources = Vec::new();
    for (place, worker) in workers.iter().enumerate() {
        for _ in 0..60 {
            let mut buffer = [0; 300];
            let (length, from) = worker.recv_from(&mut buffer).unwrap();
            let datagram = wire::parse_strict(&buffer[..length]).unwrap();
            let number = number(datagram.frame);
            assert_eq!(datagram.frame, frame(number, 200));
            assert_eq!(u64::from(u32::from(datagram.header.vni)), number % 4);
            let lane = number / 10 % 4;
            assert_eq!(lane / 2, place as u64, "frame {number}");
            sources.push((lane, from.port()));
        }
    }
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), 4, "each of four lanes has its own port: {sources:?}");
}

#[test]
fn frames_that_no_worker_takes_are_refused_and_nobody_is_a_mistake() {
    let ports = NonZeroUsize::new(1).unwrap();
    assert!(matches!(Vxlan::open(&[], ports, hash), Err(VxlanError::NoDestination)));
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut sink = Vxlan::open(&[gone], ports, hash).unwrap();
    let sessions = Arc::new(Sessions::default());
    let mut refused = 0;
    for n in 0..10 {
        let delivery = sink.deliver(&batch(&sessions, n * 10, 10, 100));
        assert_eq!(delivery.frames + delivery.lost[LossReason::Refused.index()], 10);
        refused += delivery.lost[LossReason::Refused.index()];
    }
    assert!(refused > 0);
    assert!(sink.trouble().unwrap().message.contains("refused"));
    sink.tick(NOW, Ahead::default());
    assert_eq!(sink.trouble(), None);
}
