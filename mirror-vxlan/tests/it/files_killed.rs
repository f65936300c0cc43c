//! A writer of capture files is killed: the files that it leaves are whole, and are finished later.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mirror_vxlan::session::Sessions;
use mirror_vxlan::sink::file::{FileOptions, Files};
use mirror_vxlan::sink::{Ahead, Sink as _, Unnamed};

use crate::files::{files_in, numbers};
use crate::payloads::{NOW, batch};
use crate::peer;

/// The variable that names the directory of the writer; only the test below sets it.
const DIRECTORY: &str = "MIRROR_VXLAN_TEST_WRITES_INTO";

/// How often a writer is killed.
const KILLS: u64 = 25;

/// The writer: this test runs in a process of its own until it is killed.
#[test]
fn writer() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test below talks to its child process this way"
    )]
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let options = FileOptions {
        bytes_max: 400_000,
        compression: directory.ends_with("zst").then_some(1),
        ..FileOptions::new(directory)
    };
    let mut files = Files::open(options, Unnamed).unwrap();
    files.tick(NOW, Ahead::default());
    let sessions = Arc::new(Sessions::default());
    for n in 0..1_000_000 {
        let _counted = files.deliver(&batch(&sessions, n * 100, 100, 700));
    }
}

/// A child that does not outlive the test.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start_writer(directory: &Path) -> Writer {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["files_killed::writer", "--exact"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::null())
        .spawn();
    Writer(child.unwrap())
}

fn ends_in(path: &Path, ending: &str) -> bool {
    path.to_str().unwrap().ends_with(ending)
}

#[test]
fn a_killed_writer_leaves_whole_files_and_one_that_is_whole_to_its_last_block() {
    for kind in ["plain", "zst"] {
        for kill in 0..KILLS {
            let parent = tempfile::tempdir().unwrap();
            let directory = parent.path().join(kind);
            let writer = start_writer(&directory);
            while !directory.exists() || files_in(&directory).len() < 3 {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(kill * 577)); // a point in time, any will do
            drop(writer);
            check_finished(&directory);
            check_recovered(&directory);
        }
    }
}

/// Checks that every file with its final name is whole.
fn check_finished(directory: &Path) {
    let files = files_in(directory);
    let finished: Vec<&PathBuf> = files.iter().filter(|path| !ends_in(path, ".partial")).collect();
    assert!(!finished.is_empty() || !files.is_empty());
    for path in finished {
        if ends_in(path, ".zst") {
            let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
            let plain = directory.with_extension("plain");
            std::fs::write(&plain, text).unwrap();
            assert!(!numbers(&plain).is_empty());
        } else {
            assert!(!numbers(path).is_empty());
        }
    }
}

/// Checks that the next sink finishes the rest, and that the files together hold each frame once, in
/// order.
fn check_recovered(directory: &Path) {
    let files = Box::new(Files::open(FileOptions::new(directory), Unnamed).unwrap());
    files.close();
    let mut found = Vec::new();
    for path in files_in(directory) {
        assert!(!ends_in(&path, ".partial"), "{} is not finished", path.display());
        if ends_in(&path, ".zst") {
            let text = zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap();
            let plain = directory.with_extension("plain");
            std::fs::write(&plain, text).unwrap();
            found.extend(numbers(&plain));
        } else {
            found.extend(numbers(&path));
            peer::run("capinfos", &["-M", "-c", path.to_str().unwrap()]);
        }
    }
    let count = found.len() as u64;
    assert_eq!(found, (0..count).collect::<Vec<u64>>());
}
