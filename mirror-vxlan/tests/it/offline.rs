//! Decapsulated capture files, compared with editcap, tshark and etherparse.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use etherparse::{LaxSlicedPacket, TransportSlice};
use mirror_vxlan::capture::compress::{Compression, Compressor};
use mirror_vxlan::capture::pcap;
use mirror_vxlan::count::Exclusion;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::offline::{Durability, Error, Place, Report, Task, decap};
use mirror_vxlan::wire::{self, Datagram};
use mirror_vxlan::{Timestamp, Vni};
use tempfile::TempDir;

use crate::captures::{captures, ethernet_packets};
use crate::peer;

/// A folder with a capture of VXLAN packets in it.
struct Folder(TempDir);

impl Folder {
    /// Creates a capture with a packet for each of these VNIs, around frames of growing length.
    fn with(vnis: impl IntoIterator<Item = u32>) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let mut file = pcap::file_header(65_535).to_vec();
        for (n, vni) in (0..).zip(vnis) {
            let vni = Vni::try_from(vni).unwrap();
            let session = Session { vni, source: [10, 0, 0, 7].into() };
            let mut frame = ARP.to_vec();
            frame.resize(60 + n % 1000, 0);
            let packet = packet(vni, &frame);
            let original_len = u32::try_from(packet.len()).unwrap();
            let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + n as u64);
            pcap::push_record(&mut file, &Frame { time, session, bytes: &packet, original_len });
        }
        fs::write(folder.path("in.pcap"), file).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn task(&self, output: &str) -> Task {
        let inputs = vec![Place::File(self.path("in.pcap"))];
        Task::new(inputs, Place::File(self.path(output)))
    }

    /// The names of all files.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The start of an ARP request; zeros may follow.
const ARP: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0,
    0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
];

/// Wraps a frame as AWS does.
fn packet(vni: Vni, frame: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; wire::HEADER_LEN + frame.len()];
    Datagram { header: wire::Header::new(vni), frame }.emit(&mut payload).unwrap();
    let builder = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([10, 0, 0, 7], [10, 0, 0, 1], 255)
        .udp(65_500, wire::UDP_PORT);
    let mut packet = Vec::new();
    builder.write(&mut packet, &payload).unwrap();
    packet
}

fn all(frame: &Frame<'_>) -> Result<usize, Exclusion> {
    Ok(frame.bytes.len())
}

fn unnamed(_: Session) -> Option<String> {
    None
}

fn run(task: &Task) -> Result<Report, Error> {
    let report = decap(task, all, unnamed)?;
    assert!(report.counts.balances());
    Ok(report)
}

#[track_caller]
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_file_is_the_one_that_editcap_makes() {
    let folder = Folder::with((0..5000).map(|n| n % 20));
    let report = run(&folder.task("ours.pcap")).unwrap();
    assert_eq!((report.counts.received.count, report.counts.accepted.count), (5000, 5000));
    assert_eq!(report.counts.sessions.len(), 20);
    assert!(report.damaged.is_empty());
    let (input, output) = (folder.path("in.pcap"), folder.path("theirs.pcap"));
    let arguments = ["-F", "nsecpcap", "-C", "50", "-L", text(&input), text(&output)];
    if peer::run("editcap", &arguments).is_some() {
        let [ours, theirs] = ["ours.pcap", "theirs.pcap"].map(|name| fs::read(folder.path(name)));
        // editcap copies the snap length of the header from the input.
        assert!(ours.unwrap()[24..] == theirs.unwrap()[24..], "the records differ");
    }
}

#[test]
fn tshark_reads_a_pcapng_file_with_names_and_statistics() {
    let folder = Folder::with([7, 9, 7, 9, 7]);
    let task = folder.task("out.pcapng");
    let name = |session: Session| (session.vni == Vni::try_from(9).unwrap()).then(|| "web".into());
    decap(&task, all, name).unwrap();
    let path = folder.path("out.pcapng");
    let fields = ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.len"];
    let arguments = [&["-r", text(&path)][..], &fields].concat();
    let Some(printed) = peer::run("tshark", &arguments) else { return };
    assert_eq!(printed, "vni-7\t60\nweb\t61\nvni-7\t62\nweb\t63\nvni-7\t64\n");
    let Some(printed) = peer::run("capinfos", &[text(&path)]) else { return };
    for expected in
        ["Number of packets:   5", "Number of interfaces in file: 2", "stat entries = 1"]
    {
        assert!(printed.contains(expected), "{expected} is missing:\n{printed}");
    }
}

#[test]
fn frames_of_every_capture_are_those_that_etherparse_finds() {
    let Some(captures) = captures() else {
        println!("skipped: no captures; set MIRROR_CAPTURES to their folder");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.pcap");
    let mut frames = 0;
    for entry in fs::read_dir(captures).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            continue;
        }
        let packets = ethernet_packets(&path);
        let expected: Vec<Vec<u8>> = packets.iter().filter_map(|packet| frame(packet)).collect();
        let task = Task::new(vec![Place::File(path.clone())], Place::File(output.clone()));
        let report = run(&task).unwrap();
        assert_eq!(report.counts.received.count, packets.len() as u64, "{}", path.display());
        assert_eq!(ethernet_packets(&output), expected, "{}", path.display());
        frames += expected.len();
    }
    assert!(frames > 0, "no capture holds VXLAN");
}

/// Returns the frame in a packet to the VXLAN port, by the outer headers as etherparse reads them.
fn frame(packet: &[u8]) -> Option<Vec<u8>> {
    // A packet that is too long for the IP length field has zero there, which cannot be trusted.
    let length = match packet.get(12..14)? {
        [0x86, 0xdd] => packet.get(18..20)?,
        _ => packet.get(16..18)?,
    };
    if length == [0, 0] {
        return None;
    }
    let sliced = LaxSlicedPacket::from_ethernet(packet).ok()?;
    match sliced.transport? {
        TransportSlice::Udp(udp) if udp.destination_port() == wire::UDP_PORT => {
            Some(wire::parse(udp.payload()).ok()?.frame.to_vec())
        }
        _ => None,
    }
}

#[test]
fn compressed_output_is_the_same_file_compressed() {
    let folder = Folder::with((0..3000).map(|n| n % 3));
    for (format, checker) in [("pcap", "gzip"), ("pcapng", "zstd")] {
        let plain = format!("plain.{format}");
        run(&folder.task(&plain)).unwrap();
        let expected = fs::read(folder.path(&plain)).unwrap();
        for extension in ["gz", "zst"] {
            let name = format!("out.{format}.{extension}");
            run(&folder.task(&name)).unwrap();
            let path = folder.path(&name);
            let decompressed = match extension {
                "gz" => {
                    let mut bytes = Vec::new();
                    let file = fs::File::open(&path).unwrap();
                    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes)
                        .unwrap();
                    bytes
                }
                _ => zstd::decode_all(fs::File::open(&path).unwrap()).unwrap(),
            };
            assert!(decompressed == expected, "{name}");
        }
        let extension = if checker == "gzip" { "gz" } else { "zst" };
        let path = folder.path(&format!("out.{format}.{extension}"));
        peer::run(checker, &["-t", "-q", text(&path)]);
    }
}

#[test]
fn several_inputs_of_any_compression_go_into_one_file() {
    let folder = Folder::with([1, 2, 3]);
    let plain = fs::read(folder.path("in.pcap")).unwrap();
    let mut compressor = Compressor::new(Compression::Zstandard, Vec::new()).unwrap();
    compressor.write_all(&plain).unwrap();
    // The first bytes identify the compression, not the name.
    fs::write(folder.path("zst.pcap"), compressor.finish().unwrap()).unwrap();
    let inputs = ["in.pcap", "zst.pcap", "in.pcap"].map(|name| Place::File(folder.path(name)));
    let task = Task { inputs: inputs.into(), ..folder.task("out.pcap") };
    assert_eq!(run(&task).unwrap().counts.accepted.count, 9);
    assert_eq!(ethernet_packets(&folder.path("out.pcap")).len(), 9);
}

#[test]
fn what_is_not_selected_is_counted_and_the_rest_may_be_cut() {
    let folder = Folder::with([1, 2, 3, 1, 2, 3]);
    let task = Task { session_limit: 1, ..folder.task("out.pcap") };
    let select = |frame: &Frame<'_>| match u32::from(frame.session.vni) {
        1 => Err(Exclusion::Filter),
        _ => Ok(42),
    };
    let counts = decap(&task, select, unnamed).unwrap().counts;
    assert!(counts.balances());
    assert_eq!(counts.excluded[Exclusion::Filter.index()], 2);
    assert_eq!(counts.excluded[Exclusion::SessionLimit.index()], 2);
    assert_eq!(ethernet_packets(&folder.path("out.pcap")), [ARP; 2]);
}

#[test]
fn a_capture_that_is_cut_off_gives_what_it_has_and_the_report_says_so() {
    let folder = Folder::with([1, 2, 3]);
    let file = fs::read(folder.path("in.pcap")).unwrap();
    fs::write(folder.path("in.pcap"), &file[..file.len() - 1]).unwrap();
    let report = run(&folder.task("out.pcap")).unwrap();
    let [(_, error)] = &report.damaged[..] else { panic!("{:?}", report.damaged) };
    assert!(error.is_cut_off());
    assert_eq!(ethernet_packets(&folder.path("out.pcap")).len(), 2);
}

#[test]
fn a_task_that_fails_leaves_the_folder_as_it_was() {
    let folder = Folder::with([1]);
    fs::write(folder.path("out.pcap"), "precious").unwrap();
    let missing = Place::File(folder.path("missing.pcap"));
    let inputs = vec![Place::File(folder.path("in.pcap")), missing.clone()];
    let error = run(&Task { inputs, ..folder.task("out.pcap") }).unwrap_err();
    assert!(matches!(error, Error::Open { place, .. } if place == missing));
    assert_eq!(folder.names(), ["in.pcap", "out.pcap"]);
    assert_eq!(fs::read(folder.path("out.pcap")).unwrap(), b"precious");

    let error = run(&folder.task("missing/out.pcap")).unwrap_err();
    assert!(matches!(error, Error::Create { .. }), "{error}");
}

#[test]
fn a_file_behind_a_link_is_replaced_where_it_is() {
    let folder = Folder::with([1]);
    fs::write(folder.path("real.pcap"), "old").unwrap();
    std::os::unix::fs::symlink("real.pcap", folder.path("out.pcap")).unwrap();
    run(&Task { durability: Durability::Synced, ..folder.task("out.pcap") }).unwrap();
    assert!(fs::symlink_metadata(folder.path("out.pcap")).unwrap().is_symlink());
    assert_eq!(ethernet_packets(&folder.path("real.pcap")).len(), 1);
    assert_eq!(folder.names(), ["in.pcap", "out.pcap", "real.pcap"]);
}

#[test]
fn a_full_disk_is_an_error_that_says_how_much_was_written() {
    let folder = Folder::with((0..5000).map(|_| 1));
    let task = Task { output: Place::File("/dev/full".into()), ..folder.task("out.pcap") };
    match run(&task).unwrap_err() {
        Error::Write { frames, source, .. } => {
            assert_eq!((frames, source.kind()), (0, ErrorKind::StorageFull));
        }
        error => panic!("{error}"),
    }
    assert!(
        fs::metadata("/dev/full").unwrap().file_type() != fs::metadata("/").unwrap().file_type()
    );
}

#[test]
fn a_reader_that_goes_away_is_an_error_and_a_pipe_stays_a_pipe() {
    let folder = Folder::with((0..20_000).map(|_| 1));
    let pipe = folder.path("pipe.pcap");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        thread::spawn(move || {
            let mut start = vec![0; 1000];
            std::io::Read::read_exact(&mut fs::File::open(pipe).unwrap(), &mut start).unwrap();
        })
    };
    match run(&folder.task("pipe.pcap")).unwrap_err() {
        Error::Write { frames, source, .. } => {
            assert_eq!(source.kind(), ErrorKind::BrokenPipe);
            assert!(frames < 20_000);
        }
        error => panic!("{error}"),
    }
    reader.join().unwrap();
    assert_eq!(folder.names(), ["in.pcap", "pipe.pcap"]);
}

#[test]
fn an_input_may_be_a_pipe() {
    let folder = Folder::with((0..20_000).map(|n| n % 5));
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let (file, pipe) = (fs::read(folder.path("in.pcap")).unwrap(), pipe.clone());
        thread::spawn(move || fs::write(pipe, file).unwrap())
    };
    let task = Task { inputs: vec![Place::File(pipe)], ..folder.task("out.pcapng") };
    assert_eq!(run(&task).unwrap().counts.accepted.count, 20_000);
    writer.join().unwrap();
}
