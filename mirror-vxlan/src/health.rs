//! The ports that load balancers and scrapers query: `/healthz`, `/metrics`, and a bare TCP accept.
//!
//! One thread serves one address, one connection after the other, each with a bounded request and
//! a bounded wait. A slow or hostile client delays the next one by no more than that.

#![forbid(unsafe_code)]

mod backlog;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub use backlog::Backlog;

/// The longest request that is read; the request line and headers of a prober are a few hundred
/// bytes.
const REQUEST_MAX: usize = 8 * 1024;

/// The most headers of a request that are parsed.
const HEADERS_MAX: usize = 64;

/// How long one read or write may take; a load balancer itself gives up after a few seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads of one request; with [`PATIENCE`] they bound how long a client is listened to.
const READS_MAX: usize = 8;

/// How long a bare accept port waits before it checks again whether it should accept.
const PAUSE: Duration = Duration::from_millis(200);

/// The state of the receiver that is reported.
pub trait Status: Send + Sync + 'static {
    /// Returns the reasons why packets cannot be accepted; the receiver is healthy if there are none.
    fn ailments(&self) -> Vec<String>;

    /// Returns the metrics in the exposition format.
    fn metrics(&self) -> String;
}

/// The pages that an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// Whether `/healthz` is served.
    pub health: bool,
    /// Whether `/metrics` is served.
    pub metrics: bool,
}

/// Listens on an address.
///
/// # Errors
///
/// The address does not belong to this machine, or is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Answers HTTP on a thread of its own, for as long as the process lives.
///
/// # Errors
///
/// The thread cannot be started.
pub fn serve(listener: TcpListener, pages: Pages, status: Arc<dyn Status>) -> io::Result<()> {
    let serve = move || {
        for stream in listener.incoming() {
            match stream {
                // It does not matter if the client went away.
                Ok(stream) => drop(answer(&stream, pages, &*status)),
                // Most likely no file descriptors are left: other connections have to end first.
                Err(_) => thread::sleep(PAUSE),
            }
        }
    };
    thread::Builder::new().name("http".to_owned()).spawn(serve).map(drop)
}

/// Accepts and closes connections while healthy, on a thread of its own.
///
/// This is for a load balancer whose health check only tests that TCP connects. While unhealthy,
/// the port is closed, so that the check fails at once.
///
/// # Errors
///
/// The address is taken, or the thread cannot be started.
pub fn accept(listener: TcpListener, status: Arc<dyn Status>) -> io::Result<()> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let accept = move || {
        let mut listener = Some(listener);
        loop {
            let is_healthy = status.ailments().is_empty();
            listener = match listener.take() {
                Some(_) if !is_healthy => None,
                None if is_healthy => bind_again(address),
                unchanged => unchanged,
            };
            while let Some(Ok(connection)) = listener.as_ref().map(TcpListener::accept) {
                drop(connection);
            }
            thread::sleep(PAUSE);
        }
    };
    thread::Builder::new().name("health-tcp".to_owned()).spawn(accept).map(drop)
}

fn bind_again(address: SocketAddr) -> Option<TcpListener> {
    let listener = TcpListener::bind(address).ok()?;
    listener.set_nonblocking(true).ok()?;
    Some(listener)
}

fn answer(mut stream: &TcpStream, pages: Pages, status: &dyn Status) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let response = match request(stream)? {
        Request::Get(path) => page(&path, pages, status),
        Request::Other => Response::text("405 Method Not Allowed", "only GET is supported\n"),
        Request::TooLong => {
            Response::text("431 Request Header Fields Too Large", "the request is too long\n")
        }
        Request::Invalid => Response::text("400 Bad Request", "that is not HTTP/1\n"),
        Request::Nothing => return Ok(()),
    };
    stream.write_all(&response.bytes())?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// What a client asks for.
enum Request {
    Get(String),
    Other,
    TooLong,
    Invalid,
    /// The client closed without a request, as a TCP health check does.
    Nothing,
}

fn request(mut stream: &TcpStream) -> io::Result<Request> {
    let mut buffer = vec![0; REQUEST_MAX];
    let mut length = 0;
    for _ in 0..READS_MAX {
        let read = stream.read(&mut buffer[length..])?;
        length += read;
        if read == 0 {
            return Ok(if length == 0 { Request::Nothing } else { Request::Invalid });
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(&buffer[..length]) {
            Ok(httparse::Status::Complete(_)) => {
                return Ok(match (parsed.method, parsed.path) {
                    (Some("GET"), Some(path)) => Request::Get(path.to_owned()),
                    _ => Request::Other,
                });
            }
            Ok(httparse::Status::Partial) if length == REQUEST_MAX => return Ok(Request::TooLong),
            Ok(httparse::Status::Partial) => {}
            Err(httparse::Error::TooManyHeaders) => return Ok(Request::TooLong),
            Err(_) => return Ok(Request::Invalid),
        }
    }
    Ok(Request::Invalid)
}

fn page(path: &str, pages: Pages, status: &dyn Status) -> Response {
    match path.split_once('?').map_or(path, |(path, _)| path) {
        "/healthz" if pages.health => {
            let reasons = status.ailments();
            let line = if reasons.is_empty() { "200 OK" } else { "503 Service Unavailable" };
            let body = serde_json::json!({ "healthy": reasons.is_empty(), "reasons": reasons });
            Response { line, kind: "application/json", body: format!("{body}\n") }
        }
        "/metrics" if pages.metrics => {
            Response { line: "200 OK", kind: crate::metrics::CONTENT_TYPE, body: status.metrics() }
        }
        _ => Response::text("404 Not Found", "try /healthz or /metrics\n"),
    }
}

struct Response {
    line: &'static str,
    kind: &'static str,
    body: String,
}

impl Response {
    fn text(line: &'static str, body: &str) -> Self {
        Self { line, kind: "text/plain; charset=utf-8", body: body.to_owned() }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { line, kind, body } = self;
        let length = body.len();
        format!(
            "HTTP/1.1 {line}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
