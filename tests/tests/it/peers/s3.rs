//! A team's journal in an S3 that was written by others: moto from PyPI, which honours the conditions of writes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use mirror_local::{Cloud, Durations, Server, Settings};

use super::microburst::binary;
use super::{packages, skipped};

const STACK: &str = r#"
stack "team" {
  region       = "eu-west-1"
  coordination = "s3://team-journals/mirror"
}

vpc "lab" { cidr = "10.0.0.0/16" }

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
}
"#;

/// The server, which runs until this is dropped.
struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Moto {
    fn start(python: &Path) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the interpreter that was just installed runs");
        Self { child, address }
    }

    /// Makes the bucket as soon as the server answers.
    fn make_bucket(&self) {
        let made = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            self.ask("PUT", "/team-journals").is_some_and(|answer| answer.contains(" 200 "))
        });
        assert!(made, "moto does not answer");
    }

    fn ask(&self, method: &str, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n");
        write!(stream, "{head}Connection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_meets_in_an_s3_that_others_have_written() {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers/moto.txt");
    let python = match packages::python("moto", &requirements) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let Some(mirror) = binary() else {
        return println!("{}", skipped("`mirror` is not built: cargo build --workspace"));
    };
    let moto = Moto::start(&python);
    moto.make_bucket();
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    let cloud = Cloud::in_memory().with_settings(settings);
    let server = Server::bind(cloud.clone(), 0).await.expect("there is a free port");
    let url = format!("http://{}", server.address());
    tokio::spawn(server.run(std::future::pending()));
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("team.mirror.hcl"), STACK).expect("a folder of our own");
    let run = |arguments: &'static [&'static str]| {
        let mut command = Command::new(&mirror);
        command.args(arguments).current_dir(folder.path()).env_clear();
        command.env("HOME", folder.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL", &url).env("MIRROR_SETTLE_WINDOW", "1");
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", moto.address));
        command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
        tokio::task::spawn_blocking(move || command.output().expect("mirror runs"))
    };
    let shown = |output: &Output| {
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        format!("{:?}\n{out}{err}", output.status)
    };
    // Of two runs that begin at once, one is done, or they are one after the other.
    let apply: &[&str] = &["apply", "--auto-approve"];
    let (one, two) = tokio::join!(run(apply), run(apply));
    let both = [one.expect("it ended"), two.expect("it ended")];
    for output in &both {
        let is_told = shown(output).contains("error[MP0503]");
        assert!(output.status.success() || is_told, "{}", shown(output));
    }
    assert!(both.iter().any(|output| output.status.success()), "{}", shown(&both[0]));
    let log = cloud.log().expect("the log is in memory");
    assert_eq!(log.iter().filter(|call| call.action == "CreateVpc").count(), 1);
    for arguments in [&["plan", "--detailed-exitcode"][..], &["destroy", "--auto-approve"]] {
        let output = run(arguments).await.expect("it ended");
        assert!(output.status.success(), "{arguments:?}: {}", shown(&output));
    }
    let log = cloud.log().expect("the log is in memory");
    assert!(log.iter().all(|call| call.service != "s3"), "the journal is in moto");
    println!("two runs, a plan and a destroy met in moto");
}
