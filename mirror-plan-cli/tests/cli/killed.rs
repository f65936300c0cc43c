//! SIGKILL: the real binary, killed at each call that changes something, and run again.
#![cfg(unix)]

use std::process::Stdio;
use std::time::Duration;

use mirror_local::{Calls, Cloud, Durations, Effect, Fault, Faults, LoggedCall, Server, Settings};
use tokio::runtime::{Builder, Runtime};

use super::Folder;

/// An object of every sort of create call: without a token, with a name of its own, with a token.
const NETWORK: &str = r#"
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
struct Served {
    cloud: Cloud,
    url: String,
    /// Serves for as long as it is held.
    _runtime: Runtime,
}

impl Served {
    fn start() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        let cloud = Cloud::in_memory().with_settings(settings);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server =
            runtime.block_on(Server::bind(cloud.clone(), 0)).expect("there is a free port");
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { cloud, url, _runtime: runtime }
    }

    fn command(&self, folder: &Folder, arguments: &str) -> std::process::Command {
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

    /// Whether a run of `mirror` ends as it should, and what it prints.
    fn run(&self, folder: &Folder, arguments: &str) -> (Option<i32>, String) {
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
