//! Interrupts: the first lets calls in flight end, and the next run does what is left.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use super::{Folder, assert_shown};

/// One instance takes a second, and the other one waits for it.
const SLOW: &str = r#"
stack "slow" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

instance "first" {
  instance_type = "t3.micro"
  subnet        = subnet.a
}

instance "second" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  user_data     = "echo ${instance.first.private_ip}"
}
"#;

/// Sends an interrupt, as Ctrl-C does.
fn interrupt(child: &Child) {
    send("INT", child);
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    let sent = sent.expect("there is a `kill`");
    assert!(sent.success());
}

#[test]
fn the_first_interrupt_waits_for_what_is_in_flight() {
    let folder = Folder::with(SLOW);
    let mut child = folder
        .command("--local apply --auto-approve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("instance.first: Creating") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before its time");
    }
    interrupt(&child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_shown!(rest, @"
    Interrupt received: nothing more is started. Waiting for 1 call in flight; interrupt again to exit at once.
    instance.first: Creation complete after Ns [id=i-ID]

    Not done because the run was stopped:
      create instance.second

    Completed changes stay. Run the same command again to do the rest: it plans from the
    current state.
    ");
    let replanned = folder.done("plan");
    assert!(replanned.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{replanned}");
}

#[test]
fn a_request_to_end_is_an_interrupt() {
    let folder = Folder::with(SLOW);
    let mut child = folder
        .command("--local apply --auto-approve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("instance.first: Creating") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before its time");
    }
    send("TERM", &child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("instance.first: Creation complete"), "{rest}");
}

#[test]
fn a_second_run_says_who_is_at_work_and_does_nothing() {
    let folder = Folder::with(SLOW);
    let mut first = folder
        .command("--local apply --auto-approve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(first.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("instance.first: Creating") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before its time");
    }
    let second = folder.mirror("--local destroy --auto-approve");
    assert!(second.starts_with("exit code: 4\n"), "{second}");
    let holder = format!("`mirror apply` on {}", gethostname());
    assert!(second.contains("error[MP0503]: another run is at work on this stack: "), "{second}");
    assert!(second.contains(&holder), "{second}");
    assert!(second.contains(&format!("process {}", first.id())), "{second}");
    let planned = folder.mirror("--local plan");
    assert!(planned.contains("another run is at work on this stack"), "{planned}");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0), "{rest}");
    assert!(folder.done("plan").contains("No changes."));
}

fn gethostname() -> String {
    let output = Command::new("uname").arg("-n").output().expect("there is a `uname`");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn the_second_interrupt_leaves_at_once() {
    let folder = Folder::with(SLOW);
    let mut child = folder
        .command("--local apply --auto-approve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let mut wait_for = |start: &str| {
        while !line.starts_with(start) {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before its time");
        }
    };
    wait_for("instance.first: Creating");
    interrupt(&child);
    wait_for("Interrupt received");
    interrupt(&child);
    wait_for("Interrupted twice");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
