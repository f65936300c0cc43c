//! The whole program with a store: a receiver and S3, and a store whose name has to be resolved.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::thread;

use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use super::server::{Fate, Server, way_to};
use super::{environment, put_file};
use crate::files::files_in;
use crate::live::network::Network;
use crate::program::{Receiver, free_port, program_path};

/// Returns how many frames a capture holds, according to a reader that is not ours.
fn frames(content: &[u8]) -> usize {
    let mut reader = create_reader(1 << 16, content).unwrap();
    let mut frames = 0;
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                let is_frame = matches!(block, PcapBlockOwned::NG(Block::EnhancedPacket(_)));
                frames += usize::from(is_frame);
                reader.consume(offset);
            }
            Err(PcapError::Eof) => return frames,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_receiver_stores_in_s3_all_that_it_received_also_after_a_restart() {
    let port = free_port();
    let from = tempfile::tempdir().unwrap();
    let more = ["--upload", "s3://bucket/web", "--rotate-time", "1s"];
    let variables = environment(&format!("http://localhost:{port}"));
    // There is no store yet: what is received stays.
    let receiver = Receiver::start_with(from.path(), &more, &variables);
    receiver.send(10);
    let failures = "mirror_vxlan_upload_failures_total";
    receiver.wait_for(|receiver| receiver.metric(failures) > Some(0));
    let output = receiver.end();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("files_uploaded=0 files_waiting=1"), "{log}");

    let Some(server) = Server::start(port) else { return };
    let receiver = Receiver::start_with(from.path(), &more, &variables);
    receiver.send(5);
    let accepted = "mirror_vxlan_accepted_frames_total";
    receiver.wait_for(|receiver| receiver.metric(accepted) == Some(5));
    let output = receiver.end();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("files_waiting=0"), "{log}");
    assert!(files_in(&from.path().join("captures")).is_empty());
    let keys = server.keys("web/");
    let stored: Vec<usize> = keys.iter().map(|key| frames(&server.object(key).unwrap())).collect();
    assert_eq!(stored.iter().sum::<usize>(), 15, "{keys:?} {stored:?}");
}

/// Answers every DNS question for an IPv4 address with that of this host.
fn answer_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut question) {
            let question = &question[..length];
            // The answer repeats only the question: the client's additional records are left out.
            let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_of_ipv4 = question[end - 4..end - 2] == [0, 1];
            let mut answer = question[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_of_ipv4), 0, 0, 0, 0]);
            if is_of_ipv4 {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 4, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, client).unwrap();
        }
    });
}

/// A static program resolves names by itself, with system calls other than the C library's.
#[test]
fn the_name_of_a_store_is_resolved_without_any_privilege() {
    let Some(network) = Network::new() else { return };
    let from = tempfile::tempdir().unwrap();
    put_file(from.path(), 1, 1000);
    let settings = tempfile::tempdir().unwrap();
    let resolver = settings.path().join("resolv.conf");
    fs::write(&resolver, "nameserver 127.0.0.1\n").unwrap();
    let output = network.receiver(|| {
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        answer_names();
        let refuses = |_, _: &str| Fate::Refused(403, "AccessDenied");
        let way = way_to(([127, 0, 0, 1], 9).into(), refuses);
        Command::new("unshare")
            .args(["--mount", "sh", "-ec"])
            .arg("mount --bind \"$1\" /etc/resolv.conf; shift; exec \"$@\"")
            .args(["sh".as_ref(), resolver.as_path(), &program_path()])
            .args(["upload".as_ref(), Path::new("s3://bucket"), from.path()])
            .envs(environment(&format!("http://store.example.test:{}", way.port())))
            .output()
            .unwrap()
    });
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("AccessDenied"), "{said}");
}
