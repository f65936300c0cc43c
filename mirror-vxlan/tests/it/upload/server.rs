//! A server that speaks S3 (moto from PyPI), and a way to it on which requests can be refused.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::packages;

/// The bucket that the server has.
pub(super) const BUCKET: &str = "bucket";

/// Returns the Python interpreter that has moto, or prints that the test is skipped.
fn moto() -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/upload/requirements.txt");
    match PYTHON.get_or_init(|| packages::python("moto", &wanted)) {
        Ok(python) => Some(python),
        Err(error) => {
            println!("skipped: no moto from PyPI: {error}");
            None
        }
    }
}

/// The server, which runs until this is dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// Starts it and creates the bucket, or prints that the test is skipped.
    pub(super) fn start(port: u16) -> Option<Self> {
        let child = Command::new(moto()?)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, address: (Ipv4Addr::LOCALHOST, port).into() };
        loop {
            match server.ask("PUT", &format!("/{BUCKET}")) {
                Ok((200, _)) => return Some(server),
                Ok(_) | Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Returns an object, or `None` if there is none with this key.
    pub(super) fn object(&self, key: &str) -> Option<Vec<u8>> {
        match self.ask("GET", &format!("/{BUCKET}/{key}")).unwrap() {
            (200, content) => Some(content),
            (_, _) => None,
        }
    }

    /// Returns the keys that begin with a prefix.
    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let list = format!("/{BUCKET}?list-type=2&prefix={prefix}");
        let (_, text) = self.ask("GET", &list).unwrap();
        let text = String::from_utf8(text).unwrap();
        let keys = text.split("<Key>").skip(1);
        keys.map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
    }

    /// Sends a request and returns the status and the body of the answer.
    fn ask(&self, method: &str, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let answer = forward(self.address, head.as_bytes(), b"")?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
        let status = str::from_utf8(answer.get(9..12).unwrap_or(b"0")).unwrap_or("0");
        Ok((status.parse().unwrap_or(0), answer.get(end + 4..).unwrap_or_default().to_vec()))
    }
}

/// What happens to a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is answered by the server.
    Passes,
    /// It is answered with an S3 error of this status and code, and does not reach the server.
    Refused(u16, &'static str),
    /// The connection ends before the server has the request.
    LostOnItsWay,
    /// The server has the request, and the connection ends before the answer.
    AnswerLost,
    /// It is answered as if there were an object of one byte.
    AnsweredWrongly,
}

/// Starts to pass requests on to a server, and returns the address to send them to; the rule gets the
/// number and the method of each.
pub(super) fn way_to(
    server: SocketAddr,
    rule: impl Fn(usize, &str) -> Fate + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            // A client that disconnects has its own reasons.
            pass(server, &stream, |method| rule(number, method)).ok();
        }
    });
    address
}

fn pass(
    server: SocketAddr,
    mut stream: &TcpStream,
    fate: impl FnOnce(&str) -> Fate,
) -> io::Result<()> {
    let (head, body) = request(stream)?;
    let method = head.split(|byte| *byte == b' ').next().unwrap_or_default();
    match fate(str::from_utf8(method).unwrap_or_default()) {
        Fate::Passes => stream.write_all(&forward(server, &head, &body)?)?,
        Fate::AnswerLost => drop(forward(server, &head, &body)?),
        Fate::LostOnItsWay => {}
        Fate::AnsweredWrongly => stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: \"x\"\r\n\
              Last-Modified: Thu, 26 Nov 2026 12:00:00 GMT\r\nConnection: close\r\n\r\n",
        )?,
        Fate::Refused(status, code) => {
            let body = format!("<Error><Code>{code}</Code><Message>told so</Message></Error>");
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} Refused\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n\
                 {body}"
            )?;
        }
    }
    stream.shutdown(Shutdown::Both)
}

/// Reads a request: its head up to the empty line, and its body.
fn request(mut stream: &TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}

/// Sends a request over its own connection, and returns the answer unchanged.
fn forward(server: SocketAddr, head: &[u8], body: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(&head[..head.len() - 2])?;
    stream.write_all(b"Connection: close\r\n\r\n")?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
