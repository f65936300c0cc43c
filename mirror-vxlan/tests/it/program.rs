//! The program as its user meets it: options, files, ports, signals, and what it may do.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

/// A datagram as AWS sends it, with an ARP frame in it.
pub(crate) const DATAGRAM: [u8; 22] =
    [8, 0, 0, 0, 0x54, 0xfa, 0x11, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6];

pub(crate) fn program() -> Command {
    Command::new(program_path())
}

/// Returns the path of the program built with the tests, or of another one that has to pass them: a package's.
pub(crate) fn program_path() -> PathBuf {
    let named = std::env::var_os("MIRROR_VXLAN_PROGRAM").map(PathBuf::from);
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_mirror-vxlan").into())
}

/// Reads the log of a receiver until it reports that it is receiving, and returns that line.
pub(crate) fn until_receiving(log: &mut impl BufRead) -> String {
    let mut line = String::new();
    while !line.contains(" receiving ") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended early");
    }
    line
}

/// Returns a free port; another process could take it, but nothing here does.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A receiver that reads UDP, which needs no privilege, and the ports that it listens on.
pub(crate) struct Receiver {
    pub(crate) child: Child,
    vxlan: u16,
    http: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Receiver {
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        Self::start_with(folder, more, &[])
    }

    pub(crate) fn start_with(folder: &Path, more: &[&str], variables: &[(&str, String)]) -> Self {
        let (vxlan, http) = (free_port(), free_port());
        let mut child = program()
            .args(["receive", "--input", "udp", "--workers", "1", "--port", &vxlan.to_string()])
            .args(["--health", &format!("127.0.0.1:{http}")])
            .args(["--metrics", &format!("127.0.0.1:{http}"), "--pcapng"])
            .arg(folder.join("captures"))
            .args(more)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, lines) = (Arc::<Mutex<String>>::default(), child.stderr.take().unwrap());
        let told = Arc::clone(&log);
        let reader = spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                told.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        let receiver = Self { child, vxlan, http: ([127, 0, 0, 1], http).into(), log, reader };
        receiver.wait_for(|receiver| receiver.get("/healthz").starts_with("HTTP/1.1 200"));
        receiver
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(self.http) else { return String::new() };
        let mut answer = String::new();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Returns what it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn metric(&self, series: &str) -> Option<u64> {
        let text = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Waits, with a bound that only a hanging program reaches.
    #[track_caller]
    pub(crate) fn wait_for(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("the program does not come to the state that is waited for");
    }

    pub(crate) fn send(&self, count: usize) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..count {
            socket.send_to(&DATAGRAM, ("127.0.0.1", self.vxlan)).unwrap();
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    pub(crate) fn end(self) -> Output {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until it has ended.
    pub(crate) fn ended(self) -> Output {
        let Self { mut child, log, reader, .. } = self;
        let status = child.wait().unwrap();
        reader.join().unwrap();
        let stderr = log.lock().unwrap().clone().into_bytes();
        Output { status, stdout: Vec::new(), stderr }
    }
}

#[test]
fn what_is_sent_is_counted_delivered_and_told_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("names.toml"), "web = 5569041\n").unwrap();
    let names = folder.path().join("names.toml");
    let receiver = Receiver::start(folder.path(), &["--sessions", names.to_str().unwrap()]);
    receiver.send(100);
    let session = "mirror_vxlan_session_frames_total\
                   {vni=\"5569041\",source=\"127.0.0.1\",session=\"web\"}";
    receiver.wait_for(|receiver| receiver.metric(session) == Some(100));
    assert!(receiver.get("/nothing").starts_with("HTTP/1.1 404"));
    let output = receiver.end();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("received=100 accepted=100 balances=true"), "{log}");
    let files: Vec<PathBuf> = fs::read_dir(folder.path().join("captures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert!(file.extension().is_some_and(|extension| extension == "pcapng"), "{files:?}");
    // 100 enhanced packet blocks of 14 bytes.
    assert!(fs::metadata(file).unwrap().len() > 100 * 48);
}

#[test]
fn a_reload_takes_the_selection_and_refuses_nonsense() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "filter = 'arp'\n").unwrap();
    let receiver = Receiver::start(folder.path(), &["--config", config.to_str().unwrap()]);
    receiver.send(10);
    receiver.wait_for(|receiver| receiver.metric("mirror_vxlan_accepted_frames_total") == Some(10));
    fs::write(&config, "filter = 'ip6'\n").unwrap();
    receiver.signal("HUP");
    let excluded = "mirror_vxlan_excluded_frames_total{reason=\"filter\"}";
    receiver.wait_for(|receiver| {
        receiver.send(1);
        receiver.metric(excluded) > Some(0)
    });
    // If anything is wrong, nothing changes.
    fs::write(&config, "filter = 'ip7'\nallow = ['10.0.0.0/8']\n").unwrap();
    receiver.signal("HUP");
    receiver.wait_for(|receiver| receiver.log().contains("`filter` cannot be `ip7`"));
    receiver.send(1);
    let output = receiver.end();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("excluded.filter") && !log.contains("excluded.source"), "{log}");
}

#[test]
fn every_thread_of_the_program_is_without_privileges() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), &[]);
    let threads = fs::read_dir(format!("/proc/{}/task", receiver.child.id())).unwrap();
    let mut count = 0;
    for thread in threads {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().trim().to_owned()
        };
        assert_eq!(value("CapEff:"), "0000000000000000");
        assert_eq!(value("CapPrm:"), "0000000000000000");
        assert_eq!((value("NoNewPrivs:").as_str(), value("Seccomp:").as_str()), ("1", "2"));
        count += 1;
    }
    assert!(count >= 4, "{count} threads");
    receiver.end();
}

#[test]
fn what_is_forbidden_fails_and_what_is_needed_works() {
    let example =
        Path::new(env!("CARGO_BIN_EXE_mirror-vxlan")).with_file_name("examples").join("forbidden");
    if !example.exists() {
        println!("skipped: {} was not built", example.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("captures");
    fs::create_dir(&inside).unwrap();
    fs::write(folder.path().join("captures.others"), "private").unwrap();
    for (role, more) in [("receiver", &[][..]), ("uploader", &["uploader"])] {
        let output = Command::new(&example).arg(&inside).args(more).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let told: Vec<&str> = text.lines().collect();
        let is_confined = !text.contains("no Landlock");
        let outside = if is_confined { "refused" } else { "allowed" };
        let (reads, serves) = match role {
            "receiver" => ("allowed", "allowed"),
            _ => (outside, "refused"),
        };
        assert_eq!(
            told[..told.len() - 1].join("\n"),
            format!(
                "write inside: allowed\nrename inside: allowed\nremove inside: allowed\n\
                 write outside: {outside}\nappend outside: {outside}\nread settings: allowed\n\
                 read what is others': {reads}\nstart a program: refused\n\
                 packet socket: refused\nlow port: refused\nhigh port: allowed\n\
                 be connected to: {serves}\nconnect: allowed\nthread: allowed\n\
                 trace another: refused"
            ),
            "{role}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn every_fault_of_a_configuration_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let text = "port = 0\nfiltre = 'ip'\nfilter = 'tcp prt 80'\n\nrotate-size = '5 apples'\n\
                strict = 1\nallow = ['10.0.0.0/8', 'x@y']\ninput = 'wire'\n";
    fs::write(&config, text).unwrap();
    let output = program().args(["receive", "--config"]).arg(&config).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    let lines: Vec<&str> = told.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "line 1: `port` cannot be `0`: 0 is not in 1..=65535",
            "line 2: there is no option `filtre`; did you mean `filter`?",
            "line 3: `filter` cannot be `tcp prt 80`: `and`, `or` or the end is expected, \
             at offset 4 of the filter: `prt 80`",
            "line 5: `rotate-size` cannot be `5 apples`: a size is a whole number with a unit, \
             such as 64MiB, 1GiB, 500MB or 4096B",
            "line 6: `strict` must be true or false",
            "line 7: `allow` cannot be `x@y`: `x` before the `@` is not a VNI",
            "line 8: `input` cannot be `wire`: [possible values: auto, ring, udp, xdp]",
        ]
    );
}

#[test]
fn an_option_of_a_file_may_need_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let read = |text: &str| {
        fs::write(&config, text).unwrap();
        let arguments = ["mirror-vxlan", "receive", "--config", config.to_str().unwrap()];
        mirror_vxlan::config::Program::from_arguments(&arguments.map(Into::into))
    };
    assert!(read("input = 'xdp'\ninterface = 'ens5'\n").is_ok());
    let error = read("input = 'xdp'\n").unwrap_err().to_string();
    assert!(error.contains("--interface <NAME>"), "{error}");
}

#[test]
fn flags_win_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "port = 1\nfilter = 'ip'\nallow = ['10.0.0.0/8', '10.1.0.0/16']\n").unwrap();
    let arguments =
        ["mirror-vxlan", "receive", "--port", "2", "--config", config.to_str().unwrap()];
    let arguments = arguments.map(Into::into);
    let program = mirror_vxlan::config::Program::from_arguments(&arguments).unwrap();
    let mirror_vxlan::config::Verb::Receive(options) = program.command else { panic!() };
    assert_eq!(options.input.port, 2);
    assert_eq!(options.select.filter.unwrap().expression(), "ip");
    assert_eq!(options.select.allow.len(), 2);
}

#[test]
fn a_request_that_is_too_long_or_no_http_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), &[]);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9000)), "HTTP/1.1 431"),
        ("\x16\x03\x01 hello\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("POST /healthz HTTP/1.1\r\n\r\n".to_owned(), "HTTP/1.1 405"),
    ] {
        let mut stream = TcpStream::connect(receiver.http).unwrap();
        stream.write_all(&request.as_bytes()[..request.len().min(8192)]).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(str::from_utf8(&answer).unwrap(), status);
    }
    // A client that sends nothing at all does not keep others waiting for long.
    let _silent = TcpStream::connect(receiver.http).unwrap();
    assert!(receiver.get("/healthz").starts_with("HTTP/1.1 200"));
    receiver.end();
}
