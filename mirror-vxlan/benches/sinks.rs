//! The cost of a frame in each sink, and the memory use of a receiver whose sink is too slow.
//!
//! `cargo bench -p mirror-vxlan --bench sinks -- [DIRECTORY]` prints nanoseconds per frame, the
//! best of several rounds; files are written into that directory, or into the temporary directory.

#![expect(clippy::print_stdout, reason = "its output is the figures")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch reads the clock")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mirror_vxlan::batch::Batch;
use mirror_vxlan::capture::Format;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::input::{Content, Input, Packet, Received};
use mirror_vxlan::receive::{Everything, Receiver};
use mirror_vxlan::session::{SessionId, Sessions};
use mirror_vxlan::sink::file::{FileOptions, Files};
use mirror_vxlan::sink::tap::Tap;
use mirror_vxlan::sink::vxlan::{SOURCE_PORTS, Vxlan};
use mirror_vxlan::sink::{Delivery, Null, PcapStream, Sink, Unnamed};
use mirror_vxlan::tap::MTU;
use mirror_vxlan::wire::{Header, UDP_PORT};
use mirror_vxlan::{Timestamp, Vni};

/// Number of rounds; only the best counts, because other processes disturbed the rest.
const ROUNDS: usize = 5;

/// Approximate number of frames in a round.
const FRAMES: u64 = 400_000;

/// Frame lengths in bytes, in the proportion 7 to 4 to 1.
const IMIX: [usize; 12] = [60, 590, 60, 590, 60, 60, 1514, 60, 590, 60, 590, 60];

/// Frame sizes: a name, and lengths that are used in turn.
const SIZES: [(&str, &[usize]); 3] = [("64 B", &[64]), ("IMIX", &IMIX), ("9000 B", &[9000])];

fn main() -> io::Result<()> {
    let directory = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let directory = directory.map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("mirror-vxlan-bench-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    println!("{:<34}{:>10}{:>10}{:>10}", "nanoseconds per frame", "64 B", "IMIX", "9000 B");
    row("null", || Some(Null));
    row("pcapng files", || files(Format::Pcapng, &directory));
    row("pcap files", || files(Format::Pcap, &directory));
    row("pcap stream to /dev/null", || {
        let null = OpenOptions::new().write(true).open("/dev/null").ok()?;
        Some(PcapStream::<File>::new(null))
    });
    row("TAP", || Tap::open("mirrorbench0".parse().ok()?, MTU).ok());
    let listener = UdpSocket::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    row("VXLAN to loopback", || Vxlan::open(&[address], SOURCE_PORTS, |_| 7).ok());
    row("receiver to null, whole", || None::<Null>);
    fs::remove_dir_all(&directory)?;
    memory()
}

fn files(format: Format, directory: &std::path::Path) -> Option<Files> {
    for entry in fs::read_dir(directory).ok()? {
        fs::remove_file(entry.ok()?.path()).ok()?;
    }
    let options = FileOptions { format, ..FileOptions::new(directory) };
    Files::open(options, Unnamed).ok()
}

/// Prints what a frame of each size costs; without a sink, what it costs in a whole receiver.
fn row<S: Sink>(name: &str, open: impl Fn() -> Option<S>) {
    print!("{name:<34}");
    for (_, lengths) in SIZES {
        let best = (0..ROUNDS).filter_map(|_| match open() {
            Some(sink) => Some(time_sink(sink, lengths)),
            None if name.starts_with("receiver") => Some(time_receiver(lengths)),
            None => None,
        });
        match best.min_by(f64::total_cmp) {
            Some(best) => print!("{best:>10.1}"),
            None => print!("{:>10}", "-"),
        }
    }
    println!();
}

fn batch(lengths: &[usize]) -> Batch {
    let sessions = Arc::new(Sessions::default());
    let mut batch = Batch::with_capacity(Batch::CAPACITY, Arc::clone(&sessions));
    let bytes = [0x5a; 9000];
    for (number, length) in (0_u64..).zip(lengths.iter().cycle()) {
        let [.., low] = number.to_be_bytes();
        let vni = Vni::from_bytes([0, 0, low % 16]);
        let session = Session { vni, source: [10, 0, 0, 7].into() };
        let id = sessions.number(session).unwrap_or(SessionId::new(0));
        let original_len = u32::try_from(*length).expect("no frame is so long");
        let time = Timestamp::from_nanos(1_795_384_277_000_000_000 + number);
        if batch.push(id, &Frame { time, session, bytes: &bytes[..*length], original_len }).is_err()
        {
            break;
        }
    }
    batch
}

fn time_sink(mut sink: impl Sink, lengths: &[usize]) -> f64 {
    let batch = batch(lengths);
    let rounds = (FRAMES / batch.len()).clamp(1, 4000);
    let start = Instant::now();
    let mut delivered = 0;
    for _ in 0..rounds {
        delivered += sink.deliver(&batch).frames;
    }
    let elapsed = start.elapsed();
    assert_eq!(delivered, rounds * batch.len(), "every frame is delivered");
    Box::new(sink).close();
    elapsed.as_secs_f64() * 1e9 / (rounds * batch.len()) as f64
}

/// Delivers the same payloads again and again.
struct Loop {
    payloads: Vec<Vec<u8>>,
    left: u64,
}

impl Loop {
    fn new(lengths: &[usize], packets: u64) -> Self {
        let payloads = lengths.iter().cycle().take(64).zip(0_u8..);
        let payloads = payloads.map(|(length, number)| {
            let header = Header::new(Vni::from_bytes([0, 0, number % 16]));
            [&header.to_bytes()[..], &vec![0x5a; *length]].concat()
        });
        Self { payloads: payloads.collect(), left: packets }
    }
}

impl Input for Loop {
    fn receive(&mut self, _: Duration, mut each: impl FnMut(Packet<'_>)) -> io::Result<Received> {
        let source = SocketAddr::from(([10, 0, 0, 7], 65_408));
        for payload in &self.payloads {
            let content = Content::Datagram { source, port: UDP_PORT, payload, truncated: false };
            each(Packet { time: Timestamp::from_nanos(1_795_384_277_000_000_000), content });
        }
        self.left = self.left.saturating_sub(self.payloads.len() as u64);
        Ok(if self.left == 0 { Received::End } else { Received::Packets(self.payloads.len()) })
    }

    fn dropped(&mut self) -> io::Result<u64> {
        Ok(0)
    }
}

fn time_receiver(lengths: &[usize]) -> f64 {
    let input = Loop::new(lengths, 10 * FRAMES);
    let start = Instant::now();
    let receiver = Receiver::new(Decapsulator::default(), Everything);
    let running = receiver.input("loop", input).sink("null", Null).start();
    let account = running.expect("there are threads left").join();
    assert!(account.balances());
    start.elapsed().as_secs_f64() * 1e9 / account.counts().received.count as f64
}

/// Takes a hundredth of a second for each batch, like a disk that cannot keep up.
struct SlowDisk;

impl Sink for SlowDisk {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        thread::sleep(Duration::from_millis(10));
        Delivery::whole(batch)
    }
}

/// Prints the memory that one receiver uses over time, with frames of 64 to 9000 bytes.
fn memory() -> io::Result<()> {
    println!("\nresident mebibytes of a receiver with two sinks, one of them too slow");
    let running = Receiver::new(Decapsulator::default(), Everything)
        .input("loop", Loop::new(&[64, 590, 1514, 9000], 100 * FRAMES))
        .sink("null", Null)
        .sink("slow", SlowDisk)
        .start()?;
    while !running.is_finished() {
        thread::sleep(Duration::from_secs(1));
        let received = running.snapshot().counts().received.count;
        println!("{received:>12} received{:>6} MiB", resident()?);
    }
    let account = running.join();
    assert!(account.balances(), "every frame is delivered or counted as lost");
    println!("{:>12} lost to the slow sink, all counted", account.sinks[1].counts.losses());
    Ok(())
}

fn resident() -> io::Result<u64> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(pages * 4096 / (1 << 20))
}
