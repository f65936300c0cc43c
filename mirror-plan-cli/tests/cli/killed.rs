//! SIGKILL: the real binary, killed at each call that changes something, and run again.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use mirror_local::{Calls, Cloud, Durations, Effect, Fault, Faults, LoggedCall, Server, Settings};
use tokio::runtime::{Builder, Runtime};

use super::Folder;

/// An object of every sort of create call: without a token, with a name of its own, with a token.
pub(crate) const NETWORK: &str = r#"
stack "killed" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

internet_gateway "way" { vpc = vpc.lab }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

security_group "receiver" {
  vpc     = vpc.lab
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/16"] }]
}

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
}
"#;

/// An AWS on a port of its own.
pub(crate) struct Served {
    pub(crate) cloud: Cloud,
    url: String,
    /// Serves for as long as it is held.
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        change(&mut settings);
        let cloud = Cloud::in_memory().with_settings(settings);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server =
            runtime.block_on(Server::bind(cloud.clone(), 0)).expect("there is a free port");
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { cloud, url, _runtime: runtime }
    }

    pub(crate) fn command(&self, folder: &Folder, arguments: &str) -> std::process::Command {
        let mut command = folder.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("MIRROR_SETTLE_WINDOW", "1");
        command
    }

    fn changes(&self) -> u64 {
        let reads = |call: &&LoggedCall| {
            !call.action.starts_with("Describe") && !call.action.starts_with("Get")
        };
        self.cloud.log().expect("the log is in memory").iter().filter(reads).count() as u64
    }

    /// The calls that change the account beside its buckets.
    pub(crate) fn changes_of_account(&self) -> usize {
        let log = self.cloud.log().expect("the log is in memory");
        let changes = |call: &&LoggedCall| {
            let reads = ["Describe", "Get"].map(|word| call.action.starts_with(word));
            call.service != "s3" && !reads.contains(&true)
        };
        log.iter().filter(changes).count()
    }

    /// Makes a bucket, as somebody does once.
    pub(crate) fn make_bucket(&self, name: &str) {
        let address = self.url.strip_prefix("http://").expect("the URL is of this form");
        let mut stream = std::net::TcpStream::connect(address).expect("the server listens");
        let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                    </CreateBucketConfiguration>";
        let scope = "AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/s3/aws4_request";
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nhost: {address}\r\nauthorization: {scope}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it can be sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it is answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Whether a run of `mirror` ends as it should, and what it prints.
    pub(crate) fn run(&self, folder: &Folder, arguments: &str) -> (Option<i32>, String) {
        let output = self.command(folder, arguments).output().expect("mirror runs");
        (output.status.code(), super::shown(&output))
    }
}

/// Kills an apply at one call, and says what is wrong after the next.
fn survives(call: u64, effect: Effect) -> Result<(), String> {
    let (served, folder) = (Served::start(), Folder::with(NETWORK));
    served.cloud.set_faults(Faults::none().fail(Calls::Mutating, call, Fault::silent(effect)));
    let mut child = served.command(&folder, "apply --auto-approve");
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("mirror runs");
    while served.changes() < call {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Err(format!("it ended before its time: {status}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it is our child");
    served.cloud.set_faults(Faults::none());
    let (code, shown) = served.run(&folder, "apply --auto-approve");
    if code != Some(0) {
        return Err(shown);
    }
    let (code, shown) = served.run(&folder, "plan --detailed-exitcode");
    if code != Some(0) {
        return Err(shown);
    }
    let (code, shown) = served.run(&folder, "destroy --auto-approve");
    let destroyed = "Destroy complete! Resources: 5 destroyed.";
    if code == Some(0) && shown.contains(destroyed) { Ok(()) } else { Err(shown) }
}

#[test]
fn a_binary_that_is_killed_at_any_call_is_taken_up_by_the_next() {
    let (served, folder) = (Served::start(), Folder::with(NETWORK));
    let (code, shown) = served.run(&folder, "apply --auto-approve");
    assert_eq!(code, Some(0), "{shown}");
    let calls = served.changes();
    assert!(calls > 6, "{calls}");
    let mut bad = Vec::new();
    for call in 1..=calls {
        for effect in [Effect::None, Effect::Done] {
            if let Err(why) = survives(call, effect) {
                bad.push(format!("killed at call {call}, {effect:?}: {why}"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
