//! Uploads to a store that refuses, is cut off or gives false answers.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use mirror_vxlan::count::UploadCounts;
use mirror_vxlan::upload::{UploadOptions, Uploader};

use super::server::{Fate, Server, way_to};
use super::{ENOUGH, content, options, put_file, s3, wait_until};
use crate::files::files_in;
use crate::program::{free_port, program};

/// The length of a file that is uploaded in two parts.
const LENGTH: usize = 9 << 20;

/// Uploads one file over a way with this rule, and checks all along that it is here or in the store.
fn upload(
    server: &Server,
    key_prefix: &str,
    rule: impl Fn(usize, &str) -> Fate + Send + 'static,
) -> UploadCounts {
    let from = tempfile::tempdir().unwrap();
    put_file(from.path(), 1, LENGTH);
    let name = files_in(from.path())[0].file_name().unwrap().to_owned();
    let key = format!("{key_prefix}/{}", name.to_str().unwrap());
    let options = UploadOptions { key_prefix: key_prefix.to_owned(), ..options(from.path()) };
    let store = s3(way_to(server.address, rule));
    let uploader = Uploader::start(store, options).unwrap();
    let counts = loop {
        let is_here = from.path().join(&name).exists();
        assert!(is_here || server.object(&key).is_some_and(|object| object == content(LENGTH)));
        let counts = uploader.counts();
        if counts.stored.count == 1 {
            break counts;
        }
        thread::yield_now();
    };
    assert!(files_in(from.path()).is_empty());
    assert!(server.object(&key).unwrap() == content(LENGTH), "{key}");
    uploader.close(ENOUGH);
    counts
}

#[test]
fn whichever_request_fails_in_whatever_way_the_file_is_here_or_whole_in_the_store() {
    let Some(server) = Server::start(free_port()) else { return };
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let plain = upload(&server, "plain", move |number, _| {
        count.fetch_max(number + 1, Ordering::Relaxed);
        Fate::Passes
    });
    assert_eq!((plain.failures, plain.trouble), (0, None));
    let requests = asked.load(Ordering::Relaxed);
    // The upload is begun, sent in two parts and completed, and the object is looked up.
    assert_eq!(requests, 5);
    let fates = [
        Fate::Refused(503, "SlowDown"),
        Fate::Refused(403, "AccessDenied"),
        Fate::LostOnItsWay,
        Fate::AnswerLost,
    ];
    for (kind, fate) in fates.into_iter().enumerate() {
        for failing in 0..requests {
            let rule = move |number, _: &str| if number == failing { fate } else { Fate::Passes };
            let counts = upload(&server, &format!("{kind}/{failing}"), rule);
            assert_eq!(counts.failures, 1, "{fate:?} of request {failing}");
        }
    }
}

#[test]
fn a_file_stays_while_the_store_does_not_say_that_it_has_all_of_it() {
    let Some(server) = Server::start(free_port()) else { return };
    for (fate, said) in [
        (Fate::AnsweredWrongly, "the store has 1 of 9437184 bytes, or another object"),
        (Fate::Refused(404, "NoSuchKey"), "not found"),
        (Fate::Refused(403, "AccessDenied"), "403"),
    ] {
        let from = tempfile::tempdir().unwrap();
        put_file(from.path(), 1, LENGTH);
        let rule = move |_, method: &str| if method == "HEAD" { fate } else { Fate::Passes };
        let uploader =
            Uploader::start(s3(way_to(server.address, rule)), options(from.path())).unwrap();
        let counts = wait_until(&uploader, |counts| counts.failures > 1);
        let trouble = counts.trouble.unwrap();
        assert!(trouble.contains(said), "{fate:?}: {trouble}");
        assert_eq!((counts.stored.count, counts.waiting.count), (0, 1));
        assert_eq!(files_in(from.path()).len(), 1);
    }
}

#[test]
fn a_store_that_forbids_is_told_in_its_words_and_gets_the_files_once_it_allows() {
    let Some(server) = Server::start(free_port()) else { return };
    let forbids = Arc::new(AtomicBool::new(true));
    let rule = Arc::clone(&forbids);
    let way = way_to(server.address, move |_, _| match rule.load(Ordering::Relaxed) {
        true => Fate::Refused(403, "AccessDenied"),
        false => Fate::Passes,
    });
    let from = tempfile::tempdir().unwrap();
    put_file(from.path(), 1, 1000);
    let run = |folder: &Path| {
        let output = program()
            .args(["upload", "s3://bucket/by-hand"])
            .arg(folder)
            .envs(super::environment(&format!("http://{way}")))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(from.path());
    assert_eq!(code, Some(1));
    assert!(said.contains("AccessDenied"), "{said}");
    assert_eq!(fs::read(&files_in(from.path())[0]).unwrap(), content(1000));

    forbids.store(false, Ordering::Relaxed);
    assert_eq!(run(from.path()), (Some(0), String::new()));
    assert!(files_in(from.path()).is_empty());
    let [key] = &server.keys("by-hand/")[..] else { panic!("{:?}", server.keys("")) };
    assert_eq!(server.object(key).unwrap(), content(1000));
}
