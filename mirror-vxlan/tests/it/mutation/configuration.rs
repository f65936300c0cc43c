//! Configuration files with wrong letters.

use std::fs;

use fastrand::Rng;
use mirror_vxlan::config::{ConfigError, FileError, Program};

use super::{mutate, share};

/// Every option that a file can have, one per line.
const LINES: [&str; 30] = [
    "input = 'udp'",
    "interface = 'eth0'",
    "port = 4789",
    "geneve = 6081",
    "strict = true",
    "workers = 2",
    "receive-buffer = '64MiB'",
    "pcapng = '/var/captures'",
    "pcap = \"/var/\\u0063aptures\"",
    "rotate-size = '1GiB'",
    "rotate-time = '5m'",
    "disk-budget = \"20GiB\"",
    "compress = 'zstd'",
    "tap = 'mirror0'",
    "stdout = false",
    "forward = ['127.0.0.1:4789', '[::1]:4790']",
    "queue = 64",
    "batch = '256KiB'",
    "allow = ['10.0.0.0/8', '5@10.1.0.0/16', \"fd00::/8\"]",
    "filter = 'tcp port 443 or (udp and not port 53)'",
    "sample = 10",
    "snap = 96",
    "deduplicate = '50ms'",
    "sessions = 'names.toml'",
    "health = '[::]:8080'",
    "health-tcp = 4789",
    "metrics = '127.0.0.1:9100'",
    "summary = '60s'",
    "drain = '70s'",
    "log-format = 'json' # for machines",
];

#[test]
fn no_configuration_makes_the_reader_panic_or_lose_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror-vxlan.toml");
    let arguments = ["mirror-vxlan", "receive", "--config"].map(Into::into);
    let arguments = [&arguments[..], &[path.clone().into()]].concat();
    let mut random = Rng::with_seed(31);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..share(5_000) {
        let mut lines = LINES;
        random.shuffle(&mut lines);
        let mut text = lines[..random.usize(1..lines.len())].join("\n").into_bytes();
        mutate(&mut text, &mut random);
        fs::write(&path, &text).unwrap();
        match Program::from_arguments(&arguments) {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                let count = 1 + text.iter().filter(|letter| **letter == b'\n').count();
                if let ConfigError::File(FileError::Faults { faults, .. }) = &error {
                    assert!(!faults.is_empty() && faults.is_sorted_by_key(|fault| fault.line));
                    assert!(
                        faults.iter().all(|fault| (1..=count).contains(&fault.line)),
                        "{error}"
                    );
                }
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
