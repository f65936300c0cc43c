//! Uploads, to a directory and to a server that speaks S3: refused, cut off, resumed.

mod faults;
#[path = "../../../tests/tests/it/peers/packages.rs"]
#[expect(dead_code, reason = "other crates use the rest")]
mod packages;
mod program;
mod server;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mirror_vxlan::count::UploadCounts;
use mirror_vxlan::upload::{UploadOptions, Uploader};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use self::server::Server;
use crate::files::files_in;
use crate::program::{Receiver, free_port, program};

const ENOUGH: Duration = Duration::from_secs(60);

fn options(directory: &Path) -> UploadOptions {
    UploadOptions {
        interval: Duration::from_millis(10),
        pause_max: Duration::from_millis(100),
        ..UploadOptions::new(vec![directory.to_owned()], "captures/receiver-1")
    }
}

/// Writes a finished file of `bytes` bytes to the directory.
fn put_file(directory: &Path, sequence: u32, bytes: usize) {
    let name = format!("mirror-20261122T215107Z-{sequence:04}.pcapng");
    fs::write(directory.join(name), content(bytes)).unwrap();
}

/// Bytes that do not repeat at a power of two, so that parts in the wrong order are noticed.
fn content(bytes: usize) -> Vec<u8> {
    (0..251).cycle().take(bytes).collect()
}

/// The environment variables that describe a store.
fn environment(endpoint: &str) -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ]
}

#[track_caller]
fn wait_until(uploader: &Uploader, holds: impl Fn(&UploadCounts) -> bool) -> UploadCounts {
    loop {
        let counts = uploader.counts();
        if holds(&counts) {
            return counts;
        }
        thread::yield_now();
    }
}

#[test]
fn finished_files_are_stored_and_deleted_and_others_are_left_alone() {
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for (sequence, bytes) in [(1, 0), (2, 1000), (3, 20 << 20)] {
        put_file(from.path(), sequence, bytes);
    }
    for other in ["mirror-20261122T215107Z-0004.pcapng.partial", "notes.txt"] {
        fs::write(from.path().join(other), "x").unwrap();
    }
    let store = Arc::new(LocalFileSystem::new_with_prefix(to.path()).unwrap());
    let uploader = Uploader::start(store, options(from.path())).unwrap();
    let counts = uploader.close(ENOUGH);
    assert_eq!((counts.stored.count, counts.stored.bytes), (3, 1000 + (20 << 20)), "{counts:?}");
    assert_eq!((counts.failures, counts.waiting.count), (0, 0));
    assert_eq!(files_in(from.path()).len(), 2);
    let stored = files_in(&to.path().join("captures/receiver-1"));
    let sizes: Vec<u64> = stored.iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    assert_eq!(sizes, [0, 1000, 20 << 20]);
    assert!(fs::read(&stored[2]).unwrap() == content(20 << 20));
}

/// Returns a store that reports at once whatever a server answers, without retrying.
fn s3(server: SocketAddr) -> Arc<dyn ObjectStore> {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(1), ..Default::default() };
    let store = AmazonS3Builder::new()
        .with_endpoint(format!("http://{server}"))
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_bucket_name(server::BUCKET)
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .with_client_options(
            ClientOptions::new().with_timeout(Duration::from_secs(5)).with_allow_http(true),
        )
        .with_retry(RetryConfig { max_retries: 0, backoff, ..RetryConfig::default() });
    Arc::new(store.build().unwrap())
}

#[test]
fn a_server_that_refuses_and_dies_half_way_gets_every_file_in_the_end() {
    let port = free_port();
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let from = tempfile::tempdir().unwrap();
    put_file(from.path(), 1, 1000);
    put_file(from.path(), 2, 60 << 20);
    let uploader = Uploader::start(s3(address), options(from.path())).unwrap();
    let refused = wait_until(&uploader, |counts| counts.failures > 0);
    assert_eq!((refused.stored.count, refused.waiting.count), (0, 2));
    let trouble = refused.trouble.unwrap();
    assert!(trouble.ends_with("Connection refused (os error 111)"), "{trouble}");

    let Some(server) = Server::start(port) else { return };
    let first = wait_until(&uploader, |counts| counts.stored.count == 1);
    thread::sleep(Duration::from_millis(300)); // until somewhere in the second file
    drop(server);
    let cut = wait_until(&uploader, |counts| {
        counts.failures > first.failures || counts.stored.count == 2
    });
    let kept = files_in(from.path()).len() as u64;
    assert_eq!(kept + cut.stored.count, 2, "what is not stored is still here: {cut:?}");

    // The next receiver finds what was not stored.
    uploader.close(Duration::ZERO);
    let Some(_server) = Server::start(port) else { return };
    let uploader = Uploader::start(s3(address), options(from.path())).unwrap();
    let done = uploader.close(ENOUGH);
    assert_eq!((done.stored.count, done.trouble), (kept, None));
    assert!(files_in(from.path()).is_empty());
}

/// Returns the files stored in the hosts' folders below `folder`.
fn stored_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let hosts = files_in(folder);
    hosts.iter().flat_map(|host| files_in(host)).collect()
}

#[test]
fn a_receiver_has_its_files_stored_and_counted_also_the_last() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = format!("file://{}", to.path().display());
    let receiver = Receiver::start(from.path(), &["--upload", &url, "--rotate-time", "1s"]);
    receiver.send(10);
    let uploaded = "mirror_vxlan_upload_files_total";
    receiver.wait_for(|receiver| receiver.metric(uploaded) == Some(1));
    receiver.send(5);
    receiver.wait_for(|receiver| receiver.metric("mirror_vxlan_accepted_frames_total") == Some(15));
    let output = receiver.end();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("files_uploaded=2 files_waiting=0"), "{log}");
    assert!(files_in(&from.path().join("captures")).is_empty());
    assert_eq!(stored_below(to.path()).len(), 2);
}

#[test]
fn a_store_that_is_gone_makes_the_receiver_unhealthy_once_the_budget_takes_what_it_lacks() {
    let from = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = environment(&format!("http://{gone}"));
    let more = ["--upload", "s3://captures", "--rotate-time", "1s", "--disk-budget", "300KiB"];
    let receiver = Receiver::start_with(from.path(), &more, &variables);
    receiver.wait_for(|receiver| {
        receiver.send(500);
        receiver.get("/healthz").contains("the upload is behind")
    });
    receiver.wait_for(|receiver| receiver.metric("mirror_vxlan_upload_up") == Some(0));
    let output = receiver.end();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("upload failed and will be retried"), "{log}");
    // How many files the budget left depends on how fast this machine sends; none was stored.
    assert!(log.contains("files_uploaded=0 "), "{log}");
}

#[test]
fn what_a_receiver_left_is_uploaded_by_hand_and_a_process_without_its_receiver_ends() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put_file(from.path(), 1, 1000);
    let url = format!("file://{}", to.path().display());
    let output = program().args(["upload", &url]).arg(from.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 files, 1000 bytes uploaded\n");
    assert_eq!(stored_below(to.path()).len(), 1);

    let attended = program()
        .args(["upload", "--attended", &url])
        .arg(from.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(attended.status.success());
}
