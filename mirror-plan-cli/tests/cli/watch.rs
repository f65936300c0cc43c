//! A watch: sessions follow what comes and goes, and nothing else is changed.
#![cfg(unix)]

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use super::{Folder, assert_shown};

const ESTATE: &str = include_str!("../../../examples/sources/estate.mirror.hcl");
const SENSORS: &str = include_str!("../../../examples/sources/sensors.mirror.hcl");

fn folder() -> Folder {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder
}

/// A watch that runs beside the test.
struct Watch {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Watch {
    fn over(folder: &Folder) -> Self {
        let mut child = folder
            .command(
                "--local apply sensors.mirror.hcl --watch 1s --health 127.0.0.1:0 --auto-approve",
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mirror runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
        Self { child, stdout, stderr }
    }

    /// Reads what it prints up to a line that contains `part`.
    fn prints(&mut self, part: &str) -> String {
        until(&mut self.stdout, part)
    }

    /// The same for its stderr.
    fn says(&mut self, part: &str) -> String {
        until(&mut self.stderr, part)
    }

    fn end(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg("-TERM").arg(pid).status().expect("kill runs").success());
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("it is text");
        (self.child.wait().expect("it ends"), rest)
    }
}

fn until(lines: &mut impl std::io::BufRead, part: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).expect("it is text"), 0, "it ended before `{part}`");
        if line.contains(part) {
            return line;
        }
    }
}

/// Returns the answer to a request at an address.
fn asked(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is taken");
    let mut told = String::new();
    stream.read_to_string(&mut told).expect("it is text");
    told
}

#[test]
fn a_watch_follows_what_comes_and_goes_and_ends_when_it_is_told_to() {
    let folder = folder();
    folder.done("apply sensors.mirror.hcl --auto-approve");
    // A watch does not apply what has been edited since.
    folder.write("sensors.mirror.hcl", &SENSORS.replace("number = 100", "number = 200"));
    let mut watch = Watch::over(&folder);
    let line = watch.says("http://");
    let address = line.trim().split("http://").last().unwrap().trim_end_matches('/').to_owned();

    // One at a time: if two instances start together, a round may see only one of them.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=3");
    watch.prints("Plan: 1 to add, 0 to change, 0 to destroy.");
    watch.prints("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=3 --var mirror=false");
    watch.prints("Apply complete! Resources: 0 added, 0 changed, 1 destroyed.");
    assert!(asked(&address).starts_with("HTTP/1.1 200 OK"), "{}", asked(&address));

    // With no instance at all it does nothing, says so, and waits longer each time.
    folder.done("apply estate.mirror.hcl --auto-approve --var web=0");
    watch.says("error[MP0409]");
    watch.says("The next try is in ");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=1");
    watch.prints("Apply complete! Resources: 1 added, 0 changed, ");

    let (status, rest) = watch.end();
    assert_eq!(status.code(), Some(0));
    assert!(rest.ends_with("Nothing is in flight, and sessions stay as they are.\n"), "{rest}");
    let left = folder.done("plan sensors.mirror.hcl");
    assert!(left.contains("Plan: 0 to add, 1 to change, 0 to destroy."), "{left}");
}

#[test]
fn one_round_can_be_for_named_instances() {
    let folder = folder();
    assert_shown!(folder.mirror("--local apply sensors.mirror.hcl --sources all --auto-approve"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0412]: `mirror_session.detect` needs `mirror_target.ids`, which does not exist yet
     |
     = note: in `mirror_session.detect`
     = help: apply the whole stack first: `mirror apply`

    error[MP0412]: `mirror_session.detect` needs `mirror_filter.all`, which does not exist yet
     |
     = note: in `mirror_session.detect`
     = help: apply the whole stack first: `mirror apply`
    ");
    folder.done("apply sensors.mirror.hcl --auto-approve");
    folder.done("apply estate.mirror.hcl --auto-approve --var web=4");
    let seen = folder.done("show estate.mirror.hcl");
    let (_, third) = seen.split_once("# instance.web[2]").unwrap();
    let (_, third) = third.split_once("\"i-").unwrap();
    let third = format!("i-{}", third.split('"').next().unwrap());
    let applied =
        folder.done(&format!("apply sensors.mirror.hcl --sources {third} --auto-approve"));
    assert!(applied.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{applied}");
    let rest = folder.done("apply sensors.mirror.hcl --sources all --auto-approve");
    assert!(rest.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{rest}");
}

#[test]
fn a_watch_that_nobody_has_approved_does_not_begin() {
    let folder = folder();
    assert_shown!(folder.mirror("--local apply sensors.mirror.hcl --watch 60s"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0604]: nobody can approve: the input is not a terminal, or MIRROR_INPUT is 0
     |
     = help: pass --auto-approve, or apply a plan that was saved with `mirror plan --out`
    ");
    assert_shown!(folder.mirror("--local apply sensors.mirror.hcl --watch 10ms"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value '10ms' for '--watch <PAUSE>': `10ms` is not a pause of a second or more, such as 60s or 5m

    For more information, try '--help'.
    ");
    assert_shown!(folder.mirror("--local apply sensors.mirror.hcl --sources web"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'web' for '--sources <INSTANCES>': `web` is not a valid instance id: expected i- and 17 hexadecimal digits

    For more information, try '--help'.
    ");
}
