//! Any text as a configuration file of `mirror-vxlan receive`.

#![no_main]

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mirror_vxlan::config::{ConfigError, FileError, Program};

/// A file of this process, in memory where that can be had.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("mirror-vxlan-fuzz-{}.toml", std::process::id()))
});

fuzz_target!(|text: &[u8]| {
    fs::write(&*FILE, text).expect("there is room");
    let arguments: [OsString; 4] =
        ["mirror-vxlan".into(), "receive".into(), "--config".into(), FILE.clone().into()];
    let Err(error) = Program::from_arguments(&arguments) else { return };
    assert!(!error.to_string().is_empty());
    if let ConfigError::File(FileError::Faults { faults, .. }) = &error {
        let lines = 1 + text.iter().filter(|letter| **letter == b'\n').count();
        assert!(!faults.is_empty() && faults.is_sorted_by_key(|fault| fault.line));
        assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
    }
});
