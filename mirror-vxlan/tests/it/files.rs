//! Capture files in a directory: rotation, budget and trouble, as other programs see the files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mirror_vxlan::capture::Format;
use mirror_vxlan::frame::Session;
use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::file::{Budget, BudgetPolicy, FileOptions, Files, Sync};
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink as _, Unnamed};
use mirror_vxlan::{Timestamp, Vni};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use crate::payloads::{NOW, batch, number};
use crate::peer;

/// Returns the files in a directory, sorted by name.
pub(crate) fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Reads the numbers of the frames in a file with a third-party reader.
pub(crate) fn numbers(path: &Path) -> Vec<u64> {
    let file = fs::File::open(path).unwrap();
    let mut reader = create_reader(1 << 20, file).unwrap();
    let mut numbers = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                match block {
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        numbers.push(number(packet.packet_data()));
                    }
                    PcapBlockOwned::Legacy(packet) => numbers.push(number(packet.data)),
                    PcapBlockOwned::NG(_) | PcapBlockOwned::LegacyHeader(_) => (),
                }
                reader.consume(offset);
            }
            Err(PcapError::Eof) => return numbers,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

fn seconds_later(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() + seconds * 1_000_000_000)
}

fn open(options: FileOptions) -> Box<Files> {
    let mut files = Box::new(Files::open(options, Unnamed).unwrap());
    files.tick(NOW, Ahead::default());
    files
}

fn lost(delivery: &Delivery, reason: LossReason) -> u64 {
    delivery.lost[reason.index()]
}

#[test]
fn files_are_rotated_by_size_and_hold_every_frame_once_as_capinfos_counts() {
    for (format, length) in [(Format::Pcapng, 64), (Format::Pcapng, 9000), (Format::Pcap, 1514)] {
        let directory = tempfile::tempdir().unwrap();
        let bytes_max = 200_000;
        let options = FileOptions { format, bytes_max, ..FileOptions::new(directory.path()) };
        let mut files = open(options);
        let sessions = Arc::new(Sessions::default());
        for n in 0..40 {
            let batch = batch(&sessions, n * 20, 20, length);
            assert_eq!(files.deliver(&batch), Delivery::whole(&batch));
        }
        assert_eq!(files.close(), [0; LossReason::COUNT]);

        let paths = files_in(directory.path());
        let all: Vec<u64> = paths.iter().flat_map(|path| numbers(path)).collect();
        assert_eq!(all, (0..800).collect::<Vec<u64>>());
        for (path, sequence) in paths.iter().zip(1..) {
            let extension = if format == Format::Pcap { "pcap" } else { "pcapng" };
            let name = format!("mirror-20261122T215117Z-{sequence:04}.{extension}");
            assert_eq!(path.file_name().unwrap(), name.as_str());
            assert!(fs::metadata(path).unwrap().len() <= bytes_max + 1000);
            let path = path.to_str().unwrap();
            let Some(report) = peer::run("capinfos", &["-M", "-c", "-r", "-T", path]) else {
                break;
            };
            let count: usize = report.trim().rsplit('\t').next().unwrap().parse().unwrap();
            assert_eq!(count, numbers(Path::new(path)).len());
        }
    }
}

#[test]
fn a_file_is_finished_when_it_is_old_and_has_names_and_statistics() {
    let directory = tempfile::tempdir().unwrap();
    let age_max = Duration::from_secs(60);
    let session = Session { vni: Vni::from_bytes([0, 0, 2]), source: [10, 0, 0, 7].into() };
    let names = HashMap::from([(session, "web".to_owned())]);
    let options = FileOptions { age_max, ..FileOptions::new(directory.path()) };
    let mut files = Box::new(Files::open(options, names).unwrap());
    files.tick(NOW, Ahead::default());
    let sessions = Arc::new(Sessions::default());
    let _whole = files.deliver(&batch(&sessions, 0, 10, 100));
    files.tick(seconds_later(59), Ahead::default());
    let is_partial = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "partial");
    assert!(files_in(directory.path()).iter().all(is_partial));
    files.tick(seconds_later(60), Ahead::default());
    let _whole = files.deliver(&batch(&sessions, 10, 10, 100));
    assert_eq!(files.close(), [0; LossReason::COUNT]);

    let paths = files_in(directory.path());
    let found: Vec<Vec<u64>> = paths.iter().map(|path| numbers(path)).collect();
    assert_eq!(found, [(0..10).collect::<Vec<u64>>(), (10..20).collect()]);
    let first = paths[0].to_str().unwrap();
    let fields = ["-T", "fields", "-e", "frame.interface_name"];
    let Some(shown) = peer::run("tshark", &[&["-r", first][..], &fields].concat()) else { return };
    let shown: Vec<&str> = shown.lines().collect();
    assert_eq!(shown[..4], ["vni-0", "vni-1", "web", "vni-3"]);
    let report = peer::run("capinfos", &["-I", first]).unwrap();
    assert_eq!(report.matches("Number of stat entries = 1").count(), 4, "{report}");
}

#[test]
fn finished_files_are_compressed_and_zstd_takes_them() {
    let directory = tempfile::tempdir().unwrap();
    let sync = Sync::WhenFinished;
    let options = FileOptions {
        compression: Some(3),
        bytes_max: 100_000,
        sync,
        ..FileOptions::new(directory.path())
    };
    let mut files = open(options);
    let sessions = Arc::new(Sessions::default());
    let is_compressed = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "zst");
    let mut delivered = 0;
    while files_in(directory.path()).iter().filter(|path| is_compressed(path)).count() < 3 {
        let _whole = files.deliver(&batch(&sessions, delivered, 100, 500));
        delivered += 100;
    }
    assert_eq!(files.close(), [0; LossReason::COUNT]);
    let mut found = Vec::new();
    for path in files_in(directory.path()) {
        if is_compressed(&path) {
            let text = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
            let plain = path.with_extension("");
            fs::write(&plain, text).unwrap();
            found.extend(numbers(&plain));
        } else {
            found.extend(numbers(&path));
        }
    }
    assert_eq!(found, (0..delivered).collect::<Vec<u64>>());
}

#[test]
fn within_a_budget_the_oldest_files_go_or_frames_are_refused() {
    let sessions = Arc::new(Sessions::default());
    for policy in [BudgetPolicy::DeleteOldest, BudgetPolicy::RefuseFrames] {
        let directory = tempfile::tempdir().unwrap();
        let budget = Some(Budget { bytes: 1_000_000, policy });
        let options =
            FileOptions { budget, bytes_max: 200_000, ..FileOptions::new(directory.path()) };
        let mut files = open(options);
        let mut refused = 0;
        for n in 0..100 {
            let delivery = files.deliver(&batch(&sessions, n * 20, 20, 1000));
            refused += lost(&delivery, LossReason::Budget);
            let sizes = files_in(directory.path());
            let sizes = sizes.iter().filter_map(|path| fs::metadata(path).ok());
            let used: u64 = sizes.map(|metadata| metadata.len()).sum();
            assert!(used <= 1_010_000, "{policy:?}: {used} bytes");
        }
        match policy {
            BudgetPolicy::DeleteOldest => assert_eq!((refused, files.trouble()), (0, None)),
            BudgetPolicy::RefuseFrames => {
                let trouble = files.trouble().expect("the budget is used up");
                assert_eq!(trouble.reason, LossReason::Budget);
                // To make room, only finished files are removed: the others are still being written.
                let is_finished =
                    |path: &PathBuf| path.extension().is_some_and(|it| it == "pcapng");
                let finished = || files_in(directory.path()).into_iter().filter(is_finished);
                while finished().count() < 2 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                finished().take(2).for_each(|path| fs::remove_file(path).unwrap());
                files.tick(seconds_later(1), Ahead::default());
                assert_eq!(files.trouble(), None, "there is room again");
            }
        }
        assert_eq!(files.close(), [0; LossReason::COUNT]);
        let kept: Vec<u64> =
            files_in(directory.path()).iter().flat_map(|path| numbers(path)).collect();
        match policy {
            BudgetPolicy::DeleteOldest => assert_eq!(kept.last(), Some(&1999)),
            BudgetPolicy::RefuseFrames => assert!(refused > 900 && !kept.contains(&1999)),
        }
    }
}

#[test]
fn frames_of_a_directory_that_is_removed_are_counted_and_the_next_are_written() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("captures");
    let mut files = open(FileOptions::new(&directory));
    let sessions = Arc::new(Sessions::default());
    let _gone = files.deliver(&batch(&sessions, 0, 10, 100));
    fs::remove_dir_all(&directory).unwrap();
    let _gone = files.deliver(&batch(&sessions, 10, 10, 100));
    files.tick(seconds_later(1), Ahead::default());
    let trouble = files.trouble().expect("the file is gone");
    assert!(trouble.message.ends_with("was removed while being written"), "{trouble:?}");
    files.tick(seconds_later(2), Ahead::default());
    assert_eq!(files.trouble(), None);
    let last = batch(&sessions, 20, 10, 100);
    assert_eq!(files.deliver(&last), Delivery::whole(&last));
    let closed = files.close();
    assert_eq!(closed[LossReason::Failed.index()], 20);
    let [path] = &files_in(&directory)[..] else { panic!("one file") };
    assert_eq!(numbers(path), (20..30).collect::<Vec<u64>>());
}

/// A test's file system of one mebibyte in memory.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts the file system, or prints that it cannot.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let disk = Self(directory);
        if disk.run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
            return Some(disk);
        }
        println!("skipped: cannot mount a tmpfs; run as root");
        None
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let output = Command::new(program).args(arguments).arg(self.0.path()).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}

#[test]
fn a_full_disk_is_counted_told_once_and_used_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let options = FileOptions { bytes_max: 300_000, ..FileOptions::new(disk.0.path()) };
    let mut files = open(options);
    let sessions = Arc::new(Sessions::default());
    let (mut delivered, mut full) = (Vec::new(), 0);
    for n in 0..200 {
        let delivery = files.deliver(&batch(&sessions, n * 10, 10, 1000));
        full += lost(&delivery, LossReason::StorageFull);
        assert_eq!(delivery.frames + delivery.lost.iter().sum::<u64>(), 10);
        if delivery.frames > 0 {
            delivered.extend(n * 10..n * 10 + 10);
        }
        if n % 50 == 49 && n > 100 {
            files.tick(seconds_later(n), Ahead::default());
            assert_eq!(files.trouble().map(|t| t.reason), Some(LossReason::StorageFull));
        }
    }
    assert!(full > 900 && delivered.len() > 900, "{full} lost");
    // A separate thread gives a finished file its final name.
    let is_finished = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "pcapng");
    let oldest = loop {
        if let Some(path) = files_in(disk.0.path()).into_iter().next().filter(is_finished) {
            break path;
        }
        std::thread::yield_now();
    };
    let taken = numbers(&oldest);
    fs::remove_file(oldest).unwrap();
    // That thread may hold the file open for a moment longer, which keeps its space occupied.
    let is_mended = (200..10_200).any(|second| {
        std::thread::yield_now();
        files.tick(seconds_later(second), Ahead::default());
        files.trouble().is_none()
    });
    assert!(is_mended, "{:?}", files.trouble());
    let last = batch(&sessions, 2000, 10, 1000);
    assert_eq!(files.deliver(&last), Delivery::whole(&last));
    assert_eq!(files.close(), [0; LossReason::COUNT]);
    delivered.retain(|number| !taken.contains(number));
    delivered.extend(2000..2010);
    let found: Vec<u64> = files_in(disk.0.path()).iter().flat_map(|path| numbers(path)).collect();
    assert_eq!(found, delivered);
}

#[test]
fn a_directory_that_cannot_be_written_is_tried_again_until_it_can() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut files = open(FileOptions::new(disk.0.path()));
    assert!(disk.run("mount", &["-o", "remount,ro"]));
    let sessions = Arc::new(Sessions::default());
    let first = batch(&sessions, 0, 10, 100);
    assert_eq!(files.deliver(&first), Delivery::none(&first, LossReason::Failed));
    let said = files.trouble().expect("it is read-only").clone();
    files.tick(seconds_later(1), Ahead::default());
    assert_eq!(files.trouble(), Some(&said), "the same trouble is told in the same words");
    assert!(disk.run("mount", &["-o", "remount,rw"]));
    files.tick(seconds_later(2), Ahead::default());
    assert_eq!(files.trouble(), None);
    let next = batch(&sessions, 10, 10, 100);
    assert_eq!(files.deliver(&next), Delivery::whole(&next));
    assert_eq!(files.close(), [0; LossReason::COUNT]);
}

#[test]
fn the_session_numbers_of_a_batch_are_those_of_its_frames() {
    for length in [14, 15, 64, 1514, 9000] {
        let batch = batch(&Arc::default(), 3, 50, length);
        let of_frames: Vec<_> = batch.frames().map(|(id, _)| id).collect();
        assert_eq!(batch.session_ids().collect::<Vec<_>>(), of_frames);
        assert_eq!(of_frames.len(), 50);
    }
}
